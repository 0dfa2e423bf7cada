/*
 * types - the media type of a file: by the extension of its name, or by its first bytes.
 */
#ifndef SERVER_SERVICE_HTTP_TYPES_H
#define SERVER_SERVICE_HTTP_TYPES_H

/** The Content-Type of a file of that name, or path: "text/html; charset=utf-8" of
 *  "a/INDEX.HTML", "application/octet-stream" where the extension says nothing. */
const char *http_type(const char *name);

/** The Content-Type of the open file @p fd of that name. A name without an extension (README,
 *  Makefile) says nothing: then it is "text/plain; charset=utf-8" if the first 512 bytes are
 *  UTF-8 and have no control characters but white space and ESC, and there is at least one. */
const char *http_type_of_file(const char *name, int fd);

#endif
