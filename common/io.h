/*
 * io - read(2), write(2) and poll(2) as one would like them to be.
 *
 * read may return less than was asked for, write may take less than it was given, and
 * both may be cut short by a signal. That is dealt with here, once.
 */
#ifndef COMMON_IO_H
#define COMMON_IO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Reads what is there, at most @p size bytes; on a blocking descriptor waits for the
 *  first. A signal does not end it.
 *  @return the count, 0 at the end of the input, or -1 with errno of read(2)
 *          (EAGAIN: nothing there, on a non-blocking descriptor) */
ssize_t io_read(int fd, void *buffer, size_t size);

/** Reads exactly @p size bytes unless the input ends first.
 *  @return the count (less than @p size only at the end of the input), or -1 with errno;
 *          what had been read by then is lost */
ssize_t io_read_all(int fd, void *buffer, size_t size);

/** Writes all of @p size bytes, as far as the descriptor takes them.
 *  @return the count: less than @p size only if the rest met an error, which errno
 *          names (EAGAIN: a non-blocking descriptor takes no more now; EPIPE, where
 *          SIGPIPE is ignored); -1 if not even the first byte was taken */
ssize_t io_write(int fd, const void *bytes, size_t size);

/**
 * Writes a line to a descriptor on which others wait, and whose reader may have stopped
 * reading: a log that nobody reads must not stop a server. It waits a tenth of a second
 * for room, then drops the line, and all the next ones without waiting, until there is
 * room again. Only what is readable by turns needs this: a regular file always has room.
 *
 * @param size   at most PIPE_BUF: so much goes in one piece, and does not wait, where
 *               there is room at all (POSIX, write(); poll() of a pipe)
 * @param stuck  whether the last line was dropped: one for each descriptor, at first false
 * @return as io_write(); -1 with errno EAGAIN when the line was dropped
 */
ssize_t io_write_unless_stuck(int fd, const void *bytes, size_t size, atomic_bool *stuck);

/** Waits until @p fd is ready for @p events (POLLIN, POLLOUT), whatever signals arrive.
 *  @param timeout  milliseconds, -1 for ever
 *  @return what it is ready for (poll(2)'s revents), 0 when the time is over, -1 with
 *          errno */
int io_wait(int fd, short events, int64_t timeout);

/** Makes calls on @p fd return EAGAIN instead of waiting (or wait again).
 *  @return 0, or -1 with errno of fcntl(2) */
int io_set_nonblocking(int fd, bool nonblocking);

/** If the program was started without one of the descriptors 0, 1 and 2, a socket would get
 *  its number, and what is meant for the operator would go to a client. So they are
 *  opened, on /dev/null and the wrong way round: using them still fails. Called first. */
void io_occupy_standard(void);

/** Keeps @p fd from programs started by exec(2). @return 0, or -1 with errno */
int io_set_close_on_exec(int fd);

#endif
