/*
 * TEMPLATE - the skeleton of a service. Copy it to NAME.c, replace TEMPLATE by NAME, add
 * NAME to SERVICES in the Makefile, and write man/NAMEd.8. make(1) then builds it in
 * every model.
 *
 * This service sends each line back, and ends the session after "quit".
 *
 * The rules, which hold in every model (server/service.h has all of them):
 *
 *   - Bytes in, bytes out: a service makes no system call on a socket, and never waits. It
 *     gets bytes in input(), and writes with session_write(), which returns no error.
 *   - Input arrives in pieces of any size: half a line, or three lines at once. input()
 *     returns how many bytes it has used. The rest is passed again, with more after it.
 *   - If session_full() is true, the client does not read: return, and continue in the next
 *     call.
 *   - Data that is kept between two calls is in session->state, of state_size bytes, which
 *     are zeroed at first.
 *   - Limit everything that comes from the client: here, a line longer than LINE_MOST ends
 *     the session.
 */
#include <stdbool.h>
#include <string.h>

#include "server/core/session.h"
#include "server/service.h"

enum { LINE_MOST = 512 };

/* The state of one client. */
struct state {
	unsigned lines;
};

static bool answer(struct session *session, const char *line, size_t n)
{
	struct state *state = session->state;

	state->lines++;
	if (n == 5 && memcmp(line, "quit\n", n) == 0) {
		session_write(session, "goodbye\n", 8);
		return false;
	}
	session_write(session, line, n);
	return true;
}

/* @return how many of the @p n bytes were used: whole lines only */
static size_t TEMPLATE_input(struct session *session, const char *bytes, size_t n)
{
	size_t used = 0;

	while (used < n && !session_full(session)) {
		const char *end = memchr(bytes + used, '\n', n - used);
		size_t length =
			end != NULL ? (size_t)(end - (bytes + used)) + 1 : n - used;

		if (length > LINE_MOST) {
			session_write(session, "the line is too long\n", 21);
			session_finish(session);
			return n;
		}
		if (end == NULL)
			break; /* the line is incomplete */
		if (!answer(session, bytes + used, length)) {
			session_finish(session); /* closes when the output is sent */
			return n;
		}
		used += length;
	}
	return used;
}

/* The client sends no more. The last line may have no newline. */
static void TEMPLATE_end(struct session *session, const char *bytes, size_t n)
{
	if (n > 0)
		session_write(session, bytes, n);
	session_finish(session);
}

const struct service TEMPLATE_service = {
	.name = "TEMPLATE",
	.summary = "a line for --help: what it does",
	.port = "7999",                    /* default of --port */
	.descriptors = SERVICE_OPENS_NONE, /* besides the socket */
	.state_size = sizeof(struct state),
	.input = TEMPLATE_input,
	.end = TEMPLATE_end,
	/* .open, .end, .drained, .close, .datagram (for -u), .options ...: server/service.h */
};
