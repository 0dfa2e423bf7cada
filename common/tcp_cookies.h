/*
 * tcp_cookies - SYN cookies that this machine's kernel has sent.
 *
 * When the backlog of a listening socket is full, Linux still answers a SYN, with a cookie
 * in place of memory of it (tcp(7), tcp_syncookies). The client is connected then. But if
 * there is no place in the backlog either when its ACK comes, the server never learns of
 * it until the client sends something: where the server speaks first, both wait for ever.
 */
#ifndef COMMON_TCP_COOKIES_H
#define COMMON_TCP_COOKIES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * How many SYN cookies were sent in this network namespace since it was made: Linux tells in
 * /proc/net/netstat.
 *
 * @return true and *count, or false where the system does not tell
 */
bool tcp_cookies_sent(uint64_t *count);

#endif
