/*
 * path - names of files and folders, local and at the server.
 */
#ifndef CLIENT_XFER_PATH_H
#define CLIENT_XFER_PATH_H

#include <stdbool.h>

#include "client/xfer/xfer.h"

/** The last part of a path: what follows its last '/'. Slashes at the end are ignored.
 *  @return @p out; "" if there is no such part, or if it is "." or ".." */
const char *xfer_last_part(const char *path, char out[XFER_NAME]);

/** Joins two parts of a path by '/'. @p folder may be "" or NULL.
 *  @return whether the result fits into @p out */
bool xfer_join(char out[XFER_NAME], const char *folder, const char *name);

#endif
