/*
 * Fuzzes the parser of HTTP requests. The input is what a client sends on one connection:
 * it is read whole, and then again and again in pieces, and must come to the same each time.
 *
 * Where the pieces end is taken from the input itself, so that the fuzzer can look for the
 * places; a short input is also cut in two at every place, and read byte by byte.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fixture/http_stream.h"

enum { BODY_MOST = 100, SHORT = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void give_up(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Pieces of 1 to 32 bytes, as long as the byte says that they would begin with. */
static size_t cut_by_content(void *bytes, size_t from, size_t n)
{
	size_t length = ((const uint8_t *)bytes)[from] % 32u + 1;

	return n - from < length ? n : from + length;
}

static void expect_same(const struct http_stream *whole, const char *bytes, size_t n,
			http_cut *cut, void *context)
{
	static struct http_stream pieces;

	http_stream_read(&pieces, bytes, n, BODY_MOST, cut, context);
	if (pieces.wrong != NULL)
		give_up(pieces.wrong);
	if (!http_stream_equals(whole, &pieces))
		give_up("in pieces it is read as something else");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	static struct http_stream whole;
	const char *bytes = (const char *)input;

	http_stream_read(&whole, bytes, n, BODY_MOST, http_cut_nowhere, NULL);
	if (whole.wrong != NULL)
		give_up(whole.wrong);
	expect_same(&whole, bytes, n, cut_by_content, (void *)(uintptr_t)input);
	for (size_t place = 1; place < n && n <= SHORT; place++)
		expect_same(&whole, bytes, n, http_cut_once, &place);
	if (n <= SHORT)
		expect_same(&whole, bytes, n, http_cut_in_pieces, &(size_t){ 1 });
	return 0;
}
