/*
 * Many clients in one process: models that use no fd_set serve more than FD_SETSIZE of them, and
 * take a listener with such a descriptor. Without ppoll(2) the model poll stops all the same.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "common/process.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

static const char *const programs[] = { "echod-poll", "echod-epoll",
					TESTS_BUILD "/echod-poll-lacking" };

enum {
	PROGRAMS = sizeof programs / sizeof *programs,
	CROWD = FD_SETSIZE + 76,
	BESIDES = 100,
	TEXT = 256,
};

static int fds[CROWD];

/* GIVEN more clients than an fd_set can hold, all served at once
   WHEN half of them leave and others come
   THEN each is answered, the first and the last. */
START_TEST(more_clients_than_an_fd_set_holds_are_served)
{
	struct server server;
	char text[TEXT];

	if (process_raise_descriptors(CROWD + BESIDES) < CROWD + BESIDES) {
		skipped("needs more descriptors (ulimit -n)");
		return;
	}
	server = server_start(programs[_i], ARGUMENTS("-c", "2000"));
	for (int i = 0; i < CROWD; i++)
		fds[i] = client_connect_and_echo(&server);
	for (int i = 0; i < CROWD; i += 2)
		client_leave(fds[i]);
	for (int i = 0; i < CROWD; i += 2)
		fds[i] = client_connect_and_echo(&server);
	for (int i = CROWD - 1; i >= 0; i--) {
		client_echo(fds[i]);
		client_leave(fds[i]);
	}
	server_finish(&server);
	snprintf(text, sizeof text, "served %d clients, dropped 0;", CROWD + CROWD / 2);
	ck_assert_msg(server_count_lines(&server, text) == 1, "%s",
		      server_errors(&server));
	ck_assert_uint_eq(server_count_lines(&server, "further clients wait"), 0);
}
END_TEST

/* GIVEN as many clients as -c allows
   WHEN more come and one leaves, time and again
   THEN the next one is served. */
START_TEST(a_full_server_accepts_again)
{
	enum { FEW = 5, ALL = 50 };
	struct server server = server_start(programs[_i], ARGUMENTS("-c", "5"));

	for (int i = 0; i < ALL; i++) {
		fds[i] = client_connect(&server);
		client_send(fds[i], &i, sizeof i);
	}
	for (int i = 0; i < ALL; i++) {
		client_expect(fds[i], &i, sizeof i);
		if (i + FEW < ALL)
			ck_assert(!client_is_readable(fds[i + FEW], 0));
		client_leave(fds[i]);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "full with 5 clients"), 1);
}
END_TEST

Suite *suite_many(void)
{
	Suite *suite = suite_create("many");
	TCase *tcase = add_case(suite, "one process");

	for (int i = 0; i < PROGRAMS; i++) {
		if (strcmp(programs[i], "echod-epoll") == 0 && !can_run("epoll"))
			continue;
		tcase_add_loop_test(tcase, more_clients_than_an_fd_set_holds_are_served,
				    i, i + 1);
		tcase_add_loop_test(tcase, a_full_server_accepts_again, i, i + 1);
	}
	return suite;
}
