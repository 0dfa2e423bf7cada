/*
 * The load for each service but echo, over TCP: against servers that do right, and against
 * servers that do not; and which plans make sense.
 */
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/load_fixture.h"
#include "tests/suites.h"

enum { CHUNK = 64 * 1024 };

/* ---- servers that are asked: reply --------------------------------------------------------------- */

/* Answers each line. */
static void serve_lines(int fd, const char *text)
{
	char byte;

	while (io_read(fd, &byte, 1) == 1)
		if (byte == '\n')
			write_text(fd, text);
}

static void serve_replies(int fd, unsigned number)
{
	(void)number;
	serve_lines(fd, "Message received\n");
}

static void serve_other_replies(int fd, unsigned number)
{
	(void)number;
	serve_lines(fd, "Something else\n");
}

static void serve_two_replies(int fd, unsigned number)
{
	(void)number;
	serve_lines(fd, "Message received\nMessage received\n");
}

static void serve_replies_byte_by_byte(int fd, unsigned number)
{
	char byte;

	(void)number;
	while (io_read(fd, &byte, 1) == 1)
		for (const char *at = "Message received\n"; byte == '\n' && *at; at++)
			io_write(fd, at, 1);
}

START_TEST(reply_is_asked_a_line_and_says_its_text)
{
	set_plan("reply", false);
	start_server(_i == 0 ? serve_replies : serve_replies_byte_by_byte);
	measure_until(20);
	assert_no_errors();
	ck_assert_uint_ge(result.exchanges, 20);
	ck_assert_uint_eq(result.bytes, result.exchanges * strlen("Message received\n"));
	ck_assert_uint_eq(result.served, 2);
}
END_TEST

START_TEST(reply_with_a_connection_for_each_line)
{
	set_plan("reply", false);
	plan.kind = LOAD_CONNECTIONS;
	start_server(serve_replies);
	measure_until(20);
	assert_no_errors();
	ck_assert_uint_ge(result.made, result.exchanges);
}
END_TEST

START_TEST(another_text_than_expected_is_wrong)
{
	set_plan("reply", false);
	start_server(serve_other_replies);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
}
END_TEST

START_TEST(the_text_to_expect_can_be_given)
{
	set_plan("reply", false);
	plan.reply = "Something else";
	start_server(serve_other_replies);
	measure_until(5);
	assert_no_errors();
}
END_TEST

START_TEST(any_line_can_be_expected)
{
	set_plan("reply", false);
	plan.reply = "";
	start_server(_i == 0 ? serve_other_replies : serve_replies_byte_by_byte);
	measure_until(5);
	assert_no_errors();
}
END_TEST

START_TEST(two_replies_to_one_request_are_wrong)
{
	set_plan("reply", false);
	plan.reply = _i == 0 ? NULL : "";
	start_server(serve_two_replies);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
}
END_TEST

/* ---- servers that speak and close: daytime, greet ------------------------------------------------- */

static const char *greeting; /* for the child that is forked then */

static void serve_greeting(int fd, unsigned number)
{
	(void)number;
	write_text(fd, greeting);
	half_close_and_drain(fd);
}

static void serve_greeting_in_two_pieces(int fd, unsigned number)
{
	(void)number;
	io_write(fd, greeting, 3);
	pause_milliseconds(5);
	write_text(fd, greeting + 3);
	half_close_and_drain(fd);
}

static void serve_greeting_and_stay(int fd, unsigned number)
{
	char byte;

	(void)number;
	write_text(fd, greeting);
	while (io_read(fd, &byte, 1) > 0)
		;
}

START_TEST(greetings_are_counted_when_the_server_has_closed)
{
	set_plan("greet", false);
	greeting = "Welcome to the server\n";
	start_server(_i == 0 ? serve_greeting : serve_greeting_in_two_pieces);
	measure_until(20);
	assert_no_errors();
	ck_assert_uint_ge(result.exchanges, 20);
	ck_assert_uint_eq(result.bytes, result.exchanges * strlen(greeting));
	ck_assert_uint_le(result.made, result.exchanges + 2);
}
END_TEST

START_TEST(a_server_that_does_not_close_is_given_up)
{
	set_plan("greet", false);
	plan.timeout = 500 * SLOW_MACHINE; /* the greeting must come within it */
	plan.duration = 1200 * SLOW_MACHINE;
	greeting = "Welcome to the server\n";
	start_server(serve_greeting_and_stay);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY);
	ck_assert_str_eq(result.silence.text,
			 "22 bytes received, but not the end of the reply");
	ck_assert_uint_eq(result.exchanges, 0);
}
END_TEST

static const struct {
	const char *protocol, *says, *expect;
	bool right;
	enum load_error error;
} greetings[] = {
	{ "greet", "Welcome to the server", NULL, false, LOAD_CLOSED_EARLY },
	{ "greet", "", NULL, false, LOAD_CLOSED_EARLY },
	{ "greet", "Welcome to the server\n\n", NULL, false, LOAD_WRONG_REPLY },
	{ "greet", "Welcome to this server\n", NULL, false, LOAD_WRONG_REPLY },
	{ "greet", "Hello\n", "Hello", true, 0 },
	{ "greet", "Whatever\n", "", true, 0 },
	{ "greet", "Whatever\nand more\n", "", false, LOAD_WRONG_REPLY },
	{ "daytime", "2026-11-20T14:03:59+01:00\r\n", NULL, true, 0 },
	{ "daytime", "Friday, November 20, 2026 14:03:59-CET\n", NULL, true, 0 },
	{ "daytime", "2026-11-20T14:03:59+01:00", NULL, false, LOAD_CLOSED_EARLY },
	{ "daytime", "", NULL, false, LOAD_CLOSED_EARLY },
	{ "daytime", "\n", NULL, false, LOAD_WRONG_REPLY },
	{ "daytime", "14:03\n14:04\n", NULL, false, LOAD_WRONG_REPLY },
	{ "daytime", "\033[2J14:03\n", NULL, false, LOAD_WRONG_REPLY },
};

START_TEST(what_a_reply_says_is_checked)
{
	set_plan(greetings[_i].protocol, false);
	greeting = greetings[_i].says;
	plan.reply = greetings[_i].expect;
	start_server(serve_greeting);
	if (greetings[_i].right) {
		measure_until(5);
		assert_no_errors();
	} else {
		measure();
		assert_errors_are_all(greetings[_i].error);
		ck_assert_uint_eq(result.exchanges, 0);
	}
}
END_TEST

/* ---- servers that do not stop: chargen ------------------------------------------------------------- */

/* As RFC 864 shows it: lines of 72 of the 95, each one character on. */
static char pattern(size_t place)
{
	size_t line = place / 74, column = place % 74;

	if (column >= 72)
		return column == 72 ? '\r' : '\n';
	return (char)(' ' + (line + column) % 95);
}

/* Sends from that place of the pattern on, and adds 1 to the byte at wrong, from there. */
static void serve_characters(int fd, size_t from, size_t wrong, size_t limit)
{
	char bytes[7777];

	for (size_t sent = 0; sent < limit; sent += sizeof bytes) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (char)(pattern(from + sent + i) + (sent + i == wrong));
		if (io_write(fd, bytes, sizeof bytes) != sizeof bytes)
			return;
	}
}

static void serve_all_characters(int fd, unsigned number)
{
	(void)number;
	serve_characters(fd, 0, SIZE_MAX, SIZE_MAX);
}

static void serve_from_another_line(int fd, unsigned number)
{
	serve_characters(fd, (size_t)(number + 33) * 74, SIZE_MAX, SIZE_MAX);
}

static void serve_first_byte_wrongly(int fd, unsigned number)
{
	(void)number;
	serve_characters(fd, 0, 0, SIZE_MAX);
}

static void serve_byte_of_the_second_megabyte_wrongly(int fd, unsigned number)
{
	(void)number;
	serve_characters(fd, 0, (1 << 20) + 12345, SIZE_MAX);
}

static void serve_line_end_wrongly(int fd, unsigned number)
{
	(void)number;
	serve_characters(fd, 0, 3 * 74 + 72, SIZE_MAX);
}

static void serve_some_characters(int fd, unsigned number)
{
	(void)number;
	serve_characters(fd, 0, SIZE_MAX, 100000);
	half_close_and_drain(fd);
}

static const size_t pieces[] = { 1, 73, 74, 4096, 65536, 1 << 20 };

START_TEST(every_character_is_checked)
{
	set_plan("chargen", false);
	plan.size = pieces[_i];
	start_server(_i % 2 ? serve_from_another_line : serve_all_characters);
	measure_until(50);
	assert_no_errors();
	ck_assert_uint_eq(result.served, 2);
	ck_assert_uint_eq(result.made, 2);
	ck_assert_uint_eq(result.bytes, result.exchanges * plan.size);
}
END_TEST

START_TEST(one_wrong_character_is_found)
{
	static serve_function *const wrong[] = {
		serve_first_byte_wrongly, serve_byte_of_the_second_megabyte_wrongly,
		serve_line_end_wrongly
	};

	set_plan("chargen", false);
	plan.duration = 1000;
	plan.size = 1000;
	start_server(wrong[_i]);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
	if (_i == 1) /* all up to there were right, on each connection */
		ck_assert_uint_ge(result.exchanges,
				  result.errors[LOAD_WRONG_REPLY] * 1060);
}
END_TEST

START_TEST(a_stream_that_ends_is_closed_early)
{
	set_plan("chargen", false);
	start_server(serve_some_characters);
	measure();
	assert_errors_are_all(LOAD_CLOSED_EARLY);
}
END_TEST

/* ---- servers that say nothing: discard --------------------------------------------------------------- */

static void serve_by_reading(int fd, unsigned number)
{
	char bytes[CHUNK];
	ssize_t n;

	(void)number;
	while ((n = io_read(fd, bytes, sizeof bytes)) > 0)
		atomic_fetch_add(&notes->bytes, (uint64_t)n);
}

/* What is in the buffers at the end takes a while. */
static void serve_by_reading_slowly(int fd, unsigned number)
{
	char bytes[CHUNK];
	ssize_t n;

	(void)number;
	while ((n = io_read_all(fd, bytes, sizeof bytes)) > 0) {
		atomic_fetch_add(&notes->bytes, (uint64_t)n);
		pause_milliseconds(2);
	}
}

static void serve_without_reading(int fd, unsigned number)
{
	(void)fd;
	(void)number;
	pause_milliseconds(LONG_WAIT_MS);
}

static void serve_without_closing(int fd, unsigned number)
{
	serve_by_reading(fd, number);
	serve_without_reading(fd, number);
}

static void serve_an_answer(int fd, unsigned number)
{
	write_text(fd, "thank you\n");
	serve_by_reading(fd, number);
}

static void serve_a_kilobyte(int fd, unsigned number)
{
	char bytes[1024];

	(void)number;
	io_read_all(fd, bytes, sizeof bytes); /* closing with unread input is a reset */
}

/* The first client keeps all others waiting, as an iterative server does. */
static void serve_one_at_a_time(int fd, unsigned number)
{
	static atomic_uint turn;

	while (atomic_load(&turn) != number)
		pause_milliseconds(1);
	serve_by_reading(fd, number);
	atomic_fetch_add(&turn, 1);
}

static const size_t message_sizes[] = { 1, 64, 65536, 5 << 20 };

START_TEST(what_a_sink_was_sent_it_has_read)
{
	set_plan("discard", false);
	plan.size = message_sizes[_i];
	plan.duration = 300;
	start_server(serve_by_reading);
	measure();
	assert_no_errors();
	ck_assert_uint_gt(result.bytes, 0);
	ck_assert_uint_eq(result.bytes, atomic_load(&notes->bytes));
	ck_assert_uint_ge(result.bytes, result.exchanges * plan.size);
	ck_assert_uint_eq(result.served, 2);
}
END_TEST

START_TEST(the_time_of_a_sink_ends_when_it_has_read_all)
{
	set_plan("discard", false);
	plan.size = CHUNK;
	start_server(serve_by_reading_slowly);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.bytes, atomic_load(&notes->bytes));
	/* Each was sent what its buffers hold, and read 32 KB in a millisecond. */
	ck_assert(result.elapsed >= 0.2);
	ck_assert(result.elapsed * 2 * 32e6 * 1.01 >= (double)result.bytes);
}
END_TEST

START_TEST(a_sink_that_does_not_close_is_given_up)
{
	set_plan("discard", false);
	plan.timeout = 300 * SLOW_MACHINE;
	start_server(_i == 0 ? serve_without_closing : serve_without_reading);
	measure();
	assert_errors_are_all(LOAD_TIMED_OUT);
	ck_assert_uint_eq(result.errors[LOAD_TIMED_OUT], 2);
}
END_TEST

START_TEST(a_sink_that_answers_is_wrong)
{
	set_plan("discard", false);
	start_server(serve_an_answer);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
}
END_TEST

START_TEST(a_sink_that_hangs_up_is_noticed)
{
	set_plan("discard", false);
	plan.size = CHUNK;
	start_server(serve_a_kilobyte);
	measure();
	ck_assert_uint_gt(result.errors[LOAD_RESET] + result.errors[LOAD_CLOSED_EARLY],
			  0);
	ck_assert_uint_eq(result.errors[LOAD_TIMED_OUT], 0);
}
END_TEST

START_TEST(a_sink_serves_only_those_whom_it_reads)
{
	set_plan("discard", false);
	plan.connections = 4;
	plan.size = CHUNK;
	/* Half of it must be enough for the buffers to fill. The kernel may drop a segment to a
	 * full buffer, and repeats it after 200 ms at first, later after 400. */
	plan.duration = 1600 * SLOW_MACHINE;
	start_server(serve_one_at_a_time);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.bytes, atomic_load(&notes->bytes));
	ck_assert_uint_eq(result.served, 1);
}
END_TEST

START_TEST(a_sink_is_sent_messages_at_a_rate)
{
	set_plan("discard", false);
	plan.rate = 200;
	plan.duration = 500;
	start_server(serve_by_reading);
	measure();
	assert_no_errors();
	ck_assert_uint_le(result.exchanges + result.unsent, 100);
	ck_assert_uint_ge(result.exchanges + result.unsent, 98);
	ck_assert_uint_eq(result.bytes, result.exchanges * plan.size);
	ck_assert_uint_eq(result.served, 2);
}
END_TEST

/* ---- plans --------------------------------------------------------------------------------------------- */

/* The loads of each service, in the order conversations, connections, room, talk,
 * idle, bulk. */
static const struct {
	const char *protocol;
	bool datagrams;
	const char *loads;
} sensible[] = {
	{ "echo", false, "yy--yy" },    { "echo", true, "yy---y" },
	{ "reply", false, "yy--y-" },   { "reply", true, "yy----" },
	{ "discard", false, "-----y" }, { "discard", true, "-----y" },
	{ "chargen", false, "-----y" }, { "chargen", true, "-----y" },
	{ "daytime", false, "-y----" }, { "daytime", true, "yy----" },
	{ "greet", false, "-y----" },   { "greet", true, "yy----" },
	{ "http", false, "yy--yy" },    { "http", true, "------" },
	{ "chat", false, "--yyy-" },    { "chat", true, "------" },
};

START_TEST(only_loads_that_make_sense_are_taken)
{
	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		int done;

		set_plan(sensible[_i].protocol, sensible[_i].datagrams);
		plan.kind = (enum load_kind)kind;
		plan.size = plan.connections = 0;
		done = load_plan_complete(&plan, &failure);
		ck_assert_int_eq(done, sensible[_i].loads[kind] == 'y' ? 0 : -1);
		if (done == 0)
			ck_assert((plan.size > 0) == (plan.protocol != &load_http) &&
				  plan.connections > 0);
		else
			ck_assert_ptr_nonnull(strstr(failure.text, plan.protocol->name));
	}
}
END_TEST

static const struct {
	const char *arguments; /* of loadgen, before a host and port */
	const char *message;
} mistakes[] = {
	{ "-P finger", "echo, reply, discard, chargen, daytime, greet, http" },
	{ "foo", "'foo' before HOST and PORT is neither a protocol (echo, reply, " },
	{ "HTTP localhost:7 #", "'HTTP' before HOST and PORT is neither" },
	{ "http http://localhost:7/ #",
	  "'http://localhost:7/' is not HOST, HOST:PORT or [IPV6]:PORT" },
	{ "http foo", "'foo' before HOST and PORT is neither" },
	{ "idle http", "unexpected argument 'http'" },
	{ "-P echo http", "unexpected argument 'http'" },
	{ "http http", "unexpected argument 'http'" },
	{ "-u http", "the protocol http does not support UDP" },
	{ "-s 10 http", "-s, --size does not apply to the protocol http" },
	{ "--path / echo", "--path does not apply to the protocol echo" },
	{ "--path index.html http", "--path: 'index.html' must begin with /" },
	{ "--path '/a b' http", "--path: '/a b' must begin with /" },
	{ "--path '/\303\244' http", "--path: '/\\xc3\\xa4' must begin with /" },
	{ "-w forever", "-w, --timeout: 'forever' is not a time" },
	{ "-P greet bulk",
	  "greet over TCP does not support the load 'bulk' (use connections)" },
	{ "-u idle",
	  "echo over UDP does not support the load 'idle' (use conversations" },
	{ "-u -s 11", "echo over UDP has 12 to 65527 bytes" },
	{ "-u -s 64K", "echo over UDP has 12 to 65527 bytes" },
	{ "-4 -u -s 65508", "echo over UDP has 12 to 65507 bytes" },
	{ "-P reply -s 65537", "reply over TCP has 1 to 65536 bytes" },
	{ "-P greet -s 10", "-s, --size does not apply to greet over TCP" },
	{ "-P chargen -r 10", "-r, --rate does not apply to chargen over TCP" },
	{ "-e hello", "-e, --expect does not apply to the protocol echo" },
	{ "-i 10", "-i, --idle needs the load idle" },
	{ "--request a", "the protocol request needs --request TEXT and --expect TEXT" },
	{ "-P request -e a", "the protocol request needs --request TEXT" },
	{ "--request '' -e a", "the protocol request needs --request TEXT" },
	{ "--request a -e a echo", "-e, --expect does not apply to the protocol echo" },
	{ "--request a echo", "--request does not apply to the protocol echo" },
	{ "--request a -e a bulk", "does not support the load 'bulk'" },
	{ "--request a -e a -u", "the protocol request does not support UDP" },
	{ "--request a -e a -s 10", "-s, --size does not apply to the protocol request" },
	{ "--request 'a\\q' -e a", "--request: 'a\\\\q' has a backslash" },
};

/* Runs a program by a shell, for its command line to be written as one. */
static struct run run_line(const char *program, const char *arguments, const char *where)
{
	char line[512];

	snprintf(line, sizeof line, "exec \"$SOCKWAYS_BIN\"/%s %s %s", program, arguments,
		 where);
	return run_program(ARGUMENTS("/bin/sh", "-c", line), "", 0, LONG_WAIT_MS);
}

START_TEST(loadgen_says_what_makes_no_sense)
{
	struct run run = run_line("loadgen", mistakes[_i].arguments, "127.0.0.1 1");

	ck_assert_int_eq(run_exit_status(&run), 2);
	ck_assert_str_eq(run.out, "");
	ck_assert_msg(strstr(run.err, mistakes[_i].message) != NULL, "%s", run.err);
}
END_TEST

START_TEST(versus_says_what_makes_no_sense)
{
	struct run run = run_line("versus", "-l idle -u", "echo");

	ck_assert_int_eq(run_exit_status(&run), 2);
	ck_assert_ptr_nonnull(
		strstr(run.err, "echo over UDP does not support the load 'idle'"));
	run = run_line("versus", "", "finger");
	ck_assert_int_eq(run_exit_status(&run), 2);
	ck_assert_ptr_nonnull(strstr(run.err, "'finger' is not a service"));
}
END_TEST

START_TEST(loadgen_takes_the_first_load_that_makes_sense)
{
	struct run run;

	greeting = "Hello\n";
	start_server(serve_greeting);
	run = run_line("loadgen", "-d 1 -j -P greet -e Hello 127.0.0.1", port);
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_ptr_nonnull(strstr(run.out, "\"load\":\"connections\""));
	ck_assert_ptr_nonnull(strstr(run.out, "\"protocol\":\"greet\""));
	ck_assert_ptr_nonnull(strstr(run.out, "\"transport\":\"tcp\""));
	ck_assert_ptr_nonnull(strstr(run.out, "\"sent\":null,\"lost\":null"));
}
END_TEST

START_TEST(a_timeout_of_0_is_none)
{
	struct run run;

	start_server(serve_without_reading);
	run = run_line("loadgen", "-d 0.4 -w 0.1 echo conversations 127.0.0.1", port);
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.out, " missing repl"));
	run = run_line("loadgen", "-d 0.4 -w 0 -c 4 echo conversations 127.0.0.1", port);
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.out,
				     "\nerrors         4: 4 missing replies (connected, "
				     "but nothing received)\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "\nlatency max    -\n"));
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

Suite *suite_load_services(void)
{
	Suite *suite = suite_create("load_services");
	TCase *tcase = load_case(suite, "reply");

	tcase_add_loop_test(tcase, reply_is_asked_a_line_and_says_its_text, 0, 2);
	tcase_add_test(tcase, reply_with_a_connection_for_each_line);
	tcase_add_test(tcase, another_text_than_expected_is_wrong);
	tcase_add_test(tcase, the_text_to_expect_can_be_given);
	tcase_add_loop_test(tcase, any_line_can_be_expected, 0, 2);
	tcase_add_loop_test(tcase, two_replies_to_one_request_are_wrong, 0, 2);

	tcase = load_case(suite, "greet and daytime");
	tcase_add_loop_test(tcase, greetings_are_counted_when_the_server_has_closed, 0,
			    2);
	tcase_add_test(tcase, a_server_that_does_not_close_is_given_up);
	tcase_add_loop_test(tcase, what_a_reply_says_is_checked, 0, COUNT(greetings));

	tcase = load_case(suite, "chargen");
	tcase_add_loop_test(tcase, every_character_is_checked, 0, COUNT(pieces));
	tcase_add_loop_test(tcase, one_wrong_character_is_found, 0, 3);
	tcase_add_test(tcase, a_stream_that_ends_is_closed_early);

	tcase = load_case(suite, "discard");
	tcase_add_loop_test(tcase, what_a_sink_was_sent_it_has_read, 0,
			    COUNT(message_sizes));
	tcase_add_test(tcase, the_time_of_a_sink_ends_when_it_has_read_all);
	tcase_add_loop_test(tcase, a_sink_that_does_not_close_is_given_up, 0, 2);
	tcase_add_test(tcase, a_sink_that_answers_is_wrong);
	tcase_add_test(tcase, a_sink_that_hangs_up_is_noticed);
	tcase_add_test(tcase, a_sink_serves_only_those_whom_it_reads);
	tcase_add_test(tcase, a_sink_is_sent_messages_at_a_rate);

	tcase = load_case(suite, "plans");
	tcase_add_loop_test(tcase, only_loads_that_make_sense_are_taken, 0,
			    COUNT(sensible));
	tcase_add_loop_test(tcase, loadgen_says_what_makes_no_sense, 0, COUNT(mistakes));
	tcase_add_test(tcase, versus_says_what_makes_no_sense);
	tcase_add_test(tcase, loadgen_takes_the_first_load_that_makes_sense);
	tcase_add_test(tcase, a_timeout_of_0_is_none);
	return suite;
}
