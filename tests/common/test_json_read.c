/*
 * The reader of JSON: what RFC 8259 allows is read as it says, and nothing else is.
 */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_read.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

static struct json_tree tree;
static struct failure failure;

/* The reader gets a block of exactly that size: a sanitizer sees a read beyond it. */
static int read_bytes(const char *bytes, size_t length)
{
	char *block = malloc(length > 0 ? length : 1);
	int result;

	ck_assert_ptr_nonnull(block);
	memcpy(block, bytes, length);
	result = json_read(&tree, block, length, &failure);
	free(block);
	return result;
}

static const struct json_value *read_text(const char *text)
{
	ck_assert_msg(read_bytes(text, strlen(text)) == 0, "%s: %s", text, failure.text);
	return tree.root;
}

static void expect_refused(const char *bytes, size_t length, const char *reason)
{
	ck_assert_msg(read_bytes(bytes, length) < 0, "%s: not refused", bytes);
	ck_assert_str_eq(failure.text, reason);
	ck_assert_ptr_null(tree.root);
}

/* ---- what is valid --------------------------------------------------------------------- */

static const struct {
	const char *text;
	double number;
} numbers[] = {
	{ "0", 0 },
	{ "-0", 0 },
	{ "7", 7 },
	{ "-12", -12 },
	{ "1234567890123", 1234567890123 },
	{ "0.5", 0.5 },
	{ "10.25", 10.25 },
	{ "1e3", 1000 },
	{ "1E+3", 1000 },
	{ "25e-2", 0.25 },
	{ "-1.5e1", -15 },
	{ "1.7976931348623157e308", DBL_MAX },
	{ "1e-9999", 0 }, /* too small is 0 */
	{ " \t\r\n4 \t\r\n", 4 },
};

START_TEST(numbers_are_read)
{
	double number = -1;

	ck_assert(json_number(read_text(numbers[_i].text), &number));
	ck_assert(number == numbers[_i].number);
	json_free(&tree);
}
END_TEST

static const struct {
	const char *json, *text;
} strings[] = {
	{ "\"\"", "" },
	{ "\"plain 'text' 100%s\"", "plain 'text' 100%s" },
	{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
	{ "\"\\u0041\\u00e4\\u20AC\\u20ac\"", "A\u00e4\u20ac\u20ac" },
	{ "\"\\ud834\\udd1e\"", "\U0001d11e" }, /* the example of section 7 */
	{ "\"\\ud800\\udc00\\udbff\\udfff\"", "\U00010000\U0010ffff" },
	{ "\"\u00e4\u20ac\U0001d11e\x7f\"", "\u00e4\u20ac\U0001d11e\x7f" },
	{ "\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "\x7f\xc2\x80\u07ff\u0800\uffff" },
};

START_TEST(strings_are_unescaped)
{
	ck_assert_str_eq(json_text(read_text(strings[_i].json)), strings[_i].text);
	json_free(&tree);
}
END_TEST

START_TEST(words_are_read)
{
	static const char *const words[] = { "null", "false", "true" };
	static const enum json_kind kinds[] = { JSON_NULL, JSON_FALSE, JSON_TRUE };

	ck_assert_int_eq(read_text(words[_i])->kind, kinds[_i]);
	json_free(&tree);
}
END_TEST

START_TEST(members_and_elements_are_found)
{
	const struct json_value *root =
		read_text(" { \"a\" : [ 1 , \"two\" , [ ] , { } , null ] ,\n"
			  " \"b\\u0063\":{\"deep\":true} } ");
	const struct json_value *element = json_first(json_member(root, "a"));
	double number = 0;

	ck_assert_int_eq(root->kind, JSON_OBJECT);
	ck_assert(json_number(element, &number) && number == 1);
	ck_assert_ptr_null(element->name);
	element = element->next;
	ck_assert_str_eq(json_text(element), "two");
	element = element->next;
	ck_assert_int_eq(element->kind, JSON_ARRAY);
	ck_assert_ptr_null(json_first(element));
	element = element->next;
	ck_assert_int_eq(element->kind, JSON_OBJECT);
	ck_assert_ptr_null(json_first(element));
	element = element->next;
	ck_assert_int_eq(element->kind, JSON_NULL);
	ck_assert_ptr_null(element->next);
	ck_assert_int_eq(json_member(json_member(root, "bc"), "deep")->kind, JSON_TRUE);
	ck_assert_ptr_null(json_member(root, "c"));
	json_free(&tree);
}
END_TEST

START_TEST(a_value_of_another_kind_is_not_taken)
{
	const struct json_value *root = read_text("[1, \"text\"]");
	double number = 5;

	ck_assert_ptr_null(json_member(root, "a"));
	ck_assert_ptr_null(json_text(json_first(root)));
	ck_assert_ptr_null(json_first(json_first(root)));
	ck_assert(!json_number(json_first(root)->next, &number));
	ck_assert(!json_number(NULL, &number));
	ck_assert(number == 5);
	ck_assert_ptr_null(json_text(NULL));
	ck_assert_ptr_null(json_first(NULL));
	ck_assert_ptr_null(json_member(NULL, "a"));
	json_free(&tree);
}
END_TEST

START_TEST(the_last_of_two_members_counts)
{
	const struct json_value *root = read_text("{\"a\":1,\"b\":2,\"\\u0061\":3}");
	double number = 0;

	ck_assert(json_number(json_member(root, "a"), &number) && number == 3);
	ck_assert(json_number(json_first(root), &number) && number == 1);
	json_free(&tree);
}
END_TEST

/* ---- what is not ----------------------------------------------------------------------- */

#define BYTES(text) text, sizeof text - 1

static const struct {
	const char *bytes;
	size_t length;
	const char *reason;
} malformed[] = {
	{ BYTES(""), "line 1: a value expected, not the end of the text" },
	{ BYTES(" \n\n"), "line 3: a value expected, not the end of the text" },
	{ BYTES("\xef\xbb\xbf{}"), "line 1: a value expected, not '\\xef'" },
	{ BYTES("\0"), "line 1: a value expected, not '\\x00'" },
	{ BYTES("nul"), "line 1: a value expected, not 'n'" },
	{ BYTES("True"), "line 1: a value expected, not 'T'" },
	{ BYTES("NaN"), "line 1: a value expected, not 'N'" },
	{ BYTES("Infinity"), "line 1: a value expected, not 'I'" },
	{ BYTES("'a'"), "line 1: a value expected, not '''" },
	{ BYTES("/**/1"), "line 1: a value expected, not '/'" },
	{ BYTES("\f1"), "line 1: a value expected, not '\\x0c'" },
	{ BYTES("1 2"), "line 1: the end of the text expected, not '2'" },
	{ BYTES("{}\n}"), "line 2: the end of the text expected, not '}'" },
	{ BYTES("1\0"), "line 1: the end of the text expected, not '\\x00'" },
	{ BYTES("truer"), "line 1: the end of the text expected, not 'r'" },
	{ BYTES("+1"), "line 1: a value expected, not '+'" },
	{ BYTES(".5"), "line 1: a value expected, not '.'" },
	{ BYTES("-"), "line 1: a '-' without a digit after it" },
	{ BYTES("-inf"), "line 1: a '-' without a digit after it" },
	{ BYTES("01"), "line 1: a number with a leading 0" },
	{ BYTES("-00"), "line 1: a number with a leading 0" },
	{ BYTES("0x10"), "line 1: the end of the text expected, not 'x'" },
	{ BYTES("1."), "line 1: a number without a digit after its point" },
	{ BYTES("1.e5"), "line 1: a number without a digit after its point" },
	{ BYTES("1e"), "line 1: a number without a digit in its exponent" },
	{ BYTES("1e+"), "line 1: a number without a digit in its exponent" },
	{ BYTES("1e999"), "line 1: a number out of range" },
	{ BYTES("-1e999"), "line 1: a number out of range" },
	{ BYTES("\"a"), "line 1: a string without its end" },
	{ BYTES("\"a\\"), "line 1: one of \"\\/bfnrtu after a backslash expected, "
			  "not the end of the text" },
	{ BYTES("\"a\nb\""), "line 1: a string without its end" },
	{ BYTES("\"a\tb\""), "line 1: a string with a control character" },
	{ BYTES("\"a\0b\""), "line 1: a string with a control character" },
	{ BYTES("\"\\x41\""),
	  "line 1: one of \"\\/bfnrtu after a backslash expected, not 'x'" },
	{ BYTES("\"\\\0\""),
	  "line 1: one of \"\\/bfnrtu after a backslash expected, not '\\x00'" },
	{ BYTES("\"\\u0000\""), "line 1: a string with \\u0000" },
	{ BYTES("\"\\u12"), "line 1: \\u without four hexadecimal digits after it" },
	{ BYTES("\"\\u12g4\""), "line 1: \\u without four hexadecimal digits after it" },
	{ BYTES("\"\\u12\0\0\""),
	  "line 1: \\u without four hexadecimal digits after it" },
	{ BYTES("\"\\ud834\""), "line 1: half of a surrogate pair" },
	{ BYTES("\"\\ud834\\n\""), "line 1: half of a surrogate pair" },
	{ BYTES("\"\\ud834\\u0041\""), "line 1: half of a surrogate pair" },
	{ BYTES("\"\\ud834\\ud834\""), "line 1: half of a surrogate pair" },
	{ BYTES("\"\\udd1e\\ud834\""), "line 1: half of a surrogate pair" },
	{ BYTES("\"\\udc00\\udc00\""), "line 1: half of a surrogate pair" },
	{ BYTES("\"\xff\""), "line 1: a string that is not UTF-8" },
	{ BYTES("\"\xc0\xa2\""), "line 1: a string that is not UTF-8" },
	{ BYTES("\"\xed\xa0\x80\""), "line 1: a string that is not UTF-8" },
	{ BYTES("\"\xe2\x82"), "line 1: a string that is not UTF-8" },
	{ BYTES("["), "line 1: a value expected, not the end of the text" },
	{ BYTES("[1"), "line 1: ',' or ']' expected, not the end of the text" },
	{ BYTES("[1,]"), "line 1: a value expected, not ']'" },
	{ BYTES("[,1]"), "line 1: a value expected, not ','" },
	{ BYTES("[1 2]"), "line 1: ',' or ']' expected, not '2'" },
	{ BYTES("[1}"), "line 1: ',' or ']' expected, not '}'" },
	{ BYTES("{\n\"a\":1,\n}"),
	  "line 3: the name of a member in quotation marks expected, not '}'" },
	{ BYTES("{a:1}"),
	  "line 1: the name of a member in quotation marks expected, not 'a'" },
	{ BYTES("{\"a\""), "line 1: ':' expected, not the end of the text" },
	{ BYTES("{\"a\" 1}"), "line 1: ':' expected, not '1'" },
	{ BYTES("{\"a\":}"), "line 1: a value expected, not '}'" },
	{ BYTES("{\"a\":1 \"b\":2}"), "line 1: ',' or '}' expected, not '\"'" },
	{ BYTES("{\"a\":1]"), "line 1: ',' or '}' expected, not ']'" },
};

START_TEST(anything_else_is_refused)
{
	expect_refused(malformed[_i].bytes, malformed[_i].length, malformed[_i].reason);
}
END_TEST

/* GIVEN an escape that becomes a newline, WHEN an error follows it, THEN the newline does
 * not count as a line. */
START_TEST(an_escaped_newline_is_no_line)
{
	expect_refused(BYTES("[\"\\n\\n\",\n?]"), "line 2: a value expected, not '?'");
}
END_TEST

START_TEST(a_text_that_is_cut_anywhere_is_refused)
{
	static const char text[] =
		"{\"a\": [1.5e3, -2, \"\\ud834\\udd1e\\n\u20ac\", true, false, null]}";

	for (size_t length = 0; length < sizeof text - 1; length++)
		ck_assert_msg(read_bytes(text, length) < 0, "%.*s", (int)length, text);
	ck_assert_int_eq(read_bytes(text, sizeof text - 1), 0);
	json_free(&tree);
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------- */

static void fill(char *text, unsigned depth)
{
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[2 * depth] = '\0';
}

START_TEST(the_depth_is_limited)
{
	char text[2 * JSON_DEPTH + 3];
	static char many[300000];

	fill(text, JSON_DEPTH);
	(void)read_text(text);
	json_free(&tree);
	fill(text, JSON_DEPTH + 1);
	expect_refused(text, strlen(text),
		       "line 1: too many arrays and objects within each other");
	memset(many, '[', sizeof many);
	expect_refused(many, sizeof many,
		       "line 1: too many arrays and objects within each other");
}
END_TEST

/* "[0,0,...,0]": with the array itself there are so many values. */
static char *array_of(size_t values, size_t *length)
{
	char *text = much_memory(2 * values);

	*length = 2 * (values - 1) + 1;
	for (size_t i = 0; i < *length; i++)
		text[i] = i % 2 == 0 ? ',' : '0';
	text[0] = '[';
	text[*length - 1] = ']';
	return text;
}

START_TEST(the_number_of_values_is_limited)
{
	size_t length;
	char *text = array_of(JSON_VALUES, &length);

	ck_assert_msg(json_read(&tree, text, length, &failure) == 0, "%s", failure.text);
	json_free(&tree);
	text = array_of(JSON_VALUES + 1, &length);
	ck_assert_int_eq(json_read(&tree, text, length, &failure), -1);
	ck_assert_str_eq(failure.text, "line 1: too many values");
}
END_TEST

START_TEST(the_length_is_limited)
{
	char *text = much_memory(JSON_BYTES + 1);

	memset(text, ' ', JSON_BYTES + 1);
	text[0] = '1';
	ck_assert_msg(json_read(&tree, text, JSON_BYTES, &failure) == 0, "%s",
		      failure.text);
	json_free(&tree);
	ck_assert_int_eq(json_read(&tree, text, JSON_BYTES + 1, &failure), -1);
	ck_assert_str_eq(failure.text, "longer than 16 MiB");
}
END_TEST

Suite *suite_json_read(void)
{
	Suite *suite = suite_create("json_read");
	TCase *tcase = add_case(suite, "valid");

	tcase_add_loop_test(tcase, numbers_are_read, 0,
			    (int)(sizeof numbers / sizeof *numbers));
	tcase_add_loop_test(tcase, strings_are_unescaped, 0,
			    (int)(sizeof strings / sizeof *strings));
	tcase_add_loop_test(tcase, words_are_read, 0, 3);
	tcase_add_test(tcase, members_and_elements_are_found);
	tcase_add_test(tcase, a_value_of_another_kind_is_not_taken);
	tcase_add_test(tcase, the_last_of_two_members_counts);

	tcase = add_case(suite, "malformed");
	tcase_add_loop_test(tcase, anything_else_is_refused, 0,
			    (int)(sizeof malformed / sizeof *malformed));
	tcase_add_test(tcase, an_escaped_newline_is_no_line);
	tcase_add_test(tcase, a_text_that_is_cut_anywhere_is_refused);

	tcase = add_case(suite, "limits");
	tcase_add_test(tcase, the_depth_is_limited);
	tcase_add_test(tcase, the_number_of_values_is_limited);
	tcase_add_test(tcase, the_length_is_limited);
	return suite;
}
