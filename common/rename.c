/*
 * rename - renames a file without ever replacing another one.
 *
 * rename(2) replaces its target silently, and a check before it is a race. renameat2(2)
 * does both in one step; the fallback is linkat(2), which fails if the name exists.
 */
#ifdef __linux__
#define _GNU_SOURCE /* syscall */
#endif

#include "common/rename.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#if defined(__linux__) && !defined(RENAME_USE_LINKAT)
#include <sys/syscall.h>
#endif

static int link_and_unlink(int from_directory, const char *from, int to_directory,
			   const char *to)
{
	int saved;

	if (linkat(from_directory, from, to_directory, to, 0) < 0)
		return -1;
	if (unlinkat(from_directory, from, 0) == 0)
		return 0;
	saved = errno;
	(void)unlinkat(to_directory, to, 0);
	errno = saved;
	return -1;
}

#if defined(SYS_renameat2) && !defined(RENAME_USE_LINKAT)

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1u /* from linux/fs.h, which not every libc can include */
#endif

/* EINVAL: the file system cannot do it. ENOSYS and EPERM: see open_within.c. */
int rename_new(int from_directory, const char *from, int to_directory, const char *to)
{
	long done = syscall(SYS_renameat2, from_directory, from, to_directory, to,
			    RENAME_NOREPLACE);

	if (done < 0 && (errno == EINVAL || errno == ENOSYS || errno == EPERM))
		return link_and_unlink(from_directory, from, to_directory, to);
	return (int)done;
}

#else

int rename_new(int from_directory, const char *from, int to_directory, const char *to)
{
	return link_and_unlink(from_directory, from, to_directory, to);
}

#endif
