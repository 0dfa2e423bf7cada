/*
 * inject - what the driver and the object that it preloads into a server share.
 *
 * The driver (driver.c) makes a file of one struct inject, says in it which call is to fail,
 * and starts a server with LD_PRELOAD=inject.so and INJECT=the file. The object (preload.c)
 * maps the file, stands between the server and libc, counts the calls and lets one fail. The
 * server's children have the same map, so a call is counted whoever makes it.
 */
#ifndef TESTS_INJECT_H
#define TESTS_INJECT_H

#include <stdatomic.h>
#include <stdbool.h>

/* The calls, by the names of libc or, of those without one, of the kernel. read and write are
 * those of files; those of sockets have errors of their own. */
#define INJECT_CALLS                                                                     \
	CALL(accept4)                                                                    \
	CALL(recv)                                                                       \
	CALL(send)                                                                       \
	CALL(sendfile)                                                                   \
	CALL(recvmsg)                                                                    \
	CALL(sendmsg)                                                                    \
	CALL(shutdown)                                                                   \
	CALL(socket)                                                                     \
	CALL(bind)                                                                       \
	CALL(listen)                                                                     \
	CALL(setsockopt)                                                                 \
	CALL(getsockopt)                                                                 \
	CALL(getsockname)                                                                \
	CALL(socketpair)                                                                 \
	CALL(pselect)                                                                    \
	CALL(ppoll)                                                                      \
	CALL(poll)                                                                       \
	CALL(epoll_create1)                                                              \
	CALL(epoll_ctl)                                                                  \
	CALL(epoll_pwait)                                                                \
	CALL(eventfd)                                                                    \
	CALL(uring_setup)                                                                \
	CALL(uring_register)                                                             \
	CALL(uring_enter)                                                                \
	CALL(fork)                                                                       \
	CALL(pthread_create)                                                             \
	CALL(mmap)                                                                       \
	CALL(malloc)                                                                     \
	CALL(calloc)                                                                     \
	CALL(realloc)                                                                    \
	CALL(open)                                                                       \
	CALL(openat)                                                                     \
	CALL(openat2)                                                                    \
	CALL(close)                                                                      \
	CALL(read)                                                                       \
	CALL(pread)                                                                      \
	CALL(write)                                                                      \
	CALL(read_socket)                                                                \
	CALL(write_socket)                                                               \
	CALL(pwritev2)                                                                   \
	CALL(fsync)                                                                      \
	CALL(fdatasync)                                                                  \
	CALL(fcntl)                                                                      \
	CALL(fstat)                                                                      \
	CALL(fstatat)                                                                    \
	CALL(fstatvfs)                                                                   \
	CALL(fdopendir)                                                                  \
	CALL(readdir)                                                                    \
	CALL(mkdirat)                                                                    \
	CALL(renameat)                                                                   \
	CALL(renameat2)                                                                  \
	CALL(linkat)                                                                     \
	CALL(symlinkat)                                                                  \
	CALL(readlinkat)                                                                 \
	CALL(unlinkat)                                                                   \
	CALL(ftruncate)                                                                  \
	CALL(futimens)                                                                   \
	CALL(flock)

#define CALL(name) INJECT_##name,
enum inject_call { INJECT_CALLS INJECT_COUNT };
#undef CALL

/** In the place of an errno: the call does half of what it was asked for. */
enum { INJECT_SHORT = -1 };

struct inject {
	/* The driver's order: the at-th call fails, and all that follow, until so many have
	 * failed; 0: until it is lifted. */
	int call, error;
	unsigned at, times;
	atomic_bool lifted;

	/* What the server did. */
	atomic_uint port;                 /* where it listens; 0: not yet */
	atomic_uint counts[INJECT_COUNT]; /* of calls */
	atomic_uint total;                /* of all of them */
	atomic_uint injected;             /* how many were let fail */
	atomic_uint failed_syncs;         /* fsync and fdatasync among those */
	atomic_uint sleeps;               /* calls of nanosleep(2) */
	atomic_uint crashes; /* children that a signal ended, but for SIGKILL */
};

#endif
