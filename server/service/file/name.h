/*
 * name - what a file may be called, and what the part of it that has come is called.
 */
#ifndef SERVER_SERVICE_FILE_NAME_H
#define SERVER_SERVICE_FILE_NAME_H

#include <stdbool.h>
#include <stddef.h>

/** The most bytes of a name, and of a part of it between two '/'. */
enum { FILE_NAME = 4095, FILE_NAME_PART = 255 };

/** The room for the name of a part, with a NUL. */
enum { FILE_PART_NAME = 256 };

/**
 * Whether a name may be asked for: UTF-8 (RFC 3629) without control characters, relative,
 * its parts separated by '/', none of them empty or beginning with a dot.
 * @return NULL, or why not: "a part of it begins with a dot"
 */
const char *file_name_flaw(const char *name);

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
