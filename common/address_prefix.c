/*
 * address_prefix - compares the first bits of two addresses.
 *
 * A list of ranges says which peers are trusted, without a name service. A comparison costs
 * one memcmp(3).
 */
#include "common/address_prefix.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "common/text.h"

/* MAPPED_BITS: of the prefix ::ffff:0:0/96, which all IPv4-mapped addresses have (RFC 4291,
 * section 2.5.5.2). */
enum { V4_BYTES = 4, V6_BYTES = 16, MAPPED_BITS = 96 };

static unsigned bytes_of(int family)
{
	return family == AF_INET ? V4_BYTES : V6_BYTES;
}

/* The mask of the bits that belong to the prefix in this byte. */
static unsigned mask_at(unsigned bits, unsigned byte)
{
	unsigned before = byte * 8;

	if (bits >= before + 8)
		return 0xff;
	return bits <= before ? 0 : 0xffu << (8 - (bits - before)) & 0xff;
}

static bool rest_is_zero(const struct address_prefix *prefix)
{
	for (unsigned i = 0; i < bytes_of(prefix->family); i++)
		if (prefix->bytes[i] & ~mask_at(prefix->bits, i))
			return false;
	return true;
}

/* A range of IPv4-mapped addresses is stored as the range of IPv4 addresses, because an address
 * of a peer is compared as IPv4 if it is IPv4-mapped. */
static void unmap(struct address_prefix *prefix)
{
	static const unsigned char mapped[MAPPED_BITS / 8] = { [10] = 0xff, [11] = 0xff };

	if (prefix->family != AF_INET6 || prefix->bits < MAPPED_BITS ||
	    memcmp(prefix->bytes, mapped, sizeof mapped) != 0)
		return;
	prefix->family = AF_INET;
	prefix->bits -= MAPPED_BITS;
	memmove(prefix->bytes, prefix->bytes + sizeof mapped, V4_BYTES);
}

int address_prefix_parse(const char *text, struct address_prefix *prefix)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	uint64_t bits;

	if (length >= sizeof host)
		return -1;
	memcpy(host, text, length);
	host[length] = '\0';
	prefix->family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(prefix->family, host, prefix->bytes) != 1)
		return -1;
	bits = bytes_of(prefix->family) * 8;
	if (slash != NULL && !text_number(slash + 1, 0, bits, &bits))
		return -1;
	prefix->bits = (unsigned)bits;
	if (!rest_is_zero(prefix))
		return -1;
	unmap(prefix);
	return 0;
}

/* IPv4 is at the end of an IPv4-mapped address. */
static const unsigned char *host_bytes(const struct address *address, int family)
{
	if (address->any.sa_family == AF_INET)
		return (const unsigned char *)&address->v4.sin_addr;
	return address->v6.sin6_addr.s6_addr +
	       (family == AF_INET ? V6_BYTES - V4_BYTES : 0);
}

bool address_prefix_has(const struct address_prefix *prefix,
			const struct address *address)
{
	const unsigned char *bytes;

	if (address_family(address) != prefix->family)
		return false;
	bytes = host_bytes(address, prefix->family);
	for (unsigned i = 0; i < bytes_of(prefix->family); i++)
		if ((bytes[i] ^ prefix->bytes[i]) & mask_at(prefix->bits, i))
			return false;
	return true;
}
