#include "server/hub/local.h"

#include <stddef.h>
#include <stdlib.h>

#include "server/core/connection.h"
#include "server/core/server.h"
#include "server/hub/client.h"
#include "server/hub/mailbox.h"
#include "server/hub/place.h"

struct local_link {
	struct hub_client link; /* first: the connection's view of it */
	struct mailbox mailbox; /* its mail is the connection's queue */
	struct connection *connection;
	max_align_t state_memory[]; /* the service's */
};

static struct local_link *of_mailbox(struct mailbox *mailbox)
{
	return (struct local_link *)((char *)mailbox -
				     offsetof(struct local_link, mailbox));
}

static void arrive(struct hub_client *link)
{
	mailbox_arrive(&((struct local_link *)link)->mailbox);
}

static void post(struct hub_client *link, const char *bytes, size_t n)
{
	mailbox_post(&((struct local_link *)link)->mailbox, bytes, n);
}

static void dispatch(struct hub_client *link)
{
	(void)link; /* it has arrived already */
}

static void leave(struct hub_client *link)
{
	mailbox_leave(&((struct local_link *)link)->mailbox);
}

static enum hub_client_state fetch(struct hub_client *link, struct buffer *queue)
{
	(void)queue; /* it is there already */
	switch (((struct local_link *)link)->mailbox.state) {
	case MAILBOX_OPEN:
		return HUB_CLIENT_OPEN;
	case MAILBOX_CUT_OFF:
		return HUB_CLIENT_CUT;
	default:
		return HUB_CLIENT_ENDED;
	}
}

static void close_link(struct hub_client *link)
{
	leave(link);
	free(link);
}

static const struct hub_client_kind local = {
	.arrive = arrive,
	.post = post,
	.dispatch = dispatch,
	.leave = leave,
	.fetch = fetch,
	.close = close_link,
};

static void relieve(struct mailbox *mailbox)
{
	hub_client_flush(&of_mailbox(mailbox)->link);
}

/* The one hub of this process. */
static struct hub hub;

static int begin(struct server *server)
{
	hub.relieve = relieve;
	hub_begin(&hub, server->service->hub);
	return 0;
}

static int join(struct connection *connection)
{
	struct local_link *link = malloc(sizeof *link + hub.service->member_size);

	if (link == NULL)
		return -1;
	link->link = (struct hub_client){
		.kind = &local,
		.output = &connection->output,
		.fd = -1,
	};
	link->connection = connection;
	mailbox_begin(&link->mailbox, &hub, &connection->peer, link->state_memory,
		      &connection->output.queue);
	connection->hub = &link->link;
	return 0;
}

static void cancel(struct connection *connection)
{
	free(connection->hub);
	connection->hub = NULL;
}

struct connection *hub_local_next(void)
{
	struct mailbox *mailbox = hub_next_news(&hub);

	return mailbox != NULL ? of_mailbox(mailbox)->connection : NULL;
}

const struct hub_place hub_in_process = {
	.begin = begin,
	.join = join,
	.cancel = cancel,
};
