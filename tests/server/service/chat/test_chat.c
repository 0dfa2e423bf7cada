/*
 * chat without a network: who is told what, byte by byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "tests/fixture/memory_hub.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

#include "server/service/chat/people.h"
#include "server/service/chat/room.h"

#define NAME_RULE "1 to 24 of A-Z, a-z, 0-9, - and _"
#define TOO_LONG  "* error: a line has at most 1024 bytes\n"
#define U_FFFD    "\xef\xbf\xbd"

#define WELCOME(nickname)                                                                \
	"* welcome, you are " nickname                                                   \
	"; /nick NAME changes it, /help lists the commands\n"

static void configure(const char *const arguments[])
{
	struct failure failure = { .text = "" };

	ck_assert_msg(memory_configure(&chat_service, arguments, &failure) == 0, "%s",
		      failure.text);
}

#define CONFIGURE(...) configure((const char *const[]){ __VA_ARGS__, NULL })

static void begin(void)
{
	memory_hub_begin(&chat_service);
}

/* A client that has arrived, is called so, and has heard all of that. */
static void arrive_as(struct memory_member *m, const char *nickname)
{
	char line[128];

	memory_arrive(m);
	snprintf(line, sizeof line, "/nick %s\n", nickname);
	memory_say(m, line);
	memory_listen(m);
}

/* Three who know of each other, in the lobby. */
static struct memory_member alice, bob, carol;

static void begin_with_three(void)
{
	CONFIGURE("-R", "0");
	begin();
	arrive_as(&alice, "alice");
	arrive_as(&bob, "bob");
	arrive_as(&carol, "carol");
	memory_listen(&alice);
	memory_listen(&bob);
}

/* alice says this; what she is told, and what bob and carol are. */
static void expect_answers(const char *input, const char *answer, const char *others)
{
	memory_say(&alice, input);
	memory_hears(&alice, answer);
	memory_hears(&bob, others);
	memory_hears(&carol, others);
}

/* ---- coming and going ------------------------------------------------------------------ */

START_TEST(who_comes_is_welcomed_as_a_guest_and_the_others_are_reported)
{
	begin();
	memory_arrive(&alice);
	memory_hears(&alice, WELCOME("guest1") "* you are in lobby (1 person)\n");
	memory_arrive(&bob);
	memory_hears(&alice, "* guest2 has joined\n");
	memory_hears(&bob, WELCOME("guest2") "* you are in lobby (2 people)\n");
	memory_hub_end();
}
END_TEST

START_TEST(a_guest_gets_the_lowest_number_that_is_free)
{
	begin();
	memory_arrive(&alice);
	memory_arrive(&bob);
	memory_arrive(&carol);
	memory_say(&bob, "/nick bob\n");
	memory_vanish(&alice);
	memory_listen(&carol);

	struct memory_member d, e, f;

	memory_arrive(&d);
	memory_hears(&carol, "* guest1 has joined\n");
	memory_arrive(&e);
	memory_hears(&carol, "* guest2 has joined\n");
	memory_arrive(&f);
	memory_hears(&carol, "* guest4 has joined\n");
	memory_hub_end();
}
END_TEST

START_TEST(who_comes_is_shown_the_topic_and_the_last_lines)
{
	struct memory_member late;

	CONFIGURE("-H", "3");
	begin_with_three();
	memory_say(&alice, "/topic tea & cake\n");
	memory_say(&alice, "one\ntwo\n");
	memory_say(&bob, "three\n/me nods\n/msg carol secret\n/nick rob\n/who\n");
	memory_arrive(&late);
	memory_hears(&late, WELCOME("guest1") "* you are in lobby (4 people)\n"
					      "* topic of lobby: tea & cake\n"
					      "* last 3 lines of lobby:\n"
					      "alice: two\n"
					      "bob: three\n"
					      "** bob nods\n");
	memory_hub_end();
}
END_TEST

START_TEST(without_history_nothing_is_remembered)
{
	struct memory_member late;

	CONFIGURE("-H", "0");
	begin_with_three();
	memory_say(&alice, "one\n");
	memory_arrive(&late);
	memory_hears(&late, WELCOME("guest1") "* you are in lobby (4 people)\n");
	memory_hub_end();
}
END_TEST

START_TEST(of_few_lines_all_are_shown)
{
	struct memory_member late;

	begin_with_three();
	memory_say(&alice, "one\n");
	memory_arrive(&late);
	memory_hears(&late, WELCOME("guest1") "* you are in lobby (4 people)\n"
					      "* last 1 line of lobby:\n"
					      "alice: one\n");
	memory_hub_end();
}
END_TEST

START_TEST(the_lobby_remembers_its_lines_when_nobody_is_there)
{
	begin();
	arrive_as(&alice, "alice");
	memory_say(&alice, "/topic stays\nhello\n/quit\n");
	memory_arrive(&bob);
	memory_hears(&bob, WELCOME("guest1") "* you are in lobby (1 person)\n"
					     "* topic of lobby: stays\n"
					     "* last 1 line of lobby:\n"
					     "alice: hello\n");
	memory_hub_end();
}
END_TEST

START_TEST(who_leaves_is_announced_with_the_reason)
{
	begin_with_three();
	memory_say(&alice, "/quit supper is  ready \n");
	memory_hears(&alice, "* goodbye\n");
	ck_assert(alice.left);
	memory_hears(&bob, "* alice has left (supper is  ready)\n");
	memory_half_close(&bob.client);
	memory_hears(&bob, "* goodbye\n");
	memory_hears(&carol, "* alice has left (supper is  ready)\n"
			     "* bob has left (hung up)\n");
	memory_hub_end();
}
END_TEST

START_TEST(who_quits_without_a_reason_or_vanishes_is_announced_too)
{
	begin_with_three();
	memory_say(&alice, "/quit\n");
	memory_vanish(&bob);
	memory_hears(&carol, "* alice has left (quit)\n"
			     "* bob has left (connection lost)\n");
	memory_say(&carol, "/who\n");
	memory_hears(&carol, "* in lobby (1): carol\n");
	memory_hub_end();
}
END_TEST

START_TEST(nothing_is_done_after_quit)
{
	begin_with_three();
	memory_say(&alice, "/quit\nhello\n/nick dave\n");
	memory_hears(&alice, "* goodbye\n");
	memory_hears(&bob, "* alice has left (quit)\n");
	memory_hub_end();
}
END_TEST

START_TEST(who_quits_frees_the_nickname_though_it_does_not_read_the_rest)
{
	begin_with_three();
	memory_stall(&alice);
	memory_say(&alice, "/quit\n");
	ck_assert(!alice.left);
	memory_hears(&bob, "* alice has left (quit)\n");
	memory_say(&bob, "/nick alice\nstill here\n");
	memory_hears(&bob, "* you are now alice\n");
	memory_read_on(&alice);
	memory_hears(&alice, "* goodbye\n");
	ck_assert(alice.left);
	memory_hears(&bob, "");
	memory_hub_end();
}
END_TEST

/* ---- speech ---------------------------------------------------------------------------- */

static const struct {
	const char *input, *answer, *others;
} lines[] = {
	{ "hello\n", "", "alice: hello\n" },
	{ "hello\r\n", "", "alice: hello\n" },
	{ "one\ntwo\n", "", "alice: one\nalice: two\n" },
	{ "  indented \n", "", "alice:   indented \n" },
	{ "\n\r\n   \n\t\n", "", "" },
	{ "//quit\n", "", "alice: /quit\n" },
	{ "///\n", "", "alice: //\n" },
	{ " /quit\n", "", "alice:  /quit\n" },
	{ "* bob has left (quit)\n", "", "alice: * bob has left (quit)\n" },
	{ "bob: hello\n", "", "alice: bob: hello\n" },
	{ "/me waves\n", "", "** alice waves\n" },
	{ "/ME   waves  \n", "", "** alice waves\n" },
	{ "/me\n", "* error: usage: /me ACTION\n", "" },
	{ "/me   \n", "* error: usage: /me ACTION\n", "" },
	{ "/ping\n", "* pong\n", "" },
	{ "/ping 12:34 x\n", "* pong: 12:34 x\n", "" },
	{ "/who\n", "* in lobby (3): alice, bob, carol\n", "" },
	{ "/who is there?\n", "* in lobby (3): alice, bob, carol\n", "" },
	{ "/rooms\n", "* rooms (1): lobby (3)\n", "" },
	{ "/nick\n", "* error: usage: /nick NAME\n", "" },
	{ "/nick a b\n", "* error: a nickname is " NAME_RULE "\n", "" },
	{ "/nick b\xc3\xb6"
	  "b\n",
	  "* error: a nickname is " NAME_RULE "\n", "" },
	{ "/nick a:\n", "* error: a nickname is " NAME_RULE "\n", "" },
	{ "/nick 1234567890123456789012345\n", "* error: a nickname is " NAME_RULE "\n",
	  "" },
	{ "/nick bob\n", "* error: the nickname bob is taken\n", "" },
	{ "/nick BOB\n", "* error: the nickname bob is taken\n", "" },
	{ "/nick alice\n", "* error: you are already alice\n", "" },
	{ "/nick guest7\n", "* error: nicknames like guest1 are reserved\n", "" },
	{ "/nick Guest07\n", "* error: nicknames like guest1 are reserved\n", "" },
	{ "/nick guest\n", "* you are now guest\n", "* alice is now guest\n" },
	{ "/nick guest1a\n", "* you are now guest1a\n", "* alice is now guest1a\n" },
	{ "/nick Alice\n", "* you are now Alice\n", "* alice is now Alice\n" },
	{ "/nick 123456789012345678901234\n", "* you are now 123456789012345678901234\n",
	  "* alice is now 123456789012345678901234\n" },
	{ "/nick  _-_ \n", "* you are now _-_\n", "* alice is now _-_\n" },
	{ "/msg\n", "* error: usage: /msg NICK TEXT\n", "" },
	{ "/msg bob\n", "* error: usage: /msg NICK TEXT\n", "" },
	{ "/msg dave hello\n", "* error: no such nickname: dave\n", "" },
	{ "/msg a:b hello\n", "* error: a nickname is " NAME_RULE "\n", "" },
	{ "/msg alice note\n", "alice -> alice: note\n", "" },
	{ "/join\n", "* error: usage: /join ROOM\n", "" },
	{ "/join #\n", "* error: the name of a room is " NAME_RULE "\n", "" },
	{ "/join a/b\n", "* error: the name of a room is " NAME_RULE "\n", "" },
	{ "/join ##tea\n", "* error: the name of a room is " NAME_RULE "\n", "" },
	{ "/join Lobby\n", "* error: you are already in lobby\n", "" },
	{ "/join #lobby\n", "* error: you are already in lobby\n", "" },
	{ "/topic\n", "* no topic in lobby\n", "" },
	{ "/topic tea\n", "* topic of lobby: tea\n", "* alice has set the topic: tea\n" },
	{ "/topic -\n", "* no topic in lobby\n", "* alice has removed the topic\n" },
	{ "/\n", "* error: unknown command /; see /help\n", "" },
	{ "/ who\n", "* error: unknown command /; see /help\n", "" },
	{ "/whois bob\n", "* error: unknown command /whois; see /help\n", "" },
	{ "/%s%n\n", "* error: unknown command /%s%n; see /help\n", "" },
	{ "/123456789012345678901234\n",
	  "* error: unknown command /123456789012345678901234; see /help\n", "" },
	{ "/1234567890123456789012345\n", "* error: unknown command /...; see /help\n",
	  "" },
	{ "/help\n",
	  "* each line goes to all others in the room, except:\n"
	  "* /nick NAME       change your nickname to NAME\n"
	  "* /who             list the people in this room\n"
	  "* /msg NICK TEXT   send TEXT to NICK only\n"
	  "* /me ACTION       describe an action\n"
	  "* /join ROOM       enter another room, or create it\n"
	  "* /rooms           list the rooms\n"
	  "* /topic [TEXT]    show or set the topic; - removes it\n"
	  "* /ping [TEXT]     check that the server answers\n"
	  "* /quit [REASON]   leave the chat\n"
	  "* /help            show this list\n"
	  "* //TEXT           send /TEXT to the room\n",
	  "" },
	/* what a terminal would obey */
	{ "a\x1b[2Jb\a\b\x7f\n", "", "alice: a" U_FFFD "[2Jb" U_FFFD U_FFFD U_FFFD "\n" },
	{ "a\rb\n", "", "alice: a" U_FFFD "b\n" },
	{ "a\r\r\n", "", "alice: a" U_FFFD "\n" },
	{ "a\tb\n", "", "alice: a b\n" },
	{ "\xc2\x9b"
	  "2J\n",
	  "", "alice: " U_FFFD "2J\n" },
	{ "\xe2\x80\xaelive\xe2\x80\xac \xe2\x81\xa6x\xe2\x80\xa8\n", "",
	  "alice: " U_FFFD "live" U_FFFD " " U_FFFD "x" U_FFFD "\n" },
	{ "/topic a\x1b]0;x\a\n", "* topic of lobby: a" U_FFFD "]0;x" U_FFFD "\n",
	  "* alice has set the topic: a" U_FFFD "]0;x" U_FFFD "\n" },
	/* UTF-8 */
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n", "",
	  "alice: gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\n" },
	{ "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac\n", "",
	  "alice: \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac\n" },
	{ "\xc3\n", "", "alice: " U_FFFD "\n" },
	{ "\xe2\x82z\xf0\x9f\x98\n", "", "alice: " U_FFFD "z" U_FFFD "\n" },
	{ "\xc0\xaf\xed\xa0\x80\n", "",
	  "alice: " U_FFFD U_FFFD U_FFFD U_FFFD U_FFFD "\n" },
	/* telnet */
	{ "\xff\xfd\x01\xff\xfb\x1fhe\xff\xf1llo\r\n", "", "alice: hello\n" },
	{ "a\xff\xfa\x1f\x01\n\xff\xff\xff\xf0"
	  "b\n",
	  "", "alice: ab\n" },
	{ "\xff\xff!\n", "", "alice: " U_FFFD "!\n" },
	{ "\xff\n", "", "" },
	{ "a\xffz\n", "", "alice: az\n" },
	{ "\xff\xf4\xff\xfd\x06x\n", "", "alice: x\n" },
	{ "\xc3\xff\xf1\xbc\n", "", "alice: \xc3\xbc\n" },
};

START_TEST(each_line_has_its_answer_and_its_audience)
{
	begin_with_three();
	expect_answers(lines[_i].input, lines[_i].answer, lines[_i].others);
	memory_hub_end();
}
END_TEST

START_TEST(the_same_is_heard_wherever_the_bytes_are_cut)
{
	const char *input = lines[_i].input;
	size_t n = strlen(input);

	for (size_t cut = 0; cut < n; cut++) { /* 0: in single bytes */
		begin_with_three();
		memory_send_in_pieces(&alice.client, input, cut, cut > 0 ? cut : 1);
		memory_send_in_pieces(&alice.client, input + cut, n - cut,
				      cut > 0 ? n : 1);
		memory_hears(&alice, lines[_i].answer);
		memory_hears(&bob, lines[_i].others);
		memory_hears(&carol, lines[_i].others);
		memory_hub_end();
		begin(); /* the lobby stays, as it was left: without a topic, for the next */
		memory_arrive(&alice);
		memory_say(&alice, "/topic -\n");
		memory_hub_end();
	}
}
END_TEST

/* Telnet's terminal takes a NUL for nothing (RFC 854, "The NVT printer and keyboard"). */
START_TEST(a_nul_is_dropped)
{
	begin_with_three();
	memory_send(&alice.client, "a\0b\n", 4);
	memory_send(&alice.client, "/me \0waves\0\n", 12);
	memory_hears(&bob, "alice: ab\n** alice waves\n");
	memory_hub_end();
}
END_TEST

START_TEST(half_a_line_at_the_half_close_is_a_line_and_at_a_reset_it_is_nothing)
{
	begin_with_three();
	memory_say(&alice, "one\ntw");
	memory_half_close(&alice.client);
	memory_say(&bob, "lost");
	memory_vanish(&bob);
	memory_hears(&carol, "alice: one\n"
			     "alice: tw\n"
			     "* alice has left (hung up)\n"
			     "* bob has left (connection lost)\n");
	memory_hears(&alice, "* goodbye\n");
	memory_hub_end();
}
END_TEST

START_TEST(answers_to_a_command_without_its_newline_come_before_goodbye)
{
	begin_with_three();
	memory_say(&alice, "/ping\n/who\r");
	memory_half_close(&alice.client);
	memory_hears(&alice, "* pong\n* in lobby (3): alice, bob, carol\n* goodbye\n");
	memory_hub_end();
}
END_TEST

/* ---- long lines ------------------------------------------------------------------------ */

/* Says so many times this character, and then that. */
static void say_many(struct memory_member *m, size_t count, const char *character,
		     const char *then, size_t piece)
{
	size_t length = strlen(character), n = count * length + strlen(then);
	char *input = malloc(n + 1);

	ck_assert_ptr_nonnull(input);
	for (size_t i = 0; i < count; i++)
		memcpy(input + i * length, character, length);
	strcpy(input + count * length, then);
	memory_send_in_pieces(&m->client, input, n, piece);
	free(input);
}

/* The others hear alice say so many times this, and then that. */
static void expect_many(struct memory_member *m, size_t count, const char *character,
			const char *then)
{
	const char *heard = memory_listen(m);
	size_t length = strlen(character);

	ck_assert_int_eq(strncmp(heard, "alice: ", 7), 0);
	heard += 7;
	for (size_t i = 0; i < count; i++, heard += length)
		ck_assert_int_eq(strncmp(heard, character, length), 0);
	ck_assert_str_eq(heard, then);
}

static const size_t pieces[] = { 1, 1023, 1024, 1025, 1026, 65536 };

enum { PIECES = sizeof pieces / sizeof *pieces };

START_TEST(a_line_of_1024_bytes_is_delivered_whatever_ends_it)
{
	begin_with_three();
	say_many(&alice, 1024, "x", "\nnext\n", pieces[_i]);
	expect_many(&bob, 1024, "x", "\nalice: next\n");
	say_many(&alice, 1024, "x", "\r\nnext\n", pieces[_i]);
	expect_many(&bob, 1024, "x", "\nalice: next\n");
	say_many(&alice, 1024, "x", "\xff\xf1\nnext\n", pieces[_i]);
	expect_many(&bob, 1024, "x", "\nalice: next\n");
	say_many(&alice, 512, "\xc3\xbc", "\n", pieces[_i]);
	expect_many(&bob, 512, "\xc3\xbc", "\n");
	memory_hears(&alice, "");
	say_many(&alice, 1024, "x", "", pieces[_i]);
	memory_half_close(&alice.client);
	expect_many(&bob, 1024, "x", "\n* alice has left (hung up)\n");
	memory_hub_end();
}
END_TEST

START_TEST(a_line_of_nothing_but_controls_is_delivered_whole)
{
	begin_with_three();
	say_many(&alice, 1024, "\x1b", "\n", pieces[_i]);
	expect_many(&bob, 1024, U_FFFD, "\n");
	say_many(&alice, 1018, "\x1b", "x\n", pieces[_i]);
	expect_many(&bob, 1018, U_FFFD, "x\n");
	memory_hub_end();
}
END_TEST

START_TEST(a_longer_line_is_refused_once_and_skipped_to_its_end)
{
	begin_with_three();
	say_many(&alice, 1025, "x", "\nnext\n", pieces[_i]);
	memory_hears(&alice, TOO_LONG);
	memory_hears(&bob, "alice: next\n");
	say_many(&alice, 1024, "x", "\r \nnext\n", pieces[_i]);
	memory_hears(&alice, TOO_LONG);
	memory_hears(&bob, "alice: next\n");
	say_many(&alice, 15000, "/quit ", "\r\nnext\n", pieces[_i]);
	memory_hears(&alice, TOO_LONG);
	memory_hears(&bob, "alice: next\n");
	say_many(&alice, 1025, "\r", "\n", pieces[_i]);
	expect_many(&bob, 1024, U_FFFD, "\n"); /* it is 1024, and the end */
	say_many(&alice, 3000, "x", "", pieces[_i]);
	memory_half_close(&alice.client);
	memory_hears(&alice, TOO_LONG "* goodbye\n");
	memory_hears(&bob, "* alice has left (hung up)\n");
	memory_hub_end();
}
END_TEST

START_TEST(the_longest_line_fits_in_every_command)
{
	static const char *const starts[] = { "/me ", "/msg bob ", "/ping ", "/quit " };
	const char *heard;

	for (size_t i = 0; i < 4; i++) {
		begin_with_three();
		memory_say(&alice, starts[i]);
		say_many(&alice, 1024 - strlen(starts[i]), "\x1b", "\n", 4096);
		heard = i == 2 ? memory_listen(&alice) : memory_listen(&bob);
		ck_assert_uint_gt(strlen(heard), 3 * (1024 - strlen(starts[i])));
		ck_assert_ptr_eq(strchr(heard, '\n'), heard + strlen(heard) - 1);
		memory_hub_end();
	}
}
END_TEST

START_TEST(a_topic_has_at_most_256_bytes)
{
	begin_with_three();
	memory_say(&alice, "/topic ");
	say_many(&alice, 257, "x", "\n/topic\n", 1024);
	memory_hears(&alice, "* error: a topic has at most 256 bytes\n"
			     "* no topic in lobby\n");
	memory_say(&alice, "/topic ");
	say_many(&alice, 256, "x", "\n", 1024);
	ck_assert_uint_eq(strlen(memory_listen(&bob)),
			  strlen("* alice has set the topic: \n") + 256);
	memory_hub_end();
}
END_TEST

/* ---- nicknames ------------------------------------------------------------------------- */

START_TEST(of_two_who_want_a_nickname_the_first_gets_it)
{
	begin_with_three();
	memory_say(&bob, "/nick dave\n");
	memory_say(&carol, "/nick DAVE\n");
	memory_hears(&bob, "* you are now dave\n");
	memory_hears(&carol, "* bob is now dave\n* error: the nickname dave is taken\n");
	memory_say(&bob, "/nick bob\n");
	memory_say(&carol, "/nick DAVE\n");
	memory_hears(&carol, "* dave is now bob\n* you are now DAVE\n");
	memory_hub_end();
}
END_TEST

START_TEST(a_nickname_is_free_again_when_its_owner_has_left_or_changed_it)
{
	begin_with_three();
	memory_vanish(&alice);
	memory_say(&bob, "/nick alice\n/nick b2\n/nick alice\n/nick ALICE\n/nick bob\n");
	memory_hears(&bob, "* alice has left (connection lost)\n"
			   "* you are now alice\n"
			   "* you are now b2\n"
			   "* you are now alice\n"
			   "* you are now ALICE\n"
			   "* you are now bob\n");
	memory_say(&carol, "/nick alice\n");
	memory_listen(&bob);
	memory_say(&bob, "/msg ALICE hi\n");
	memory_hears(&bob, "");
	expect_match(memory_listen(&carol), "you are now alice\nbob -> alice: hi\n$");
	memory_hub_end();
}
END_TEST

START_TEST(a_private_line_goes_to_nobody_else_and_into_no_history)
{
	struct memory_member late;

	begin_with_three();
	memory_say(&carol, "/join tea\n");
	memory_listen(&alice);
	memory_listen(&bob);
	memory_listen(&carol);
	memory_say(&alice, "/msg CAROL  come back: please \n");
	memory_hears(&alice, "");
	memory_hears(&bob, "");
	memory_hears(&carol, "alice -> carol: come back: please\n");
	memory_arrive(&late);
	memory_hears(&late, WELCOME("guest1") "* you are in lobby (3 people)\n");
	memory_hub_end();
}
END_TEST

START_TEST(a_long_list_takes_several_lines)
{
	enum { MANY = 100 };
	static struct memory_member crowd[MANY];
	char expected[MANY * 32] = "", line[64];
	const char *heard;
	char *names, *end;
	unsigned lines_heard = 0;

	CONFIGURE("-R", "0");
	begin();
	for (int i = 0; i < MANY; i++) {
		snprintf(line, sizeof line, "%024d", i);
		arrive_as(&crowd[i], line);
		strcat(strcat(expected, i > 0 ? ", " : ""), line);
	}
	memory_say(&crowd[0], "/who\n");
	heard = strstr(memory_listen(&crowd[0]), "* in lobby");
	names = calloc(1, sizeof expected);
	for (; *heard != '\0'; heard = end + 1) {
		static const char start[] = "* in lobby (100): ";

		end = strchr(heard, '\n');
		ck_assert_uint_lt((size_t)(end - heard), 600);
		ck_assert_int_eq(strncmp(heard, start, strlen(start)), 0);
		heard += strlen(start);
		if (lines_heard++ > 0)
			strcat(names, ", ");
		strncat(names, heard, (size_t)(end - heard));
	}
	ck_assert_uint_gt(lines_heard, 1);
	ck_assert_str_eq(names, expected);
	free(names);
	memory_hub_end();
}
END_TEST

/* ---- rooms ----------------------------------------------------------------------------- */

START_TEST(who_goes_to_another_room_hears_that_one_only)
{
	begin_with_three();
	memory_say(&alice, "/join #tea\n");
	memory_hears(&alice, "* you are in tea (1 person)\n");
	memory_hears(&bob, "* alice has left (went to tea)\n");
	memory_say(&bob, "/join TEA\n");
	memory_hears(&alice, "* bob has joined\n");
	memory_hears(&bob, "* you are in tea (2 people)\n");
	memory_hears(&carol, "* alice has left (went to tea)\n"
			     "* bob has left (went to tea)\n");
	memory_say(&alice, "hello\n/me sits\n/nick al\n/topic cups\n/quit\n");
	memory_hears(&bob, "alice: hello\n"
			   "** alice sits\n"
			   "* alice is now al\n"
			   "* al has set the topic: cups\n"
			   "* al has left (quit)\n");
	memory_hears(&carol, "");
	memory_say(&carol, "lonely\n");
	memory_hears(&bob, "");
	memory_say(&bob, "/rooms\n/who\n");
	memory_hears(&bob, "* rooms (2): lobby (1), tea (1)\n* in tea (1): bob\n");
	memory_hub_end();
}
END_TEST

START_TEST(a_room_shows_its_topic_and_history_to_who_joins)
{
	begin_with_three();
	memory_say(&alice, "/join tea\n/topic cups\nhello\n");
	memory_listen(&bob);
	memory_say(&bob, "/join tea\n");
	memory_hears(&bob, "* you are in tea (2 people)\n"
			   "* topic of tea: cups\n"
			   "* last 1 line of tea:\n"
			   "alice: hello\n");
	memory_hub_end();
}
END_TEST

START_TEST(an_empty_room_is_gone_with_its_history)
{
	begin_with_three();
	memory_say(&alice,
		   "/join tea\n/topic cups\nhello\n/join lobby\n/rooms\n/join Tea\n");
	memory_hears(&alice, "* you are in tea (1 person)\n"
			     "* topic of tea: cups\n"
			     "* you are in lobby (3 people)\n"
			     "* rooms (1): lobby (3)\n"
			     "* you are in Tea (1 person)\n");
	memory_hub_end();
}
END_TEST

START_TEST(rooms_are_listed_in_the_order_of_their_names)
{
	begin_with_three();
	memory_say(&alice, "/join zoo\n");
	memory_say(&bob, "/join Attic\n");
	memory_say(&carol, "/join mill\n/rooms\n");
	expect_match(memory_listen(&carol),
		     "\\* rooms \\(4\\): Attic \\(1\\), lobby \\(0\\), mill \\(1\\), "
		     "zoo \\(1\\)\n$");
	memory_hub_end();
}
END_TEST

START_TEST(who_is_there_is_right_whoever_came_and_went)
{
	begin_with_three();
	memory_say(&bob, "/join tea\n/join lobby\n");
	memory_say(&carol, "/who\n");
	expect_match(memory_listen(&carol), "\\* in lobby \\(3\\): alice, carol, bob\n$");
	memory_vanish(&carol);
	memory_say(&alice, "/join tea\n/join lobby\n/who\n");
	expect_match(memory_listen(&alice), "\\* in lobby \\(2\\): bob, alice\n$");
	memory_vanish(&alice);
	memory_vanish(&bob);
	arrive_as(&alice, "alice");
	memory_say(&alice, "/who\n/rooms\n");
	memory_hears(&alice, "* in lobby (1): alice\n* rooms (1): lobby (1)\n");
	memory_hub_end();
}
END_TEST

/* ---- who does not read ----------------------------------------------------------------- */

START_TEST(who_does_not_read_is_cut_off_when_more_than_so_much_waits)
{
	CONFIGURE("-B", "4K");
	begin_with_three();
	memory_stall(&bob);
	while (bob.waiting <= 4096) {
		ck_assert(!bob.left);
		say_many(&alice, 100, "x", "\n", 4096);
	}
	memory_listen(&carol);
	memory_say(&alice, "one too many\n");
	ck_assert(bob.cut_off && bob.left);
	memory_hears(&carol, "alice: one too many\n* bob has left (does not read)\n");
	memory_hears(&alice, "* bob has left (does not read)\n");
	memory_say(&alice, "/nick bob\n/who\n");
	memory_hears(&alice, "* you are now bob\n* in lobby (2): bob, carol\n");
	memory_hub_end();
}
END_TEST

START_TEST(who_reads_late_but_not_too_late_has_lost_nothing)
{
	CONFIGURE("-B", "4K");
	begin_with_three();
	memory_stall(&bob);
	for (int i = 0; i < 36; i++)
		say_many(&alice, 100, "x", "\n", 4096);
	memory_read_on(&bob);
	ck_assert_uint_eq(strlen(memory_listen(&bob)), 36 * strlen("alice: \n") + 3600);
	memory_say(&alice, "on\n");
	memory_hears(&bob, "alice: on\n");
	memory_hub_end();
}
END_TEST

START_TEST(answers_to_oneself_count_as_well)
{
	CONFIGURE("-B", "4K");
	begin_with_three();
	memory_stall(&alice);
	while (!alice.left) {
		ck_assert_uint_lt(alice.waiting, 8192);
		memory_say(&alice, "/help\n");
	}
	memory_hears(&bob, "* alice has left (does not read)\n");
	memory_hub_end();
}
END_TEST

/* A thousand lines of a thousand bytes, where 4 KiB may wait. */
static void begin_with_a_long_history(void)
{
	CONFIGURE("-B", "4K", "-H", "1000");
	begin_with_three();
	for (int i = 0; i < 1000; i++)
		say_many(&alice, 1000, "x", "\n", 4096);
}

/* GIVEN a room whose history is longer than what may wait for a client
   WHEN one comes in, and others talk on before it could read
   THEN it has the whole history and what was said since; only of that does too much count. */
START_TEST(the_history_does_not_count_for_who_has_just_come_in)
{
	struct memory_member late;

	begin_with_a_long_history();
	memory_arrive_stalled(&late);
	while (late.waiting - late.exempt <= 4096) {
		ck_assert(!late.left);
		say_many(&alice, 100, "y", "\n", 4096);
	}
	ck_assert_uint_gt(late.exempt, 1000 * 1000);
	memory_say(&alice, "one too many\n");
	ck_assert(late.cut_off && late.left);

	memory_arrive_stalled(&late);
	memory_say(&alice, "are you there?\n");
	memory_read_on(&late);
	expect_match(memory_listen(&late), "\nalice: are you there\\?\n$");
	memory_stall(&late);
	for (int i = 0; i < 50; i++)
		say_many(&alice, 100, "z", "\n", 4096);
	ck_assert(late.cut_off && late.left);
	memory_hub_end();
}
END_TEST

/* GIVEN one who has read nothing of a long answer
   WHEN it asks for another, and yet another
   THEN it is cut off. */
START_TEST(only_one_answer_at_a_time_does_not_count)
{
	struct memory_member late;

	begin_with_a_long_history();
	memory_say(&alice, "/join tea\n");
	memory_arrive_stalled(&late);
	memory_say(&late, "/join tea\n/join lobby\n");
	ck_assert(!late.left);
	ck_assert_uint_lt(late.waiting, 2 * 1000 * 1100);
	memory_say(&late, "/join tea\n");
	ck_assert(late.cut_off && late.left);
	memory_hub_end();
}
END_TEST

START_TEST(several_who_do_not_read_all_go)
{
	CONFIGURE("-B", "4K");
	begin_with_three();
	memory_stall(&bob);
	memory_stall(&carol);
	for (int i = 0; i < 50; i++)
		say_many(&alice, 100, "x", "\n", 4096);
	ck_assert(bob.left && carol.left);
	expect_match(memory_listen(&alice), "has left \\(does not read\\)\n");
	memory_say(&alice, "/who\n");
	memory_hears(&alice, "* in lobby (1): alice\n");
	memory_hub_end();
}
END_TEST

START_TEST(a_member_for_whose_lines_there_is_no_memory_leaves_and_the_others_stay)
{
	struct memory_member late;

	begin_with_three();
	memory_arrive_refusing(&late);
	ck_assert(late.cut_off && late.left);
	memory_hears(&late, "");
	memory_hears(&bob, "* guest1 has joined\n* guest1 has left (does not read)\n");
	bob.refuses = true;
	memory_say(&bob, "/quit bye\n");
	ck_assert(bob.left);
	memory_listen(&carol);
	memory_say(&alice, "hello\n");
	memory_hears(&carol, "alice: hello\n");
	memory_hub_end();
}
END_TEST

/* ---- the rate -------------------------------------------------------------------------- */

/* How many times in a text. */
static unsigned count(const char *text, const char *what)
{
	unsigned found = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		found++;
	return found;
}

static void expect_lines(struct memory_member *m, unsigned expected)
{
	ck_assert_uint_eq(count(memory_listen(m), "\n"), expected);
}

START_TEST(forty_lines_at_once_then_twenty_a_second_and_none_is_lost)
{
	CONFIGURE("-R", "20");
	begin();
	memory_arrive(&alice);
	memory_arrive(&bob);
	memory_listen(&bob);
	say_many(&alice, 100, "x\n", "", 200);
	expect_lines(&bob, 40);
	memory_advance(&alice.client, 49);
	expect_lines(&bob, 0);
	memory_advance(&alice.client, 1);
	expect_lines(&bob, 1);
	memory_advance(&alice.client, 1000);
	expect_lines(&bob, 20);
	memory_advance(&alice.client, 10000);
	expect_lines(&bob, 39);
	memory_hub_end();
}
END_TEST

START_TEST(who_was_silent_may_say_forty_lines_again_and_not_more)
{
	CONFIGURE("-R", "20");
	begin();
	memory_arrive(&alice);
	memory_arrive(&bob);
	memory_listen(&bob);
	say_many(&alice, 40, "x\n", "", 1);
	memory_advance(&alice.client, 1000 * 1000);
	say_many(&alice, 60, "x\n", "", 1);
	expect_lines(&bob, 80);
	memory_advance(&alice.client, 1000);
	expect_lines(&bob, 20);
	memory_hub_end();
}
END_TEST

START_TEST(lines_of_any_kind_are_counted_wherever_they_are_cut)
{
	CONFIGURE("-R", "1");
	begin();
	memory_arrive(&alice);
	memory_listen(&alice);
	say_many(&alice, 3, "\n", "/ping\n/ping\n", pieces[_i]);
	memory_hears(&alice, "");
	memory_advance(&alice.client, 2000);
	memory_hears(&alice, "* pong\n");
	memory_advance(&alice.client, 1000);
	memory_hears(&alice, "* pong\n");
	say_many(&alice, 5000, "x", "\n/ping\n", pieces[_i]);
	memory_advance(&alice.client, 1000);
	memory_hears(&alice, TOO_LONG);
	memory_advance(&alice.client, 1000);
	memory_hears(&alice, "* pong\n");
	memory_hub_end();
}
END_TEST

START_TEST(the_half_close_comes_after_the_lines_that_wait)
{
	CONFIGURE("-R", "1");
	begin();
	memory_arrive(&alice);
	memory_listen(&alice);
	memory_say(&alice, "/ping\n/ping\n/ping\n/ping");
	memory_half_close(&alice.client);
	memory_hears(&alice, "* pong\n* pong\n");
	ck_assert(!alice.left);
	memory_advance(&alice.client, 2000);
	memory_hears(&alice, "* pong\n* pong\n* goodbye\n");
	ck_assert(alice.left);
	memory_hub_end();
}
END_TEST

START_TEST(full_buffers_of_input_wait_as_well)
{
	CONFIGURE("-R", "1");
	begin();
	memory_arrive(&alice);
	memory_arrive(&bob);
	memory_listen(&bob);
	memory_say(&alice, "x\nx\n");
	expect_lines(&bob, 2);
	say_many(&alice, SESSION_INPUT, "y\n", "", 2 * (size_t)SESSION_INPUT);
	for (int second = 0; second < 20; second++) {
		expect_lines(&bob, 0);
		memory_advance(&alice.client, 1000);
		expect_lines(&bob, 1);
	}
	ck_assert(!alice.left);
	memory_hub_end();
}
END_TEST

START_TEST(without_a_limit_nothing_waits)
{
	CONFIGURE("-R", "0");
	begin();
	memory_arrive(&alice);
	memory_arrive(&bob);
	memory_listen(&bob);
	say_many(&alice, 5000, "y\n", "", 30000);
	expect_lines(&bob, 5000);
	memory_hub_end();
}
END_TEST

/* ---- options --------------------------------------------------------------------------- */

static const struct {
	const char *letter, *value, *failure;
} bad_options[] = {
	{ "-B", "4095",
	  "^-B, --max-unread: '4095' is not a size of 4096 to 1073741824 bytes" },
	{ "-B", "x", "^-B, --max-unread: 'x' " },
	{ "-B", "2G", "^-B, --max-unread: '2G' " },
	{ "-H", "-1", "^-H, --history: '-1' " },
	{ "-H", "1001", "^-H, --history: '1001' " },
	{ "-R", "1000001", "^-R, --rate: '1000001' " },
	{ "-R", "", "^-R, --rate: '' " },
};

START_TEST(a_bad_value_is_refused_with_the_culprit)
{
	struct failure failure = { .text = "" };

	ck_assert_int_eq(
		memory_configure(&chat_service,
				 (const char *const[]){ bad_options[_i].letter,
							bad_options[_i].value, NULL },
				 &failure),
		-1);
	expect_match(failure.text, bad_options[_i].failure);
}
END_TEST

/* ---- whatever anybody says ------------------------------------------------------------- */

enum { TALKERS = 6, ROUNDS = 3000 };

static unsigned random_state = 1;

static unsigned random_below(unsigned n)
{
	random_state = random_state * 1103515245u + 12345u;
	return (random_state >> 16) % n;
}

/* A line made of what could do harm, and of what could be taken for something else. */
static size_t random_line(char line[256])
{
	static const char *const parts[] = {
		"* ",
		"** ",
		"a",
		"b",
		": ",
		" -> ",
		" ",
		"\r",
		"\x1b[H",
		"\xff",
		"\xc3",
		"\xbc",
		"\xe2\x80\xa8",
		"\xe2\x80",
		"\xff\xfb\x01",
		"\xff\xff",
		"\x9b",
		"\x85",
		"\xc2\x85",
		"\t",
		"has joined",
		"is now",
		"(quit)",
		"\xf0\x9f\x98\x80",
		"//",
		"last 3 lines of lobby:",
		"\v",
		"\f",
		"\b",
		"\x7f",
		"you are now a",
	};
	static const char *const starts[] = {
		"",
		"",
		"",
		"/me ",
		"/msg a ",
		"/msg b ",
		"/nick a",
		"/nick b",
		"/nick c",
		"/topic ",
		"/ping ",
		"/join ",
		"/join tea\r",
		"/join lobby\r",
		"/who",
		"/rooms",
		"/help",
		"/",
		"//",
		"* ",
		"a: ",
		"** a ",
		"a -> b: ",
	};
	unsigned count_of_parts = random_below(6);
	size_t n;

	strcpy(line, starts[random_below(sizeof starts / sizeof *starts)]);
	for (unsigned i = 0; i < count_of_parts; i++)
		strcat(line, parts[random_below(sizeof parts / sizeof *parts)]);
	n = strlen(line);
	line[n++] = '\n';
	return n;
}

static bool has_control(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t left = strlen(text);

	while (left > 0) {
		size_t n = text_utf8_length(bytes, left);

		if (n == 0 || *bytes < ' ' || *bytes == 0x7f ||
		    (bytes[0] == 0xc2 && bytes[1] < 0xa0))
			return true;
		bytes += n;
		left -= n;
	}
	return false;
}

#define NAME "[A-Za-z0-9_-]{1,24}"

/* The forms of chatd.8, as a client tells them apart. %s is who speaks, or does it. */
static const char spoken[] = "^(%s: .*|\\*\\* %s .+|%s -> " NAME ": .+)$";
static const char announced[] = "^\\* %s (has joined|has left \\(.*\\)|is now " NAME
				"|has set the topic: .+|has removed the topic)$";

static bool matches(const char *line, const char *form, const char *who)
{
	char pattern[512];

	snprintf(pattern, sizeof pattern, form, who, who, who);
	return text_matches(line, pattern);
}

/* Calls expect() for each line that has come, which must be whole. */
static void each_line(const char *heard, void (*expect)(const char *, const char *),
		      const char *speaker)
{
	char line[2048];
	const char *end;

	for (; *heard != '\0'; heard = end + 1) {
		end = strchr(heard, '\n');
		ck_assert_msg(end != NULL, "half a line: '%s'", heard);
		ck_assert_uint_lt((size_t)(end - heard), sizeof line);
		memcpy(line, heard, (size_t)(end - heard));
		line[end - heard] = '\0';
		ck_assert_msg(!has_control(line), "a control in '%s'", line);
		expect(line, speaker);
	}
}

/* Others hear that somebody says, or has done, something: it is the one who did. */
static void expect_of_speaker(const char *line, const char *speaker)
{
	ck_assert_msg(matches(line, spoken, speaker) || matches(line, announced, speaker),
		      "%s has others hear '%s'", speaker, line);
}

/* Who says something hears answers, and nothing that another could have said or done. */
static void expect_answer(const char *line, const char *speaker)
{
	ck_assert_msg(matches(line, "^\\* ", "") || matches(line, spoken, speaker),
		      "%s hears '%s'", speaker, line);
	ck_assert_msg(!matches(line, announced, NAME), "%s hears of '%s'", speaker, line);
}

static bool is_in_lobby(const struct memory_member *m)
{
	const struct person *person = m->member.state;

	return strcmp(person->room->name, ROOM_LOBBY) == 0;
}

START_TEST(nobody_can_speak_for_another_or_for_the_server)
{
	static struct memory_member talkers[TALKERS], listener;
	char input[512], speaker[32], nickname[32];

	CONFIGURE("-R", "0", "-H", "0");
	begin();
	memory_arrive(&listener);
	for (unsigned i = 0; i < TALKERS; i++) {
		snprintf(nickname, sizeof nickname, "z%u", i);
		arrive_as(&talkers[i], nickname);
	}
	for (unsigned i = 0; i < TALKERS; i++)
		memory_listen(&talkers[i]);
	memory_listen(&listener);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct memory_member *m = &talkers[random_below(TALKERS)];
		bool before[TALKERS];
		const char *heard = NULL;

		for (unsigned i = 0; i < TALKERS; i++)
			before[i] = is_in_lobby(&talkers[i]);
		snprintf(speaker, sizeof speaker, "%s", person_nickname(m->member.state));
		memory_send_in_pieces(&m->client, input, random_line(input),
				      1 + random_below(20));
		each_line(memory_listen(m), expect_answer,
			  person_nickname(m->member.state));
		heard = memory_listen(&listener);
		each_line(heard, expect_of_speaker, speaker);
		for (unsigned i = 0; i < TALKERS; i++) {
			const char *other;

			if (&talkers[i] == m)
				continue;
			other = memory_listen(&talkers[i]);
			each_line(other, expect_of_speaker, speaker);
			/* all in a room hear the same, but what is private */
			if (before[i] && strstr(other, " -> ") == NULL)
				ck_assert_str_eq(other, heard);
		}
	}
	memory_hub_end();
}
END_TEST

START_TEST(any_bytes_at_all_come_out_as_lines_of_text)
{
	CONFIGURE("-R", "0", "-H", "0");
	begin_with_three();
	for (unsigned round = 0; round < 4000; round++) {
		char bytes[64];
		size_t n = 1 + random_below(sizeof bytes);

		for (size_t i = 0; i < n; i++)
			bytes[i] = random_below(10) == 0 ? '\n' : (char)random_below(256);
		memory_send(&alice.client, bytes, n);
		each_line(memory_listen(&bob), expect_of_speaker, "alice");
	}
	ck_assert(!alice.left);
	memory_hub_end();
}
END_TEST

Suite *suite_chat(void)
{
	Suite *suite = suite_create("chat");
	TCase *tcase = add_case(suite, "chat");
	enum { LINES = sizeof lines / sizeof *lines };

	tcase_add_test(tcase,
		       who_comes_is_welcomed_as_a_guest_and_the_others_are_reported);
	tcase_add_test(tcase, a_guest_gets_the_lowest_number_that_is_free);
	tcase_add_test(tcase, who_comes_is_shown_the_topic_and_the_last_lines);
	tcase_add_test(tcase, without_history_nothing_is_remembered);
	tcase_add_test(tcase, of_few_lines_all_are_shown);
	tcase_add_test(tcase, the_lobby_remembers_its_lines_when_nobody_is_there);
	tcase_add_test(tcase, who_leaves_is_announced_with_the_reason);
	tcase_add_test(tcase, who_quits_without_a_reason_or_vanishes_is_announced_too);
	tcase_add_test(tcase, nothing_is_done_after_quit);
	tcase_add_test(tcase,
		       who_quits_frees_the_nickname_though_it_does_not_read_the_rest);
	tcase_add_loop_test(tcase, each_line_has_its_answer_and_its_audience, 0, LINES);
	tcase_add_loop_test(tcase, the_same_is_heard_wherever_the_bytes_are_cut, 0,
			    LINES);
	tcase_add_test(tcase, a_nul_is_dropped);
	tcase_add_test(
		tcase,
		half_a_line_at_the_half_close_is_a_line_and_at_a_reset_it_is_nothing);
	tcase_add_test(tcase,
		       answers_to_a_command_without_its_newline_come_before_goodbye);
	tcase_add_loop_test(tcase, a_line_of_1024_bytes_is_delivered_whatever_ends_it, 0,
			    PIECES);
	tcase_add_loop_test(tcase, a_line_of_nothing_but_controls_is_delivered_whole, 0,
			    PIECES);
	tcase_add_loop_test(tcase, a_longer_line_is_refused_once_and_skipped_to_its_end,
			    0, PIECES);
	tcase_add_test(tcase, the_longest_line_fits_in_every_command);
	tcase_add_test(tcase, a_topic_has_at_most_256_bytes);
	tcase_add_test(tcase, of_two_who_want_a_nickname_the_first_gets_it);
	tcase_add_test(tcase,
		       a_nickname_is_free_again_when_its_owner_has_left_or_changed_it);
	tcase_add_test(tcase, a_private_line_goes_to_nobody_else_and_into_no_history);
	tcase_add_test(tcase, a_long_list_takes_several_lines);
	tcase_add_test(tcase, who_goes_to_another_room_hears_that_one_only);
	tcase_add_test(tcase, a_room_shows_its_topic_and_history_to_who_joins);
	tcase_add_test(tcase, an_empty_room_is_gone_with_its_history);
	tcase_add_test(tcase, rooms_are_listed_in_the_order_of_their_names);
	tcase_add_test(tcase, who_is_there_is_right_whoever_came_and_went);
	tcase_add_test(tcase, who_does_not_read_is_cut_off_when_more_than_so_much_waits);
	tcase_add_test(tcase, who_reads_late_but_not_too_late_has_lost_nothing);
	tcase_add_test(tcase, answers_to_oneself_count_as_well);
	tcase_add_test(tcase, the_history_does_not_count_for_who_has_just_come_in);
	tcase_add_test(tcase, only_one_answer_at_a_time_does_not_count);
	tcase_add_test(tcase, several_who_do_not_read_all_go);
	tcase_add_test(
		tcase,
		a_member_for_whose_lines_there_is_no_memory_leaves_and_the_others_stay);
	tcase_add_test(tcase, forty_lines_at_once_then_twenty_a_second_and_none_is_lost);
	tcase_add_test(tcase, who_was_silent_may_say_forty_lines_again_and_not_more);
	tcase_add_loop_test(tcase, lines_of_any_kind_are_counted_wherever_they_are_cut, 0,
			    PIECES);
	tcase_add_test(tcase, the_half_close_comes_after_the_lines_that_wait);
	tcase_add_test(tcase, full_buffers_of_input_wait_as_well);
	tcase_add_test(tcase, without_a_limit_nothing_waits);
	tcase_add_loop_test(tcase, a_bad_value_is_refused_with_the_culprit, 0,
			    sizeof bad_options / sizeof *bad_options);
	tcase_add_test(tcase, nobody_can_speak_for_another_or_for_the_server);
	tcase_add_test(tcase, any_bytes_at_all_come_out_as_lines_of_text);
	return suite;
}
