/*
 * loop - what every model with one process for all clients does besides waiting: its list
 * of connections, the earliest moment at which one of them expires, the stop.
 */
#ifndef SERVER_CORE_LOOP_H
#define SERVER_CORE_LOOP_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/core/connection.h"
#include "server/core/server.h"

struct loop {
	struct server *server;
	const struct listeners
		*listeners;       /* from which it accepts: the server's, or own ones */
	struct connection *first; /* all of them, the newest first */
	int64_t expiry;           /* none expires before this; or CLOCK_NEVER */
	unsigned turns;           /* calls of loop_tick() */

	/* If there are several loops (core/loops.h): */
	struct loop *next;
	bool secondary; /* not the main thread's: it receives no signals of the operator */
	pthread_t thread;
	sigset_t wait_mask; /* for its waits */

	struct worker worker;
};

/** Begins without connections. @p loop is zeroed. */
void loop_begin(struct loop *loop, struct server *server);

/** Takes the next client from the listeners of the loop, as server_accept() does, and lets the
 *  service greet it.
 *  @return its connection, or NULL */
struct connection *loop_accept(struct loop *loop);

/** Takes a client that the model itself has accepted: from server_admit() or server_next_held().
 *  @return @p connection, which may be NULL */
struct connection *loop_admit(struct loop *loop, struct connection *connection);

/** After each call for a connection: notes when it expires.
 *  @return what the connection wants now; 0 means that loop_remove() is due */
unsigned loop_wants(struct loop *loop, const struct connection *connection);

/**
 * Sends what the hub has delivered since the last call: due when all that was ready has been
 * dealt with, before the next wait. Without a hub it does nothing.
 *
 * If the connection belongs to another loop, the caller must hold the mutex of core/loops.h.
 * A connection of another loop that has ended is left to that loop, which is interrupted.
 *
 * @param changed  called for each connection that this touched, with what it wants now
 */
void loop_deliver(struct loop *loop,
		  void (*changed)(void *context, struct connection *, unsigned wants),
		  void *context);

/** The model could not change for what it waits: loop_expire() calls changed() for all
 *  connections in a moment. */
void loop_retry(struct loop *loop);

/** Ends a connection, and releases it. */
void loop_remove(struct loop *loop, struct connection *connection);

/** Ends all connections that are left. */
void loop_end(struct loop *loop);

/** Reads the clock: at the end of each wait, for all that is ready then. Also delivers pending
 *  signals at intervals: a wait that returns at once, as something is ready, delivers none. */
void loop_tick(struct loop *loop);

/**
 * Ends those connections that have been silent for too long, if it is time to look; asks
 * all to come to an end when the server stops.
 *
 * @param changed  called for each connection that this touched, with what it wants now
 */
void loop_expire(struct loop *loop,
		 void (*changed)(void *context, struct connection *, unsigned wants),
		 void *context);

#endif
