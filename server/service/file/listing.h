/*
 * listing - the entries of a directory, sorted by name, for a client.
 *
 * It can take long to read all entries of a large directory. So they are read in steps,
 * and an event loop serves other clients between the steps.
 */
#ifndef SERVER_SERVICE_FILE_LISTING_H
#define SERVER_SERVICE_FILE_LISTING_H

#include <stddef.h>
#include <sys/stat.h>

#include "common/text.h"
#include "common/words.h"
#include "server/service/file/name.h"

/** The most entries of a directory that is listed (E2BIG). */
enum { FILE_LISTING_MOST = 100000 };

/** The memory limit for all listings of the server together, in bytes, in all processes
 *  (EBUSY). The first FILE_LISTING_STEP bytes of each listing do not count, so a short
 *  list is never refused for it. More memory is counted in steps of this size. */
enum { FILE_LISTINGS_MOST = 128 << 20, FILE_LISTING_STEP = 16384 };

/** The size of a buffer for the line of an entry. */
enum { FILE_ENTRY = 2 + 21 + TEXT_TIMESTAMP + WORDS_QUOTED(NAME_MOST) + 2 };

struct file_listing;

/** Must be called before the server forks. @return 0, or -1 with errno (ENOMEM) */
int file_listing_prepare(void);

/** Starts a listing.
 *  @param directory  open for reading; closed also on failure
 *  @return the listing, for file_listing_end(), or NULL with errno */
struct file_listing *file_listing_begin(int directory);

/** Reads the next @p most entries. Skips those that no client can request.
 *  @return 1 if there may be more; 0 when all are read and sorted; -1 with errno: E2BIG
 *          and EBUSY, see above, or the error of an entry (EIO, EACCES ...) */
int file_listing_read(struct file_listing *listing, size_t most);

/** @return the number of entries, when all are read */
size_t file_listing_count(const struct file_listing *listing);

/** Writes the line of entry @p index, from 0. @return its length */
size_t file_listing_line(const struct file_listing *listing, size_t index,
			 char out[FILE_ENTRY]);

void file_listing_end(struct file_listing *listing);

/** Writes a line: "F 1024 1700000000 name" and a newline, or "D - ..." for a directory.
 *  @return its length */
size_t file_entry_line(const char *name, const struct stat *status, char out[FILE_ENTRY]);

#endif
