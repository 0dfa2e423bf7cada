/*
 * How long to wait before a call that failed is made again.
 */
#include <check.h>

#include "common/clock.h"
#include "common/retry.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

/* GIVEN a call that fails once, WHEN it is made again, THEN at once. */
START_TEST(the_first_failures_cause_no_delay)
{
	struct retry retry = { 0 };

	for (int i = 0; i < RETRY_AT_ONCE; i++)
		ck_assert_int_eq(retry_failed(&retry), 0);
}
END_TEST

/* GIVEN a call that always fails, THEN each delay is longer, up to the longest. */
START_TEST(the_delay_grows_up_to_its_limit)
{
	struct retry retry = { 0 };
	int64_t before = 0, delay;

	for (int i = 0; i < RETRY_AT_ONCE; i++)
		retry_failed(&retry);
	while ((delay = retry_failed(&retry)) < RETRY_LONGEST) {
		ck_assert_int_gt(delay, before);
		before = delay;
	}
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(retry_failed(&retry), RETRY_LONGEST);
}
END_TEST

/* GIVEN a call that failed for long, WHEN it succeeds, THEN the next failure is the first. */
START_TEST(a_success_ends_the_delays)
{
	struct retry retry = { 0 };

	for (int i = 0; i < 100; i++)
		retry_failed(&retry);
	retry_succeeded(&retry);
	ck_assert_int_eq(retry_failed(&retry), 0);
}
END_TEST

START_TEST(it_sleeps_at_least_so_long)
{
	int64_t before = clock_milliseconds();

	retry_sleep(0);
	retry_sleep(20);
	ck_assert_int_ge(clock_milliseconds() - before, 20);
}
END_TEST

Suite *suite_retry(void)
{
	Suite *suite = suite_create("retry");
	TCase *tcase = add_case(suite, "retry");

	tcase_add_test(tcase, the_first_failures_cause_no_delay);
	tcase_add_test(tcase, the_delay_grows_up_to_its_limit);
	tcase_add_test(tcase, a_success_ends_the_delays);
	tcase_add_test(tcase, it_sleeps_at_least_so_long);
	return suite;
}
