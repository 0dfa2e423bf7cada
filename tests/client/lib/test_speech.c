/*
 * How lines of a chat are shown on a terminal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/lib/speech.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { TEXT = 512, NAMES = 1000 };

static const struct speech_style plain = { .times = false };
static const struct speech_style coloured = { .colours = true };
static const struct speech_style many = { .colours = true, .many_colours = true };

static const char *shown(const struct speech_style *style, enum speaker speaker,
			 const char *line)
{
	static char out[SPEECH_SHOWN_MOST + 1];

	out[speech_show(style, speaker, line, strlen(line), 0, out)] = '\0';
	return out;
}

static const struct {
	const char *line;
	size_t at, length;
} speakers[] = {
	{ "alice: hello", 0, 5 },
	{ "a-b_C9: hello", 0, 6 },
	{ "alice -> bob: hello", 0, 5 },
	{ "** alice waves", 3, 5 },
	{ "123456789012345678901234: 24", 0, 24 },
	{ "1234567890123456789012345: 25", 0, 0 },
	{ "* alice has joined", 0, 0 },
	{ "alice:hello", 0, 0 },
	{ "alice hello", 0, 0 },
	{ "alice", 0, 0 },
	{ ": hello", 0, 0 },
	{ "** : hello", 3, 0 },
	{ "\xc3\xa4: hello", 0, 0 },
	{ "", 0, 0 },
};

START_TEST(finds_who_speaks)
{
	size_t at;
	const char *line = speakers[_i].line;

	ck_assert_uint_eq(speech_nickname(line, strlen(line), &at), speakers[_i].length);
	ck_assert_uint_eq(at, speakers[_i].at);
}
END_TEST

START_TEST(without_colours_a_line_is_itself)
{
	ck_assert_str_eq(shown(&plain, SPEAKER_ROOM, "alice: hello"), "alice: hello\n");
	ck_assert_str_eq(shown(&plain, SPEAKER_ROOM, "* bob has left\r"),
			 "* bob has left\n");
	ck_assert_str_eq(shown(&plain, SPEAKER_OURSELVES, "hello"), "> hello\n");
	ck_assert_str_eq(shown(&plain, SPEAKER_PROGRAM, "* lost"), "* lost\n");
}
END_TEST

START_TEST(a_nickname_has_its_colour_and_the_rest_has_none)
{
	char expected[TEXT];

	snprintf(expected, sizeof expected, "\x1b[%salice\x1b[0m: alice: hi\n",
		 speech_colour(&coloured, "alice", 5));
	ck_assert_str_eq(shown(&coloured, SPEAKER_ROOM, "alice: alice: hi"), expected);
	snprintf(expected, sizeof expected, "** \x1b[%salice\x1b[0m waves\n",
		 speech_colour(&many, "alice", 5));
	ck_assert_str_eq(shown(&many, SPEAKER_ROOM, "** alice waves"), expected);
}
END_TEST

START_TEST(the_server_and_oneself_look_different_from_others)
{
	ck_assert_str_eq(shown(&coloured, SPEAKER_ROOM, "* bob has left"),
			 "\x1b[2m* bob has left\x1b[0m\n");
	ck_assert_str_eq(shown(&coloured, SPEAKER_OURSELVES, "hi"),
			 "> \x1b[1mhi\x1b[0m\n");
	ck_assert_str_eq(shown(&coloured, SPEAKER_ROOM, "no form"), "no form\n");
	ck_assert_str_eq(shown(&coloured, SPEAKER_ROOM, ""), "\n");
}
END_TEST

START_TEST(nothing_in_a_line_is_obeyed)
{
	ck_assert_str_eq(shown(&plain, SPEAKER_ROOM,
			       "bob: \x1b[2J\x07\xc2\x9b\r\xff"
			       u8"\u00e4\u65e5"),
			 "bob: \\x1b[2J\\x07\\xc2\\x9b\\r\\xff"
			 u8"\u00e4\u65e5\n");
	ck_assert_str_eq(shown(&coloured, SPEAKER_ROOM, "* \x1b[0m"),
			 "\x1b[2m* \\x1b[0m\x1b[0m\n");
}
END_TEST

START_TEST(the_longest_line_fits)
{
	static char line[SPEECH_MOST], out[SPEECH_SHOWN_MOST];
	struct speech_style style = many;

	style.times = true;
	memset(line, '\x01', sizeof line);
	memcpy(line, "* ", 2);
	ck_assert_uint_le(speech_show(&style, SPEAKER_ROOM, line, sizeof line, 0, out),
			  sizeof out);
}
END_TEST

START_TEST(a_time_is_that_of_the_clock_on_the_wall)
{
	struct speech_style style = { .times = true };

	setenv("TZ", "UTC-1", 1); /* an hour east of Greenwich */
	tzset();
	ck_assert_str_eq(shown(&style, SPEAKER_ROOM, "alice: hi"),
			 "01:00:00 alice: hi\n");
}
END_TEST

START_TEST(nicknames_are_distinguished_by_all_colours)
{
	const struct speech_style *style = _i == 0 ? &coloured : &many;
	const char *seen[64];
	size_t count = 0;

	for (int i = 0; i < NAMES; i++) {
		char name[NICKNAME_MOST + 1];
		const char *colour;
		size_t known = 0;

		snprintf(name, sizeof name, "guest%d", i);
		colour = speech_colour(style, name, strlen(name));
		ck_assert_ptr_eq(colour, speech_colour(style, name, strlen(name)));
		while (known < count && seen[known] != colour)
			known++;
		ck_assert_uint_lt(known, sizeof seen / sizeof *seen);
		if (known == count)
			seen[count++] = colour;
	}
	ck_assert_uint_ge(count, 8);
}
END_TEST

/* Relative luminance of the steps in xterm's cube of colours (WCAG 2.1). */
static const double luminance_of[] = { 0, 0.11443, 0.24228, 0.42869, 0.67954, 1 };

START_TEST(colours_can_be_read_on_black_and_on_white)
{
	for (int i = 0; i < NAMES; i++) {
		char name[NICKNAME_MOST + 1];
		unsigned colour;
		double luminance;

		snprintf(name, sizeof name, "guest%d", i);
		ck_assert_int_eq(sscanf(speech_colour(&many, name, strlen(name)),
					"38;5;%um", &colour),
				 1);
		colour -= 16;
		luminance = 0.2126 * luminance_of[colour / 36] +
			    0.7152 * luminance_of[colour / 6 % 6] +
			    0.0722 * luminance_of[colour % 6];
		ck_assert_double_ge((luminance + 0.05) / 0.05, 3.9);
		ck_assert_double_ge(1.05 / (luminance + 0.05), 3.9);
	}
}
END_TEST

START_TEST(the_environment_says_which_colours_there_are)
{
	setenv("TERM", "xterm", 1);
	unsetenv("COLORTERM");
	unsetenv("NO_COLOR");
	ck_assert(speech_style_here(false).colours);
	ck_assert(!speech_style_here(false).many_colours);
	setenv("TERM", "tmux-256color", 1);
	ck_assert(speech_style_here(false).many_colours);
	setenv("NO_COLOR", "", 1); /* counts only if it is not empty */
	ck_assert(speech_style_here(false).colours);
	setenv("NO_COLOR", "1", 1);
	ck_assert(!speech_style_here(false).colours);
}
END_TEST

Suite *suite_speech(void)
{
	Suite *suite = suite_create("speech");
	TCase *tcase = add_case(suite, "lines");

	tcase_add_loop_test(tcase, finds_who_speaks, 0,
			    (int)(sizeof speakers / sizeof *speakers));
	tcase_add_test(tcase, without_colours_a_line_is_itself);
	tcase_add_test(tcase, a_nickname_has_its_colour_and_the_rest_has_none);
	tcase_add_test(tcase, the_server_and_oneself_look_different_from_others);
	tcase_add_test(tcase, nothing_in_a_line_is_obeyed);
	tcase_add_test(tcase, the_longest_line_fits);
	tcase_add_test(tcase, a_time_is_that_of_the_clock_on_the_wall);
	tcase = add_case(suite, "colours");
	tcase_add_loop_test(tcase, nicknames_are_distinguished_by_all_colours, 0, 2);
	tcase_add_test(tcase, colours_can_be_read_on_black_and_on_white);
	tcase_add_test(tcase, the_environment_says_which_colours_there_are);
	return suite;
}
