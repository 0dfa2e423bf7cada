/*
 * out_file - writes beside the file, and renames.
 *
 * If the disk is full, or versus is killed, the results of an earlier run are still there:
 * rename(2) replaces a file in one step. It costs the space of both files for a moment.
 */
#include "client/versus/out_file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_special(const char *name)
{
	struct stat status;

	return stat(name, &status) == 0 && !S_ISREG(status.st_mode);
}

int out_file_open(struct out_file *file, const char *name)
{
	int length;

	file->name = name;
	file->part[0] = '\0';
	if (!is_special(name)) {
		length = snprintf(file->part, sizeof file->part, "%s.part", name);
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
