/*
 * What a service manager sees of a server: when it is ready, when it stops (NOTIFY_SOCKET); and
 * what clients see of a restart, which is nothing.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/local_address.h"
#include "common/sock.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum { TEXT = 512 };

/* ---- NOTIFY_SOCKET --------------------------------------------------------------------- */

/* The socket of a service manager. */
static int open_manager(const char *name)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	struct local_address address;
	struct failure failure;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(local_address_parse(name, &address, &failure), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address.name, address.length), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	return fd;
}

static void expect_state(int manager, const char *state)
{
	char said[TEXT];
	ssize_t n = recv(manager, said, sizeof said - 1, 0);

	ck_assert_msg(n > 0, "the server did not say %s", state);
	said[n] = '\0';
	ck_assert_msg(strncmp(said, state, strlen(state)) == 0, "'%s' instead of '%s'",
		      said, state);
}

static void set_notify_socket(void *context)
{
	setenv("NOTIFY_SOCKET", context, 1);
}

static struct server start_notifying(const char *program, char *name)
{
	struct server_setup setup = {
		.program = program,
		.prepare = set_notify_socket,
		.context = name,
	};

	return server_start_with(&setup);
}

/* given: a service manager with a socket, a path or an abstract name; when: a server starts and
 * gets SIGTERM; then: it says READY=1 when it serves, and STOPPING=1 once, in each model */
START_TEST(manager_is_told)
{
	struct folder folder;
	char name[TEXT], rest[TEXT];
	struct server server;
	int manager;

	folder_create(&folder);
	if (_i % 2 == 0 || !programs_use(ABSTRACT_NAMES))
		snprintf(name, sizeof name, "%s", folder_path(&folder, "manager"));
	else
		snprintf(name, sizeof name, "@sockways-test-%ld", (long)getpid());
	manager = open_manager(name);
	server = start_notifying(model_program(_i, "echo"), name);
	expect_state(manager, "READY=1\n");
	close(client_connect_and_echo(&server));
	server_finish(&server);
	expect_state(manager, "STOPPING=1");
	ck_assert_int_lt(recv(manager, rest, sizeof rest, MSG_DONTWAIT), 0);
	close(manager);
	folder_remove(&folder);
}
END_TEST

/* given: NOTIFY_SOCKET names nothing, or no socket; when: a server starts; then: it says so in one
 * line, and serves */
START_TEST(missing_manager_stops_nothing)
{
	static char *const names[] = { "/nowhere/manager", "manager", "@", "/" };
	struct server server = start_notifying("echod-select", names[_i]);

	server_wait_line(&server, "NOTIFY_SOCKET", WAIT_MS);
	close(client_connect_and_echo(&server));
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "NOTIFY_SOCKET"), 1);
}
END_TEST

/* ---- restarts under load --------------------------------------------------------------- */

enum { RESTARTS = 3 };

/* Clients that come and go, each with one request: they meet every moment of a restart. */
static struct program start_load(unsigned port)
{
	static char text[16];
	struct run_setup setup = {
		.argv = ARGUMENTS("loadgen", "-d", "600", "-r", "400", "-c", "8", "-w",
				  "0", "connections", "127.0.0.1", text),
	};

	snprintf(text, sizeof text, "%u", port);
	return program_start(&setup);
}

/* Whether the server has served more clients than the tests have by themselves. */
static bool load_is_served(void *argument)
{
	const struct server *server = argument;

	server_signal(server, SIGUSR1);
	return text_matches(server_errors(server), "served ([1-9][0-9][0-9]|[4-9][0-9])");
}

static void await_load(struct server *server)
{
	ck_assert_msg(eventually(load_is_served, server, WAIT_MS), "no load came: %s",
		      server_errors(server));
}

/* Every request of the load had its reply: no client was refused, and none was reset. */
static void finish_load(struct program *load)
{
	struct run run;

	kill(load->pid, SIGINT);
	run = program_wait(load, WAIT_MS);
	ck_assert_msg(run_exit_status(&run) == 0 &&
			      text_matches(run.out, "errors +none") &&
			      text_matches(run.out, "exchanges +[1-9]"),
		      "%s%s", run.out, run.err);
}

/* The new instance alone serves: some more clients of the load, too. */
static void expect_service(const struct server *server)
{
	for (int i = 0; i < 20; i++)
		close(client_connect_and_echo(server));
}

static void replace_activated(void *listener)
{
	dup2(*(int *)listener, 3);
}

/* given: a service manager has the listening socket, and clients come all the time; when: the
 * server gets SIGTERM, and the next instance starts after its end; then: each client is served */
START_TEST(restart_with_socket_activation_loses_nothing)
{
	struct server_setup setup = {
		.program = model_program(_i, "echo"),
		.options = model_options(_i, NULL),
		.prepare = replace_activated,
	};
	struct server server;
	struct sock_place place = { "127.0.0.1", "0", SOCK_STREAM, SOCK_BACKLOG };
	struct failure failure;
	struct address address;
	struct program load;
	int listener = sock_listen(&place, &failure);

	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(address_local(listener, &address), 0);
	setup.context = &listener;
	load = start_load(address_port(&address));
	for (int i = 0; i <= RESTARTS; i++) {
		server = server_start_with(&setup);
		server.port = address_port(&address);
		expect_service(&server);
		await_load(&server);
		server_finish(&server);
	}
	server = server_start_with(&setup);
	finish_load(&load);
	server.port = address_port(&address);
	expect_service(&server);
	server_finish(&server);
	close(listener);
}
END_TEST

static struct server start_with_hand_over(const char *program, const char *path,
					  const char *const *options)
{
	struct server_setup setup = {
		.program = program,
		.options = options != NULL ? options : ARGUMENTS("--hand-over", path),
		.opens_itself = true,
	};

	return server_start_with(&setup);
}

/* Creates the folder. @return a path in it for --hand-over, which stays until the end of the test */
static const char *create_control_path(struct folder *folder)
{
	char *path;

	folder_create(folder);
	path = strdup(folder_path(folder, "control"));
	keep_text(path);
	return path;
}

/* given: a server with --hand-over, and clients come all the time; when: the same command starts
 * another one, several times; then: each takes over the port, the one before ends, and each client
 * is served */
START_TEST(hand_over_loses_nothing)
{
	struct folder folder;
	const char *program = model_program(_i, "echo"), *const * options;
	struct server server, next;
	struct program load;

	folder_create(&folder);
	options = model_options(
		_i, ARGUMENTS("--hand-over", folder_path(&folder, "control")));
	server = start_with_hand_over(program, NULL, options);
	load = start_load(server.port);
	await_load(&server);
	for (int i = 0; i < RESTARTS; i++) {
		next = start_with_hand_over(program, NULL, options);
		ck_assert_uint_eq(next.port, server.port);
		ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
		ck_assert_uint_eq(server_count_lines(&server, "taken over"), 1);
		server = next;
		expect_service(&server);
	}
	finish_load(&load);
	server_finish(&server);
	ck_assert(!folder_has(&folder, "control"));
	folder_remove(&folder);
}
END_TEST

static void expect_refusal(const char *const argv[], const char *says)
{
	struct run run = run_program(argv, "", 0, WAIT_MS);

	run_expect_status(&run, 1);
	expect_match(run.err, says);
}

/* given: a server with --hand-over; when: an instance for datagrams asks for its sockets; then: it
 * says why it cannot start, and the first one serves on */
START_TEST(taker_that_cannot_start_changes_nothing)
{
	struct folder folder;
	struct server server;
	const char *path;

	path = create_control_path(&folder);
	server = start_with_hand_over("echod-fork", path, NULL);
	for (int i = 0; i < 2; i++)
		expect_refusal(
			ARGUMENTS("echod-select", "-u", "-p", "0", "--hand-over", path),
			"--hand-over: .*/control: the server there has no udp socket: ");
	expect_service(&server);
	server_finish(&server);
	folder_remove(&folder);
}
END_TEST

/* given: a server with --hand-over; when: an instance of another service asks for its sockets; then: it
 * does not get the clients of the first one, which serves on */
START_TEST(another_service_takes_nothing)
{
	struct folder folder;
	struct server server;
	const char *path;

	path = create_control_path(&folder);
	server = start_with_hand_over("echod-fork", path, NULL);
	expect_refusal(ARGUMENTS("discardd-fork", "-p", "0", "--hand-over", path),
		       "--hand-over: .*/control: the server there has the service "
		       "'echo', not discard\n");
	expect_service(&server);
	server_finish(&server);
	folder_remove(&folder);
}
END_TEST

/* given: a socket at the path, to which another user listens; when: an instance starts; then: it takes
 * nothing from him */
START_TEST(another_user_is_not_believed)
{
	enum { OTHER = 1 };
	struct local_address address;
	struct folder folder;
	const char *path;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!programs_use("SO_PEERCRED"))
		return;
	if (geteuid() != 0) {
		skipped("needs root");
		return;
	}
	path = create_control_path(&folder);
	ck_assert_int_eq(local_address_parse(path, &address, NULL), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address.name, address.length), 0);
	ck_assert_int_eq(seteuid(OTHER), 0); /* that of listen(2) counts */
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(seteuid(0), 0);
	expect_refusal(ARGUMENTS("echod-fork", "-p", "0", "--hand-over", path),
		       "--hand-over: .*/control: the server there belongs to uid 1\n");
	close(fd);
	folder_remove(&folder);
}
END_TEST

static int connect_to_path(const char *path)
{
	struct local_address address;
	struct failure failure;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(local_address_parse(path, &address, &failure), 0);
	ck_assert_msg(
		connect(fd, (const struct sockaddr *)&address.name, address.length) == 0,
		"%s", strerror(errno));
	return fd;
}

/* given: a server with --hand-over is stopped (SIGSTOP), and clients of its path leave, or send
 * what no new instance does; when: it continues, and a new instance comes; then: only this one
 * takes over */
START_TEST(client_of_the_path_that_is_no_instance_takes_nothing)
{
	struct folder folder;
	struct server server, next;
	const char *path;

	path = create_control_path(&folder);
	server = start_with_hand_over(model_program(_i, "echo"), NULL,
				      model_options(_i, ARGUMENTS("--hand-over", path)));
	server_signal(&server, SIGSTOP);
	for (int i = 0; i < 4; i++) {
		int fd = connect_to_path(path);

		if (i >= 2)
			send(fd, "\n", 1, MSG_NOSIGNAL);
		close(fd);
	}
	server_signal(&server, SIGCONT);
	expect_service(&server);
	ck_assert_uint_eq(server_count_lines(&server, "taken over"), 0);
	next = start_with_hand_over("echod-select", path, NULL);
	ck_assert_uint_eq(next.port, server.port);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	expect_service(&next);
	server_finish(&next);
	folder_remove(&folder);
}
END_TEST

/* given: a server with --hand-over was killed; when: the next one starts; then: it opens its
 * sockets itself, and can be replaced */
START_TEST(killed_server_leaves_no_obstacle)
{
	struct folder folder;
	struct server server, next;
	const char *path;

	path = create_control_path(&folder);
	server = start_with_hand_over("echod-fork", path, NULL);
	server_signal(&server, SIGKILL);
	server_await(&server, WAIT_MS);
	server = start_with_hand_over("echod-thread", path, NULL);
	next = start_with_hand_over("echod-select", path, NULL);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	expect_service(&next);
	server_finish(&next);
	folder_remove(&folder);
}
END_TEST

/* ---- several new instances --------------------------------------------------------------- */

enum { NEW_ONES = 4 };

static struct program start_new_one(const char *path, unsigned port)
{
	char text[16];
	struct run_setup setup = {
		.argv = ARGUMENTS("echod-select", "-p", text, "--hand-over", path),
	};

	snprintf(text, sizeof text, "%u", port);
	return program_start(&setup);
}

static bool has_ended(const struct program *program)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
		       0 &&
	       info.si_pid != 0;
}

/* Whether one of them serves, and the others have ended. */
static bool one_is_left(void *new_ones)
{
	const struct program *programs = new_ones;
	int ended = 0;

	for (int i = 0; i < NEW_ONES; i++)
		ended += has_ended(&programs[i]);
	return ended == NEW_ONES - 1;
}

static void expect_turns(struct program new_ones[NEW_ONES])
{
	int replaced = 0;

	ck_assert_msg(eventually(one_is_left, new_ones, WAIT_MS), "not one is left");
	for (int i = 0; i < NEW_ONES; i++) {
		struct run run;

		if (!has_ended(&new_ones[i]))
			kill(new_ones[i].pid, SIGTERM);
		run = program_wait(&new_ones[i], WAIT_MS);
		ck_assert_msg(run_exit_status(&run) == 0, "%s", run.err);
		replaced += text_matches(run.err, "another instance has taken over");
	}
	ck_assert_int_eq(replaced, NEW_ONES - 1);
}

/* given: a server with --hand-over, and clients come all the time; when: several new instances
 * start at once; then: they take over one after another, the last one serves, and each client is
 * served */
START_TEST(new_instances_take_turns)
{
	struct program new_ones[NEW_ONES], load;
	struct folder folder;
	struct server server;
	const char *path;

	path = create_control_path(&folder);
	server = start_with_hand_over("echod-select", path, NULL);
	load = start_load(server.port);
	await_load(&server);
	for (int i = 0; i < NEW_ONES; i++)
		new_ones[i] = start_new_one(path, server.port);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	ck_assert(eventually(one_is_left, new_ones, WAIT_MS));
	finish_load(&load);
	expect_turns(new_ones);
	ck_assert(!folder_has(&folder, "control"));
	folder_remove(&folder);
}
END_TEST

/* A port that the kernel gives to nobody else. With SO_REUSEADDR a server can listen on it, as long
 * as nobody does already. */
static int reserve_port(unsigned *port)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct address address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
	ck_assert_int_eq(address_local(fd, &address), 0);
	*port = address_port(&address);
	return fd;
}

/* given: no server; when: several instances start at once; then: one opens the port, and the
 * others take over one after another */
START_TEST(first_instances_take_turns)
{
	struct program new_ones[NEW_ONES];
	struct folder folder;
	unsigned port;
	const char *path;
	int fd;

	path = create_control_path(&folder);
	fd = reserve_port(&port);
	for (int i = 0; i < NEW_ONES; i++)
		new_ones[i] = start_new_one(path, port);
	expect_turns(new_ones);
	close(fd);
	folder_remove(&folder);
}
END_TEST

static bool draft_exists(void *folder)
{
	return folder_has(folder, "control.new");
}

/* given: a new instance is killed while it takes over; when: another one comes; then: this one
 * takes over, and no file of the first is left */
START_TEST(killed_taker_leaves_nothing)
{
	struct folder folder;
	struct server server, next;
	struct program taker;
	const char *path;

	path = create_control_path(&folder);
	server = start_with_hand_over("echod-select", path, NULL);
	expect_service(&server); /* its own turn is over */
	server_signal(&server, SIGSTOP);
	taker = start_new_one(path, server.port);
	ck_assert(eventually(draft_exists, &folder, WAIT_MS));
	kill(taker.pid, SIGKILL);
	program_wait(&taker, WAIT_MS);
	ck_assert(folder_has(&folder, "control.new"));
	server_signal(&server, SIGCONT);
	next = start_with_hand_over("echod-select", path, NULL);
	ck_assert_uint_eq(next.port, server.port);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	ck_assert(!folder_has(&folder, "control.new"));
	server_finish(&next);
	folder_remove(&folder);
}
END_TEST

/* given: a new instance was killed after it had taken the path, before it was ready; when: another
 * one comes; then: it finds the old one, and takes over */
START_TEST(old_server_is_found_without_its_path)
{
	struct folder folder;
	struct server server, next;
	char spare[TEXT];
	const char *path;

	path = create_control_path(&folder);
	server = start_with_hand_over("echod-select", path, NULL);
	snprintf(spare, sizeof spare, "%s.old", path);
	ck_assert_int_eq(rename(path, spare), 0);
	folder_socket(&folder, "control");
	next = start_with_hand_over("echod-fork", path, NULL);
	ck_assert_uint_eq(next.port, server.port);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	ck_assert(!folder_has(&folder, "control.old"));
	expect_service(&next);
	server_finish(&next);
	ck_assert(!folder_has(&folder, "control"));
	folder_remove(&folder);
}
END_TEST

/* given: a file that is no socket; when: it is the argument of --hand-over; then: the server names
 * it and does not start, and the file stays */
START_TEST(file_is_not_replaced)
{
	struct folder folder;
	char says[TEXT];

	folder_create(&folder);
	folder_text(&folder, "data", "keep me");
	snprintf(says, sizeof says, "--hand-over: .*/data: cannot connect: %s",
		 strerror(ENOTSOCK));
	expect_refusal(ARGUMENTS("echod-fork", "-p", "0", "--hand-over",
				 folder_path(&folder, "data")),
		       says);
	folder_expect_file(&folder, "data", "keep me", 7);
	folder_remove(&folder);
}
END_TEST

/* given: several loops with a listening socket each; when: they shall be handed over; then: the
 * server refuses, because the clients in the other sockets would be reset */
START_TEST(reuseport_is_not_handed_over)
{
	struct run run;

	if (!can_run("epoll"))
		return;
	run = run_program(ARGUMENTS("echod-epoll", "-p", "0", "-j", "2", "--accept",
				    "reuseport", "--hand-over", "/tmp/unused"),
			  "", 0, WAIT_MS);
	run_expect_status(&run, 1);
	expect_match(run.err, "--accept reuseport: .*cannot be handed over");
}
END_TEST

Suite *suite_restart(void)
{
	Suite *suite = suite_create("restart");
	TCase *notify = add_case(suite, "notify"),
	      *restarts = add_case(suite, "restarts");

	add_sharing_test(notify, manager_is_told);
	tcase_add_loop_test(notify, missing_manager_stops_nothing, 0, 4);
	add_sharing_test(restarts, restart_with_socket_activation_loses_nothing);
	add_sharing_test(restarts, hand_over_loses_nothing);
	tcase_add_test(restarts, taker_that_cannot_start_changes_nothing);
	tcase_add_test(restarts, another_service_takes_nothing);
	tcase_add_test(restarts, another_user_is_not_believed);
	add_sharing_test(restarts, client_of_the_path_that_is_no_instance_takes_nothing);
	tcase_add_test(restarts, killed_server_leaves_no_obstacle);
	tcase_add_test(restarts, new_instances_take_turns);
	tcase_add_test(restarts, first_instances_take_turns);
	tcase_add_test(restarts, killed_taker_leaves_nothing);
	tcase_add_test(restarts, old_server_is_found_without_its_path);
	tcase_add_test(restarts, file_is_not_replaced);
	tcase_add_test(restarts, reuseport_is_not_handed_over);
	return suite;
}
