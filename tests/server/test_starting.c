/*
 * What a server checks before it serves: whether inetd has started it, whose client it would
 * disturb; and whether its backlog suits its service.
 */
#ifdef __linux__
#define _GNU_SOURCE /* CLONE_NEWNS */
#endif

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#endif

#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/fixture/network.h"
#include "tests/suites.h"

enum { TEXT = 512, SKIPPED = 77 };

static const char refusal[] =
	"cannot serve the socket on standard input (inetd): use echod-inetd, or start "
	"this server directly, or by socket activation (LISTEN_FDS)";

/* ---- inetd ----------------------------------------------------------------------------- */

/* What the program is to have as its descriptors; -1: what the harness gives it. */
struct places {
	int input, errors;
	const char *log; /* the socket that is to be the system's log; NULL: none */
};

#ifdef __linux__
static void be_logged_at(const char *path)
{
	if (!network_enter_with(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/dev", "tmpfs", 0, NULL) < 0 || symlink(path, "/dev/log") < 0)
		_exit(SKIPPED);
}
#else
static void be_logged_at(const char *path)
{
	(void)path;
	_exit(SKIPPED);
}
#endif

static void take_places(void *context)
{
	const struct places *places = context;

	dup2(places->input, STDIN_FILENO);
	if (places->errors >= 0)
		dup2(places->errors, STDERR_FILENO);
	if (places->log != NULL)
		be_logged_at(places->log);
}

static struct run start_with(int model, struct places places)
{
	return run_program_with(&(struct run_setup){
		.argv = ARGUMENTS(model_program(model, "echo"), "-p", "0", "-x", "0.01"),
		.prepare = take_places,
		.context = &places,
	});
}

static int listening_socket(int type)
{
	struct sock_place place = { "127.0.0.1", "0", type, 4 };
	int fd = sock_listen(&place, NULL);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* A client, and the socket that inetd has accepted for it. */
static void connect_client(int *client, int *server)
{
	int listener = listening_socket(SOCK_STREAM);
	struct address address;

	ck_assert_int_eq(address_local(listener, &address), 0);
	*client = client_connect_to("127.0.0.1", address_port(&address));
	*server = sock_accept(listener, &address, false);
	ck_assert_int_ge(*server, 0);
	close(listener);
}

static void expect_refused(const struct run *run, const char *program)
{
	char expected[TEXT];

	snprintf(expected, sizeof expected, "%s: %s\n", program, refusal);
	run_expect_status(run, 1);
	ck_assert_str_eq(run->out, "");
	ck_assert_str_eq(run->err, expected);
}

START_TEST(a_socket_of_inetd_is_refused_in_one_line)
{
	int sockets[3], client;

	connect_client(&client, &sockets[0]);       /* stream nowait */
	sockets[1] = listening_socket(SOCK_STREAM); /* stream wait */
	sockets[2] = listening_socket(SOCK_DGRAM);  /* dgram wait */
	for (int i = 0; i < 3; i++) {
		struct run run = start_with(_i, (struct places){ sockets[i], -1, NULL });

		expect_refused(&run, model_program(_i, "echo"));
		close(sockets[i]);
	}
	client_expect_end(client);
	client_close(client);
}
END_TEST

/* inetd gives a server its client as standard error, too. */
START_TEST(the_client_of_inetd_is_sent_nothing)
{
	struct run run;
	int client, server;

	connect_client(&client, &server);
	run = start_with(_i, (struct places){ server, server, NULL });
	close(server);
	run_expect_status(&run, 1);
	client_expect_end(client);
	client_close(client);
}
END_TEST

START_TEST(where_the_client_of_inetd_is_standard_error_the_log_of_the_system_has_the_line)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int client, server, log = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[TEXT], expected[TEXT];
	struct folder folder;
	struct run run;
	ssize_t n;

	folder_create(&folder);
	snprintf(address.sun_path, sizeof address.sun_path, "%s",
		 folder_path(&folder, "log"));
	ck_assert_int_eq(bind(log, (struct sockaddr *)&address, sizeof address), 0);
	connect_client(&client, &server);
	run = start_with(_i, (struct places){ server, server, address.sun_path });
	close(server);
	if (run_exit_status(&run) == SKIPPED) {
		skipped("needs a /dev/log of its own");
	} else {
		run_expect_status(&run, 1);
		ck_assert_int_eq(sock_set_timeout(log, WAIT_MS), 0);
		n = io_read(log, text, sizeof text - 1);
		ck_assert_int_gt(n, 0);
		text[n] = '\0';
		snprintf(expected, sizeof expected, " %s\\[[0-9]+\\]: cannot serve the ",
			 model_program(_i, "echo"));
		expect_match(text, expected);
		ck_assert_ptr_nonnull(strstr(text, refusal));
		client_expect_end(client);
	}
	client_close(client);
	close(log);
	folder_remove(&folder);
}
END_TEST

/* As standard input: what shells, ssh(1) and node give. */
START_TEST(a_server_starts_with_any_other_standard_input)
{
	int inputs[4], master, pair[2], pipe_ends[2];
	size_t count = 0;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(pipe(pipe_ends), 0);
	inputs[count++] = pair[0];
	inputs[count++] = pipe_ends[0];
	inputs[count++] = folder_create_nameless();
	if (terminal_open(&master, &inputs[count]))
		count++;
	for (size_t i = 0; i < count; i++) {
		struct run run = start_with(_i, (struct places){ inputs[i], -1, NULL });

		run_expect_status(&run, 0);
		ck_assert_ptr_nonnull(strstr(run.err, "listening on 127.0.0.1:"));
	}
}
END_TEST

/* A service manager may give the listening socket as standard input as well. */
static void give_listener_twice(void *context)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	dup2(*(int *)context, STDIN_FILENO);
	dup2(*(int *)context, 3);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
}

START_TEST(with_socket_activation_standard_input_does_not_matter)
{
	int listener = listening_socket(SOCK_STREAM);
	struct run run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS(model_program(_i, "echo"), "-x", "0.01"),
		.prepare = give_listener_twice,
		.context = &listener,
	});

	run_expect_status(&run, 0);
	ck_assert_ptr_nonnull(strstr(run.err, "listening on 127.0.0.1:"));
	close(listener);
}
END_TEST

/* ---- a small backlog ------------------------------------------------------------------- */

static struct run start_and_exit(int model, const char *service, const char *backlog)
{
	char program[TEXT];

	snprintf(program, sizeof program, "%s", model_program(model, service));
	return run_program(ARGUMENTS(program, "-p", "0", "-x", "0.01", "-b", backlog), "",
			   0, WAIT_MS);
}

START_TEST(a_service_that_speaks_first_is_warned_of_a_small_backlog)
{
	static const char *const services[] = { "greet", "daytime", "chargen", "chat" };

	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		struct run run = start_and_exit(_i, services[i], "5");
		char expected[TEXT];

		snprintf(expected, sizeof expected,
			 "%s: -b 5 is small for %s, which speaks first: if more than 6 "
			 "clients come at once, some may wait forever (SYN cookies)\n",
			 model_program(_i, services[i]), services[i]);
		run_expect_status(&run, 0);
		ck_assert_ptr_nonnull(strstr(run.err, expected));
	}
}
END_TEST

START_TEST(nobody_else_is_warned_of_the_backlog)
{
	struct run run = start_and_exit(_i, "echo", "5");

	ck_assert_ptr_null(strstr(run.err, "-b"));
	run = start_and_exit(_i, "greet", "1000");
	ck_assert_ptr_null(strstr(run.err, "-b"));
	run = run_program(ARGUMENTS(model_program(_i, "greet"), "-p", "0", "-x", "0.01"),
			  "", 0, WAIT_MS);
	ck_assert_ptr_null(strstr(run.err, "-b"));
	if (!model_is(_i, "iterative")) /* no model has datagrams wait there */
		return;
	run = run_program(ARGUMENTS(model_program(_i, "greet"), "-u", "-p", "0", "-x",
				    "0.01", "-b", "5"),
			  "", 0, WAIT_MS);
	ck_assert_ptr_null(strstr(run.err, "-b"));
}
END_TEST

Suite *suite_starting(void)
{
	Suite *suite = suite_create("starting");
	TCase *tcase = add_case(suite, "inetd");

	add_sharing_test(tcase, a_socket_of_inetd_is_refused_in_one_line);
	add_sharing_test(tcase, the_client_of_inetd_is_sent_nothing);
	add_sharing_test(
		tcase,
		where_the_client_of_inetd_is_standard_error_the_log_of_the_system_has_the_line);
	add_sharing_test(tcase, a_server_starts_with_any_other_standard_input);
	add_sharing_test(tcase, with_socket_activation_standard_input_does_not_matter);
	tcase = add_case(suite, "backlog");
	add_sharing_test(tcase, a_service_that_speaks_first_is_warned_of_a_small_backlog);
	add_sharing_test(tcase, nobody_else_is_warned_of_the_backlog);
	return suite;
}
