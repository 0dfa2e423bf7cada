/*
 * part - an incomplete local file: created hidden, synced, then renamed.
 *
 * The order of the steps makes it crash-safe: see client/xfer/part.h. Other users may be
 * able to write to the directory. So a part is opened without following symbolic links,
 * and is used only if this user owns it and it has one link. A lock (fcntl) ensures that
 * only one process uses it.
 */
#define _XOPEN_SOURCE 700 /* S_ISVTX */

#include "client/xfer/part.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/open_within.h"
#include "common/clock.h"
#include "common/disk.h"
#include "common/io.h"
#include "common/rename.h"
#include "common/text.h"

enum { NAME_KEPT = 150, OPEN_TRIES = 10 };

static const char suffix[] = ".part";

/* A small part, which the signal handler removes. */
static _Atomic(const struct xfer_part *) temporary;

/* ---- names ------------------------------------------------------------------------------- */

/* ".NAME.", or for a long name its start and its checksum, so that the rest fits.
 * Such a name is longer than any that is short enough to be kept, so they cannot
 * collide. */
static int begin_name(const char *target, char out[NAME_MAX + 1])
{
	struct checksum sum = { 0 };
	size_t length = strlen(target), at = 0;

	if (length <= NAME_KEPT)
		return snprintf(out, NAME_MAX + 1, ".%s.", target);
	while (at < NAME_KEPT - 4)
		at += text_utf8_length(target + at, length - at);
	checksum_add(&sum, target, length);
	return snprintf(out, NAME_MAX + 1, ".%.*s~%010" PRIu32 ".", (int)at, target,
			checksum_value(&sum));
}

/* Sizes and unsigned times contain no "-", so parts of two files never have the same
 * name, even of "log" and "log.1". */
static void name_kept(struct xfer_part *part, const struct xfer_part_plan *plan)
{
	int length = begin_name(part->target, part->name);
	char time[TEXT_TIMESTAMP];

	snprintf(part->name + length, sizeof part->name - (size_t)length,
		 "%" PRIu64 "-%s%s", plan->size, text_timestamp(plan->time, time),
		 suffix);
}

/* A random name that nobody can create in advance. */
static void name_temporary(struct xfer_part *part)
{
	int length = begin_name(part->target, part->name);
	uint64_t number;
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || io_read_all(fd, &number, sizeof number) != sizeof number)
		number = (uint64_t)clock_nanoseconds() ^ (uint64_t)getpid() << 32;
	if (fd >= 0)
		close(fd);
	snprintf(part->name + length, sizeof part->name - (size_t)length,
		 "%016" PRIx64 "%s", number, suffix);
}

/* Whether a name is that of a kept part of the same file: `start` is ".NAME.", and
 * the rest is as name_kept() writes it. */
static bool is_sibling(const char *name, const char *start)
{
	size_t length = strlen(start), size_length, time_length;
	char size_text[TEXT_TIMESTAMP], time_text[TEXT_TIMESTAMP], again[TEXT_TIMESTAMP];
	const char *size_at = name + length, *time_at;
	struct timespec time;
	uint64_t size;

	if (strncmp(name, start, length) != 0)
		return false;
	size_length = strcspn(size_at, "-");
	if (size_at[size_length] == '\0' || size_length >= sizeof size_text)
		return false;
	time_at = size_at + size_length + 1;
	time_length = strlen(time_at);
	if (time_length < sizeof suffix - 1)
		return false;
	time_length -= sizeof suffix - 1;
	if (time_length >= sizeof time_text || strcmp(time_at + time_length, suffix) != 0)
		return false;
	snprintf(size_text, sizeof size_text, "%.*s", (int)size_length, size_at);
	snprintf(time_text, sizeof time_text, "%.*s", (int)time_length, time_at);
	return text_number(size_text, XFER_PART_KEPT, UINT64_MAX, &size) &&
	       size_text[0] != '0' && text_read_timestamp(time_text, &time) &&
	       strcmp(text_timestamp(time, again), time_text) == 0;
}

/* ---- the folder -------------------------------------------------------------------------- */

/* Opens the folder with that name in another one, created if needed; closes the
 * other one. A new folder is on the disk only after its parent is synced. */
static int enter(int above, const char *name, bool sync)
{
	int fd = open_within(above, name, O_RDONLY | O_DIRECTORY, 0), error;

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(above, name, 0777) == 0 && sync)
			fsync(above);
		fd = open_within(above, name, O_RDONLY | O_DIRECTORY, 0);
	}
	error = errno;
	close(above);
	errno = error;
	return fd;
}

/* Opens the folder of the file. @return its descriptor, or -1 with errno */
static int open_folder(struct xfer_part *part, const struct xfer_part_plan *plan)
{
	int fd = fcntl(plan->root, F_DUPFD_CLOEXEC, 0);
	const char *at = plan->path;

	while (fd >= 0) {
		size_t length = strcspn(at, "/");

		if (length >= sizeof part->target) {
			close(fd);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part->target, at, length);
		part->target[length] = '\0';
		if (at[length] == '\0')
			return fd;
		fd = enter(fd, part->target, plan->sync);
		at += length + 1;
	}
	return -1;
}

int xfer_part_make_folder(int root, const char *path, bool sync, struct failure *failure)
{
	struct xfer_part part;
	struct xfer_part_plan plan = { .root = root, .path = path, .sync = sync };
	int fd = open_folder(&part, &plan);

	if (fd >= 0)
		fd = enter(fd, part.target, sync);
	if (fd < 0)
		return failure_set(failure, "cannot create the directory: %s",
				   strerror(errno));
	close(fd);
	return 0;
}

/* ---- opening ----------------------------------------------------------------------------- */

/* In a folder with the sticky bit only the owner of the file or of the folder may
 * replace the file (POSIX, rename()). */
static bool is_anothers(const struct xfer_part *part, const struct stat *target)
{
	struct stat folder;
	uid_t user = geteuid();

	return user != 0 && fstat(part->folder, &folder) == 0 &&
	       (folder.st_mode & S_ISVTX) != 0 && folder.st_uid != user &&
	       target->st_uid != user;
}

/* Whether the file may get its final name. @return 0, or -1 with errno and *what */
static int check_target(const struct xfer_part *part, const char **what)
{
	struct stat status;

	if (fstatat(part->folder, part->target, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	*what = "cannot replace the local file";
	errno = EPERM;
	if (S_ISDIR(status.st_mode)) {
		*what = "cannot replace the local directory";
		errno = EISDIR;
	} else if (!part->force) {
		*what = "cannot write";
		errno = EEXIST;
	} else if (!is_anothers(part, &status)) {
		return 0;
	}
	return -1;
}

/* Bytes that this user may add to the file system; UINT64_MAX if unknown. */
static uint64_t free_bytes(int fd)
{
	struct statvfs system;
	uint64_t blocks;

	if (fstatvfs(fd, &system) < 0 || system.f_blocks == 0 || system.f_frsize == 0)
		return UINT64_MAX;
	blocks = geteuid() == 0 ? system.f_bfree : system.f_bavail;
	return blocks < UINT64_MAX / system.f_frsize ? blocks * system.f_frsize
						     : UINT64_MAX;
}

int xfer_part_check_space(int fd, uint64_t at, uint64_t size, struct failure *failure)
{
	uint64_t missing = size > at ? size - at : 0, left = free_bytes(fd);
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    size > limit.rlim_cur)
		return failure_set(failure, "cannot write: %s", strerror(EFBIG));
	if (missing <= left)
		return 0;
	return failure_set(failure,
			   "cannot write: %s (%" PRIu64 " bytes are needed, %" PRIu64
			   " are free)",
			   strerror(ENOSPC), missing, left);
}

/* Whether only this user can have created the open file, and it has no other name.
 * Writing into any other file would change data of somebody else. */
static bool is_ours_alone(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_nlink == 1 && status.st_uid == geteuid();
}

/* Whether this process holds the lock and the file still has its name: another xfer
 * may just have finished or removed it. @return 0, or -1 with errno */
static int lock(int folder, const char *name, int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat open_one, named;

	if (fcntl(fd, F_SETLK, &whole) < 0) {
		errno = EBUSY;
		return -1;
	}
	if (fstat(fd, &open_one) < 0)
		return -1;
	if (fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    named.st_ino != open_one.st_ino || named.st_dev != open_one.st_dev) {
		errno = EAGAIN;
		return -1;
	}
	return 0;
}

/* Opens the kept part, or creates it. The check is only for a file that existed: a file
 * system may report another owner for a new one.
 * @return its descriptor, or -1 with errno: EPERM if it is not ours alone */
static int open_kept(const struct xfer_part *part)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(part->folder, part->name, flags | O_CREAT | O_EXCL, 0666);

	if (fd >= 0 || errno != EEXIST)
		return fd;
	fd = openat(part->folder, part->name, flags);
	if (fd < 0 && errno == ENOENT)
		errno = EAGAIN;
	if (fd < 0 || is_ours_alone(fd))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* @return 0, or -1 with errno */
static int open_locked(struct xfer_part *part)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		int error;

		part->fd = open_kept(part);
		if (part->fd >= 0 && lock(part->folder, part->name, part->fd) == 0)
			return 0;
		error = errno;
		if (part->fd >= 0)
			close(part->fd);
		part->fd = -1;
		errno = error;
		if (error != EAGAIN)
			break;
	}
	return -1;
}

/* @return 0, or -1 with errno */
static int open_temporary(struct xfer_part *part)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		name_temporary(part);
		atomic_store(&temporary, part);
		part->fd =
			openat(part->folder, part->name,
			       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (part->fd >= 0)
			return 0;
		atomic_store(&temporary, NULL);
		if (errno != EEXIST)
			break;
	}
	return -1;
}

void xfer_part_interrupt(void)
{
	const struct xfer_part *part = atomic_load(&temporary);

	if (part != NULL)
		unlinkat(part->folder, part->name, 0);
}

/* Removes a part, unless another xfer uses it. */
static void remove_sibling(int folder, const char *name)
{
	int fd = openat(folder, name,
			O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (is_ours_alone(fd) && lock(folder, name, fd) == 0)
		unlinkat(folder, name, 0);
	close(fd);
}

/* The folder that was looked at last. If it had no part, the next small file in it needs no look:
 * there may be many thousands. */
static struct {
	dev_t device;
	ino_t inode;
	bool without_parts;
} looked_at;

static bool is_without_parts(int folder)
{
	struct stat status;

	return looked_at.without_parts && fstat(folder, &status) == 0 &&
	       status.st_dev == looked_at.device && status.st_ino == looked_at.inode;
}

static bool is_part(const char *name)
{
	size_t length = strlen(name);

	return name[0] == '.' && length > sizeof suffix &&
	       strcmp(name + length - (sizeof suffix - 1), suffix) == 0;
}

static void note_look(int folder, bool without_parts)
{
	struct stat status;

	looked_at.without_parts = without_parts && fstat(folder, &status) == 0;
	if (!looked_at.without_parts)
		return;
	looked_at.device = status.st_dev;
	looked_at.inode = status.st_ino;
}

/* Removes parts of earlier versions of the same file. */
static void remove_siblings(const struct xfer_part *part)
{
	int copy = openat(part->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	char start[NAME_MAX + 1];
	bool without_parts = true;

	if (stream == NULL) {
		if (copy >= 0)
			close(copy);
		return;
	}
	begin_name(part->target, start);
	while ((entry = readdir(stream)) != NULL) {
		without_parts = without_parts && !is_part(entry->d_name);
		if (is_sibling(entry->d_name, start) &&
		    strcmp(entry->d_name, part->name) != 0)
			remove_sibling(part->folder, entry->d_name);
	}
	closedir(stream);
	note_look(part->folder, without_parts);
}

/* Finds the number of existing bytes. @return 0, or -1 with errno */
static int take_up(struct xfer_part *part, const struct xfer_part_plan *plan)
{
	struct stat status;

	if (fstat(part->fd, &status) < 0)
		return -1;
	part->at = (uint64_t)status.st_size;
	if (part->at > plan->size || plan->ignore_part)
		part->at = 0;
	if (part->at == 0)
		remove_siblings(part);
	if ((uint64_t)status.st_size != part->at && ftruncate(part->fd, 0) < 0)
		return -1;
	return lseek(part->fd, (off_t)part->at, SEEK_SET) < 0 ? -1 : 0;
}

/* @return 0, or -1 with errno */
static int open_part(struct xfer_part *part, const struct xfer_part_plan *plan)
{
	if (!part->kept) {
		if (!is_without_parts(part->folder))
			remove_siblings(part);
		return open_temporary(part);
	}
	name_kept(part, plan);
	return open_locked(part) < 0 ? -1 : take_up(part, plan);
}

static int not_ours(struct xfer_part *part, struct failure *failure)
{
	char shown[2 * NAME_MAX];

	text_escape(part->name, strlen(part->name), shown, sizeof shown);
	failure_set(failure,
		    "cannot write %s: it belongs to another user or has other hard links",
		    shown);
	close(part->folder);
	part->folder = -1;
	return -1;
}

static int open_failed(struct xfer_part *part, const char *what, struct failure *failure)
{
	const char *reason = errno == EBUSY ? "in use by another xfer" : strerror(errno);
	const char *advice =
		errno == EEXIST && !part->force ? " (use -f to replace it)" : "";

	failure_set(failure, "%s: %s%s", what, reason, advice);
	if (part->fd >= 0)
		close(part->fd);
	if (part->folder >= 0)
		close(part->folder);
	part->fd = part->folder = -1;
	return -1;
}

static void close_part(struct xfer_part *part)
{
	atomic_store(&temporary, NULL);
	if (part->fd >= 0)
		close(part->fd);
	if (part->folder >= 0)
		close(part->folder);
	part->fd = part->folder = -1;
}

void xfer_part_discard(struct xfer_part *part)
{
	if (part->fd >= 0)
		unlinkat(part->folder, part->name, 0);
	close_part(part);
}

void xfer_part_leave(struct xfer_part *part)
{
	if (part->kept && part->at > 0)
		close_part(part);
	else
		xfer_part_discard(part);
}

/* Checks the free space only for a large file. @return 0, or -1 with *failure; then
 * the part is closed */
static int check_space(struct xfer_part *part, const struct xfer_part_plan *plan,
		       struct failure *failure)
{
	if (!part->kept ||
	    xfer_part_check_space(part->fd, part->at, plan->size, failure) == 0)
		return 0;
	xfer_part_leave(part);
	return -1;
}

int xfer_part_open(struct xfer_part *part, const struct xfer_part_plan *plan,
		   struct failure *failure)
{
	const char *what;

	*part = (struct xfer_part){ .fd = -1, .folder = -1, .force = plan->force };
	part->kept = plan->size >= XFER_PART_KEPT;
	part->folder = open_folder(part, plan);
	if (part->folder < 0)
		return open_failed(part, "cannot open its directory", failure);
	if (check_target(part, &what) < 0)
		return open_failed(part, what, failure);
	if (open_part(part, plan) == 0)
		return check_space(part, plan, failure);
	if (part->fd < 0 && part->kept && errno == EPERM)
		return not_ours(part, failure);
	return open_failed(part, "cannot write", failure);
}

/* ---- writing and ending ------------------------------------------------------------------ */

int xfer_part_write(struct xfer_part *part, const void *bytes, size_t length,
		    struct failure *failure)
{
	ssize_t n = io_write(part->fd, bytes, length);

	if (n > 0)
		part->at += (uint64_t)n;
	if (n == (ssize_t)length)
		return 0;
	return failure_set(failure, "cannot write: %s", strerror(errno));
}

static int name_it(const struct xfer_part *part)
{
	if (part->force)
		return renameat(part->folder, part->name, part->folder, part->target);
	return rename_new(part->folder, part->name, part->folder, part->target);
}

static int finish_failed(struct xfer_part *part, const char *what,
			 struct failure *failure)
{
	failure_set(failure, "%s: %s", what, strerror(errno));
	xfer_part_discard(part);
	return -1;
}

int xfer_part_finish(struct xfer_part *part, const struct xfer_part_plan *plan,
		     struct failure *failure)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, plan->time };

	if (futimens(part->fd, times) < 0)
		return finish_failed(part, "cannot set its modification time", failure);
	if (plan->sync && disk_sync(part->fd) < 0)
		return finish_failed(part, "cannot write it to disk", failure);
	if (name_it(part) < 0)
		return finish_failed(part, "cannot rename it to its final name", failure);
	if (plan->sync && fsync(part->folder) < 0) {
		failure_set(failure, "cannot write its directory to disk: %s",
			    strerror(errno));
		close_part(part);
		return -1;
	}
	close_part(part);
	return 0;
}
