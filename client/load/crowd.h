/*
 * load_crowd - silent connections: clients that are there and want nothing.
 */
#ifndef CLIENT_LOAD_CROWD_H
#define CLIENT_LOAD_CROWD_H

#include <stdint.h>

#include "client/load/load.h"

/** The connections that were made. */
struct load_crowd {
	int *fds;
	unsigned made;
};

/**
 * Makes as many silent connections as the plan says, to @p address, for at most @p limit
 * milliseconds: crowd->made tells how many there are then.
 *
 * @param first  a connection that is there already and becomes the first; or -1. It is
 *               the crowd's in any case
 * @return 0, or -1 with *failure: no memory, no descriptor for the poller
 */
int load_crowd_open(struct load_crowd *crowd, const struct load_plan *plan,
		    const struct address *address, int first, int64_t limit,
		    struct failure *failure);

/** How many of them the server has not closed. What it sent is read and dropped. */
unsigned load_crowd_standing(const struct load_crowd *crowd);

/** Closes all of them. */
void load_crowd_close(struct load_crowd *crowd);

#endif
