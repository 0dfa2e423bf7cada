/*
 * open_within - opens files below a directory: openat2(2), or openat(2) component by component.
 *
 * openat2(2) is one system call, whatever the depth. The fallback needs one per component,
 * and holds the directory of each open, so renaming a directory meanwhile cannot redirect
 * it. Both give the same errno values.
 */
#ifdef __linux__
#define _GNU_SOURCE /* syscall, O_PATH, O_LARGEFILE */
#endif

#include "common/open_within.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__) && defined(__has_include) && !defined(OPEN_WITHIN_USE_OPENAT)
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif
#endif

enum { ALWAYS = O_CLOEXEC | O_NOCTTY | O_NONBLOCK };

/* A directory on the path needs search permission only, not read permission. */
#if defined(O_SEARCH)
enum { ON_THE_WAY = O_SEARCH };
#elif defined(O_PATH)
enum { ON_THE_WAY = O_PATH };
#else
enum { ON_THE_WAY = O_RDONLY };
#endif

/* Takes the first component of *path, and moves *path past it and the following
 * slashes.
 * @return its length; 0 at the end */
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

/* For a symbolic link with O_NOFOLLOW, POSIX requires ELOOP; FreeBSD returns EMLINK,
 * and Linux with O_DIRECTORY ENOTDIR. */
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

/* Opens a component in the directory at, which is closed unless it is that of the
 * caller. */
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

/* Removes trailing slashes: they would make open(2) follow a symbolic link in spite
 * of O_NOFOLLOW. @return the flags that replace them, or -1 with errno */
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

/* Walks down. An open directory stays the same, whatever happens to its name. */
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
		.mode = flags & O_CREAT ? mode & 07777 : 0, /* other bits are EINVAL */
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

#ifdef O_LARGEFILE
	how.flags |= O_LARGEFILE; /* on 32-bit systems, where open(2) adds it */
#endif
	return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/* ENOSYS: Linux before 5.6. EPERM: a system call filter (seccomp(2)) that does not
 * know openat2. If EPERM has another reason, openat(2) returns it again. */
static bool is_missing(int error)
{
	return error == ENOSYS || error == EPERM;
}

static int open_below(int directory, const char *path, int flags, mode_t mode)
{
	int fd = open_at_once(directory, path, flags, mode);

	if (fd < 0 && is_missing(errno))
		return open_by_components(directory, path, flags, mode);
	return fd;
}

#else

static int open_below(int directory, const char *path, int flags, mode_t mode)
{
	return open_by_components(directory, path, flags, mode);
}

#endif

int open_within(int directory, const char *path, int flags, mode_t mode)
{
	int fd;

	if (leads_outside(path)) {
		errno = EXDEV;
		return -1;
	}
	do
		fd = open_below(directory, path, flags, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

bool open_within_is_hidden(const char *path)
{
	const char *component;

	do {
		component = path;
		if (*component == '.')
			return true;
	} while (next_component(&path) > 0 || *path != '\0');
	return false;
}
