/*
 * http_stream - what a client sends on one connection, read by the parser of HTTP requests
 * as httpd reads it: in pieces that end anywhere, request behind request, to the first error
 * or to the end. For the tests and the fuzz target, which has no Check.
 *
 * Each call of the parser has its bytes in a block of exactly their size, at a place of its
 * own, so that a sanitizer sees who reads beyond them or where they were before. And what
 * the parser says of them is held against what must be true of every request it lets pass,
 * by other means than its own: two fields that are called Host are found by looking for two.
 */
#ifndef TESTS_HTTP_STREAM_H
#define TESTS_HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/service/http/request.h"

/** One request of the stream. */
struct http_seen {
	size_t at; /* of its first byte in the stream */
	enum http_progress header;
	enum http_progress body; /* if the header is HTTP_DONE; of none, HTTP_DONE */
	size_t body_length;      /* of what the body had on the wire */
	struct http_request request;
};

enum { HTTP_STREAM_MOST = 32 };

/** A stream as it was read. Of more requests than HTTP_STREAM_MOST the last are not looked
 *  at. */
struct http_stream {
	struct http_seen seen[HTTP_STREAM_MOST];
	size_t count;
	const char *wrong; /* what the parser got wrong; NULL: nothing was noticed */
};

/** Where the next piece ends that begins at @p from: behind it, and not behind @p n. */
typedef size_t http_cut(void *context, size_t from, size_t n);

/** Reads @p n bytes in the pieces that @p cut makes of them.
 *  @param most  bytes that a body may have */
void http_stream_read(struct http_stream *stream, const char *bytes, size_t n,
		      uint64_t most, http_cut *cut, void *context);

/** Cuts: nowhere; in pieces of *(size_t *)context bytes; in two, at *(size_t *)context. */
http_cut http_cut_nowhere, http_cut_in_pieces, http_cut_once;

/** Whether two readings of the same bytes came to the same, in everything that a service
 *  can see. */
bool http_stream_equals(const struct http_stream *one, const struct http_stream *other);

#endif
