/*
 * The load of chat: that every line is accounted for, and that whatever a server can do wrong
 * with one is noticed, and named.
 *
 * The server made of a few lines knows one room, and one mistake to make in it. chatd itself
 * is tried in each model.
 */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/load/idle.h"
#include "common/io.h"
#include "tests/fixture/load_fixture.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

/* ---- a server with a mistake ------------------------------------------------------------------- */

enum mistake {
	NONE,
	IN_PIECES, /* none: but each line comes in two */
	CHATTER,   /* none: people come and go */
	LOSE,      /* the hundredth line, for one of those in the room */
	LOSE_ALL,  /* lines from then on, for all */
	DOUBLE,
	DOUBLE_LAST, /* the last line, when all has been heard */
	SWAP,        /* the hundredth line and the next */
	CUT,         /* its end away */
	CUT_BEGINNING,
	CUT_IN_TWO,
	CUT_AT_END, /* a beginning of a line is the last that is heard */
	MERGE,      /* it with the next */
	CHANGE,     /* a byte */
	ECHO,       /* it to who said it */
	FORGE,      /* a line that nobody said */
	COMPLAIN,
	HANG_UP,
	REFUSE,      /* everybody */
	SAY_NOTHING, /* but take everybody in */
};

enum { MOST = 64, LINE = 2000, THE_LINE = 100 };

static enum mistake mistake;

/* The room, in the server's process. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t left;
	int fds[MOST];
	char names[MOST][64];
	unsigned people;
	bool speaker_left;
	unsigned lines;
	char held[LINE]; /* what is to follow the next line, or to precede it */
	char last[LINE];
} room = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER };

static void tell_in_pieces(int fd, const char *text)
{
	size_t half = strlen(text) / 3;

	io_write(fd, text, half);
	io_write(fd, text + half, strlen(text) - half);
}

/* The hundredth line, for one of those who hear it. */
static void tell_wrong(int fd, const char *line)
{
	size_t length = strlen(line);
	char other[2 * LINE];

	snprintf(other, sizeof other, "%s", line);
	switch (mistake) {
	case LOSE:
	case LOSE_ALL:
		return;
	case DOUBLE:
		write_text(fd, line);
		break;
	case SWAP:
		snprintf(room.held, sizeof room.held, "%s", line);
		return;
	case CUT:
		snprintf(other + length - 5, 2, "\n");
		break;
	case CUT_BEGINNING:
		memmove(other, line + 5, length - 4);
		break;
	case CUT_IN_TWO:
		snprintf(other + length - 9, 12, "\n%s", line + length - 9);
		break;
	case MERGE:
		snprintf(room.held, sizeof room.held, "%.*s", (int)length - 1, line);
		return;
	case CHANGE:
		other[length - 3] ^= 1;
		break;
	case FORGE:
		write_text(fd, "stranger: hello\n");
		break;
	case COMPLAIN:
		write_text(fd, "* error: you listen too much\n");
		break;
	case HANG_UP:
		shutdown(fd, SHUT_RDWR);
		return;
	default:
		break;
	}
	write_text(fd, other);
}

/* The next line, behind the wrong one, or in front of it. */
static void tell_held(int fd, const char *line)
{
	write_text(fd, mistake == MERGE ? room.held : line);
	write_text(fd, mistake == MERGE ? line : room.held);
	room.held[0] = '\0';
}

/* To whom it is done, when that one speaks. */
static unsigned victim_of(unsigned speaker)
{
	return speaker == 0 ? 1 : 0;
}

static void tell_one(unsigned person, bool victim, const char *line)
{
	int fd = room.fds[person];

	if (mistake == CHATTER)
		write_text(fd, "* somebody has joined\n* somebody is now else\n"
			       "* else has left (went to bed)\n");
	if (mistake == SAY_NOTHING || (mistake == LOSE_ALL && room.lines > THE_LINE))
		return;
	if (mistake == IN_PIECES)
		tell_in_pieces(fd, line);
	else if (victim && room.lines == THE_LINE)
		tell_wrong(fd, line);
	else if (victim && room.held[0] != '\0')
		tell_held(fd, line);
	else
		write_text(fd, line);
}

static void say_to_all(unsigned who, const char *text)
{
	char line[LINE];

	pthread_mutex_lock(&room.lock);
	snprintf(line, sizeof line, "%s: %.1500s\n", room.names[who], text);
	room.lines++;
	for (unsigned i = 0; i < room.people; i++)
		if (i != who || (mistake == ECHO && room.lines == THE_LINE))
			tell_one(i, i == victim_of(who) || i == who, line);
	snprintf(room.last, sizeof room.last, "%s", line);
	pthread_mutex_unlock(&room.lock);
}

/* @return who it is there */
static unsigned enter(int fd, const char *name, const char *where)
{
	char text[200];
	unsigned who;

	pthread_mutex_lock(&room.lock);
	who = room.people++;
	if (who >= MOST)
		_exit(1);
	room.fds[who] = fd;
	snprintf(room.names[who], sizeof room.names[who], "%s", name);
	snprintf(text, sizeof text,
		 "* you are in %.60s (%u people)\n* %.60s has joined\n", where, who,
		 name);
	write_text(fd, text);
	pthread_mutex_unlock(&room.lock);
	return who;
}

/* The speaker's end is the end of the talk: the others stay until then. */
static void leave(unsigned who, unsigned number)
{
	pthread_mutex_lock(&room.lock);
	if (number == 0 && mistake == DOUBLE_LAST)
		write_text(room.fds[victim_of(who)], room.last);
	if (number == 0 && mistake == CUT_AT_END)
		write_text(room.fds[victim_of(who)], "l");
	room.speaker_left |= number == 0;
	pthread_cond_broadcast(&room.left);
	while (!room.speaker_left && mistake != REFUSE && number > 0)
		pthread_cond_wait(&room.left, &room.lock);
	pthread_mutex_unlock(&room.lock);
}

static void serve_room(int fd, unsigned number)
{
	FILE *from = fdopen(dup(fd), "re");
	char line[LINE], name[64] = "guest";
	unsigned who = 0;

	if (from == NULL)
		_exit(1);
	write_text(fd,
		   "* welcome, you are guest1; and more\n* you are in lobby (2 people)\n"
		   "* topic of lobby: * error: none\n* last 2 lines of lobby:\n"
		   "lx: 1\n** lx waves\n");
	while (fgets(line, sizeof line, from) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "/nick ", 6) == 0 && mistake == REFUSE)
			write_text(fd, "* error: the nickname \033 is taken\n");
		else if (strncmp(line, "/nick ", 6) == 0)
			snprintf(name, sizeof name, "%.60s", line + 6);
		else if (strncmp(line, "/join ", 6) == 0)
			who = enter(fd, name, line + 6);
		else
			say_to_all(who, line);
	}
	leave(who, number);
	if (mistake != CUT_AT_END)
		write_text(fd, "* goodbye\n");
	fclose(from);
}

static void start_room(enum mistake which)
{
	mistake = which;
	start_server(serve_room);
}

static void set_room(unsigned connections)
{
	set_plan("chat", false);
	plan.connections = connections;
	plan.size = 24;
	ck_assert_msg(load_plan_complete(&plan, &failure) == 0, "%s", failure.text);
}

static void assert_accounted(void)
{
	ck_assert_uint_eq(result.due, result.lines_sent * (plan.connections - 1));
	ck_assert_uint_eq(result.delivered + result.errors[LOAD_LOST_LINE], result.due);
	ck_assert_uint_le(result.exchanges, result.delivered);
}

/* ---- what it notices --------------------------------------------------------------------------- */

START_TEST(every_line_is_accounted_for)
{
	static const enum mistake kinds[] = { NONE, IN_PIECES, CHATTER };

	set_room(5);
	start_room(kinds[_i % 3]);
	plan.threads = _i < 3 ? 1 : 3;
	measure_until(2000);
	assert_no_errors();
	assert_accounted();
	ck_assert_uint_eq(result.delivered, result.due);
	ck_assert_uint_ge(result.exchanges, 2000);
	ck_assert_uint_eq(result.served, 5);
	ck_assert_uint_eq(result.made, 5);
}
END_TEST

static const struct {
	enum mistake mistake;
	uint64_t lost, doubled, out_of_order, wrong;
	const char *says;
} mistakes[] = {
	{ LOSE, 1, 0, 0, 0, NULL },
	{ DOUBLE, 0, 1, 0, 0, NULL },
	{ DOUBLE_LAST, 0, 1, 0, 0, NULL },
	{ SWAP, 0, 0, 1, 0, NULL },
	{ CUT, 1, 0, 0, 1, "incomplete line: \"l" },
	{ CUT_BEGINNING, 1, 0, 0, 1, "line that no client has sent" },
	{ CUT_IN_TWO, 1, 0, 0, 2, "line that no client has sent" },
	{ CUT_AT_END, 0, 0, 0, 1, "incomplete line: \"l\"" },
	{ MERGE, 2, 0, 0, 1, "merged lines: \"l" },
	{ CHANGE, 1, 0, 0, 1, "line differs from the one sent: \"l" },
	{ ECHO, 0, 0, 0, 1, "line returned to its sender: \"l" },
	{ FORGE, 0, 0, 0, 1, "line that no client has sent: \"stranger: hello\"" },
	{ COMPLAIN, 0, 0, 0, 1, "error of the server: \"* error: you listen too much\"" },
};

START_TEST(what_is_done_to_one_line_is_noticed_and_named)
{
	set_room(4);
	start_room(mistakes[_i].mistake);
	measure_until(2000);
	ck_assert_uint_eq(result.errors[LOAD_LOST_LINE], mistakes[_i].lost);
	ck_assert_uint_eq(result.errors[LOAD_DUPLICATE_LINE], mistakes[_i].doubled);
	ck_assert_uint_eq(result.errors[LOAD_OUT_OF_ORDER], mistakes[_i].out_of_order);
	ck_assert_uint_eq(result.errors[LOAD_WRONG_REPLY], mistakes[_i].wrong);
	ck_assert_uint_eq(load_errors(&result), mistakes[_i].lost + mistakes[_i].doubled +
							mistakes[_i].out_of_order +
							mistakes[_i].wrong);
	assert_accounted();
	if (mistakes[_i].says != NULL)
		ck_assert_msg(strstr(result.wrong.text, mistakes[_i].says) != NULL, "%s",
			      result.wrong.text);
}
END_TEST

START_TEST(when_one_is_cut_off_the_others_go_on)
{
	set_room(4);
	start_room(HANG_UP);
	measure_until(2000);
	ck_assert_uint_eq(result.errors[LOAD_CLOSED_EARLY] + result.errors[LOAD_RESET],
			  1);
	ck_assert_uint_ge(result.errors[LOAD_LOST_LINE], 2000 / 3 - THE_LINE);
	assert_accounted();
	ck_assert_uint_eq(result.made, 4);
}
END_TEST

START_TEST(who_hears_nothing_more_has_lost_what_was_on_its_way)
{
	static const enum mistake kinds[] = { LOSE_ALL, SAY_NOTHING };

	set_room(3);
	plan.timeout = 300 * SLOW_MACHINE;
	start_room(kinds[_i]);
	measure();
	assert_errors_are_all(LOAD_LOST_LINE);
	assert_accounted();
	ck_assert_uint_le(result.errors[LOAD_LOST_LINE], plan.window * 2);
	ck_assert_uint_eq(result.served, _i == 0 ? 3 : 0);
}
END_TEST

START_TEST(who_is_refused_has_not_been_served)
{
	set_room(3);
	start_room(REFUSE);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
	ck_assert_str_eq(result.wrong.text,
			 "error of the server: \"* error: the nickname \\x1b is taken\"");
	ck_assert_uint_eq(result.served, 0);
	ck_assert_uint_eq(result.lines_sent, 0);
}
END_TEST

static void serve_echo(int fd, unsigned number)
{
	char bytes[500];
	ssize_t n;

	(void)number;
	while ((n = io_read(fd, bytes, sizeof bytes)) > 0)
		io_write(fd, bytes, (size_t)n);
}

START_TEST(what_is_no_chat_is_distinguished_from_it)
{
	set_room(3);
	start_server(serve_echo);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
	ck_assert_ptr_nonnull(strstr(result.wrong.text, "not a welcome: \"/nick l"));
}
END_TEST

/* ---- the plan ------------------------------------------------------------------------------------ */

START_TEST(a_window_bounds_what_is_on_its_way)
{
	set_room(3);
	plan.window = 5;
	plan.timeout = 200 * SLOW_MACHINE;
	start_room(SAY_NOTHING);
	measure();
	ck_assert_uint_eq(result.lines_sent, 5);
	ck_assert_uint_eq(result.errors[LOAD_LOST_LINE], 10);
}
END_TEST

START_TEST(lines_may_be_sent_when_they_are_due)
{
	set_room(5);
	plan.senders = 3;
	plan.threads = 1 + (unsigned)_i * 2;
	plan.rate = 1000;
	plan.duration = 500;
	start_room(NONE);
	measure();
	assert_no_errors();
	ck_assert_uint_le(result.lines_sent, 500);
	ck_assert_uint_eq(result.lines_sent + result.unsent, 500);
	ck_assert_uint_eq(result.due, result.lines_sent * 4);
	ck_assert_uint_eq(result.delivered, result.due);
}
END_TEST

/* ---- chatd ------------------------------------------------------------------------------------- */

static struct server start_chatd(int model, const char *const options[])
{
	struct server chatd = model_start(model, "chat", options);

	snprintf(port, sizeof port, "%u", chatd.port);
	return chatd;
}

START_TEST(chatd_delivers_every_line)
{
	struct server chatd;

	if (!model_serves_many(_i))
		return;
	chatd = start_chatd(_i, ARGUMENTS("-R", "0", "-B", "64M"));
	set_room(51);
	measure_until(50000);
	assert_no_errors();
	assert_accounted();
	ck_assert_uint_eq(result.delivered, result.due);
	ck_assert_uint_eq(result.served, 51);
	server_finish(&chatd);
}
END_TEST

START_TEST(chatd_delivers_every_line_where_all_talk)
{
	struct server chatd;

	if (!model_serves_many(_i))
		return;
	chatd = start_chatd(_i, ARGUMENTS("-R", "0", "-B", "64M"));
	set_plan("chat", false);
	plan.kind = LOAD_TALK;
	plan.connections = 12;
	plan.threads = 3;
	ck_assert_int_eq(load_plan_complete(&plan, &failure), 0);
	measure_until(50000);
	assert_no_errors();
	assert_accounted();
	ck_assert_uint_eq(result.delivered, result.due);
	ck_assert_uint_eq(result.served, 12);
	server_finish(&chatd);
}
END_TEST

START_TEST(lines_that_chatd_holds_back_are_waited_for)
{
	struct server chatd;

	if (!model_serves_many(_i))
		return;
	chatd = start_chatd(_i, ARGUMENTS("-R", "50"));
	set_room(3);
	plan.window = 120;
	plan.duration = 100;
	measure();
	assert_no_errors();
	ck_assert_uint_ge(result.lines_sent, 120);
	ck_assert_uint_eq(result.delivered, result.due);
	server_finish(&chatd);
}
END_TEST

START_TEST(chatd_iterative_serves_nobody_who_is_not_alone)
{
	struct server chatd;

	if (model_serves_many(_i))
		return;
	chatd = start_chatd(_i, NULL);
	set_room(3);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY);
	ck_assert_uint_eq(result.errors[LOAD_NO_REPLY], 2); /* of 3: the first is in */
	ck_assert_uint_eq(result.served, 0);
	ck_assert_uint_eq(result.exchanges, 0);
	server_finish(&chatd);
}
END_TEST

/* given: a silent client that the server has greeted; then: what arrived is dropped, and it counts as
 * open; an interrupt ends the wait */
START_TEST(what_silent_clients_receive_before_the_load_is_dropped)
{
	static const char greeting[] = "* you are in lobby (1 person)\n";
	int pair[2];
	struct load_idle idle = { .fds = pair, .made = 1 };
	volatile sig_atomic_t stop = _i;
	char left[sizeof greeting];
	struct load_plan silent = { .stop = &stop };

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(io_set_nonblocking(pair[0], true), 0);
	write_text(pair[1], greeting);
	load_idle_settle(&idle, &silent);
	ck_assert_int_eq(io_read(pair[0], left, sizeof left),
			 _i == 0 ? -1 : (int)strlen(greeting));
	ck_assert_uint_eq(load_idle_count_open(&idle), 1);
	close(pair[1]);
	ck_assert_uint_eq(load_idle_count_open(&idle), 0);
	close(pair[0]);
}
END_TEST

START_TEST(silent_clients_stand_in_the_lobby)
{
	struct server chatd;

	if (!model_serves_many(_i))
		return;
	chatd = start_chatd(_i, ARGUMENTS("-R", "0"));
	set_plan("chat", false);
	plan.kind = LOAD_IDLE;
	plan.idle = 20;
	plan.connections = 4;
	ck_assert_int_eq(load_plan_complete(&plan, &failure), 0);
	measure_until(100);
	assert_no_errors();
	ck_assert_uint_eq(result.idle_open, 20);
	ck_assert_uint_eq(result.delivered, result.due);
	server_finish(&chatd);
}
END_TEST

START_TEST(loadgen_tells_what_was_sent_and_delivered)
{
	struct run run;

	start_room(NONE);
	run = run_loadgen(ARGUMENTS("loadgen", "-d", "1", "-c", "3", "--window", "7",
				    "chat", "127.0.0.1", port));
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	expect_match(run.out, "^load           room\n"
			      "server         chat over TCP at 127.0.0.1:[0-9]+\n"
			      "connections    3 at a time, 3 served\n"
			      "senders        1, with a window of 7 lines each\n"
			      "message        32 bytes\n"
			      "measured       1.00 s\n"
			      "deliveries     [0-9]+\n");
	/* where nothing else runs, the load needs all of a processor, and loadgen says so */
	expect_match(run.out, "\nsent           [0-9]+\n"
			      "delivered      ([0-9]+) of [0-9]+\n"
			      "generator      [^\n]+\n"
			      "(bottleneck     loadgen itself: [^\n]+\n)?"
			      "errors         none\n$");
}
END_TEST

START_TEST(loadgen_fails_when_a_line_is_lost)
{
	struct run run;

	start_room(LOSE);
	run = run_loadgen(ARGUMENTS("loadgen", "-d", slow_seconds(1), "-c", "3", "chat",
				    "127.0.0.1", port));
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.out, "\nerrors         1: 1 lost line\n"));
}
END_TEST

START_TEST(loadgen_counts_for_programs_too)
{
	struct run run;

	start_room(DOUBLE);
	run = run_loadgen(ARGUMENTS("loadgen", "-d", slow_seconds(1), "-c", "3", "-j",
				    "chat", "127.0.0.1", port));
	run_expect_status(&run, 1);
	expect_match(run.out, "\"senders\":1,\"window\":64,\"due\":[0-9]+,"
			      "\"delivered\":[0-9]+,\"latency_ns\"");
	ck_assert_ptr_nonnull(
		strstr(run.out, "\"lost\":0,\"doubled\":1,\"out_of_order\":0}"));
}
END_TEST

static const struct {
	const char *arguments[8];
	const char *says;
} refused[] = {
	{ { "loadgen", "--senders", "3", "echo", "127.0.0.1", "7" },
	  "--senders does not apply to the protocol echo" },
	{ { "loadgen", "--window", "3", "echo", "127.0.0.1", "7" },
	  "--window does not apply to the protocol echo" },
	{ { "loadgen", "--window", "0", "chat", "127.0.0.1", "7" }, "--window" },
	{ { "loadgen", "--senders", "52", "chat", "127.0.0.1", "7" },
	  "--senders: 52 senders need at least as many connections, not 51" },
	{ { "loadgen", "--senders", "3", "chat", "talk", "127.0.0.1", "7" },
	  "--senders: all 16 connections send in the load talk" },
	{ { "loadgen", "-c", "1", "chat", "127.0.0.1", "7" }, "chat needs at least 2" },
	{ { "loadgen", "-s", "10", "chat", "127.0.0.1", "7" }, "11 to 1025 bytes" },
	{ { "loadgen", "-s", "1026", "chat", "127.0.0.1", "7" }, "11 to 1025 bytes" },
	{ { "loadgen", "-u", "chat", "127.0.0.1", "7" },
	  "the protocol chat does not support UDP" },
	{ { "loadgen", "chat", "bulk", "127.0.0.1", "7" },
	  "chat over TCP does not support the load 'bulk' (use room, talk, idle)" },
};

START_TEST(options_that_make_no_sense_are_refused)
{
	struct run run = run_loadgen(refused[_i].arguments);

	run_expect_status(&run, 2);
	ck_assert_msg(strstr(run.err, refused[_i].says) != NULL, "%s", run.err);
}
END_TEST

Suite *suite_load_chat(void)
{
	Suite *suite = suite_create("load_chat");
	TCase *tcase = load_case(suite, "lines");

	tcase_add_loop_test(tcase, every_line_is_accounted_for, 0, 6);
	tcase_add_loop_test(tcase, what_is_done_to_one_line_is_noticed_and_named, 0,
			    COUNT(mistakes));
	tcase_add_test(tcase, when_one_is_cut_off_the_others_go_on);
	tcase_add_loop_test(tcase, who_hears_nothing_more_has_lost_what_was_on_its_way, 0,
			    2);
	tcase_add_test(tcase, who_is_refused_has_not_been_served);
	tcase_add_test(tcase, what_is_no_chat_is_distinguished_from_it);

	tcase = load_case(suite, "the plan");
	tcase_add_test(tcase, a_window_bounds_what_is_on_its_way);
	tcase_add_loop_test(tcase, lines_may_be_sent_when_they_are_due, 0, 2);

	tcase = load_case(suite, "chatd");
	add_sharing_test_of_kinds(tcase, chatd_delivers_every_line);
	add_sharing_test_of_kinds(tcase, chatd_delivers_every_line_where_all_talk);
	add_sharing_test_of_kinds(tcase, lines_that_chatd_holds_back_are_waited_for);
	tcase_add_loop_test(tcase, chatd_iterative_serves_nobody_who_is_not_alone, 0,
			    models_count());
	add_sharing_test_of_kinds(tcase, silent_clients_stand_in_the_lobby);
	tcase_add_loop_test(tcase, what_silent_clients_receive_before_the_load_is_dropped,
			    0, 2);

	tcase = load_case(suite, "loadgen");
	tcase_add_test(tcase, loadgen_tells_what_was_sent_and_delivered);
	tcase_add_test(tcase, loadgen_fails_when_a_line_is_lost);
	tcase_add_test(tcase, loadgen_counts_for_programs_too);
	tcase_add_loop_test(tcase, options_that_make_no_sense_are_refused, 0,
			    COUNT(refused));
	return suite;
}
