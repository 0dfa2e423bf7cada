#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "tests/waiting.h"

#include <check.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"

enum { PAUSE = 2 }; /* milliseconds between two looks */

void skipped(const char *reason)
{
	printf("skipped: %s\n", reason);
	fflush(stdout);
}

const char *find_program(const char *program, char out[TOOL_TEXT])
{
	const char *path = getenv("PATH");

	while (path != NULL && *path != '\0') {
		size_t length = strcspn(path, ":");

		snprintf(out, TOOL_TEXT, "%.*s/%s", (int)length, path, program);
		if (access(out, X_OK) == 0)
			return out;
		path += length + (path[length] == ':' ? 1 : 0);
	}
	return NULL;
}

const char *needed_program(const char *program, char out[TOOL_TEXT])
{
	if (find_program(program, out) != NULL)
		return out;
	printf("skipped: needs %s\n", program);
	fflush(stdout);
	return NULL;
}

bool eventually(bool (*condition)(void *context), void *context, int64_t timeout)
{
	int64_t end = clock_milliseconds() + timeout;

	while (!condition(context)) {
		if (clock_milliseconds() >= end)
			return condition(context);
		poll(NULL, 0, PAUSE);
	}
	return true;
}

void *much_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_msg(memory != MAP_FAILED, "no memory for %zu bytes", size);
	return memory;
}

void fill_pattern(void *bytes, size_t length, uint32_t seed)
{
	unsigned char *to = bytes;
	uint32_t state = seed * 2654435761u + 1;

	for (size_t i = 0; i < length; i++) {
		state ^= state << 13; /* Marsaglia's xorshift32 */
		state ^= state >> 17;
		state ^= state << 5;
		to[i] = (unsigned char)(state >> 11);
	}
}

void mask_http_dates(char *bytes, size_t length)
{
	static const char field[] = "\r\nDate: ",
			  date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	size_t before = sizeof field - 1, masked = sizeof date - 1;

	for (size_t at = 0; at + before + masked <= length; at++)
		if (memcmp(bytes + at, field, before) == 0)
			memset(bytes + at + before, '#', masked);
}

void expect_match(const char *text, const char *pattern)
{
	regex_t expression;
	int found;

	ck_assert_int_eq(regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB), 0);
	found = regexec(&expression, text, 0, NULL, 0);
	regfree(&expression);
	ck_assert_msg(found == 0, "'%s' does not match '%s'", text, pattern);
}

TCase *add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, SANITIZED ? 180 : 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

const char *source_folder(void)
{
	const char *folder = getenv("SOCKWAYS_SOURCE");

	return folder != NULL ? folder : ".";
}
