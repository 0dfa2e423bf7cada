/*
 * proxy_header - compares the first bytes of a connection with the signatures of the
 * protocol.
 *
 * The bytes are compared as they arrive, and none is held back. So an echo client that
 * sends "PROXY" and waits for its echo gets it. A signature of version 1 extends to the
 * byte after the protocol's name, because the word "PROXY" alone may be a client's own
 * data. The cost is one comparison for a connection that differs in its first byte, and up to
 * five memcmp(3) for others. The first matters for a child of fork(2): it would have a page
 * fault for memcmp(3), and another one for the signatures.
 */
#include "server/core/proxy_header.h"

#include <string.h>

#define SIGNATURE(text)                                                                  \
	{                                                                                \
		text, sizeof(text) - 1                                                   \
	}

static const struct {
	const char *bytes;
	size_t length;
} signatures[] = {
	SIGNATURE("PROXY TCP4 "),          SIGNATURE("PROXY TCP6 "),
	SIGNATURE("PROXY UNKNOWN "),       SIGNATURE("PROXY UNKNOWN\r"),
	SIGNATURE("\r\n\r\n\0\r\nQUIT\n"),
};

enum { SIGNATURES = sizeof signatures / sizeof *signatures };

void proxy_header_begin(struct proxy_header *header)
{
	header->possible = (1u << SIGNATURES) - 1;
	header->length = 0;
}

/* How many of the next n bytes the signature still covers. */
static size_t comparable(size_t signature, size_t done, size_t n)
{
	size_t left = signatures[signature].length - done;

	return n < left ? n : left;
}

/* Whether a signature begins with this byte. */
static bool begins_signature(char byte)
{
	return byte == 'P' || byte == '\r';
}

bool proxy_header_take(struct proxy_header *header, const char *bytes, size_t n)
{
	size_t done = header->length;

	if (done == 0 && n > 0 && !begins_signature(bytes[0])) {
		header->possible = 0;
		return false;
	}
	for (unsigned i = 0; i < SIGNATURES; i++) {
		size_t length;

		if (!(header->possible & 1u << i))
			continue;
		length = comparable(i, done, n);
		if (memcmp(signatures[i].bytes + done, bytes, length) != 0)
			header->possible &= (unsigned char)~(1u << i);
		else if (done + length == signatures[i].length) {
			header->possible = 0;
			return true;
		}
	}
	header->length = (unsigned char)(done + n);
	return false;
}
