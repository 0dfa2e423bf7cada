/*
 * --through COMMAND of dial, xfer and chat: the standard input and output of the command are the
 * connection. The commands here are shell commands, and servers that inetd would start.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

enum { COMMAND = 1024, LOT = 4 * 1024 * 1024 };

static struct run run(const char *const argv[], const char *input)
{
	return run_program(argv, input, strlen(input), WAIT_MS);
}

/* The command line of a program of this project. */
static const char *program(const char *line)
{
	static char command[COMMAND + 32];

	snprintf(command, sizeof command, "\"$SOCKWAYS_BIN\"/%s", line);
	return command;
}

/* ---- dial -------------------------------------------------------------------------------- */

/* The end of the input of cat is the half-close of dial. */
START_TEST(a_command_is_the_connection)
{
	struct run ran =
		run(ARGUMENTS("dial", "--through", "cat", "host", "7"), "one\ntwo\n");

	run_expect_status(&ran, 0);
	ck_assert_str_eq(ran.out, "one\ntwo\n");
	ck_assert_str_eq(ran.err, "");
}
END_TEST

START_TEST(host_and_port_are_in_the_command)
{
	struct run ran = run(ARGUMENTS("dial", "-N", "--through", "echo %h-%p-100%%",
				       "example.org", "77"),
			     "");

	run_expect_status(&ran, 0);
	ck_assert_str_eq(ran.out, "example.org-77-100%\n");
}
END_TEST

/* More than fits between the two, in both directions at once. */
START_TEST(much_goes_both_ways)
{
	char *lot = malloc(LOT);
	struct run ran;

	ck_assert_ptr_nonnull(lot);
	for (size_t i = 0; i < LOT; i++)
		lot[i] = (char)(i * 7 + i / 251);
	ran = run_program(ARGUMENTS("dial", "--through", "cat", "host", "7"), lot, LOT,
			  WAIT_MS);
	run_expect_status(&ran, 0);
	ck_assert_uint_eq(ran.out_length, LOT);
	ck_assert_int_eq(memcmp(ran.out, lot, LOT), 0);
	free(lot);
}
END_TEST

/* GIVEN a command that fails
   THEN dial and xfer end with one line that tells how it failed; xfer does not try again. */
static const struct {
	const char *command, *reason;
} failures[] = {
	{ "exit 3", "the command of --through failed with exit status 3: exit 3\n" },
	{ "exec 2>&-; no-such-command", "--through: command not found (exit status 127): "
					"exec 2>&-; no-such-command\n" },
	{ "exec 2>&-; /dev/null",
	  "--through: the command cannot be executed (exit status 126): exec 2>&-; "
	  "/dev/null\n" },
	{ "kill -KILL $$", "the command of --through was ended by signal 9" },
};

START_TEST(a_command_that_fails_is_named)
{
	const char *command = failures[_i].command;
	struct run ran =
		run(ARGUMENTS("dial", "--through", command, "-m", "x", "host", "7"), "");

	run_expect_status(&ran, 1);
	ck_assert_msg(strstr(ran.err, failures[_i].reason) != NULL, "%s", ran.err);
	ck_assert_ptr_eq(strchr(ran.err, '\n'), ran.err + ran.err_length - 1);
	ran = run(ARGUMENTS("xfer", "--through", command, "ls", "host"), "");
	run_expect_status(&ran, 1);
	ck_assert_msg(strstr(ran.err, failures[_i].reason) != NULL, "%s", ran.err);
	ck_assert_ptr_eq(strchr(ran.err, '\n'), ran.err + ran.err_length - 1);
}
END_TEST

/* A reply that came before the failure is printed. */
START_TEST(what_the_command_wrote_before_it_failed_is_printed)
{
	struct run ran = run(
		ARGUMENTS("dial", "--through", "echo half; exit 4", "-N", "host", "7"),
		"");

	run_expect_status(&ran, 1);
	ck_assert_str_eq(ran.out, "half\n");
	ck_assert_msg(strstr(ran.err, "exit status 4") != NULL, "%s", ran.err);
}
END_TEST

/* A test that is a subreaper is the parent of what is left, and waits for it. */
static bool is_gone(void *pid)
{
	waitpid(*(int *)pid, NULL, WNOHANG);
	return kill(*(int *)pid, 0) < 0;
}

/* GIVEN a command that closes the connection and stays
   THEN dial ends it, and nothing is left. */
START_TEST(a_command_that_stays_is_ended)
{
	struct run ran =
		run(ARGUMENTS("dial", "-N", "--through",
			      "echo $$; exec <&- >&- 2>&- sleep 600", "host", "7"),
		    "");
	int pid = atoi(ran.out);

	run_expect_status(&ran, 0);
	ck_assert_int_gt(pid, 1);
	ck_assert_int_lt(kill(pid, 0), 0);
}
END_TEST

/* GIVEN a shell that waits for a process, and neither notices the end of the connection
   THEN dial ends both. */
START_TEST(a_process_of_the_command_is_ended)
{
	struct run ran;
	int pid;

	if (!process_facts_available())
		return;
	ran = run(ARGUMENTS("dial", "-N", "--through",
			    "sh -c 'echo $$; exec <&- >&- 2>&- sleep 600' & "
			    "exec <&- >&- 2>&-; wait",
			    "host", "7"),
		  "");
	pid = atoi(ran.out);
	run_expect_status(&ran, 0);
	ck_assert_int_gt(pid, 1);
	ck_assert_msg(eventually(is_gone, &pid, WAIT_MS), "%d is left", pid);
}
END_TEST

START_TEST(bad_usage_is_refused)
{
	static const struct {
		const char *option, *command, *host, *reason;
	} wrong[] = {
		{ "-q", " ", "host", "--through: the command is empty" },
		{ "-q", "a %z", "host", "--through: '%' must be followed by h, p or %" },
		{ "-q", "a %h", "a;b", "--through: %h cannot be used" },
		{ "-q", "a %h", "-oProxyCommand", "--through: %h cannot be used" },
		{ "-R", "cat", "host", "-R, --retry cannot be used with --through" },
		{ "-4", "cat", "host", "-4 and -6 cannot be used with --through" },
		{ "-u", "cat", "host", "--through cannot be used with -u" },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct run ran =
			run(ARGUMENTS("dial", wrong[i].option, "--through",
				      wrong[i].command, "--", wrong[i].host, "7"),
			    "");

		run_expect_status(&ran, 2);
		ck_assert_msg(strstr(ran.err, wrong[i].reason) != NULL, "%s", ran.err);
	}
}
END_TEST

/* ---- xfer and chat ----------------------------------------------------------------------- */

START_TEST(files_go_through_a_command)
{
	struct folder folder;
	char line[COMMAND];
	struct run ran;

	folder_create(&folder);
	snprintf(line, sizeof line, "filed-inetd -q -w -r %s", folder.path);
	ran = run(ARGUMENTS("xfer", "-q", "--through", program(line), "-n", "letter.txt",
			    "put", "host", "-"),
		  "All is well.\n");
	run_expect_status(&ran, 0);
	ck_assert_str_eq(ran.err, "");
	folder_expect_file(&folder, "letter.txt", "All is well.\n", 13);
	ran = run(ARGUMENTS("xfer", "-q", "--through", program(line), "-o", "-", "get",
			    "host", "letter.txt"),
		  "");
	run_expect_status(&ran, 0);
	ck_assert_str_eq(ran.out, "All is well.\n");
	folder_remove(&folder);
}
END_TEST

/* GIVEN a command that ends once in the middle of the conversation
   THEN xfer starts it again, and the file arrives. */
START_TEST(a_lost_command_is_started_again)
{
	struct folder folder;
	char line[2 * COMMAND];
	struct run ran;

	folder_create(&folder);
	folder_directory(&folder, "files");
	folder_text(&folder, "files/letter.txt", "All is well.\n");
	snprintf(line, sizeof line,
		 "if mkdir %s/once 2>/dev/null; then read line; printf 'OK 1'; exit 5; "
		 "fi; exec \"$SOCKWAYS_BIN\"/filed-inetd -q -r %s/files",
		 folder.path, folder.path);
	ran = run(ARGUMENTS("xfer", "--retry-delay", "0.01", "--through", line, "-o", "-",
			    "get", "host", "letter.txt"),
		  "");
	run_expect_status(&ran, 0);
	ck_assert_str_eq(ran.out, "All is well.\n");
	ck_assert_msg(strstr(ran.err, "exit status 5") != NULL, "%s", ran.err);
	folder_remove(&folder);
}
END_TEST

/* GIVEN a command that stays and never says anything, WHEN xfer has waited for it, THEN xfer does not
 * start it again. */
START_TEST(a_command_that_has_never_replied_is_not_started_again)
{
	struct folder folder;
	struct run ran;
	char command[COMMAND], log[FOLDER_TEXT];

	folder_create(&folder);
	strcpy(log, folder_path(&folder, "log"));
	snprintf(command, sizeof command, "echo started >>%s; exec sleep 60", log);
	ran = run(ARGUMENTS("xfer", "--retry-delay", "0.01", "-w", slow_seconds(0.3),
			    "--through", command, "ls", "host"),
		  "");
	run_expect_status(&ran, 1);
	ck_assert_msg(strstr(ran.err, "the server was silent") != NULL, "%s", ran.err);
	folder_expect_file(&folder, "log", "started\n", strlen("started\n"));
	folder_remove(&folder);
}
END_TEST

START_TEST(chat_goes_through_a_command)
{
	struct run ran = run(ARGUMENTS("chat", "-n", "alice", "--through",
				       "echo '* welcome'; cat", "host"),
			     "hello\n");

	run_expect_status(&ran, 0);
	ck_assert_str_eq(ran.out, "* welcome\n/nick alice\nhello\n");
}
END_TEST

Suite *suite_through(void)
{
	Suite *suite = suite_create("through");
	TCase *tcase = add_case(suite, "dial");

	tcase_add_test(tcase, a_command_is_the_connection);
	tcase_add_test(tcase, host_and_port_are_in_the_command);
	tcase_add_test(tcase, much_goes_both_ways);
	tcase_add_loop_test(tcase, a_command_that_fails_is_named, 0,
			    sizeof failures / sizeof *failures);
	tcase_add_test(tcase, what_the_command_wrote_before_it_failed_is_printed);
	tcase_add_test(tcase, a_command_that_stays_is_ended);
	tcase_add_test(tcase, a_process_of_the_command_is_ended);
	tcase_add_test(tcase, bad_usage_is_refused);
	tcase = add_case(suite, "xfer and chat");
	tcase_add_test(tcase, files_go_through_a_command);
	tcase_add_test(tcase, a_lost_command_is_started_again);
	tcase_add_test(tcase, a_command_that_has_never_replied_is_not_started_again);
	tcase_add_test(tcase, chat_goes_through_a_command);
	return suite;
}
