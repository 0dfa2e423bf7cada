/*
 * What a system without the extensions of Linux declares; the compiler reads it before each file if
 * PORTABLE=1. It includes the headers of POSIX.1-2008 with its XSI option and nothing else, so no
 * file can ask for more. What the programs use beyond POSIX on every system follows: FreeBSD,
 * OpenBSD and macOS have all of it (their manual pages and headers). At the end is what one of the
 * three lacks, and a file must therefore ask for by #ifdef.
 */
#ifndef TESTS_PORTABLE_POSIX_H
#define TESTS_PORTABLE_POSIX_H

#define _XOPEN_SOURCE 700

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* ---- beyond POSIX.1-2008, and everywhere ------------------------------------------------ */

int initgroups(const char *user, gid_t group);
int setgroups(size_t count, const gid_t *groups);
time_t timegm(struct tm *parts);
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);

/* The numbers are those of Linux: Linux runs the programs. */
#define IFF_UP        0x1
#define MAP_ANONYMOUS 0x20
#define O_ASYNC       020000
#undef SIGIO /* it is SIGPOLL */
#define SIGIO 29

struct in6_pktinfo {
	struct in6_addr ipi6_addr;
	unsigned ipi6_ifindex;
};

/* ---- what FreeBSD, OpenBSD or macOS lacks -------------------------------------------------- */

#undef ENONET
#undef IP_BIND_ADDRESS_NO_PORT
#undef IP_PKTINFO
#undef MSG_CMSG_CLOEXEC
#undef MSG_MORE
#undef MSG_NOSIGNAL
#undef SIGPOLL
#undef SIGPWR
#undef SIGSTKFLT
#undef SOCK_CLOEXEC
#undef SOCK_NONBLOCK
#undef TCP_QUICKACK

/* FreeBSD and OpenBSD have these, and macOS has IP_PKTINFO. The number is that of an option of Linux
 * that does no harm, so the code is compiled, and a server on all addresses knows no source. */
#define IP_RECVDSTADDR 7
#define IP_SENDSRCADDR 7

#define ACCEPT_LOCK_LEFT_OUT
#pragma GCC poison pthread_mutex_timedlock pthread_mutex_consistent
#pragma GCC poison pthread_mutexattr_setrobust pthread_mutexattr_setpshared

#endif
