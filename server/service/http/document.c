/*
 * document - finds the file or directory for a path.
 *
 *	path --http_path_name()--> name --open_within()--> descriptor --fstat()--> kind
 *
 * open_within() makes the kernel resolve the name within the directory, so a symbolic
 * link or a rename at the wrong moment cannot lead out. The checks of the kind use
 * fstat(2) on the open descriptor, so they are about the file that is sent. A file costs
 * an fstatat(2), an openat2(2) and an fstat(2).
 *
 * If a name is not found, the served directory itself may have been removed and created
 * again. Only then is it resolved again.
 */
#include "server/service/http/document.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/disk.h"
#include "common/open_within.h"
#include "server/service/http/listing.h"
#include "server/service/http/path.h"
#include "server/service/http/types.h"

static const char index_name[] = "index.html";
static const char neither[] = "not a regular file or directory";

/* RFC 8615, section 3: clients read what is below /.well-known/. */
static bool is_hidden(const char *name)
{
	static const char well_known[] = ".well-known";
	size_t length = strcspn(name, "/");

	if (length == sizeof well_known - 1 && memcmp(name, well_known, length) == 0)
		name += length + strspn(name + length, "/");
	return open_within_is_hidden(name);
}

/* ---- from the name to a document ---------------------------------------------------------- */

static int status_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case EINVAL: /* some file systems do not allow every name; others return EILSEQ */
	case EILSEQ:
		return 404;
	case EACCES:
	case EPERM:
	case ELOOP: /* a symbolic link */
	case ENXIO: /* a FIFO, a socket, a device */
	case ENODEV:
		return 403;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return 503;
	default:
		return 500;
	}
}

/* An explanation of the error, if the status does not say enough; else NULL. */
static const char *why_of(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "the server has no permission to read this file";
	case ELOOP:
		return "the path contains a symbolic link, which this server does not "
		       "follow";
	case ENXIO:
	case ENODEV:
		return neither;
	default:
		return NULL;
	}
}

int http_document_status(int error, const char **why)
{
	*why = why_of(error);
	return status_of(error);
}

static void fail(struct http_document *document, int error)
{
	document->status = http_document_status(error, &document->why);
}

static void forbid(struct http_document *document, const char *why)
{
	document->status = 403;
	document->why = why;
}

/* Whether the error is about the name. Then open_within() reports the right one. */
static bool is_of_the_name(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP;
}

/* Opening a FIFO makes this process its reader: a program that waits to write would
 * start, and be killed by SIGPIPE when this process closes it. Opening a device may do
 * anything. So what is neither file, directory nor link is not opened. This check only
 * prevents the open: the name may be another file when it is opened, so take_file()
 * decides what is served.
 * @return 0, or -1 with errno */
static int refuse_special(const struct http_root *root, const char *name)
{
	struct stat status;

	if (fstatat(root->directory.fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return is_of_the_name(errno) ? 0 : -1;
	if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISLNK(status.st_mode))
		return 0;
	errno = ENXIO;
	return -1;
}

static int open_file(const struct http_root *root, const char *name)
{
	if (refuse_special(root, name) < 0)
		return -1;
	return open_within(root->directory.fd, name, O_RDONLY, 0);
}

/* Fills *document from the open descriptor, if it is a regular file. */
static void take_file(struct http_document *document, const char *name, int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		fail(document, errno);
	} else if (S_ISREG(status.st_mode)) {
		document->status = 200;
		document->fd = fd;
		document->size = (uint64_t)status.st_size;
		document->modified = disk_modified(&status).tv_sec;
		document->nanoseconds = disk_modified(&status).tv_nsec;
		document->type = http_type_of_file(name, fd);
		return;
	} else if (S_ISDIR(status.st_mode)) {
		document->status = 301;
	} else {
		forbid(document, neither);
	}
	close(fd);
}

/* Starts a listing of the directory open at fd. */
static void list(struct http_document *document, const struct http_target *target,
		 const char *name, int fd)
{
	char after[HTTP_LISTING_AFTER] = "";

	if (http_query_value(target->query, target->query_length, "after", after,
			     sizeof after) == HTTP_QUERY_BAD) {
		close(fd);
		document->status = 400;
		document->why = "the query has a malformed \"after\" parameter";
		return;
	}
	document->listing = http_listing_begin(fd, name, after);
	if (document->listing == NULL) {
		fail(document, errno);
		return;
	}
	document->status = 200;
	document->type = http_type(index_name);
}

static void find_listing(struct http_document *document, const struct http_root *root,
			 const struct http_target *target, const char *name)
{
	int fd = open_within(root->directory.fd, *name != '\0' ? name : ".",
			     O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0) {
		fail(document, errno);
	} else if (!root->listings) {
		close(fd);
		forbid(document, "this directory has no index.html");
	} else {
		list(document, target, name, fd);
	}
}

/* Without an index.html the directory may be listed. An index.html that cannot be read
 * is an error. */
static void find_directory(struct http_document *document, const struct http_root *root,
			   const struct http_target *target, const char *name)
{
	char index[PATH_MAX + sizeof index_name];
	int fd;

	snprintf(index, sizeof index, "%s%s", name, index_name);
	fd = open_file(root, index);
	if (fd >= 0)
		take_file(document, index, fd);
	else if (errno == ENOENT)
		find_listing(document, root, target, name);
	else
		fail(document, errno);
	if (document->status == 301)
		forbid(document, "its index.html is a directory");
}

static void find_file(struct http_document *document, const struct http_root *root,
		      const char *name)
{
	int fd = open_file(root, name);

	if (fd >= 0)
		take_file(document, name, fd);
	else
		fail(document, errno);
}

static void find(struct http_document *document, const struct http_root *root,
		 const struct http_target *target, const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || name[length - 1] == '/')
		find_directory(document, root, target, name);
	else
		find_file(document, root, name);
}

void http_document_find(struct http_root *root, const struct http_target *target,
			struct http_document *document)
{
	unsigned seen = root_renewals(&root->directory);
	enum root_state state;
	char name[PATH_MAX];

	*document = (struct http_document){ .fd = -1 };
	document->status =
		http_path_name(target->path, target->path_length, name, &document->why);
	if (document->status == 0 && is_hidden(name))
		document->status = 404;
	if (document->status != 0)
		return;
	find(document, root, target, name);
	if (document->fd >= 0)
		return;
	/* A removed directory has no names, but can still be listed. So whenever no
	 * file was found, the served directory itself may be missing. */
	state = root_check(&root->directory, seen);
	if (state == ROOT_STAYS)
		return;
	http_document_release(document);
	*document = (struct http_document){ .fd = -1 };
	if (state == ROOT_RENEWED) {
		find(document, root, target, name);
		return;
	}
	document->status = 503;
	document->why = "the served directory is missing";
}

void http_document_release(struct http_document *document)
{
	if (document->fd >= 0)
		close(document->fd);
	http_listing_end(document->listing);
	document->fd = -1;
	document->listing = NULL;
}
