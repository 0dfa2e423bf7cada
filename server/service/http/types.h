/*
 * types - the media type of a file, by the extension of its name.
 */
#ifndef SERVER_SERVICE_HTTP_TYPES_H
#define SERVER_SERVICE_HTTP_TYPES_H

/** The Content-Type of a file of that name, or path: "text/html; charset=utf-8" of
 *  "a/INDEX.HTML", "application/octet-stream" where the extension says nothing. */
const char *http_type(const char *name);

#endif
