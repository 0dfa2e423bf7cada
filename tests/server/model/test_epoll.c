/*
 * The model epoll with several loops: they serve together as one loop does, in each way to share
 * new clients. The per-model tests run it with one loop.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/process.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/crowd.h"
#include "tests/fixture/forbid.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

static const char *const ways[] = { "shared", "exclusive", "reuseport" };

enum {
	WAYS = sizeof ways / sizeof *ways,
	LOOPS = 4,
	CLIENTS = 40,
	BYTES = 20000,
	FEW = 10,
	TEXT = 256,
	A_WHILE = 300,                   /* milliseconds in which nothing may happen */
	IDLE_CPU = SANITIZED ? 100 : 40, /* milliseconds of them */
};

/* It opens its listeners itself, as --accept reuseport must. */
static struct server start_service(int way, const char *program, const char *option,
				   const char *value)
{
	return server_start_with(&(struct server_setup){
		.program = program,
		.options = ARGUMENTS("-j", "4", "--accept", ways[way], option, value),
		.opens_itself = true,
	});
}

static struct server start(int way, const char *option, const char *value)
{
	return start_service(way, "echod-epoll", option, value);
}

static void expect_served(const struct server *server, int clients)
{
	char text[TEXT];

	snprintf(text, sizeof text, "served %d clients, dropped 0;", clients);
	ck_assert_msg(server_count_lines(server, text) == 1, "%s", server_errors(server));
}

/* GIVEN four loops
   WHEN forty clients send bytes in pieces of different lengths, all in turn
   THEN each gets its own bytes back, from a process that has four threads. */
START_TEST(loops_echo_to_each_client_what_it_sent)
{
	struct server server = start(_i, "-c", "100");
	static char said[CLIENTS][BYTES];
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		fill_pattern(said[i], BYTES, (uint32_t)i);
		fds[i] = client_connect(&server);
	}
	for (size_t at = 0, piece = 1; at < BYTES; at += piece, piece = piece * 2 + 1) {
		if (piece > BYTES - at)
			piece = BYTES - at;
		for (int i = 0; i < CLIENTS; i++)
			client_send(fds[i], said[i] + at, piece);
	}
	for (int i = 0; i < CLIENTS; i++)
		client_expect(fds[i], said[i], BYTES);
	/* a sanitizer has a thread of its own, and so has an emulator */
	if (process_facts_available() && !SANITIZED && !EMULATED)
		ck_assert_uint_eq(process_tree(server.pid).threads, LOOPS);
	for (int i = 0; i < CLIENTS; i++)
		client_leave(fds[i]);
	server_finish(&server);
	expect_served(&server, CLIENTS);
}
END_TEST

static void expect_idle(const struct server *server)
{
	int64_t before = process_tree(server->pid).cpu, used;

	poll(NULL, 0, A_WHILE);
	used = process_tree(server->pid).cpu - before;
	ck_assert_msg(used <= IDLE_CPU, "%s used %jd of %d ms while it had to wait",
		      server->name, (intmax_t)used, A_WHILE);
}

/* GIVEN four loops that may serve ten clients together
   WHEN thirty come
   THEN ten are served, the others wait and cost nothing, and whenever a client leaves, whatever
   its loop, one of those is served. */
START_TEST(the_limit_of_clients_holds_over_all_loops)
{
	struct server server = start(_i, "-c", "10");
	int fds[3 * FEW], served[3 * FEW] = { 0 }, now = 0;

	for (int i = 0; i < 3 * FEW; i++) {
		fds[i] = client_connect(&server);
		client_send(fds[i], &i, sizeof i);
	}
	server_wait_line(&server, "full with 10 clients", WAIT_MS);
	for (int gone = 0; gone < 3 * FEW; gone++) {
		int next = -1;

		for (int i = 0; i < 3 * FEW; i++) {
			if (served[i] == 0 && client_is_readable(fds[i], 0)) {
				client_expect(fds[i], &i, sizeof i);
				served[i] = 1;
				now++;
			}
			if (served[i] == 1)
				next = i;
		}
		ck_assert_int_le(now, FEW);
		if (next < 0) { /* the next one is under way */
			poll(NULL, 0, 1);
			gone--;
			continue;
		}
		if (gone == 0 && now == FEW)
			expect_idle(&server);
		client_leave(fds[next]);
		served[next] = 2;
		now--;
	}
	server_finish(&server);
	expect_served(&server, 3 * FEW);
}
END_TEST

/* GIVEN four loops with clients
   WHEN the server is stopped while each client's bytes are on their way
   THEN all are answered, and the server ends. */
START_TEST(a_stop_reaches_all_loops)
{
	struct server server = start(_i, "-c", "100");
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect_and_echo(&server);
	for (int i = 0; i < CLIENTS; i++)
		client_send(fds[i], &i, sizeof i);
	server_signal(&server, SIGTERM);
	for (int i = 0; i < CLIENTS; i++) {
		client_expect(fds[i], &i, sizeof i);
		client_expect_end(fds[i]);
		client_close(fds[i]);
	}
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	expect_served(&server, CLIENTS);
}
END_TEST

/* GIVEN clients that never read, so that no loop can finish
   WHEN SIGTERM comes twice
   THEN the server exits with status 0 long before the time that clients have to finish. */
START_TEST(a_second_signal_ends_all_loops)
{
	struct server server = start(_i, "-c", "100");
	int fds[FEW];

	for (int i = 0; i < FEW; i++) {
		fds[i] = client_connect_and_echo(&server);
		client_send_until_full(fds[i]);
	}
	server_signal(&server, SIGTERM);
	ck_assert(eventually(server_refuses, &server, WAIT_MS));
	server_signal(&server, SIGTERM);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	for (int i = 0; i < FEW; i++)
		client_close(fds[i]);
}
END_TEST

/* GIVEN clients in all loops WHEN they have left THEN the server exits after the time of -x. */
START_TEST(it_exits_when_no_loop_has_a_client)
{
	struct server server = start(_i, "-x", slow_seconds(0.3));
	int fds[FEW];

	for (int i = 0; i < FEW; i++)
		fds[i] = client_connect_and_echo(&server);
	expect_idle(&server);
	for (int i = 0; i < FEW; i++) {
		client_echo(fds[i]);
		client_leave(fds[i]);
	}
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
	expect_served(&server, FEW);
}
END_TEST

/* WHEN SIGUSR1 comes THEN one line counts the clients of all loops. */
START_TEST(statistics_count_all_loops)
{
	struct server server = start(_i, "-c", "100");
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect_and_echo(&server);
	server_signal(&server, SIGUSR1);
	server_wait_line(&server, "served 40 clients, dropped 0; 200 bytes in,", WAIT_MS);
	for (int i = 0; i < CLIENTS; i++)
		client_leave(fds[i]);
	server_finish(&server);
}
END_TEST

/* ---- how clients are shared ---- */

/* Returns how many descriptors the set of each loop has; 0 if the system does not tell. */
static int sizes_of_sets(pid_t pid, int sizes[LOOPS])
{
	int count = 0;

	for (int fd = 0; fd < 64 && count < LOOPS; fd++) {
		char path[TEXT], line[TEXT];
		FILE *file;
		bool is_set = false;

		snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, fd);
		file = fopen(path, "r");
		if (file == NULL)
			continue;
		sizes[count] = 0;
		while (fgets(line, sizeof line, file) != NULL)
			if (strncmp(line, "tfd:", 4) == 0) {
				is_set = true;
				sizes[count]++;
			}
		fclose(file);
		count += is_set;
	}
	return count;
}

/* GIVEN four idle loops
   WHEN forty clients come one by one
   THEN each loop has ten of them, and its listener. */
START_TEST(exclusive_loops_take_turns)
{
	struct server server = start(1, "-c", "100");
	int fds[CLIENTS], sizes[LOOPS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = client_connect_and_echo(&server);
	if (sizes_of_sets(server.pid, sizes) == LOOPS)
		for (int i = 0; i < LOOPS; i++)
			ck_assert_int_gt(sizes[i], 1);
	else
		skipped("needs /proc");
	for (int i = 0; i < CLIENTS; i++)
		client_leave(fds[i]);
	server_finish(&server);
}
END_TEST

/* ---- clients of several loops meet ---- */

enum {
	TALKERS = 30,
	LINES = SANITIZED ? 20 : 100,
	HEARD = sizeof "00: " - 1 + CROWD_LINE
};

static void hear_until(int fd, const char *last)
{
	char line[4096];
	size_t length = 0;

	for (;;) {
		ck_assert_uint_lt(length, sizeof line - 1);
		ck_assert_int_eq(io_read(fd, line + length, 1), 1);
		if (line[length++] != '\n')
			continue;
		line[length - 1] = '\0';
		length = 0;
		if (strcmp(line, last) == 0)
			return;
	}
}

static int join(const struct server *server, int number)
{
	char text[TEXT];
	int fd = client_connect(server);

	snprintf(text, sizeof text, "/nick %02d\n", number);
	client_say(fd, text);
	snprintf(text, sizeof text, "* you are now %02d", number);
	hear_until(fd, text);
	return fd;
}

static struct server start_chat(int way)
{
	return server_start_with(&(struct server_setup){
		.program = "chatd-epoll",
		.options = ARGUMENTS("-j", "4", "--accept", ways[way], "-R", "0", "-B",
				     "64M", "-c", "1100"),
		.opens_itself = true,
	});
}

/* GIVEN thirty clients in four loops
   WHEN all talk at once
   THEN all hear the same lines in the same order. */
START_TEST(clients_of_different_loops_hear_the_same)
{
	struct server server = start_chat(_i);
	struct talker talkers[TALKERS];

	for (int i = 0; i < TALKERS; i++)
		talkers[i] = (struct talker){ .fd = join(&server, i) };
	for (int i = 0; i < TALKERS; i++) {
		client_say(talkers[i].fd, "/ping\n");
		hear_until(talkers[i].fd, "* pong");
		talkers[i].says = crowd_speech(i, LINES);
		talkers[i].says_length = (size_t)LINES * CROWD_LINE;
		talkers[i].expected = (size_t)LINES * HEARD * (TALKERS - 1);
	}

	crowd_converse(talkers, TALKERS);

	crowd_expect_same(talkers, TALKERS, LINES, HEARD);
	crowd_part(talkers, TALKERS);
	server_finish(&server);
	expect_served(&server, TALKERS);
}
END_TEST

/* GIVEN clients that never read, in other loops than the one that talks
   WHEN more is said than the kernel and the server keep for each
   THEN they are cut off, and the client that talks is alone. */
START_TEST(a_loop_cuts_off_a_client_of_another_loop)
{
	enum { SPEECHES = 6000, LENGTH = 900 };
	struct server server = server_start_with(&(struct server_setup){
		.program = "chatd-epoll",
		.options = ARGUMENTS("-j", "4", "--accept", ways[_i], "-R", "0", "-B",
				     "64K", "-v"),
		.opens_itself = true,
	});
	int deaf[LOOPS], talker;
	static char speech[LENGTH + 2];

	for (int i = 0; i < LOOPS; i++)
		deaf[i] = join(&server, i);
	talker = join(&server, 99);
	memset(speech, 1, LENGTH);
	speech[LENGTH] = '\n';
	for (int i = 0; i < SPEECHES; i++)
		client_send(talker, speech, LENGTH + 1);
	client_say(talker, "/ping\n"); /* all that it said has been delivered */
	hear_until(talker, "* pong");
	for (int i = 0; i < LOOPS; i++) {
		ck_assert(crowd_has_ended(deaf[i]));
		close(deaf[i]);
	}
	client_say(talker, "/who\n");
	hear_until(talker, "* in lobby (1): 99");
	client_close(talker);
	server_finish(&server);
}
END_TEST

enum { STORM = SANITIZED ? 200 : 1000, GUESTS = 8 };

struct storm {
	const struct server *server;
	int first;
};

/* A part of the storm: comes, says something, and leaves in one of several ways. */
static void *come_and_go(void *context)
{
	const struct storm *storm = context;

	for (int i = 0; i < STORM / GUESTS; i++) {
		int fd = client_connect(storm->server);

		client_say(fd, "hello\n");
		crowd_go(fd, storm->first + i);
	}
	return NULL;
}

/* GIVEN a client that stays
   WHEN a thousand others come, say something and leave in different ways, eight at a time
   THEN all were served, none is left, and the client that stays is answered. */
START_TEST(a_storm_of_guests_leaves_nothing)
{
	struct server server = start_chat(_i);
	pthread_t threads[GUESTS];
	struct storm storms[GUESTS];
	int host = join(&server, 99);
	char line[TEXT];

	for (int i = 0; i < GUESTS; i++) {
		storms[i] = (struct storm){ &server, i };
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, come_and_go, &storms[i]), 0);
	}
	for (int i = 0; i < GUESTS; i++)
		pthread_join(threads[i], NULL);
	do {
		client_say(host, "/ping\n/who\n");
		hear_until(host, "* pong");
	} while (io_read_all(host, line, 16) == 16 &&
		 strncmp(line, "* in lobby (1): ", 16) != 0);
	client_close(host);
	server_finish(&server);
	ck_assert_msg(server_count_lines(&server, "dropped 0;") == 1, "%s",
		      server_errors(&server));
}
END_TEST

/* ---- what cannot be done ---- */

static const struct {
	const char *option, *value, *program, *says;
	int status;
} refused[] = {
	{ "-j", "x", "echod-epoll",
	  "echod-epoll: -j, --workers: 'x' is not a number from 0 to 256; try "
	  "'echod-epoll -h'\n",
	  2 },
	{ "-j", "257", "echod-epoll",
	  "echod-epoll: -j, --workers: '257' is not a number from 0 to 256; try "
	  "'echod-epoll -h'\n",
	  2 },
	{ "--accept", "both", "echod-epoll",
	  "echod-epoll: --accept: 'both' is not shared, exclusive or reuseport; try "
	  "'echod-epoll -h'\n",
	  2 },
	{ "-uj", "2", "echod-epoll",
	  "echod-epoll: -j, --workers: with -u there is only one loop; try "
	  "'echod-epoll -h'\n",
	  2 },
	{ "-p", "0", TESTS_BUILD "/echod-epoll-lacking",
	  "echod-epoll-lacking: this system has no epoll(7): use the model poll or "
	  "select\n",
	  1 },
};

enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(what_cannot_be_done_is_said)
{
	struct run run = run_program(
		ARGUMENTS(refused[_i].program, refused[_i].option, refused[_i].value), "",
		0, WAIT_MS);

	run_expect_status(&run, refused[_i].status);
	ck_assert_str_eq(run.err, refused[_i].says);
	ck_assert_str_eq(run.out, "");
}
END_TEST

/* GIVEN a system without epoll, which datagrams do not need
   THEN the server answers a datagram. */
START_TEST(datagrams_are_served_without_epoll)
{
	struct server server = server_start_with(&(struct server_setup){
		.program = TESTS_BUILD "/echod-epoll-lacking",
		.options = ARGUMENTS("-u"),
		.type = SOCK_DGRAM,
	});

	client_close(client_connect_and_echo(&server));
	server_finish(&server);
}
END_TEST

/* GIVEN a socket of another process (socket activation)
   THEN --accept reuseport is refused in one line. */
START_TEST(reuseport_needs_listeners_of_its_own)
{
	struct server server = server_start(
		"echod-epoll", ARGUMENTS("-j", "2", "--accept", "reuseport"));
	struct server_end end = server_await(&server, WAIT_MS);

	ck_assert(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 1);
	ck_assert_str_eq(
		server_errors(&server),
		"echod-epoll: --accept reuseport: the listening socket belongs to "
		"another process (LISTEN_FDS), use shared or exclusive\n");
}
END_TEST

/* WHEN a second server is started on the port of one with --accept reuseport
   THEN it is refused: the port is in use. */
START_TEST(reuseport_does_not_share_the_port_with_another_server)
{
	struct server server = start(2, "-c", "100");
	char port[16], text[TEXT];
	struct run run;

	snprintf(port, sizeof port, "%u", server.port);
	run = run_program(
		ARGUMENTS("echod-epoll", "-j", "2", "--accept", "reuseport", "-p", port),
		"", 0, WAIT_MS);
	run_expect_status(&run, 1);
	snprintf(text, sizeof text, "echod-epoll: cannot listen on 127.0.0.1:%u: %s\n",
		 server.port, strerror(EADDRINUSE));
	ck_assert_str_eq(run.err, text);
	server_finish(&server);
}
END_TEST

static void refuse_threads(void *context)
{
	(void)context;
	if (!forbid_threads(EAGAIN))
		_exit(77);
}

/* GIVEN a system that creates no more threads, WHEN a server with two loops starts, THEN it has
 * not said that it listens, but why it cannot start. */
START_TEST(without_a_thread_for_each_loop_it_does_not_start)
{
	struct run run;

	if (SANITIZED) /* a sanitizer needs a thread at the end */
		return;
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("echod-epoll", "-j", "2", "-p", "0"),
		.prepare = refuse_threads,
	});
	if (run_exit_status(&run) == 77) {
		skipped("needs seccomp(2)");
		return;
	}
	run_expect_status(&run, 1);
	expect_match(run.err, "^echod-epoll: cannot start: [^\n]*\n$");
}
END_TEST

START_TEST(one_loop_per_processor)
{
	struct server server = server_start("echod-epoll", ARGUMENTS("-j", "0"));
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	client_leave(client_connect_and_echo(&server));
	if (process_facts_available() && !SANITIZED && !EMULATED)
		ck_assert_uint_eq(process_tree(server.pid).threads, (unsigned)processors);
	server_finish(&server);
}
END_TEST

static void add_loops(Suite *suite)
{
	TCase *tcase = add_case(suite, "several loops");

	tcase_add_loop_test(tcase, loops_echo_to_each_client_what_it_sent, 0, WAYS);
	tcase_add_loop_test(tcase, the_limit_of_clients_holds_over_all_loops, 0, WAYS);
	tcase_add_loop_test(tcase, a_stop_reaches_all_loops, 0, WAYS);
	tcase_add_loop_test(tcase, a_second_signal_ends_all_loops, 0, WAYS);
	tcase_add_loop_test(tcase, it_exits_when_no_loop_has_a_client, 0, WAYS);
	tcase_add_loop_test(tcase, statistics_count_all_loops, 0, WAYS);
	tcase_add_test(tcase, exclusive_loops_take_turns);
	tcase_add_test(tcase, one_loop_per_processor);
	tcase = add_case(suite, "chat");
	tcase_add_loop_test(tcase, clients_of_different_loops_hear_the_same, 0, WAYS);
	tcase_add_loop_test(tcase, a_loop_cuts_off_a_client_of_another_loop, 0, WAYS);
	tcase_add_loop_test(tcase, a_storm_of_guests_leaves_nothing, 0, WAYS);
	tcase = add_case(suite, "loops that cannot begin");
	tcase_add_test(tcase, without_a_thread_for_each_loop_it_does_not_start);
	tcase_add_test(tcase, reuseport_needs_listeners_of_its_own);
	tcase_add_test(tcase, reuseport_does_not_share_the_port_with_another_server);
}

Suite *suite_epoll(void)
{
	Suite *suite = suite_create("epoll");
	TCase *tcase = add_case(suite, "what cannot be done");

	tcase_add_loop_test(tcase, what_cannot_be_done_is_said, 0, REFUSED);
	tcase_add_test(tcase, datagrams_are_served_without_epoll);
	if (can_run("epoll"))
		add_loops(suite);
	return suite;
}
