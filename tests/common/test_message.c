/*
 * What a program says to its operator, read back from standard error.
 */
#define _GNU_SOURCE /* F_SETPIPE_SZ */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io.h"
#include "common/message.h"
#include "tests/suites.h"

enum { LINE_LONGEST = 1024 };

/* Standard error, replaced by a socket that keeps each write(2) apart from the next. */
struct capture {
	int standard_error, writes;
};

static struct capture capture_begin(void)
{
	struct capture capture;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	capture.standard_error = dup(STDERR_FILENO);
	capture.writes = fds[0];
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	ck_assert_int_eq(io_set_nonblocking(capture.writes, true), 0);
	return capture;
}

static void capture_end(const struct capture *capture)
{
	ck_assert_int_eq(dup2(capture->standard_error, STDERR_FILENO), STDERR_FILENO);
	close(capture->standard_error);
	close(capture->writes);
}

/* The next write must have been exactly this. */
static void assert_written(const struct capture *capture, const char *expected)
{
	char bytes[2 * LINE_LONGEST];
	ssize_t n = io_read(capture->writes, bytes, sizeof bytes - 1);

	ck_assert_msg(n >= 0, "nothing was written where this was due: %s", expected);
	bytes[n] = '\0';
	ck_assert_str_eq(bytes, expected);
	ck_assert_uint_eq((size_t)n, strlen(expected)); /* no NUL in the middle */
}

static void assert_nothing_written(const struct capture *capture)
{
	char byte;

	ck_assert_int_eq(io_read(capture->writes, &byte, 1), -1);
}

/* ---- one line ---------------------------------------------------------------------------- */

START_TEST(a_line_begins_with_the_programs_name_without_its_path)
{
	struct capture capture = capture_begin();

	message_program("/usr/local/sbin/echod-fork");
	message(MESSAGE_ERROR, "cannot listen on %s: %s", "127.0.0.1:7", "taken");
	message_program("echod-select");
	message(MESSAGE_ERROR, "here");
	message_program("./bin/dial");
	message(MESSAGE_ERROR, "%s", "");
	message(MESSAGE_ERROR, "no control character: %s", "a\033[31m\n\177caf\xc3\xa9");
	assert_written(&capture, "echod-fork: cannot listen on 127.0.0.1:7: taken\n");
	assert_written(&capture, "echod-select: here\n");
	assert_written(&capture, "dial: \n");
	assert_written(&capture, "dial: no control character: a?[31m??caf\xc3\xa9\n");
	ck_assert_str_eq(message_program_name(), "dial");
	assert_nothing_written(&capture);
	capture_end(&capture);
}
END_TEST

START_TEST(a_line_about_a_client_names_the_process_and_the_client)
{
	struct capture capture = capture_begin();
	char expected[128];

	message_program("echod-fork");
	message_about(MESSAGE_ERROR, "127.0.0.1:40000", "%d bytes", 7);
	snprintf(expected, sizeof expected, "echod-fork[%ld]: 127.0.0.1:40000: 7 bytes\n",
		 (long)getpid());
	assert_written(&capture, expected);
	assert_nothing_written(&capture);
	capture_end(&capture);
}
END_TEST

START_TEST(a_program_started_without_a_name_still_speaks)
{
	struct capture capture = capture_begin();

	message_program(NULL);
	message(MESSAGE_ERROR, "here");
	assert_written(&capture, "?: here\n");
	capture_end(&capture);
}
END_TEST

/* ---- levels ------------------------------------------------------------------------------ */

static void say_one_of_each(void)
{
	message(MESSAGE_ERROR, "error");
	message(MESSAGE_NOTICE, "notice");
	message(MESSAGE_CLIENT, "client");
	message(MESSAGE_EVENT, "event");
}

START_TEST(each_level_prints_itself_and_what_matters_more)
{
	static const char *const lines[] = { "p: error\n", "p: notice\n", "p: client\n",
					     "p: event\n" };
	struct capture capture = capture_begin();

	message_program("p");
	for (int level = MESSAGE_ERROR; level <= MESSAGE_EVENT; level++) {
		message_set_level((enum message_level)level);
		say_one_of_each();
		for (int severity = 0; severity <= level; severity++)
			assert_written(&capture, lines[severity]);
		assert_nothing_written(&capture);
		for (int asked = MESSAGE_ERROR; asked <= MESSAGE_EVENT; asked++)
			ck_assert_int_eq(message_wanted((enum message_level)asked),
					 asked <= level);
	}
	capture_end(&capture);
}
END_TEST

START_TEST(without_options_errors_and_notices_are_printed)
{
	struct capture capture = capture_begin();

	message_program("p");
	say_one_of_each();
	assert_written(&capture, "p: error\n");
	assert_written(&capture, "p: notice\n");
	assert_nothing_written(&capture);
	capture_end(&capture);
}
END_TEST

START_TEST(a_line_about_a_client_obeys_the_level_too)
{
	struct capture capture = capture_begin();

	message_about(MESSAGE_CLIENT, "127.0.0.1:1", "opened");
	assert_nothing_written(&capture);
	capture_end(&capture);
}
END_TEST

/* ---- too much, and trouble --------------------------------------------------------------- */

/* "p: xxx" with a newline, length bytes in all; the text alone begins at 3. */
static void line_of(char *line, size_t length)
{
	memcpy(line, "p: ", 3);
	memset(line + 3, 'x', length - 4);
	memcpy(line + length - 1, "\n", 2);
}

START_TEST(a_line_that_is_too_long_is_cut_and_still_ends)
{
	struct capture capture = capture_begin();
	char text[3 * LINE_LONGEST], expected[LINE_LONGEST + 1];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	line_of(expected, LINE_LONGEST);
	message_program("p");
	message(MESSAGE_ERROR, "%s", text);
	assert_written(&capture, expected);
	assert_nothing_written(&capture);
	capture_end(&capture);
}
END_TEST

START_TEST(the_longest_line_that_fits_is_whole)
{
	struct capture capture = capture_begin();
	char expected[LINE_LONGEST + 1];

	message_program("p");
	for (size_t length = LINE_LONGEST - 4; length <= LINE_LONGEST; length++) {
		line_of(expected, length);
		message(MESSAGE_ERROR, "%.*s", (int)length - 4, expected + 3);
		assert_written(&capture, expected);
	}
	capture_end(&capture);
}
END_TEST

START_TEST(a_very_long_program_name_leaves_room_for_the_message)
{
	static const size_t lengths[] = { 505, 509, 510, 511, 512, 2000 };
	struct capture capture = capture_begin();
	char name[2001], bytes[2 * LINE_LONGEST];

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		ssize_t n;

		memset(name, 'n', sizeof name);
		name[lengths[i]] = '\0';
		message_program(name);
		message(MESSAGE_ERROR, "the reason");
		n = io_read(capture.writes, bytes, sizeof bytes);
		ck_assert_int_gt(n, 500);
		ck_assert_mem_eq(bytes + n - 11, "the reason\n", 11);
		ck_assert_msg(memchr(bytes, '\0', (size_t)n) == NULL,
			      "a NUL in the line, with a name of %zu bytes", lengths[i]);
	}
	message_program("p");
	capture_end(&capture);
}
END_TEST

START_TEST(a_message_leaves_errno_as_it_was)
{
	struct capture capture = capture_begin();
	int kept;

	errno = EPROTO;
	message(MESSAGE_ERROR, "%s", "printed");
	ck_assert_int_eq(errno, EPROTO);
	message_about(MESSAGE_EVENT, "who", "%s", "not printed");
	ck_assert_int_eq(errno, EPROTO);
	close(STDERR_FILENO); /* now the write fails with EBADF */
	errno = EPROTO;
	message(MESSAGE_ERROR, "lost");
	message_about(MESSAGE_ERROR, "who", "lost");
	kept = errno;
	capture_end(&capture);
	ck_assert_int_eq(kept, EPROTO);
}
END_TEST

/* ---- many at once ------------------------------------------------------------------------ */

enum { PROCESSES = 4, THREADS = 4, LINES = 100, FILL_LONGEST = 900 };

static void *say_much(void *letter)
{
	char fill[FILL_LONGEST + 1];

	memset(fill, *(char *)letter, sizeof fill);
	for (int i = 0; i < LINES; i++) {
		int length = 1 + (i * 37 + *(char *)letter) % FILL_LONGEST;

		message_about(MESSAGE_ERROR, &(char[]){ *(char *)letter, '\0' }[0],
			      "%.*s.", length, fill);
	}
	return NULL;
}

static void say_much_in_threads(void)
{
	static char letters[THREADS] = { 'a', 'b', 'c', 'd' };
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, say_much, &letters[i]) != 0)
			_exit(1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* "p[PID]: a: aaaa." with no other letter in it. */
static void assert_unmixed(const char *line)
{
	long pid;
	char letter;
	int start = 0;
	size_t length;

	ck_assert_msg(sscanf(line, "p[%ld]: %c: %n", &pid, &letter, &start) == 2 &&
			      start > 0,
		      "mixed: %s", line);
	length = strspn(line + start, (char[]){ letter, '\0' });
	ck_assert_msg(length > 0 && strcmp(line + start + length, ".\n") == 0,
		      "mixed: %s", line);
}

START_TEST(lines_of_many_processes_and_threads_never_mix)
{
	int standard_error = dup(STDERR_FILENO), fds[2], lines = 0, status;
	pid_t children[PROCESSES];
	char line[2 * LINE_LONGEST];
	FILE *log;

	ck_assert_int_eq(pipe(fds), 0);
#ifdef F_SETPIPE_SZ
	/* Room for all of them: for a reader that has no turn lines are not kept for long. */
	ck_assert_int_ge(fcntl(fds[1], F_SETPIPE_SZ, 1024 * 1024), 1024 * 1024);
#endif
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	message_program("p");
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0)
			say_much_in_threads();
	}
	ck_assert_int_eq(dup2(standard_error, STDERR_FILENO), STDERR_FILENO);
	close(standard_error);
	log = fdopen(fds[0], "r");
	ck_assert_ptr_nonnull(log);
	for (; fgets(line, sizeof line, log) != NULL; lines++)
		assert_unmixed(line);
	fclose(log);
	for (int i = 0; i < PROCESSES; i++) {
		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(lines, PROCESSES * THREADS * LINES);
}
END_TEST

Suite *suite_message(void)
{
	Suite *suite = suite_create("message");
	TCase *line = tcase_create("line"), *levels = tcase_create("levels");
	TCase *trouble = tcase_create("trouble"), *many = tcase_create("many");

	tcase_add_test(line, a_line_begins_with_the_programs_name_without_its_path);
	tcase_add_test(line, a_line_about_a_client_names_the_process_and_the_client);
	tcase_add_test(line, a_program_started_without_a_name_still_speaks);
	suite_add_tcase(suite, line);
	tcase_add_test(levels, each_level_prints_itself_and_what_matters_more);
	tcase_add_test(levels, without_options_errors_and_notices_are_printed);
	tcase_add_test(levels, a_line_about_a_client_obeys_the_level_too);
	suite_add_tcase(suite, levels);
	tcase_add_test(trouble, a_line_that_is_too_long_is_cut_and_still_ends);
	tcase_add_test(trouble, the_longest_line_that_fits_is_whole);
	tcase_add_test(trouble, a_very_long_program_name_leaves_room_for_the_message);
	tcase_add_test(trouble, a_message_leaves_errno_as_it_was);
	suite_add_tcase(suite, trouble);
	tcase_add_test(many, lines_of_many_processes_and_threads_never_mix);
	suite_add_tcase(suite, many);
	return suite;
}
