/*
 * io - read(2), write(2) and poll(2) with the loops for partial results and signals.
 *
 * The second half is the writing of log lines: many processes write to one descriptor, each
 * line must stay whole, and a reader that does not read must not stop a server.
 */
#define _GNU_SOURCE /* pwritev2 */

#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/process.h"

enum { STUCK = 100 };       /* milliseconds of waiting per second */
enum { MOST_TRIES = 1000 }; /* to have its turn among the threads of a process */

ssize_t io_read(int fd, void *buffer, size_t size)
{
	ssize_t n;

	do
		n = read(fd, buffer, size);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t io_read_all(int fd, void *buffer, size_t size)
{
	char *to = buffer;
	size_t got = 0;

	while (got < size) {
		ssize_t n = io_read(fd, to + got, size - got);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

ssize_t io_write(int fd, const void *bytes, size_t size)
{
	const char *from = bytes;
	size_t sent = 0;

	while (sent < size) {
		ssize_t n = write(fd, from + sent, size - sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO; /* write(2) of more than 0 bytes should not return
				      * 0; an error, to avoid a loop */
		if (n <= 0)
			return sent > 0 ? (ssize_t)sent : -1;
		sent += (size_t)n;
	}
	return (ssize_t)sent;
}

/* One write(2): the rest of a line must not follow a line of another process. */
static ssize_t write_once(int fd, const void *bytes, size_t size)
{
	ssize_t n;

	do
		n = write(fd, bytes, size);
	while (n < 0 && errno == EINTR);
	if (n == 0 && size > 0)
		errno = EIO; /* write(2) of more than 0 bytes should not return 0 */
	return n == 0 && size > 0 ? -1 : n;
}

int io_wait(int fd, short events, int64_t timeout)
{
	struct pollfd wanted = { .fd = fd, .events = events };
	int64_t end = timeout < 0 ? -1 : clock_milliseconds() + timeout;

	for (;;) {
		int64_t left = end < 0 ? -1 : end - clock_milliseconds();
		int n;

		if (end >= 0 && left < 0)
			left = 0;
		n = poll(&wanted, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return wanted.revents;
		if (n == 0 && left <= INT_MAX)
			return 0;
		if (n < 0 && errno != EINTR)
			return -1;
	}
}

/* For descriptors whose write may block: poll(2) first. The threads of this process do so
 * one at a time, because another one could fill the space in between. A thread that cannot have
 * its turn soon gives up: another process may still fill the space, and then the write blocks. */
static ssize_t write_if_ready(int fd, const void *bytes, size_t size)
{
	static atomic_flag busy = ATOMIC_FLAG_INIT;
	ssize_t n = -1;

	for (int tries = 0; atomic_flag_test_and_set(&busy); tries++) {
		if (tries == MOST_TRIES) {
			errno = EAGAIN;
			return -1;
		}
		sched_yield();
	}
	if (io_wait(fd, POLLOUT, 0) != 0)
		n = io_write(fd, bytes, size);
	else
		errno = EAGAIN;
	atomic_flag_clear(&busy);
	return n;
}

/* O_NONBLOCK belongs to the open file description, which the shell and other
 * programs share, so it is not changed. Linux has a flag per call, for pipes since
 * 6.5; or a pipe can be opened again, with its own flags. */
static ssize_t write_pipe_now(int fd, const void *bytes, size_t size)
{
#ifdef RWF_NOWAIT
	struct iovec piece = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
	ssize_t n = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);

	if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS))
		return n;
#endif
#ifdef __linux__
	char path[64];
	int own;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (own >= 0) {
		ssize_t taken = write(own, bytes, size);
		int error = errno;

		close(own);
		errno = error;
		return taken;
	}
#endif
	return write_if_ready(fd, bytes, size);
}

static ssize_t write_now(int fd, const void *bytes, size_t size)
{
	struct stat facts = { .st_mode = S_IFREG };

	(void)fstat(fd, &facts);
	if (S_ISFIFO(facts.st_mode))
		return write_pipe_now(fd, bytes, size);
	if (S_ISSOCK(facts.st_mode))
		return send(fd, bytes, size, MSG_DONTWAIT);
	if (S_ISREG(facts.st_mode))
		return write_once(fd, bytes, size);
	return write_if_ready(fd, bytes, size);
}

/* Waits until @p fd is writable, within a budget of STUCK milliseconds per second
 * for all descriptors together, because a loop delays all clients while it waits. */
static bool wait_within_budget(int fd)
{
	static atomic_llong second;
	static atomic_llong waited;
	int64_t begin = clock_milliseconds(), left;
	bool ready;

	if (begin - atomic_load(&second) >= 1000) {
		atomic_store(&second, begin);
		atomic_store(&waited, 0);
	}
	left = STUCK - atomic_load(&waited);
	if (left <= 0)
		return false;
	ready = io_wait(fd, POLLOUT, left) != 0;
	atomic_fetch_add(&waited, clock_milliseconds() - begin + 1);
	return ready;
}

ssize_t io_write_unless_stuck(int fd, const void *bytes, size_t size, atomic_bool *stuck)
{
	ssize_t n;

	do
		n = write_now(fd, bytes, size);
	while (n < 0 && (errno == EINTR || (errno == EAGAIN && !atomic_load(stuck) &&
					    wait_within_budget(fd))));
	atomic_store(stuck, n < 0 && errno == EAGAIN);
	return n;
}

/* ---- lines ------------------------------------------------------------------------------ */

struct io_lines *io_lines_create(void)
{
	return process_shared_memory(sizeof(struct io_lines));
}

bool io_ends_in_a_line(const char *name)
{
	int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat facts;
	char last = '\n';

	if (fd < 0)
		return false;
	if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0 &&
	    pread(fd, &last, 1, facts.st_size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

static bool is_file(int fd, off_t *size)
{
	struct stat facts;

	if (fstat(fd, &facts) < 0 || !S_ISREG(facts.st_mode))
		return false;
	*size = facts.st_size;
	return true;
}

static ssize_t write_bytes(int fd, const char *bytes, size_t size, bool waits,
			   struct io_lines *lines)
{
	return waits ? io_write_unless_stuck(fd, bytes, size, &lines->stuck)
		     : write_once(fd, bytes, size);
}

/* Only a part of a line was written. A short write sets no errno, so one more write
 * finds the reason. @return -1 always */
static ssize_t end_cut_line(int fd, struct io_lines *lines)
{
	off_t size;
	ssize_t n = -1;

	errno = EAGAIN;
	if (is_file(fd, &size)) {
		n = write_once(fd, "\n", 1);
		if (n >= 0)
			errno = ENOSPC;
	}
	if (n != 1)
		atomic_store(&lines->cut, true);
	return -1;
}

static ssize_t write_after_cut_line(int fd, const char *line, size_t length, bool waits,
				    struct io_lines *lines)
{
	char whole[IO_LINE_MOST + 1] = "\n";
	off_t size = 1;
	ssize_t n;

	/* Another process has truncated the file meanwhile. */
	if (is_file(fd, &size) && size == 0)
		return io_write_line(fd, line, length, waits, lines);
	if (length > IO_LINE_MOST)
		length = IO_LINE_MOST;
	memcpy(whole + 1, line, length);
	n = write_bytes(fd, whole, 1 + length, waits, lines);
	if (n == 1 + (ssize_t)length)
		return (ssize_t)length;
	if (n == 1)
		errno = ENOSPC;
	else if (n > 1)
		return end_cut_line(fd, lines);
	else
		atomic_store(&lines->cut, true);
	return -1;
}

ssize_t io_write_line(int fd, const char *line, size_t length, bool waits,
		      struct io_lines *lines)
{
	ssize_t n;

	/* One of several processes adds the missing newline. */
	if (atomic_load_explicit(&lines->cut, memory_order_relaxed) &&
	    atomic_exchange(&lines->cut, false))
		return write_after_cut_line(fd, line, length, waits, lines);
	n = write_bytes(fd, line, length, waits, lines);
	return n <= 0 || n == (ssize_t)length ? n : end_cut_line(fd, lines);
}

/* ---- descriptors ------------------------------------------------------------------------ */

int io_set_nonblocking(int fd, bool nonblocking)
{
	int flags = fcntl(fd, F_GETFL);
	int wanted = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;

	if (flags < 0)
		return -1;
	return wanted == flags ? 0 : fcntl(fd, F_SETFL, wanted);
}

int io_set_close_on_exec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

void io_begin(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	signal(SIGXFSZ, SIG_IGN);
}
