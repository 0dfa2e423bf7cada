/*
 * iterative - one process, one client at a time.
 *
 * What it shows: a server without concurrency. It accepts a client, serves it until it
 * leaves, and only then accepts the next one. Meanwhile the other clients wait in the
 * kernel's backlog: they are connected, but the server does not read what they send.
 *
 * Why one would choose it: it is the simplest model, and no client needs a process or a
 * thread. If each client takes only a moment, it serves about twice as many clients as
 * fork, about as many as thread, and fewer than select, which serves several clients for
 * each wake-up. What it costs: one client that stays or stalls delays all others, until
 * the idle timeout closes its connection.
 */
#include <stddef.h>

#include "server/core/connection.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/signals.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

static void serve_client(struct server *server, struct connection *connection)
{
	static struct worker worker;

	/* A signal must also interrupt recv(2), not only server_wait(): there is no other
	 * process or thread that could notice it. */
	signals_admit_all(true);
	serve_blocking(connection, &worker);
	signals_admit_all(false);
	connection_close(connection);
	server_left(server);
}

static int serve(struct server *server)
{
	struct connection *connection;

	while (server_running(server)) {
		connection = server_wait(server);
		if (connection != NULL)
			serve_client(server, connection);
	}
	return 0;
}

const struct model iterative_model = {
	.name = "iterative",
	.summary = "one process serves one client at a time",
	.most_clients = 1,
	.serve = serve,
	.serve_datagrams = udp_serve,
	.hub = &hub_in_process,
};
