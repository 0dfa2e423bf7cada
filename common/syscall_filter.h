/*
 * syscall_filter - gives up all system calls that a server does not need (Linux, seccomp(2)).
 */
#ifndef COMMON_SYSCALL_FILTER_H
#define COMMON_SYSCALL_FILTER_H

/** What a program still does, besides using the descriptors that it has; bits. */
enum syscall_need {
	SYSCALLS_OF_PROCESSES = 1, /* it creates processes, and waits for them */
	SYSCALLS_OF_THREADS = 2,   /* it creates threads */
	SYSCALLS_OF_RING = 4,      /* io_uring */
	SYSCALLS_TO_READ = 8,      /* it opens files */
	SYSCALLS_TO_CHANGE = 16,   /* it creates, renames and removes files */
	SYSCALLS_TO_REMOVE = 32,   /* it removes files */
};

/**
 * Takes from this process, and from those that it creates, all other system calls: they fail with
 * EPERM. Nothing can undo it. prctl(PR_SET_NO_NEW_PRIVS) comes first. The process has one thread.
 *
 * @return how many system calls stay allowed; 0 if the kernel or this processor has no filter; -1
 *         with errno
 */
int syscall_filter_install(unsigned needs);

#endif
