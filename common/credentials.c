/*
 * credentials - asks the kernel for the peer of a UNIX-domain socket.
 *
 * A client on TCP has an address. A client on a UNIX-domain socket seldom has a name, but the
 * kernel knows its process. It costs one system call for each client.
 */
#ifdef __linux__
#define _GNU_SOURCE /* struct ucred */
#endif

#include "common/credentials.h"

#include <sys/socket.h>
#include <unistd.h>

#if defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) ||               \
	defined(__DragonFly__) || defined(__APPLE__)
#define HAS_GETPEEREID
#endif

/* CREDENTIALS_UNKNOWN: behaves as a system that tells nothing, for tests. */
bool credentials_of_peer(int fd, struct credentials *credentials)
{
#if defined(SO_PEERCRED) && defined(__linux__) && !defined(CREDENTIALS_UNKNOWN)
	struct ucred peer;
	socklen_t length = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ||
	    peer.uid == (uid_t)-1)
		return false;
	credentials->pid = peer.pid;
	credentials->uid = peer.uid;
	return true;
#elif defined(HAS_GETPEEREID) && !defined(CREDENTIALS_UNKNOWN)
	gid_t gid;

	credentials->pid = 0;
	return getpeereid(fd, &credentials->uid, &gid) == 0;
#else
	(void)fd;
	(void)credentials;
	return false;
#endif
}
