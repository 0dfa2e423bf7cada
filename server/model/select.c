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
#include <stdlib.h>
#include <sys/select.h>

#include "common/clock.h"
#include "server/udp/datagrams.h"
#include "server/core/loop.h"
#include "server/model.h"
#include "server/core/output.h"
#include "server/core/server.h"

struct selector {
	struct loop loop;
	struct connection *by_fd[FD_SETSIZE];
	fd_set readers, writers; /* what is waited for; select gets copies of them */
	int last;                /* the highest descriptor in either */
};

/* Waits from now on for what the connection wants; for nothing more, when it has ended. */
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

/* Sleeps until a descriptor is ready, a signal comes or the time is over; returns how
 * many are ready, and which. */
static int wait_for_any(struct selector *selector, fd_set *readable, fd_set *writable)
{
	struct server *server = selector->loop.server;
	int64_t patience;
	struct timespec time;
	int highest;

	while (selector->last >= 0 && selector->by_fd[selector->last] == NULL)
		selector->last--;
	*readable = selector->readers;
	*writable = selector->writers;
	highest = server_add_listeners(server, readable);
	if (highest < selector->last)
		highest = selector->last;
	patience = server_patience(server, selector->loop.expiry);
	time = clock_timespec(patience);
	/* pselect, not select: it lets our signals in and begins to wait in one step. With
	 * two, a signal between them would be slept through. */
	return server_waited(server,
			     pselect(highest + 1, readable, writable, NULL,
				     patience < 0 ? NULL : &time, &server->wait_mask));
}

/* Whether a client may be there to be accepted; the listeners count no more among those that
 * are ready. */
static bool client_may_wait(struct server *server, fd_set *readable, int *ready)
{
	int listeners = *ready > 0 ? server_take_listeners(server, readable) : 0;

	*ready -= listeners;
	return listeners > 0 || server->held != NULL;
}

static int select_serve(struct server *server)
{
	struct selector *selector = calloc(1, sizeof *selector);
	struct connection *connection;
	fd_set readable, writable;

	if (selector == NULL)
		return -1;
	selector->loop.server = server;
	selector->last = -1;
	loop_begin(&selector->loop);
	while (server_running(server)) {
		int ready;

		loop_expire(&selector->loop, watch, selector);
		loop_deliver(&selector->loop, watch, selector);
		ready = wait_for_any(selector, &readable, &writable);
		loop_tick(&selector->loop);
		if (client_may_wait(server, &readable, &ready))
			while ((connection = loop_accept(&selector->loop)) != NULL)
				watch(selector, connection, connection_wants(connection));
		for (int fd = 0; fd <= selector->last && ready > 0; fd++) {
			bool writes = FD_ISSET(fd, &writable),
			     reads = FD_ISSET(fd, &readable);

			if (!writes && !reads)
				continue;
			ready--;
			connection = selector->by_fd[fd];
			if (writes)
				connection_on_writable(connection,
						       &selector->loop.worker);
			if (reads)
				connection_on_readable(connection,
						       &selector->loop.worker);
			watch(selector, connection,
			      loop_wants(&selector->loop, connection));
		}
	}
	while (selector->loop.first != NULL)
		loop_remove(&selector->loop, selector->loop.first);
	free(selector);
	return 0;
}

/* On a datagram socket one process hears and answers all, as they come. */
static int select_serve_datagrams(struct server *server)
{
	static struct datagrams datagrams;

	datagrams.server = server;
	return datagrams_serve(&datagrams);
}

const struct model this_model = {
	.name = "select",
	.summary = "one process for all clients, waiting in select()",
	.nonblocking = true,
	.most_clients = 1000,
	.one_process = true,
	/* FD_SET past FD_SETSIZE writes outside the set: server_accept() takes no such
	 * socket, and the clients wait. */
	.socket_numbers = FD_SETSIZE,
	.serve = select_serve,
	.serve_datagrams = select_serve_datagrams,
};
