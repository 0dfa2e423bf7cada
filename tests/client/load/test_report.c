/*
 * The report of loadgen: the distribution of the latency, as a table and as buckets that can be
 * added.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/load/load.h"
#include "common/io.h"
#include "tests/fixture/load_fixture.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

static void serve_five_and_then_silence(int fd, unsigned number)
{
	char bytes[64];

	(void)number;
	for (int i = 0; io_read_all(fd, bytes, sizeof bytes) == sizeof bytes; i++)
		if (i < 5)
			io_write(fd, bytes, sizeof bytes);
}

static void serve_rightly(int fd, unsigned number)
{
	char bytes[64];

	(void)number;
	while (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes)
		io_write(fd, bytes, sizeof bytes);
}

/* The number after a name in JSON. */
static uint64_t number_of(const char *json, const char *name)
{
	const char *found = strstr(json, name);

	ck_assert_msg(found != NULL, "no %s in %s", name, json);
	return strtoull(found + strlen(name), NULL, 10);
}

/* Adds the buckets of an object to a sum by their bounds. @return how many were counted */
static uint64_t add_buckets(const char *json, struct histogram *sum)
{
	static const char name[] = "\"histogram_ns\":[";
	const char *at = strstr(json, name);
	uint64_t counted = 0, last = 0;

	ck_assert_ptr_nonnull(at);
	for (at += sizeof name - 1; *at == '['; at += *at == ',') {
		char *end;
		uint64_t bound = strtoull(at + 1, &end, 10), count;

		ck_assert_int_eq(*end, ',');
		count = strtoull(end + 1, &end, 10);
		ck_assert_int_eq(*end, ']');
		ck_assert_uint_gt(count, 0);
		ck_assert(counted == 0 || bound > last);
		at = end + 1;
		last = bound;
		counted += count;
		for (uint64_t i = 0; i < count; i++)
			histogram_record(sum, (int64_t)bound);
	}
	ck_assert_int_eq(*at, ']');
	return counted;
}

static const char *json_of_a_run(void)
{
	struct run run = run_loadgen(
		ARGUMENTS("loadgen", "-j", "-d", "0.3", "-r", "500", "127.0.0.1", port));

	run_expect_status(&run, 0);
	return run.out;
}

START_TEST(the_buckets_of_runs_can_be_added)
{
	static struct histogram first, second, sum;
	const char *one, *other;

	start_server(serve_rightly);
	one = json_of_a_run();
	other = json_of_a_run();
	ck_assert_uint_eq(add_buckets(one, &first), number_of(one, "\"exchanges\":"));
	ck_assert_uint_eq(add_buckets(other, &second),
			  number_of(other, "\"exchanges\":"));
	add_buckets(one, &sum);
	add_buckets(other, &sum);
	ck_assert_uint_eq(histogram_count(&sum),
			  number_of(one, "\"exchanges\":") +
				  number_of(other, "\"exchanges\":"));
	histogram_merge(&first, &second);
	ck_assert_mem_eq(&first, &sum, sizeof sum);
}
END_TEST

START_TEST(the_buckets_give_the_percentiles_of_the_object)
{
	static struct histogram sum;
	const char *json;
	double shown;

	start_server(serve_rightly);
	json = json_of_a_run();
	add_buckets(json, &sum);
	shown = (double)number_of(json, "\"latency_ns\":{\"p50\":");
	ck_assert(shown >= 0.99 * (double)histogram_percentile(&sum, 50) &&
		  shown <= 1.01 * (double)histogram_percentile(&sum, 50));
	ck_assert_uint_le(number_of(json, "\"p95\":"), number_of(json, "\"p99\":"));
	ck_assert_uint_le(number_of(json, "\"p99\":"), number_of(json, "\"p99.9\":"));
}
END_TEST

START_TEST(the_table_ends_with_the_maximum_and_all_exchanges)
{
	struct run run;

	start_server(serve_five_and_then_silence);
	run = run_loadgen(ARGUMENTS("loadgen", "--histogram", "-c", "4", "-w",
				    slow_seconds(0.5), "-d", slow_seconds(0.2),
				    "127.0.0.1", port));
	run_expect_status(&run, 1);
	/* 20 exchanges: below 99 % there is one beyond, above there is none */
	expect_match(run.out, "\nhistogram       percentile       latency exchanges\n"
			      "                       1 % +[0-9.]+ [um]s [0-9]+\n"
			      "(                 +[0-9]+ % +[0-9.]+ [um]s [0-9]+\n){10}"
			      "                      95 % +[0-9.]+ [um]s (19|20)\n"
			      "                     100 % +[0-9.]+ [um]s 20\n");
}
END_TEST

START_TEST(without_an_exchange_there_is_no_table_and_no_bucket)
{
	struct run run;

	open_listener(16); /* the kernel accepts, and no one answers */
	run = run_loadgen(ARGUMENTS("loadgen", "--histogram", "-c", "2", "-d", "0.1",
				    "-w", slow_seconds(0.3), "127.0.0.1", port));
	run_expect_status(&run, 1);
	ck_assert_ptr_null(strstr(run.out, "histogram"));
	run = run_loadgen(ARGUMENTS("loadgen", "-j", "-c", "2", "-d", "0.1", "-w",
				    slow_seconds(0.3), "127.0.0.1", port));
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.out, "\"histogram_ns\":[],"));
}
END_TEST

Suite *suite_load_report(void)
{
	Suite *suite = suite_create("load_report");
	TCase *tcase = load_case(suite, "the distribution of the latency");

	tcase_add_test(tcase, the_buckets_of_runs_can_be_added);
	tcase_add_test(tcase, the_buckets_give_the_percentiles_of_the_object);
	tcase_add_test(tcase, the_table_ends_with_the_maximum_and_all_exchanges);
	tcase_add_test(tcase, without_an_exchange_there_is_no_table_and_no_bucket);
	return suite;
}
