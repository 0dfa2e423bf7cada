/*
 * chargen - a stream of characters, without end (RFC 864).
 *
 * Lines of 72 of the 95 printable ASCII characters, each line beginning one character
 * later than the one before, as fast as the client reads them. Useful to see how a client
 * copes with a server that does not stop, and how fast it can read.
 */
#include <stddef.h>
#include <string.h>

#include "server/service.h"
#include "server/core/session.h"

enum {
	CHARACTERS = 95, /* from ' ' to '~' */
	WIDTH = 72,
	LINE = WIDTH + 2,           /* with CR and LF */
	PERIOD = CHARACTERS * LINE, /* after so many bytes all begins again */
	PERIODS = 9,                /* that are written at once */
	DATAGRAM = 512,             /* RFC 864: at most, of a reply to a datagram */
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

/* Whole periods, so that the next piece begins where this one ends. */
static void chargen_drained(struct session *session)
{
	session_write(session, lines, sizeof lines);
}

/* RFC 864: data received is thrown away. */
static size_t chargen_input(struct session *session, const char *bytes, size_t n)
{
	(void)session;
	(void)bytes;
	return n;
}

/* The stream goes on until the client leaves, whether it has more to say or not. */
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
