/*
 * reply - answers each line with a text.
 *
 * Use it to see requests and replies. It also shows that TCP has no messages: a line may
 * arrive in pieces, several lines may arrive at once, and only the newline marks the
 * end. An incomplete line stays in the input buffer of the session, so the service
 * itself only remembers whether it is skipping the rest of a line that is too long.
 *
 * With --work each answer costs CPU time, so that one can see what a model does with
 * expensive requests.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/options.h"
#include "server/service.h"
#include "server/core/session.h"
#include "server/core/work.h"

/* The longest possible answer, in bytes: it must fit into the output queue of a
 * client. */
enum { ANSWER_MOST = 1024 * 1024 - SESSION_INPUT };

enum { OPTION_WORK = SERVICE_LETTERS_FROM };

static const char *reply_text = "Message received";
static int64_t work; /* CPU time of each answer, in microseconds */

struct reply_state {
	bool skipping; /* skipping the rest of a line that was too long */
};

/* Writes the text, with {} replaced by the received line and {peer} by the address of
 * the client. The received line itself is not searched for {}. */
static void answer(struct session *session, const char *bytes, size_t n)
{
	char peer[ADDRESS_TEXT];
	const char *text = reply_text, *brace;

	work_do(work);
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
	static const char text[] = "error: line longer than 65535 bytes\n";
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
		if (work > 0 && used < n) { /* others first: each answer takes long */
			session_pause(session, 0);
			break;
		}
	}
	return used;
}

/* Input without a newline before the half-close is the last line. */
static void reply_end(struct session *session, const char *bytes, size_t n)
{
	const struct reply_state *state = session->state;

	if (n > 0 && !state->skipping)
		answer_line(session, bytes, n);
	session_finish(session);
}

/* A datagram is one message. A newline at its end is ignored. */
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

	if (letter == OPTION_WORK)
		return work_option(options, letter, &work, failure);
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
	  "the answer (default: Message received); {} is the\n"
	  "received line, {peer} the address of the client" },
	{ OPTION_WORK, "work", "MS",
	  "use MS milliseconds of CPU time for each answer,\n"
	  "such as 1 or 0.05 (default 0)" },
	{ 0 },
};

const struct service reply_service = {
	.name = "reply",
	.summary = "answers each line with a text",
	.port = "7010",
	.descriptors = SERVICE_OPENS_NONE,
	.state_size = sizeof(struct reply_state),
	.options = reply_options,
	.option = reply_option,
	.input = reply_input,
	.end = reply_end,
	.datagram = reply_datagram,
};
