/*
 * put - uploads files: PUT, SEND, the bytes, SUM, DONE.
 *
 * The reply SEND contains the offset from which the server wants the file. So after a lost
 * connection the same request resumes the upload. The checksum covers the whole file, so
 * bytes that the server already has are read once more, but not sent.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/xfer/xfer.h"
#include "client/xfer/link.h"
#include "client/xfer/list.h"
#include "client/xfer/path.h"
#include "client/xfer/progress.h"
#include "client/xfer/report.h"
#include "common/checksum.h"
#include "common/clock.h"
#include "common/disk.h"
#include "common/io.h"
#include "common/text.h"

enum { SUM_TEXT = 24 };

/* A file that is uploaded. */
struct job {
	struct xfer *xfer;
	struct xfer_file file;
	int fd;
	struct stat status;  /* at opening time; the file must not change during the
			      * upload */
	struct checksum sum; /* over the first sum.length bytes, which have been read */
	bool summed_up;      /* everything was sent once, so the server may have stored
			      * the file */
};

/* ---- the local file ---------------------------------------------------------------------- */

static enum xfer_outcome changed(struct xfer_link *link, struct failure *failure)
{
	xfer_link_drop(link); /* the server waits for bytes that do not exist */
	failure_set(failure, "the file has changed during the upload");
	return XFER_FAILED;
}

static bool is_unchanged(const struct job *job)
{
	struct timespec then = disk_modified(&job->status), modified;
	struct stat now;

	if (fstat(job->fd, &now) < 0)
		return false;
	modified = disk_modified(&now);
	return now.st_size == job->status.st_size && xfer_same_time(&modified, &then);
}

/* Linux reports size 0 for files of /proc, although they are not empty. */
static bool ends_at_its_size(const struct job *job)
{
	char byte;

	return pread(job->fd, &byte, 1, job->status.st_size) <= 0;
}

/* Reads up to `most` bytes after those in the checksum, and adds them to it. */
static enum xfer_outcome read_piece(struct job *job, struct xfer_link *link, size_t most,
				    size_t *got, struct failure *failure)
{
	ssize_t n;

	do
		n = pread(job->fd, job->xfer->piece, most, (off_t)job->sum.length);
	while (n < 0 && errno == EINTR);
	if (n == 0 && most > 0)
		return changed(link, failure);
	if (n < 0) {
		xfer_link_drop(link);
		failure_set(failure, "cannot read: %s", strerror(errno));
		return XFER_FAILED;
	}
	if (job->xfer->settings->no_sum)
		job->sum.length += (size_t)n;
	else
		checksum_add(&job->sum, job->xfer->piece, (size_t)n);
	*got = (size_t)n;
	return XFER_DONE;
}

/* ---- the bytes --------------------------------------------------------------------------- */

static void show(const struct job *job, uint64_t at)
{
	const struct xfer_file *file = &job->file;
	struct xfer_progress progress = {
		.name = file->name,
		.size = file->size,
		.at = at,
		.resumed = file->resumed,
		.nanoseconds = clock_nanoseconds() - file->began,
	};

	xfer_progress_show(&progress);
}

/* Adds the bytes that the server already has to the checksum. */
static enum xfer_outcome skip(struct job *job, struct xfer_link *link, uint64_t offset,
			      struct failure *failure)
{
	if (job->sum.length > offset)
		job->sum = (struct checksum){ 0 };
	while (job->sum.length < offset) {
		uint64_t left = offset - job->sum.length;
		size_t n;
		enum xfer_outcome outcome = read_piece(
			job, link, left < XFER_PIECE ? (size_t)left : XFER_PIECE, &n,
			failure);

		if (outcome != XFER_DONE)
			return outcome;
	}
	return XFER_DONE;
}

static int sum_line(const struct job *job, char out[SUM_TEXT])
{
	if (job->xfer->settings->no_sum)
		return snprintf(out, SUM_TEXT, "SUM -\n");
	return snprintf(out, SUM_TEXT, "SUM %" PRIu32 "\n", checksum_value(&job->sum));
}

/* The line after the bytes. The server stores the file only after it. */
static enum xfer_outcome send_sum(struct job *job, struct xfer_link *link,
				  struct failure *failure)
{
	char line[SUM_TEXT];
	int length = sum_line(job, line);

	if (!is_unchanged(job))
		return changed(link, failure);
	job->summed_up = true;
	return xfer_link_send(link, line, (size_t)length, failure);
}

/* Sends the last piece together with the line after it, if possible: then a small
 * file is one segment, and one read(2) of the server. */
static enum xfer_outcome send_last_piece(struct job *job, struct xfer_link *link,
					 size_t n, struct failure *failure)
{
	char line[SUM_TEXT];
	int length = sum_line(job, line);

	if (!is_unchanged(job))
		return changed(link, failure);
	job->summed_up = true;
	memcpy(job->xfer->piece + n, line, (size_t)length);
	return xfer_link_send(link, job->xfer->piece, n + (size_t)length, failure);
}

static enum xfer_outcome send_bytes(struct job *job, struct xfer_link *link, uint64_t at,
				    struct failure *failure)
{
	const size_t most = XFER_PIECE - SUM_TEXT;
	enum xfer_outcome outcome = skip(job, link, at, failure);

	while (outcome == XFER_DONE && at < job->file.size) {
		uint64_t left = job->file.size - at;
		size_t n;

		outcome = read_piece(job, link, left < most ? (size_t)left : most, &n,
				     failure);
		if (outcome != XFER_DONE)
			return outcome;
		at += n;
		job->file.moved += n;
		if (at == job->file.size)
			return send_last_piece(job, link, n, failure);
		if (!is_unchanged(job)) /* the rest is not sent */
			return changed(link, failure);
		outcome = xfer_link_send(link, job->xfer->piece, n, failure);
		show(job, at);
	}
	return outcome == XFER_DONE ? send_sum(job, link, failure) : outcome;
}

/* ---- one file ---------------------------------------------------------------------------- */

static enum xfer_outcome take_done(struct job *job, struct xfer_link *link,
				   struct failure *failure)
{
	char *words[XFER_WORDS], sum[SUM_TEXT] = "-";
	uint64_t size;
	enum xfer_outcome outcome = xfer_link_reply(link, "DONE", 3, words, failure);

	if (outcome == XFER_DONE)
		outcome = xfer_link_number(link, words[1], UINT64_MAX, &size, failure);
	if (outcome != XFER_DONE)
		return outcome;
	if (!job->xfer->settings->no_sum)
		snprintf(sum, sizeof sum, "%" PRIu32, checksum_value(&job->sum));
	if (size != job->file.size || strcmp(words[2], sum) != 0)
		return xfer_link_invalid(link, "DONE with a wrong size or checksum",
					 failure);
	job->file.summed = !job->xfer->settings->no_sum;
	job->file.sum = checksum_value(&job->sum);
	return XFER_DONE;
}

/* Compares the checksum of the server's file of this size: GET from its end gets no bytes, but the sum
 * of all. Sets job->file.summed if it is ours. */
static enum xfer_outcome compare_sums(struct job *job, struct xfer_link *link,
				      struct failure *failure)
{
	char size[SUM_TEXT], *words[XFER_WORDS];
	const char *const request[] = { "GET", job->file.name, size, NULL };
	enum xfer_outcome outcome;
	uint64_t sum;

	snprintf(size, sizeof size, "%" PRIu64, job->file.size);
	outcome = xfer_link_request(link, request, failure);
	if (outcome == XFER_DONE)
		outcome = xfer_link_reply(link, "FILE", 3, words, failure);
	if (outcome == XFER_DONE)
		outcome = xfer_link_reply(link, "SUM", 2, words, failure);
	if (outcome == XFER_DONE)
		outcome = xfer_link_number(link, words[1], UINT32_MAX, &sum, failure);
	if (outcome != XFER_DONE)
		return outcome;
	job->file.sum = checksum_value(&job->sum);
	job->file.summed = sum == job->file.sum;
	return XFER_DONE;
}

/* "exists" after everything was sent and before DONE arrived: the existing file may
 * be this one. */
static enum xfer_outcome ask_whether_done(struct job *job, struct xfer_link *link,
					  struct failure *failure)
{
	struct timespec modified = disk_modified(&job->status);
	struct failure refusal = *failure;
	struct xfer_entry entry;
	enum xfer_outcome outcome = xfer_entry_ask(link, job->file.name, &entry, failure);

	if (outcome != XFER_DONE)
		return outcome;
	if (!entry.is_folder && entry.size == job->file.size &&
	    xfer_same_time(&entry.time, &modified)) {
		if (job->xfer->settings->no_sum)
			return XFER_DONE;
		outcome = compare_sums(job, link, failure);
		if (outcome != XFER_DONE || job->file.summed)
			return outcome;
	}
	*failure = refusal;
	return XFER_REFUSED;
}

static enum xfer_outcome attempt_put(struct xfer_link *link, void *context,
				     struct failure *failure)
{
	struct job *job = context;
	char size[SUM_TEXT], time[TEXT_TIMESTAMP], *words[XFER_WORDS];
	const char *const request[] = {
		"PUT",
		job->file.name,
		size,
		time,
		job->xfer->settings->no_sum ? "nosum" : NULL,
		NULL,
	};
	enum xfer_outcome outcome;
	uint64_t offset;

	snprintf(size, sizeof size, "%" PRIu64, job->file.size);
	text_timestamp(disk_modified(&job->status), time);
	outcome = xfer_link_request(link, request, failure);
	if (outcome == XFER_DONE)
		outcome = xfer_link_reply(link, "SEND", 2, words, failure);
	if (outcome == XFER_REFUSED && job->summed_up &&
	    strcmp(link->code, "exists") == 0)
		return ask_whether_done(job, link, failure);
	if (outcome == XFER_DONE)
		outcome = xfer_link_number(link, words[1], job->file.size, &offset,
					   failure);
	if (outcome != XFER_DONE)
		return outcome;
	if (offset > 0 && job->xfer->settings->no_sum)
		return xfer_link_invalid(link, "it resumes an upload without a checksum",
					 failure);
	xfer_link_reached(link, offset);
	if (job->file.moved == 0)
		job->file.resumed = offset;
	outcome = send_bytes(job, link, offset, failure);
	return outcome == XFER_DONE ? take_done(job, link, failure) : outcome;
}

/* Uploads the open file. */
static void put_open(struct xfer *xfer, int fd, const struct stat *status,
		     const char *path, const char *name)
{
	struct job job = {
		.xfer = xfer,
		.file = { .name = name,
			  .local = path,
			  .size = (uint64_t)status->st_size,
			  .began = clock_nanoseconds() },
		.fd = fd,
		.status = *status,
	};
	struct failure failure;
	char shown[XFER_SHOWN];
	enum xfer_outcome outcome;

	if (name_flaw(name) != NULL) {
		failure_set(&failure, "invalid name on the server: %s", name_flaw(name));
		xfer_report_failed(xfer, &job.file, false, &failure);
		return;
	}
	if (!ends_at_its_size(&job)) {
		failure_set(&failure,
			    "the file has more than its size of %" PRIu64
			    " bytes (upload it through a pipe)",
			    job.file.size);
		xfer_report_failed(xfer, &job.file, false, &failure);
		return;
	}
	show(&job, 0);
	outcome = xfer_link_try(xfer->link, xfer_show(path, shown), attempt_put, &job,
				&failure);
	if (outcome == XFER_DONE)
		xfer_report_done(xfer, &job.file);
	else
		xfer_report_failed(xfer, &job.file, outcome == XFER_LOST, &failure);
}

/* ---- standard input ---------------------------------------------------------------------- */

/* The protocol needs the size first. So input that is not a regular file is copied
 * to a temporary file without a name. */
static int open_spool(struct failure *failure)
{
	const char *folder = getenv("TMPDIR");
	char path[PATH_MAX];
	int fd;

	if (folder == NULL || *folder == '\0')
		folder = "/tmp";
	if (snprintf(path, sizeof path, "%s/xfer.XXXXXX", folder) >= (int)sizeof path)
		return failure_set(failure, "TMPDIR is too long");
	fd = mkstemp(path);
	if (fd < 0)
		return failure_set(failure, "cannot create a temporary file in %s: %s",
				   folder, strerror(errno));
	unlink(path);
	io_set_close_on_exec(fd);
	return fd;
}

/* @return 0, or -1 with *failure */
static int spool(struct xfer *xfer, int fd, struct failure *failure)
{
	for (;;) {
		ssize_t n = io_read(STDIN_FILENO, xfer->piece, XFER_PIECE);

		if (n < 0)
			return failure_set(failure, "cannot read: %s", strerror(errno));
		if (n == 0)
			return 0;
		if (io_write(fd, xfer->piece, (size_t)n) != n)
			return failure_set(failure, "cannot write a temporary file: %s",
					   strerror(errno));
	}
}

/* @return a descriptor of a regular file, or -1 with *failure */
static int open_input(struct xfer *xfer, struct failure *failure)
{
	struct stat status;
	int fd;

	if (fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode) &&
	    lseek(STDIN_FILENO, 0, SEEK_CUR) == 0) {
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (fd < 0)
			failure_set(failure, "cannot read: %s", strerror(errno));
		return fd;
	}
	fd = open_spool(failure);
	if (fd >= 0 && spool(xfer, fd, failure) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static enum xfer_outcome attempt_look(struct xfer_link *link, void *context,
				      struct failure *failure)
{
	struct xfer_entry entry;
	enum xfer_outcome outcome = xfer_entry_ask(link, context, &entry, failure);

	if (outcome == XFER_REFUSED && strcmp(link->code, "not-found") == 0)
		return XFER_DONE;
	if (outcome == XFER_DONE && entry.is_folder) {
		failure_set(failure, "is a directory on the server");
		return XFER_FAILED;
	}
	return outcome;
}

/* Standard input may be copied before the request. So it is checked first whether it
 * can be read and whether the server accepts the name. */
static enum xfer_outcome check_before_input(struct xfer *xfer, const char *name,
					    struct failure *failure)
{
	char asked[XFER_NAME], shown[XFER_SHOWN];

	if (name_flaw(name) != NULL) {
		failure_set(failure, "invalid name on the server: %s", name_flaw(name));
		return XFER_FAILED;
	}
	snprintf(asked, sizeof asked, "%s", name);
	return xfer_link_try(xfer->link, xfer_show(name, shown), attempt_look, asked,
			     failure);
}

static void put_input(struct xfer *xfer, const char *name)
{
	struct xfer_file file = { .name = name, .local = "-" };
	struct failure failure;
	struct stat status;
	enum xfer_outcome outcome = check_before_input(xfer, name, &failure);
	int fd = outcome == XFER_DONE ? open_input(xfer, &failure) : -1;

	if (fd < 0) {
		xfer_report_failed(xfer, &file, outcome == XFER_LOST, &failure);
		return;
	}
	if (fstat(fd, &status) == 0) {
		put_open(xfer, fd, &status, "-", name);
	} else {
		failure_set(&failure, "cannot read: %s", strerror(errno));
		xfer_report_failed(xfer, &file, false, &failure);
	}
	close(fd);
}

/* ---- folders ----------------------------------------------------------------------------- */

/* State of the directory walk: each call opens what the last one has found. */
struct place {
	int folder;       /* AT_FDCWD, or an open directory */
	const char *name; /* its name in that directory */
	const char *path; /* its path in messages */
	const char *remote;
	bool found; /* found by the walk: symbolic links are not followed */
	unsigned depth;
};

static void walk(struct xfer *xfer, const struct place *place);

static void fail(struct xfer *xfer, const struct place *place, const char *reason)
{
	struct xfer_file file = { .name = place->remote, .local = place->path };
	struct failure failure;

	failure_set(&failure, "%s", reason);
	xfer_report_failed(xfer, &file, false, &failure);
}

static void skip_place(struct xfer *xfer, const struct place *place, const char *reason)
{
	struct xfer_file file = { .name = place->remote, .local = place->path };

	xfer_report_skipped(xfer, &file, reason);
}

static int compare_names(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

struct names {
	char **list;
	size_t count;
};

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

static bool add_name(struct names *names, size_t *capacity, const char *name)
{
	if (names->count == *capacity) {
		size_t more = *capacity > 0 ? 2 * *capacity : 64;
		char **list = realloc(names->list, more * sizeof *list);

		if (list == NULL)
			return false;
		names->list = list;
		*capacity = more;
	}
	names->list[names->count] = strdup(name);
	return names->list[names->count] != NULL && ++names->count > 0;
}

/* Reads and sorts the names of a folder, and closes it. @return whether it succeeded */
static bool read_names(int fd, struct names *names)
{
	DIR *stream = fdopendir(fd);
	const struct dirent *entry;
	size_t capacity = 0;
	int error;

	if (stream == NULL) {
		close(fd);
		return false;
	}
	errno = 0;
	while ((entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !add_name(names, &capacity, entry->d_name))
			break;
		errno = 0;
	}
	error = errno;
	closedir(stream);
	errno = error;
	if (names->count > 0)
		qsort(names->list, names->count, sizeof *names->list, compare_names);
	return error == 0;
}

static void walk_entry(struct xfer *xfer, const struct place *above, int fd,
		       const char *name)
{
	char path[XFER_NAME], remote[XFER_NAME];
	struct place place = {
		.folder = fd, .name = name, .found = true, .depth = above->depth + 1
	};

	if (!xfer_join(path, above->path, name) ||
	    !xfer_join(remote, above->remote, name)) {
		fail(xfer, above, "a name in this directory is too long");
		return;
	}
	place.path = path;
	place.remote = remote;
	if (*name == '.')
		skip_place(xfer, &place, "hidden");
	else
		walk(xfer, &place);
}

static void walk_folder(struct xfer *xfer, const struct place *place, int fd)
{
	struct names names = { NULL, 0 };
	size_t i = 0;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0 || !read_names(copy, &names))
		fail(xfer, place, strerror(errno));
	else if (names.count == 0)
		skip_place(xfer, place, "empty directory");
	for (; i < names.count && !xfer->lost; i++)
		walk_entry(xfer, place, fd, names.list[i]);
	if (i < names.count)
		xfer_report_rest(place->path);
	free_names(&names);
}

/* O_NONBLOCK: open(2) of a FIFO must not block. O_NOFOLLOW: a symbolic link found by
 * the walk is not followed. */
static void walk(struct xfer *xfer, const struct place *place)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = openat(place->folder, place->name,
			place->found ? flags | O_NOFOLLOW : flags);
	struct stat status;

	if (fd < 0 && place->found && (errno == ELOOP || errno == EMLINK))
		skip_place(xfer, place, "symbolic link");
	else if (fd < 0 && place->found && errno == ENXIO)
		skip_place(xfer, place, "not a regular file or directory"); /* a socket */
	else if (fd < 0 || fstat(fd, &status) < 0)
		fail(xfer, place, strerror(errno));
	else if (S_ISREG(status.st_mode))
		put_open(xfer, fd, &status, place->path, place->remote);
	else if (S_ISDIR(status.st_mode) && place->depth == XFER_DEPTH)
		fail(xfer, place, "more than 100 nested directories");
	else if (S_ISDIR(status.st_mode) && xfer->settings->recursive)
		walk_folder(xfer, place, fd);
	else if (S_ISDIR(status.st_mode))
		fail(xfer, place, "is a directory (use -r)");
	else if (place->found)
		skip_place(xfer, place, "not a regular file or directory");
	else
		fail(xfer, place, "not a regular file or directory");
	if (fd >= 0)
		close(fd);
}

void xfer_put(struct xfer *xfer, const char *path)
{
	const struct xfer_settings *settings = xfer->settings;
	char name[XFER_NAME], last[XFER_NAME];
	struct place place = {
		.folder = AT_FDCWD, .name = path, .path = path, .remote = name
	};

	if (!xfer_join(name, settings->directory,
		       settings->name != NULL ? settings->name
					      : xfer_last_part(path, last))) {
		place.remote = NULL;
		fail(xfer, &place, "the name is too long");
		return;
	}
	if (strcmp(path, "-") == 0)
		put_input(xfer, name);
	else
		walk(xfer, &place);
}
