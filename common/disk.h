/*
 * disk - what file systems do, and each system names in its own way.
 */
#ifndef COMMON_DISK_H
#define COMMON_DISK_H

#include <sys/stat.h>
#include <time.h>

/** The modification time of a file, with nanoseconds. */
struct timespec disk_modified(const struct stat *status);

/** Waits until the content of @p fd is on the disk (fdatasync(2)). @return 0, or -1 with errno */
int disk_sync(int fd);

#endif
