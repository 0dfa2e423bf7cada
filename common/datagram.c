/*
 * datagram - sends and receives UDP datagrams with both addresses, by control messages.
 *
 * recvmsg(2) and sendmsg(2) carry the local address in a control message (IP_PKTINFO,
 * IPV6_PKTINFO). Without it, a server on all addresses of a host would answer from an
 * address that the client has not written to. A UNIX-domain socket needs no such message.
 * FreeBSD and OpenBSD have IP_RECVDSTADDR and IP_SENDSRCADDR for IPv4 instead, whose
 * messages carry the address alone (ip(4)).
 */
#ifdef __linux__
#define _GNU_SOURCE /* struct in_pktinfo, struct in6_pktinfo */
#endif
#define __APPLE_USE_RFC_3542 /* IPV6_PKTINFO of macOS (netinet6/in6.h) */

#include "common/datagram.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#if !defined(IP_PKTINFO) && defined(IP_RECVDSTADDR) && defined(IP_SENDSRCADDR)
#define USE_ADDRESS_ALONE
#endif

/* Space for one control message of each kind; the union aligns it for CMSG_FIRSTHDR. */
union control {
	struct cmsghdr header;
#if defined(IP_PKTINFO) && defined(IPV6_PKTINFO)
	char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) +
		   CMSG_SPACE(sizeof(struct in6_pktinfo))];
#else
	char bytes[128];
#endif
};

static int set_flag(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof on);
}

bool datagram_peer_is_unnamed(const struct datagram_peer *peer)
{
	return peer->address.any.sa_family == AF_UNIX && peer->local.length == 0;
}

static int compare_bytes(const void *one, socklen_t one_length, const void *other,
			 socklen_t other_length)
{
	if (one_length != other_length)
		return one_length < other_length ? -1 : 1;
	return memcmp(one, other, one_length);
}

int datagram_peer_compare(const struct datagram_peer *one,
			  const struct datagram_peer *other)
{
	int order = compare_bytes(&one->address.v6, one->address.length,
				  &other->address.v6, other->address.length);

	return order != 0 ? order
			  : compare_bytes(&one->local.name, one->local.length,
					  &other->local.name, other->local.length);
}

const char *datagram_peer_text(const struct datagram_peer *peer, char out[ADDRESS_TEXT])
{
	enum { SHOWN = ADDRESS_TEXT - sizeof "..." };
	char text[LOCAL_ADDRESS_TEXT];
	size_t length;
	bool cut;

	if (peer->address.any.sa_family != AF_UNIX)
		return address_text(&peer->address, out);
	length = strlen(local_address_text(&peer->local, text));
	cut = length > SHOWN;
	snprintf(out, ADDRESS_TEXT, "%s%.*s", cut ? "..." : "", SHOWN,
		 cut ? text + length - SHOWN : text);
	return out;
}

int datagram_prepare(int fd)
{
	struct address local;

	if (address_local(fd, &local) < 0)
		return -1;
#ifdef IP_PKTINFO
	if (local.any.sa_family == AF_INET)
		return set_flag(fd, IPPROTO_IP, IP_PKTINFO);
#elif defined(USE_ADDRESS_ALONE)
	/* a socket with an address of its own has only this source, and may not name one */
	if (local.any.sa_family == AF_INET &&
	    local.v4.sin_addr.s_addr == htonl(INADDR_ANY))
		return set_flag(fd, IPPROTO_IP, IP_RECVDSTADDR);
#endif
#ifdef IPV6_RECVPKTINFO
	if (local.any.sa_family == AF_INET6) {
#if defined(IP_PKTINFO) && defined(__linux__)
		/* Also for IPv4 datagrams: only this tells the source for a reply to
		 * a broadcast. If a system refuses it, the other still works. */
		(void)set_flag(fd, IPPROTO_IP, IP_PKTINFO);
#endif
		return set_flag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
	}
#endif
	return 0;
}

size_t datagram_longest(const struct address *to)
{
	bool ipv4 =
		to->any.sa_family == AF_INET || (to->any.sa_family == AF_INET6 &&
						 IN6_IS_ADDR_V4MAPPED(&to->v6.sin6_addr));

	return ipv4 ? DATAGRAM_LONGEST_IPV4 : DATAGRAM_LONGEST;
}

#ifdef IP_PKTINFO
/* ipi_spec_dst, not ipi_addr. They differ for a broadcast or multicast: then ipi_addr
 * is no address of this host and cannot be a source; ipi_spec_dst is an address of the
 * receiving interface (ip(7)). @p family is that of the socket: for an IPv6 socket the
 * result is IPv4-mapped (RFC 4291, section 2.5.5.2).
 * Linux computes ipi_spec_dst when the datagram arrives, if IP_PKTINFO is set then.
 * For datagrams that arrived before, it is 0. */
static void note_ipv4(const struct cmsghdr *part, sa_family_t family, struct address *to)
{
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(part), sizeof info);
	if (info.ipi_spec_dst.s_addr == htonl(INADDR_ANY))
		info.ipi_spec_dst = info.ipi_addr;
	memset(to, 0, sizeof *to);
	if (family == AF_INET6) {
		to->v6.sin6_family = AF_INET6;
		memset(to->v6.sin6_addr.s6_addr + 10, 0xff, 2);
		memcpy(to->v6.sin6_addr.s6_addr + 12, &info.ipi_spec_dst, 4);
		to->length = sizeof to->v6;
		return;
	}
	to->v4.sin_family = AF_INET;
	to->v4.sin_addr = info.ipi_spec_dst;
	to->length = sizeof to->v4;
}
#elif defined(USE_ADDRESS_ALONE)
/* The address of a broadcast or multicast cannot be a source: send_message() then fails, and
 * the kernel chooses the source. */
static void note_ipv4(const struct cmsghdr *part, sa_family_t family, struct address *to)
{
	(void)family; /* of IPv4: datagram_prepare() */
	memset(to, 0, sizeof *to);
	to->v4.sin_family = AF_INET;
	memcpy(&to->v4.sin_addr, CMSG_DATA(part), sizeof to->v4.sin_addr);
	to->length = sizeof to->v4;
}
#endif

#ifdef IPV6_PKTINFO
/* A multicast address cannot be a source. Only the interface is kept, and the kernel
 * chooses one of its addresses. */
static void note_ipv6(const struct cmsghdr *part, struct address *to)
{
	struct in6_pktinfo info;

	memcpy(&info, CMSG_DATA(part), sizeof info);
	to->v6.sin6_family = AF_INET6;
	if (!IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
		to->v6.sin6_addr = info.ipi6_addr;
	to->v6.sin6_scope_id = (uint32_t)info.ipi6_ifindex;
	to->length = sizeof to->v6;
}
#endif

/* Reads the source for a reply from the control messages. An IPv4 datagram on an
 * IPv6 socket has both messages; that of IPv4 counts. */
static void note_destination(struct msghdr *message, sa_family_t family,
			     struct address *to)
{
	(void)family;
	memset(to, 0, sizeof *to);
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
	     part = CMSG_NXTHDR(message, part)) {
#ifdef IP_PKTINFO
		if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
			note_ipv4(part, family, to);
			return;
		}
#elif defined(USE_ADDRESS_ALONE)
		if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVDSTADDR) {
			note_ipv4(part, family, to);
			return;
		}
#endif
#ifdef IPV6_PKTINFO
		if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO)
			note_ipv6(part, to);
#endif
	}
}

static void note_sender(const struct local_address *sender, struct datagram_peer *from)
{
	const struct sockaddr *any = (const struct sockaddr *)&sender->name;

	memset(from, 0, sizeof *from);
	if (sender->length > 0 && any->sa_family != AF_UNIX) {
		address_set(&from->address, any, sender->length);
		return;
	}
	from->address.any.sa_family = AF_UNIX;
	if (!local_address_is_unnamed(sender))
		from->local = *sender;
}

/* sockaddr_un is the longest of the addresses that can arrive. Without room for control data the kernel
 * passes no descriptors on; a UNIX-domain socket has no other use for it. */
ssize_t datagram_receive(int fd, sa_family_t family, void *bytes, size_t size,
			 struct datagram_peer *from, struct address *to)
{
	struct iovec piece = { .iov_base = bytes, .iov_len = size };
	struct local_address sender;
	union control control;
	struct msghdr message = {
		.msg_name = &sender.name,
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
	};
	ssize_t n;

	memset(&sender, 0, sizeof sender);
	do {
		message.msg_namelen = sizeof sender.name;
		message.msg_controllen = family == AF_UNIX ? 0 : sizeof control;
		n = recvmsg(fd, &message, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	sender.length = message.msg_namelen < (socklen_t)sizeof sender.name
				? message.msg_namelen
				: (socklen_t)sizeof sender.name;
	note_sender(&sender, from);
	note_destination(&message, from->address.any.sa_family, to);
	return n;
}

/* Adds the control message with the source address. */
static void set_source(struct msghdr *message, union control *control,
		       const struct address *from)
{
	memset(control, 0, sizeof *control);
#ifdef IP_PKTINFO
	if (from->length > 0 && from->any.sa_family == AF_INET) {
		struct in_pktinfo info = { .ipi_spec_dst = from->v4.sin_addr };

		message->msg_control = control;
		message->msg_controllen = CMSG_SPACE(sizeof info);
		control->header.cmsg_level = IPPROTO_IP;
		control->header.cmsg_type = IP_PKTINFO;
		control->header.cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(&control->header), &info, sizeof info);
	}
#elif defined(USE_ADDRESS_ALONE)
	if (from->length > 0 && from->any.sa_family == AF_INET) {
		const struct in_addr *source = &from->v4.sin_addr;

		message->msg_control = control;
		message->msg_controllen = CMSG_SPACE(sizeof *source);
		control->header.cmsg_level = IPPROTO_IP;
		control->header.cmsg_type = IP_SENDSRCADDR;
		control->header.cmsg_len = CMSG_LEN(sizeof *source);
		memcpy(CMSG_DATA(&control->header), source, sizeof *source);
	}
#endif
#ifdef IPV6_PKTINFO
	if (from->length > 0 && from->any.sa_family == AF_INET6) {
		struct in6_pktinfo info = { .ipi6_addr = from->v6.sin6_addr };

		/* a link-local address, or none, needs the interface */
		if (IN6_IS_ADDR_LINKLOCAL(&from->v6.sin6_addr) ||
		    IN6_IS_ADDR_UNSPECIFIED(&from->v6.sin6_addr))
			info.ipi6_ifindex = from->v6.sin6_scope_id;
		message->msg_control = control;
		message->msg_controllen = CMSG_SPACE(sizeof info);
		control->header.cmsg_level = IPPROTO_IPV6;
		control->header.cmsg_type = IPV6_PKTINFO;
		control->header.cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(&control->header), &info, sizeof info);
	}
#endif
}

static ssize_t send_message(int fd, const struct msghdr *message)
{
	ssize_t n;

	do
		n = sendmsg(fd, message, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Errors for a source address that this host does not have. */
static bool is_no_source(int error)
{
	return error == EINVAL || error == ENETUNREACH || error == EADDRNOTAVAIL;
}

/* msg_name is not const. */
static void set_target(struct msghdr *message, struct datagram_peer *to)
{
	if (to->address.any.sa_family == AF_UNIX) {
		message->msg_name = &to->local.name;
		message->msg_namelen = to->local.length;
	} else {
		message->msg_name = &to->address.v6;
		message->msg_namelen = to->address.length;
	}
}

int datagram_send(int fd, const void *bytes, size_t length,
		  const struct datagram_peer *to, const struct address *from)
{
	struct iovec piece = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = length };
	struct datagram_peer target = *to;
	union control control;
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
	};
	ssize_t n;

	if (datagram_peer_is_unnamed(to)) {
		errno = EDESTADDRREQ;
		return -1;
	}
	set_target(&message, &target);
	set_source(&message, &control, from);
	n = send_message(fd, &message);
	/* The source is no address of this host: a broadcast that arrived before
	 * IP_PKTINFO was set (see note_ipv4()), or an address that has been removed. */
	if (n < 0 && message.msg_control != NULL && is_no_source(errno)) {
		message.msg_control = NULL;
		message.msg_controllen = 0;
		n = send_message(fd, &message);
	}
	return n < 0 ? -1 : 0;
}
