/*
 * thread - a thread per client.
 *
 * What it shows: the forking server's shape, with pthread_create(3) in the place of
 * fork(2). Each thread serves its one client by serve_blocking(), which sleeps in recv(2);
 * but all of them share one memory, so what they share needs a lock.
 *
 * Why one would choose it: a thread starts in a fraction of a fork's time and takes a
 * fraction of its memory, and clients can share state without copying. What it costs: a
 * crash takes all clients along, and every shared thing must be guarded.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "server/core/connection.h"
#include "server/udp/datagrams.h"
#include "server/hub/shared.h"
#include "server/model.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/signals.h"

/* Room for the worker's buffers and the calls below it. Explicit, since the default of
 * 8 MiB each would use up an address space or a limit long before a thousand clients;
 * of this, too, only the pages that are touched exist. */
enum { STACK = 256 * 1024 };

/* The threads there are, for the stop. Each one's entry lives on its own stack; the list
 * has file scope, since a forced stop may end thread_serve() before them. */
struct runner {
	pthread_t thread;
	struct runner *next, **link;
};

static pthread_mutex_t runners_lock = PTHREAD_MUTEX_INITIALIZER;
static struct runner *runners;

/* Where clients meet, if the service has them meet; shared, so behind a mutex. */
static struct shared_hub hub;

static void join_runners(struct runner *runner)
{
	runner->thread = pthread_self();
	pthread_mutex_lock(&runners_lock);
	runner->next = runners;
	runner->link = &runners;
	if (runners != NULL)
		runners->link = &runner->next;
	runners = runner;
	pthread_mutex_unlock(&runners_lock);
}

static void leave_runners(struct runner *runner)
{
	pthread_mutex_lock(&runners_lock);
	*runner->link = runner->next;
	if (runner->next != NULL)
		runner->next->link = runner->link;
	pthread_mutex_unlock(&runners_lock);
}

static void interrupt_all(void)
{
	pthread_mutex_lock(&runners_lock);
	for (struct runner *runner = runners; runner != NULL; runner = runner->next)
		pthread_kill(runner->thread, SIGNAL_INTERRUPT);
	pthread_mutex_unlock(&runners_lock);
}

/* The thread's whole life. */
static void *serve_client(void *argument)
{
	struct connection *connection = argument;
	struct server *server = connection->server;
	struct worker worker;
	struct runner self;

	join_runners(&self);
	signals_admit_interrupt();
	serve_blocking(connection, &worker);
	leave_runners(&self);
	connection_close(connection);
	server_left(server); /* last: after it the server may be gone */
	return NULL;
}

static void start_thread(struct server *server, const pthread_attr_t *attributes,
			 struct connection *connection)
{
	pthread_t thread;
	int error;

	if (hub_shared_join(&hub, connection) < 0) {
		server_hold(server, connection, "out of descriptors or memory", errno);
		return;
	}
	error = pthread_create(&thread, attributes, serve_client, connection);
	if (error != 0) { /* returned, not set in errno */
		hub_shared_unjoin(connection);
		server_hold(server, connection, "cannot create a thread", error);
	}
}

static void set_attributes(pthread_attr_t *attributes)
{
	pthread_attr_init(attributes);
	pthread_attr_setstacksize(attributes, STACK);
	/* Detached: nobody joins it, its stack is freed when it ends. */
	pthread_attr_setdetachstate(attributes, PTHREAD_CREATE_DETACHED);
}

static int thread_serve(struct server *server)
{
	struct connection *connection;
	pthread_attr_t attributes;

	set_attributes(&attributes);
	hub_shared_begin(&hub, server);
	while (server_running(server)) {
		/* The flag to stop is set; but a thread that waits in read(2) looks at it
		 * only when it is interrupted, and one that was just about to read misses
		 * the signal: so again at each turn. */
		if (server->stopping)
			interrupt_all();
		connection = server_wait(server);
		if (connection != NULL)
			start_thread(server, &attributes, connection);
	}
	pthread_attr_destroy(&attributes);
	return 0;
}

/* ---- datagrams: a thread per peer ---- */

/* What a thread is given; it owns it. The desk would take up half of the stack. */
struct assignment {
	struct server *server;
	struct dialogue *dialogue;
	int feed;
	struct desk desk;
};

static void *serve_peer(void *argument)
{
	struct assignment *assignment = argument;
	struct server *server = assignment->server;
	struct runner self;

	join_runners(&self);
	signals_admit_interrupt();
	dialogue_serve(assignment->dialogue, &assignment->desk, assignment->feed);
	leave_runners(&self);
	free(assignment);
	server_left(server);
	return NULL;
}

static int start_peer_thread(struct datagrams *datagrams, struct dialogue *dialogue,
			     int feed)
{
	struct assignment *assignment = malloc(sizeof *assignment);
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	if (assignment == NULL)
		return -1;
	assignment->server = datagrams->server;
	assignment->dialogue = dialogue;
	assignment->feed = feed;
	set_attributes(&attributes);
	error = pthread_create(&thread, &attributes, serve_peer, assignment);
	pthread_attr_destroy(&attributes);
	if (error != 0) {
		free(assignment);
		errno = error;
		return -1;
	}
	return 0;
}

static int thread_serve_datagrams(struct server *server)
{
	static struct datagrams datagrams;

	datagrams.server = server;
	datagrams.start = start_peer_thread;
	datagrams.what = "cannot create a thread";
	return datagrams_serve(&datagrams);
}

const struct model this_model = {
	.name = "thread",
	.summary = "a thread per client",
	.most_clients = 1000,
	.one_process = true,
	.serve = thread_serve,
	.serve_datagrams = thread_serve_datagrams,
};
