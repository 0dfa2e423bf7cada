#include "client/lib/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool program_is(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return false;
	errno = S_ISDIR(status.st_mode) ? EISDIR : EACCES;
	return S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

bool program_search(const char *name, char *path, size_t size)
{
	const char *folders = getenv("PATH");

	while (folders != NULL) {
		size_t length = strcspn(folders, ":");
		int n = length > 0 ? snprintf(path, size, "%.*s/%s", (int)length, folders,
					      name)
				   : snprintf(path, size, "./%s", name);

		if (n > 0 && (size_t)n < size && program_is(path))
			return true;
		folders = folders[length] == ':' ? folders + length + 1 : NULL;
	}
	errno = ENOENT;
	return false;
}
