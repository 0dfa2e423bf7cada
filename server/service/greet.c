/*
 * greet - sends a message to each client, and closes (RFC 865).
 *
 * The message is a fixed text, or a random line of a file (the quote of the day). The
 * file is read once, before the first client, so serving a client opens nothing. The
 * cost is the memory for all lines, at most 1000000 lines of 8192 bytes. Forked children
 * share these pages.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/options.h"
#include "common/text.h"
#include "server/service.h"
#include "server/core/session.h"

enum { CULPRIT_TEXT = 80, LINE_MOST = 8192, LINES_MOST = 1000000 };

static const char *message_text = "Welcome to the server";
static const char *file_name;
static char **lines; /* of the file */
static size_t line_count;

/* Keeps a copy of a line that is not empty, without its end. A NUL ends the line, too. */
static int keep_line(const char *line, size_t length, size_t number,
		     struct failure *failure)
{
	char **grown;

	length = strnlen(line, length);
	while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
		length--;
	if (length == 0)
		return 0;
	if (length > LINE_MOST)
		return failure_set(failure, "line %zu is longer than %d bytes", number,
				   LINE_MOST);
	if (line_count == LINES_MOST)
		return failure_set(failure, "more than %d lines", LINES_MOST);
	if ((line_count & (line_count - 1)) == 0) { /* 0 or a power of two: double */
		grown = realloc(lines, (line_count ? line_count * 2 : 1) * sizeof *lines);
		if (grown == NULL)
			return failure_set(failure, "%s", strerror(errno));
		lines = grown;
	}
	lines[line_count] = strndup(line, length);
	if (lines[line_count] == NULL)
		return failure_set(failure, "%s", strerror(errno));
	line_count++;
	return 0;
}

static int read_lines(struct failure *failure)
{
	struct failure why = { .text = "" };
	FILE *file = fopen(file_name, "re");
	char *line = NULL, name[CULPRIT_TEXT];
	size_t size = 0, number = 0;
	ssize_t length;
	int result = 0;

	if (file == NULL)
		failure_set(&why, "%s", strerror(errno));
	while (file != NULL && result == 0 && (length = getline(&line, &size, file)) >= 0)
		result = keep_line(line, (size_t)length, ++number, &why);
	if (file != NULL && ferror(file) && result == 0)
		failure_set(&why, "%s", strerror(errno));
	if (why.text[0] == '\0' && line_count == 0)
		failure_set(&why, "the file has no line with text");
	free(line);
	if (file != NULL)
		fclose(file);
	if (why.text[0] == '\0')
		return 0;
	text_escape(file_name, strlen(file_name), name, sizeof name);
	return failure_set(failure, "cannot read a message from %s: %s", name, why.text);
}

static int greet_option(int letter, const struct options *options,
			struct failure *failure)
{
	(void)failure;
	if (letter == 'f')
		file_name = options->value;
	else
		message_text = options->value;
	return 0;
}

static int greet_prepare(struct failure *failure)
{
	return file_name ? read_lines(failure) : 0;
}

/* Chooses a line by the clock: forked children that inherit a random number generator
 * would all draw the same number. The constant is from SplitMix64. */
static size_t any_line(void)
{
	uint64_t number = (uint64_t)clock_nanoseconds() * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)((number ^ number >> 32) % line_count);
}

static void greet(struct session *session)
{
	const char *text = line_count > 0 ? lines[any_line()] : message_text;

	session_write(session, text, strlen(text));
	session_write(session, "\n", 1);
}

static void greet_open(struct session *session)
{
	greet(session);
	session_finish(session);
}

/* RFC 865: received data is discarded. */
static size_t greet_input(struct session *session, const char *bytes, size_t n)
{
	(void)session;
	(void)bytes;
	return n;
}

static void greet_datagram(struct session *session, const char *bytes, size_t n)
{
	(void)bytes;
	(void)n;
	greet(session);
}

static const struct option_line greet_options[] = {
	{ 'm', "message", "TEXT", "the message (default: Welcome to the server)" },
	{ 'f', "file", "FILE",
	  "send a random line of FILE to each client, not\n"
	  "the message of -m" },
	{ 0 },
};

const struct service greet_service = {
	.name = "greet",
	.summary = "sends a message to each client, and closes (RFC 865)",
	.port = "7017", /* RFC 865 says 17, which takes a privileged server */
	.descriptors = SERVICE_OPENS_NONE,
	.speaks_first = true,
	.options = greet_options,
	.option = greet_option,
	.prepare = greet_prepare,
	.open = greet_open,
	.input = greet_input,
	.datagram = greet_datagram,
};
