/*
 * epoll - one loop for all clients, or a loop per processor, waiting in epoll_wait().
 *
 * What it shows: the event loop of poll.c, with its array in the kernel. epoll_ctl(2) changes an
 * entry, only when a client wants something else than before. epoll_wait(2) returns the entries
 * that are ready, each with a pointer to its connection. So idle clients cost nothing. It is
 * level-triggered, as poll(2): what is not read now is reported again.
 *
 * With -j N there are N loops, each in a thread of its own with its own set of descriptors. A
 * client stays in the loop that has accepted it. --accept says how the loops share new clients:
 *
 *     shared      the listener is in every set: a new client wakes all loops that wait
 *     exclusive   the same with EPOLLEXCLUSIVE: a new client wakes one of them
 *     reuseport   each loop has a listener of its own (SO_REUSEPORT): the kernel chooses
 *
 * Why one would choose it: a wait costs the same for ten clients and for ten thousand, and the
 * loops use all processors. What it costs: only Linux has it, each change of what a client wants
 * is a system call, and what the loops share needs locks (core/loops.h).
 */
#include "server/core/loop_options.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

#include <errno.h>

/* What the set has of a client. */
struct client {
	unsigned wants; /* WANT_READ, WANT_WRITE; 0: it is not in the set */
};

#if defined(__linux__) && !defined(WITHOUT_EPOLL)

#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/clock.h"
#include "server/core/connection.h"
#include "server/core/loops.h"
#include "server/core/server.h"

enum { EVENTS = 256 };

struct selector {
	struct loop loop;           /* first */
	struct listeners listeners; /* of this loop; their events have no connection */
	bool listens;               /* they are in the set */
	int epoll;                  /* the set of descriptors to wait for */
	struct epoll_event events[EVENTS];
};

static struct selector *selectors; /* loop_options.loops of them */

static int control(struct selector *selector, int operation, int fd, uint32_t events,
		   struct connection *connection)
{
	struct epoll_event event = { .events = events, .data.ptr = connection };

	if (epoll_ctl(selector->epoll, operation, fd, &event) == 0)
		return 0;
	server_lack(selector->loop.server, "cannot watch a descriptor", errno);
	loop_retry(&selector->loop);
	return -1;
}

/* Changes the events that the connection's own loop waits for, if it wants others now. If it
 * wants nothing it has ended: frees it and closes its descriptor, which leaves the set. */
static void watch(void *context, struct connection *connection, unsigned wants)
{
	struct selector *selector = (struct selector *)connection->loop;
	struct client *client = connection_of_model(connection);
	unsigned before = client->wants, now = wants & (WANT_READ | WANT_WRITE);
	int operation = before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	(void)context; /* another loop may deliver to this connection */
	if (wants == 0) {
		loop_remove(&selector->loop, connection);
		return;
	}
	if (now == before)
		return;
	if (now == 0) /* an error or a hang-up would be reported nevertheless */
		operation = EPOLL_CTL_DEL;
	if (control(selector, operation, connection->fd,
		    (now & WANT_READ ? EPOLLIN : 0u) | (now & WANT_WRITE ? EPOLLOUT : 0u),
		    connection) == 0)
		client->wants = now;
}

static void leave_listeners(struct selector *selector)
{
	for (unsigned i = 0; i < selector->listeners.count; i++)
		epoll_ctl(selector->epoll, EPOLL_CTL_DEL, selector->listeners.fds[i],
			  NULL);
	selector->listens = false;
}

/* The listeners are in the set only while a client would be accepted: otherwise each wait would
 * end at once. When the server stops, this loop closes them. */
static void watch_listeners(struct selector *selector)
{
	struct server *server = selector->loop.server;
	struct listeners *listeners = &selector->listeners;
	bool stopping = server->stopping, wanted = !stopping && server_accepting(server);
	uint32_t exclusive = loop_options.sharing == LOOP_EXCLUSIVE ? EPOLLEXCLUSIVE : 0;

	if (wanted == selector->listens && !stopping)
		return;
	selector->listens = wanted;
	for (unsigned i = 0; wanted && i < listeners->count; i++)
		if (control(selector, EPOLL_CTL_ADD, listeners->fds[i],
			    EPOLLIN | exclusive, NULL) < 0)
			selector->listens = false;
	if (!selector->listens)
		leave_listeners(selector);
	if (stopping)
		listeners_close(listeners);
}

/* Waits until a descriptor is ready, a signal arrives or the timeout expires. Returns how many
 * are ready, and their events in the array. */
static int wait_for_any(struct selector *selector)
{
	struct loop *loop = &selector->loop;
	int timeout = clock_poll_timeout(server_timeout(loop->server, loop->expiry));
	int ready;

	loops_unlock();
	ready = epoll_pwait(selector->epoll, selector->events, EVENTS, timeout,
			    &loop->wait_mask);
	ready = loops_wait_result(loop, ready);
	if (loops_lock() && ready > 0)
		ready = epoll_wait(selector->epoll, selector->events, EVENTS, 0);
	return ready;
}

/* A single loop accepts all clients that wait. Of several loops each accepts one and then waits
 * again, so that the others accept the next ones. EPOLLEXCLUSIVE wakes the first loop in the
 * queue of the listener, always the same one. So a loop that has accepted goes to its end. */
static void accept_clients(struct selector *selector)
{
	struct connection *connection;

	do {
		connection = loop_accept(&selector->loop);
		if (connection == NULL)
			break;
		statistics_add_client(selector->loop.server->statistics,
				      (unsigned)(selector - selectors));
		watch(NULL, connection, connection_wants(connection));
	} while (loop_options.loops == 1);
	if (connection != NULL && loop_options.sharing == LOOP_EXCLUSIVE)
		leave_listeners(selector); /* watch_listeners() adds them again */
}

/* A connection has one event in the array, and only its own one frees it: no later event refers
 * to a connection that is gone. An error or a hang-up counts as readable and writable. */
static void serve_ready(struct selector *selector, int ready)
{
	struct loop *loop = &selector->loop;

	if (loop->server->held != NULL)
		accept_clients(selector);
	for (int i = 0; i < ready; i++) {
		uint32_t events = selector->events[i].events;
		struct connection *connection = selector->events[i].data.ptr;

		if (connection == NULL) {
			accept_clients(selector);
			continue;
		}
		if (events & ~(uint32_t)EPOLLIN)
			connection_on_writable(connection, &loop->worker);
		if (events & ~(uint32_t)EPOLLOUT)
			connection_on_readable(connection, &loop->worker);
		watch(NULL, connection, loop_wants(loop, connection));
	}
}

static void serve_loop(struct loop *loop)
{
	struct selector *selector = (struct selector *)loop;
	int ready;

	loops_lock();
	while (loops_go_on(loop)) {
		loop_expire(loop, watch, NULL);
		loop_deliver(loop, watch, NULL);
		watch_listeners(selector);
		ready = wait_for_any(selector);
		loop_tick(loop);
		serve_ready(selector, ready);
	}
	loops_unlock();
}

static int begin(struct server *server, struct failure *failure)
{
	if (server->datagrams)
		return 0;
	atomic_store(&server->statistics->workers, loop_options.loops);
	selectors = calloc(loop_options.loops, sizeof *selectors);
	if (selectors == NULL)
		return server_cannot_start(failure);
	for (unsigned i = 0; i < loop_options.loops; i++) {
		struct selector *selector = &selectors[i];

		selector->epoll = epoll_create1(EPOLL_CLOEXEC);
		if (selector->epoll < 0 ||
		    loop_options_listen(server, i == 0, &selector->listeners) < 0)
			return server_cannot_start(failure);
		loop_begin(&selector->loop, server);
		selector->loop.listeners = &selector->listeners;
		loops_add(&selector->loop);
	}
	return 0;
}

static int serve(struct server *server)
{
	bool ended;
	int result = loops_run(server, serve_loop, &ended);

	for (unsigned i = 0; ended && i < loop_options.loops; i++) {
		loop_end(&selectors[i].loop);
		listeners_close(&selectors[i].listeners);
		close(selectors[i].epoll);
	}
	if (ended)
		free(selectors);
	return result;
}

#else

/* prepare() lets only datagrams through, for which nothing is opened here. */
static int begin(struct server *server, struct failure *failure)
{
	(void)server, (void)failure;
	return 0;
}

static int serve(struct server *server)
{
	(void)server;
	return -1;
}

#endif

static int prepare(struct server *server, struct failure *failure)
{
#if !defined(__linux__) || defined(WITHOUT_EPOLL)
	if (!server->datagrams) /* served by udp_serve(), without epoll */
		return failure_set(failure, "this system has no epoll(7): use the model "
					    "poll or select");
#endif
	return loop_options_prepare(server, failure);
}

const struct model epoll_model = {
	.name = "epoll",
	.summary = "a loop for all clients, or several loops, waiting in epoll_wait()",
	.nonblocking = true,
	.most_clients = 1000,
	.one_process = true,
	.needs_no_fd_set = true,
	.client_size = sizeof(struct client),
	.options = loop_option_lines,
	.option = loop_options_take,
	.check = loop_options_check,
	.prepare = prepare,
	.begin = begin,
	.creates = SYSCALLS_OF_THREADS,
	.serve = serve,
	.serve_datagrams = udp_serve,
	.hub = &hub_in_process,
};
