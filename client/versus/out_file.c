/*
 * out_file - writes beside the file, and renames.
 *
 * If the disk is full, or versus is killed, the results of an earlier run are still there:
 * rename(2) replaces a file in one step. It costs the space of both files for a moment. rename(2)
 * would replace a symbolic link and not the file that it names, so the name is resolved first.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "client/versus/out_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the name is not that of a regular file or a free one. A link that leads nowhere is opened
 * as it is: open(2) creates the file that it names. */
static bool is_special(const char *name)
{
	struct stat status;

	if (stat(name, &status) == 0)
		return !S_ISREG(status.st_mode);
	return lstat(name, &status) == 0 && S_ISLNK(status.st_mode);
}

/* Copies the name of the file, with its symbolic links resolved if it exists. @return 0, or -1 with
 * errno */
static int resolve(struct out_file *file, const char *name)
{
	char *resolved = realpath(name, NULL);
	const char *used = resolved != NULL ? resolved : name;
	size_t length = strlen(used);

	if (length < sizeof file->name)
		memcpy(file->name, used, length + 1);
	free(resolved);
	if (length < sizeof file->name)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

int out_file_open(struct out_file *file, const char *name)
{
	int length;

	if (resolve(file, name) < 0)
		return -1;
	file->part[0] = '\0';
	if (!is_special(name)) {
		length = snprintf(file->part, sizeof file->part, "%s.part", file->name);
		if (length < 0 || (size_t)length >= sizeof file->part) {
			errno = ENAMETOOLONG;
			return -1;
		}
	}
	file->stream = fopen(file->part[0] != '\0' ? file->part : name, "we");
	return file->stream != NULL ? 0 : -1;
}

int out_file_close(struct out_file *file, bool whole)
{
	int error = errno;

	whole = !ferror(file->stream) && whole;
	if (fclose(file->stream) != 0) {
		error = errno;
		whole = false;
	}
	if (file->part[0] == '\0') {
		errno = error;
		return whole ? 0 : -1;
	}
	if (whole && rename(file->part, file->name) == 0)
		return 0;
	if (whole)
		error = errno;
	unlink(file->part);
	errno = error;
	return -1;
}
