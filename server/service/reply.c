/*
 * reply - answers each line with a fixed text.
 *
 * Useful to see requests and replies, and the lesson that TCP has no messages: a line may
 * come in pieces, or several at once, and only its end tells where it is over.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/options.h"
#include "server/service.h"
#include "server/core/session.h"

/* Of what {} may make of a text: it must fit into what is queued for a client. */
enum { ANSWER_MOST = 1024 * 1024 - SESSION_INPUT };

static const char *reply_text = "Message received";

struct reply_state {
	bool skipping; /* the rest of a line that was too long */
};

/* The text, with {} for what was received and {peer} for who sent it. What the client
 * sent is data: it is not looked at for either. */
static void answer(struct session *session, const char *bytes, size_t n)
{
	char peer[ADDRESS_TEXT];
	const char *text = reply_text, *brace;

	while ((brace = strchr(text, '{')) != NULL) {
		session_write(session, text, (size_t)(brace - text));
		if (strncmp(brace, "{}", 2) == 0) {
			session_write(session, bytes, n);
			text = brace + 2;
		} else if (strncmp(brace, "{peer}", 6) == 0) {
			session_peer(session, peer);
			session_write(session, peer, strlen(peer));
			text = brace + 6;
		} else {
			session_write(session, "{", 1);
			text = brace + 1;
		}
	}
	session_write(session, text, strlen(text));
	session_write(session, "\n", 1);
}

static void answer_line(struct session *session, const char *line, size_t n)
{
	answer(session, line, n > 0 && line[n - 1] == '\r' ? n - 1 : n);
}

static void refuse_line(struct session *session)
{
	static const char text[] = "error: this line is longer than 65535 bytes\n";
	struct reply_state *state = session->state;

	session_write(session, text, sizeof text - 1);
	state->skipping = true;
}

static size_t reply_input(struct session *session, const char *bytes, size_t n)
{
	struct reply_state *state = session->state;
	size_t used = 0;

	while (used < n && !session_full(session)) {
		const char *line = bytes + used;
		const char *end = memchr(line, '\n', n - used);

		if (end == NULL && !state->skipping && n - used == SESSION_INPUT)
			refuse_line(session);
		if (end == NULL)
			return state->skipping ? n : used;
		if (!state->skipping)
			answer_line(session, line, (size_t)(end - line));
		state->skipping = false;
		used += (size_t)(end - line) + 1;
	}
	return used;
}

/* What is left at the half-close is a last line. */
static void reply_end(struct session *session, const char *bytes, size_t n)
{
	const struct reply_state *state = session->state;

	if (n > 0 && !state->skipping)
		answer_line(session, bytes, n);
	session_finish(session);
}

/* A datagram is a message, whatever is in it. */
static void reply_datagram(struct session *session, const char *bytes, size_t n)
{
	if (n > 0 && bytes[n - 1] == '\n')
		n--;
	answer_line(session, bytes, n);
}

static int reply_option(int letter, const struct options *options,
			struct failure *failure)
{
	size_t longest = strlen(options->value) + 1;

	for (const char *at = options->value; (at = strstr(at, "{}")) != NULL; at += 2)
		longest += SESSION_INPUT;
	if (longest > ANSWER_MOST)
		return options_bad_value(failure, options, letter,
					 "makes answers of more than 1 MiB");
	reply_text = options->value;
	return 0;
}

static const struct option_line reply_options[] = {
	{ 'm', "message", "TEXT",
	  "the answer (Message received); {} in it stands for what\n"
	  "was received, {peer} for who sent it" },
	{ 0 },
};

const struct service reply_service = {
	.name = "reply",
	.summary = "answers each line with a fixed text",
	.port = "7010",
	.descriptors = SERVICE_OPENS_NONE,
	.state_size = sizeof(struct reply_state),
	.options = reply_options,
	.option = reply_option,
	.input = reply_input,
	.end = reply_end,
	.datagram = reply_datagram,
};
