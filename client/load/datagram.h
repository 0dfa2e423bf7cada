/*
 * load_datagram - asking whether a server of datagrams is there. How one is loaded is
 * connection.h's load_datagram.
 */
#ifndef CLIENT_LOAD_DATAGRAM_H
#define CLIENT_LOAD_DATAGRAM_H

#include <stdint.h>

#include "client/load/worker.h"

/** Bytes that the number takes in a datagram which comes back: no such is shorter. */
enum { LOAD_NUMBER_SIZE = 12 };

/**
 * Sends datagrams to @p address until one is answered, for at most @p limit milliseconds;
 * where none ever is, until none is refused.
 *
 * @return 0, or an errno: ECONNREFUSED nobody listens, ETIMEDOUT no answer
 */
int load_datagram_reach(const struct load_shared *shared, const struct address *address,
			int64_t limit);

#endif
