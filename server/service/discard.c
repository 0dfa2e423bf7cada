/*
 * discard - what comes in goes nowhere (RFC 863).
 *
 * Useful to see what a client sends (-o prints it), and how fast it can send.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/options.h"
#include "common/text.h"
#include "server/service.h"
#include "server/core/session.h"

/* So much of the input makes a line of output: four characters for each byte at most. */
enum { PIECE = 512, LINE_TEXT = ADDRESS_TEXT + 4 * PIECE + 8 };

static bool printing;
static struct io_lines *lines; /* with all processes of the server */

/* One write(2) for each line, so that those of many clients do not run into each other.
 * Who reads them may stop, or leave; we go on. */
static void print_piece(const char *peer, const char *bytes, size_t n)
{
	char line[LINE_TEXT];
	int length = snprintf(line, sizeof line, "%s: ", peer);
	size_t used = length > 0 ? (size_t)length : 0;

	used += text_escape(bytes, n, line + used, sizeof line - used - 1);
	line[used++] = '\n';
	io_write_line(STDOUT_FILENO, line, used, true, lines);
}

static size_t discard_input(struct session *session, const char *bytes, size_t n)
{
	char peer[ADDRESS_TEXT];

	if (!printing)
		return n;
	session_peer(session, peer);
	for (size_t i = 0; i < n; i += PIECE)
		print_piece(peer, bytes + i, n - i < PIECE ? n - i : PIECE);
	return n;
}

static void discard_datagram(struct session *session, const char *bytes, size_t n)
{
	char peer[ADDRESS_TEXT];

	if (n > 0)
		discard_input(session, bytes, n);
	else if (printing)
		print_piece(session_peer(session, peer), bytes, 0);
}

static int discard_option(int letter, const struct options *options,
			  struct failure *failure)
{
	(void)letter;
	(void)options;
	(void)failure;
	printing = true;
	return 0;
}

static int discard_prepare(struct failure *failure)
{
	if (printing)
		lines = io_lines_create();
	if (printing && lines == NULL)
		return failure_set(failure, "cannot begin: %s", strerror(errno));
	return 0;
}

static const struct option_line discard_options[] = {
	{ 'o', "output", NULL, "print what comes, escaped, to standard output" },
	{ 0 },
};

const struct service discard_service = {
	.name = "discard",
	.summary = "reads what it receives, and drops it (RFC 863)",
	.port = "7009", /* RFC 863 says 9, which takes a privileged server */
	.descriptors = SERVICE_OPENS_NONE,
	.options = discard_options,
	.option = discard_option,
	.prepare = discard_prepare,
	.input = discard_input,
	.never_replies = true,
	.datagram = discard_datagram,
};
