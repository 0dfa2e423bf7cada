/*
 * The report of loadgen: the distribution of the latency, as a table and as buckets that can be
 * added.
 */
#include <signal.h>
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

/* ---- notes ------------------------------------------------------------------------------------- */

static void serve_replies(int fd, unsigned number)
{
	char bytes[64];

	(void)number;
	while (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes)
		write_text(fd, "Message received\n");
}

static void serve_slow_replies(int fd, unsigned number)
{
	char bytes[64];

	(void)number;
	while (io_read_all(fd, bytes, sizeof bytes) == sizeof bytes) {
		pause_milliseconds(5);
		write_text(fd, "Message received\n");
	}
}

/* A server without --work would do a second of work in less than a millisecond. */
START_TEST(work_that_the_server_does_not_do_is_doubted)
{
	struct run run;

	start_server(serve_replies);
	run = run_loadgen(ARGUMENTS("loadgen", "work", "--work", "1000", "-d", "0.3",
				    "127.0.0.1", port));
	run_expect_status(&run, 0);
	expect_match(run.out, "^load           work \\(conversations\\)\n");
	expect_match(run.out,
		     "\nwork           not what --work says: half of the exchanges "
		     "took at most [0-9.]+ [um]s, less than 1000.000 ms\n");
	ck_assert_ptr_null(strstr(run.out, "CPUs busy"));
	run = run_loadgen(ARGUMENTS("loadgen", "-j", "work", "--work", "1000", "-d",
				    "0.3", "127.0.0.1", port));
	ck_assert_ptr_nonnull(strstr(run.out, "\"work_doubtful\":true,"));
}
END_TEST

START_TEST(work_that_fits_into_the_exchanges_is_not_doubted)
{
	struct run run;

	start_server(serve_slow_replies);
	run = run_loadgen(ARGUMENTS("loadgen", "work", "--work", "5", "-d", "0.3",
				    "127.0.0.1", port));
	run_expect_status(&run, 0);
	expect_match(
		run.out,
		"\nwork           [0-9.]+ CPUs busy with 5.000 ms for each exchange\n");
}
END_TEST

START_TEST(faults_names_the_load_beside_it)
{
	struct run run;

	start_server(serve_rightly);
	run = run_loadgen(ARGUMENTS("loadgen", "faults", "-d", "0.3", "127.0.0.1", port));
	run_expect_status(&run, 0);
	expect_match(run.out, "^load           faults \\(conversations\\)\n");
	run = run_loadgen(
		ARGUMENTS("loadgen", "-j", "faults", "-d", "0.3", "127.0.0.1", port));
	expect_match(run.out, "^\\{\"load\":\"faults\",\"base_load\":\"conversations\",");
}
END_TEST

static const char *load_of_chat(const char *limit)
{
	struct server chatd = server_start("chatd-poll", ARGUMENTS("-R", limit));
	char number[PORT_TEXT];
	struct run run;

	snprintf(number, sizeof number, "%u", chatd.port);
	run = run_loadgen(ARGUMENTS("loadgen", "chat", "-c", "4", "-d", "2", "--window",
				    "8", "127.0.0.1", number));
	run_expect_status(&run, 0);
	server_finish(&chatd);
	return run.out;
}

START_TEST(a_server_that_limits_the_lines_of_a_client_is_noted)
{
	expect_match(
		load_of_chat("20"),
		"\nlimit          [0-9.]+ lines a second for each sender: chatd allows "
		"20, unless its -R says otherwise\n");
}
END_TEST

START_TEST(a_server_that_does_not_limit_is_not_noted)
{
	ck_assert_ptr_null(strstr(load_of_chat("0"), "\nlimit "));
}
END_TEST

/* GIVEN a load whose measured time has begun, WHEN a signal stops it, THEN the report says so; a
 * load that ends by itself does not. */
START_TEST(a_load_that_a_signal_stopped_is_noted)
{
	static const char *const said[][2] = {
		{ "-v", "\nmeasured       [0-9.]+ s of 60.00 s, until a signal stopped "
			"the load\n" },
		{ "-jv", ",\"interrupted\":true," },
	};
	struct program loadgen;
	char byte = '\0';
	struct run run;

	start_server(serve_rightly);
	loadgen = program_start(
		&(struct run_setup){ .argv = ARGUMENTS("loadgen", said[_i][0], "-d", "60",
						       "127.0.0.1", port) });
	while (byte != '\n') /* the line of the first second */
		ck_assert_int_eq(io_read(loadgen.err, &byte, 1), 1);
	kill(loadgen.pid, SIGINT);
	run = program_wait(&loadgen, WAIT_MS);
	run_expect_status(&run, 0);
	expect_match(run.out, said[_i][1]);
	run = run_loadgen(
		ARGUMENTS("loadgen", said[_i][0], "-d", "0.1", "127.0.0.1", port));
	run_expect_status(&run, 0);
	ck_assert_ptr_null(strstr(run.out, "signal"));
	ck_assert_ptr_null(strstr(run.out, "\"interrupted\":true"));
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

	tcase = load_case(suite, "notes");
	tcase_add_test(tcase, work_that_the_server_does_not_do_is_doubted);
	tcase_add_test(tcase, work_that_fits_into_the_exchanges_is_not_doubted);
	tcase_add_test(tcase, faults_names_the_load_beside_it);
	tcase_add_loop_test(tcase, a_load_that_a_signal_stopped_is_noted, 0, 2);
	tcase_add_test(tcase, a_server_that_limits_the_lines_of_a_client_is_noted);
	tcase_add_test(tcase, a_server_that_does_not_limit_is_not_noted);
	return suite;
}
