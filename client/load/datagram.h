/*
 * load_datagram - probes a UDP server. The transport load_datagram is declared in
 * connection.h.
 */
#ifndef CLIENT_LOAD_DATAGRAM_H
#define CLIENT_LOAD_DATAGRAM_H

#include <stdint.h>

#include "client/load/worker.h"

/** Bytes of the number in a mirrored datagram, which is never shorter. */
enum { LOAD_NUMBER_SIZE = 12 };

/**
 * Sends datagrams to the server of @p shared until a reply arrives, for at most @p limit
 * milliseconds. For a protocol without replies: until one is not refused.
 *
 * @return 0, or an errno: ECONNREFUSED no process listens, ETIMEDOUT no reply
 */
int load_datagram_reach(const struct load_shared *shared, int64_t limit);

#endif
