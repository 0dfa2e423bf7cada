/*
 * address_prefix - a range of IP addresses: "10.0.0.0/8".
 *
 * Source: RFC 4632, section 3.1 (IPv4); RFC 4291, section 2.3 (IPv6).
 */
#ifndef COMMON_ADDRESS_PREFIX_H
#define COMMON_ADDRESS_PREFIX_H

#include <stdbool.h>

#include "common/address.h"

/** The addresses whose first bits are equal. */
struct address_prefix {
	int family; /* AF_INET or AF_INET6 */
	unsigned bits;
	unsigned char bytes[16];
};

/**
 * Parses "10.0.0.0/8", "2001:db8::/32", or an address without a length, which is a prefix of
 * this address only. The bits after the prefix must be 0. A range of IPv4-mapped addresses is the
 * range of these IPv4 addresses: "::ffff:10.0.0.0/104" is "10.0.0.0/8".
 *
 * @return 0 with *prefix, or -1 if @p text is none
 */
int address_prefix_parse(const char *text, struct address_prefix *prefix);

/** Whether the address is one of the range. IPv4 inside IPv6 (::ffff:10.0.0.1) counts as
 *  IPv4, so no shorter prefix of IPv6 addresses has it. */
bool address_prefix_has(const struct address_prefix *prefix,
			const struct address *address);

#endif
