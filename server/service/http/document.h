/*
 * document - what a path means in the directory that is served: a file, a listing, a
 * redirect, or an error.
 *
 * No path leaves the directory, whatever is in it: the kernel itself resolves each name
 * beneath it (common/open_within.h), and follows no symbolic link. Names that begin with a dot
 * are hidden, but for /.well-known/. Only regular files and directories are served.
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
	bool listings; /* a directory without index.html is listed, not 403 */
};

/** What a request asks for: the pieces of it, not terminated. */
struct http_target {
	const char *path; /* it begins with '/' */
	size_t path_length;
	const char *query;
	size_t query_length; /* 0: there is none */
};

/** What was found. */
struct http_document {
	int status;      /* 200: a file or a listing; 301: there is a directory of that
			     name, and the path needs a '/' at its end; 400, 403, 404,
			     500 or 503 (out of descriptors or memory) */
	const char *why; /* in a few words, where the status does not say it; else NULL */
	int fd;          /* of a file: open for reading, the caller closes it; else -1 */
	struct http_listing *listing; /* of a directory: begun; the caller ends it */
	uint64_t size;                /* bytes of the file */
	time_t modified;              /* of a file */
	long nanoseconds;             /* of modified */
	const char
		*type; /* Content-Type: "text/html; charset=utf-8"; never NULL for 200 */
};

/**
 * Finds what @p target means: a path as http_path_name() reads it.
 *
 * 400 is a path that cannot be decoded or leads above the root, and a query "after=NAME" of a
 * listing that cannot be decoded. 404 is what nothing here can have: a component that begins
 * with a dot, but for ".well-known" as the first (RFC 8615); an encoded '/', NUL or other
 * control character; and a file with a '/' at its end. 403 is what is there, but may not be
 * read or is not served: a symbolic link, a FIFO, a socket, a device, a directory without
 * index.html. 500 and 503 are errors of the system; 503 is also everything while the served
 * directory has gone. One that was made anew is served from the next request on.
 */
void http_document_find(struct http_root *root, const struct http_target *target,
			struct http_document *document);

/** The status for an error of the system: 403, 404, 500, or 503 where it is out of
 *  descriptors or memory. @param why  receives what else there is to say, or NULL */
int http_document_status(int error, const char **why);

/** Releases what the document owns; what the caller took (fd set to -1, listing to NULL)
 *  stays. */
void http_document_release(struct http_document *document);

#endif
