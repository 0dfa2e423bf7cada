/*
 * beneath - files below a directory, and never outside of it.
 *
 * A server that opens what its clients name must not let "..", an absolute path or a
 * symbolic link lead it elsewhere; and to check a path before opening it is no help, since
 * it may be another one by then. So the kernel resolves the name beneath the directory:
 * openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS on Linux; where that is missing,
 * openat(2), one component after the other, each with O_NOFOLLOW.
 *
 * Build with -DBENEATH_USE_OPENAT to have the second way on Linux too.
 */
#ifndef COMMON_BENEATH_H
#define COMMON_BENEATH_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * Opens @p path beneath the directory @p directory.
 *
 * @param directory  an open directory; it need not be readable, only searchable
 * @param path       relative, with '/' between its components, where several in a row count
 *                   as one; "." is the directory itself. One at the end asks for a
 *                   directory
 * @param flags      of POSIX's open(2), to which O_CLOEXEC, O_NOCTTY and O_NONBLOCK are
 *                   added: a FIFO or a device without its other side must not be waited for
 * @param mode       of a file that O_CREAT makes
 * @return the descriptor, or -1 with errno of open(2); EXDEV for a path that is absolute or
 *         has a component "..", even one that would not lead outside; ELOOP for a symbolic
 *         link anywhere in it (but EEXIST with O_CREAT and O_EXCL where it is the last)
 */
int beneath_open(int directory, const char *path, int flags, mode_t mode);

/** Whether a component of @p path begins with a dot: hidden files, "." and "..". */
bool beneath_is_hidden(const char *path);

#endif
