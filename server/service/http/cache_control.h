/*
 * cache_control - the value of the Cache-Control field (RFC 9111, section 5.2).
 */
#ifndef SERVER_SERVICE_HTTP_CACHE_CONTROL_H
#define SERVER_SERVICE_HTTP_CACHE_CONTROL_H

#include <stdbool.h>

/** The longest value, in bytes. */
enum { HTTP_CACHE_CONTROL_MOST = 256 };

/**
 * Checks a value for the Cache-Control field: directives separated by commas, each a
 * token, "token=token" or "token=\"text\"". The argument of max-age and s-maxage, and
 * of stale-while-revalidate and stale-if-error (RFC 5861), must be a number of seconds
 * up to 2147483648. Other directives pass unchecked: a cache ignores a directive that
 * it does not know.
 */
bool http_cache_control_is_valid(const char *value);

#endif
