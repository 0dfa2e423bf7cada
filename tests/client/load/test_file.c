/*
 * The load of files: against filed in each model, and against servers that do wrong.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/load_fixture.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

static struct folder folder;

static void make(void)
{
	folder_create(&folder);
}

static void clear(void)
{
	folder_remove(&folder);
}

/* @param option  one more, or NULL */
static struct server start_filed(int model, const char *option)
{
	struct server filed = model_start(
		model, "file", ARGUMENTS("-q", "-S", "-r", folder.path, option));

	snprintf(port, sizeof port, "%u", filed.port);
	set_plan("file", false);
	plan.connections = model_serves_many(model) ? 2 : 1;
	return filed;
}

/* ---- filed ------------------------------------------------------------------------------- */

START_TEST(files_are_put_and_gotten_back)
{
	static const size_t sizes[] = { 1, 1024, 65536, 1000000 };

	for (int i = 0; i < COUNT(sizes); i++) {
		struct server filed = start_filed(_i, "-w");

		plan.size = sizes[i];
		plan.kind = i % 2 == 0 ? LOAD_CONVERSATIONS : LOAD_BULK;
		measure_until(sizes[i] < 100000 ? 400 : 40); /* both take part */
		assert_no_errors();
		ck_assert_uint_eq(result.served, plan.connections);
		ck_assert_uint_ge(result.uploads, (result.exchanges - 1) / 2);
		ck_assert_uint_le(result.uploads, (result.exchanges + 3) / 2);
		ck_assert_uint_ge(result.bytes, result.exchanges * sizes[i]);
		server_stop(&filed);
	}
}
END_TEST

START_TEST(each_file_can_have_a_connection_of_its_own)
{
	struct server filed = start_filed(_i, "-w");

	plan.kind = LOAD_CONNECTIONS;
	measure_until(20);
	assert_no_errors();
	ck_assert_uint_ge(result.made, 20);
	server_stop(&filed);
}
END_TEST

START_TEST(a_server_that_replaces_nothing_is_distinguished)
{
	struct server filed = start_filed(1, NULL);

	measure();
	ck_assert_uint_gt(result.errors[LOAD_WRONG_REPLY], 0);
	ck_assert_ptr_nonnull(strstr(result.wrong.text, "ERR exists"));
	ck_assert_ptr_nonnull(strstr(result.wrong.text, "expected \"SEND 0\""));
	server_stop(&filed);
}
END_TEST

START_TEST(loadgen_tells_puts_and_gets)
{
	struct server filed = start_filed(1, "-w");
	struct run run =
		run_program(ARGUMENTS("loadgen", "-q", "-c", "2", "-d", slow_seconds(0.5),
				      "file", "127.0.0.1", port),
			    "", 0, 0);

	run_expect_status(&run, 0);
	expect_match(run.out, "\nmessage        1024 bytes\n");
	expect_match(run.out, "\nputs           [0-9]+ /s\ngets           [0-9]+ /s\n");
	run = run_program(ARGUMENTS("loadgen", "-qj", "-c", "2", "-d", slow_seconds(1),
				    "file", "bulk", "127.0.0.1", port),
			  "", 0, 0);
	run_expect_status(&run, 0);
	expect_match(run.out, "\"size\":1048576,.*\"puts\":[0-9]+,\"gets\":[0-9]+,");
	server_stop(&filed);
}
END_TEST

/* ---- servers that do wrong --------------------------------------------------------------- */

/* What is said to PUT, behind the bytes, and to GET: "%" stands for the time of the file. */
struct wrong {
	const char *send, *done, *file;
	const char *says;
};

static const struct wrong wrongs[] = {
	{ "SEND 1\n", "", "", "got \"SEND 1\", expected \"SEND 0\"" },
	{ "HTTP/1.1 200 OK\r\n", "", "", "got \"HTTP/1.1 200 OK\\r\", expected" },
	{ "SEND 0\nDONE\n", "", "", "got \"DONE\", expected" },
	{ "SEND 0\n", "DONE 64 0\n", "", "got \"DONE 64 0\", expected \"DONE 64 " },
	{ "SEND 0\n", "ERR checksum no\n", "", "got \"ERR checksum no\", expected" },
	{ "SEND 0\n", NULL, "FILE 64 7\n", "got \"FILE 64 7\", expected \"FILE 64 1" },
	{ "SEND 0\n", NULL, "%", "file differs from the upload" },
};

static size_t take_line(int fd, char *line, size_t size)
{
	size_t length = 0;

	while (length < size - 1 && io_read(fd, line + length, 1) == 1)
		if (line[length++] == '\n')
			break;
	line[length] = '\0';
	return length;
}

static const struct wrong *wrong;

static void do_wrong(int fd, unsigned number)
{
	char line[200], content[64], sum[40], reply[400], time[40] = "";

	(void)number;
	if (take_line(fd, line, sizeof line) == 0)
		return;
	sscanf(line, "PUT %*s %*s %30s", time);
	write_text(fd, wrong->send);
	if (io_read_all(fd, content, sizeof content) != sizeof content ||
	    take_line(fd, sum, sizeof sum) == 0)
		return;
	snprintf(reply, sizeof reply, "DONE 64 %s", sum + strlen("SUM "));
	write_text(fd, wrong->done != NULL ? wrong->done : reply);
	if (take_line(fd, line, sizeof line) == 0)
		return;
	content[63] ^= 1;
	snprintf(reply, sizeof reply, "FILE 64 %s\n%.64s", time, content);
	write_text(fd, strcmp(wrong->file, "%") == 0 ? reply : wrong->file);
	take_line(fd, line, sizeof line);
}

START_TEST(what_is_wrong_is_found_and_reported)
{
	set_plan("file", false);
	wrong = &wrongs[_i];
	start_server(do_wrong);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
	ck_assert_msg(strstr(result.wrong.text, wrong->says) != NULL, "%s",
		      result.wrong.text);
}
END_TEST

Suite *suite_load_file(void)
{
	Suite *suite = suite_create("load_file");
	TCase *tcase = load_case(suite, "filed");
	int models = kinds_count();

	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_loop_test(tcase, files_are_put_and_gotten_back, 0, models);
	tcase_add_loop_test(tcase, each_file_can_have_a_connection_of_its_own, 0, models);
	tcase_add_test(tcase, a_server_that_replaces_nothing_is_distinguished);
	tcase_add_test(tcase, loadgen_tells_puts_and_gets);

	tcase = load_case(suite, "wrong");
	tcase_add_loop_test(tcase, what_is_wrong_is_found_and_reported, 0, COUNT(wrongs));
	return suite;
}
