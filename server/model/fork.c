/*
 * fork - a process per client.
 *
 * What it shows: the classic server. The parent only accepts. For each client it forks a child,
 * which has a copy of everything, serves its one client with a blocking recv(2), and exits.
 *
 * Why one would choose it: a child that crashes, leaks or is killed takes its own client with it
 * and nobody else's. The code that serves a client is as simple as can be.
 * What it costs: a fork(2) for each client, tens of microseconds and the copied pages. So it
 * suits long conversations rather than many short ones.
 *
 * thread.c has the same functions in the same order: compare them with diff(1).
 */
#include <errno.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/core/children.h"
#include "server/core/connection.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/signals.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

/* While clients come without a pause the wait for them never sleeps, and so lets no signal in, not
 * even SIGCHLD. So the parent asks at each of so many turns in any case. */
enum { REAP_EVERY = 16 };

static struct children children;

/* The child's whole life. It never returns to the parent's code. */
static _Noreturn void serve_client(struct server *server, struct connection *connection)
{
	struct worker worker; /* its buffers: only the pages that are used take memory */

	/* The listeners are the parent's: a child that kept them open would hold the port
	 * when the parent has gone. */
	server_enter_child(server, connection);
	/* It gets this signal, a request to stop, if the parent dies. */
	children_enter(&children, SIGNAL_INTERRUPT);
	serve_blocking(connection, &worker);
	connection_end(connection);
	/* Memory and descriptors go with the process. _exit, not exit: what the parent
	 * registered with atexit or left in its stdio buffers is the parent's to do. */
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
	/* Parent and child share the socket, and the client sees its end only when the last
	 * descriptor for it is closed: so the parent's goes now. */
	server_hand_over(server, connection);
}

/* What the parent does for its workers at each turn. A child that has exited stays in the process
 * table, a zombie, until its parent has asked for its status. One SIGCHLD may stand for many
 * children: so ask until there is none. */
static void attend_workers(struct server *server)
{
	static unsigned turns;
	int status;
	pid_t pid;

	if (server->stopping)
		children_signal(&children, SIGNAL_INTERRUPT);
	if (signals_take_reopen_of_children()) /* each has the log open itself */
		children_signal(&children, SIGHUP);
	if (!signals_take_child() && ++turns % REAP_EVERY != 0)
		return;
	while (children.count > 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0)
		children_remove(&children, server, pid, status);
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
	.serve = serve,
	.serve_datagrams = udp_serve_with_children,
	.hub = &hub_in_parent,
};
