/*
 * link - the connection to filed: connects, reconnects after a loss, sends requests, reads
 * replies.
 *
 * Blocking I/O with a timeout on the socket: xfer has nothing else to do while it waits.
 * While it sends a large file it checks between the pieces whether the server has sent an
 * error, so that an upload which the server refuses stops early.
 */
#include "client/xfer/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/xfer/progress.h"
#include "client/xfer/report.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/sock.h"
#include "common/text.h"
#include "common/words.h"

enum {
	LONGEST_DELAY = 30000, /* milliseconds */
	RETRY_PAUSE = 20,      /* milliseconds between attempts while refused (-R) */
	IDLE = 1000,           /* milliseconds after which an unused connection is
			        * checked */
	SMALL = 65536, /* bytes that are sent before checking for an error reply */
};

/* ---- a connection ------------------------------------------------------------------------ */

static void pause_for(int64_t milliseconds)
{
	struct timespec left = clock_timespec(milliseconds);

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

void xfer_link_prepare(struct xfer_link *link, const struct xfer_settings *settings)
{
	link->settings = settings;
	link->fd = -1;
}

void xfer_link_drop(struct xfer_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->start = link->end = 0;
	through_end(&link->through, false, NULL);
}

/* The other side has closed the connection. If that was a command, its exit status says more
 * than *failure. @return XFER_CUT; XFER_LOST if the server was never reached */
static enum xfer_outcome lose(struct xfer_link *link, struct failure *failure)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	through_end(&link->through, true, failure);
	xfer_link_drop(link);
	return link->reached ? XFER_CUT : XFER_LOST;
}

void xfer_link_finish(struct xfer_link *link)
{
	static const char quit[] = "QUIT\n";

	if (link->fd >= 0) /* every request has its reply; whether QUIT arrives does
			    * not matter */
		sock_send(link->fd, quit, strlen(quit), false);
	xfer_link_drop(link);
}

/* Whether the server has closed an unused connection, because of its idle timeout. */
static bool has_ended(struct xfer_link *link)
{
	int64_t now = clock_milliseconds();
	bool idle = now - link->used >= IDLE;

	link->used = now;
	return idle && io_wait(link->fd, POLLIN, 0) != 0;
}

static int connect_retrying(const struct xfer_link *link,
			    const struct sock_target *target, struct failure *failure)
{
	bool wait_for_server = link->settings->wait_for_server && !link->reached;
	int64_t end =
		target->timeout < 0 ? INT64_MAX : clock_milliseconds() + target->timeout;

	for (;;) {
		int fd = sock_connect(target, NULL, failure);

		if (fd >= 0 || !wait_for_server || !sock_is_refused(errno) ||
		    clock_milliseconds() >= end)
			return fd;
		pause_for(RETRY_PAUSE);
	}
}

static enum xfer_outcome connect_if_needed(struct xfer_link *link,
					   struct failure *failure)
{
	const struct xfer_settings *settings = link->settings;
	struct sock_target target = {
		.host = settings->host,
		.port = settings->port,
		.family = settings->family,
		.type = SOCK_STREAM,
		.timeout = settings->timeout > 0 ? settings->timeout : -1,
	};

	if (link->fd >= 0 && has_ended(link))
		xfer_link_drop(link);
	if (link->fd >= 0)
		return XFER_DONE;
	link->fd = settings->through != NULL
			   ? through_start(&link->through, settings->through,
					   settings->host, settings->port, failure)
			   : connect_retrying(link, &target, failure);
	if (link->fd < 0)
		return link->reached ? XFER_CUT : XFER_LOST;
	if (settings->through == NULL)
		link->reached = true;
	sock_set_nodelay(link->fd);
	sock_set_keepalive(link->fd);
	sock_set_timeout(link->fd, settings->timeout);
	return XFER_DONE;
}

/* Turns errno of a failed call into an outcome. Every error counts as a lost
 * connection. */
static enum xfer_outcome cut(struct xfer_link *link, struct failure *failure)
{
	int64_t timeout = link->settings->timeout;

	if (errno != EAGAIN && errno != EWOULDBLOCK) {
		failure_set(failure, "the connection was lost: %s", strerror(errno));
		return lose(link, failure);
	}
	failure_set(failure, "the server was silent for %g s", (double)timeout / 1000);
	xfer_link_drop(link);
	return link->reached ? XFER_CUT : XFER_LOST;
}

static enum xfer_outcome ended(struct xfer_link *link, struct failure *failure)
{
	failure_set(failure, "the server closed the connection");
	return lose(link, failure);
}

/* ---- trying again ------------------------------------------------------------------------ */

/* After a lost connection the server may not have noticed it yet; for it the first
 * upload is still in progress. */
static bool is_busy_with_us(const struct xfer_link *link, enum xfer_outcome outcome)
{
	return outcome == XFER_REFUSED && link->again && strcmp(link->code, "busy") == 0;
}

void xfer_link_reached(struct xfer_link *link, uint64_t furthest)
{
	if (furthest > link->furthest)
		link->furthest = furthest;
}

static void report_retry(const char *about, const struct failure *failure, int64_t delay)
{
	xfer_progress_clear();
	message(MESSAGE_NOTICE, "%s%s%s; trying again in %g s", about,
		*about != '\0' ? ": " : "", failure->text, (double)delay / 1000);
}

enum xfer_outcome xfer_link_try(struct xfer_link *link, const char *about,
				xfer_attempt *attempt, void *context,
				struct failure *failure)
{
	const struct xfer_settings *settings = link->settings;
	int64_t delay = settings->retry_delay;
	unsigned tries = 0;

	link->again = false;
	link->furthest = 0;
	for (;;) {
		uint64_t before = link->furthest;
		enum xfer_outcome outcome = connect_if_needed(link, failure);

		if (outcome == XFER_DONE)
			outcome = attempt(link, context, failure);
		if (outcome != XFER_CUT && !is_busy_with_us(link, outcome))
			return outcome;
		if (link->furthest > before) {
			delay = settings->retry_delay;
			tries = 0;
		}
		if (tries++ == settings->retries)
			return outcome == XFER_CUT ? XFER_LOST : outcome;
		report_retry(about, failure, delay);
		pause_for(delay);
		delay = delay < LONGEST_DELAY / 2 ? 2 * delay : LONGEST_DELAY;
		link->again = true;
	}
}

/* ---- replies ----------------------------------------------------------------------------- */

enum xfer_outcome xfer_link_invalid(struct xfer_link *link, const char *what,
				    struct failure *failure)
{
	failure_set(failure, "invalid reply from the server: %s", what);
	xfer_link_drop(link);
	return XFER_LOST;
}

/* @param end  deadline in clock_milliseconds(); INT64_MAX: the timeout of the socket
 * @return as io_read(): -1 with EAGAIN after the deadline */
static ssize_t fill(struct xfer_link *link, int64_t end)
{
	int64_t left = end != INT64_MAX ? end - clock_milliseconds() : 0;
	ssize_t n = -1;

	if (end != INT64_MAX && io_wait(link->fd, POLLIN, left > 0 ? left : 0) == 0)
		errno = EAGAIN;
	else
		n = io_read(link->fd, link->input, sizeof link->input);
	link->start = 0;
	link->end = n > 0 ? (size_t)n : 0;
	link->reached = link->reached || n > 0;
	return n;
}

/* A line was started but did not end in time. */
static enum xfer_outcome line_cut(struct xfer_link *link, size_t length,
				  struct failure *failure)
{
	if (length == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
		return cut(link, failure);
	failure_set(failure, "the server did not end a line within %g s",
		    (double)link->settings->timeout / 1000);
	xfer_link_drop(link);
	return XFER_CUT;
}

/* Reads the next line, without LF or CR LF, into link->line. The timeout is for the
 * whole line: otherwise a server that sends a byte now and then could hold the
 * client forever. */
static enum xfer_outcome read_line(struct xfer_link *link, struct failure *failure)
{
	int64_t timeout = link->settings->timeout;
	int64_t end = timeout > 0 ? clock_milliseconds() + timeout : INT64_MAX;
	size_t length = 0;

	for (;;) {
		const char *from = link->input + link->start;
		size_t there = link->end - link->start;
		const char *lf = memchr(from, '\n', there);
		size_t n = lf != NULL ? (size_t)(lf - from) : there;

		if (length + n >= sizeof link->line)
			return xfer_link_invalid(link, "the line is too long", failure);
		memcpy(link->line + length, from, n);
		length += n;
		link->start += n + (lf != NULL);
		if (lf != NULL)
			break;
		there = 0;
		switch (fill(link, length > 0 ? end : INT64_MAX)) {
		case -1:
			return line_cut(link, length, failure);
		case 0:
			return ended(link, failure);
		}
	}
	if (length > 0 && link->line[length - 1] == '\r')
		length--;
	link->line[length] = '\0';
	if (strlen(link->line) != length)
		return xfer_link_invalid(link, "NUL byte in a line", failure);
	return XFER_DONE;
}

/* For some codes the message of the system is enough; otherwise the server's text is
 * used. */
static const char *refusal_text(const char *code, const char *text)
{
	static const struct {
		const char *code, *text;
	} known[] = {
		{ "exists", "File exists (the server runs without -w)" },
		{ "not-found", "No such file or directory" },
		{ "no-space",
		  "No space left on the server (disk full or quota exceeded)" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(code, known[i].code) == 0)
			return known[i].text;
	return text;
}

/* "ERR exists File exists" */
static enum xfer_outcome take_refusal(struct xfer_link *link, struct failure *failure)
{
	const char *code = link->line + strlen("ERR ");
	size_t length = strcspn(code, " ");
	const char *text = code + length + (code[length] != '\0');
	char shown[XFER_SHOWN];

	if (length >= sizeof link->code)
		length = sizeof link->code - 1;
	memcpy(link->code, code, length);
	link->code[length] = '\0';
	link->used = 0; /* from now on the server may close */
	failure_set(
		failure, "server refused: %s",
		refusal_text(link->code, xfer_show(*text != '\0' ? text : code, shown)));
	return XFER_REFUSED;
}

static enum xfer_outcome take_unexpected(struct xfer_link *link, struct failure *failure)
{
	char shown[80], what[sizeof shown + 40];

	text_escape(link->line, strlen(link->line), shown, sizeof shown);
	snprintf(what, sizeof what, "\"%s\"", shown);
	return xfer_link_invalid(link, what, failure);
}

enum xfer_outcome xfer_link_reply(struct xfer_link *link, const char *first, int count,
				  char *words[XFER_WORDS], struct failure *failure)
{
	enum xfer_outcome outcome = read_line(link, failure);
	size_t length = strlen(first);
	const char *reason;

	if (outcome != XFER_DONE)
		return outcome;
	if (strncmp(link->line, "ERR ", 4) == 0)
		return take_refusal(link, failure);
	if (length > 0 && (strncmp(link->line, first, length) != 0 ||
			   (link->line[length] != ' ' && link->line[length] != '\0')))
		return take_unexpected(link, failure);
	if (words_split(link->line, strlen(link->line), words, XFER_WORDS, &reason) !=
	    count)
		return xfer_link_invalid(link, "wrong number of words", failure);
	return XFER_DONE;
}

enum xfer_outcome xfer_link_number(struct xfer_link *link, const char *word,
				   uint64_t most, uint64_t *value,
				   struct failure *failure)
{
	if (text_number(word, 0, most, value))
		return XFER_DONE;
	return xfer_link_invalid(link, "invalid number", failure);
}

enum xfer_outcome xfer_link_time(struct xfer_link *link, const char *word,
				 struct timespec *time, struct failure *failure)
{
	if (text_read_timestamp(word, time))
		return XFER_DONE;
	return xfer_link_invalid(link, "invalid time", failure);
}

bool xfer_same_time(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

enum xfer_outcome xfer_link_receive(struct xfer_link *link, void *buffer, size_t size,
				    size_t *got, struct failure *failure)
{
	size_t there = link->end - link->start;
	ssize_t n;

	if (there > 0) {
		*got = there < size ? there : size;
		memcpy(buffer, link->input + link->start, *got);
		link->start += *got;
	} else {
		n = io_read(link->fd, buffer, size);
		if (n < 0)
			return cut(link, failure);
		if (n == 0)
			return ended(link, failure);
		*got = (size_t)n;
	}
	return XFER_DONE;
}

/* ---- requests ---------------------------------------------------------------------------- */

/* After a failed send, the server's reply may explain more than errno. */
static enum xfer_outcome read_reason(struct xfer_link *link, struct failure *failure)
{
	int error = errno;
	struct failure unheard = { "" };
	enum xfer_outcome outcome = XFER_CUT;

	if (error == EPIPE || error == ECONNRESET) {
		outcome = read_line(link, &unheard);
		if (outcome == XFER_DONE && strncmp(link->line, "ERR ", 4) == 0) {
			outcome = take_refusal(link, failure);
			xfer_link_drop(link);
			return outcome;
		}
	}
	if (link->settings->through != NULL && link->fd < 0) {
		*failure = unheard; /* the exit status of the command */
		return outcome;
	}
	errno = error;
	return cut(link, failure);
}

enum xfer_outcome xfer_link_request(struct xfer_link *link, const char *const words[],
				    struct failure *failure)
{
	char line[XFER_LINE], word[WORDS_QUOTED(XFER_NAME)];
	size_t used = 0;

	for (; *words != NULL; words++) {
		size_t length = strlen(*words) < XFER_NAME ? words_quote(*words, word)
							   : sizeof line;

		if (used + length + 1 > sizeof line) {
			failure_set(failure, "the name is too long");
			return XFER_FAILED;
		}
		memcpy(line + used, word, length);
		used += length;
		line[used++] = words[1] != NULL ? ' ' : '\n';
	}
	if (io_write(link->fd, line, used) != (ssize_t)used)
		return read_reason(link, failure);
	return XFER_DONE;
}

/* The server has sent something in the middle of an upload: an error, or the end. */
static enum xfer_outcome read_error(struct xfer_link *link, struct failure *failure)
{
	char *words[XFER_WORDS];
	enum xfer_outcome outcome = xfer_link_reply(link, "ERR", 0, words, failure);

	if (outcome == XFER_REFUSED)
		xfer_link_drop(link); /* the rest of the file will not be sent */
	return outcome;
}

enum xfer_outcome xfer_link_send(struct xfer_link *link, const void *bytes, size_t length,
				 struct failure *failure)
{
	if (length > SMALL && io_wait(link->fd, POLLIN, 0) != 0)
		return read_error(link, failure);
	if (io_write(link->fd, bytes, length) != (ssize_t)length)
		return read_reason(link, failure);
	return XFER_DONE;
}
