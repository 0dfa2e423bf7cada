/*
 * listeners - the sockets that a server listens on: one per address of its name, or
 * those that it was started with (socket activation).
 */
#ifndef COMMON_LISTENERS_H
#define COMMON_LISTENERS_H

#include <stdbool.h>
#include <sys/select.h>

#include "common/failure.h"
#include "common/sock.h"

/** Maximum number of sockets. A host name seldom has more than two addresses. */
enum { LISTENERS_MOST = 16 };

struct listeners {
	int fds[LISTENERS_MOST];
	unsigned count; /* 0: the server has stopped listening */
};

/**
 * Opens a socket for each address of the host of @p place, as sock_listen() does for
 * one. Port 0 is the same free port on all addresses. An address that this host does
 * not have (::1 without IPv6) is left out if another one can be bound. Any other error,
 * above all a port in use, is a failure: on the missing address, clients could reach
 * another program.
 *
 * @param left_out  receives a line about the first address left out, with the reason;
 *                  "" if there is none. Not NULL
 * @return 0, or -1 with *failure, and no socket is open
 */
int listeners_open(const struct sock_place *place, struct listeners *listeners,
		   struct failure *left_out, struct failure *failure);

/**
 * Socket activation: takes the listening sockets of the program that started this one,
 * by the protocol of sd_listen_fds(3). If LISTEN_PID is this process and LISTEN_FDS is
 * 1 or more, they are descriptor 3 and the following ones. The variables are removed in
 * any case, so that children do not use them.
 *
 * @return 0, with listeners->count 0 if there are none; or -1 with errno (ENOTSOCK,
 * EBADF, EMFILE ...) and *failure if there are too many, or one is not a listening
 * socket of @p type
 */
int listeners_activated(int type, struct listeners *listeners, struct failure *failure);

/** Whether @p fd is a socket of this type and, for a stream, listening. Makes it close-on-exec.
 *  @return 0, or -1 with errno (ENOTSOCK, EPROTOTYPE, EINVAL) */
int listeners_check(int fd, int type);

/** Whether listeners_activated() would find sockets for this process. It only reads
 *  the variables. */
bool listeners_are_passed(void);

/** Adds all sockets to @p set; each must be below FD_SETSIZE.
 *  @return the highest descriptor, or -1 if there is none */
int listeners_add_to(const struct listeners *listeners, fd_set *set);

/** Duplicates each socket, for a thread that watches it with epoll(7) and closes it on its own.
 *  @return 0, or -1 with errno (EMFILE), and *copies is empty */
int listeners_duplicate(const struct listeners *listeners, struct listeners *copies);

/** Opens another socket at the address of each, as sock_listen_beside() does.
 *  @return 0, or -1 with errno, and *others is empty */
int listeners_open_beside(const struct listeners *listeners, int backlog,
			  struct listeners *others);

/** Closes all sockets. */
void listeners_close(struct listeners *listeners);

#endif
