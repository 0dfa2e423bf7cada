/*
 * The trace of one process and its children: what the lines are, and that each is whole and is
 * written once. What servers write is in tests/server/test_traces.c.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "server/core/trace.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

enum { TEXT = 512, CHILDREN = 4, EVENTS = 3000 };

static struct folder folder;

static void make(void)
{
	folder_create(&folder);
}

static void clear(void)
{
	folder_remove(&folder);
}

static const char *path(void)
{
	return folder_path(&folder, "trace");
}

static void open_trace(bool joins)
{
	struct failure failure = { .text = "" };

	ck_assert_msg(trace_open(path(), "echo", "fork", joins, &failure) == 0, "%s",
		      failure.text);
}

/* The next line without its newline; "" at the end. */
static const char *next_line(FILE *file, char line[TEXT])
{
	if (fgets(line, TEXT, file) == NULL)
		return "";
	ck_assert_msg(strchr(line, '\n') != NULL, "a line without its end: %s", line);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static FILE *read_trace(void)
{
	FILE *file = fopen(path(), "r");

	ck_assert_ptr_nonnull(file);
	return file;
}

static const struct address *somebody(void)
{
	static struct address address;

	address.v4.sin_family = AF_INET;
	address.v4.sin_port = htons(50001);
	address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.length = sizeof address.v4;
	return &address;
}

/* ---- lines ----------------------------------------------------------------------------- */

START_TEST(a_line_has_time_process_thread_client_and_event)
{
	char line[TEXT], pattern[TEXT];
	FILE *file;

	ck_assert(!trace_is_on());
	open_trace(false);
	ck_assert(trace_is_on());
	ck_assert_uint_eq(trace_accepted(somebody()), 1);
	trace_event(1, TRACE_TAKEN);
	trace_bytes(1, TRACE_RECEIVED, UINT64_MAX);
	trace_text(1, TRACE_CLOSED, "timed out: idle");
	ck_assert_uint_eq(trace_accepted(somebody()), 2);
	trace_close();
	ck_assert(!trace_is_on());

	file = read_trace();
	ck_assert_str_eq(next_line(file, line),
			 "# sockways-trace 1 service=echo model=fork clock=monotonic");
	snprintf(pattern, sizeof pattern,
		 "^[0-9]+ %ld [0-9]+ 1 accepted 127.0.0.1:50001$", (long)getpid());
	expect_match(next_line(file, line), pattern);
	expect_match(next_line(file, line), " 1 taken$");
	expect_match(next_line(file, line), " 1 received 18446744073709551615$");
	expect_match(next_line(file, line), " 1 closed timed out: idle$");
	expect_match(next_line(file, line), " 2 accepted 127.0.0.1:50001$");
	ck_assert_str_eq(next_line(file, line), "");
	fclose(file);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_cut)
{
	char text[TEXT], line[TEXT];
	FILE *file;

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	open_trace(false);
	trace_text(1, TRACE_CLOSED, text);
	trace_close();
	file = read_trace();
	next_line(file, line);
	expect_match(next_line(file, line), " closed x{200}$");
	fclose(file);
}
END_TEST

START_TEST(a_new_trace_replaces_the_old_one_unless_it_joins_it)
{
	char line[TEXT];
	FILE *file;

	folder_text(&folder, "trace", "old\n");
	open_trace(_i == 1);
	ck_assert_uint_eq(trace_accepted(somebody()), _i == 1 ? (uint64_t)getpid() : 1);
	trace_close();
	file = read_trace();
	if (_i == 1)
		ck_assert_str_eq(next_line(file, line), "old");
	expect_match(next_line(file, line), "^# sockways-trace 1 ");
	expect_match(next_line(file, line), " accepted ");
	ck_assert_str_eq(next_line(file, line), "");
	fclose(file);
}
END_TEST

/* ---- when lines are written ------------------------------------------------------------ */

static unsigned written_lines(void)
{
	FILE *file = read_trace();
	char line[TEXT];
	unsigned count = 0;

	while (next_line(file, line)[0] != '\0')
		count++;
	fclose(file);
	return count - 1; /* the header */
}

START_TEST(lines_are_gathered_until_they_are_due)
{
	int64_t now, due;

	open_trace(false);
	ck_assert_int_eq(trace_attend(clock_milliseconds()), CLOCK_NEVER);
	trace_event(1, TRACE_TAKEN);
	now = clock_milliseconds();
	due = trace_attend(now - 1);
	ck_assert_uint_eq(written_lines(), 0);
	ck_assert_int_gt(due, now - 1);
	ck_assert_int_le(due, now + TRACE_INTERVAL + 1);
	ck_assert_int_eq(trace_attend(due), CLOCK_NEVER);
	ck_assert_uint_eq(written_lines(), 1);
	trace_event(1, TRACE_DRAINED);
	trace_flush();
	ck_assert_uint_eq(written_lines(), 2);
	trace_flush();
	ck_assert_uint_eq(written_lines(), 2);
}
END_TEST

static void *write_one_line(void *argument)
{
	(void)argument;
	trace_event(7, TRACE_TAKEN);
	return NULL;
}

START_TEST(a_thread_that_ends_has_written_its_lines)
{
	pthread_t thread;

	open_trace(false);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_one_line, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(written_lines(), 1);
}
END_TEST

/* ---- several processes ----------------------------------------------------------------- */

static void await(pid_t child)
{
	int status = -1;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	ck_assert_int_eq(status, 0);
}

static _Noreturn void be_child(uint64_t client)
{
	for (uint64_t i = 1; i <= EVENTS; i++)
		trace_bytes(client, TRACE_SENT, i);
	trace_flush();
	_exit(0);
}

/* GIVEN a parent with a line that it has not written
   WHEN its children write many lines at the same time
   THEN each line is there once, and is whole, and those of a child are in order. */
START_TEST(lines_of_several_processes_do_not_mix)
{
	unsigned long long counts[CHILDREN + 1] = { 0 };
	pid_t children[CHILDREN];
	char line[TEXT];
	FILE *file;

	open_trace(false);
	trace_event(CHILDREN + 1, TRACE_TAKEN);
	for (unsigned i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		ck_assert_int_ge(children[i], 0);
		if (children[i] == 0)
			be_child(i + 1);
	}
	for (unsigned i = 0; i < CHILDREN; i++)
		await(children[i]);
	trace_close();
	file = read_trace();
	next_line(file, line);
	expect_match(next_line(file, line), " 5 taken$");
	while (next_line(file, line)[0] != '\0') {
		unsigned long long client, bytes;
		long pid;
		int end = 0;

		ck_assert_msg(sscanf(line, "%*u %ld %*u %llu sent %llu%n", &pid, &client,
				     &bytes, &end) == 3 &&
				      line[end] == '\0',
			      "%s", line);
		ck_assert_uint_ge(client, 1);
		ck_assert_uint_le(client, CHILDREN);
		ck_assert_int_eq(pid, (long)children[client - 1]);
		ck_assert_uint_eq(bytes, ++counts[client]);
	}
	for (unsigned i = 1; i <= CHILDREN; i++)
		ck_assert_uint_eq(counts[i], EVENTS);
	fclose(file);
}
END_TEST

/* ---- failures -------------------------------------------------------------------------- */

START_TEST(a_file_that_cannot_be_written_is_a_failure)
{
	struct failure failure;
	char name[FOLDER_TEXT + 16];

	folder_fifo(&folder, "fifo");
	ck_assert_int_eq(
		trace_open(folder_path(&folder, "fifo"), "echo", "fork", false, &failure),
		-1);
	expect_match(failure.text, "^--trace: cannot write .*/fifo: Not a file$");
	snprintf(name, sizeof name, "%s/no/trace", folder.path);
	ck_assert_int_eq(trace_open(name, "echo", "fork", false, &failure), -1);
	expect_match(failure.text,
		     "^--trace: cannot write .*/no/trace: No such file or directory$");
	ck_assert(!trace_is_on());
}
END_TEST

/* With a limit of the size of files, which is like a full disk. */
START_TEST(a_write_that_fails_ends_the_trace)
{
	struct rlimit limit = { 1024, 1024 };
	pid_t child;

	open_trace(false);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_IGN);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		for (unsigned i = 0; i < EVENTS; i++)
			if (trace_is_on())
				trace_event(1, TRACE_TAKEN);
		_exit(trace_is_on() ? 1 : 0);
	}
	await(child);
	errno = EAGAIN;
	trace_event(2, TRACE_TAKEN); /* the parent does not know yet */
	trace_flush();
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(!trace_is_on());
}
END_TEST

Suite *suite_trace(void)
{
	Suite *suite = suite_create("trace");
	TCase *tcase = add_case(suite, "trace");

	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, a_line_has_time_process_thread_client_and_event);
	tcase_add_test(tcase, a_text_that_is_too_long_is_cut);
	tcase_add_loop_test(tcase, a_new_trace_replaces_the_old_one_unless_it_joins_it, 0,
			    2);
	tcase_add_test(tcase, lines_are_gathered_until_they_are_due);
	tcase_add_test(tcase, a_thread_that_ends_has_written_its_lines);
	tcase_add_test(tcase, lines_of_several_processes_do_not_mix);
	tcase_add_test(tcase, a_file_that_cannot_be_written_is_a_failure);
	tcase_add_test(tcase, a_write_that_fails_ends_the_trace);
	return suite;
}
