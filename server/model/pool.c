/*
 * pool - threads made before the clients come; each serves one client after another.
 *
 * What it shows: thread.c without a pthread_create(3) for each client. The threads share the
 * clients in one of two ways, --accept HOW:
 *
 *   queue   one more thread accepts, and puts the clients in a bounded queue, from which the
 *           workers take them (server/core/queue.c: a mutex and two condition variables). When
 *           the queue is full it does not accept, and the clients wait in the backlog
 *   mutex   the workers accept by themselves, in turn: who has the mutex waits for a client
 *
 * Why one would choose it: clients that come often and stay briefly cost neither a thread nor
 * a process, and a limit of threads is a limit of memory. What it costs: at most N clients are
 * served at a time, so N clients that stay delay all others. As in thread.c, a crash ends the
 * conversations of all clients.
 *
 * The main thread serves no client. It handles the signals, because a signal does not end
 * pthread_cond_wait(3).
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/wakeup.h"
#include "server/core/accept_wait.h"
#include "server/core/connection.h"
#include "server/core/queue.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/threads.h"
#include "server/core/worker_options.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

enum { RETRY = 1000 }; /* milliseconds until the next try to create a thread */

static struct queue queue;
static struct wakeup wakeup; /* for the thread that waits for a client */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_attr_t attributes;
static atomic_uint workers_begun;
static bool accepts; /* the thread that accepts has been created */

/* The life of the thread that accepts. It waits for room before it accepts: a client that
 * nobody can serve stays in the backlog. When the server stops, this thread closes the queue,
 * and the workers serve the clients that are still in there. */
static void *accept_clients(void *argument)
{
	struct server *server = argument;
	struct connection *connection;

	while (queue_wait_for_room(&queue)) {
		connection = accept_wait(server, &wakeup);
		if (connection == NULL)
			break;
		if (!queue_put(&queue, connection))
			server_refuse(server, connection);
	}
	queue_close(&queue);
	return NULL;
}

/* Returns NULL when the server stops and no accepted client is left. */
static struct connection *next_client(struct server *server)
{
	struct connection *connection;

	if (worker_options()->accept == ACCEPT_QUEUE)
		return server_goes_on(server) ? queue_take(&queue) : NULL;
	pthread_mutex_lock(&turn);
	connection = accept_wait(server, &wakeup);
	pthread_mutex_unlock(&turn);
	return connection;
}

/* The worker's whole life. */
static void *serve_clients(void *argument)
{
	struct server *server = argument;
	struct connection *connection;
	struct worker worker; /* its buffers: only the pages that are used take memory */
	struct thread self;
	unsigned number = atomic_fetch_add(&workers_begun, 1);

	threads_enter(&self);
	while ((connection = next_client(server)) != NULL) {
		statistics_add_client(server->statistics, number);
		serve_blocking(connection, &worker);
		connection_close(connection);
		server_left(server);
	}
	threads_leave(&self);
	return NULL;
}

/* Creates the threads that are missing, at first all of them. With a queue the second thread is
 * the one that accepts. The first is a worker, so no client leaves the backlog before there is a
 * worker. */
static void start_workers(struct server *server)
{
	static unsigned started;
	unsigned accepting = worker_options()->accept == ACCEPT_QUEUE ? 1 : 0;
	pthread_t thread;
	int error = 0;

	while (started < accepting + server->max_clients && error == 0) {
		error = pthread_create(&thread, &attributes,
				       started == 1 && accepting ? accept_clients
								 : serve_clients,
				       server);
		started += error == 0;
	}
	accepts = accepting && started > 1;
	if (error != 0)
		server_lack(server, "cannot create a thread", error);
	server->wake_at = error != 0 ? clock_milliseconds() + RETRY : CLOCK_NEVER;
}

/* What the main thread does for its workers in each turn. It has been woken by a signal, or by a
 * client that has left a full server. While the server stops it interrupts every wait. */
static void attend_workers(struct server *server)
{
	wakeup_send(&wakeup);
	if (!server->stopping)
		return;
	threads_interrupt();
	if (!accepts)
		queue_close(&queue);
}

/* The time for the stop is over: refuses the clients that no worker has taken. */
static void refuse_queued(struct server *server)
{
	struct connection *connection;

	queue_close(&queue);
	while ((connection = queue_take_left(&queue)) != NULL)
		server_refuse(server, connection);
}

static int serve(struct server *server)
{
	if (wakeup_open(&wakeup) < 0 || queue_begin(&queue, server->max_clients) < 0)
		return -1;
	atomic_store(&server->statistics->workers, server->max_clients);
	threads_attributes(&attributes);
	while (server_running(server)) {
		if (!server->stopping)
			start_workers(server);
		attend_workers(server);
		server_pause(server);
	}
	attend_workers(server); /* idle threads end as well */
	refuse_queued(server);
	pthread_attr_destroy(&attributes);
	return 0;
}

const struct model pool_model = {
	.name = "pool",
	.summary = "threads made before the clients come",
	.most_clients = 1000,
	.one_process = true,
	.options = pool_options,
	.option = pool_option,
	.check = pool_check,
	.creates = SYSCALLS_OF_THREADS,
	.serve = serve,
	.serve_datagrams = udp_serve_with_threads,
	.hub = &hub_behind_mutex,
};
