/*
 * chat - clients that talk with each other: what one client writes is sent to all others
 * in its room.
 *
 * This service shows where the models differ most, because its clients share state. It
 * has two sides:
 *
 *	session (this file, line.c)         hub (hub.c, people.c, room.c)
 *	one client, in the client's worker  all clients, in one place
 *	bytes -> lines -> rate limit ----post----> who, where, what to send
 *	client <-----------------------deliver----------+
 *
 * This file knows one client: it splits bytes into lines, cleans them, limits the rate,
 * and posts. The hub calls the other side with one message at a time in every model, so
 * that side is written once and without a lock. The cost is that each line passes
 * through the hub, which in the fork model is another process.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/options.h"
#include "server/service.h"
#include "server/service/chat/chat.h"
#include "server/service/chat/line.h"
#include "server/core/session.h"

enum {
	KIBI = 1024,
	LEAST_WAITING = 4 * KIBI, /* longer than any line */
	MOST_WAITING = KIBI * KIBI * KIBI,
	MOST_HISTORY = 1000,
	MOST_RATE = 1000 * 1000,
	LINE_PRICE = 1000, /* credit for a line: what -R 1 earns in 1000 milliseconds */
	DAY = 24 * 60 * 60,
};

static int64_t rate = 20; /* lines a second; 0: no limit */

struct chat_state {
	struct chat_line line;
	int64_t credit;      /* at most what two seconds earn */
	int64_t credited_at; /* milliseconds */
};

static int64_t most_credit(void)
{
	return 2 * rate * LINE_PRICE;
}

static void post(struct session *session, enum chat_post kind)
{
	struct chat_state *state = session->state;
	char message[1 + CHAT_TEXT];
	size_t n = 0;

	message[0] = (char)kind;
	if (kind == CHAT_SAYS)
		n = chat_line_text(&state->line, message + 1);
	session_post(session, message, 1 + n);
	state->credit -= LINE_PRICE;
}

static void post_line(struct session *session, enum chat_line_state line)
{
	if (line == LINE_IS_WHOLE)
		post(session, CHAT_SAYS);
	else if (line == LINE_IS_TOO_LONG)
		post(session, CHAT_TOO_LONG);
}

/* ---- the rate -------------------------------------------------------------------------- */

static void earn_credit(struct session *session)
{
	struct chat_state *state = session->state;
	int64_t now = session_now(session);
	int64_t space = most_credit() - state->credit;
	/* Limited so that the product cannot overflow: three seconds fill the credit
	 * in any case. */
	int64_t elapsed =
		now - state->credited_at < 3000 ? now - state->credited_at : 3000;

	state->credit += elapsed * rate < space ? elapsed * rate : space;
	state->credited_at = now;
}

/* A token bucket. A client without credit is paused until it has earned the price of a
 * line. No line is lost: the lines wait in the socket buffers, and in the end in the
 * client. */
static bool must_wait(struct session *session)
{
	const struct chat_state *state = session->state;

	if (rate == 0 || state->credit >= LINE_PRICE)
		return false;
	session_pause(session, (LINE_PRICE - state->credit + rate - 1) / rate);
	return true;
}

/* ---- the session ----------------------------------------------------------------------- */

static void chat_open(struct session *session)
{
	struct chat_state *state = session->state;

	if (rate == 0)
		return;
	state->credit = most_credit();
	state->credited_at = session_now(session);
}

static size_t chat_input(struct session *session, const char *bytes, size_t n)
{
	struct chat_state *state = session->state;
	size_t used = 0;

	if (rate > 0)
		earn_credit(session);
	while (used < n && !must_wait(session))
		post_line(session, chat_line_take(&state->line, bytes[used++]));
	return used;
}

/* Input without a newline before the half-close is the last line. Then the client
 * leaves, as with /quit; all answers are sent first. */
static void chat_end(struct session *session, const char *bytes, size_t n)
{
	struct chat_state *state = session->state;

	for (size_t i = 0; i < n; i++)
		post_line(session, chat_line_take(&state->line, bytes[i]));
	post_line(session, chat_line_end(&state->line));
	post(session, CHAT_ENDS);
}

/* ---- options --------------------------------------------------------------------------- */

static int chat_option(int letter, const struct options *options, struct failure *failure)
{
	uint64_t value;

	switch (letter) {
	case 'B':
		if (options_size(options, letter, LEAST_WAITING, MOST_WAITING, &value,
				 failure) < 0)
			return -1;
		chat_limits.waiting = (size_t)value;
		return 0;
	case 'H':
		if (options_number(options, letter, 0, MOST_HISTORY, &value, failure) < 0)
			return -1;
		chat_limits.history = (size_t)value;
		return 0;
	default: /* 'R' */
		if (options_number(options, letter, 0, MOST_RATE, &value, failure) < 0)
			return -1;
		rate = (int64_t)value;
		return 0;
	}
}

static const struct option_line chat_options[] = {
	{ 'B', "max-unread", "SIZE",
	  "disconnect a client that does not read when more\n"
	  "than SIZE bytes are queued for it (default 256K)" },
	{ 'H', "history", "N",
	  "send the last N lines of a room to a new member\n"
	  "(default 10)" },
	{ 'R', "rate", "N",
	  "accept N lines a second from a client, and 2 * N\n"
	  "at once (default 20; 0: no limit)" },
	{ 0 },
};

const struct service chat_service = {
	.name = "chat",
	.summary = "lets clients talk with each other, in rooms",
	.port = "7194",
	.descriptors = SERVICE_OPENS_NONE,
	.speaks_first = true,
	.state_size = sizeof(struct chat_state),
	.idle_seconds = DAY, /* a client may only listen */
	.options = chat_options,
	.option = chat_option,
	.open = chat_open,
	.input = chat_input,
	.end = chat_end,
	.hub = &chat_hub,
};
