/*
 * notify - tells the service manager that started this program in which state it is.
 *
 * The protocol is that of sd_notify(3): the variable NOTIFY_SOCKET names a UNIX-domain datagram
 * socket, and a datagram has lines such as READY=1. No library is needed for it.
 */
#ifndef COMMON_NOTIFY_H
#define COMMON_NOTIFY_H

#include "common/failure.h"

/** Where to send. */
struct notify {
	int fd; /* connected to the service manager; -1: there is none */
};

/** Reads NOTIFY_SOCKET, and removes it, so that children do not use it. Opens a
 *  socket, because a server may not do this later (its sandbox).
 *  @return 0, also without the variable; or -1 with *failure if no
 *          process receives there */
int notify_begin(struct notify *notify, struct failure *failure);

/** Sends lines such as "READY=1\nSTATUS=serving". Does nothing without a service
 *  manager. Waits at most a second for a socket that is full.
 *  @return 0, or -1 with errno of send(2) */
int notify_send(const struct notify *notify, const char *lines);

#endif
