/*
 * operator - what any worker (a thread, a child, or the process of the model) does for
 * the operator: it handles signals and prints messages.
 */
#ifndef SERVER_CORE_OPERATOR_H
#define SERVER_CORE_OPERATOR_H

#include "common/address.h"

struct server;

/** The shortest time between two equal messages, in milliseconds. */
enum { OPERATOR_REPEAT = 60000 };

/** Prints the statistics line if SIGUSR1 arrived. Calls the reopen function of the
 *  service if SIGHUP arrived. */
void operator_attend(struct server *server);

/** Prints that the connection from @p peer begins with a PROXY protocol header. At most
 *  one message in OPERATOR_REPEAT is printed, by all processes together. */
void operator_report_proxy_header(struct server *server, const struct address *peer);

#endif
