/*
 * open_within - opens files below a directory, and never outside of it.
 *
 * A server that opens files by names from clients must not follow "..", absolute paths
 * or symbolic links out of its directory. Checking a path before opening it does not
 * help: it may change in between. So the kernel resolves the name: openat2(2) with
 * RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS on Linux; elsewhere openat(2) for one
 * component after the other, each with O_NOFOLLOW.
 *
 * Build with -DOPEN_WITHIN_USE_OPENAT to use the fallback on Linux.
 */
#ifndef COMMON_OPEN_WITHIN_H
#define COMMON_OPEN_WITHIN_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * Opens @p path below the directory @p directory.
 *
 * @param directory  an open directory; search permission suffices
 * @param path       relative; several '/' in a row count as one; "." is the directory
 *              itself. A trailing '/' requires a directory
 * @param flags      of open(2) in POSIX. O_CLOEXEC, O_NOCTTY and O_NONBLOCK are added:
 *               opening a FIFO or a device must not block
 * @param mode       of a file that O_CREAT creates
 * @return the descriptor, or -1 with errno of open(2); EXDEV for an absolute path or a
 * component "..", even if it would not lead outside; ELOOP for a symbolic link anywhere
 * in it (but EEXIST with O_CREAT and O_EXCL if it is the last component)
 */
int open_within(int directory, const char *path, int flags, mode_t mode);

/** Whether a component of @p path begins with a dot: hidden files, "." and "..". */
bool open_within_is_hidden(const char *path);

#endif
