/*
 * serve_blocking - serves one client in a process or thread of its own, from the first
 * byte to the close.
 */
#ifndef SERVER_CORE_SERVE_BLOCKING_H
#define SERVER_CORE_SERVE_BLOCKING_H

#include "server/core/connection.h"

/** Serves the client. Returns when the connection is CLOSED, or at once after the
 *  second stop signal. The descriptor of the connection must be blocking. */
void serve_blocking(struct connection *connection, struct worker *worker);

#endif
