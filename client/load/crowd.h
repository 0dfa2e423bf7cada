/*
 * load_crowd - silent connections: clients that are connected and send nothing.
 */
#ifndef CLIENT_LOAD_CROWD_H
#define CLIENT_LOAD_CROWD_H

#include <stdint.h>

#include "client/load/load.h"

/** The established connections. */
struct load_crowd {
	int *fds;
	unsigned made;
};

/**
 * Opens plan->idle silent connections to @p address, within @p limit milliseconds.
 * crowd->made is the number that succeeded.
 *
 * @param first  an established connection that becomes the first one, or -1. The crowd
 *               owns it in any case
 * @return 0, or -1 with *failure: no memory, or no descriptor for the poller
 */
int load_crowd_open(struct load_crowd *crowd, const struct load_plan *plan,
		    const struct address *address, int first, int64_t limit,
		    struct failure *failure);

/** Number of connections that the server has not closed. Received bytes are dropped. */
unsigned load_crowd_count_open(const struct load_crowd *crowd);

/** Closes all of them. */
void load_crowd_close(struct load_crowd *crowd);

#endif
