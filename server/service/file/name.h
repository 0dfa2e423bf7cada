/*
 * name - the file name of a partial upload. Which names a file may have is in
 * common/name.h.
 */
#ifndef SERVER_SERVICE_FILE_NAME_H
#define SERVER_SERVICE_FILE_NAME_H

#include "common/name.h"

/** The size of a buffer for the name of a part, with its NUL. */
enum { FILE_PART_NAME = 256 };

/**
 * Writes the name that the part of an upload, or its state, has in the directory
 * .filed.
 *
 * If it fits, it is the name itself, with "%2F" for '/' and "%25" for '%', so that no
 * two names collide. A longer name becomes two hashes and its length. If somebody
 * creates two long names with equal hashes, the two uploads exclude each other, like
 * two uploads of one name, and no other harm is done: see upload.h.
 *
 * @param kind  the first byte: FILE_PART or FILE_STATE
 * @return @p out
 */
const char *file_name_of_part(const char *name, char kind, char out[FILE_PART_NAME]);

enum { FILE_PART = 'p', FILE_STATE = 's' };

#endif
