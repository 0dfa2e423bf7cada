/*
 * out_file - a file of results that is whole, or not there.
 */
#ifndef CLIENT_VERSUS_OUT_FILE_H
#define CLIENT_VERSUS_OUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

enum { OUT_FILE_NAME = 4096 };

struct out_file {
	FILE *stream;
	char name[OUT_FILE_NAME]; /* with symbolic links resolved */
	char part[OUT_FILE_NAME]; /* the file that is written; "": the file itself */
};

/** Opens a stream for the new contents of the file @p name, or of the file that it links to. What
 *  is no regular file, such as /dev/stdout, is written directly.
 *  @return 0, or -1 with errno */
int out_file_open(struct out_file *file, const char *name);

/** Closes the stream. If all was written, and @p whole, the new contents take the place of the old
 *  ones; else the old ones stay.
 *  @return 0, or -1 with errno */
int out_file_close(struct out_file *file, bool whole);

#endif
