/*
 * store - opens, creates and counts files in the directory that is served.
 *
 * Every name is resolved by open_within(), relative to a descriptor of the directory. So
 * no name and no symbolic link leads out of it. A lookup is one system call on Linux
 * (openat2(2)), else one for each component.
 *
 * Durability: a new directory is synced in its parent before a file is put into it.
 * Another upload may find that directory before it is on disk. So a shared counter of
 * directories that are not yet synced tells all uploads to sync them as well.
 *
 * The quota is one atomic counter in shared memory. It is initialised by walking the
 * directory once at the start.
 */
#define _XOPEN_SOURCE 700 /* nftw */

#include "server/service/file/store.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/open_within.h"
#include "common/io.h"
#include "common/process.h"
#include "common/text.h"
#include "server/service/file/name.h"

enum {
	DIRECTORY_TEXT = 128,
	OPEN_DIRECTORIES = 16, /* descriptors of nftw(3) */
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
		return file_refuse(refusal, "not-found", strerror(error));
	case EEXIST:
		return file_refuse(refusal, "exists",
				   "File exists (start the server with -w to "
				   "replace it)");
	case ELOOP:
		return file_refuse(refusal, "forbidden",
				   "symbolic links are not followed");
	case EXDEV: /* only rename(2) reports this here, because no name leads out */
		return file_refuse(refusal, "forbidden",
				   "another file system is mounted there");
	case ENXIO: /* a socket, or a FIFO or device that no other process has open */
	case ENODEV:
		return file_refuse(refusal, "forbidden",
				   "not a regular file or directory");
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
		return file_refuse(refusal, "busy",
				   "another client is uploading this file");
	case ESTALE:
		return file_refuse(refusal, "busy", "the server's directory is missing");
	default:
		return file_refuse(refusal, "internal", strerror(error));
	}
}

/* ---- the beginning ---------------------------------------------------------------------- */

/* nftw(3) passes no context, so this is global. count() lets one thread at a time use
 * it. */
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

/* nftw() with FTW_PHYS follows no symbolic link. The directory itself may be named by
 * one, so it is resolved first. @return 0, or -1 with errno */
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

/* A file that is added during the count is counted twice at worst. @return 0, or -1
 * with errno */
static int count(const struct file_store *store)
{
	static atomic_flag counting = ATOMIC_FLAG_INIT;
	int done;

	if (store->quota == 0 || atomic_flag_test_and_set(&counting))
		return 0;
	atomic_fetch_add(&store->shared->counts, 1);
	atomic_store(&store->shared->used, 0);
	done = count_files(store->root.name);
	atomic_fetch_add(&store->shared->used, counted);
	atomic_flag_clear(&counting);
	return done;
}

int file_store_open_parts(const struct file_store *store)
{
	return open_within(store->root.fd, parts_name, O_RDONLY | O_DIRECTORY, 0);
}

/* dup2() keeps the descriptor number, so no other thread finds it closed. */
static void open_parts(struct file_store *store, int error)
{
	int fd = file_store_open_parts(store);

	if (fd < 0)
		error = error != 0 ? error : errno;
	else if (dup2(fd, store->parts) < 0 || io_set_close_on_exec(store->parts) < 0)
		error = errno;
	else
		error = 0;
	if (fd >= 0)
		close(fd);
	atomic_store(&store->parts_error, error);
}

/* In a read-only directory no upload is possible, but files can be sent. @return
 * whether .filed was created; then the files must be counted */
static bool make_parts(struct file_store *store)
{
	bool made = mkdirat(store->root.fd, parts_name, 0700) == 0;

	open_parts(store, made || errno == EEXIST ? 0 : errno);
	return made;
}

int file_store_open(struct file_store *store, const char *directory,
		    struct failure *failure)
{
	char text[DIRECTORY_TEXT];

	if (root_open(&store->root, directory, failure) < 0)
		return -1;
	store->shared = process_shared_memory(sizeof *store->shared);
	store->parts = fcntl(store->root.fd, F_DUPFD_CLOEXEC,
			     0); /* reserves a descriptor number */
	if (store->shared == NULL || store->parts < 0)
		return failure_set(failure, "cannot start: %s", strerror(errno));
	(void)make_parts(store);
	if (count(store) == 0)
		return 0;
	text_escape(directory, strlen(directory), text, sizeof text);
	return failure_set(failure, "cannot add up the files in '%s': %s", text,
			   strerror(errno));
}

/* ---- a directory that was removed
 * ------------------------------------------------------- */

static bool is_missing(int error)
{
	return error == ENOENT || error == ESTALE;
}

static void renew_parts(struct file_store *store)
{
	if (make_parts(store))
		(void)count(store);
}

void file_store_reopen(struct file_store *store)
{
	root_reopen(&store->root);
	renew_parts(store);
}

bool file_store_renew_parts(struct file_store *store)
{
	if (root_check(&store->root, root_renewals(&store->root)) == ROOT_GONE) {
		errno = ESTALE;
		return false;
	}
	renew_parts(store);
	errno = atomic_load(&store->parts_error);
	return errno == 0;
}

/* Whether a lookup that failed should be repeated. Must be called with its errno.
 * Leaves the errno for the client in errno.
 * @param seen  root_renewals() before the lookup */
static bool try_again(struct file_store *store, unsigned seen)
{
	int saved = errno;
	enum root_state state;

	if (!is_missing(saved))
		return false;
	state = root_check(&store->root, seen);
	errno = state == ROOT_GONE ? ESTALE : saved;
	return state == ROOT_RENEWED;
}

/* ---- directories ------------------------------------------------------------------------ */

/* Counts the directory as not synced from before mkdirat(2) until after fsync(2). If
 * fsync(2) fails or the process is killed, the count stays above 0, and all later
 * uploads sync the directories that they pass. */
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

/* Whether a directory that was found may have been created by another upload and not
 * be on disk yet. Must be called after the directory was found. */
static bool may_be_fresh(const struct file_store *store)
{
	return !store->unsynced && atomic_load(&store->shared->fresh) > 0;
}

/* Opens the directory @p path. Its last component is in the directory open at @p at,
 * and is created there if it is missing. */
static int open_or_make(const struct file_store *store, const char *path, int at)
{
	const char *slash = strrchr(path, '/');
	int fd = open_within(store->root.fd, path, O_RDONLY | O_DIRECTORY, 0), saved;

	if (fd < 0 && errno == ENOENT) {
		if (make_directory(store, at, slash != NULL ? slash + 1 : path) < 0)
			return -1;
		return open_within(store->root.fd, path, O_RDONLY | O_DIRECTORY, 0);
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
	int at = store->root.fd;

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
		return store->root.fd;
	memcpy(path, name, (size_t)(slash - name));
	path[slash - name] = '\0';
	fd = open_within(store->root.fd, path, O_RDONLY | O_DIRECTORY, 0);
	if (!make || (fd < 0 && errno != ENOENT) || (fd >= 0 && !may_be_fresh(store)))
		return fd;
	if (fd >= 0)
		close(fd);
	return make_path(store, path);
}

void file_store_leave(const struct file_store *store, int directory)
{
	if (directory != store->root.fd)
		close(directory);
}

/* ---- files ------------------------------------------------------------------------------ */

static int check_kind(const struct stat *status, struct file_refusal *refusal)
{
	if (S_ISREG(status->st_mode) || S_ISDIR(status->st_mode))
		return 0;
	if (S_ISLNK(status->st_mode))
		return file_refuse_errno(refusal, ELOOP);
	return file_refuse(refusal, "forbidden", "not a regular file or directory");
}

/* @return 0, or -1 with errno */
static int look_once(const struct file_store *store, const char *name,
		     struct stat *status)
{
	const char *last;
	int directory = file_store_enter(store, name, false, &last), result, saved;

	if (directory < 0)
		return -1;
	result = fstatat(directory, last, status, AT_SYMLINK_NOFOLLOW);
	saved = errno;
	file_store_leave(store, directory);
	errno = saved;
	return result;
}

int file_store_look(struct file_store *store, const char *name, struct stat *status,
		    struct file_refusal *refusal)
{
	unsigned seen = root_renewals(&store->root);
	int result = look_once(store, name, status);

	if (result < 0 && try_again(store, seen))
		result = look_once(store, name, status);
	return result < 0 ? file_refuse_errno(refusal, errno)
			  : check_kind(status, refusal);
}

static int open_in_root(struct file_store *store, const char *name, int flags)
{
	unsigned seen = root_renewals(&store->root);
	int fd = open_within(store->root.fd, name, flags, 0);

	if (fd < 0 && try_again(store, seen))
		fd = open_within(store->root.fd, name, flags, 0);
	return fd;
}

int file_store_read(struct file_store *store, const char *name, struct stat *status,
		    struct file_refusal *refusal)
{
	int fd = open_in_root(store, name, O_RDONLY);

	if (fd < 0)
		return file_refuse_errno(refusal, errno);
	if (fstat(fd, status) < 0)
		file_refuse_errno(refusal, errno);
	else if (S_ISDIR(status->st_mode))
		file_refuse(refusal, "forbidden", strerror(EISDIR));
	else if (check_kind(status, refusal) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A removed directory can still be opened as ".", so this case is checked first. */
int file_store_open_directory(struct file_store *store, const char *name)
{
	errno = ENOENT;
	if (name == NULL && !try_again(store, root_renewals(&store->root)) &&
	    errno == ESTALE)
		return -1;
	return open_in_root(store, name != NULL ? name : ".", O_RDONLY | O_DIRECTORY);
}

/* ---- space ------------------------------------------------------------------------------ */

/* A file system that reports 0 blocks does not know its free space. */
static bool disk_has_space(const struct file_store *store, uint64_t bytes)
{
	struct statvfs status;

	if (fstatvfs(store->parts, &status) < 0 || status.f_blocks == 0 ||
	    status.f_frsize == 0)
		return true;
	return bytes / status.f_frsize <= status.f_bavail;
}

int file_store_check_space(const struct file_store *store, uint64_t bytes)
{
	int64_t used = atomic_load(&store->shared->used);

	if (store->quota > 0 &&
	    (used > store->quota || bytes > (uint64_t)(store->quota - used)))
		errno = EDQUOT;
	else if (disk_has_space(store, bytes))
		return 0;
	else
		errno = ENOSPC;
	return -1;
}

unsigned file_store_counts(const struct file_store *store)
{
	return atomic_load(&store->shared->counts);
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

/* A file that another program has added since the start was never counted, so the
 * result may be less than 0: then it is 0. */
void file_store_subtract(const struct file_store *store, uint64_t bytes)
{
	int64_t used = atomic_load(&store->shared->used), less;

	if (store->quota == 0)
		return;
	do
		less = bytes < (uint64_t)used ? used - (int64_t)bytes : 0;
	while (!atomic_compare_exchange_weak(&store->shared->used, &used, less));
}
