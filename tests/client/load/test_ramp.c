/*
 * How a load begins: with a ramp of the rate or of the connections, and with no more new
 * connections a second than are allowed.
 */
#include <stdatomic.h>
#include <string.h>

#include "client/load/load.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/fixture/load_fixture.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

/* The server counts connections in notes->count, and bytes in notes->bytes. */
static void serve_and_count(int fd, unsigned number)
{
	char bytes[64];

	(void)number;
	atomic_fetch_add(&notes->count, 1);
	while (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes) {
		atomic_fetch_add(&notes->bytes, sizeof bytes);
		io_write(fd, bytes, sizeof bytes);
	}
}

static uint64_t requests_served(void)
{
	return atomic_load(&notes->bytes) / 64;
}

/* ---- the ramp ---------------------------------------------------------------------------------- */

/* Half of the rate, on the average: 500 ms of 400 a second are 100. */
START_TEST(the_rate_grows_to_its_full_value_and_only_then_it_is_measured)
{
	plan.rate = 400;
	plan.ramp = 500;
	plan.duration = 500;
	plan.threads = 2;
	start_server(serve_and_count);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.requests + result.unsent, 200);
	ck_assert_uint_le(result.exchanges, 200);
	ck_assert_uint_ge(result.exchanges + result.unsent, 196);
	ck_assert_uint_ge(requests_served() + result.unsent, 299);
	ck_assert_uint_le(requests_served(), 301);
}
END_TEST

static uint64_t at_first, at_last;

static void note_connections(const struct load_progress *progress, void *context)
{
	(void)context;
	if (progress->phase == LOAD_RAMPING) {
		ck_assert_uint_eq(progress->exchanges, 0);
		if (at_first == 0)
			at_first = atomic_load(&notes->count);
	} else if (progress->phase == LOAD_RUNNING && at_last == 0) {
		at_last = atomic_load(&notes->count);
	}
}

START_TEST(in_a_closed_loop_the_number_of_connections_grows)
{
	at_first = at_last = 0;
	plan.connections = 20;
	plan.ramp = 2000;
	plan.duration = 500;
	plan.progress = note_connections;
	start_server(serve_and_count);
	measure();
	assert_no_errors();
	ck_assert_uint_ge(at_first, 1);
	ck_assert_uint_lt(at_first, 20);
	ck_assert_uint_eq(at_last, 20);
	ck_assert_uint_eq(result.served, 20);
	ck_assert_uint_gt(requests_served(), result.exchanges + 20);
	ck_assert(result.elapsed > 0.499 && result.elapsed < 0.501);
}
END_TEST

START_TEST(connections_for_each_exchange_grow_too)
{
	plan.kind = LOAD_CONNECTIONS;
	plan.connections = 4;
	plan.ramp = 200;
	plan.duration = 500 * SLOW_MACHINE;
	start_server(serve_and_count);
	measure();
	assert_no_errors();
	ck_assert_uint_gt(result.exchanges, 0);
	ck_assert_uint_gt(requests_served(), result.exchanges);
}
END_TEST

static void answer_rightly(const struct heard *heard)
{
	atomic_fetch_add(&notes->count, 1);
	answer(heard, heard->bytes, heard->length);
}

START_TEST(a_ramp_of_datagrams_is_not_counted)
{
	set_plan("echo", true);
	plan.rate = 200;
	plan.ramp = 500;
	plan.duration = 500;
	start_datagram_server(answer_rightly);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.fate.sent + result.unsent, 100);
	ck_assert_uint_ge(atomic_load(&notes->count) + result.unsent, 149);
}
END_TEST

static volatile sig_atomic_t stop;

static void stop_in_the_ramp(const struct load_progress *progress, void *context)
{
	(void)context;
	stop = progress->phase == LOAD_RAMPING;
}

START_TEST(a_load_can_be_stopped_in_its_ramp)
{
	stop = 0;
	plan.rate = 100;
	plan.ramp = 60000;
	plan.stop = &stop;
	plan.progress = stop_in_the_ramp;
	start_server(serve_and_count);
	measure();
	ck_assert_uint_eq(result.exchanges, 0);
	ck_assert_uint_eq(result.unsent, 0);
	ck_assert(result.elapsed == 0);
}
END_TEST

/* ---- new connections a second ------------------------------------------------------------------ */

START_TEST(no_more_connections_a_second_are_opened)
{
	plan.kind = LOAD_CONNECTIONS;
	plan.connect_rate = 100;
	plan.duration = 1000;
	plan.rate = _i == 0 ? 0 : 1000;
	start_server(serve_and_count);
	measure();
	assert_no_errors();
	ck_assert_uint_le(result.made, 102);
	ck_assert_uint_ge(result.made, 10);
}
END_TEST

START_TEST(the_measured_time_waits_for_all_connections)
{
	int64_t before = clock_milliseconds();

	plan.connections = 20;
	plan.threads = (unsigned)_i + 1;
	plan.connect_rate = 40;
	start_server(serve_and_count);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.made, 20);
	ck_assert_uint_eq(result.served, 20);
	ck_assert_int_ge(clock_milliseconds() - before - plan.duration, 400);
}
END_TEST

START_TEST(silent_connections_are_opened_at_that_rate_too)
{
	int64_t before = clock_milliseconds();

	plan.kind = LOAD_IDLE;
	plan.idle = 20;
	plan.connect_rate = 40;
	start_server(serve_and_count);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.idle_made, 20);
	ck_assert_uint_eq(result.idle_open, 20);
	ck_assert_int_ge(clock_milliseconds() - before - plan.duration, 400);
}
END_TEST

/* ---- what does not go together ----------------------------------------------------------------- */

START_TEST(where_it_does_not_apply_is_said)
{
	struct run run = run_loadgen(
		ARGUMENTS("loadgen", "chat", "--ramp", "1", "127.0.0.1", "9"));

	run_expect_status(&run, 2);
	ck_assert_ptr_nonnull(
		strstr(run.err, "--ramp does not apply to the protocol chat"));
	run = run_loadgen(
		ARGUMENTS("loadgen", "-u", "--connect-rate", "9", "127.0.0.1", "9"));
	run_expect_status(&run, 2);
	ck_assert_ptr_nonnull(strstr(run.err, "--connect-rate does not apply to UDP"));
}
END_TEST

Suite *suite_load_ramp(void)
{
	Suite *suite = suite_create("load_ramp");
	TCase *tcase = load_case(suite, "the ramp");

	tcase_add_test(tcase,
		       the_rate_grows_to_its_full_value_and_only_then_it_is_measured);
	tcase_add_test(tcase, in_a_closed_loop_the_number_of_connections_grows);
	tcase_add_test(tcase, connections_for_each_exchange_grow_too);
	tcase_add_test(tcase, a_ramp_of_datagrams_is_not_counted);
	tcase_add_test(tcase, a_load_can_be_stopped_in_its_ramp);

	tcase = load_case(suite, "new connections a second");
	tcase_add_loop_test(tcase, no_more_connections_a_second_are_opened, 0, 2);
	tcase_add_loop_test(tcase, the_measured_time_waits_for_all_connections, 0, 2);
	tcase_add_test(tcase, silent_connections_are_opened_at_that_rate_too);

	tcase = load_case(suite, "options");
	tcase_add_test(tcase, where_it_does_not_apply_is_said);
	return suite;
}
