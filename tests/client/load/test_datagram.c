/*
 * The load over UDP: against servers that answer each datagram, and against such as lose,
 * double, delay, change or reorder them.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sock.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/load_fixture.h"
#include "tests/suites.h"

enum { LONGEST = 65507 };

/* The load first asks whether anybody is there: for connection 2^32 - 1, which is none. */
static bool is_a_question(const struct heard *heard)
{
	return heard->length >= 4 && memcmp(heard->bytes, "\377\377\377\377", 4) == 0;
}

/* Every tenth of the others. */
static bool is_a_tenth(const struct heard *heard)
{
	return !is_a_question(heard) && atomic_fetch_add(&notes->count, 1) % 10 == 9;
}

static void answer_rightly(const struct heard *heard)
{
	answer(heard, heard->bytes, heard->length);
}

/* What was held back. */
static struct heard held;
static char held_bytes[LONGEST];

static void hold(const struct heard *heard)
{
	held = *heard;
	held.bytes = held_bytes;
	memcpy(held_bytes, heard->bytes, heard->length);
}

static void answer_held(void)
{
	if (held.bytes != NULL)
		answer(&held, held.bytes, held.length);
	held.bytes = NULL;
}

/* ---- what may happen to datagrams -------------------------------------------------------------- */

START_TEST(every_datagram_is_answered)
{
	static const size_t sizes[] = { 12, 13, 64, 1472, 16384, LONGEST };

	set_plan("echo", true);
	plan.size = sizes[_i];
	start_datagram_server(answer_rightly);
	measure_until(50);
	assert_no_errors();
	ck_assert_uint_ge(result.exchanges, 50);
	ck_assert_uint_eq(result.bytes, result.exchanges * plan.size);
	ck_assert_uint_eq(result.served, 2);
	ck_assert_uint_eq(result.made, 2);
	ck_assert_uint_eq(result.fate.lost, 0);
	ck_assert_uint_eq(result.fate.duplicates, 0);
	ck_assert_uint_eq(result.fate.reordered, 0);
	ck_assert_uint_ge(result.fate.sent, result.exchanges);
	ck_assert_uint_le(result.fate.sent, result.exchanges + 2);
}
END_TEST

static void lose_a_tenth(const struct heard *heard)
{
	if (is_a_tenth(heard))
		atomic_fetch_add(&notes->bytes, 1);
	else
		answer_rightly(heard);
}

START_TEST(lost_ones_are_counted_and_the_next_is_sent)
{
	uint64_t dropped;

	set_plan("echo", true);
	plan.timeout = 300 * SLOW_MACHINE; /* no other one takes that long */
	start_datagram_server(lose_a_tenth);
	measure_until(40);
	assert_no_errors();
	dropped = atomic_load(&notes->bytes);
	ck_assert_uint_ge(dropped, 4);
	ck_assert_uint_le(result.fate.lost, dropped); /* but for those of the end */
	ck_assert_uint_ge(result.fate.lost + 2, dropped);
	ck_assert_uint_eq(result.fate.late, 0);
	ck_assert_uint_le(result.fate.sent, result.exchanges + result.fate.lost + 2);
}
END_TEST

static void answer_questions_only(const struct heard *heard)
{
	if (is_a_question(heard))
		answer_rightly(heard);
}

START_TEST(a_closed_loop_does_not_wait_for_ever)
{
	set_plan("echo", true);
	plan.timeout = 50 * SLOW_MACHINE;
	plan.duration = 1000 * SLOW_MACHINE;
	start_datagram_server(answer_questions_only);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY); /* the sockets heard nothing */
	ck_assert_uint_eq(result.exchanges, 0);
	ck_assert_uint_eq(result.served, 0);
	ck_assert_uint_ge(result.fate.lost, 4);
	ck_assert_uint_le(result.fate.lost, 2 * 20);
}
END_TEST

/* One connection that sends so many a second, for so many milliseconds. */
static void set_open_loop(double rate, int64_t duration)
{
	set_plan("echo", true);
	plan.connections = 1;
	plan.rate = rate;
	plan.duration = duration;
}

START_TEST(an_open_loop_does_not_wait_at_all)
{
	set_open_loop(100, 500);
	plan.timeout = 1000; /* for the last ones: more than the whole */
	start_datagram_server(answer_questions_only);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY); /* the sockets heard nothing */
	ck_assert_uint_eq(result.fate.sent + result.unsent, 50);
	ck_assert_uint_ge(result.fate.sent, 25); /* one that waits sends two */
}
END_TEST

START_TEST(an_open_loop_goes_on_when_all_are_lost)
{
	set_open_loop(1000, 500);
	plan.timeout = 50 * SLOW_MACHINE;
	start_datagram_server(answer_questions_only);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY); /* the sockets heard nothing */
	ck_assert_uint_eq(result.fate.sent + result.unsent, 500);
	ck_assert_uint_gt(result.fate.lost, 128); /* slots: each was used again */
}
END_TEST

START_TEST(an_open_loop_remembers_every_one_that_is_missing)
{
	uint64_t dropped;

	/* no more than a receive buffer holds while the server waits for a processor */
	set_open_loop(500.0 / SLOW_MACHINE, 2000 * SLOW_MACHINE);
	plan.timeout = 1000 * SLOW_MACHINE;
	start_datagram_server(lose_a_tenth);
	measure();
	assert_no_errors();
	dropped = atomic_load(&notes->bytes);
	ck_assert_uint_ge(dropped, 10);
	ck_assert_uint_le(result.fate.lost, dropped);
	ck_assert_uint_gt(result.fate.lost, 0);
	/* Those of the last half of the time are not lost yet. */
	ck_assert_uint_ge(4 * result.fate.lost, dropped);
	ck_assert_uint_le(result.fate.sent - result.exchanges - result.fate.lost, 1024);
	/* Who misses one does not wait for it: then the others would have been late. */
	ck_assert_int_lt(histogram_percentile(&result.latency, 50),
			 plan.timeout * 1000000 / 2);
}
END_TEST

static void double_a_tenth(const struct heard *heard)
{
	answer_rightly(heard);
	if (is_a_tenth(heard)) {
		answer_rightly(heard);
		atomic_fetch_add(&notes->bytes, 1);
	}
}

START_TEST(duplicates_are_counted)
{
	uint64_t doubled;

	set_plan("echo", true);
	plan.rate = _i == 0 ? 0 : 500;
	start_datagram_server(double_a_tenth);
	measure_until(60);
	assert_no_errors();
	doubled = atomic_load(&notes->bytes);
	ck_assert_uint_ge(doubled, 6);
	ck_assert_uint_le(result.fate.duplicates, doubled);
	ck_assert_uint_ge(result.fate.duplicates + 2, doubled);
	ck_assert_uint_eq(result.fate.lost, 0);
	ck_assert_uint_eq(result.fate.reordered, 0);
}
END_TEST

/* Every tenth is overtaken by the next. */
static void answer_the_next_first(const struct heard *heard)
{
	if (is_a_tenth(heard)) {
		hold(heard);
		return;
	}
	answer_rightly(heard);
	if (held.bytes != NULL)
		atomic_fetch_add(&notes->bytes, 1);
	answer_held();
}

START_TEST(reordering_is_counted)
{
	set_plan("echo", true);
	plan.connections = 1;
	plan.rate = 500;
	start_datagram_server(answer_the_next_first);
	measure_until(60);
	assert_no_errors();
	ck_assert_uint_ge(result.fate.reordered, 4);
	ck_assert_uint_le(result.fate.reordered, atomic_load(&notes->bytes));
	ck_assert_uint_ge(result.fate.reordered + 2, atomic_load(&notes->bytes));
	ck_assert_uint_eq(result.fate.duplicates, 0);
	ck_assert_uint_eq(result.fate.lost, 0);
}
END_TEST

START_TEST(late_replies_are_lost_and_counted_as_late)
{
	set_plan("echo", true);
	plan.connections = 1; /* whose next one is sent when the last was lost */
	plan.timeout = 100 * SLOW_MACHINE;
	start_datagram_server(answer_the_next_first);
	measure_until(60);
	assert_no_errors();
	ck_assert_uint_ge(result.fate.lost, 4);
	ck_assert_uint_ge(result.fate.late, 4);
	ck_assert_uint_le(result.fate.late, result.fate.lost);
	ck_assert_uint_eq(result.fate.duplicates, 0);
	ck_assert_uint_eq(result.fate.reordered, 0);
}
END_TEST

START_TEST(a_socket_for_each_exchange)
{
	set_plan("echo", true);
	plan.kind = LOAD_CONNECTIONS;
	plan.timeout = 50 * SLOW_MACHINE;
	start_datagram_server(_i == 0 ? answer_rightly : lose_a_tenth);
	measure_until(60);
	assert_no_errors();
	ck_assert_uint_eq(result.made, result.fate.sent);
	ck_assert_uint_ge(result.made, result.exchanges + result.fate.lost);
	ck_assert_uint_le(result.made, result.exchanges + result.fate.lost + 2);
	if (_i == 0)
		ck_assert_uint_eq(result.fate.lost, 0);
	else
		ck_assert_uint_ge(result.fate.lost, 4);
}
END_TEST

/* ---- what may not ---------------------------------------------------------------------------------- */

static void change_the_last_byte(const struct heard *heard)
{
	if (is_a_tenth(heard))
		heard->bytes[heard->length - 1] ^= 1;
	answer_rightly(heard);
}

static void change_the_number(const struct heard *heard)
{
	if (is_a_tenth(heard))
		heard->bytes[11] ^= 64;
	answer_rightly(heard);
}

static void change_the_connection(const struct heard *heard)
{
	if (is_a_tenth(heard))
		heard->bytes[3] ^= 1;
	answer_rightly(heard);
}

static void cut_the_last_byte(const struct heard *heard)
{
	answer(heard, heard->bytes, heard->length - (is_a_tenth(heard) ? 1 : 0));
}

static void add_a_byte(const struct heard *heard)
{
	answer(heard, heard->bytes, heard->length + (is_a_tenth(heard) ? 1 : 0));
}

static void answer_nothing(const struct heard *heard)
{
	answer(heard, heard->bytes, is_a_tenth(heard) ? 0 : heard->length);
}

START_TEST(other_datagrams_than_were_sent_are_wrong)
{
	static hear_function *const wrong[] = {
		change_the_last_byte, change_the_number, change_the_connection,
		cut_the_last_byte,    add_a_byte,        answer_nothing
	};

	set_plan("echo", true);
	plan.duration = 500 * SLOW_MACHINE;
	plan.timeout = 2000 * SLOW_MACHINE; /* what the last ones wait for */
	start_datagram_server(wrong[_i]);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
	ck_assert_uint_ge(result.exchanges, 9);
}
END_TEST

static void answer_once_and_die(const struct heard *heard)
{
	answer_rightly(heard);
	if (!is_a_question(heard))
		kill(getpid(), SIGKILL);
}

START_TEST(a_server_that_dies_refuses)
{
	set_plan("echo", true);
	plan.connections = 1;
	plan.duration = 500 * SLOW_MACHINE;
	plan.timeout = 100 * SLOW_MACHINE;
	start_datagram_server(answer_once_and_die);
	measure();
	ck_assert_uint_eq(result.exchanges, 1);
	ck_assert_uint_gt(result.errors[LOAD_REFUSED], 0);
	ck_assert_uint_le(result.errors[LOAD_REFUSED], 50 * SLOW_MACHINE);
}
END_TEST

/* ---- whether anybody is there ------------------------------------------------------------------------ */

static void answer_the_third_question(const struct heard *heard)
{
	if (!is_a_question(heard) || atomic_fetch_add(&notes->count, 1) >= 2)
		answer_rightly(heard);
}

START_TEST(who_does_not_answer_is_asked_again)
{
	set_plan("echo", true);
	start_datagram_server(answer_the_third_question);
	measure_until(10);
	assert_no_errors();
}
END_TEST

static void answer_never(const struct heard *heard)
{
	(void)heard;
}

START_TEST(who_never_answers_is_not_there)
{
	set_plan("echo", true);
	plan.timeout = 250 * SLOW_MACHINE;
	start_datagram_server(answer_never);
	ck_assert_int_eq(load_run(&plan, &result, &failure), -1);
	ck_assert_ptr_nonnull(strstr(failure.text, "no reply from 127.0.0.1"));
	ck_assert_ptr_nonnull(strstr(failure.text, strerror(ETIMEDOUT)));
	ck_assert_uint_eq(result.errors[LOAD_TIMED_OUT], 1);
}
END_TEST

static void find_deaf_datagram_port(void)
{
	open_listener_of(SOCK_DGRAM, 0);
	close(listener);
	listener = -1;
}

START_TEST(nobody_there_is_reported)
{
	set_plan(_i == 0 ? "echo" : "discard", true);
	find_deaf_datagram_port();
	ck_assert_int_eq(load_run(&plan, &result, &failure), -1);
	ck_assert_ptr_nonnull(strstr(failure.text, "(UDP)"));
	ck_assert_ptr_nonnull(strstr(failure.text, "Connection refused"));
	ck_assert_uint_eq(result.errors[LOAD_REFUSED], 1);
}
END_TEST

/* A reply from another port is not from who was asked. */
static void answer_from_another_port(const struct heard *heard)
{
	struct heard elsewhere = *heard;

	elsewhere.fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (is_a_question(heard))
		answer_rightly(heard);
	else
		answer(&elsewhere, heard->bytes, heard->length);
	close(elsewhere.fd);
}

START_TEST(a_reply_from_another_port_is_none)
{
	set_plan("echo", true);
	plan.timeout = 50 * SLOW_MACHINE;
	start_datagram_server(answer_from_another_port);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY); /* the sockets heard nothing */
	ck_assert_uint_eq(result.exchanges, 0);
	ck_assert_uint_gt(result.fate.lost, 0);
}
END_TEST

/* ---- services whose replies carry no number ----------------------------------------------------------- */

static const char *text; /* for the child that is forked then */

/* As the servers of the suite do: never more than was asked with. */
static void answer_a_text(const struct heard *heard)
{
	size_t length = strlen(text);

	answer(heard, text, length < heard->length ? length : heard->length);
}

static const struct {
	const char *protocol, *says, *expect;
	size_t size;
	bool right;
} texts[] = {
	{ "reply", "Message received\n", NULL, 64, true },
	{ "reply", "Message received\n", NULL, 10, true },
	{ "reply", "Message", NULL, 64, false },
	{ "reply", "Message deceived\n", NULL, 64, false },
	{ "reply", "Message received\n\n", NULL, 64, false },
	{ "reply", "Done\n", "Done", 64, true },
	{ "reply", "Done\n", "", 64, true },
	{ "greet", "Welcome to the server\n", NULL, 64, true },
	{ "greet", "Welcome to this server\n", NULL, 64, false },
	{ "daytime", "2026-11-20T14:03:59+01:00\r\n", NULL, 64, true },
	{ "daytime", "2026-11-20T14:03:59+01:00\r\n", NULL, 10, true },
	{ "daytime", "2026-11-20T14:03:59+01:00", NULL, 64, false },
	{ "chargen", " !\"#$%&'()*+,-./0123456789", NULL, 512, true },
	{ "chargen", "~ !\"#$%&'()*+,-./0123456789", NULL, 512, true },
	{ "chargen", " !\"#$%&()*+,-./0123456789", NULL, 512, false },
	{ "chargen", "\n !\"#$", NULL, 512, false },
};

START_TEST(replies_without_numbers_are_judged)
{
	set_plan(texts[_i].protocol, true);
	plan.size = texts[_i].size;
	plan.reply = texts[_i].expect;
	text = texts[_i].says;
	start_datagram_server(answer_a_text);
	if (texts[_i].right) {
		measure_until(10);
		assert_no_errors();
		ck_assert_uint_eq(result.fate.lost + result.fate.duplicates, 0);
	} else {
		plan.timeout = 2000 * SLOW_MACHINE; /* what the last ones wait for */
		measure();
		assert_errors_are_all(LOAD_WRONG_REPLY);
		ck_assert_uint_eq(result.exchanges, 0);
	}
}
END_TEST

/* Every fifth is answered when the next comes: too late, and to a socket that is gone. */
static void answer_a_fifth_late(const struct heard *heard)
{
	if (held.bytes != NULL) {
		held.bytes = NULL;
		answer_a_text(&held);
	}
	if (!is_a_question(heard) && atomic_fetch_add(&notes->count, 1) % 5 == 4)
		hold(heard);
	else
		answer_a_text(heard);
}

START_TEST(a_late_reply_is_not_taken_for_that_to_the_next)
{
	set_plan("reply", true);
	plan.connections = 1;
	plan.timeout = 100 * SLOW_MACHINE;
	text = "Message received\n";
	start_datagram_server(answer_a_fifth_late);
	measure_until(20);
	assert_no_errors();
	ck_assert_uint_ge(result.fate.lost, 3);
	ck_assert_uint_eq(result.fate.duplicates, 0);
	ck_assert_uint_eq(result.made, result.fate.lost + 1);
}
END_TEST

static void count_bytes(const struct heard *heard)
{
	atomic_fetch_add(&notes->bytes, heard->length);
}

START_TEST(a_sink_is_sent_datagrams_at_a_rate)
{
	set_plan("discard", true);
	plan.rate = 200;
	plan.duration = 500;
	start_datagram_server(count_bytes);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.fate.sent + result.unsent, 100);
	ck_assert_uint_eq(result.fate.lost, 0);
	ck_assert_uint_eq(result.served, 2);
}
END_TEST

START_TEST(a_sink_is_sent_datagrams_as_fast_as_they_go)
{
	set_plan("discard", true);
	plan.size = 1000;
	start_datagram_server(count_bytes);
	measure();
	assert_no_errors();
	ck_assert_uint_gt(result.exchanges, 100);
	ck_assert_uint_eq(result.bytes, result.exchanges * plan.size);
	ck_assert_uint_gt(atomic_load(&notes->bytes), 0);
}
END_TEST

/* ---- the report --------------------------------------------------------------------------------------- */

static struct run run_udp_loadgen(const char *option, double seconds)
{
	return run_program(ARGUMENTS("loadgen", "-u", "-d", slow_seconds(seconds), "-w",
				     slow_seconds(0.2), option, "127.0.0.1", port),
			   "", 0, LONG_WAIT_MS);
}

START_TEST(loadgen_tells_what_became_of_datagrams)
{
	struct run run;

	start_datagram_server(answer_rightly);
	run = run_udp_loadgen("-q", 0.4);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_ptr_nonnull(
		strstr(run.out, "server         echo over UDP at 127.0.0.1:"));
	ck_assert_ptr_nonnull(strstr(run.out, "\nsockets        32 at a time, "));
	ck_assert_ptr_nonnull(strstr(run.out, "\nlost           "));
	ck_assert_ptr_nonnull(strstr(run.out, "\nlate           "));
	ck_assert_ptr_nonnull(strstr(run.out, "\nduplicates     0\nreordered      0\n"));
	run = run_udp_loadgen("-j", 0.4);
	ck_assert_int_eq(run_exit_status(&run), 0);
	ck_assert_ptr_nonnull(strstr(run.out, "\"transport\":\"udp\""));
	ck_assert_ptr_nonnull(strstr(run.out, "\"duplicates\":0,\"reordered\":0,"));
}
END_TEST

START_TEST(losing_some_is_no_failure)
{
	struct run run;

	start_datagram_server(lose_a_tenth);
	/* A loss takes 0.2 s, and a socket may lose several in a row: so long that it gets a reply. */
	run = run_udp_loadgen("-q", 1.6);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_ptr_null(strstr(run.out, "\nlost           0 "));
	ck_assert_ptr_nonnull(strstr(run.out, "\nerrors         none\n"));
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

Suite *suite_load_udp(void)
{
	Suite *suite = suite_create("load_udp");
	TCase *tcase = load_case(suite, "what may happen to datagrams");

	tcase_add_loop_test(tcase, every_datagram_is_answered, 0, 6);
	tcase_add_test(tcase, lost_ones_are_counted_and_the_next_is_sent);
	tcase_add_test(tcase, a_closed_loop_does_not_wait_for_ever);
	tcase_add_test(tcase, an_open_loop_does_not_wait_at_all);
	tcase_add_test(tcase, an_open_loop_goes_on_when_all_are_lost);
	tcase_add_test(tcase, an_open_loop_remembers_every_one_that_is_missing);
	tcase_add_loop_test(tcase, duplicates_are_counted, 0, 2);
	tcase_add_test(tcase, reordering_is_counted);
	tcase_add_test(tcase, late_replies_are_lost_and_counted_as_late);
	tcase_add_loop_test(tcase, a_socket_for_each_exchange, 0, 2);

	tcase = load_case(suite, "what may not");
	tcase_add_loop_test(tcase, other_datagrams_than_were_sent_are_wrong, 0, 6);
	tcase_add_test(tcase, a_server_that_dies_refuses);

	tcase = load_case(suite, "whether anybody is there");
	tcase_add_test(tcase, who_does_not_answer_is_asked_again);
	tcase_add_test(tcase, who_never_answers_is_not_there);
	tcase_add_loop_test(tcase, nobody_there_is_reported, 0, 2);
	tcase_add_test(tcase, a_reply_from_another_port_is_none);

	tcase = load_case(suite, "replies without numbers");
	tcase_add_loop_test(tcase, replies_without_numbers_are_judged, 0, COUNT(texts));
	tcase_add_test(tcase, a_late_reply_is_not_taken_for_that_to_the_next);
	tcase_add_test(tcase, a_sink_is_sent_datagrams_at_a_rate);
	tcase_add_test(tcase, a_sink_is_sent_datagrams_as_fast_as_they_go);

	tcase = load_case(suite, "the report");
	tcase_add_test(tcase, loadgen_tells_what_became_of_datagrams);
	tcase_add_test(tcase, losing_some_is_no_failure);
	return suite;
}
