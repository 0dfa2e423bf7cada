/*
 * process - shared memory, limits and resource usage of processes.
 */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Zeroed memory that children of fork(2) share with this process.
 *  Never freed. @return it, or NULL with errno (ENOMEM) */
void *process_shared_memory(size_t size);

/** Returns freed memory to the system (malloc_trim(3) of glibc; elsewhere nothing),
 *  so that fork(2) need not copy its page tables. */
void process_release_freed_memory(void);

/** The number of the calling thread, as ps(1) and strace(1) show it (gettid(2) on Linux). Elsewhere the
 *  first thread that asks gets the number of the process, the next one that number plus 1, and so on:
 *  POSIX numbers no threads, but each must have a number of its own within the process. */
long process_thread(void);

/** Makes the kernel send @p signal to this process when its parent ends (prctl(2) on
 *  Linux, procctl(2) on FreeBSD; elsewhere nothing), so that killing a server leaves no orphans.
 *  @param parent  pid of the parent before fork(2): if it has ended already, the
 *  signal is sent at once */
void process_signal_with_parent(int signal, pid_t parent);

/** Makes this process the parent of descendants whose parents have ended (prctl(2) on
 *  Linux; elsewhere nothing), so that it can wait for them. */
void process_adopt_orphans(void);

/** Raises the soft limit of descriptors to @p wanted, up to the hard limit; never
 *  lowers it. @return the soft limit now */
uint64_t process_raise_descriptors(uint64_t wanted);

/** Resource usage of a process and of its children that were waited for. */
struct process_usage {
	double user_seconds, system_seconds;
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t peak_kib; /* peak resident memory of the largest single process */
};

/** Reads the usage of this process and its children (getrusage(2)). */
struct process_usage process_usage(void);

/** Waits for the child @p pid (wait4(2)). Signals do not end it.
 *  @param usage  receives the usage of the child and of the children it waited for
 *  @return its wait status, or -1 with errno */
int process_wait(pid_t pid, struct process_usage *usage);

/** Waits for a child of the process group @p group, if one has ended (wait4(2)).
 *  @param usage  the usage of the child, and of the children it waited for, is added
 *  @return its pid with *status; 0 if none has ended; -1 if there is no such child */
pid_t process_reap(pid_t group, int *status, struct process_usage *usage);

#endif
