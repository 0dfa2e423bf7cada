/*
 * document - what a path means in the directory that is served: a file, a listing, a
 * redirect, or an error.
 *
 * No path leaves the directory, whatever is in it: the kernel itself resolves each name
 * beneath it (common/beneath.h), and follows no symbolic link. Names that begin with a dot
 * are hidden. Only regular files and directories are served.
 */
#ifndef SERVER_SERVICE_HTTP_DOCUMENT_H
#define SERVER_SERVICE_HTTP_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/failure.h"

/** The directory that is served. */
struct http_root {
	int fd;        /* open on it */
	bool listings; /* a directory without index.html is listed, not 403 */
};

/** What was found. */
struct http_document {
	int status;       /* 200: a file or a listing; 301: there is a directory of that
			     name, and the path needs a '/' at its end; 400, 403, 404,
			     500 or 503 (out of descriptors or memory) */
	int fd;           /* of a file: open for reading, the caller closes it; else -1 */
	char *listing;    /* of a directory: a page of HTML; the caller frees it */
	uint64_t size;    /* bytes of the file or the listing */
	time_t modified;  /* of a file */
	long nanoseconds; /* of modified */
	const char
		*type; /* Content-Type: "text/html; charset=utf-8"; never NULL for 200 */
};

/** Opens the directory. @return 0, or -1 with *failure, which names it */
int http_root_open(struct http_root *root, const char *directory,
		   struct failure *failure);

/**
 * Finds what @p path means, as it stands in a request: it begins with '/', and what is not
 * a plain character may be percent-encoded (RFC 3986, section 2.1), once.
 *
 * 400 is a path that cannot be decoded. 404 is one that nothing here can have: with a
 * component that is empty ("//": a redirect to it would be one to another host), that begins
 * with a dot ("." and ".." as well, which a client resolves before it asks: RFC 3986,
 * section 5.2.4), or with an encoded '/', NUL or other control character; and a file with a
 * '/' at its end. 403 is what is there, but may not be read or is not served: a symbolic
 * link, a FIFO, a socket, a device, a directory without index.html.
 */
void http_document_find(const struct http_root *root, const char *path, size_t length,
			struct http_document *document);

/** Releases what the document owns; what the caller took (fd set to -1, listing to NULL)
 *  stays. */
void http_document_release(struct http_document *document);

#endif
