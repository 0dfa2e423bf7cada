/*
 * hub_local - the hub of a server with one worker.
 *
 * The simplest of the three hubs: one process and one thread, so there is no lock, no second
 * queue and no wake-up. The mailbox of a member uses the output queue of the connection
 * itself. The cost is that of the model: the one worker runs the service for all clients, and
 * uses one processor.
 */
#include "server/hub/local.h"

#include <stddef.h>
#include <stdlib.h>

#include "server/core/connection.h"
#include "server/core/server.h"
#include "server/hub/client.h"
#include "server/hub/mailbox.h"
#include "server/hub/place.h"

struct local_client {
	struct hub_client client; /* first: the connection's view */
	struct mailbox mailbox;   /* its queue is the connection's */
	struct connection *connection;
	max_align_t state_memory[]; /* of the service */
};

static struct local_client *of_mailbox(struct mailbox *mailbox)
{
	return (struct local_client *)((char *)mailbox -
				       offsetof(struct local_client, mailbox));
}

static void arrive(struct hub_client *client)
{
	hub_arrive(&((struct local_client *)client)->mailbox);
}

static void post(struct hub_client *client, const char *bytes, size_t n)
{
	hub_post(&((struct local_client *)client)->mailbox, bytes, n);
}

static void dispatch(struct hub_client *client)
{
	(void)client; /* post() has called the hub */
}

static void leave(struct hub_client *client)
{
	hub_leave(&((struct local_client *)client)->mailbox);
}

static enum hub_client_state fetch(struct hub_client *client, struct buffer *queue)
{
	(void)queue; /* the deliveries are in it */
	switch (((struct local_client *)client)->mailbox.state) {
	case MAILBOX_OPEN:
		return HUB_CLIENT_OPEN;
	case MAILBOX_CUT_OFF:
		return HUB_CLIENT_CUT;
	default:
		return HUB_CLIENT_ENDED;
	}
}

static void close_client(struct hub_client *client)
{
	leave(client);
	free(client);
}

static const struct hub_client_kind local_kind = {
	.arrive = arrive,
	.post = post,
	.dispatch = dispatch,
	.leave = leave,
	.fetch = fetch,
	.close = close_client,
};

static void flush(struct mailbox *mailbox)
{
	hub_client_flush(&of_mailbox(mailbox)->client);
}

/* The hub of this process. */
static struct hub hub;

static int begin(struct server *server)
{
	hub.flush = flush;
	hub_begin(&hub, server->service->hub);
	return 0;
}

static int join(struct connection *connection)
{
	struct local_client *self = malloc(sizeof *self + hub.service->member_size);

	if (self == NULL)
		return -1;
	self->client = (struct hub_client){
		.kind = &local_kind,
		.output = &connection->output,
		.fd = -1,
	};
	self->connection = connection;
	mailbox_begin(&self->mailbox, &hub, &connection->peer, self->state_memory,
		      &connection->output.queue);
	connection->hub = &self->client;
	return 0;
}

static void cancel(struct connection *connection)
{
	free(connection->hub);
	connection->hub = NULL;
}

struct connection *hub_local_next(void)
{
	struct mailbox *mailbox = hub_next_pending(&hub);

	return mailbox != NULL ? of_mailbox(mailbox)->connection : NULL;
}

const struct hub_place hub_in_process = {
	.begin = begin,
	.join = join,
	.cancel = cancel,
};
