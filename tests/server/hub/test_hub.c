/*
 * Clients that meet, in every model: what one posts reaches the others whole, once, and in
 * the order in which everybody hears it; who does not read, resets, dies or leaves is
 * nobody else's trouble. The service is relay (tests/server/service/relay.c), made for this.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io.h"
#include "tests/fixture/crowd.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum {
	RECEIVERS = 50,
	LINES = SANITIZED ? 3000 : 20000,
	TALKERS = 40,
	TALKED = SANITIZED ? 100 : 400, /* lines, by each of them */
	TEXT = 256,
	PIECE = 65536,
	TALKED_A_LITTLE = 60, /* what the kernel keeps for a client that reads late */
	STORM = SANITIZED ? 60 : 300,
	CROWD = 40,
};

static struct server start(int model, const char *const options[])
{
	static char programs[32][TEXT];

	snprintf(programs[model], TEXT, TESTS_BUILD "/relayd-%s", model_name(model));
	return server_start(programs[model], model_options(model, options));
}

/* Once a client is greeted, it hears all that is said. */
static int join(const struct server *server)
{
	int fd = client_connect(server);

	client_expect(fd, "hello\n", 6);
	return fd;
}

/* How many the hub knows of. */
static unsigned ask_who(int fd)
{
	char text[TEXT] = "";
	size_t n = 0;

	client_say(fd, "/who\n");
	while (n == 0 || text[n - 1] != '\n') {
		ssize_t got = io_read(fd, text + n, 1);

		ck_assert_msg(got == 1 && n < sizeof text - 2, "'%s' and no more", text);
		n++;
	}
	return (unsigned)strtoul(text, NULL, 10);
}

struct question {
	int fd;
	unsigned expected;
};

static bool are_there(void *context)
{
	const struct question *question = context;

	return ask_who(question->fd) == question->expected;
}

static void expect_who(int fd, unsigned expected)
{
	struct question question = { fd, expected };

	ck_assert_msg(eventually(are_there, &question, WAIT_MS),
		      "there are %u, not %u as expected", ask_who(fd), expected);
}

/* ---- many ------------------------------------------------------------------------------ */

static void meet(const struct server *server, struct talker talkers[], int count)
{
	for (int i = 0; i < count; i++)
		talkers[i] = (struct talker){ .fd = join(server) };
}

/* GIVEN one who talks and fifty who listen
   WHEN it says twenty thousand lines as fast as it can
   THEN each of the fifty hears every line, once, whole and in order. */
START_TEST(all_hear_all_of_one)
{
	struct server server;
	struct talker talkers[RECEIVERS + 1];
	const size_t length = (size_t)LINES * CROWD_LINE;

	if (!model_serves_many(_i))
		return;
	server = start(_i, ARGUMENTS("-B", "64000000"));
	meet(&server, talkers, RECEIVERS + 1);
	talkers[0].says = crowd_speech(0, LINES);
	talkers[0].says_length = length;
	for (int i = 1; i <= RECEIVERS; i++)
		talkers[i].expected = length;

	crowd_converse(talkers, RECEIVERS + 1);

	for (int i = 1; i <= RECEIVERS; i++)
		ck_assert_msg(memcmp(talkers[i].heard, talkers[0].says, length) == 0,
			      "%d heard something else", i);
	crowd_part(talkers, RECEIVERS + 1);
	server_finish(&server);
}
END_TEST

/* In a server of model number @p model that lets so many bytes wait for a client. */
static void all_talk(int model, const char *most_waiting, int count, int lines)
{
	const size_t length = (size_t)lines * CROWD_LINE;
	struct talker talkers[TALKERS];
	struct server server;

	if (!model_serves_many(model))
		return;
	server = start(model, ARGUMENTS("-B", most_waiting));
	meet(&server, talkers, count);
	for (int i = 0; i < count; i++) {
		talkers[i].says = crowd_speech(i, lines);
		talkers[i].says_length = length;
		talkers[i].expected = length * (size_t)(count - 1);
	}

	crowd_converse(talkers, count);

	crowd_expect_same(talkers, count, lines, CROWD_LINE);
	crowd_part(talkers, count);
	server_finish(&server);
}

/* GIVEN forty who all talk at once
   THEN all hear the same sequence of lines, but for their own. */
START_TEST(all_hear_the_same)
{
	all_talk(_i, "64000000", TALKERS, TALKED);
}
END_TEST

/* GIVEN a server that lets but a little wait for a client
   WHEN many talk as fast as they can, and all read
   THEN nobody is cut off: it is not the client that is slow then, but its worker that had no
   turn. */
START_TEST(who_reads_is_not_cut_off)
{
	all_talk(_i, "4000", TALKERS, TALKED_A_LITTLE);
}
END_TEST

/* ---- those who do not go along ---------------------------------------------------------- */

/* GIVEN three clients, one of which stops reading
   WHEN another talks on and on
   THEN that one is cut off when -B bytes wait for it, and the third hears everything. */
START_TEST(a_stalled_reader_is_cut_off)
{
	struct server server;
	const size_t length = PIECE / CROWD_LINE * CROWD_LINE;
	char *text, *heard;
	int talker, listener, stalled, rounds = 0;

	if (!model_serves_many(_i))
		return;
	server = start(_i, NULL);
	text = crowd_speech(7, PIECE / CROWD_LINE);
	heard = malloc(length);
	talker = join(&server);
	listener = join(&server);
	stalled = join(&server);
	ck_assert_uint_eq(ask_who(talker), 3);

	while (ask_who(talker) == 3) {
		ck_assert_msg(rounds++ < 1000, "%zu bytes wait for it", 1000 * length);
		client_send(talker, text, length);
		ck_assert_int_eq(io_read_all(listener, heard, length), (int)length);
		ck_assert_int_eq(memcmp(heard, text, length), 0);
	}

	ck_assert_uint_eq(ask_who(talker), 2);
	ck_assert(crowd_has_ended(stalled));
	client_say(talker, "still here\n");
	client_hear(listener, "still here\n");
	client_close(stalled);
	client_close(listener);
	client_close(talker);
	server_finish(&server);
	free(text);
	free(heard);
}
END_TEST

/* GIVEN two clients
   WHEN one is reset in the middle of a line, behind some whole ones
   THEN the other hears the whole ones, and it has left. */
START_TEST(a_reset_is_a_leave)
{
	struct server server;
	int one, other;

	if (!model_serves_many(_i))
		return;
	server = start(_i, NULL);
	one = join(&server);
	other = join(&server);
	client_say(other, "whole\nhal");
	client_hear(one, "whole\n");

	client_reset(other);

	expect_who(one, 1);
	client_say(one, "/echo and no half\n");
	client_hear(one, "and no half\n");
	client_close(one);
	server_finish(&server);
}
END_TEST

/* GIVEN a client that says a lot and closes at once
   THEN what it said is heard, all of it. */
START_TEST(what_was_sent_before_leaving_is_received)
{
	struct server server;
	const size_t length = (size_t)LINES * CROWD_LINE;
	char *text, *heard;
	int listener, talker;

	if (!model_serves_many(_i))
		return;
	server = start(_i, ARGUMENTS("-B", "64000000"));
	text = crowd_speech(3, LINES);
	heard = malloc(length);
	listener = join(&server);
	talker = join(&server);

	client_send(talker, text, length);
	client_close(talker);

	ck_assert_int_eq(io_read_all(listener, heard, length), (int)length);
	ck_assert_int_eq(memcmp(heard, text, length), 0);
	expect_who(listener, 1);
	client_close(listener);
	server_finish(&server);
	free(text);
	free(heard);
}
END_TEST

/* GIVEN a client that asks and half-closes at once, as "printf | nc" does
   THEN it gets its answers, and the end. */
START_TEST(who_half_closes_is_still_answered)
{
	struct server server = start(_i, NULL);
	int fd = join(&server);

	client_say(fd, "/echo one\n/who\n/echo three\nhalf a line");
	client_half_close(fd);

	client_hear(fd, "one\n1\nthree\n");
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* GIVEN a client whom much is delivered
   WHEN the service dismisses it
   THEN it gets all of that, its last words, the end, and nothing that it asked for behind. */
START_TEST(who_is_dismissed_gets_the_last_words)
{
	enum { ECHOES = 20000, ASK = 6 + CROWD_LINE };
	struct server server = start(_i, ARGUMENTS("-B", "64000000"));
	char *asks = malloc(ECHOES * ASK + 64),
	     *answers = malloc(ECHOES * CROWD_LINE + 8);
	char *echoes = crowd_speech(1, ECHOES);
	size_t asks_length = 0;
	int fd = join(&server);

	for (int i = 0; i < ECHOES; i++) {
		memcpy(asks + asks_length, "/echo ", 6);
		memcpy(asks + asks_length + 6, echoes + i * CROWD_LINE, CROWD_LINE);
		asks_length += ASK;
	}
	memcpy(asks + asks_length, "/quit\n/echo no\n", 15);
	memcpy(answers, echoes, ECHOES * CROWD_LINE);
	memcpy(answers + ECHOES * CROWD_LINE, "bye\n", 4);

	client_exchange(fd, asks, asks_length + 15, answers, ECHOES * CROWD_LINE + 4);

	client_expect_end(fd);
	client_close(fd);
	fd = join(&server);
	expect_who(fd, 1);
	client_close(fd);
	server_finish(&server);
	free(asks);
	free(answers);
	free(echoes);
}
END_TEST

/* ---- coming and going ------------------------------------------------------------------- */

static bool has_as_many(void *context)
{
	const unsigned *expected = (const unsigned *)context;

	return process_descriptors((pid_t)expected[0]) == expected[1] &&
	       process_tree((pid_t)expected[0]).zombies == 0;
}

/* GIVEN a client that stays
   WHEN many others come, talk and go, each in its own way
   THEN they are all gone in the end: from the hub, and with what they took. */
START_TEST(who_comes_and_goes_leaves_nothing)
{
	struct server server;
	unsigned facts[2] = { 0 };
	int stays, others[4];
	char line[TEXT];

	if (!model_serves_many(_i))
		return;
	server = start(_i, ARGUMENTS("-B", "64000000"));
	stays = join(&server);
	facts[0] = (unsigned)server.pid;
	facts[1] = process_facts_available() ? process_descriptors(server.pid) : 0;

	for (int i = 0; i < STORM; i++) {
		for (int k = 0; k < 4; k++)
			others[k] = join(&server);
		snprintf(line, sizeof line, "this is round %d\n", i);
		client_say(others[i % 4], line);
		client_hear(stays, line);
		for (int k = 0; k < 4; k++)
			crowd_go(others[k], k + i);
	}

	expect_who(stays, 1);
	if (process_facts_available()) {
		ck_assert_msg(eventually(has_as_many, facts, WAIT_MS),
			      "%u descriptors were open, now %u, and %u zombies",
			      facts[1], process_descriptors(server.pid),
			      process_tree(server.pid).zombies);
	}
	client_close(stays);
	server_finish(&server);
}
END_TEST

/* A child that was killed is one until its parent has had its signal. */
static bool has_no_zombie(void *context)
{
	return process_tree(*(const pid_t *)context).zombies == 0;
}

/* GIVEN a server with a process for each client
   WHEN one of these is killed
   THEN its client has left, and the others talk on. */
START_TEST(a_killed_child_is_a_leave)
{
	struct server server;
	int one, two, three;
	pid_t pid;

	if (!model_is(_i, "fork"))
		return;
	server = start(_i, NULL);

	one = join(&server);
	two = join(&server);
	three = join(&server);
	pid = crowd_last_child(server.pid);
	if (pid == 0) {
		server_stop(&server);
		return;
	}
	client_say(three, "before\n");
	client_hear(one, "before\n");
	client_hear(two, "before\n");

	kill(pid, SIGKILL);

	expect_who(one, 2);
	client_say(one, "and on\n");
	client_hear(two, "and on\n");
	ck_assert(crowd_has_ended(three));
	ck_assert(eventually(has_no_zombie, &server.pid, WAIT_MS));
	client_close(one);
	client_close(two);
	client_close(three);
	server_finish(&server);
}
END_TEST

/* GIVEN a server with a process for each client
   WHEN one of these stands still, and its client's share has become too long to wait
   THEN it is cut off, and the others talk on meanwhile. */
START_TEST(a_stopped_child_holds_nobody_up)
{
	const size_t length = PIECE / CROWD_LINE * CROWD_LINE;
	char *text, *heard;
	struct server server;
	int one, two, three;
	pid_t pid;

	if (!model_is(_i, "fork"))
		return;
	server = start(_i, NULL);
	text = crowd_speech(5, PIECE / CROWD_LINE);
	heard = malloc(length);
	one = join(&server);
	two = join(&server);
	three = join(&server);
	pid = crowd_last_child(server.pid);
	if (pid == 0) {
		server_stop(&server);
		free(text);
		free(heard);
		return;
	}
	kill(pid, SIGSTOP);

	for (int rounds = 0; ask_who(one) == 3; rounds++) {
		ck_assert_int_lt(rounds, 1000);
		client_send(one, text, length);
		ck_assert_int_eq(io_read_all(two, heard, length), (int)length);
		ck_assert_int_eq(memcmp(heard, text, length), 0);
	}

	ck_assert_uint_eq(ask_who(one), 2);
	kill(pid, SIGCONT);
	ck_assert(crowd_has_ended(three));
	client_close(one);
	client_close(two);
	client_close(three);
	server_finish(&server);
	free(text);
	free(heard);
}
END_TEST

/* One says lines until another has not heard the last of them for a while: they are held. */
static void talk_until_held(int talker, int listener)
{
	enum { HELD = 200, ENOUGH = 100 * 1000 };
	char *line = crowd_speech(6, 1), heard[CROWD_LINE];

	for (int i = 0; i < ENOUGH; i++) {
		client_send(talker, line, CROWD_LINE);
		if (io_wait(listener, POLLIN, HELD) == 0)
			break;
		ck_assert_int_eq(io_read_all(listener, heard, CROWD_LINE), CROWD_LINE);
	}
	free(line);
}

/* GIVEN a server with a process for each client, of which one stands still, so that what
   others say is held for a while
   WHEN the process of one who has said something is killed
   THEN the server sleeps until that while is over, and then goes on. */
START_TEST(a_child_that_dies_while_others_are_waited_for_costs_nothing)
{
	struct server server;
	int stopped, listener, talker;
	pid_t still, dying;
	int64_t cpu;

	if (!model_is(_i, "fork"))
		return;
	server = start(_i, ARGUMENTS("-B", "4000"));
	stopped = join(&server);
	still = crowd_last_child(server.pid);
	listener = join(&server);
	talker = join(&server);
	dying = crowd_last_child(server.pid);
	if (still == 0) {
		server_stop(&server);
		return;
	}
	kill(still, SIGSTOP);
	talk_until_held(talker, listener);
	cpu = process_tree(server.pid).cpu;

	kill(dying, SIGKILL);

	ck_assert(crowd_has_ended(talker));
	client_half_close(listener); /* this, too, is held, or was */
	ck_assert(crowd_has_ended(listener));
	ck_assert_int_lt(process_tree(server.pid).cpu - cpu, 300 * SLOW_MACHINE);
	kill(still, SIGCONT);
	client_close(stopped);
	client_close(listener);
	client_close(talker);
	server_finish(&server);
}
END_TEST

/* GIVEN clients that have met
   WHEN the server is told to stop, just after one has said something
   THEN that is heard, all are hung up on in order, and the server ends. */
START_TEST(a_stop_loses_nothing)
{
	struct server server;
	int one, two;

	if (!model_serves_many(_i))
		return;
	server = start(_i, NULL);
	one = join(&server);
	two = join(&server);
	server_wait_line(&server, "listening on", WAIT_MS);

	client_say(one, "last\n");
	server_signal(&server, SIGTERM);

	client_hear(two, "last\n");
	client_expect_end(one);
	client_expect_end(two);
	client_close(one);
	client_close(two);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
}
END_TEST

/* GIVEN an idle timeout
   WHEN one talks and another only listens for longer than that
   THEN who hears something is not silent; and when all fall silent, all are hung up on. */
START_TEST(who_listens_is_not_idle)
{
	struct server server;
	int talker, listener;

	if (!model_serves_many(_i))
		return;
	server = start(_i, ARGUMENTS("-t", slow_seconds(1)));
	talker = join(&server);
	listener = join(&server);
	for (int i = 0; i < 15; i++) {
		poll(NULL, 0, 100 * SLOW_MACHINE);
		client_say(talker, "tick\n");
		client_hear(listener, "tick\n");
	}
	client_expect_end(talker);
	client_expect_end(listener);
	client_close(talker);
	client_close(listener);
	server_finish(&server);
}
END_TEST

/* GIVEN a server that may open but a few descriptors
   WHEN more come than it has them for
   THEN those that are in hear each other, and the others come in when these leave. */
START_TEST(out_of_descriptors_the_next_ones_wait)
{
	char program[TEXT];
	struct server server;
	int fds[CROWD];

	if (!model_serves_many(_i))
		return;
	snprintf(program, sizeof program, TESTS_BUILD "/relayd-%s", model_name(_i));
	server = server_start_with(&(struct server_setup){
		.program = program,
		.prepare = crowd_limit_descriptors,
	});
	for (int i = 0; i < CROWD; i++)
		fds[i] = client_connect(&server);
	server_wait_line(&server, "further clients wait", WAIT_MS);
	client_hear(fds[0], "hello\n");
	client_hear(fds[1], "hello\n");
	client_say(fds[0], "in\n");
	client_hear(fds[1], "in\n");

	for (int i = 0; i < CROWD - 1; i++)
		client_close(fds[i]);

	client_hear(fds[CROWD - 1], "hello\n");
	expect_who(fds[CROWD - 1], 1);
	client_close(fds[CROWD - 1]);
	server_finish(&server);
}
END_TEST

Suite *suite_hub(void)
{
	Suite *suite = suite_create("hub");
	TCase *shared = add_case(suite, "shared");
	TCase *trouble = add_case(suite, "trouble");
	TCase *leaving = add_case(suite, "leaving");

	add_sharing_test(shared, all_hear_all_of_one);
	add_sharing_test(shared, all_hear_the_same);
	add_sharing_test(shared, who_reads_is_not_cut_off);
	add_sharing_test_of_kinds(shared, who_listens_is_not_idle);
	add_sharing_test(trouble, a_stalled_reader_is_cut_off);
	add_sharing_test(trouble, a_reset_is_a_leave);
	add_sharing_test(trouble, out_of_descriptors_the_next_ones_wait);
	if (process_facts_available()) {
		tcase_add_loop_test(trouble, a_killed_child_is_a_leave, 0,
				    models_count());
		tcase_add_loop_test(
			trouble,
			a_child_that_dies_while_others_are_waited_for_costs_nothing, 0,
			models_count());
		tcase_add_loop_test(trouble, a_stopped_child_holds_nobody_up, 0,
				    models_count());
	}
	add_sharing_test(leaving, what_was_sent_before_leaving_is_received);
	add_sharing_test(leaving, who_comes_and_goes_leaves_nothing);
	add_sharing_test(leaving, a_stop_loses_nothing);
	tcase_add_loop_test(leaving, who_half_closes_is_still_answered, 0,
			    models_count());
	tcase_add_loop_test(leaving, who_is_dismissed_gets_the_last_words, 0,
			    models_count());
	return suite;
}
