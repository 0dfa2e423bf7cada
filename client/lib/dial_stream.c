/*
 * dial_stream - a conversation over TCP: sends the input to the server, prints the replies.
 *
 * What it shows: a conversation has two directions, and neither may wait for the other. A
 * client that sends everything before it reads anything deadlocks with a server that
 * answers as it reads, as soon as the buffers between them are full. So one poll(2) waits
 * for all four events: input is readable, the socket is writable, the socket is readable,
 * standard output is writable. Each direction has one buffer, which is refilled only when
 * it is empty. So a slow end slows down the other end, and memory stays bounded.
 *
 * Try it: bin/echod-select & bin/dial -v localhost 7007
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/lib/dial_stream.h"
#include "client/lib/dial_text.h"
#include "client/lib/speech.h"
#include "common/address.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/sock.h"
#include "common/text.h"

enum {
	BLOCK = 64 * 1024,     /* bytes of one read or write of the socket, at most */
	NANOSECONDS = 1000000, /* in a millisecond */
	CHAT_LINE_TIME = 100, /* milliseconds: chatd takes 20 lines a second by default */
	HELD = 3,             /* bytes of an unfinished character, at most */
	/* A block of empty lines, each with its time; a dump or escaped text is
	 * shorter. */
	OUTPUT = (HELD + BLOCK) * (SPEECH_TIME + 1),
};

/* A conversation with one server. */
struct dial {
	const struct dial_settings *settings;
	char peer[DIAL_PEER_TEXT]; /* "HOST port PORT", printable */
	int fd;                    /* the connection, non-blocking */
	struct through through;    /* the command that is the connection */
	int64_t connected;         /* nanoseconds: when it was established */
	int error;                 /* errno of the failure, or 0 */

	/* Towards the server. */
	const char *input; /* typed[], or the messages */
	char *messages;    /* those of -m, each with its newline; NULL: standard input */
	size_t start, end; /* the part that is still to be sent */
	bool input_ended, input_seen, half_closed;
	bool return_seen; /* the last byte of the input was a carriage return */

	/* From the server. */
	size_t held;                /* number of bytes from an earlier read at the
				     * start of received[] */
	size_t written, output_end; /* of output[] */
	bool escape;                /* standard output is a terminal */
	bool within_line;           /* the last byte printed was no newline */
	bool server_ended;

	/* Whose turn it is to send, and since when. */
	bool awaiting_reply; /* lockstep: a line was sent, its reply has not arrived */
	bool answered;       /* data arrived since the last send */
	bool timing;         /* the time of the reply to the last send is still to be
			      * reported */
	int64_t asked;       /* nanoseconds: time of that send */
	int64_t waited;      /* nanoseconds of the server's turn without progress */
	int64_t turn_began;  /* nanoseconds: when poll(2) returned last */
	bool within_reply;   /* the last byte received is not a newline */
	uint64_t sent, got;  /* bytes */
	uint32_t lines_sent; /* of chat */

	char typed[BLOCK], received[HELD + BLOCK], output[OUTPUT];
};

/* ---- what is printed ------------------------------------------------------------------- */

static bool output_is_empty(const struct dial *dial)
{
	return dial->written == dial->output_end;
}

/* Reserves the next length bytes of the output buffer, which is large enough for a
 * block in any form and is empty before each block. */
static char *output_space(struct dial *dial)
{
	if (output_is_empty(dial))
		dial->written = dial->output_end = 0;
	return dial->output + dial->output_end;
}

static void print_dump(struct dial *dial, char direction, uint64_t offset,
		       const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += DIAL_ROW)
		dial->output_end += dial_dump_row(
			output_space(dial), direction, offset + i, bytes + i,
			length - i < DIAL_ROW ? length - i : DIAL_ROW);
}

/* Number of bytes at the end whose meaning depends on what follows: the start of a
 * UTF-8 character (RFC 3629), or a carriage return that may belong to a newline. */
static size_t unfinished_tail(const char *bytes, size_t length)
{
	const unsigned char *end = (const unsigned char *)bytes + length;

	if (length > 0 && end[-1] == '\r')
		return 1;
	for (size_t n = 1; n <= HELD && n <= length; n++) {
		unsigned char byte = end[-(ptrdiff_t)n];
		size_t whole = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;

		if (byte >= 0xc0)
			return whole > n ? n : 0;
		if (byte < 0x80)
			return 0;
	}
	return 0;
}

/* Prints bytes up to the end of a line. */
static void print_piece(struct dial *dial, const char *bytes, size_t length)
{
	char *to = output_space(dial);

	if (dial->settings->times && !dial->within_line) {
		dial->output_end += speech_time(time(NULL), to);
		to = output_space(dial);
	}
	if (dial->escape) {
		dial->output_end += text_for_terminal(bytes, length, to);
	} else {
		memcpy(to, bytes, length);
		dial->output_end += length;
	}
	dial->within_line = bytes[length - 1] != '\n';
}

static void print_lines(struct dial *dial, const char *bytes, size_t length)
{
	const char *end = bytes + length, *newline;

	while (bytes < end) {
		newline = dial->settings->times
				  ? memchr(bytes, '\n', (size_t)(end - bytes))
				  : NULL;
		length = (size_t)((newline != NULL ? newline + 1 : end) - bytes);
		print_piece(dial, bytes, length);
		bytes += length;
	}
}

/* Prints received[]. A character that was split between two reads is written to a
 * terminal in one piece. */
static void print_received(struct dial *dial, size_t length)
{
	size_t tail = 0;

	if (dial->escape && !dial->server_ended)
		tail = unfinished_tail(dial->received, length);
	print_lines(dial, dial->received, length - tail);
	memmove(dial->received, dial->received + length - tail, tail);
	dial->held = tail;
}

/* Called when standard output is writable. The descriptor may be blocking; O_NONBLOCK
 * is not set, because the shell shares the open file description of a terminal. A pipe
 * that poll(2) reports as writable takes PIPE_BUF bytes without blocking.
 * @return 0, or -1 with errno */
static int write_output(struct dial *dial)
{
	size_t left = dial->output_end - dial->written;
	ssize_t n = io_write(STDOUT_FILENO, dial->output + dial->written,
			     left < PIPE_BUF ? left : PIPE_BUF);

	if (n < 0 && errno != EAGAIN)
		return -1;
	if (n > 0)
		dial->written += (size_t)n;
	return 0;
}

/* ---- towards the server ---------------------------------------------------------------- */

static bool has_unsent(const struct dial *dial)
{
	return dial->start < dial->end && dial->error == 0;
}

static bool may_send(const struct dial *dial)
{
	return has_unsent(dial) && !dial->awaiting_reply &&
	       (!dial->settings->hex || output_is_empty(dial));
}

static bool may_read_input(const struct dial *dial)
{
	return !dial->input_ended && dial->start == dial->end && !dial->awaiting_reply &&
	       dial->error == 0;
}

/* Inserts a carriage return before each newline that has none. @p to has twice the
 * size. @p from may be its second half: the write position never passes the read
 * position.
 * @return the new length */
static size_t add_returns(struct dial *dial, char *to, const char *from, size_t length)
{
	char *end = to;

	for (size_t i = 0; i < length; i++) {
		char byte = from[i];

		if (byte == '\n' && !dial->return_seen)
			*end++ = '\r';
		*end++ = byte;
		dial->return_seen = byte == '\r';
	}
	return (size_t)(end - to);
}

/* @return 0, or -1 with errno */
static int read_input(struct dial *dial)
{
	size_t capacity = dial->settings->crlf ? BLOCK / 2 : BLOCK;
	char *to = dial->typed + BLOCK - capacity;
	ssize_t n = io_read(STDIN_FILENO, to, capacity);

	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	dial->input_ended = n == 0;
	dial->input_seen = true;
	dial->waited = 0;
	dial->start = 0;
	dial->end = dial->settings->crlf ? add_returns(dial, dial->typed, to, (size_t)n)
					 : (size_t)n;
	return 0;
}

/* What to send next: in lockstep a line, or the part of it that has been read. */
static size_t next_piece(const struct dial *dial)
{
	const char *from = dial->input + dial->start;
	size_t left = dial->end - dial->start;
	size_t length = left < BLOCK ? left : BLOCK;
	const char *newline =
		dial->settings->lockstep ? memchr(from, '\n', length) : NULL;

	return newline != NULL ? (size_t)(newline - from) + 1 : length;
}

static void count_lines(struct dial *dial, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] == '\n' && dial->lines_sent < UINT32_MAX)
			dial->lines_sent++;
}

static void send_input(struct dial *dial)
{
	const char *from = dial->input + dial->start;
	ssize_t n = io_write(dial->fd, from, next_piece(dial));

	if (n < 0 && errno != EAGAIN) /* the data that the server sent before it closed
				       * is still read */
		dial->error = errno == EPIPE ? ECONNRESET : errno;
	if (n <= 0)
		return;
	if (dial->settings->hex)
		print_dump(dial, '>', dial->sent, from, (size_t)n);
	dial->start += (size_t)n;
	dial->sent += (uint64_t)n;
	if (dial->settings->chat)
		count_lines(dial, from, (size_t)n);
	dial->awaiting_reply = dial->settings->lockstep && from[n - 1] == '\n';
	dial->answered = false;
	/* Data that arrives after a long piece is probably not the reply to its end. */
	dial->timing = dial->settings->lockstep || n < PIPE_BUF;
	dial->asked = clock_nanoseconds();
	dial->waited = 0;
}

static bool has_sent_all(const struct dial *dial)
{
	return dial->input_ended && !has_unsent(dial) && !dial->awaiting_reply;
}

/* Half-closes the connection after everything is sent, so that the server sees the
 * end and can still reply. Some servers and most proxies take a half-close for a
 * close and drop the reply: hence keep_open. */
static void half_close_when_done(struct dial *dial)
{
	if (!has_sent_all(dial) || dial->half_closed || dial->settings->keep_open)
		return;
	shutdown(dial->fd, SHUT_WR); /* if it fails, recv(2) reports the error */
	dial->half_closed = true;
}

/* ---- from the server ------------------------------------------------------------------- */

static bool may_receive(const struct dial *dial)
{
	return !dial->server_ended && output_is_empty(dial);
}

/* In lockstep a reply is a line. Otherwise it is what arrives after all input is
 * sent. */
static void note_reply(struct dial *dial, const char *bytes, size_t length, bool paused)
{
	bool whole = dial->settings->lockstep
			     ? dial->awaiting_reply && memchr(bytes, '\n', length) != NULL
			     : paused;

	dial->answered = true;
	if (!whole)
		return;
	dial->awaiting_reply = false;
	if (!dial->timing)
		return;
	dial->timing = false;
	message(MESSAGE_CLIENT, "reply after %.3f ms",
		dial_milliseconds_since(dial->asked));
}

/* If the server sends lines, a whole line must arrive before the timeout. Otherwise
 * a server that sends a byte now and then could hold the client forever. */
static bool expects_lines(const struct dial *dial)
{
	return dial->awaiting_reply || dial->settings->chat;
}

/* After the half-close a chat server only has to take the sent lines and close.
 * Messages of other users do not extend the timeout. */
static void note_progress(struct dial *dial, const char *bytes, size_t length)
{
	bool ending = dial->settings->chat && dial->half_closed;

	if (!ending && (!expects_lines(dial) || memchr(bytes, '\n', length) != NULL))
		dial->waited = 0;
	dial->within_reply = bytes[length - 1] != '\n';
}

/* paused: nothing can be sent now */
static void receive(struct dial *dial, bool paused)
{
	char *to = dial->received + dial->held;
	ssize_t n = io_read(dial->fd, to, BLOCK);
	size_t length = n > 0 ? (size_t)n : 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		dial->error = errno;
	dial->server_ended = n <= 0;
	if (n > 0) {
		note_progress(dial, to, length);
		note_reply(dial, to, length, paused);
	}
	if (dial->settings->hex)
		print_dump(dial, '<', dial->got, to, length);
	else
		print_received(dial, dial->held + length);
	dial->got += length;
}

/* ---- whose turn it is ------------------------------------------------------------------ */

/* The server has closed its side. It may still read, so the rest is sent. But
 * further input of a user, or of a pipe that has sent nothing yet, is not waited
 * for. */
static bool input_is_worth_reading(const struct dial *dial)
{
	if (dial->input_ended || dial->settings->lockstep || isatty(STDIN_FILENO))
		return false;
	return dial->input_seen || io_wait(STDIN_FILENO, POLLIN, 0) != 0;
}

static bool is_over(const struct dial *dial)
{
	if (!dial->server_ended || !output_is_empty(dial))
		return false;
	if (dial->error != 0 || dial->settings->lockstep || dial->settings->chat)
		return true;
	return !has_unsent(dial) && !input_is_worth_reading(dial);
}

/* A chat server sends a greeting. After it, a room may be silent until the client
 * leaves. */
static bool is_waited_for(const struct dial *dial)
{
	if (dial->settings->chat && dial->got == 0)
		return true;
	return has_sent_all(dial) && !(dial->settings->chat && dial->settings->keep_open);
}

/* The time in which the user types does not count. */
static bool is_servers_turn(const struct dial *dial)
{
	return has_unsent(dial) || dial->awaiting_reply || is_waited_for(dial) ||
	       dial->server_ended || dial->error != 0;
}

/* Timeout of the server, in milliseconds. A chat server may limit the lines per
 * second of a client without a message, so it gets additional time for each line. */
static int64_t time_limit(const struct dial *dial)
{
	int64_t lines = dial->got > 0 ? (int64_t)dial->lines_sent : 0;

	return dial->settings->timeout + lines * CHAT_LINE_TIME;
}

/* Milliseconds left to wait; 0 after the timeout; -1 without one. */
static int time_left(const struct dial *dial)
{
	int64_t left;

	if (!is_servers_turn(dial) || !output_is_empty(dial) ||
	    dial->settings->timeout == 0)
		return -1;
	left = (time_limit(dial) * NANOSECONDS - dial->waited + NANOSECONDS - 1) /
	       NANOSECONDS;
	if (left > INT_MAX)
		return INT_MAX;
	return left > 0 ? (int)left : 0;
}

static int silence_failure(const struct dial *dial, struct failure *failure)
{
	double seconds = (double)time_limit(dial) / 1000;

	if (dial->settings->chat && dial->got == 0)
		return failure_set(failure, "no greeting from %s within %g s", dial->peer,
				   seconds);
	if (dial->awaiting_reply && dial->within_reply)
		return failure_set(failure, "%s did not end a line within %g s",
				   dial->peer, seconds);
	if (has_unsent(dial) && !dial->awaiting_reply)
		return failure_set(failure, "%s did not read for %g s", dial->peer,
				   seconds);
	if (dial->answered && !dial->awaiting_reply)
		return failure_set(failure, "no end of the reply from %s within %g s",
				   dial->peer, seconds);
	return failure_set(failure, "no reply from %s within %g s", dial->peer, seconds);
}

/* ---- the conversation ------------------------------------------------------------------ */

/* Waits for the next event and handles it. */
static enum dial_outcome take_turn(struct dial *dial, struct failure *failure)
{
	short wanted = (short)((may_receive(dial) ? POLLIN : 0) |
			       (may_send(dial) ? POLLOUT : 0));
	/* poll(2) skips negative descriptors. A descriptor that is not needed now
	 * might have an error, which poll(2) would report again and again. */
	struct pollfd ends[] = {
		{ .fd = may_read_input(dial) ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = wanted != 0 ? dial->fd : -1, .events = wanted },
		{ .fd = output_is_empty(dial) ? -1 : STDOUT_FILENO, .events = POLLOUT },
	};
	int left = time_left(dial), ready;
	int64_t began = clock_nanoseconds();
	bool counts = is_servers_turn(dial);

	if (left == 0 && dial->server_ended && !has_unsent(dial))
		return DIAL_DONE; /* both sides have ended */
	if (left == 0) {
		silence_failure(dial, failure);
		return DIAL_FAILED;
	}
	if (counts && expects_lines(dial)) /* endless data without a newline counts as
					    * silence */
		dial->waited += began - dial->turn_began;
	ready = poll(ends, 3, left);
	dial->turn_began = clock_nanoseconds();
	if (left >= 0) /* otherwise standard output is slow, or the server has nothing
		        * to send */
		dial->waited += dial->turn_began - began;
	if (ready <= 0)
		return DIAL_GOING_ON; /* a signal, or the timeout, which the next call
				       * notices */
	if (ends[2].revents != 0 && write_output(dial) < 0)
		return dial_output_failed(failure);
	if ((ends[1].revents & ~POLLOUT) != 0 && may_receive(dial))
		receive(dial, dial->start == dial->end && ends[0].revents == 0);
	if ((ends[1].revents & ~POLLIN) != 0 && may_send(dial))
		send_input(dial);
	if (ends[0].revents != 0 && read_input(dial) < 0)
		return dial_input_failed(failure);
	return DIAL_GOING_ON;
}

static bool is_unanswered(const struct dial *dial)
{
	if (dial->got > 0 || dial->settings->no_reply)
		return false;
	return dial->sent > 0 || dial->settings->chat;
}

/* Reports how the conversation ended, after both sides have ended and everything is
 * printed. */
static enum dial_outcome judge(const struct dial *dial, struct failure *failure)
{
	if (dial->error != 0) {
		failure_set(failure, "%s: %s", dial->peer, strerror(dial->error));
		return DIAL_FAILED;
	}
	if (dial->awaiting_reply || has_unsent(dial)) {
		failure_set(failure, "%s closed the connection before it %s", dial->peer,
			    dial->settings->lockstep ? "replied" : "read everything");
		return DIAL_FAILED;
	}
	if (is_unanswered(dial)) {
		failure_set(
			failure, "%s closed the connection without a reply%s", dial->peer,
			dial->half_closed ? " (after a half-close; to send none, use -k)"
					  : "");
		return DIAL_FAILED;
	}
	if (!dial->input_ended && isatty(STDIN_FILENO))
		message(MESSAGE_NOTICE, "%s closed the connection", dial->peer);
	return DIAL_DONE;
}

static enum dial_outcome converse(struct dial *dial, struct failure *failure)
{
	enum dial_outcome outcome = DIAL_GOING_ON;

	dial->turn_began = clock_nanoseconds();
	while (outcome == DIAL_GOING_ON && !is_over(dial)) {
		half_close_when_done(dial);
		outcome = take_turn(dial, failure);
	}
	return outcome == DIAL_GOING_ON || outcome == DIAL_DONE ? judge(dial, failure)
								: outcome;
}

/* ---- connecting ------------------------------------------------------------------------ */

int dial_connect(const struct dial_settings *settings, struct address *reached,
		 struct failure *failure)
{
	int64_t end = clock_milliseconds() + settings->timeout;
	struct sock_target target = {
		.host = settings->host,
		.port = settings->port,
		.family = settings->family,
		.type = settings->type,
		.timeout = settings->timeout > 0 ? settings->timeout : -1,
	};

	for (;;) {
		int fd = sock_connect(&target, reached, failure);

		if (fd >= 0 || !settings->retry || !sock_is_refused(errno))
			return fd;
		poll(NULL, 0, DIAL_RETRY_PAUSE);
		if (settings->timeout == 0)
			continue;
		target.timeout = end - clock_milliseconds();
		if (target.timeout <= 0)
			return -1;
	}
}

int dial_check_through(const struct dial_settings *settings, struct failure *failure)
{
	if (settings->through == NULL)
		return 0;
	if (settings->retry)
		return failure_set(failure, "-R, --retry cannot be used with --through");
	if (settings->family != AF_UNSPEC)
		return failure_set(failure, "-4 and -6 cannot be used with --through");
	return through_check(settings->through, settings->host, settings->port, failure);
}

/* The command connects by itself, and does not tell when. */
static int start_command(struct dial *dial, struct failure *failure)
{
	const struct dial_settings *settings = dial->settings;
	int fd = through_start(&dial->through, settings->through, settings->host,
			       settings->port, failure);

	if (fd >= 0)
		message(MESSAGE_CLIENT, "started the command of --through, process %jd",
			(intmax_t)dial->through.pid);
	return fd;
}

/* The reason of a lost connection is known to the command. */
static enum dial_outcome end_command(struct dial *dial, enum dial_outcome outcome,
				     struct failure *failure)
{
	if (through_end(&dial->through, dial->server_ended, failure) < 0)
		return DIAL_FAILED;
	return outcome;
}

static void report_connected(const struct dial *dial, const struct address *reached,
			     double took)
{
	char there[DIAL_PEER_TEXT], here[ADDRESS_TEXT] = "?";
	struct address local = { .length = 0 };

	dial_reached_text(dial->settings, reached, there);
	if (address_local(dial->fd, &local) == 0)
		address_text(&local, here);
	if (message_wanted(MESSAGE_CLIENT) && local.any.sa_family == AF_UNIX)
		message(MESSAGE_CLIENT, "connected to %s in %.3f ms", there, took);
	else if (message_wanted(MESSAGE_CLIENT))
		message(MESSAGE_CLIENT, "connected to %s from %s in %.3f ms", there, here,
			took);
	else if (isatty(STDIN_FILENO) && dial->settings->message_count == 0)
		message(MESSAGE_NOTICE, "connected to %s; Ctrl-D ends the input", there);
}

/* @return 0, or -1 with *failure */
static int open_connection(struct dial *dial, struct failure *failure)
{
	struct address reached;
	int64_t started = clock_nanoseconds();

	dial->fd = dial->settings->through != NULL
			   ? start_command(dial, failure)
			   : dial_connect(dial->settings, &reached, failure);
	if (dial->fd < 0)
		return -1;
	dial->connected = clock_nanoseconds();
	if (dial->settings->through == NULL)
		report_connected(dial, &reached, dial_milliseconds_since(started));
	sock_set_nodelay(dial->fd);
	sock_set_keepalive(dial->fd);
	if (io_set_nonblocking(dial->fd, true) < 0)
		return failure_set(failure, "%s: %s", dial->peer, strerror(errno));
	return 0;
}

/* @return 0, or -1 with errno (ENOMEM) */
static int join_messages(struct dial *dial)
{
	const struct dial_settings *settings = dial->settings;
	size_t length = 0;
	char *to;

	for (size_t i = 0; i < settings->message_count; i++)
		length += strlen(settings->messages[i]) + 1;
	if (settings->crlf)
		length *= 2;
	to = dial->messages = malloc(length);
	if (to == NULL)
		return -1;
	for (size_t i = 0; i < settings->message_count; i++) {
		size_t n = strlen(settings->messages[i]);

		if (settings->crlf) {
			to += add_returns(dial, to, settings->messages[i], n);
			to += add_returns(dial, to, "\n", 1);
			continue;
		}
		memcpy(to, settings->messages[i], n);
		to[n] = '\n';
		to += n + 1;
	}
	dial->end = (size_t)(to - dial->messages);
	return 0;
}

/* @return 0, or -1 with errno (ENOMEM) */
static int begin(struct dial *dial, const struct dial_settings *settings)
{
	dial->settings = settings;
	dial->input = dial->typed;
	if (settings->message_count > 0) {
		if (join_messages(dial) < 0)
			return -1;
		dial->input = dial->messages;
		dial->input_ended = true;
	}
	if (settings->opening != NULL) {
		dial->end = strlen(settings->opening);
		memcpy(dial->typed, settings->opening, dial->end);
	}
	dial->escape = !settings->raw && !settings->hex && isatty(STDOUT_FILENO);
	dial_peer_text(settings, dial->peer);
	return 0;
}

/* @return the exit status */
static int hold_conversation(struct dial *dial)
{
	struct failure failure;
	enum dial_outcome outcome;

	if (open_connection(dial, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return 1;
	}
	outcome = converse(dial, &failure);
	close(dial->fd);
	outcome = end_command(dial, outcome, &failure);
	if (outcome == DIAL_READER_GONE) {
		dial_end_by_sigpipe();
		return 1;
	}
	message(MESSAGE_CLIENT, "sent %ju bytes, received %ju bytes in %.3f ms",
		(uintmax_t)dial->sent, (uintmax_t)dial->got,
		dial_milliseconds_since(dial->connected));
	if (outcome == DIAL_FAILED)
		message(MESSAGE_ERROR, "%s", failure.text);
	return outcome == DIAL_DONE ? 0 : 1;
}

int dial_stream(const struct dial_settings *settings)
{
	struct dial *dial = calloc(1, sizeof *dial);
	int status = 1;

	if (dial != NULL && begin(dial, settings) == 0)
		status = hold_conversation(dial);
	else
		message(MESSAGE_ERROR, "%s", strerror(errno));
	if (dial != NULL)
		free(dial->messages);
	free(dial);
	return status;
}
