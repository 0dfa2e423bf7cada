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

/** What is the most that a request may have. */
enum {
	HTTP_LINE = 8192,    /* bytes of the request line, without its end; more is 414,
				   or 501 where it is all method (RFC 9112, section 3) */
	HTTP_HEADER = 32768, /* bytes of the header with all line ends, empty lines before
				   it, too; and again of the trailer section; more is 431 */
	HTTP_FIELDS = 100,   /* of the header, and again of the trailer section; 431 */
	HTTP_EMPTY_LINES = 4,   /* before the request line; 400 */
	HTTP_CHUNK_DIGITS = 16, /* of a chunk's size, leading zeros too; 400 */
	HTTP_EXTENSIONS = 4096, /* bytes of all chunk extensions of one body; 400 */
};

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
	struct http_piece line;  /* as it came, without its end: for the log. Of a bad
				     request as much of it as was read */
	struct http_piece path;  /* "/a%20b"; "*" of OPTIONS; "/" where an absolute
				     target has none; empty of CONNECT. Not decoded,
				     but each '%' has its two digits */
	struct http_piece query; /* behind the '?', without it; at is 0 without a '?' */
	struct http_piece host; /* with its port, if it has one: of an absolute or CONNECT
				     target, else of the Host field; it may be empty
				     there, and is in HTTP/1.0 without one */
	struct http_piece fields; /* the field lines, each with its end */
	size_t length;   /* of the header: from the request's first byte (an empty
				     line before it counts) to the last of its empty line */
	unsigned minor;  /* of the version: HTTP/1.minor; 1 stands for higher ones */
	bool keep_alive; /* what the client asks for, by version and Connection */
	bool continues;  /* it waits for "100 Continue", and has a body */
	bool has_body;   /* chunked, or counted and of 1 byte or more */
	bool chunked;
	uint64_t body_left; /* bytes still to come: of a counted body, or of the chunk */

	/* Of a HTTP_BAD one: 400, 413, 414, 417, 431, 501 or 505, and why, in a few words
	 * for a person ("the Host field is missing"). */
	int status;
	const char *why;

	/* The parser's own. */
	uint64_t body_seen; /* bytes of content */
	size_t next;        /* of the header: the first byte that was not looked at */
	unsigned state;
	uint32_t mark;        /* where the word began that is being read */
	uint32_t value_at;    /* behind the colon of the field that is being read */
	uint32_t fields_seen; /* of the header, and then of the trailer section */
	uint32_t extra; /* bytes of chunk extensions, and then of the trailer section */
	unsigned char empty_lines;
	unsigned char digits; /* of the chunk's size */
	bool connects;        /* the method is CONNECT */
	bool in_trailer;
	bool has_host, counted; /* Host, Content-Length has been seen */
	bool coded,
		coded_otherwise; /* Transfer-Encoding has; and not only chunked in it */
	bool closes, persists;   /* Connection: close, keep-alive */
	bool expects;            /* Expect: 100-continue */
};

/**
 * Reads the header. @p bytes are the @p n (0 or more) that there are, from the request's
 * first one on; they may have moved since the last call. More of them than HTTP_HEADER are
 * never needed. What comes of them does not depend on how they were cut into calls.
 */
enum http_progress http_request_header(struct http_request *request, const char *bytes,
				       size_t n);

/**
 * Reads the body behind the header: the next @p n (0 or more) bytes, which have not been
 * given before. Of a chunked one also the trailer section, whose fields are checked and
 * dropped. A request without a body is HTTP_DONE at once.
 *
 * @param most      bytes that the content may have: more is 413. A counted body that is too
 *                  long is so at the first call, even with no bytes
 * @param consumed  receives how many of the bytes were the body's; of a bad one, how many
 *                  were right
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
