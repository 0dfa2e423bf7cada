/*
 * blocking_wait - what complicates serve_blocking(): the stop signal, deadlines, pauses, the
 * hub, and a client that does not read.
 */
#ifndef SERVER_CORE_BLOCKING_WAIT_H
#define SERVER_CORE_BLOCKING_WAIT_H

#include <stdbool.h>

#include "server/core/connection.h"

/** Sets the idle timeout on the socket, and lets the service greet the client. */
void blocking_begin(struct connection *connection, struct worker *worker);

/** Attends to signals. While the server stops, serves the connection to its end.
 *  @return whether there is something to do or to wait for */
bool blocking_goes_on(struct connection *connection, struct worker *worker);

/** Waits in poll(2), but only where the system call that comes next does not wait for
 *  everything that may happen next. @return what is ready: WANT_READ, WANT_WRITE, WANT_HUB;
 *  without a poll(2), what the connection wants */
unsigned blocking_wait(struct connection *connection, struct worker *worker);

/** recv(2) has failed with EAGAIN: the timeout of the socket is over. */
void blocking_timed_out(struct connection *connection);

/** Sends what the hub has delivered, if there is a hub. */
void blocking_deliver(struct connection *connection, struct worker *worker,
		      unsigned ready);

#endif
