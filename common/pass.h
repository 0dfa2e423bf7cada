/*
 * pass - sends open descriptors to another process through a local socket (SCM_RIGHTS,
 * unix(7)).
 *
 * The receiver gets new descriptors for the same open files, as after dup(2). The sender
 * closes its own whenever it likes, even before the receiver has received.
 */
#ifndef COMMON_PASS_H
#define COMMON_PASS_H

#include <stddef.h>
#include <sys/types.h>

/** The most descriptors in one message. */
enum { PASS_MOST = 2 };

/** Creates a pair of connected local sockets, close-on-exec. @return 0, or -1 with errno */
int pass_open(int ends[2]);

/** Sends @p size bytes (1 or more) with @p count descriptors, without blocking.
 *  @return 0, or -1 with errno: EPIPE the receiver has gone; EAGAIN the socket is full;
 *  ETOOMANYREFS too many descriptors are under way */
int pass_send(int socket, const void *bytes, size_t size, const int fds[],
	      unsigned count);

/** Receives one such message of exactly @p size bytes. Blocks.
 *  @param fds   receives the descriptors, close-on-exec; those that are missing are -1
 *  @return 1; 0 when the sender has gone; or -1 with errno (EINTR: a signal) */
int pass_receive(int socket, void *bytes, size_t size, int fds[PASS_MOST]);

#endif
