/*
 * datagram - datagrams with both of their addresses: of UDP, and of UNIX-domain sockets.
 *
 * A socket bound to all addresses of a host sends from the address that the routing
 * table prefers; a client that has written to another address ignores such a reply. So
 * the kernel is asked for the destination address of each datagram, and the reply is
 * sent from it (IP_PKTINFO, ip(7); IPV6_PKTINFO, RFC 3542, section 6). A broadcast or
 * multicast is answered from an address of the receiving interface (RFC 1122, section
 * 4.1.3.5).
 *
 * A UNIX-domain socket has one name, and its peers have names of up to 108 bytes, or none.
 */
#ifndef COMMON_DATAGRAM_H
#define COMMON_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/address.h"
#include "common/local_address.h"

/** The other end of a datagram. All bytes that are not in use are 0. */
struct datagram_peer {
	struct address address;     /* of a UNIX-domain socket: only the family */
	struct local_address local; /* the name of a UNIX-domain socket; length 0: none */
};

/** Whether it is a UNIX-domain socket without a name: nothing can be sent to it. */
bool datagram_peer_is_unnamed(const struct datagram_peer *peer);

/** Orders peers: any total order. @return less than, equal to or greater than 0 */
int datagram_peer_compare(const struct datagram_peer *one,
			  const struct datagram_peer *other);

/** Writes the address, as address_text(); or the name, as local_address_text(), the end of it if it
 *  is longer. @return @p out */
const char *datagram_peer_text(const struct datagram_peer *peer, char out[ADDRESS_TEXT]);

/**
 * Maximum payload of a datagram. The length of an IPv4 packet includes its header of 20
 * bytes (RFC 791); the length in an IPv6 header does not (RFC 8200, section 3). Each is
 * at most 65,535; the UDP header takes 8.
 */
enum { DATAGRAM_LONGEST_IPV4 = 65535 - 20 - 8, DATAGRAM_LONGEST = 65535 - 8 };

/** Maximum payload of a datagram to @p to: DATAGRAM_LONGEST_IPV4 for IPv4, also
 *  IPv4-mapped, otherwise DATAGRAM_LONGEST. The kernel allows more between UNIX-domain sockets. */
size_t datagram_longest(const struct address *to);

/** Makes the kernel report the destination address of each datagram on @p fd, if it is a UDP
 *  socket.
 *  @return 0, or -1 with errno */
int datagram_prepare(int fd);

/**
 * Receives a datagram.
 *
 * Descriptors that come with it (SCM_RIGHTS, unix(7)) are closed by the kernel: the server would have
 * to close each one, and would hold whatever a client sent until then.
 *
 * @param family  that of the socket
 * @param from  receives the sender
 * @param to    receives the source address for a reply, with port 0: the address that
 *            the datagram was sent to. For a broadcast or multicast over IPv4 it is
 *            that of the interface; over IPv6 no address (::), and the interface as
 *            scope. Its length is 0 if the system does not tell
 * @return its length, 0 or more; or -1 with errno (EAGAIN: none is queued). A datagram
 * longer than @p size is cut, and the rest is lost.
 */
ssize_t datagram_receive(int fd, sa_family_t family, void *bytes, size_t size,
			 struct datagram_peer *from, struct address *to);

/** Sends a datagram to @p to, from the local address @p from (see datagram_receive());
 *  if this host does not have it, from the address that the routing table prefers.
 *  @return 0, or -1 with errno. UNIX-domain sockets: EAGAIN the receiver does not read what was
 *  sent to it, ENOENT or ECONNREFUSED it is closed, EDESTADDRREQ it has no name */
int datagram_send(int fd, const void *bytes, size_t length,
		  const struct datagram_peer *to, const struct address *from);

#endif
