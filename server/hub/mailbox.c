#include "server/hub/mailbox.h"

#include <stdint.h>
#include <string.h>

static void add_to_news(struct mailbox *mailbox)
{
	struct hub *hub = mailbox->hub;

	if (mailbox->link != NULL)
		return;
	mailbox->next = hub->news;
	mailbox->link = &hub->news;
	if (hub->news != NULL)
		hub->news->link = &mailbox->next;
	hub->news = mailbox;
}

static void remove_from_news(struct mailbox *mailbox)
{
	if (mailbox->link == NULL)
		return;
	*mailbox->link = mailbox->next;
	if (mailbox->next != NULL)
		mailbox->next->link = mailbox->link;
	mailbox->link = NULL;
}

/* How many bytes of what waits count. When no more wait than have come since, all of what was
 * excused has gone. */
static size_t count_waiting(struct mailbox *mailbox)
{
	if (mailbox->excuses && mailbox->mail->length > mailbox->unexcused)
		return mailbox->unexcused;
	mailbox->excuses = false;
	return mailbox->mail->length;
}

/* One that has not been looked at since the last deliveries may seem full only because its
 * worker had no chance yet. */
static bool is_too_full(struct mailbox *mailbox, size_t most)
{
	if (count_waiting(mailbox) > most && mailbox->link != NULL &&
	    mailbox->hub->relieve != NULL)
		mailbox->hub->relieve(mailbox);
	return count_waiting(mailbox) > most;
}

static void note_behind(struct mailbox *mailbox, size_t most)
{
	if (mailbox->behind != 0 || mailbox->stalled == NULL ||
	    count_waiting(mailbox) <= most / 2 || atomic_load(mailbox->stalled))
		return;
	mailbox->behind = mailbox->hub->round;
	mailbox->hub->behind++;
}

static bool deliver(struct member *member, const char *bytes, size_t n, size_t most)
{
	struct mailbox *mailbox = (struct mailbox *)member;

	if (mailbox->state != MAILBOX_OPEN)
		return true;
	if (is_too_full(mailbox, most) ||
	    !buffer_append(mailbox->mail, bytes, n, SIZE_MAX))
		return false;
	if (mailbox->excuses)
		mailbox->unexcused += n;
	add_to_news(mailbox);
	note_behind(mailbox, most);
	return true;
}

static void excuse(struct member *member)
{
	struct mailbox *mailbox = (struct mailbox *)member;

	if (count_waiting(mailbox) == 0 || mailbox->excuses)
		return;
	mailbox->excuses = true;
	mailbox->unexcused = 0;
}

static void dismiss(struct member *member)
{
	struct mailbox *mailbox = (struct mailbox *)member;

	if (mailbox->state != MAILBOX_OPEN)
		return;
	mailbox->state = MAILBOX_DISMISSED;
	add_to_news(mailbox);
}

static void cut_off(struct member *member)
{
	struct mailbox *mailbox = (struct mailbox *)member;

	if (mailbox->state == MAILBOX_LEFT)
		return;
	mailbox->state = MAILBOX_CUT_OFF;
	add_to_news(mailbox);
}

static const struct hub_transport transport = {
	.deliver = deliver,
	.excuse = excuse,
	.dismiss = dismiss,
	.cut_off = cut_off,
};

void hub_begin(struct hub *hub, const struct hub_service *service)
{
	hub->service = service;
	hub->news = NULL;
	hub->behind = 0;
	hub->round = 1;
	if (service->begin != NULL)
		service->begin();
}

struct mailbox *hub_next_news(struct hub *hub)
{
	struct mailbox *mailbox = hub->news;

	if (mailbox != NULL)
		remove_from_news(mailbox);
	return mailbox;
}

void mailbox_begin(struct mailbox *mailbox, struct hub *hub, const struct address *peer,
		   void *state, struct buffer *mail)
{
	*mailbox = (struct mailbox){ .hub = hub, .mail = mail };
	mailbox->member.state = state;
	mailbox->member.transport = &transport;
	address_text(peer, mailbox->member.peer);
	memset(state, 0, hub->service->member_size);
}

void mailbox_caught_up(struct mailbox *mailbox)
{
	if (mailbox->behind == mailbox->hub->round)
		mailbox->hub->behind--;
	mailbox->behind = 0;
}

void mailbox_wait_no_more(struct hub *hub)
{
	hub->behind = 0;
	hub->round++;
}

void mailbox_arrive(struct mailbox *mailbox)
{
	mailbox->hub->service->arrive(&mailbox->member);
}

void mailbox_post(struct mailbox *mailbox, const char *bytes, size_t n)
{
	if (mailbox->state == MAILBOX_OPEN)
		mailbox->hub->service->post(&mailbox->member, bytes, n);
}

void mailbox_leave(struct mailbox *mailbox)
{
	if (mailbox->state == MAILBOX_LEFT)
		return;
	mailbox->state = MAILBOX_LEFT; /* nothing can be delivered to it any more */
	remove_from_news(mailbox);
	mailbox_caught_up(mailbox);
	mailbox->hub->service->leave(&mailbox->member);
}
