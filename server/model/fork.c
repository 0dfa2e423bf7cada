/*
 * fork - a process per client.
 *
 * What it shows: the classic server. The parent only accepts. For each client it forks a
 * child, which has a copy of the memory, serves this one client with a blocking recv(2),
 * and exits.
 *
 * Why one would choose it: if a child crashes, leaks memory or is killed, only its own
 * client is affected. The code that serves a client is as simple as possible. What it
 * costs: a process for each client. Creating and ending it takes 0.1 to 0.2 ms, and the
 * pages that it changes are copied. So the model suits long conversations better than
 * many short ones.
 *
 * thread.c has the same functions in the same order: compare them with diff(1).
 */
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "server/core/children.h"
#include "server/core/connection.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/signals.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

/* While clients arrive without a pause, the wait for them never sleeps. So no signal is
 * delivered, not even SIGCHLD. The parent therefore also calls waitpid(2) once in this
 * many turns. */
enum { REAP_EVERY = 16 };

static struct children children;

/* The child's whole life. It never returns to the parent's code. */
static _Noreturn void serve_client(struct server *server, struct connection *connection)
{
	struct worker worker; /* its buffers: only the pages that are used take memory */

	/* Closes the listeners: a child that kept them open would keep the port in use
	 * after the parent has exited. */
	server_enter_child(server, connection);
	/* It gets this signal, a request to stop, if the parent dies. */
	children_enter(&children, SIGNAL_INTERRUPT);
	serve_blocking(connection, &worker);
	connection_end(connection);
	/* The kernel frees memory and descriptors. _exit(2), not exit(3): the atexit(3)
	 * handlers and the stdio buffers are copies of the parent's. Only the parent may
	 * run and flush them. */
	_exit(0);
}

static void start_worker(struct server *server, struct connection *connection)
{
	pid_t pid = fork();

	if (pid == 0)
		serve_client(server, connection);
	if (pid < 0) {
		server_hold(server, connection, "cannot fork", errno);
		return;
	}
	children_add(&children, pid, &connection->peer);
	/* The parent and the child share the socket. The client sees the end of the
	 * connection only when the last descriptor is closed, so the parent closes its
	 * own now. */
	server_hand_over(server, connection);
}

/* What the parent does for its workers in each turn: it passes signals on, and waits for those
 * that have ended (waitpid(2)), or they would stay in the process table as zombies. */
static void attend_workers(struct server *server)
{
	static unsigned turns;

	if (server->stopping)
		children_signal(&children, SIGNAL_INTERRUPT);
	if (signals_take_reopen_of_children()) /* each child has the log open as well */
		children_signal(&children, SIGHUP);
	if (signals_take_child() || ++turns % REAP_EVERY == 0)
		children_reap(&children, server);
}

static int serve(struct server *server)
{
	struct connection *connection;

	if (children_begin(&children, server->max_clients) < 0)
		return -1;
	while (server_running(server)) {
		attend_workers(server);
		connection = server_wait(server);
		if (connection != NULL)
			start_worker(server, connection);
	}
	children_end(&children, server);
	return 0;
}

const struct model fork_model = {
	.name = "fork",
	.summary = "a process per client",
	.most_clients = 1000,
	.creates = SYSCALLS_OF_PROCESSES,
	.serve = serve,
	.serve_datagrams = udp_serve_with_children,
	.hub = &hub_in_parent,
};
