/*
 * versus --compare: two made-up files and the exact output for them; files that are none; and
 * versus as a process, with a file that it has just written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/versus/compare.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

static struct folder folder;
static struct failure failure;
static char *printed;

static void make_folder(void)
{
	folder_create(&folder);
}

static void remove_folder(void)
{
	folder_remove(&folder);
}

/* ---- made-up figures ------------------------------------------------------------------- */

/* A figure of three rounds. */
#define FIGURE(name, least, median, most)                                                \
	", \"" name "\": {\"median\": " #median ", \"least\": " #least                   \
	", \"most\": " #most ", \"rounds\": [" #most ", " #least ", " #median "]}"

/* The figure of a server that served no client. */
#define UNKNOWN(name)                                                                    \
	", \"" name                                                                      \
	"\": {\"median\": null, \"least\": null, \"most\": null, \"rounds\": [null]}"

#define SERVED(served, errors) ", \"served\": " #served ", \"errors\": " #errors

#define LOAD(model, load, ...)                                                           \
	"{\"model\": \"" model "\", \"load\": \"" load "\"" __VA_ARGS__ "}"

#define POINT(server, x, ...) "{\"server\": \"" server "\", \"x\": " #x __VA_ARGS__ "}"

#define LOADS(seconds, results)                                                          \
	"{\"service\": \"echo\", \"transport\": \"tcp\", \"rounds\": 3,\n\"loads\": "    \
	"[{\"load\": \"idle\", \"clients\": 4, \"idle\": 950, \"seconds\": " seconds     \
	", \"size\": 64, \"reply_size\": null}],\n\"results\": [" results "]}"

#define EXPERIMENTS(kernel, results)                                                     \
	"{\"service\": \"echo\", \"seconds\": 0.5, \"machine\": {\"kernel\": \"" kernel  \
	"\", \"processor\": \"P\"}, \"experiments\": [{\"name\": \"clients\", "          \
	"\"x\": \"clients\", \"results\": [" results "]}]}"

#define RATES(experiments)                                                               \
	"{\"service\": \"echo\", \"seconds\": 0.5, \"experiments\": [" experiments "]}"

#define OFFERED(name, results)                                                           \
	"{\"name\": \"" name                                                             \
	"\", \"x\": \"requests per second\", \"results\": [" results "]}"

#define RATE(least, median, most) FIGURE("exchanges_per_second", least, median, most)

static void take(struct compare_run *run, const char *name, const char *text)
{
	ck_assert_msg(compare_take(run, name, text, strlen(text), &failure) == 0, "%s",
		      failure.text);
}

static int print(const char *old_text, const char *new_text)
{
	struct compare_run old, new;
	size_t length;
	FILE *memory = open_memstream(&printed, &length);
	int result;

	ck_assert_ptr_nonnull(memory);
	take(&old, "old.json", old_text);
	take(&new, "this run", new_text);
	result = compare_print(&old, &new, memory, &failure);
	ck_assert_int_eq(fclose(memory), 0);
	compare_end(&old);
	compare_end(&new);
	return result;
}

static void expect_printed(const char *old_text, const char *new_text,
			   const char *expected)
{
	ck_assert_msg(print(old_text, new_text) == 0, "%s", failure.text);
	ck_assert_str_eq(printed, expected);
	free(printed);
}

#define LEGEND                                                                           \
	"old, new   median of the rounds in the file, and in this run\n"                 \
	"change     from old to new\n"                                                   \
	"interval   from the highest old round to the lowest new one, and from the\n"    \
	"           lowest old round to the highest new one\n"                           \
	"*          clear: in every round, and larger than the spread of both runs\n"    \
	"-          not measured\n\n"

/* GIVEN one server that became faster, one that may have, one that served fewer clients, and
 * one that served none, WHEN the loads are compared, THEN only the first one is clear. */
START_TEST(loads_are_compared)
{
	static const char old[] = LOADS(
		"0.5",
		LOAD("fork", "idle",
		     SERVED(4, 0) RATE(900, 1000, 1100) FIGURE("p99_microseconds", 100, 110, 120) FIGURE(
			     "memory_in_all_per_client_kib",
			     80, 80.5,
			     81)) "," LOAD("thread", "idle",
					   SERVED(4, 0) RATE(
						   900, 1000,
						   1300)) "," LOAD("select", "idle",
								   SERVED(4, 0) RATE(
									   90, 100,
									   110)) "," LOAD("iterative",
											  "idle",
											  SERVED(0, 0) UNKNOWN(
												  "exchanges_per_second")) "," LOAD("gone",
																    "idle",
																    SERVED(4, 0) RATE(
																	    1,
																	    2,
																	    3)));
	static const char new[] = LOADS(
		"0.5",
		LOAD("iterative", "idle", SERVED(0, 0) UNKNOWN("exchanges_per_second")) "," LOAD(
			"fork", "idle",
			SERVED(4, 0) RATE(1200, 1250, 1300) FIGURE("p99_microseconds", 50, 55, 60) FIGURE(
				"memory_in_all_per_client_kib", 80, 80.5,
				81)) "," LOAD("thread", "idle",
					      SERVED(4, 0) RATE(
						      1200, 1250,
						      1300)) "," LOAD("select", "idle",
								      SERVED(3, 7) RATE(
									      1200000,
									      1234567,
									      1300000)) "," LOAD("fork",
												 "bulk",
												 SERVED(4, 0) RATE(
													 1,
													 2,
													 3)) "," LOAD("\\u001b[2J",
														      "idle",
														      SERVED(4, 0) RATE(
															      1,
															      2,
															      3)));

	expect_printed(
		old, new,
		"\nCompared with old.json:\n\n"
		"idle: exchanges per second\n"
		"                         old        new  change          interval\n"
		"  iterative                -          -       -                 -\n"
		"  fork                 1,000      1,250  +25.0%   +9.1% to +44.4% *\n"
		"  thread               1,000      1,250  +25.0%   -7.7% to +44.4%\n"
		"  select                 100  1,234,567  >9999%  >9999% to >9999%\n"
		"                  old: 4 served, 0 errors; new: 3 served, 7 errors\n"
		"\n"
		"idle: p99 latency in microseconds\n"
		"                         old        new  change          interval\n"
		"  fork                   110       55.0  -50.0%  -58.3% to -40.0% *\n"
		"\n" LEGEND
		"- Throughput changed clearly in 1 of 3 results: 1 higher, 0 lower.\n"
		"- p99 latency changed clearly in 1 of 1 result: 0 higher, 1 lower.\n"
		"- Memory per client changed clearly in none of 1 result.\n"
		"- Only in the file: gone (idle).\n"
		"- Only in this run: bulk, \\x1b[2J (idle).\n");
}
END_TEST

START_TEST(experiments_are_compared_point_by_point)
{
	static const char old[] = EXPERIMENTS(
		"Linux 6.1",
		POINT("fork", 1, SERVED(1, 0) RATE(10, 20, 30)) "," POINT(
			"fork", 32,
			SERVED(32, 0) RATE(1000, 1010,
					   1020)) "," POINT("fork", 64,
							    SERVED(64, 0) RATE(1000, 1010,
									       1020)));
	static const char new[] = EXPERIMENTS(
		"Linux 6.2",
		POINT("fork", 1, SERVED(1, 0) RATE(10, 20, 30)) "," POINT(
			"a-name-of-more-than-15-characters", 1,
			SERVED(1, 0) RATE(
				1, 2,
				3)) "," POINT("fork", 32,
					      SERVED(32, 0) RATE(500, 505, 510)
						      FIGURE("cpu_milliseconds_per_1000",
							     1, 2, 3)));

	expect_printed(
		old, new,
		"\nCompared with old.json:\n\n"
		"Warning: the figures are not comparable: kernel was Linux 6.1 and is "
		"Linux 6.2.\n\n"
		"clients: exchanges per second, x: clients\n"
		"                         x        old        new  change          "
		"interval\n"
		"  fork                   1       20.0       20.0   +0.0%  -66.7% to  "
		"+200%\n"
		"  fork                  32      1,010        505  -50.0%  -51.0% to "
		"-49.0% *\n"
		"\n" LEGEND
		"- Throughput changed clearly in 1 of 2 results: 0 higher, 1 lower.\n"
		"- Only in the file: fork (clients 64).\n"
		"- Only in this run: a-name-of-more-than-15-characters (clients 1).\n");
}
END_TEST

START_TEST(a_difference_of_the_loads_is_reported)
{
	static const char result[] = LOADS("0.5", LOAD("fork", "idle", RATE(1, 2, 3)));
	static const char other[] = LOADS("1", LOAD("fork", "idle", RATE(1, 2, 3)));

	ck_assert_int_eq(print(result, other), 0);
	ck_assert_ptr_nonnull(strstr(printed, "\nWarning: the figures are not "
					      "comparable: idle: seconds was 0.5 and is "
					      "1.\n"));
	free(printed);
	ck_assert_int_eq(print(result, result), 0);
	ck_assert_ptr_null(strstr(printed, "Warning"));
	free(printed);
}
END_TEST

/* GIVEN one round in the old run, WHEN the new one is ten times as fast, THEN that is not
 * clear, and a sentence says why. */
START_TEST(one_round_shows_nothing)
{
	static const char old[] =
		LOADS("1", LOAD("fork", "idle",
				", \"exchanges_per_second\": {\"median\": 5, \"least\": "
				"5, \"most\": 5, \"rounds\": [5]}"));
	static const char new[] = LOADS("1", LOAD("fork", "idle", RATE(48, 50, 52)));

	ck_assert_int_eq(print(old, new), 0);
	ck_assert_ptr_nonnull(strstr(printed, " +900%   +860% to  +940%\n"));
	ck_assert_ptr_nonnull(strstr(printed, "in none of 1 result.\n- A result with one "
					      "round cannot change clearly.\n"));
	free(printed);
}
END_TEST

START_TEST(nothing_in_common_is_an_error)
{
	static const char old[] = LOADS("1", LOAD("fork", "idle", RATE(1, 2, 3)));
	static const char new[] = LOADS("1", LOAD("fork", "bulk", RATE(1, 2, 3)));

	ck_assert_int_eq(print(old, new), -1);
	ck_assert_str_eq(failure.text,
			 "old.json has no result of the same server and load");
	ck_assert_str_eq(printed, "");
	free(printed);
}
END_TEST

/* GIVEN twelve results that the new run has not, WHEN they are named, THEN only ten are. */
START_TEST(many_missing_results_are_counted)
{
	static const char old[] = LOADS(
		"1",
		LOAD("a", "idle", "") "," LOAD("b", "idle", "") "," LOAD("c", "idle", "") "," LOAD("d", "idle", "") "," LOAD(
			"e", "idle",
			"") "," LOAD("f", "idle",
				     "") "," LOAD("g", "idle",
						  "") "," LOAD("h", "idle",
							       "") "," LOAD("i", "idle",
									    "") "," LOAD("j",
											 "idle",
											 "") "," LOAD("k",
												      "idle",
												      "") "," LOAD("l",
														   "idle",
														   "") "," LOAD("fork",
																"idle",
																""));
	static const char new[] = LOADS("1", LOAD("fork", "idle", ""));

	ck_assert_int_eq(print(old, new), 0);
	ck_assert_ptr_nonnull(
		strstr(printed, "- Only in the file: a (idle), b (idle), c (idle), d "
				"(idle), e (idle), f (idle),\n  g (idle), h (idle), i "
				"(idle), j (idle) and 2 more.\n"));
	free(printed);
}
END_TEST

#define FASTER(name, rate)                                                               \
	LOAD(name, "conversations", SERVED(4, 0) RATE(rate, rate, rate))                 \
	"," LOAD(name, "connections", SERVED(4, 0) RATE(rate, rate, rate))

static const char drift[] =
	"- All clear changes of the throughput have the same direction. The machine may\n"
	"  have become faster or slower as a whole";

/* GIVEN two servers that both became faster in two loads, WHEN the runs are compared, THEN the
 * machine is said to be a possible reason; not if one of them became slower, or if there is only
 * one. */
START_TEST(a_change_of_all_servers_may_be_one_of_the_machine)
{
	static const char old[] = LOADS("1", FASTER("fork", 100) "," FASTER("poll", 100));
	static const char all[] = LOADS("1", FASTER("fork", 150) "," FASTER("poll", 140));
	static const char some[] = LOADS("1", FASTER("fork", 150) "," FASTER("poll", 70));
	static const char one[] = LOADS("1", FASTER("fork", 150));

	ck_assert_int_eq(print(old, all), 0);
	ck_assert_msg(strstr(printed, drift) != NULL, "%s", printed);
	free(printed);
	ck_assert_int_eq(print(old, some), 0);
	ck_assert_msg(strstr(printed, "same direction") == NULL, "%s", printed);
	free(printed);
	ck_assert_int_eq(print(old, one), 0);
	ck_assert_msg(strstr(printed, "same direction") == NULL, "%s", printed);
	free(printed);
}
END_TEST

/* GIVEN names and figures of all widths, WHEN they are compared, THEN no line is longer than
 * 80 columns. */
START_TEST(all_widths_fit_into_80_columns)
{
	static const char *const figures[] = { "0.001", "9.996",     "99.96", "99999999",
					       "1e8",   "999999999", "1e300" };
	static const char pattern[] = EXPERIMENTS(
		"a kernel with a name of many words, which makes its warning long, %s",
		"{\"server\": \"a server with a name that is longer than a line has "
		"columns, and with\\u001b\\u001b\\u001b controls\", \"x\": 123456%s, "
		"\"exchanges_per_second\": {\"median\": %s, \"least\": %s, \"most\": "
		"%s, \"rounds\": [1, 2]}}");
	const char *figure = figures[_i], *line;
	char old[1000], new[1000];

	snprintf(old, sizeof old, pattern, "old", "e50", figure, figure, figure);
	snprintf(new, sizeof new, pattern, "new", "e50", "1000", "999", "12345678");
	ck_assert_msg(print(old, new) == 0, "%s", failure.text);
	for (line = printed; *line != '\0'; line += strcspn(line, "\n") + 1)
		ck_assert_msg(strcspn(line, "\n") <= 80, "%s", line);
	free(printed);
}
END_TEST

/* ---- files that are none --------------------------------------------------------------- */

static const struct {
	const char *text, *error;
} bad_files[] = {
	{ "", "is not JSON: line 1: a value expected, not the end of the text" },
	{ "{\n\"service\": x}", "is not JSON: line 2: a value expected, not 'x'" },
	{ "{}", "is not a file of versus --json" },
	{ "[1]", "is not a file of versus --json" },
	{ "{\"service\": \"echo\"}", "is not a file of versus --json" },
	{ "{\"service\": \"echo\", \"results\": {}}", "is not a file of versus --json" },
	{ "{\"results\": []}", "is not a file of versus --json" },
	{ LOADS("1", "1"), "is not a file of versus --json" },
	{ LOADS("1", "{\"model\": \"fork\"}"), "is not a file of versus --json" },
	{ LOADS("1", "{\"model\": 1, \"load\": \"idle\"}"),
	  "is not a file of versus --json" },
	{ EXPERIMENTS("k", "{\"server\": \"fork\"}"), "is not a file of versus --json" },
	{ EXPERIMENTS("k", ""), "has the figures of experiments, not of loads" },
};

/* The server cannot start: whether anything was measured would be seen. */
START_TEST(a_bad_file_is_refused_before_anything_is_measured)
{
	char expected[400];
	struct run run;

	folder_text(&folder, "bad.json", bad_files[_i].text);
	run = run_program(ARGUMENTS("versus", "-q", "--compare",
				    folder_path(&folder, "bad.json"), "--server",
				    "broken=exit 1", "echo"),
			  "", 0, WAIT_MS);
	run_expect_status(&run, 1);
	snprintf(expected, sizeof expected, "versus: %s %s\n",
		 folder_path(&folder, "bad.json"), bad_files[_i].error);
	ck_assert_str_eq(run.err, expected);
	ck_assert_str_eq(run.out, "");
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_refused)
{
	static const char *const paths[] = { "nothing", ".", "/dev/zero" };
	static const char *const reasons[] = { "No such file or directory",
					       "Is a directory", "File too large" };
	const char *path = _i < 2 ? folder_path(&folder, paths[_i]) : paths[_i];
	char expected[400];
	struct run run =
		run_program(ARGUMENTS("versus", "-q", "--compare", path, "-e", "clients",
				      "--server", "broken=exit 1", "echo"),
			    "", 0, WAIT_MS);

	run_expect_status(&run, 1);
	snprintf(expected, sizeof expected, "versus: cannot read %s: %s\n", path,
		 reasons[_i]);
	ck_assert_str_eq(run.err, expected);
	ck_assert_str_eq(run.out, "");
}
END_TEST

START_TEST(too_many_results_are_refused)
{
	struct compare_run run;
	char *text = NULL;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(memory);
	fputs("{\"service\": \"echo\", \"results\": [", memory);
	for (int i = 0; i <= COMPARE_RESULTS; i++)
		fprintf(memory, "%s{\"model\": \"%d\", \"load\": \"idle\"}",
			i > 0 ? "," : "", i);
	fputs("]}", memory);
	ck_assert_int_eq(fclose(memory), 0);
	ck_assert_int_eq(compare_take(&run, "many.json", text, length, &failure), -1);
	ck_assert_str_eq(failure.text, "many.json has more than 10000 results");
	free(text);
}
END_TEST

/* ---- versus ---------------------------------------------------------------------------- */

/* GIVEN a run of two servers and its file, WHEN one of them is run again with another, THEN
 * the table has the one of both, and sentences name the others. */
START_TEST(loads_are_compared_with_a_file_just_written)
{
	const char *seconds = slow_seconds(0.1), *path = folder_path(&folder, "old.json");
	struct run run = run_program(ARGUMENTS("versus", "-q", "-r", "2", "-d", seconds,
					       "-c", "4", "-l", "conversations", "--json",
					       path, "echo", "fork", "poll"),
				     "", 0, LONG_WAIT_MS);

	run_expect_status(&run, 0);
	ck_assert_ptr_null(strstr(run.out, "Compared with"));
	run = run_program(ARGUMENTS("versus", "-q", "-r", "2", "-d", seconds, "-c", "4",
				    "-l", "conversations", "--compare", path, "--json",
				    path, "echo", "fork", "select"),
			  "", 0, LONG_WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_str_eq(run.err, "");
	expect_match(run.out, "\nCompared with .*\nconversations: exchanges per "
			      "second\n.* interval\n  fork +[0-9,]+ +[0-9,]+ +[-+]");
	expect_match(run.out, "\n- Throughput changed clearly in (none|1) of 1 result");
	expect_match(run.out, "\n- Only in the file: poll \\(conversations\\)\\.\n"
			      "- Only in this run: select \\(conversations\\)\\.\n$");
	ck_assert_ptr_null(strstr(run.out, "Warning"));
}
END_TEST

START_TEST(experiments_are_compared_with_a_file_just_written)
{
	const char *seconds = slow_seconds(0.05),
		   *path = folder_path(&folder, "old.json");
	struct run run = run_program(ARGUMENTS("versus", "-q", "-e", "clients", "--quick",
					       "-r", "2", "-d", seconds, "-c", "4",
					       "--json", path, "echo", "select"),
				     "", 0, LONG_WAIT_MS);

	run_expect_status(&run, 0);
	run = run_program(ARGUMENTS("versus", "-q", "-e", "clients", "--quick", "-r", "2",
				    "-d", seconds, "-c", "4", "--compare", path, "echo",
				    "select"),
			  "", 0, LONG_WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	expect_match(run.out, "\nclients: exchanges per second, x: clients\n.* interval\n"
			      "  select +1 +[0-9,]+ +[0-9,]+ +[-+].*\n  select +4 ");
	ck_assert_ptr_null(strstr(run.out, "Only in"));
	ck_assert_ptr_null(strstr(run.out, "Warning"));
}
END_TEST

/* The rates depend on what the servers can do, so a run would choose others. */
START_TEST(rates_are_those_of_the_earlier_run)
{
	const char *seconds = slow_seconds(0.05),
		   *path = folder_path(&folder, "old.json");
	struct run run;

	folder_text(
		&folder, "old.json",
		RATES(OFFERED(
			"rate",
			POINT("select", 77, RATE(76, 77, 78)) "," POINT(
				"select", 55,
				RATE(54, 55, 56))) "," OFFERED("cost",
							       POINT("select", 66,
								     RATE(65, 66, 67)))));
	run = run_program(ARGUMENTS("versus", "-q", "-e", "rate,cost", "--quick", "-r",
				    "1", "-d", seconds, "--compare", path, "echo",
				    "select"),
			  "", 0, LONG_WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	expect_match(run.out, "\nrate: exchanges per second.*\n  select +55 .*"
			      "\n  select +77 .*\ncost: exchanges.*\n  select +66 ");
	ck_assert_ptr_null(strstr(run.out, "Only in"));
}
END_TEST

START_TEST(rates_that_nobody_can_send_are_not_taken)
{
	struct run run;

	folder_text(&folder, "old.json",
		    RATES(OFFERED("cost", POINT("select", 1e300, RATE(1, 1, 1)))));
	run = run_program(ARGUMENTS("versus", "-q", "-e", "cost", "--quick", "-r", "1",
				    "-d", slow_seconds(0.05), "--compare",
				    folder_path(&folder, "old.json"), "echo", "select"),
			  "", 0, LONG_WAIT_MS);
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "has no result of the same server"));
}
END_TEST

START_TEST(nothing_in_common_gives_status_1)
{
	struct run run;

	folder_text(&folder, "old.json", LOADS("1", ""));
	run = run_program(ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.05),
				    "-c", "2", "-l", "conversations", "--compare",
				    folder_path(&folder, "old.json"), "echo", "select"),
			  "", 0, LONG_WAIT_MS);
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.out, "conversations: 2 clients"));
	expect_match(run.err, "^versus: .*/old\\.json has no result of the same server "
			      "and load\n$");
}
END_TEST

Suite *suite_compare(void)
{
	Suite *suite = suite_create("compare");
	TCase *tcase = add_case(suite, "made-up figures");

	tcase_add_test(tcase, loads_are_compared);
	tcase_add_test(tcase, experiments_are_compared_point_by_point);
	tcase_add_test(tcase, a_difference_of_the_loads_is_reported);
	tcase_add_test(tcase, one_round_shows_nothing);
	tcase_add_test(tcase, nothing_in_common_is_an_error);
	tcase_add_test(tcase, many_missing_results_are_counted);
	tcase_add_test(tcase, a_change_of_all_servers_may_be_one_of_the_machine);
	tcase_add_loop_test(tcase, all_widths_fit_into_80_columns, 0, 7);

	tcase = add_case(suite, "files");
	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_add_loop_test(tcase, a_bad_file_is_refused_before_anything_is_measured, 0,
			    (int)(sizeof bad_files / sizeof *bad_files));
	tcase_add_loop_test(tcase, a_file_that_cannot_be_read_is_refused, 0, 3);
	tcase_add_test(tcase, too_many_results_are_refused);

	tcase = add_case(suite, "versus");
	tcase_add_checked_fixture(tcase, make_folder, remove_folder);
	tcase_add_test(tcase, loads_are_compared_with_a_file_just_written);
	tcase_add_test(tcase, experiments_are_compared_with_a_file_just_written);
	tcase_add_test(tcase, rates_are_those_of_the_earlier_run);
	tcase_add_test(tcase, rates_that_nobody_can_send_are_not_taken);
	tcase_add_test(tcase, nothing_in_common_gives_status_1);
	return suite;
}
