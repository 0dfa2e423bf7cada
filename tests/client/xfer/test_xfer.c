/*
 * xfer and filed, in every model: files go there and back, through connections that are cut
 * anywhere.
 */
#ifdef __linux__
#define _GNU_SOURCE /* umount2 */
#endif

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mount.h>
#endif

#include "common/clock.h"
#include "common/checksum.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/load_fixture.h"
#include "tests/fixture/models.h"
#include "tests/fixture/network.h"
#include "tests/suites.h"

enum { TEXT = 1024, BIG = 5 * 1024 * 1024 };

static struct folder here, there;
static struct server filed;
static char *big;

static void make(void)
{
	folder_create(&here);
	folder_create(&there);
	folder_directory(&here, "out");
	fill_pattern(big, BIG, 12);
	signal(SIGPIPE, SIG_IGN);
}

static void clear(void)
{
	folder_remove(&here);
	folder_remove(&there);
	if (server > 0)
		kill(server, SIGKILL);
}

static void start_filed(int model, const char *option)
{
	filed = model_start(model, "file", ARGUMENTS("-q", "-r", there.path, option));
}

/* A path in one of the folders; each call has a text of its own, a few calls long. */
static const char *path_in(const struct folder *folder, const char *name)
{
	static char texts[8][2 * TEXT];
	static unsigned next;
	char *text = texts[next++ % 8];

	snprintf(text, sizeof texts[0], "%s/%s", folder->path, name);
	return text;
}

static const char *port_text(unsigned number)
{
	static char text[PORT_TEXT];

	snprintf(text, sizeof text, "%u", number);
	return text;
}

/* Arguments behind "xfer -p PORT", as many as there are. */
static struct run xfer_at(unsigned at, const char *const arguments[])
{
	const char *all[40] = { "xfer", "-4", "-p", port_text(at) };
	size_t count = 4;

	for (; *arguments != NULL; arguments++)
		all[count++] = *arguments;
	all[count] = NULL;
	return run_program(all, "", 0, LONG_WAIT_MS);
}

#define XFER(...) xfer_at(filed.port, ARGUMENTS(__VA_ARGS__))

static void expect_well(const struct run *run)
{
	ck_assert_str_eq(run->err, "");
	run_expect_status(run, 0);
}

static void expect_same(const char *one, const char *other)
{
	struct run run = run_program(ARGUMENTS("/usr/bin/cmp", one, other), "", 0, 0);
	struct stat first, second;

	ck_assert_msg(run.status == 0, "%s and %s: %s%s", one, other, run.out, run.err);
	ck_assert_int_eq(stat(one, &first), 0);
	ck_assert_int_eq(stat(other, &second), 0);
	ck_assert_int_eq(first.st_mtim.tv_sec, second.st_mtim.tv_sec);
	ck_assert_int_eq(first.st_mtim.tv_nsec, second.st_mtim.tv_nsec);
}

/* How many files, hidden ones included, there are in a folder. */
static unsigned entries_in(const char *path)
{
	char command[TEXT];
	struct run run;

	snprintf(command, sizeof command, "ls -A '%s' | wc -l", path);
	run = run_program(ARGUMENTS("/bin/sh", "-c", command), "", 0, 0);
	return (unsigned)strtoul(run.out, NULL, 10);
}

/* ---- there and back ---------------------------------------------------------------------- */

START_TEST(files_of_all_sizes_come_back_as_they_were)
{
	static const size_t sizes[] = { 0,      1,      4096,   65535,     65536, 65537,
					262111, 262112, 262113, 256 << 10, BIG };
	struct run run;

	start_filed(_i, NULL);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char name[32];

		snprintf(name, sizeof name, "size-%zu", sizes[i]);
		folder_file(&here, name, big, sizes[i]);
		run = XFER("put", "localhost", path_in(&here, name));
		expect_well(&run);
		expect_same(path_in(&here, name), path_in(&there, name));
		run = XFER("-o", path_in(&here, "out"), i % 2 ? "--no-sum" : "-S", "get",
			   "localhost", name);
		expect_well(&run);
		ck_assert_str_eq(run.out, "");
		snprintf(name, sizeof name, "out/size-%zu", sizes[i]);
		expect_same(path_in(&here, strchr(name, '/') + 1), path_in(&here, name));
	}
	ck_assert_uint_eq(entries_in(path_in(&here, "out")),
			  sizeof sizes / sizeof *sizes);
	server_finish(&filed);
}
END_TEST

START_TEST(names_may_have_blanks_quotes_and_letters_of_any_kind)
{
	static const char *const names[] = { "two words",   "a \"quote\"",
					     "back\\slash", "gr\xc3\xbc\xc3\x9f",
					     "-",           "\"" };
	struct run run;

	start_filed(_i, NULL);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		folder_text(&here, names[i], names[i]);
		run = XFER("put", "localhost", path_in(&here, names[i]));
		expect_well(&run);
		run = XFER("-o", path_in(&here, "out"), "get", "localhost", "--",
			   names[i]);
		expect_well(&run);
		expect_same(path_in(&here, names[i]), path_in(&there, names[i]));
	}
	run = XFER("ls", "localhost");
	expect_well(&run);
	ck_assert_ptr_nonnull(strstr(run.out, "  two words\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "  gr\xc3\xbc\xc3\x9f\n"));
	server_finish(&filed);
}
END_TEST

START_TEST(folders_go_there_and_back)
{
	struct run run;

	start_filed(_i, NULL);
	folder_directory(&here, "a");
	folder_directory(&here, "a/b");
	folder_text(&here, "a/one", "1");
	folder_text(&here, "a/b/two", "22");
	folder_text(&here, "a/.hidden", "");
	folder_link(&here, "a/link", "one");
	folder_fifo(&here, "a/fifo");
	folder_socket(&here, "a/socket");
	run = XFER("put", "localhost", path_in(&here, "a"));
	run_expect_status(&run, 1);
	expect_match(run.err, "^xfer: [^\n]*/a: is a directory \\(use -r\\)\n$");
	run = XFER("-r", "-d", "x/y", "put", "localhost", path_in(&here, "a"));
	run_expect_status(&run, 0);
	expect_match(
		run.err,
		"/a/\\.hidden: skipped: hidden\n"
		"xfer: [^\n]*/a/fifo: skipped: not a regular file or directory\n"
		"xfer: [^\n]*/a/link: skipped: symbolic link\n"
		"xfer: [^\n]*/a/socket: skipped: not a regular file or directory\n$");
	expect_same(path_in(&here, "a/b/two"), path_in(&there, "x/y/a/b/two"));
	run = XFER("-r", "ls", "localhost");
	expect_well(&run);
	expect_match(run.out, "  x/\n.*  x/y/\n.*  x/y/a/\n.*  x/y/a/b/\n +2 .*  "
			      "x/y/a/b/two\n +1 .*  x/y/a/one\n$");
	run = XFER("ls", "localhost", "x/y/a/b/two");
	expect_well(&run);
	expect_match(run.out, "^ +2  [^\n]*  x/y/a/b/two\n$");
	run = XFER("ls", "localhost", "x/three");
	run_expect_status(&run, 1);
	expect_match(run.err, "^xfer: x/three: server refused: [^\n]*\n$");
	run = XFER("get", "-o", path_in(&here, "out"), "localhost", "x/y");
	run_expect_status(&run, 1);
	run = XFER("-r", "get", "-o", path_in(&here, "out"), "localhost", "x/y");
	expect_well(&run);
	expect_same(path_in(&here, "a/one"), path_in(&here, "out/y/a/one"));
	expect_same(path_in(&here, "a/b/two"), path_in(&here, "out/y/a/b/two"));
	ck_assert_uint_eq(entries_in(path_in(&here, "out/y/a")), 2);
	server_finish(&filed);
}
END_TEST

START_TEST(an_empty_folder_is_made_here_and_named_where_it_cannot_be_put)
{
	struct run run;

	start_filed(_i, NULL);
	folder_directory(&there, "a");
	folder_directory(&there, "a/empty");
	run = XFER("-r", "-o", path_in(&here, "out"), "get", "localhost", "a");
	expect_well(&run);
	ck_assert(folder_has(&here, "out/a/empty"));
	run = XFER("-r", "-n", "b", "put", "localhost", path_in(&here, "out/a"));
	run_expect_status(&run, 0);
	expect_match(run.err, "^xfer: [^\n]*/out/a/empty: skipped: empty directory\n$");
	run = XFER("-rj", "put", "localhost", path_in(&here, "out/a/empty"));
	run_expect_status(&run, 0);
	expect_match(run.out, "\"status\":\"skipped\",\"reason\":\"empty directory\"");
	server_finish(&filed);
}
END_TEST

START_TEST(verbose_ends_with_the_sum_of_all_files)
{
	struct run run;

	start_filed(0, NULL);
	folder_directory(&here, "a");
	folder_text(&here, "a/one", "1");
	folder_text(&here, "a/two", "22");
	folder_link(&here, "a/link", "one");
	run = XFER("-rv", "put", "localhost", path_in(&here, "a"), path_in(&here, "no"));
	run_expect_status(&run, 1);
	expect_match(run.err, "\nxfer: 2 files, 3 B, [0-9.]+ s; 1 failed, 1 skipped\n$");
	run = XFER("-v", "-o", path_in(&here, "out"), "get", "localhost", "a/two");
	run_expect_status(&run, 0);
	expect_match(run.err, "\nxfer: 1 file, 2 B, [0-9.]+ s\n$");
	server_finish(&filed);
}
END_TEST

START_TEST(what_is_there_is_replaced_only_where_that_is_allowed)
{
	struct run run;

	start_filed(_i, NULL);
	folder_text(&here, "note", "old");
	run = XFER("put", "localhost", path_in(&here, "note"));
	expect_well(&run);
	folder_text(&here, "note", "newer");
	run = XFER("put", "localhost", path_in(&here, "note"), path_in(&here, "no"));
	run_expect_status(&run, 1);
	expect_match(run.err, "/note: server refused: [^\n]*\nxfer: [^\n]*/no: No such "
			      "file or directory\n$");
	run = XFER("-o", here.path, "get", "localhost", "note");
	run_expect_status(&run, 1);
	expect_match(run.err, "^xfer: note: cannot write: File exists "
			      "\\(use -f to replace it\\)\n$");
	run = XFER("-f", "-o", here.path, "get", "localhost", "note");
	expect_well(&run);
	expect_same(path_in(&here, "note"), path_in(&there, "note"));
	server_finish(&filed);
}
END_TEST

START_TEST(standard_input_and_output_do_for_files)
{
	static const char *const to_output[] = { "-o",        "-",    "get",
						 "localhost", "in/x", NULL };
	struct run run;

	start_filed(_i, NULL);
	run = run_program(ARGUMENTS("xfer", "-p", port_text(filed.port), "-n", "in/x",
				    "put", "localhost", "-"),
			  big, BIG, LONG_WAIT_MS);
	expect_well(&run);
	run = xfer_at(filed.port, to_output);
	expect_well(&run);
	ck_assert_uint_eq(run.out_length, BIG);
	ck_assert_mem_eq(run.out, big, BIG);
	server_finish(&filed);
}
END_TEST

START_TEST(json_has_a_result_for_each_file)
{
	struct checksum sum = { 0 };
	struct run run;
	char pattern[TEXT];

	start_filed(_i, NULL);
	folder_text(&here, "a \"b\"", "hello");
	checksum_add(&sum, "hello", 5);
	run = XFER("-j", "put", "localhost", path_in(&here, "a \"b\""),
		   path_in(&here, "missing"));
	run_expect_status(&run, 1);
	snprintf(pattern, sizeof pattern,
		 "^\\{\"command\":\"put\",\"host\":\"localhost\",\"port\":\"%u\","
		 "\"files\":"
		 "\\[\\{\"name\":\"a \\\\\"b\\\\\"\",\"local\":\"[^,]*\",\"status\":"
		 "\"done\",\"size\":5,\"moved\":5,\"resumed\":0,\"sum\":%u,\"seconds\":"
		 "[0-9.]+\\},\\{\"name\":\"missing\",\"local\":\"[^,]*\",\"status\":"
		 "\"failed\",\"reason\":\"No such file or directory\"\\}\\],\"done\":1,"
		 "\"skipped\":0,\"failed\":1,\"bytes\":5,\"seconds\":[0-9.]+,"
		 "\"complete\":false\\}\n$",
		 filed.port, (unsigned)checksum_value(&sum));
	expect_match(run.out, pattern);
	run = XFER("-j", "ls", "localhost");
	expect_well(&run);
	expect_match(run.out, "\"files\":\\[\\{\"name\":\"a \\\\\"b\\\\\"\",\"type\":"
			      "\"file\",\"size\":5,\"mtime\":[0-9.]+\\}\\]");
	server_finish(&filed);
}
END_TEST

/* ---- cut off ----------------------------------------------------------------------------- */

/* Between xfer and filed: carries the bytes, and cuts the first connections off. */
static unsigned filed_port; /* the port of filed */
static size_t cuts;         /* so many connections are cut ... */
static uint64_t cut_after;  /* ... after so many bytes in both directions */
static bool cut_by_reset;

static int connect_behind(void)
{
	struct sock_target target = { "127.0.0.1", port_text(filed_port), AF_INET,
				      SOCK_STREAM, WAIT_MS };

	return sock_connect(&target, NULL, NULL);
}

/* Carries what has come, at most `most` bytes. @return how many, 0 at the end */
static uint64_t carry(int from, int to, uint64_t most)
{
	char bytes[16 * 1024];
	ssize_t n =
		io_read(from, bytes, most < sizeof bytes ? (size_t)most : sizeof bytes);

	if (n <= 0 || io_write(to, bytes, (size_t)n) != n)
		return 0;
	return (uint64_t)n;
}

static void carry_between(int fd, unsigned number)
{
	int other = connect_behind();
	uint64_t left = number < cuts ? cut_after : UINT64_MAX;

	while (other >= 0 && left > 0) {
		struct pollfd both[] = { { fd, POLLIN, 0 }, { other, POLLIN, 0 } };
		uint64_t n;

		if (poll(both, 2, -1) < 0)
			break;
		n = both[0].revents != 0 ? carry(fd, other, left)
					 : carry(other, fd, left);
		if (n == 0)
			break;
		left -= n;
	}
	if (left == 0 && cut_by_reset) {
		sock_set_abortive(fd);
		if (other >= 0)
			sock_set_abortive(other);
	}
	if (other >= 0)
		close(other);
}

/* From now on `port` is that of a way to filed that is cut so often, after so much. */
static void start_cutting(size_t often, uint64_t after, bool by_reset)
{
	filed_port = filed.port;
	cuts = often;
	cut_after = after;
	cut_by_reset = by_reset;
	start_server(carry_between);
	harness_own_child(server);
}

static unsigned cutting_port(void)
{
	return (unsigned)strtoul(port, NULL, 10);
}

#define XFER_CUT(...)                                                                    \
	xfer_at(cutting_port(),                                                          \
		ARGUMENTS("--retry-delay", "0.01", "--retries", "30", __VA_ARGS__))

START_TEST(a_put_that_is_cut_goes_on_where_it_was)
{
	struct run run;

	start_filed(_i, NULL);
	start_cutting(4, 1500000, false);
	folder_file(&here, "big", big, BIG);
	run = XFER_CUT("put", "127.0.0.1", path_in(&here, "big"));
	run_expect_status(&run, 0);
	ck_assert_ptr_nonnull(strstr(run.err, "trying again in 0.01 s"));
	expect_same(path_in(&here, "big"), path_in(&there, "big"));
	server_finish(&filed);
}
END_TEST

START_TEST(a_get_that_is_cut_goes_on_where_it_was)
{
	struct run run;

	start_filed(_i, NULL);
	folder_file(&there, "big", big, BIG);
	start_cutting(3, 1500000, true);
	run = XFER_CUT("-j", "-o", path_in(&here, "out"), "get", "127.0.0.1", "big");
	run_expect_status(&run, 0);
	ck_assert_ptr_nonnull(strstr(run.err, "xfer: big: "));
	expect_same(path_in(&here, "out/big"), path_in(&there, "big"));
	ck_assert_uint_eq(entries_in(path_in(&here, "out")), 1);
	/* No byte came twice. */
	expect_match(run.out, "\"size\":5242880,\"moved\":5242880,");
	server_finish(&filed);
}
END_TEST

START_TEST(a_get_to_standard_output_that_is_cut_goes_on_too)
{
	struct run run;

	start_filed(0, NULL);
	folder_file(&there, "big", big, BIG);
	start_cutting(2, 1000000, true);
	run = XFER_CUT("-o", "-", "get", "127.0.0.1", "big");
	run_expect_status(&run, 0);
	ck_assert_uint_eq(run.out_length, BIG);
	ck_assert_mem_eq(run.out, big, BIG);
	server_finish(&filed);
}
END_TEST

/* Cut after each number of bytes up to that of a whole transfer of a small file. */
START_TEST(a_small_file_is_whole_wherever_the_connection_is_cut)
{
	struct run run;

	start_filed(_i, NULL);
	folder_text(&here, "small", "0123456789");
	for (uint64_t after = 1; after <= 120; after += 7) {
		char name[32];

		start_cutting(1, after, after % 2 == 0);
		snprintf(name, sizeof name, "small-%u", (unsigned)after);
		run = XFER_CUT("-n", name, "put", "127.0.0.1", path_in(&here, "small"));
		ck_assert_msg(run.status == 0, "after %u: %s", (unsigned)after, run.err);
		expect_same(path_in(&here, "small"), path_in(&there, name));
		kill(server, SIGKILL);
		start_cutting(1, after, after % 2 == 0);
		run = XFER_CUT("-o", path_in(&here, "out"), "get", "127.0.0.1", name);
		ck_assert_msg(run.status == 0, "after %u: %s", (unsigned)after, run.err);
		kill(server, SIGKILL);
	}
	ck_assert_uint_eq(entries_in(path_in(&here, "out")), 18);
	server_finish(&filed);
}
END_TEST

/* Gets half of the file, which is an error. */
static void get_half(void)
{
	struct run run;

	start_cutting(100, BIG / 2, false);
	run = xfer_at(cutting_port(), ARGUMENTS("--no-retry", "-o", path_in(&here, "out"),
						"get", "127.0.0.1", "big"));
	run_expect_status(&run, 1);
	expect_match(run.err, "^xfer: big: the server closed the connection\n$");
	ck_assert_uint_eq(entries_in(path_in(&here, "out")), 1);
	ck_assert_int_ne(access(path_in(&here, "out/big"), F_OK), 0);
}

START_TEST(a_later_run_goes_on_with_what_is_there)
{
	struct run run;

	start_filed(1, NULL);
	folder_file(&there, "big", big, BIG);
	get_half();
	run = XFER("-v", "-o", path_in(&here, "out"), "get", "localhost", "big");
	run_expect_status(&run, 0);
	expect_match(run.err, "^xfer: big: 5242880 bytes \\(2[0-9]* of them resumed\\)");
	expect_same(path_in(&here, "out/big"), path_in(&there, "big"));
	ck_assert_uint_eq(entries_in(path_in(&here, "out")), 1);
	server_finish(&filed);
}
END_TEST

START_TEST(what_is_there_of_another_file_is_not_gone_on_with)
{
	struct run run;

	start_filed(1, NULL);
	folder_file(&there, "big", big, BIG);
	get_half();
	big[0] ^= 1;
	folder_file(&there, "big", big, BIG);
	run = XFER("-j", "-o", path_in(&here, "out"), "get", "localhost", "big");
	expect_well(&run);
	expect_match(run.out, "\"resumed\":0,");
	expect_same(path_in(&here, "out/big"), path_in(&there, "big"));
	ck_assert_uint_eq(entries_in(path_in(&here, "out")), 1);
	server_finish(&filed);
}
END_TEST

/* GIVEN half of a file, here or there, of the same name, size and time as another one, WHEN
 * that is transferred without a checksum, THEN nothing of the half is in it. */
START_TEST(without_a_checksum_nothing_is_gone_on_with)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	int64_t end = clock_milliseconds() + WAIT_MS;
	struct run run;

	start_filed(1, NULL);
	folder_file(&there, "big", big, BIG);
	ck_assert_int_eq(utimensat(there.fd, "big", times, 0), 0);
	get_half();
	big[0] ^= 1;
	folder_file(&there, "big", big, BIG);
	ck_assert_int_eq(utimensat(there.fd, "big", times, 0), 0);
	run = XFER("-j", "--no-sum", "-o", path_in(&here, "out"), "get", "localhost",
		   "big");
	expect_well(&run);
	expect_match(run.out, "\"resumed\":0,");
	expect_same(path_in(&here, "out/big"), path_in(&there, "big"));
	ck_assert_uint_eq(entries_in(path_in(&here, "out")), 1);

	folder_file(&here, "put", big, BIG);
	ck_assert_int_eq(utimensat(here.fd, "put", times, 0), 0);
	start_cutting(100, BIG / 2, false);
	run = xfer_at(cutting_port(),
		      ARGUMENTS("--no-retry", "put", "127.0.0.1", path_in(&here, "put")));
	run_expect_status(&run, 1);
	big[0] ^= 1;
	folder_file(&here, "put", big, BIG);
	ck_assert_int_eq(utimensat(here.fd, "put", times, 0), 0);
	/* The server may not know yet that the first client has left. */
	do
		run = XFER("-j", "--no-sum", "put", "localhost", path_in(&here, "put"));
	while (strstr(run.err, "another client is uploading") != NULL &&
	       clock_milliseconds() < end);
	expect_well(&run);
	expect_match(run.out, "\"resumed\":0,");
	expect_same(path_in(&here, "put"), path_in(&there, "put"));
	server_finish(&filed);
}
END_TEST

START_TEST(a_part_that_was_damaged_is_found_out_and_removed)
{
	char part[TEXT];
	struct run run;
	int fd;

	start_filed(1, NULL);
	folder_file(&there, "big", big, BIG);
	get_half();
	run = run_program(
		ARGUMENTS("/bin/sh", "-c", "ls -A \"$0\"", path_in(&here, "out")), "", 0,
		0);
	snprintf(part, sizeof part, "out/%.*s", (int)strcspn(run.out, "\n"), run.out);
	fd = open(path_in(&here, part), O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "damage", 6, 1000), 6);
	close(fd);
	run = XFER("-o", path_in(&here, "out"), "get", "localhost", "big");
	run_expect_status(&run, 1);
	expect_match(run.err, "^xfer: big: wrong checksum: [0-9]+ here, [0-9]+ on "
			      "the server\n$");
	ck_assert_uint_eq(entries_in(path_in(&here, "out")), 0);
	run = XFER("-o", path_in(&here, "out"), "get", "localhost", "big");
	expect_well(&run);
	expect_same(path_in(&here, "out/big"), path_in(&there, "big"));
	server_finish(&filed);
}
END_TEST

/* ---- files that are not ours ------------------------------------------------------------- */

static void expect_text(const char *name, const char *text)
{
	struct run run =
		run_program(ARGUMENTS("/bin/cat", path_in(&here, name)), "", 0, 0);

	ck_assert_str_eq(run.out, text);
}

/* The name of the part of the file `big` in "out", if it is of that size and time. */
static const char *part_of_big(const char *name, unsigned long size, time_t time)
{
	static char text[TEXT];

	snprintf(text, sizeof text, "out/.%s.%lu-%lld.part", name, size, (long long)time);
	return text;
}

static void put_there(const char *name, time_t time)
{
	const struct timespec times[2] = { { .tv_sec = time }, { .tv_sec = time } };

	folder_file(&there, name, big, BIG);
	ck_assert_int_eq(utimensat(there.fd, name, times, 0), 0);
}

START_TEST(hidden_files_of_the_user_are_left_alone)
{
	static const char *const own[] = {
		"out/.log.part",
		"out/.log.2026.part",
		"out/.log.1.2026.part",
		"out/.log.-.part",
		"out/.log.2026-01-01.part",
		"out/.log.1.2000000.1700000000.part",
		"out/.log.2000000-1.5.part",
		"out/.log.02000000-1.part",
		"out/.log.1.2000000-1700.part",
		"out/.log.2000000-1700.part.part",
	};
	struct run run;

	start_filed(0, NULL);
	put_there("log", 1700000000);
	folder_text(&there, "log.small", "small");
	folder_text(&here, "out/.log.small.part", "own");
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		folder_text(&here, own[i], "own");
	folder_text(&here, part_of_big("log", 2000000, 1600000000), "of an older log");
	run = XFER("-o", path_in(&here, "out"), "get", "localhost", "log", "log.small");
	expect_well(&run);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		expect_text(own[i], "own");
	expect_text("out/.log.small.part", "own");
	ck_assert_uint_eq(entries_in(path_in(&here, "out")),
			  sizeof own / sizeof *own + 3);
	server_finish(&filed);
}
END_TEST

START_TEST(the_part_of_a_file_that_is_small_now_is_removed)
{
	struct run run;

	start_filed(0, NULL);
	folder_text(&there, "a", "small");
	folder_text(&there, "log", "small");
	folder_text(&here, part_of_big("log", 2000000, 1600000000), "of an older log");
	run = XFER("-o", path_in(&here, "out"), "get", "localhost", "a", "log");
	expect_well(&run);
	ck_assert_uint_eq(entries_in(path_in(&here, "out")), 2);
	server_finish(&filed);
}
END_TEST

START_TEST(a_part_that_another_xfer_writes_is_left_alone)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const char *locked = part_of_big("log", 2000000, 1600000000);
	struct run run;
	int fd;

	start_filed(0, NULL);
	put_there("log", 1700000000);
	folder_text(&here, locked, "on its way");
	fd = open(path_in(&here, locked), O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_SETLK, &whole), 0);
	run = XFER("-o", path_in(&here, "out"), "get", "localhost", "log");
	expect_well(&run);
	close(fd);
	expect_text(locked, "on its way");
	server_finish(&filed);
}
END_TEST

START_TEST(a_file_with_another_name_is_not_written_through_that_of_a_part)
{
	const char *part = part_of_big("log", BIG, 1700000000);
	struct run run;

	start_filed(0, NULL);
	put_there("log", 1700000000);
	folder_text(&here, "victim", "precious");
	ck_assert_int_eq(linkat(here.fd, "victim", here.fd, part, 0), 0);
	run = XFER("-o", path_in(&here, "out"), "get", "localhost", "log");
	run_expect_status(&run, 1);
	expect_match(run.err,
		     "^xfer: log: cannot write "
		     "\\.log\\.5242880-1700000000\\.part: it belongs to [^\n]*\n$");
	expect_text("victim", "precious");
	ck_assert_int_eq(unlinkat(here.fd, part, 0), 0);
	folder_link(&here, part, "../victim");
	run = XFER("-o", path_in(&here, "out"), "get", "localhost", "log");
	run_expect_status(&run, 1);
	expect_text("victim", "precious");
	server_finish(&filed);
}
END_TEST

/* ---- no room ----------------------------------------------------------------------------- */

static void files_are_short(void *context)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };

	(void)context;
	setrlimit(RLIMIT_FSIZE, &limit);
}

START_TEST(a_file_that_there_is_no_room_for_is_reported_and_the_rest_goes_on)
{
	struct run run;

	start_filed(0, NULL);
	folder_file(&there, "big", big, BIG);
	folder_text(&there, "small", "fits");
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("xfer", "-p", port_text(filed.port), "-o",
				  path_in(&here, "out"), "get", "localhost", "big",
				  "small"),
		.prepare = files_are_short,
	});
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "xfer: big: cannot write: File too large\n");
	expect_same(path_in(&here, "out/small"), path_in(&there, "small"));
	ck_assert_int_ne(access(path_in(&here, "out/big"), F_OK), 0);
	server_finish(&filed);
}
END_TEST

#ifdef __linux__

START_TEST(a_file_that_holds_more_than_its_size_is_not_put_empty)
{
	struct run run;

	start_filed(0, NULL);
	run = XFER("-n", "status", "put", "localhost", "/proc/self/status");
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err,
			 "xfer: /proc/self/status: the file has more than its size "
			 "of 0 bytes (upload it through a pipe)\n");
	ck_assert_int_ne(access(path_in(&there, "status"), F_OK), 0);
	server_finish(&filed);
}
END_TEST

START_TEST(a_file_is_not_asked_for_that_the_disk_has_no_room_for)
{
	struct run run;

	if (!network_enter_with_disk(path_in(&here, "out"), "1m")) {
		skipped("needs a mount namespace of its own");
		return;
	}
	start_filed(0, NULL);
	folder_file(&there, "big", big, BIG);
	folder_text(&there, "small", "fits");
	run = XFER("-j", "-o", path_in(&here, "out"), "get", "localhost", "big", "small");
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "xfer: big: cannot write: No space left on device "
				  "(5242880 bytes are needed, 1048576 are free)\n");
	expect_match(run.out, "\"bytes\":4,"); /* of the small one */
	ck_assert_uint_eq(entries_in(path_in(&here, "out")), 1);
	server_finish(&filed);
	ck_assert_int_eq(umount2(path_in(&here, "out"), MNT_DETACH), 0);
}
END_TEST

#endif

START_TEST(a_symbolic_link_here_is_not_followed)
{
	struct run run;

	start_filed(0, NULL);
	folder_directory(&there, "a");
	folder_text(&there, "a/b", "from there");
	folder_directory(&here, "elsewhere");
	folder_link(&here, "out/a", "../elsewhere");
	run = XFER("-r", "-o", path_in(&here, "out"), "get", "localhost", "a");
	run_expect_status(&run, 1);
	expect_match(run.err, "^xfer: a: cannot create the directory: [^\n]*\n$");
	ck_assert_uint_eq(entries_in(path_in(&here, "elsewhere")), 0);
	server_finish(&filed);
}
END_TEST

/* ---- usage ------------------------------------------------------------------------------- */

START_TEST(a_port_that_was_taken_for_a_name_is_pointed_out)
{
	static const char *const commands[] = { "ls", "get", "put" };
	char number[PORT_TEXT];
	struct run run;

	if (!network_enter_own()) {
		skipped("a default port that must be free: no network of its own");
		return;
	}
	find_deaf_port();
	run = run_program(
		ARGUMENTS("xfer", "-p", port, commands[_i], "127.0.0.1", "1234"), "", 0,
		0);
	run_expect_status(&run, 1);
	ck_assert_msg(strstr(run.err, "was taken for") == NULL, "%s", run.err);
	snprintf(number, sizeof number, "%s", port);
	run = run_program(ARGUMENTS("xfer", commands[_i], "127.0.0.1", number), "", 0, 0);
	run_expect_status(&run, 1);
	expect_match(run.err, "\nxfer: '[0-9]+' was used as a file name; for a port, use "
			      "HOST:[0-9]+ or -p [0-9]+\n$");
}
END_TEST

START_TEST(bad_usage_is_reported_in_a_line)
{
	static const struct {
		const char *arguments[6];
		const char *says;
	} wrong[] = {
		{ { NULL }, "the command is missing (use put, get or ls)" },
		{ { "push", "h", "f" }, "unknown command 'push' (use put, get or ls)" },
		{ { "put" }, "HOST is missing" },
		{ { "put", "h" }, "FILE is missing" },
		{ { "get", "h" }, "NAME is missing" },
		{ { "ls", "h", "a", "b" }, "more than one PATH" },
		{ { "put", "h", "-" }, "put - needs a name (use -n NAME)" },
		{ { "-n", "x", "put", "h", "a", "b" },
		  "-n, --name applies only to one file" },
		{ { "-n", "../x", "put", "h", "a" }, "-n, --name: " },
		{ { "-d", "/x", "put", "h", "a" }, "-d, --directory: " },
		{ { "-d", "x", "get", "h", "a" }, "-d, --directory applies only to put" },
		{ { "-f", "put", "h", "a" }, "-o, -f and -S apply only to get" },
		{ { "-jo", "-", "get", "h", "a" }, "-o - cannot be used with -j" },
		{ { "-ro", "-", "get", "h", "a" }, "-o - cannot be used with -r" },
		{ { "-o", "", "get", "h", "a" }, "-o, --output: " },
		{ { "-p", "0", "ls", "h" }, "'0' is not a port" },
		{ { "ls", "h:0" }, "'0' is not a port" },
		{ { "ls", "h:99999" }, "99999" },
		{ { "--retries", "x", "ls", "h" }, "--retries" },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const char *argv[8] = { "xfer" };
		struct run run;

		memcpy(argv + 1, wrong[i].arguments, sizeof wrong[i].arguments);
		run = run_program(argv, "", 0, 0);
		run_expect_status(&run, 2);
		ck_assert_msg(strstr(run.err, wrong[i].says) != NULL, "%s", run.err);
		expect_match(run.err, "^xfer: [^\n]*; try 'xfer -h'\n$");
	}
}
END_TEST

Suite *suite_xfer(void)
{
	Suite *suite = suite_create("xfer");
	TCase *tcase = add_case(suite, "there and back");
	int models = kinds_count();

	big = much_memory(BIG);
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_loop_test(tcase, files_of_all_sizes_come_back_as_they_were, 0, models);
	tcase_add_loop_test(tcase, names_may_have_blanks_quotes_and_letters_of_any_kind,
			    0, models);
	tcase_add_loop_test(tcase, folders_go_there_and_back, 0, models);
	tcase_add_loop_test(tcase,
			    an_empty_folder_is_made_here_and_named_where_it_cannot_be_put,
			    0, models);
	tcase_add_test(tcase, verbose_ends_with_the_sum_of_all_files);
	tcase_add_loop_test(tcase, what_is_there_is_replaced_only_where_that_is_allowed,
			    0, models);
	tcase_add_loop_test(tcase, standard_input_and_output_do_for_files, 0, models);
	tcase_add_loop_test(tcase, json_has_a_result_for_each_file, 0, models);

	tcase = add_case(suite, "cut off");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_loop_test(tcase, a_put_that_is_cut_goes_on_where_it_was, 0, models);
	tcase_add_loop_test(tcase, a_get_that_is_cut_goes_on_where_it_was, 0, models);
	tcase_add_test(tcase, a_get_to_standard_output_that_is_cut_goes_on_too);
	tcase_add_loop_test(tcase, a_small_file_is_whole_wherever_the_connection_is_cut,
			    0, models);
	tcase_add_test(tcase, a_later_run_goes_on_with_what_is_there);
	tcase_add_test(tcase, without_a_checksum_nothing_is_gone_on_with);
	tcase_add_test(tcase, what_is_there_of_another_file_is_not_gone_on_with);
	tcase_add_test(tcase, a_part_that_was_damaged_is_found_out_and_removed);

	tcase = add_case(suite, "not ours");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, hidden_files_of_the_user_are_left_alone);
	tcase_add_test(tcase, the_part_of_a_file_that_is_small_now_is_removed);
	tcase_add_test(tcase, a_part_that_another_xfer_writes_is_left_alone);
	tcase_add_test(tcase,
		       a_file_with_another_name_is_not_written_through_that_of_a_part);

	tcase = add_case(suite, "not possible");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase,
		       a_file_that_there_is_no_room_for_is_reported_and_the_rest_goes_on);
#ifdef __linux__
	tcase_add_test(tcase, a_file_that_holds_more_than_its_size_is_not_put_empty);
	tcase_add_test(tcase, a_file_is_not_asked_for_that_the_disk_has_no_room_for);
#endif
	tcase_add_test(tcase, a_symbolic_link_here_is_not_followed);
	tcase_add_loop_test(tcase, a_port_that_was_taken_for_a_name_is_pointed_out, 0, 3);
	tcase_add_test(tcase, bad_usage_is_reported_in_a_line);
	return suite;
}
