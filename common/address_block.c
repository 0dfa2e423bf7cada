/*
 * address_block - what an IP address tells by itself: its special-purpose block and its
 * scope.
 *
 * A table of about fifty prefixes; the longest prefix that matches wins. A linear search is
 * fast enough for a command line tool. New blocks are added to the table by hand, from the
 * registries of IANA.
 */
#include "common/address_block.h"

#include <arpa/inet.h>
#include <string.h>

/* The IANA registries "IPv4 Special-Purpose Address Space" and "IPv6 Special-Purpose
 * Address Space" (October 2024), and blocks of other registries: multicast, and
 * deprecated addresses. */
static const struct address_block v4_blocks[] = {
	{ "0.0.0.0", 8, "this network", "RFC 791", "reserved" },
	{ "0.0.0.0", 32, "this host", "RFC 1122", "unspecified" },
	{ "10.0.0.0", 8, "private use", "RFC 1918", "private" },
	{ "100.64.0.0", 10, "shared address space of carriers (CGNAT)", "RFC 6598",
	  "private" },
	{ "127.0.0.0", 8, "loopback", "RFC 1122", "loopback" },
	{ "169.254.0.0", 16, "link-local", "RFC 3927", "link-local" },
	{ "172.16.0.0", 12, "private use", "RFC 1918", "private" },
	{ "192.0.0.0", 24, "IETF protocol assignments", "RFC 6890", "reserved" },
	{ "192.0.0.0", 29, "IPv4 service continuity (DS-Lite)", "RFC 7335", "reserved" },
	{ "192.0.0.8", 32, "IPv4 dummy address", "RFC 7600", "reserved" },
	{ "192.0.0.9", 32, "port control protocol anycast", "RFC 7723", "global" },
	{ "192.0.0.10", 32, "TURN anycast", "RFC 8155", "global" },
	{ "192.0.0.170", 31, "NAT64/DNS64 discovery", "RFC 8880", "reserved" },
	{ "192.0.2.0", 24, "documentation (TEST-NET-1)", "RFC 5737", "reserved" },
	{ "192.31.196.0", 24, "AS112", "RFC 7535", "global" },
	{ "192.52.193.0", 24, "automatic multicast tunneling", "RFC 7450", "global" },
	{ "192.88.99.0", 24, "6to4 relay anycast, deprecated", "RFC 7526", "reserved" },
	{ "192.168.0.0", 16, "private use", "RFC 1918", "private" },
	{ "192.175.48.0", 24, "AS112, direct delegation", "RFC 7534", "global" },
	{ "198.18.0.0", 15, "benchmarking", "RFC 2544", "reserved" },
	{ "198.51.100.0", 24, "documentation (TEST-NET-2)", "RFC 5737", "reserved" },
	{ "203.0.113.0", 24, "documentation (TEST-NET-3)", "RFC 5737", "reserved" },
	{ "224.0.0.0", 4, "multicast", "RFC 5771", "multicast" },
	{ "224.0.0.0", 24, "multicast on the link", "RFC 5771", "multicast" },
	{ "232.0.0.0", 8, "source-specific multicast", "RFC 4607", "multicast" },
	{ "233.252.0.0", 24, "documentation (MCAST-TEST-NET)", "RFC 6676", "multicast" },
	{ "239.0.0.0", 8, "administratively scoped multicast", "RFC 2365", "multicast" },
	{ "240.0.0.0", 4, "reserved", "RFC 1112", "reserved" },
	{ "255.255.255.255", 32, "limited broadcast", "RFC 919", "broadcast" },
};

static const struct address_block v6_blocks[] = {
	{ "::", 128, "unspecified", "RFC 4291", "unspecified" },
	{ "::1", 128, "loopback", "RFC 4291", "loopback" },
	{ "64:ff9b::", 96, "translation to IPv4 (NAT64)", "RFC 6052", "global" },
	{ "64:ff9b:1::", 48, "translation to IPv4, local use (NAT64)", "RFC 8215",
	  "private" },
	{ "100::", 64, "discard only", "RFC 6666", "reserved" },
	{ "100:0:0:1::", 64, "IPv6 dummy prefix", "RFC 9780", "reserved" },
	{ "2001::", 23, "IETF protocol assignments", "RFC 2928", "reserved" },
	{ "2001::", 32, "Teredo", "RFC 4380", "global" },
	{ "2001:1::1", 128, "port control protocol anycast", "RFC 7723", "global" },
	{ "2001:1::2", 128, "TURN anycast", "RFC 8155", "global" },
	{ "2001:1::3", 128, "service registration anycast", "RFC 9665", "global" },
	{ "2001:2::", 48, "benchmarking", "RFC 5180", "reserved" },
	{ "2001:3::", 32, "automatic multicast tunneling", "RFC 7450", "global" },
	{ "2001:4:112::", 48, "AS112", "RFC 7535", "global" },
	{ "2001:10::", 28, "ORCHID, deprecated", "RFC 4843", "reserved" },
	{ "2001:20::", 28, "ORCHIDv2", "RFC 7343", "global" },
	{ "2001:30::", 28, "drone remote identification", "RFC 9374", "global" },
	{ "2001:db8::", 32, "documentation", "RFC 3849", "reserved" },
	{ "2002::", 16, "6to4", "RFC 3056", "global" },
	{ "2620:4f:8000::", 48, "AS112, direct delegation", "RFC 7534", "global" },
	{ "3fff::", 20, "documentation", "RFC 9637", "reserved" },
	{ "5f00::", 16, "segment routing (SRv6)", "RFC 9602", "reserved" },
	{ "fc00::", 7, "unique local", "RFC 4193", "private" },
	{ "fe80::", 10, "link-local unicast", "RFC 4291", "link-local" },
	{ "fec0::", 10, "site-local, deprecated", "RFC 3879", "private" },
	{ "ff00::", 8, "multicast", "RFC 4291", "multicast" },
};

enum { V4_BYTES = 4, V6_BYTES = 16 };

static const struct address_block teredo = { .prefix = "2001::", .bits = 32 };
static const struct address_block six_to_four = { .prefix = "2002::", .bits = 16 };
static const struct address_block nat64 = { .prefix = "64:ff9b::", .bits = 96 };
/* All addresses that IANA allocates to hosts today (RFC 4291, section 2.4). */
static const struct address_block global_unicast = { .prefix = "2000::", .bits = 3 };

/* The bytes of the address, IPv4 also if IPv4-mapped. @return AF_INET, AF_INET6 or
 * AF_UNSPEC */
static int host_bytes(const struct address *address, unsigned char bytes[V6_BYTES])
{
	int family = address_family(address);

	if (family == AF_INET && address->any.sa_family == AF_INET)
		memcpy(bytes, &address->v4.sin_addr, V4_BYTES);
	else if (family == AF_INET)
		memcpy(bytes, address->v6.sin6_addr.s6_addr + V6_BYTES - V4_BYTES,
		       V4_BYTES);
	else if (family == AF_INET6)
		memcpy(bytes, address->v6.sin6_addr.s6_addr, V6_BYTES);
	else
		return AF_UNSPEC;
	return family;
}

static bool is_within(int family, const unsigned char *bytes,
		      const struct address_block *block)
{
	unsigned char prefix[V6_BYTES];
	unsigned whole = block->bits / 8, rest = block->bits % 8;

	if (inet_pton(family, block->prefix, prefix) != 1 ||
	    memcmp(bytes, prefix, whole) != 0)
		return false;
	return rest == 0 || (bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

const struct address_block *address_block(const struct address *address)
{
	unsigned char bytes[V6_BYTES];
	int family = host_bytes(address, bytes);
	const struct address_block *blocks = family == AF_INET ? v4_blocks : v6_blocks;
	const struct address_block *best = NULL;
	size_t count = family == AF_INET ? sizeof v4_blocks / sizeof *v4_blocks
					 : sizeof v6_blocks / sizeof *v6_blocks;

	if (family == AF_UNSPEC)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if ((best == NULL || blocks[i].bits > best->bits) &&
		    is_within(family, bytes, &blocks[i]))
			best = &blocks[i];
	return best;
}

const char *address_scope(const struct address *address)
{
	const struct address_block *block = address_block(address);
	unsigned char bytes[V6_BYTES];

	if (block != NULL)
		return block->scope;
	switch (host_bytes(address, bytes)) {
	case AF_INET:
		return "global";
	case AF_INET6:
		return is_within(AF_INET6, bytes, &global_unicast) ? "global"
								   : "reserved";
	default:
		return "unspecified";
	}
}

bool address_embedded(const struct address *address, struct address *inner)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	unsigned char bytes[V6_BYTES];
	size_t at = V6_BYTES - V4_BYTES;
	unsigned char mask = 0;

	if (host_bytes(address, bytes) != AF_INET6)
		return false;
	if (is_within(AF_INET6, bytes, &six_to_four))
		at = 2;
	else if (is_within(AF_INET6, bytes, &teredo))
		mask = 0xff; /* Teredo inverts the bits, so that NATs do not translate
			      * them (section 4) */
	else if (!is_within(AF_INET6, bytes, &nat64))
		return false;
	for (size_t i = 0; i < V4_BYTES; i++)
		bytes[at + i] ^= mask;
	memcpy(&v4.sin_addr, bytes + at, V4_BYTES);
	address_set(inner, (const struct sockaddr *)&v4, sizeof v4);
	return true;
}
