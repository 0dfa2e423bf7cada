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
 * reading, or be slow: a log must not stop a server. Where there is no room it waits, but
 * all such waits of a process take no more than a tenth of each second; then it drops the
 * line, and all the next ones without waiting, until there is room again. The write itself
 * never waits for a pipe or a socket, whoever else writes there; for a terminal that others
 * write to, it may. Only what is readable by turns needs this: a regular file always has room.
 *
 * @param size   at most PIPE_BUF: so much goes in one piece, where there is room at all
 *               (POSIX, write()); a socket may take a part, and the rest is lost
 * @param stuck  whether the last line was dropped: one for each descriptor, at first false
 * @return the count; -1 with errno: EAGAIN when the line was dropped
 */
ssize_t io_write_unless_stuck(int fd, const void *bytes, size_t size, atomic_bool *stuck);

/** What is known of a descriptor to which lines are written. Zeroed is how it begins. */
struct io_lines {
	atomic_bool stuck; /* the last line was dropped: its reader does not read */
	atomic_bool cut;   /* the last line has no end: there was no room for it */
};

/** The longest line of io_write_line(), with its newline; bytes. */
enum { IO_LINE_MOST = 4096 };

/** Makes one that this process shares with its children of fork(2).
 *  @return it, never freed, or NULL with errno (ENOMEM) */
struct io_lines *io_lines_create(void);

/**
 * Writes a line in one piece, to a descriptor to which other threads and processes write lines,
 * too. If only a part of it has gone, since the disk is full or the file may not grow, the line
 * is lost, but not the next one as well: that begins with a newline of its own. (To take the
 * part back by ftruncate(2) could take away what another process has written behind it.)
 *
 * @param line    with its newline, at most IO_LINE_MOST bytes
 * @param waits   whether it may wait for its reader: if so as io_write_unless_stuck(). false is
 *                for regular files, and saves two system calls
 * @param lines   of the same descriptor, in all threads and processes
 * @return @p length, or -1 with errno when the line is lost
 */
ssize_t io_write_line(int fd, const char *line, size_t length, bool waits,
		      struct io_lines *lines);

/** Whether the regular file of that name has a last line without its newline. */
bool io_ends_in_a_line(const char *name);

/** Waits until @p fd is ready for @p events (POLLIN, POLLOUT), whatever signals arrive.
 *  @param timeout  milliseconds, -1 for ever
 *  @return what it is ready for (poll(2)'s revents), 0 when the time is over, -1 with
 *          errno */
int io_wait(int fd, short events, int64_t timeout);

/** Makes calls on @p fd return EAGAIN instead of waiting (or wait again).
 *  @return 0, or -1 with errno of fcntl(2) */
int io_set_nonblocking(int fd, bool nonblocking);

/** What every program does first, before it opens anything.
 *
 *  If it was started without one of the descriptors 0, 1 and 2, a socket would get its number,
 *  and what is meant for the operator would go to a client. So they are opened, on /dev/null
 *  and the wrong way round: using them still fails.
 *
 *  SIGXFSZ is ignored: by default a log or an output that reaches RLIMIT_FSIZE ends the
 *  program; so the write is an error, EFBIG, as a full disk is (POSIX, write()). A program
 *  that is started by exec(2) inherits that. */
void io_begin(void);

/** Keeps @p fd from programs started by exec(2). @return 0, or -1 with errno */
int io_set_close_on_exec(int fd);

#endif
