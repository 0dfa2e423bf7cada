/*
 * load_idle - the silent connections of the load "idle": they send nothing.
 */
#ifndef CLIENT_LOAD_IDLE_H
#define CLIENT_LOAD_IDLE_H

#include <stdint.h>

#include "client/load/load.h"

/** The established connections. */
struct load_idle {
	int *fds;
	unsigned made;
};

/**
 * Opens plan->idle silent connections to @p endpoint, within @p limit milliseconds.
 * idle->made is the number that succeeded.
 *
 * @param first  an established connection that becomes the first one, or -1. The callee
 *               owns it in any case
 * @return 0, or -1 with *failure: no memory, or no descriptor for the poller
 */
int load_idle_open(struct load_idle *idle, const struct load_plan *plan,
		   const struct load_endpoint *endpoint, int first, int64_t limit,
		   struct failure *failure);

/** Waits until the server sends nothing more to them, for at most ten seconds. A chat server greets
 *  each and announces it to all others: while it does so, further clients could not join in time. */
void load_idle_settle(const struct load_idle *idle, const struct load_plan *plan);

/** Number of connections that the server has not closed. Received bytes are dropped. */
unsigned load_idle_count_open(const struct load_idle *idle);

/** Closes all of them. */
void load_idle_close(struct load_idle *idle);

#endif
