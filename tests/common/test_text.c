/*
 * Untrusted bytes made fit to print, and numbers read strictly.
 */
#include <inttypes.h>
#include <string.h>

#include "common/text.h"
#include "tests/suites.h"

enum { EVERY_BYTE = 256, LONGEST_ESCAPE = 4 };

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void every_byte(unsigned char bytes[EVERY_BYTE])
{
	for (int i = 0; i < EVERY_BYTE; i++)
		bytes[i] = (unsigned char)i;
}

/* ---- text_escape ------------------------------------------------------------------------- */

static void assert_escaped(const char *bytes, size_t length, const char *expected)
{
	char text[64];

	ck_assert_uint_eq(text_escape(bytes, length, text, sizeof text),
			  strlen(expected));
	ck_assert_str_eq(text, expected);
}

START_TEST(plain_text_is_shown_as_it_is)
{
	assert_escaped("GET /index.html 'a' \"b\"", 23, "GET /index.html 'a' \"b\"");
	assert_escaped("", 0, "");
}
END_TEST

START_TEST(bytes_that_act_on_a_terminal_are_shown_as_escapes)
{
	assert_escaped("\r\n\t", 3, "\\r\\n\\t");
	assert_escaped("\x1b[2J\a\b\0", 7, "\\x1b[2J\\x07\\x08\\x00");
	assert_escaped("\x7f\x80\xff", 3, "\\x7f\\x80\\xff");
}
END_TEST

START_TEST(an_escape_cannot_be_forged_with_a_backslash)
{
	assert_escaped("\\n", 2, "\\\\n");
}
END_TEST

START_TEST(between_quotes_a_quote_is_escaped_and_nothing_else_is_different)
{
	char text[16], same[16];

	ck_assert_uint_eq(text_escape_quoted("a\"b\\\"", 5, text, sizeof text), 8);
	ck_assert_str_eq(text, "a\\\"b\\\\\\\"");
	for (unsigned byte = 0; byte < EVERY_BYTE; byte++) {
		unsigned char bytes[] = { (unsigned char)byte };

		text_escape(bytes, 1, same, sizeof same);
		text_escape_quoted(bytes, 1, text, sizeof text);
		ck_assert_str_eq(text, byte == '"' ? "\\\"" : same);
	}
	/* cut, it is not cut within an escape */
	ck_assert_uint_eq(text_escape_quoted("a\"\"\"\"", 5, text, 8), 6);
	ck_assert_str_eq(text, "a\\\"...");
}
END_TEST

START_TEST(every_byte_has_its_own_printable_escape)
{
	char texts[EVERY_BYTE][8];

	for (int i = 0; i < EVERY_BYTE; i++) {
		unsigned char byte = (unsigned char)i;
		size_t length = text_escape(&byte, 1, texts[i], sizeof texts[i]);

		ck_assert_uint_eq(length, strlen(texts[i]));
		ck_assert_uint_ge(length, 1);
		for (size_t j = 0; j < length; j++)
			ck_assert(texts[i][j] >= ' ' && texts[i][j] < 127);
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(texts[i], texts[j]);
	}
}
END_TEST

/* Whether length is the length of the escapes of some number of the first bytes. */
static bool ends_between_escapes(const unsigned char *bytes, size_t count, size_t length)
{
	char text[EVERY_BYTE * LONGEST_ESCAPE + 1];

	for (size_t n = 0; n <= count; n++)
		if (text_escape(bytes, n, text, sizeof text) == length)
			return true;
	return false;
}

START_TEST(what_does_not_fit_is_cut_between_escapes_and_marked)
{
	unsigned char bytes[EVERY_BYTE];
	char whole[EVERY_BYTE * LONGEST_ESCAPE + 1];
	size_t full;

	every_byte(bytes);
	full = text_escape(bytes, EVERY_BYTE, whole, sizeof whole);
	for (size_t size = 1; size <= full + 1; size++) {
		char text[sizeof whole + 1];
		size_t length, kept;

		memset(text, '#', sizeof text);
		length = text_escape(bytes, EVERY_BYTE, text, size);
		kept = length;
		ck_assert_uint_lt(length, size);
		ck_assert_uint_eq(length, strlen(text));
		ck_assert_msg(text[size] == '#', "wrote past %zu bytes", size);
		if (size > full) {
			ck_assert_str_eq(text, whole);
			continue;
		}
		if (size >= sizeof "...") {
			kept -= strlen("...");
			ck_assert_str_eq(text + kept, "...");
		}
		ck_assert_mem_eq(text, whole, kept);
		ck_assert_msg(ends_between_escapes(bytes, EVERY_BYTE, kept),
			      "in %zu bytes an escape was split: %s", size, text);
		/* no room was given away: one more escape and "..." would not have fitted */
		ck_assert_uint_ge(kept + LONGEST_ESCAPE + sizeof "...", size);
	}
}
END_TEST

/* ---- text_for_terminal ------------------------------------------------------------------- */

static void assert_on_terminal(const char *bytes, size_t length, const char *expected)
{
	char text[256];
	size_t written;

	ck_assert_uint_le(LONGEST_ESCAPE * length, sizeof text);
	written = text_for_terminal(bytes, length, text);
	ck_assert_uint_eq(written, strlen(expected));
	ck_assert_mem_eq(text, expected, written);
}

START_TEST(lines_tabs_and_backslashes_reach_the_terminal)
{
	assert_on_terminal("a\tb\nc\r\nC:\\d", 11, "a\tb\nc\r\nC:\\d");
}
END_TEST

START_TEST(utf8_reaches_the_terminal)
{
	static const char *const well_formed[] = {
		"\u00a0",             /* just past the C1 controls */
		"\u00e4\u20ac\u65e5", /* two and three bytes */
		"\u07ff\u0800",       /* the edges of two and three */
		"\ud7ff\ue000\uffff", /* around the surrogates, and the last of three */
		"\U00010000\U0010ffff",
	};

	for (size_t i = 0; i < COUNT(well_formed); i++)
		assert_on_terminal(well_formed[i], strlen(well_formed[i]),
				   well_formed[i]);
}
END_TEST

START_TEST(what_a_terminal_would_obey_is_escaped)
{
	assert_on_terminal("\x1b[2J", 4, "\\x1b[2J");
	assert_on_terminal("\x1b]0;title\a", 10, "\\x1b]0;title\\x07");
	assert_on_terminal("a\0b\x7f", 4, "a\\x00b\\x7f");
	assert_on_terminal("\b\v\f", 3, "\\x08\\x0b\\x0c");
}
END_TEST

START_TEST(a_carriage_return_alone_cannot_overwrite_the_line)
{
	assert_on_terminal("good\revil", 9, "good\\revil");
	assert_on_terminal("end\r", 4, "end\\r");
	assert_on_terminal("\r\r\n", 3, "\\r\r\n");
}
END_TEST

START_TEST(c1_controls_are_escaped_in_both_encodings)
{
	assert_on_terminal("\x9b[2J", 4, "\\x9b[2J");
	assert_on_terminal("\xc2\x9b[2J", 5, "\\xc2\\x9b[2J");
	for (int i = 0x80; i < 0xa0; i++) {
		char control[2] = { '\xc2', (char)i }, text[8];

		ck_assert_uint_eq(text_for_terminal(control, 2, text), 8);
	}
}
END_TEST

START_TEST(what_turns_the_direction_or_ends_a_line_is_escaped)
{
	assert_on_terminal("a\u202egpj.exe\u202c", 14,
			   "a\\xe2\\x80\\xaegpj.exe\\xe2\\x80\\xac");
	assert_on_terminal("\u2028\u2029", 6, "\\xe2\\x80\\xa8\\xe2\\x80\\xa9");
	assert_on_terminal("\u2066\u2069", 6, "\\xe2\\x81\\xa6\\xe2\\x81\\xa9");
	assert_on_terminal("\u2027\u202f\u2065\u206a", 12, "\u2027\u202f\u2065\u206a");
}
END_TEST

START_TEST(malformed_utf8_is_escaped_byte_by_byte)
{
	static const struct {
		const char *bytes, *shown;
	} cases[] = {
		{ "\x80", "\\x80" },                            /* begins in the middle */
		{ "\xc0\x8a", "\\xc0\\x8a" },                   /* overlong newline */
		{ "\xc1\xbf", "\\xc1\\xbf" },                   /* overlong DEL */
		{ "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },          /* overlong U+07FF */
		{ "\xe0\x80\x9b", "\\xe0\\x80\\x9b" },          /* overlong escape */
		{ "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" }, /* overlong U+FFFF */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* past U+10FFFF */
		{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" }, /* no lead byte */
		{ "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
		{ "\xfe\xff", "\\xfe\\xff" },
		{ "\xe2\x82", "\\xe2\\x82" },      /* cut short at the end */
		{ "\xe2\x82z", "\\xe2\\x82z" },    /* cut short by a letter */
		{ "\xe2\x1b[J", "\\xe2\\x1b[J" },  /* ... by an escape */
		{ "\xc3\xc3\xa4", "\\xc3\u00e4" }, /* the next one is whole */
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_on_terminal(cases[i].bytes, strlen(cases[i].bytes),
				   cases[i].shown);
}
END_TEST

START_TEST(a_character_cut_by_the_end_of_the_bytes_is_not_read_past_it)
{
	assert_on_terminal("\xf0\x9f\x98\x80", 1, "\\xf0");
	assert_on_terminal("\xf0\x9f\x98\x80", 3, "\\xf0\\x9f\\x98");
	assert_on_terminal("\xc3\xa4", 1, "\\xc3");
	assert_on_terminal("\r\n", 1, "\\r");
}
END_TEST

/* ---- text_one_line ----------------------------------------------------------------------- */

#define U_FFFD "\xef\xbf\xbd"

START_TEST(a_line_of_a_stranger_stays_one_line_and_nothing_is_obeyed)
{
	static const struct {
		const char *bytes, *line;
	} cases[] = {
		{ "", "" },
		{ "plain ~", "plain ~" },
		{ "\u00e4 \u20ac \U0001f600\U0010ffff",
		  "\u00e4 \u20ac \U0001f600\U0010ffff" },
		{ "a\tb", "a b" },
		{ "a\nb\r\nc\r", "a" U_FFFD "b" U_FFFD U_FFFD "c" U_FFFD },
		{ "\x1b[2J\x7f\xc2\x85", U_FFFD "[2J" U_FFFD U_FFFD },
		{ "\u2027\u2028\u202e\u202f", "\u2027" U_FFFD U_FFFD "\u202f" },
		{ "\u2065\u2066\u2069\u206a", "\u2065" U_FFFD U_FFFD "\u206a" },
		/* the example of Unicode 3.9, table 3-8, and those around it */
		{ "a\xf1\x80\x80\xe1\x80\xc2"
		  "b\x80"
		  "c\x80\xbf"
		  "d",
		  "a" U_FFFD U_FFFD U_FFFD "b" U_FFFD "c" U_FFFD U_FFFD "d" },
		{ "\xc0\xaf\xe0\x80\xbf", U_FFFD U_FFFD U_FFFD U_FFFD U_FFFD },
		{ "\xed\xa0\x80\xf4\x91\x92\x93",
		  U_FFFD U_FFFD U_FFFD U_FFFD U_FFFD U_FFFD U_FFFD },
		{ "\xe2\x82", U_FFFD },
		{ "\xf0\x9f\x98z", U_FFFD "z" },
		{ "\xff\xfe", U_FFFD U_FFFD },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char line[128];
		size_t n = text_one_line(cases[i].bytes, strlen(cases[i].bytes), line);

		ck_assert_uint_eq(n, strlen(cases[i].line));
		ck_assert_mem_eq(line, cases[i].line, n);
	}
	ck_assert_uint_eq(text_one_line("\0", 1, (char[3]){ 0 }), 3);
}
END_TEST

/* ---- text_utf8_length -------------------------------------------------------------------- */

START_TEST(every_code_point_is_found_whole_and_no_other_bytes_are_one)
{
	for (uint32_t code = 0; code < 0x200000; code++) {
		unsigned char bytes[4];
		size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		bool sound = code < 0xd800 || (code > 0xdfff && code <= 0x10ffff);

		for (size_t i = n - 1; i > 0; i--)
			bytes[i] = (unsigned char)(0x80 |
						   (code >> (6 * (n - 1 - i)) & 0x3f));
		bytes[0] = (unsigned char)(n == 1 ? code
						  : (0xf0u << (4 - n) & 0xff) |
							    code >> (6 * (n - 1)));
		if (text_utf8_length(bytes, n) != (sound ? n : 0) ||
		    text_utf8_length(bytes, n - 1) != 0)
			ck_abort_msg("U+%04" PRIX32, code);
	}
}
END_TEST

/* ---- numbers ----------------------------------------------------------------------------- */

START_TEST(a_number_is_digits_and_nothing_else)
{
	static const char
		*const bad[] = {
			"",     " ",    "-1",   "+80",      " 80",  "80 ",
			"0x50", "80x",  "8 0",  "1e3",      "80.0", "\t80",
			"80\n", "1,00", "0b11", "\xd9\xa3", /* an Arabic three */
		};
	uint64_t value = 42;

	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(!text_number(bad[i], 0, UINT64_MAX, &value),
			      "'%s' was taken for %" PRIu64, bad[i], value);
	ck_assert_uint_eq(value, 42);
	ck_assert(text_number("80", 0, UINT64_MAX, &value));
	ck_assert_uint_eq(value, 80);
	ck_assert(text_number("010", 0, UINT64_MAX, &value)); /* decimal, not octal */
	ck_assert_uint_eq(value, 10);
}
END_TEST

START_TEST(a_number_outside_its_range_is_refused)
{
	uint64_t value = 42;

	ck_assert(!text_number("0", 1, 65535, &value));
	ck_assert(!text_number("65536", 1, 65535, &value));
	ck_assert_uint_eq(value, 42);
	ck_assert(text_number("1", 1, 65535, &value));
	ck_assert_uint_eq(value, 1);
	ck_assert(text_number("65535", 1, 65535, &value));
	ck_assert_uint_eq(value, 65535);
}
END_TEST

START_TEST(a_number_too_large_for_64_bits_does_not_wrap_round)
{
	uint64_t value = 42;

	ck_assert(text_number("18446744073709551615", 0, UINT64_MAX, &value));
	ck_assert_uint_eq(value, UINT64_MAX);
	value = 42;
	ck_assert(!text_number("18446744073709551616", 0, UINT64_MAX, &value));
	ck_assert(
		!text_number("18446744073709551695", 0, 80, &value)); /* 80 modulo 2^64 */
	ck_assert(!text_number("99999999999999999999", 0, UINT64_MAX, &value));
	ck_assert_uint_eq(value, 42);
}
END_TEST

START_TEST(seconds_have_up_to_three_decimals)
{
	static const struct {
		const char *text;
		int64_t milliseconds;
	} cases[] = {
		{ "0", 0 },          { "60", 60000 },
		{ "0.5", 500 },      { "0.25", 250 },
		{ "1.001", 1001 },   { "0.0", 0 },
		{ "2.050", 2050 },   { "3600.000", 3600000 },
		{ "3600", 3600000 }, { "3599.999", 3599999 },
		{ ".5", 500 },       { ".001", 1 },
	};
	int64_t value;

	for (size_t i = 0; i < COUNT(cases); i++) {
		value = -1;
		ck_assert_msg(text_seconds(cases[i].text, 3600, &value), "%s",
			      cases[i].text);
		ck_assert_int_eq(value, cases[i].milliseconds);
	}
}
END_TEST

START_TEST(a_time_that_is_none_or_too_long_is_refused)
{
	static const char *const bad[] = {
		"",
		".",
		"1.",
		".0001",
		"..5",
		"0.0001",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1s",
		"1.5.0",
		"1e1",
		"0x1",
		"1,5",
		"inf",
		"nan",
		"3601",
		"3600.001",
		"3600.1",
		"1.-5",
		"1. 5",
		"18446744073709551616",
		"18446744073709552",
	};
	int64_t value = -1;

	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(!text_seconds(bad[i], 3600, &value),
			      "'%s' was taken for %" PRId64 " ms", bad[i], value);
	ck_assert_int_eq(value, -1);
}
END_TEST

START_TEST(the_longest_time_that_milliseconds_can_hold_is_read_right)
{
	int64_t value = -1;

	ck_assert(text_seconds("9223372036854775", INT64_MAX / 1000, &value));
	ck_assert_int_eq(value, 9223372036854775000);
	value = -1;
	ck_assert(!text_seconds("9223372036854776", INT64_MAX / 1000, &value));
	ck_assert(!text_seconds("9223372036854775.1", INT64_MAX / 1000, &value));
	ck_assert_int_eq(value, -1);
}
END_TEST

START_TEST(sizes_take_a_unit)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "65536", 65536 },
		{ "1k", 1024 },
		{ "64K", 65536 },
		{ "3m", 3 << 20 },
		{ "1M", 1 << 20 },
		{ "2g", UINT64_C(2) << 30 },
		{ "1G", 1 << 30 },
		{ "0K", 0 },
		{ "18446744073709551615", UINT64_MAX },
		{ "18014398509481983K", UINT64_MAX - 1023 },
		{ "17179869183G", UINT64_C(17179869183) << 30 },
	};
	uint64_t value;

	for (size_t i = 0; i < COUNT(cases); i++) {
		value = 42;
		ck_assert_msg(text_size(cases[i].text, 0, UINT64_MAX, &value), "%s",
			      cases[i].text);
		ck_assert_uint_eq(value, cases[i].bytes);
	}
}
END_TEST

START_TEST(a_size_that_is_none_or_out_of_range_is_refused)
{
	static const char *const bad[] = {
		"",
		"K",
		"k1",
		"1KB",
		"1KiB",
		"1T",
		"1.5K",
		"-1K",
		"+1",
		" 1",
		"1 ",
		"1 K",
		"0x10",
		"1kk",
		"1\v",
		"1-",
		"1@",
		"18446744073709551616",
		"18014398509481984K",
		"17592186044416M",
		"17179869184G",
	};
	uint64_t value = 42;

	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(!text_size(bad[i], 0, UINT64_MAX, &value),
			      "'%s' was taken for %" PRIu64, bad[i], value);
	ck_assert(!text_size("64K", 1, 65535, &value));
	ck_assert(!text_size("0", 1, 65535, &value));
	ck_assert(!text_size("1k", 1025, 65535, &value));
	ck_assert_uint_eq(value, 42);
	ck_assert(text_size("64k", 65536, 65536, &value));
	ck_assert_uint_eq(value, 65536);
}
END_TEST

/* ---- times ----------------------------------------------------------------------------- */

START_TEST(a_time_is_read_as_it_is_written)
{
	static const struct {
		const char *text;
		struct timespec time;
	} times[] = {
		{ "0", { 0, 0 } },
		{ "1700000000", { 1700000000, 0 } },
		{ "1700000000.123456789", { 1700000000, 123456789 } },
		{ "0.000000001", { 0, 1 } },
		{ "-1", { -1, 0 } },
		{ "-0.500000000", { -1, 500000000 } },
		{ "-1.000000001", { -2, 999999999 } },
	};
	char text[TEXT_TIMESTAMP];
	struct timespec time;

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		ck_assert_str_eq(text_timestamp(times[i].time, text), times[i].text);
		ck_assert_msg(text_read_timestamp(times[i].text, &time), "%s",
			      times[i].text);
		ck_assert_int_eq(time.tv_sec, times[i].time.tv_sec);
		ck_assert_int_eq(time.tv_nsec, times[i].time.tv_nsec);
	}
	ck_assert(text_read_timestamp("1.5", &time));
	ck_assert_int_eq(time.tv_nsec, 500000000);
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
	static const char *const texts[] = {
		"",
		"-",
		".",
		".5",
		"1.",
		"+1",
		" 1",
		"1 ",
		"--1",
		"1.-5",
		"1e",
		"0x1",
		"1.5.",
		"1,5",
		"1.0123456789",
		"9223372036854775808",
		"-99999999999999999999",
	};
	struct timespec time;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		ck_assert_msg(!text_read_timestamp(texts[i], &time), "'%s'", texts[i]);
}
END_TEST

/* ---- text_unescape --------------------------------------------------------------------- */

static const struct {
	const char *text, *bytes;
	size_t length;
} escapes[] = {
	{ "", "", 0 },
	{ "plain", "plain", 5 },
	{ "hello\\r\\n", "hello\r\n", 7 },
	{ "\\t\\a\\b\\f\\v\\\\\\\"\\'", "\t\a\b\f\v\\\"'", 8 },
	{ "a\\0b", "a\0b", 3 },
	{ "\\0123\\7", "\n3\a", 3 },
	{ "\\x0ag\\xFf", "\ng\xff", 3 },
	{ "\\377", "\xff", 1 },
};

START_TEST(escapes_of_c_become_bytes)
{
	char out[32];
	size_t length = 99;

	ck_assert(text_unescape(escapes[_i].text, out, &length));
	ck_assert_uint_eq(length, escapes[_i].length);
	ck_assert_mem_eq(out, escapes[_i].bytes, length);
}
END_TEST

static const char *const no_escapes[] = { "\\",    "a\\", "\\q",   "\\x",  "\\xa",
					  "\\xg0", "\\8", "\\400", "\\x0g" };

START_TEST(other_backslashes_are_refused)
{
	char out[32];
	size_t length;

	ck_assert(!text_unescape(no_escapes[_i], out, &length));
}
END_TEST

Suite *suite_text(void)
{
	Suite *suite = suite_create("text");
	TCase *escape = tcase_create("escape"), *terminal = tcase_create("terminal");
	TCase *utf8 = tcase_create("UTF-8"), *numbers = tcase_create("numbers");

	tcase_add_loop_test(escape, escapes_of_c_become_bytes, 0,
			    (int)(sizeof escapes / sizeof *escapes));
	tcase_add_loop_test(escape, other_backslashes_are_refused, 0,
			    (int)(sizeof no_escapes / sizeof *no_escapes));
	tcase_add_test(escape, plain_text_is_shown_as_it_is);
	tcase_add_test(escape, bytes_that_act_on_a_terminal_are_shown_as_escapes);
	tcase_add_test(escape, an_escape_cannot_be_forged_with_a_backslash);
	tcase_add_test(escape,
		       between_quotes_a_quote_is_escaped_and_nothing_else_is_different);
	tcase_add_test(escape, every_byte_has_its_own_printable_escape);
	tcase_add_test(escape, what_does_not_fit_is_cut_between_escapes_and_marked);
	suite_add_tcase(suite, escape);
	tcase_add_test(terminal, lines_tabs_and_backslashes_reach_the_terminal);
	tcase_add_test(terminal, utf8_reaches_the_terminal);
	tcase_add_test(terminal, what_a_terminal_would_obey_is_escaped);
	tcase_add_test(terminal, a_carriage_return_alone_cannot_overwrite_the_line);
	tcase_add_test(terminal, c1_controls_are_escaped_in_both_encodings);
	tcase_add_test(terminal, what_turns_the_direction_or_ends_a_line_is_escaped);
	tcase_add_test(terminal, malformed_utf8_is_escaped_byte_by_byte);
	tcase_add_test(terminal,
		       a_character_cut_by_the_end_of_the_bytes_is_not_read_past_it);
	suite_add_tcase(suite, terminal);
	tcase_add_test(utf8, a_line_of_a_stranger_stays_one_line_and_nothing_is_obeyed);
	tcase_add_test(utf8, every_code_point_is_found_whole_and_no_other_bytes_are_one);
	suite_add_tcase(suite, utf8);
	tcase_add_test(numbers, a_number_is_digits_and_nothing_else);
	tcase_add_test(numbers, a_number_outside_its_range_is_refused);
	tcase_add_test(numbers, a_number_too_large_for_64_bits_does_not_wrap_round);
	tcase_add_test(numbers, seconds_have_up_to_three_decimals);
	tcase_add_test(numbers, a_time_that_is_none_or_too_long_is_refused);
	tcase_add_test(numbers,
		       the_longest_time_that_milliseconds_can_hold_is_read_right);
	tcase_add_test(numbers, sizes_take_a_unit);
	tcase_add_test(numbers, a_size_that_is_none_or_out_of_range_is_refused);
	tcase_add_test(numbers, a_time_is_read_as_it_is_written);
	tcase_add_test(numbers, what_is_no_time_is_refused);
	suite_add_tcase(suite, numbers);
	return suite;
}
