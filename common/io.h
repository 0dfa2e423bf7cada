/*
 * io - read(2), write(2) and poll(2) without partial results and EINTR.
 *
 * read(2) may return less than requested, write(2) may accept less than given, and both
 * may be interrupted by a signal. These functions handle that once.
 */
#ifndef COMMON_IO_H
#define COMMON_IO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Reads available bytes, at most @p size; a blocking descriptor waits for the first
 *  one. Signals do not end it.
 *  @return the count, 0 at the end of the input, or -1 with errno of read(2)
 *  (EAGAIN: a non-blocking descriptor has no data) */
ssize_t io_read(int fd, void *buffer, size_t size);

/** Reads exactly @p size bytes, unless the input ends first.
 *  @return the count (less than @p size only at the end of the input), or -1 with
 *  errno; then the bytes read so far are lost */
ssize_t io_read_all(int fd, void *buffer, size_t size);

/** Writes @p size bytes, as far as the descriptor accepts them.
 *  @return the count: less than @p size only after an error, with errno (EAGAIN: a
 *  non-blocking descriptor is full; EPIPE, if SIGPIPE is ignored); -1 if no byte was
 *  accepted */
ssize_t io_write(int fd, const void *bytes, size_t size);

/**
 * Writes a line to a shared descriptor whose reader may be slow or stopped: a log must
 * not stop a server. If the descriptor is full, it waits. All such waits of a process
 * take at most a tenth of each second. After that the line is dropped, and the next
 * lines without waiting, until there is space again. The write itself never blocks on a
 * pipe or a socket, whatever other writers do; on a terminal with other writers it may,
 * and outside Linux on a pipe that other processes write to.
 * Regular files do not need this function.
 *
 * @param size   at most PIPE_BUF: then a pipe accepts all of it or nothing (POSIX,
 *              write()); a socket may accept a part, and the rest is lost
 * @param stuck  whether the last line was dropped: one per descriptor, false at first
 * @return the count; -1 with errno: EAGAIN if the line was dropped
 */
ssize_t io_write_unless_stuck(int fd, const void *bytes, size_t size, atomic_bool *stuck);

/** State of a descriptor for lines. Zeroed at first. */
struct io_lines {
	atomic_bool stuck; /* the last line was dropped: the reader does not read */
	atomic_bool cut;   /* the last line has no newline: no space was left */
};

/** The longest line of io_write_line(), with its newline, in bytes. */
enum { IO_LINE_MOST = 4096 };

/** Creates a state that this process shares with its children of fork(2).
 *  @return it, never freed, or NULL with errno (ENOMEM) */
struct io_lines *io_lines_create(void);

/**
 * Writes a line in one piece to a descriptor that other threads and processes also use.
 * If only a part is written, because the disk is full or the file size is limited, that
 * line is lost, but not the next one, which then starts with a newline. (Removing the
 * part with ftruncate(2) could remove bytes of another process.)
 *
 * @param line    with its newline, at most IO_LINE_MOST bytes
 * @param waits   whether it may wait for its reader, as io_write_unless_stuck(). false
 *               is for regular files, and saves two system calls
 * @param lines   the state of the descriptor, in all threads and processes
 * @return @p length, or -1 with errno if the line is lost
 */
ssize_t io_write_line(int fd, const char *line, size_t length, bool waits,
		      struct io_lines *lines);

/** Whether the regular file with that name ends without a newline. */
bool io_ends_in_a_line(const char *name);

/** Waits until @p fd is ready for @p events (POLLIN, POLLOUT). Signals do not end it.
 *  @param timeout  milliseconds, -1: none
 *  @return the ready events (revents of poll(2)), 0 after the timeout, -1 with errno */
int io_wait(int fd, short events, int64_t timeout);

/** Makes calls on @p fd return EAGAIN instead of waiting (or wait again).
 *  @return 0, or -1 with errno of fcntl(2) */
int io_set_nonblocking(int fd, bool nonblocking);

/** Called first in every program, before it opens anything.
 *  If the program was started without descriptor 0, 1 or 2, a socket would get that
 *  number, and messages for the operator would go to a client. So they are opened on
 *  /dev/null, with the wrong access mode: using them still fails.
 *  SIGXFSZ is ignored: by default a log that reaches RLIMIT_FSIZE kills the program.
 *  Ignored, the write fails with EFBIG (POSIX, write()). Programs started by exec(2)
 *  inherit that. */
void io_begin(void);

/** Sets FD_CLOEXEC: programs started by exec(2) do not get @p fd. @return 0, or -1
 *  with errno */
int io_set_close_on_exec(int fd);

#endif
