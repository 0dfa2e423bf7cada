/*
 * What goes wrong around a server: too many clients, and clients that reset, stall, flood
 * or are killed. In every model, where it makes sense there: the server stays up, serves
 * the others, says once what it lacks, burns nothing while it waits, and leaves nothing
 * behind.
 */
#define _DEFAULT_SOURCE /* setgroups, RLIMIT_NPROC */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/process.h"
#include "common/sock.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/fixture/super_server.h"
#include "tests/suites.h"

enum {
	MEGABYTE = 1024 * 1024,
	TEXT = 256,
	A_WHILE = 300,                   /* milliseconds in which nothing may happen */
	IDLE_CPU = SANITIZED ? 100 : 40, /* milliseconds of them */
	CROWD = 1100,
	PIPE_NEARLY_FULL = 65536 - 2 * 4096, /* then poll(2) says: no room */
};

static char *block;
static int fds[CROWD];

static struct server start(int model, const char *const options[])
{
	return model_start(model, "echo", options);
}

static struct server start_prepared(int model, const char *const options[],
				    void (*prepare)(void *context), void *context)
{
	return server_start_with(&(struct server_setup){
		.program = model_program(model, "echo"),
		.options = model_options(model, options),
		.prepare = prepare,
		.context = context,
	});
}

static bool has_ended(void *context)
{
	const pid_t *pid = context;
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)*pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == *pid;
}

static bool is_writable(int fd, int64_t timeout)
{
	return io_wait(fd, POLLOUT, timeout) > 0;
}

/* ---- full ------------------------------------------------------------------------------ */

static void expect_idle(const struct server *server)
{
	int64_t before = process_tree(server->pid).cpu, used;

	poll(NULL, 0, A_WHILE);
	used = process_tree(server->pid).cpu - before;
	ck_assert_msg(used <= IDLE_CPU, "%s used %jd of %d ms while it had to wait",
		      server->name, (intmax_t)used, A_WHILE);
}

/* More clients come than the server can carry, which says so by @p says. Those that it
 * carries are served, and the others wait; when one leaves, the next is served. */
static void fill_up_and_empty(struct server *server, int clients, const char *says)
{
	unsigned carried = 0;
	const char *line;

	for (int i = 0; i < clients; i++) {
		fds[i] = client_connect(server);
		client_send(fds[i], &i, sizeof i);
	}
	line = server_wait_line(server, says, WAIT_MS);
	ck_assert_msg(sscanf(strstr(line, says) + strlen(says), " with %u clients",
			     &carried) == 1,
		      "%s", line);
	ck_assert_msg(strstr(line, ": further clients wait") != NULL, "%s", line);
	ck_assert_uint_gt(carried, 0);
	ck_assert_uint_lt(carried, (unsigned)clients);
	for (int i = 0; i < (int)carried; i++)
		client_expect(fds[i], &i, sizeof i);
	expect_idle(server);
	for (int i = (int)carried; i < clients; i++)
		ck_assert(!client_is_readable(fds[i], 0));
	for (int i = 0; i < clients; i++) {
		int next = i + (int)carried;

		client_leave(fds[i]);
		if (next < clients)
			client_expect(fds[next], &next, sizeof next);
	}
	ck_assert_uint_eq(server_count_lines(server, says), 1);
}

static void expect_all_served(struct server *server, int clients)
{
	char text[TEXT];

	server_finish(server);
	if (super_server_is_needed(server->name))
		return; /* there is no process that has counted them */
	snprintf(text, sizeof text, "served %d clients, dropped 0;", clients);
	ck_assert_msg(server_count_lines(server, text) == 1, "%s", server_errors(server));
}

static bool descriptors_suffice(int clients)
{
	if (process_raise_descriptors((uint64_t)clients + 50) >= (uint64_t)clients + 50)
		return true;
	skipped("needs more descriptors (ulimit -n)");
	return false;
}

/* Only select has this limit; there it must be said and kept, not crossed. */
START_TEST(more_clients_than_an_fd_set_holds_wait)
{
	struct server server;

	if (!model_is(_i, "select") || !descriptors_suffice(CROWD))
		return;
	ck_assert_int_lt(FD_SETSIZE, CROWD);
	server = start(_i, ARGUMENTS("-c", "2000"));
	fill_up_and_empty(&server, CROWD, "out of descriptors");
	expect_all_served(&server, CROWD);
}
END_TEST

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit limits = { soft, hard };

	if (setrlimit(resource, &limits) < 0)
		_exit(127);
}

enum { FEW = 32, MANY = 60 };

static void allow_few_descriptors(void *context)
{
	(void)context;
	limit(RLIMIT_NOFILE, FEW, FEW);
}

static void allow_few_descriptors_at_first(void *context)
{
	(void)context;
	limit(RLIMIT_NOFILE, FEW, 4096);
}

/* Whoever keeps a client's socket in the process that accepts runs out of descriptors. */
static bool descriptors_are_one_process(int model)
{
	return !model_has_processes(model) && !model_is(model, "iterative") &&
	       model_shares_a_server(model);
}

/* All come, all speak, and are served, in the order they came. */
static void serve_in_turn(const struct server *server, int clients)
{
	for (int i = 0; i < clients; i++) {
		fds[i] = client_connect(server);
		client_send(fds[i], &i, sizeof i);
	}
	for (int i = 0; i < clients; i++) {
		client_expect(fds[i], &i, sizeof i);
		client_leave(fds[i]);
	}
}

START_TEST(out_of_descriptors_it_waits_for_room)
{
	struct server server = start_prepared(_i, NULL, allow_few_descriptors, NULL);

	if (descriptors_are_one_process(_i))
		fill_up_and_empty(&server, MANY, "out of descriptors");
	else
		serve_in_turn(&server, MANY);
	expect_all_served(&server, MANY);
}
END_TEST

START_TEST(a_soft_limit_of_descriptors_is_raised)
{
	struct server server =
		start_prepared(_i, NULL, allow_few_descriptors_at_first, NULL);

	serve_in_turn(&server, MANY);
	ck_assert_uint_eq(server_count_lines(&server, "out of descriptors"), 0);
	expect_all_served(&server, MANY);
}
END_TEST

/* ---- no more processes, threads, memory ------------------------------------------------ */

enum { PROCESSES = 10, CLIENTS = 25 };

/* RLIMIT_NPROC counts all that a user has, and does not bind root: so this is a user who
 * has nothing else. */
static void become_lone_user(void *context)
{
	uid_t lone = *(uid_t *)context;

	if (setgroups(0, NULL) < 0 || setgid(lone) < 0 || setuid(lone) < 0)
		_exit(127);
}

static void become_lone_user_with_few_processes(void *context)
{
	limit(RLIMIT_NPROC, PROCESSES, PROCESSES);
	if (SANITIZED) /* the search for leaks begins with a process, at the exit */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	become_lone_user(context);
}

/* Whether our programs can be run by such a user. */
static bool lone_user_can_run(uid_t lone, int model)
{
	struct run run;

	if (getuid() != 0) {
		skipped("needs root");
		return false;
	}
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS(model_program(model, "echo"), "-V"),
		.prepare = become_lone_user,
		.context = &lone,
	});
	if (!WIFEXITED(run.status) || WEXITSTATUS(run.status) != 0) {
		skipped("needs programs that another user can run");
		return false;
	}
	return true;
}

static const char *what_runs_out(int model)
{
	return model_is(model, "fork")     ? "cannot fork"
	       : model_is(model, "thread") ? "cannot create a thread"
					   : NULL;
}

START_TEST(out_of_processes_it_waits_for_room)
{
	uid_t lone = (uid_t)(100000 + getpid());
	const char *says = what_runs_out(_i);
	struct server server;

	/* the emulator starts a thread in each process, and ends the process without one */
	if (!kernel_has("processes of one thread") || !lone_user_can_run(lone, _i))
		return;
	server = start_prepared(_i, NULL, become_lone_user_with_few_processes, &lone);
	if (says != NULL)
		fill_up_and_empty(&server, CLIENTS, says);
	else
		serve_in_turn(&server, CLIENTS);
	expect_all_served(&server, CLIENTS);
}
END_TEST

/* The one who was accepted, and for whom there was no process, is told by the end. */
START_TEST(a_full_server_can_be_stopped)
{
	uid_t lone = (uid_t)(100000 + getpid());
	const char *says = what_runs_out(_i);
	struct server server;
	int count = 0;

	if (says == NULL || !lone_user_can_run(lone, _i))
		return;
	server = start_prepared(_i, NULL, become_lone_user_with_few_processes, &lone);
	while (server_count_lines(&server, says) == 0) {
		ck_assert_int_lt(count, CLIENTS);
		fds[count] = client_connect(&server);
		client_send(fds[count], "x", 1);
		while (!client_is_readable(fds[count], 1) &&
		       server_count_lines(&server, says) == 0)
			continue;
		count++;
	}
	server_signal(&server, SIGTERM);
	for (int i = 0; i < count - 1; i++) {
		client_expect(fds[i], "x", 1);
		client_expect_end(fds[i]);
		client_close(fds[i]);
	}
	ck_assert(client_is_readable(fds[count - 1], WAIT_MS));
	client_close(fds[count - 1]);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	ck_assert_uint_eq(server_count_lines(&server, "dropped 1;"), 1);
}
END_TEST

static void allow_little_memory(void *context)
{
	(void)context;
	limit(RLIMIT_AS, 24 * MEGABYTE, 24 * MEGABYTE);
}

/* Each thread has its stack, a quarter of a megabyte, in the one address space. */
START_TEST(out_of_address_space_threads_wait_for_room)
{
	enum { STACKS = 150 };
	struct server server;

	if (!model_is(_i, "thread"))
		return;
	if (SANITIZED) {
		skipped("needs a build without sanitizers");
		return;
	}
	if (!descriptors_suffice(STACKS) || !kernel_has("RLIMIT_AS"))
		return;
	server = start_prepared(_i, NULL, allow_little_memory, NULL);
	fill_up_and_empty(&server, STACKS, "cannot create a thread");
	expect_all_served(&server, STACKS);
}
END_TEST

/* ---- one client's trouble -------------------------------------------------------------- */

START_TEST(clients_that_reset_harm_nobody_else)
{
	enum { ROUNDS = SANITIZED ? 30 : 100, SIZE = 50 * 1000 };
	struct server server = start(_i, NULL);
	bool many = model_serves_many(_i);
	int good = many ? client_connect(&server) : -1;

	fill_pattern(block, MEGABYTE, 1);
	for (int i = 0; i < ROUNDS; i++) {
		int bad = client_connect(&server);
		int worse = client_connect(&server);

		client_send(bad, block,
			    SIZE); /* with its echo unread, or still to come */
		if (many)
			client_exchange(good, block + i, SIZE, block + i, SIZE);
		client_reset(bad);
		client_send(worse, "x", 1);
		client_reset(worse);
	}
	if (!many)
		good = client_connect(&server);
	client_exchange(good, block, SIZE, block, SIZE);
	client_leave(good);
	/* when it is accepted, so are all before it */
	client_leave(client_connect_and_echo(&server));
	expect_all_served(&server, 2 * ROUNDS + 2);
}
END_TEST

START_TEST(a_client_that_never_reads_holds_up_nobody_else)
{
	struct server server = start(_i, NULL);
	int bad = client_connect(&server), good;

	fill_pattern(block, MEGABYTE, 2);
	client_send_until_full(bad);
	if (!model_serves_many(_i)) /* the others' turn comes when it has gone */
		client_reset(bad);
	good = client_connect(&server);
	client_exchange(good, block, MEGABYTE, block, MEGABYTE);
	if (model_serves_many(_i)) {
		expect_idle(&server);
		client_reset(bad);
	}
	client_leave(good);
	server_finish(&server);
}
END_TEST

START_TEST(a_client_that_sends_byte_by_byte_holds_up_nobody_else)
{
	struct server server = start(_i, NULL);
	int slow = client_connect(&server), fast = -1;

	fill_pattern(block, MEGABYTE, 3);
	if (model_serves_many(_i))
		fast = client_connect(&server);
	for (int i = 0; i < 20; i++) {
		client_send(slow, block + i, 1);
		if (fast >= 0)
			client_exchange(fast, block, 40000, block, 40000);
		else
			poll(NULL, 0, 5);
		client_expect(slow, block + i, 1);
	}
	client_leave(slow);
	if (fast >= 0)
		client_leave(fast);
	server_finish(&server);
}
END_TEST

START_TEST(clients_that_come_and_go_at_once_harm_nobody)
{
	enum { FLOOD = SANITIZED ? 300 : 1000 };
	struct server server = start(_i, NULL);

	for (int i = 0; i < FLOOD; i++) {
		int fd = client_connect(&server);

		if (i % 2 == 0)
			client_close(fd);
		else
			client_reset(fd);
	}
	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
}
END_TEST

/* GIVEN clients that wait to be accepted, and have ended already
   WHEN the server accepts them, and speaks first: so they end as they are accepted
   THEN the clients after them are served. */
START_TEST(clients_that_have_ended_before_they_are_accepted_harm_nobody)
{
	enum { ENDED = 20 };
	static const char text[] = "hello\n";
	struct server server = model_start(_i, "greet", ARGUMENTS("-m", "hello"));

	server_wait_line(&server, "listening on", WAIT_MS);
	for (int round = 0; round < 3; round++) {
		int last;

		server_signal(&server, SIGSTOP);
		for (int i = 0; i < ENDED; i++)
			client_reset(client_connect(&server));
		last = client_connect(&server);
		server_signal(&server, SIGCONT);
		client_expect(last, text, strlen(text));
		client_expect_end(last);
		client_close(last);
	}
	server_finish(&server);
}
END_TEST

/* ---- signals at a bad time -------------------------------------------------------------- */

struct slow_reader {
	struct server *server;
	int fd;
};

/* Makes a little room all the time: no send waits for long, and none is ever done. */
static bool has_ended_meanwhile(void *context)
{
	struct slow_reader *reader = context;
	char bytes[512];

	(void)recv(reader->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	return has_ended(&reader->server->pid);
}

START_TEST(a_client_that_reads_slowly_does_not_put_off_the_second_stop)
{
	struct server server = start(_i, NULL);
	struct slow_reader reader = { &server, client_connect_and_echo(&server) };
	struct server_end end;
	ssize_t n;

	do
		n = send(reader.fd, block, MEGABYTE, MSG_DONTWAIT);
	while (n > 0 || is_writable(reader.fd, 200 * SLOW_MACHINE));
	server_signal(&server, SIGTERM);
	ck_assert(!has_ended_meanwhile(&reader));
	server_signal(&server, SIGTERM);
	ck_assert(eventually(has_ended_meanwhile, &reader, WAIT_MS));
	end = server_await(&server, WAIT_MS);
	ck_assert(WIFEXITED(end.status));
	ck_assert_int_eq(WEXITSTATUS(end.status), 0);
	client_reset(reader.fd);
}
END_TEST

START_TEST(signals_do_not_put_off_the_idle_timeout)
{
	enum { MOST_SIGNALS = 100 * SLOW_MACHINE };
	struct server server = start(_i, ARGUMENTS("-t", "0.5"));
	int fd = client_connect_and_echo(&server), asked = 0;

	while (asked < MOST_SIGNALS && !client_is_readable(fd, 150)) {
		server_signal(&server, SIGUSR1);
		asked++;
	}
	client_expect_end(fd);
	client_close(fd);
	ck_assert_int_lt(asked, MOST_SIGNALS);
	server_finish(&server);
}
END_TEST

/* ---- processes that are killed --------------------------------------------------------- */

static bool has_two_children_and_no_zombie(void *context)
{
	struct process_tree tree = process_tree(((struct server *)context)->pid);

	return tree.children == 2 && tree.zombies == 0;
}

START_TEST(a_child_that_is_killed_takes_its_own_client_along_and_nobody_else)
{
	struct server server;
	char byte;
	pid_t child;

	if (!model_is(_i, "fork"))
		return;
	server = start(_i, ARGUMENTS("-vv"));
	for (int i = 0; i < 3; i++)
		fds[i] = client_connect_and_echo(&server);
	child = server_process_of(&server, fds[1], "connected");
	ck_assert_int_ne(child, server.pid);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_le(io_read(fds[1], &byte, 1), 0);
	client_close(fds[1]);
	ck_assert(eventually(has_two_children_and_no_zombie, &server, WAIT_MS));
	client_echo(fds[0]);
	client_echo(fds[2]);
	client_leave(client_connect_and_echo(&server));
	client_leave(fds[0]);
	client_leave(fds[2]);
	expect_all_served(&server, 4);
}
END_TEST

START_TEST(a_server_that_is_killed_leaves_nobody_behind)
{
	int clients = model_serves_many(_i) ? 3 : 1;
	struct server_end end;
	struct server server;

	if (model_has_processes(_i) && !programs_use("PR_SET_PDEATHSIG"))
		return;
	server = start(_i, NULL);
	for (int i = 0; i < clients; i++)
		fds[i] = client_connect_and_echo(&server);
	server_signal(&server, SIGKILL);
	for (int i = 0; i < clients; i++) {
		client_expect_end(fds[i]);
		client_close(fds[i]);
	}
	end = server_await(&server, WAIT_MS); /* its children, too, must end */
	ck_assert(WIFSIGNALED(end.status));
}
END_TEST

/* ---- nothing is left over -------------------------------------------------------------- */

struct before {
	const struct server *server;
	unsigned descriptors, children;
	struct process_tree now;
};

static bool is_as_before(void *context)
{
	struct before *before = context;

	before->now = process_tree(before->server->pid);
	return before->now.children == before->children && before->now.zombies == 0 &&
	       process_descriptors(before->server->pid) == before->descriptors;
}

static bool has_its_children(void *context)
{
	const struct before *before = context;

	return process_tree(before->server->pid).children == before->children;
}

START_TEST(many_short_connections_leave_nothing_behind)
{
	enum { CONNECTIONS = SANITIZED ? 500 : 2000, AT_A_TIME = 100 };
	struct server server = start(_i, NULL);
	struct before before = { .server = &server };

	if (!process_facts_available())
		skipped("needs /proc");
	client_leave(client_connect_and_echo(&server));
	before.children = model_is(_i, "prefork") ? MODEL_WORKERS : 0; /* they stay */
	ck_assert(eventually(has_its_children, &before, WAIT_MS));
	before.descriptors = process_descriptors(server.pid);
	for (int done = 0; done < CONNECTIONS; done += AT_A_TIME) {
		for (int i = 0; i < AT_A_TIME; i++) {
			fds[i] = client_connect(&server);
			client_send(fds[i], &i, sizeof i);
		}
		for (int i = 0; i < AT_A_TIME; i++) {
			client_expect(fds[i], &i, sizeof i);
			if (i % 10 == 0)
				client_close(fds[i]);
			else
				client_reset(fds[i]); /* leaves no TIME_WAIT here */
		}
	}
	ck_assert_msg(eventually(is_as_before, &before, WAIT_MS),
		      "%u children, %u zombies, %u descriptors where %u were before",
		      before.now.children, before.now.zombies,
		      process_descriptors(server.pid), before.descriptors);
	expect_all_served(&server, CONNECTIONS + 1);
}
END_TEST

/* ---- standard error -------------------------------------------------------------------- */

static void no_standard_error(void *context)
{
	(void)context;
	close(STDERR_FILENO);
}

static void no_standard_descriptors(void *context)
{
	(void)context;
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
}

/* What was meant for the operator must never go to a client. */
START_TEST(a_server_whose_errors_nobody_hears_serves_all_the_same)
{
	static void (*const ways[])(void *) = { errors_are_full, errors_have_no_reader,
						no_standard_error,
						no_standard_descriptors };

	for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
		struct server server =
			start_prepared(_i, ARGUMENTS("-vv"), ways[way], NULL);
		int clients = model_serves_many(_i) ? 5 : 1;

		for (int round = 0; round < 2; round++) {
			for (int i = 0; i < clients; i++)
				fds[i] = client_connect_and_echo(&server);
			client_reset(fds[0]);
			for (int i = 1; i < clients; i++) {
				client_echo(fds[i]);
				client_leave(fds[i]);
			}
		}
		server_finish(&server);
		ck_assert_str_eq(server_errors(&server), "");
	}
}
END_TEST

/* In every model. */
static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, models_count());
}

START_TEST(a_log_that_nobody_reads_stops_nobody)
{
	struct program program = program_start(&(struct run_setup){
		.argv = ARGUMENTS(model_program(_i, "echo"), "-vv", "-p", "0"),
	});
	struct server server = { .pid = program.pid,
				 .host = "127.0.0.1",
				 .type = SOCK_STREAM };
	char lines[TEXT] = "", *said = NULL;
	size_t length = 0;
	struct run run;
	int full;

	while (said == NULL) {
		ssize_t n =
			io_read(program.err, lines + length, sizeof lines - 1 - length);

		ck_assert_int_gt(n, 0);
		length += (size_t)n;
		said = strstr(lines, "listening on ");
	}
	ck_assert_int_eq(sscanf(said, "listening on 127.0.0.1:%u", &server.port), 1);
	ck_assert_int_eq(ioctl(program.err, FIONREAD, &full), 0);
	for (int i = 0; full < PIPE_NEARLY_FULL && i < CROWD; i++) {
		client_close(client_connect_and_echo(&server));
		ck_assert_int_eq(ioctl(program.err, FIONREAD, &full), 0);
	}
	ck_assert_int_ge(full, PIPE_NEARLY_FULL);
	for (int i = 0; i < 5; i++)
		client_leave(client_connect_and_echo(&server));
	ck_assert_int_eq(kill(program.pid, SIGTERM), 0);
	ck_assert(eventually(has_ended, &program.pid, WAIT_MS));
	run = program_wait(&program, WAIT_MS);
	ck_assert_int_eq(run_exit_status(&run), 0);
}
END_TEST

Suite *suite_faults(void)
{
	Suite *suite = suite_create("faults");
	TCase *tcase = add_case(suite, "full");

	block = much_memory(MEGABYTE);
	add(tcase, more_clients_than_an_fd_set_holds_wait);
	add(tcase, out_of_descriptors_it_waits_for_room);
	add(tcase, a_soft_limit_of_descriptors_is_raised);
	add_sharing_test(tcase, out_of_processes_it_waits_for_room);
	add(tcase, a_full_server_can_be_stopped);
	add(tcase, out_of_address_space_threads_wait_for_room);
	tcase = add_case(suite, "one client's trouble");
	add(tcase, clients_that_reset_harm_nobody_else);
	add(tcase, a_client_that_never_reads_holds_up_nobody_else);
	add(tcase, a_client_that_sends_byte_by_byte_holds_up_nobody_else);
	add(tcase, clients_that_come_and_go_at_once_harm_nobody);
	add(tcase, clients_that_have_ended_before_they_are_accepted_harm_nobody);
	tcase = add_case(suite, "signals at a bad time");
	add(tcase, a_client_that_reads_slowly_does_not_put_off_the_second_stop);
	add(tcase, signals_do_not_put_off_the_idle_timeout);
	tcase = add_case(suite, "processes that are killed");
	add(tcase, a_child_that_is_killed_takes_its_own_client_along_and_nobody_else);
	add_sharing_test(tcase, a_server_that_is_killed_leaves_nobody_behind);
	tcase = add_case(suite, "nothing is left over");
	add(tcase, many_short_connections_leave_nothing_behind);
	tcase = add_case(suite, "standard error");
	add(tcase, a_server_whose_errors_nobody_hears_serves_all_the_same);
	add_sharing_test(tcase, a_log_that_nobody_reads_stops_nobody);
	return suite;
}
