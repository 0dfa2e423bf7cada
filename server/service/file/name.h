/*
 * name - what the part of a file that has come is called. What the file itself may be called
 * is in common/name.h.
 */
#ifndef SERVER_SERVICE_FILE_NAME_H
#define SERVER_SERVICE_FILE_NAME_H

#include "common/name.h"

/** The room for the name of a part, with a NUL. */
enum { FILE_PART_NAME = 256 };

/**
 * The name by which the part of an upload, or its state, is known in its one directory.
 *
 * Where that fits it is the name itself, with "%2F" for '/' and "%25" for '%', so that no
 * two are the same; of a longer name it is two sums and the length. Two long names that
 * somebody has made to have the same ones are in each other's way, as two uploads of one
 * name are, and nothing worse: see upload.h.
 *
 * @param kind  FILE_PART or FILE_STATE, in front
 * @return @p out
 */
const char *file_name_of_part(const char *name, char kind, char out[FILE_PART_NAME]);

enum { FILE_PART = 'p', FILE_STATE = 's' };

#endif
