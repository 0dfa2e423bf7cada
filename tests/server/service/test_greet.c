/*
 * greet without a network: the message, and the quotes of a file (RFC 865).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "server/service.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/memory_session.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

static void configure(const char *option, const char *value)
{
	struct failure failure = { .text = "" };

	ck_assert_msg(memory_configure(&greet_service,
				       (const char *const[]){ option, value, NULL },
				       &failure) == 0,
		      "%s", failure.text);
}

/* A file with these bytes. @return its name, which the next call overwrites */
static const char *file_of(const char *bytes, size_t length)
{
	static char path[FOLDER_TEXT];
	int fd = folder_create_file(path, "greet");

	ck_assert_int_eq(io_write(fd, bytes, length), (ssize_t)length);
	close(fd);
	return path;
}

static void configure_file(const char *bytes)
{
	const char *path = file_of(bytes, strlen(bytes));

	configure("-f", path);
	unlink(path); /* it is read at the start, and never again */
}

static void expect_greeting(const char *text)
{
	struct memory_session client;

	memory_open(&client, &greet_service);
	memory_expect(&client, text, strlen(text));
	ck_assert(memory_finished(&client));
	memory_close(&client);
}

/* ---- a message ------------------------------------------------------------------------- */

START_TEST(greets_and_has_nothing_more_to_say)
{
	expect_greeting("Welcome to the server\n");
}
END_TEST

START_TEST(greets_with_any_message)
{
	configure("-m", "hi {} %s %n \x1b");
	expect_greeting("hi {} %s %n \x1b\n");
	configure("--message", "");
	expect_greeting("\n");
}
END_TEST

/* ---- a file ---------------------------------------------------------------------------- */

/* Asks until each of them has come; nothing else may come. */
static void expect_all_of(const char *const quotes[], size_t count)
{
	bool seen[16] = { false };
	size_t left = count, i;

	for (int tries = 0; tries < 20000 && left > 0; tries++) {
		struct memory_session client;

		memory_open(&client, &greet_service);
		for (i = 0; i < count && strcmp(client.output, quotes[i]) != 0; i++)
			;
		ck_assert_msg(i < count, "'%s' is no line of the file", client.output);
		left -= !seen[i];
		seen[i] = true;
		memory_close(&client);
	}
	ck_assert_uint_eq(left, 0);
}

START_TEST(every_line_of_a_file_comes_sooner_or_later)
{
	static const char *const quotes[] = { "one\n",  "two %d\n", "three \n", "four\n",
					      "five\n", "six\n",    "seven\n" };

	configure_file("one\ntwo %d\r\nthree \n\n\r\n\nfour\nfive\nsix\nseven");
	expect_all_of(quotes, 7);
}
END_TEST

START_TEST(a_file_of_one_line_is_a_message)
{
	configure_file("the only one");
	expect_greeting("the only one\n");
	expect_greeting("the only one\n");
}
END_TEST

static void expect_refused(const char *path, const char *why)
{
	struct failure failure = { .text = "" };

	ck_assert_int_eq(memory_configure(&greet_service,
					  (const char *const[]){ "-f", path, NULL },
					  &failure),
			 -1);
	ck_assert_msg(strstr(failure.text, why) != NULL, "%s", failure.text);
	expect_match(failure.text, "^cannot read a message from /");
}

START_TEST(a_file_that_says_nothing_is_refused)
{
	static const struct {
		const char *bytes;
		size_t length;
	} files[] = { { "", 0 }, { "\n\r\n\n", 4 }, { "\0\0\n", 3 } };
	const char *path = file_of(files[_i].bytes, files[_i].length);

	expect_refused(path, "the file has no line with text");
	unlink(path);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_refused)
{
	expect_refused("/nowhere/quotes", "No such file or directory");
}
END_TEST

START_TEST(a_directory_is_refused)
{
	expect_refused("/tmp", "Is a directory");
}
END_TEST

START_TEST(a_line_that_is_too_long_is_refused_by_its_number)
{
	static char bytes[8192 + 8] = "\n\n";
	const char *path;

	memset(bytes + 2, 'x', 8193);
	path = file_of(bytes, 2 + 8193);
	expect_refused(path, "line 3 is longer than 8192 bytes");
	unlink(path);
	path = file_of(bytes, 2 + 8192);
	configure("-f", path);
	unlink(path);
}
END_TEST

/* ---- what the client says -------------------------------------------------------------- */

START_TEST(a_client_that_speaks_is_greeted_no_less)
{
	struct memory_session client;

	memory_open(&client, &greet_service);
	memory_send(&client, "GET / HTTP/1.0\r\n\r\n", 18);
	memory_half_close(&client);
	memory_expect(&client, "Welcome to the server\n", 22);
	memory_close(&client);
}
END_TEST

START_TEST(any_datagram_is_answered)
{
	struct memory_session peer;

	memory_open_peer(&peer, &greet_service);
	ck_assert(memory_datagram(&peer, "hello", 5));
	memory_expect(&peer, "Welcome to the server\n", 22);
	ck_assert(memory_datagram(&peer, "", 0));
	memory_expect(&peer, "Welcome to the server\n", 22);
	memory_close(&peer);
}
END_TEST

Suite *suite_greet(void)
{
	Suite *suite = suite_create("greet");
	TCase *tcase = tcase_create("greet");

	tcase_add_test(tcase, greets_and_has_nothing_more_to_say);
	tcase_add_test(tcase, greets_with_any_message);
	tcase_add_test(tcase, every_line_of_a_file_comes_sooner_or_later);
	tcase_add_test(tcase, a_file_of_one_line_is_a_message);
	tcase_add_loop_test(tcase, a_file_that_says_nothing_is_refused, 0, 3);
	tcase_add_test(tcase, a_file_that_is_not_there_is_refused);
	tcase_add_test(tcase, a_directory_is_refused);
	tcase_add_test(tcase, a_line_that_is_too_long_is_refused_by_its_number);
	tcase_add_test(tcase, a_client_that_speaks_is_greeted_no_less);
	tcase_add_test(tcase, any_datagram_is_answered);
	suite_add_tcase(suite, tcase);
	return suite;
}
