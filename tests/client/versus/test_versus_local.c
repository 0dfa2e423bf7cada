/*
 * versus --unix: the servers and the load over UNIX-domain sockets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { NAME_TEXT = 256 };

#define SHORT(...)                                                                       \
	ARGUMENTS("versus", "-q", "-r", "1", "-d", slow_seconds(0.1), "-c", "4",         \
		  __VA_ARGS__)

static struct folder folder;

static void set_up(void)
{
	folder_create(&folder);
	ck_assert_int_eq(setenv("TMPDIR", folder.path, 1), 0);
}

static void tear_down(void)
{
	folder_remove(&folder);
}

static struct run run_versus(const char *const argv[])
{
	return run_program_with(
		&(struct run_setup){ .argv = argv, .timeout = LONG_WAIT_MS });
}

START_TEST(the_table_and_the_json_name_the_transport)
{
	char tcp[NAME_TEXT], local[NAME_TEXT];
	struct run run;

	strcpy(tcp, folder_path(&folder, "tcp.json"));
	strcpy(local, folder_path(&folder, "unix.json"));
	run = run_versus(
		SHORT("-l", "conversations", "--json", tcp, "echo", "fork", "select"));
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	run = run_versus(SHORT("-l", "conversations", "--json", local, "--unix",
			       "--compare", tcp, "echo", "fork", "select"));
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_ptr_nonnull(
		strstr(run.out, "echo over UNIX-domain sockets: median of 1 round"));
	expect_match(run.out, "\n  fork  +[0-9,]+ ");
	ck_assert_ptr_nonnull(strstr(run.out, "\nThe transport was tcp and is unix: the "
					      "change includes what it costs.\n"));
	ck_assert_ptr_null(strstr(run.out, "Warning"));
	run = run_program(ARGUMENTS("/bin/grep", "-c", "\"transport\": \"unix\"", local),
			  "", 0, WAIT_MS);
	ck_assert_str_eq(run.out, "1\n");
}
END_TEST

START_TEST(datagrams_are_compared_with_those_of_udp)
{
	char udp[NAME_TEXT];
	struct run run;

	if (!programs_use(ABSTRACT_NAMES))
		return;
	strcpy(udp, folder_path(&folder, "udp.json"));
	run = run_versus(SHORT("-u", "-l", "conversations", "--json", udp, "echo", "fork",
			       "select"));
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	run = run_versus(SHORT("--unix", "-u", "-l", "conversations", "--compare", udp,
			       "--server",
			       "mine=\"$SOCKWAYS_BIN\"/echod-thread -q -u -a {path}",
			       "echo", "fork", "select"));
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_ptr_nonnull(
		strstr(run.out, "echo over datagrams of UNIX-domain sockets: median"));
	expect_match(run.out, "\n  fork  +[0-9,]+ ");
	expect_match(run.out, "\n  mine  +[0-9,]+ ");
	ck_assert_ptr_nonnull(strstr(run.out, "\nThe transport was udp and is "
					      "unix-datagram: the change includes"));
	ck_assert_ptr_null(strstr(run.out, "Warning"));
}
END_TEST

/* With all loads that the service has. */
START_TEST(services_are_compared)
{
	static const char *const services[] = { "chat", "greet", "discard", "file" };
	struct run run =
		run_versus(SHORT("--unix", "-i", "10", services[_i], "fork", "select"));

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_ptr_null(strstr(run.out, "errors"));
}
END_TEST

/* The file that the command leaves behind is removed. */
START_TEST(a_command_gets_a_path)
{
	struct run run = run_versus(SHORT(
		"-l", "conversations", "--unix", "--server",
		"mine=\"$SOCKWAYS_BIN\"/echod-thread -q -a {path}", "echo", "select"));

	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	expect_match(run.out, "\n  mine  +[0-9,]+ ");
	run = run_program(ARGUMENTS("/bin/ls", folder.path), "", 0, WAIT_MS);
	ck_assert_str_eq(run.out, "");
}
END_TEST

static const struct {
	const char *const *arguments;
	const char *says;
} bad[] = {
	{ ARGUMENTS("versus", "--unix", "-e", "rate", "echo"),
	  "the experiments are over TCP, not with --unix" },
	{ ARGUMENTS("versus", "--unix", "--server", "x {port}", "echo"),
	  "--server: with --unix, use {path} instead of {port}" },
	{ ARGUMENTS("versus", "--server", "x {path}", "echo"),
	  "--server: {path} needs --unix" },
};

START_TEST(what_does_not_go_together_is_bad_usage)
{
	struct run run = run_versus(bad[_i].arguments);

	run_expect_status(&run, 2);
	ck_assert_msg(strstr(run.err, bad[_i].says) != NULL, "%s", run.err);
}
END_TEST

Suite *suite_versus_local(void)
{
	Suite *suite = suite_create("versus_local");
	TCase *tcase = add_case(suite, "runs");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, the_table_and_the_json_name_the_transport);
	tcase_add_test(tcase, datagrams_are_compared_with_those_of_udp);
	tcase_add_loop_test(tcase, services_are_compared, 0, 4);
	tcase_add_test(tcase, a_command_gets_a_path);
	tcase_add_loop_test(tcase, what_does_not_go_together_is_bad_usage, 0,
			    (int)(sizeof bad / sizeof *bad));
	return suite;
}
