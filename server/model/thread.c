/*
 * thread - a thread per client.
 *
 * What it shows: the forking server's shape, with pthread_create(3) in the place of fork(2).
 * Each thread serves its one client with a blocking recv(2). All of them share one memory, so
 * what they share needs a lock.
 *
 * Why one would choose it: a thread starts in a fraction of a fork's time and takes a fraction
 * of its memory, and clients can share state without copying.
 * What it costs: a crash takes all clients along, and every shared thing must be guarded.
 *
 * fork.c has the same functions in the same order: compare them with diff(1).
 */
#include <pthread.h>
#include <stddef.h>

#include "server/core/connection.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/threads.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

static pthread_attr_t attributes;

/* The thread's whole life. */
static void *serve_client(void *argument)
{
	struct connection *connection = argument;
	struct server *server = connection->server;
	struct worker worker; /* its buffers: only the pages that are used take memory */
	struct thread self;

	threads_enter(&self);
	serve_blocking(connection, &worker);
	threads_leave(&self);
	/* The memory is everybody's: what is not given back here is lost until the server
	 * ends. */
	connection_close(connection);
	server_left(server); /* last: after it the server may be gone */
	return NULL;
}

static void start_worker(struct server *server, struct connection *connection)
{
	pthread_t thread;
	int error = pthread_create(&thread, &attributes, serve_client, connection);

	/* Without an error the thread owns the connection, and may already have closed it. */
	if (error != 0) /* returned, not set in errno */
		server_hold(server, connection, "cannot create a thread", error);
}

/* What the main thread does for its workers at each turn. Nobody waits for their end: they are
 * detached. But one that waits in recv(2) sees the stop only when it is interrupted, and one
 * that was just about to call it misses the signal: so again at each turn. */
static void attend_workers(struct server *server)
{
	if (server->stopping)
		threads_interrupt();
}

static int serve(struct server *server)
{
	struct connection *connection;

	threads_attributes(&attributes);
	while (server_running(server)) {
		attend_workers(server);
		connection = server_wait(server);
		if (connection != NULL)
			start_worker(server, connection);
	}
	pthread_attr_destroy(&attributes);
	return 0;
}

const struct model thread_model = {
	.name = "thread",
	.summary = "a thread per client",
	.most_clients = 1000,
	.one_process = true,
	.serve = serve,
	.serve_datagrams = udp_serve_with_threads,
	.hub = &hub_behind_mutex,
};
