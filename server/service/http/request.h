/*
 * request - the parser of HTTP requests (RFC 9110, RFC 9112).
 *
 * It is incremental: it is given all bytes of the request that have come so far, again
 * from the first on, and goes on where it stopped. It copies nothing and allocates nothing:
 * what it found are places in those bytes. So a header is given to it until it is whole,
 * and only then consumed; a body may be of any length, and is taken as it comes.
 *
 * And it is strict. Where a server and the proxy before it read the same bytes as different
 * requests, one client can slip a request into another's connection ("request smuggling",
 * RFC 9112, section 11.2). So what the RFC forbids is an error here, and after an error
 * nothing more of the connection is believed.
 */
#ifndef SERVER_SERVICE_HTTP_REQUEST_H
#define SERVER_SERVICE_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What is the most that a request may have; more is 414 or 431. Bytes, and fields. */
enum { HTTP_LINE = 8192, HTTP_HEADER = 32768, HTTP_FIELDS = 100 };

/** A piece of the request's bytes: bytes[at] and so many from there on. */
struct http_piece {
	uint32_t at, length;
};

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_OPTIONS,
	HTTP_NOT_ALLOWED, /* known to RFC 9110 or 5789, but not served: 405 */
	HTTP_UNKNOWN,     /* 501 */
};

/** What came of the bytes that there are. */
enum http_progress {
	HTTP_MORE, /* so far they are right, but more must come */
	HTTP_DONE, /* the header, or the body, is whole */
	HTTP_BAD,  /* request->status says why: the connection is to be closed */
};

/** One request. Zeroed is how it begins. */
struct http_request {
	/* Of the header, when it is HTTP_DONE: */
	enum http_method method;
	struct http_piece line;   /* as it came, without its end: for the log */
	struct http_piece path;   /* "/a%20b"; "*" of OPTIONS; "/" where an absolute
				     target has none. Not decoded */
	struct http_piece query;  /* behind the '?', without it */
	struct http_piece host;   /* of an absolute target, else of the Host field; empty
				     in HTTP/1.0 without one */
	struct http_piece fields; /* from the first field line to the end of the last */
	size_t length;   /* of the header: from the request's first byte (an empty
				     line before it counts) to the last of its empty line */
	unsigned minor;  /* of the version: HTTP/1.minor; 1 stands for higher ones */
	bool keep_alive; /* what the client asks for, by version and Connection */
	bool continues;  /* it waits for "100 Continue", and has a body */
	bool has_body;   /* chunked, or counted and of 1 byte or more */
	bool chunked;
	uint64_t body_left; /* of a counted body: bytes still to come */

	/* Of a HTTP_BAD one: 400, 413, 414, 431, 501 or 505, and why, in a few words for a
	 * person ("the Host field is missing"). */
	int status;
	const char *why;

	/* The parser's own. */
	uint64_t body_seen; /* bytes of content */
	size_t next;        /* the first byte that was not looked at */
			    /* … */
};

/** Reads the header. @p bytes are the @p n (0 or more) that there are, from the request's
 *  first one on. More of them than HTTP_LINE and HTTP_HEADER allow are never needed. */
enum http_progress http_request_header(struct http_request *request, const char *bytes,
				       size_t n);

/**
 * Reads the body behind the header: the next @p n (0 or more) bytes, which have not been
 * given before. Of a chunked one also the trailer.
 *
 * @param most      what the content may have: more is 413. A counted body that is too long
 *                  is so at the first call, even with no bytes
 * @param consumed  receives how many of the bytes were the body's
 */
enum http_progress http_request_body(struct http_request *request, const char *bytes,
				     size_t n, uint64_t most, size_t *consumed);

/**
 * Finds fields by their name, in a header that is HTTP_DONE: the first one if *found is
 * zeroed, and then the next behind *found.
 *
 * @param bytes  the request's, from the first one on
 * @param name   in lower case
 * @param found  receives the value, without the white space around it; it may be empty
 * @return false if there is no (further) one
 */
bool http_request_field(const struct http_request *request, const char *bytes,
			const char *name, struct http_piece *found);

#endif
