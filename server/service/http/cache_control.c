/*
 * cache_control - checks the value of --cache-control at the start.
 *
 * The value is sent with every answer, so a mistake would reach every cache. The check
 * follows the grammar and knows the directives whose argument is a number of seconds.
 * Unknown directives pass. It runs once, so its speed does not matter.
 */
#include "server/service/http/cache_control.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"

enum { DIGITS = 10 };

/* RFC 9111, section 1.2.2: larger values count as this one. */
#define SECONDS_MOST ((uint64_t)1 << 31)

/* RFC 9110, section 5.6.2. */
static size_t token_length(const char *text)
{
	return strspn(text, "!#$%&'*+-.^_`|~0123456789"
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

/* The length of a quoted-string (section 5.6.4) with its quotes; 0: none. */
static size_t quoted_length(const char *text)
{
	size_t at = 1;

	if (*text != '"')
		return 0;
	for (; text[at] != '"'; at++) {
		if (text[at] == '\\')
			at++;
		if (text[at] < ' ' || text[at] > '~') /* also a NUL */
			return 0;
	}
	return at + 1;
}

static bool is_in_seconds(const char *name, size_t length)
{
	static const char *const names[] = { "max-age", "s-maxage",
					     "stale-while-revalidate", "stale-if-error" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == length &&
		    strncasecmp(name, names[i], length) == 0)
			return true;
	return false;
}

static bool is_seconds(const char *argument, size_t length)
{
	char digits[DIGITS + 1];
	uint64_t seconds;

	if (length > DIGITS)
		return false;
	memcpy(digits, argument, length);
	digits[length] = '\0';
	return text_number(digits, 0, SECONDS_MOST, &seconds);
}

/* @return the length of the directive at the start of text; 0: none */
static size_t directive_length(const char *text)
{
	size_t name = token_length(text), argument;
	bool needs_seconds = is_in_seconds(text, name);
	const char *from = text + name + 1;

	if (name == 0 || text[name] != '=')
		return needs_seconds ? 0 : name;
	argument = *from == '"' ? quoted_length(from) : token_length(from);
	if (argument == 0 || (needs_seconds && !is_seconds(from, argument)))
		return 0;
	return name + 1 + argument;
}

bool http_cache_control_is_valid(const char *value)
{
	size_t length;

	if (strlen(value) > HTTP_CACHE_CONTROL_MOST)
		return false;
	for (;;) {
		length = directive_length(value);
		if (length == 0)
			return false;
		value += length;
		value += strspn(value, " ");
		if (*value == '\0')
			return true;
		if (*value != ',')
			return false;
		value++;
		value += strspn(value, " ");
	}
}
