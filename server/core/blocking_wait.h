/*
 * blocking_wait - helpers of serve_blocking(): the stop signal, deadlines, pauses, the
 * hub, and clients that do not read.
 */
#ifndef SERVER_CORE_BLOCKING_WAIT_H
#define SERVER_CORE_BLOCKING_WAIT_H

#include <stdbool.h>

#include "server/core/connection.h"

/** Sets the idle timeout on the socket, and lets the service greet the client. */
void blocking_begin(struct connection *connection, struct worker *worker);

/** Handles pending signals. If the server stops, serves the connection until it is
 *  closed.
 *  @return whether the loop must continue: there is something to do or to wait for */
bool blocking_goes_on(struct connection *connection, struct worker *worker);

/** Calls poll(2), but only if recv(2) cannot wait for all that the connection waits for: see
 *  must_poll().
 *  @return the events that occurred: WANT_READ, WANT_WRITE, WANT_HUB; if poll(2) was
 *          not called, what the connection wants */
unsigned blocking_wait(struct connection *connection, struct worker *worker);

/** To be called when recv(2) failed with EAGAIN: SO_RCVTIMEO has expired. */
void blocking_timed_out(struct connection *connection);

/** Sends the messages that the hub has delivered; does nothing without a hub. */
void blocking_deliver(struct connection *connection, struct worker *worker,
		      unsigned ready);

#endif
