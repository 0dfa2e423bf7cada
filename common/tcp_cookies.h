/*
 * tcp_cookies - the number of SYN cookies that the kernel of this machine has sent.
 *
 * When the backlog of a listening socket is full, Linux still answers a SYN, with a
 * cookie instead of keeping state (tcp(7), tcp_syncookies). Then the client is
 * connected. But if the backlog is still full when its ACK arrives, the server does not
 * know the connection until the client sends data: if the server should speak first,
 * both wait forever.
 */
#ifndef COMMON_TCP_COOKIES_H
#define COMMON_TCP_COOKIES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * The number of SYN cookies sent in this network namespace, from /proc/net/netstat of
 * Linux.
 *
 * @return true and *count, or false if unknown
 */
bool tcp_cookies_sent(uint64_t *count);

#endif
