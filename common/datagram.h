/*
 * datagram - UDP messages, with both of their addresses.
 *
 * A socket that listens on all of a host's addresses answers, left to itself, from the
 * one that the routing table prefers, and a client that wrote to another takes no notice
 * of the reply. So the address that a datagram was sent to is asked for, and used as the
 * source of the reply (IP_PKTINFO, ip(7); IPV6_PKTINFO, RFC 3542, section 6). A datagram to
 * many, by broadcast or multicast, is answered from an address of the interface that received
 * it (RFC 1122, section 4.1.3.5).
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

/** Asks the kernel to tell, for each datagram that @p fd receives, from where to answer it.
 *  @return 0, or -1 with errno */
int datagram_prepare(int fd);

/**
 * Receives one.
 *
 * @param from  receives who sent it
 * @param to    receives from where to answer it, with port 0: our address that it was sent
 *              to. If it was sent to many, that of the interface over IPv4; over IPv6 no
 *              address (::), and the interface as its scope. Its length is 0 where the
 *              system does not tell
 * @return its length, 0 or more; or -1 with errno (EAGAIN: there is none). A datagram
 *         longer than @p size is cut, and the rest lost.
 */
ssize_t datagram_receive(int fd, void *bytes, size_t size, struct address *from,
			 struct address *to);

/** Sends one to @p to, from our address @p from (see datagram_receive()); if that is no
 *  address of this host, from the one that the routing table prefers.
 *  @return 0, or -1 with errno */
int datagram_send(int fd, const void *bytes, size_t length, const struct address *to,
		  const struct address *from);

#endif
