/*
 * datagram - UDP messages, with both of their addresses.
 *
 * A socket that listens on all of a host's addresses answers, left to itself, from the
 * one that the routing table prefers, and a client that wrote to another takes no notice
 * of the reply. So the address that a datagram was sent to is asked for, and used as the
 * source of the reply (IP_PKTINFO, ip(7); IPV6_PKTINFO, RFC 3542, section 6).
 */
#ifndef COMMON_DATAGRAM_H
#define COMMON_DATAGRAM_H

#include <stddef.h>
#include <sys/types.h>

#include "common/address.h"

/**
 * The most bytes that a datagram carries. The length of an IPv4 packet includes its header of
 * 20 bytes (RFC 791), the length in an IPv6 header does not (RFC 8200, section 3); each is
 * 65,535 at most, and the header of UDP takes 8 of it.
 */
enum { DATAGRAM_LONGEST_IPV4 = 65535 - 20 - 8, DATAGRAM_LONGEST = 65535 - 8 };

/** The most bytes that a datagram to @p to carries: DATAGRAM_LONGEST_IPV4 for an IPv4 address,
 *  an IPv4-mapped one included, else DATAGRAM_LONGEST. */
size_t datagram_longest(const struct address *to);

/** Asks the kernel to tell where each datagram that @p fd receives was sent to.
 *  @return 0, or -1 with errno */
int datagram_prepare(int fd);

/**
 * Receives one.
 *
 * @param from  receives who sent it
 * @param to    receives our address that it was sent to, with port 0; its length is 0
 *              where the system does not tell
 * @return its length, 0 or more; or -1 with errno (EAGAIN: there is none). A datagram
 *         longer than @p size is cut, and the rest lost.
 */
ssize_t datagram_receive(int fd, void *bytes, size_t size, struct address *from,
			 struct address *to);

/** Sends one to @p to, from our address @p from (see datagram_receive()).
 *  @return 0, or -1 with errno */
int datagram_send(int fd, const void *bytes, size_t length, const struct address *to,
		  const struct address *from);

#endif
