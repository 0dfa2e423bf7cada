/*
 * proxy_client - reads both versions of the PROXY protocol header, strictly.
 *
 * Version 1 is a line of text: "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n". Version 2 is
 * binary, with big-endian numbers:
 *
 *	 0  signature (12 bytes)
 *	12  version (high 4 bits: 2) and command (low 4 bits: 0 LOCAL, 1 PROXY)
 *	13  address family (high 4 bits) and transport protocol (low 4 bits)
 *	14  length of what follows (2 bytes)
 *	16  addresses and ports; then extensions: type (1 byte), length (2 bytes), value
 *
 * A header that is not exactly as specified is invalid: its sender is no proxy that can be
 * trusted. The header is read again from the start when more bytes arrive. It usually comes in
 * one piece, so nothing must be remembered between two calls.
 */
#include "server/core/proxy_client.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/text.h"

enum {
	LINE_MOST = 107, /* of version 1, with its CR and LF */
	SIGNATURE = 12,
	FIXED = 16, /* of version 2: the part with a fixed length */
	V4_ADDRESSES = 2 * 4 + 2 * 2,
	V6_ADDRESSES = 2 * 16 + 2 * 2,
	LOCAL_ADDRESSES = 2 * 108,
	EXTENSION = 3, /* type and length */
	TYPE_CRC32C = 3,
	CRC_BYTES = 4,
};

/* Address family and transport protocol. */
enum {
	UNSPECIFIED = 0x00,
	TCP_V4 = 0x11,
	UDP_V4 = 0x12,
	TCP_V6 = 0x21,
	UDP_V6 = 0x22,
	LOCAL_STREAM = 0x31,
	LOCAL_DATAGRAM = 0x32,
};

static const char word[] = "PROXY ";
static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

static enum proxy_result invalid(const char **why, const char *reason)
{
	*why = reason;
	return PROXY_INVALID;
}

/* Whether the first n bytes are those of @p expected, as far as both go. */
static bool agrees(const char *bytes, size_t n, const char *expected, size_t length)
{
	return memcmp(bytes, expected, n < length ? n : length) == 0;
}

/* ---- version 1 -------------------------------------------------------------------------- */

/* Takes the text up to the next space, or to the end, from *rest. @return NULL at the end */
static char *next_word(char **rest)
{
	char *start = *rest, *space;

	if (start == NULL)
		return NULL;
	space = strchr(start, ' ');
	*rest = space != NULL ? space + 1 : NULL;
	if (space != NULL)
		*space = '\0';
	return start;
}

static bool parse_port(const char *text, unsigned *port)
{
	uint64_t number;

	if (text == NULL || (text[0] == '0' && text[1] != '\0') ||
	    !text_number(text, 0, UINT16_MAX, &number))
		return false;
	*port = (unsigned)number;
	return true;
}

static bool parse_host(const char *text, int family, struct address *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (text == NULL)
		return false;
	if (family == AF_INET) {
		if (inet_pton(AF_INET, text, &v4.sin_addr) != 1)
			return false;
		address_set(address, (const struct sockaddr *)&v4, sizeof v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
		return false;
	address_set(address, (const struct sockaddr *)&v6, sizeof v6);
	return true;
}

/* "192.0.2.1 192.0.2.2 56324 443" */
static bool parse_addresses(char *rest, int family, struct address *client)
{
	struct address server;
	unsigned port, server_port;

	if (!parse_host(next_word(&rest), family, client) ||
	    !parse_host(next_word(&rest), family, &server) ||
	    !parse_port(next_word(&rest), &port) ||
	    !parse_port(next_word(&rest), &server_port) || rest != NULL)
		return false;
	address_set_port(client, port);
	return true;
}

/* The line without "PROXY " and without its end. */
static bool parse_line(char *line, struct proxy_client *client)
{
	const char *protocol = next_word(&line);

	if (strcmp(protocol, "UNKNOWN") == 0) /* what follows is to be ignored */
		return true;
	client->known = strcmp(protocol, "TCP4") == 0
				? parse_addresses(line, AF_INET, &client->address)
			: strcmp(protocol, "TCP6") == 0
				? parse_addresses(line, AF_INET6, &client->address)
				: false;
	return client->known;
}

static enum proxy_result read_line(const char *bytes, size_t n,
				   struct proxy_client *client, const char **why)
{
	size_t most = n < LINE_MOST ? n : LINE_MOST;
	const char *end = memchr(bytes, '\n', most);
	char line[LINE_MOST];
	size_t length;

	if (end == NULL)
		return n < LINE_MOST ? PROXY_INCOMPLETE
				     : invalid(why, "its PROXY header is too long");
	if (end[-1] != '\r')
		return invalid(why, "its PROXY header does not end in CR LF");
	client->length = (size_t)(end - bytes) + 1;
	length = client->length - (sizeof word - 1) - 2;
	memcpy(line, bytes + sizeof word - 1, length);
	line[length] = '\0';
	if (memchr(line, '\0', length) != NULL || !parse_line(line, client))
		return invalid(why, "its PROXY header has invalid addresses");
	return PROXY_COMPLETE;
}

/* ---- version 2 -------------------------------------------------------------------------- */

static unsigned number_16(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

/* CRC-32C (RFC 9260, appendix A), one byte more. */
static uint32_t add_to_crc(uint32_t crc, unsigned char byte)
{
	crc ^= byte;
	for (int bit = 0; bit < 8; bit++)
		crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	return crc;
}

/* The checksum of the header; its own four bytes, at @p at, count as 0. */
static uint32_t checksum(const unsigned char *header, size_t length, size_t at)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < length; i++)
		crc = add_to_crc(crc, i >= at && i < at + CRC_BYTES ? 0 : header[i]);
	return ~crc;
}

static bool checksum_is_right(const unsigned char *header, size_t length, size_t at)
{
	uint32_t stated =
		(uint32_t)number_16(header + at) << 16 | number_16(header + at + 2);

	return checksum(header, length, at) == stated;
}

/* The extensions must fill the rest of the header. All but the checksum are ignored. */
static enum proxy_result check_extensions(const unsigned char *header, size_t at,
					  size_t length, const char **why)
{
	while (at < length) {
		size_t left = length - at;
		size_t size = left < EXTENSION ? 0 : number_16(header + at + 1);

		if (left < EXTENSION + size)
			return invalid(why, "its PROXY header has an extension that is "
					    "too long");
		if (header[at] == TYPE_CRC32C &&
		    (size != CRC_BYTES ||
		     !checksum_is_right(header, length, at + EXTENSION)))
			return invalid(why, "its PROXY header has a wrong checksum");
		at += EXTENSION + size;
	}
	return PROXY_COMPLETE;
}

static void set_v4(struct address *address, const unsigned char *addresses)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	memcpy(&v4.sin_addr, addresses, 4);
	memcpy(&v4.sin_port, addresses + 8, 2);
	address_set(address, (const struct sockaddr *)&v4, sizeof v4);
}

static void set_v6(struct address *address, const unsigned char *addresses)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	memcpy(&v6.sin6_addr, addresses, 16);
	memcpy(&v6.sin6_port, addresses + 32, 2);
	address_set(address, (const struct sockaddr *)&v6, sizeof v6);
}

/* The path is not kept: struct address has no room for it. */
static void set_local(struct address *address)
{
	const struct sockaddr local = { .sa_family = AF_UNIX };

	address_set(address, &local, offsetof(struct sockaddr, sa_data));
}

/* How long the addresses of a family and protocol are. @return -1: it is not valid */
static int addresses_length(unsigned char family)
{
	switch (family) {
	case TCP_V4:
	case UDP_V4:
		return V4_ADDRESSES;
	case TCP_V6:
	case UDP_V6:
		return V6_ADDRESSES;
	case LOCAL_STREAM:
	case LOCAL_DATAGRAM:
		return LOCAL_ADDRESSES;
	default:
		return -1;
	}
}

/* Sets the address of a client that came over a stream. One that came by datagrams stays unknown: a
 * receiver that does not support a valid combination must treat it as unspecified. @return how many
 * bytes were addresses; -1: the family or protocol is not valid, or there are fewer in the @p length
 * bytes */
static int take_addresses(const unsigned char *header, size_t length,
			  struct proxy_client *client)
{
	const unsigned char family = header[13], *addresses = header + FIXED;
	int needed = addresses_length(family);

	if (family == UNSPECIFIED)
		return (int)length; /* all is to be ignored */
	if (needed < 0 || length < (size_t)needed)
		return -1;
	client->known = true;
	if (family == TCP_V4)
		set_v4(&client->address, addresses);
	else if (family == TCP_V6)
		set_v6(&client->address, addresses);
	else if (family == LOCAL_STREAM)
		set_local(&client->address);
	else
		client->known = false;
	return needed;
}

static enum proxy_result read_binary(const char *bytes, size_t n,
				     struct proxy_client *client, const char **why)
{
	const unsigned char *header = (const unsigned char *)bytes;
	unsigned length;
	int addresses;

	if (n > SIGNATURE && header[12] != 0x20 && header[12] != 0x21)
		return invalid(why, "its PROXY header has an unknown version or command");
	if (n < FIXED)
		return PROXY_INCOMPLETE;
	length = number_16(header + 14);
	client->length = FIXED + length;
	if (client->length > PROXY_HEADER_MOST)
		return invalid(why, "its PROXY header is too long");
	if (n < client->length)
		return PROXY_INCOMPLETE;
	if (header[12] == 0x20) { /* the rest is to be ignored */
		client->from_proxy = true;
		return PROXY_COMPLETE;
	}
	addresses = take_addresses(header, length, client);
	if (addresses < 0)
		return invalid(why, "its PROXY header has invalid addresses");
	return check_extensions(header, FIXED + (size_t)addresses, client->length, why);
}

enum proxy_result proxy_client_read(const char *bytes, size_t n,
				    struct proxy_client *client, const char **why)
{
	memset(client, 0, sizeof *client);
	if (agrees(bytes, n, word, sizeof word - 1))
		return n < sizeof word - 1 ? PROXY_INCOMPLETE
					   : read_line(bytes, n, client, why);
	if (agrees(bytes, n, signature, SIGNATURE))
		return read_binary(bytes, n, client, why);
	return invalid(why, "it does not begin with a PROXY header");
}
