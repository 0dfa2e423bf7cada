/*
 * server_memory - what the kernel knows of the processes of a server.
 */
#ifndef CLIENT_VERSUS_SERVER_MEMORY_H
#define CLIENT_VERSUS_SERVER_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Memory in bytes. */
struct server_memory {
	int64_t own;     /* proportional set size (PSS): shared pages are divided among
			 * the processes */
	int64_t sockets; /* number of open sockets of all processes */
	int64_t kernel;  /* estimate of the memory of the kernel: page tables, and a
			 * fixed size for each thread, process and socket. Buffers are
			 * not included */
};

/**
 * Memory of the processes of the group of @p leader. Waits, at most two seconds, until it
 * is stable, because connected clients may not have been accepted yet. If there are fewer
 * sockets than expected, it must be stable for longer: the server may be waiting for a
 * processor, or it never accepts so many.
 *
 * @param expected  number of sockets of the server with all clients; 0: unknown
 * @param local     its sockets are UNIX-domain sockets, which are smaller
 * @return all members, each -1 if unknown (known only on Linux)
 */
struct server_memory server_memory(pid_t leader, int64_t expected, bool local);

/** Whether a process of the group ignores SIGCHLD. The kernel does not add the CPU time
 *  of its children to any process, so that of the group is unknown. False if it is not
 *  known. */
bool server_ignores_children(pid_t leader);

#endif
