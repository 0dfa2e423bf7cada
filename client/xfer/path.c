/*
 * path - names of files and folders, local and at the server.
 *
 * Both sides separate the parts of a path by '/'. The functions only handle text: they do not
 * ask the file system, and a result is at most XFER_NAME bytes with its NUL.
 */
#include "client/xfer/path.h"

#include <stdio.h>
#include <string.h>

const char *xfer_last_part(const char *path, char out[XFER_NAME])
{
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	if (end - start >= XFER_NAME)
		end = start + XFER_NAME - 1;
	memcpy(out, path + start, end - start);
	out[end - start] = '\0';
	if (strcmp(out, ".") == 0 || strcmp(out, "..") == 0)
		out[0] = '\0';
	return out;
}

bool xfer_join(char out[XFER_NAME], const char *folder, const char *name)
{
	size_t length = folder != NULL ? strlen(folder) : 0;
	const char *slash;

	while (length > 0 && folder[length - 1] == '/' && length > 1)
		length--;
	slash = length > 0 && *name != '\0' && folder[length - 1] != '/' ? "/" : "";
	return (size_t)snprintf(out, XFER_NAME, "%.*s%s%s", (int)length,
				folder != NULL ? folder : "", slash, name) < XFER_NAME;
}
