/*
 * versus as its user sees it: the tables, the files, and what it leaves behind.
 *
 * Most runs are short ones of real models. A model that goes wrong is a script in PATH.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/versus/comparison.h"
#include "common/io.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { PATH_TEXT = 300 };

static char folder[FOLDER_TEXT]; /* of the test's own, where versus puts what it needs */

static void make_folder(void)
{
	folder_create_path(folder, "versus");
}

static void into_folder(void *context)
{
	(void)context;
	setenv("TMPDIR", folder, 1);
}

static struct run run_versus(const char *const argv[])
{
	struct run_setup setup = { .argv = argv,
				   .timeout = LONG_WAIT_MS,
				   .prepare = into_folder };

	return run_program_with(&setup);
}

/* A folder can be removed if nothing is in it. */
static bool folder_goes(void *context)
{
	(void)context;
	return rmdir(folder) == 0;
}

static void expect_nothing_left(void)
{
	ck_assert_msg(eventually(folder_goes, NULL, WAIT_MS), "in %s: %s", folder,
		      strerror(errno));
}

/* ---- tables -------------------------------------------------------------------------------- */

START_TEST(tables_of_datagrams_fit_into_80_columns)
{
	static const char *const services[] = { "echo", "discard", "daytime" };
	struct run run = run_versus(ARGUMENTS("versus", "-q", "-u", "-r", "1", "-d",
					      slow_seconds(0.1), services[_i]));

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	expect_80_columns(run.out);
	ck_assert_ptr_nonnull(
		strstr(run.out,
		       "  datagrams              sent        lost        late   duplicate"
		       "   reordered\n"));
	expect_match(run.out, _i == 1 ? "\n  fork +[0-9,]+ +[0-9,]+ +- +- +-\n"
				      : "\n  fork +[0-9,]+ +[0-9,]+ +(0|-) +0 +(0|-)\n");
	expect_nothing_left();
}
END_TEST

/* The tables of figures that nobody has measured. */
static struct comparison made_up;
static char *printed;

static void make_up(unsigned models, double rate, double latency)
{
	static const char *const names[] = { "one", "two", "a-model-with-a-long-name" };
	static struct run_figures runs[2 * LOAD_KINDS * 3];

	memset(runs, 0, sizeof runs);
	made_up = (struct comparison){ .service = "echo", .rounds = 2, .runs = runs };
	made_up.model_count = models;
	for (unsigned i = 0; i < models; i++)
		made_up.models[i] = names[i];
	for (unsigned i = 0; i < 2 * LOAD_KINDS * models; i++) {
		runs[i].done = true;
		runs[i].served = runs[i].of = runs[i].silent = 100000;
		for (int figure = 0; figure < FIGURES; figure++)
			runs[i].figure[figure] = latency;
		runs[i].figure[FIGURE_RATE] = rate;
		runs[i].figure[FIGURE_BYTES] = rate;
	}
	for (int kind = 0; kind < LOAD_KINDS; kind++)
		made_up.plans[kind] = (struct load_plan){
			.kind = (enum load_kind)kind,
			.protocol = load_protocol_find("echo"),
			.connections = 100000,
			.idle = 100000,
			.size = 16 << 20,
			.duration = 1000,
		};
}

static void print_made_up(void)
{
	size_t length;
	FILE *memory = open_memstream(&printed, &length);

	ck_assert_ptr_nonnull(memory);
	comparison_print(&made_up, memory);
	ck_assert_int_eq(fclose(memory), 0);
}

START_TEST(the_widest_figures_fit_into_80_columns)
{
	static const double widths[] = { 0.001, 99.94, 999999, 1e9, 1e13 };

	make_up(3, widths[_i] * 1e4, widths[_i]);
	made_up.datagrams = true;
	made_up.runs[0].served = 1;
	made_up.runs[1].errors = UINT64_MAX / 8;
	failure_set(&made_up.runs[1].wrong, "%0250d", 0);
	for (size_t i = 20; i < 240; i += 20)
		made_up.runs[1].wrong.text[i] = ' ';
	for (int kind = 0; kind < LOAD_KINDS; kind++)
		made_up.with[kind] = true;
	print_made_up();
	expect_80_columns(printed);
	free(printed);
}
END_TEST

/* The rates of the best model and of the second one in two rounds. */
static const struct {
	double best[2], second[2];
	bool star;
} differences[] = {
	{ { 97000, 96000 }, { 90000, 90000 }, true },
	{ { 97000, 89000 }, { 90000, 90000 }, false }, /* not in every round */
	{ { 99000, 91000 }, { 90000, 90000 }, true },
	{ { 99000, 90100 }, { 90000, 89900 }, true }, /* 4600 beside 4450 */
	{ { 120000, 90500 }, { 90000, 61000 }, true },
	{ { 91000, 91000 }, { 90900, 60000 }, true },
	{ { 90500, 90500 }, { 90000, 90000 }, false }, /* less than one percent */
	{ { 90000, 90000 }, { 90000, 90000 }, false }, /* equal */
};

START_TEST(a_star_needs_a_difference_in_every_round)
{
	bool star = differences[_i].star;

	make_up(2, 90000, 100);
	made_up.with[LOAD_CONVERSATIONS] = true;
	for (unsigned round = 0; round < 2; round++) {
		comparison_run(&made_up, round, LOAD_CONVERSATIONS, 0)
			->figure[FIGURE_RATE] = differences[_i].best[round];
		comparison_run(&made_up, round, LOAD_CONVERSATIONS, 1)
			->figure[FIGURE_RATE] = differences[_i].second[round];
	}
	print_made_up();
	ck_assert_msg((strstr(printed, "0*  ") != NULL) == star, "%s", printed);
	ck_assert_int_eq(strstr(printed, "one serves 1.") != NULL, star);
	free(printed);
}
END_TEST

/* GIVEN three rounds of which one was much better by chance, WHEN the others are hardly
 * better than those of the next model, THEN the difference is within the spread: no star,
 * and no sentence. */
START_TEST(a_star_needs_a_difference_larger_than_the_spread)
{
	static struct run_figures runs[3 * LOAD_KINDS * 2];
	static const double best[] = { 93000, 93000, 120000 };

	make_up(2, 90000, 100);
	memset(runs, 0, sizeof runs);
	made_up.rounds = 3;
	made_up.runs = runs;
	made_up.with[LOAD_CONVERSATIONS] = true;
	for (unsigned i = 0; i < 6; i++) {
		struct run_figures *run =
			comparison_run(&made_up, i / 2, LOAD_CONVERSATIONS, i % 2);

		for (int figure = 0; figure < FIGURES; figure++)
			run->figure[figure] = -1;
		run->done = true;
		run->served = run->of = 100000;
		run->figure[FIGURE_RATE] = i % 2 == 0 ? best[i / 2] : 90000;
	}
	print_made_up();
	expect_match(printed, "\n  one +93,000 +15% +- ");
	ck_assert_ptr_null(strstr(printed, " serves "));
	free(printed);
}
END_TEST

/* GIVEN a model that served the load in no round, WHEN its row is printed, THEN all its
 * figures are "-", and null in JSON. */
START_TEST(a_load_that_was_not_served_has_no_figures)
{
	size_t length;
	FILE *memory;

	make_up(2, 90000, 100);
	made_up.with[LOAD_CONVERSATIONS] = true;
	for (unsigned round = 0; round < 2; round++) {
		struct run_figures *run =
			comparison_run(&made_up, round, LOAD_CONVERSATIONS, 1);

		run->served = 0;
		for (int figure = 0; figure < FIGURES; figure++)
			run->figure[figure] = -1;
	}
	print_made_up();
	expect_match(printed, "\n  two +- +- +- +- +- +-\n"
			      " +none of 100000 clients served: all waited\n");
	ck_assert_ptr_null(strstr(printed, " 0.00"));
	free(printed);

	memory = open_memstream(&printed, &length);
	ck_assert_ptr_nonnull(memory);
	comparison_write_json(
		&made_up, &(struct machine){ .count = 1, .facts = { { "kernel", "K" } } },
		"versus echo", false, memory);
	ck_assert_int_eq(fclose(memory), 0);
	expect_match(printed, "\"two\".*\"p50_microseconds\": \\{\"median\": null, "
			      "\"least\": null, \"most\": null, \"rounds\": "
			      "\\[null, null\\]\\}");
	expect_match(
		printed,
		"\"interrupted\": false,\n \"command\": \"versus echo\",\n \"machine\": "
		"\\{\"kernel\": \"K\"\\},\n \"loads\": \\[");
	free(printed);
}
END_TEST

START_TEST(a_small_figure_is_not_printed_as_0)
{
	make_up(2, 90000, 0.001);
	made_up.with[LOAD_IDLE] = true;
	print_made_up();
	ck_assert_ptr_nonnull(strstr(printed, " <0.01"));
	ck_assert_ptr_null(strstr(printed, " 0.00"));
	free(printed);
}
END_TEST

/* GIVEN a model that lost some of its silent clients, WHEN the others served all, THEN
 * its row says how many it had, and it is not the best. */
START_TEST(missing_silent_clients_are_reported)
{
	make_up(2, 90000, 100);
	made_up.with[LOAD_IDLE] = true;
	for (unsigned round = 0; round < 2; round++) {
		struct run_figures *run = comparison_run(&made_up, round, LOAD_IDLE, 0);

		run->silent = 99000;
		run->figure[FIGURE_RATE] = 180000;
	}
	print_made_up();
	expect_match(printed, "\n  one +180,000 .*\n +99000 of 100000 silent clients\n");
	ck_assert_ptr_null(strstr(printed, "180,000*"));
	free(printed);
}
END_TEST

START_TEST(many_rows_and_all_loads_fit_into_80_columns)
{
	static const char *const names[COMPARISON_MODELS] = {
		"iterative",
		"fork",
		"prefork",
		"thread",
		"pool",
		"select",
		"poll",
		"epoll",
		"uring",
		"inetd",
		"fourteen-chars",
		"a-name-of-sixty-three-characters-that-fills-a-line-of-its-own-x"
	};
	static struct run_figures runs[2 * LOAD_KINDS * 12];

	make_up(2, 1e9, 1e9);
	memset(runs, 0, sizeof runs);
	made_up.runs = runs;
	made_up.model_count = 12;
	memcpy(made_up.models, names, sizeof names);
	for (unsigned i = 0; i < sizeof runs / sizeof *runs; i++) {
		runs[i].done = i % 5 != 0;
		runs[i].served = runs[i].of = runs[i].silent = 100000;
		for (int figure = 0; figure < FIGURES; figure++)
			runs[i].figure[figure] = (i % 12 + 1) * 1e9;
	}
	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		made_up.with[kind] = true;
		failure_set(&made_up.failures[kind][3], "thread did not start: %0200d",
			    kind);
	}
	made_up.datagrams = true;
	print_made_up();
	expect_80_columns(printed);
	for (unsigned i = 0; i < 12; i++)
		ck_assert_ptr_nonnull(strstr(printed, names[i]));
	free(printed);
}
END_TEST

/* ---- http ------------------------------------------------------------------------------------ */

START_TEST(http_is_compared_in_all_loads)
{
	struct run run =
		run_versus(ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.1),
				     "-i", "20", "http", "fork", "select"));

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_str_eq(run.err, "");
	expect_80_columns(run.out);
	ck_assert_ptr_nonnull(
		strstr(run.out, "conversations: 32 clients, replies of 14 bytes\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "connections: 32 clients, replies of 14 "
					      "bytes, one connection per exchange\n"));
	ck_assert_ptr_nonnull(
		strstr(run.out, "idle: 4 clients and 20 silent clients, replies of"));
	ck_assert_ptr_nonnull(
		strstr(run.out, "bulk: 8 clients, replies of 1048576 bytes\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "\nmemory of the server"));
	ck_assert_ptr_null(strstr(run.out, "errors"));
	ck_assert_ptr_null(strstr(run.out, "not run"));
	expect_nothing_left();
}
END_TEST

START_TEST(the_file_of_http_is_as_long_as_the_size_option)
{
	struct run run = run_versus(ARGUMENTS(
		"versus", "-q", "-r", "1", "-d", slow_seconds(0.1), "-l", "bulk",
		"--bulk-size", "100", "--json", "/dev/stderr", "http", "select"));

	run_expect_status(&run, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "bulk: 8 clients, replies of 100 bytes\n"));
	expect_match(run.err, "\\{\"load\": \"bulk\", \"clients\": 8, \"idle\": 0, "
			      "\"seconds\": 0\\.[0-9]+, \"size\": null, "
			      "\"reply_size\": 100\\}\\]");
	expect_nothing_left();
}
END_TEST

START_TEST(file_is_compared_in_all_loads)
{
	struct run run =
		run_versus(ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.1),
				     "-i", "20", "file", "fork", "select"));

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_str_eq(run.err, "");
	ck_assert_ptr_nonnull(
		strstr(run.out, "conversations: 32 clients, messages of 1024 bytes\n"));
	ck_assert_ptr_nonnull(
		strstr(run.out, "bulk: 8 clients, messages of 1048576 bytes\n"));
	ck_assert_ptr_null(strstr(run.out, "errors"));
	expect_nothing_left();
}
END_TEST

/* Looks whether something is in it, without touching it. */
static bool folder_has_something(void *context)
{
	struct stat facts;

	(void)context;
	return stat(folder, &facts) == 0 && facts.st_nlink > 2;
}

static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGKILL };

START_TEST(the_files_go_away_however_it_ends)
{
	struct run_setup setup = { .argv = ARGUMENTS("versus", "-q", "-r", "1", "-d",
						     "20", "-l", "bulk", "http",
						     "select"),
				   .prepare = into_folder };
	struct program versus;
	struct run run;

	/* these end versus at once, and it cannot stop its server */
	if ((ends[_i] == SIGQUIT || ends[_i] == SIGKILL) &&
	    !programs_use("PR_SET_PDEATHSIG"))
		return;
	versus = program_start(&setup);
	ck_assert(eventually(folder_has_something, NULL, WAIT_MS));
	kill(versus.pid, ends[_i]);
	run = program_wait(&versus, LONG_WAIT_MS);
	ck_assert_int_ne(run.status, 0);
	expect_nothing_left();
}
END_TEST

START_TEST(a_place_for_files_that_is_none_is_reported)
{
	struct run run;

	ck_assert_int_eq(rmdir(folder), 0);
	run = run_versus(ARGUMENTS("versus", "-q", "-l", "bulk", "http", "select"));
	run_expect_status(&run, 1);
	expect_match(run.err,
		     "^versus: cannot create the directory .*/sockways-versus.*: "
		     "No such file or directory\n$");
	ck_assert_str_eq(run.out, "");
}
END_TEST

/* ---- chat ------------------------------------------------------------------------------------ */

START_TEST(chat_is_compared_where_one_talks_and_where_all_do)
{
	struct run run = run_versus(
		ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.1), "-c", "8",
			  "-i", "20", "chat", "iterative", "fork", "thread", "select"));

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_str_eq(run.err, "");
	expect_80_columns(run.out);
	ck_assert_ptr_nonnull(
		strstr(run.out, "room: 8 clients (one sends), lines of 32 bytes\n"));
	ck_assert_ptr_nonnull(
		strstr(run.out, "talk: 8 clients (all send), lines of 32 bytes\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "idle: 8 clients (one sends) and 20 "
					      "silent clients, lines of 32 bytes\n"));
	expect_match(run.out, "\n +delivered/s .*\n  iterative +- +- +- +- +- +-\n"
			      " +none of 8 clients served: all waited\n"
			      "  fork +[0-9,]+.*\n  thread +[0-9,]+.*\n"
			      "  select +[0-9,]+");
	ck_assert_ptr_nonnull(strstr(run.out, "\nmemory of the server"));
	ck_assert_ptr_null(strstr(run.out, "errors"));
	expect_nothing_left();
}
END_TEST

/* ---- models that go wrong ---------------------------------------------------------------------- */

static void with_models_of_folder(void *context)
{
	char path[PATH_TEXT * 2];

	(void)context;
	snprintf(path, sizeof path, "%s:%s", folder, getenv("PATH"));
	setenv("PATH", path, 1);
}

/* Makes httpd-odd of a shell script, and lets versus try it. */
static struct run run_odd_model_with(const char *script, const char *const argv[])
{
	struct run_setup setup = { .argv = argv,
				   .timeout = LONG_WAIT_MS,
				   .prepare = with_models_of_folder };
	char path[PATH_TEXT * 2], text[1000];
	struct run run;
	int fd;

	snprintf(path, sizeof path, "%s/httpd-odd", folder);
	snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	run = run_program_with(&setup);
	ck_assert_int_eq(unlink(path), 0);
	expect_nothing_left();
	return run;
}

static struct run run_odd_model(const char *script)
{
	return run_odd_model_with(script, ARGUMENTS("versus", "-q", "-r", "1", "-d",
						    slow_seconds(0.2), "-l",
						    "connections", "http", "odd"));
}

START_TEST(a_model_that_ends_by_our_signal_has_ended_well)
{
	struct run run = run_odd_model("sh -c 'export LISTEN_PID=$$; exec "
				       "\"$SOCKWAYS_BIN\"/httpd-select \"$@\"' sh "
				       "\"$@\" &\n"
				       "server=$!\n"
				       "wait_for() { kill -TERM $server; wait $server; "
				       "trap - TERM; kill -TERM $$; }\n"
				       "trap wait_for TERM\n"
				       "wait $server");

	run_expect_status(&run, 0);
	ck_assert_str_eq(run.err, "");
	expect_match(run.out, "\n  odd +[0-9]");
}
END_TEST

START_TEST(a_model_that_fails_does_not_stop_the_others)
{
	struct run run = run_odd_model_with("echo 'no tea today' >&2\nexit 1",
					    ARGUMENTS("versus", "-q", "-r", "2", "-d",
						      slow_seconds(0.1), "-l",
						      "connections,idle", "-i", "3",
						      "http", "odd", "select", "thread"));

	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "versus: httpd-odd did not start: no tea today "
				  "(exit status 1)\n");
	expect_match(run.out, "\n  odd +- +- +- +- +- +-\n  select +[0-9]");
	ck_assert_ptr_nonnull(strstr(run.out, "\nFailed: httpd-odd did not start: no tea "
					      "today (exit status 1).\n"));
	expect_match(run.out, "\n  thread +[0-9]");
}
END_TEST

/* GIVEN a model that ends in order once it has served a request, WHEN it is put under load,
 * THEN its end is told: all its clients' errors come from that. */
START_TEST(a_model_that_ends_by_itself_is_reported)
{
	struct run run =
		run_odd_model("sh -c 'export LISTEN_PID=$$; exec "
			      "\"$SOCKWAYS_BIN\"/httpd-select \"$@\" -v' sh \"$@\" "
			      ">\"$0.log\" &\n"
			      "until grep -q GET \"$0.log\"; do sleep 0.01; done\n"
			      "rm \"$0.log\"; kill -KILL $!; wait $!; exit 0");

	run_expect_status(&run, 1);
	expect_match(run.err, "^versus: httpd-odd ended by itself with exit status 0");
}
END_TEST

START_TEST(a_model_that_never_answers_fails_and_weighs_nothing)
{
	struct run run = run_odd_model_with(
		"exec \"$SOCKWAYS_BIN\"/discardd-select -q \"$@\"",
		ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.1), "-l",
			  "idle", "-i", "3", "http", "odd"));

	run_expect_status(&run, 1);
	expect_match(run.out,
		     "\n +none of 4 clients served; 4 errors(: |, mostly )[a-z ]+\n");
	ck_assert_ptr_nonnull(strstr(
		run.out, "\nMissing reply from odd: connected, but nothing received.\n"));
	ck_assert_ptr_null(strstr(run.out, "some waited"));
	ck_assert_ptr_nonnull(
		strstr(run.out, "- odd did not serve all clients: there were errors.\n"));
	expect_match(run.out, "\n  odd +[0-9-]+.* - +- +- +- +-\n");
	expect_80_columns(run.out);
}
END_TEST

START_TEST(what_is_wrong_with_a_reply_is_reported)
{
	struct run run =
		run_odd_model("exec \"$SOCKWAYS_BIN\"/greetd-select -m \"$(printf "
			      "'HTTP/1.1 503 Out of tea\\r')\" \"$@\"");

	run_expect_status(&run, 1);
	expect_match(
		run.out,
		"\n +none of 32 clients served; [0-9]+ errors(: |, mostly )[a-z ]+\n");
	ck_assert_ptr_nonnull(strstr(run.out, "\nWrong reply from odd: status: "
					      "\"HTTP/1.1 503 Out of tea\".\n"));
}
END_TEST

START_TEST(what_a_server_says_instead_of_serving_is_reported)
{
	struct run run = run_odd_model("echo 'no tea today' >&2\nexit 1");

	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "versus: httpd-odd did not start: no tea today "
				  "(exit status 1)\n");
}
END_TEST

Suite *suite_versus(void)
{
	Suite *suite = suite_create("versus");
	TCase *tcase = add_case(suite, "tables");

	tcase_add_checked_fixture(tcase, make_folder, NULL);
	tcase_add_loop_test(tcase, tables_of_datagrams_fit_into_80_columns, 0, 3);
	tcase_add_loop_test(tcase, the_widest_figures_fit_into_80_columns, 0, 5);
	tcase_add_loop_test(tcase, a_star_needs_a_difference_in_every_round, 0,
			    (int)(sizeof differences / sizeof *differences));
	tcase_add_test(tcase, a_star_needs_a_difference_larger_than_the_spread);
	tcase_add_test(tcase, a_load_that_was_not_served_has_no_figures);
	tcase_add_test(tcase, a_small_figure_is_not_printed_as_0);
	tcase_add_test(tcase, missing_silent_clients_are_reported);
	tcase_add_test(tcase, many_rows_and_all_loads_fit_into_80_columns);

	tcase = add_case(suite, "http");
	tcase_add_checked_fixture(tcase, make_folder, NULL);
	tcase_add_test(tcase, http_is_compared_in_all_loads);
	tcase_add_test(tcase, file_is_compared_in_all_loads);
	tcase_add_test(tcase, the_file_of_http_is_as_long_as_the_size_option);
	tcase_add_loop_test(tcase, the_files_go_away_however_it_ends, 0,
			    (int)(sizeof ends / sizeof *ends));
	tcase_add_test(tcase, a_place_for_files_that_is_none_is_reported);

	tcase = add_case(suite, "chat");
	tcase_add_checked_fixture(tcase, make_folder, NULL);
	tcase_add_test(tcase, chat_is_compared_where_one_talks_and_where_all_do);

	tcase = add_case(suite, "models that go wrong");
	tcase_add_checked_fixture(tcase, make_folder, NULL);
	tcase_add_test(tcase, a_model_that_ends_by_our_signal_has_ended_well);
	tcase_add_test(tcase, a_model_that_fails_does_not_stop_the_others);
	tcase_add_test(tcase, a_model_that_ends_by_itself_is_reported);
	tcase_add_test(tcase, a_model_that_never_answers_fails_and_weighs_nothing);
	tcase_add_test(tcase, what_is_wrong_with_a_reply_is_reported);
	tcase_add_test(tcase, what_a_server_says_instead_of_serving_is_reported);
	return suite;
}
