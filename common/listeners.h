/*
 * listeners - the sockets that a server listens on: one for each address that its name has,
 * or those that it was started with (socket activation).
 */
#ifndef COMMON_LISTENERS_H
#define COMMON_LISTENERS_H

#include <stdbool.h>
#include <sys/select.h>

#include "common/failure.h"
#include "common/sock.h"

/** The most that a server has. A host's name seldom has more than two addresses. */
enum { LISTENERS_MOST = 16 };

struct listeners {
	int fds[LISTENERS_MOST];
	unsigned count; /* 0: the server listens no more */
};

/**
 * Opens a socket for each address of the place's host, as sock_listen() does for one. Port 0
 * is the same free port on all addresses. An address that this host does not have now (::1
 * where IPv6 is off) is left out, if another can be bound. Any other error, above all a port
 * in use, is a failure: a server that listens on some of its addresses only would leave the
 * clients of the others to somebody else.
 *
 * @param left_out  receives a line that names the first address left out, and the reason;
 *                  "" if there is none. Not NULL
 * @return 0, or -1 with *failure, and no socket is open
 */
int listeners_open(const struct sock_place *place, struct listeners *listeners,
		   struct failure *left_out, struct failure *failure);

/**
 * Socket activation: takes the sockets that the program which started us listens on, by the
 * protocol of sd_listen_fds(3). If LISTEN_PID is our process and LISTEN_FDS is 1 or more,
 * they are descriptor 3 and those after it. The variables are removed in any case, so that
 * no child takes them for its own.
 *
 * @return 0, with listeners->count 0 if there are none for us; or -1 with errno (ENOTSOCK,
 *         EBADF, EMFILE ...) and *failure when there are too many, or one is no listening
 *         socket of @p type
 */
int listeners_activated(int type, struct listeners *listeners, struct failure *failure);

/** Whether listeners_activated() would find sockets that are meant for us. It looks at the
 *  variables only. */
bool listeners_are_passed(void);

/** Adds all of them to @p set; each must be below FD_SETSIZE.
 *  @return the highest, or -1 if there is none */
int listeners_add_to(const struct listeners *listeners, fd_set *set);

/** Closes all of them. */
void listeners_close(struct listeners *listeners);

#endif
