/*
 * Servers that leave out the last four bytes of each reply, or that do not reply: no load may
 * call them right, whichever the protocol.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/tcp_cookies.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/load_fixture.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { LEFT_OUT = 4 };

/* What each server would answer first; NULL: what it got. */
static const struct {
	const char *protocol;
	bool datagrams;
	const char *reply;
} services[] = {
	{ "echo", false, NULL },
	{ "reply", false, "Message received\n" },
	{ "chargen", false, " !\"#$%&'()*+,-./0123456789" },
	{ "daytime", false, "Saturday, 28 November 2026 12:00:00 UTC\n" },
	{ "greet", false, "Welcome to the server\n" },
	{ "http", false, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" },
	{ "chat", false, "* welcome, you are guest1\n" },
	{ "file", false, "SEND 0\n" },
	{ "echo", true, NULL },
	{ "reply", true, "Message received\n" },
	{ "daytime", true, "Saturday, 28 November 2026 12:00:00 UTC\n" },
	{ "greet", true, "Welcome to the server\n" },
};

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

static const char *cut_reply;

static void serve_cut_replies(int fd, unsigned number)
{
	char bytes[4096];
	bool first = plan.protocol->pattern == LOAD_GREETING ||
		     plan.protocol->pattern == LOAD_SOURCE;

	(void)number;
	for (;;) {
		ssize_t n = first ? 0 : io_read(fd, bytes, sizeof bytes);
		const char *reply = cut_reply != NULL ? cut_reply : bytes;
		size_t length = cut_reply != NULL ? strlen(cut_reply) : (size_t)n;

		if (n < 0 || (n == 0 && !first))
			return;
		if (length > LEFT_OUT)
			io_write(fd, reply, length - LEFT_OUT);
		first = false;
	}
}

static void answer_cut_replies(const struct heard *heard)
{
	const char *reply = cut_reply != NULL ? cut_reply : heard->bytes;

	answer(heard, reply,
	       (cut_reply != NULL ? strlen(cut_reply) : heard->length) - LEFT_OUT);
}

/* In each of the protocol's loads. */
START_TEST(a_server_that_leaves_out_the_end_of_its_replies_is_not_called_right)
{
	unsigned loads;

	set_plan(services[_i].protocol, services[_i].datagrams);
	loads = load_protocol_loads(plan.protocol, plan.datagrams);
	cut_reply = services[_i].reply;
	if (plan.datagrams)
		start_datagram_server(answer_cut_replies);
	else
		start_server(serve_cut_replies);
	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		if (!(loads & 1U << kind))
			continue;
		set_plan(services[_i].protocol, services[_i].datagrams);
		plan.kind = (enum load_kind)kind;
		plan.idle = 3;
		plan.senders = kind == LOAD_TALK ? 2 : 1;
		plan.window = 4;
		plan.timeout = 400 * SLOW_MACHINE;
		measure();
		ck_assert_msg(load_errors(&result) >= 2, "%s %s: %ju errors",
			      plan.protocol->name, load_kind_name(plan.kind),
			      (uintmax_t)load_errors(&result));
		ck_assert_uint_eq(result.served, 0);
		ck_assert_msg(result.errors[LOAD_NO_REPLY] == 0 ||
				      result.silence.text[0] != '\0',
			      "not told how far the reply came");
		ck_assert_msg(result.errors[LOAD_WRONG_REPLY] == 0 ||
				      result.wrong.text[0] != '\0',
			      "not told what is wrong");
	}
}
END_TEST

START_TEST(loadgen_says_how_far_the_replies_came_and_fails)
{
	struct run run;

	cut_reply = NULL;
	start_server(serve_cut_replies);
	run = run_loadgen(ARGUMENTS("loadgen", "-c", "4", "-d", slow_seconds(0.2), "-w",
				    slow_seconds(1), "127.0.0.1", port));
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(
		run.out,
		"\nerrors         4: 4 missing replies (60 of 64 bytes received)\n"));
	ck_assert_ptr_nonnull(
		strstr(run.out, "\nunanswered     no reply on 4 connections\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "\nlatency p99    -\n"));
}
END_TEST

START_TEST(json_has_null_for_a_latency_that_there_is_not)
{
	struct run run;

	cut_reply = NULL;
	start_server(serve_cut_replies);
	run = run_loadgen(ARGUMENTS("loadgen", "-j", "-c", "4", "-d", slow_seconds(0.2),
				    "-w", slow_seconds(1), "127.0.0.1", port));
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(
		run.out,
		"\"latency_ns\":{\"p50\":null,\"p90\":null,\"p95\":null,\"p99\":null,"
		"\"p99.9\":null,\"max\":null}"));
	ck_assert_ptr_nonnull(
		strstr(run.out, "\"no_reply\":\"60 of 64 bytes received\""));
	ck_assert_ptr_nonnull(strstr(run.out, "\"no_reply\":4,"));
	ck_assert_ptr_nonnull(strstr(run.out, "\"unanswered\":4,"));
}
END_TEST

/* ---- servers that fall silent ------------------------------------------------------------------ */

static void serve_five_and_then_silence(int fd, unsigned number)
{
	char bytes[64];

	(void)number;
	for (int i = 0; io_read_all(fd, bytes, sizeof bytes) == sizeof bytes; i++)
		if (i < 5)
			io_write(fd, bytes, sizeof bytes);
}

START_TEST(connections_whose_last_request_has_no_reply_are_counted)
{
	plan.connections = 3;
	plan.timeout = 400 * SLOW_MACHINE;
	start_server(serve_five_and_then_silence);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY);
	ck_assert_uint_eq(result.exchanges, 15);
	ck_assert_uint_eq(result.served, 3);
	ck_assert_uint_eq(result.unanswered, 3);
}
END_TEST

/* Only the probe, before the measured time, has a reply. */
static void answer_the_first(const struct heard *heard)
{
	if (heard->number == 0)
		answer(heard, heard->bytes, heard->length);
}

static const char *const datagram_protocols[] = { "echo", "reply", "daytime" };

START_TEST(sockets_that_receive_nothing_are_an_error)
{
	set_plan(datagram_protocols[_i], true);
	plan.timeout = 50 * SLOW_MACHINE;
	start_datagram_server(answer_the_first);
	measure();
	assert_errors_are_all(LOAD_NO_REPLY);
	ck_assert_uint_eq(result.unanswered, 2);
	ck_assert_str_eq(result.silence.text, "no datagram received");
}
END_TEST

START_TEST(loadgen_says_that_sockets_received_nothing)
{
	struct run run;

	start_datagram_server(answer_the_first);
	run = run_loadgen(ARGUMENTS("loadgen", "-u", "-c", "4", "-d", slow_seconds(0.2),
				    "-w", slow_seconds(0.1), "127.0.0.1", port));
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(
		strstr(run.out, "\nunanswered     no reply on 4 sockets\n"));
	ck_assert_ptr_nonnull(
		strstr(run.out,
		       "\nerrors         4: 4 missing replies (no datagram received)\n"));
}
END_TEST

START_TEST(a_cut_datagram_is_shown_with_the_bytes_that_are_missing)
{
	set_plan("echo", true);
	cut_reply = NULL;
	start_datagram_server(answer_cut_replies);
	measure();
	expect_match(result.wrong.text,
		     "^datagram of 60 bytes instead of 64: byte 61: got the end of the "
		     "reply, expected \"[A-Za-z0-9]{4}\"$");
}
END_TEST

START_TEST(faulty_clients_do_not_hide_a_server_that_is_silent)
{
	struct run run;

	cut_reply = NULL;
	start_server(serve_cut_replies);
	run = run_loadgen(ARGUMENTS("loadgen", "faults", "-c", "4", "-d",
				    slow_seconds(0.2), "-w", slow_seconds(1), "127.0.0.1",
				    port));
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(
		run.out,
		"\nerrors         4: 4 missing replies (60 of 64 bytes received)\n"));
}
END_TEST

/* The first three are the silent ones. */
static void serve_silent_clients_by_closing(int fd, unsigned number)
{
	char byte;

	if (number < 3)
		return;
	while (io_read(fd, &byte, 1) == 1)
		io_write(fd, &byte, 1);
}

START_TEST(silent_connections_that_the_server_closed_are_not_called_no_error)
{
	struct run run;

	start_server(serve_silent_clients_by_closing);
	run = run_loadgen(ARGUMENTS("loadgen", "idle", "-i", "3", "-c", "2", "-d",
				    slow_seconds(0.3), "127.0.0.1", port));
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.out,
				     "\nerrors         0, but 3 silent connections were "
				     "not open at the end\n"));
}
END_TEST

/* ---- the backlog that forgets ------------------------------------------------------------------ */

static bool cookies_are_sent(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_syncookies", "r");
	uint64_t ignored;
	int setting = 0;

	if (file != NULL && fscanf(file, "%d", &setting) != 1)
		setting = 0;
	if (file != NULL)
		fclose(file);
	return setting == 1 && tcp_cookies_sent(&ignored);
}

/* The first client is kept until all the others have come, or are being sent SYNs again. */
static void serve_a_greeting_slowly(int fd, unsigned number)
{
	static const char text[] = "Welcome to the server\n";

	pause_milliseconds(number == 0 ? 300 : 1);
	io_write(fd, text, sizeof text - 1);
}

START_TEST(clients_that_a_full_backlog_forgot_are_distinguished_from_others)
{
	set_plan("greet", false);
	plan.connections = 40;
	plan.duration = 1500;
	plan.timeout = 3000;
	start_server_of_one_client(serve_a_greeting_slowly, 1);
	measure();
	ck_assert_uint_gt(result.errors[LOAD_NO_REPLY], 0);
	ck_assert_uint_eq(result.never_answered, result.errors[LOAD_NO_REPLY]);
	ck_assert_str_eq(result.silence.text, "connected, but nothing received");
	if (cookies_are_sent())
		ck_assert_uint_gt(result.cookies, 0);
}
END_TEST

START_TEST(loadgen_says_that_the_backlog_was_full)
{
	struct run run;

	start_server_of_one_client(serve_a_greeting_slowly, 1);
	run = run_loadgen(ARGUMENTS("loadgen", "greet", "-c", "40", "-d", "1.5", "-w",
				    "3", "127.0.0.1", port));
	run_expect_status(&run, 1);
	expect_match(run.out,
		     " missing repl(y|ies) \\(connected, but nothing received\\)\n");
	if (cookies_are_sent())
		expect_match(run.out, "\nbacklog +[0-9]+ SYN cookies sent: ");
}
END_TEST

Suite *suite_load_broken(void)
{
	Suite *suite = suite_create("load_broken");
	TCase *tcase = load_case(suite, "replies without their end");

	tcase_add_loop_test(
		tcase,
		a_server_that_leaves_out_the_end_of_its_replies_is_not_called_right, 0,
		COUNT(services));
	tcase_add_test(tcase, loadgen_says_how_far_the_replies_came_and_fails);
	tcase_add_test(tcase, json_has_null_for_a_latency_that_there_is_not);

	tcase = load_case(suite, "silence");
	tcase_add_test(tcase, connections_whose_last_request_has_no_reply_are_counted);
	tcase_add_loop_test(tcase, sockets_that_receive_nothing_are_an_error, 0,
			    COUNT(datagram_protocols));
	tcase_add_test(tcase, loadgen_says_that_sockets_received_nothing);
	tcase_add_test(tcase, a_cut_datagram_is_shown_with_the_bytes_that_are_missing);
	tcase_add_test(tcase, faulty_clients_do_not_hide_a_server_that_is_silent);
	tcase_add_test(tcase,
		       silent_connections_that_the_server_closed_are_not_called_no_error);

	tcase = load_case(suite, "a full backlog");
	tcase_add_test(tcase,
		       clients_that_a_full_backlog_forgot_are_distinguished_from_others);
	tcase_add_test(tcase, loadgen_says_that_the_backlog_was_full);
	return suite;
}
