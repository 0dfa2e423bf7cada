/*
 * Loads on a UNIX-domain socket: a file, or an abstract name.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/load/load.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/load_fixture.h"
#include "tests/fixture/socket_fixture.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

static void bind_at(const char *place, int type)
{
	struct local_address address;

	ck_assert_msg(local_address_parse(place, &address, &failure) == 0, "%s",
		      failure.text);
	listener = socket(AF_UNIX, type, 0);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address.name, address.length),
			 0);
	plan.host = socket_name;
	plan.port = "";
}

static void listen_at(const char *place, int backlog)
{
	bind_at(place, SOCK_STREAM);
	ck_assert_int_eq(listen(listener, backlog), 0);
}

static void serve_echo(int fd, unsigned number)
{
	char bytes[4096];
	ssize_t n;

	(void)number;
	while ((n = io_read(fd, bytes, sizeof bytes)) > 0)
		if (io_write(fd, bytes, (size_t)n) != n)
			break;
}

static void serve_nobody(int fd, unsigned number)
{
	(void)fd;
	(void)number;
	pause_milliseconds(LONG_WAIT_MS);
}

/* ---- loads ------------------------------------------------------------------------------------- */

static const enum load_kind kinds[] = { LOAD_CONVERSATIONS, LOAD_CONNECTIONS, LOAD_IDLE };
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Exchanges after which each client has had its share, however slow the machine is. */
enum { ENOUGH = 200 };

static void assert_all_served(void)
{
	assert_no_errors();
	ck_assert_uint_gt(result.exchanges, 0);
	ck_assert_uint_eq(result.served, plan.connections);
	ck_assert_uint_eq(result.idle_open, plan.kind == LOAD_IDLE ? plan.idle : 0);
}

START_TEST(every_load_goes_through_a_socket_file)
{
	plan.kind = kinds[_i];
	plan.idle = 4;
	listen_at(socket_name, 128);
	start_server_of_listener(serve_echo);
	measure_until(ENOUGH);
	assert_all_served();
}
END_TEST

/* connect(2) then fails with EAGAIN, and no event tells when there is room. */
START_TEST(a_full_backlog_is_no_error)
{
	plan.kind = kinds[_i];
	plan.connections = 16;
	plan.idle = 16;
	plan.duration = 1000 * SLOW_MACHINE; /* enough for a reply to each */
	listen_at(socket_name, 1);
	start_server_of_listener(serve_echo);
	if (plan.kind ==
	    LOAD_CONNECTIONS) { /* those that try again may meet others each time */
		measure_until(1);
		assert_no_errors();
		ck_assert_uint_gt(result.served, 0);
	} else {
		measure();
		assert_all_served();
	}
}
END_TEST

START_TEST(faulty_clients_find_a_full_backlog_too)
{
	plan.connections = 2;
	plan.faults.clients[LOAD_FAULT_RESET] = 8;
	listen_at(socket_name, 1);
	start_server_of_listener(serve_echo);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.faults[LOAD_FAULT_RESET].failed, 0);
}
END_TEST

START_TEST(a_backlog_that_stays_full_is_a_timeout)
{
	plan.kind = kinds[_i];
	plan.connections = 8;
	plan.idle = 1;
	plan.timeout = 300;
	listen_at(socket_name, 1);
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0)
		serve_nobody(-1, 0);
	ck_assert_int_eq(load_run(&plan, &result, &failure), 0);
	ck_assert_uint_eq(result.served, 0);
	ck_assert_uint_gt(result.errors[LOAD_TIMED_OUT], 0);
	ck_assert_uint_eq(result.errors[LOAD_OTHER], 0);
}
END_TEST

START_TEST(an_abstract_name_needs_no_file)
{
	if (!programs_use(ABSTRACT_NAMES))
		return;
	snprintf(socket_name, sizeof socket_name, "@sockways-test-%ld", (long)getpid());
	listen_at(socket_name, 128);
	start_server_of_listener(serve_echo);
	measure_until(ENOUGH);
	assert_all_served();
}
END_TEST

/* ---- datagrams --------------------------------------------------------------------------------- */

/* Starts a server in a process of its own. @param answers  whether it reads and answers datagrams */
static void start_datagrams(bool answers)
{
	char bytes[4096];

	plan.datagrams = true;
	bind_at(socket_name, SOCK_DGRAM);
	server = fork();
	ck_assert_int_ge(server, 0);
	while (server == 0) {
		struct sockaddr_un from;
		socklen_t length = sizeof from;
		ssize_t n = answers ? recvfrom(listener, bytes, sizeof bytes, 0,
					       (struct sockaddr *)&from, &length)
				    : pause();

		if (n >= 0)
			sendto(listener, bytes, (size_t)n, 0, (struct sockaddr *)&from,
			       length);
	}
}

START_TEST(datagrams_go_through_a_socket_file)
{
	if (!programs_use(ABSTRACT_NAMES))
		return;
	plan.kind = kinds[_i];
	start_datagrams(true);
	measure_until(ENOUGH);
	assert_all_served();
	ck_assert_uint_eq(result.fate.lost, 0);
}
END_TEST

START_TEST(a_server_that_does_not_read_datagrams_is_named)
{
	char says[FOLDER_TEXT + 80];

	if (!programs_use(ABSTRACT_NAMES))
		return;
	start_datagrams(false);
	ck_assert_int_eq(load_run(&plan, &result, &failure), -1);
	snprintf(says, sizeof says, "no reply from %s (datagrams): %s", socket_name,
		 strerror(ETIMEDOUT));
	ck_assert_str_eq(failure.text, says);
}
END_TEST

/* ---- the program ------------------------------------------------------------------------------- */

START_TEST(the_report_names_the_socket)
{
	char line[FOLDER_TEXT + 80];
	struct run run;

	listen_at(socket_name, 128);
	start_server_of_listener(serve_echo);
	run = run_loadgen(ARGUMENTS("loadgen", "-d", "0.4", socket_name));
	run_expect_status(&run, 0);
	snprintf(line, sizeof line,
		 "\nserver         echo over a UNIX-domain socket at %s\n", socket_name);
	ck_assert_ptr_nonnull(strstr(run.out, line));

	run = run_loadgen(ARGUMENTS("loadgen", "-j", "-d", "0.4", "echo", "connections",
				    socket_name));
	run_expect_status(&run, 0);
	snprintf(line, sizeof line, ",\"transport\":\"unix\",\"address\":\"%s\",",
		 socket_name);
	ck_assert_ptr_nonnull(strstr(run.out, line));
}
END_TEST

START_TEST(a_socket_that_nobody_has_made_is_named)
{
	char line[FOLDER_TEXT + 80];
	struct run run = run_loadgen(ARGUMENTS("loadgen", socket_name));

	run_expect_status(&run, 1);
	snprintf(line, sizeof line,
		 "loadgen: cannot connect to %s: No such file or directory\n",
		 socket_name);
	ck_assert_str_eq(run.err, line);
}
END_TEST

/* A server that starts later makes the file. */
START_TEST(a_socket_file_is_waited_for)
{
	plan.retry = true;
	plan.timeout = LONG_WAIT_MS;
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0) {
		pause_milliseconds(200);
		listen_at(socket_name, 128);
		accept_clients(serve_echo);
	}
	plan.host = socket_name;
	plan.port = "";
	measure_until(ENOUGH);
	assert_all_served();
}
END_TEST

static const struct {
	const char *const *arguments;
	const char *error;
} bad[] = {
	{ ARGUMENTS("loadgen", "--source", "127.0.0.1", "./s"),
	  "--source does not go with a UNIX-domain socket" },
	{ ARGUMENTS("loadgen", "@"), "'@' has no name behind the @" },
	{ ARGUMENTS("loadgen", "/0123456789012345678901234567890123456789"
			       "01234567890123456789012345678901234567890123456789"
			       "01234567890123456789"),
	  "012345678901234567890123456789' is too long for the name of a socket" },
};

START_TEST(what_a_socket_cannot_have_is_bad_usage)
{
	struct run run = run_loadgen(bad[_i].arguments);

	run_expect_status(&run, 2);
	ck_assert_msg(strstr(run.err, bad[_i].error) != NULL, "%s", run.err);
}
END_TEST

Suite *suite_load_local(void)
{
	Suite *suite = suite_create("load_local");
	TCase *tcase = load_case(suite, "loads");

	tcase_add_checked_fixture(tcase, socket_set_up, socket_tear_down);
	tcase_add_loop_test(tcase, every_load_goes_through_a_socket_file, 0, KINDS);
	tcase_add_loop_test(tcase, a_full_backlog_is_no_error, 0, KINDS);
	tcase_add_test(tcase, faulty_clients_find_a_full_backlog_too);
	tcase_add_loop_test(tcase, a_backlog_that_stays_full_is_a_timeout, 0, 2);
	tcase_add_test(tcase, an_abstract_name_needs_no_file);

	tcase = load_case(suite, "datagrams");
	tcase_add_checked_fixture(tcase, socket_set_up, socket_tear_down);
	tcase_add_loop_test(tcase, datagrams_go_through_a_socket_file, 0, 2);
	tcase_add_test(tcase, a_server_that_does_not_read_datagrams_is_named);

	tcase = load_case(suite, "program");
	tcase_add_checked_fixture(tcase, socket_set_up, socket_tear_down);
	tcase_add_test(tcase, the_report_names_the_socket);
	tcase_add_test(tcase, a_socket_that_nobody_has_made_is_named);
	tcase_add_test(tcase, a_socket_file_is_waited_for);
	tcase_add_loop_test(tcase, what_a_socket_cannot_have_is_bad_usage, 0,
			    (int)(sizeof bad / sizeof *bad));
	return suite;
}
