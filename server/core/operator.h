/*
 * operator - what any worker (a thread, a child, or the process of the model) does for
 * the operator: it handles signals and prints messages.
 */
#ifndef SERVER_CORE_OPERATOR_H
#define SERVER_CORE_OPERATOR_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/address.h"

struct server;

/** The shortest time between two equal messages, in milliseconds. */
enum { OPERATOR_REPEAT = 60000 };

/** Prints the statistics line if SIGUSR1 arrived. Calls the reopen function of the
 *  service if SIGHUP arrived. */
void operator_attend(struct server *server);

/** Returns whether a message that is printed at most once in OPERATOR_REPEAT is due, and
 *  notes that it is printed now. @p again_at is 0 at first; all processes may share it. */
bool operator_is_due(atomic_llong *again_at);

/** Prints that the connection from @p peer begins with a PROXY protocol header. At most
 *  one message in OPERATOR_REPEAT is printed, by all processes together. */
void operator_report_proxy_header(struct server *server, const struct address *peer);

/** Prints that the connection from @p peer is closed, because --proxy-protocol is set and
 *  @p why. At most one of these messages in OPERATOR_REPEAT is printed. */
void operator_report_bad_proxy(struct server *server, const struct address *peer,
			       const char *why);

#endif
