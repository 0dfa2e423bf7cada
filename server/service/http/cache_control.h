/*
 * cache_control - the value of the Cache-Control field (RFC 9111, section 5.2).
 */
#ifndef SERVER_SERVICE_HTTP_CACHE_CONTROL_H
#define SERVER_SERVICE_HTTP_CACHE_CONTROL_H

#include <stdbool.h>

/** The longest value, in bytes. */
enum { HTTP_CACHE_CONTROL_MOST = 256 };

/**
 * Whether an operator may have a server send it: directives that are separated by commas, each
 * a token, "token=token" or "token=\"text\"". Those whose argument is a number of seconds
 * (max-age, s-maxage; stale-while-revalidate, stale-if-error of RFC 5861) must have one of at
 * most 2147483648. Other directives pass as they are: a cache ignores what it does not know.
 */
bool http_cache_control_is_valid(const char *value);

#endif
