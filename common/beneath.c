#ifdef __linux__
#define _GNU_SOURCE /* syscall, O_PATH, O_LARGEFILE */
#endif

#include "common/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__) && defined(__has_include) && !defined(BENEATH_USE_OPENAT)
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif
#endif

enum { ALWAYS = O_CLOEXEC | O_NOCTTY | O_NONBLOCK };

/* A directory on the way need only be searched, not read. */
#if defined(O_SEARCH)
enum { ON_THE_WAY = O_SEARCH };
#elif defined(O_PATH)
enum { ON_THE_WAY = O_PATH };
#else
enum { ON_THE_WAY = O_RDONLY };
#endif

/* The component at the start of *path, which is moved behind it and the '/' that follow.
 * @return its length, 0 when there is no more */
static size_t next_component(const char **path)
{
	size_t length = strcspn(*path, "/");

	*path += length;
	*path += strspn(*path, "/");
	return length;
}

static bool leads_outside(const char *path)
{
	const char *component = path;
	size_t length;

	if (*path == '/')
		return true;
	while ((length = next_component(&path)) > 0) {
		if (length == 2 && memcmp(component, "..", 2) == 0)
			return true;
		component = path;
	}
	return false;
}

/* For a symbolic link, O_NOFOLLOW gives ELOOP by POSIX, but EMLINK on FreeBSD, and with
 * O_DIRECTORY, on Linux, ENOTDIR. */
static void name_a_link(int directory, const char *component)
{
	struct stat status;
	int saved = errno;

	if ((saved == ENOTDIR || saved == EMLINK) &&
	    fstatat(directory, component, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(status.st_mode))
		saved = ELOOP;
	errno = saved;
}

/* Opens the component in the directory at, which is closed if it is not the caller's. */
static int step(int callers, int at, const char *component, int flags, mode_t mode)
{
	int fd = openat(at, component, flags | O_NOFOLLOW | ALWAYS, mode), saved;

	if (fd < 0)
		name_a_link(at, component);
	saved = errno;
	if (at != callers)
		close(at);
	errno = saved;
	return fd;
}

/* Cuts off the '/' at the end, which would have a symbolic link followed in spite of
 * O_NOFOLLOW. @return the flags that stand for it, or -1 with errno */
static int take_slash(char *path, int flags)
{
	size_t length = strlen(path), kept = length;

	while (kept > 0 && path[kept - 1] == '/')
		kept--;
	if (kept == length)
		return flags;
	if (flags & O_CREAT) {
		errno = EISDIR;
		return -1;
	}
	path[kept] = '\0';
	return flags | O_DIRECTORY;
}

/* Once a directory is open, nothing that happens to its name can lead us elsewhere. */
static int open_by_components(int directory, const char *path, int flags, mode_t mode)
{
	char copy[PATH_MAX];
	const char *rest = copy;
	size_t length = strlen(path);
	int at = directory;

	if (length == 0 || length >= sizeof copy) {
		errno = length == 0 ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	memcpy(copy, path, length + 1);
	flags = take_slash(copy, flags);
	if (flags < 0)
		return -1;
	for (;;) {
		char *component = copy + (rest - copy);

		length = next_component(&rest);
		if (*rest == '\0')
			return step(directory, at, component, flags, mode);
		component[length] = '\0';
		at = step(directory, at, component, ON_THE_WAY | O_DIRECTORY, 0);
		if (at < 0)
			return -1;
	}
}

#ifdef RESOLVE_BENEATH

static int open_at_once(int directory, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)(flags | ALWAYS),
		.mode = flags & O_CREAT ? mode & 07777 : 0, /* more is EINVAL */
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

#ifdef O_LARGEFILE
	how.flags |= O_LARGEFILE; /* of 32-bit systems, where open() adds it */
#endif
	return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/* ENOSYS: Linux before 5.6. EPERM: so do filters of system calls speak (seccomp(2)) that are
 * older than that; if it was said in earnest, openat says it again. */
static bool is_missing(int error)
{
	return error == ENOSYS || error == EPERM;
}

static int open_beneath(int directory, const char *path, int flags, mode_t mode)
{
	int fd = open_at_once(directory, path, flags, mode);

	if (fd < 0 && is_missing(errno))
		return open_by_components(directory, path, flags, mode);
	return fd;
}

#else

static int open_beneath(int directory, const char *path, int flags, mode_t mode)
{
	return open_by_components(directory, path, flags, mode);
}

#endif

int beneath_open(int directory, const char *path, int flags, mode_t mode)
{
	int fd;

	if (leads_outside(path)) {
		errno = EXDEV;
		return -1;
	}
	do
		fd = open_beneath(directory, path, flags, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

bool beneath_is_hidden(const char *path)
{
	const char *component;

	do {
		component = path;
		if (*component == '.')
			return true;
	} while (next_component(&path) > 0 || *path != '\0');
	return false;
}
