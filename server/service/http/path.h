/*
 * path - the path of a request: decoded, without dot segments, and encoded again for a
 * link.
 *
 * For the client a path is a string of bytes, for the file system a list of names. Each
 * byte may be percent-encoded (RFC 3986, section 2.1). It is decoded only once, and only
 * here. So the name that is checked is the name that is opened.
 */
#ifndef SERVER_SERVICE_HTTP_PATH_H
#define SERVER_SERVICE_HTTP_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * Decodes @p path, removes the segments "." and ".." (RFC 3986, section 5.2.4),
 * encoded ones too (section 6.2.2.2), and merges slashes: "//a/./b/%2e%2e/c" becomes
 * "a/c".
 *
 * @param path  as it is in the request: begins with '/', without the query
 * @param name  receives the name below the root, with a '/' at its end for a
 *              directory; "" is the root
 * @param why   receives a short explanation, or NULL if the status says enough
 * @return 0, or a status. 400: the path does not begin with '/', cannot be decoded, or
 *         leads above the root (section 5.2.4 ignores such a ".."; nginx and Apache
 *         answer 400, and so does this server, because only attacks use it). 404: no
 *         file can have this name, because it contains an encoded '/', NUL or other
 *         control character, or is too long
 */
int http_path_name(const char *path, size_t length, char name[PATH_MAX],
		   const char **why);

/** The result of http_query_value(). */
enum http_query { HTTP_QUERY_NONE, HTTP_QUERY_FOUND, HTTP_QUERY_BAD };

/**
 * Finds "KEY=VALUE" among the parts of a query, which are separated by '&', and
 * decodes the value. A '+' is a plus sign.
 *
 * @param value  receives the value, terminated
 * @return HTTP_QUERY_BAD if the value cannot be decoded, contains a NUL, or does not
 *         fit into @p size bytes
 */
enum http_query http_query_value(const char *query, size_t length, const char *key,
				 char *value, size_t size);

enum { HTTP_ENCODED = 3 };

/** Encodes one byte of a path or query: all except the unreserved characters (RFC 3986,
 *  section 2.3) become "%XX". So no byte of a name is markup, ends a line, or begins
 *  another kind of link, as the ':' of "javascript:" would.
 *  @return the number of characters written, 1 or HTTP_ENCODED */
size_t http_encode(char byte, char out[HTTP_ENCODED]);

#endif
