/*
 * iterative - one process, one client at a time.
 *
 * What it shows: the server without any concurrency. It accepts a client, serves it to
 * its end, and only then accepts the next; meanwhile the others wait in the kernel's
 * backlog, connected but not heard.
 *
 * Why one would choose it: nothing is simpler, and no client costs a process or a thread.
 * Where each client takes but a moment it serves about twice as many as fork and as many
 * as thread, but not as many as select, which serves several clients for each wake-up.
 * What it costs: a single client that stays, or stalls, holds up all the others, until the
 * idle timeout ends it.
 */
#include <errno.h>
#include <stddef.h>

#include "server/core/connection.h"
#include "server/udp/datagrams.h"
#include "server/hub/local.h"
#include "server/model.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/signals.h"

static int iterative_serve(struct server *server)
{
	static struct worker worker;
	static struct hub hub; /* where clients meet; here, each meets itself */
	struct connection *connection;

	hub_local_begin(&hub, server);
	while (server_running(server)) {
		connection = server_wait(server);
		if (connection == NULL)
			continue;
		if (hub_local_join(&hub, connection) < 0) {
			server_hold(server, connection, "out of memory", errno);
			continue;
		}
		/* A signal must reach us in the client's read as well, not only in
		 * server_wait(): this one process has nobody else to notice it. */
		signals_admit_all(true);
		serve_blocking(connection, &worker);
		signals_admit_all(false);
		connection_close(connection);
		server_left(server);
	}
	return 0;
}

/* On a datagram socket one process hears and answers all, as they come. */
static int iterative_serve_datagrams(struct server *server)
{
	static struct datagrams datagrams;

	datagrams.server = server;
	return datagrams_serve(&datagrams);
}

const struct model this_model = {
	.name = "iterative",
	.summary = "one process serves one client at a time",
	.most_clients = 1,
	.serve = iterative_serve,
	.serve_datagrams = iterative_serve_datagrams,
};
