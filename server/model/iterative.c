/*
 * iterative - one process, one client at a time.
 *
 * What it shows: the server without any concurrency. It accepts a client, serves it to its end,
 * and only then accepts the next. Meanwhile the others wait in the kernel's backlog: they are
 * connected, but nobody reads what they send.
 *
 * Why one would choose it: nothing is simpler, and no client costs a process or a thread. Where
 * each client takes but a moment it serves about twice as many as fork, and about as many as thread,
 * but not as many as select, which serves several clients for each wake-up.
 * What it costs: a single client that stays, or stalls, holds up all the others, until the idle
 * timeout ends it.
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

	/* A signal must reach us in the client's recv(2) as well, not only in server_wait():
	 * this one process has nobody else to notice it. */
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
