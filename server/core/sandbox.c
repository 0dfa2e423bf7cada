/*
 * sandbox - a server gives up what it does not need, before the first client.
 *
 * If a client ever made a server run the client's own code, this code could do what the server can
 * do. So the server gives up its rights first. Three mechanisms of Linux are used, none of which
 * needs root, and none of which can be undone:
 *
 *	no_new_privs     a program with the set-user-ID bit gets no rights (prctl(2))
 *	Landlock         no file but those of the service (common/landlock.c)
 *	seccomp          no system call but those of this service in this model
 *			 (common/syscall_filter.c)
 *
 * The model says whether it creates processes or threads, the service which files it opens. So there
 * is no list of programs, and one that says too little gets too few rights.
 *
 * OpenBSD has pledge(2) and unveil(2) for the same purpose. A server that does what it has not
 * promised is killed there. This part was written from the manual pages, and is not tested.
 */
#define _DEFAULT_SOURCE
#include "server/core/sandbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/message.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||               \
	__has_feature(memory_sanitizer)
#define HAS_SANITIZER
#endif
#endif

void sandbox_read(struct sandbox *sandbox, const char *directory)
{
	sandbox->needs |= SYSCALLS_TO_READ;
	landlock_allow(&sandbox->files, directory, LANDLOCK_READ);
}

void sandbox_change(struct sandbox *sandbox, const char *directory)
{
	sandbox->needs |= SYSCALLS_TO_READ | SYSCALLS_TO_CHANGE;
	landlock_allow(&sandbox->files, directory, LANDLOCK_CHANGE);
}

/* The directory of a file. What is allocated is kept for ever; @p name is not. */
static const char *directory_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (slash == NULL)
		return ".";
	return slash == name ? "/" : strndup(name, (size_t)(slash - name));
}

static void allow_directory_of(struct sandbox *sandbox, const char *name, unsigned access)
{
	const char *directory = directory_of(name);

	if (directory != NULL) /* NULL: out of memory, so less is allowed */
		landlock_allow(&sandbox->files, directory, access);
}

/* If the name is a symbolic link, open(2) creates the file where the link points to. The directory
 * of the link has a rule as well, in case a file replaces the link. */
void sandbox_append(struct sandbox *sandbox, const char *name)
{
	char *target = realpath(name, NULL);

	sandbox->needs |= SYSCALLS_TO_READ;
	allow_directory_of(sandbox, name, LANDLOCK_APPEND);
	if (target != NULL)
		allow_directory_of(sandbox, target, LANDLOCK_APPEND);
	free(target);
}

void sandbox_remove(struct sandbox *sandbox, const char *name)
{
	sandbox->needs |= SYSCALLS_TO_REMOVE;
	allow_directory_of(sandbox, name, LANDLOCK_REMOVE);
}

#if defined(HAS_SANITIZER)

int sandbox_enter(const struct sandbox *sandbox, struct failure *failure)
{
	(void)sandbox;
	(void)failure;
	message(MESSAGE_CLIENT, "no sandbox: the server was compiled with a sanitizer");
	return 0;
}

#elif defined(__linux__)

#include <sys/prctl.h>

static int fail(const char *what, struct failure *failure)
{
	return failure_set(failure,
			   "cannot enter the sandbox: %s: %s (--no-sandbox starts the "
			   "server without it)",
			   what, strerror(errno));
}

static void report(int landlock, int calls)
{
	char files[40] = "no Landlock", filter[40] = "no seccomp";

	if (landlock > 0)
		snprintf(files, sizeof files, "Landlock (ABI %d)", landlock);
	if (calls > 0)
		snprintf(filter, sizeof filter, "seccomp (%d system calls)", calls);
	message(MESSAGE_CLIENT, "sandbox: no new privileges, %s, %s", files, filter);
}

int sandbox_enter(const struct sandbox *sandbox, struct failure *failure)
{
	struct sandbox own = *sandbox;
	int landlock, calls;

	/* the last line has the peak of the memory, from /proc/self/status */
	landlock_allow(&own.files, "/proc/self", LANDLOCK_READ);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail("no_new_privs", failure);
	landlock = landlock_confine(&own.files);
	if (landlock < 0)
		return fail("Landlock", failure);
	/* Landlock decides which files may be opened. A pipe is none of them: where the kernel is
	 * older than 6.5, a message to a pipe opens it again (common/io.c). */
	if (landlock > 0)
		own.needs |= SYSCALLS_TO_READ;
	calls = syscall_filter_install(own.needs);
	if (calls < 0)
		return fail("seccomp", failure);
	report(landlock, calls);
	return 0;
}

#elif defined(__OpenBSD__)

#include <sys/stat.h>

static bool is_same_directory(const char *one, const char *other)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* What all rules together allow in the directory of one of them. unveil(2) counts only its last
 * call for a directory; Landlock counts all rules. */
static unsigned access_to(const struct landlock *files, const char *directory)
{
	unsigned access = 0;

	for (unsigned i = 0; i < files->count; i++)
		if (is_same_directory(files->rules[i].directory, directory))
			access |= files->rules[i].access;
	return access;
}

/* A file that is removed is looked at before (lstat(2)): so "r", too. */
static const char *permissions(unsigned access)
{
	if (access & (LANDLOCK_CHANGE | LANDLOCK_APPEND))
		return "rwc";
	return access & LANDLOCK_REMOVE ? "rc" : "r";
}

/* A directory that does not exist (ENOENT) needs no rule. */
static int unveil_all(const struct landlock *files)
{
	for (unsigned i = 0; i < files->count; i++) {
		const char *directory = files->rules[i].directory;

		if (unveil(directory, permissions(access_to(files, directory))) < 0 &&
		    errno != ENOENT)
			return -1;
	}
	return unveil(NULL, NULL);
}

static unsigned access_to_any(const struct landlock *files)
{
	unsigned access = 0;

	for (unsigned i = 0; i < files->count; i++)
		access |= files->rules[i].access;
	return access;
}

/*
 * stdio	all that has no path: pipes, poll(2), signals, threads, wait4(2)
 * inet, unix	accept(2), getpeername(2), setsockopt(2); UDP, too
 * sendfd	the parent passes a client to a worker, or the listeners to the next server
 * recvfd	the worker takes it
 * proc		fork(2), kill(2) of another process, fcntl(2) with F_SETOWN
 * rpath	open(2) to read, stat(2); wpath to write; cpath to create, rename and remove
 * fattr	futimens(2), fchmod(2)
 * flock	of a file that is uploaded
 *
 * No server needs exec, prot_exec, tty, dns or getpw: it has no programs, resolves no names and
 * has become its user before.
 */
static void make_promises(const struct sandbox *sandbox, char *out, size_t size)
{
	unsigned access = access_to_any(&sandbox->files);
	bool changes = access & LANDLOCK_CHANGE;
	bool writes = changes || access & LANDLOCK_APPEND;
	bool creates = writes || access & LANDLOCK_REMOVE;
	bool proc = sandbox->needs & SYSCALLS_OF_PROCESSES || sandbox->asks_for_sigio;

	snprintf(out, size, "stdio inet unix sendfd recvfd%s%s%s%s%s",
		 proc ? " proc" : "", access != 0 ? " rpath" : "", writes ? " wpath" : "",
		 creates ? " cpath" : "", changes ? " fattr flock" : "");
}

/* unveil(2) comes first: pledge(2) without the promise "unveil" ends its use. */
int sandbox_enter(const struct sandbox *sandbox, struct failure *failure)
{
	char promises[96];

	make_promises(sandbox, promises, sizeof promises);
	if (unveil_all(&sandbox->files) < 0 || pledge(promises, NULL) < 0)
		return failure_set(
			failure,
			"cannot enter the sandbox: %s (--no-sandbox starts the "
			"server without it)",
			strerror(errno));
	message(MESSAGE_CLIENT, "sandbox: unveil, pledge (%s)", promises);
	return 0;
}

#else

int sandbox_enter(const struct sandbox *sandbox, struct failure *failure)
{
	(void)sandbox;
	(void)failure;
	message(MESSAGE_CLIENT, "no sandbox: this system has none that is used here");
	return 0;
}

#endif
