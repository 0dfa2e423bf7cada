/*
 * Strings for JSON: whatever a stranger's text is, the document stays one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "tests/suites.h"

/* What is written for a text; to be freed. */
static char *written(const char *text)
{
	char *out = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&out, &length);

	ck_assert_ptr_nonnull(stream);
	json_write_string(stream, text);
	ck_assert_int_eq(fclose(stream), 0);
	return out;
}

static void assert_written(const char *text, const char *expected)
{
	char *out = written(text);

	ck_assert_str_eq(out, expected);
	free(out);
}

START_TEST(plain_text_is_quoted)
{
	assert_written("", "\"\"");
	assert_written("localhost", "\"localhost\"");
	assert_written("a/b 'c' 100%s", "\"a/b 'c' 100%s\"");
}
END_TEST

START_TEST(a_text_cannot_end_its_string)
{
	assert_written("\",\"x\":\"", "\"\\\",\\\"x\\\":\\\"\"");
	assert_written("\\", "\"\\\\\"");
	assert_written("\\\"", "\"\\\\\\\"\"");
}
END_TEST

START_TEST(controls_are_escaped)
{
	assert_written("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
	assert_written("\x01\x1b[2J\x1f\x7f", "\"\\u0001\\u001b[2J\\u001f\\u007f\"");
	assert_written("\xc2\x80\xc2\x9b\xc2\x9f", "\"\\u0080\\u009b\\u009f\"");
}
END_TEST

START_TEST(utf8_stays_as_it_is)
{
	assert_written("\u00a0\u00e4\u20ac\u65e5\U0010ffff",
		       "\"\u00a0\u00e4\u20ac\u65e5\U0010ffff\"");
}
END_TEST

START_TEST(what_is_not_utf8_is_replaced_byte_by_byte)
{
	assert_written("\xff", "\"\ufffd\"");
	assert_written("a\xe4z", "\"a\ufffdz\"");
	assert_written("\xe2\x82", "\"\ufffd\ufffd\"");           /* cut short */
	assert_written("\xed\xa0\x80", "\"\ufffd\ufffd\ufffd\""); /* a surrogate */
	assert_written("\xc0\xa2", "\"\ufffd\ufffd\"");           /* an overlong quote */
	assert_written("\xe2\"\xc3\xa4", "\"\ufffd\\\"\u00e4\""); /* the quote is seen */
}
END_TEST

/* Whether it is UTF-8 with no bare control in it, closed where it ends and nowhere else. */
static bool is_one_string(const char *out)
{
	size_t length = strlen(out), i = 1;

	if (length < 2 || out[0] != '"' || out[length - 1] != '"')
		return false;
	while (i < length - 1) {
		size_t n = text_utf8_length(out + i, length - i);

		if (n == 0 || (unsigned char)out[i] < ' ' || out[i] == '"')
			return false;
		i += out[i] == '\\' ? 2 : n;
	}
	return i == length - 1;
}

START_TEST(every_pair_of_bytes_gives_one_string)
{
	for (int pair = 0; pair < 65536; pair++) {
		char text[3] = { (char)(pair >> 8), (char)pair, '\0' };
		char *out = written(text);

		if (!is_one_string(out))
			ck_abort_msg("%04x: %s", (unsigned)pair, out);
		free(out);
	}
}
END_TEST

Suite *suite_json(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("strings");

	tcase_add_test(tcase, plain_text_is_quoted);
	tcase_add_test(tcase, a_text_cannot_end_its_string);
	tcase_add_test(tcase, controls_are_escaped);
	tcase_add_test(tcase, utf8_stays_as_it_is);
	tcase_add_test(tcase, what_is_not_utf8_is_replaced_byte_by_byte);
	tcase_add_test(tcase, every_pair_of_bytes_gives_one_string);
	suite_add_tcase(suite, tcase);
	return suite;
}
