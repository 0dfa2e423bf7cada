/*
 * syscall_filter - gives up all system calls that a server does not need.
 *
 * seccomp(2) runs a small program of the classic BPF at each system call. Ours is a list of
 * comparisons with the number of the call: the first that is equal allows it, and after the last
 * one the call fails with EPERM. The kernel notes which numbers are always allowed, whatever their
 * arguments are, and does not run the program for them (Linux 5.11): so the order of the list does
 * not matter.
 *
 * A refused call fails and does not kill the process. A C library that tries a newer call first then
 * uses the older one, and one lost request is better than a lost server. clone3(2) fails with
 * ENOSYS, because its flags are in memory, where the program cannot read them; the C library then
 * uses clone(2).
 *
 * The tests of all servers show that the table lacks nothing. Another processor has other numbers:
 * there, nothing is filtered.
 */
#define _GNU_SOURCE /* syscall, the CLONE_ flags */
#include "common/syscall_filter.h"

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From the kernel's headers, which a system may lack: an instruction of BPF, a program, and the data
 * that it reads (linux/filter.h, linux/seccomp.h, linux/audit.h). */
struct instruction {
	uint16_t code;
	uint8_t if_true, if_false; /* how many instructions a jump leaves out */
	uint32_t value;
};
struct filter {
	unsigned short length;
	struct instruction *steps;
};
struct call {
	int number;
	uint32_t processor;
	uint64_t instruction_pointer;
	uint64_t arguments[6];
};
enum { LOAD = 0x20, JUMP_IF_EQUAL = 0x15, JUMP_IF_SET = 0x45, END = 0x06 };
enum { MODE_FILTER = 2 };

#define ALLOW         0x7fff0000u
#define REFUSE(error) (0x00050000u | (error))

#ifdef __x86_64__
#define PROCESSOR 0xC000003Eu
#else
#define PROCESSOR 0xC00000B7u
#endif

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SYS_io_uring_enter
#define SYS_io_uring_enter 426
#endif
#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

/* Of every server: what it does with open descriptors, memory, time, signals and its own facts. Of
 * some calls only a part is allowed: see below. */
static const int basic[] = {
	/* bytes */
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_preadv2,
	SYS_pwritev2,
	SYS_sendfile,
	SYS_recvmmsg,
	/* sockets that are open */
	SYS_accept,
	SYS_accept4,
	SYS_shutdown,
	SYS_getsockname,
	SYS_getpeername,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_listen,
	/* descriptors */
	SYS_close,
	SYS_dup,
	SYS_dup3,
	SYS_fcntl,
	SYS_pipe2,
	SYS_eventfd2,
	SYS_fstat,
	SYS_lseek,
	SYS_flock,
	/* waiting */
	SYS_pselect6,
	SYS_ppoll,
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	SYS_epoll_pwait2,
	SYS_futex,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_sched_yield,
	SYS_restart_syscall,
	/* memory; mmap and mprotect are below */
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	/* signals */
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigpending,
	SYS_rt_sigtimedwait,
	SYS_rt_sigsuspend,
	SYS_sigaltstack,
	SYS_tgkill,
	SYS_tkill,
	/* time and facts */
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_getpid,
	SYS_getppid,
	SYS_gettid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getrlimit,
	SYS_getrusage,
	SYS_getrandom,
	SYS_uname,
	SYS_sysinfo,
	SYS_sched_getaffinity,
	SYS_newfstatat,
	SYS_statx,
	SYS_readlinkat,
	SYS_getcwd,
	SYS_fstatfs,
	SYS_statfs,
	SYS_umask,
	/* the end, and what a C library does at the start of a thread or a process */
	SYS_exit,
	SYS_exit_group,
	SYS_prctl,
	SYS_set_robust_list,
	SYS_get_robust_list, /* of musl, in the first lock of a robust mutex */
	SYS_set_tid_address,
	SYS_membarrier,
#ifdef SYS_rseq
	SYS_rseq,
#endif
#ifdef __x86_64__ /* older forms of the calls above */
	SYS_poll,
	SYS_select,
	SYS_epoll_wait,
	SYS_epoll_create,
	SYS_pipe,
	SYS_dup2,
	SYS_eventfd,
	SYS_stat,
	SYS_lstat,
	SYS_readlink,
	SYS_time,
	SYS_arch_prctl,
	SYS_pause,
	SYS_alarm,
#endif
};

/* clone(2) is below. */
static const int of_processes[] = {
	SYS_wait4, SYS_waitid, SYS_kill,
#ifdef __x86_64__
	SYS_fork, /* of musl */
#endif
};

/* The ring exists already, and is restricted to its operations (common/uring.c). Another one would
 * open sockets and connect them past this filter. */
static const int of_ring[] = { SYS_io_uring_enter };

static const int to_read[] = {
	SYS_openat, SYS_openat2, SYS_getdents64, SYS_fadvise64, SYS_faccessat,
#ifdef __x86_64__
	SYS_open,   SYS_access,
#endif
};

static const int to_remove[] = {
	SYS_unlinkat,
#ifdef __x86_64__
	SYS_unlink,
#endif
};

static const int to_change[] = {
	SYS_renameat2, SYS_unlinkat,  SYS_mkdirat,   SYS_linkat,    SYS_symlinkat,
	SYS_fsync,     SYS_fdatasync, SYS_ftruncate, SYS_fallocate,
#ifdef SYS_renameat
	SYS_renameat,
#endif
#ifdef __x86_64__
	SYS_rename,    SYS_unlink,    SYS_mkdir,     SYS_rmdir,
#endif
};

/* The flags of clone(2) that no server uses: another name space, a shared memory without a thread,
 * a process that is traced. */
enum {
	NEW_SPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
		     CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE,
};

/* ---- the program --------------------------------------------------------------------------- */

enum { STEPS_MOST = 400 };

struct program {
	struct instruction steps[STEPS_MOST];
	unsigned short count;
	int allowed; /* system calls */
};

static void add(struct program *program, uint16_t code, uint32_t value, uint8_t if_true,
		uint8_t if_false)
{
	if (program->count < STEPS_MOST)
		program->steps[program->count++] =
			(struct instruction){ code, if_true, if_false, value };
}

static void add_end(struct program *program, uint32_t end)
{
	add(program, END, end, 0, 0);
}

static void load(struct program *program, size_t offset)
{
	add(program, LOAD, (uint32_t)offset, 0, 0);
}

/* If what was loaded is equal to @p value, the call ends so. */
static void end_if_equal(struct program *program, uint32_t value, uint32_t end)
{
	add(program, JUMP_IF_EQUAL, value, 0, 1);
	add_end(program, end);
}

/* ... if it has one of the bits of @p mask. */
static void end_if_set(struct program *program, uint32_t mask, uint32_t end)
{
	add(program, JUMP_IF_SET, mask, 0, 1);
	add_end(program, end);
}

/* ... if it has none of them. */
static void end_if_not_set(struct program *program, uint32_t mask, uint32_t end)
{
	add(program, JUMP_IF_SET, mask, 1, 0);
	add_end(program, end);
}

static void allow_all(struct program *program, const int numbers[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		end_if_equal(program, (uint32_t)numbers[i], ALLOW);
	program->allowed += (int)count;
}

#define ALLOW_ALL(program, numbers)                                                      \
	allow_all(program, numbers, sizeof numbers / sizeof *numbers)

/* Begins a part for one call, whose argument is loaded; end_part() ends it. All parts end the call,
 * so the number is not needed afterwards. @return the step to complete */
static unsigned short begin_part(struct program *program, int number, unsigned argument)
{
	unsigned short jump = program->count;

	add(program, JUMP_IF_EQUAL, (uint32_t)number, 0, 0);
	/* the lower half: both processors are little-endian, and the flags have 32 bits */
	load(program, offsetof(struct call, arguments) + 8 * argument);
	return jump;
}

static void end_part(struct program *program, unsigned short jump)
{
	add_end(program, ALLOW);
	program->steps[jump].if_false = (uint8_t)(program->count - jump - 1);
	program->allowed++;
}

/* ... if it is not equal. */
static void end_if_not_equal(struct program *program, uint32_t value, uint32_t end)
{
	add(program, JUMP_IF_EQUAL, value, 1, 0);
	add_end(program, end);
}

/* With MSG_FASTOPEN a socket that was a listener connects to any address, without connect(2). */
static void allow_send(struct program *program, int number, unsigned flags)
{
	unsigned short jump = begin_part(program, number, flags);

	end_if_set(program, MSG_FASTOPEN, REFUSE(EPERM));
	end_part(program, jump);
}

/* Not of datagrams: a pair of datagram sockets can send to any UNIX-domain socket. Of the types that
 * a model needs, stream and seqpacket, none has the bit. */
static void allow_socketpair(struct program *program)
{
	unsigned short jump = begin_part(program, SYS_socketpair, 1);

	end_if_set(program, SOCK_DGRAM, REFUSE(EPERM));
	end_part(program, jump);
}

/* The limits of this process: of another one, a limit of 0 would be a kill(2). */
static void allow_limits(struct program *program)
{
	unsigned short jump = begin_part(program, SYS_prlimit64, 0);

	end_if_not_equal(program, 0, REFUSE(EPERM));
	end_part(program, jump);
}

/* The times of an open file: Landlock does not confine those of a name. */
static void allow_times(struct program *program)
{
	unsigned short jump = begin_part(program, SYS_utimensat, 1);

	end_if_not_equal(program, 0, REFUSE(EPERM));
	load(program, offsetof(struct call, arguments) + 8 + 4); /* the upper half */
	end_if_not_equal(program, 0, REFUSE(EPERM));
	end_part(program, jump);
}

/* Memory that can be executed is made by ld.so(8), before. */
static void allow_memory(struct program *program, int number)
{
	unsigned short jump = begin_part(program, number, 2);

	end_if_set(program, PROT_EXEC, REFUSE(EPERM));
	end_part(program, jump);
}

/* All but what puts characters into the input of a terminal. */
static void allow_ioctl(struct program *program)
{
	enum { TIOCLINUX_NUMBER = 0x541C };
	unsigned short jump = begin_part(program, SYS_ioctl, 1);

	end_if_equal(program, TIOCSTI, REFUSE(EPERM));
	end_if_equal(program, TIOCLINUX_NUMBER, REFUSE(EPERM));
	end_part(program, jump);
}

static void allow_clone(struct program *program, unsigned needs)
{
	unsigned short jump;

	if (!(needs & (SYSCALLS_OF_PROCESSES | SYSCALLS_OF_THREADS)))
		return;
	jump = begin_part(program, SYS_clone, 0);
	end_if_set(program, NEW_SPACES, REFUSE(EPERM));
	if (!(needs & SYSCALLS_OF_THREADS))
		end_if_set(program, CLONE_VM, REFUSE(EPERM));
	if (!(needs & SYSCALLS_OF_PROCESSES))
		end_if_not_set(program, CLONE_THREAD, REFUSE(EPERM));
	end_part(program, jump);
	end_if_equal(program, SYS_clone3, REFUSE(ENOSYS));
}

static void write_program(struct program *program, unsigned needs)
{
	load(program, offsetof(struct call, processor));
	/* another way into the kernel, with other numbers: int 0x80 */
	add(program, JUMP_IF_EQUAL, PROCESSOR, 1, 0);
	add_end(program, REFUSE(EPERM));
	load(program, offsetof(struct call, number));
	/* First: the kernel runs the program for each of these, and they are the most frequent. */
	allow_send(program, SYS_sendto, 3);
	allow_send(program, SYS_sendmsg, 2);
	allow_send(program, SYS_sendmmsg, 3);
	ALLOW_ALL(program, basic); /* x32 has a bit more in its numbers: none is equal */
	if (needs & SYSCALLS_OF_PROCESSES)
		ALLOW_ALL(program, of_processes);
	if (needs & SYSCALLS_OF_RING)
		ALLOW_ALL(program, of_ring);
	if (needs & (SYSCALLS_TO_READ | SYSCALLS_TO_CHANGE))
		ALLOW_ALL(program, to_read);
	if (needs & SYSCALLS_TO_CHANGE)
		ALLOW_ALL(program, to_change);
	if (needs & SYSCALLS_TO_CHANGE)
		allow_times(program);
	if (needs & SYSCALLS_TO_REMOVE)
		ALLOW_ALL(program, to_remove);
	allow_clone(program, needs);
	allow_memory(program, SYS_mmap);
	allow_memory(program, SYS_mprotect);
	allow_ioctl(program);
	allow_socketpair(program);
	allow_limits(program);
	add_end(program, REFUSE(EPERM));
}

int syscall_filter_install(unsigned needs)
{
	static struct program program; /* large */
	struct filter filter;

	program.count = 0;
	program.allowed = 0;
	write_program(&program, needs);
	filter = (struct filter){ program.count, program.steps };
	if (prctl(PR_SET_SECCOMP, MODE_FILTER, &filter) == 0)
		return program.allowed;
	return errno == EINVAL || errno == ENOSYS ? 0 : -1;
}

#else

int syscall_filter_install(unsigned needs)
{
	(void)needs;
	return 0;
}

#endif
