/*
 * sockcheck: its options, its formats, and servers that give it trouble.
 *
 * What it says of good servers is in test_sockcheck_servers.c, of bad ones in tests/zoo.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/sockcheck/checks.h"
#include "common/json_read.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

enum { TEXT = 4096 };

#define OWN_SERVER TESTS_BUILD "/own_server"
#define QUICK      "answers,two-at-once,workers,sigterm"

static const char *server_path(const char *name)
{
	static char path[TEXT];

	snprintf(path, sizeof path, "%s/%s", getenv("SOCKWAYS_BIN"), name);
	return path;
}

/* ---- options --------------------------------------------------------------------------- */

static const struct {
	const char *argv[10];
	const char *error;
} wrong[] = {
	{ { "sockcheck" },
	  "no protocol: use one of echo, reply, greet, daytime, discard, http, chat, "
	  "file, counter, request" },
	{ { "sockcheck", "gopher", "localhost", "70" },
	  "there is no protocol 'gopher' \\(use echo, " },
	{ { "sockcheck", "ec\033ho", "localhost", "7" },
	  "there is no protocol 'ec\\\\x1bho'" },
	{ { "sockcheck", "echo" }, "no server: name HOST PORT, or -- and a command" },
	{ { "sockcheck", "echo", "localhost", "70000" }, "70000" },
	{ { "sockcheck", "echo", "localhost", "7", "--", "cat" },
	  "unexpected argument 'localhost': HOST PORT and a command exclude each other" },
	{ { "sockcheck", "--only", "answers,nothing", "echo", "localhost", "7" },
	  "--only: there is no check 'nothing' \\(--list shows all\\)" },
	{ { "sockcheck", "--skip", "x", "echo", "localhost", "7" },
	  "--skip: there is no check 'x'" },
	{ { "sockcheck", "--only", "", "echo", "localhost", "7" },
	  "--only: '' is not a list of checks" },
	{ { "sockcheck", "--explain", "x" }, "--explain: 'x' is not a check" },
	{ { "sockcheck", "--list", "x" }, "unexpected argument 'x'" },
	{ { "sockcheck", "-w", "0", "echo", "localhost", "7" },
	  "-w, --workers: '0' is not a number from 1 to 500" },
	{ { "sockcheck", "--timeout", "0", "echo", "localhost", "7" },
	  "--timeout: '0' is too short" },
	{ { "sockcheck", "request", "localhost", "7" },
	  "the protocol request needs --request and --expect" },
	{ { "sockcheck", "--request", "a", "--expect", "b", "echo", "localhost", "7" },
	  "and no other one has them" },
	{ { "sockcheck", "--request", "\\q", "--expect", "b", "request", "localhost",
	    "7" },
	  "--request: '\\\\\\\\q' has a backslash that begins no escape of C" },
	{ { "sockcheck", "-u", "http", "localhost", "80" },
	  "-u, --udp: sockcheck knows no http on UDP" },
	{ { "sockcheck", "--unix", "echo", "localhost", "7" },
	  "--unix needs -- and a command" },
	{ { "sockcheck", "--unix", "echo", "--", "cat", "{port}" },
	  "with --unix, use \\{path\\} instead of \\{port\\}" },
	{ { "sockcheck", "echo", "--", "cat", "{path}" }, "\\{path\\} needs --unix" },
	{ { "sockcheck", "echo", "./server", "-p", "{port}" },
	  "put -- before the command; try" },
	{ { "sockcheck", "echo", "python3", "server.py", "7007" },
	  "put -- before the command; try" },
	{ { "sockcheck", "echo", OWN_SERVER }, "put -- before the command; try" },
};

START_TEST(bad_usage_is_one_line)
{
	struct run run = run_program(wrong[_i].argv, "", 0, WAIT_MS);

	run_expect_status(&run, 2);
	ck_assert_str_eq(run.out, "");
	ck_assert_ptr_eq(strchr(run.err, '\n'), run.err + run.err_length - 1);
	expect_match(run.err, wrong[_i].error);
	expect_match(run.err, "; try 'sockcheck -h'\n$");
}
END_TEST

START_TEST(help_has_80_columns)
{
	struct run run = run_program(ARGUMENTS("sockcheck", "-h"), "", 0, WAIT_MS);

	run_expect_status(&run, 0);
	expect_80_columns(run.out);
}
END_TEST

START_TEST(the_list_has_all_checks)
{
	struct run run = run_program(ARGUMENTS("sockcheck", "--list"), "", 0, WAIT_MS);
	const char *line = run.out;

	run_expect_status(&run, 0);
	expect_80_columns(run.out);
	for (size_t i = 0; i < checks_count; i++) {
		ck_assert_int_eq(strncmp(line, checks[i].name, strlen(checks[i].name)),
				 0);
		line = strchr(line, '\n') + 1;
	}
	ck_assert_str_eq(line, "");
}
END_TEST

START_TEST(each_check_is_explained)
{
	const struct check_kind *kind = &checks[_i];
	struct run run = run_program(ARGUMENTS("sockcheck", "--explain", kind->name), "",
				     0, WAIT_MS);

	run_expect_status(&run, 0);
	expect_80_columns(run.out);
	expect_match(run.out, "^[a-z-]*: .*\nWhy it matters: .*\nWhat usually breaks it: "
			      ".*\nRead: .*\\([0-9]\\)");
}
END_TEST

/* ---- formats --------------------------------------------------------------------------- */

/* A check that passes, one that fails, and one that is skipped. */
static struct run judge(const char *format)
{
	struct run run =
		run_program(ARGUMENTS("sockcheck", "-q", "--only", QUICK, format, "echo",
				      "--", server_path("echod-iterative"), "-q"),
			    "", 0, LONG_WAIT_MS);

	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "");
	return run;
}

static struct json_tree read_json(const struct run *run)
{
	struct failure failure;
	struct json_tree tree;

	ck_assert_msg(json_read(&tree, run->out, run->out_length, &failure) == 0,
		      "%s:\n%s", failure.text, run->out);
	return tree;
}

static const struct json_value *element(const struct json_value *list, unsigned number)
{
	const struct json_value *value = json_first(list);

	while (number-- > 0 && value != NULL)
		value = value->next;
	ck_assert_ptr_nonnull(value);
	return value;
}

START_TEST(text_has_a_line_for_each_check_and_a_summary)
{
	struct run run = run_program(ARGUMENTS("sockcheck", "--only", QUICK, "echo", "--",
					       server_path("echod-iterative"), "-q"),
				     "", 0, LONG_WAIT_MS);

	run_expect_status(&run, 1);
	expect_80_columns(run.out);
	expect_match(run.out,
		     "^ok    answers             a client gets the right replies\n"
		     "FAIL  two-at-once: client B, while client A is connected, expected "
		     "'line [0-9]+ of\n      sockcheck\\\\n', got nothing; the server "
		     "sleeps\nhint  read accept\\(2\\), .*\n"
		     "skip  workers             skipped: needs -w N, the number of "
		     "workers\n"
		     "ok    sigterm             SIGTERM ends it, and frees its port\n"
		     "2 passed, 1 failed, 1 skipped\n"
		     "a check of --only that is skipped is not a pass: the exit status "
		     "is 1\n$");
}
END_TEST

START_TEST(a_named_check_that_is_skipped_is_not_a_pass)
{
	struct run run =
		run_program(ARGUMENTS("sockcheck", "-q", "--only", "answers,rebind",
				      "echo", "--", server_path("echod-poll"), "-q"),
			    "", 0, LONG_WAIT_MS);

	run_expect_status(&run, 1);
	ck_assert_str_eq(run.out,
			 "skip  rebind              skipped: needs {port} in the "
			 "command: the server must\n      open its port\n"
			 "a check of --only that is skipped is not a pass: the exit "
			 "status is 1\n");
}
END_TEST

/* The server ends after 300 clients, so nobody can say what is left after 2000. */
START_TEST(what_a_failed_load_leaves_open_is_not_judged)
{
	struct run run = run_program(
		ARGUMENTS("sockcheck", "--skip",
			  "two-at-once,own-answers,split-input,pipelined,all-bytes,"
			  "half-close,partial-writes,no-delay,reset-before-reply,"
			  "reset-after-reply,aborted-client,slow-reader,slow-writer,"
			  "many-clients,no-descriptors,idle-cpu,killed-child",
			  "echo", "--", OWN_SERVER, "-e", "300", "{port}"),
		"", 0, LONG_WAIT_MS);

	run_expect_status(&run, 1);
	expect_match(run.out,
		     "skip  zombies             skipped: could not be judged, as "
		     "not all of 2000\n      clients were served: ");
	expect_match(run.out, "\nskip  descriptor-leak .*\nskip  thread-leak ");
	ck_assert_ptr_null(strstr(run.out, "hint"));
	expect_match(run.out, "\na check that could not be judged is not a pass: ");
}
END_TEST

START_TEST(tap_has_a_plan)
{
	struct run run = judge("--tap");

	expect_match(
		run.out,
		"^TAP version 13\n1\\.\\.4\n"
		"ok 1 - answers a client gets the right replies\n"
		"not ok 2 - two-at-once two clients are answered alternately\n"
		"  ---\n  evidence: \"client B, while client A is connected, expected "
		"'line [0-9]+ of sockcheck.*n', got nothing; the server sleeps\"\n  "
		"hint: \"accept\\(2\\), .*\"\n"
		"  \\.\\.\\.\n"
		"ok 3 - workers exactly as many clients as workers are served at once "
		"# SKIP needs -w N, the number of workers\n"
		"ok 4 - sigterm SIGTERM ends it, and frees its port\n"
		"# a check of --only that is skipped is not a pass: the exit status is "
		"1\n$");
}
END_TEST

START_TEST(json_is_a_list_of_verdicts)
{
	static const enum json_kind ok[] = { JSON_TRUE, JSON_FALSE, JSON_NULL,
					     JSON_TRUE };
	static const char *const names[] = { "answers", "two-at-once", "workers",
					     "sigterm" };
	struct run run = judge("--json");
	struct json_tree tree = read_json(&run);

	for (unsigned i = 0; i < 4; i++) {
		const struct json_value *value = element(tree.root, i);

		ck_assert_str_eq(json_text(json_member(value, "name")), names[i]);
		ck_assert_int_eq(json_member(value, "ok")->kind, ok[i]);
		ck_assert_ptr_nonnull(json_text(json_member(value, "evidence")));
	}
	expect_match(json_text(json_member(element(tree.root, 1), "evidence")),
		     "client B, while client A is connected, expected");
	json_free(&tree);
}
END_TEST

/* https://gradescope-autograders.readthedocs.io/en/latest/specs/ */
START_TEST(gradescope_has_a_score_and_tests)
{
	struct run run = judge("--gradescope");
	struct json_tree tree = read_json(&run);
	const struct json_value *tests = json_member(tree.root, "tests"), *failed;
	double score = 0, most = 0;

	ck_assert(json_number(json_member(tree.root, "score"), &score));
	ck_assert_double_eq(score, 2);
	ck_assert_ptr_nonnull(json_text(json_member(tree.root, "output")));
	failed = element(tests, 1);
	ck_assert(json_number(json_member(failed, "score"), &score));
	ck_assert(json_number(json_member(failed, "max_score"), &most));
	ck_assert_double_eq(score, 0);
	ck_assert_double_eq(most, 1);
	ck_assert_str_eq(json_text(json_member(failed, "status")), "failed");
	ck_assert_str_eq(json_text(json_member(failed, "name")),
			 "two-at-once: two clients are answered alternately");
	expect_match(json_text(json_member(failed, "output")), "hint: read accept");
	ck_assert_str_eq(json_text(json_member(element(tests, 2), "status")), "passed");
	ck_assert_ptr_null(element(tests, 2)->next); /* a skipped check is no test */
	json_free(&tree);
}
END_TEST

START_TEST(a_full_disk_is_said)
{
	struct run run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("sockcheck", "--list"),
		.prepare = output_is_full,
	});

	expect_match(run.err, "No space left on device");
	run_expect_status(&run, 1);
}
END_TEST

/* ---- trouble ---------------------------------------------------------------------------- */

static const struct {
	const char *argv[10];
	const char *error, *out;
} troubles[] = {
	{ { "sockcheck", "echo", "--", "/no/server" },
	  "cannot run /no/server: No such file or directory",
	  "^$" },
	{ { "sockcheck", "echo", "--", "/tmp" },
	  "cannot run /tmp: Is a directory",
	  "^$" },
	{ { "sockcheck", "echo", "--", "no-such-server" },
	  "cannot run no-such-server: No such file or directory",
	  "^$" },
	{ { "sockcheck", "echo", "--", OWN_SERVER, "-d", "{port}" },
	  "the server did not start: the server ended with exit status 7; its last line: "
	  "own_server: no tea today",
	  "^$" },
	{ { "sockcheck", "--timeout", "0.5", "echo", "--", OWN_SERVER, "-n", "{port}" },
	  "the server did not start: it does not listen on port [0-9]+",
	  "^$" },
	{ { "sockcheck", "--unix", "--timeout", "0.5", "echo", "--", OWN_SERVER, "-n",
	    "{path}" },
	  "the server did not start: it does not listen on /.*\\.sock",
	  "^$" },
	/* the server leaves its file */
	{ { "sockcheck", "--unix", "--only", "rebind", "echo", "--", OWN_SERVER,
	    "{path}" },
	  "^$",
	  /* "Address already in use" of glibc, "Address in use" of musl */
	  "FAIL  rebind: started again on /.*\\.sock: .*Address\n? *(already|in)" },
	{ { "sockcheck", "echo", "--", OWN_SERVER, "-n", "-i" }, /* with the socket */
	  "^$",
	  "FAIL  answers: the client expected 'line [0-9]+ of sockcheck\\\\n', got "
	  "nothing; the\n      server sleeps; the command has no \\{port\\}: the server "
	  "must accept on\n      descriptor 3\n.*skip  two-at-once         skipped: not "
	  "tried: " },
	{ { "sockcheck", "echo", "--", OWN_SERVER, "-d" },
	  "^$",
	  "FAIL  answers: .*the\n? *server\n? *ended\n? *with\n? *exit\n? *status\n? "
	  "*7;\n? *its" },
	{ { "sockcheck", "--unix", "echo", "--", OWN_SERVER, "-n" },
	  "^$",
	  "the command has no\n? *\\{path\\}: the\n? *server\n? *must\n? *accept" },
	{ { "sockcheck", "--unix", "-u", "echo", "--", OWN_SERVER, "-n" },
	  "^$",
	  "the\n? *command\n? *has\n? *no\n? *\\{path\\}: the\n? *server must\n? "
	  "*receive" },
	{ { "sockcheck", "-u", "echo", "./no-such.sock" },
	  "^$",
	  "FAIL  udp-answers: cannot connect to ./no-such.sock: No such file or "
	  "directory" },
	{ { "sockcheck", "-u", "echo", "--", OWN_SERVER, "-n" },
	  "^$",
	  "the\n? *command\n? *has\n? *no\n? *\\{port\\}: the\n? *server must\n? "
	  "*receive" },
	/* it leaves the foreground */
	{ { "sockcheck", "echo", "--", "sh", "-c", "exit 0", "{port}" },
	  "the server did not start: the server ended with exit status 0; it must stay "
	  "in the foreground\n$",
	  "^$" },
	{ { "sockcheck", "echo", "--", "sh", "-c", "exit 0" },
	  "^$",
	  "it must\n? *stay\n? *in\n? *the\n? *foreground;\n? *the" },
	/* its socket is closed some time before its end can be seen */
	{ { "sockcheck", "--only", "two-at-once", "echo", "--", OWN_SERVER, "-r", "1",
	    "{port}" },
	  "^$",
	  "cannot connect, the\n? *server\n? *ended\n? *with\n? *exit status 0" },
	{ { "sockcheck", "echo", "--", OWN_SERVER, "-w", "{port}" },
	  "^$",
	  "FAIL  answers: the client expected 'line [0-9]+ of sockcheck\\\\n', got 'line "
	  "[0-9]+ of\n? *sockcheck\\\\x0b'" },
	{ { "sockcheck", "echo", "127.0.0.1", "1" },
	  "^$",
	  "FAIL  answers: the client cannot connect to port 1: Connection refused" },
};

START_TEST(trouble_is_said_and_ends)
{
	struct run run = run_program(troubles[_i].argv, "", 0, WAIT_MS);

	run_expect_status(&run, 1);
	expect_match(run.err, troubles[_i].error);
	expect_match(run.out, troubles[_i].out);
}
END_TEST

/* given: a program in the current directory, and PATH with an empty name first; when: it is named
 * without a slash; then: it is found, as by a shell */
START_TEST(an_empty_name_in_path_is_the_current_directory)
{
	char path[4096];
	struct folder folder;
	struct run run;

	snprintf(path, sizeof path, ":%s", getenv("PATH"));
	folder_create(&folder);
	folder_link(&folder, "own-echo", server_path("echod-poll"));
	ck_assert_int_eq(fchdir(folder.fd), 0);
	ck_assert_int_eq(setenv("PATH", path, 1), 0);
	run = run_program(ARGUMENTS("sockcheck", "--only", "answers", "echo", "--",
				    "own-echo", "-q"),
			  "", 0, WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	folder_remove(&folder);
}
END_TEST

/* ---- echo ------------------------------------------------------------------------------- */

static const struct {
	const char *fault, *out;
} lost_bytes[] = {
	{ "tail", "FAIL  all-bytes: a client sent 285 bytes; the last 20, which no "
		  "newline ends,\n "
		  "     did not come back; the server " },
	{ "cr",
	  "FAIL  all-bytes: a client sent 285 bytes; byte 7 was 0x0d and came back as "
	  "0x0a" },
	{ "nul", "FAIL  all-bytes: a client sent 285 bytes; 8 came back, and not byte 9, "
		 "0x00; the\n "
		 "     server " },
	{ "high", "FAIL  all-bytes: a client sent 285 bytes; byte 137 was 0x80 and came "
		  "back as\n "
		  "     0x00" },
};

START_TEST(an_echo_without_some_bytes_fails)
{
	struct run run = run_program(ARGUMENTS("sockcheck", "--only", "answers,all-bytes",
					       "echo", "--", OWN_SERVER, "-b",
					       lost_bytes[_i].fault, "{port}"),
				     "", 0, WAIT_MS);

	run_expect_status(&run, 1);
	expect_match(run.out, "^ok    answers ");
	expect_match(run.out, lost_bytes[_i].out);
}
END_TEST

/* A server that sends back lines sends what is left at the end of the input. */
START_TEST(an_echo_of_lines_may_return_the_rest_at_the_end)
{
	struct run run =
		run_program(ARGUMENTS("sockcheck", "-q", "--only", "all-bytes", "echo",
				      "--", OWN_SERVER, "-b", "late", "{port}"),
			    "", 0, WAIT_MS);

	ck_assert_str_eq(run.out, "");
	run_expect_status(&run, 0);
}
END_TEST

START_TEST(trouble_is_in_every_format)
{
	static const struct {
		const char *format, *out;
	} formats[] = {
		{ "--tap", "^TAP version 13\nBail out! cannot run /no/server: No such" },
		{ "--json", "^\\[\n  \\{\"name\": \"answers\", \"ok\": false, " },
		{ "--gradescope",
		  "\"score\": 0,.*cannot run /no/server.*\"status\": \"failed\"" },
	};
	struct run run = run_program(
		ARGUMENTS("sockcheck", formats[_i].format, "echo", "--", "/no/server"),
		"", 0, WAIT_MS);

	run_expect_status(&run, 1);
	expect_match(run.out, formats[_i].out);
}
END_TEST

/* How many processes run the program that only these tests run. */
static bool none_is_left(void *context)
{
	const char *mark = context; /* not in the arguments of this shell as it is */
	struct run run =
		run_program(ARGUMENTS("/bin/sh", "-c",
				      "for p in /proc/[0-9]*; do "
				      "case $(tr '\\0' ' ' <$p/cmdline 2>/dev/null) in "
				      "*\"mark-of-$0\"*) exit 1; esac; done; exit 0",
				      mark + strlen("mark-of-")),
			    "", 0, WAIT_MS);

	return run_exit_status(&run) == 0;
}

static bool one_is_there(void *context)
{
	return !none_is_left(context);
}

START_TEST(a_signal_leaves_nothing_of_the_server)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	char mark[64];
	struct program program;
	struct run run;

	snprintf(mark, sizeof mark, "mark-of-%ld-%d", (long)getpid(), _i);
	/* a server that ignores SIGTERM, and never answers */
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS(
			"sockcheck", "--timeout", "600", "echo", "--", "/bin/sh", "-c",
			"trap '' TERM; while :; do sleep 0.05; done; : $0", mark) });
	ck_assert_msg(eventually(one_is_there, mark, WAIT_MS), "the server does not run");
	kill(program.pid, signals[_i]);
	run = program_wait(&program, WAIT_MS);
	run_expect_status(&run, 1);
	expect_match(run.err, "^sockcheck: interrupted\n");
	ck_assert_msg(eventually(none_is_left, mark, WAIT_MS), "the server still runs");
}
END_TEST

Suite *suite_sockcheck(void)
{
	Suite *suite = suite_create("sockcheck");
	TCase *tcase = add_case(suite, "options");

	tcase_add_loop_test(tcase, bad_usage_is_one_line, 0,
			    sizeof wrong / sizeof *wrong);
	tcase_add_test(tcase, help_has_80_columns);
	tcase_add_test(tcase, the_list_has_all_checks);
	tcase_add_loop_test(tcase, each_check_is_explained, 0, (int)checks_count);

	tcase = add_case(suite, "formats");
	tcase_add_test(tcase, text_has_a_line_for_each_check_and_a_summary);
	tcase_add_test(tcase, a_named_check_that_is_skipped_is_not_a_pass);
	tcase_add_test(tcase, what_a_failed_load_leaves_open_is_not_judged);
	tcase_add_test(tcase, tap_has_a_plan);
	tcase_add_test(tcase, json_is_a_list_of_verdicts);
	tcase_add_test(tcase, gradescope_has_a_score_and_tests);
	tcase_add_test(tcase, a_full_disk_is_said);

	tcase = add_case(suite, "echo");
	tcase_add_loop_test(tcase, an_echo_without_some_bytes_fails, 0,
			    sizeof lost_bytes / sizeof *lost_bytes);
	tcase_add_test(tcase, an_echo_of_lines_may_return_the_rest_at_the_end);

	tcase = add_case(suite, "trouble");
	tcase_add_test(tcase, an_empty_name_in_path_is_the_current_directory);
	tcase_add_loop_test(tcase, trouble_is_said_and_ends, 0,
			    sizeof troubles / sizeof *troubles);
	tcase_add_loop_test(tcase, trouble_is_in_every_format, 0, 3);
	tcase_add_loop_test(tcase, a_signal_leaves_nothing_of_the_server, 0, 3);
	return suite;
}
