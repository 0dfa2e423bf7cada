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
#include "tests/fixture/can_run.h"
#include "tests/fixture/client.h"
#include "tests/fixture/connection_fixture.h"
#include "tests/fixture/shortage.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { KIB = 1024, MEGABYTE = 1024 * 1024, A_WHILE = 150 };

/* ---- services -------------------------------------------------------------------------- */

static size_t send_back(struct session *session, const char *bytes, size_t n)
{
	session_write(session, bytes, n);
	return n;
}

static const struct service echo = { .input = send_back, .close = fixture_count_close };

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
	.close = fixture_count_close,
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
	.close = fixture_count_close,
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
	.close = fixture_count_close,
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
	.close = fixture_count_close,
};

/* Answers at such length that it asks, piece by piece, whether anybody still listens. */
enum { MOST_WRITTEN = 1000 };

static atomic_int pieces_written;

static size_t talk_on(struct session *session, const char *bytes, size_t n)
{
	static const char piece[64 * KIB];

	(void)bytes;
	while (atomic_load(&pieces_written) < MOST_WRITTEN && !session->finished) {
		session_write(session, piece, sizeof piece);
		atomic_fetch_add(&pieces_written, 1);
	}
	return n;
}

static const struct service talker = { .input = talk_on, .close = fixture_count_close };

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
	.close = fixture_count_close,
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

static const struct service hasty = { .input = answer_once,
				      .close = fixture_count_close };

/* Consumes nothing, ever. */
static size_t consume_nothing(struct session *session, const char *bytes, size_t n)
{
	(void)session, (void)bytes, (void)n;
	return 0;
}

static const struct service stubborn = { .input = consume_nothing,
					 .close = fixture_count_close };

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

static const struct service flooder = { .open = pour, .close = fixture_count_close };

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
	.close = fixture_count_close,
};

/* ---- conversations --------------------------------------------------------------------- */

START_TEST(what_is_written_on_opening_arrives_and_then_the_end)
{
	struct connection_fixture fixture;
	char expected[ADDRESS_TEXT + 16];
	struct address here;
	char peer[ADDRESS_TEXT];

	fixture_start(&fixture, _i, &greeter);
	ck_assert_int_eq(address_local(fixture.client, &here), 0);
	address_text(&here, peer);
	/* on Linux a local socket knows the process that has connected */
	if (programs_use_linux() && here.any.sa_family == AF_UNIX)
		snprintf(peer, sizeof peer, "pid %ld uid %ld", (long)getpid(),
			 (long)getuid());
	snprintf(expected, sizeof expected, "welcome %s\n", peer);
	client_expect(fixture.client, expected, strlen(expected));
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(the_end_of_input_ends_a_service_that_says_nothing_of_it)
{
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &echo);
	client_send(fixture.client, "hello", 5);
	client_expect(fixture.client, "hello", 5);
	client_half_close(fixture.client);
	client_expect_end(fixture.client);
	fixture_join(
		&fixture); /* although the client has not closed: nothing can be lost now */
	client_close(fixture.client);
}
END_TEST

START_TEST(a_client_that_only_comes_and_goes_is_one_call_of_close)
{
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &echo);
	fixture_end(&fixture);
	ck_assert_uint_eq(fixture_bytes_in(&fixture), 0);
}
END_TEST

START_TEST(a_reset_ends_this_connection_and_nothing_else)
{
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &echo);
	client_send(fixture.client, "hello", 5);
	client_expect(fixture.client, "hello", 5);
	client_reset(fixture.client);
	fixture_join(&fixture);
}
END_TEST

/* Both halves arrive on their own: the second is sent when the first has been read. */
START_TEST(a_line_may_be_cut_anywhere)
{
	static const char text[] = "one\ntwo\n\nthree\nrest";
	static const char expected[] = "[one]\n[two]\n[]\n[three]\n{rest}\n";
	const size_t length = sizeof text - 1;

	for (size_t cut = 1; cut < length; cut++) {
		struct connection_fixture fixture;

		fixture_start(&fixture, _i, &lines);
		client_send(fixture.client, text, cut);
		fixture_wait_for_arrival(&fixture, cut);
		client_send(fixture.client, text + cut, length - cut);
		client_half_close(fixture.client);
		client_expect(fixture.client, expected, sizeof expected - 1);
		client_expect_end(fixture.client);
		fixture_end(&fixture);
	}
}
END_TEST

START_TEST(a_line_may_come_byte_by_byte)
{
	static const char text[] = "hello, world\nand then";
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &lines);
	for (size_t i = 0; i < sizeof text - 1; i++) {
		client_send(fixture.client, text + i, 1);
		fixture_wait_for_arrival(&fixture, i + 1);
	}
	client_expect(fixture.client, "[hello, world]\n", 15);
	client_half_close(fixture.client);
	client_expect(fixture.client, "{and then}\n", 11);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(the_end_is_reported_even_if_nothing_was_left)
{
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &lines);
	client_half_close(fixture.client);
	client_expect(fixture.client, "{}\n", 3);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_service_that_never_consumes_is_given_all_that_fits_and_then_dropped)
{
	static char bytes[SESSION_INPUT];
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &stubborn);
	client_send(fixture.client, bytes, sizeof bytes - 1);
	fixture_wait_for_arrival(&fixture, sizeof bytes - 1);
	ck_assert(!fixture_is_over(&fixture));
	client_send(fixture.client, bytes, 1);
	fixture_join(&fixture);
	client_close(fixture.client);
}
END_TEST

START_TEST(what_it_moves_is_counted)
{
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &lines);
	client_send(fixture.client, "abc\n", 4);
	client_expect(fixture.client, "[abc]\n", 6);
	client_half_close(fixture.client);
	client_expect(fixture.client, "{}\n", 3);
	fixture_end(&fixture);
	ck_assert_uint_eq(fixture_bytes_in(&fixture), 4);
	ck_assert_uint_eq(fixture_bytes_out(&fixture), 9);
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
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &producer);
	expect_produced(fixture.client, 0, 3 * MEGABYTE);
	client_send(fixture.client, "this is dropped", 15);
	fixture_wait_for_arrival(&fixture, 15);
	expect_produced(fixture.client, 3 * MEGABYTE, 4 * MEGABYTE);
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_producer_may_come_to_an_end)
{
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &bounded_producer);
	expect_produced(fixture.client, 0, PRODUCED);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_half_closed_client_still_gets_what_is_produced)
{
	struct connection_fixture fixture;
	struct service service = bounded_producer;

	service.end = answer_rest;
	service.drained = produce_so_much;
	fixture_make(&fixture, fixture_forms[_i], &service, 0);
	client_half_close(fixture.client);
	fixture_serve(&fixture);
	/* Where the end is told, this service says so and finishes; all that it had
	 * said before comes first. */
	while (true) {
		char byte;
		ssize_t n = io_read(fixture.client, &byte, 1);

		ck_assert_int_eq(n, 1);
		if (byte == '{')
			break;
	}
	client_expect(fixture.client, "}\n", 2);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

/* ---- a client that does not read ------------------------------------------------------- */

/* Sends, as long as the connection takes it. @return how much that was */
static size_t send_until_stuck(struct connection_fixture *fixture, const char *bytes,
			       size_t length)
{
	size_t sent = 0;
	ssize_t n;

	do {
		n = send(fixture->client, bytes + sent, length - sent, MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		fixture_do_what_is_possible(fixture);
	} while (sent < length && (n > 0 || errno == EINTR));
	return sent;
}

/* Reads, while the connection goes on. @return how much came */
static size_t read_what_comes(struct connection_fixture *fixture, char *bytes,
			      size_t size)
{
	size_t got = 0;
	ssize_t n;

	do {
		fixture_do_what_is_possible(fixture);
		n = recv(fixture->client, bytes + got, size - got, MSG_DONTWAIT);
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
	struct connection_fixture fixture;
	size_t length, came = 0;

	fill_pattern(sent, MOST, 5);
	fixture_make(&fixture, (struct form){ true, fixture_forms[_i].kind }, &echo, 0);
	connection_begin(fixture.connection, &fixture.worker);
	length = send_until_stuck(&fixture, sent, MOST);
	ck_assert_uint_lt(length, MOST);
	ck_assert_uint_eq(connection_wants(fixture.connection), WANT_WRITE);
	ck_assert_uint_gt(buffer_length(&fixture.connection->output.queue), 0);
	ck_assert_uint_le(buffer_length(&fixture.connection->output.queue),
			  SESSION_INPUT);
	client_half_close(fixture.client);
	while (came < length) {
		size_t n = read_what_comes(&fixture, got + came, length - came);

		if (n == 0) /* on its way: TCP's own time */
			io_wait(fixture.client, POLLIN, WAIT_MS);
		came += n;
	}
	ck_assert_mem_eq(got, sent, length);
	fixture_do_what_is_possible(&fixture);
	ck_assert_uint_eq(connection_wants(fixture.connection), 0);
	connection_close(fixture.connection);
	client_expect_end(fixture.client);
	client_close(fixture.client);
}
END_TEST

/* The service stops where session_full() says so, and goes on with the rest of the same
 * input: 60 kB make 60 MB, of which no more than a little is ever queued. */
START_TEST(a_service_that_stops_when_full_goes_on_where_it_stopped)
{
	enum { LENGTH = SANITIZED ? 6000 : 60000, MADE = LENGTH * TIMES + 1 };
	static char text[LENGTH];
	char *expected = much_memory(MADE);
	struct connection_fixture fixture;

	fill_pattern(text, sizeof text, 6);
	for (size_t i = 0; i < sizeof text; i++)
		memset(expected + i * TIMES, text[i], TIMES);
	expected[MADE - 1] = '.';
	fixture_start(&fixture, _i, &multiplier);
	client_send(fixture.client, text, sizeof text);
	client_half_close(fixture.client);
	fixture_wait_for_arrival(&fixture, 1);
	client_expect(fixture.client, expected, MADE);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_service_that_stops_when_full_queues_little)
{
	static char text[1000];
	struct connection_fixture fixture;

	fixture_make(&fixture, (struct form){ true, fixture_forms[_i].kind }, &multiplier,
		     0);
	connection_begin(fixture.connection, &fixture.worker);
	for (int i = 0; i < 100 && connection_wants(fixture.connection) != WANT_WRITE;
	     i++)
		send_until_stuck(&fixture, text, sizeof text);
	ck_assert_uint_eq(connection_wants(fixture.connection), WANT_WRITE);
	ck_assert_uint_gt(buffer_length(&fixture.connection->output.queue), 0);
	ck_assert_uint_le(buffer_length(&fixture.connection->output.queue),
			  2 * sizeof fixture.worker.output);
	client_close(fixture.client);
	fixture_do_what_is_possible(&fixture);
	ck_assert_uint_eq(connection_wants(fixture.connection), 0);
	connection_close(fixture.connection);
}
END_TEST

START_TEST(without_memory_a_client_that_does_not_read_is_dropped)
{
	struct connection_fixture fixture;

	flood = much_memory(FLOOD);
	fixture_make(&fixture, (struct form){ true, fixture_forms[_i].kind }, &flooder,
		     0);
	if (shortage_begin()) {
		connection_begin(fixture.connection, &fixture.worker);
		shortage_end();
		ck_assert_uint_eq(connection_wants(fixture.connection), 0);
		ck_assert_uint_gt(fixture_bytes_out(&fixture), 0);
	}
	connection_close(fixture.connection);
	client_close(fixture.client);
}
END_TEST

START_TEST(a_loop_drops_a_client_for_whom_too_much_is_queued)
{
	struct connection_fixture fixture;

	flood = much_memory(FLOOD);
	fixture_make(&fixture, (struct form){ true, fixture_forms[_i].kind }, &flooder,
		     0);
	connection_begin(fixture.connection, &fixture.worker);
	ck_assert_uint_eq(connection_wants(fixture.connection), 0);
	ck_assert_uint_le(buffer_length(&fixture.connection->output.queue), MEGABYTE);
	connection_close(fixture.connection);
	client_close(fixture.client);
}
END_TEST

START_TEST(a_worker_of_its_own_waits_instead)
{
	struct connection_fixture fixture;

	flood = much_memory(FLOOD);
	fill_pattern(flood, FLOOD, 8);
	fixture_make(&fixture, (struct form){ false, fixture_forms[_i].kind }, &flooder,
		     0);
	fixture_serve(&fixture);
	client_expect(fixture.client, flood, FLOOD);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

/* ---- closing loses nothing ------------------------------------------------------------- */

/* Most of what the client sends is unread when the service has finished: close(2) would
 * reset the connection, and the answer might be lost. */
START_TEST(the_reply_arrives_whole_though_input_was_left_unread)
{
	enum { REQUEST = 4 * MEGABYTE };
	char *request = much_memory(REQUEST);
	struct connection_fixture fixture;

	fill_pattern(answer, sizeof answer, 4);
	fixture_start(&fixture, _i, &hasty);
	client_exchange(fixture.client, request, REQUEST, answer, sizeof answer);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_reply_may_be_read_late)
{
	static char request[100 * KIB];
	struct connection_fixture fixture;

	fill_pattern(answer, sizeof answer, 4);
	fixture_start(&fixture, _i, &hasty);
	client_send(fixture.client, request, 1);
	fixture_wait_for_arrival(&fixture, 1);
	client_send(fixture.client, request,
		    sizeof request); /* is dropped, not refused */
	fixture_wait_for_arrival(&fixture, sizeof request);
	client_expect(fixture.client, answer, sizeof answer);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(who_hangs_up_first_waits_for_the_other_and_no_longer)
{
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &greeter);
	while (io_wait(fixture.client, POLLIN, WAIT_MS) > 0) {
		char text[100];

		if (io_read(fixture.client, text, sizeof text) == 0)
			break;
	}
	ck_assert_int_eq(io_wait(fixture.client, POLLIN, 0),
			 POLLIN); /* the end, for good */
	ck_assert(!fixture_is_over(&fixture));
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_client_that_does_not_hang_up_is_not_waited_for_for_ever)
{
	int64_t begin = clock_milliseconds(), took;
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &greeter);
	fixture_join(&fixture);
	took = clock_milliseconds() - begin;
	ck_assert_int_ge(took, SERVER_LINGER - 100);
	client_close(fixture.client);
}
END_TEST

START_TEST(nor_is_one_that_never_stops_sending)
{
	static const char bytes[4 * KIB];
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &greeter);
	while (!fixture_is_over(&fixture)) {
		ssize_t n = send(fixture.client, bytes, sizeof bytes, 0);

		ck_assert_msg(n > 0 || errno == EPIPE || errno == ECONNRESET, "%s",
			      strerror(errno));
	}
	fixture_end(&fixture);
}
END_TEST

/* ---- time ------------------------------------------------------------------------------ */

START_TEST(a_silent_client_is_sent_the_end)
{
	struct connection_fixture fixture;
	char byte;

	fixture_make(&fixture, fixture_forms[_i], &echo, 60);
	fixture_serve(&fixture);
	ck_assert_int_eq(io_read(fixture.client, &byte, 1), 0);
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_dropped)
{
	static char bytes[64 * KIB];
	struct connection_fixture fixture;

	fixture_make(&fixture, fixture_forms[_i], &echo, 60);
	fixture_serve(&fixture);
	ck_assert_int_eq(io_set_nonblocking(fixture.client, true), 0);
	while (!fixture_is_over(&fixture)) {
		if (io_write(fixture.client, bytes, sizeof bytes) <= 0)
			poll(NULL, 0, 1);
	}
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_producer_drops_a_client_that_does_not_read)
{
	struct connection_fixture fixture;

	fixture_make(&fixture, fixture_forms[_i], &producer, 60);
	fixture_serve(&fixture);
	fixture_join(&fixture);
	client_close(fixture.client);
}
END_TEST

START_TEST(a_service_can_see_that_its_client_was_dropped_meanwhile)
{
	struct connection_fixture fixture;

	atomic_store(&pieces_written, 0);
	fixture_make(&fixture, fixture_forms[_i], &talker, 60);
	fixture_serve(&fixture);
	client_send(fixture.client, "?", 1);
	fixture_join(&fixture);
	ck_assert_int_gt(atomic_load(&pieces_written), 0);
	ck_assert_int_lt(atomic_load(&pieces_written), MOST_WRITTEN);
	client_close(fixture.client);
}
END_TEST

START_TEST(a_service_may_finish_while_its_client_does_not_read)
{
	struct connection_fixture fixture;

	fixture_make(&fixture, fixture_forms[_i], &multiplier, 60);
	fixture_serve(&fixture);
	client_send(fixture.client, answer, 10000); /* 10 MB */
	client_half_close(fixture.client);
	fixture_join(&fixture);
	client_close(fixture.client);
}
END_TEST

/* By a clock that the test holds. */
START_TEST(only_bytes_that_move_put_off_the_idle_timeout)
{
	struct connection_fixture fixture;
	struct connection *c;

	fixture_make(&fixture, (struct form){ true, TCP }, &echo, 500);
	c = fixture.connection;
	fixture.worker.now = 1000;
	connection_begin(c, &fixture.worker);
	ck_assert_int_eq(connection_expiry(c), 1500);
	fixture.worker.now = 1300;
	connection_on_readable(c, &fixture.worker); /* in vain */
	ck_assert_int_eq(connection_expiry(c), 1500);
	client_send(fixture.client, "x", 1);
	ck_assert_int_gt(io_wait(c->fd, POLLIN, WAIT_MS), 0);
	connection_on_readable(c, &fixture.worker);
	ck_assert_int_eq(connection_expiry(c), 1800);
	connection_expire(c, &fixture.worker, 1799);
	ck_assert_int_eq(c->state, CONNECTION_OPEN);
	connection_expire(c, &fixture.worker, 1800);
	ck_assert_int_eq(c->state, CONNECTION_LINGERING);
	client_expect(fixture.client, "x", 1);
	client_expect_end(fixture.client);
	connection_close(c);
	client_close(fixture.client);
}
END_TEST

START_TEST(without_an_idle_timeout_nothing_expires)
{
	struct connection_fixture fixture;

	fixture_make(&fixture, (struct form){ true, TCP }, &echo, 0);
	connection_begin(fixture.connection, &fixture.worker);
	ck_assert_int_eq(connection_expiry(fixture.connection), CLOCK_NEVER);
	connection_expire(fixture.connection, &fixture.worker, CLOCK_NEVER - 1);
	ck_assert_int_eq(fixture.connection->state, CONNECTION_OPEN);
	connection_close(fixture.connection);
	client_close(fixture.client);
}
END_TEST

/* ---- the stop -------------------------------------------------------------------------- */

START_TEST(a_stopping_connection_answers_what_has_come_and_ends)
{
	struct connection_fixture fixture;

	fixture_make(&fixture, fixture_forms[_i], &lines, 0);
	client_send(fixture.client, "one\ntwo\nunfinished", 18);
	ck_assert_int_gt(io_wait(fixture.connection->fd, POLLIN, WAIT_MS), 0);
	fixture_stop(&fixture);
	fixture_serve(&fixture);
	client_expect(fixture.client, "[one]\n[two]\n", 12);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_stopping_producer_ends)
{
	struct connection_fixture fixture;
	char byte;

	fixture_make(&fixture, fixture_forms[_i], &producer, 0);
	fixture_stop(&fixture);
	fixture_serve(&fixture);
	while (io_read(fixture.client, &byte, 1) > 0)
		continue;
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_stopping_connection_waits_for_a_client_that_reads_late)
{
	enum { MOST = 64 * MEGABYTE };
	char *bytes = much_memory(MOST);
	struct connection_fixture fixture;
	size_t length;

	fill_pattern(bytes, MOST, 9);
	fixture_make(&fixture, (struct form){ true, fixture_forms[_i].kind }, &echo, 0);
	connection_begin(fixture.connection, &fixture.worker);
	length = send_until_stuck(&fixture, bytes, MOST);
	connection_stop(fixture.connection, &fixture.worker);
	ck_assert_int_eq(fixture.connection->state, CONNECTION_OPEN);
	fixture_stop(&fixture);
	fixture_serve(&fixture);
	client_expect(fixture.client, bytes, length);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(the_grace_of_a_stopping_connection_is_limited)
{
	enum { MOST = 64 * MEGABYTE };
	char *bytes = much_memory(MOST);
	struct connection_fixture fixture;

	fixture_make(&fixture, (struct form){ true, fixture_forms[_i].kind }, &echo, 0);
	connection_begin(fixture.connection, &fixture.worker);
	send_until_stuck(&fixture, bytes, MOST);
	connection_stop(fixture.connection, &fixture.worker);
	ck_assert_int_le(connection_expiry(fixture.connection),
			 clock_milliseconds() + SERVER_GRACE);
	connection_expire(fixture.connection, &fixture.worker,
			  connection_expiry(fixture.connection));
	ck_assert_uint_eq(connection_wants(fixture.connection), 0);
	connection_close(fixture.connection);
	client_close(fixture.client);
}
END_TEST

/* ---- segments -------------------------------------------------------------------------- */

/* On a socket of records each send(2) is a record, as with TCP_NODELAY each would be a
 * segment. */
START_TEST(many_small_writes_are_sent_in_one_call)
{
	char expected[PIECES * 6], got[sizeof expected + 1];
	struct connection_fixture fixture;

	for (int i = 0; i < PIECES; i++)
		memcpy(expected + i * 6, "piece ", 6);
	fixture_make(&fixture, (struct form){ _i == 1, RECORDS }, &chatterbox, 0);
	fixture_serve(&fixture);
	for (int round = 0; round < 3; round++) {
		client_send(fixture.client, "x", 1);
		ck_assert_int_eq(io_read(fixture.client, got, sizeof got),
				 sizeof expected);
		ck_assert_mem_eq(got, expected, sizeof expected);
	}
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_large_write_is_sent_in_one_call)
{
	static char bytes[40 * KIB], got[sizeof bytes + 1];
	struct connection_fixture fixture;

	fill_pattern(bytes, sizeof bytes, 10);
	fixture_make(&fixture, (struct form){ _i == 1, RECORDS }, &echo, 0);
	fixture_serve(&fixture);
	client_send(fixture.client, bytes, sizeof bytes);
	ck_assert_int_eq(io_read(fixture.client, got, sizeof got), sizeof bytes);
	ck_assert_mem_eq(got, bytes, sizeof bytes);
	fixture_end(&fixture);
}
END_TEST

START_TEST(an_idle_connection_owns_no_buffer)
{
	struct connection_fixture fixture;

	fixture_make(&fixture, (struct form){ true, fixture_forms[_i].kind }, &lines, 0);
	connection_begin(fixture.connection, &fixture.worker);
	client_send(fixture.client, "one\ntw", 6);
	ck_assert_int_gt(io_wait(fixture.connection->fd, POLLIN, WAIT_MS), 0);
	fixture_do_what_is_possible(&fixture);
	ck_assert_uint_eq(buffer_length(&fixture.connection->kept), 2);
	client_send(fixture.client, "o\n", 2);
	ck_assert_int_gt(io_wait(fixture.connection->fd, POLLIN, WAIT_MS), 0);
	fixture_do_what_is_possible(&fixture);
	client_expect(fixture.client, "[one]\n[two]\n", 12);
	ck_assert_ptr_null(fixture.connection->kept.block);
	ck_assert_ptr_null(fixture.connection->output.queue.block);
	ck_assert_ptr_null(fixture.connection->output.waiting);
	connection_close(fixture.connection);
	client_close(fixture.client);
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

	if (buffer_length(queue) == 0) {
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
	struct connection_fixture fixture;

	fixture_make(&fixture, (struct form){ false, LOCAL }, &deaf, 0);
	box.link.output = &fixture.connection->output;
	fixture.connection->hub = &box.link;
	connection_begin(fixture.connection, &fixture.worker);
	hub_client_fetch(&box.link);
	snprintf(box.mail, sizeof box.mail, "two\n");

	hub_client_fetch_and_send(&box.link);

	client_hear(fixture.client, "one\ntwo\n");
	connection_close(fixture.connection);
	client_close(fixture.client);
}
END_TEST

/* In every form: blocking and non-blocking, over TCP and a local socket. */
static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, FIXTURE_FORMS);
}

/* It would be written outside an fd_set. */
START_TEST(a_listener_that_no_set_can_hold_is_refused)
{
	const struct model model = { .name = "one with an fd_set" };
	struct server server = { .model = &model, .max_clients = 1 };
	int low = socket(AF_INET, SOCK_STREAM, 0), high;
	struct failure failure, expected;

	if (process_raise_descriptors(FD_SETSIZE + 8) < FD_SETSIZE + 8) {
		skipped("needs more descriptors (ulimit -n)");
		return;
	}
	high = fcntl(low, F_DUPFD, FD_SETSIZE);
	ck_assert_int_ge(high, FD_SETSIZE);
	ck_assert_int_eq(
		server_begin(&server, &(struct listeners){ { high }, 1 }, &failure), -1);
	failure_set(&expected, "cannot start: %s", strerror(EMFILE));
	ck_assert_str_eq(failure.text, expected.text);
}
END_TEST

Suite *suite_connection(void)
{
	Suite *suite = suite_create("connection");
	TCase *tcase = add_case(suite, "conversations");

	tcase_add_test(tcase, a_listener_that_no_set_can_hold_is_refused);
	add(tcase, what_is_written_on_opening_arrives_and_then_the_end);
	add(tcase, the_end_of_input_ends_a_service_that_says_nothing_of_it);
	add(tcase, a_client_that_only_comes_and_goes_is_one_call_of_close);
	tcase_add_loop_test(tcase, a_reset_ends_this_connection_and_nothing_else, 0,
			    FIXTURE_TCP_FORMS);
	add(tcase, a_line_may_be_cut_anywhere);
	add(tcase, a_line_may_come_byte_by_byte);
	add(tcase, the_end_is_reported_even_if_nothing_was_left);
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
	tcase_add_loop_test(tcase, without_memory_a_client_that_does_not_read_is_dropped,
			    1, 3);
	tcase_add_loop_test(tcase, a_loop_drops_a_client_for_whom_too_much_is_queued, 1,
			    3);
	tcase_add_loop_test(tcase, a_worker_of_its_own_waits_instead, 1, 3);
	tcase = add_case(suite, "closing loses nothing");
	add(tcase, the_reply_arrives_whole_though_input_was_left_unread);
	add(tcase, a_reply_may_be_read_late);
	add(tcase, who_hangs_up_first_waits_for_the_other_and_no_longer);
	tcase_add_loop_test(tcase,
			    a_client_that_does_not_hang_up_is_not_waited_for_for_ever, 0,
			    FIXTURE_TCP_FORMS);
	tcase_add_loop_test(tcase, nor_is_one_that_never_stops_sending, 0,
			    FIXTURE_TCP_FORMS);
	tcase = add_case(suite, "time");
	add(tcase, a_silent_client_is_sent_the_end);
	add(tcase, a_client_that_does_not_read_is_dropped);
	add(tcase, a_service_can_see_that_its_client_was_dropped_meanwhile);
	tcase_add_loop_test(tcase, a_producer_drops_a_client_that_does_not_read, 0,
			    FIXTURE_TCP_FORMS);
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
