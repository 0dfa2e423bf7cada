/*
 * address_block - what an address is by itself: the block that it is in, and how far it
 * reaches.
 *
 * Some blocks of addresses have a purpose: private networks, documentation, tunnels. They
 * are listed in IANA's special-purpose address registries (RFC 6890). Nothing is looked up:
 * the first bits of an address tell.
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
	const char *scope;  /* as address_scope() has it */
};

/** The block that an address is in; of blocks within blocks the smallest. IPv4 inside IPv6
 *  (::ffff:10.0.0.1) counts as IPv4. @return it, or NULL if it is in none */
const struct address_block *address_block(const struct address *address);

/** How far an address reaches (RFC 6890): "unspecified", "loopback", "link-local", "private",
 *  "multicast", "broadcast", "global", or "reserved": set aside, and not to be met on the
 *  public Internet. */
const char *address_scope(const struct address *address);

/**
 * Finds the IPv4 address that an IPv6 address carries: one of 6to4 (RFC 3056) that of the
 * router, one of Teredo (RFC 4380) that of the client, one of NAT64 (RFC 6052) that of the
 * host behind it.
 *
 * @param inner  receives it, port 0
 * @return whether there is one
 */
bool address_embedded(const struct address *address, struct address *inner);

#endif
