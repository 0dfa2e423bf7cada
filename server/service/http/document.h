/*
 * document - what a path means in the served directory: a file, a listing, a redirect,
 * or an error.
 *
 * No path leads out of the directory: the kernel resolves each name within it
 * (common/open_within.h), and follows no symbolic link. Names that begin with a dot are
 * hidden, except /.well-known/. Only regular files and directories are served.
 */
#ifndef SERVER_SERVICE_HTTP_DOCUMENT_H
#define SERVER_SERVICE_HTTP_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/root.h"

struct http_listing;

/** The directory that is served. */
struct http_root {
	struct root directory;
	bool listings; /* list a directory without index.html, instead of 403 */
};

/** The parts of a request that select the document, not terminated. */
struct http_target {
	const char *path; /* begins with '/' */
	size_t path_length;
	const char *query;
	size_t query_length; /* 0: no query */
};

/** The result. */
struct http_document {
	/* 200: a file or a listing; 301: a directory, whose path needs a '/' at its
	 * end; 400, 403, 404, 500 or 503 (no descriptors or memory left) */
	int status;
	/* a short explanation if the status does not say enough; else NULL */
	const char *why;
	int fd; /* a file, open for reading, which the caller closes; else -1 */
	/* a listing that was started, which the caller ends; else NULL */
	struct http_listing *listing;
	uint64_t size;    /* bytes of the file */
	time_t modified;  /* of a file */
	long nanoseconds; /* of modified */
	const char
		*type; /* Content-Type: "text/html; charset=utf-8"; never NULL for 200 */
};

/**
 * Finds the document for @p target. The path is read by http_path_name().
 *
 * 400: the path cannot be decoded or leads above the root; or the query "after=NAME"
 * of a listing cannot be decoded. 404: the name cannot exist here: a component begins
 * with a dot (except ".well-known" as the first one, RFC 8615); it contains an encoded
 * '/', NUL or other control character; or it is a file with a '/' at its end. 403: it
 * exists, but must not be read or is not served: a symbolic link, a FIFO, a socket, a
 * device, or a directory without index.html. 500 and 503: errors of the system; 503
 * also while the served directory is missing. If that is created again, it is served
 * from the next request on.
 */
void http_document_find(struct http_root *root, const struct http_target *target,
			struct http_document *document);

/** @return the status for an errno: 403, 404, 500, or 503 if there are no descriptors
 *          or memory left
 *  @param why  receives an explanation, or NULL */
int http_document_status(int error, const char **why);

/** Releases what the document owns. What the caller has taken (fd set to -1, listing to
 *  NULL) is not released. */
void http_document_release(struct http_document *document);

#endif
