/*
 * poll - one process for all clients, waiting in poll().
 *
 * What it shows: the event loop of select.c, with an array in the place of the two sets. Each
 * entry of the array is a descriptor, the events to wait for, and, after the call, the events
 * that occurred. So a descriptor can have any number, and nothing has to be copied.
 *
 * Why one would choose it: as select, but for any number of clients, and the array contains
 * only the descriptors in use. What it costs: each call still passes all descriptors to the
 * kernel, and the process then examines all entries, so idle clients slow the server down. An
 * entry takes 8 bytes, where a set takes 2 bits.
 *
 * select.c has the same functions in the same order: compare them with diff(1).
 */
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>

#include "server/core/connection.h"
#include "server/core/loop.h"
#include "server/core/server.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

struct selector {
	struct loop loop;
	struct connection **by_place; /* of each entry in watched */
	struct pollfd *watched;       /* the listeners, then the clients */
	unsigned first, last;         /* the first client, and the end of the array */
};

/* The place of a client in the arrays. */
struct client {
	unsigned place; /* 0: it has none yet */
};

static struct client *client_of(struct connection *connection)
{
	return connection_of_model(connection);
}

/* Removes a connection that has ended: closes its descriptor and frees it. The last entry of the
 * array takes its place. It has none (0) if it has ended as soon as it was accepted. */
static void forget(struct selector *selector, struct connection *connection)
{
	unsigned place = client_of(connection)->place;

	if (place != 0) {
		selector->last--;
		selector->watched[place] = selector->watched[selector->last];
		selector->by_place[place] = selector->by_place[selector->last];
		client_of(selector->by_place[place])->place = place;
	}
	loop_remove(&selector->loop, connection);
}

/* Sets the events that the connection wants. If it wants nothing it has ended. */
static void watch(void *context, struct connection *connection, unsigned wants)
{
	struct selector *selector = context;
	struct client *client = client_of(connection);
	struct pollfd *entry;

	if (wants == 0) {
		forget(selector, connection);
		return;
	}
	if (client->place == 0) {
		client->place = selector->last++;
		selector->watched[client->place].revents = 0;
	}
	selector->by_place[client->place] = connection;
	entry = &selector->watched[client->place];
	entry->events = (short)((wants & WANT_READ ? POLLIN : 0) |
				(wants & WANT_WRITE ? POLLOUT : 0));
	/* poll(2) reports an error or a hang-up even if no event is wanted, again and again.
	 * It ignores an entry with a negative descriptor. */
	entry->fd = entry->events != 0 ? connection->fd : -1;
}

/* Waits until a descriptor is ready, a signal arrives or the timeout expires. Returns how
 * many descriptors are ready, and in the array which ones. */
static int wait_for_any(struct selector *selector)
{
	return server_ppoll(selector->loop.server, selector->watched, selector->last,
			    selector->loop.expiry);
}

/* Examines all entries, the last one first: if a client leaves, an entry that was examined
 * before takes its place. An error or a hang-up counts as readable and writable. */
static void serve_ready(struct selector *selector, int ready)
{
	struct worker *worker = &selector->loop.worker;
	struct connection *connection;

	for (unsigned i = selector->last; i-- > selector->first && ready > 0;) {
		short events = selector->watched[i].revents;

		if (events == 0)
			continue;
		ready--;
		connection = selector->by_place[i];
		selector->watched[i].revents = 0;
		if (events & ~POLLIN)
			connection_on_writable(connection, worker);
		if (events & ~POLLOUT)
			connection_on_readable(connection, worker);
		watch(selector, connection, loop_wants(&selector->loop, connection));
	}
}

/* The arrays have room for all clients that -c allows. Pages that are not used take no memory. */
static int make_room(struct selector *selector, const struct server *server)
{
	selector->first = selector->last = server->opened;
	selector->watched =
		calloc(selector->first + server->max_clients, sizeof *selector->watched);
	selector->by_place =
		calloc(selector->first + server->max_clients, sizeof *selector->by_place);
	return selector->watched != NULL && selector->by_place != NULL ? 0 : -1;
}

static int serve(struct server *server)
{
	static struct selector selector;
	struct connection *connection;
	int ready;

	if (make_room(&selector, server) < 0)
		return -1;
	loop_begin(&selector.loop, server);
	while (server_running(server)) {
		loop_expire(&selector.loop, watch, &selector);
		loop_deliver(&selector.loop, watch, &selector);
		ready = wait_for_any(&selector);
		loop_tick(&selector.loop);
		if (server_has_polled_client(server, selector.watched, &ready))
			while ((connection = loop_accept(&selector.loop)) != NULL)
				watch(&selector, connection,
				      connection_wants(connection));
		serve_ready(&selector, ready);
	}
	loop_end(&selector.loop);
	free(selector.watched);
	free(selector.by_place);
	return 0;
}

const struct model poll_model = {
	.name = "poll",
	.summary = "one process for all clients, waiting in poll()",
	.nonblocking = true,
	.most_clients = 1000,
	.one_process = true,
	.needs_no_fd_set = true,
	.client_size = sizeof(struct client),
	.serve = serve,
	.serve_datagrams = udp_serve,
	.hub = &hub_in_process,
};
