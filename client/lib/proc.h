/*
 * proc - the processes of a server, as the kernel shows them in /proc (Linux, proc(5)).
 */
#ifndef CLIENT_LIB_PROC_H
#define CLIENT_LIB_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The process group of a process; -1 if the process has ended, or it is unknown. */
pid_t proc_group(pid_t pid);

/** When a process started, in clock ticks since the boot: with the pid it identifies a process, also
 *  after the pid was given to another one. @return -1 if it has ended, or it is unknown */
int64_t proc_start_time(pid_t pid);

/** Whether a process is stopped, by SIGSTOP and the like; not by a debugger. false if it is
 *  unknown. */
bool proc_is_stopped(pid_t pid);

/** The number after a name at the start of a line of /proc/PID/FILE, as printed there; -1 if
 *  the process has ended, or it is unknown. */
int64_t proc_number(pid_t pid, const char *file, const char *field);

/** Calls a function for each process of a group.
 *  @return 0, or -1 if the processes are not known (no /proc) */
int proc_for_each_of_group(pid_t group, void (*call)(pid_t pid, void *context),
			   void *context);

/** Finds the children of a process, also those that have ended and were not waited for.
 *  @param pids  receives at most @p most of them @return how many there are in @p pids; 0 if the
 *  processes are not known (no /proc) */
size_t proc_children(pid_t parent, pid_t pids[], size_t most);

enum { PROC_TREE = 4096 };

/** The processes of a tree: a leader, its descendants, and all of its process group. */
struct proc_tree {
	pid_t pids[PROC_TREE];
	size_t count;
};

/** Finds the tree of @p leader. A process whose parent has ended is found only if it is in the
 *  group. @return 0, or -1 if the processes are not known (no /proc, or no memory) */
int proc_tree_read(struct proc_tree *tree, pid_t leader);

/** What the processes of a tree have and use. */
struct proc_figures {
	size_t processes, zombies;
	uint64_t threads, descriptors;
	uint64_t cpu_ticks;  /* used so far, in clock ticks of sysconf(3) */
	bool running;        /* a thread is running, or waits for a processor or a disk */
	uint64_t memory_kib; /* of the address spaces */
	uint64_t
		mappings; /* of which they consist: a file, a heap, the stack of a thread */
	uint64_t activities; /* changes whenever a thread has run */
};

/** Reads the figures of all processes of a tree that are still there. @return as
 *  proc_tree_read() */
int proc_figures_read(struct proc_figures *figures, pid_t leader);

/** Finds the processes of a tree that have a descriptor for the connection whose ends are the
 *  ports @p local and @p remote.
 *  @param holders  receives at most @p most of them @return how many there are */
size_t proc_connection_holders(pid_t leader, unsigned local, unsigned remote,
			       pid_t holders[], size_t most);

/** Whether a socket of this machine listens on the TCP port, or is bound to the UDP port.
 *  @return 1 or 0; -1 if it is unknown (no /proc) */
int proc_port_is_open(unsigned port, bool datagrams);

/** Whether a UNIX-domain socket of this name, a path or "@name", listens, or is one for datagrams.
 *  @return as proc_port_is_open() */
int proc_local_is_open(const char *name);

/** Finds the processes of a tree that have a descriptor of a connection that was accepted at the
 *  UNIX-domain socket of this name. The kernel does not show which client such a connection has.
 *  @return as proc_connection_holders() */
size_t proc_local_holders(pid_t leader, const char *name, pid_t holders[], size_t most);

#endif
