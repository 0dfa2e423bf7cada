/*
 * Logs and outputs that cannot grow: with a limit of the size of files (RLIMIT_FSIZE), as with
 * a full disk, no program dies of them; and when there is room again, each line that is
 * written is a line of its own.
 */
#ifdef __linux__
#define _GNU_SOURCE /* prlimit */
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum { LIMIT = 4096, LINES = 200, MOST = 1 << 20 };

static struct folder folder;

static void make(void)
{
	folder_create(&folder);
}

static void clear(void)
{
	folder_remove(&folder);
}

/* For server_setup.prepare: files may have LIMIT bytes. The harness's own files are not longer.
 * @p context, unless NULL, is the name of the file that becomes the descriptor `as`. */
static void limit_files(const char *name, int as)
{
	struct rlimit limit;
	int fd;

	if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
		_exit(126);
	limit.rlim_cur = LIMIT;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		_exit(126);
	signal(SIGXFSZ, SIG_DFL);
	if (name == NULL)
		return;
	fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (fd < 0 || dup2(fd, as) < 0)
		_exit(126);
	close(fd);
}

static void limit(void *context)
{
	(void)context;
	limit_files(NULL, -1);
}

static void limit_output(void *context)
{
	limit_files(context, STDOUT_FILENO);
}

static void limit_errors(void *context)
{
	limit_files(context, STDERR_FILENO);
}

static bool is_full(void *context)
{
	struct stat status;

	return stat(context, &status) == 0 && status.st_size == LIMIT;
}

/* There is room again: for the workers that wait for clients, and for those of the server's
 * processes that have yet to be forked, too. @return false where that cannot be done */
static bool make_room(const struct server *server)
{
#ifdef __linux__
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	bool done = prlimit(server->pid, RLIMIT_FSIZE, &none, NULL) == 0;
	pid_t children[PROCESS_CHILDREN];
	int count = process_children(server->pid, children, PROCESS_CHILDREN);

	for (int i = 0; i < count; i++)
		(void)prlimit(children[i], RLIMIT_FSIZE, &none, NULL);
	return done;
#else
	(void)server;
	return false;
#endif
}

static const char *content_of(const char *path)
{
	char *content = much_memory(MOST);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = io_read_all(fd, content, MOST - 1);
	ck_assert_int_ge(n, 0);
	content[n] = '\0';
	close(fd);
	return content;
}

/* Of the lines of a file one, that which met the limit, may lack its end; each other one begins
 * with `start` and ends with `end`. @return how many are whole */
static unsigned count_whole_lines(const char *path, const char *start, const char *end)
{
	const char *line = content_of(path);
	unsigned whole = 0, cut = 0;

	while (*line != '\0') {
		size_t length = strcspn(line, "\n"), last = strlen(end);
		const char *second = strstr(line + 1, start);

		ck_assert_msg(line[length] == '\n', "the last line has no end: '%s'",
			      line);
		ck_assert_msg(second == NULL || second > line + length,
			      "two entries in a line: '%.*s'", (int)length, line);
		if (length > last && memcmp(line + length - last, end, last) == 0 &&
		    strncmp(line, start, strlen(start)) == 0)
			whole++;
		else
			cut++;
		line += length + 1;
	}
	ck_assert_uint_le(cut, 1);
	return whole;
}

/* ---- servers ----------------------------------------------------------------------------- */

static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

static void expect_answer(const struct server *server)
{
	int fd = client_connect(server);

	client_say(fd, request);
	client_hear(fd, "HTTP/1.1 200 OK\r\n");
	client_close(fd);
}

/* GIVEN a log that may not grow beyond 4 KiB, WHEN 200 clients come, THEN each has its answer;
 * and WHEN there is room again, THEN each entry is a line of its own. */
START_TEST(a_web_server_outlives_its_log)
{
	char log[FOLDER_TEXT];
	struct server server;
	unsigned before;

	snprintf(log, sizeof log, "%s", folder_path(&folder, "log"));
	server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "http"),
		.options = ARGUMENTS("-q", "-L", log),
		.prepare = limit,
	});
	for (int i = 0; i < LINES; i++)
		expect_answer(&server);
	ck_assert(eventually(is_full, log, WAIT_MS));
	ck_assert_uint_eq(server_count_lines(&server, "File too large; lines are lost"),
			  1);
	if (make_room(&server)) {
		for (int i = 0; i < 10; i++)
			expect_answer(&server);
		server_finish(&server);
		before = LIMIT / 120;
		ck_assert_uint_gt(count_whole_lines(log, "127.0.0.1 - - [", "\""),
				  before);
		return;
	}
	server_finish(&server);
}
END_TEST

/* GIVEN a log that a server before has left with half a line, WHEN the next one begins, THEN its
 * first entry is a line of its own. */
START_TEST(a_log_that_ends_in_a_line_is_gone_on_with_in_a_new_one)
{
	char log[FOLDER_TEXT];
	struct server server;

	folder_text(&folder, "log", "127.0.0.1 - - [half");
	snprintf(log, sizeof log, "%s", folder_path(&folder, "log"));
	server = model_start(_i, "http", ARGUMENTS("-q", "-L", log));
	expect_answer(&server);
	server_finish(&server);
	ck_assert_uint_eq(count_whole_lines(log, "127.0.0.1 - - [", "\""), 1);
}
END_TEST

/* So too for what discardd prints. */
START_TEST(a_discard_server_outlives_its_output)
{
	static char text[300];
	char output[FOLDER_TEXT];
	struct server server;
	int fd;

	memset(text, 'x', sizeof text - 2);
	text[sizeof text - 2] = '.';
	snprintf(output, sizeof output, "%s", folder_path(&folder, "output"));
	server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "discard"),
		.options = ARGUMENTS("-q", "-o"),
		.prepare = limit_output,
		.context = output,
	});
	for (int i = 0; i < LIMIT / 100; i++) {
		fd = client_connect(&server);
		client_send(fd, text, sizeof text - 1);
		client_half_close(fd);
		client_expect_end(fd);
		client_close(fd);
	}
	ck_assert(eventually(is_full, output, WAIT_MS));
	if (make_room(&server)) {
		fd = client_connect(&server);
		client_send(fd, text, sizeof text - 1);
		client_half_close(fd);
		client_expect_end(fd);
		client_close(fd);
		ck_assert_uint_eq(count_whole_lines(output, "127.0.0.1:", "."),
				  LIMIT / (17 + sizeof text) + 1);
	}
	server_finish(&server);
}
END_TEST

/* So too for what any server says on standard error. */
START_TEST(a_server_outlives_its_standard_error)
{
	char errors[FOLDER_TEXT];
	struct server server;
	int fd;

	snprintf(errors, sizeof errors, "%s", folder_path(&folder, "errors"));
	server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.options = ARGUMENTS("-v", "-v"),
		.prepare = limit_errors,
		.context = errors,
	});
	for (int i = 0; i < LIMIT / 100; i++) {
		fd = client_connect(&server);
		client_say(fd, "hello");
		client_hear(fd, "hello");
		client_half_close(fd);
		client_expect_end(fd);
		client_close(fd);
	}
	ck_assert(eventually(is_full, errors, WAIT_MS));
	fd = client_connect(&server);
	client_say(fd, "hello");
	client_hear(fd, "hello");
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* ---- clients ----------------------------------------------------------------------------- */

static void expect_too_large(const struct run *run)
{
	run_expect_status(run, 1);
	ck_assert_msg(strstr(run->err, "File too large") != NULL, "%s", run->err);
}

START_TEST(a_client_says_that_its_file_cannot_grow)
{
	static char big[10 * LIMIT];
	struct server server;
	char port[16], box[FOLDER_TEXT], to[FOLDER_TEXT];
	struct run run;

	folder_directory(&folder, "box");
	folder_directory(&folder, "to");
	folder_file(&folder, "box/big", big, sizeof big);
	snprintf(box, sizeof box, "%s", folder_path(&folder, "box"));
	snprintf(to, sizeof to, "%s", folder_path(&folder, "to"));
	server = server_start("filed-select", ARGUMENTS("-q", "-r", box));
	snprintf(port, sizeof port, "%u", server.port);

	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("xfer", "-p", port, "-o", to, "get", "127.0.0.1",
				  "big"),
		.prepare = limit,
	});
	expect_too_large(&run);
	ck_assert(!folder_has(&folder, "to/big"));

	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("xfer", "-p", port, "-o", "-", "get", "127.0.0.1",
				  "big"),
		.prepare = limit_output,
		.context = (void *)(uintptr_t)folder_path(&folder, "output"),
	});
	expect_too_large(&run);
	server_finish(&server);
}
END_TEST

START_TEST(a_client_says_that_its_output_cannot_grow)
{
	static const char *const programs[] = { "dial",     "chat",     "xfer",
						"loadgen",  "versus",   "portscan",
						"hostinfo", "timeline", "echod-fork" };
	static char full[LIMIT];
	struct run run;

	memset(full, '\n', sizeof full);
	folder_file(&folder, "output", full, sizeof full);
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS(programs[_i], "-h"),
		.prepare = limit_output,
		.context = (void *)(uintptr_t)folder_path(&folder, "output"),
	});
	expect_too_large(&run);
}
END_TEST

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, models_count());
}

Suite *suite_outputs(void)
{
	Suite *suite = suite_create("outputs");
	TCase *tcase = tcase_create("servers");

	tcase_add_checked_fixture(tcase, make, clear);
	add_sharing_test(tcase, a_web_server_outlives_its_log);
	add(tcase, a_log_that_ends_in_a_line_is_gone_on_with_in_a_new_one);
	add_sharing_test(tcase, a_discard_server_outlives_its_output);
	add(tcase, a_server_outlives_its_standard_error);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("clients");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, a_client_says_that_its_file_cannot_grow);
	tcase_add_loop_test(tcase, a_client_says_that_its_output_cannot_grow, 0, 9);
	suite_add_tcase(suite, tcase);
	return suite;
}
