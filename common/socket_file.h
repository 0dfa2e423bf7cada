/*
 * socket_file - the file of a UNIX-domain socket that a server listens on (unix(7)).
 *
 * bind(2) creates the file, and nothing removes it: neither close(2) nor the end of the process.
 * A file without a server (stale) makes the next bind(2) fail. So a server removes its file at
 * the end, and replaces a stale one at the start.
 */
#ifndef COMMON_SOCKET_FILE_H
#define COMMON_SOCKET_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "common/failure.h"
#include "common/local_address.h"

/** The permission bits of a file that only its owner may connect to. Linux and BSD ask for write
 *  permission in connect(2) and for datagrams. */
enum { SOCKET_FILE_MODE = 0600 };

/** A file that this process has made. */
struct socket_file {
	struct local_address address;
	dev_t device;
	ino_t inode;
	pid_t owner; /* 0: there is none to remove */
};

/**
 * Binds @p fd to @p address. If that is a path, replaces a stale file: a socket from which no
 * process receives. Never replaces another kind of file. Several servers that do this at once
 * take turns. An abstract name has no file.
 *
 * The file has its permission bits from the beginning. For this the function changes the umask(2)
 * of the process for a moment: no other thread may create files meanwhile.
 *
 * @param mode  permission bits of the file, such as 0600
 * @param file  receives the file, for socket_file_remove()
 * @return 0, or -1 with *failure, which names the path and the reason
 */
int socket_file_bind(int fd, const struct local_address *address, unsigned mode,
		     struct socket_file *file, struct failure *failure);

/**
 * Locks the directory of a path (flock(2)): of the processes that look for a stale file there and
 * replace it, one at a time does so.
 *
 * @param timeout_ms  how long to wait for another process; 0: not at all
 * @return a descriptor, close-on-exec: the lock ends when the caller and the children that it
 *         has made since have closed it; or -1 with errno: EWOULDBLOCK if another process has the
 *         lock, else the directory cannot be locked
 */
int socket_file_lock(const char *path, int64_t timeout_ms);

/** As socket_file_bind() to a path, for a caller that has locked its directory. */
int socket_file_bind_locked(int fd, const struct local_address *address, unsigned mode,
			    struct socket_file *file, struct failure *failure);

/**
 * Binds @p fd, a client's datagram socket, to a name that no other socket has, so that it can get
 * replies. On Linux the kernel chooses an abstract name (unix(7), "autobind"); elsewhere it is a
 * temporary file, which every user may send to: the server may be another one.
 *
 * @param file  receives the file, for socket_file_remove(), or none
 * @return 0, or -1 with errno
 */
int socket_file_bind_own(int fd, struct socket_file *file);

/** The same with a temporary file on every system: in the directory of TMPDIR, or in /tmp. */
int socket_file_bind_temporary(int fd, struct socket_file *file);

/** Changes the owner and the group of @p file, if this process has made one.
 *  @return 0, or -1 with errno (EPERM without root; ESTALE if it is another file now) */
int socket_file_give(const struct socket_file *file, uid_t user, gid_t group);

/** Removes the file if this process has made it, and it is still the same file. To be called
 *  before the socket is closed: until then the file system cannot give its number to another
 *  file. */
void socket_file_remove(struct socket_file *file);

#endif
