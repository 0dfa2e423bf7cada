/*
 * checks_trouble - clients that end badly, are slow, or come in large numbers.
 *
 * What happens to such a client does not matter. Others must be served as before, which a new
 * client shows.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/sockcheck/checks.h"
#include "client/sockcheck/talk.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"

enum {
	RESETS = 10,
	LOTS = 256 * 1024, /* bytes of requests: more than one write of the server */
	LATER = 30,        /* milliseconds after which the end of a process shows */
	ABORTED = 5,       /* fewer than the backlog of many servers */
	MANY = 1100,
	FULL_MS = 300, /* a reply after this: the server is full, or busy */
	READER_MOST = 64 * 1024 * 1024,
	BYTES = 8,
	WRITER_PAUSE = 200, /* milliseconds, of a slow writer */
	STEP = 20
};

/* How a client leaves. */
enum leaving { BY_RESET, BY_CLOSE };

/* Connects, sends, and leaves without reading. */
static bool send_and_leave(struct check *check, const char *bytes, size_t length,
			   enum leaving leaving)
{
	struct talk talk = TALK_CLOSED;
	size_t sent = 0;

	if (!talk_start(&talk, check, "a client that leaves") ||
	    !talk_await_connection(&talk)) {
		talk_close(&talk);
		return check_fail(check, "a client that leaves cannot connect");
	}
	while (sent < length && io_wait(talk.fd, POLLOUT, LATER) > 0) {
		ssize_t n = sock_send(talk.fd, bytes + sent, length - sent, false);

		if (n < 0)
			break;
		sent += (size_t)n;
	}
	if (leaving == BY_RESET)
		talk_reset(&talk);
	else
		talk_close(&talk);
	return true;
}

/* As many requests as fit. @return their length */
static size_t many_requests(const struct check *check, char *out, size_t size)
{
	struct exchange exchange;
	size_t length = 0;

	for (;;) {
		protocol_exchange(&check->settings->protocol, talk_number(), &exchange);
		if (exchange.request_length == 0 ||
		    length + exchange.request_length > size)
			return length;
		memcpy(out + length, exchange.request, exchange.request_length);
		length += exchange.request_length;
	}
}

/* Whether the server goes on: a new client is served, and once more a little later. */
static bool goes_on(struct check *check, const char *after)
{
	char who[96];

	snprintf(who, sizeof who, "a client after %s", after);
	if (!talk_visit(check, who))
		return false;
	check_pause(check, LATER);
	return !check_server_is_gone(check, after) && talk_visit(check, who);
}

void check_reset_before_reply(struct check *check)
{
	char *requests = malloc(LOTS);
	struct exchange exchange;
	size_t length;
	bool right = requests != NULL || check_fail(check, "not enough memory");

	protocol_exchange(&check->settings->protocol, talk_number(), &exchange);
	length = right ? many_requests(check, requests, LOTS) : 0;
	for (int i = 0; i < RESETS && right; i++)
		right = send_and_leave(check, exchange.request, exchange.request_length,
				       BY_RESET);
	/* with more than one write the second one gets EPIPE, or SIGPIPE */
	for (int i = 0; i < RESETS && right; i++)
		right = send_and_leave(check, requests, length,
				       i % 2 == 0 ? BY_RESET : BY_CLOSE);
	free(requests);
	if (right)
		goes_on(check, "others reset before the reply");
}

void check_reset_after_reply(struct check *check)
{
	bool right = true;

	for (int i = 0; i < RESETS && right; i++) {
		struct talk talk = TALK_CLOSED;

		right = talk_open(&talk, check, "a client") && talk_exchange(&talk);
		talk_reset(&talk);
	}
	if (right)
		goes_on(check, "others reset after the reply");
}

/* All processes of the server. */
static void signal_all(const struct check *check, int number)
{
	if (check->server.pid > 0)
		kill(-check->server.pid, number);
}

void check_aborted_client(struct check *check)
{
	struct exchange exchange;
	bool right;

	if (!talk_visit(check, "the first client"))
		return;
	protocol_exchange(&check->settings->protocol, talk_number(), &exchange);
	signal_all(check, SIGSTOP); /* so that they are gone before they are accepted */
	right = true;
	for (int i = 0; i < ABORTED && right; i++)
		right = send_and_leave(check, exchange.request,
				       i % 2 == 0 ? 0 : exchange.request_length,
				       BY_RESET);
	signal_all(check, SIGCONT);
	if (right)
		goes_on(check, "others left before they were accepted");
}

/* ---- slow clients ------------------------------------------------------------------------ */

void check_slow_reader(struct check *check)
{
	struct talk slow = TALK_CLOSED;
	char *requests = malloc(LOTS);
	size_t length;

	if (requests == NULL) {
		check_fail(check, "not enough memory");
		return;
	}
	length = many_requests(check, requests, LOTS);
	if (talk_open(&slow, check, "a client that never reads")) {
		talk_send_until_full(&slow, requests, length, READER_MOST);
		talk_visit(check, "a client, while another one does not read,");
	}
	talk_close(&slow);
	free(requests);
}

void check_slow_writer(struct check *check)
{
	const char *who = "a client, while another one sends byte by byte,";
	struct talk slow = TALK_CLOSED;
	struct exchange exchange;
	const struct protocol *protocol = &check->settings->protocol;
	size_t at = 0;
	bool right;

	protocol_exchange(protocol, talk_number(), &exchange);
	right = talk_open(&slow, check, "a client that sends byte by byte");
	for (; right && at < BYTES && at + 1 < exchange.request_length; at++)
		right = talk_send(&slow, exchange.request + at, 1) &&
			(at % 4 != 0 ||
			 (check_pause(check, WRITER_PAUSE) && talk_visit(check, who)));
	right = right &&
		talk_send(&slow, exchange.request + at, exchange.request_length - at);
	if (right && !protocol_has(protocol, PROTOCOL_SILENT))
		talk_reply(&slow, &exchange);
	talk_close(&slow);
}

/* ---- many clients ------------------------------------------------------------------------ */

struct many {
	struct check *check;
	struct talk *talks;
	struct exchange *exchanges;
	bool *asked, *answered;
	unsigned at_once; /* how many were served while all were connected */
	bool full;        /* the server does not answer more at once */
};

static bool ask(struct many *many, unsigned i)
{
	struct talk *talk = &many->talks[i];
	struct exchange *exchange = &many->exchanges[i];

	if (many->asked[i])
		return true;
	if (sock_error(talk->fd) != 0)
		return check_fail(many->check, "client %u of %d cannot connect", i + 1,
				  MANY);
	protocol_exchange(&many->check->settings->protocol, talk_number(), exchange);
	many->asked[i] = true;
	if (exchange->request_length > 0 &&
	    !talk_send(talk, exchange->request, exchange->request_length))
		return false;
	if (protocol_has(&many->check->settings->protocol, PROTOCOL_SILENT))
		shutdown(talk->fd, SHUT_WR);
	return true;
}

static enum reply_state look(struct many *many, unsigned i)
{
	struct talk *talk = &many->talks[i];

	talk_receive(talk);
	if (!protocol_has(&many->check->settings->protocol, PROTOCOL_SILENT))
		return talk_look(talk, &many->exchanges[i]);
	return !talk->ended ? REPLY_INCOMPLETE : talk->error ? REPLY_WRONG : REPLY_RIGHT;
}

/* Waits for a reply. @return whether it came, or the check goes on without it */
static bool await(struct many *many, unsigned i, int64_t most)
{
	struct talk *talk = &many->talks[i];
	int64_t end = clock_milliseconds() + most;
	struct check_wait wait;
	const char *why;

	check_wait_begin(&wait);
	while (!many->answered[i]) {
		enum reply_state state = REPLY_INCOMPLETE;
		short events = many->asked[i] ? POLLIN : POLLOUT;

		if (!many->asked[i] && io_wait(talk->fd, POLLOUT, 0) > 0 && !ask(many, i))
			return false;
		if (many->asked[i])
			state = look(many, i);
		many->answered[i] = state == REPLY_RIGHT;
		if (state == REPLY_WRONG)
			return talk_fail_reply(talk, &many->exchanges[i], "");
		if (state == REPLY_RIGHT)
			return true;
		if (clock_milliseconds() >= end ||
		    check_wait_is_over(many->check, &wait, talk->bytes, &why))
			return true;
		if (!many->asked[i] || talk_is_under_way(talk))
			check_wait_touch(&wait);
		io_wait(talk->fd, events, 20);
	}
	return true;
}

/* All come. The second client must be served while the first one is connected; the others, if
 * the server has a limit, may wait. */
static bool all_come(struct many *many)
{
	static const char who[] = "one of 1100 clients";

	for (unsigned i = 0; i < MANY; i++) {
		if (!talk_start(&many->talks[i], many->check, who))
			return check_fail(many->check,
					  "client %u of %d cannot connect: %s", i + 1,
					  MANY, strerror(errno));
		if (many->talks[i].fd < 0 && i > 1)
			return true; /* a UNIX-domain socket whose backlog is full */
		if (many->full) {
			if (io_wait(many->talks[i].fd, POLLOUT, 0) > 0 && !ask(many, i))
				return false;
			continue;
		}
		if (!await(many, i, i < 2 ? many->check->settings->timeout : FULL_MS))
			return false;
		many->full = !many->answered[i];
		many->at_once += many->answered[i];
		if (i == 1 && many->full)
			return check_fail(many->check,
					  "1 of %d clients is served at a time: client 2 "
					  "waits until client 1 leaves",
					  MANY);
	}
	return true;
}

/* Looks at a client that is ready. @return false if the check has failed */
static bool serve_ready(struct many *many, unsigned i)
{
	enum reply_state state;

	if (!ask(many, i))
		return false;
	state = look(many, i);
	if (state == REPLY_WRONG)
		return talk_fail_reply(&many->talks[i], &many->exchanges[i], "");
	many->answered[i] = state == REPLY_RIGHT;
	if (many->answered[i])
		talk_close(&many->talks[i]);
	return true;
}

static bool fail_waiting(struct many *many, unsigned left, const char *why)
{
	unsigned i = 0;

	while (many->answered[i])
		i++;
	return check_fail(many->check,
			  "%u of %d clients got no reply, not even when the others had "
			  "left (the first is client %u): %s",
			  left, MANY, i + 1, why);
}

/* Each leaves when it has its reply, so the others have their turn, in any order. */
static bool all_leave(struct many *many)
{
	struct pollfd fds[MANY];
	unsigned numbers[MANY], count, under_way, still = 0;
	struct check_wait wait;
	const char *why;

	for (unsigned i = 0; i < MANY; i++)
		if (many->answered[i])
			talk_close(&many->talks[i]);
	check_wait_begin(&wait);
	do {
		count = under_way = 0;
		for (unsigned i = 0; i < MANY; i++) {
			if (many->answered[i])
				continue;
			under_way +=
				!many->asked[i] || talk_is_under_way(&many->talks[i]);
			numbers[count] = i;
			fds[count++] = (struct pollfd){
				.fd = many->talks[i].fd,
				.events = many->asked[i] ? POLLIN : POLLOUT,
			};
		}
		still = poll(fds, count, STEP) > 0 ? 0 : still + 1;
		if (still == 0)
			check_wait_begin(&wait);
		else if (under_way == count && still * STEP >= FULL_MS)
			return true; /* the backlog has no place for them */
		else if (check_wait_is_over(many->check, &wait, 0, &why))
			return fail_waiting(many, count, why);
		for (unsigned i = 0; i < count; i++)
			if (fds[i].revents != 0 && !serve_ready(many, numbers[i]))
				return false;
	} while (count > 0 && check_pause(many->check, 0));
	return count == 0 || fail_waiting(many, count, "the time of the check is over");
}

void check_many_clients(struct check *check)
{
	struct many many = { .check = check };

	check->deadline += check->settings->timeout; /* many take longer */
	many.talks = calloc(MANY, sizeof *many.talks);
	many.exchanges = calloc(MANY, sizeof *many.exchanges);
	many.asked = calloc(MANY, sizeof *many.asked);
	many.answered = calloc(MANY, sizeof *many.answered);
	for (unsigned i = 0; many.talks != NULL && i < MANY; i++)
		many.talks[i].fd = many.talks[i].hearer = -1;
	if (many.talks == NULL || many.exchanges == NULL || many.asked == NULL ||
	    many.answered == NULL)
		check_fail(check, "not enough memory");
	else if (all_come(&many) && all_leave(&many))
		goes_on(check, "1100 clients");
	for (unsigned i = 0; many.talks != NULL && i < MANY; i++)
		talk_close(&many.talks[i]);
	free(many.talks);
	free(many.exchanges);
	free(many.asked);
	free(many.answered);
}
