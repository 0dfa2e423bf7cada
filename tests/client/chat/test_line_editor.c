/*
 * The line editor, key by key, as terminals send them.
 *
 * A line is written with its cursor: "one |two".
 */
#define _XOPEN_SOURCE 700 /* wcwidth */

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "client/chat/line_editor.h"
#include "common/text.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

#define LEFT      "\x1b[D"
#define UP        "\x1b[A"
#define DOWN      "\x1b[B"
#define HOME      "\x01"
#define COMBINING u8"\u0301" /* an acute accent on what comes before */
#define WIDE      u8"\u65e5" /* a character of two columns */
#define EMOJI     u8"\U0001f600"
#define TWO_BYTES u8"\u00e4"

enum { TEXT = 2 * LINE_MOST };

static struct line_editor editor;

static void fresh_editor(void)
{
	line_editor_end(&editor);
	memset(&editor, 0, sizeof editor);
}

static enum line_event press(const char *keys)
{
	enum line_event event = LINE_NOTHING;

	while (*keys != '\0')
		event = line_editor_take(&editor, (unsigned char)*keys++);
	return event;
}

static const char *line_with_cursor(void)
{
	static char text[TEXT];

	snprintf(text, sizeof text, "%.*s|%.*s", (int)editor.cursor, editor.text,
		 (int)(editor.length - editor.cursor), editor.text + editor.cursor);
	return text;
}

static void expect_line(const char *expected)
{
	ck_assert_str_eq(line_with_cursor(), expected);
}

static void enter(const char *line)
{
	press(line);
	ck_assert_int_eq(press("\r"), LINE_ENTERED);
	line_editor_accept(&editor);
}

/* Widths are known in a locale of UTF-8 only. */
static bool widths_are_known(void)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") != NULL ||
	    setlocale(LC_CTYPE, "en_US.UTF-8") != NULL)
		return true;
	skipped("needs a locale of UTF-8");
	return false;
}

/* ---- what each key does ---------------------------------------------------------------- */

static const struct {
	const char *keys, *line;
} pressed[] = {
	{ "abc", "abc|" },
	{ "abc" LEFT "X", "abX|c" },
	{ "abc\x02\x02X", "aX|bc" },       /* Ctrl-B */
	{ "abc" HOME "\x1b[CX", "aX|bc" }, /* right */
	{ "abc" HOME "\x06X", "aX|bc" },   /* Ctrl-F */
	{ "abc" HOME LEFT "X", "X|abc" },  /* not beyond the beginning */
	{ "abc\x1b[CX", "abcX|" },         /* nor the end */
	{ "abc" HOME "\x05X", "abcX|" },   /* Ctrl-E */
	{ "abc\x1b[HX", "X|abc" },         /* xterm's Home */
	{ "abc\x1bOHX", "X|abc" },         /* in application mode */
	{ "abc\x1b[1~X", "X|abc" },        /* the Linux console's, tmux's */
	{ "abc\x1b[7~X", "X|abc" },        /* rxvt's */
	{ "abc" HOME "\x1b[FX", "abcX|" }, /* End */
	{ "abc" HOME "\x1bOFX", "abcX|" },
	{ "abc" HOME "\x1b[4~X", "abcX|" },
	{ "abc" HOME "\x1b[8~X", "abcX|" },
	{ "abc\x1bOD\x1bODX", "aX|bc" }, /* arrows in application mode */
	{ "abc" HOME "\x1bOCX", "aX|bc" },
	{ "abc\x7f", "ab|" }, /* Backspace */
	{ "abc\x08", "ab|" }, /* Ctrl-H */
	{ "\x7fX", "X|" },
	{ "abc" HOME "\x1b[3~", "|bc" }, /* Delete */
	{ "abc" HOME "\x04", "|bc" },    /* Ctrl-D */
	{ "abc\x04", "abc|" },
	{ "abc\x1b[3~", "abc|" },
	{ "one two\x17", "one |" }, /* Ctrl-W */
	{ "one two  \x17", "one |" },
	{ "see a/b.c\x17", "see |" },
	{ "see a/b.c\x1b\x7f", "see a/b.|" }, /* Alt-Backspace */
	{ "see a/b.c\x1b\x08", "see a/b.|" },
	{ "\x17X", "X|" },
	{ "one two\x1b"
	  "bX",
	  "one X|two" }, /* Alt-B */
	{ "one two \x1b"
	  "BX",
	  "one X|two " },
	{ "one two" HOME "\x1b"
	  "fX",
	  "oneX| two" }, /* Alt-F */
	{ "one two" HOME "\x1b"
	  "F\x1b"
	  "FX",
	  "one twoX|" },
	{ "one two" HOME "\x1b"
	  "d",
	  "| two" }, /* Alt-D */
	{ "one two" HOME "\x1b"
	  "D\x1b"
	  "D",
	  "|" },
	{ "one two\x1b[1;5DX", "one X|two" },  /* Ctrl and left, xterm */
	{ "one two\x1b[1;3DX", "one X|two" },  /* Alt and left */
	{ "one two\x1b[1;2DX", "one twX|o" },  /* Shift and left */
	{ "one two\x1bOdX", "one X|two" },     /* Ctrl and left, rxvt */
	{ "one two\x1b[dX", "one twX|o" },     /* Shift and left, rxvt */
	{ "one two\x1b\x1b[DX", "one X|two" }, /* Alt and left, rxvt */
	{ "one two\x1bO5DX", "one X|two" },    /* Ctrl and left, old xterm */
	{ "one two" HOME "\x1b[1;5CX", "oneX| two" },
	{ "one two" HOME "\x1bOcX", "oneX| two" },
	{ "one two" HOME "\x1b[3;5~", "| two" },   /* Ctrl and Delete */
	{ "one two" HOME "\x1b[3^", "| two" },     /* the same, rxvt */
	{ "one two" HOME "\x1b[3$", "|ne two" },   /* Shift and Delete, rxvt */
	{ "one two" LEFT LEFT "\x0b", "one t|" },  /* Ctrl-K */
	{ "one two" LEFT LEFT "\x15", "|wo" },     /* Ctrl-U */
	{ "one two\x17" HOME "\x19", "two|one " }, /* Ctrl-Y */
	{ "one two\x15\x19\x19", "one twoone two|" },
	{ "\x19X", "X|" },
	{ "abcd" LEFT LEFT "\x14", "acb|d" }, /* Ctrl-T */
	{ "abcd\x14", "abdc|" },
	{ "abcd" HOME "\x14", "|abcd" },
	{ "a\x14", "a|" },
	{ "ab\x1b[5~\x1b[6~\x1b[2~\x1b[15~X", "abX|" }, /* page up, F5 ...: nothing */
	{ "ab\x1b[[AX", "abX|" },                       /* F1 of the Linux console */
	{ "ab\x1bOPX", "abX|" },                        /* F1 */
	{ "ab\x1b[I\x1b[OX", "abX|" },                  /* reports of the focus */
	{ "ab\x1b[?62;1cX", "abX|" },                   /* of what the terminal is */
	{ "ab\x1b[99999999999999999999~X", "abX|" },
	{ "ab\x1bqX", "abX|" },        /* Alt and a letter without meaning */
	{ "ab\x1b[1\x1b[DX", "aX|b" }, /* one that another cuts off */
	{ "ab\x1b[\x01X", "X|ab" },
	{ "a\tb\x1c\x03", "ab|" }, /* controls are no text */
	{ "\xff\xfe"
	  "a\xc3"
	  "b\xa4",
	  "ab|" }, /* no UTF-8 */
	{ "a\xed\xa0\x80\xc0\xaf\xf5\x80\x80\x80"
	  "b",
	  "ab|" },
	{ "a\xc2\x85\xc2\x9b"
	  "b",
	  "ab|" }, /* C1 controls */
	{ TWO_BYTES EMOJI LEFT "X", TWO_BYTES "X|" EMOJI },
	{ TWO_BYTES EMOJI "\x7f\x7f", "|" },
	{ TWO_BYTES EMOJI HOME "\x1b[3~", "|" EMOJI },
	{ "\x1b[200~one\ttwo\x1b[201~X", "one twoX|" },
	{ "\x1b[200~a\x01\x1b[D\x7f"
	  "b\x1b[201~",
	  "ab|" },
};

enum { PRESSED = sizeof pressed / sizeof *pressed };

START_TEST(each_key_does_what_the_page_says)
{
	press(pressed[_i].keys);
	expect_line(pressed[_i].line);
	ck_assert_int_eq(line_editor_timeout(&editor), -1);
}
END_TEST

START_TEST(enter_hands_over_the_line_and_keeps_it_until_it_is_accepted)
{
	ck_assert_int_eq(press("hello\r"), LINE_ENTERED);
	expect_line("hello|");
	line_editor_accept(&editor);
	expect_line("|");
	ck_assert_int_eq(press("again\n"), LINE_ENTERED);
	ck_assert_int_eq(press("\x1bOM"), LINE_ENTERED); /* of the keypad */
}
END_TEST

START_TEST(ctrl_d_ends_on_an_empty_line_only)
{
	ck_assert_int_eq(press("a\x04"), LINE_CHANGED);
	press("\x7f");
	ck_assert_int_eq(press("\x04"), LINE_NO_MORE);
}
END_TEST

START_TEST(ctrl_l_asks_for_a_new_screen)
{
	ck_assert_int_eq(press("a\x0c"), LINE_REDRAW);
	expect_line("a|");
}
END_TEST

/* Each newline of a paste ends a line, however it is written, and whatever stands before. */
START_TEST(the_lines_of_a_paste_are_entered)
{
	static const char paste[] =
		"\x1b[200~one\rtwo\r\nthr\x1b[ee\x1b\nfour\n\nsix\x1b[201~";
	char lines[TEXT] = "";
	size_t length = 0;

	for (const char *key = paste; *key != '\0'; key++) {
		if (line_editor_take(&editor, (unsigned char)*key) != LINE_ENTERED)
			continue;
		ck_assert(line_editor_is_pasting(&editor));
		length += (size_t)snprintf(lines + length, TEXT - length, "%s,",
					   line_with_cursor());
		ck_assert_uint_lt(length, TEXT);
		line_editor_accept(&editor);
	}
	ck_assert_str_eq(lines, "one|,two|,thre|,four|,|,");
	expect_line("six|");
	ck_assert(!line_editor_is_pasting(&editor));
	ck_assert_int_eq(press("\r"), LINE_ENTERED);
}
END_TEST

START_TEST(what_has_no_room_in_a_line_is_counted)
{
	for (int i = 0; i < LINE_MOST; i++)
		ck_assert_int_eq(press("x"), LINE_CHANGED);
	ck_assert_uint_eq(editor.lost, 0);
	ck_assert_int_eq(press("y"), LINE_FULL);
	ck_assert_int_eq(press(EMOJI), LINE_FULL);
	ck_assert_uint_eq(editor.lost, 5);
	ck_assert_uint_eq(editor.length, LINE_MOST);
	press("\x7f"); /* there is room again */
	ck_assert_uint_eq(editor.lost, 0);
	ck_assert_int_eq(press("z"), LINE_CHANGED);
	press("\x15\x19"); /* all of it deleted, and inserted again */
	ck_assert_int_eq(press("\x19"), LINE_FULL);
	ck_assert_uint_eq(editor.lost, LINE_MOST);
	line_editor_drop(&editor);
	expect_line("|");
	ck_assert_uint_eq(editor.lost, 0);
}
END_TEST

START_TEST(a_paste_without_an_end_ends_in_time)
{
	press("\x1b[200~text");
	line_editor_give_up(&editor);
	ck_assert_int_eq(press("\r"), LINE_ENTERED);
}
END_TEST

/* ---- sequences that come in parts ------------------------------------------------------ */

START_TEST(a_sequence_may_be_cut_anywhere)
{
	const char *keys = pressed[_i].keys;

	for (size_t cut = 1; cut < strlen(keys); cut++) {
		enum line_event event = LINE_NOTHING;

		fresh_editor();
		for (size_t i = 0; keys[i] != '\0'; i++) {
			char shown[LINE_SHOWN_MOST];

			if (i == cut) /* the rest comes later; what is there is shown */
				line_editor_show(&editor, 40, shown);
			event = line_editor_take(&editor, (unsigned char)keys[i]);
		}
		ck_assert_int_ne(event, LINE_NO_MORE);
		expect_line(pressed[_i].line);
	}
}
END_TEST

static const char *const beginnings[] = { "\x1b",    "\x1b[",    "\x1b[1",
					  "\x1b[1;", "\x1b[1;5", "\x1bO",
					  "\x1bO5",  "\x1b[[",   "\x1b\x1b" };

enum { BEGINNINGS = sizeof beginnings / sizeof *beginnings };

START_TEST(half_a_sequence_is_forgotten_in_time)
{
	press("ab");
	ck_assert_int_eq(press(beginnings[_i]), LINE_NOTHING);
	ck_assert_int_gt(line_editor_timeout(&editor), 0);
	line_editor_give_up(&editor);
	ck_assert_int_eq(line_editor_timeout(&editor), -1);
	press("D" LEFT "X");
	expect_line("abX|D");
}
END_TEST

/* ---- characters ------------------------------------------------------------------------ */

START_TEST(a_character_goes_with_its_combining_marks)
{
	if (!widths_are_known())
		return;
	press("ae" COMBINING COMBINING LEFT "X");
	expect_line("aX|e" COMBINING COMBINING);
	press("\x1b[3~");
	expect_line("aX|");
	press("e" COMBINING "\x7f");
	expect_line("aX|");
	press("e" COMBINING "\x14");
	expect_line("ae" COMBINING "X|");
	press(HOME COMBINING);
	ck_assert_uint_eq(editor.length, strlen("ae" COMBINING "X" COMBINING));
	press("b"); /* what stands behind it has become a part of it */
	ck_assert_str_eq(line_with_cursor(), COMBINING "b|ae" COMBINING "X");
}
END_TEST

START_TEST(a_full_line_takes_no_more)
{
	for (size_t i = 0; i < LINE_MOST + 10; i++)
		press("a");
	ck_assert_uint_eq(editor.length, LINE_MOST);
	press("\x7f" TWO_BYTES);
	ck_assert_uint_eq(editor.length, LINE_MOST - 1);
	press("\x15\x19\x19");
	ck_assert_uint_eq(editor.length, LINE_MOST - 1);
}
END_TEST

/* ---- history --------------------------------------------------------------------------- */

START_TEST(history_keeps_the_unfinished_line)
{
	enter("one");
	enter("two");
	press("thr" UP);
	expect_line("two|");
	press(UP UP UP);
	expect_line("one|");
	press(DOWN);
	expect_line("two|");
	press(DOWN);
	expect_line("thr|");
	press(DOWN "\x10\x10");
	expect_line("one|"); /* Ctrl-P */
	press("\x0e\x0e");
	expect_line("thr|"); /* Ctrl-N */
}
END_TEST

START_TEST(a_line_of_the_history_is_changed_as_a_copy)
{
	enter("one");
	enter("two");
	press(UP UP "!");
	expect_line("one!|");
	enter("");
	press(UP UP UP);
	expect_line("one|");
}
END_TEST

START_TEST(blank_and_repeated_lines_are_not_kept)
{
	enter("one");
	enter("   ");
	enter("one");
	enter("");
	press(UP UP);
	expect_line("one|");
	ck_assert_uint_eq(editor.history_count, 1);
}
END_TEST

START_TEST(the_oldest_lines_are_forgotten)
{
	char line[24], oldest[24];

	for (int i = 0; i < HISTORY_MOST + 10; i++) {
		snprintf(line, sizeof line, "line %d", i);
		enter(line);
	}
	for (int i = 0; i < HISTORY_MOST + 10; i++)
		press(UP);
	snprintf(oldest, sizeof oldest, "line %d|", 10);
	expect_line(oldest);
}
END_TEST

/* ---- what is shown --------------------------------------------------------------------- */

/* What is looked at character by character is so without the macros of Check, each of which
 * writes down where it stands: they would take most of the time. */

/* A row of a terminal, after what line_editor_show() writes. */
struct row {
	char text[LINE_SHOWN_MOST];
	size_t width;  /* columns written */
	size_t cursor; /* column */
};

static size_t width_of(const char *text, size_t length)
{
	wchar_t character = 0;
	int width;

	if (length == 1)
		return 1;
	if (mbtowc(&character, text, length) != (int)length)
		ck_abort_msg("'%.*s' is no character", (int)length, text);
	width = wcwidth(character);
	return width < 0 ? 1 : (size_t)width;
}

static struct row shown_in(size_t columns)
{
	struct row row = { .width = 0 };
	char out[LINE_SHOWN_MOST + 1], *at = out, *text = row.text;
	size_t length = line_editor_show(&editor, columns, out);

	ck_assert_uint_le(length, LINE_SHOWN_MOST);
	out[length] = '\0';
	ck_assert_int_eq(*at++, '\r');
	while (*at != '\x1b') {
		size_t n = text_utf8_length(at, strlen(at));

		if (n == 0 || (n == 1 && (unsigned char)*at < ' '))
			ck_abort_msg("'%s' is shown", at);
		row.width += width_of(at, n);
		memcpy(text, at, n);
		text += n;
		at += n;
	}
	ck_assert_msg(strncmp(at, "\x1b[K\r", 4) == 0, "the rest is not erased");
	at += 4;
	if (*at != '\0')
		ck_assert_int_eq(sscanf(at, "\x1b[%zuC", &row.cursor), 1);
	return row;
}

static void expect_row(size_t columns, const char *text, size_t cursor)
{
	struct row row = shown_in(columns);

	ck_assert_str_eq(row.text, text);
	ck_assert_uint_eq(row.cursor, cursor);
}

START_TEST(shows_the_prompt_the_line_and_the_cursor)
{
	expect_row(80, "> ", 2);
	press("hello" LEFT);
	expect_row(80, "> hello", 6);
	expect_row(0, "> hello", 6);
}
END_TEST

START_TEST(knows_how_wide_characters_are)
{
	if (!widths_are_known())
		return;
	press(WIDE EMOJI "e" COMBINING TWO_BYTES);
	expect_row(80, "> " WIDE EMOJI "e" COMBINING TWO_BYTES, 2 + 2 + 2 + 1 + 1);
	press(LEFT LEFT LEFT);
	expect_row(80, "> " WIDE EMOJI "e" COMBINING TWO_BYTES, 2 + 2);
}
END_TEST

START_TEST(a_long_line_is_shown_around_the_cursor)
{
	press("abcdefghijklmnopqrstuvwxyz");
	expect_row(20, "> <stuvwxyz", 11);
	press(HOME);
	expect_row(20, "> abcdefghijklmnop>", 2);
	press("\x05");
	expect_row(30, "> abcdefghijklmnopqrstuvwxyz", 28);
}
END_TEST

START_TEST(scrolls_only_when_the_cursor_leaves_what_is_shown)
{
	struct row row;

	press("abcdefghijklmnopqrstuvwxyz");
	row = shown_in(20);
	press(LEFT LEFT);
	expect_row(20, row.text, row.cursor - 2);
}
END_TEST

static uint32_t state;

static unsigned random_below(unsigned n)
{
	state ^= state << 13; /* Marsaglia's xorshift32 */
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

static void press_at_random(void)
{
	static const char *const texts[] = {
		"a", "b", " ", "/", TWO_BYTES, WIDE, COMBINING, EMOJI, "word ", u8"\u200d"
	};
	unsigned what = random_below(10);

	if (what < 5)
		press(texts[random_below(sizeof texts / sizeof *texts)]);
	else if (what < 8)
		press(pressed[random_below(PRESSED)].keys);
	else if (what == 8)
		line_editor_take(&editor, (unsigned char)random_below(256));
	else if (random_below(4) == 0)
		line_editor_accept(&editor);
	else
		line_editor_give_up(&editor);
}

static void check_line(void)
{
	size_t at = 0;
	bool between = editor.cursor == editor.length;

	ck_assert_uint_le(editor.length, LINE_MOST);
	ck_assert_uint_le(editor.cursor, editor.length);
	while (at < editor.length) {
		size_t n = text_utf8_length(editor.text + at, editor.length - at);

		if (n == 0)
			ck_abort_msg("the line is no UTF-8");
		if (n == 1 &&
		    ((unsigned char)editor.text[at] < ' ' || editor.text[at] == 0x7f))
			ck_abort_msg("a control is in the line");
		between = between || at == editor.cursor;
		at += n;
	}
	ck_assert_msg(between, "the cursor is within a character");
}

START_TEST(whatever_is_pressed_the_line_stays_sound)
{
	if (!widths_are_known())
		return;
	state = 1 + (uint32_t)_i;
	for (int i = 0; i < 20000; i++) {
		size_t columns = 1 + random_below(_i % 2 == 0 ? 90 : 12);
		struct row row;

		press_at_random();
		check_line();
		if (random_below(3) > 0)
			continue;
		row = shown_in(columns);
		ck_assert_msg(row.width < columns || columns == 1, "%zu columns of %zu",
			      row.width, columns);
		ck_assert_uint_le(row.width, columns);
		ck_assert_msg(row.cursor < columns || columns == 1, "cursor %zu of %zu",
			      row.cursor, columns);
		ck_assert_uint_le(row.cursor, row.width);
	}
}
END_TEST

Suite *suite_line_editor(void)
{
	Suite *suite = suite_create("line_editor");
	TCase *tcase = add_case(suite, "keys");

	tcase_add_checked_fixture(tcase, fresh_editor, fresh_editor);
	tcase_add_loop_test(tcase, each_key_does_what_the_page_says, 0, PRESSED);
	tcase_add_test(tcase,
		       enter_hands_over_the_line_and_keeps_it_until_it_is_accepted);
	tcase_add_test(tcase, ctrl_d_ends_on_an_empty_line_only);
	tcase_add_test(tcase, ctrl_l_asks_for_a_new_screen);
	tcase_add_test(tcase, the_lines_of_a_paste_are_entered);
	tcase_add_test(tcase, what_has_no_room_in_a_line_is_counted);
	tcase_add_test(tcase, a_paste_without_an_end_ends_in_time);
	tcase_add_loop_test(tcase, a_sequence_may_be_cut_anywhere, 0, PRESSED);
	tcase_add_loop_test(tcase, half_a_sequence_is_forgotten_in_time, 0, BEGINNINGS);
	tcase = add_case(suite, "characters and history");
	tcase_add_checked_fixture(tcase, fresh_editor, fresh_editor);
	tcase_add_test(tcase, a_character_goes_with_its_combining_marks);
	tcase_add_test(tcase, a_full_line_takes_no_more);
	tcase_add_test(tcase, history_keeps_the_unfinished_line);
	tcase_add_test(tcase, a_line_of_the_history_is_changed_as_a_copy);
	tcase_add_test(tcase, blank_and_repeated_lines_are_not_kept);
	tcase_add_test(tcase, the_oldest_lines_are_forgotten);
	tcase = add_case(suite, "what is shown");
	tcase_add_checked_fixture(tcase, fresh_editor, fresh_editor);
	tcase_add_test(tcase, shows_the_prompt_the_line_and_the_cursor);
	tcase_add_test(tcase, knows_how_wide_characters_are);
	tcase_add_test(tcase, a_long_line_is_shown_around_the_cursor);
	tcase_add_test(tcase, scrolls_only_when_the_cursor_leaves_what_is_shown);
	tcase_add_loop_test(tcase, whatever_is_pressed_the_line_stays_sound, 0, 8);
	return suite;
}
