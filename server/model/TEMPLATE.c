/*
 * TEMPLATE - a model to begin with. Copy it to NAME.c, replace TEMPLATE by NAME, and add NAME to
 * MODELS in the Makefile. `make` then builds a server of each service in this model, and
 * `make check` runs every test of the wire against it.
 *
 * The comment here is the lesson. Say, as the other models do:
 * What it shows: which process or thread waits for which sockets.
 * Why one would choose it: ...
 * What it costs: ...
 *
 * As it stands it serves one client at a time. What you replace is start_worker(), and with it
 * one of two shapes:
 *
 *   a worker per client   fork.c and thread.c: start_worker() makes a process or a thread, which
 *                         calls serve_blocking().
 *   a loop for all        select.c: in the place of server_wait() the model waits for all sockets,
 *                         and calls connection_on_readable() and connection_on_writable().
 *                         server/core/loop.h does what all loops have in common.
 */
#include <stddef.h>

#include "server/core/connection.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/signals.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

/* Serves the client until it has left. Whatever serves it, these are the obligations:
 *
 *   - signals: a worker that is alone must see a stop in its recv(2), hence signals_admit_all().
 *     A thread calls threads_enter() and threads_leave() (server/core/threads.h), a child
 *     children_enter() (server/core/children.h).
 *   - the buffers: `worker` is static here only because there is one worker. A thread or a child has
 *     its own, on its stack. If two threads shared it, clients would get each other's bytes.
 *   - the connection is closed once, by connection_close(), or in a child by connection_end().
 *   - server_left() is called once for each client that server_wait() has returned, in the process
 *     that runs the model. Without it the server is full after --max-clients clients.
 *   - if no worker can be made, server_hold() gives the client back. It is not lost. */
static void start_worker(struct server *server, struct connection *connection)
{
	static struct worker worker; /* the buffers of a worker, not of a client */

	signals_admit_all(true);
	serve_blocking(connection, &worker);
	signals_admit_all(false);
	connection_close(connection);
	server_left(server);
}

/* If there are workers, the loop also interrupts them while server->stopping is set, in each turn:
 * threads_interrupt() or children_signal(), as attend_workers() in thread.c and fork.c. Without that
 * a stop takes five seconds, since the workers sleep in recv(2).
 *
 * Returns when server_running() is false: the server was stopped, and all clients have left or
 * their time is over. No child and no connection is left then. It returns 0, or -1 with errno if
 * it could not begin. */
static int serve(struct server *server)
{
	struct connection *connection;

	while (server_running(server)) {
		connection =
			server_wait(server); /* NULL: a signal, or the time is over */
		if (connection != NULL)
			start_worker(server, connection);
	}
	return 0;
}

const struct model TEMPLATE_model = {
	.name = "TEMPLATE",
	.summary = "a line for --help: who waits for what",
	.most_clients = 1, /* the default of -c; 1: one at a time, and -c is ignored */
	/* .creates = SYSCALLS_OF_PROCESSES or SYSCALLS_OF_THREADS, if it creates workers: the
	 * sandbox refuses what it does not say */
	.serve = serve,
	.serve_datagrams = udp_serve, /* or who else answers a peer: server/udp/udp.h */
	.hub = &hub_in_process, /* or where the state of all clients is: hub/place.h */
	/* If the clients share one process (threads, a loop), .one_process is set. A loop also
	 * sets .nonblocking and, if the descriptors that it can wait for have a limit,
	 * .socket_numbers: see server/model.h. */
};
