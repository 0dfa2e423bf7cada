/*
 * process - memory shared by processes, resource usage, and the limits of a process.
 *
 * Small wrappers of mmap(2), wait4(2), getrusage(2), setrlimit(2) and prctl(2), with
 * fallbacks where a system lacks one.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, wait4, syscall */

#include "common/process.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#ifdef __FreeBSD__
#include <sys/procctl.h>
#endif

void *process_shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void process_release_freed_memory(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/* glibc has gettid() only since 2.30. */
long process_thread(void)
{
#ifdef __linux__
	return syscall(SYS_gettid);
#else
	static atomic_long threads;
	static _Thread_local long
		number; /* kept by the child of fork(2); 0: not yet known */

	if (number == 0)
		number = atomic_fetch_add(&threads, 1) + 1;
	return (long)getpid() + number - 1;
#endif
}

void process_signal_with_parent(int signal, pid_t parent)
{
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, signal);
	if (getppid() != parent)
		raise(signal);
#elif defined(PROC_PDEATHSIG_CTL)
	procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &signal);
	if (getppid() != parent)
		raise(signal);
#else
	(void)signal;
	(void)parent;
#endif
}

void process_adopt_orphans(void)
{
#ifdef PR_SET_CHILD_SUBREAPER
	prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
#endif
}

uint64_t process_raise_descriptors(uint64_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	if (limit.rlim_cur < wanted) {
		rlim_t before = limit.rlim_cur;

		limit.rlim_cur =
			limit.rlim_max < wanted ? limit.rlim_max : (rlim_t)wanted;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			limit.rlim_cur = before;
	}
	return limit.rlim_cur;
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Peak memory of this program, in KiB (VmHWM, proc(5)). ru_maxrss of Linux also
 * contains the memory before execve(2): that of a large program that has started a
 * small one. @return 0 if unknown: on other systems, where pledge(2) would end a server
 * that opens a file here */
static uint64_t own_peak_kib(void)
{
#ifdef __linux__
	FILE *status = fopen("/proc/self/status", "re");
	char line[128];
	uintmax_t peak = 0;

	if (status == NULL)
		return 0;
	while (peak == 0 && fgets(line, sizeof line, status) != NULL)
		if (sscanf(line, "VmHWM: %ju kB", &peak) != 1)
			peak = 0;
	fclose(status);
	return peak;
#else
	return 0;
#endif
}

static void add_usage(struct process_usage *sum, const struct rusage *part)
{
	uint64_t peak = (uint64_t)part->ru_maxrss;

#ifdef __APPLE__
	peak /= 1024; /* bytes on this system, kilobytes on others */
#endif
	sum->user_seconds += seconds(part->ru_utime);
	sum->system_seconds += seconds(part->ru_stime);
	sum->voluntary_switches += (uint64_t)part->ru_nvcsw;
	sum->involuntary_switches += (uint64_t)part->ru_nivcsw;
	if (peak > sum->peak_kib)
		sum->peak_kib = peak;
}

struct process_usage process_usage(void)
{
	struct process_usage sum = { 0 };
	struct rusage part;
	uint64_t peak;

	if (getrusage(RUSAGE_SELF, &part) == 0)
		add_usage(&sum, &part);
	peak = own_peak_kib();
	if (peak > 0)
		sum.peak_kib = peak;
	if (getrusage(RUSAGE_CHILDREN, &part) == 0)
		add_usage(&sum, &part);
	return sum;
}

int process_wait(pid_t pid, struct process_usage *usage)
{
	struct rusage used;
	int status;

	while (wait4(pid, &status, 0, &used) < 0)
		if (errno != EINTR)
			return -1;
	*usage = (struct process_usage){ 0 };
	add_usage(usage, &used);
	return status;
}

pid_t process_reap(pid_t group, int *status, struct process_usage *usage)
{
	struct rusage used;
	pid_t pid;

	do
		pid = wait4(-group, status, WNOHANG, &used);
	while (pid < 0 && errno == EINTR);
	if (pid > 0)
		add_usage(usage, &used);
	return pid;
}
