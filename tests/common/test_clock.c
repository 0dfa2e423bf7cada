/*
 * Monotonic time.
 */
#include <limits.h>
#include <time.h>

#include "common/clock.h"
#include "tests/suites.h"

START_TEST(time_never_runs_backwards)
{
	int64_t before = clock_nanoseconds();

	for (int i = 0; i < 100000; i++) {
		int64_t now = clock_nanoseconds();

		ck_assert_int_ge(now, before);
		before = now;
	}
}
END_TEST

START_TEST(a_pause_is_measured_at_its_length)
{
	struct timespec pause = clock_timespec(20);
	int64_t nanoseconds = clock_nanoseconds(), milliseconds = clock_milliseconds();

	ck_assert_int_eq(nanosleep(&pause, NULL), 0);
	ck_assert_int_ge(clock_nanoseconds() - nanoseconds, 20 * 1000000);
	ck_assert_int_ge(clock_milliseconds() - milliseconds, 20);
}
END_TEST

START_TEST(both_clocks_count_from_the_same_moment)
{
	int64_t before = clock_nanoseconds() / 1000000;
	int64_t now = clock_milliseconds();

	ck_assert_int_ge(now, before);
	ck_assert_int_le(now, clock_nanoseconds() / 1000000);
}
END_TEST

START_TEST(milliseconds_become_seconds_and_nanoseconds)
{
	static const struct {
		int64_t milliseconds, seconds, nanoseconds;
	} cases[] = {
		{ 0, 0, 0 },
		{ 1, 0, 1000000 },
		{ 999, 0, 999000000 },
		{ 1000, 1, 0 },
		{ 60500, 60, 500000000 },
		{ INT32_MAX, 2147483, 647000000 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct timespec time = clock_timespec(cases[i].milliseconds);

		ck_assert_int_eq(time.tv_sec, cases[i].seconds);
		ck_assert_int_eq(time.tv_nsec, cases[i].nanoseconds);
	}
}
END_TEST

START_TEST(a_timeout_of_poll_is_an_int_and_minus_one_for_never)
{
	ck_assert_int_eq(clock_poll_timeout(CLOCK_NEVER), -1);
	ck_assert_int_eq(clock_poll_timeout(0), 0);
	ck_assert_int_eq(clock_poll_timeout(INT_MAX), INT_MAX);
	ck_assert_int_eq(clock_poll_timeout((int64_t)INT_MAX + 1), INT_MAX);
	ck_assert_int_eq(clock_poll_timeout(clock_until(20, 30)), 0);
	ck_assert_int_eq(clock_poll_timeout(clock_until(30, 20)), 10);
	ck_assert_int_eq(clock_poll_timeout(clock_until(CLOCK_NEVER, 20)), -1);
	ck_assert_int_eq(clock_earlier(30, CLOCK_NEVER), 30);
}
END_TEST

Suite *suite_clock(void)
{
	Suite *suite = suite_create("clock");
	TCase *clock = tcase_create("clock");

	tcase_add_test(clock, time_never_runs_backwards);
	tcase_add_test(clock, a_pause_is_measured_at_its_length);
	tcase_add_test(clock, both_clocks_count_from_the_same_moment);
	tcase_add_test(clock, milliseconds_become_seconds_and_nanoseconds);
	tcase_add_test(clock, a_timeout_of_poll_is_an_int_and_minus_one_for_never);
	suite_add_tcase(suite, clock);
	return suite;
}
