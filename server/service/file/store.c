#define _XOPEN_SOURCE 700 /* nftw */

#include "server/service/file/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/beneath.h"
#include "common/process.h"
#include "common/text.h"
#include "server/service/file/name.h"
#include "server/service/file/upload.h"

enum {
	DIRECTORY_TEXT = 128,
	OPEN_DIRECTORIES = 16, /* while what is used is counted */
	EXPIRE_EVERY = 60,     /* seconds */
	EXPIRE_MOST = 10000,   /* parts looked at in one go: some 20 milliseconds */
};

static const char parts_name[] = ".filed";

/* ---- refusals -------------------------------------------------------------------------- */

int file_refuse(struct file_refusal *refusal, const char *code, const char *why)
{
	*refusal = (struct file_refusal){ code, why };
	return -1;
}

int file_refuse_errno(struct file_refusal *refusal, int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return file_refuse(refusal, "not-found", "there is no such file");
	case EEXIST:
		return file_refuse(refusal, "exists", "it is here already");
	case ELOOP:
		return file_refuse(refusal, "forbidden",
				   "there is a symbolic link in it");
	case EXDEV: /* no name leads out: it is the rename that says so */
		return file_refuse(refusal, "forbidden",
				   "another file system is mounted there");
	case ENXIO: /* a socket; a FIFO or a device that nobody else has open */
	case ENODEV:
		return file_refuse(refusal, "forbidden",
				   "it is neither a file nor a directory");
	case EACCES:
	case EPERM:
	case EROFS:
	case EISDIR:
		return file_refuse(refusal, "forbidden", strerror(error));
	case ENAMETOOLONG:
	case EILSEQ:
	case EINVAL:
		return file_refuse(refusal, "bad-request", strerror(error));
	case EFBIG:
		return file_refuse(refusal, "too-large", strerror(error));
	case ENOSPC:
	case EDQUOT:
		return file_refuse(refusal, "no-space", strerror(error));
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return file_refuse(refusal, "busy", strerror(error));
	case EWOULDBLOCK:
		return file_refuse(refusal, "busy", "somebody else is sending it");
	default:
		return file_refuse(refusal, "internal", strerror(error));
	}
}

/* ---- the beginning ---------------------------------------------------------------------- */

/* nftw(3) has no place for a context; there is one thread yet. */
static int64_t counted;

static int count_entry(const char *path, const struct stat *status, int type,
		       struct FTW *walk)
{
	(void)path;
	(void)walk;
	if (type == FTW_F && S_ISREG(status->st_mode))
		counted += status->st_size;
	return 0;
}

/* In a directory that cannot be written to there are no parts, and what is there can be had
 * all the same. */
static void open_parts(struct file_store *store)
{
	bool made = mkdirat(store->root, parts_name, 0700) == 0;

	store->parts_error = made || errno == EEXIST ? 0 : errno;
	store->parts = beneath_open(store->root, parts_name, O_RDONLY | O_DIRECTORY, 0);
	if (store->parts < 0 && store->parts_error == 0)
		store->parts_error = errno;
}

/* nftw() follows no symbolic link, as it should below the directory; but the directory itself
 * may be named by one. @return 0, or -1 with errno */
static int count_files(const char *directory)
{
	char *path = realpath(directory, NULL);
	int done = -1, saved;

	counted = 0;
	if (path != NULL)
		done = nftw(path, count_entry, OPEN_DIRECTORIES, FTW_PHYS);
	saved = errno;
	free(path);
	errno = saved;
	return done;
}

int file_store_open(struct file_store *store, const char *directory,
		    struct failure *failure)
{
	char text[DIRECTORY_TEXT];

	text_escape(directory, strlen(directory), text, sizeof text);
	store->shared = process_shared_memory(sizeof *store->shared);
	if (store->shared == NULL)
		return failure_set(failure, "cannot begin: %s", strerror(errno));
	store->root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->root < 0)
		return failure_set(failure, "cannot serve '%s': %s", text,
				   strerror(errno));
	open_parts(store);
	file_store_expire(store);
	if (store->quota > 0 && count_files(directory) < 0)
		return failure_set(failure, "cannot count what is in '%s': %s", text,
				   strerror(errno));
	atomic_store(&store->shared->used, counted);
	return 0;
}

/* ---- directories ------------------------------------------------------------------------ */

/* From before it is made until it is on disk it is counted. If that fails, or who does it is
 * killed, it stays so: all those who pass bring it to disk then. */
static int make_directory(const struct file_store *store, int at, const char *name)
{
	bool is_there;

	atomic_fetch_add(&store->shared->fresh, 1);
	is_there = mkdirat(at, name, 0777) == 0 || errno == EEXIST;
	if (is_there && !store->unsynced && fsync(at) < 0)
		return -1;
	atomic_fetch_sub(&store->shared->fresh, 1);
	return is_there ? 0 : -1;
}

/* Whether a directory that was found may be one that somebody else has made just now, and not
 * yet brought to disk. To be asked after it was found. */
static bool may_be_fresh(const struct file_store *store)
{
	return !store->unsynced && atomic_load(&store->shared->fresh) > 0;
}

/* Opens the directory @p path, which is the part of it behind the last '/' in @p at, after it
 * was made if it is not there. */
static int open_or_make(const struct file_store *store, const char *path, int at)
{
	const char *slash = strrchr(path, '/');
	int fd = beneath_open(store->root, path, O_RDONLY | O_DIRECTORY, 0), saved;

	if (fd < 0 && errno == ENOENT) {
		if (make_directory(store, at, slash != NULL ? slash + 1 : path) < 0)
			return -1;
		return beneath_open(store->root, path, O_RDONLY | O_DIRECTORY, 0);
	}
	if (fd < 0 || !may_be_fresh(store) || fsync(at) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int make_path(const struct file_store *store, char *path)
{
	char *slash = path;
	int at = store->root;

	while (at >= 0) {
		int next, saved;

		slash = strchr(slash, '/');
		if (slash != NULL)
			*slash = '\0';
		next = open_or_make(store, path, at);
		saved = errno;
		file_store_leave(store, at);
		errno = saved;
		at = next;
		if (slash == NULL)
			return at;
		*slash++ = '/';
	}
	return at;
}

int file_store_enter(const struct file_store *store, const char *name, bool make,
		     const char **last)
{
	const char *slash = strrchr(name, '/');
	char path[NAME_MOST + 1];
	int fd;

	*last = slash != NULL ? slash + 1 : name;
	if (slash == NULL)
		return store->root;
	memcpy(path, name, (size_t)(slash - name));
	path[slash - name] = '\0';
	fd = beneath_open(store->root, path, O_RDONLY | O_DIRECTORY, 0);
	if (!make || (fd < 0 && errno != ENOENT) || (fd >= 0 && !may_be_fresh(store)))
		return fd;
	if (fd >= 0)
		close(fd);
	return make_path(store, path);
}

void file_store_leave(const struct file_store *store, int directory)
{
	if (directory != store->root)
		close(directory);
}

/* ---- files ------------------------------------------------------------------------------ */

static int check_kind(const struct stat *status, struct file_refusal *refusal)
{
	if (S_ISREG(status->st_mode) || S_ISDIR(status->st_mode))
		return 0;
	if (S_ISLNK(status->st_mode))
		return file_refuse_errno(refusal, ELOOP);
	return file_refuse(refusal, "forbidden", "it is neither a file nor a directory");
}

int file_store_look(const struct file_store *store, const char *name, struct stat *status,
		    struct file_refusal *refusal)
{
	const char *last;
	int directory = file_store_enter(store, name, false, &last), error = 0;

	if (directory < 0)
		return file_refuse_errno(refusal, errno);
	if (fstatat(directory, last, status, AT_SYMLINK_NOFOLLOW) < 0)
		error = errno;
	file_store_leave(store, directory);
	return error != 0 ? file_refuse_errno(refusal, error)
			  : check_kind(status, refusal);
}

int file_store_read(const struct file_store *store, const char *name, struct stat *status,
		    struct file_refusal *refusal)
{
	int fd = beneath_open(store->root, name, O_RDONLY, 0);

	if (fd < 0)
		return file_refuse_errno(refusal, errno);
	if (fstat(fd, status) < 0)
		file_refuse_errno(refusal, errno);
	else if (S_ISDIR(status->st_mode))
		file_refuse(refusal, "forbidden", "it is a directory");
	else if (check_kind(status, refusal) == 0)
		return fd;
	close(fd);
	return -1;
}

/* ---- room ------------------------------------------------------------------------------- */

/* A file system that has no number of blocks does not know. */
static bool disk_has_room(const struct file_store *store, uint64_t bytes)
{
	struct statvfs status;

	if (fstatvfs(store->parts, &status) < 0 || status.f_blocks == 0 ||
	    status.f_frsize == 0)
		return true;
	return bytes / status.f_frsize <= status.f_bavail;
}

bool file_store_has_room(const struct file_store *store, uint64_t bytes)
{
	int64_t used = atomic_load(&store->shared->used);

	if (store->quota > 0 &&
	    (used > store->quota || bytes > (uint64_t)(store->quota - used)))
		return false;
	return disk_has_room(store, bytes);
}

bool file_store_add(const struct file_store *store, uint64_t bytes)
{
	int64_t count = (int64_t)bytes, used = atomic_load(&store->shared->used);

	if (store->quota == 0)
		return true;
	do
		if (used > store->quota - count)
			return false;
	while (!atomic_compare_exchange_weak(&store->shared->used, &used, used + count));
	return true;
}

/* Of what others have put here since the start nothing is counted but that it is gone. */
void file_store_subtract(const struct file_store *store, uint64_t bytes)
{
	int64_t used = atomic_load(&store->shared->used), less;

	if (store->quota == 0)
		return;
	do
		less = bytes < (uint64_t)used ? used - (int64_t)bytes : 0;
	while (!atomic_compare_exchange_weak(&store->shared->used, &used, less));
}

/* ---- old parts -------------------------------------------------------------------------- */

/* By the time of the last change of its status: an upload that is whole has the client's time
 * of modification a moment before it has its name. */
static bool is_old(const struct file_store *store, const char *name, time_t now)
{
	struct stat status;

	return fstatat(store->parts, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       status.st_ctime < now - store->part_life;
}

static void expire_parts(const struct file_store *store, DIR *stream, time_t now)
{
	const struct dirent *next;

	for (int i = 0; i < EXPIRE_MOST && (next = readdir(stream)) != NULL; i++)
		if (*next->d_name != '.' && is_old(store, next->d_name, now))
			file_upload_expire(store, next->d_name);
}

/* The first one who finds that it is time looks, the others go on. */
void file_store_expire(const struct file_store *store)
{
	time_t now = time(NULL);
	int64_t due = atomic_load(&store->shared->expire_at);
	DIR *stream;
	int fd;

	if (store->part_life == 0 || store->parts < 0 || now < due ||
	    !atomic_compare_exchange_strong(&store->shared->expire_at, &due,
					    now + EXPIRE_EVERY))
		return;
	fd = beneath_open(store->root, parts_name, O_RDONLY | O_DIRECTORY, 0);
	stream = fd >= 0 ? fdopendir(fd) : NULL;
	if (stream != NULL) {
		expire_parts(store, stream, now);
		closedir(stream);
	} else if (fd >= 0) {
		close(fd);
	}
}
