/*
 * talk - a client: connects, sends, and compares what it receives with what it expects.
 *
 * All sockets are non-blocking, and each wait has short steps, between which check.c decides
 * whether it goes on. While a client sends it also receives: otherwise both ends could wait for
 * each other, which would be the fault of the checker.
 */
#include "client/sockcheck/talk.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "common/text.h"

enum { STEP = 20, ROOM_STEP = 50, SHOWN = 160, SHOWN_BYTES = 48 };

static atomic_uint numbers = 1;

unsigned talk_number(void)
{
	return numbers++;
}

static const struct protocol *protocol_of(const struct talk *talk)
{
	return &talk->check->settings->protocol;
}

/* ---- connecting ---------------------------------------------------------------------- */

static int find_server(const struct check *check, struct address *address,
		       struct failure *failure)
{
	const struct address_query query = { AF_UNSPEC, SOCK_STREAM, false };
	struct addrinfo *list;

	if (address_resolve(check->host, check->port, &query, &list, failure) < 0)
		return -1;
	address_set(address, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return 0;
}

/* @return the descriptor, or -1 with errno: EAGAIN the backlog is full */
static int start_local(const struct check *check)
{
	struct local_address address;

	if (local_address_parse(check->host, &address, NULL) < 0) {
		errno = EINVAL;
		return -1;
	}
	return sock_connect_local(&address, SOCK_STREAM);
}

/* Starts to connect. @return the descriptor, or -1 with errno */
static int start(const struct check *check, struct address *address)
{
	struct failure failure;
	int fd;

	if (check->settings->local)
		return start_local(check);
	if (find_server(check, address, &failure) < 0) {
		errno = EHOSTUNREACH;
		return -1;
	}
	fd = sock_connect_start(&address->any, address->length, SOCK_STREAM);
	if (fd >= 0)
		sock_set_nodelay(fd);
	return fd;
}

static bool fail_connect(struct talk *talk, const char *why)
{
	bool local = talk->check->settings->local;
	char when[128];

	snprintf(when, sizeof when, "%s cannot connect", talk->who);
	if (check_end_explains(talk->check, when))
		return false;
	return check_fail(talk->check, "%s cannot connect to %s%s: %s", talk->who,
			  local ? "" : "port ",
			  local ? talk->check->host : talk->check->port, why);
}

/* There is no event that tells when a full backlog has room, and nothing is under way: when the
 * server sleeps, there will be none. */
static int connect_local(struct talk *talk)
{
	struct check_wait wait;
	const char *why;
	int fd;

	check_wait_begin(&wait);
	while ((fd = start_local(talk->check)) < 0 && errno == EAGAIN) {
		check_pause(talk->check, STEP);
		if (check_wait_is_over(talk->check, &wait, 0, &why)) {
			fail_connect(talk, "the backlog is full");
			return -1;
		}
	}
	if (fd < 0)
		fail_connect(talk, local_address_why(errno, SOCK_STREAM));
	return fd;
}

static int connect_host(struct talk *talk)
{
	struct check_wait wait;
	struct address address;
	const char *why;
	int fd = start(talk->check, &address), outcome = fd < 0 ? errno : EINPROGRESS;

	check_wait_begin(&wait);
	while (outcome == EINPROGRESS) {
		outcome = sock_connect_outcome(fd, &address.any, address.length);
		if (outcome != EINPROGRESS)
			break;
		io_wait(fd, POLLOUT, STEP);
		check_wait_touch(&wait); /* a SYN that was dropped is sent again */
		if (check_wait_is_over(talk->check, &wait, 0, &why))
			outcome = ETIMEDOUT;
	}
	if (outcome == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	fail_connect(talk, outcome == ETIMEDOUT
				   ? "the connection is not established (backlog full?)"
				   : strerror(outcome));
	return -1;
}

/* @return the connected descriptor, or -1: the check has failed */
static int connect_one(struct talk *talk)
{
	return talk->check->settings->local ? connect_local(talk) : connect_host(talk);
}

static bool prepare(struct talk *talk, struct check *check, const char *who)
{
	char *received = talk->received != NULL ? talk->received : malloc(TALK_BUFFER);

	talk->check = check;
	talk->who = who;
	talk->fd = talk->hearer = -1;
	talk->received = received;
	talk->used = 0;
	talk->bytes = 0;
	talk->ended = false;
	talk->announced = false;
	talk->error = 0;
	talk->reply_length = 0;
	return received != NULL || check_fail(check, "not enough memory");
}

/* Lets two clients of a room hear each other: a line that was sent before the other one had
 * joined is not repeated by the server, so lines are sent until one is heard. */
static bool join_room(struct talk *talk)
{
	struct check_wait wait;
	struct exchange exchange;
	enum reply_state state = REPLY_INCOMPLETE;
	const char *why;

	check_wait_begin(&wait);
	while (state == REPLY_INCOMPLETE) {
		protocol_exchange(protocol_of(talk), talk_number(), &exchange);
		if (!talk_send(talk, exchange.request, exchange.request_length))
			return false;
		io_wait(talk->hearer, POLLIN, ROOM_STEP);
		for (int i = 0; i < 4 && state == REPLY_INCOMPLETE; i++) {
			io_wait(talk->hearer, POLLIN, ROOM_STEP);
			talk_receive(talk);
			state = talk_look(talk, &exchange);
		}
		if (state == REPLY_INCOMPLETE &&
		    check_wait_is_over(talk->check, &wait, 0, &why))
			return talk_fail_reply(talk, &exchange, why);
	}
	return state == REPLY_RIGHT || talk_fail_reply(talk, &exchange, "");
}

bool talk_open(struct talk *talk, struct check *check, const char *who)
{
	if (!prepare(talk, check, who))
		return false;
	talk->fd = connect_one(talk);
	if (talk->fd < 0)
		return false;
	talk->hearer = talk->fd;
	if (!protocol_has(protocol_of(talk), PROTOCOL_ROOM))
		return true;
	talk->hearer = connect_one(talk);
	return talk->hearer >= 0 && join_room(talk);
}

bool talk_start(struct talk *talk, struct check *check, const char *who)
{
	struct address address;

	if (!prepare(talk, check, who))
		return false;
	talk->fd = talk->hearer = start(check, &address);
	return talk->fd >= 0 || (check->settings->local && errno == EAGAIN);
}

bool talk_start_again(struct talk *talk)
{
	talk->fd = talk->hearer = start_local(talk->check);
	return talk->fd >= 0 || errno == EAGAIN;
}

bool talk_await_connection(struct talk *talk)
{
	struct check_wait wait;
	const char *why;

	if (talk->fd < 0) {
		talk->fd = talk->hearer = connect_local(talk);
		return talk->fd >= 0;
	}
	check_wait_begin(&wait);
	while (!(io_wait(talk->fd, POLLOUT, STEP) & (POLLOUT | POLLERR | POLLHUP))) {
		check_wait_touch(&wait);
		if (check_wait_is_over(talk->check, &wait, 0, &why))
			return fail_connect(talk, "the connection is not established "
						  "(backlog full?)");
	}
	return true;
}

/* On a UNIX-domain socket the bytes are with the peer at once; what the kernel counts there are
 * bytes that the server has not read. */
bool talk_is_under_way(const struct talk *talk)
{
	return !talk->check->settings->local && talk->bytes == 0 && talk->fd >= 0 &&
	       sock_send_queue(talk->fd) > 0;
}

/* ---- receiving ----------------------------------------------------------------------- */

/* Drops what a client of a room hears itself, so that the server need not keep it. */
static void drop_own(const struct talk *talk)
{
	char dropped[4096];

	if (talk->hearer != talk->fd && talk->fd >= 0)
		while (recv(talk->fd, dropped, sizeof dropped, 0) > 0)
			;
}

void talk_receive(struct talk *talk)
{
	drop_own(talk);
	while (talk->hearer >= 0 && !talk->ended && talk->used < TALK_BUFFER) {
		ssize_t n = recv(talk->hearer, talk->received + talk->used,
				 TALK_BUFFER - talk->used, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
			return;
		if (n <= 0) {
			talk->ended = true;
			talk->error = n < 0 ? errno : 0;
			return;
		}
		talk->used += (size_t)n;
		talk->bytes += (uint64_t)n;
		talk->check->heard = true;
	}
}

/* Drops whole lines, which are about other things. */
static void drop_lines(struct talk *talk)
{
	while (talk->used > 0) {
		char *newline = memchr(talk->received, '\n', talk->used);

		if (newline == NULL)
			return;
		talk->used -= (size_t)(newline + 1 - talk->received);
		memmove(talk->received, newline + 1, talk->used);
	}
}

enum reply_state talk_look(struct talk *talk, const struct exchange *exchange)
{
	size_t used = 0;
	enum reply_state state =
		protocol_judge(protocol_of(talk), exchange, talk->received, talk->used,
			       talk->ended, &used);

	if (state == REPLY_RIGHT) {
		talk->announced =
			protocol_announces_end(protocol_of(talk), talk->received, used);
		talk->reply_length = used <= PROTOCOL_REPLY ? used : 0;
		memcpy(talk->reply, talk->received, talk->reply_length);
		talk->used -= used;
		memmove(talk->received, talk->received + used, talk->used);
	} else if (state == REPLY_INCOMPLETE &&
		   protocol_has(protocol_of(talk), PROTOCOL_ROOM)) {
		drop_lines(talk);
		state = talk->ended ? REPLY_WRONG : state;
	} else if (state == REPLY_INCOMPLETE &&
		   (talk->ended || talk->used == TALK_BUFFER)) {
		state = REPLY_WRONG;
	}
	return state;
}

bool talk_fail_reply(struct talk *talk, const struct exchange *exchange, const char *why)
{
	char expected[PROTOCOL_SHOWN], got[SHOWN], state[CHECKED_STATE] = "";
	struct check *check = talk->check;

	protocol_expected(protocol_of(talk), exchange, expected);
	text_escape(talk->received, talk->used < SHOWN_BYTES ? talk->used : SHOWN_BYTES,
		    got, sizeof got);
	if (talk->ended ? check_server_ends(check)
			: checked_server_has_ended(&check->server))
		checked_server_describe_end(&check->server, state);
	if (state[0] == '\0' && talk->error != 0)
		snprintf(state, sizeof state, "%s", strerror(talk->error));
	else if (state[0] == '\0' && talk->ended)
		snprintf(state, sizeof state, "the server closed");
	else if (state[0] == '\0')
		snprintf(state, sizeof state, "%s", why);
	if (talk->used == 0)
		return check_fail(check, "%s expected %s, got nothing%s%s", talk->who,
				  expected, state[0] != '\0' ? "; " : "", state);
	return check_fail(check, "%s expected %s, got '%s'%s after %zu bytes%s%s",
			  talk->who, expected, got, talk->used > SHOWN_BYTES ? "..." : "",
			  talk->used, state[0] != '\0' ? "; " : "", state);
}

bool talk_reply(struct talk *talk, const struct exchange *exchange)
{
	struct check_wait wait;
	const char *why = "";

	check_wait_begin(&wait);
	for (;;) {
		enum reply_state state;

		talk_receive(talk);
		state = talk_look(talk, exchange);
		if (state == REPLY_RIGHT)
			return true;
		if (state == REPLY_WRONG ||
		    check_wait_is_over(talk->check, &wait, talk->bytes, &why))
			return talk_fail_reply(talk, exchange, why);
		if (talk_is_under_way(talk))
			check_wait_touch(&wait);
		io_wait(talk->hearer, POLLIN, STEP);
	}
}

/* ---- sending ------------------------------------------------------------------------- */

static bool fail_send(struct talk *talk, const char *why)
{
	char when[128];

	snprintf(when, sizeof when, "%s cannot send", talk->who);
	if (check_end_explains(talk->check, when))
		return false;
	return check_fail(talk->check, "%s cannot send: %s", talk->who, why);
}

bool talk_send(struct talk *talk, const char *bytes, size_t length)
{
	struct check_wait wait;
	const char *why;

	check_wait_begin(&wait);
	while (length > 0) {
		ssize_t n = sock_send(talk->fd, bytes, length, false);

		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
			check_wait_begin(&wait);
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail_send(talk, strerror(errno));
		io_wait(talk->fd,
			(short)(POLLOUT | (talk->used < TALK_BUFFER ? POLLIN : 0)), STEP);
		talk_receive(talk);
		if (check_wait_is_over(talk->check, &wait, talk->bytes, &why))
			return fail_send(talk, why);
	}
	return true;
}

size_t talk_send_until_full(struct talk *talk, const char *bytes, size_t length,
			    size_t most)
{
	enum { STUCK = 10 }; /* looks in a row at which nothing was taken */
	size_t sent = 0, at = 0;

	for (int stuck = 0; stuck < STUCK && sent < most;) {
		ssize_t n = sock_send(talk->fd, bytes + at, length - at, false);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			break;
		if (n > 0) {
			sent += (size_t)n;
			at = (at + (size_t)n) % length;
			stuck = 0;
		} else if (io_wait(talk->fd, POLLOUT, STEP) == 0) {
			stuck++;
		}
		if (!check_pause(talk->check, 0))
			break;
	}
	return sent;
}

/* ---- whole exchanges ----------------------------------------------------------------- */

bool talk_expect_end(struct talk *talk)
{
	struct check_wait wait;
	const char *why = "";
	char got[SHOWN];

	check_wait_begin(&wait);
	for (;;) {
		talk_receive(talk);
		if (talk->used > 0 && !protocol_has(protocol_of(talk), PROTOCOL_ROOM)) {
			text_escape(talk->received,
				    talk->used < SHOWN_BYTES ? talk->used : SHOWN_BYTES,
				    got, sizeof got);
			return check_fail(talk->check,
					  "%s expected the end, got %zu more bytes: '%s'",
					  talk->who, talk->used, got);
		}
		talk->used = 0;
		if (talk->ended && talk->error == 0)
			return true;
		if (talk->ended)
			return check_fail(
				talk->check,
				"%s expected the end of the stream, got an error after "
				"%ju bytes: %s",
				talk->who, (uintmax_t)talk->bytes, strerror(talk->error));
		if (check_wait_is_over(talk->check, &wait, talk->bytes, &why))
			return check_fail(
				talk->check,
				"%s has sent all; the server does not close: %s",
				talk->who, why);
		io_wait(talk->hearer, POLLIN, STEP);
	}
}

bool talk_finish(struct talk *talk)
{
	if (talk->hearer != talk->fd) { /* the hearer leaves: its own end follows */
		close(talk->fd);
		talk->fd = talk->hearer;
	}
	shutdown(talk->fd, SHUT_WR);
	return talk_expect_end(talk);
}

bool talk_exchange(struct talk *talk)
{
	const struct protocol *protocol = protocol_of(talk);
	struct exchange exchange;

	if (talk->bytes > 0 &&
	    protocol_has(protocol, PROTOCOL_CLOSES | PROTOCOL_SILENT)) {
		talk_close(talk);
		if (!talk_open(talk, talk->check, talk->who))
			return false;
	}
	protocol_exchange(protocol, talk_number(), &exchange);
	if (!talk_send(talk, exchange.request, exchange.request_length))
		return false;
	if (!protocol_has(protocol, PROTOCOL_SILENT))
		return talk_reply(talk, &exchange);
	talk->bytes = 1; /* it is used up */
	return talk_finish(talk);
}

bool talk_visit(struct check *check, const char *who)
{
	struct talk talk = TALK_CLOSED;
	bool right = talk_open(&talk, check, who) && talk_exchange(&talk);

	talk_close(&talk);
	return right;
}

static void close_both(struct talk *talk)
{
	if (talk->hearer >= 0 && talk->hearer != talk->fd)
		close(talk->hearer);
	if (talk->fd >= 0)
		close(talk->fd);
	talk->fd = talk->hearer = -1;
	free(talk->received);
	talk->received = NULL;
}

void talk_close(struct talk *talk)
{
	close_both(talk);
}

void talk_reset(struct talk *talk)
{
	if (talk->fd >= 0)
		sock_set_abortive(talk->fd);
	close_both(talk);
}
