/*
 * discard - reads what it receives, and drops it (RFC 863).
 *
 * Use it to see what a client sends (-o prints it) and how fast the client can send.
 * With -o each piece of 512 bytes costs one write(2) to standard output. A slow reader
 * of that output delays a line by at most a tenth of a second; then the line is lost.
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

/* PIECE: bytes of input for one line of output. Each byte needs up to four characters. */
enum { PIECE = 512, LINE_TEXT = ADDRESS_TEXT + 4 * PIECE + 8 };

static bool printing;
static struct io_lines *lines; /* shared by all processes of the server */

/* Each line is one write(2), so that lines of different clients do not mix. If the
 * reader of standard output stops or exits, the server continues. */
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
		return failure_set(failure, "cannot start: %s", strerror(errno));
	return 0;
}

static const struct option_line discard_options[] = {
	{ 'o', "output", NULL, "print received bytes, escaped, on standard output" },
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
