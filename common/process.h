/*
 * process - what processes share and owe each other, and what the kernel counts of them.
 */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Zeroed memory that children made by fork(2) share with this process, not copy.
 *  Never freed: it lives as long as the process. @return it, or NULL with errno (ENOMEM) */
void *process_shared_memory(size_t size);

/** Gives the memory that was freed back to the system, as far as the C library can
 *  (malloc_trim(3) of glibc; elsewhere nothing): what fork(2) would otherwise copy. */
void process_release_freed_memory(void);

/** Sends @p signal to the calling process when its parent dies (prctl(2) on Linux;
 *  elsewhere nothing), so that killing a server leaves no orphans behind.
 *  @param parent  the parent's pid as known before fork(2): had it died meanwhile, the
 *                 signal is sent at once */
void process_signal_with_parent(int signal, pid_t parent);

/** Raises the soft limit of open descriptors to @p wanted, as far as the hard limit lets
 *  it; never lowers it. @return the soft limit now in force */
uint64_t process_raise_descriptors(uint64_t wanted);

/** Lowers the soft limit of open descriptors to @p most: no call returns a descriptor of
 *  @p most or above from then on. @return 0, or -1 with errno */
int process_cap_descriptors(uint64_t most);

/** What a process, and its children that have been waited for, have used so far. */
struct process_usage {
	double user_seconds, system_seconds;
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t peak_kib; /* resident memory of the largest single one */
};

/** Asks getrusage(2) for this process and its children together. */
struct process_usage process_usage(void);

/** Waits for the child @p pid, whatever signals arrive (wait4(2)).
 *  @param usage  receives what that child, and the children it waited for, have used
 *  @return its wait status, or -1 with errno */
int process_wait(pid_t pid, struct process_usage *usage);

#endif
