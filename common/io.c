#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "common/clock.h"

enum { STUCK = 100 }; /* milliseconds */

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
			errno = EIO; /* no device should; then again, for ever? */
		if (n <= 0)
			return sent > 0 ? (ssize_t)sent : -1;
		sent += (size_t)n;
	}
	return (ssize_t)sent;
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

ssize_t io_write_unless_stuck(int fd, const void *bytes, size_t size, atomic_bool *stuck)
{
	int ready = io_wait(fd, POLLOUT, atomic_load(stuck) ? 0 : STUCK);

	atomic_store(stuck, ready == 0);
	if (ready != 0)
		return io_write(fd, bytes, size);
	errno = EAGAIN;
	return -1;
}

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

void io_occupy_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}
