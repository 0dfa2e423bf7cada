/*
 * repeat - ping over UDP: how many datagrams are lost, and how long replies take.
 *
 * What it shows: the same as ping(8), but against a service, not against the kernel of the
 * other host. The difficulty is to find the request that a reply belongs to:
 * client/dial/requests.h.
 *
 * Try it: bin/echod-select -u & bin/dial -u -n 5 -i 0.2 localhost 7007
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/dial/repeat.h"
#include "client/dial/input.h"
#include "client/dial/link.h"
#include "client/dial/requests.h"
#include "client/lib/dial_text.h"
#include "common/clock.h"
#include "common/datagram.h"
#include "common/io.h"
#include "common/message.h"

enum {
	BLOCK = 64 * 1024, /* larger than any datagram */
	LINE_TEXT = 256,
	MILLION = 1000 * 1000, /* nanoseconds in a millisecond */
};

struct repeat {
	const struct dial_settings *settings;
	char peer[DIAL_PEER_TEXT];
	struct dial_link link;
	struct dial_input input;
	struct datagram payload; /* stamped[], or the user's */
	bool blocked;            /* the send buffer of the socket is full */
	int output_error;        /* errno of standard output; 0 */
	int64_t due;             /* nanoseconds: when the next is to be sent */
	uint64_t errors;         /* ICMP errors, reported by the kernel */
	struct dial_requests requests;
	char stamped[DIAL_STAMPED], reply[BLOCK];
};

/* ---- Ctrl-C ---------------------------------------------------------------------------- */

/* The handler writes to a pipe that poll(2) watches. So a signal just before poll(2)
 * also ends it ("self-pipe trick"). */
static int stop_pipe[2] = { -1, -1 };

static void on_signal(int number)
{
	int saved = errno;

	(void)number;
	io_write(stop_pipe[1], "", 1);
	errno = saved;
}

/* The first signal stops sending, and the summary is printed. The second terminates the
 * process. If SIGINT is ignored (background job of a shell), it stays ignored.
 * @return 0, or -1 with errno */
static int catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = (int)SA_RESETHAND };
	struct sigaction before;

	if (pipe(stop_pipe) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		io_set_close_on_exec(stop_pipe[i]);
		io_set_nonblocking(stop_pipe[i], true);
	}
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (sigaction(signals[i], NULL, &before) == 0 &&
		    before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	return 0;
}

/* ---- what is printed ------------------------------------------------------------------- */

/* Prints a line of the report without buffering: a user may be watching. */
static void print_line(struct repeat *repeat, const char *format, ...) PRINTF_LIKE(2, 3);

static void print_line(struct repeat *repeat, const char *format, ...)
{
	char line[LINE_TEXT];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (length >= (int)sizeof line)
		length = (int)sizeof line - 1;
	if (repeat->output_error == 0 && length > 0 &&
	    dial_print(line, (size_t)length) < 0)
		repeat->output_error = errno;
}

static void print_dump(struct repeat *repeat, char direction, const char *bytes,
		       size_t length)
{
	if (repeat->settings->hex && repeat->output_error == 0 &&
	    dial_print_datagram_dump(direction, bytes, length) < 0)
		repeat->output_error = errno;
}

/* "56 bytes from 127.0.0.1:7007: seq=1 time=0.123 ms" */
static void report_reply(struct repeat *repeat, size_t length,
			 const struct dial_answer *answer)
{
	char from[DIAL_PEER_TEXT];

	if (message_wanted(MESSAGE_NOTICE))
		print_line(repeat, "%zu bytes from %s: seq=%ju time=%.3f ms%s\n", length,
			   dial_reached_text(repeat->settings, &repeat->link.there, from),
			   (uintmax_t)answer->number, (double)answer->took / MILLION,
			   answer->duplicate ? " (DUP!)" : "");
	print_dump(repeat, '<', repeat->reply, length);
}

static void report_error(struct repeat *repeat, uint64_t number, int error)
{
	char there[DIAL_PEER_TEXT];

	if (message_wanted(MESSAGE_NOTICE))
		print_line(
			repeat, "no reply from %s: seq=%ju %s\n",
			dial_reached_text(repeat->settings, &repeat->link.there, there),
			(uintmax_t)number, strerror(error));
}

static void print_summary(struct repeat *repeat)
{
	const struct dial_requests *requests = &repeat->requests;
	const struct round_trip *times = &requests->times;
	double sent = (double)requests->sent, received = (double)requests->received;
	char errors[48] = "";

	if (repeat->errors > 0)
		snprintf(errors, sizeof errors, ", %ju errors",
			 (uintmax_t)repeat->errors);
	print_line(repeat, "\n--- %s ---\n", repeat->peer);
	print_line(repeat, "%ju sent, %ju received, %ju duplicates%s, %.1f%% lost\n",
		   (uintmax_t)requests->sent, (uintmax_t)requests->received,
		   (uintmax_t)requests->duplicates, errors,
		   sent > 0 ? 100 * (sent - received) / sent : 0);
	if (times->count > 0)
		print_line(repeat,
			   "round trip min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n",
			   (double)times->least / MILLION, times->mean / MILLION,
			   (double)times->most / MILLION,
			   round_trip_deviation(times) / MILLION);
}

/* ---- what becomes of a request --------------------------------------------------------- */

static void note_reply(struct repeat *repeat, size_t length)
{
	int64_t now = clock_nanoseconds();
	struct dial_answer answer;

	dial_requests_sent_again(&repeat->requests, repeat->link.sent_at);
	if (dial_requests_answered(&repeat->requests, repeat->reply, length, now,
				   &answer))
		report_reply(repeat, length, &answer);
}

/* An ICMP error does not say which datagram it concerns. The oldest outstanding one
 * is assumed: the messages arrive in order. */
static void note_error(struct repeat *repeat, int error)
{
	repeat->errors++;
	report_error(repeat, dial_requests_give_up(&repeat->requests), error);
}

static bool gives_up(const struct repeat *repeat)
{
	return repeat->requests.under_way > 0 && repeat->settings->timeout > 0;
}

static int64_t gives_up_at(const struct repeat *repeat)
{
	return dial_requests_oldest_sent_at(&repeat->requests) +
	       repeat->settings->timeout * MILLION;
}

static void give_up_the_silent(struct repeat *repeat)
{
	int64_t now = clock_nanoseconds();

	dial_requests_sent_again(&repeat->requests, repeat->link.sent_at);
	while (gives_up(repeat) && gives_up_at(repeat) <= now) {
		uint64_t number = dial_requests_give_up(&repeat->requests);

		message(MESSAGE_CLIENT, "no reply to seq=%ju within %g s",
			(uintmax_t)number, (double)repeat->settings->timeout / 1000);
	}
}

/* ---- sending and receiving ------------------------------------------------------------- */

static bool has_more(const struct repeat *repeat)
{
	return repeat->settings->count == 0 ||
	       repeat->requests.sent < repeat->settings->count;
}

static bool may_send(const struct repeat *repeat)
{
	return has_more(repeat) && dial_link_may_send(&repeat->link) &&
	       !(repeat->requests.in_turn && repeat->requests.under_way > 0);
}

static void note_sent(struct repeat *repeat)
{
	dial_requests_sent(&repeat->requests, repeat->link.sent_at);
	repeat->due = repeat->link.sent_at + repeat->settings->interval * MILLION;
	print_dump(repeat, '>', repeat->payload.bytes, repeat->payload.length);
}

/* Sends the next datagram. @return 0, or -1 with errno: it is too long to be sent */
static int send_next(struct repeat *repeat)
{
	int error = 0;

	if (repeat->payload.bytes == repeat->stamped)
		dial_requests_write(&repeat->requests, repeat->stamped);
	if (dial_link_send(&repeat->link, &repeat->payload) < 0)
		error = errno;
	if (error == EMSGSIZE)
		return -1;
	if (error == EAGAIN) {
		repeat->blocked = true;
		return 0;
	}
	/* send(2) reported the error of an earlier datagram and did not send this
	 * one: once more. */
	if (error != 0 && repeat->requests.under_way > 0) {
		note_error(repeat, error);
		return 0;
	}
	note_sent(repeat);
	if (error != 0)
		note_error(repeat, error);
	return 0;
}

static void receive_all(struct repeat *repeat)
{
	for (;;) {
		ssize_t n = dial_link_receive(&repeat->link, repeat->reply,
					      sizeof repeat->reply);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			note_error(repeat, errno);
		else
			note_reply(repeat, (size_t)n);
	}
}

/* ---- the conversation ------------------------------------------------------------------ */

/* Milliseconds until then, rounded up; 0 if it is past. */
static int64_t until(int64_t nanoseconds)
{
	int64_t left = nanoseconds - clock_nanoseconds();

	return left > 0 ? (left + MILLION - 1) / MILLION : 0;
}

/* Timeout for poll(2): milliseconds until the next timer; -1: none. */
static int poll_timeout(struct repeat *repeat)
{
	int64_t least = dial_link_wait(&repeat->link);

	if (may_send(repeat) && !repeat->blocked)
		least = clock_earlier(least, until(repeat->due));
	if (gives_up(repeat))
		least = clock_earlier(least, until(gives_up_at(repeat)));
	return clock_poll_timeout(least);
}

/* Waits for the next event and handles it. */
static enum dial_outcome take_turn(struct repeat *repeat, struct failure *failure)
{
	struct pollfd ends[] = {
		{ .fd = repeat->link.fd,
		  .events = (short)(POLLIN | (repeat->blocked ? POLLOUT : 0)) },
		{ .fd = stop_pipe[0], .events = POLLIN },
	};

	if (poll(ends, 2, poll_timeout(repeat)) < 0)
		return DIAL_GOING_ON; /* a signal; its pipe is readable next time */
	if (ends[0].revents != 0)
		repeat->blocked = false;
	receive_all(repeat);
	if (dial_link_turn(&repeat->link) < 0)
		note_error(repeat, errno);
	give_up_the_silent(repeat);
	if (ends[1].revents != 0)
		return DIAL_DONE;
	if (may_send(repeat) && until(repeat->due) == 0 && send_next(repeat) < 0) {
		failure_set(failure, "cannot send a datagram of %zu bytes: %s",
			    repeat->payload.length, strerror(errno));
		return DIAL_FAILED;
	}
	errno = repeat->output_error;
	return errno != 0 ? dial_output_failed(failure) : DIAL_GOING_ON;
}

static enum dial_outcome converse(struct repeat *repeat, struct failure *failure)
{
	enum dial_outcome outcome = DIAL_GOING_ON;

	while (outcome == DIAL_GOING_ON &&
	       (has_more(repeat) || repeat->requests.under_way > 0))
		outcome = take_turn(repeat, failure);
	if (outcome == DIAL_GOING_ON || outcome == DIAL_DONE) {
		print_summary(repeat);
		errno = repeat->output_error;
		outcome = errno != 0 ? dial_output_failed(failure) : DIAL_DONE;
	}
	return outcome;
}

/* Chooses the payload: the user's, or a stamp.
 * @return 0, or -1: with *failure, or after dial_input_next() has reported the error */
static int choose_payload(struct repeat *repeat, struct failure *failure)
{
	const struct dial_settings *settings = repeat->settings;
	struct dial_input *input = &repeat->input;

	if (settings->message_count == 0 && !settings->whole) {
		dial_requests_stamp(&repeat->requests, (uint32_t)clock_nanoseconds() ^
							       (uint32_t)getpid() << 16);
		repeat->payload = (struct datagram){ repeat->stamped, DIAL_STAMPED };
		return 0;
	}
	dial_input_begin(input, settings);
	while (!input->ended) {
		io_wait(STDIN_FILENO, POLLIN, -1);
		if (dial_input_read(input) < 0) {
			dial_input_failed(failure);
			return -1;
		}
	}
	if (dial_input_next(input, datagram_longest(&repeat->link.there),
			    &repeat->payload))
		return 0;
	failure->text[0] = '\0';
	return -1;
}

/* @return 0, or -1 with *failure as of choose_payload() */
static int begin(struct repeat *repeat, const struct dial_settings *settings,
		 struct failure *failure)
{
	repeat->settings = settings;
	dial_requests_begin(&repeat->requests);
	dial_peer_text(settings, repeat->peer);
	if (dial_link_open(&repeat->link, settings, failure) < 0 ||
	    choose_payload(repeat, failure) < 0) /* the maximum length depends on the
						  * address */
		return -1;
	repeat->requests.in_turn = settings->lockstep || settings->interval == 0 ||
				   repeat->payload.bytes != repeat->stamped;
	if (catch_signals() < 0)
		return failure_set(failure, "%s", strerror(errno));
	return 0;
}

/* @return the exit status */
static int send_again_and_again(struct repeat *repeat,
				const struct dial_settings *settings)
{
	enum dial_outcome outcome = DIAL_FAILED;
	struct failure failure;

	if (begin(repeat, settings, &failure) == 0)
		outcome = converse(repeat, &failure);
	dial_link_close(&repeat->link);
	if (outcome == DIAL_READER_GONE)
		dial_end_by_sigpipe();
	if (outcome == DIAL_FAILED && failure.text[0] != '\0')
		message(MESSAGE_ERROR, "%s", failure.text);
	return outcome == DIAL_DONE && repeat->requests.received > 0 ? 0 : 1;
}

int dial_repeat(const struct dial_settings *settings)
{
	struct repeat *repeat = calloc(1, sizeof *repeat);
	int status = 1;

	if (repeat != NULL)
		status = send_again_and_again(repeat, settings);
	else
		message(MESSAGE_ERROR, "%s", strerror(errno));
	free(repeat);
	return status;
}
