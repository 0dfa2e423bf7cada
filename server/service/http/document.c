#include "server/service/http/document.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/beneath.h"
#include "common/text.h"
#include "server/service/http/listing.h"
#include "server/service/http/types.h"

enum { DIRECTORY_TEXT = 128 };

static const char index_name[] = "index.html";
static const char neither[] = "it is neither a file nor a directory";

int http_root_open(struct http_root *root, const char *directory, struct failure *failure)
{
	char text[DIRECTORY_TEXT];

	root->fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root->fd >= 0)
		return 0;
	text_escape(directory, strlen(directory), text, sizeof text);
	return failure_set(failure, "cannot serve '%s': %s", text, strerror(errno));
}

/* ---- from the path to a name -------------------------------------------------------------- */

static int hex_digit(char digit)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = memchr(digits, digit, sizeof digits - 1);

	if (at == NULL)
		return -1;
	return (int)(at - digits) < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

/* The byte that the two digits behind a '%' stand for, or -1. */
static int decode_byte(const char *digits, size_t left)
{
	int high = left >= 2 ? hex_digit(digits[0]) : -1;
	int low = left >= 2 ? hex_digit(digits[1]) : -1;

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Whether a path may have that byte: encoded, a '/' would be part of a name. */
static bool is_possible(int byte, bool encoded)
{
	return byte >= ' ' && byte != 127 && !(encoded && byte == '/');
}

/* Decodes a path without the '/' at its beginning. @return 0, or the status */
static int decode(const char *path, size_t length, char name[PATH_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		bool encoded = path[i] == '%';
		int byte = (unsigned char)path[i];

		if (encoded) {
			byte = decode_byte(path + i + 1, length - i - 1);
			i += 2;
		}
		if (byte < 0)
			return 400;
		if (!is_possible(byte, encoded) || used == PATH_MAX - 1)
			return 404;
		name[used++] = (char)byte;
	}
	name[used] = '\0';
	return 0;
}

/* @return 0 and the name beneath the root, with the '/' at its end if there is one, or the
 *         status */
static int name_of(const char *path, size_t length, char name[PATH_MAX])
{
	int status;

	if (length == 0 || path[0] != '/')
		return 400;
	status = decode(path + 1, length - 1, name);
	if (status != 0)
		return status;
	if (name[0] == '/' || strstr(name, "//") != NULL || beneath_is_hidden(name))
		return 404;
	return 0;
}

/* ---- from the name to a document ---------------------------------------------------------- */

static int status_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case EINVAL: /* some file systems do not have every name; others say EILSEQ */
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

/* What else there is to say of it. */
static const char *why_of(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "the server may not read it";
	case ELOOP:
		return "a symbolic link leads there, and this server follows none";
	case ENXIO:
	case ENODEV:
		return neither;
	default:
		return NULL;
	}
}

static void fail(struct http_document *document, int error)
{
	document->status = status_of(error);
	document->why = why_of(error);
}

static void forbid(struct http_document *document, const char *why)
{
	document->status = 403;
	document->why = why;
}

/* To open a FIFO is to be its reader: a process that waits to write to it would begin, and die
 * of SIGPIPE when the reader leaves at once. To open a device may do anything. So what is
 * neither file, directory nor link is not even opened. Whether it is served is not decided here,
 * though: the name may be another file by the time it is opened, see take_file(). */
static bool is_special(const struct http_root *root, const char *name)
{
	struct stat status;

	return fstatat(root->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) &&
	       !S_ISLNK(status.st_mode);
}

static int open_file(const struct http_root *root, const char *name)
{
	if (is_special(root, name)) {
		errno = ENXIO;
		return -1;
	}
	return beneath_open(root->fd, name, O_RDONLY, 0);
}

/* Takes what is open at fd, if it is a regular file. */
static void take_file(struct http_document *document, const char *name, int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		fail(document, errno);
	} else if (S_ISREG(status.st_mode)) {
		document->status = 200;
		document->fd = fd;
		document->size = (uint64_t)status.st_size;
		document->modified = status.st_mtim.tv_sec;
		document->nanoseconds = status.st_mtim.tv_nsec;
		document->type = http_type(name);
		return;
	} else if (S_ISDIR(status.st_mode)) {
		document->status = 301;
	} else {
		forbid(document, neither);
	}
	close(fd);
}

static void list(struct http_document *document, const struct http_root *root,
		 const char *name)
{
	int fd = beneath_open(root->fd, *name != '\0' ? name : ".",
			      O_RDONLY | O_DIRECTORY, 0);
	size_t length;

	if (fd < 0) {
		fail(document, errno);
	} else if (!root->listings) {
		close(fd);
		forbid(document, "it is a directory without an index.html");
	} else {
		document->listing = http_listing(fd, name, &length);
		if (document->listing == NULL) {
			fail(document, errno);
			return;
		}
		document->status = 200;
		document->size = length;
		document->type = http_type(index_name);
	}
}

/* Without an index.html, even a listing may be had; but one that cannot be read is meant to
 * be there. */
static void find_directory(struct http_document *document, const struct http_root *root,
			   const char *name)
{
	char index[PATH_MAX + sizeof index_name];
	int fd;

	snprintf(index, sizeof index, "%s%s", name, index_name);
	fd = open_file(root, index);
	if (fd >= 0)
		take_file(document, index, fd);
	else if (errno == ENOENT)
		list(document, root, name);
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

void http_document_find(const struct http_root *root, const char *path, size_t length,
			struct http_document *document)
{
	char name[PATH_MAX];

	*document = (struct http_document){ .fd = -1 };
	document->status = name_of(path, length, name);
	if (document->status != 0)
		return;
	length = strlen(name);
	if (length == 0 || name[length - 1] == '/')
		find_directory(document, root, name);
	else
		find_file(document, root, name);
}

void http_document_release(struct http_document *document)
{
	if (document->fd >= 0)
		close(document->fd);
	free(document->listing);
	document->fd = -1;
	document->listing = NULL;
}
