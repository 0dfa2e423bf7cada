/*
 * address_block - what an IP address tells by itself: its special-purpose block and its
 * scope.
 *
 * Some blocks of addresses have a purpose: private networks, documentation, tunnels.
 * The IANA special-purpose address registries (RFC 6890) list them. Nothing is looked
 * up.
 */
#ifndef COMMON_ADDRESS_BLOCK_H
#define COMMON_ADDRESS_BLOCK_H

#include <stdbool.h>

#include "common/address.h"

/** A block of addresses with a purpose. */
struct address_block {
	const char *prefix; /* its first address: "10.0.0.0" */
	unsigned bits;      /* of the prefix */
	const char *use;    /* "private use" */
	const char *source; /* "RFC 1918" */
	const char *scope;  /* as address_scope() returns it */
};

/** The block of an address; of nested blocks the smallest. An IPv4-mapped address
 *  (::ffff:10.0.0.1) counts as IPv4. @return it, or NULL if there is none */
const struct address_block *address_block(const struct address *address);

/** The scope of an address (RFC 6890): "unspecified", "loopback", "link-local",
 *  "private", "multicast", "broadcast", "global", or "reserved": not used on the
 *  public Internet. */
const char *address_scope(const struct address *address);

/**
 * Finds the IPv4 address that an IPv6 address contains: that of the router in 6to4 (RFC
 * 3056), of the client in Teredo (RFC 4380), of the IPv4 host in NAT64 (RFC 6052).
 *
 * @param inner  receives it, port 0
 * @return whether there is one
 */
bool address_embedded(const struct address *address, struct address *inner);

#endif
