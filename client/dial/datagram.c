/*
 * datagram - dial over UDP: sends each line as a datagram, prints each datagram that
 * arrives.
 *
 * What it shows: UDP transfers messages, not a stream, and guarantees nothing. A datagram
 * arrives whole or not at all; it may arrive twice, or after a later one. There is no
 * connection to close, so only a timeout tells that no more replies will come. There is no
 * flow control: the kernel drops datagrams that do not fit into the receiver's buffer. To
 * notice every loss, send one datagram and wait for its reply (-1).
 *
 * Try it: bin/echod-select -u & bin/dial -u -v localhost 7007
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/dial/datagram.h"
#include "client/dial/input.h"
#include "client/dial/link.h"
#include "client/lib/dial_text.h"
#include "common/clock.h"
#include "common/datagram.h"
#include "common/io.h"
#include "common/message.h"
#include "common/text.h"

enum {
	BLOCK = 64 * 1024,     /* larger than any datagram */
	SHOWN = 4 * BLOCK + 1, /* one escaped, and a newline */
};

/* A conversation with one server. */
struct talk {
	const struct dial_settings *settings;
	char peer[DIAL_PEER_TEXT];
	struct dial_link link;
	struct dial_input input;
	struct datagram next; /* next to send; its bytes stay in the input's buffer */
	bool has_next;
	bool blocked;       /* the send buffer of the socket is full */
	bool escape;        /* standard output is a terminal */
	int error;          /* errno of the failure, or 0 */
	uint64_t sent, got; /* datagrams */
	uint64_t sent_bytes, got_bytes;
	uint64_t awaited;    /* sent, neither answered nor given up */
	uint64_t unanswered; /* given up */
	int64_t began;       /* nanoseconds */
	int64_t quiet_since; /* milliseconds: time of the last event */
	char received[BLOCK], shown[SHOWN];
};

/* ---- what is printed ------------------------------------------------------------------- */

/* Each reply is printed as a line of its own; with --whole, unchanged. */
static int print_reply(struct talk *talk, size_t length)
{
	const char *bytes = talk->received;
	bool whole_line = length > 0 && bytes[length - 1] == '\n';

	if (talk->settings->hex)
		return dial_print_datagram_dump('<', bytes, length);
	if (talk->escape)
		length = text_for_terminal(bytes, length, talk->shown);
	else
		memcpy(talk->shown, bytes, length);
	if (!whole_line && !talk->settings->whole)
		talk->shown[length++] = '\n';
	return dial_print(talk->shown, length);
}

/* ---- from the server ------------------------------------------------------------------- */

/* The time of a reply is known only if one request is outstanding. With more, a
 * reply cannot be assigned to one of them. */
static void note_reply(struct talk *talk, size_t length)
{
	if (talk->awaited == 1)
		message(MESSAGE_CLIENT, "reply after %.3f ms",
			dial_milliseconds_since(talk->link.sent_at));
	if (talk->awaited > 0)
		talk->awaited--;
	talk->got++;
	talk->got_bytes += length;
	talk->quiet_since = clock_milliseconds();
}

/* Receives all queued datagrams, also those after a pending error of the socket.
 * @return 0, or -1 with errno of standard output */
static int receive_all(struct talk *talk)
{
	for (;;) {
		ssize_t n = dial_link_receive(&talk->link, talk->received,
					      sizeof talk->received);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0) {
			talk->error = errno;
			continue;
		}
		note_reply(talk, (size_t)n);
		if (print_reply(talk, (size_t)n) < 0)
			return -1;
	}
}

/* ---- towards the server ---------------------------------------------------------------- */

static bool awaits_turn(const struct talk *talk)
{
	return talk->settings->lockstep && talk->awaited > 0;
}

static bool may_send(const struct talk *talk)
{
	return talk->has_next && !awaits_turn(talk) && dial_link_may_send(&talk->link);
}

static bool may_read_input(const struct talk *talk)
{
	return !talk->has_next && !talk->input.ended && !awaits_turn(talk);
}

static void note_sent(struct talk *talk)
{
	talk->sent++;
	talk->sent_bytes += talk->next.length;
	talk->awaited++;
	talk->quiet_since = clock_milliseconds();
}

/* @return 0, or -1 with errno of standard output */
static int send_next(struct talk *talk)
{
	struct datagram *next = &talk->next;

	if (dial_link_send(&talk->link, next) == 0) {
		note_sent(talk);
	} else if (errno == EAGAIN) {
		talk->blocked = true;
		return 0;
	} else if (errno == EMSGSIZE) {
		message(MESSAGE_ERROR, "cannot send a datagram of %zu bytes: %s",
			next->length, strerror(errno));
		talk->input.passed_by = true;
		talk->has_next = false;
		return 0;
	} else {
		talk->error = errno;
		return receive_all(talk); /* replies that arrived before the error are
					   * printed */
	}
	talk->has_next = false;
	if (talk->settings->hex)
		return dial_print_datagram_dump('>', next->bytes, next->length);
	return 0;
}

/* ---- time ------------------------------------------------------------------------------ */

/* Whether the server has to reply now. The time in which the user types does not
 * count. */
static bool is_servers_turn(const struct talk *talk)
{
	return awaits_turn(talk) ||
	       (talk->awaited > 0 && talk->input.ended && !talk->has_next);
}

/* Milliseconds left to wait for replies; 0 after the timeout; CLOCK_NEVER without one. */
static int64_t time_left(const struct talk *talk)
{
	int64_t since = talk->link.sent_at / 1000000;

	if (!is_servers_turn(talk) || talk->settings->timeout == 0)
		return CLOCK_NEVER;
	if (since < talk->quiet_since) /* otherwise the last datagram was sent (or sent
				        * again) later */
		since = talk->quiet_since;
	return clock_until(since + talk->settings->timeout, clock_milliseconds());
}

static void give_up_waiting(struct talk *talk)
{
	if (talk->settings->lockstep)
		message(MESSAGE_ERROR, "no reply to datagram %ju from %s within %g s",
			(uintmax_t)talk->sent, talk->peer,
			(double)talk->settings->timeout / 1000);
	talk->unanswered += talk->awaited;
	talk->awaited = 0;
}

/* Timeout for poll(2), in milliseconds; -1: none. */
static int poll_timeout(const struct talk *talk)
{
	if (may_send(talk) && !talk->blocked)
		return 0; /* poll only checks for datagrams that have arrived */
	return clock_poll_timeout(
		clock_earlier(time_left(talk), dial_link_wait(&talk->link)));
}

/* ---- the conversation ------------------------------------------------------------------ */

static bool is_over(struct talk *talk)
{
	if (talk->error != 0)
		return true;
	if (!talk->has_next)
		talk->has_next = dial_input_next(
			&talk->input, datagram_longest(&talk->link.there), &talk->next);
	return !talk->has_next && talk->input.ended && talk->awaited == 0;
}

/* Waits for the next event and handles it. */
static enum dial_outcome take_turn(struct talk *talk, struct failure *failure)
{
	struct pollfd ends[] = {
		{ .fd = may_read_input(talk) ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = talk->link.fd,
		  .events = (short)(POLLIN | (talk->blocked ? POLLOUT : 0)) },
	};

	if (poll(ends, 2, poll_timeout(talk)) < 0)
		return DIAL_GOING_ON; /* a signal */
	if (ends[1].revents != 0) {
		talk->blocked = false;
		if (receive_all(talk) < 0)
			return dial_output_failed(failure);
	}
	if (dial_link_turn(&talk->link) < 0)
		talk->error = errno;
	if (time_left(talk) == 0)
		give_up_waiting(talk);
	if (ends[0].revents != 0) {
		talk->quiet_since = clock_milliseconds();
		if (dial_input_read(&talk->input) < 0)
			return dial_input_failed(failure);
	}
	if (talk->error == 0 && may_send(talk) && !talk->blocked && send_next(talk) < 0)
		return dial_output_failed(failure);
	return DIAL_GOING_ON;
}

/* Reports how the conversation ended. In lockstep each missing reply is already
 * reported. */
static enum dial_outcome judge(const struct talk *talk, struct failure *failure)
{
	double seconds = (double)talk->settings->timeout / 1000;

	if (talk->error != 0) {
		dial_link_failed(&talk->link, talk->error, failure);
		return DIAL_FAILED;
	}
	if (talk->unanswered == 0 || talk->settings->lockstep)
		return DIAL_DONE;
	if (talk->unanswered == talk->sent)
		failure_set(failure, "no reply from %s within %g s", talk->peer, seconds);
	else
		failure_set(failure,
			    "no reply from %s to %ju of %ju datagrams within %g s",
			    talk->peer, (uintmax_t)talk->unanswered,
			    (uintmax_t)talk->sent, seconds);
	return DIAL_FAILED;
}

static enum dial_outcome converse(struct talk *talk, struct failure *failure)
{
	enum dial_outcome outcome = DIAL_GOING_ON;

	talk->began = clock_nanoseconds();
	talk->quiet_since = clock_milliseconds();
	while (outcome == DIAL_GOING_ON && !is_over(talk))
		outcome = take_turn(talk, failure);
	return outcome == DIAL_GOING_ON ? judge(talk, failure) : outcome;
}

static void begin(struct talk *talk, const struct dial_settings *settings)
{
	talk->settings = settings;
	talk->escape = !settings->raw && isatty(STDOUT_FILENO);
	dial_peer_text(settings, talk->peer);
	dial_input_begin(&talk->input, settings);
	if (settings->message_count == 0 && isatty(STDIN_FILENO))
		message(MESSAGE_NOTICE, "%s to %s; Ctrl-D ends the input",
			settings->whole ? "sending one datagram"
					: "sending each line as a datagram",
			talk->peer);
}

/* @return the exit status */
static int hold_conversation(struct talk *talk, const struct dial_settings *settings)
{
	enum dial_outcome outcome = DIAL_FAILED;
	struct failure failure;

	if (dial_link_open(&talk->link, settings, &failure) == 0) {
		begin(talk, settings);
		outcome = converse(talk, &failure);
	}
	dial_link_close(&talk->link);
	if (outcome == DIAL_READER_GONE) {
		dial_end_by_sigpipe();
		return 1;
	}
	if (talk->began != 0)
		message(MESSAGE_CLIENT,
			"sent %ju datagrams, %ju bytes, received %ju datagrams, %ju "
			"bytes in %.3f ms",
			(uintmax_t)talk->sent, (uintmax_t)talk->sent_bytes,
			(uintmax_t)talk->got, (uintmax_t)talk->got_bytes,
			dial_milliseconds_since(talk->began));
	if (outcome == DIAL_FAILED)
		message(MESSAGE_ERROR, "%s", failure.text);
	return outcome == DIAL_DONE && talk->unanswered == 0 && !talk->input.passed_by
		       ? 0
		       : 1;
}

int dial_datagram(const struct dial_settings *settings)
{
	struct talk *talk = calloc(1, sizeof *talk);
	int status = 1;

	if (talk != NULL)
		status = hold_conversation(talk, settings);
	else
		message(MESSAGE_ERROR, "%s", strerror(errno));
	free(talk);
	return status;
}
