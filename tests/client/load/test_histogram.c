/*
 * The histogram of latencies: percentiles within 1 %, from nanoseconds to hours.
 */
#include <stdlib.h>
#include <string.h>

#include "client/load/histogram.h"
#include "tests/suites.h"

static struct histogram histogram, other;

static void clear(void)
{
	memset(&histogram, 0, sizeof histogram);
	memset(&other, 0, sizeof other);
}

static void assert_within_one_percent(int64_t value, int64_t truth)
{
	int64_t error = llabs((long long)(value - truth));

	ck_assert_msg(error * 100 <= truth, "%jd instead of %jd", (intmax_t)value,
		      (intmax_t)truth);
}

START_TEST(empty_one_has_no_values)
{
	ck_assert_uint_eq(histogram_count(&histogram), 0);
	ck_assert_int_eq(histogram_max(&histogram), 0);
	ck_assert_int_eq(histogram_percentile(&histogram, 50), 0);
	ck_assert_int_eq(histogram_percentile(&histogram, 100), 0);
}
END_TEST

START_TEST(every_value_is_given_back_within_one_percent)
{
	for (int64_t value = 1; value < INT64_C(1) << 47; value += 1 + value / 1000) {
		clear();
		histogram_record(&histogram, value);
		histogram_record(&histogram, INT64_C(1)
						     << 47); /* so that max is no help */
		assert_within_one_percent(histogram_percentile(&histogram, 50), value);
	}
}
END_TEST

START_TEST(small_values_are_exact)
{
	for (int64_t value = 0; value < 256; value++) {
		clear();
		histogram_record(&histogram, value);
		histogram_record(&histogram, 1000);
		ck_assert_int_eq(histogram_percentile(&histogram, 50), value);
	}
}
END_TEST

START_TEST(percentiles_of_known_values_are_right)
{
	for (int64_t i = 1; i <= 10000; i++)
		histogram_record(&histogram, i * 1000);
	ck_assert_uint_eq(histogram_count(&histogram), 10000);
	assert_within_one_percent(histogram_percentile(&histogram, 0), 1000);
	assert_within_one_percent(histogram_percentile(&histogram, 50), 5000000);
	assert_within_one_percent(histogram_percentile(&histogram, 90), 9000000);
	assert_within_one_percent(histogram_percentile(&histogram, 99), 9900000);
	assert_within_one_percent(histogram_percentile(&histogram, 99.9), 9990000);
	ck_assert_int_eq(histogram_max(&histogram), 10000000);
	ck_assert_int_le(histogram_percentile(&histogram, 100), 10000000);
}
END_TEST

START_TEST(one_slow_value_among_a_thousand_shows_only_above_it)
{
	for (int i = 0; i < 999; i++)
		histogram_record(&histogram, 1000);
	histogram_record(&histogram, 50000000);
	assert_within_one_percent(histogram_percentile(&histogram, 99.9), 1000);
	assert_within_one_percent(histogram_percentile(&histogram, 99.95), 50000000);
}
END_TEST

START_TEST(percentile_never_exceeds_the_maximum)
{
	histogram_record(&histogram, 1000001);
	ck_assert_int_le(histogram_percentile(&histogram, 50), 1000001);
	ck_assert_int_eq(histogram_max(&histogram), 1000001);
}
END_TEST

START_TEST(merging_is_the_same_as_recording_into_one)
{
	static struct histogram whole;

	memset(&whole, 0, sizeof whole);
	for (int64_t i = 0; i < 5000; i++) {
		int64_t value = i * i * 37 + i;

		histogram_record(i % 3 == 0 ? &histogram : &other, value);
		histogram_record(&whole, value);
	}
	histogram_merge(&histogram, &other);
	ck_assert_mem_eq(&histogram, &whole, sizeof whole);
}
END_TEST

START_TEST(a_bucket_begins_where_the_one_before_ends)
{
	ck_assert_int_eq(histogram_lower(0), 0);
	for (size_t i = 1; i < HISTOGRAM_BUCKETS; i++) {
		clear();
		histogram_record(&histogram, histogram_lower(i));
		ck_assert_uint_eq(histogram.buckets[i], 1);
		histogram_record(&histogram, histogram_lower(i) - 1);
		ck_assert_uint_eq(histogram.buckets[i - 1], 1);
	}
}
END_TEST

START_TEST(values_up_to_one_are_counted)
{
	for (int64_t i = 1; i <= 200; i++)
		histogram_record(&histogram, i);
	histogram_record(&histogram, INT64_MAX);
	ck_assert_uint_eq(histogram_passed(&histogram, -1), 0);
	ck_assert_uint_eq(histogram_passed(&histogram, 50), 50);
	ck_assert_uint_eq(histogram_passed(&histogram, 1000), 200);
	ck_assert_uint_eq(histogram_passed(&histogram, INT64_MAX), 201);
}
END_TEST

START_TEST(values_out_of_range_are_kept_at_its_ends)
{
	histogram_record(&histogram, -5);
	histogram_record(&histogram, INT64_MAX);
	ck_assert_uint_eq(histogram_count(&histogram), 2);
	ck_assert_int_eq(histogram_percentile(&histogram, 50), 0);
	ck_assert_int_ge(histogram_percentile(&histogram, 100), INT64_C(1) << 47);
	ck_assert_int_eq(histogram_max(&histogram), INT64_MAX);
}
END_TEST

Suite *suite_histogram(void)
{
	Suite *suite = suite_create("histogram");
	TCase *tcase = tcase_create("histogram");

	tcase_add_checked_fixture(tcase, clear, NULL);
	tcase_add_test(tcase, empty_one_has_no_values);
	tcase_add_test(tcase, every_value_is_given_back_within_one_percent);
	tcase_add_test(tcase, small_values_are_exact);
	tcase_add_test(tcase, percentiles_of_known_values_are_right);
	tcase_add_test(tcase, one_slow_value_among_a_thousand_shows_only_above_it);
	tcase_add_test(tcase, percentile_never_exceeds_the_maximum);
	tcase_add_test(tcase, merging_is_the_same_as_recording_into_one);
	tcase_add_test(tcase, a_bucket_begins_where_the_one_before_ends);
	tcase_add_test(tcase, values_up_to_one_are_counted);
	tcase_add_test(tcase, values_out_of_range_are_kept_at_its_ends);
	suite_add_tcase(suite, tcase);
	return suite;
}
