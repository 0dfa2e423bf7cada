/*
 * select - one process for all clients, waiting in select().
 *
 * What it shows: the classic event loop. One process asks the kernel which of many
 * descriptors can be read or written now, does what is possible without waiting, and
 * asks again. No descriptor ever blocks, so no client can hold up another.
 *
 * Why one would choose it: no process or thread per client, no locks, the least memory,
 * and it runs everywhere. What it costs: each call passes all descriptors to the kernel
 * and looks at all of them afterwards, so it slows down as idle clients gather; and an
 * fd_set ends at FD_SETSIZE, usually 1024.
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
	fd_set readers, writers; /* what is waited for; select gets copies of them */
	int last;                /* the highest descriptor in either */
};

/* Waits from now on for what the connection wants. One that wants nothing has ended: removes, closes
 * and frees it. */
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
	/* The numbers that an fd_set has room for are needed for sockets. */
	output_move_file(&connection->output, FD_SETSIZE);
	selector->by_fd[fd] = connection;
	if (fd > selector->last)
		selector->last = fd;
}

/* Sleeps until a descriptor is ready, a signal comes or the time is over; returns how many are
 * ready, and which. */
static int wait_for_any(struct selector *selector, fd_set *readable, fd_set *writable)
{
	while (selector->last >= 0 && selector->by_fd[selector->last] == NULL)
		selector->last--;
	*readable = selector->readers;
	*writable = selector->writers;
	return server_pselect(selector->loop.server, selector->last, readable, writable,
			      selector->loop.expiry);
}

/* Looks at all descriptors up to the highest, since select() tells only how many are ready. */
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
	/* FD_SET past FD_SETSIZE writes outside the set: server_accept() takes no such
	 * socket, and the clients wait. */
	.socket_numbers = FD_SETSIZE,
	.serve = serve,
	.serve_datagrams = udp_serve,
	.hub = &hub_in_process,
};
