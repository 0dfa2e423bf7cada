/*
 * credentials - which process is at the other end of a UNIX-domain socket.
 */
#ifndef COMMON_CREDENTIALS_H
#define COMMON_CREDENTIALS_H

#include <stdbool.h>
#include <sys/types.h>

/** A process, and the user that it ran as when it connected. */
struct credentials {
	pid_t pid; /* 0: the system does not tell, or the process is in another namespace */
	uid_t uid;
};

/** Reads the credentials of the peer of the connected socket @p fd: SO_PEERCRED (unix(7)) on
 *  Linux, getpeereid(3) on BSD and macOS. The kernel noted them in connect(2), so the peer
 *  cannot forge them, and a process that inherits the socket does not change them.
 *  @return whether the system tells them */
bool credentials_of_peer(int fd, struct credentials *credentials);

#endif
