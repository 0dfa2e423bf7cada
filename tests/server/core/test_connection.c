/*
 * A connection with small services made for the purpose, over a socket of the test's own:
 * blocking, as a process or a thread of its own serves it, and non-blocking, as a loop does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/process.h"
#include "server/core/connection.h"
#include "server/hub/client.h"
#include "server/core/signals.h"
#include "tests/fixture/client.h"
#include "tests/fixture/connection_fixture.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { KIB = 1024, MEGABYTE = 1024 * 1024, A_WHILE = 150 };

/* ---- services -------------------------------------------------------------------------- */

static size_t send_back(struct session *session, const char *bytes, size_t n)
{
	session_write(session, bytes, n);
	return n;
}

static const struct service echo = { .input = send_back, .close = rig_count_close };

/* Says one thing to whoever comes, and hangs up. */
static void greet(struct session *session)
{
	char peer[ADDRESS_TEXT];

	session_write(session, "welcome ", 8);
	session_peer(session, peer);
	session_write(session, peer, strlen(peer));
	session_write(session, "\n", 1);
	session_finish(session);
	session_write(session, "too late\n", 9);
}

static size_t refuse(struct session *session, const char *bytes, size_t n)
{
	(void)session, (void)bytes, (void)n;
	ck_abort_msg("input for a service that has finished");
}

static const struct service greeter = {
	.open = greet,
	.input = refuse,
	.close = rig_count_close,
};

/* Sends without being asked, for as long as the client takes it. */
static char produced_byte(size_t offset)
{
	return (char)('a' + (offset * 7 + offset / 251) % 26);
}

static void produce(struct session *session)
{
	size_t *offset = session->state;
	char piece[1000];

	for (size_t i = 0; i < sizeof piece; i++)
		piece[i] = produced_byte(*offset + i);
	*offset += sizeof piece;
	session_write(session, piece, sizeof piece);
}

static size_t drop_input(struct session *session, const char *bytes, size_t n)
{
	(void)session, (void)bytes;
	return n;
}

static const struct service producer = {
	.state_size = sizeof(size_t),
	.input = drop_input,
	.drained = produce,
	.close = rig_count_close,
};

/* The same, but a million bytes and no more. */
enum { PRODUCED = 1000 * 1000 };

static void produce_so_much(struct session *session)
{
	produce(session);
	if (*(size_t *)session->state == PRODUCED)
		session_finish(session);
}

static const struct service bounded_producer = {
	.state_size = sizeof(size_t),
	.input = drop_input,
	.drained = produce_so_much,
	.close = rig_count_close,
};

/* Answers each line by the same in brackets; what is left at the end, in braces. */
static size_t answer_lines(struct session *session, const char *bytes, size_t n)
{
	size_t used = 0;
	const char *end;

	while ((end = memchr(bytes + used, '\n', n - used)) != NULL) {
		session_write(session, "[", 1);
		session_write(session, bytes + used, (size_t)(end - bytes) - used);
		session_write(session, "]\n", 2);
		used = (size_t)(end - bytes) + 1;
	}
	return used;
}

static void answer_rest(struct session *session, const char *bytes, size_t n)
{
	session_write(session, "{", 1);
	session_write(session, bytes, n);
	session_write(session, "}\n", 2);
	session_finish(session);
}

static const struct service lines = {
	.input = answer_lines,
	.end = answer_rest,
	.close = rig_count_close,
};

/* Answers at such length that it asks, piece by piece, whether anybody still listens. */
enum { MOST_SAID = 1000 };

static atomic_int pieces_written;

static size_t talk_on(struct session *session, const char *bytes, size_t n)
{
	static const char piece[64 * KIB];

	(void)bytes;
	while (atomic_load(&pieces_written) < MOST_SAID && !session->finished) {
		session_write(session, piece, sizeof piece);
		atomic_fetch_add(&pieces_written, 1);
	}
	return n;
}

static const struct service talker = { .input = talk_on, .close = rig_count_close };

/* Says each byte a thousand times; stops when the client does not take it. */
enum { TIMES = 1000 };

static size_t multiply(struct session *session, const char *bytes, size_t n)
{
	char many[TIMES];
	size_t i;

	for (i = 0; i < n && !session_full(session); i++) {
		memset(many, bytes[i], sizeof many);
		session_write(session, many, sizeof many);
	}
	return i;
}

static void multiply_rest(struct session *session, const char *bytes, size_t n)
{
	ck_assert_uint_eq(n, 0);
	session_write(session, bytes, n);
	session_write(session, ".", 1);
	session_finish(session);
}

static const struct service multiplier = {
	.input = multiply,
	.end = multiply_rest,
	.close = rig_count_close,
};

/* Gives a long answer to the first that it hears, and hangs up, whatever else comes. */
enum { ANSWER = 100 * KIB };
static char answer[ANSWER];

static size_t answer_once(struct session *session, const char *bytes, size_t n)
{
	(void)bytes;
	session_write(session, answer, sizeof answer);
	session_finish(session);
	return n;
}

static const struct service hasty = { .input = answer_once, .close = rig_count_close };

/* Consumes nothing, ever. */
static size_t consume_nothing(struct session *session, const char *bytes, size_t n)
{
	(void)session, (void)bytes, (void)n;
	return 0;
}

static const struct service stubborn = { .input = consume_nothing,
					 .close = rig_count_close };

/* Says more in one breath than may be queued, and does not ask whether it is heard. */
enum { FLOOD = 8 * MEGABYTE, GUSH = 100 * KIB };
static char *flood;

static void pour(struct session *session)
{
	for (size_t poured = 0; poured < FLOOD; poured += GUSH)
		session_write(session, flood + poured,
			      FLOOD - poured < GUSH ? FLOOD - poured : GUSH);
	session_finish(session);
}

static const struct service flooder = { .open = pour, .close = rig_count_close };

/* Answers by many small pieces. */
enum { PIECES = 500 };

static size_t answer_in_pieces(struct session *session, const char *bytes, size_t n)
{
	(void)bytes;
	for (int i = 0; i < PIECES; i++)
		session_write(session, "piece ", 6);
	return n;
}

static const struct service chatterbox = {
	.input = answer_in_pieces,
	.close = rig_count_close,
};

/* ---- conversations --------------------------------------------------------------------- */

START_TEST(what_is_said_on_opening_arrives_and_then_the_end)
{
	struct rig rig;
	char expected[ADDRESS_TEXT + 16];
	struct address here;
	char peer[ADDRESS_TEXT];

	rig_start(&rig, _i, &greeter);
	ck_assert_int_eq(address_local(rig.client, &here), 0);
	snprintf(expected, sizeof expected, "welcome %s\n", address_text(&here, peer));
	client_expect(rig.client, expected, strlen(expected));
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

START_TEST(the_end_of_input_ends_a_service_that_says_nothing_of_it)
{
	struct rig rig;

	rig_start(&rig, _i, &echo);
	client_send(rig.client, "hello", 5);
	client_expect(rig.client, "hello", 5);
	client_half_close(rig.client);
	client_expect_end(rig.client);
	rig_join(&rig); /* although the client has not closed: nothing can be lost now */
	client_close(rig.client);
}
END_TEST

START_TEST(a_client_that_only_comes_and_goes_is_one_call_of_close)
{
	struct rig rig;

	rig_start(&rig, _i, &echo);
	rig_end(&rig);
	ck_assert_uint_eq(rig_bytes_in(&rig), 0);
}
END_TEST

START_TEST(a_reset_ends_this_connection_and_nothing_else)
{
	struct rig rig;

	rig_start(&rig, _i, &echo);
	client_send(rig.client, "hello", 5);
	client_expect(rig.client, "hello", 5);
	client_reset(rig.client);
	rig_join(&rig);
}
END_TEST

/* Both halves arrive on their own: the second is sent when the first has been read. */
START_TEST(a_line_may_be_cut_anywhere)
{
	static const char text[] = "one\ntwo\n\nthree\nrest";
	static const char expected[] = "[one]\n[two]\n[]\n[three]\n{rest}\n";
	const size_t length = sizeof text - 1;

	for (size_t cut = 1; cut < length; cut++) {
		struct rig rig;

		rig_start(&rig, _i, &lines);
		client_send(rig.client, text, cut);
		rig_wait_for_arrival(&rig, cut);
		client_send(rig.client, text + cut, length - cut);
		client_half_close(rig.client);
		client_expect(rig.client, expected, sizeof expected - 1);
		client_expect_end(rig.client);
		rig_end(&rig);
	}
}
END_TEST

START_TEST(a_line_may_come_byte_by_byte)
{
	static const char text[] = "hello, world\nand then";
	struct rig rig;

	rig_start(&rig, _i, &lines);
	for (size_t i = 0; i < sizeof text - 1; i++) {
		client_send(rig.client, text + i, 1);
		rig_wait_for_arrival(&rig, i + 1);
	}
	client_expect(rig.client, "[hello, world]\n", 15);
	client_half_close(rig.client);
	client_expect(rig.client, "{and then}\n", 11);
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

START_TEST(the_end_is_told_even_if_nothing_was_left)
{
	struct rig rig;

	rig_start(&rig, _i, &lines);
	client_half_close(rig.client);
	client_expect(rig.client, "{}\n", 3);
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

START_TEST(a_service_that_never_consumes_is_given_all_that_fits_and_then_dropped)
{
	static char bytes[SESSION_INPUT];
	struct rig rig;

	rig_start(&rig, _i, &stubborn);
	client_send(rig.client, bytes, sizeof bytes - 1);
	rig_wait_for_arrival(&rig, sizeof bytes - 1);
	ck_assert(!rig_is_over(&rig));
	client_send(rig.client, bytes, 1);
	rig_join(&rig);
	client_close(rig.client);
}
END_TEST

START_TEST(what_it_moves_is_counted)
{
	struct rig rig;

	rig_start(&rig, _i, &lines);
	client_send(rig.client, "abc\n", 4);
	client_expect(rig.client, "[abc]\n", 6);
	client_half_close(rig.client);
	client_expect(rig.client, "{}\n", 3);
	rig_end(&rig);
	ck_assert_uint_eq(rig_bytes_in(&rig), 4);
	ck_assert_uint_eq(rig_bytes_out(&rig), 9);
}
END_TEST

/* ---- output of the service's own ------------------------------------------------------- */

static void expect_produced(int fd, size_t from, size_t to)
{
	static char expected[4 * KIB];

	while (from < to) {
		size_t n = to - from < sizeof expected ? to - from : sizeof expected;

		for (size_t i = 0; i < n; i++)
			expected[i] = produced_byte(from + i);
		client_expect(fd, expected, n);
		from += n;
	}
}

START_TEST(a_producer_goes_on_until_its_client_leaves)
{
	struct rig rig;

	rig_start(&rig, _i, &producer);
	expect_produced(rig.client, 0, 3 * MEGABYTE);
	client_send(rig.client, "this is dropped", 15);
	rig_wait_for_arrival(&rig, 15);
	expect_produced(rig.client, 3 * MEGABYTE, 4 * MEGABYTE);
	rig_end(&rig);
}
END_TEST

START_TEST(a_producer_may_come_to_an_end)
{
	struct rig rig;

	rig_start(&rig, _i, &bounded_producer);
	expect_produced(rig.client, 0, PRODUCED);
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

START_TEST(a_half_closed_client_still_gets_what_is_produced)
{
	struct rig rig;
	struct service service = bounded_producer;

	service.end = answer_rest;
	service.drained = produce_so_much;
	rig_make(&rig, rig_forms[_i], &service, 0);
	client_half_close(rig.client);
	rig_serve(&rig);
	/* Where the end is told, this service says so and finishes; all that it had
	 * said before comes first. */
	while (true) {
		char byte;
		ssize_t n = io_read(rig.client, &byte, 1);

		ck_assert_int_eq(n, 1);
		if (byte == '{')
			break;
	}
	client_expect(rig.client, "}\n", 2);
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

/* ---- a client that does not read ------------------------------------------------------- */

/* Sends, as long as the connection takes it. @return how much that was */
static size_t send_until_stuck(struct rig *rig, const char *bytes, size_t length)
{
	size_t sent = 0;
	ssize_t n;

	do {
		n = send(rig->client, bytes + sent, length - sent, MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		rig_do_what_is_possible(rig);
	} while (sent < length && (n > 0 || errno == EINTR));
	return sent;
}

/* Reads, while the connection goes on. @return how much came */
static size_t read_what_comes(struct rig *rig, char *bytes, size_t size)
{
	size_t got = 0;
	ssize_t n;

	do {
		rig_do_what_is_possible(rig);
		n = recv(rig->client, bytes + got, size - got, MSG_DONTWAIT);
		if (n > 0)
			got += (size_t)n;
	} while (n > 0 && got < size);
	return got;
}

/* It half-closes while all that is still to come. */
START_TEST(who_does_not_read_is_not_read_either_and_loses_nothing)
{
	enum { MOST = 64 * MEGABYTE };
	char *sent = much_memory(MOST), *got = much_memory(MOST);
	struct rig rig;
	size_t length, came = 0;

	fill_pattern(sent, MOST, 5);
	rig_make(&rig, (struct form){ true, rig_forms[_i].kind }, &echo, 0);
	connection_begin(rig.connection, &rig.worker);
	length = send_until_stuck(&rig, sent, MOST);
	ck_assert_uint_lt(length, MOST);
	ck_assert_uint_eq(connection_wants(rig.connection), WANT_WRITE);
	ck_assert_uint_gt(rig.connection->output.queue.length, 0);
	ck_assert_uint_le(rig.connection->output.queue.length, SESSION_INPUT);
	client_half_close(rig.client);
	while (came < length) {
		size_t n = read_what_comes(&rig, got + came, length - came);

		if (n == 0) /* on its way: TCP's own time */
			io_wait(rig.client, POLLIN, WAIT_MS);
		came += n;
	}
	ck_assert_mem_eq(got, sent, length);
	rig_do_what_is_possible(&rig);
	ck_assert_uint_eq(connection_wants(rig.connection), 0);
	connection_close(rig.connection);
	client_expect_end(rig.client);
	client_close(rig.client);
}
END_TEST

/* The service stops where session_full() says so, and goes on with the rest of the same
 * input: 60 kB make 60 MB, of which no more than a little is ever queued. */
START_TEST(a_service_that_stops_when_full_goes_on_where_it_stopped)
{
	enum { LENGTH = SANITIZED ? 6000 : 60000, MADE = LENGTH * TIMES + 1 };
	static char text[LENGTH];
	char *expected = much_memory(MADE);
	struct rig rig;

	fill_pattern(text, sizeof text, 6);
	for (size_t i = 0; i < sizeof text; i++)
		memset(expected + i * TIMES, text[i], TIMES);
	expected[MADE - 1] = '.';
	rig_start(&rig, _i, &multiplier);
	client_send(rig.client, text, sizeof text);
	client_half_close(rig.client);
	rig_wait_for_arrival(&rig, 1);
	client_expect(rig.client, expected, MADE);
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

START_TEST(a_service_that_stops_when_full_queues_little)
{
	static char text[1000];
	struct rig rig;

	rig_make(&rig, (struct form){ true, rig_forms[_i].kind }, &multiplier, 0);
	connection_begin(rig.connection, &rig.worker);
	for (int i = 0; i < 100 && connection_wants(rig.connection) != WANT_WRITE; i++)
		send_until_stuck(&rig, text, sizeof text);
	ck_assert_uint_eq(connection_wants(rig.connection), WANT_WRITE);
	ck_assert_uint_gt(rig.connection->output.queue.length, 0);
	ck_assert_uint_le(rig.connection->output.queue.length,
			  2 * sizeof rig.worker.output);
	client_close(rig.client);
	rig_do_what_is_possible(&rig);
	ck_assert_uint_eq(connection_wants(rig.connection), 0);
	connection_close(rig.connection);
}
END_TEST

START_TEST(a_loop_drops_a_client_for_whom_too_much_is_queued)
{
	struct rig rig;

	flood = much_memory(FLOOD);
	rig_make(&rig, (struct form){ true, rig_forms[_i].kind }, &flooder, 0);
	connection_begin(rig.connection, &rig.worker);
	ck_assert_uint_eq(connection_wants(rig.connection), 0);
	ck_assert_uint_le(rig.connection->output.queue.length, MEGABYTE);
	connection_close(rig.connection);
	client_close(rig.client);
}
END_TEST

START_TEST(a_worker_of_its_own_waits_instead)
{
	struct rig rig;

	flood = much_memory(FLOOD);
	fill_pattern(flood, FLOOD, 8);
	rig_make(&rig, (struct form){ false, rig_forms[_i].kind }, &flooder, 0);
	rig_serve(&rig);
	client_expect(rig.client, flood, FLOOD);
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

/* ---- closing loses nothing ------------------------------------------------------------- */

/* Most of what the client sends is unread when the service has finished: close(2) would
 * reset the connection, and the answer might be lost. */
START_TEST(the_reply_arrives_whole_though_input_was_left_unread)
{
	static char request[4 * MEGABYTE];
	struct rig rig;

	fill_pattern(answer, sizeof answer, 4);
	rig_start(&rig, _i, &hasty);
	client_exchange(rig.client, request, sizeof request, answer, sizeof answer);
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

START_TEST(a_reply_may_be_read_late)
{
	static char request[100 * KIB];
	struct rig rig;

	fill_pattern(answer, sizeof answer, 4);
	rig_start(&rig, _i, &hasty);
	client_send(rig.client, request, 1);
	rig_wait_for_arrival(&rig, 1);
	client_send(rig.client, request, sizeof request); /* is dropped, not refused */
	rig_wait_for_arrival(&rig, sizeof request);
	client_expect(rig.client, answer, sizeof answer);
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

START_TEST(who_hangs_up_first_waits_for_the_other_and_no_longer)
{
	struct rig rig;

	rig_start(&rig, _i, &greeter);
	while (io_wait(rig.client, POLLIN, WAIT_MS) > 0) {
		char text[100];

		if (io_read(rig.client, text, sizeof text) == 0)
			break;
	}
	ck_assert_int_eq(io_wait(rig.client, POLLIN, 0), POLLIN); /* the end, for good */
	ck_assert(!rig_is_over(&rig));
	rig_end(&rig);
}
END_TEST

START_TEST(a_client_that_does_not_hang_up_is_not_waited_for_for_ever)
{
	int64_t begin = clock_milliseconds(), took;
	struct rig rig;

	rig_start(&rig, _i, &greeter);
	rig_join(&rig);
	took = clock_milliseconds() - begin;
	ck_assert_int_ge(took, SERVER_LINGER - 100);
	client_close(rig.client);
}
END_TEST

START_TEST(nor_is_one_that_never_stops_sending)
{
	static const char bytes[4 * KIB];
	struct rig rig;

	rig_start(&rig, _i, &greeter);
	while (!rig_is_over(&rig)) {
		ssize_t n = send(rig.client, bytes, sizeof bytes, 0);

		ck_assert_msg(n > 0 || errno == EPIPE || errno == ECONNRESET, "%s",
			      strerror(errno));
	}
	rig_end(&rig);
}
END_TEST

/* ---- time ------------------------------------------------------------------------------ */

START_TEST(a_silent_client_is_sent_the_end)
{
	struct rig rig;
	char byte;

	rig_make(&rig, rig_forms[_i], &echo, 60);
	rig_serve(&rig);
	ck_assert_int_eq(io_read(rig.client, &byte, 1), 0);
	rig_end(&rig);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_dropped)
{
	static char bytes[64 * KIB];
	struct rig rig;

	rig_make(&rig, rig_forms[_i], &echo, 60);
	rig_serve(&rig);
	ck_assert_int_eq(io_set_nonblocking(rig.client, true), 0);
	while (!rig_is_over(&rig)) {
		if (io_write(rig.client, bytes, sizeof bytes) <= 0)
			poll(NULL, 0, 1);
	}
	rig_end(&rig);
}
END_TEST

START_TEST(a_producer_drops_a_client_that_does_not_read)
{
	struct rig rig;

	rig_make(&rig, rig_forms[_i], &producer, 60);
	rig_serve(&rig);
	rig_join(&rig);
	client_close(rig.client);
}
END_TEST

START_TEST(a_service_can_see_that_its_client_was_dropped_meanwhile)
{
	struct rig rig;

	atomic_store(&pieces_written, 0);
	rig_make(&rig, rig_forms[_i], &talker, 60);
	rig_serve(&rig);
	client_send(rig.client, "?", 1);
	rig_join(&rig);
	ck_assert_int_gt(atomic_load(&pieces_written), 0);
	ck_assert_int_lt(atomic_load(&pieces_written), MOST_SAID);
	client_close(rig.client);
}
END_TEST

START_TEST(a_service_may_finish_while_its_client_does_not_read)
{
	struct rig rig;

	rig_make(&rig, rig_forms[_i], &multiplier, 60);
	rig_serve(&rig);
	client_send(rig.client, answer, 10000); /* 10 MB */
	client_half_close(rig.client);
	rig_join(&rig);
	client_close(rig.client);
}
END_TEST

/* By a clock that the test holds. */
START_TEST(only_bytes_that_move_put_off_the_idle_timeout)
{
	struct rig rig;
	struct connection *c;

	rig_make(&rig, (struct form){ true, TCP }, &echo, 500);
	c = rig.connection;
	rig.worker.now = 1000;
	connection_begin(c, &rig.worker);
	ck_assert_int_eq(connection_expiry(c), 1500);
	rig.worker.now = 1300;
	connection_on_readable(c, &rig.worker); /* in vain */
	ck_assert_int_eq(connection_expiry(c), 1500);
	client_send(rig.client, "x", 1);
	ck_assert_int_gt(io_wait(c->fd, POLLIN, WAIT_MS), 0);
	connection_on_readable(c, &rig.worker);
	ck_assert_int_eq(connection_expiry(c), 1800);
	connection_expire(c, &rig.worker, 1799);
	ck_assert_int_eq(c->state, CONNECTION_OPEN);
	connection_expire(c, &rig.worker, 1800);
	ck_assert_int_eq(c->state, CONNECTION_LINGERING);
	client_expect(rig.client, "x", 1);
	client_expect_end(rig.client);
	connection_close(c);
	client_close(rig.client);
}
END_TEST

START_TEST(without_an_idle_timeout_nothing_expires)
{
	struct rig rig;

	rig_make(&rig, (struct form){ true, TCP }, &echo, 0);
	connection_begin(rig.connection, &rig.worker);
	ck_assert_int_eq(connection_expiry(rig.connection), -1);
	connection_expire(rig.connection, &rig.worker, INT64_MAX);
	ck_assert_int_eq(rig.connection->state, CONNECTION_OPEN);
	connection_close(rig.connection);
	client_close(rig.client);
}
END_TEST

/* ---- the stop -------------------------------------------------------------------------- */

START_TEST(a_stopping_connection_answers_what_has_come_and_ends)
{
	struct rig rig;

	rig_make(&rig, rig_forms[_i], &lines, 0);
	client_send(rig.client, "one\ntwo\nunfinished", 18);
	ck_assert_int_gt(io_wait(rig.connection->fd, POLLIN, WAIT_MS), 0);
	rig_stop(&rig);
	rig_serve(&rig);
	client_expect(rig.client, "[one]\n[two]\n", 12);
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

START_TEST(a_stopping_producer_ends)
{
	struct rig rig;
	char byte;

	rig_make(&rig, rig_forms[_i], &producer, 0);
	rig_stop(&rig);
	rig_serve(&rig);
	while (io_read(rig.client, &byte, 1) > 0)
		continue;
	rig_end(&rig);
}
END_TEST

START_TEST(a_stopping_connection_waits_for_a_client_that_reads_late)
{
	enum { MOST = 64 * MEGABYTE };
	char *bytes = much_memory(MOST);
	struct rig rig;
	size_t length;

	fill_pattern(bytes, MOST, 9);
	rig_make(&rig, (struct form){ true, rig_forms[_i].kind }, &echo, 0);
	connection_begin(rig.connection, &rig.worker);
	length = send_until_stuck(&rig, bytes, MOST);
	connection_stop(rig.connection, &rig.worker);
	ck_assert_int_eq(rig.connection->state, CONNECTION_OPEN);
	rig_stop(&rig);
	rig_serve(&rig);
	client_expect(rig.client, bytes, length);
	client_expect_end(rig.client);
	rig_end(&rig);
}
END_TEST

START_TEST(the_grace_of_a_stopping_connection_is_limited)
{
	enum { MOST = 64 * MEGABYTE };
	char *bytes = much_memory(MOST);
	struct rig rig;

	rig_make(&rig, (struct form){ true, rig_forms[_i].kind }, &echo, 0);
	connection_begin(rig.connection, &rig.worker);
	send_until_stuck(&rig, bytes, MOST);
	connection_stop(rig.connection, &rig.worker);
	ck_assert_int_le(connection_expiry(rig.connection),
			 clock_milliseconds() + SERVER_GRACE);
	connection_expire(rig.connection, &rig.worker, connection_expiry(rig.connection));
	ck_assert_uint_eq(connection_wants(rig.connection), 0);
	connection_close(rig.connection);
	client_close(rig.client);
}
END_TEST

/* ---- segments -------------------------------------------------------------------------- */

/* On a socket of records each send(2) is a record, as with TCP_NODELAY each would be a
 * segment. */
START_TEST(many_small_writes_are_sent_in_one_call)
{
	char expected[PIECES * 6], got[sizeof expected + 1];
	struct rig rig;

	for (int i = 0; i < PIECES; i++)
		memcpy(expected + i * 6, "piece ", 6);
	rig_make(&rig, (struct form){ _i == 1, RECORDS }, &chatterbox, 0);
	rig_serve(&rig);
	for (int round = 0; round < 3; round++) {
		client_send(rig.client, "x", 1);
		ck_assert_int_eq(io_read(rig.client, got, sizeof got), sizeof expected);
		ck_assert_mem_eq(got, expected, sizeof expected);
	}
	rig_end(&rig);
}
END_TEST

START_TEST(a_large_write_is_sent_in_one_call)
{
	static char bytes[40 * KIB], got[sizeof bytes + 1];
	struct rig rig;

	fill_pattern(bytes, sizeof bytes, 10);
	rig_make(&rig, (struct form){ _i == 1, RECORDS }, &echo, 0);
	rig_serve(&rig);
	client_send(rig.client, bytes, sizeof bytes);
	ck_assert_int_eq(io_read(rig.client, got, sizeof got), sizeof bytes);
	ck_assert_mem_eq(got, bytes, sizeof bytes);
	rig_end(&rig);
}
END_TEST

START_TEST(an_idle_connection_owns_no_buffer)
{
	struct rig rig;

	rig_make(&rig, (struct form){ true, rig_forms[_i].kind }, &lines, 0);
	connection_begin(rig.connection, &rig.worker);
	client_send(rig.client, "one\ntw", 6);
	ck_assert_int_gt(io_wait(rig.connection->fd, POLLIN, WAIT_MS), 0);
	rig_do_what_is_possible(&rig);
	ck_assert_uint_eq(rig.connection->kept.length, 2);
	client_send(rig.client, "o\n", 2);
	ck_assert_int_gt(io_wait(rig.connection->fd, POLLIN, WAIT_MS), 0);
	rig_do_what_is_possible(&rig);
	client_expect(rig.client, "[one]\n[two]\n", 12);
	ck_assert_uint_eq(rig.connection->kept.capacity, 0);
	ck_assert_uint_eq(rig.connection->output.queue.capacity, 0);
	ck_assert_uint_le(sizeof *rig.connection, 512);
	connection_close(rig.connection);
	client_close(rig.client);
}
END_TEST

/* ---- mail and bell -------------------------------------------------------------------- */

/* A hub of one mailbox, whose bell was rung for what is in it, once. */
struct letter_box {
	struct hub_client link; /* first */
	char mail[16];
};

static void do_nothing(struct hub_client *link)
{
	(void)link;
}

static void post_nothing(struct hub_client *link, const char *bytes, size_t n)
{
	(void)link;
	(void)bytes;
	(void)n;
}

static enum hub_client_state fetch_mail(struct hub_client *link, struct buffer *queue)
{
	struct letter_box *box = (struct letter_box *)link;

	if (queue->length == 0) {
		ck_assert(buffer_append(queue, box->mail, strlen(box->mail), SIZE_MAX));
		box->mail[0] = '\0';
	}
	return HUB_CLIENT_OPEN;
}

/* GIVEN a worker that has fetched mail and not sent it yet
   WHEN more has come, and it sees to its mail while it waits for others
   THEN that is fetched as well, for the bell will not ring again. */
START_TEST(mail_behind_mail_is_fetched_while_one_waits)
{
	static const struct hub_client_kind kind = {
		.arrive = do_nothing,
		.post = post_nothing,
		.dispatch = do_nothing,
		.leave = do_nothing,
		.fetch = fetch_mail,
		.close = do_nothing,
	};
	static const struct service deaf = { .name = "deaf" };
	struct letter_box box = { .link.kind = &kind, .mail = "one\n" };
	struct rig rig;

	rig_make(&rig, (struct form){ false, LOCAL }, &deaf, 0);
	box.link.output = &rig.connection->output;
	rig.connection->hub = &box.link;
	connection_begin(rig.connection, &rig.worker);
	hub_client_fetch(&box.link);
	snprintf(box.mail, sizeof box.mail, "two\n");

	hub_client_fetch_and_send(&box.link);

	client_hear(rig.client, "one\ntwo\n");
	connection_close(rig.connection);
	client_close(rig.client);
}
END_TEST

/* In every form: blocking and non-blocking, over TCP and a local socket. */
static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, RIG_FORMS);
}

/* It would be written outside an fd_set. */
START_TEST(a_listener_that_no_set_can_hold_is_refused)
{
	struct server server = { .max_clients = 1 };
	int low = socket(AF_INET, SOCK_STREAM, 0), high;

	if (process_raise_descriptors(FD_SETSIZE + 8) < FD_SETSIZE + 8) {
		skipped("needs more descriptors (ulimit -n)");
		return;
	}
	high = fcntl(low, F_DUPFD, FD_SETSIZE);
	ck_assert_int_ge(high, FD_SETSIZE);
	ck_assert_int_eq(server_begin(&server, &(struct listeners){ { high }, 1 }), -1);
	ck_assert_int_eq(errno, EMFILE);
}
END_TEST

Suite *suite_connection(void)
{
	Suite *suite = suite_create("connection");
	TCase *tcase = add_case(suite, "conversations");

	tcase_add_test(tcase, a_listener_that_no_set_can_hold_is_refused);
	add(tcase, what_is_said_on_opening_arrives_and_then_the_end);
	add(tcase, the_end_of_input_ends_a_service_that_says_nothing_of_it);
	add(tcase, a_client_that_only_comes_and_goes_is_one_call_of_close);
	tcase_add_loop_test(tcase, a_reset_ends_this_connection_and_nothing_else, 0,
			    RIG_TCP_FORMS);
	add(tcase, a_line_may_be_cut_anywhere);
	add(tcase, a_line_may_come_byte_by_byte);
	add(tcase, the_end_is_told_even_if_nothing_was_left);
	add(tcase, a_service_that_never_consumes_is_given_all_that_fits_and_then_dropped);
	add(tcase, what_it_moves_is_counted);
	tcase = add_case(suite, "output of the service's own");
	add(tcase, a_producer_goes_on_until_its_client_leaves);
	add(tcase, a_producer_may_come_to_an_end);
	add(tcase, a_half_closed_client_still_gets_what_is_produced);
	tcase = add_case(suite, "a client that does not read");
	/* Those that look inside do the loop's turns themselves, on either kind of socket. */
	tcase_add_loop_test(tcase, who_does_not_read_is_not_read_either_and_loses_nothing,
			    1, 3);
	add(tcase, a_service_that_stops_when_full_goes_on_where_it_stopped);
	tcase_add_loop_test(tcase, a_service_that_stops_when_full_queues_little, 1, 3);
	tcase_add_loop_test(tcase, a_loop_drops_a_client_for_whom_too_much_is_queued, 1,
			    3);
	tcase_add_loop_test(tcase, a_worker_of_its_own_waits_instead, 1, 3);
	tcase = add_case(suite, "closing loses nothing");
	add(tcase, the_reply_arrives_whole_though_input_was_left_unread);
	add(tcase, a_reply_may_be_read_late);
	add(tcase, who_hangs_up_first_waits_for_the_other_and_no_longer);
	tcase_add_loop_test(tcase,
			    a_client_that_does_not_hang_up_is_not_waited_for_for_ever, 0,
			    RIG_TCP_FORMS);
	tcase_add_loop_test(tcase, nor_is_one_that_never_stops_sending, 0, RIG_TCP_FORMS);
	tcase = add_case(suite, "time");
	add(tcase, a_silent_client_is_sent_the_end);
	add(tcase, a_client_that_does_not_read_is_dropped);
	add(tcase, a_service_can_see_that_its_client_was_dropped_meanwhile);
	tcase_add_loop_test(tcase, a_producer_drops_a_client_that_does_not_read, 0,
			    RIG_TCP_FORMS);
	add(tcase, a_service_may_finish_while_its_client_does_not_read);
	tcase_add_test(tcase, only_bytes_that_move_put_off_the_idle_timeout);
	tcase_add_test(tcase, without_an_idle_timeout_nothing_expires);
	tcase = add_case(suite, "the stop");
	add(tcase, a_stopping_connection_answers_what_has_come_and_ends);
	add(tcase, a_stopping_producer_ends);
	tcase_add_loop_test(
		tcase, a_stopping_connection_waits_for_a_client_that_reads_late, 1, 3);
	tcase_add_loop_test(tcase, the_grace_of_a_stopping_connection_is_limited, 1, 3);
	tcase = add_case(suite, "mail");
	tcase_add_test(tcase, mail_behind_mail_is_fetched_while_one_waits);
	tcase = add_case(suite, "segments and memory");
	tcase_add_loop_test(tcase, many_small_writes_are_sent_in_one_call, 0, 2);
	tcase_add_loop_test(tcase, a_large_write_is_sent_in_one_call, 0, 2);
	tcase_add_loop_test(tcase, an_idle_connection_owns_no_buffer, 1, 3);
	return suite;
}
