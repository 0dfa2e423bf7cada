/*
 * Lines as words, and words in quotes.
 */
#include <stdio.h>
#include <string.h>

#include "common/words.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { MOST = 4, TEXT = 200 };

static char line[TEXT];
static char *words[MOST];
static const char *reason;

static int split(const char *text)
{
	snprintf(line, sizeof line, "%s", text);
	return words_split(line, strlen(line), words, MOST, &reason);
}

START_TEST(words_are_separated_by_spaces)
{
	ck_assert_int_eq(split("  one two   three "), 3);
	ck_assert_str_eq(words[0], "one");
	ck_assert_str_eq(words[1], "two");
	ck_assert_str_eq(words[2], "three");
	ck_assert_int_eq(split(""), 0);
	ck_assert_int_eq(split("   "), 0);
	ck_assert_int_eq(split("a b c d"), MOST);
}
END_TEST

START_TEST(a_word_in_quotes_may_hold_anything)
{
	ck_assert_int_eq(split("\"a b\" \"\" \"\\\"\\\\\" c"), 4);
	ck_assert_str_eq(words[0], "a b");
	ck_assert_str_eq(words[1], "");
	ck_assert_str_eq(words[2], "\"\\");
	ck_assert_str_eq(words[3], "c");
}
END_TEST

START_TEST(quotes_that_are_wrong_are_refused_with_a_reason)
{
	static const struct {
		const char *text, *reason;
	} wrong[] = {
		{ "\"a", "unterminated quote" },
		{ "\"", "unterminated quote" },
		{ "\"a\\", "in quotes a backslash must precede \" or \\" },
		{ "\"a\\n\"", "in quotes a backslash must precede \" or \\" },
		{ "\"a\"b", "no space after a closing quote" },
		{ "a\"b\"", "a word with \" or \\ in it must be in quotes" },
		{ "a\\ b", "a word with \" or \\ in it must be in quotes" },
		{ "a b c d e", "too many words" },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ck_assert_msg(split(wrong[i].text) == -1, "%s", wrong[i].text);
		ck_assert_str_eq(reason, wrong[i].reason);
	}
	memcpy(line, "a\0b", 3);
	ck_assert_int_eq(words_split(line, 3, words, MOST, &reason), -1);
	ck_assert_str_eq(reason, "NUL byte");
}
END_TEST

START_TEST(a_word_is_read_as_it_is_written)
{
	static const char *const all[] = { "a", "a b", "", "\"", "\\", "\\\"", " ", "é" };
	char quoted[WORDS_QUOTED(8)];

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		ck_assert_uint_eq(words_quote(all[i], quoted), strlen(quoted));
		ck_assert_int_eq(split(quoted), 1);
		ck_assert_str_eq(words[0], all[i]);
	}
	words_quote("plain", quoted);
	ck_assert_str_eq(quoted, "plain");
}
END_TEST

Suite *suite_words(void)
{
	Suite *suite = suite_create("words");
	TCase *tcase = add_case(suite, "words");

	tcase_add_test(tcase, words_are_separated_by_spaces);
	tcase_add_test(tcase, a_word_in_quotes_may_hold_anything);
	tcase_add_test(tcase, quotes_that_are_wrong_are_refused_with_a_reason);
	tcase_add_test(tcase, a_word_is_read_as_it_is_written);
	return suite;
}
