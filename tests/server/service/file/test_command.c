/*
 * The lines of the file protocol: where they end, what they ask for, and what a file may be
 * called. That a line is read the same wherever it is cut, suite fuzz sees.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/service/file/command.h"
#include "server/service/file/name.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct file_command command;
static struct failure why;

static int read_line(const char *line)
{
	why.text[0] = '\0';
	return file_command_read(&command, line, strlen(line), &why);
}

/* ---- what is asked for ----------------------------------------------------------------- */

START_TEST(an_upload_has_a_name_a_size_and_a_time)
{
	ck_assert_int_eq(read_line("PUT \"a dir/b.txt\" 5000000000 1700000000.25"), 0);
	ck_assert_int_eq(command.verb, FILE_PUT);
	ck_assert_str_eq(command.name, "a dir/b.txt");
	ck_assert_uint_eq(command.size, 5000000000);
	ck_assert_int_eq(command.modified.tv_sec, 1700000000);
	ck_assert_int_eq(command.modified.tv_nsec, 250000000);
	ck_assert_int_eq(read_line("put b 9223372036854775807 -1"), 0);
	ck_assert_uint_eq(command.size, INT64_MAX);
	ck_assert_int_eq(command.modified.tv_sec, -1);
	ck_assert(!command.without_sum);
	ck_assert_int_eq(read_line("PUT c 1 2 NoSum"), 0);
	ck_assert(command.without_sum);
}
END_TEST

START_TEST(a_download_may_have_an_offset_and_be_without_sum)
{
	ck_assert_int_eq(read_line("GET a"), 0);
	ck_assert_int_eq(command.verb, FILE_GET);
	ck_assert_uint_eq(command.offset, 0);
	ck_assert(!command.without_sum);
	ck_assert_int_eq(read_line("GET a 7"), 0);
	ck_assert_uint_eq(command.offset, 7);
	ck_assert(!command.without_sum);
	ck_assert_int_eq(read_line("GET a 7 nosum"), 0);
	ck_assert_uint_eq(command.offset, 7);
	ck_assert(command.without_sum);
	ck_assert_int_eq(read_line("Get nosum NOSUM"), 0);
	ck_assert_str_eq(command.name, "nosum");
	ck_assert_uint_eq(command.offset, 0);
	ck_assert(command.without_sum);
}
END_TEST

START_TEST(the_other_commands_are_read)
{
	ck_assert_int_eq(read_line("LIST"), 0);
	ck_assert_int_eq(command.verb, FILE_LIST);
	ck_assert_ptr_null(command.name);
	ck_assert_int_eq(read_line("list a/b"), 0);
	ck_assert_str_eq(command.name, "a/b");
	ck_assert_int_eq(read_line("STAT a"), 0);
	ck_assert_int_eq(command.verb, FILE_STAT);
	ck_assert_int_eq(read_line("SUM 4294967295"), 0);
	ck_assert_int_eq(command.verb, FILE_SUM);
	ck_assert_uint_eq(command.crc, 4294967295);
	ck_assert_int_eq(read_line("SUM -"), 0);
	ck_assert(command.without_sum);
	ck_assert_int_eq(read_line("HELP"), 0);
	ck_assert_int_eq(command.verb, FILE_HELP);
	ck_assert_int_eq(read_line("  QUIT  "), 0);
	ck_assert_int_eq(command.verb, FILE_QUIT);
}
END_TEST

START_TEST(what_is_wrong_is_reported_with_its_culprit)
{
	static const struct {
		const char *line, *why;
	} wrong[] = {
		{ "", "empty line (HELP lists the commands)" },
		{ "FETCH a", "command \"FETCH\": unknown (HELP lists the commands)" },
		{ "\x1b[2J", "command \"\\x1b[2J\": unknown (HELP lists the commands)" },
		{ "GET", "usage: GET name [offset] [nosum]" },
		{ "QUIT now", "usage: QUIT" },
		{ "PUT a b c 1 1", "malformed line: too many words" },
		{ "PUT a b 1 1",
		  "size \"b\": not a number from 0 to 9223372036854775807" },
		{ "PUT a 1", "usage: PUT name size mtime [nosum]" },
		{ "PUT a 1 1 sum",
		  "unexpected argument \"sum\": usage: PUT name size mtime [nosum]" },
		{ "STAT \"a", "malformed line: unterminated quote" },
		{ "STAT ../a", "name \"../a\": path component begins with a dot" },
		{ "PUT a -1 1",
		  "size \"-1\": not a number from 0 to 9223372036854775807" },
		{ "PUT a 9223372036854775808 1",
		  "size \"9223372036854775808\": not a number from 0 to "
		  "9223372036854775807" },
		{ "PUT a 1k 1",
		  "size \"1k\": not a number from 0 to 9223372036854775807" },
		{ "PUT a 1 noon", "time \"noon\": not a time in seconds since 1970" },
		{ "PUT a 1 1 sum",
		  "unexpected argument \"sum\": usage: PUT name size mtime [nosum]" },
		{ "GET a 0x1",
		  "offset \"0x1\": not a number from 0 to 9223372036854775807" },
		{ "GET a 1 sum",
		  "unexpected argument \"sum\": usage: GET name [offset] [nosum]" },
		{ "GET a nosum 1",
		  "unexpected argument \"nosum\": usage: GET name [offset] [nosum]" },
		{ "SUM 4294967296", "sum \"4294967296\": not a CRC of cksum(1) or -" },
		{ "SUM --", "sum \"--\": not a CRC of cksum(1) or -" },
	};

	for (size_t i = 0; i < COUNT(wrong); i++) {
		ck_assert_msg(read_line(wrong[i].line) == -1, "%s", wrong[i].line);
		ck_assert_str_eq(why.text, wrong[i].why);
	}
}
END_TEST

/* ---- where a line ends ----------------------------------------------------------------- */

/* A line of @p length bytes and its end, in pieces; then another one, which must be found
 * whole. @return what the first one was */
static enum file_line_found find(size_t length, const char *end, size_t piece)
{
	static char bytes[3 * FILE_LINE];
	struct file_line line = { 0 };
	size_t n = length + strlen(end), used = 0, have = 0;
	enum file_line_found found = FILE_LINE_PART;

	memset(bytes, 'a', length);
	memcpy(bytes + length, end, strlen(end));
	memcpy(bytes + n, "LIST\n", 5);
	while (found == FILE_LINE_PART) {
		have = have + piece < n ? have + piece : n;
		found = file_line_find(&line, bytes + used, have - used);
		used += line.taken;
	}
	if (found == FILE_LINE_WHOLE)
		ck_assert_uint_eq(line.length, length);
	ck_assert_uint_eq(used, n);
	ck_assert_int_eq(file_line_find(&line, bytes + used, 5), FILE_LINE_WHOLE);
	ck_assert_uint_eq(line.length, 4);
	return found;
}

START_TEST(a_line_has_at_most_8192_bytes_wherever_it_is_cut)
{
	static const size_t pieces[] = { 1, 2, 3, 4096, 8191, 8192, 8193, 8194, 20000 };

	for (size_t i = 0; i < COUNT(pieces); i++) {
		ck_assert_int_eq(find(0, "\n", pieces[i]), FILE_LINE_WHOLE);
		ck_assert_int_eq(find(0, "\r\n", pieces[i]), FILE_LINE_WHOLE);
		ck_assert_int_eq(find(8192, "\n", pieces[i]), FILE_LINE_WHOLE);
		ck_assert_int_eq(find(8192, "\r\n", pieces[i]), FILE_LINE_WHOLE);
		ck_assert_int_eq(find(8193, "\n", pieces[i]), FILE_LINE_TOO_LONG);
		ck_assert_int_eq(find(8193, "\r\n", pieces[i]), FILE_LINE_TOO_LONG);
		ck_assert_int_eq(find(8194, "\n", pieces[i]), FILE_LINE_TOO_LONG);
		ck_assert_int_eq(find(16000, "\n", pieces[i]), FILE_LINE_TOO_LONG);
	}
}
END_TEST

/* A client that never ends its line must not fill the memory. */
START_TEST(a_line_without_end_is_not_kept)
{
	static char bytes[FILE_LINE + 2];
	struct file_line line = { 0 };

	memset(bytes, 'a', sizeof bytes);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(file_line_find(&line, bytes, sizeof bytes),
				 FILE_LINE_PART);
		ck_assert_uint_eq(line.taken, sizeof bytes);
	}
}
END_TEST

/* ---- names ----------------------------------------------------------------------------- */

START_TEST(names_are_relative_visible_text)
{
	static const char *const good[] = { "a",    "a/b/c.txt",   "a b",
					    "a..b", "a.",          "~",
					    "-",    "caf\xc3\xa9", "\xe2\x82\xac",
					    "a\\b", "%2F",         "\xc2\xa0" };
	static const char *const bad[] = {
		"",       "/",    "/a",       "a/",           "a//b",    ".",     "..",
		"a/../b", ".a",   "a/.b",     "a\tb",         "a\nb",    "a\x7f", "\x1b",
		"\xff",   "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xc2\x9b"
	};

	for (size_t i = 0; i < COUNT(good); i++)
		ck_assert_msg(name_flaw(good[i]) == NULL, "%s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(name_flaw(bad[i]) != NULL, "%zu", i);
}
END_TEST

START_TEST(names_have_the_length_that_a_file_can_have)
{
	static char name[NAME_MOST + 2];

	memset(name, 'n', NAME_PART_MOST);
	ck_assert_ptr_null(name_flaw(name));
	name[NAME_PART_MOST] = 'n';
	ck_assert_str_eq(name_flaw(name), "path component too long");
	for (size_t i = 0; i < NAME_MOST; i++)
		name[i] = i % 2 ? '/' : 'n';
	ck_assert_ptr_null(name_flaw(name));
	memcpy(name + NAME_MOST, "n", 2);
	ck_assert_str_eq(name_flaw(name), "too long");
}
END_TEST

START_TEST(no_two_names_have_the_same_part)
{
	static const char *const names[] = { "a",   "a/b",     "a%2Fb", "a%252Fb",
					     "a%h", "A",       "a/b/c", "a%2Fb/c",
					     "pa",  "\xc3\xa9" };
	char first[FILE_PART_NAME], second[FILE_PART_NAME];

	for (size_t i = 0; i < COUNT(names); i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(file_name_of_part(names[i], FILE_PART, first),
					 file_name_of_part(names[j], FILE_PART, second));
	ck_assert_str_eq(file_name_of_part("a/100%", FILE_PART, first), "pa%2F100%25");
	ck_assert_str_eq(file_name_of_part("a", FILE_STATE, first), "sa");
}
END_TEST

START_TEST(the_part_of_a_long_name_has_a_short_one)
{
	char name[NAME_MOST + 1], first[FILE_PART_NAME], second[FILE_PART_NAME];

	memset(name, 'n', NAME_MOST);
	name[NAME_MOST] = '\0';
	file_name_of_part(name, FILE_PART, first);
	ck_assert_uint_lt(strlen(first), FILE_PART_NAME);
	expect_match(first, "^p%h[0-9a-f]{24}-4095$");
	name[300] = 'm';
	ck_assert_str_ne(file_name_of_part(name, FILE_PART, second), first);
	for (size_t length = 200; length < 300; length++) {
		memset(name, '/', length);
		name[length] = '\0';
		file_name_of_part(name, FILE_PART, first);
		ck_assert_uint_lt(strlen(first), FILE_PART_NAME);
		memset(name, 'n', length);
		file_name_of_part(name, FILE_PART, first);
		ck_assert_uint_lt(strlen(first), FILE_PART_NAME);
	}
}
END_TEST

Suite *suite_file_command(void)
{
	Suite *suite = suite_create("file_command");
	TCase *tcase = add_case(suite, "commands");

	tcase_add_test(tcase, an_upload_has_a_name_a_size_and_a_time);
	tcase_add_test(tcase, a_download_may_have_an_offset_and_be_without_sum);
	tcase_add_test(tcase, the_other_commands_are_read);
	tcase_add_test(tcase, what_is_wrong_is_reported_with_its_culprit);
	tcase = add_case(suite, "lines");
	tcase_add_test(tcase, a_line_has_at_most_8192_bytes_wherever_it_is_cut);
	tcase_add_test(tcase, a_line_without_end_is_not_kept);
	tcase = add_case(suite, "names");
	tcase_add_test(tcase, names_are_relative_visible_text);
	tcase_add_test(tcase, names_have_the_length_that_a_file_can_have);
	tcase_add_test(tcase, no_two_names_have_the_same_part);
	tcase_add_test(tcase, the_part_of_a_long_name_has_a_short_one);
	return suite;
}
