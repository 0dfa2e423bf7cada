/*
 * chargen - sends lines of characters without end (RFC 864).
 *
 * Each line has 72 of the 95 printable ASCII characters and begins one character later
 * than the line before. The server sends as fast as the client reads. Use it to see how
 * a client handles a server that does not stop, and how fast it can read. A client that
 * does not read costs up to about 4 MiB of socket buffers in the kernel (Linux
 * defaults).
 *
 * The text is made once, before the first client, in a table of whole periods. So each
 * write only passes a pointer to the table, and the next write continues where this one
 * ends.
 */
#include <stddef.h>
#include <string.h>

#include "server/service.h"
#include "server/core/session.h"

enum {
	CHARACTERS = 95, /* from ' ' to '~' */
	WIDTH = 72,
	LINE = WIDTH + 2,           /* with CR and LF */
	PERIOD = CHARACTERS * LINE, /* bytes after which the text repeats */
	PERIODS = 9,                /* periods in one write */
	DATAGRAM = 512,             /* the longest reply to a datagram (RFC 864) */
};

static char lines[PERIODS * PERIOD];

static int chargen_prepare(struct failure *failure)
{
	(void)failure;
	for (size_t i = 0; i < sizeof lines; i++) {
		size_t line = i / LINE, column = i % LINE;

		lines[i] = column == WIDTH ? '\r'
			   : column == WIDTH + 1
				   ? '\n'
				   : (char)(' ' + (line + column) % CHARACTERS);
	}
	return 0;
}

/* Writes whole periods, so that the next write continues where this one ends. */
static void chargen_drained(struct session *session)
{
	session_write(session, lines, sizeof lines);
}

/* RFC 864: received data is discarded. */
static size_t chargen_input(struct session *session, const char *bytes, size_t n)
{
	(void)session;
	(void)bytes;
	return n;
}

/* A half-close does not end the stream. Only a close does. */
static void chargen_end(struct session *session, const char *bytes, size_t n)
{
	(void)session;
	(void)bytes;
	(void)n;
}

static void chargen_datagram(struct session *session, const char *bytes, size_t n)
{
	(void)bytes;
	(void)n;
	session_write(session, lines, DATAGRAM / LINE * LINE);
}

const struct service chargen_service = {
	.name = "chargen",
	.summary = "sends lines of characters without end (RFC 864)",
	.port = "7019", /* RFC 864 says 19, which takes a privileged server */
	.descriptors = SERVICE_OPENS_NONE,
	.speaks_first = true,
	.prepare = chargen_prepare,
	.input = chargen_input,
	.end = chargen_end,
	.drained = chargen_drained,
	.datagram = chargen_datagram,
};
