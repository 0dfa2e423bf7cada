/*
 * read, write and poll: short counts, signals, descriptors that do not wait.
 *
 * No test waits for luck. Where a signal must arrive in the middle of a call, a second
 * thread sends signal after signal, and only then does what lets the call go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "tests/fixture/folder.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { SIGNALS = 25, TOO_MANY = 2000, MUCH = 1 << 20 };

/* ---- what the tests are given ------------------------------------------------------------ */

struct ends {
	int reader, writer;
};

static struct ends new_pipe(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	return (struct ends){ fds[0], fds[1] };
}

static struct ends new_socketpair(int type)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type, 0, fds), 0);
	return (struct ends){ fds[0], fds[1] };
}

static void close_ends(struct ends ends)
{
	close(ends.reader);
	close(ends.writer);
}

/* Bytes of which no two thousand in a row are alike: lost and doubled ones show. */
static char *new_pattern(size_t size)
{
	char *bytes = malloc(size);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i ^ i >> 8 ^ i >> 16);
	return bytes;
}

static void do_nothing(int signal)
{
	(void)signal;
}

/* From now on SIGUSR1 cuts system calls short (no SA_RESTART). */
static void let_signals_interrupt(void)
{
	struct sigaction action = { .sa_handler = do_nothing };

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

static void ignore_sigpipe(void)
{
	ck_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

/* A second thread: it interrupts the first again and again, a millisecond apart. */
struct helper {
	pthread_t thread, target;
	int fd;
	char *bytes;
	size_t count;
	atomic_bool enough;
};

static void interrupt(pthread_t target, int times)
{
	struct timespec pause = clock_timespec(1);

	for (int i = 0; i < times; i++) {
		pthread_kill(target, SIGUSR1);
		nanosleep(&pause, NULL);
	}
}

static void start_helper(struct helper *helper, void *(*run)(void *))
{
	let_signals_interrupt();
	helper->target = pthread_self();
	ck_assert_int_eq(pthread_create(&helper->thread, NULL, run, helper), 0);
}

static void end_helper(struct helper *helper)
{
	ck_assert_int_eq(pthread_join(helper->thread, NULL), 0);
}

/* ---- reading ----------------------------------------------------------------------------- */

START_TEST(a_read_returns_what_is_there_without_waiting_for_more)
{
	struct ends ends = new_pipe();
	char bytes[64];

	ck_assert_int_eq(write(ends.writer, "hello", 5), 5);
	ck_assert_int_eq(io_read(ends.reader, bytes, sizeof bytes), 5);
	ck_assert_mem_eq(bytes, "hello", 5);
	close_ends(ends);
}
END_TEST

START_TEST(a_read_at_the_end_of_the_input_returns_0)
{
	struct ends ends = new_pipe();
	char byte;

	close(ends.writer);
	ck_assert_int_eq(io_read(ends.reader, &byte, 1), 0);
	close(ends.reader);
}
END_TEST

START_TEST(a_read_that_need_not_wait_says_that_nothing_is_there)
{
	struct ends ends = new_pipe();
	char byte;

	ck_assert_int_eq(io_set_nonblocking(ends.reader, true), 0);
	ck_assert_int_eq(io_read(ends.reader, &byte, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close_ends(ends);
}
END_TEST

static void *interrupt_then_write(void *argument)
{
	struct helper *helper = argument;

	interrupt(helper->target, SIGNALS);
	if (write(helper->fd, "late", 4) != 4)
		abort();
	return NULL;
}

START_TEST(a_signal_does_not_end_a_read)
{
	struct ends ends = new_pipe();
	struct helper helper = { .fd = ends.writer };
	char bytes[64];

	start_helper(&helper, interrupt_then_write);
	ck_assert_int_eq(io_read(ends.reader, bytes, sizeof bytes), 4);
	ck_assert_mem_eq(bytes, "late", 4);
	end_helper(&helper);
	close_ends(ends);
}
END_TEST

START_TEST(reading_all_goes_on_after_a_short_read)
{
	struct ends ends =
		new_socketpair(SOCK_SEQPACKET); /* a read gets one packet at most */
	char bytes[6];

	ck_assert_int_eq(write(ends.writer, "abc", 3), 3);
	ck_assert_int_eq(write(ends.writer, "d", 1), 1);
	ck_assert_int_eq(write(ends.writer, "ef", 2), 2);
	ck_assert_int_eq(io_read_all(ends.reader, bytes, sizeof bytes), 6);
	ck_assert_mem_eq(bytes, "abcdef", 6);
	close_ends(ends);
}
END_TEST

START_TEST(reading_all_ends_early_only_with_the_input)
{
	struct ends ends = new_socketpair(SOCK_SEQPACKET);
	char bytes[64];

	ck_assert_int_eq(write(ends.writer, "abc", 3), 3);
	ck_assert_int_eq(write(ends.writer, "def", 3), 3);
	close(ends.writer);
	ck_assert_int_eq(io_read_all(ends.reader, bytes, sizeof bytes), 6);
	ck_assert_mem_eq(bytes, "abcdef", 6);
	ck_assert_int_eq(io_read_all(ends.reader, bytes, sizeof bytes), 0);
	close(ends.reader);
}
END_TEST

START_TEST(reading_all_reports_an_error_in_the_middle)
{
	struct ends ends = new_pipe();
	char bytes[64];

	ck_assert_int_eq(io_set_nonblocking(ends.reader, true), 0);
	ck_assert_int_eq(write(ends.writer, "abc", 3), 3);
	ck_assert_int_eq(io_read_all(ends.reader, bytes, sizeof bytes), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close_ends(ends);
}
END_TEST

/* ---- writing ----------------------------------------------------------------------------- */

/* Writes much to a descriptor that does not wait; what it took must be the beginning. */
static void check_partial_write(struct ends ends)
{
	char *sent = new_pattern(MUCH), *got = malloc(MUCH);
	ssize_t count;

	ck_assert_ptr_nonnull(got);
	ck_assert_int_eq(io_set_nonblocking(ends.writer, true), 0);
	count = io_write(ends.writer, sent, MUCH);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_gt(count, 0);
	ck_assert_int_lt(count, MUCH);
	ck_assert_int_eq(io_write(ends.writer, sent + count, MUCH - (size_t)count), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(ends.writer);
	ck_assert_int_eq(io_read_all(ends.reader, got, MUCH), count);
	ck_assert_mem_eq(got, sent, (size_t)count);
	close(ends.reader);
	free(sent);
	free(got);
}

START_TEST(a_pipe_that_is_full_takes_a_part_then_says_so)
{
	check_partial_write(new_pipe());
}
END_TEST

START_TEST(a_socket_that_is_full_takes_a_part_then_says_so)
{
	check_partial_write(new_socketpair(SOCK_STREAM));
}
END_TEST

/* Reads a pipe empty, but before each read interrupts the writer, who fills it and waits. */
static void *interrupt_and_read(void *argument)
{
	struct helper *helper = argument;
	size_t got = 0;

	while (got < helper->count) {
		ssize_t n;

		interrupt(helper->target, 2);
		n = read(helper->fd, helper->bytes + got, helper->count - got);
		if (n <= 0)
			abort();
		got += (size_t)n;
	}
	return NULL;
}

START_TEST(signals_cost_a_write_no_byte)
{
	struct ends ends = new_pipe();
	char *sent = new_pattern(MUCH);
	struct helper helper = { .fd = ends.reader,
				 .bytes = malloc(MUCH),
				 .count = MUCH };

	ck_assert_ptr_nonnull(helper.bytes);
	start_helper(&helper, interrupt_and_read);
	ck_assert_int_eq(io_write(ends.writer, sent, MUCH), MUCH);
	end_helper(&helper);
	ck_assert_mem_eq(helper.bytes, sent, MUCH);
	close_ends(ends);
	free(helper.bytes);
	free(sent);
}
END_TEST

START_TEST(a_write_that_nobody_will_read_fails)
{
	struct ends ends = new_pipe();

	ignore_sigpipe();
	close(ends.reader);
	ck_assert_int_eq(io_write(ends.writer, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(ends.writer);
}
END_TEST

static void *read_once_and_close(void *argument)
{
	struct helper *helper = argument;

	if (read(helper->fd, helper->bytes, helper->count) <= 0)
		abort();
	close(helper->fd);
	return NULL;
}

START_TEST(a_reader_that_leaves_in_mid_write_leaves_the_count_and_the_reason)
{
	struct ends ends = new_pipe();
	char *sent = new_pattern(MUCH), bytes[16];
	struct helper helper = { .fd = ends.reader,
				 .bytes = bytes,
				 .count = sizeof bytes };
	ssize_t count;

	ignore_sigpipe();
	start_helper(&helper, read_once_and_close);
	count = io_write(ends.writer, sent, MUCH);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_gt(count, 0);
	ck_assert_int_lt(count, MUCH);
	end_helper(&helper);
	close(ends.writer);
	free(sent);
}
END_TEST

START_TEST(lines_that_nobody_reads_are_dropped_until_there_is_room)
{
	static char page[4096];
	struct ends ends = new_pipe();
	atomic_bool stuck = false;
	int64_t begin;

	ck_assert_int_eq(io_write_unless_stuck(ends.writer, "one\n", 4, &stuck), 4);
	ck_assert_int_eq(io_set_nonblocking(ends.writer, true), 0);
	while (io_write(ends.writer, page, sizeof page) == sizeof page)
		continue;
	ck_assert_int_eq(io_set_nonblocking(ends.writer, false), 0);

	ck_assert_int_eq(io_write_unless_stuck(ends.writer, "two\n", 4, &stuck), -1);
	ck_assert_int_eq(errno, EAGAIN);
	begin = clock_milliseconds();
	for (int i = 0; i < 1000; i++) /* only the first was waited for */
		ck_assert_int_eq(io_write_unless_stuck(ends.writer, "x", 1, &stuck), -1);
	ck_assert_int_lt(clock_milliseconds() - begin, 1000 * 100);

	while (io_wait(ends.reader, POLLIN, 0) > 0)
		ck_assert_int_gt(io_read(ends.reader, page, sizeof page), 0);
	ck_assert_int_eq(io_write_unless_stuck(ends.writer, "three\n", 6, &stuck), 6);
	ck_assert_int_eq(io_read(ends.reader, page, sizeof page), 6);
	ck_assert_mem_eq(page, "three\n", 6);
	close_ends(ends);
}
END_TEST

static void fill(struct ends ends)
{
	static char page[4096];

	ck_assert_int_eq(io_set_nonblocking(ends.writer, true), 0);
	while (io_write(ends.writer, page, sizeof page) > 0)
		continue;
	ck_assert_int_eq(io_set_nonblocking(ends.writer, false), 0);
}

enum { WRITERS = 8, LINE = 4096, ROUNDS = 100 };

struct writer {
	pthread_t thread;
	int fd;
	atomic_bool *stuck;
	atomic_uint *ended;
};

static void *write_a_line(void *argument)
{
	static char line[LINE];
	struct writer *writer = argument;

	io_write_unless_stuck(writer->fd, line, sizeof line, writer->stuck);
	atomic_fetch_add(writer->ended, 1);
	return NULL;
}

static bool all_have_ended(void *context)
{
	return atomic_load((atomic_uint *)context) == WRITERS;
}

static void read_what_is_there(int fd, size_t most)
{
	char page[LINE];

	for (size_t n = 0; n < most && io_wait(fd, POLLIN, 0) > 0; n += LINE)
		ck_assert_int_gt(io_read(fd, page, LINE), 0);
}

/* Many wait for room, and it comes for a few. */
static void expect_nobody_waits_for_ever(struct ends ends, size_t room)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct writer writers[WRITERS];
		atomic_bool stuck = false;
		atomic_uint ended = 0;

		fill(ends);
		for (int i = 0; i < WRITERS; i++) {
			writers[i] = (struct writer){ .fd = ends.writer,
						      .stuck = &stuck,
						      .ended = &ended };
			ck_assert_int_eq(pthread_create(&writers[i].thread, NULL,
							write_a_line, &writers[i]),
					 0);
		}
		read_what_is_there(ends.reader, room);
		ck_assert_msg(eventually(all_have_ended, &ended, WAIT_MS),
			      "only %u of %d writers came back", atomic_load(&ended),
			      WRITERS);
		for (int i = 0; i < WRITERS; i++)
			ck_assert_int_eq(pthread_join(writers[i].thread, NULL), 0);
	}
	close_ends(ends);
}

START_TEST(of_many_writers_of_a_full_pipe_none_waits_for_ever)
{
	expect_nobody_waits_for_ever(new_pipe(), LINE);
}
END_TEST

START_TEST(of_many_writers_of_a_full_socket_none_waits_for_ever)
{
	struct ends ends = new_socketpair(SOCK_STREAM);
	const int small = 2 * LINE;

	ck_assert_int_eq(
		setsockopt(ends.writer, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	expect_nobody_waits_for_ever(ends, MUCH);
}
END_TEST

/* Its reader takes all that there is again and again, but each time late. */
START_TEST(a_slow_reader_takes_a_small_part_of_our_time)
{
	static char page[4096];
	struct ends ends = new_pipe();
	atomic_bool stuck = false;
	int64_t waited = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t begin;

		fill(ends);
		begin = clock_milliseconds();
		ck_assert_int_eq(io_write_unless_stuck(ends.writer, "x", 1, &stuck), -1);
		waited += clock_milliseconds() - begin;
		while (io_wait(ends.reader, POLLIN, 0) > 0)
			ck_assert_int_gt(io_read(ends.reader, page, sizeof page), 0);
		ck_assert_int_eq(io_write_unless_stuck(ends.writer, "y", 1, &stuck), 1);
	}
	ck_assert_int_lt(waited, ROUNDS * 100 / 2);
	close_ends(ends);
}
END_TEST

START_TEST(writing_nothing_succeeds)
{
	struct ends ends = new_pipe();

	ck_assert_int_eq(io_write(ends.writer, "", 0), 0);
	close_ends(ends);
}
END_TEST

/* ---- waiting ----------------------------------------------------------------------------- */

START_TEST(waiting_ends_when_the_time_is_over)
{
	struct ends ends = new_pipe();
	int64_t start = clock_milliseconds();

	ck_assert_int_eq(io_wait(ends.reader, POLLIN, 30), 0);
	ck_assert_int_ge(clock_milliseconds() - start, 29);
	ck_assert_int_eq(io_wait(ends.reader, POLLIN, 0), 0);
	close_ends(ends);
}
END_TEST

START_TEST(waiting_tells_what_the_descriptor_is_ready_for)
{
	struct ends ends = new_socketpair(SOCK_STREAM);

	ck_assert_int_eq(io_wait(ends.reader, POLLIN | POLLOUT, -1), POLLOUT);
	ck_assert_int_eq(write(ends.writer, "x", 1), 1);
	ck_assert_int_eq(io_wait(ends.reader, POLLIN | POLLOUT, -1), POLLIN | POLLOUT);
	ck_assert_int_eq(io_wait(ends.reader, POLLIN, 0), POLLIN);
	close_ends(ends);
}
END_TEST

START_TEST(waiting_ends_when_the_other_side_is_gone)
{
	struct ends ends = new_pipe();

	close(ends.writer);
	ck_assert_int_ne(io_wait(ends.reader, POLLIN, -1) & POLLHUP, 0);
	close(ends.reader);
}
END_TEST

static void *interrupt_until_enough(void *argument)
{
	struct helper *helper = argument;

	while (!helper->enough && helper->count < TOO_MANY) {
		interrupt(helper->target, 1);
		helper->count++;
	}
	return NULL;
}

START_TEST(signals_neither_shorten_nor_lengthen_a_wait)
{
	struct ends ends = new_pipe();
	struct helper helper = { .fd = -1 };
	int64_t start = clock_milliseconds();

	start_helper(&helper, interrupt_until_enough);
	ck_assert_int_eq(io_wait(ends.reader, POLLIN, 60), 0);
	ck_assert_int_ge(clock_milliseconds() - start, 59);
	helper.enough = true;
	end_helper(&helper);
	ck_assert_uint_gt(helper.count, 0);
	ck_assert_uint_lt(helper.count, TOO_MANY); /* not begun again with each signal */
	close_ends(ends);
}
END_TEST

START_TEST(signals_do_not_end_a_wait_without_a_limit)
{
	struct ends ends = new_pipe();
	struct helper helper = { .fd = ends.writer };

	start_helper(&helper, interrupt_then_write);
	ck_assert_int_eq(io_wait(ends.reader, POLLIN, -1), POLLIN);
	end_helper(&helper);
	close_ends(ends);
}
END_TEST

/* ---- descriptor flags -------------------------------------------------------------------- */

START_TEST(waiting_or_not_can_be_switched_and_leaves_other_flags_alone)
{
	struct ends ends = new_pipe();
	int before;

	ck_assert_int_eq(fcntl(ends.writer, F_SETFL, O_APPEND), 0);
	before = fcntl(ends.writer, F_GETFL);
	ck_assert_int_eq(before & O_NONBLOCK, 0);
	for (int i = 0; i < 2; i++) { /* twice the same is no error */
		ck_assert_int_eq(io_set_nonblocking(ends.writer, true), 0);
		ck_assert_int_eq(fcntl(ends.writer, F_GETFL), before | O_NONBLOCK);
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(io_set_nonblocking(ends.writer, false), 0);
		ck_assert_int_eq(fcntl(ends.writer, F_GETFL), before);
	}
	close_ends(ends);
}
END_TEST

START_TEST(a_descriptor_can_be_kept_from_other_programs)
{
	struct ends ends = new_pipe();

	ck_assert_int_eq(fcntl(ends.reader, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(io_set_close_on_exec(ends.reader), 0);
	ck_assert_int_eq(fcntl(ends.reader, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close_ends(ends);
}
END_TEST

START_TEST(a_closed_descriptor_is_an_error_everywhere)
{
	struct ends ends = new_pipe();
	char byte = 'x';

	close_ends(ends);
	ck_assert_int_eq(io_read(ends.reader, &byte, 1), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(io_write(ends.writer, &byte, 1), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(io_set_nonblocking(ends.reader, true), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(io_set_close_on_exec(ends.reader), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(io_wait(ends.reader, POLLIN, -1), POLLNVAL);
}
END_TEST

/* ---- lines that are cut ------------------------------------------------------------------ */

/* Writes a line while files may have so many bytes, and no longer: Check has files, too. */
static ssize_t write_limited(rlim_t bytes, int fd, const char *line, bool waits,
			     struct io_lines *lines)
{
	struct rlimit before, limit;
	ssize_t n;
	int saved;

	signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &before) < 0)
		return -2;
	limit = before;
	limit.rlim_cur = bytes;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return -2;
	n = io_write_line(fd, line, strlen(line), waits, lines);
	saved = errno;
	if (setrlimit(RLIMIT_FSIZE, &before) < 0)
		return -2;
	errno = saved;
	return n;
}

static void expect_content(int fd, const char *text)
{
	char content[256];
	ssize_t n = pread(fd, content, sizeof content - 1, 0);

	ck_assert_int_ge(n, 0);
	content[n] = '\0';
	ck_assert_str_eq(content, text);
}

static int open_log(char path[FOLDER_TEXT])
{
	int fd = folder_create_file(path, "log");

	close(fd);
	fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* _i: whether it may wait for a reader, which a file does not have. */
START_TEST(a_line_that_was_cut_does_not_spoil_the_next_one)
{
	struct io_lines lines = { false, false };
	char path[FOLDER_TEXT];
	int fd = open_log(path);

	ck_assert_int_eq(write_limited(10, fd, "12345678\n", _i, &lines), 9);
	for (int i = 0; i < 3; i++) {
		errno = 0;
		ck_assert_int_eq(write_limited(10, fd, "abcdefgh\n", _i, &lines), -1);
		ck_assert_int_eq(errno, EFBIG);
	}
	/* room for its end, but not for more */
	ck_assert_int_eq(write_limited(11, fd, "lost\n", _i, &lines), -1);
	ck_assert_int_eq(write_limited(16, fd, "next\n", _i, &lines), 5);
	expect_content(fd, "12345678\na\nnext\n");
	close(fd);
}
END_TEST

START_TEST(the_next_line_may_be_another_process_s)
{
	struct io_lines *lines = io_lines_create();
	char path[FOLDER_TEXT];
	int fd = open_log(path), status;
	pid_t child;

	ck_assert_ptr_nonnull(lines);
	child = fork();
	if (child == 0)
		_exit(write_limited(4, fd, "abcdefgh\n", false, lines) == -1 ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(io_write_line(fd, "next\n", 5, false, lines), 5);
	ck_assert_int_eq(io_write_line(fd, "more\n", 5, false, lines), 5);
	expect_content(fd, "abcd\nnext\nmore\n");
	close(fd);
}
END_TEST

START_TEST(a_file_that_was_emptied_begins_with_a_line)
{
	struct io_lines lines = { false, false };
	char path[FOLDER_TEXT];
	int fd = open_log(path);

	ck_assert_int_eq(write_limited(4, fd, "abcdefgh\n", false, &lines), -1);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(io_write_line(fd, "next\n", 5, false, &lines), 5);
	expect_content(fd, "next\n");
	close(fd);
}
END_TEST

START_TEST(a_file_may_end_in_a_line)
{
	char path[FOLDER_TEXT];
	int fd = open_log(path);

	ck_assert(!io_ends_in_a_line(path));
	ck_assert_int_eq(write(fd, "abc", 3), 3);
	ck_assert(io_ends_in_a_line(path));
	ck_assert_int_eq(write(fd, "\n", 1), 1);
	ck_assert(!io_ends_in_a_line(path));
	ck_assert(!io_ends_in_a_line("/dev/null"));
	ck_assert(!io_ends_in_a_line("no such file"));
	close(fd);
}
END_TEST

Suite *suite_io(void)
{
	Suite *suite = suite_create("io");
	TCase *reading = tcase_create("reading"), *writing = tcase_create("writing");
	TCase *waiting = tcase_create("waiting"), *flags = tcase_create("flags");
	TCase *cut = tcase_create("lines that are cut");

	tcase_add_test(reading, a_read_returns_what_is_there_without_waiting_for_more);
	tcase_add_test(reading, a_read_at_the_end_of_the_input_returns_0);
	tcase_add_test(reading, a_read_that_need_not_wait_says_that_nothing_is_there);
	tcase_add_test(reading, a_signal_does_not_end_a_read);
	tcase_add_test(reading, reading_all_goes_on_after_a_short_read);
	tcase_add_test(reading, reading_all_ends_early_only_with_the_input);
	tcase_add_test(reading, reading_all_reports_an_error_in_the_middle);
	suite_add_tcase(suite, reading);
	tcase_add_test(writing, a_pipe_that_is_full_takes_a_part_then_says_so);
	tcase_add_test(writing, a_socket_that_is_full_takes_a_part_then_says_so);
	tcase_add_test(writing, signals_cost_a_write_no_byte);
	tcase_add_test(writing, a_write_that_nobody_will_read_fails);
	tcase_add_test(writing,
		       a_reader_that_leaves_in_mid_write_leaves_the_count_and_the_reason);
	tcase_add_test(writing, lines_that_nobody_reads_are_dropped_until_there_is_room);
	tcase_add_test(writing, of_many_writers_of_a_full_pipe_none_waits_for_ever);
	tcase_add_test(writing, of_many_writers_of_a_full_socket_none_waits_for_ever);
	tcase_add_test(writing, a_slow_reader_takes_a_small_part_of_our_time);
	tcase_add_test(writing, writing_nothing_succeeds);
	suite_add_tcase(suite, writing);
	tcase_add_test(waiting, waiting_ends_when_the_time_is_over);
	tcase_add_test(waiting, waiting_tells_what_the_descriptor_is_ready_for);
	tcase_add_test(waiting, waiting_ends_when_the_other_side_is_gone);
	tcase_add_test(waiting, signals_neither_shorten_nor_lengthen_a_wait);
	tcase_add_test(waiting, signals_do_not_end_a_wait_without_a_limit);
	suite_add_tcase(suite, waiting);
	tcase_add_test(flags,
		       waiting_or_not_can_be_switched_and_leaves_other_flags_alone);
	tcase_add_test(flags, a_descriptor_can_be_kept_from_other_programs);
	tcase_add_test(flags, a_closed_descriptor_is_an_error_everywhere);
	suite_add_tcase(suite, flags);
	tcase_add_loop_test(cut, a_line_that_was_cut_does_not_spoil_the_next_one, 0, 2);
	tcase_add_test(cut, the_next_line_may_be_another_process_s);
	tcase_add_test(cut, a_file_that_was_emptied_begins_with_a_line);
	tcase_add_test(cut, a_file_may_end_in_a_line);
	suite_add_tcase(suite, cut);
	return suite;
}
