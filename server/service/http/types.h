/*
 * types - the media type of a file: from the extension of its name, or from its first
 * bytes.
 */
#ifndef SERVER_SERVICE_HTTP_TYPES_H
#define SERVER_SERVICE_HTTP_TYPES_H

/** @return the Content-Type for a name or path: "text/html; charset=utf-8" for
 *          "a/INDEX.HTML", "application/octet-stream" for an unknown extension */
const char *http_type(const char *name);

/** @return the Content-Type of the open file @p fd of that name. For a name without an
 *          extension (README, Makefile) it is "text/plain; charset=utf-8" if the first
 *          512 bytes are UTF-8, have no control characters except white space and ESC,
 *          and there is at least one byte */
const char *http_type_of_file(const char *name, int fd);

#endif
