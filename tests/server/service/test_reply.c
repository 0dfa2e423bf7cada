/*
 * reply without a network: lines wherever they are cut, and answers to them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/service.h"
#include "tests/fixture/memory_session.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { LONGEST_LINE = 65535, LOT = 200 * 1000 };

#define TOO_LONG "error: line longer than 65535 bytes\n"
#define RECEIVED "Message received\n"

static int set_message(const char *text, struct failure *failure)
{
	return memory_configure(&reply_service, (const char *const[]){ "-m", text, NULL },
				failure);
}

static void configure(const char *text)
{
	struct failure failure = { .text = "" };

	ck_assert_msg(set_message(text, &failure) == 0, "%s", failure.text);
}

/* One conversation from its beginning to the half-close, in pieces of so many bytes. */
static void expect_talk(const void *request, size_t n, size_t piece, const char *answers)
{
	struct memory_session client;

	memory_open(&client, &reply_service);
	memory_send_in_pieces(&client, request, n, piece);
	ck_assert(!memory_finished(&client));
	memory_half_close(&client);
	ck_assert(memory_finished(&client));
	memory_expect(&client, answers, strlen(answers));
	memory_close(&client);
}

/* The same, however it is cut: in pieces of each size, and in two at each place. */
static void expect_answers(const char *request, size_t n, const char *answers)
{
	for (size_t piece = 1; piece <= n; piece++)
		expect_talk(request, n, piece, answers);
	for (size_t cut = 1; cut < n; cut++) {
		struct memory_session client;

		memory_open(&client, &reply_service);
		memory_send(&client, request, cut);
		memory_send(&client, request + cut, n - cut);
		memory_half_close(&client);
		memory_expect(&client, answers, strlen(answers));
		memory_close(&client);
	}
}

/* ---- lines ----------------------------------------------------------------------------- */

START_TEST(answers_each_line_wherever_it_is_cut)
{
	expect_answers("one\ntwo\r\n\nlast", 14, RECEIVED RECEIVED RECEIVED RECEIVED);
	expect_answers("one\n", 4, RECEIVED);
	expect_answers("\n", 1, RECEIVED);
	expect_answers("no end", 6, RECEIVED);
}
END_TEST

START_TEST(a_line_is_answered_when_its_end_comes_and_not_before)
{
	struct memory_session client;

	memory_open(&client, &reply_service);
	memory_send(&client, "hel", 3);
	memory_expect(&client, "", 0);
	memory_send(&client, "lo\r", 3);
	memory_expect(&client, "", 0);
	memory_send(&client, "\n", 1);
	memory_expect(&client, RECEIVED, strlen(RECEIVED));
	memory_send(&client, "a\nb\nc", 5);
	memory_expect(&client, RECEIVED RECEIVED, 2 * strlen(RECEIVED));
	memory_half_close(&client);
	memory_expect(&client, RECEIVED, strlen(RECEIVED));
	memory_close(&client);
}
END_TEST

START_TEST(who_says_nothing_gets_nothing)
{
	struct memory_session client;

	memory_open(&client, &reply_service);
	memory_half_close(&client);
	ck_assert(memory_finished(&client));
	memory_expect(&client, "", 0);
	memory_close(&client);
}
END_TEST

START_TEST(a_return_before_the_end_of_a_line_is_dropped_and_no_other)
{
	configure("<{}>");
	expect_answers("a\r\n", 3, "<a>\n");
	expect_answers("\r\n", 2, "<>\n");
	expect_answers("a\rb\r\r\n\r", 7, "<a\rb\r>\n<>\n");
}
END_TEST

/* ---- the answer ------------------------------------------------------------------------ */

static const struct {
	const char *text, *answer; /* to "hello" */
} texts[] = {
	{ "Server received: {}", "Server received: hello\n" },
	{ "{}", "hello\n" },
	{ "{}{}, {}", "hellohello, hello\n" },
	{ "{peer} said {}", "192.0.2.7:1234 said hello\n" },
	{ "{peer}", "192.0.2.7:1234\n" },
	{ "{", "{\n" },
	{ "}", "}\n" },
	{ "a { b } c", "a { b } c\n" },
	{ "{{}}", "{hello}\n" },
	{ "{pee", "{pee\n" },
	{ "{peer", "{peer\n" },
	{ "{ }{Peer}{peers}", "{ }{Peer}{peers}\n" },
	{ "{{peer}", "{192.0.2.7:1234\n" },
	{ "%s %n %d", "%s %n %d\n" },
	{ "", "\n" },
};

START_TEST(the_answer_has_what_was_received_and_who_sent_it_where_it_says_so)
{
	configure(texts[_i].text);
	expect_talk("hello\n", 6, 6, texts[_i].answer);
	expect_talk("hello", 5, 1, texts[_i].answer);
}
END_TEST

START_TEST(what_a_client_says_is_data)
{
	static const char request[] = "{} {peer} %s%n \x1b[2J \0 \xff \\ \x7f";
	char answer[2 * sizeof request + 4];
	struct memory_session client;
	size_t n = sizeof request - 1;

	configure("{}{}");
	memory_open(&client, &reply_service);
	memory_send_in_pieces(&client, request, n, 1);
	memory_send(&client, "\n", 1);
	memcpy(answer, request, n);
	memcpy(answer + n, request, n);
	answer[2 * n] = '\n';
	memory_expect(&client, answer, 2 * n + 1);
	memory_close(&client);
}
END_TEST

START_TEST(a_text_whose_answers_could_not_be_queued_is_refused)
{
	struct failure failure;
	char text[64] = "";

	for (int i = 0; i < 14; i++)
		strcat(text, "{}");
	configure(text);
	strcat(text, "{}{}");
	ck_assert_int_eq(set_message(text, &failure), -1);
	expect_match(failure.text,
		     "^-m, --message: '.*' makes answers of more than 1 MiB");
}
END_TEST

/* ---- long lines ------------------------------------------------------------------------ */

/* A line of so many bytes, then another line. @return its length, all in all */
static size_t long_line(char *bytes, size_t length, const char *then)
{
	memset(bytes, 'x', length);
	strcpy(bytes + length, then);
	return length + strlen(then);
}

static const size_t pieces[] = { 97, 4096, 65535, 65536, 65537, LOT };

enum { PIECES = sizeof pieces / sizeof *pieces };

START_TEST(a_line_of_65535_bytes_is_answered)
{
	static char request[LOT], answer[LOT];
	size_t n = long_line(request, LONGEST_LINE, "\nnext\n");

	configure("{}");
	strcpy(answer, request);
	expect_talk(request, n, pieces[_i], answer);
	/* at the half-close as well */
	expect_talk(request, LONGEST_LINE, pieces[_i],
		    (answer[LONGEST_LINE + 1] = '\0', answer));
}
END_TEST

START_TEST(a_longer_line_is_refused_once_and_skipped_to_its_end)
{
	static char request[LOT + 100];

	configure("<{}>");
	expect_talk(request, long_line(request, LONGEST_LINE + 1, "\nnext\n"), pieces[_i],
		    TOO_LONG "<next>\n");
	expect_talk(request, long_line(request, LOT, "\r\nnext\nlast"), pieces[_i],
		    TOO_LONG "<next>\n<last>\n");
	/* what is left of it at the half-close is no last line */
	expect_talk(request, long_line(request, LOT, ""), pieces[_i], TOO_LONG);
}
END_TEST

START_TEST(each_line_that_is_too_long_is_refused)
{
	static char request[2 * LOT + 100];
	size_t n = long_line(request, LOT, "\n");

	n += long_line(request + n, LOT, "\nok\n");
	expect_talk(request, n, pieces[_i], TOO_LONG TOO_LONG RECEIVED);
}
END_TEST

/* ---- a client that does not read ------------------------------------------------------- */

START_TEST(many_lines_wait_while_their_answers_are_not_taken)
{
	enum { LINES = 5000 };
	static char request[LINES * 8];
	struct memory_session client;
	size_t n = 0, most;

	configure("{}");
	for (int i = 0; i < LINES; i++)
		n += (size_t)snprintf(request + n, 8, "%d\n", i);
	memory_open_full(&client, &reply_service, 10);
	memory_send(&client, request, n);
	while (client.length < n) {
		ck_assert(session_full(&client.session));
		most = client.room + 6; /* the answer that did not fit any more */
		ck_assert_uint_le(client.length, most);
		memory_take(&client, 100);
	}
	memory_expect(&client, request, n);
	memory_half_close(&client);
	memory_take(&client, MEMORY_ROOM);
	ck_assert(memory_finished(&client));
	memory_close(&client);
}
END_TEST

START_TEST(the_half_close_is_heard_after_the_lines_that_wait)
{
	struct memory_session client;

	configure("{}");
	memory_open_full(&client, &reply_service, 1);
	memory_send(&client, "one\ntwo\nlast", 12);
	memory_half_close(&client);
	ck_assert(!memory_finished(&client));
	memory_expect(&client, "one\n", 4);
	memory_take(&client, 4);
	memory_expect(&client, "two\n", 4);
	ck_assert(!memory_finished(&client));
	memory_take(&client, MEMORY_ROOM);
	memory_expect(&client, "last\n", 5);
	ck_assert(memory_finished(&client));
	memory_close(&client);
}
END_TEST

/* ---- datagrams ------------------------------------------------------------------------- */

START_TEST(a_datagram_is_a_message_whatever_is_in_it)
{
	struct memory_session peer;

	configure("<{}> {peer}");
	memory_open_peer(&peer, &reply_service);
	ck_assert(memory_datagram(&peer, "hello", 5));
	memory_expect(&peer, "<hello> 192.0.2.7:1234\n", 23);
	ck_assert(memory_datagram(&peer, "hello\r\n", 7));
	memory_expect(&peer, "<hello> 192.0.2.7:1234\n", 23);
	ck_assert(memory_datagram(&peer, "a\nb\n", 4));
	memory_expect(&peer, "<a\nb> 192.0.2.7:1234\n", 21);
	ck_assert(memory_datagram(&peer, "\n", 1));
	memory_expect(&peer, "<> 192.0.2.7:1234\n", 18);
	ck_assert(memory_datagram(&peer, "", 0));
	memory_expect(&peer, "<> 192.0.2.7:1234\n", 18);
	memory_close(&peer);
}
END_TEST

START_TEST(the_longest_datagram_is_answered)
{
	static char longest[65507], answer[65507 + 3] = "<";
	struct memory_session peer;

	configure("<{}>");
	memset(longest, 'x', sizeof longest);
	memset(answer + 1, 'x', sizeof longest);
	memcpy(answer + 1 + sizeof longest, ">\n", 2);
	memory_open_peer(&peer, &reply_service);
	ck_assert(memory_datagram(&peer, longest, sizeof longest));
	memory_expect(&peer, answer, sizeof answer);
	memory_close(&peer);
}
END_TEST

Suite *suite_reply(void)
{
	Suite *suite = suite_create("reply");
	TCase *tcase = tcase_create("reply");

	tcase_add_test(tcase, answers_each_line_wherever_it_is_cut);
	tcase_add_test(tcase, a_line_is_answered_when_its_end_comes_and_not_before);
	tcase_add_test(tcase, who_says_nothing_gets_nothing);
	tcase_add_test(tcase, a_return_before_the_end_of_a_line_is_dropped_and_no_other);
	tcase_add_loop_test(
		tcase, the_answer_has_what_was_received_and_who_sent_it_where_it_says_so,
		0, sizeof texts / sizeof *texts);
	tcase_add_test(tcase, what_a_client_says_is_data);
	tcase_add_test(tcase, a_text_whose_answers_could_not_be_queued_is_refused);
	tcase_add_loop_test(tcase, a_line_of_65535_bytes_is_answered, 0, PIECES);
	tcase_add_loop_test(tcase, a_longer_line_is_refused_once_and_skipped_to_its_end,
			    0, PIECES);
	tcase_add_loop_test(tcase, each_line_that_is_too_long_is_refused, 0, PIECES);
	tcase_add_test(tcase, many_lines_wait_while_their_answers_are_not_taken);
	tcase_add_test(tcase, the_half_close_is_heard_after_the_lines_that_wait);
	tcase_add_test(tcase, a_datagram_is_a_message_whatever_is_in_it);
	tcase_add_test(tcase, the_longest_datagram_is_answered);
	suite_add_tcase(suite, tcase);
	return suite;
}
