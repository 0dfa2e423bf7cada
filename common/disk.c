/*
 * disk - the time of a file and fdatasync(2), which macOS lacks.
 *
 * POSIX.1-2008 calls the time of a file st_mtim; macOS still has the older st_mtimespec. fsync(2)
 * of macOS leaves the bytes in the cache of the disk, so its fcntl(2) F_FULLFSYNC is used; a file
 * system that does not know it gets fsync(2).
 */
#include "common/disk.h"

#include <fcntl.h>
#include <unistd.h>

#ifdef __APPLE__

struct timespec disk_modified(const struct stat *status)
{
	return status->st_mtimespec;
}

int disk_sync(int fd)
{
	return fcntl(fd, F_FULLFSYNC) == 0 ? 0 : fsync(fd);
}

#else

struct timespec disk_modified(const struct stat *status)
{
	return status->st_mtim;
}

int disk_sync(int fd)
{
	return fdatasync(fd);
}

#endif
