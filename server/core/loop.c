/*
 * loop - the list of connections of an event loop, and their timeouts.
 *
 * The model waits and finds which descriptors are ready; everything else that all event loops
 * do the same way is here. A turn of the loop costs one reading of the clock.
 */
#include "server/core/loop.h"

#include <stddef.h>

#include "common/clock.h"
#include "common/list.h"
#include "server/hub/local.h"
#include "server/core/signals.h"

/* After this time, in milliseconds, loop_retry() tries again. */
enum { RETRY = 100 };

/* The expiry is a lower bound. Bytes that move postpone a connection's expiry; so at worst the loop
 * looks too early, and then learns the true one. A heap of timers would cost something on each
 * request; this costs a comparison. */
static void note_expiry(struct loop *loop, const struct connection *connection)
{
	int64_t expiry = connection_expiry(connection);

	if (expiry < loop->expiry)
		loop->expiry = expiry;
}

void loop_begin(struct loop *loop, struct server *server)
{
	loop->server = server;
	loop->listeners = &server->listeners;
	loop->expiry = CLOCK_NEVER;
}

struct connection *loop_accept(struct loop *loop)
{
	return loop_admit(loop, server_accept_from(loop->server, loop->listeners));
}

struct connection *loop_admit(struct loop *loop, struct connection *connection)
{
	if (connection == NULL)
		return NULL;
	connection->loop = loop;
	LIST_INSERT(&loop->first, connection);
	connection_begin(connection, &loop->worker);
	note_expiry(loop, connection);
	return connection;
}

unsigned loop_wants(struct loop *loop, const struct connection *connection)
{
	note_expiry(loop, connection);
	return connection_wants(connection);
}

/* The connection belongs to another loop, which may wait now, and for longer than it should. With
 * an expiry of 0 it looks at all its connections in its next turn. */
static void leave_to_owner(struct connection *connection,
			   void (*changed)(void *context, struct connection *,
					   unsigned wants),
			   void *context)
{
	struct loop *owner = connection->loop;
	int64_t before = owner->expiry;
	unsigned wants = loop_wants(owner, connection);

	if (wants != 0)
		changed(context, connection, wants);
	else
		owner->expiry = 0;
	if (owner->expiry < before)
		pthread_kill(owner->thread, SIGNAL_INTERRUPT);
}

void loop_deliver(struct loop *loop,
		  void (*changed)(void *context, struct connection *, unsigned wants),
		  void *context)
{
	struct connection *connection;

	while ((connection = hub_local_next()) != NULL) {
		connection_deliver(connection, &loop->worker);
		if (connection->loop == loop)
			changed(context, connection, loop_wants(loop, connection));
		else
			leave_to_owner(connection, changed, context);
	}
}

void loop_retry(struct loop *loop)
{
	loop->expiry = clock_earlier(loop->expiry, loop->worker.now + RETRY);
}

void loop_remove(struct loop *loop, struct connection *connection)
{
	LIST_REMOVE(connection);
	connection_close(connection);
	server_left(loop->server);
}

void loop_tick(struct loop *loop)
{
	loop->worker.now = clock_milliseconds();
	if (!loop->secondary)
		signals_let_in_at_times(&loop->turns);
}

void loop_expire(struct loop *loop,
		 void (*changed)(void *context, struct connection *, unsigned wants),
		 void *context)
{
	struct connection *connection, *next;
	bool stopping = loop->server->stopping;

	if (!stopping && loop->worker.now < loop->expiry)
		return;
	loop->expiry = CLOCK_NEVER;
	for (connection = loop->first; connection != NULL; connection = next) {
		next = connection->next; /* changed() may remove this one */
		if (stopping) {
			if (!loop->secondary) /* with many busy clients this takes long */
				signals_let_in();
			if (signals_stop() > 1)
				return;
			connection_stop(connection, &loop->worker);
		}
		connection_expire(connection, &loop->worker, loop->worker.now);
		changed(context, connection, loop_wants(loop, connection));
	}
}

void loop_end(struct loop *loop)
{
	while (loop->first != NULL)
		loop_remove(loop, loop->first);
}
