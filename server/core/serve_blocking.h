/*
 * serve_blocking - serves one client in a process or thread of its own, from its greeting to
 * its end.
 */
#ifndef SERVER_CORE_SERVE_BLOCKING_H
#define SERVER_CORE_SERVE_BLOCKING_H

#include "server/core/connection.h"

/** Serves the client. Returns when the connection is CLOSED, or at once at the second signal
 *  to stop. The connection's descriptor is a blocking one. */
void serve_blocking(struct connection *connection, struct worker *worker);

#endif
