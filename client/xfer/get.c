/*
 * get - downloads files: STAT, GET, FILE, the bytes, SUM.
 *
 * The incomplete local file (client/xfer/part.h) shows how much has arrived; GET asks for
 * the rest. So after a lost connection, or a new start of the program, the transfer
 * continues where it stopped, unless the file on the server has changed. The checksum
 * covers the whole file, so the local bytes are read again once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/xfer/xfer.h"
#include "client/xfer/link.h"
#include "client/xfer/list.h"
#include "client/xfer/part.h"
#include "client/xfer/path.h"
#include "client/xfer/progress.h"
#include "client/xfer/report.h"
#include "common/checksum.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/text.h"

enum { NUMBER_TEXT = 24 };

/* A file that is downloaded. */
struct job {
	struct xfer *xfer;
	struct xfer_file file;
	struct xfer_part_plan plan;
	struct xfer_part part; /* part.at also counts bytes written to standard output */
	struct checksum sum;   /* over the first sum.length bytes */
	bool to_output;
	bool known;     /* plan.size and .time are from the server */
	bool is_folder; /* it is a folder: nothing else was done */
};

/* ---- where the bytes go ------------------------------------------------------------------ */

static bool is_begun(const struct job *job)
{
	return job->part.fd >= 0;
}

/* Standard output may be read-only, or a file on a full disk. */
static int check_output(uint64_t size, struct failure *failure)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	struct stat status;

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return failure_set(failure, "cannot write to standard output: %s",
				   strerror(EBADF));
	if (fstat(STDOUT_FILENO, &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	return xfer_part_check_space(STDOUT_FILENO, 0, size, failure);
}

static int open_target(struct job *job, struct failure *failure)
{
	if (!job->to_output)
		return xfer_part_open(&job->part, &job->plan, failure);
	if (check_output(job->plan.size, failure) < 0)
		return -1;
	job->part = (struct xfer_part){ .fd = STDOUT_FILENO, .folder = -1 };
	return 0;
}

static void give_up(struct job *job)
{
	if (is_begun(job) && !job->to_output)
		xfer_part_leave(&job->part);
	job->part.fd = -1;
}

/* The file on the server is not the one that was started. */
static enum xfer_outcome start_again(struct job *job, struct failure *failure)
{
	if (is_begun(job) && job->to_output && job->part.at > 0) {
		failure_set(failure, "the file has changed on the server after a part "
				     "of it was written");
		return XFER_FAILED;
	}
	give_up(job);
	job->sum = (struct checksum){ 0 };
	return XFER_DONE;
}

static enum xfer_outcome local_failure(struct xfer_link *link)
{
	xfer_link_drop(link); /* the server sends more bytes than are wanted */
	return XFER_FAILED;
}

/* Adds the bytes of an earlier run to the checksum. */
static enum xfer_outcome sum_what_is_there(struct job *job, struct failure *failure)
{
	while (!job->xfer->settings->no_sum && job->sum.length < job->part.at) {
		uint64_t left = job->part.at - job->sum.length;
		ssize_t n = pread(job->part.fd, job->xfer->piece,
				  left < XFER_PIECE ? (size_t)left : XFER_PIECE,
				  (off_t)job->sum.length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			failure_set(failure, "cannot read the partial file: %s",
				    n < 0 ? strerror(errno) : "it has become shorter");
			return XFER_FAILED;
		}
		checksum_add(&job->sum, job->xfer->piece, (size_t)n);
	}
	return XFER_DONE;
}

/* ---- one attempt ------------------------------------------------------------------------- */

static enum xfer_outcome ask_what_it_is(struct job *job, struct xfer_link *link,
					struct failure *failure)
{
	struct xfer_entry entry;
	enum xfer_outcome outcome = xfer_entry_ask(link, job->file.name, &entry, failure);

	if (outcome != XFER_DONE)
		return outcome;
	job->is_folder = entry.is_folder;
	if (job->is_folder)
		return XFER_DONE;
	if (is_begun(job) && (entry.size != job->plan.size ||
			      !xfer_same_time(&entry.time, &job->plan.time)))
		outcome = start_again(job, failure);
	job->plan.size = entry.size;
	job->plan.time = entry.time;
	job->known = true;
	return outcome;
}

/* The reply to GET must match the known file; otherwise start again with STAT. */
static enum xfer_outcome take_file(struct job *job, struct xfer_link *link,
				   struct failure *failure)
{
	char *words[XFER_WORDS];
	struct timespec time;
	uint64_t size;
	enum xfer_outcome outcome = xfer_link_reply(link, "FILE", 3, words, failure);

	job->known = false;
	if (outcome == XFER_DONE)
		outcome = xfer_link_number(link, words[1], INT64_MAX, &size, failure);
	if (outcome == XFER_DONE)
		outcome = xfer_link_time(link, words[2], &time, failure);
	if (outcome != XFER_DONE)
		return outcome;
	if (size != job->plan.size || !xfer_same_time(&time, &job->plan.time)) {
		xfer_link_drop(link);
		failure_set(failure, "the file is changing on the server");
		return XFER_CUT;
	}
	job->file.size = size;
	return XFER_DONE;
}

static void show(const struct job *job)
{
	const struct xfer_file *file = &job->file;
	struct xfer_progress progress = {
		.name = file->name,
		.size = file->size,
		.at = job->part.at,
		.resumed = file->resumed,
		.nanoseconds = clock_nanoseconds() - file->began,
	};

	xfer_progress_show(&progress);
}

static enum xfer_outcome take_bytes(struct job *job, struct xfer_link *link,
				    struct failure *failure)
{
	char *piece = job->xfer->piece;
	bool summed = !job->xfer->settings->no_sum;

	while (job->part.at < job->plan.size) {
		uint64_t left = job->plan.size - job->part.at;
		size_t n;
		enum xfer_outcome outcome = xfer_link_receive(
			link, piece, left < XFER_PIECE ? (size_t)left : XFER_PIECE, &n,
			failure);

		if (outcome != XFER_DONE)
			return outcome;
		if (xfer_part_write(&job->part, piece, n, failure) < 0)
			return local_failure(link);
		if (summed)
			checksum_add(&job->sum, piece, n);
		job->file.moved += n;
		xfer_link_reached(link, job->part.at);
		show(job);
	}
	return XFER_DONE;
}

/* Whether the checksum of the server equals ours. */
static enum xfer_outcome take_sum(struct job *job, struct xfer_link *link,
				  struct failure *failure)
{
	char *words[XFER_WORDS];
	uint64_t sum;
	enum xfer_outcome outcome = xfer_link_reply(link, "SUM", 2, words, failure);

	if (outcome != XFER_DONE || job->xfer->settings->no_sum)
		return outcome;
	outcome = xfer_link_number(link, words[1], UINT32_MAX, &sum, failure);
	if (outcome != XFER_DONE)
		return outcome;
	job->file.sum = checksum_value(&job->sum);
	job->file.summed = sum == job->file.sum;
	if (job->file.summed)
		return XFER_DONE;
	failure_set(failure,
		    "wrong checksum: %" PRIu32 " here, %" PRIu64 " on the server",
		    job->file.sum, sum);
	if (!job->to_output)
		xfer_part_discard(&job->part);
	return XFER_FAILED;
}

static enum xfer_outcome finish(struct job *job, struct failure *failure)
{
	int done = 0;

	if (!job->to_output)
		done = xfer_part_finish(&job->part, &job->plan, failure);
	job->part.fd = -1;
	return done == 0 ? XFER_DONE : XFER_FAILED;
}

static enum xfer_outcome get_bytes(struct job *job, struct xfer_link *link,
				   struct failure *failure)
{
	char offset[NUMBER_TEXT];
	const char *const request[] = { "GET", job->file.name, offset,
					job->xfer->settings->no_sum ? "nosum" : NULL,
					NULL };
	enum xfer_outcome outcome;

	snprintf(offset, sizeof offset, "%" PRIu64, job->part.at);
	outcome = xfer_link_request(link, request, failure);
	if (outcome == XFER_DONE)
		outcome = take_file(job, link, failure);
	if (outcome == XFER_DONE)
		outcome = take_bytes(job, link, failure);
	if (outcome == XFER_DONE)
		outcome = take_sum(job, link, failure);
	return outcome == XFER_DONE ? finish(job, failure) : outcome;
}

static enum xfer_outcome attempt_get(struct xfer_link *link, void *context,
				     struct failure *failure)
{
	struct job *job = context;
	enum xfer_outcome outcome;

	if (!job->known) {
		outcome = ask_what_it_is(job, link, failure);
		if (outcome != XFER_DONE || job->is_folder)
			return outcome;
	}
	job->file.size = job->plan.size;
	if (!is_begun(job)) {
		if (open_target(job, failure) < 0)
			return XFER_FAILED;
		job->file.resumed = job->part.at;
		outcome = sum_what_is_there(job, failure);
		if (outcome != XFER_DONE)
			return outcome;
	}
	return get_bytes(job, link, failure);
}

/* ---- one file ---------------------------------------------------------------------------- */

static enum xfer_outcome run(struct job *job, struct failure *failure)
{
	char shown[XFER_SHOWN];
	enum xfer_outcome outcome;

	job->file.began = clock_nanoseconds();
	outcome = xfer_link_try(job->xfer->link, xfer_show(job->file.name, shown),
				attempt_get, job, failure);
	give_up(job);
	return outcome;
}

static void report(struct job *job, enum xfer_outcome outcome,
		   const struct failure *failure)
{
	if (outcome == XFER_DONE)
		xfer_report_done(job->xfer, &job->file);
	else
		xfer_report_failed(job->xfer, &job->file, outcome == XFER_LOST, failure);
}

static struct job prepare(struct xfer *xfer, int root, const char *name, const char *path)
{
	const struct xfer_settings *settings = xfer->settings;

	return (struct job){
		.xfer = xfer,
		.file = { .name = name, .local = path },
		.plan = { .root = root,
			  .path = path,
			  .force = settings->force,
			  /* without a checksum, an earlier part could be of another
			   * file */
			  .ignore_part = settings->no_sum,
			  .sync = !settings->no_sync },
		.part = { .fd = -1, .folder = -1 },
	};
}

/* ---- folders ----------------------------------------------------------------------------- */

static void get_folder(struct xfer *xfer, int root, const char *name, const char *path,
		       const struct xfer_entries *above, unsigned depth);

/* detail: NULL if there is none. */
static void fail(struct xfer *xfer, const char *name, const char *reason,
		 const char *detail)
{
	struct xfer_file file = { .name = name };
	struct failure failure;

	failure_set(&failure, "%s%s%s", reason, detail != NULL ? ": " : "",
		    detail != NULL ? detail : "");
	xfer_report_failed(xfer, &file, false, &failure);
}

/* @param list  the list that contains it */
static void get_entry(struct xfer *xfer, int root, const char *name, const char *path,
		      const struct xfer_entries *list, const struct xfer_entry *entry,
		      unsigned depth)
{
	struct job job = prepare(xfer, root, name, path);
	struct failure failure;

	if (entry->is_folder) {
		get_folder(xfer, root, name, path, list, depth + 1);
		return;
	}
	job.plan.size = entry->size;
	job.plan.time = entry->time;
	job.known = true;
	report(&job, run(&job, &failure), &failure);
}

/* Downloads the folder with that name on the server to `path` ("": directly into the
 * root). */
static void get_folder(struct xfer *xfer, int root, const char *name, const char *path,
		       const struct xfer_entries *above, unsigned depth)
{
	struct xfer_file file = { .name = *name != '\0' ? name : "/" };
	struct xfer_entries entries = { 0 };
	struct failure failure;
	enum xfer_outcome outcome;
	size_t i;

	if (depth == XFER_DEPTH) {
		fail(xfer, name, "more than 100 nested directories", NULL);
		return;
	}
	outcome = xfer_entries_ask(xfer->link, name, above, &entries, &failure);
	if (outcome != XFER_DONE) {
		xfer_report_failed(xfer, &file, outcome == XFER_LOST, &failure);
		return;
	}
	if (*path != '\0' &&
	    xfer_part_make_folder(root, path, !xfer->settings->no_sync, &failure) < 0) {
		file.local = path;
		xfer_report_failed(xfer, &file, false, &failure);
		xfer_entries_free(&entries);
		return;
	}
	for (i = 0; i < entries.count && !xfer->lost; i++) {
		const struct xfer_entry *entry = &entries.list[i];
		char remote[XFER_NAME], local[XFER_NAME];

		if (xfer_join(remote, name, entry->name) &&
		    xfer_join(local, path, entry->name))
			get_entry(xfer, root, remote, local, &entries, entry, depth);
		else
			fail(xfer, file.name, "a name in this directory is too long",
			     NULL);
	}
	if (i < entries.count)
		xfer_report_rest(name);
	xfer_entries_free(&entries);
}

/* ---- what the command line names --------------------------------------------------------- */

static void get_named(struct xfer *xfer, int root, const char *name)
{
	const struct xfer_settings *settings = xfer->settings;
	char last[XFER_NAME];
	struct job job = prepare(xfer, root, name, xfer_last_part(name, last));
	struct failure failure;
	enum xfer_outcome outcome;

	if (settings->name != NULL)
		job.plan.path = job.file.local = settings->name;
	job.to_output = root < 0;
	if (job.to_output)
		job.file.local = "-";
	outcome = run(&job, &failure);
	if (outcome != XFER_DONE || !job.is_folder)
		report(&job, outcome, &failure);
	else if (settings->recursive && !job.to_output)
		get_folder(xfer, root, name, job.plan.path, NULL, 0);
	else
		fail(xfer, name,
		     job.to_output ? "is a directory" : "is a directory (use -r)", NULL);
}

/* A name that filed does not accept is not requested, and no such local file is
 * created. "." means: everything. */
static void get_checked(struct xfer *xfer, int root, const char *name)
{
	size_t length = strlen(name);
	char copy[XFER_NAME];

	while (length > 1 && name[length - 1] == '/')
		length--;
	if (length >= sizeof copy) {
		fail(xfer, name, "the name is too long", NULL);
		return;
	}
	memcpy(copy, name, length);
	copy[length] = '\0';
	if (strcmp(copy, ".") == 0 && xfer->settings->recursive && root >= 0)
		get_folder(xfer, root, "", "", NULL, 0);
	else if (name_flaw(copy) == NULL)
		get_named(xfer, root, copy);
	else
		fail(xfer, name, "invalid name on the server", name_flaw(copy));
}

void xfer_get(struct xfer *xfer, const char *name)
{
	const char *directory = xfer->settings->directory;
	int root = -1;

	if (directory == NULL)
		directory = ".";
	if (strcmp(directory, "-") != 0) {
		root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (root < 0) {
			fail(xfer, name, "cannot open the directory of -o",
			     strerror(errno));
			return;
		}
	}
	get_checked(xfer, root, name);
	if (root >= 0)
		close(root);
}
