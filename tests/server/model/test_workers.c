/*
 * The models whose workers are there before the clients, prefork and pool: how many clients
 * they serve at a time, in each way to share them, and what becomes of a worker that ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/crowd.h"
#include "tests/fixture/forbid.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum {
	CROWD = 200,
	MOST_WORKERS = 8,
	A_WHILE = 300 * SLOW_MACHINE, /* milliseconds in which nothing may happen */
	/* Of workers.c: killed workers that are replaced at once, and then one in this many
	 * milliseconds. */
	AT_ONCE = 5,
	INTERVAL = 250,
};

static const struct way {
	const char *program, *accept;
} ways[] = {
	{ "echod-prefork", "block" }, { "echod-prefork", "lock" },
	{ "echod-prefork", "pass" },  { "echod-pool", "queue" },
	{ "echod-pool", "mutex" },
};

enum { PREFORK_WAYS = 3, WAYS = sizeof ways / sizeof *ways };

static struct server start(int way, const char *workers)
{
	return server_start(ways[way].program, ARGUMENTS("-j", workers, "--accept",
							 ways[way].accept, "-vv"));
}

/* ---- N clients at a time ---------------------------------------------------------------- */

/* GIVEN two workers and two clients
   WHEN a third client comes
   THEN it is served when one of the others leaves, and not before. */
START_TEST(as_many_clients_are_served_as_there_are_workers)
{
	struct server server = start(_i, "2");
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = client_connect(&server);
	client_echo(fds[0]);
	client_echo(fds[1]);
	client_say(fds[2], "x");
	ck_assert(!client_is_readable(fds[2], A_WHILE));
	client_leave(fds[0]);
	client_hear(fds[2], "x");
	client_leave(fds[1]);
	client_leave(fds[2]);
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "full with 2 clients (--workers)"),
			  1);
	ck_assert_uint_eq(server_count_lines(&server, "served 3 clients, dropped 0;"), 1);
}
END_TEST

START_TEST(two_workers_serve_two_hundred_clients)
{
	struct server server = start(_i, "2");
	static int fds[CROWD];

	for (int i = 0; i < CROWD; i++)
		client_leave(client_connect_and_echo(&server));
	for (int i = 0; i < CROWD; i++) {
		fds[i] = client_connect(&server);
		client_send(fds[i], &i, sizeof i);
	}
	for (int i = 0; i < CROWD; i++) {
		client_expect(fds[i], &i, sizeof i);
		client_leave(fds[i]);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "served 400 clients, dropped 0;"),
			  1);
}
END_TEST

START_TEST(the_limit_of_clients_limits_the_workers)
{
	struct server server =
		server_start(ways[_i].program, ARGUMENTS("-c", "1", "-j", "5", "--accept",
							 ways[_i].accept));
	int one = client_connect_and_echo(&server), two = client_connect(&server);

	client_say(two, "x");
	ck_assert(!client_is_readable(two, A_WHILE));
	client_leave(one);
	client_hear(two, "x");
	client_leave(two);
	server_finish(&server);
	ck_assert_uint_eq(
		server_count_lines(&server, "full with 1 clients (--max-clients)"), 1);
}
END_TEST

/* ---- the stop --------------------------------------------------------------------------- */

START_TEST(a_stop_ends_busy_and_idle_workers)
{
	struct server server = start(_i, "4");
	int one = client_connect_and_echo(&server);
	int two = client_connect_and_echo(&server);
	struct server_end end;

	server_signal(&server, SIGTERM);
	client_expect_end(one);
	client_expect_end(two);
	client_close(one);
	client_close(two);
	end = server_await(&server, WAIT_MS);
	ck_assert_int_eq(end.status, 0);
	ck_assert_uint_eq(end.orphans, 0);
	ck_assert_uint_eq(server_count_lines(&server, "cut off"), 0);
	ck_assert_uint_eq(server_count_lines(&server, "killed"), 0);
}
END_TEST

START_TEST(a_server_that_is_killed_takes_its_workers_along)
{
	struct server server;
	int fd;

	if (_i < PREFORK_WAYS && !programs_use("PR_SET_PDEATHSIG"))
		return;
	/* one whose signal comes just before accept(2) waits there, and no alarm(2) follows */
	if (_i < PREFORK_WAYS && THREAD_SANITIZED) {
		skipped("needs a build without the thread sanitizer");
		return;
	}
	server = start(_i, "4");
	fd = client_connect_and_echo(&server);
	server_signal(&server, SIGKILL);
	client_expect_end(fd);
	client_close(fd);
	server_await(&server, WAIT_MS); /* its workers, too, must end */
}
END_TEST

struct held {
	const struct server *server;
	unsigned descriptors;
};

static bool has_one_more_descriptor(void *context)
{
	const struct held *held = context;

	return process_descriptors(held->server->pid) > held->descriptors;
}

/* Connects a client that waits in the queue of a pool, because its only worker serves another one.
 * @return its descriptor */
static int connect_to_queue(const struct server *server)
{
	struct held held = { server, process_descriptors(server->pid) };
	int fd = client_connect(server);

	ck_assert(eventually(has_one_more_descriptor, &held, WAIT_MS));
	return fd;
}

/* GIVEN a pool that is full, with a client in its queue that has sent a request
   WHEN it is told to stop
   THEN that client gets its reply, as the others do. */
START_TEST(a_stop_serves_clients_in_the_queue)
{
	struct server server = server_start("echod-pool", ARGUMENTS("-j", "1"));
	int served = client_connect_and_echo(&server), queued;

	if (!process_facts_available()) {
		skipped("needs /proc");
		server_stop(&server);
		return;
	}
	queued = connect_to_queue(&server);
	client_say(queued, "in the queue");
	server_signal(&server, SIGTERM);
	client_expect_end(served);
	client_hear(queued, "in the queue");
	client_expect_end(queued);
	client_close(served);
	client_close(queued);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	ck_assert_uint_eq(server_count_lines(&server, "served 2 clients, dropped 0;"), 1);
}
END_TEST

/* GIVEN the same, and a request of another client that takes long
   WHEN a second signal says that the server must not wait
   THEN the client in the queue is closed, and counted as dropped. */
START_TEST(a_second_signal_drops_clients_in_the_queue)
{
	struct server server = server_start(
		"httpd-pool", ARGUMENTS("-j", "1", "--delay", "60000", "-vv"));
	int served = client_connect(&server), queued;
	char byte;

	if (!process_facts_available()) {
		skipped("needs /proc");
		server_stop(&server);
		return;
	}
	client_say(served, "GET / HTTP/1.0\r\n\r\n");
	server_wait_line(&server, "connected", WAIT_MS);
	queued = connect_to_queue(&server);
	server_signal(&server, SIGTERM);
	ck_assert(eventually(server_refuses, &server, WAIT_MS)); /* two at once are one */
	server_signal(&server, SIGTERM);
	ck_assert_int_le(io_read(queued, &byte, 1), 0);
	client_close(served);
	client_close(queued);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	ck_assert_uint_eq(server_count_lines(&server, "served 1 clients, dropped 1;"), 1);
}
END_TEST

/* ---- workers that end ------------------------------------------------------------------- */

/* The workers of a server. @return how many there are */
static int find_workers(const struct server *server, pid_t pids[MOST_WORKERS])
{
	return process_children(server->pid, pids, MOST_WORKERS);
}

static bool can_find_workers(const struct server *server)
{
	pid_t pids[MOST_WORKERS];

	if (find_workers(server, pids) >= 0)
		return true;
	skipped("needs /proc/PID/task/PID/children");
	return false;
}

struct expected_workers {
	const struct server *server;
	int count;
	pid_t without; /* this one must have ended; 0: none */
};

static bool has_workers(void *context)
{
	const struct expected_workers *expected = context;
	pid_t pids[MOST_WORKERS];
	int count = find_workers(expected->server, pids);

	for (int i = 0; i < count; i++)
		if (pids[i] == expected->without)
			return false;
	return count == expected->count &&
	       process_tree(expected->server->pid).zombies == 0;
}

static void expect_workers(const struct server *server, int count, pid_t without)
{
	struct expected_workers expected = { server, count, without };

	ck_assert_msg(eventually(has_workers, &expected, WAIT_MS), "not %d workers",
		      count);
}

/* GIVEN clients of several workers
   WHEN the worker of one is killed
   THEN that client is lost, which is reported; the others go on; the worker is replaced. */
START_TEST(a_killed_worker_takes_its_client_along_and_is_replaced)
{
	struct server server = start(_i, "2");
	int one = client_connect_and_echo(&server);
	int two = client_connect_and_echo(&server), three;
	pid_t worker = server_process_of(&server, one, "connected");
	char byte;

	if (!can_find_workers(&server)) {
		server_stop(&server);
		return;
	}
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	ck_assert_int_le(io_read(one, &byte, 1), 0);
	client_close(one);
	server_wait_line(&server, "was killed by signal 9", WAIT_MS);
	three = client_connect_and_echo(&server);
	expect_workers(&server, 2, worker);
	client_echo(two);
	client_leave(two);
	client_leave(three);
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "served 3 clients, dropped 0;"), 1);
}
END_TEST

/* Among the workers that wait, one may hold the lock. The first one is killed before any client has
 * come, so it is idle; the others may still be about to leave their clients. */
START_TEST(killed_workers_that_waited_are_replaced)
{
	struct server server = start(_i, "3");
	pid_t pids[MOST_WORKERS];

	server_wait_line(&server, "listening on", WAIT_MS);
	if (!can_find_workers(&server)) {
		server_stop(&server);
		return;
	}
	expect_workers(&server, 3, 0);
	ck_assert_int_eq(find_workers(&server, pids), 3);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
		expect_workers(&server, 3, pids[i]);
		client_leave(client_connect_and_echo(&server));
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "an idle worker has ended"), 1);
	ck_assert_uint_eq(server_count_lines(&server, "served 3 clients, dropped 0;"), 1);
}
END_TEST

/* GIVEN one worker
   WHEN each new one is killed
   THEN the first ones are replaced at once, and then one in each interval. */
START_TEST(workers_that_die_at_once_are_not_replaced_faster_than_the_limit)
{
	enum { KILLED = AT_ONCE + 3 };
	int64_t began = clock_milliseconds();
	struct server server = start(_i, "1");
	pid_t pids[MOST_WORKERS];

	client_leave(client_connect_and_echo(&server));
	if (!can_find_workers(&server)) {
		server_stop(&server);
		return;
	}
	for (int i = 0; i < KILLED; i++) {
		ck_assert_int_eq(find_workers(&server, pids), 1);
		ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
		expect_workers(&server, 1, pids[0]);
	}
	ck_assert_int_ge(clock_milliseconds() - began, (KILLED - AT_ONCE) * INTERVAL);
	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
}
END_TEST

/* The workers that a server with one worker has had. */
struct succession {
	const struct server *server;
	pid_t last;
	unsigned count;
	int64_t end; /* milliseconds */
};

static bool is_over(void *context)
{
	struct succession *succession = context;
	pid_t pids[MOST_WORKERS];

	if (find_workers(succession->server, pids) > 0 && pids[0] != succession->last) {
		succession->last = pids[0];
		succession->count++;
	}
	return clock_milliseconds() >= succession->end;
}

/* GIVEN workers that cannot receive a client from the parent
   WHEN they end, and are replaced
   THEN one line says why, and they are not replaced faster than the limit. */
START_TEST(workers_that_cannot_receive_say_so_and_are_not_replaced_faster)
{
	enum { INTERVALS = 4 };
	struct server server;
	struct succession workers = { .server = &server };

	if (!forbid_recvmsg(ENOBUFS)) { /* in this process, and in the server */
		skipped("needs seccomp(2)");
		return;
	}
	server = server_start("echod-prefork", ARGUMENTS("-j", "1", "--accept", "pass"));
	if (!can_find_workers(&server)) {
		server_stop(&server);
		return;
	}
	server_wait_line(&server,
			 "a worker cannot receive a client from its parent: No buffer "
			 "space available",
			 WAIT_MS);
	workers.end = clock_milliseconds() + INTERVALS * INTERVAL;
	ck_assert(eventually(is_over, &workers, WAIT_MS));
	ck_assert_uint_le(workers.count, AT_ONCE + INTERVALS + 2);
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "cannot receive"), 1);
	ck_assert_uint_eq(server_count_lines(&server, "an idle worker has ended"), 1);
}
END_TEST

static void expect_generations(int way, int clients_each)
{
	enum { CLIENTS = 9 };
	char requests[8];
	struct server server;
	pid_t before = 0;

	snprintf(requests, sizeof requests, "%d", clients_each);
	server = server_start(ways[way].program,
			      ARGUMENTS("-j", "1", "--accept", ways[way].accept,
					"--requests", requests, "-vv"));
	for (int i = 0; i < CLIENTS; i++) {
		int fd = client_connect_and_echo(&server);
		pid_t worker = server_process_of(&server, fd, "connected");

		if (i % clients_each == 0)
			ck_assert_int_ne(worker, before);
		else
			ck_assert_int_eq(worker, before);
		before = worker;
		client_leave(fd);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, "ended"), 0);
	ck_assert_uint_eq(server_count_lines(&server, "served 9 clients, dropped 0;"), 1);
}

START_TEST(a_worker_is_replaced_after_so_many_clients)
{
	expect_generations(_i, 1);
	expect_generations(_i, 3);
}
END_TEST

/* ---- idle workers ----------------------------------------------------------------------- */

/* How often a process has gone to sleep. */
static unsigned long sleeps_of(pid_t pid)
{
	char path[64], line[128];
	unsigned long sleeps = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		(void)sscanf(line, "voluntary_ctxt_switches: %lu", &sleeps);
	if (file != NULL)
		fclose(file);
	return sleeps;
}

static unsigned long sleeps_of_all(const pid_t pids[], int count, pid_t except)
{
	unsigned long sleeps = 0;

	for (int i = 0; i < count; i++)
		if (pids[i] != except)
			sleeps += sleeps_of(pids[i]);
	return sleeps;
}

struct idle {
	pid_t pids[MOST_WORKERS + 1], busy;
	int count, fd;
	unsigned long before, after;
};

/* Meanwhile one client talks. */
static bool nobody_else_has_run(void *context)
{
	struct idle *idle = context;
	int64_t end = clock_milliseconds() + A_WHILE;

	idle->before = sleeps_of_all(idle->pids, idle->count, idle->busy);
	while (clock_milliseconds() < end)
		client_echo(idle->fd);
	idle->after = sleeps_of_all(idle->pids, idle->count, idle->busy);
	return idle->after == idle->before;
}

/* They may still be on their way to their first wait. */
START_TEST(idle_workers_and_their_parent_sleep)
{
	struct server server = start(_i, "4");
	struct idle idle = { .fd = client_connect_and_echo(&server) };

	idle.busy = server_process_of(&server, idle.fd, "connected");
	if (!can_find_workers(&server)) {
		server_stop(&server);
		return;
	}
	expect_workers(&server, 4, 0);
	idle.count = find_workers(&server, idle.pids);
	idle.pids[idle.count++] = server.pid;
	ck_assert_msg(eventually(nobody_else_has_run, &idle, WAIT_MS),
		      "%lu sleeps, and a while later %lu", idle.before, idle.after);
	client_leave(idle.fd);
	server_finish(&server);
}
END_TEST

/* ---- clients that share state ----------------------------------------------------------- */

/* GIVEN chat clients in workers of prefork, which serve one after another
   WHEN one leaves and another one comes to its worker, and the worker of one is killed
   THEN the others are told, and talk on. */
START_TEST(chat_goes_on_when_workers_are_reused_and_killed)
{
	struct server server =
		server_start("chatd-prefork", ARGUMENTS("-j", "2", "-H", "0", "-vv"));
	int alice = client_connect(&server), bob;

	client_say(alice, "/nick alice\n");
	for (int i = 0; i < 3; i++) {
		bob = client_connect(&server);
		client_say(bob, "/nick bob\nhello\n/ping\n");
		while (!client_is_readable(bob, WAIT_MS))
			continue;
		client_close(bob);
	}
	bob = client_connect(&server);
	client_say(bob, "/nick bob\n");
	server_wait_line(&server, "connected", WAIT_MS);
	client_say(bob, "/ping\n");
	ck_assert(client_is_readable(bob, WAIT_MS));
	kill(server_process_of(&server, bob, "connected"), SIGKILL);
	ck_assert(crowd_has_ended(bob));
	client_close(bob);
	bob = client_connect(&server);
	client_say(bob, "/nick carol\n");
	ck_assert(client_is_readable(bob, WAIT_MS));
	client_close(bob);
	client_close(alice);
	server_finish(&server);
}
END_TEST

/* ---- usage ------------------------------------------------------------------------------ */

static const struct bad {
	const char *argv[5];
	const char *says;
	int status;
} bad[] = {
	{ { "echod-prefork", "-j", "0" },
	  "-j, --workers: '0' is not a number from 1 to 10000",
	  2 },
	{ { "echod-pool", "-j", "x" },
	  "-j, --workers: 'x' is not a number from 1 to 10000",
	  2 },
	{ { "echod-prefork", "--accept", "queue" },
	  "--accept: 'queue' is not block, lock or pass",
	  2 },
	{ { "echod-pool", "--accept", "lock" },
	  "--accept: 'lock' is not queue or mutex",
	  2 },
	{ { "echod-prefork", "--requests", "-1" },
	  "--requests: '-1' is not a number from 0 to 1000000000",
	  2 },
	{ { "chatd-prefork", "--accept", "block" },
	  "--accept block: the clients of chat share state in the parent, which must "
	  "accept them (--accept pass)",
	  2 },
	{ { "chatd-prefork", "--accept", "lock" },
	  "--accept lock: the clients of chat share state in the parent, which must "
	  "accept them (--accept pass)",
	  2 },
};

START_TEST(bad_usage_is_refused)
{
	struct run run = run_program(bad[_i].argv, "", 0, WAIT_MS);

	run_expect_status(&run, bad[_i].status);
	ck_assert_msg(strstr(run.err, bad[_i].says) != NULL, "%s", run.err);
}
END_TEST

static bool can_share(int way)
{
	return strcmp(ways[way].accept, "lock") != 0 ||
	       (programs_use("a robust mutex") && kernel_has("a robust mutex"));
}

/* For each of the first ways that this build has. */
static void add(TCase *tcase, const TTest *test, int count)
{
	for (int i = 0; i < count; i++)
		if (can_share(i))
			tcase_add_loop_test(tcase, test, i, i + 1);
}

Suite *suite_workers(void)
{
	Suite *suite = suite_create("workers");
	TCase *tcase = add_case(suite, "clients at a time");

	add(tcase, as_many_clients_are_served_as_there_are_workers, WAYS);
	add(tcase, two_workers_serve_two_hundred_clients, WAYS);
	add(tcase, the_limit_of_clients_limits_the_workers, WAYS);
	tcase = add_case(suite, "stop");
	add(tcase, a_stop_ends_busy_and_idle_workers, WAYS);
	add(tcase, a_server_that_is_killed_takes_its_workers_along, WAYS);
	tcase_add_test(tcase, a_stop_serves_clients_in_the_queue);
	tcase_add_test(tcase, a_second_signal_drops_clients_in_the_queue);
	tcase = add_case(suite, "workers that end");
	add(tcase, a_killed_worker_takes_its_client_along_and_is_replaced, PREFORK_WAYS);
	add(tcase, killed_workers_that_waited_are_replaced, PREFORK_WAYS);
	add(tcase, workers_that_die_at_once_are_not_replaced_faster_than_the_limit,
	    PREFORK_WAYS);
	tcase_add_test(tcase,
		       workers_that_cannot_receive_say_so_and_are_not_replaced_faster);
	add(tcase, a_worker_is_replaced_after_so_many_clients, PREFORK_WAYS);
	tcase = add_case(suite, "idle");
	add(tcase, idle_workers_and_their_parent_sleep, PREFORK_WAYS);
	tcase = add_case(suite, "shared state");
	tcase_add_test(tcase, chat_goes_on_when_workers_are_reused_and_killed);
	tcase = add_case(suite, "usage");
	tcase_add_loop_test(tcase, bad_usage_is_refused, 0, sizeof bad / sizeof *bad);
	return suite;
}
