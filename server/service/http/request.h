/*
 * request - the parser of HTTP requests (RFC 9110, RFC 9112).
 *
 * The parser is incremental. For the header it gets all bytes of the request that have
 * arrived so far, from the first one, and continues where it stopped. It copies and
 * allocates nothing: its results are positions in these bytes. So the caller keeps the
 * header until it is complete. A body may have any length, and is consumed as it
 * arrives.
 *
 * The parser is strict. If a server and a proxy in front of it read the same bytes as
 * different requests, a client can insert a request into the connection of another
 * ("request smuggling", RFC 9112, section 11.2). So what the RFC forbids is an error
 * here, and after an error the rest of the connection is ignored.
 */
#ifndef SERVER_SERVICE_HTTP_REQUEST_H
#define SERVER_SERVICE_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The limits of a request. */
enum {
	/* Bytes of the request line, without its end. More is 414, or 501 if all of it
	 * is the method (RFC 9112, section 3). */
	HTTP_LINE = 8192,
	/* Bytes of the header, with all line ends and empty lines before it; and again
	 * of the trailer section. More is 431, and so are more fields. */
	HTTP_HEADER = 32768,
	HTTP_FIELDS = 100,
	HTTP_EMPTY_LINES = 4,   /* before the request line; 400 */
	HTTP_CHUNK_DIGITS = 16, /* of the size of a chunk, with leading zeros; 400 */
	HTTP_EXTENSIONS = 4096, /* bytes of all chunk extensions of one body; 400 */
};

/** A range of the bytes of the request: length bytes from bytes[at] on. */
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

/** The result for the bytes so far. */
enum http_progress {
	HTTP_MORE, /* valid so far, but incomplete */
	HTTP_DONE, /* the header, or the body, is complete */
	HTTP_BAD,  /* invalid, see request->status: the connection must be closed */
};

/** One request. Zeroed is the initial state. */
struct http_request {
	/* The header, when it is HTTP_DONE: */
	enum http_method method;
	/* as it arrived, without its end, for the log. For an invalid request as
	 * much as was read */
	struct http_piece line;
	/* "/a%20b"; "*" for OPTIONS; "/" if an absolute target has none; empty for
	 * CONNECT. Not decoded, but each '%' is followed by two digits */
	struct http_piece path;
	struct http_piece query; /* after the '?'; at is 0 without a '?' */
	/* with its port, if there is one: from an absolute target or CONNECT, else
	 * from the Host field; may be empty there, and is empty in HTTP/1.0 without
	 * that field */
	struct http_piece host;
	struct http_piece fields; /* the field lines, each with its end */
	/* of the header: from the first byte (including empty lines before it) to
	 * the end of its empty line */
	size_t length;
	unsigned minor;  /* of the version HTTP/1.minor; 1 stands for higher ones, too */
	bool keep_alive; /* what the client requests, by version and Connection */
	bool continues;  /* the client waits for "100 Continue", and has a body */
	bool has_body;   /* chunked, or with a length of 1 or more */
	bool chunked;
	/* bytes still to arrive: of a body with a length, or of the chunk */
	uint64_t body_left;

	/* For HTTP_BAD: 400, 413, 414, 417, 431, 501 or 505, and a short explanation
	 * ("the Host field is missing"). */
	int status;
	const char *why;

	/* Internal to the parser: */
	uint64_t body_seen; /* bytes of content */
	size_t next;        /* of the header: the first byte not examined yet */
	unsigned state;
	uint32_t mark;        /* where the current word begins */
	uint32_t value_at;    /* after the colon of the current field */
	uint32_t fields_seen; /* of the header, then of the trailer section */
	uint32_t extra;       /* bytes of chunk extensions, then of the trailer section */
	unsigned char empty_lines;
	unsigned char digits; /* of the chunk's size */
	bool connects;        /* the method is CONNECT */
	bool in_trailer;
	bool has_host, counted; /* Host, Content-Length were seen */
	bool coded;             /* Transfer-Encoding was seen */
	bool coded_otherwise;   /* it has a coding other than chunked */
	bool closes, persists;  /* Connection: close, keep-alive */
	bool expects;           /* Expect: 100-continue */
};

/**
 * Parses the header. @p bytes are the @p n (0 or more) bytes that have arrived, from
 * the first one of the request; they may have moved since the last call. Never needs
 * more than HTTP_HEADER bytes. The result does not depend on how the bytes were split
 * into calls.
 */
enum http_progress http_request_header(struct http_request *request, const char *bytes,
				       size_t n);

/**
 * Parses the body after the header: the next @p n (0 or more) bytes, which were not
 * passed before. For a chunked body also the trailer section, whose fields are checked
 * and discarded. A request without a body is HTTP_DONE at once.
 *
 * @param most      limit of the content in bytes: more is 413. A body with a length
 *              above it fails in the first call, even with no bytes
 * @param consumed  receives how many of the bytes belong to the body; if it is
 *                  invalid, how many were valid
 */
enum http_progress http_request_body(struct http_request *request, const char *bytes,
				     size_t n, uint64_t most, size_t *consumed);

/**
 * Finds fields by name, in a header that is HTTP_DONE: the first one if *found is
 * zeroed, else the next one after *found.
 *
 * @param bytes  the bytes of the request, from the first one
 * @param name   in lower case
 * @param found  receives the value, without the white space around it; it may be empty
 * @return false if there is no (further) such field
 */
bool http_request_field(const struct http_request *request, const char *bytes,
			const char *name, struct http_piece *found);

#endif
