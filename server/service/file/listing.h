/*
 * listing - what is in a directory, by name, for a client.
 *
 * A directory may have so many entries that to read them takes a while: they are read some
 * at a time, and so a loop can serve others in between.
 */
#ifndef SERVER_SERVICE_FILE_LISTING_H
#define SERVER_SERVICE_FILE_LISTING_H

#include <stddef.h>
#include <sys/stat.h>

#include "common/text.h"
#include "common/words.h"
#include "server/service/file/name.h"

/** More entries than that are not listed (E2BIG). */
enum { FILE_LISTING_MOST = 100000 };

/** All listings of the server, whatever process they are in, may have so many bytes of memory
 *  together (EBUSY): a client that asks for a list and does not read it costs some. A short one
 *  is always to be had: the first FILE_LISTING_STEP bytes of each are free. More are taken by
 *  steps of as many. */
enum { FILE_LISTINGS_MOST = 128 << 20, FILE_LISTING_STEP = 16384 };

/** The room for a line that tells of a file or a directory. */
enum { FILE_ENTRY = 2 + 21 + TEXT_TIMESTAMP + WORDS_QUOTED(NAME_MOST) + 2 };

struct file_listing;

/** To be called before the server forks. @return 0, or -1 with errno (ENOMEM) */
int file_listing_prepare(void);

/** Begins to list. @param directory  open on it for reading; it is closed, whatever happens
 *  @return the listing, for file_listing_end(), or NULL with errno */
struct file_listing *file_listing_begin(int directory);

/** Looks at the next @p most entries. Those that no client could ask for are left out.
 *  @return 1 if there may be more, 0 when all are there, sorted; -1 with errno: E2BIG and
 *          EBUSY, see above, or of an entry of which nothing can be told (EIO, EACCES ...) */
int file_listing_read(struct file_listing *listing, size_t most);

/** How many there are; once all are there. */
size_t file_listing_count(const struct file_listing *listing);

/** Writes the line of one of them, from 0 on. @return its length */
size_t file_listing_line(const struct file_listing *listing, size_t index,
			 char out[FILE_ENTRY]);

void file_listing_end(struct file_listing *listing);

/** Writes such a line: "F 1024 1700000000 name" and a newline, or "D - ..." of a directory.
 *  @return its length */
size_t file_entry_line(const char *name, const struct stat *status, char out[FILE_ENTRY]);

#endif
