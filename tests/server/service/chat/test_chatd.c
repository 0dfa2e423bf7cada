/*
 * chatd as a process, in every model: what it promises to many clients at once. Who is told
 * what, byte by byte, is in test_chat.c.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/versus/server_memory.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/crowd.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum {
	TEXT = 4096, /* more than any line of the server */
	RECEIVERS = 50,
	LINES = SANITIZED ? 2000 : 20000,
	TALKERS = 40,
	TALKED = SANITIZED ? 50 : 200, /* lines, by each of them */
	HEARD = sizeof "00: " - 1 +
		CROWD_LINE, /* of a line of the crowd: "NICK: " is before it */
};

/* ---- one who chats --------------------------------------------------------------------- */

/* Hears a line, without its newline. @return false at the end of all */
static bool hear_line(int fd, char line[TEXT])
{
	size_t length = 0;

	do {
		ssize_t n = recv(fd, line + length, TEXT - length, MSG_PEEK);
		const char *end = n > 0 ? memchr(line + length, '\n', (size_t)n) : NULL;

		if (n < 0) /* no macro of Check, for a line of many thousands */
			ck_abort_msg("'%.*s', and no more comes", (int)length, line);
		if (n == 0)
			return false;
		if (end != NULL)
			n = end + 1 - (line + length);
		if (io_read_all(fd, line + length, (size_t)n) != n ||
		    length + (size_t)n >= TEXT)
			ck_abort_msg("'%.*s' is too long", (int)length, line);
		length += (size_t)n;
	} while (line[length - 1] != '\n');
	line[length - 1] = '\0';
	return true;
}

/* Hears lines until this one, which no error may precede. */
static void hear_until(int fd, const char *last)
{
	char line[TEXT];

	do {
		ck_assert_msg(hear_line(fd, line), "the end comes before '%s'", last);
		ck_assert_msg(strncmp(line, "* error", 7) != 0, "%s", line);
	} while (strcmp(line, last) != 0);
}

/* Hears all that has been told so far: what others have done before is in it. */
static void catch_up(int fd)
{
	client_say(fd, "/ping\n");
	hear_until(fd, "* pong");
}

static void be_called(int fd, const char *nickname)
{
	char text[TEXT];

	snprintf(text, sizeof text, "/nick %s\n", nickname);
	client_say(fd, text);
	snprintf(text, sizeof text, "* you are now %s", nickname);
	hear_until(fd, text);
}

/* Comes, and takes a nickname. */
static int join(const struct server *server, const char *nickname)
{
	int fd = client_connect(server);

	be_called(fd, nickname);
	return fd;
}

/* In bytes; -1 where the system does not tell, or a sanitizer keeps what was freed. */
static int64_t memory_of(const struct server *server)
{
	return SANITIZED ? -1 : server_memory(server->pid, 0, false).own;
}

/* Three who know of each other. */
struct three {
	int alice, bob, carol;
};

static struct three three_join(const struct server *server)
{
	struct three three;

	three.alice = join(server, "alice");
	three.bob = join(server, "bob");
	three.carol = join(server, "carol");
	catch_up(three.alice);
	catch_up(three.bob);
	return three;
}

/* ---- the same lines in the same order -------------------------------------------------- */

/* A crowd, called by its numbers. */
static void meet(const struct server *server, struct talker talkers[], int count)
{
	char nickname[16];

	for (int i = 0; i < count; i++) {
		snprintf(nickname, sizeof nickname, "%02d", i);
		talkers[i] = (struct talker){ .fd = join(server, nickname) };
	}
	for (int i = 0; i < count; i++)
		catch_up(talkers[i].fd);
}

/* What others hear of a speech. */
static char *as_heard(const char *nickname, const char *speech, int lines)
{
	char *text = malloc((size_t)lines * HEARD), *to = text;

	ck_assert_ptr_nonnull(text);
	for (int i = 0; i < lines; i++, to += HEARD) {
		memcpy(to, nickname, 2);
		memcpy(to + 2, ": ", 2);
		memcpy(to + 4, speech + i * CROWD_LINE, CROWD_LINE);
	}
	return text;
}

/* GIVEN one who talks and fifty who listen
   WHEN it says twenty thousand lines as fast as it can
   THEN each of the fifty hears every line, once, whole and in order. */
START_TEST(every_line_reaches_everyone)
{
	struct server server;
	struct talker talkers[RECEIVERS + 1];
	char *expected;

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "chat", ARGUMENTS("-R", "0", "-B", "64M"));
	meet(&server, talkers, RECEIVERS + 1);
	talkers[0].says = crowd_speech(0, LINES);
	talkers[0].says_length = (size_t)LINES * CROWD_LINE;
	for (int i = 1; i <= RECEIVERS; i++)
		talkers[i].expected = (size_t)LINES * HEARD;

	crowd_converse(talkers, RECEIVERS + 1);

	expected = as_heard("00", talkers[0].says, LINES);
	for (int i = 1; i <= RECEIVERS; i++)
		ck_assert_msg(memcmp(talkers[i].heard, expected, (size_t)LINES * HEARD) ==
				      0,
			      "%d heard something else", i);
	crowd_part(talkers, RECEIVERS + 1);
	server_finish(&server);
	free(expected);
}
END_TEST

/* GIVEN forty who all talk at once
   THEN all hear the same sequence of lines, but for their own. */
START_TEST(all_hear_the_same)
{
	struct server server;
	struct talker talkers[TALKERS];

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "chat", ARGUMENTS("-R", "0", "-B", "64M"));
	meet(&server, talkers, TALKERS);
	for (int i = 0; i < TALKERS; i++) {
		talkers[i].says = crowd_speech(i, TALKED);
		talkers[i].says_length = (size_t)TALKED * CROWD_LINE;
		talkers[i].expected = (size_t)TALKED * HEARD * (TALKERS - 1);
	}

	crowd_converse(talkers, TALKERS);

	crowd_expect_same(talkers, TALKERS, TALKED, HEARD);
	crowd_part(talkers, TALKERS);
	server_finish(&server);
}
END_TEST

enum { BOUTS = 300, AT_A_TIME = 4, SPOKEN = 900 };

/* Lines of which one is more than half of what may wait with -B 4K. */
static char *long_speech(void)
{
	static char speech[AT_A_TIME * (SPOKEN + 1) + 1];

	for (int i = 0; i < AT_A_TIME; i++) {
		memset(speech + i * (SPOKEN + 1), 1, SPOKEN);
		speech[(i + 1) * (SPOKEN + 1) - 1] = '\n';
	}
	return speech;
}

static void hear_speech(int fd, const char *nickname)
{
	char line[TEXT];

	for (int i = 0; i < AT_A_TIME;) {
		ck_assert_msg(hear_line(fd, line), "the end comes after %d", i);
		if (line[0] == '*') /* somebody comes or goes */
			continue;
		ck_assert_msg(strncmp(line, nickname, strlen(nickname)) == 0, "%s", line);
		i++;
	}
}

/* Of one that sends without waiting for acknowledgements. */
static int join_hastily(const struct server *server, const char *nickname)
{
	int fd = join(server, nickname);

	ck_assert_int_eq(sock_set_nodelay(fd), 0);
	return fd;
}

/* GIVEN two clients, for each of whom but a line or two may wait
   WHEN each says some lines, the other's worker being in the midst of the same, and says the
   next ones when it has heard those
   THEN neither waits for a wake-up that does not come: a second each, and this would not end. */
START_TEST(two_who_wait_for_each_other_go_on)
{
	struct server server;
	int alice, bob;

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "chat", ARGUMENTS("-R", "0", "-B", "4K", "-H", "0"));
	alice = join_hastily(&server, "alice");
	bob = join_hastily(&server, "bob");
	catch_up(alice);

	for (int i = 0; i < BOUTS; i++) {
		client_say(alice, long_speech());
		client_say(bob, long_speech());
		hear_speech(bob, "alice: ");
		hear_speech(alice, "bob: ");
	}

	client_close(alice);
	client_close(bob);
	server_finish(&server);
}
END_TEST

enum { PASSERS_BY = 6, PASSES = 100 };

/* GIVEN one that talks, and others that come, listen and go
   WHEN these go, time and again, with something to be heard still before them
   THEN nobody waits for them: a second each time, and this would not end. */
START_TEST(who_has_gone_is_not_waited_for)
{
	struct server server;
	int alice, bob, others[PASSERS_BY];

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "chat", ARGUMENTS("-R", "0", "-B", "4K", "-H", "0"));
	alice = join_hastily(&server, "alice");
	bob = join(&server, "bob");

	for (int i = 0; i < PASSES; i++) {
		for (int k = 0; k < PASSERS_BY; k++) {
			others[k] = client_connect(&server);
			catch_up(others[k]);
		}
		for (int k = 0; k < PASSERS_BY; k++) {
			if (k == i % PASSERS_BY)
				client_say(alice, long_speech());
			client_reset(others[k]);
		}
		hear_speech(bob, "alice: ");
	}

	client_close(alice);
	client_close(bob);
	server_finish(&server);
}
END_TEST

/* ---- nicknames ------------------------------------------------------------------------- */

enum { CONTESTS = 100 };

struct rival {
	int fd;
	pthread_t thread;
	pthread_barrier_t *barrier;
	char nickname[32]; /* the one it has */
};

static void *ask_for_each(void *context)
{
	struct rival *rival = context;
	char text[64];

	for (int i = 0; i < CONTESTS; i++) {
		snprintf(text, sizeof text, "/nick prize%d\n", i);
		pthread_barrier_wait(rival->barrier);
		client_say(rival->fd, text);
	}
	return NULL;
}

static void expect_winner(struct rival *winner, struct rival *loser, const char *prize)
{
	char text[TEXT];

	snprintf(text, sizeof text, "* you are now %s\n", prize);
	client_hear(winner->fd, text);
	snprintf(text, sizeof text, "* %s is now %s\n* error: the nickname %s is taken\n",
		 winner->nickname, prize, prize);
	client_hear(loser->fd, text);
	snprintf(winner->nickname, sizeof winner->nickname, "%s", prize);
}

/* GIVEN two clients
   WHEN both ask for one nickname at the same instant, time and again
   THEN one of them gets it, and the other hears of that first. */
START_TEST(of_two_who_want_a_nickname_one_gets_it)
{
	struct server server;
	struct rival one = { .nickname = "one" }, two = { .nickname = "two" };
	pthread_barrier_t barrier;
	char prize[32], expected[TEXT], first[TEXT];

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "chat", ARGUMENTS("-R", "0"));
	one.fd = join(&server, one.nickname);
	two.fd = join(&server, two.nickname);
	catch_up(one.fd);
	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, 3), 0);
	one.barrier = two.barrier = &barrier;
	ck_assert_int_eq(pthread_create(&one.thread, NULL, ask_for_each, &one), 0);
	ck_assert_int_eq(pthread_create(&two.thread, NULL, ask_for_each, &two), 0);

	for (int i = 0; i < CONTESTS; i++) {
		snprintf(prize, sizeof prize, "prize%d", i);
		snprintf(expected, sizeof expected, "* you are now %s", prize);
		pthread_barrier_wait(&barrier);
		ck_assert_int_gt(
			recv(one.fd, first, strlen(expected), MSG_PEEK | MSG_WAITALL), 0);
		if (memcmp(first, expected, strlen(expected)) == 0)
			expect_winner(&one, &two, prize);
		else
			expect_winner(&two, &one, prize);
	}

	pthread_join(one.thread, NULL);
	pthread_join(two.thread, NULL);
	pthread_barrier_destroy(&barrier);
	snprintf(expected, sizeof expected, "* in lobby (2): %s, %s\n", one.nickname,
		 two.nickname);
	client_say(one.fd, "/who\n");
	client_hear(one.fd, expected);
	client_close(one.fd);
	client_close(two.fd);
	server_finish(&server);
}
END_TEST

/* ---- too fast, too slow, silent -------------------------------------------------------- */

enum { BURST = 40, RATE = 20, TOO_MANY = 100 };

/* GIVEN the limit that there is without -R
   WHEN a client sends a hundred lines at once
   THEN all are answered in their order, no earlier than they may be, and the server sleeps
   meanwhile and serves the others. */
START_TEST(who_is_too_fast_waits_and_nobody_else_does)
{
	struct server server = model_start(_i, "chat", NULL);
	int alice = join(&server, "alice"), bob = -1, next = 0;
	bool heard_bob = !model_serves_many(_i);
	char text[TEXT] = "", line[TEXT], expected[32];
	int64_t cpu = process_tree(server.pid).cpu, began;

	if (model_serves_many(_i)) {
		bob = join(&server, "bob");
		catch_up(alice);
	}
	for (int i = 0; i < TOO_MANY; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "/ping %d\n",
			 i);
	began = clock_milliseconds();
	client_say(alice, text);
	if (bob >= 0)
		client_say(bob, "in between\n");

	while (next < TOO_MANY) {
		ck_assert(hear_line(alice, line));
		if (strcmp(line, "bob: in between") == 0) {
			heard_bob = true;
			continue;
		}
		snprintf(expected, sizeof expected, "* pong: %d", next++);
		ck_assert_str_eq(line, expected);
	}

	ck_assert_int_ge(clock_milliseconds() - began,
			 (TOO_MANY - BURST - 1) * 1000 / RATE);
	ck_assert_msg(heard_bob, "bob had to wait for alice");
	if (process_facts_available())
		ck_assert_int_lt(process_tree(server.pid).cpu - cpu, 300 * SLOW_MACHINE);
	if (bob >= 0)
		client_close(bob);
	client_close(alice);
	server_finish(&server);
}
END_TEST

enum { ROUND = 12, LONG_LINE = 1000, MOST_ROUNDS = 2000 };
enum { TALKER, STALLED, FIRST_LISTENER, CROWD = 20 };

/* Hears a round of what is said, within which somebody may be told to have left. @return how
 * often that was */
static int hear_round(int fd, const char *expected, const char *left)
{
	int seen = 0;
	char line[TEXT];

	for (int heard = 0; heard < ROUND;) {
		ck_assert(hear_line(fd, line));
		if (strcmp(line, left) == 0) {
			seen++;
			continue;
		}
		ck_assert_str_eq(line, expected);
		heard++;
	}
	return seen;
}

/* Somebody says a round, and all but one hear it. @return how often they were told that this
 * one has left: all at the same place */
static int say_round(const int fds[CROWD], const char *left)
{
	/* In one piece, and answered: or the kernels would wait for each other, one to
	 * acknowledge (RFC 1122, 4.2.3.2), one to be acknowledged (4.2.3.4). */
	static const char end[] = "/ping\n";
	char speech[ROUND * (LONG_LINE + 1) + sizeof end], heard[TEXT];
	int seen;

	memset(speech, 'x', sizeof speech);
	for (int i = 1; i <= ROUND; i++)
		speech[i * (LONG_LINE + 1) - 1] = '\n';
	memcpy(speech + ROUND * (LONG_LINE + 1), end, sizeof end);
	snprintf(heard, sizeof heard, "talker: %.*s", LONG_LINE, speech);

	client_say(fds[TALKER], speech);
	hear_until(fds[TALKER], "* pong");
	seen = hear_round(fds[FIRST_LISTENER], heard, left);
	for (int i = FIRST_LISTENER + 1; i < CROWD; i++)
		ck_assert_int_eq(hear_round(fds[i], heard, left), seen);
	return seen;
}

/* GIVEN a room of twenty, one of whom stops reading
   WHEN another talks on
   THEN that one is cut off when -B bytes wait for it; the others hear so, all at the same
   place, and miss nothing. */
START_TEST(who_does_not_read_is_cut_off)
{
	const int small = 128 * 1024;
	struct server server;
	int fds[CROWD], seen = 0;
	char nickname[32];

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "chat", ARGUMENTS("-R", "0", "-B", "64K"));
	for (int i = 0; i < CROWD; i++) {
		snprintf(nickname, sizeof nickname, "listener%d", i);
		fds[i] = join(&server, i == TALKER    ? "talker"
				       : i == STALLED ? "stalled"
						      : nickname);
	}
	for (int i = 0; i < CROWD; i++)
		catch_up(fds[i]);
	ck_assert_int_eq(
		setsockopt(fds[STALLED], SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);

	for (int round = 0; seen == 0; round++) {
		ck_assert_int_lt(round, MOST_ROUNDS);
		seen = say_round(fds, "* stalled has left (does not read)");
	}

	ck_assert_int_eq(seen, 1);
	client_say(fds[TALKER], "/who\n");
	client_hear(fds[TALKER], "* in lobby (19): talker, listener2, ");
	ck_assert(crowd_has_ended(fds[STALLED]));
	for (int i = 0; i < CROWD; i++)
		client_close(fds[i]);
	server_finish(&server);
}
END_TEST

static bool is_alone(void *context)
{
	char line[TEXT];

	client_say(*(const int *)context, "/rooms\n");
	ck_assert(hear_line(*(const int *)context, line));
	return strcmp(line, "* rooms (1): lobby (1)") == 0;
}

/* ---- long answers ---------------------------------------------------------------------- */

enum {
	REMEMBERED = 1000,
	LONGEST = 1024, /* bytes of a line, as it is sent ... */
	AS_HEARD = (int)sizeof "alice: " - 1 + 3 * LONGEST, /* ... and each as U+FFFD */
	CROWDED = 180, /* clients whose names are more than the least -B */
	NAME_LENGTH = 24,
};

/* Has the room remember as much as it can. */
static void fill_history(int fd)
{
	char line[LONGEST + 1];

	memset(line, 1, LONGEST);
	line[LONGEST] = '\n';
	for (int i = 0; i < REMEMBERED; i++)
		client_send(fd, line, sizeof line);
	catch_up(fd);
}

static void expect_history(int fd)
{
	char line[TEXT];

	hear_until(fd, "* last 1000 lines of lobby:");
	for (int i = 0; i < REMEMBERED; i++) {
		ck_assert_msg(hear_line(fd, line), "the end comes before line %d", i);
		ck_assert_uint_eq(strlen(line), AS_HEARD);
	}
}

/* The sockets that it accepts get this from the one that it listens on. */
static void limit_sending(void *context)
{
	const int small = 64 * 1024;

	(void)context;
	setsockopt(3, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
}

/* A server for whose clients the kernel keeps but little. */
static struct server start_short_of_room(int model, const char *const options[])
{
	return server_start_with(&(struct server_setup){
		.program = model_program(model, "chat"),
		.options = model_options(model, options),
		.prepare = limit_sending,
	});
}

/* GIVEN a room with a history far longer than what may wait for a client
   WHEN one comes in, and others talk on before it has read any of that
   THEN it hears the whole history, and what was said since. */
START_TEST(who_comes_in_is_not_cut_off_for_the_history)
{
	struct server server =
		start_short_of_room(_i, ARGUMENTS("-R", "0", "-B", "8K", "-H", "1000"));
	int alice = join(&server, "alice"), late;

	fill_history(alice);
	if (!model_serves_many(_i))
		client_close(alice);
	late = client_connect(&server);
	if (model_serves_many(_i)) {
		hear_until(alice, "* guest1 has joined");
		client_say(alice, "one\n");
		catch_up(alice);
		client_say(alice, "two\n");
		catch_up(alice);
	}

	expect_history(late);

	if (model_serves_many(_i)) {
		client_hear(late, "alice: one\nalice: two\n");
		client_close(alice);
	}
	catch_up(late);
	client_close(late);
	server_finish(&server);
}
END_TEST

static void long_name(char name[NAME_LENGTH + 1], int number)
{
	snprintf(name, NAME_LENGTH + 1, "%0*d", NAME_LENGTH, number);
}

/* Hears the list of all who are there. @return how many it names */
static int count_named(int fd)
{
	char line[TEXT], start[32], name[NAME_LENGTH + 1];
	int named = 0;

	snprintf(start, sizeof start, "* in lobby (%d): ", CROWDED);
	while (named < CROWDED) {
		char *next = line + strlen(start);

		ck_assert_msg(hear_line(fd, line), "%d were named", named);
		ck_assert_msg(strncmp(line, start, strlen(start)) == 0, "%s", line);
		for (next = strtok(next, ", "); next != NULL; next = strtok(NULL, ", ")) {
			long_name(name, named++);
			ck_assert_str_eq(next, name);
		}
	}
	return named;
}

/* GIVEN a room so crowded that the list of who is there is longer than what may wait
   WHEN one asks for that list
   THEN it gets all of it. */
START_TEST(a_list_is_whole_however_long_it_is)
{
	struct server server;
	char name[NAME_LENGTH + 1];
	int fds[CROWDED];

	if (!model_serves_many(_i))
		return;
	server = start_short_of_room(
		_i, model_options_for(_i, ARGUMENTS("-B", "4K", "-H", "0"), CROWDED));
	for (int i = 0; i < CROWDED; i++) {
		long_name(name, i);
		fds[i] = join(&server, name);
	}
	catch_up(fds[0]);
	client_say(fds[0], "/who\n");

	ck_assert_int_eq(count_named(fds[0]), CROWDED);

	for (int i = 0; i < CROWDED; i++)
		client_close(fds[i]);
	server_finish(&server);
}
END_TEST

enum {
	ASKED = 100 * 1000 * 1000, /* bytes of answers, were they all given */
	HELP = 500,                /* less than that answer has */
	SETTLED = 500,             /* milliseconds without any room */
	MOST_KEPT = 4 * 1024 * 1024,
};

/* Sends until it has sent all, is cut off, or nobody reads it any more: a mistake about that
   only lets it ask for less. */
static void ask_on(int fd, const char *asks, size_t piece)
{
	size_t left = ASKED / HELP * strlen("/help\n");

	io_set_nonblocking(fd, true);
	while (left >= piece) {
		ssize_t n = send(fd, asks, piece, MSG_NOSIGNAL);

		if (n >= 0)
			left -= (size_t)n;
		else if (errno != EAGAIN || io_wait(fd, POLLOUT, SETTLED) <= 0)
			return;
	}
}

static void ask_and_never_read(int model, size_t piece)
{
	struct server server =
		start_short_of_room(model, ARGUMENTS("-R", "0", "-B", "8K"));
	int fd = join(&server, "deaf"), next;
	char *asks = malloc(piece);
	int64_t memory = memory_of(&server);

	ck_assert_ptr_nonnull(asks);
	for (size_t i = 0; i < piece; i++)
		asks[i] = "/help\n"[i % strlen("/help\n")];

	ask_on(fd, asks, piece);

	if (memory >= 0)
		ck_assert_int_lt(memory_of(&server) - memory, MOST_KEPT);
	client_reset(fd);
	next = join(&server, "next");
	ck_assert(eventually(is_alone, &next, WAIT_MS));
	client_close(next);
	server_finish(&server);
	free(asks);
}

/* GIVEN a client that never reads
   WHEN it asks for more and more answers, one by one or many at once
   THEN they do not pile up in the server: it is cut off, or is read no further. */
START_TEST(who_asks_one_by_one_and_never_reads_takes_no_memory)
{
	ask_and_never_read(_i, strlen("/help\n"));
}
END_TEST

START_TEST(who_asks_much_at_once_and_never_reads_takes_no_memory)
{
	ask_and_never_read(_i, 10000 * strlen("/help\n"));
}
END_TEST

/* GIVEN an idle timeout
   WHEN two talk, or listen, and a third sits alone in a room in silence
   THEN the third is hung up on and the two are not; and when these fall silent, they are. */
START_TEST(who_listens_is_not_idle)
{
	struct server server;
	struct three three;

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "chat", ARGUMENTS("-t", slow_seconds(1)));
	three = three_join(&server);
	client_say(three.carol, "/join attic\n");
	hear_until(three.carol, "* you are in attic (1 person)");
	catch_up(three.alice);
	catch_up(three.bob);

	for (int i = 0; i < 15; i++) {
		poll(NULL, 0, 100 * SLOW_MACHINE);
		client_say(three.alice, "tick\n");
		client_hear(three.bob, "alice: tick\n");
	}

	client_expect_end(three.carol);
	client_say(three.alice, "/rooms\n");
	client_hear(three.alice, "* rooms (1): lobby (2)\n");
	ck_assert(crowd_has_ended(three.alice));
	ck_assert(crowd_has_ended(three.bob));
	client_close(three.alice);
	client_close(three.bob);
	client_close(three.carol);
	server_finish(&server);
}
END_TEST

/* ---- going ----------------------------------------------------------------------------- */

/* GIVEN three clients
   WHEN one is reset in the middle of a line
   THEN that half is never said, and it has left, at once. */
START_TEST(half_a_line_at_a_reset_is_not_delivered)
{
	struct server server;
	struct three three;

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "chat", NULL);
	three = three_join(&server);
	client_say(three.carol, "whole\nhal");
	client_hear(three.alice, "carol: whole\n");

	client_reset(three.carol);

	client_hear(three.alice, "* carol has left (connection lost)\n");
	client_say(three.alice, "/who\n");
	client_hear(three.alice, "* in lobby (2): alice, bob\n");
	client_say(three.alice, "on\n");
	client_hear(three.bob, "carol: whole\n"
			       "* carol has left (connection lost)\n"
			       "alice: on\n");
	be_called(three.bob, "carol");
	client_close(three.alice);
	client_close(three.bob);
	server_finish(&server);
}
END_TEST

/* GIVEN a client, and where there can be, two that listen
   WHEN it half-closes behind half a line
   THEN that half is said, it has left, and it gets its answers and the end. */
START_TEST(half_a_line_at_the_half_close_is_delivered)
{
	struct server server = model_start(_i, "chat", NULL);
	struct three three = { -1, -1, -1 };
	int guest;

	if (!model_serves_many(_i)) {
		guest = join(&server, "carol");
		client_say(guest, "/ping\nhal");
		client_half_close(guest);
		client_hear(guest, "* pong\n* goodbye\n");
		client_expect_end(guest);
		client_close(guest);
		guest = client_connect(&server);
		hear_until(guest, "carol: hal"); /* it is remembered */
		client_close(guest);
		server_finish(&server);
		return;
	}
	three = three_join(&server);

	client_say(three.carol, "/ping\nhal");
	client_half_close(three.carol);

	client_hear(three.carol, "* pong\n* goodbye\n");
	client_expect_end(three.carol);
	client_hear(three.alice, "carol: hal\n* carol has left (hung up)\n");
	client_say(three.alice, "/who\n");
	client_hear(three.alice, "* in lobby (2): alice, bob\n");
	be_called(three.bob, "carol");
	client_close(three.alice);
	client_close(three.bob);
	client_close(three.carol);
	server_finish(&server);
}
END_TEST

/* A child that was killed is one until its parent has had its signal. */
static bool has_no_zombie(void *context)
{
	return process_tree(*(const pid_t *)context).zombies == 0;
}

/* Three clients, and the last one's child gets a signal: it has left, and the two go on. */
static void child_is_sent(int model, int signal_number)
{
	struct server server;
	struct three three;
	pid_t pid;

	if (!model_is(model, "fork"))
		return;
	server = model_start(model, "chat", NULL);
	three = three_join(&server);
	pid = crowd_last_child(server.pid);
	if (pid == 0) {
		server_stop(&server);
		return;
	}
	client_say(three.carol, "before\nhal");
	client_hear(three.alice, "carol: before\n");

	kill(pid, signal_number);

	client_hear(three.alice, "* carol has left (connection lost)\n");
	client_say(three.alice, "/who\n");
	client_hear(three.alice, "* in lobby (2): alice, bob\n");
	ck_assert(crowd_has_ended(three.carol));
	be_called(three.bob, "carol");
	client_hear(three.alice, "* bob is now carol\n");
	client_say(three.alice, "on\n");
	client_hear(three.bob, "alice: on\n");
	client_close(three.carol);
	three.carol = join(&server, "bob");
	catch_up(three.alice);
	client_say(three.carol, "a new one\n");
	client_hear(three.alice, "bob: a new one\n");
	ck_assert(eventually(has_no_zombie, &server.pid, WAIT_MS));
	client_close(three.alice);
	client_close(three.bob);
	client_close(three.carol);
	server_finish(&server);
}

START_TEST(a_killed_child_is_a_leave)
{
	child_is_sent(_i, SIGKILL);
}
END_TEST

START_TEST(a_child_that_is_reported_to_stop_is_a_leave)
{
	child_is_sent(_i, SIGTERM);
}
END_TEST

enum { STOPPED = 10, LAST_WORDS = 20 };

static void read_to_the_end(struct talker *talker)
{
	enum { ROOM = STOPPED * (LAST_WORDS * HEARD + 64) };
	ssize_t n;

	talker->heard = malloc(ROOM);
	ck_assert_ptr_nonnull(talker->heard);
	do {
		n = io_read(talker->fd, talker->heard + talker->heard_length,
			    ROOM - talker->heard_length);
		ck_assert_msg(n >= 0, "no end comes after %zu bytes",
			      talker->heard_length);
		talker->heard_length += (size_t)n;
	} while (n > 0);
}

/* Takes the lines away that tell who has left. @return how many those were */
static int drop_leaves(struct talker *talker)
{
	size_t used = 0;
	int count = 0;

	for (size_t at = 0; at < talker->heard_length;) {
		const char *line = talker->heard + at;
		const char *end = memchr(line, '\n', talker->heard_length - at);
		size_t length;

		ck_assert_ptr_nonnull(end);
		length = (size_t)(end + 1 - line);
		if (*line == '*')
			count++;
		else
			memmove(talker->heard + used, line, length);
		used += *line == '*' ? 0 : length;
		at += length;
	}
	talker->heard_length = used;
	return count;
}

/* GIVEN clients that talk
   WHEN the server is told to stop
   THEN everyone hears what was said before, and then the end, and the server ends. */
START_TEST(a_stop_loses_nothing)
{
	struct server server = model_start(_i, "chat", NULL);
	struct talker talkers[STOPPED];
	int count = model_serves_many(_i) ? STOPPED : 1;

	meet(&server, talkers, count);
	for (int i = 0; i < count; i++)
		talkers[i].says = crowd_speech(i, LAST_WORDS);
	for (int i = 0; i < count; i++)
		client_send(talkers[i].fd, talkers[i].says, LAST_WORDS * CROWD_LINE);

	server_signal(&server, SIGTERM);

	for (int i = 0; i < count; i++) {
		read_to_the_end(&talkers[i]);
		ck_assert_int_lt(drop_leaves(&talkers[i]), count);
	}
	crowd_expect_same(talkers, count, LAST_WORDS, HEARD);
	crowd_part(talkers, count);
	ck_assert_int_eq(server_await(&server, WAIT_MS).status, 0);
}
END_TEST

/* ---- coming and going all the time ----------------------------------------------------- */

enum {
	VISITORS = 8,
	VISITS = SANITIZED ? 10 : 50, /* of each, in a season */
	SEASONS = 3,
	MOST_GROWTH = 1024 * 1024,
};

struct visitor {
	const struct server *server;
	int number;
	pthread_t thread;
};

/* Comes time and again, each time under another nickname, and goes in every way; now and
 * then from another room. */
static void *come_and_go(void *context)
{
	const struct visitor *visitor = context;
	char text[64];
	int fd;

	for (int i = 0; i < VISITS; i++) {
		snprintf(text, sizeof text, "visitor%d-%d", visitor->number, i);
		fd = join(visitor->server, text);
		client_say(fd, "I only pass by\n");
		if (i % 3 == 0) {
			snprintf(text, sizeof text, "/join room%d\n", i % 9);
			client_say(fd, text);
		}
		crowd_go(fd, i);
	}
	return NULL;
}

/* A season: everyone who comes is told to be there, and to be gone. */
static void have_season(const struct server *server, int host)
{
	struct visitor visitors[VISITORS];
	char line[TEXT];
	int come = 0, gone = 0;

	for (int i = 0; i < VISITORS; i++) {
		visitors[i] = (struct visitor){ .server = server, .number = i };
		ck_assert_int_eq(pthread_create(&visitors[i].thread, NULL, come_and_go,
						&visitors[i]),
				 0);
	}
	while (gone < VISITORS * VISITS) {
		ck_assert(hear_line(host, line));
		come += strstr(line, " has joined") != NULL;
		gone += strstr(line, " has left (") != NULL;
	}
	ck_assert_int_eq(come, gone);
	for (int i = 0; i < VISITORS; i++)
		pthread_join(visitors[i].thread, NULL);
	client_say(host, "/who\n");
	client_hear(host, "* in lobby (1): host\n");
}

struct left_over {
	pid_t pid;
	unsigned descriptors, threads;
};

static bool nothing_is_left(void *context)
{
	const struct left_over *before = context;
	struct process_tree tree = process_tree(before->pid);

	return process_descriptors(before->pid) == before->descriptors &&
	       tree.threads == before->threads && tree.zombies == 0;
}

/* GIVEN a client that stays
   WHEN others come and go all the time
   THEN each is announced twice; afterwards the room is as before, the nicknames are free, and
   no process, thread, descriptor or memory of theirs is left. */
START_TEST(who_comes_and_goes_leaves_nothing)
{
	struct server server;
	struct left_over before = { 0 };
	bool facts = process_facts_available();
	int64_t memory;
	int host, last;

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "chat", NULL);
	host = join(&server, "host");
	if (facts) {
		before.pid = server.pid;
		before.descriptors = process_descriptors(server.pid);
		before.threads = process_tree(server.pid).threads;
	}
	have_season(&server, host);
	ck_assert(eventually(is_alone, &host, WAIT_MS));
	memory = memory_of(&server);

	for (int i = 0; i < SEASONS; i++)
		have_season(&server, host);

	ck_assert(eventually(is_alone, &host, WAIT_MS));
	if (facts)
		ck_assert_msg(eventually(nothing_is_left, &before, WAIT_MS),
			      "%u descriptors of %u, %u threads of %u are left",
			      process_descriptors(server.pid), before.descriptors,
			      process_tree(server.pid).threads, before.threads);
	/* an emulator keeps some memory of each thread that has ended */
	if (memory >= 0 && !EMULATED)
		ck_assert_int_lt(memory_of(&server) - memory, MOST_GROWTH);
	last = client_connect(&server);
	client_hear(last, "* welcome, you are guest1;");
	client_close(last);
	client_close(host);
	server_finish(&server);
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------- */

static bool has_heard_nothing(int fd)
{
	return io_wait(fd, POLLIN, 0) == 0;
}

/* GIVEN a server that serves so many at a time
   WHEN one more comes
   THEN it waits, while those that are in talk; and comes in when one of them has left. */
START_TEST(beyond_the_limit_the_next_one_waits)
{
	bool many = model_serves_many(_i);
	struct server server =
		model_start(_i, "chat", many ? ARGUMENTS("-c", "2") : NULL);
	int alice = join(&server, "alice"), bob = many ? join(&server, "bob") : -1;
	int next = client_connect(&server);

	client_say(next, "/nick carol\n");
	catch_up(alice);
	if (many) {
		client_say(alice, "is anybody there?\n");
		client_hear(bob, "alice: is anybody there?\n");
	}
	client_say(alice, "/who\n");
	client_hear(alice,
		    many ? "* in lobby (2): alice, bob\n" : "* in lobby (1): alice\n");
	ck_assert(has_heard_nothing(next));

	client_say(alice, "/quit\n");
	client_hear(alice, "* goodbye\n");
	client_close(alice);

	hear_until(next, "* you are now carol");
	client_say(next, "/who\n");
	client_hear(next,
		    many ? "* in lobby (2): bob, carol\n" : "* in lobby (1): carol\n");
	if (many)
		client_close(bob);
	client_close(next);
	server_finish(&server);
}
END_TEST

enum { TOO_LARGE_A_CROWD = 40 };

/* GIVEN a server that may open but a few descriptors
   WHEN more come than it has them for
   THEN those that are in talk on, and the others come in when these leave. */
START_TEST(out_of_descriptors_the_next_ones_wait)
{
	struct server server;
	int fds[TOO_LARGE_A_CROWD];
	int last;

	if (!model_serves_many(_i))
		return;
	server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "chat"),
		.options = model_options(_i, ARGUMENTS("-H", "0")),
		.prepare = crowd_limit_descriptors,
	});
	for (int i = 0; i < TOO_LARGE_A_CROWD; i++)
		fds[i] = client_connect(&server);
	last = fds[TOO_LARGE_A_CROWD - 1];
	server_wait_line(&server, "further clients wait", WAIT_MS);
	be_called(fds[0], "alice");
	be_called(fds[1], "bob");
	client_say(fds[0], "in\n");
	hear_until(fds[1], "alice: in");
	client_say(fds[1], "so am I\n");
	hear_until(fds[0], "bob: so am I");
	ck_assert(has_heard_nothing(last));

	for (int i = 0; i < TOO_LARGE_A_CROWD - 1; i++)
		client_close(fds[i]);

	be_called(last, "carol");
	ck_assert(eventually(is_alone, &last, WAIT_MS));
	client_close(last);
	server_finish(&server);
}
END_TEST

/* ---- the same on the wire -------------------------------------------------------------- */

enum { ALICE, BOB, CAROL, DAVE, CAST, STORY = 64 * 1024 };

#define X32   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256  X32 X32 X32 X32 X32 X32 X32 X32
#define X1024 X256 X256 X256 X256

/* What one does; the next one waits until this has been heard by somebody. Of one that stays,
 * that is its own "* pong". */
static const struct step {
	int who;
	enum { SAYS, HALF_CLOSES, IS_RESET } does;
	const char *says;
	int witness;
	const char *until;
} steps[] = {
	{ ALICE, SAYS, "/nick alice\n", 0, NULL },
	{ BOB, SAYS, "hello\r\n/nick bob\n/nick BOB\n", 0, NULL },
	{ CAROL, SAYS, "/nick Alice\n/nick a.b\n/nick guest1\n/nick carol\n", 0, NULL },
	{ DAVE, SAYS, "/who\n/rooms\n/topic\n", 0, NULL },
	{ ALICE, SAYS, "/topic of this and that\n/topic\n", 0, NULL },
	{ BOB, SAYS, "/me waves\n//not a command\n  \n\n", 0, NULL },
	{ CAROL, SAYS, "/msg bob between us\n/msg nobody x\n/msg bob\n/msg\n", 0, NULL },
	{ DAVE, SAYS, "/nick dave\n/help\n/nonsense\n/" X32 "\n/PING  a  b \n", 0, NULL },
	{ ALICE, SAYS, X1024 "\n" X1024 "x\n" X1024 X256 "\nafter it\n", 0, NULL },
	{ BOB, SAYS, "\033[2J\a\tbell \xff\xfb\x01 \xc3\xa9 \xc3( \xed\xa0\x80\n", 0,
	  NULL },
	{ CAROL, SAYS, "/join #attic\n/topic dust\nalone\n", 0, NULL },
	{ DAVE, SAYS, "/join attic\n/join Attic\n/join a b\n/rooms\n/who\n", 0, NULL },
	{ ALICE, SAYS, "/msg carol up there?\n/join cellar\n/rooms\n/join lobby\n", 0,
	  NULL },
	{ CAROL, SAYS, "/topic -\n/topic " X256 "\n/topic " X256 "y\n/join lobby\n", 0,
	  NULL },
	{ CAROL, SAYS, "/quit   supper is ready  \nunheard\n", ALICE,
	  "* carol has left (supper is ready)" },
	{ DAVE, SAYS, "/join lobby\n/nick carol\n", 0, NULL },
	{ BOB, SAYS, "* alice has left\nalice: forged\n", 0, NULL },
	{ BOB, HALF_CLOSES, "/rooms\nhalf a li", ALICE, "* BOB has left (hung up)" },
	{ DAVE, SAYS, "this is heard\n", ALICE, "carol: this is heard" },
	{ DAVE, IS_RESET, "this is n", ALICE, "* carol has left (connection lost)" },
	{ ALICE, SAYS, "/who\n/rooms\n/topic\n", 0, NULL },
	{ ALICE, HALF_CLOSES, "/who", ALICE, "* goodbye" },
};

enum { STEPS = sizeof steps / sizeof *steps };

struct story {
	int fds[CAST];
	char heard[CAST][STORY]; /* by each */
};

static bool note_line(struct story *story, int who, char line[TEXT])
{
	size_t length = strlen(story->heard[who]);

	if (!hear_line(story->fds[who], line))
		return false;
	snprintf(story->heard[who] + length, STORY - length, "%s\n", line);
	return true;
}

static void note_until(struct story *story, int who, const char *last)
{
	char line[TEXT];

	do
		ck_assert_msg(note_line(story, who, line),
			      "the end comes before '%s', after:\n%s", last,
			      story->heard[who]);
	while (strcmp(line, last) != 0);
}

static void take_step(struct story *story, const struct step *step)
{
	int fd = story->fds[step->who];

	client_say(fd, step->says);
	if (step->until == NULL) {
		client_say(fd, "/ping\n");
		note_until(story, step->who, "* pong");
		return;
	}
	if (step->does == HALF_CLOSES)
		client_half_close(fd);
	else if (step->does == IS_RESET)
		client_reset(fd);
	note_until(story, step->witness, step->until);
	if (step->does == IS_RESET)
		story->fds[step->who] = -1;
}

/* All that each of them hears; of the one that is reset, what it has listened to. */
static struct story *tell_story(int model)
{
	struct story *story = calloc(1, sizeof *story);
	struct server server = model_start(model, "chat", ARGUMENTS("-R", "0"));
	char line[TEXT];

	ck_assert_ptr_nonnull(story);
	for (int i = 0; i < CAST; i++) {
		story->fds[i] = client_connect(&server);
		client_say(story->fds[i], "/ping\n");
		note_until(story, i, "* pong");
	}
	for (int i = 0; i < STEPS; i++)
		take_step(story, &steps[i]);
	for (int i = 0; i < CAST; i++) {
		if (story->fds[i] < 0)
			continue;
		while (note_line(story, i, line))
			;
		client_close(story->fds[i]);
	}
	server_finish(&server);
	return story;
}

/* GIVEN the same clients, who do the same one after the other
   THEN each hears the same bytes in every model. */
START_TEST(every_model_tells_the_same)
{
	struct story *first = NULL, *story;

	for (int model = 0; model < models_count(); model++) {
		if (!model_serves_many(model) || !model_shares_a_server(model))
			continue;
		story = tell_story(model);
		if (first == NULL) {
			first = story;
			continue;
		}
		for (int i = 0; i < CAST; i++)
			ck_assert_str_eq(story->heard[i], first->heard[i]);
		free(story);
	}
	free(first);
}
END_TEST

/* With a listening socket of its own, not the harness's, which has its options from us. */
static struct server start_by_itself(int model)
{
	return server_start_with(&(struct server_setup){
		.program = model_program(model, "chat"),
		.opens_itself = true,
	});
}

/* GIVEN a client with telnet
   WHEN its user gives "send synch" (RFC 854, "The Telnet Synch signal"), which sends IAC as
   urgent data and DM behind it, and then a command
   THEN chatd drops the signal, and takes the command for a command. */
START_TEST(a_command_after_the_synch_of_telnet_is_a_command)
{
	struct server server = start_by_itself(_i);
	int fd = join(&server, "alice");

	client_send_urgent(fd, "\xff", 1);
	client_say(fd, "\xf2/ping\r\n");
	hear_until(fd, "* pong");
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* The same, where it would do most harm. */
START_TEST(a_private_line_after_the_synch_of_telnet_stays_private)
{
	struct server server;
	struct three three;
	char line[TEXT];

	if (!model_serves_many(_i))
		return;
	server = start_by_itself(_i);
	three = three_join(&server);
	client_send_urgent(three.alice, "\xff", 1);
	client_say(three.alice, "\xf2/msg bob secret\r\n");
	catch_up(three.alice);
	do
		ck_assert(hear_line(three.bob, line));
	while (strstr(line, "secret") == NULL);
	client_say(three.carol, "/ping\n");
	do {
		ck_assert(hear_line(three.carol, line));
		ck_assert_msg(strstr(line, "secret") == NULL, "carol hears '%s'", line);
	} while (strcmp(line, "* pong") != 0);
	client_close(three.alice);
	client_close(three.bob);
	client_close(three.carol);
	server_finish(&server);
}
END_TEST

Suite *suite_chatd(void)
{
	Suite *suite = suite_create("chatd");
	TCase *shared = add_case(suite, "shared");
	TCase *leaving = add_case(suite, "leaving");
	int models = kinds_count();

	add_sharing_test_of_kinds(shared, every_line_reaches_everyone);
	add_sharing_test_of_kinds(shared, all_hear_the_same);
	add_sharing_test_of_kinds(shared, of_two_who_want_a_nickname_one_gets_it);
	add_sharing_test_of_kinds(shared, two_who_wait_for_each_other_go_on);
	add_sharing_test_of_kinds(shared, who_has_gone_is_not_waited_for);
	tcase_add_test(shared, every_model_tells_the_same);
	tcase_add_loop_test(shared, a_command_after_the_synch_of_telnet_is_a_command, 0,
			    models);
	add_sharing_test_of_kinds(shared,
				  a_private_line_after_the_synch_of_telnet_stays_private);
	add_sharing_test_of_kinds(leaving, half_a_line_at_a_reset_is_not_delivered);
	add_sharing_test_of_kinds(leaving, half_a_line_at_the_half_close_is_delivered);
	if (process_facts_available()) {
		tcase_add_loop_test(leaving, a_killed_child_is_a_leave, 0, models);
		tcase_add_loop_test(leaving, a_child_that_is_reported_to_stop_is_a_leave,
				    0, models);
	}
	add_sharing_test_of_kinds(leaving, a_stop_loses_nothing);
	add_sharing_test_of_kinds(leaving, who_comes_and_goes_leaves_nothing);
	return suite;
}

Suite *suite_chatd_trouble(void)
{
	Suite *suite = suite_create("chatd_trouble");
	TCase *trouble = add_case(suite, "trouble");
	int models = kinds_count();

	add_sharing_test_of_kinds(trouble, who_is_too_fast_waits_and_nobody_else_does);
	add_sharing_test_of_kinds(trouble, who_does_not_read_is_cut_off);
	add_sharing_test_of_kinds(trouble, who_comes_in_is_not_cut_off_for_the_history);
	add_sharing_test_of_kinds(trouble, a_list_is_whole_however_long_it_is);
	tcase_add_loop_test(trouble, who_asks_one_by_one_and_never_reads_takes_no_memory,
			    0, models);
	tcase_add_loop_test(trouble,
			    who_asks_much_at_once_and_never_reads_takes_no_memory, 0,
			    models);
	add_sharing_test_of_kinds(trouble, who_listens_is_not_idle);
	add_sharing_test_of_kinds(trouble, beyond_the_limit_the_next_one_waits);
	add_sharing_test_of_kinds(trouble, out_of_descriptors_the_next_ones_wait);
	return suite;
}
