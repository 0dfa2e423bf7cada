/*
 * versus with servers that are none of the suite's: --server, --request and --expect.
 *
 * Most of them are own_server.c, which does what its options say.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/versus/server_command.h"
#include "common/io.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

#define OWN TESTS_BUILD "/own_server"

enum { PATH_TEXT = 300 };

static struct run run_versus(const char *const argv[])
{
	struct run_setup setup = { .argv = argv, .timeout = LONG_WAIT_MS };

	return run_program_with(&setup);
}

/* Short arguments for one load, and what follows them. */
#define SHORT(...)                                                                       \
	ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.1), "-c", "4", "-l",   \
		  __VA_ARGS__)

/* ---- names ----------------------------------------------------------------------------- */

static const struct {
	const char *argument, *name, *command;
	bool named;
} commands[] = {
	{ "./myserver {port}", "myserver", "./myserver {port}", false },
	{ "mine=./myserver", "mine", "./myserver", true },
	{ "my own server=./myserver", "my own server", "./myserver", true },
	{ "  ./myserver", "myserver", "./myserver", false },
	{ "PORT={port} node server.js", "node", "PORT={port} node server.js", false },
	{ "exec env A=b /usr/bin/python3 x", "python3", "exec env A=b /usr/bin/python3 x",
	  false },
	{ "./server --port={port}", "server", "./server --port={port}", false },
	{ "server -p=7", "server", "server -p=7", false },
	{ "'./my server' {port}", "my server", "'./my server' {port}", false },
	{ "\"/a b/c d\"", "c d", "\"/a b/c d\"", false },
	{ "a=b=c", "a", "b=c", true },
	{ "env", "env", "env", false },
	{ "./caf\xc3\xa9", "caf\\xc3\\xa9", "./caf\xc3\xa9", false },
};

START_TEST(a_row_has_the_name_given_or_that_of_the_command)
{
	struct server_process server;
	struct failure failure;
	bool named;

	ck_assert_int_eq(
		server_command_take(&server, commands[_i].argument, &named, &failure), 0);
	ck_assert_str_eq(server.name, commands[_i].name);
	ck_assert_str_eq(server.command, commands[_i].command);
	ck_assert_int_eq(named, commands[_i].named);
}
END_TEST

static const struct {
	const char *word, *written;
} words[] = {
	{ "-e", "-e" },
	{ "--server", "--server" },
	{ "./a,b:c=1+2@3%4", "./a,b:c=1+2@3%4" },
	{ "", "''" },
	{ "a b", "'a b'" },
	{ "$HOME;*", "'$HOME;*'" },
	{ "sh -c 'exec x'", "'sh -c '\\''exec x'\\'''" },
};

START_TEST(a_word_can_be_pasted_into_a_shell)
{
	char *text = NULL;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(memory);
	server_command_write_word(words[_i].word, memory);
	ck_assert_int_eq(fclose(memory), 0);
	ck_assert_str_eq(text, words[_i].written);
	free(text);
}
END_TEST

START_TEST(a_long_name_is_cut_and_keeps_its_number)
{
	struct server_process server;
	struct failure failure;
	char argument[200];
	bool named;

	snprintf(argument, sizeof argument, "%0150d=x", 0);
	ck_assert_int_eq(server_command_take(&server, argument, &named, &failure), 0);
	ck_assert_uint_lt(strlen(server.name), SERVER_PROCESS_NAME);
	server_command_number(&server, 12);
	ck_assert_uint_lt(strlen(server.name), SERVER_PROCESS_NAME);
	expect_match(server.name, "-12$");
}
END_TEST

static const char *const bad_usage[][2] = {
	{ "", "--server: '' has no command" },
	{ "  ", "--server: '' has no command" },
	{ "mine=", "--server: 'mine=' has no command" },
	{ "select=x", "the name select is given twice" },
};

START_TEST(a_server_without_a_command_or_with_a_taken_name_is_refused)
{
	struct run run = run_versus(
		SHORT("conversations", "--server", bad_usage[_i][0], "echo", "select"));

	run_expect_status(&run, 2);
	ck_assert_ptr_nonnull(strstr(run.err, bad_usage[_i][1]));
}
END_TEST

START_TEST(the_same_command_twice_gets_a_number)
{
	struct run run = run_versus(SHORT("conversations", "--server", OWN " {port}",
					  "--server", OWN " 3", "echo"));

	run_expect_status(&run, 0);
	expect_match(run.out, "\n  own_server +[0-9].*\n  own_server-2 +[0-9]");
}
END_TEST

/* ---- the contract ---------------------------------------------------------------------- */

static const char *const good_commands[] = {
	"own=" OWN " {port}",         "own=" OWN " 3",
	"own=exec " OWN " 3",         "own=A=1 B=2 " OWN " 3",
	"own=cd / && exec " OWN " 3", "own=cd /; " OWN " {port}",
	"own=" OWN " -l {port}", /* prints more than a pipe holds */
};

START_TEST(a_server_of_the_user_is_in_the_table)
{
	struct run run = run_versus(
		ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.2), "-c", "4",
			  "-i", "20", "--server", good_commands[_i], "echo", "select"));

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_str_eq(run.err, "");
	expect_match(run.out, "\n  select +[0-9].*\n  own +[0-9].*\n\nconnections");
	expect_match(run.out, "\n\nidle.*\n  own +[0-9].*\n\nbulk.*\n  own +[0-9]");
	ck_assert_ptr_null(strstr(run.out, "errors"));
	ck_assert_ptr_null(strstr(run.out, "own_server"));
}
END_TEST

START_TEST(all_stands_for_the_models_of_the_suite)
{
	struct run run = run_versus(
		SHORT("connections", "--server", OWN " {port}", "daytime", "all"));

	expect_match(run.out, "\n  iterative .*\n  select .*\n  own_server ");
}
END_TEST

START_TEST(without_a_model_only_the_servers_are_compared)
{
	struct run run =
		run_versus(SHORT("conversations", "--server", OWN " {port}", "echo"));

	run_expect_status(&run, 0);
	ck_assert_ptr_null(strstr(run.out, "select"));
	expect_match(run.out, "\n  own_server +[0-9]");
}
END_TEST

static const struct {
	const char *command, *failure;
} failing[] = {
	{ "own=" OWN " -d",
	  "own did not start: own_server: no tea today (exit status 7)" },
	{ "own=exit 3", "own did not start: " },
	{ "own=cd / && exit 3",
	  "own did not start: exit status 3, and it printed no message" },
	{ "own=kill -KILL $$; true",
	  "own did not start: signal 9, and it printed no message" },
	{ "own=/no/such/server {port}", "/no/such/server" },
	{ "own=" OWN " -w {port}", NULL },
};

START_TEST(a_server_that_fails_does_not_stop_the_others)
{
	struct run run = run_versus(
		ARGUMENTS("versus", "-q", "-r", "2", "-d", slow_seconds(0.1), "-c", "4",
			  "-l", "conversations,connections", "--server",
			  failing[_i].command, "echo", "select", "thread"));
	const char *failure = failing[_i].failure;

	run_expect_status(&run, 1);
	expect_match(run.out, "\n  own +- +- +- +- +- +-\n");
	expect_match(run.out, "\n  select +[0-9].*\n  thread +[0-9]");
	if (failure != NULL) {
		ck_assert_msg(strstr(run.err, failure) != NULL, "%s", run.err);
		ck_assert_msg(strchr(run.err, '\n') == run.err + run.err_length - 1,
			      "not one line: %s", run.err);
		ck_assert_ptr_nonnull(strstr(run.out, "\nFailed: own did not start: "));
	} else {
		expect_match(run.out, "\n +none of 4 clients served; [0-9]+ errors(: |, "
				      "mostly )[a-z ]+\n");
		ck_assert_ptr_nonnull(strstr(run.out, "\nWrong reply from own: byte "));
	}
}
END_TEST

static const char *const silent[][2] = {
	{ OWN " -n {port}", "its port accepts no client after" },
	{ OWN " -n", "it did not print 'listening on' within" },
};

START_TEST(a_server_that_never_listens_is_reported)
{
	char name[100];
	struct run run;

	snprintf(name, sizeof name, "own_server did not start: %s 10 s", silent[_i][1]);
	run = run_versus(
		SHORT("conversations", "--server", silent[_i][0], "echo", "select"));
	run_expect_status(&run, 1);
	ck_assert_msg(strstr(run.err, name) != NULL, "%s", run.err);
	expect_match(run.out, "\n  select +[0-9]");
}
END_TEST

/* ---- its processes --------------------------------------------------------------------- */

static bool can_be_parent_of_orphans(void)
{
	return programs_use("PR_SET_CHILD_SUBREAPER") &&
	       kernel_has("PR_SET_CHILD_SUBREAPER");
}

static char folder[FOLDER_TEXT];

static void make_folder(void)
{
	folder_create_path(folder, "versus");
}

/* Reads a number that a command has written into the file of this name. */
static long number_in(const char *name)
{
	char path[PATH_TEXT];
	long number = 0;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%ld", &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

/* Only on Linux versus adopts what its servers leave. In a portable build such a process becomes a
 * child of this one, which must wait for it. */
static bool process_is_gone(void *pid)
{
	if (!programs_use_linux())
		(void)waitpid(*(pid_t *)pid, NULL, WNOHANG);
	return kill(*(pid_t *)pid, 0) < 0 && errno == ESRCH;
}

static void expect_gone(void)
{
	pid_t pid = (pid_t)number_in("pid");

	ck_assert_int_gt(pid, 0);
	ck_assert(eventually(process_is_gone, &pid, WAIT_MS));
}

/* GIVEN a shell that starts the server in the background, WHEN both get SIGTERM, THEN both
 * end, and the CPU time is that of the server. */
START_TEST(all_processes_of_a_command_are_measured_and_stopped)
{
	char command[2 * PATH_TEXT], tsv[PATH_TEXT], *line, *cpu;
	struct run run;

	snprintf(command, sizeof command, "own=%s {port} & echo $! >%s/pid; wait", OWN,
		 folder);
	snprintf(tsv, sizeof tsv, "%s/tsv", folder);
	run = run_versus(SHORT("conversations", "--tsv", "/dev/stderr", "--server",
			       command, "echo"));
	run_expect_status(&run, 0);
	expect_gone();
	line = strchr(run.err, '\n');
	ck_assert_ptr_nonnull(line);
	/* service model load round served connections errors rate bytes p50 p99 CPU */
	cpu = line + 1;
	for (int column = 0; column < 11; column++) {
		cpu = strchr(cpu, '\t');
		ck_assert_ptr_nonnull(cpu);
		cpu++;
	}
	if (process_facts_available() && can_be_parent_of_orphans())
		ck_assert_msg(strtod(cpu, NULL) > 0.5, "%s", line);
}
END_TEST

/* GIVEN a server that says at its end how many clients each of its workers had, WHEN connections
 * are measured, THEN the smallest and the largest share are below the table. */
START_TEST(the_shares_of_its_workers_are_printed)
{
	char command[2 * PATH_TEXT];
	struct run run;

	snprintf(command, sizeof command,
		 "own=trap : TERM; %s {port} & wait; wait; "
		 "echo own: clients by worker 1 3 4 >&2",
		 OWN);
	run = run_versus(SHORT("connections", "--server", command, "echo"));
	run_expect_status(&run, 0);
	expect_match(run.out, "\n  clients in % +workers +least +most\n"
			      "  own +3 +12\\.5 +50\\.0\n");
}
END_TEST

/* GIVEN a command that binds its UDP port some time after its start, WHEN it is measured, THEN the
 * load waits for it. */
START_TEST(a_datagram_server_with_a_port_of_its_own_is_waited_for)
{
	char command[2 * PATH_TEXT];
	struct run run;

	snprintf(command, sizeof command,
		 "mine=sleep 0.3; exec %s/echod-select -q -u -p {port}",
		 getenv("SOCKWAYS_BIN"));
	run = run_versus(SHORT("conversations", "-u", "--server", command, "echo"));
	run_expect_status(&run, 0);
	expect_match(run.out, "\n  mine +[0-9,]+ ");
}
END_TEST

/* GIVEN a server that closes before its reply is complete, WHEN it is measured, THEN its row says
 * so. */
START_TEST(the_kind_of_the_errors_is_printed)
{
	char command[2 * PATH_TEXT];
	struct run run;

	snprintf(command, sizeof command,
		 "short=exec %s/greetd-select -q -m hi -p {port}",
		 getenv("SOCKWAYS_BIN"));
	run = run_versus(SHORT("connections", "--server", command, "--request", "hello",
			       "--expect", "hi\\nthere"));
	expect_match(run.out, "; [0-9]+ errors(: |, mostly )early closes?\n");
}
END_TEST

START_TEST(a_server_of_inetd_cannot_be_compared)
{
	struct run run = run_versus(SHORT("conversations", "echo", "inetd"));

	run_expect_status(&run, 2);
	ck_assert_str_eq(run.out, "");
	ck_assert_ptr_nonnull(strstr(run.err, "inetd does not listen"));
}
END_TEST

/* GIVEN a server whose children nobody waits for, WHEN it is measured, THEN their CPU time
 * is lost, and the columns say so. */
START_TEST(cpu_time_that_is_not_known_is_not_printed)
{
	struct run run;

	if (!process_facts_available()) {
		skipped("needs /proc");
		return;
	}
	run = run_versus(SHORT("conversations", "--server", OWN " -f {port}", "echo"));
	run_expect_status(&run, 0);
	expect_match(run.out, "\n  own_server +[0-9,]+ +- +[0-9.,]+ +[0-9.,]+ +- +-\n");
}
END_TEST

START_TEST(a_server_that_ignores_sigterm_is_killed)
{
	char command[2 * PATH_TEXT];
	struct run run;

	snprintf(command, sizeof command, "own=echo $$ >%s/pid; exec %s -i {port}",
		 folder, OWN);
	run = run_versus(SHORT("conversations", "--server", command, "echo"));
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "versus: own did not stop within 8 s after SIGTERM\n");
	expect_gone();
}
END_TEST

/* GIVEN a server that is stopped, WHEN versus ends it, THEN it does not wait for seconds, and says
 * what was wrong. */
START_TEST(a_server_that_is_stopped_is_killed_soon)
{
	char command[2 * PATH_TEXT];
	struct run run;

	if (!process_facts_available()) {
		skipped("needs /proc");
		return;
	}
	snprintf(command, sizeof command, "own=echo $$ >%s/pid; exec %s -s {port}",
		 folder, OWN);
	run = run_versus(SHORT("conversations", "--server", command, "echo"));
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "versus: own was stopped by a signal, such as SIGSTOP, "
				  "and did not end after SIGTERM\n");
	expect_gone();
}
END_TEST

/* GIVEN a server that leaves a process in a session of its own, WHEN versus ends the server, THEN
 * this process ends, too, and the CPU time is not known. */
START_TEST(a_process_that_has_left_the_group_is_ended)
{
	char command[2 * PATH_TEXT];
	struct run run;

	if (!process_facts_available()) {
		skipped("needs /proc");
		return;
	}
	if (!can_be_parent_of_orphans())
		return;
	snprintf(command, sizeof command, "own=%s -o %s/pid {port}", OWN, folder);
	run = run_versus(SHORT("conversations", "--server", command, "echo"));
	run_expect_status(&run, 0);
	expect_match(run.out, "\n  own +[0-9,]+ +- +[0-9.,]+ +[0-9.,]+ +- +-\n");
	expect_gone();
}
END_TEST

static bool has_pid(void *context)
{
	(void)context;
	return number_in("pid") > 0;
}

static void expect_text(const char *path, const char *text)
{
	char found[80] = "";
	FILE *file = fopen(path, "r");

	ck_assert_ptr_nonnull(file);
	found[fread(found, 1, sizeof found - 1, file)] = '\0';
	fclose(file);
	ck_assert_str_eq(found, text);
}

static const int interrupts[] = { SIGINT, SIGHUP };

/* GIVEN a comparison that takes minutes, WHEN the user presses Ctrl-C or closes the terminal, THEN
 * versus prints the table of what there is, no server is left, and the file of an earlier run stays:
 * no run is complete. */
START_TEST(an_interrupt_prints_what_there_is)
{
	char command[2 * PATH_TEXT], json[PATH_TEXT], expected[2 * PATH_TEXT];
	struct run_setup setup = { 0 };
	struct program versus;
	struct run run;
	FILE *file;

	snprintf(command, sizeof command, "own=echo $$ >%s/pid; exec %s -n {port}",
		 folder, OWN);
	snprintf(json, sizeof json, "%s/json", folder);
	file = fopen(json, "w");
	ck_assert_ptr_nonnull(file);
	fputs("earlier", file);
	fclose(file);
	setup.argv =
		ARGUMENTS("versus", "-q", "-r", "9", "-d", "60", "-l", "conversations",
			  "--json", json, "--server", command, "echo");
	versus = program_start(&setup);
	ck_assert(eventually(has_pid, NULL, WAIT_MS));
	kill(versus.pid, interrupts[_i]);
	run = program_wait(&versus, LONG_WAIT_MS);
	run_expect_status(&run, 1);
	snprintf(expected, sizeof expected,
		 "versus: interrupted: the table shows the runs so far\n"
		 "versus: %s is not written: no run is complete\n",
		 json);
	ck_assert_str_eq(run.err, expected);
	expect_text(json, "earlier");
	unlink(json);
	expect_match(run.out, "\n  own +- +- +- +- +- +-\n");
	expect_gone();
}
END_TEST

/* ---- a load of the user ---------------------------------------------------------------- */

static const struct {
	const char *request, *expect;
	bool right;
} requests[] = {
	{ "hello\\n", "hello\\n", true },
	{ "a\\0b\\xff", "a\\x00b\\377", true },
	{ "hello\\n", "hello\\r\\n", false },
	{ "hello\\n", "hell", false },
};

START_TEST(a_service_without_a_load_is_loaded_by_request_and_reply)
{
	struct run run = run_versus(
		ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.1), "-c", "4",
			  "-i", "10", "--request", requests[_i].request, "--expect",
			  requests[_i].expect, "--server", OWN " {port}"));

	ck_assert_msg(run_exit_status(&run) == !requests[_i].right, "%s%s", run.err,
		      run.out);
	ck_assert_str_eq(run.err, "");
	expect_match(run.out, "^request: median");
	if (requests[_i].right)
		expect_match(run.out, "\n  own_server +[0-9].*\n\nconnections.*\n"
				      "  own_server +[0-9].*\n\nidle.*\n"
				      "  own_server +[0-9]");
	else
		expect_match(run.out, "\n  own_server +- +- +- +- +- +-\n"
				      " +none of 4 clients served; [0-9]+ errors(: |, "
				      "mostly )[a-z ]+\n");
	ck_assert_int_eq(strstr(run.out, "\nWrong reply from own_server: ") == NULL,
			 requests[_i].right);
}
END_TEST

START_TEST(the_request_replaces_the_load_of_a_service)
{
	struct run run =
		run_versus(SHORT("conversations", "--request", "hi\\n", "--expect",
				 "Message received\\n", "reply", "select", "thread"));

	run_expect_status(&run, 0);
	expect_match(run.out, "^reply: median.*replies of 17 bytes.*\n  select +[0-9].*\n"
			      "  thread +[0-9]");
}
END_TEST

static const char *const bad_requests[][4] = {
	{ "--request", "a", "-q", "--request and --expect need each other" },
	{ "--expect", "a", "-q", "--request and --expect need each other" },
	{ "--request", "", "--expect=a", "--request and --expect need each other" },
	{ "--request", "\\q", "--expect=a", "--request: '\\\\q' has a backslash" },
};

START_TEST(half_a_load_is_refused)
{
	const char *const *options = bad_requests[_i];
	struct run run = run_versus(ARGUMENTS("versus", options[0], options[1],
					      options[2], "--server", "x", "echo"));

	run_expect_status(&run, 2);
	ck_assert_msg(strstr(run.err, options[3]) != NULL, "%s", run.err);
}
END_TEST

/* ---- JSON and the crowd ---------------------------------------------------------------- */

START_TEST(json_has_the_reason_and_no_figures_of_a_failure)
{
	struct run run =
		run_versus(SHORT("conversations", "--json", "/dev/stderr", "--server",
				 "'/no/such \"server\"' {port}", "echo", "select"));

	run_expect_status(&run, 1);
	expect_match(run.err,
		     "\\{\"model\": \"such \\\\\"server\\\\\"\", \"load\": "
		     "\"conversations\", \"rounds\": 0, .*\"failure\": \"such "
		     ".*did not start.*\"p50_microseconds\": \\{\"median\": null");
	expect_match(run.err, "\"model\": \"select\".* \"failure\": null,");
}
END_TEST

START_TEST(the_crowd_is_of_950_silent_clients)
{
	struct run run =
		run_versus(ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.1),
				     "-l", "idle", "echo", "select"));

	run_expect_status(&run, 0);
	expect_match(run.out, "\nidle: 4 clients and 950 silent clients, messages of 64 "
			      "bytes\n.*\n  select .*\n\nmemory");
}
END_TEST

static void with_few_descriptors(void *context)
{
	const struct rlimit few = { 300, 300 };

	(void)context;
	setrlimit(RLIMIT_NOFILE, &few);
}

START_TEST(the_crowd_is_smaller_if_descriptors_do_not_suffice)
{
	struct run_setup setup = { .argv = ARGUMENTS("versus", "-q", "-r", "1", "-d",
						     slow_seconds(0.1), "-l", "idle",
						     "echo", "select"),
				   .timeout = LONG_WAIT_MS,
				   .prepare = with_few_descriptors };
	struct run run = run_program_with(&setup);

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	expect_match(run.out, "\nidle: 4 clients and 1[0-9][0-9] silent clients");
}
END_TEST

Suite *suite_versus_servers(void)
{
	Suite *suite = suite_create("versus_servers");
	TCase *tcase = add_case(suite, "names");

	tcase_add_loop_test(tcase, a_row_has_the_name_given_or_that_of_the_command, 0,
			    (int)(sizeof commands / sizeof *commands));
	tcase_add_test(tcase, a_long_name_is_cut_and_keeps_its_number);
	tcase_add_loop_test(tcase, a_word_can_be_pasted_into_a_shell, 0,
			    (int)(sizeof words / sizeof *words));
	tcase_add_loop_test(tcase,
			    a_server_without_a_command_or_with_a_taken_name_is_refused, 0,
			    (int)(sizeof bad_usage / sizeof *bad_usage));
	tcase_add_test(tcase, the_same_command_twice_gets_a_number);

	tcase = add_case(suite, "the contract");
	tcase_add_loop_test(tcase, a_server_of_the_user_is_in_the_table, 0,
			    (int)(sizeof good_commands / sizeof *good_commands));
	tcase_add_test(tcase, all_stands_for_the_models_of_the_suite);
	tcase_add_test(tcase, without_a_model_only_the_servers_are_compared);
	tcase_add_loop_test(tcase, a_server_that_fails_does_not_stop_the_others, 0,
			    (int)(sizeof failing / sizeof *failing));
	tcase_add_loop_test(tcase, a_server_that_never_listens_is_reported, 0,
			    (int)(sizeof silent / sizeof *silent));

	tcase = add_case(suite, "its processes");
	tcase_add_checked_fixture(tcase, make_folder, NULL);
	tcase_add_test(tcase, all_processes_of_a_command_are_measured_and_stopped);
	tcase_add_test(tcase, the_shares_of_its_workers_are_printed);
	tcase_add_test(tcase, a_datagram_server_with_a_port_of_its_own_is_waited_for);
	tcase_add_test(tcase, the_kind_of_the_errors_is_printed);
	tcase_add_test(tcase, a_server_of_inetd_cannot_be_compared);
	tcase_add_test(tcase, cpu_time_that_is_not_known_is_not_printed);
	tcase_add_test(tcase, a_server_that_ignores_sigterm_is_killed);
	tcase_add_test(tcase, a_server_that_is_stopped_is_killed_soon);
	tcase_add_test(tcase, a_process_that_has_left_the_group_is_ended);
	tcase_add_loop_test(tcase, an_interrupt_prints_what_there_is, 0,
			    (int)(sizeof interrupts / sizeof *interrupts));

	tcase = add_case(suite, "a load of the user");
	tcase_add_loop_test(tcase,
			    a_service_without_a_load_is_loaded_by_request_and_reply, 0,
			    (int)(sizeof requests / sizeof *requests));
	tcase_add_test(tcase, the_request_replaces_the_load_of_a_service);
	tcase_add_loop_test(tcase, half_a_load_is_refused, 0,
			    (int)(sizeof bad_requests / sizeof *bad_requests));

	tcase = add_case(suite, "JSON and the crowd");
	tcase_add_test(tcase, json_has_the_reason_and_no_figures_of_a_failure);
	tcase_add_test(tcase, the_crowd_is_of_950_silent_clients);
	tcase_add_test(tcase, the_crowd_is_smaller_if_descriptors_do_not_suffice);
	return suite;
}
