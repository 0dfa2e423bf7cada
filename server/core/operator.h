/*
 * operator - what a server tells its operator, and does at the operator's signals, in any
 * worker: a thread, a child, or the process of the model.
 */
#ifndef SERVER_CORE_OPERATOR_H
#define SERVER_CORE_OPERATOR_H

#include "common/address.h"

struct server;

/** How long the same message is not repeated, in milliseconds. */
enum { OPERATOR_REPEAT = 60000 };

/** Prints the statistics line if SIGUSR1 has asked for it, and lets the service reopen its
 *  files if SIGHUP has. */
void operator_attend(struct server *server);

/** Tells the operator, once in OPERATOR_REPEAT for all processes, that the connection from
 *  @p peer begins with a PROXY protocol header. */
void operator_tell_proxy_header(struct server *server, const struct address *peer);

#endif
