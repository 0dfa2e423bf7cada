/*
 * select - one process for all clients, waiting in select().
 *
 * What it shows: the classic event loop. One process asks the kernel which of many
 * descriptors can be read or written now, does what is possible without waiting, and
 * asks again. No call on a descriptor blocks, so no client can delay another one.
 *
 * Why one would choose it: no process or thread per client, no locks, the least memory,
 * and it runs everywhere. What it costs: each call passes all descriptors to the kernel
 * and then examines all of them, so idle clients slow the server down. An fd_set can
 * contain only descriptors below FD_SETSIZE, usually 1024.
 */
#include <stddef.h>
#include <sys/select.h>

#include "server/core/connection.h"
#include "server/core/loop.h"
#include "server/core/output.h"
#include "server/core/server.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

struct selector {
	struct loop loop;
	struct connection *by_fd[FD_SETSIZE];
	fd_set readers, writers; /* descriptors to wait for; pselect(2) gets copies */
	int last;                /* the highest descriptor in either set */
};

/* Sets the bits for the events that the connection wants. If it wants nothing it has ended:
 * removes it, closes its descriptor and frees it. */
static void watch(void *context, struct connection *connection, unsigned wants)
{
	struct selector *selector = context;
	int fd = connection->fd;

	if (wants & WANT_READ)
		FD_SET(fd, &selector->readers);
	else
		FD_CLR(fd, &selector->readers);
	if (wants & WANT_WRITE)
		FD_SET(fd, &selector->writers);
	else
		FD_CLR(fd, &selector->writers);
	if (wants == 0) {
		selector->by_fd[fd] = NULL;
		loop_remove(&selector->loop, connection);
		return;
	}
	/* Descriptors below FD_SETSIZE are needed for the sockets. */
	output_move_file(&connection->output, FD_SETSIZE);
	selector->by_fd[fd] = connection;
	if (fd > selector->last)
		selector->last = fd;
}

/* Waits until a descriptor is ready, a signal arrives or the timeout expires. Returns how
 * many descriptors are ready, and in the sets which ones. */
static int wait_for_any(struct selector *selector, fd_set *readable, fd_set *writable)
{
	while (selector->last >= 0 && selector->by_fd[selector->last] == NULL)
		selector->last--;
	*readable = selector->readers;
	*writable = selector->writers;
	return server_pselect(selector->loop.server, selector->last, readable, writable,
			      selector->loop.expiry);
}

/* Examines all descriptors up to the highest: the return value is only the number of
 * bits. */
static void serve_ready(struct selector *selector, int ready, const fd_set *readable,
			const fd_set *writable)
{
	struct worker *worker = &selector->loop.worker;
	struct connection *connection;

	for (int fd = 0; fd <= selector->last && ready > 0; fd++) {
		bool writes = FD_ISSET(fd, writable), reads = FD_ISSET(fd, readable);

		if (!writes && !reads)
			continue;
		ready--;
		connection = selector->by_fd[fd];
		if (writes)
			connection_on_writable(connection, worker);
		if (reads)
			connection_on_readable(connection, worker);
		watch(selector, connection, loop_wants(&selector->loop, connection));
	}
}

static int serve(struct server *server)
{
	static struct selector selector;
	struct connection *connection;
	fd_set readable, writable;
	int ready;

	selector.last = -1;
	loop_begin(&selector.loop, server);
	while (server_running(server)) {
		loop_expire(&selector.loop, watch, &selector);
		loop_deliver(&selector.loop, watch, &selector);
		ready = wait_for_any(&selector, &readable, &writable);
		loop_tick(&selector.loop);
		if (server_has_client(server, &readable, &ready))
			while ((connection = loop_accept(&selector.loop)) != NULL)
				watch(&selector, connection,
				      connection_wants(connection));
		serve_ready(&selector, ready, &readable, &writable);
	}
	loop_end(&selector.loop);
	return 0;
}

const struct model select_model = {
	.name = "select",
	.summary = "one process for all clients, waiting in select()",
	.nonblocking = true,
	.most_clients = 1000,
	.one_process = true,
	/* FD_SET of a descriptor above this limit would write outside the set. So
	 * server_accept() accepts no such socket, and the clients wait. */
	.socket_numbers = FD_SETSIZE,
	.serve = serve,
	.serve_datagrams = udp_serve,
	.hub = &hub_in_process,
};
