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
	case ENXIO: /* a socket, or a device that is not there */
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

/* Takes what is open at fd, if it is a regular file. Anything but a file or a directory
 * was opened for nothing; but to look before opening would be to look at another file,
 * perhaps. */
static void take_file(struct http_document *document, const char *name, int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		document->status = status_of(errno);
	} else if (S_ISREG(status.st_mode)) {
		document->status = 200;
		document->fd = fd;
		document->size = (uint64_t)status.st_size;
		document->modified = status.st_mtim.tv_sec;
		document->nanoseconds = status.st_mtim.tv_nsec;
		document->type = http_type(name);
		return;
	} else {
		document->status = S_ISDIR(status.st_mode) ? 301 : 403;
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
		document->status = status_of(errno);
	} else if (!root->listings) {
		close(fd);
		document->status = 403;
	} else {
		document->listing = http_listing(fd, name, &length);
		if (document->listing == NULL) {
			document->status = status_of(errno);
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
	fd = beneath_open(root->fd, index, O_RDONLY, 0);
	if (fd >= 0)
		take_file(document, index, fd);
	else if (errno == ENOENT)
		list(document, root, name);
	else
		document->status = status_of(errno);
	if (document->status == 301) /* a directory of that name */
		document->status = 403;
}

static void find_file(struct http_document *document, const struct http_root *root,
		      const char *name)
{
	int fd = beneath_open(root->fd, name, O_RDONLY, 0);

	if (fd >= 0)
		take_file(document, name, fd);
	else
		document->status = status_of(errno);
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
