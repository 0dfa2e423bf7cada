#include "server/meeting.h"

#include <poll.h>

#include "server/connection.h"
#include "server/hub_link.h"

void meeting_begin(struct connection *c)
{
	if (c->hub != NULL)
		c->hub->kind->arrive(c->hub);
}

void meeting_post(struct connection *c, const char *bytes, size_t n)
{
	c->hub->kind->post(c->hub, bytes, n);
}

void meeting_end(struct connection *c)
{
	if (c->hub != NULL)
		c->hub->kind->close(c->hub);
	c->hub = NULL;
}

/* The end of what the hub delivers is the end of the conversation. */
void meeting_fetch(struct connection *c)
{
	if (!meeting_goes_on(c) || c->state != CONNECTION_OPEN)
		return;
	c->mail_waits = c->queue.length > 0;
	switch (c->hub->kind->fetch(c->hub, &c->queue)) {
	case HUB_LINK_OPEN:
		break;
	case HUB_LINK_ENDED:
		c->hub_ended = true;
		session_finish(&c->session);
		break;
	case HUB_LINK_CUT:
		connection_drop(c, "cut off from the hub");
		break;
	}
}

void meeting_settle(struct connection *c)
{
	if (c->hub == NULL)
		return;
	c->hub->kind->dispatch(c->hub);
	if (c->state != CONNECTION_OPEN || !c->session.finished || c->left)
		return;
	c->left = true;
	c->hub->kind->leave(c->hub);
	meeting_fetch(c);
}

bool meeting_goes_on(const struct connection *c)
{
	return c->hub != NULL && !c->hub_ended;
}

bool meeting_holds_input(const struct connection *c)
{
	return c->hub != NULL && c->hub->congested;
}

/* With output queued the only news is that the client is cut off; and one that has left
 * cannot be. */
unsigned meeting_wants(const struct connection *c)
{
	if (!meeting_goes_on(c) || c->hub->fd < 0)
		return 0;
	return c->queue.length == 0 || !c->left || c->hub->congested ? WANT_HUB : 0;
}

/* Mail is fetched when what was fetched before has gone. */
short meeting_events(const struct connection *c)
{
	bool hears = c->queue.length == 0 || c->hub->listens_always;

	return (short)((hears ? POLLIN : 0) | (c->hub->congested ? POLLOUT : 0));
}

static void tell_whether_stalled(const struct connection *c)
{
	if (c->hub != NULL && c->hub->stalled != NULL)
		atomic_store(c->hub->stalled, c->session.full);
}

void meeting_note_sent(struct connection *c)
{
	tell_whether_stalled(c);
	if (c->queue.length == 0 && c->mail_waits)
		meeting_fetch(c);
}

void meeting_relieve(struct connection *c)
{
	if (c->queue.length == 0 || c->session.full || c->state != CONNECTION_OPEN)
		return;
	output_go_on(c);
	tell_whether_stalled(c);
}

/* What was fetched before goes first: with something queued the mail would stay where it is,
 * and its bell does not ring twice. */
void meeting_catch_up(struct connection *c)
{
	meeting_relieve(c);
	meeting_fetch(c);
	meeting_relieve(c);
}
