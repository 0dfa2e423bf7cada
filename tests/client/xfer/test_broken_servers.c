/*
 * xfer with servers that are no filed: that lie, fall silent, say too much or too little. Each
 * is a few lines of script.
 */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "client/xfer/progress.h"
#include "common/io.h"
#include "common/name.h"
#include "common/sock.h"
#include "common/text.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/load_fixture.h"
#include "tests/suites.h"

enum {
	TEXT = 1024,
	MIB = 1 << 20,
};

static struct folder here;
static const char *script; /* what the server says to whatever it is asked */

static void make(void)
{
	folder_create(&here);
	signal(SIGPIPE, SIG_IGN);
}

static void clear(void)
{
	folder_remove(&here);
	if (server > 0)
		kill(server, SIGKILL);
}

static void serve(serve_function *function)
{
	start_server(function);
	harness_own_child(server);
}

static unsigned files_here(void)
{
	struct run run = run_program(
		ARGUMENTS("/bin/sh", "-c", "ls -A \"$0\" | wc -l", here.path), "", 0, 0);

	return (unsigned)strtoul(run.out, NULL, 10);
}

/* @return its length, without the LF; -1 at the end */
static int read_line(int fd, char *line, int size)
{
	int length = 0;

	while (length < size - 1 && io_read(fd, line + length, 1) == 1) {
		if (line[length] == '\n') {
			line[length] = '\0';
			return length;
		}
		length++;
	}
	line[length] = '\0';
	return -1;
}

/* Says the lines of the script, one for each request; what follows a '|' is said at once, and
 * without the LF that others get. Then it leaves. */
static void say_script(int fd, unsigned number)
{
	char line[9000];
	const char *at = script;

	(void)number;
	while (*at != '\0' && read_line(fd, line, sizeof line) >= 0) {
		size_t length = strcspn(at, "\n");

		io_write(fd, at, length);
		at += length;
		if (*at == '\n')
			io_write(fd, at++, 1);
		while (*at == '|') {
			length = strcspn(++at, "|\n");
			io_write(fd, at, length);
			at += length;
			if (*at == '\n')
				io_write(fd, at++, 1);
		}
	}
	half_close_and_drain(fd);
}

/* ---- lies -------------------------------------------------------------------------------- */

#define STAT_4 "STAT F 4 1700000000 f\n"
#define FILE_4 "FILE 4 1700000000\n"

static const struct {
	const char *command[3]; /* behind the options; NULL behind the last */
	const char *script;
	const char *says;
} lies[] = {
	{ { "get", "f" }, STAT_4 FILE_4 "|abcd|SUM 1\n", "wrong checksum" },
	{ { "get", "f" }, STAT_4 FILE_4 "|abcd|SUM -\n", "invalid number" },
	{ { "get", "f" }, STAT_4 FILE_4 "|abcd|SUM 99999999999\n", "invalid number" },
	{ { "get", "f" }, STAT_4 FILE_4 "|abcde|SUM 1\n", "\"eSUM 1\"" },
	{ { "get", "f" }, STAT_4 FILE_4 "|abc", "the server closed" },
	{ { "get", "f" }, STAT_4 FILE_4 "|abcd", "the server closed" },
	{ { "get", "f" },
	  STAT_4 "FILE 5 1700000000\n|abcde|SUM 1\n",
	  "the file is changing" },
	{ { "get", "f" }, STAT_4 "FILE -4 1700000000\n", "invalid number" },
	{ { "get", "f" }, STAT_4 "FILE 4 soon\n", "invalid time" },
	{ { "get", "f" }, STAT_4 "FILE 4\n", "wrong number of words" },
	{ { "get", "f" }, "STAT F 99999999999999999999 1 f\n", "invalid number" },
	{ { "get", "f" }, "STAT F 4 \"17 f\n", "wrong number of words" },
	{ { "get", "f" }, "HTTP/1.1 400 Bad Request\n", "\"HTTP/1.1 400 Bad Request\"" },
	{ { "get", "f" }, "ERR internal \x1b[2J\n", "server refused: \\x1b[2J\n" },
	{ { "get", "f" }, "ERR internal\n", "server refused: internal\n" },
	{ { "get", "f" }, "ERR\n", "invalid reply from the server" },
	{ { "ls", "" }, "ENTRIES 1\n|F 1 1 ../x\n", "invalid file name" },
	{ { "ls", "" }, "ENTRIES 1\n|F 1 1 /x\n", "invalid file name" },
	{ { "ls", "" }, "ENTRIES 1\n|F 1 1 a/b\n", "invalid file name" },
	{ { "ls", "" }, "ENTRIES 1\n|F 1 1 .x\n", "invalid file name" },
	{ { "ls", "" }, "ENTRIES 1\n|F 1 1 \"\"\n", "invalid file name" },
	{ { "ls", "" }, "ENTRIES 1\n|F 1 1 \x1b[2J\n", "invalid file name" },
	{ { "ls", "" }, "ENTRIES 1\n|F 1 1 \xff\n", "invalid file name" },
	{ { "ls", "" }, "ENTRIES 1\n|F 1 1 \xc2\x9b\n", "invalid file name" },
	{ { "ls", "" }, "ENTRIES 1\n|L 1 1 x\n", "neither a file nor a directory" },
	{ { "ls", "" }, "ENTRIES 2\n|F 1 1 x\n", "the server closed" },
	{ { "ls", "" }, "ENTRIES 99999999999\n", "invalid number" },
	{ { "get", "." }, "ENTRIES 1\n|F 4 1 ../f\n", "invalid file name" },
	{ { "get", "." }, "ERR internal no\n", "xfer: /: server refused: no\n" },
	{ { "put", NULL }, "SEND 5\n", "invalid number" },
	{ { "put", NULL }, "SEND -1\n", "invalid number" },
	{ { "put", NULL }, "SEND 0\n|DONE 3 1219131554\n", "wrong size or checksum" },
	{ { "put", NULL }, "SEND 0\n|DONE 4 0\n", "wrong size or checksum" },
	{ { "put", NULL },
	  "SEND 0\n|ERR no-space the disk is full\n",
	  "server refused: No space left on the server" },
	{ { "put", NULL }, "SEND 0\n|ERR checksum it is another\n", "it is another" },
	{ { "put", NULL }, "SEND 4\n|", "the server closed" },
	{ { "put", NULL }, "ERR too-large at most 3\n", "at most 3\n" },
};

/* One line of ours, no byte of theirs that a terminal obeys, and nothing left behind. */
START_TEST(a_server_that_lies_is_found_out)
{
	const char *operand = lies[_i].command[1];
	struct run run;

	script = lies[_i].script;
	serve(say_script);
	if (operand == NULL)
		folder_text(&here, "put", "abcd");
	run = run_program(ARGUMENTS("xfer", "-p", port, "--no-retry", "-r",
				    lies[_i].command[0], "127.0.0.1",
				    operand != NULL ? operand : folder_path(&here, "put"),
				    NULL),
			  "", 0, 0);
	run_expect_status(&run, 1);
	ck_assert_msg(strstr(run.err, lies[_i].says) != NULL, "%s", run.err);
	expect_match(run.err, "^xfer: [^[:cntrl:]]*\n$");
	ck_assert_str_eq(run.out, "");
}
END_TEST

START_TEST(nothing_is_left_of_a_file_that_came_wrong)
{
	struct run run;

	script = lies[_i].script;
	serve(say_script);
	run = run_program(ARGUMENTS("xfer", "-p", port, "--no-retry", "-r", "-o",
				    here.path, "get", "127.0.0.1", lies[_i].command[1]),
			  "", 0, 0);
	run_expect_status(&run, 1);
	ck_assert_uint_eq(files_here(), 0);
}
END_TEST

/* Folders in folders, each with a list that takes a third of what all may have, and a little
 * more. Who has not had enough of it by the fourth is left alone, and who comes again, too. */
static void make_up_folders(int fd, unsigned number)
{
	enum { FOLDERS = 170000, ROOM = 300 };
	char line[ROOM], *list = malloc((size_t)FOLDERS * ROOM);
	int length = sprintf(list, "ENTRIES %d\nD - 0 a\n", FOLDERS);

	for (int i = 1; i < FOLDERS; i++)
		length += sprintf(list + length, "D - 0 %0251d\n", i);
	for (int i = 0; i < 4 && number == 0 && read_line(fd, line, sizeof line) >= 0;
	     i++)
		io_write(fd, list, (size_t)length);
	free(list);
	half_close_and_drain(fd);
}

START_TEST(folders_that_a_server_makes_up_do_not_fill_the_memory)
{
	struct run run;

	serve(make_up_folders);
	run = run_program(ARGUMENTS("xfer", "-p", port, "--no-retry", "-r",
				    _i == 0 ? "ls" : "get", "127.0.0.1", "."),
			  "", 0, LONG_WAIT_MS);
	run_expect_status(&run, 1);
	expect_match(run.err,
		     "^xfer: a/a: the lists of this directory and those above it need "
		     "more than 128 MiB of memory\n");
}
END_TEST

static void talk_without_end(int fd, unsigned number)
{
	char line[TEXT];

	(void)number;
	memset(line, 'x', sizeof line);
	while (io_write(fd, line, sizeof line) > 0)
		;
}

START_TEST(a_line_without_end_is_not_listened_to)
{
	struct run run;

	serve(talk_without_end);
	run = run_program(ARGUMENTS("xfer", "-p", port, "ls", "127.0.0.1"), "", 0, 0);
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "xfer: invalid reply from the server: "
				  "the line is too long\n");
}
END_TEST

/* Lists a hundred files, and answers whatever is asked then with what is no protocol. */
static void list_and_talk_nonsense(int fd, unsigned number)
{
	char line[TEXT], entry[64];

	for (bool listed = number > 0; read_line(fd, line, sizeof line) >= 0;
	     listed = true) {
		write_text(fd, listed ? "nonsense\n" : "ENTRIES 100\n");
		for (int i = 0; !listed && i < 100; i++) {
			snprintf(entry, sizeof entry, "F 4 1 f%d\n", i);
			write_text(fd, entry);
		}
	}
	half_close_and_drain(fd);
}

START_TEST(a_server_that_talks_nonsense_is_asked_for_no_other_file)
{
	struct run run;

	serve(list_and_talk_nonsense);
	run = run_program(ARGUMENTS("xfer", "-p", port, "-r", "-o", here.path, "get",
				    "127.0.0.1", ".", "more"),
			  "", 0, 0);
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err,
			 "xfer: f0: invalid reply from the server: "
			 "\"nonsense\"\nxfer: the remaining files were not tried\n"
			 "xfer: the remaining files were not tried\n");
	ck_assert_uint_eq(files_here(), 0);
}
END_TEST

/* ---- found out before anything is transferred --------------------------------------------- */

static void output_is_only_read(void *context)
{
	int fd = open("/dev/null", O_RDONLY);

	(void)context;
	dup2(fd, STDOUT_FILENO);
	close(fd);
}

static void files_are_short(void *context)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };

	(void)context;
	setrlimit(RLIMIT_FSIZE, &limit);
}

#define STAT_4M "STAT F 4194304 1700000000 f\n"

static const struct {
	const char *options[3];
	const char *script;
	void (*prepare)(void *context);
	const char *says;
} obstacles[] = {
	{ { "-f" },
	  STAT_4M,
	  NULL,
	  "xfer: f: cannot replace the local directory: Is a directory\n" },
	{ { "-q" },
	  STAT_4,
	  NULL,
	  "xfer: f: cannot replace the local directory: Is a directory\n" },
	{ { "-fn", "d/f" },
	  STAT_4M,
	  NULL,
	  "xfer: d/f: cannot replace the local directory: Is a "
	  "directory\n" },
	{ { "-fn", "file/f" },
	  STAT_4M,
	  NULL,
	  "xfer: file/f: cannot open its directory: Not a "
	  "directory\n" },
	{ { "-fn", "g" },
	  STAT_4M,
	  files_are_short,
	  "xfer: g: cannot write: File too large\n" },
	{ { "-o-" },
	  STAT_4,
	  output_is_only_read,
	  "xfer: f: cannot write to standard output: "
	  "Bad file descriptor\n" },
};

/* The server leaves when it is asked for the file. */
START_TEST(what_is_in_the_way_of_a_file_is_found_before_it_is_asked_for)
{
	struct run run;
	const char *const *options = obstacles[_i].options;
	const char *argv[] = {
		"xfer", "-p",        port,       "--no-retry",
		"-o",   here.path,   options[0], options[1] != NULL ? options[1] : "-q",
		"get",  "127.0.0.1", "f",        NULL
	};

	folder_directory(&here, "f");
	folder_directory(&here, "d");
	folder_directory(&here, "d/f");
	folder_text(&here, "file", "");
	script = obstacles[_i].script;
	serve(say_script);
	run = run_program_with(
		&(struct run_setup){ .argv = argv, .prepare = obstacles[_i].prepare });
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, obstacles[_i].says);
	ck_assert_uint_eq(files_here(), 3);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_one_failure)
{
	struct run run;

	folder_text(&here, "a", "in the way");
	script = "STAT D - 1700000000 a\nENTRIES 2\n|F 4 1 x\n|F 4 1 y\n";
	serve(say_script);
	run = run_program(ARGUMENTS("xfer", "-p", port, "--no-retry", "-r", "-o",
				    here.path, "get", "127.0.0.1", "a"),
			  "", 0, 0);
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err,
			 "xfer: a: cannot create the directory: Not a directory\n");
}
END_TEST

/* Standard input does not end: whoever reads it first waits for ever. */
START_TEST(standard_input_is_not_read_for_a_server_that_cannot_take_it)
{
	struct run run;

	if (_i == 0) {
		find_deaf_port();
	} else {
		script = "STAT D - 1700000000 a\n";
		serve(say_script);
	}
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("xfer", "-p", port, "-n", "a", "put", "127.0.0.1", "-"),
		.hold_input = true,
	});
	run_expect_status(&run, 1);
	expect_match(run.err, _i == 0 ? "^xfer: a: cannot connect to [^\n]*\n$"
				      : "^xfer: a: is a directory on the server\n$");
}
END_TEST

/* ---- silence, and ends ------------------------------------------------------------------- */

static void say_nothing(int fd, unsigned number)
{
	char byte;

	(void)number;
	while (io_read(fd, &byte, 1) > 0)
		;
}

START_TEST(a_silent_server_is_waited_for_as_long_as_the_timeout)
{
	struct run run;

	serve(say_nothing);
	run = run_program(ARGUMENTS("xfer", "-p", port, "-w", "0.2", "--no-retry", "ls",
				    "127.0.0.1"),
			  "", 0, 0);
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "xfer: the server was silent for 0.2 s\n");
}
END_TEST

/* A byte of a line now and then, each well before the client's time is over. */
static void dribble(int fd, unsigned number)
{
	struct pollfd gone = { fd, POLLIN, 0 };
	char line[TEXT];

	(void)number;
	read_line(fd, line, sizeof line);
	do
		write_text(fd, "E");
	while (poll(&gone, 1, 50) == 0);
}

START_TEST(a_line_must_be_whole_within_the_timeout)
{
	struct run run;

	serve(dribble);
	run = run_program(
		ARGUMENTS("xfer", "-p", port, "-w", "2", "--no-retry", "ls", "127.0.0.1"),
		"", 0, 0);
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err, "xfer: the server did not end a line within 2 s\n");
}
END_TEST

static void hang_up(int fd, unsigned number)
{
	(void)number;
	half_close_and_drain(fd);
}

START_TEST(the_pauses_between_attempts_grow_and_then_it_gives_up)
{
	struct run run;

	serve(hang_up);
	run = run_program(ARGUMENTS("xfer", "-p", port, "--retry-delay", "0.001",
				    "--retries", "3", "get", "127.0.0.1", "a", "b"),
			  "", 0, 0);
	run_expect_status(&run, 1);
	ck_assert_str_eq(
		run.err,
		"xfer: a: the server closed the connection; trying again in 0.001 s\n"
		"xfer: a: the server closed the connection; trying again in 0.002 s\n"
		"xfer: a: the server closed the connection; trying again in 0.004 s\n"
		"xfer: a: the server closed the connection\n"
		"xfer: the remaining files were not tried\n");
}
END_TEST

START_TEST(a_server_that_never_was_there_is_not_tried_again)
{
	struct run run;

	find_deaf_port();
	run = run_program(ARGUMENTS("xfer", "-p", port, "get", "127.0.0.1", "a"), "", 0,
			  0);
	run_expect_status(&run, 1);
	expect_match(run.err, "^xfer: a: cannot connect to 127\\.0\\.0\\.1 port [0-9]+: "
			      "Connection refused\n$");
}
END_TEST

START_TEST(the_uppermost_folder_is_not_blamed_for_a_server_that_is_lost)
{
	const char *const *command = _i == 0 ? ARGUMENTS("ls", "127.0.0.1")
					     : ARGUMENTS("get", "127.0.0.1", ".");
	struct run run;

	find_deaf_port();
	run = run_program(
		ARGUMENTS("xfer", "-rp", port, command[0], command[1], command[2]), "", 0,
		0);
	run_expect_status(&run, 1);
	expect_match(run.err, "^xfer: cannot connect to 127\\.0\\.0\\.1 port [0-9]+: "
			      "Connection refused\n$");
	serve(hang_up);
	run = run_program(ARGUMENTS("xfer", "-p", port, "--retries", "1", "-r",
				    "--retry-delay", "0.001", command[0], command[1],
				    command[2]),
			  "", 0, 0);
	run_expect_status(&run, 1);
	ck_assert_str_eq(
		run.err,
		"xfer: the server closed the connection; trying again in 0.001 s\n"
		"xfer: the server closed the connection\n");
}
END_TEST

/* The checksum that the server says the file "abcd" has: the right one. */
static const char *sum_there = "1278160200";

/* Takes the file, and is gone before it says so; the second time the file exists. */
static void lose_done(int fd, unsigned number)
{
	char line[TEXT], reply[2 * TEXT], name[TEXT], size[32], time[64];

	read_line(fd, line, sizeof line);
	if (sscanf(line, "PUT %900s %30s %60s", name, size, time) != 3)
		return;
	if (number == 0) {
		write_text(fd, "SEND 0\n");
		read_line(fd, line, sizeof line); /* "abcd", and its sum */
		half_close_and_drain(fd);
		return;
	}
	write_text(fd, "ERR exists File exists\n");
	read_line(fd, line, sizeof line);
	snprintf(reply, sizeof reply, "STAT F %s %s %s\n", size,
		 script != NULL ? script : time, name);
	write_text(fd, reply);
	if (script == NULL) { /* its size and time are right */
		read_line(fd, line, sizeof line);
		if (sscanf(line, "GET %900s %30s", name, size) != 2)
			return;
		snprintf(reply, sizeof reply, "FILE 4 %s\nSUM %s\n", time,
			 strcmp(size, "4") == 0 ? sum_there : "0");
		write_text(fd, reply);
	}
	half_close_and_drain(fd);
}

START_TEST(a_file_that_was_taken_before_the_cut_is_done)
{
	struct run run;

	folder_text(&here, "f", "abcd");
	serve(lose_done);
	run = run_program(ARGUMENTS("xfer", "-qp", port, "--retry-delay", "0.01", "put",
				    "127.0.0.1", folder_path(&here, "f")),
			  "", 0, 0);
	ck_assert_str_eq(run.err, "");
	run_expect_status(&run, 0);
}
END_TEST

/* It has another time, or the same time and another content. */
START_TEST(another_file_that_exists_is_not_taken_for_ours)
{
	struct run run;

	folder_text(&here, "f", "abcd");
	if (_i == 0)
		script = "1600000000";
	else
		sum_there = "1";
	serve(lose_done);
	run = run_program(ARGUMENTS("xfer", "-qp", port, "--retry-delay", "0.01", "put",
				    "127.0.0.1", folder_path(&here, "f")),
			  "", 0, 0);
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "server refused: File exists "
					      "(the server runs without -w)\n"));
}
END_TEST

/* Appends to the file while it is being put. */
static void change_file(int fd, unsigned number)
{
	char line[TEXT];
	int file;

	(void)number;
	read_line(fd, line, sizeof line);
	file = open(folder_path(&here, "f"), O_WRONLY | O_APPEND);
	write_text(file, "more");
	close(file);
	write_text(fd, "SEND 0\n");
	half_close_and_drain(fd);
}

START_TEST(a_file_that_changes_while_it_is_put_is_not_put)
{
	struct run run;

	folder_text(&here, "f", "abcd");
	serve(change_file);
	run = run_program(ARGUMENTS("xfer", "-p", port, "put", "127.0.0.1",
				    folder_path(&here, "f")),
			  "", 0, 0);
	run_expect_status(&run, 1);
	expect_match(run.err, "/f: the file has changed during the upload\n$");
}
END_TEST

/* Says what only goes with a sum. */
static void go_on_with_another(int fd, unsigned number)
{
	char line[TEXT];

	(void)number;
	read_line(fd, line, sizeof line);
	write_text(fd, "SEND 2\n");
	half_close_and_drain(fd);
}

START_TEST(without_a_sum_nothing_is_gone_on_with_at_the_server)
{
	struct run run;

	folder_text(&here, "f", "abcd");
	serve(go_on_with_another);
	run = run_program(ARGUMENTS("xfer", "-p", port, "--no-retry", "--no-sum", "put",
				    "127.0.0.1", folder_path(&here, "f")),
			  "", 0, 0);
	run_expect_status(&run, 1);
	expect_match(run.err, "/f: invalid reply from the server: it resumes an "
			      "upload without a checksum\n$");
}
END_TEST

/* ---- on the way -------------------------------------------------------------------------- */

/* Gets f, and sends the client a signal, which ends it, as soon as it has come so far. */
static struct run interrupt(serve_function *function, bool (*has_come_so_far)(void *),
			    int number)
{
	struct program program;
	struct run run;

	serve(function);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("xfer", "-p", port, "-o", here.path, "get", "127.0.0.1",
				  "f"),
	});
	ck_assert(eventually(has_come_so_far, NULL, WAIT_MS));
	kill(program.pid, number);
	run = program_wait(&program, WAIT_MS);
	run_expect_signal(&run, number);
	return run;
}

/* Half of a file of 4M; the other half when it is asked for a second time. */
static void send_half(int fd, unsigned number)
{
	char *bytes = much_memory(2 * MIB), line[TEXT];

	(void)number;
	read_line(fd, line, sizeof line);
	write_text(fd, "STAT F 4194304 1700000000 f\n");
	read_line(fd, line, sizeof line);
	write_text(fd, "FILE 4194304 1700000000\n");
	io_write(fd, bytes, 2 * MIB);
	say_nothing(fd, number);
}

static bool half_is_here(void *context)
{
	struct stat status;

	(void)context;
	return stat(folder_path(&here, ".f.4194304-1700000000.part"), &status) == 0 &&
	       status.st_size == 2 * MIB;
}

START_TEST(who_interrupts_it_can_go_on_later)
{
	struct run run = interrupt(send_half, half_is_here, SIGINT);

	ck_assert_str_eq(run.err, "");
	ck_assert(half_is_here(NULL));
}
END_TEST

/* Half of a small file. */
static void send_some(int fd, unsigned number)
{
	char line[TEXT];

	read_line(fd, line, sizeof line);
	write_text(fd, STAT_4);
	read_line(fd, line, sizeof line);
	write_text(fd, FILE_4 "ab");
	say_nothing(fd, number);
}

static bool is_begun(void *context)
{
	(void)context;
	return files_here() == 2;
}

START_TEST(an_interrupted_small_file_leaves_nothing)
{
	struct run run;

	folder_text(&here, ".f.part", "the user's own");
	interrupt(send_some, is_begun, SIGTERM);
	ck_assert_uint_eq(files_here(), 1);
	run = run_program(ARGUMENTS("/bin/cat", folder_path(&here, ".f.part")), "", 0, 0);
	ck_assert_str_eq(run.out, "the user's own");
}
END_TEST

/* What a terminal has been shown, up to this text. */
static void wait_for_text(int terminal, const char *text)
{
	static char shown[64 * 1024];
	static size_t length;

	while (strstr(shown, text) == NULL) {
		ssize_t n;

		ck_assert_msg(io_wait(terminal, POLLIN, WAIT_MS) > 0, "'%s' in '%s'",
			      text, shown);
		n = io_read(terminal, shown + length, sizeof shown - 1 - length);
		ck_assert_int_gt(n, 0);
		length += (size_t)n;
		shown[length] = '\0';
	}
}

/* A piece after the other, each when a tenth of a second has passed: in between the line is
 * drawn. */
static void send_slowly(int fd, unsigned number)
{
	char *bytes = much_memory(MIB), line[TEXT];

	(void)number;
	read_line(fd, line, sizeof line);
	write_text(fd, "STAT F 4194304 1700000000 f\n");
	read_line(fd, line, sizeof line);
	write_text(fd, "FILE 4194304 1700000000\n");
	for (int i = 0; i < 3; i++) {
		struct timespec time = { 0, 120000000 };

		nanosleep(&time, NULL);
		io_write(fd, bytes, MIB);
	}
	say_nothing(fd, number);
}

START_TEST(a_terminal_shows_the_progress_and_is_clean_at_the_end)
{
	int terminal, slave;
	struct winsize size = { .ws_row = 24, .ws_col = 60 };
	struct program program;
	struct run run;

	if (!terminal_open(&terminal, &slave))
		return;
	ioctl(slave, TIOCSWINSZ, &size);
	serve(send_slowly);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("xfer", "-p", port, "-o", here.path, "get", "127.0.0.1",
				  "f"),
		.prepare = errors_are_terminal,
		.context = &slave,
	});
	wait_for_text(terminal, " of 4.2 MB  ");
	kill(program.pid, SIGINT);
	wait_for_text(terminal, "\r\033[K");
	run = program_wait(&program, WAIT_MS);
	ck_assert(WIFSIGNALED(run.status));
	close(slave);
	close(terminal);
}
END_TEST

/* Takes a second for an empty file. */
static void send_late(int fd, unsigned number)
{
	struct timespec time = { 1, 100000000 };
	char line[TEXT];

	(void)number;
	read_line(fd, line, sizeof line);
	write_text(fd, "STAT F 0 1700000000 f\n");
	read_line(fd, line, sizeof line);
	nanosleep(&time, NULL);
	write_text(fd, "FILE 0 1700000000\nSUM 4294967295\n");
	say_nothing(fd, number);
}

START_TEST(a_long_transfer_ends_with_its_sum_on_a_terminal)
{
	int terminal, slave;
	struct program program;
	struct run run;

	if (!terminal_open(&terminal, &slave))
		return;
	serve(send_late);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("xfer", "-p", port, "-o", here.path, "get", "127.0.0.1",
				  "f"),
		.prepare = errors_are_terminal,
		.context = &slave,
	});
	wait_for_text(terminal, "xfer: 1 file, 0 B, 1.");
	run = program_wait(&program, WAIT_MS);
	run_expect_status(&run, 0);
	close(slave);
	close(terminal);
}
END_TEST

#define TURNED   "\xe2\x80\xae" /* U+202E: what follows runs from the right to the left */
#define REPLACED "\xef\xbf\xbd"

START_TEST(a_name_turns_no_text_around_on_a_terminal)
{
	int terminal, slave;
	struct program program;
	struct run run;
	char line[256];
	struct xfer_progress progress = { .name = "a" TURNED "b", .size = 1 };

	xfer_progress_text(&progress, 80, line, sizeof line);
	ck_assert_ptr_nonnull(strstr(line, "a" REPLACED "b"));
	if (!terminal_open(&terminal, &slave))
		return;
	script = "ENTRIES 1\n|F 1 1 a" TURNED "b\n";
	serve(say_script);
	program = program_start(&(struct run_setup){
		.argv = ARGUMENTS("xfer", "-p", port, "ls", "127.0.0.1"),
		.prepare = output_is_terminal,
		.context = &slave,
	});
	wait_for_text(terminal, "  a" REPLACED "b\r\n");
	run = program_wait(&program, WAIT_MS);
	run_expect_status(&run, 0);
	close(slave);
	close(terminal);
}
END_TEST

START_TEST(a_script_gets_names_as_they_are_and_messages_turn_nothing)
{
	struct run run;

	script = "ENTRIES 1\n|F 1 1 a" TURNED "b\n";
	serve(say_script);
	run = run_program(ARGUMENTS("xfer", "-p", port, "ls", "127.0.0.1"), "", 0, 0);
	run_expect_status(&run, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "  a" TURNED "b\n"));
	run = run_program(ARGUMENTS("xfer", "-p", port, "put", "127.0.0.1",
				    folder_path(&here, "a" TURNED "b")),
			  "", 0, 0);
	run_expect_status(&run, 1);
	expect_match(run.err, "/a" REPLACED "b: No such file or directory\n$");
}
END_TEST

/* ---- the line of progress, and names ------------------------------------------------------ */

START_TEST(the_line_of_progress_fits_and_is_cut_between_characters)
{
	/* Long, of characters of one, two, three and four bytes, some of them wide. */
	char name[4000], line[4096];
	struct xfer_progress progress = {
		.name = name,
		.size = 5000000000,
		.at = 1234567890,
		.resumed = 1000000000,
		.nanoseconds = 2000000000,
	};

	name[0] = '\0';
	for (int i = 0; i < 200; i++)
		strcat(name, "a\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80"
			     "e\xcc\x81");
	for (unsigned width = 0; width < 600; width++) {
		size_t length, characters = 0;

		xfer_progress_text(&progress, width, line, sizeof line);
		length = strlen(line);
		for (size_t at = 0; at < length; characters++) {
			size_t n = text_utf8_length(line + at, length - at);

			ck_assert_uint_gt(n, 0);
			at += n;
		}
		if (width > 1)
			ck_assert_uint_le(characters, 2 * width);
	}
	progress.name = "short.txt";
	ck_assert_str_eq(xfer_progress_text(&progress, 90, line, sizeof line),
			 "short.txt          [==#-----------]  25%  1.2 GB of 5.0 GB  "
			 "117 MB/s  0:32  (from 1.0 GB)");
}
END_TEST

START_TEST(names_that_lead_elsewhere_or_hide_are_none)
{
	static const char *const good[] = { "a", "a/b", "two words", "\xc3\xbc", "a.b",
					    "~", "-",   "a\\b",      "a..b/c." };
	static const char *const bad[] = { "",     "/",       "/a",   "a/",     "a//b",
					   ".",    "..",      "../a", "a/../b", ".a",
					   "a/.b", "a\nb",    "\x1b", "\x7f",   "\xff",
					   "\xc3", "\xc2\x9b" };

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(name_flaw(good[i]) == NULL, "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(name_flaw(bad[i]) != NULL, "%zu", i);
}
END_TEST

Suite *suite_xfer_servers(void)
{
	Suite *suite = suite_create("xfer_servers");
	TCase *tcase = add_case(suite, "lies");

	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_loop_test(tcase, a_server_that_lies_is_found_out, 0,
			    (int)(sizeof lies / sizeof *lies));
	tcase_add_loop_test(tcase, nothing_is_left_of_a_file_that_came_wrong, 0, 16);
	tcase_add_test(tcase, a_line_without_end_is_not_listened_to);
	tcase_add_test(tcase, a_server_that_talks_nonsense_is_asked_for_no_other_file);
	tcase_add_loop_test(tcase, folders_that_a_server_makes_up_do_not_fill_the_memory,
			    0, 2);

	tcase = add_case(suite, "found out before");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_loop_test(tcase,
			    what_is_in_the_way_of_a_file_is_found_before_it_is_asked_for,
			    0, (int)(sizeof obstacles / sizeof *obstacles));
	tcase_add_test(tcase, a_folder_that_cannot_be_made_is_one_failure);
	tcase_add_loop_test(
		tcase, standard_input_is_not_read_for_a_server_that_cannot_take_it, 0, 2);

	tcase = add_case(suite, "silence and ends");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, a_silent_server_is_waited_for_as_long_as_the_timeout);
	tcase_add_test(tcase, a_line_must_be_whole_within_the_timeout);
	tcase_add_test(tcase, the_pauses_between_attempts_grow_and_then_it_gives_up);
	tcase_add_test(tcase, a_server_that_never_was_there_is_not_tried_again);
	tcase_add_loop_test(tcase,
			    the_uppermost_folder_is_not_blamed_for_a_server_that_is_lost,
			    0, 2);
	tcase_add_test(tcase, a_file_that_was_taken_before_the_cut_is_done);
	tcase_add_loop_test(tcase, another_file_that_exists_is_not_taken_for_ours, 0, 2);
	tcase_add_test(tcase, without_a_sum_nothing_is_gone_on_with_at_the_server);
	tcase_add_test(tcase, a_file_that_changes_while_it_is_put_is_not_put);

	tcase = add_case(suite, "on the way");
	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_test(tcase, who_interrupts_it_can_go_on_later);
	tcase_add_test(tcase, an_interrupted_small_file_leaves_nothing);
	tcase_add_test(tcase, a_terminal_shows_the_progress_and_is_clean_at_the_end);
	tcase_add_test(tcase, a_long_transfer_ends_with_its_sum_on_a_terminal);
	tcase_add_test(tcase, a_name_turns_no_text_around_on_a_terminal);
	tcase_add_test(tcase, a_script_gets_names_as_they_are_and_messages_turn_nothing);
	tcase_add_test(tcase, the_line_of_progress_fits_and_is_cut_between_characters);
	tcase_add_test(tcase, names_that_lead_elsewhere_or_hide_are_none);
	return suite;
}
