/*
 * The processes of a forking server: what its operator hears when one of them crashes.
 */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/address.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { TEXT = 512, VICTIMS = 3, SMALL_STACK = 64 * 1024 };

static struct server start(int type)
{
	return server_start_with(&(struct server_setup){
		.program = "echod-fork",
		.options = type == SOCK_DGRAM ? ARGUMENTS("-q", "-u") : ARGUMENTS("-q"),
		.type = type,
	});
}

/* The one child that the server has. */
static pid_t find_child(const struct server *server)
{
	pid_t child;

	return process_children(server->pid, &child, 1) == 1 ? child : 0;
}

static bool has_no_child(void *context)
{
	return process_tree(((struct server *)context)->pid).descendants == 0;
}

/* Has the process of a client end by that signal. @return false where children cannot be
 *  found */
static bool end_child(struct server *server, int number)
{
	pid_t child = find_child(server);

	if (child == 0) {
		skipped("needs /proc/PID/task/PID/children");
		return false;
	}
	ck_assert_int_eq(kill(child, number), 0);
	ck_assert(eventually(has_no_child, server, WAIT_MS));
	return true;
}

static void expect_crash_is_mentioned(int type)
{
	struct server server = start(type);
	int fd = client_connect_and_echo(&server);
	char name[ADDRESS_TEXT], expected[TEXT];
	pid_t child = find_child(&server);

	if (end_child(&server, SIGABRT)) {
		snprintf(expected, sizeof expected,
			 "%s[%ld]: %s: its process %ld was killed by signal %d (%s)",
			 server.name, (long)server.pid, client_address(fd, name),
			 (long)child, SIGABRT, strsignal(SIGABRT));
		ck_assert_str_eq(server_wait_line(&server, "killed", WAIT_MS), expected);
	}
	close(fd);
	server_finish(&server);
}

START_TEST(a_child_that_crashes_is_mentioned_with_its_client_and_signal)
{
	expect_crash_is_mentioned(SOCK_STREAM);
}
END_TEST

START_TEST(a_child_that_crashes_is_mentioned_on_udp_too)
{
	expect_crash_is_mentioned(SOCK_DGRAM);
}
END_TEST

START_TEST(of_many_that_crash_one_is_mentioned_and_the_others_are_counted)
{
	struct server server = start(SOCK_STREAM);

	for (int i = 0; i < VICTIMS; i++) {
		int fd = client_connect_and_echo(&server);
		bool ended = end_child(&server, SIGKILL);

		close(fd);
		if (!ended) {
			server_finish(&server);
			return;
		}
	}
	ck_assert_uint_eq(server_count_lines(&server, "killed by signal 9"), 1);
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "killed by signal 9"), 1);
	ck_assert_uint_eq(server_count_lines(&server, ": 2 more clients were lost "), 1);
}
END_TEST

/* A child that does not react is killed when a second signal comes: it has not crashed. */
START_TEST(children_that_a_stopping_server_kills_are_not_mentioned)
{
	struct server server = start(SOCK_STREAM);
	int fd = client_connect_and_echo(&server);
	pid_t child = find_child(&server);

	if (child > 0)
		ck_assert_int_eq(kill(child, SIGSTOP), 0);
	server_signal(&server, SIGTERM);
	ck_assert(eventually(server_refuses, &server, WAIT_MS));
	server_signal(&server, SIGTERM);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	close(fd);
	ck_assert_uint_eq(server_count_lines(&server, "killed"), 0);
	ck_assert_uint_eq(server_count_lines(&server, "lost"), 0);
}
END_TEST

static void limit_stack(void *context)
{
	struct rlimit limit = { SMALL_STACK, SMALL_STACK };

	(void)context;
	setrlimit(RLIMIT_STACK, &limit);
}

/* A stack of 64 KiB is less than a child needs to serve a client. */
START_TEST(that_no_child_can_serve_is_reported)
{
	struct server server;
	char byte;
	int fd;

	if (SANITIZED) {
		skipped("a small stack: a sanitizer needs more");
		return;
	}
	server = server_start_with(&(struct server_setup){
		.program = "echod-fork",
		.options = ARGUMENTS("-q"),
		.prepare = limit_stack,
	});
	fd = client_connect(&server);
	client_send(fd, "hello", 5);
	if (io_read(fd, &byte, 1) == 1) /* here it is enough */
		skipped("a stack of 64 KiB that is too small");
	else
		server_wait_line(&server, "was killed by signal", WAIT_MS);
	close(fd);
	server_finish(&server);
}
END_TEST

Suite *suite_children(void)
{
	Suite *suite = suite_create("children");
	TCase *tcase = add_case(suite, "crashes");

	tcase_add_test(tcase,
		       a_child_that_crashes_is_mentioned_with_its_client_and_signal);
	tcase_add_test(tcase, a_child_that_crashes_is_mentioned_on_udp_too);
	tcase_add_test(tcase,
		       of_many_that_crash_one_is_mentioned_and_the_others_are_counted);
	tcase_add_test(tcase, children_that_a_stopping_server_kills_are_not_mentioned);
	tcase_add_test(tcase, that_no_child_can_serve_is_reported);
	return suite;
}
