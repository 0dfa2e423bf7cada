/*
 * prefork - processes made before the clients come; each serves one client after another.
 *
 * What it shows: N copies of the iterative server (iterative.c) that share one listening
 * socket. No client waits for a fork(2). The workers share the clients in one of three ways,
 * --accept HOW:
 *
 *   block   each idle worker blocks in accept(2). For one new client the kernel wakes one of
 *           them. With several listeners accept(2) cannot wait for all of them: the workers
 *           wait in pselect(2), which wakes all, and those that find no client wait again
 *   lock    the idle workers wait for a lock. Only its owner waits for a client, in any way
 *   pass    the parent accepts, and sends the descriptor to an idle worker (SCM_RIGHTS)
 *
 * Why one would choose it: the isolation of fork.c at a fraction of its cost for each client.
 * What it costs: at most N clients are served at a time, and N processes exist even if there
 * is no client. What a service leaks or damages in a worker, the next clients of that worker
 * suffer; --requests N replaces each worker after N clients.
 */
#include <stddef.h>
#include <unistd.h>

#include "common/io.h"
#include "server/core/accept_lock.h"
#include "server/core/connection.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/signals.h"
#include "server/core/worker_options.h"
#include "server/core/workers.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

static struct workers workers;
static struct accept_lock *lock; /* NULL: none */

/* The listener is blocking, and a signal ends the wait. While the worker is out of
 * descriptors or memory, it waits for time only. */
static struct connection *accept_client(struct server *server)
{
	if (server->listeners.count == 1 && server_accepting(server))
		return server_accept(server);
	return server_wait(server);
}

static struct connection *next_client(struct server *server)
{
	struct connection *connection = NULL;

	if (workers.passes)
		return workers_receive(&workers);
	if (lock != NULL && !accept_lock_take(lock))
		return NULL;
	if (signals_stop() == 0) /* the wait for the lock does not end at a signal */
		connection = accept_client(server);
	if (lock != NULL)
		accept_lock_release(lock);
	if (connection != NULL)
		workers_take(&workers, connection);
	return connection;
}

/* The worker's whole life. It never returns to the parent's code. */
static _Noreturn void serve_clients(struct server *server)
{
	struct connection *connection;
	struct worker worker; /* its buffers: only the pages that are used take memory */

	workers_enter(&workers);
	while (workers_go_on(&workers)) {
		connection = next_client(server);
		if (connection == NULL) /* a signal */
			continue;
		serve_blocking(connection, &worker);
		connection_close(connection);
		workers_client_left(&workers);
	}
	_exit(workers_exit_status(&workers));
}

static void start_worker(struct server *server)
{
	pid_t pid = fork();

	if (pid == 0)
		serve_clients(server);
	workers_add(&workers, pid); /* or -1: it is reported, and tried again */
}

/* What the parent does for its workers in each turn: it passes signals on, waits for those
 * that have ended, and starts others in their place. */
static void attend_workers(struct server *server)
{
	workers_attend(&workers);
	while (workers_must_start(&workers))
		start_worker(server);
}

static int prepare(struct server *server, struct failure *failure)
{
	(void)server;
	if (worker_options()->accept != ACCEPT_LOCK || accept_lock_exists())
		return 0;
	return failure_set(failure,
			   "--accept lock: this system has no mutex that outlives "
			   "its owner: use block or pass");
}

static int begin(struct server *server)
{
	const struct worker_options *options = worker_options();
	bool passes = options->accept == ACCEPT_PASS;

	if (options->accept == ACCEPT_LOCK && (lock = accept_lock_create()) == NULL)
		return -1;
	if (!passes && server->listeners.count == 1 &&
	    io_set_nonblocking(server->listeners.fds[0], false) < 0)
		return -1;
	return workers_begin(&workers, server, passes, options->most_clients);
}

static int serve(struct server *server)
{
	struct connection *connection;

	if (begin(server) < 0)
		return -1;
	while (server_running(server)) {
		attend_workers(server);
		if (!workers.passes) {
			server_pause(server);
			continue;
		}
		connection = server_wait(server);
		if (connection != NULL)
			workers_pass(&workers, connection);
	}
	workers_end(&workers);
	return 0;
}

const struct model prefork_model = {
	.name = "prefork",
	.summary = "processes made before the clients come",
	.most_clients = 1000,
	.options = prefork_options,
	.option = prefork_option,
	.check = prefork_check,
	.prepare = prepare,
	.creates = SYSCALLS_OF_PROCESSES,
	.serve = serve,
	.serve_datagrams = udp_serve_with_children,
	.hub = &hub_in_parent,
};
