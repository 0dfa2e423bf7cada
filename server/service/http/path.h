/*
 * path - the path of a request: decoded, without dot segments, and encoded again for a link.
 *
 * A path is a string of bytes for the client and a list of names for the file system. Each
 * byte may be percent-encoded (RFC 3986, section 2.1). It is decoded once and only here, and
 * what is checked later is what is opened later.
 */
#ifndef SERVER_SERVICE_HTTP_PATH_H
#define SERVER_SERVICE_HTTP_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * Decodes @p path, removes the segments "." and ".." (RFC 3986, section 5.2.4), encoded ones
 * too (section 6.2.2.2), and merges slashes: "//a/./b/%2e%2e/c" is "a/c".
 *
 * @param path  as it stands in a request: it begins with '/', and has no query
 * @param name  receives the name below the root, with a '/' at its end if it means a
 *              directory; "" is the root
 * @param why   receives what is wrong, or NULL where the status says it
 * @return 0, or a status. 400: it does not begin with '/', it cannot be decoded, or a ".."
 *         leads above the root (section 5.2.4 drops such a "..", nginx and Apache answer
 *         400, and so do we: only an attack has one). 404: no file can have this name, since
 *         it has an encoded '/', NUL or other control character, or is too long
 */
int http_path_name(const char *path, size_t length, char name[PATH_MAX],
		   const char **why);

/** What http_query_value() finds. */
enum http_query { HTTP_QUERY_NONE, HTTP_QUERY_FOUND, HTTP_QUERY_BAD };

/**
 * Finds "KEY=VALUE" among the parts of a query, which are separated by '&', and decodes the
 * value. A '+' is a plus sign.
 *
 * @param value  receives it, terminated
 * @return HTTP_QUERY_BAD if the value cannot be decoded, has a NUL in it, or does not fit
 *         into @p size bytes
 */
enum http_query http_query_value(const char *query, size_t length, const char *key,
				 char *value, size_t size);

enum { HTTP_ENCODED = 3 };

/** Encodes one byte of a path or query: all but the unreserved characters (RFC 3986,
 *  section 2.3) become "%XX". So no byte of a name is markup, ends a line, or, as the ':' of
 *  "javascript:" would, begins another kind of link.
 *  @return how many characters were written, 1 or HTTP_ENCODED */
size_t http_encode(char byte, char out[HTTP_ENCODED]);

#endif
