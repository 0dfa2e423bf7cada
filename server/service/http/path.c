/*
 * path - decodes a path in one pass, then removes its dot segments in place.
 *
 * The order matters: "%2e%2e" must be decoded before ".." is removed, and an encoded '/'
 * must never become a separator. The result has no empty, "." or ".." component, so the
 * checks that follow see the name that is opened. No memory is allocated.
 */
#include "server/service/http/path.h"

#include <string.h>

static int hex_digit(char digit)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = memchr(digits, digit, sizeof digits - 1);

	if (at == NULL)
		return -1;
	return (int)(at - digits) < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

/* The byte for the two digits after a '%', or -1. */
static int decode_byte(const char *digits, size_t left)
{
	int high = left >= 2 ? hex_digit(digits[0]) : -1;
	int low = left >= 2 ? hex_digit(digits[1]) : -1;

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* The byte at text[*at], decoded, or -1. *at is moved after it. */
static int next_byte(const char *text, size_t length, size_t *at)
{
	size_t i = *at;

	if (text[i] != '%') {
		*at = i + 1;
		return (unsigned char)text[i];
	}
	*at = i + 3;
	return decode_byte(text + i + 1, length - i - 1);
}

/* ---- paths ----------------------------------------------------------------------------- */

/* Whether a path may contain that byte. An encoded '/' would become part of a name. */
static bool is_possible(int byte, bool encoded)
{
	return byte >= ' ' && byte != 127 && !(encoded && byte == '/');
}

/* Decodes a path without its first '/'. @return 0, or the status */
static int decode(const char *path, size_t length, char name[PATH_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < length;) {
		bool encoded = path[i] == '%';
		int byte = next_byte(path, length, &i);

		if (byte < 0)
			return 400;
		if (!is_possible(byte, encoded) || used == PATH_MAX - 1)
			return 404;
		name[used++] = (char)byte;
	}
	name[used] = '\0';
	return 0;
}

/* The length of the first @p used bytes of a name without their last component. */
static size_t parent(const char *name, size_t used)
{
	used--; /* the '/' at the end */
	while (used > 0 && name[used - 1] != '/')
		used--;
	return used;
}

/* Removes empty components, "." and "..", in place. @return false if the path leads
 * above the root */
static bool remove_dot_segments(char *name)
{
	const char *component = name;
	size_t used = 0, length;

	for (; *component != '\0'; component += length) {
		length = strcspn(component, "/");
		if (component[length] == '/')
			length++;
		if (strncmp(component, "../", length) == 0 && length >= 2) {
			if (used == 0)
				return false;
			used = parent(name, used);
		} else if (strncmp(component, "./", length) != 0 && *component != '/') {
			memmove(name + used, component, length);
			used += length;
		}
	}
	name[used] = '\0';
	return true;
}

int http_path_name(const char *path, size_t length, char name[PATH_MAX], const char **why)
{
	int status;

	*why = NULL;
	if (length == 0 || path[0] != '/')
		return 400;
	status = decode(path + 1, length - 1, name);
	if (status != 0)
		return status;
	if (remove_dot_segments(name))
		return 0;
	*why = "the path leads above the directory that is served";
	return 400;
}

/* ---- queries --------------------------------------------------------------------------- */

static enum http_query decode_value(const char *text, size_t length, char *value,
				    size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length;) {
		int byte = next_byte(text, length, &i);

		if (byte <= 0 || used == size - 1)
			return HTTP_QUERY_BAD;
		value[used++] = (char)byte;
	}
	value[used] = '\0';
	return HTTP_QUERY_FOUND;
}

enum http_query http_query_value(const char *query, size_t length, const char *key,
				 char *value, size_t size)
{
	const char *end = query + length;
	size_t key_length = strlen(key);

	while (query < end) {
		const char *ampersand = memchr(query, '&', (size_t)(end - query));
		const char *next = ampersand != NULL ? ampersand : end;
		size_t part = (size_t)(next - query);

		if (part > key_length && query[key_length] == '=' &&
		    memcmp(query, key, key_length) == 0)
			return decode_value(query + key_length + 1, part - key_length - 1,
					    value, size);
		query = ampersand != NULL ? next + 1 : end;
	}
	return HTTP_QUERY_NONE;
}

/* ---- encoding -------------------------------------------------------------------------- */

static bool is_unreserved(char byte)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";

	return memchr(unreserved, byte, sizeof unreserved - 1) != NULL;
}

size_t http_encode(char byte, char out[HTTP_ENCODED])
{
	static const char digits[] = "0123456789ABCDEF";

	out[0] = byte;
	if (is_unreserved(byte))
		return 1;
	out[0] = '%';
	out[1] = digits[(unsigned char)byte >> 4];
	out[2] = digits[(unsigned char)byte & 15];
	return HTTP_ENCODED;
}
