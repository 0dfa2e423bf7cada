/*
 * socket_file - creates, replaces and removes the file of a UNIX-domain socket.
 *
 *	nothing there ------------------------------------> bind(2)
 *	a socket, connect(2): ECONNREFUSED -> unlink(2) --> bind(2)
 *	a socket, anything else ---------------------------> failure: in use
 *	another kind of file ------------------------------> failure
 *
 * What to watch for: between connect(2) and unlink(2) another server may do the same, and bind its
 * own socket; unlink(2) would then remove a live one. So servers hold a lock (flock(2)) on the
 * directory from the check until bind(2). A directory that cannot be locked is used without one.
 */
#ifdef __linux__
#define _GNU_SOURCE /* O_PATH, AT_EMPTY_PATH */
#else
#define _DEFAULT_SOURCE /* flock */
#endif

#include "common/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"

/* In milliseconds. LOCK_TIME: another program may hold a lock on the directory for a reason of its
 * own. */
enum { LOCK_PAUSE = 10, LOCK_TIME = 1000 };

enum { PERMISSIONS = 07777 };

/* Of the temporary file of a client. */
enum { NAME_TRIES = 1000, PATH_TEXT = 1024, EVERYBODY = 0666 };

enum { PATH_SIZE = sizeof((struct sockaddr_un *)0)->sun_path };

/* ---- the lock -------------------------------------------------------------------------- */

static void directory_of(const char *path, char out[PATH_SIZE])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL || slash == path ? 1 : (size_t)(slash - path);

	memcpy(out, slash == NULL ? "." : path, length);
	out[length] = '\0';
}

#ifdef LOCK_EX
/* flock(2) has no timeout, so it is tried again after a pause. @return 0, or -1 with errno */
static int lock_within(int fd, int64_t timeout_ms)
{
	int64_t end = clock_milliseconds() + timeout_ms;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || clock_milliseconds() >= end)
			return -1;
		poll(NULL, 0, LOCK_PAUSE);
	}
	return 0;
}
#endif

int socket_file_lock(const char *path, int64_t timeout_ms)
{
#ifdef LOCK_EX
	char directory[PATH_SIZE];
	int fd, error;

	directory_of(path, directory);
	fd = open(directory, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || lock_within(fd, timeout_ms) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
#else
	(void)path;
	(void)timeout_ms;
	errno = ENOSYS;
	return -1;
#endif
}

static void unlock_directory(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* ---- the file -------------------------------------------------------------------------- */

static int cannot_listen(const struct local_address *address, const char *why,
			 struct failure *failure)
{
	char text[LOCAL_ADDRESS_TEXT];

	return failure_set(failure, "cannot listen on %s: %s",
			   local_address_text(address, text), why);
}

/* Whether a socket is bound to this file: 0: none is; else the errno that says so. A datagram
 * socket asks: if a stream socket is bound the kernel answers EPROTOTYPE, and its server has no
 * client that comes and leaves. */
static int ask_who_is_bound(const struct local_address *address)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), error = 0;

	if (fd < 0)
		return errno;
	if (io_set_close_on_exec(fd) == 0 && io_set_nonblocking(fd, true) == 0 &&
	    connect(fd, (const struct sockaddr *)&address->name, address->length) < 0)
		error = errno;
	close(fd);
	if (error == ECONNREFUSED || error == ENOENT)
		return 0;
	return error == 0 || error == EPROTOTYPE || error == EAGAIN ? EADDRINUSE : error;
}

/* Removes a stale socket, if there is one. */
static int make_way(const struct local_address *address, struct failure *failure)
{
	const char *path = address->name.sun_path;
	struct stat status, again;
	int error;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0
				       : cannot_listen(address, strerror(errno), failure);
	if (S_ISLNK(status.st_mode))
		return cannot_listen(address, "it is a symbolic link, not a socket",
				     failure);
	if (!S_ISSOCK(status.st_mode))
		return cannot_listen(address, "the file exists and is not a socket",
				     failure);
	error = ask_who_is_bound(address);
	if (error != 0)
		return cannot_listen(address, strerror(error), failure);
	if (lstat(path, &again) < 0 || again.st_dev != status.st_dev ||
	    again.st_ino != status.st_ino)
		return cannot_listen(address, strerror(EADDRINUSE), failure);
	if (unlink(path) < 0 && errno != ENOENT)
		return cannot_listen(address, strerror(errno), failure);
	return 0;
}

/* Where a directory has a default ACL, umask(2) is ignored (acl(5)); then chmod(2) comes before
 * listen(2). */
static int note_file(struct socket_file *file, const struct local_address *address,
		     unsigned mode, struct failure *failure)
{
	const char *path = address->name.sun_path;
	struct stat status;

	if (lstat(path, &status) < 0)
		return cannot_listen(address, strerror(errno), failure);
	file->address = *address;
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->owner = getpid();
	if ((status.st_mode & PERMISSIONS) == mode || chmod(path, (mode_t)mode) == 0)
		return 0;
	cannot_listen(address, strerror(errno), failure);
	socket_file_remove(file);
	return -1;
}

static int bind_with_mode(int fd, const struct local_address *address, unsigned mode)
{
	mode_t before = umask((mode_t)(~mode & 0777));
	int result = bind(fd, (const struct sockaddr *)&address->name, address->length);
	int error = errno;

	umask(before);
	errno = error;
	return result;
}

int socket_file_bind_locked(int fd, const struct local_address *address, unsigned mode,
			    struct socket_file *file, struct failure *failure)
{
	file->owner = 0;
	if (make_way(address, failure) < 0)
		return -1;
	if (bind_with_mode(fd, address, mode) < 0)
		return cannot_listen(address, strerror(errno), failure);
	return note_file(file, address, mode, failure);
}

int socket_file_bind(int fd, const struct local_address *address, unsigned mode,
		     struct socket_file *file, struct failure *failure)
{
	int lock, result;

	file->owner = 0;
	if (!local_address_is_path(address)) {
		if (bind(fd, (const struct sockaddr *)&address->name, address->length) ==
		    0)
			return 0;
		return cannot_listen(address, strerror(errno), failure);
	}
	lock = socket_file_lock(address->name.sun_path, LOCK_TIME);
	result = socket_file_bind_locked(fd, address, mode, file, failure);
	unlock_directory(lock);
	return result;
}

/* Another user who may write to the directory can replace the file. So the owner is changed by a
 * descriptor whose file was checked, and not by the name. */
int socket_file_give(const struct socket_file *file, uid_t user, gid_t group)
{
	const char *path = file->address.name.sun_path;

	if (file->owner == 0)
		return 0;
#if defined(O_PATH) && defined(AT_EMPTY_PATH)
	struct stat status;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), result = -1, error;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0) {
		errno = ESTALE;
		if (status.st_dev == file->device && status.st_ino == file->inode)
			result = fchownat(fd, "", user, group, AT_EMPTY_PATH);
	}
	error = errno;
	close(fd);
	errno = error;
	return result;
#else
	return fchownat(AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW);
#endif
}

int socket_file_bind_temporary(int fd, struct socket_file *file)
{
	const char *directory = getenv("TMPDIR");
	struct local_address address;
	char path[PATH_TEXT];
	struct failure failure;

	file->owner = 0;
	for (int i = 0; i < NAME_TRIES; i++) {
		snprintf(path, sizeof path, "%s/sockways-%ld.%d",
			 directory != NULL && *directory != '\0' ? directory : "/tmp",
			 (long)getpid(), i);
		if (local_address_parse(path, &address, &failure) < 0) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (bind_with_mode(fd, &address, EVERYBODY) == 0)
			return note_file(file, &address, EVERYBODY, &failure);
		if (errno != EADDRINUSE)
			return -1;
	}
	return -1;
}

int socket_file_bind_own(int fd, struct socket_file *file)
{
#ifdef __linux__
	const struct sockaddr none = { .sa_family = AF_UNIX };

	file->owner = 0;
	return bind(fd, &none, sizeof none.sa_family);
#else
	return socket_file_bind_temporary(fd, file);
#endif
}

void socket_file_remove(struct socket_file *file)
{
	const char *path = file->address.name.sun_path;
	struct stat status;

	if (file->owner == 0 || file->owner != getpid())
		return;
	file->owner = 0;
	if (lstat(path, &status) == 0 && status.st_dev == file->device &&
	    status.st_ino == file->inode)
		unlink(path);
}
