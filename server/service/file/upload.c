/*
 * upload - from the first byte of an upload to a file with its name.
 *
 *	begin -> open .filed/pNAME, flock() -> write ... write -> set time -> fdatasync
 *	      -> rename to NAME -> fsync the directory -> reply DONE
 *
 * Each step is on disk before the next one says so. A reader sees the old file or the
 * complete new one. A process that is killed leaves a part without a lock, and the next
 * upload of this name continues or replaces it. The cost is mainly the two syncs of each
 * file (none with -S).
 *
 * A lock and a name in .filed can come apart: another process may rename or remove the
 * part between open(2) and flock(2). So the name is checked again after locking, and
 * before each removal.
 */
#define _DEFAULT_SOURCE /* flock */

#include "server/service/file/upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/disk.h"
#include "common/io.h"
#include "common/rename.h"
#include "common/text.h"
#include "server/service/file/name.h"

enum {
	STATE_TEXT = 64,
	LOCK_TRIES = 10,
	EXPIRE_EVERY = 60,      /* seconds */
	EXPIRE_MOST = 10000,    /* parts checked in one step: about 20 milliseconds */
	TIMES_FROM = 315619200, /* from 2 January 1980 on, with time zones, every ... */
	TIMES_TO = INT32_MAX,   /* ... file system can store a time; until 2038 */
};

/* ---- the part and its lock -------------------------------------------------------------- */

/* Whether the file at @p fd still has that name: another process that held the lock
 * may have renamed or removed it between our open(2) and our flock(2). */
static bool is_in_place(const struct file_store *store, int fd, const char *part,
			struct stat *ours)
{
	struct stat there;

	return fstat(fd, ours) == 0 &&
	       fstatat(store->parts, part, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours->st_dev == there.st_dev && ours->st_ino == there.st_ino;
}

enum part_found { PART_OURS, PART_GONE, PART_FAILED };

/* Locks the part that is open at @p fd. A part with a second name is already a file,
 * and must not be written to: a process was killed between the two steps of
 * link_and_unlink() in rename.c, or somebody made a hard link. Then the name in .filed
 * is removed while the part is locked. */
static enum part_found lock_part(const struct file_store *store, int fd, const char *part,
				 struct stat *status)
{
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return PART_FAILED;
	if (!is_in_place(store, fd, part, status))
		return PART_GONE;
	if (status->st_nlink <= 1)
		return PART_OURS;
	return unlinkat(store->parts, part, 0) == 0 ? PART_GONE : PART_FAILED;
}

/* @return the descriptor, with *status, or -1 with errno: EWOULDBLOCK if another
 *         upload has the lock */
static int open_locked(const struct file_store *store, const char *part, int flags,
		       struct stat *status)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		int fd = openat(store->parts, part,
				flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
		enum part_found found;
		int saved;

		if (fd < 0)
			return -1;
		found = lock_part(store, fd, part, status);
		if (found == PART_OURS)
			return fd;
		saved = errno;
		close(fd);
		if (found == PART_FAILED) {
			errno = saved;
			return -1;
		}
	}
	errno = EWOULDBLOCK;
	return -1;
}

static void forget(struct file_upload *upload)
{
	close(upload->fd);
	free(upload->name);
	*upload = (struct file_upload){ .fd = -1 };
}

static void remove_state(const struct file_store *store, const struct file_upload *upload)
{
	char state[FILE_PART_NAME];

	(void)unlinkat(store->parts, file_name_of_part(upload->name, FILE_STATE, state),
		       0);
}

/* Whether the part still has its name. It has not if .filed was removed and created
 * again during this upload; then the name may belong to another upload. */
static bool has_its_part(const struct file_store *store, const struct file_upload *upload)
{
	char part[FILE_PART_NAME];
	struct stat status;

	return is_in_place(store, upload->fd,
			   file_name_of_part(upload->name, FILE_PART, part), &status);
}

/* If the files were added up again, because .filed was removed, the bytes that had come before count
 * no more: the part had lost its name. */
static void note_counts(const struct file_store *store, struct file_upload *upload)
{
	unsigned counts = file_store_counts(store);

	if (upload->counts != counts)
		upload->counted = 0;
	upload->counts = counts;
}

/* Removes the part and its state while the part is locked, so that the next upload of
 * this name finds neither. */
static void discard(const struct file_store *store, struct file_upload *upload)
{
	char part[FILE_PART_NAME];

	if (!has_its_part(store, upload)) {
		note_counts(store, upload);
		file_store_subtract(store, upload->counted);
		forget(upload);
		return;
	}
	if (upload->has_state)
		remove_state(store, upload);
	if (unlinkat(store->parts, file_name_of_part(upload->name, FILE_PART, part), 0) ==
	    0)
		file_store_subtract(store, upload->here);
	forget(upload);
}

/* ---- the state -------------------------------------------------------------------------- */

static void state_text(const struct file_upload *upload, char out[STATE_TEXT])
{
	char time[TEXT_TIMESTAMP];

	snprintf(out, STATE_TEXT, "%" PRIu64 " %s", upload->size,
		 text_timestamp(upload->modified, time));
}

/* Whether the part that was found belongs to this upload. */
static bool state_matches(const struct file_store *store, struct file_upload *upload)
{
	char state[FILE_PART_NAME], wanted[STATE_TEXT], found[STATE_TEXT];
	ssize_t n = readlinkat(store->parts,
			       file_name_of_part(upload->name, FILE_STATE, state), found,
			       sizeof found);

	upload->has_state = n >= 0;
	state_text(upload, wanted);
	return n >= 0 && (size_t)n == strlen(wanted) &&
	       memcmp(found, wanted, (size_t)n) == 0;
}

void file_upload_keep(const struct file_store *store, struct file_upload *upload)
{
	char state[FILE_PART_NAME], text[STATE_TEXT];

	if (upload->name == NULL || upload->has_state || upload->here == 0)
		return;
	state_text(upload, text);
	upload->has_state =
		symlinkat(text, store->parts,
			  file_name_of_part(upload->name, FILE_STATE, state)) == 0;
}

void file_upload_cut_off(const struct file_store *store, struct file_upload *upload)
{
	if (upload->name == NULL)
		return;
	if (upload->here == 0 || !has_its_part(store, upload)) {
		discard(store, upload);
		return;
	}
	file_upload_keep(store, upload);
	forget(upload);
}

/* ---- the time --------------------------------------------------------------------------- */

/* Whether the file system has stored a time. It may round to 2 seconds. */
static bool is_kept(time_t kept, time_t wanted)
{
	uint64_t apart = kept > wanted ? (uint64_t)kept - (uint64_t)wanted
				       : (uint64_t)wanted - (uint64_t)kept;

	return apart < 2;
}

/* Sets the time of the part. A file system silently replaces a time that it cannot
 * store by the nearest one it can (utimensat(2)). So the time is read back. */
static int set_time(const struct file_upload *upload, struct file_refusal *refusal)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, upload->modified };
	struct stat status;

	if (futimens(upload->fd, times) < 0 || fstat(upload->fd, &status) < 0)
		return file_refuse_errno(refusal, errno);
	if (is_kept(disk_modified(&status).tv_sec, upload->modified.tv_sec))
		return 0;
	return file_refuse(refusal, "forbidden",
			   "the server's file system cannot store this time");
}

/* Checks that the part can have its time, if that is not certain. This is done before
 * the content arrives. */
static int try_time(const struct file_upload *upload, struct file_refusal *refusal)
{
	if (upload->modified.tv_sec >= TIMES_FROM && upload->modified.tv_sec < TIMES_TO)
		return 0;
	return set_time(upload, refusal);
}

/* ---- the beginning ---------------------------------------------------------------------- */

/* Checks whether the upload may get this name, as things are now. The client should
 * know before it sends the content. */
static int check_target(const struct file_store *store, const char *name,
			struct file_refusal *refusal)
{
	struct stat status;
	const char *last;
	int directory = file_store_enter(store, name, false, &last), error = 0;

	if (directory < 0 && errno == ENOENT)
		return 0;
	if (directory < 0 && errno == ENOTDIR)
		return file_refuse(refusal, "forbidden", strerror(ENOTDIR));
	if (directory < 0)
		return file_refuse_errno(refusal, errno);
	if (fstatat(directory, last, &status, AT_SYMLINK_NOFOLLOW) < 0)
		error = errno;
	file_store_leave(store, directory);
	if (error == ENOENT)
		return 0;
	if (error != 0)
		return file_refuse_errno(refusal, error);
	if (S_ISLNK(status.st_mode))
		return file_refuse_errno(refusal, ELOOP);
	if (!store->replaces)
		return file_refuse_errno(refusal, EEXIST);
	if (!S_ISREG(status.st_mode))
		return file_refuse(refusal, "forbidden", "not a regular file");
	return 0;
}

/* Decides what to do with the content of the part that was found. Content of another
 * upload is discarded. So is content of this upload if no checksum follows, because
 * another client may have a file of the same name, size and time. */
static int take_part(const struct file_store *store, struct file_upload *upload,
		     off_t here, struct file_refusal *refusal)
{
	bool same = state_matches(store, upload);

	upload->here = (uint64_t)here;
	if (same && upload->here <= upload->size && (here == 0 || !upload->without_sum) &&
	    (here == 0 || lseek(upload->fd, here, SEEK_SET) == here)) {
		upload->resumed = here > 0;
		upload->counted = upload->here;
		return 0;
	}
	if (upload->here > 0 && ftruncate(upload->fd, 0) < 0)
		return file_refuse_errno(refusal, errno);
	file_store_subtract(store, upload->here);
	upload->here = 0;
	if (upload->has_state && !same)
		remove_state(store, upload);
	upload->has_state = upload->has_state && same;
	return 0;
}

/* Opens the part of that name and locks it, or creates it. If that fails, .filed or
 * the whole directory may have been removed: they are opened again. @return the
 * descriptor, or -1 with errno */
static int open_part(struct file_store *store, const char *name, struct stat *status)
{
	char part[FILE_PART_NAME];
	int fd;

	file_name_of_part(name, FILE_PART, part);
	fd = open_locked(store, part, O_RDWR | O_CREAT, status);
	if (fd >= 0 || (errno != ENOENT && errno != ESTALE) ||
	    !file_store_renew_parts(store))
		return fd;
	return open_locked(store, part, O_RDWR | O_CREAT, status);
}

int file_upload_begin(struct file_store *store, struct file_upload *upload,
		      const char *name, uint64_t size, struct timespec modified,
		      bool without_sum, struct file_refusal *refusal)
{
	struct stat status;

	if (size > store->most)
		return file_refuse_errno(refusal, EFBIG);
	if (atomic_load(&store->parts_error) != 0 && !file_store_renew_parts(store))
		return file_refuse_errno(refusal, errno);
	file_upload_expire(store);
	if (check_target(store, name, refusal) < 0)
		return -1;
	*upload = (struct file_upload){
		.size = size,
		.modified = modified,
		.without_sum = without_sum,
	};
	upload->fd = open_part(store, name, &status);
	if (upload->fd < 0)
		return file_refuse_errno(refusal, errno);
	upload->name = strdup(name);
	if (upload->name == NULL) {
		forget(upload);
		return file_refuse_errno(refusal, ENOMEM);
	}
	upload->counts = file_store_counts(store);
	if (take_part(store, upload, status.st_size, refusal) < 0 ||
	    try_time(upload, refusal) < 0) {
		discard(store, upload);
		return -1;
	}
	if (file_store_check_space(store, size - upload->here) < 0) {
		file_refuse_errno(refusal, errno);
		discard(store, upload);
		return -1;
	}
	return 0;
}

int file_upload_check(const struct file_store *store, struct file_upload *upload,
		      size_t most, struct file_refusal *refusal)
{
	ssize_t n = 0;

	if (upload->without_sum)
		return 0;
	if (upload->sum.length < upload->here)
		n = checksum_add_file(&upload->sum, upload->fd, most);
	if (upload->sum.length < upload->here && n > 0)
		return 1;
	if (upload->sum.length == upload->here)
		return 0;
	file_refuse_errno(refusal, n < 0 ? errno : EIO);
	discard(store, upload);
	return -1;
}

/* ---- the bytes -------------------------------------------------------------------------- */

int file_upload_write(const struct file_store *store, struct file_upload *upload,
		      const char *bytes, size_t n, struct file_refusal *refusal)
{
	ssize_t written;

	note_counts(store, upload);
	if (!file_store_add(store, n)) {
		discard(store, upload);
		return file_refuse_errno(refusal, EDQUOT);
	}
	upload->here += n;
	upload->counted += n;
	written = io_write(upload->fd, bytes, n);
	if (written != (ssize_t)n) {
		file_refuse_errno(refusal, errno);
		discard(store, upload);
		return -1;
	}
	if (!upload->without_sum)
		checksum_add(&upload->sum, bytes, n);
	return 0;
}

/* ---- the end ---------------------------------------------------------------------------- */

/* The size of the file that will be replaced: it no longer counts. */
static uint64_t size_of_old(const struct file_store *store, int directory,
			    const char *last)
{
	struct stat status;

	if (store->quota == 0 || !store->replaces ||
	    fstatat(directory, last, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(status.st_mode))
		return 0;
	return (uint64_t)status.st_size;
}

/* Refuses with the error of a system call, or because the part was removed. */
static int refuse_end(const struct file_store *store, const struct file_upload *upload,
		      int error, struct file_refusal *refusal)
{
	if (has_its_part(store, upload))
		return file_refuse_errno(refusal, error);
	return file_refuse(refusal, "busy",
			   "the partial upload was removed: send the file again");
}

/* Renames the part to the name of the file. The part's own name may belong to another
 * upload by now: see has_its_part(). @return 0, or -1 with *refusal */
static int rename_part(const struct file_store *store, const struct file_upload *upload,
		       int directory, const char *last, struct file_refusal *refusal)
{
	char part[FILE_PART_NAME];
	uint64_t old = size_of_old(store, directory, last);
	int done;

	if (!has_its_part(store, upload))
		return refuse_end(store, upload, 0, refusal);
	file_name_of_part(upload->name, FILE_PART, part);
	done = store->replaces ? renameat(store->parts, part, directory, last)
			       : rename_new(store->parts, part, directory, last);
	if (done < 0)
		return refuse_end(store, upload, errno, refusal);
	file_store_subtract(store, old);
	return 0;
}

/* Syncs the content, then renames, then syncs the directory, so that each step is on
 * disk before the next one depends on it.
 * @param renamed  receives whether the part has become the file, also on failure */
static int put_in_place(const struct file_store *store, struct file_upload *upload,
			bool *renamed, struct file_refusal *refusal)
{
	const char *last;
	int directory, result;

	if (set_time(upload, refusal) < 0)
		return -1;
	if (!store->unsynced && disk_sync(upload->fd) < 0)
		return file_refuse_errno(refusal, errno);
	directory = file_store_enter(store, upload->name, true, &last);
	if (directory < 0)
		return refuse_end(store, upload, errno, refusal);
	result = rename_part(store, upload, directory, last, refusal);
	*renamed = result == 0;
	if (*renamed && !store->unsynced && fsync(directory) < 0)
		result = file_refuse(refusal, "internal",
				     "stored, but perhaps not on disk");
	file_store_leave(store, directory);
	return result;
}

int file_upload_finish(const struct file_store *store, struct file_upload *upload,
		       const uint32_t *crc, struct file_refusal *refusal)
{
	bool renamed = false;
	int result;

	if (crc != NULL && *crc != checksum_value(&upload->sum)) {
		discard(store, upload);
		return file_refuse(refusal, "checksum", "checksum mismatch");
	}
	result = put_in_place(store, upload, &renamed, refusal);
	if (!renamed) {
		discard(store, upload);
		return -1;
	}
	/* a part with this name now belongs to another upload */
	if (upload->has_state)
		remove_state(store, upload);
	forget(upload);
	return result;
}

/* ---- old parts -------------------------------------------------------------------------- */

/* A state is removed with its part. A state without a part is left after a power
 * failure. */
static void remove_lone_state(const struct file_store *store, const char *state)
{
	char part[FILE_PART_NAME];
	struct stat status;

	snprintf(part, sizeof part, "%c%s", FILE_PART, state + 1);
	if (fstatat(store->parts, part, &status, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT)
		(void)unlinkat(store->parts, state, 0);
}

/* Removes a part or a state by its name in .filed, unless it is in use. */
static void expire_part(const struct file_store *store, const char *part)
{
	char state[FILE_PART_NAME];
	struct stat status;
	int fd;

	if (*part == FILE_STATE)
		remove_lone_state(store, part);
	if (*part != FILE_PART)
		return;
	fd = open_locked(store, part, O_RDONLY, &status);
	if (fd < 0)
		return;
	snprintf(state, sizeof state, "%c%s", FILE_STATE, part + 1);
	(void)unlinkat(store->parts, state, 0);
	if (unlinkat(store->parts, part, 0) == 0)
		file_store_subtract(store, (uint64_t)status.st_size);
	close(fd);
}

/* Uses the time of the last status change: a complete upload has the modification time
 * of the client just before it gets its name. */
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
			expire_part(store, next->d_name);
}

/* The first process that finds the time has come does the work. The others continue. */
void file_upload_expire(const struct file_store *store)
{
	time_t now = time(NULL);
	int64_t due = atomic_load(&store->shared->expire_at);
	DIR *stream;
	int fd;

	if (store->part_life == 0 || atomic_load(&store->parts_error) != 0 || now < due ||
	    !atomic_compare_exchange_strong(&store->shared->expire_at, &due,
					    now + EXPIRE_EVERY))
		return;
	fd = file_store_open_parts(store);
	stream = fd >= 0 ? fdopendir(fd) : NULL;
	if (stream != NULL) {
		expire_parts(store, stream, now);
		closedir(stream);
	} else if (fd >= 0) {
		close(fd);
	}
}
