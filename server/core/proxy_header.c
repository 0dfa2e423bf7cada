/*
 * The bytes are compared as they come, and no byte is held back: an echo client that sends
 * "PROXY" and waits for its echo gets it. A signature of version 1 goes as far as the byte
 * after the protocol's name. The word "PROXY" alone may be a client's own.
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

/* How many of the next n bytes a signature can still say something about. */
static size_t comparable(size_t signature, size_t done, size_t n)
{
	size_t left = signatures[signature].length - done;

	return n < left ? n : left;
}

bool proxy_header_take(struct proxy_header *header, const char *bytes, size_t n)
{
	size_t done = header->length;

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
