/*
 * Time as a service has it: pauses, deadlines, and the stop of one that still owes an
 * answer; and how they and the idle timeout go together.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/process.h"
#include "tests/fixture/client.h"
#include "tests/fixture/connection_fixture.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { PAUSE = 80, LATE = 60 * SLOW_MACHINE, LONG = 30000, PIECES = 50, QUEUED = 65536 };

static int64_t pause_length; /* of the services below */

/* ---- services ---------------------------------------------------------------------------- */

/* Each byte is answered by itself in brackets, when it has waited for a while. */
struct waiter {
	bool waits;
};

static size_t answer_late(struct session *session, const char *bytes, size_t n)
{
	struct waiter *waiter = session->state;
	char answer[3] = { '[', *bytes, ']' };

	(void)n;
	waiter->waits = !waiter->waits;
	if (waiter->waits) {
		session_pause(session, pause_length);
		return 0;
	}
	session_write(session, answer, sizeof answer);
	return 1;
}

/* Where nothing is paused, one byte at a time would be the last. */
static size_t answer_all_late(struct session *session, const char *bytes, size_t n)
{
	size_t used = 0;

	while (used < n && session->resume_at == 0)
		used += answer_late(session, bytes + used, n - used);
	return used;
}

static const struct service late = {
	.state_size = sizeof(struct waiter),
	.input = answer_all_late,
	.close = fixture_count_close,
};

/* Sets a deadline by the first byte of a line, which its end revokes. */
static atomic_uint expired;

static size_t await_line(struct session *session, const char *bytes, size_t n)
{
	size_t used = 0;
	const char *end;

	while ((end = memchr(bytes + used, '\n', n - used)) != NULL) {
		session_deadline(session, 0);
		session_write(session, "in time ", 8);
		used = (size_t)(end - bytes) + 1;
	}
	if (used < n && !session_has_deadline(session))
		session_deadline(session, pause_length);
	return used;
}

static void say_too_late(struct session *session)
{
	atomic_fetch_add(&expired, 1);
	ck_assert(!session_has_deadline(session));
	session_write(session, "too late", 8);
}

static void say_too_late_and_finish(struct session *session)
{
	say_too_late(session);
	session_finish(session);
}

static const struct service strict = {
	.input = await_line,
	.expired = say_too_late_and_finish,
	.close = fixture_count_close,
};

static size_t drop_input(struct session *session, const char *bytes, size_t n)
{
	(void)session, (void)bytes;
	return n;
}

static void set_deadline(struct session *session)
{
	session_deadline(session, pause_length);
}

static const struct service patient = {
	.open = set_deadline,
	.input = drop_input,
	.expired = say_too_late,
	.close = fixture_count_close,
};

/* 'a' asks for something, and 'b' is the rest of it. */
static size_t answer_pairs(struct session *session, const char *bytes, size_t n)
{
	session_set_busy(session, bytes[n - 1] == 'a');
	if (bytes[n - 1] == 'b')
		session_write(session, "answer", 6);
	return n;
}

static const struct service pairs = { .input = answer_pairs,
				      .close = fixture_count_close };

/* Answers a byte in many pieces, as they are asked for. */
static size_t begin_pieces(struct session *session, const char *bytes, size_t n)
{
	(void)bytes;
	*(int *)session->state = PIECES;
	session_set_busy(session, true);
	return n;
}

static void say_piece(struct session *session)
{
	int *left = session->state;

	if (*left == 0)
		return;
	session_write(session, "piece ", 6);
	session_set_busy(session, --*left > 0);
}

static const struct service pieces = {
	.state_size = sizeof(int),
	.input = begin_pieces,
	.drained = say_piece,
	.close = fixture_count_close,
};

/* ---- pauses ------------------------------------------------------------------------------ */

START_TEST(what_came_waits_for_the_end_of_the_pause)
{
	int64_t begin = clock_milliseconds();
	struct connection_fixture fixture;

	pause_length = PAUSE;
	fixture_start(&fixture, _i, &late);
	client_send(fixture.client, "abc", 3);
	client_expect(fixture.client, "[a][b][c]", 9);
	ck_assert_int_ge(clock_milliseconds() - begin, 3 * PAUSE);
	fixture_end(&fixture);
}
END_TEST

START_TEST(who_half_closes_in_a_pause_is_still_answered)
{
	struct connection_fixture fixture;

	pause_length = PAUSE;
	fixture_start(&fixture, _i, &late);
	client_send(fixture.client, "ab", 2);
	client_half_close(fixture.client);
	client_expect(fixture.client, "[a][b]", 6);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(a_pause_is_not_the_clients_silence)
{
	struct connection_fixture fixture;
	char byte;

	pause_length = 3 * PAUSE;
	fixture_make(&fixture, fixture_forms[_i], &late, PAUSE);
	fixture_serve(&fixture);
	client_send(fixture.client, "a", 1);
	client_expect(fixture.client, "[a]", 3);
	ck_assert_int_eq(io_read(fixture.client, &byte, 1), 0);
	fixture_end(&fixture);
}
END_TEST

/* By a clock that stands still: one turn of the loop is one of the service. */
START_TEST(a_pause_of_nothing_is_over_when_the_others_had_their_turn)
{
	struct connection_fixture fixture;
	struct connection *c;

	pause_length = 0;
	fixture_make(&fixture, (struct form){ true, fixture_forms[_i].kind }, &late,
		     PAUSE);
	c = fixture.connection;
	fixture.worker.now = 1000;
	connection_begin(c, &fixture.worker);
	client_send(fixture.client, "ab", 2);
	ck_assert_int_gt(io_wait(c->fd, POLLIN, WAIT_MS), 0);
	connection_on_readable(c, &fixture.worker);
	ck_assert_uint_eq(fixture_bytes_out(&fixture), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(connection_wants(c), WANT_TIME);
		ck_assert_int_eq(connection_expiry(c), 1000);
		connection_expire(c, &fixture.worker, 1000);
		client_expect(fixture.client, i == 0 ? "[a]" : "[b]", 3);
	}
	ck_assert_uint_eq(connection_wants(c), WANT_READ);
	ck_assert_int_eq(connection_expiry(c), 1000 + PAUSE);
	connection_close(c);
	client_close(fixture.client);
}
END_TEST

START_TEST(who_lets_others_go_first_is_answered_all_the_same)
{
	struct connection_fixture fixture;

	pause_length = 0;
	fixture_make(&fixture, fixture_forms[_i], &late, PAUSE);
	fixture_serve(&fixture);
	client_send(fixture.client, "abc", 3);
	client_half_close(fixture.client);
	client_expect(fixture.client, "[a][b][c]", 9);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(nothing_is_wanted_in_a_pause_but_its_end)
{
	struct connection_fixture fixture;

	pause_length = LONG;
	fixture_make(&fixture, (struct form){ true, fixture_forms[_i].kind }, &late,
		     PAUSE);
	fixture.worker.now = 1000;
	connection_begin(fixture.connection, &fixture.worker);
	client_send(fixture.client, "ab", 2);
	ck_assert_int_gt(io_wait(fixture.connection->fd, POLLIN, WAIT_MS), 0);
	connection_on_readable(fixture.connection, &fixture.worker);
	for (int64_t now = 1000; now < 1000 + LONG; now = fixture.worker.now) {
		ck_assert_uint_eq(connection_wants(fixture.connection), WANT_TIME);
		fixture.worker.now = connection_expiry(fixture.connection);
		ck_assert_int_gt(fixture.worker.now, now);
		ck_assert_int_le(fixture.worker.now, 1000 + LONG);
		connection_expire(fixture.connection, &fixture.worker,
				  fixture.worker.now - 1);
		ck_assert_uint_eq(fixture_bytes_out(&fixture), 0);
		connection_expire(fixture.connection, &fixture.worker,
				  fixture.worker.now);
	}
	client_expect(fixture.client, "[a]", 3);
	ck_assert_int_eq(fixture.connection->session.resume_at, 1000 + 2 * LONG);
	connection_close(fixture.connection);
	client_close(fixture.client);
}
END_TEST

/* A hang-up makes poll(2) return at once, whatever it was to wait for. */
START_TEST(a_pause_takes_no_time_of_the_processor_even_if_the_client_leaves)
{
	struct process_usage before, after;
	struct connection_fixture fixture;

	pause_length = 1000;
	fixture_start(&fixture, _i, &late);
	client_send(fixture.client, "a", 1);
	fixture_wait_for_arrival(&fixture, 1);
	before = process_usage();
	client_reset(fixture.client);
	fixture_join(&fixture);
	after = process_usage();
	ck_assert_double_lt(after.user_seconds + after.system_seconds -
				    before.user_seconds - before.system_seconds,
			    0.5 * SLOW_MACHINE);
}
END_TEST

START_TEST(who_resets_in_a_pause_does_not_keep_a_place)
{
	struct connection_fixture fixture;

	pause_length = LONG;
	fixture_start(&fixture, _i, &late);
	client_send(fixture.client, "a", 1);
	fixture_wait_for_arrival(&fixture, 1);
	client_reset(fixture.client);
	fixture_join(&fixture);
	ck_assert_uint_eq(fixture_bytes_out(&fixture), 0);
}
END_TEST

/* Long enough to be looked after, whenever it begins. */
START_TEST(who_half_closes_in_a_long_pause_is_still_answered)
{
	struct connection_fixture fixture;

	pause_length = 1100;
	fixture_start(&fixture, _i, &late);
	client_send(fixture.client, "a", 1);
	client_half_close(fixture.client);
	client_expect(fixture.client, "[a]", 3);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

/* ---- deadlines --------------------------------------------------------------------------- */

/* It moves bytes all the time. */
START_TEST(a_deadline_comes_though_bytes_move)
{
	struct connection_fixture fixture;

	pause_length = LATE;
	atomic_store(&expired, 0);
	fixture_make(&fixture, fixture_forms[_i], &strict, 0);
	fixture_serve(&fixture);
	do {
		if (send(fixture.client, "x", 1, 0) != 1)
			break;
	} while (io_wait(fixture.client, POLLIN, 2) == 0);
	client_expect(fixture.client, "too late", 8);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
	ck_assert_uint_eq(atomic_load(&expired), 1);
}
END_TEST

START_TEST(a_deadline_comes_though_nothing_moves)
{
	struct connection_fixture fixture;

	pause_length = LATE;
	atomic_store(&expired, 0);
	fixture_make(&fixture, fixture_forms[_i], &strict, LONG);
	fixture_serve(&fixture);
	client_send(fixture.client, "x\nx", 3);
	client_expect(fixture.client, "in time ", 8);
	client_expect(fixture.client, "too late", 8);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
	ck_assert_uint_eq(atomic_load(&expired), 1);
}
END_TEST

START_TEST(a_deadline_that_is_revoked_does_not_come)
{
	struct connection_fixture fixture;

	pause_length = LATE;
	atomic_store(&expired, 0);
	fixture_start(&fixture, _i, &strict);
	client_send(fixture.client, "x", 1);
	fixture_wait_for_arrival(&fixture, 1);
	client_send(fixture.client, "\n", 1);
	client_expect(fixture.client, "in time ", 8);
	ck_assert_int_eq(io_wait(fixture.client, POLLIN, 3 * LATE), 0);
	fixture_end(&fixture);
	ck_assert_uint_eq(atomic_load(&expired), 0);
}
END_TEST

/* A deadline, and much to read before it comes. */
enum { MUCH = 8 * 1024 * 1024 };
static char piece[QUEUED];
static atomic_uint asked;

static size_t ask_for_much(struct session *session, const char *bytes, size_t n)
{
	(void)bytes;
	atomic_fetch_add(&asked, 1);
	session_deadline(session, pause_length);
	for (size_t i = 0; i < MUCH && !session_full(session); i += sizeof piece)
		session_write(session, piece, sizeof piece);
	return n;
}

static const struct service talker = {
	.input = ask_for_much,
	.expired = say_too_late_and_finish,
	.close = fixture_count_close,
};

/* By a clock that the test holds. */
START_TEST(a_deadline_does_not_run_while_output_waits)
{
	struct connection_fixture fixture;
	struct connection *c;
	uint64_t length;

	pause_length = 300;
	fixture_make(&fixture, (struct form){ true, fixture_forms[_i].kind }, &talker,
		     5000);
	c = fixture.connection;
	fixture.worker.now = 1000;
	connection_begin(c, &fixture.worker);
	client_send(fixture.client, "x", 1);
	ck_assert_int_gt(io_wait(c->fd, POLLIN, WAIT_MS), 0);
	connection_on_readable(c, &fixture.worker);
	ck_assert_uint_eq(connection_wants(c), WANT_WRITE);
	ck_assert_int_le(connection_expiry(c), 6000); /* it does not read */
	length = fixture_bytes_out(&fixture) + buffer_length(&c->output.queue);
	fixture.worker.now = 4000;
	for (uint64_t read = 0; read < length;) {
		ssize_t n = io_read(fixture.client, piece, sizeof piece);

		ck_assert_int_gt(n, 0);
		read += (uint64_t)n;
		fixture_do_what_is_possible(&fixture);
	}
	ck_assert_uint_eq(connection_wants(c), WANT_READ);
	ck_assert_int_eq(connection_expiry(c), 4300);
	connection_expire(c, &fixture.worker, 4300);
	client_expect(fixture.client, "too late", 8);
	connection_close(c);
	client_close(fixture.client);
}
END_TEST

static void *read_all_that_comes(void *argument)
{
	struct connection_fixture *fixture = argument;
	static char bytes[65536];
	ssize_t n;

	while ((n = io_read(fixture->client, bytes, sizeof bytes)) > 0)
		continue;
	ck_assert_int_eq(n, 0);
	return NULL;
}

/* By the system's clock: it is behind with reading for longer than the deadline. */
START_TEST(who_reads_late_has_all_of_the_time_to_ask)
{
	pthread_t reader;
	struct connection_fixture fixture;

	pause_length = 3 * LATE;
	atomic_store(&expired, 0);
	atomic_store(&asked, 0);
	fixture_start(&fixture, _i, &talker);
	client_send(fixture.client, "x", 1);
	fixture_wait_for_arrival(&fixture, 1);
	ck_assert(!eventually(fixture_is_over, &fixture, 6 * LATE));
	ck_assert_uint_eq(atomic_load(&expired), 0);
	client_send(fixture.client, "x", 1); /* as soon as it is read from again */
	ck_assert_int_eq(pthread_create(&reader, NULL, read_all_that_comes, &fixture), 0);
	fixture_wait_for_arrival(&fixture, 2);
	fixture_join(&fixture);
	ck_assert_int_eq(pthread_join(reader, NULL), 0);
	ck_assert_uint_eq(atomic_load(&asked), 2);
	ck_assert_uint_eq(atomic_load(&expired), 1);
	client_close(fixture.client);
}
END_TEST

START_TEST(a_deadline_comes_once_and_the_conversation_goes_on)
{
	struct connection_fixture fixture;

	pause_length = LATE;
	atomic_store(&expired, 0);
	fixture_start(&fixture, _i, &patient);
	client_expect(fixture.client, "too late", 8);
	client_send(fixture.client, "x", 1);
	ck_assert_int_eq(io_wait(fixture.client, POLLIN, 3 * LATE), 0);
	fixture_end(&fixture);
	ck_assert_uint_eq(atomic_load(&expired), 1);
}
END_TEST

/* By a clock that the test holds. */
START_TEST(the_earliest_of_all_moments_is_the_expiry)
{
	struct connection_fixture fixture;
	struct connection *c;

	pause_length = 300;
	fixture_make(&fixture, (struct form){ true, TCP }, &patient, 500);
	c = fixture.connection;
	fixture.worker.now = 1000;
	connection_begin(c, &fixture.worker);
	ck_assert_int_eq(connection_expiry(c), 1300); /* the deadline */
	c->session.resume_at = 1200;
	ck_assert_int_eq(connection_expiry(c), 1200); /* the pause */
	fixture.worker.now = 1200;
	connection_expire(c, &fixture.worker, 1200);
	ck_assert_int_eq(connection_expiry(c), 1300);
	c->session.deadline_at = 1800;
	ck_assert_int_eq(connection_expiry(c), 1700); /* silence, since the pause */
	connection_expire(c, &fixture.worker, 1700);
	ck_assert_int_eq(c->state, CONNECTION_LINGERING);
	ck_assert_int_eq(connection_expiry(c), c->close_at);
	connection_close(c);
	client_close(fixture.client);
}
END_TEST

/* ---- the stop ---------------------------------------------------------------------------- */

/* Longer than the silence that ends others. */
START_TEST(who_is_owed_an_answer_may_be_silent_while_the_server_stops)
{
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &pairs);
	client_send(fixture.client, "a", 1);
	fixture_wait_for_arrival(&fixture, 1);
	fixture_stop(&fixture);
	ck_assert(!eventually(fixture_is_over, &fixture, 3 * SERVER_QUIET));
	client_send(fixture.client, "b", 1);
	client_expect(fixture.client, "answer", 6);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

START_TEST(but_not_for_ever)
{
	int64_t begin = clock_milliseconds();
	struct connection_fixture fixture;

	fixture_start(&fixture, _i, &pairs);
	client_send(fixture.client, "a", 1);
	fixture_wait_for_arrival(&fixture, 1);
	fixture_stop(&fixture);
	fixture_join(&fixture);
	ck_assert_int_ge(clock_milliseconds() - begin, SERVER_GRACE);
	client_close(fixture.client);
}
END_TEST

START_TEST(an_answer_in_pieces_is_finished_while_the_server_stops)
{
	struct connection_fixture fixture;

	fixture_make(&fixture, fixture_forms[_i], &pieces, 0);
	client_send(fixture.client, "x", 1);
	ck_assert_int_gt(io_wait(fixture.connection->fd, POLLIN, WAIT_MS), 0);
	fixture_stop(&fixture);
	fixture_serve(&fixture);
	for (int i = 0; i < PIECES; i++)
		client_expect(fixture.client, "piece ", 6);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

/* One that ends within the grace is kept. */
START_TEST(who_is_to_be_answered_late_is_answered_while_the_server_stops)
{
	struct connection_fixture fixture;

	pause_length = 4 * SERVER_QUIET;
	fixture_start(&fixture, _i, &late);
	client_send(fixture.client, "ab", 2);
	fixture_wait_for_arrival(&fixture, 2);
	fixture_stop(&fixture);
	client_expect(fixture.client, "[a][b]", 6);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

/* A stopping model interrupts its workers; so does fixture_is_over(). */
static bool has_answered_or_is_over(void *context)
{
	struct connection_fixture *fixture = context;

	return fixture_is_over(fixture) || io_wait(fixture->client, POLLIN, 0) > 0;
}

START_TEST(a_pause_is_cut_short_by_the_stop_rather_than_its_client)
{
	struct connection_fixture fixture;

	pause_length = LONG;
	fixture_start(&fixture, _i, &late);
	client_send(fixture.client, "a", 1);
	fixture_wait_for_arrival(&fixture, 1);
	fixture_stop(&fixture);
	ck_assert(eventually(has_answered_or_is_over, &fixture, SERVER_GRACE));
	client_expect(fixture.client, "[a]", 3);
	client_expect_end(fixture.client);
	fixture_end(&fixture);
}
END_TEST

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, FIXTURE_FORMS);
}

Suite *suite_connection_time(void)
{
	Suite *suite = suite_create("connection_time");
	TCase *tcase = add_case(suite, "pauses");

	add(tcase, what_came_waits_for_the_end_of_the_pause);
	add(tcase, who_half_closes_in_a_pause_is_still_answered);
	add(tcase, a_pause_is_not_the_clients_silence);
	tcase_add_loop_test(
		tcase, a_pause_of_nothing_is_over_when_the_others_had_their_turn, 1, 3);
	add(tcase, who_lets_others_go_first_is_answered_all_the_same);
	tcase_add_loop_test(tcase, nothing_is_wanted_in_a_pause_but_its_end, 1, 3);
	tcase_add_loop_test(
		tcase, a_pause_takes_no_time_of_the_processor_even_if_the_client_leaves,
		0, FIXTURE_TCP_FORMS);
	tcase_add_loop_test(tcase, who_resets_in_a_pause_does_not_keep_a_place, 0,
			    FIXTURE_TCP_FORMS);
	add(tcase, who_half_closes_in_a_long_pause_is_still_answered);
	tcase = add_case(suite, "deadlines");
	tcase_add_loop_test(tcase, a_deadline_does_not_run_while_output_waits, 1, 3);
	add(tcase, who_reads_late_has_all_of_the_time_to_ask);
	add(tcase, a_deadline_comes_though_bytes_move);
	add(tcase, a_deadline_comes_though_nothing_moves);
	add(tcase, a_deadline_that_is_revoked_does_not_come);
	add(tcase, a_deadline_comes_once_and_the_conversation_goes_on);
	tcase_add_test(tcase, the_earliest_of_all_moments_is_the_expiry);
	tcase = add_case(suite, "the stop");
	add(tcase, who_is_owed_an_answer_may_be_silent_while_the_server_stops);
	tcase_add_loop_test(tcase, but_not_for_ever, 0, FIXTURE_TCP_FORMS);
	add(tcase, an_answer_in_pieces_is_finished_while_the_server_stops);
	add(tcase, who_is_to_be_answered_late_is_answered_while_the_server_stops);
	tcase_add_loop_test(tcase,
			    a_pause_is_cut_short_by_the_stop_rather_than_its_client, 0,
			    FIXTURE_TCP_FORMS);
	return suite;
}
