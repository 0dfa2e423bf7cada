/*
 * The templates of a model and of a service work as they stand, and a model that lacks something
 * says so when it starts. fork.c and thread.c are made to be compared: they have the same
 * functions in the same order.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fixture/client.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { TEXT = 256, SOURCE = 65536 };

static const char *const programs[] = { TESTS_BUILD "/TEMPLATEd-TEMPLATE",
					TESTS_BUILD "/echod-TEMPLATE" };

START_TEST(templates_serve)
{
	static const char *const replies[] = { "hello\ngoodbye\n", "hello\nquit\n" };
	struct server server = server_start(programs[_i], NULL);
	int fd = client_connect_to(server.host, server.port);

	client_say(fd, "hel");
	client_say(fd, "lo\nquit\n");
	client_half_close(fd);
	client_hear(fd, replies[_i]);
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

START_TEST(a_line_that_is_too_long_ends_the_template_service)
{
	char line[600];
	struct server server = server_start(programs[0], NULL);
	int fd = client_connect_to(server.host, server.port);

	memset(line, 'x', sizeof line);
	client_send(fd, line, sizeof line);
	client_hear(fd, "the line is too long\n");
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

static const struct {
	const char *program, *option, *says;
} lacking[] = {
	{ TESTS_BUILD "/chatd-forgetful", "-v",
	  "chatd-forgetful: the model forgetful has no hub, which chat needs: set .hub "
	  "(server/hub/place.h)\n" },
	{ TESTS_BUILD "/echod-forgetful", "-u",
	  "echod-forgetful: -u: the model forgetful does not serve datagrams\n" },
};

START_TEST(a_model_that_lacks_something_refuses_to_start)
{
	struct run run =
		run_program(ARGUMENTS(lacking[_i].program, lacking[_i].option, "-p", "0"),
			    "", 0, WAIT_MS);

	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, lacking[_i].says);
}
END_TEST

/* The names of the functions that a model's file defines, in order. */
static void functions_of(const char *model, char names[TEXT])
{
	char command[SOURCE];
	FILE *output;
	size_t n;

	snprintf(command, sizeof command,
		 "sed -n 's/^static [^=;]*[ *]\\([a-z_]*\\)(.*/\\1/p' "
		 "\"$SOCKWAYS_SOURCE\"/server/model/%s.c | tr '\\n' ' '",
		 model);
	output = popen(command, "r");
	ck_assert_ptr_nonnull(output);
	n = fread(names, 1, TEXT - 1, output);
	names[n] = '\0';
	ck_assert_int_eq(pclose(output), 0);
}

START_TEST(fork_and_thread_have_the_same_functions)
{
	char of_fork[TEXT], of_thread[TEXT];

	functions_of("fork", of_fork);
	functions_of("thread", of_thread);
	ck_assert_str_eq(of_fork, "serve_client start_worker attend_workers serve ");
	ck_assert_str_eq(of_thread, of_fork);
}
END_TEST

/* Every line of the README's diff but those of its context is in the file that it names. */
START_TEST(the_readme_shows_how_fork_and_thread_differ)
{
	int status = system(
		"cd \"$SOCKWAYS_SOURCE\" && "
		"diff=$(sed -n '/^```diff$/,/^```$/p' README.md) && "
		"[ $(printf '%s\\n' \"$diff\" | grep -c '^[-+]') -gt 10 ] && "
		"printf '%s\\n' \"$diff\" | while IFS= read -r line; do case $line in "
		"-*) grep -qF -e \"${line#-}\" server/model/fork.c || exit 1;; "
		"+*) grep -qF -e \"${line#+}\" server/model/thread.c || exit 1;; "
		"esac; done");

	ck_assert_int_eq(status, 0);
}
END_TEST

Suite *suite_templates(void)
{
	Suite *suite = suite_create("templates");
	TCase *tcase = tcase_create("templates");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, templates_serve, 0, 2);
	tcase_add_test(tcase, a_line_that_is_too_long_ends_the_template_service);
	tcase_add_loop_test(tcase, a_model_that_lacks_something_refuses_to_start, 0, 2);
	tcase_add_test(tcase, fork_and_thread_have_the_same_functions);
	tcase_add_test(tcase, the_readme_shows_how_fork_and_thread_differ);
	suite_add_tcase(suite, tcase);
	return suite;
}
