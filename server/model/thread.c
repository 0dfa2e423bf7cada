/*
 * thread - a thread per client.
 *
 * What it shows: the structure of fork.c, with pthread_create(3) instead of fork(2). Each
 * thread serves one client with a blocking recv(2). All threads use the same memory, so
 * the data that they share needs a lock.
 *
 * Why one would choose it: a thread starts faster than a process and takes less memory,
 * and clients can share state without copying it. What it costs: a crash ends the
 * conversations of all clients, and all shared data needs a lock.
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
	/* All threads share the memory: what is not freed here is leaked until the server
	 * exits. */
	connection_close(connection);
	server_left(server); /* last: the server may be freed after this call */
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

/* What the main thread does for its workers in each turn. They are detached, so no thread
 * joins them. A worker that waits in recv(2) notices the stop only when a signal
 * interrupts the call. A worker that is just about to call recv(2) misses the signal, so
 * it is sent in each turn. */
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
	.creates = SYSCALLS_OF_THREADS,
	.serve = serve,
	.serve_datagrams = udp_serve_with_threads,
	.hub = &hub_behind_mutex,
};
