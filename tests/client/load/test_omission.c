/*
 * Coordinated omission: a stall of the server must show in the latency of an open loop as
 * arithmetic says, and cannot show in a closed loop. And a stall of the load generator must not
 * be taken for one of the server.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "client/load/load.h"
#include "common/clock.h"
#include "common/io.h"
#include "tests/fixture/load_fixture.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

static void serve_rightly(int fd, unsigned number)
{
	char bytes[64];

	(void)number;
	while (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes)
		io_write(fd, bytes, sizeof bytes);
}

/* ---- a stall of the server --------------------------------------------------------------------- */

#define SECOND INT64_C(1000000000)

static int64_t stopped_at, continued_at;

/* Stops the server when a second has been measured, for one second. */
static void stop_for_a_second(const struct load_progress *progress, void *context)
{
	(void)context;
	if (progress->phase != LOAD_RUNNING || continued_at != 0)
		return;
	if (stopped_at == 0 && progress->seconds >= 1) {
		kill(server, SIGSTOP);
		stopped_at = clock_nanoseconds();
	} else if (stopped_at != 0 && clock_nanoseconds() - stopped_at >= SECOND) {
		kill(server, SIGCONT);
		continued_at = clock_nanoseconds();
	}
}

static void measure_one_stall(double rate)
{
	plan.connections = 4;
	plan.rate = rate;
	plan.duration = 4000;
	plan.progress = stop_for_a_second;
	stopped_at = continued_at = 0;
	measure();
	assert_no_errors();
	ck_assert_int_ne(continued_at, 0);
}

static void measure_with_a_stall(double rate)
{
	start_server(serve_rightly);
	measure_one_stall(rate);
}

/* The requests of the first (stall - x) seconds of the stall wait longer than x, because the
 * schedule does not stop with the server. If these are 1 % of all requests, x is the 99th
 * percentile. */
static double expected_p99(void)
{
	return (double)(continued_at - stopped_at) -
	       0.01 * (double)plan.duration * 1000000;
}

/* If other programs keep the processors busy when the server may continue, the stall lasts longer
 * than the test knows. Such a run is repeated. */
START_TEST(a_stall_shows_in_an_open_loop_as_arithmetic_says)
{
	enum { ATTEMPTS = 4 };
	double expected = 0, p99 = 0;
	bool as_expected = false;

	start_server(serve_rightly);
	for (int i = 0; i < ATTEMPTS && !as_expected; i++) {
		measure_one_stall(500);
		expected = expected_p99();
		p99 = (double)histogram_percentile(&result.latency, 99);
		as_expected = p99 > 0.9 * expected && p99 < 1.1 * expected;
	}
	ck_assert_msg(as_expected, "p99 is %.1f ms instead of %.1f ms", p99 / 1e6,
		      expected / 1e6);
	ck_assert_uint_ge(result.exchanges + result.unsent, 1996);
}
END_TEST

/* Only a few requests are in transit when the server stops: one for each connection. */
START_TEST(the_same_stall_does_not_show_in_a_closed_loop)
{
	measure_with_a_stall(0);
	ck_assert_uint_gt(result.exchanges, 100 * 4);
	ck_assert_int_lt(histogram_percentile(&result.latency, 99), SECOND / 4);
	ck_assert_int_ge(histogram_max(&result.latency), SECOND * 9 / 10);
}
END_TEST

/* The requests that were not sent during the stall were not slow once they were sent. */
START_TEST(the_service_time_begins_when_a_request_is_sent)
{
	measure_with_a_stall(500);
	ck_assert_uint_eq(histogram_count(&result.service), result.exchanges);
	ck_assert_int_lt(histogram_percentile(&result.service, 95), SECOND / 4);
	ck_assert_int_gt(histogram_percentile(&result.latency, 95), SECOND / 2);
	ck_assert_int_ge(histogram_max(&result.service), SECOND * 9 / 10);
}
END_TEST

START_TEST(a_closed_loop_has_no_service_time_of_its_own)
{
	start_server(serve_rightly);
	measure();
	ck_assert_uint_eq(histogram_count(&result.service), 0);
	ck_assert_uint_eq(result.requests, 0);
}
END_TEST

START_TEST(loadgen_prints_both_times_beside_each_other)
{
	struct run run;

	start_server(serve_rightly);
	run = run_loadgen(
		ARGUMENTS("loadgen", "-d", "0.5", "-r", "100", "127.0.0.1", port));
	run_expect_status(&run, 0);
	expect_match(run.out, "\nlatency p50    [0-9.]+ [um]s, service [0-9.]+ [um]s\n"
			      "latency p90    [0-9.]+ [um]s, service [0-9.]+ [um]s\n"
			      "latency p95    [0-9.]+ [um]s, service [0-9.]+ [um]s\n"
			      "latency p99    [0-9.]+ [um]s, service [0-9.]+ [um]s\n"
			      "latency p99.9  [0-9.]+ [um]s, service [0-9.]+ [um]s\n"
			      "latency max    [0-9.]+ [um]s, service [0-9.]+ [um]s\n");
}
END_TEST

/* ---- a stall of the load generator ------------------------------------------------------------- */

static struct program loadgen;

/* It prints a line on standard error each second: then the measured time has begun. */
static void start_loadgen(const char *const arguments[])
{
	struct run_setup setup = { .argv = arguments };
	char byte = '\0';

	loadgen = program_start(&setup);
	while (byte != '\n')
		ck_assert_int_eq(io_read(loadgen.err, &byte, 1), 1);
}

/* loadgen itself is stopped for half a second. */
static struct run run_with_a_pause(const char *option)
{
	struct run run;

	start_server(serve_rightly);
	start_loadgen(
		ARGUMENTS("loadgen", option, "-d", "2", "-r", "200", "127.0.0.1", port));
	kill(loadgen.pid, SIGSTOP);
	pause_milliseconds(500);
	kill(loadgen.pid, SIGCONT);
	run = program_wait(&loadgen, LONG_WAIT_MS);
	run_expect_status(&run, 0);
	return run;
}

START_TEST(it_says_that_it_sent_requests_late)
{
	struct run run = run_with_a_pause("-v");

	expect_match(
		run.out,
		"\ngenerator      [0-9.]+ % busy, [0-9]+ of [0-9]+ requests sent late "
		"\\(more than 1 ms\\), the latest by ([4-9][0-9][0-9]\\.[0-9]+ ms|"
		"[0-9.]+ s)\n");
	expect_match(run.out, "\nbottleneck     loadgen itself: it sent [0-9.]+ % of the "
			      "requests late, up to [0-9.]+ m?s\n");
}
END_TEST

START_TEST(json_has_the_same)
{
	struct run run = run_with_a_pause("-jv");

	expect_match(
		run.out,
		"\"generator\":\\{\"busy\":[01]\\.[0-9]+,\"requests\":[0-9]+,\"late\":"
		"[0-9]+,\"latest_ns\":[4-9][0-9]{8,},\"bottleneck\":true\\}");
}
END_TEST

/* The server is stopped, so that no connection is free: nothing is late by loadgen's doing,
 * apart from what a busy machine adds. */
START_TEST(a_stall_of_the_server_is_not_called_one_of_the_generator)
{
	measure_with_a_stall(500);
	ck_assert_int_lt(result.tardiest, SECOND / 2);
	ck_assert_uint_eq(result.requests + result.unsent, 2000);
}
END_TEST

/* What the page defines. */
static const struct {
	double busy;
	uint64_t requests, tardy;
	enum load_bottleneck expected;
} cases[] = {
	{ 0, 0, 0, LOAD_NO_BOTTLENECK },         { 0.89, 0, 0, LOAD_NO_BOTTLENECK },
	{ 0.9, 0, 0, LOAD_BUSY_THREAD },         { 1, 0, 0, LOAD_BUSY_THREAD },
	{ 0.1, 1000, 10, LOAD_NO_BOTTLENECK },   { 0.1, 1000, 11, LOAD_TARDY_REQUESTS },
	{ 0.95, 1000, 11, LOAD_TARDY_REQUESTS }, { 0.95, 1000, 10, LOAD_BUSY_THREAD },
};

START_TEST(it_is_the_bottleneck_if_it_is_busy_or_late)
{
	static struct load_result made_up;

	made_up.busy = cases[_i].busy;
	made_up.requests = cases[_i].requests;
	made_up.tardy = cases[_i].tardy;
	ck_assert_int_eq(load_bottleneck(&made_up), cases[_i].expected);
}
END_TEST

START_TEST(it_measures_how_busy_its_threads_are)
{
	start_server(serve_rightly);
	measure();
	ck_assert(result.busy > 0 && result.busy < 1.1);
}
END_TEST

Suite *suite_load_omission(void)
{
	Suite *suite = suite_create("load_omission");
	TCase *tcase = load_case(suite, "a stall of the server");

	tcase_add_test(tcase, a_stall_shows_in_an_open_loop_as_arithmetic_says);
	tcase_add_test(tcase, the_same_stall_does_not_show_in_a_closed_loop);
	tcase_add_test(tcase, the_service_time_begins_when_a_request_is_sent);
	tcase_add_test(tcase, a_closed_loop_has_no_service_time_of_its_own);
	tcase_add_test(tcase, loadgen_prints_both_times_beside_each_other);

	tcase = load_case(suite, "a stall of the load generator");
	tcase_add_test(tcase, it_says_that_it_sent_requests_late);
	tcase_add_test(tcase, json_has_the_same);
	tcase_add_test(tcase, a_stall_of_the_server_is_not_called_one_of_the_generator);
	tcase_add_loop_test(tcase, it_is_the_bottleneck_if_it_is_busy_or_late, 0,
			    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tcase, it_measures_how_busy_its_threads_are);
	return suite;
}
