/*
 * The load engine against servers that do right, and against servers that do not.
 *
 * Each server is a child with a thread for each of its clients; what it does with one is
 * a function of a few lines here.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/load/load.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/load_fixture.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { CHUNK = 64 * 1024 };

/* ---- servers --------------------------------------------------------------------------------- */

/* Echoes at most limit bytes, adding change to the byte at place. Returns the count. */
static size_t echo(int fd, size_t limit, size_t place, char change)
{
	char bytes[CHUNK];
	size_t echoed = 0;

	while (echoed < limit) {
		size_t room = limit - echoed < CHUNK ? limit - echoed : CHUNK;
		ssize_t n = io_read(fd, bytes, room);

		if (n <= 0)
			break;
		if (place >= echoed && place - echoed < (size_t)n)
			bytes[place - echoed] = (char)(bytes[place - echoed] + change);
		if (io_write(fd, bytes, (size_t)n) != n)
			break;
		echoed += (size_t)n;
	}
	return echoed;
}

static void serve_rightly(int fd, unsigned number)
{
	(void)number;
	echo(fd, SIZE_MAX, 0, 0);
}

static void serve_byte_1000_wrongly(int fd, unsigned number)
{
	(void)number;
	echo(fd, SIZE_MAX, 1000, 1);
}

static void serve_last_of_a_megabyte_wrongly(int fd, unsigned number)
{
	(void)number;
	echo(fd, SIZE_MAX, (1 << 20) - 1, 1);
}

static void serve_a_byte_too_much(int fd, unsigned number)
{
	(void)number;
	echo(fd, 64, 0, 0);
	io_write(fd, "!", 1);
	echo(fd, SIZE_MAX, 0, 0);
}

static void serve_the_first_reply_again_and_again(int fd, unsigned number)
{
	char first[64], bytes[64];

	(void)number;
	if (io_read_all(fd, first, sizeof first) != sizeof first)
		return;
	do
		io_write(fd, first, sizeof first);
	while (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes);
}

static void serve_silence(int fd, unsigned number)
{
	char bytes[CHUNK];

	(void)number;
	while (io_read(fd, bytes, sizeof bytes) > 0)
		;
}

static void serve_five_and_then_silence(int fd, unsigned number)
{
	echo(fd, 5 * 64, 0, 0);
	serve_silence(fd, number);
}

static void serve_all_but_four_bytes(int fd, unsigned number)
{
	char bytes[64];

	(void)number;
	while (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes)
		io_write(fd, bytes, sizeof bytes - 4);
}

/* No request comes before the measured time begins, and that is shorter than the pause. */
static void answer_after_the_end(int fd, char change)
{
	char bytes[64];

	if (io_read_all(fd, bytes, sizeof bytes) != sizeof bytes)
		return;
	pause_milliseconds(5 * plan.duration);
	bytes[63] = (char)(bytes[63] + change);
	io_write(fd, bytes, sizeof bytes);
	serve_silence(fd, 0);
}

static void serve_after_the_end(int fd, unsigned number)
{
	(void)number;
	answer_after_the_end(fd, 0);
}

static void serve_a_wrong_byte_after_the_end(int fd, unsigned number)
{
	(void)number;
	answer_after_the_end(fd, 1);
}

static void serve_a_reset(int fd, unsigned number)
{
	char byte;

	(void)number;
	io_read(fd, &byte, 1);
	sock_set_abortive(fd);
}

/* All was read, so that close is an end in order and no reset. */
static void serve_half(int fd, unsigned number)
{
	char bytes[64];

	(void)number;
	if (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes)
		io_write(fd, bytes, sizeof bytes / 2);
}

static void serve_once_and_die(int fd, unsigned number)
{
	(void)number;
	echo(fd, 64, 0, 0);
	kill(getpid(), SIGKILL);
}

static void serve_after_a_stall(int fd, unsigned number)
{
	pause_milliseconds(200);
	serve_rightly(fd, number);
}

/* The ten are closed before anybody else is served. */
static void serve_only_from_the_tenth_on(int fd, unsigned number)
{
	static atomic_uint closed;

	if (number < 10) {
		shutdown(fd, SHUT_RDWR);
		atomic_fetch_add(&closed, 1);
		return;
	}
	while (atomic_load(&closed) < 10)
		pause_milliseconds(1);
	serve_five_and_then_silence(fd, number);
}

/* ---- servers that do right ------------------------------------------------------------------- */

START_TEST(right_replies_are_counted_and_timed)
{
	plan.connections = 5;
	plan.threads = 2;
	start_server(serve_five_and_then_silence);
	measure_until(25);
	assert_no_errors();
	ck_assert_uint_eq(result.threads, 2);
	ck_assert_uint_eq(result.served, 5);
	ck_assert_uint_eq(result.made, 5);
	ck_assert_uint_eq(result.exchanges, 25);
	ck_assert_uint_eq(result.bytes, result.exchanges * 64);
	ck_assert_int_gt(histogram_percentile(&result.latency, 50), 0);
	ck_assert_int_ge(histogram_max(&result.latency),
			 histogram_percentile(&result.latency, 99.9));
	ck_assert_uint_eq(address_port(&result.address), strtoul(port, NULL, 10));
}
END_TEST

static const size_t sizes[] = { 1, 2, 63, 4096, 65537, 1 << 20, (16 << 20) + 1 };

START_TEST(messages_of_any_size_go_both_ways_at_once)
{
	plan.size = sizes[_i];
	plan.kind = plan.size > 4096 ? LOAD_BULK : LOAD_CONVERSATIONS;
	start_server(serve_rightly);
	measure_until(plan.size > 1 << 20 ? 3 : 100);
	assert_no_errors();
	ck_assert_uint_gt(result.exchanges, 0);
	ck_assert_uint_eq(result.bytes, result.exchanges * plan.size);
}
END_TEST

START_TEST(exactly_what_was_answered_is_counted)
{
	plan.connections = 3;
	start_server(serve_five_and_then_silence);
	measure_until(15);
	assert_no_errors();
	ck_assert_uint_eq(result.exchanges, 15);
	ck_assert_uint_eq(result.bytes, 15 * 64);
	ck_assert_uint_eq(result.served, 3);
	ck_assert_uint_eq(result.made, 3);
}
END_TEST

START_TEST(there_are_no_more_threads_than_connections)
{
	plan.connections = 2;
	plan.threads = 8;
	start_server(serve_five_and_then_silence);
	measure_until(10);
	ck_assert_uint_eq(result.threads, 2);
	ck_assert_uint_eq(result.served, 2);
}
END_TEST

START_TEST(connections_are_made_for_each_exchange)
{
	plan.kind = LOAD_CONNECTIONS;
	plan.connections = 4;
	start_server(serve_rightly);
	measure_until(100);
	assert_no_errors();
	ck_assert_uint_ge(result.exchanges, 4);
	ck_assert_uint_ge(result.made, result.exchanges);
	ck_assert_uint_le(result.made, result.exchanges + 4);
	ck_assert_uint_ge(result.served, 1);
}
END_TEST

START_TEST(large_messages_go_over_new_connections_too)
{
	plan.kind = LOAD_CONNECTIONS;
	plan.size = 3 << 20;
	start_server(serve_rightly);
	measure_until(3);
	assert_no_errors();
	ck_assert_uint_gt(result.exchanges, 0);
}
END_TEST

START_TEST(idle_connections_stand_beside_the_others)
{
	plan.kind = LOAD_IDLE;
	plan.idle = 100;
	start_server(serve_five_and_then_silence);
	measure_until(10);
	assert_no_errors();
	ck_assert_uint_eq(result.idle_made, 100);
	ck_assert_uint_eq(result.idle_open, 100);
	ck_assert_uint_eq(result.served, 2);
	ck_assert_uint_eq(result.made, 2);
}
END_TEST

START_TEST(idle_connections_that_the_server_closes_are_counted)
{
	plan.kind = LOAD_IDLE;
	plan.idle = 15;
	start_server(serve_only_from_the_tenth_on);
	measure_until(10);
	assert_no_errors();
	ck_assert_uint_eq(result.idle_made, 15);
	ck_assert_uint_eq(result.idle_open, 5);
	ck_assert_uint_eq(result.served, 2);
}
END_TEST

START_TEST(idle_counts_for_the_load_idle_only)
{
	plan.idle = 100;
	start_server(serve_rightly);
	measure();
	ck_assert_uint_eq(result.idle_made, 0);
}
END_TEST

/* ---- servers that do not ---------------------------------------------------------------------- */

START_TEST(a_wrong_byte_is_found)
{
	plan.size = 300;
	start_server(serve_byte_1000_wrongly);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
	/* Each connection gives three right replies, and is given up in the fourth; at the
	 * end two of them may not have come so far. */
	ck_assert_uint_ge(result.exchanges, 3 * result.errors[LOAD_WRONG_REPLY]);
	ck_assert_uint_le(result.exchanges, 3 * (result.errors[LOAD_WRONG_REPLY] + 2));
	/* The server sends the next character: for 9, Z and z that is no letter or digit. */
	expect_match(result.wrong.text,
		     "^byte 101: got \"[:[{0-9A-Za-z][0-9A-Za-z]{15}\", expected "
		     "\"[0-9A-Za-z]{16}\"$");
}
END_TEST

START_TEST(a_wrong_last_byte_of_a_large_reply_is_found)
{
	plan.size = 1 << 20;
	plan.duration = 1000;
	start_server(serve_last_of_a_megabyte_wrongly);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
	ck_assert_uint_eq(result.exchanges, 0);
}
END_TEST

START_TEST(a_byte_too_much_is_found)
{
	start_server(serve_a_byte_too_much);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
	expect_match(result.wrong.text,
		     "^byte (1: got \"!|65: got \"!\", expected nothing)");
}
END_TEST

START_TEST(the_right_bytes_for_another_request_are_wrong)
{
	start_server(serve_the_first_reply_again_and_again);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
}
END_TEST

START_TEST(a_server_that_resets_is_distinguished_from_others)
{
	start_server(serve_a_reset);
	measure();
	assert_errors_are_all(LOAD_RESET);
	ck_assert_uint_eq(result.served, 0);
	/* With pauses that grow to 100 ms, not as fast as it can. */
	ck_assert_uint_le(result.errors[LOAD_RESET], 100);
}
END_TEST

START_TEST(a_server_that_closes_early_is_distinguished_from_others)
{
	start_server(serve_half);
	measure();
	assert_errors_are_all(LOAD_CLOSED_EARLY);
	ck_assert_uint_eq(result.exchanges, 0);
}
END_TEST

START_TEST(a_server_that_dies_refuses_from_then_on)
{
	plan.connections = 1;
	plan.duration = 500;
	start_server(serve_once_and_die);
	measure();
	ck_assert_uint_eq(result.exchanges, 1);
	ck_assert_uint_gt(result.errors[LOAD_REFUSED], 0);
	ck_assert_uint_le(result.errors[LOAD_REFUSED], 50);
}
END_TEST

START_TEST(replies_that_do_not_come_in_time_are_counted)
{
	plan.timeout = 100;
	plan.duration = 350;
	start_server(serve_silence);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY);
	ck_assert_uint_ge(result.errors[LOAD_NO_REPLY], 2);
	ck_assert_uint_le(result.errors[LOAD_NO_REPLY], 8);
	ck_assert_uint_eq(result.served, 0);
}
END_TEST

START_TEST(a_request_without_a_reply_is_an_error_at_the_end)
{
	plan.timeout = 400 * SLOW_MACHINE;
	start_server(serve_silence);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY);
	ck_assert_uint_eq(result.errors[LOAD_NO_REPLY], 2);
	ck_assert_str_eq(result.silence.text, "connected, but nothing received");
	ck_assert_uint_eq(result.served, 0);
	ck_assert_uint_eq(result.served_late, 0);
	ck_assert_uint_eq(result.made, 2);
}
END_TEST

START_TEST(a_reply_whose_end_never_comes_is_an_error_at_the_end)
{
	plan.kind = _i == 0 ? LOAD_CONVERSATIONS : _i == 1 ? LOAD_CONNECTIONS : LOAD_IDLE;
	plan.idle = 3;
	plan.timeout = 400 * SLOW_MACHINE;
	start_server(serve_all_but_four_bytes);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY);
	ck_assert_uint_eq(result.errors[LOAD_NO_REPLY], 2);
	ck_assert_str_eq(result.silence.text, "60 of 64 bytes received");
	ck_assert_uint_eq(result.exchanges, 0);
}
END_TEST

START_TEST(a_reply_that_was_on_its_way_at_the_end_is_no_error)
{
	plan.kind = _i == 0 ? LOAD_CONVERSATIONS : LOAD_CONNECTIONS;
	start_server(serve_after_the_end);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.exchanges, 0);
	ck_assert_uint_eq(result.served, 0);
	ck_assert_uint_eq(result.served_late, 2);
}
END_TEST

START_TEST(a_wrong_reply_after_the_end_is_an_error_too)
{
	start_server(serve_a_wrong_byte_after_the_end);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
	ck_assert_uint_eq(result.errors[LOAD_WRONG_REPLY], 2);
}
END_TEST

START_TEST(clients_that_others_kept_waiting_are_served_after_the_end)
{
	plan.kind = _i == 0 ? LOAD_CONVERSATIONS : LOAD_IDLE;
	plan.connections = 5;
	plan.idle = 3;
	start_server_of_one_client(serve_rightly, 128);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.served, _i == 0 ? 1 : 0);
	ck_assert_uint_eq(result.served + result.served_late, 5);
}
END_TEST

START_TEST(a_load_that_is_stopped_waits_for_nobody)
{
	plan.connections = 3;
	start_server(serve_five_and_then_silence);
	measure_until(15);
	assert_no_errors();
	ck_assert_uint_eq(result.waiting, 3);
}
END_TEST

START_TEST(a_server_that_never_accepts_serves_nobody_and_delays_nobody)
{
	plan.kind = _i == 0 ? LOAD_CONVERSATIONS : LOAD_IDLE;
	plan.idle = 10;
	plan.timeout = 300 * SLOW_MACHINE;
	open_listener(128);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY);
	ck_assert_uint_eq(result.errors[LOAD_NO_REPLY], 2);
	ck_assert_uint_eq(result.served, 0);
	ck_assert_uint_eq(result.exchanges, 0);
}
END_TEST

START_TEST(a_full_backlog_is_given_up_in_time)
{
	struct sock_target target = { "127.0.0.1", port, AF_INET, SOCK_STREAM, 100 };
	int64_t before;

	open_listener(0);
	while (sock_connect(&target, NULL, &failure) >= 0)
		; /* left open: the kernel takes one or two, then no more */
	ck_assert_int_eq(errno, ETIMEDOUT);
	plan.timeout = 200 * SLOW_MACHINE;
	before = clock_milliseconds();
	ck_assert_int_eq(load_run(&plan, &result, &failure), -1);
	ck_assert_int_lt(clock_milliseconds() - before, LONG_WAIT_MS);
	ck_assert_uint_eq(result.errors[LOAD_TIMED_OUT], 1);
	ck_assert_ptr_nonnull(strstr(failure.text, "timed out"));
}
END_TEST

/* ---- where nobody listens --------------------------------------------------------------------- */

START_TEST(nobody_there_is_reported_with_host_port_and_reason)
{
	find_deaf_port();
	ck_assert_int_eq(load_run(&plan, &result, &failure), -1);
	ck_assert_uint_eq(result.errors[LOAD_REFUSED], 1);
	ck_assert_uint_eq(load_errors(&result), 1);
	ck_assert_ptr_nonnull(strstr(failure.text, "127.0.0.1"));
	ck_assert_ptr_nonnull(strstr(failure.text, port));
	ck_assert_ptr_nonnull(strstr(failure.text, strerror(ECONNREFUSED)));
}
END_TEST

START_TEST(retry_gives_up_when_the_timeout_is_over)
{
	int64_t before = clock_milliseconds();

	find_deaf_port();
	plan.retry = true;
	plan.timeout = 150;
	ck_assert_int_eq(load_run(&plan, &result, &failure), -1);
	ck_assert_int_ge(clock_milliseconds() - before, 140);
	ck_assert_uint_eq(result.errors[LOAD_REFUSED], 1);
}
END_TEST

/* It listens only when the load has tried, and been refused, for a while. */
START_TEST(retry_waits_for_a_server_that_is_starting)
{
	struct sockaddr_in loopback = { .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct address address;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&loopback, sizeof loopback),
			 0);
	ck_assert_int_eq(address_local(listener, &address), 0);
	snprintf(port, sizeof port, "%u", address_port(&address));
	server = fork();
	if (server == 0) {
		pause_milliseconds(100);
		if (listen(listener, 128) == 0)
			accept_clients(serve_rightly);
		_exit(1);
	}
	plan.retry = true;
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.served, 2);
}
END_TEST

START_TEST(a_host_that_is_none_is_reported)
{
	plan.host = "999.999.999.999";
	snprintf(port, sizeof port, "7");
	ck_assert_int_eq(load_run(&plan, &result, &failure), -1);
	ck_assert_ptr_nonnull(strstr(failure.text, "999.999.999.999"));
	ck_assert_uint_eq(load_errors(&result), 0);
}
END_TEST

/* ---- the open loop ----------------------------------------------------------------------------- */

START_TEST(an_open_loop_keeps_its_rate)
{
	plan.rate = 200;
	plan.duration = 500;
	plan.threads = 2;
	start_server(serve_rightly);
	measure();
	assert_no_errors();
	/* 100 were due; at the end, one on each connection may be on its way. */
	ck_assert_uint_le(result.exchanges + result.unsent, 100);
	ck_assert_uint_ge(result.exchanges + result.unsent, 98);
}
END_TEST

START_TEST(latency_counts_from_when_the_request_was_due)
{
	plan.connections = 1;
	plan.rate = 200;
	plan.duration = 400;
	start_server(serve_after_a_stall);
	measure();
	assert_no_errors();
	ck_assert_uint_le(result.exchanges + result.unsent, 80);
	ck_assert_uint_ge(result.exchanges + result.unsent, 79);
	/* Half of the requests became due in the 200 ms of the stall, and waited for its
	 * end. Counted from when they were sent, only the first of them would be slow. */
	ck_assert_int_ge(histogram_max(&result.latency), 150000000);
	ck_assert_int_ge(histogram_percentile(&result.latency, 75), 25000000);
}
END_TEST

START_TEST(requests_that_were_due_but_not_sent_are_counted)
{
	plan.rate = 100;
	plan.duration = 200;
	plan.timeout = 400 * SLOW_MACHINE;
	start_server(serve_silence);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY);
	ck_assert_uint_eq(result.exchanges, 0);
	ck_assert_uint_eq(result.unsent, 18); /* of 20, two are waiting for their reply */
}
END_TEST

START_TEST(an_open_loop_makes_connections_too)
{
	plan.kind = LOAD_CONNECTIONS;
	plan.rate = 100;
	plan.duration = 300;
	start_server(serve_rightly);
	measure();
	assert_no_errors();
	ck_assert_uint_le(result.made, 30);
	ck_assert_uint_ge(result.exchanges + result.unsent, 28);
}
END_TEST

/* ---- stopping, telling, limits ------------------------------------------------------------------ */

static unsigned calls[LOAD_RUNNING + 1];

static void count_phases(const struct load_progress *progress, void *context)
{
	(void)context;
	if (progress->phase == LOAD_SETTLED) {
		ck_assert_uint_eq(calls[LOAD_RUNNING], 0);
		ck_assert_uint_eq(progress->idle, plan.idle);
		ck_assert_uint_eq(progress->exchanges, 0);
	}
	calls[progress->phase]++;
}

START_TEST(it_tells_once_that_all_have_settled)
{
	memset(calls, 0, sizeof calls);
	plan.kind = LOAD_IDLE;
	plan.idle = 10;
	plan.progress = count_phases;
	start_server(serve_rightly);
	measure();
	ck_assert_uint_gt(calls[LOAD_CONNECTING], 0);
	ck_assert_uint_eq(calls[LOAD_SETTLED], 1);
	ck_assert_uint_gt(calls[LOAD_RUNNING], 0);
}
END_TEST

START_TEST(it_measures_as_long_as_it_should)
{
	start_server(serve_rightly);
	measure();
	ck_assert(result.elapsed * 1000 > (double)plan.duration - 1 &&
		  result.elapsed * 1000 < (double)plan.duration + 1);
}
END_TEST

START_TEST(it_can_be_stopped_and_has_measured_so_far)
{
	start_server(serve_rightly);
	measure_until(1);
	assert_no_errors();
	ck_assert(result.elapsed > 0 && result.elapsed < LONG_WAIT_MS / 1000);
	ck_assert_uint_gt(result.exchanges, 0);
}
END_TEST

START_TEST(the_limit_on_descriptors_is_raised)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 32;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	plan.connections = 50;
	plan.timeout = 300 * SLOW_MACHINE;
	open_listener(128); /* the kernel completes the connections */
	measure();
	assert_errors_are_all(LOAD_NO_REPLY);
	ck_assert_uint_eq(result.made, 50);
}
END_TEST

START_TEST(a_hard_limit_that_is_too_low_is_reported)
{
	struct rlimit limit = { 200, 200 };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	plan.connections = 500;
	open_listener(128);
	ck_assert_int_eq(load_run(&plan, &result, &failure), -1);
	ck_assert_ptr_nonnull(strstr(failure.text, "hard limit is 200"));
}
END_TEST

Suite *suite_load(void)
{
	Suite *suite = suite_create("load");
	TCase *tcase = load_case(suite, "servers that do right");

	tcase_add_test(tcase, right_replies_are_counted_and_timed);
	tcase_add_loop_test(tcase, messages_of_any_size_go_both_ways_at_once, 0,
			    (int)(sizeof sizes / sizeof sizes[0]));
	tcase_add_test(tcase, exactly_what_was_answered_is_counted);
	tcase_add_test(tcase, there_are_no_more_threads_than_connections);
	tcase_add_test(tcase, connections_are_made_for_each_exchange);
	tcase_add_test(tcase, large_messages_go_over_new_connections_too);
	tcase_add_test(tcase, idle_connections_stand_beside_the_others);
	tcase_add_test(tcase, idle_connections_that_the_server_closes_are_counted);
	tcase_add_test(tcase, idle_counts_for_the_load_idle_only);

	tcase = load_case(suite, "servers that do not");
	tcase_add_test(tcase, a_wrong_byte_is_found);
	tcase_add_test(tcase, a_wrong_last_byte_of_a_large_reply_is_found);
	tcase_add_test(tcase, a_byte_too_much_is_found);
	tcase_add_test(tcase, the_right_bytes_for_another_request_are_wrong);
	tcase_add_test(tcase, a_server_that_resets_is_distinguished_from_others);
	tcase_add_test(tcase, a_server_that_closes_early_is_distinguished_from_others);
	tcase_add_test(tcase, a_server_that_dies_refuses_from_then_on);
	tcase_add_test(tcase, replies_that_do_not_come_in_time_are_counted);
	tcase_add_test(tcase, a_request_without_a_reply_is_an_error_at_the_end);
	tcase_add_loop_test(tcase, a_reply_whose_end_never_comes_is_an_error_at_the_end,
			    0, 3);
	tcase_add_loop_test(tcase, a_reply_that_was_on_its_way_at_the_end_is_no_error, 0,
			    2);
	tcase_add_test(tcase, a_wrong_reply_after_the_end_is_an_error_too);
	tcase_add_loop_test(
		tcase, clients_that_others_kept_waiting_are_served_after_the_end, 0, 2);
	tcase_add_test(tcase, a_load_that_is_stopped_waits_for_nobody);
	tcase_add_loop_test(
		tcase, a_server_that_never_accepts_serves_nobody_and_delays_nobody, 0, 2);
	tcase_add_test(tcase, a_full_backlog_is_given_up_in_time);

	tcase = load_case(suite, "nobody listens");
	tcase_add_test(tcase, nobody_there_is_reported_with_host_port_and_reason);
	tcase_add_test(tcase, retry_gives_up_when_the_timeout_is_over);
	tcase_add_test(tcase, retry_waits_for_a_server_that_is_starting);
	tcase_add_test(tcase, a_host_that_is_none_is_reported);

	tcase = load_case(suite, "open loop");
	tcase_add_test(tcase, an_open_loop_keeps_its_rate);
	tcase_add_test(tcase, latency_counts_from_when_the_request_was_due);
	tcase_add_test(tcase, requests_that_were_due_but_not_sent_are_counted);
	tcase_add_test(tcase, an_open_loop_makes_connections_too);

	tcase = load_case(suite, "stopping, telling, limits");
	tcase_add_test(tcase, it_tells_once_that_all_have_settled);
	tcase_add_test(tcase, it_measures_as_long_as_it_should);
	tcase_add_test(tcase, it_can_be_stopped_and_has_measured_so_far);
	tcase_add_test(tcase, the_limit_on_descriptors_is_raised);
	tcase_add_test(tcase, a_hard_limit_that_is_too_low_is_reported);
	return suite;
}
