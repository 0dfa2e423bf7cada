/*
 * listing - reads a directory into memory in steps, sorts it, and formats its lines.
 *
 * The list must be in memory, because it is sorted and its length is sent first. A
 * client that requests a list and does not read it holds that memory. So all listings of
 * the server together may use FILE_LISTINGS_MOST bytes; the count is in shared memory,
 * because listings may be in different processes. The cost of an entry is one
 * fstatat(2), one malloc(3) and about 60 bytes plus its name.
 */
#include "server/service/file/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/disk.h"
#include "common/process.h"
#include "common/tokens.h"

enum {
	FIRST_CAPACITY = 64,
	LARGE_STEPS = 64,
	ALLOCATION = 16, /* bytes that malloc(3) needs for itself, approximately */
};

struct entry {
	mode_t mode;
	off_t size; /* bytes */
	struct timespec modified;
	char name[];
};

struct file_listing {
	DIR *stream;
	struct entry **entries;
	size_t count, capacity;
	size_t bytes;   /* memory in use, approximately */
	unsigned steps; /* steps taken from the common limit */
};

static struct tokens *steps; /* the common limit, in steps of FILE_LISTING_STEP bytes */

int file_listing_prepare(void)
{
	if (steps == NULL)
		steps = tokens_create(FILE_LISTINGS_MOST / FILE_LISTING_STEP);
	return steps != NULL ? 0 : -1;
}

struct file_listing *file_listing_begin(int directory)
{
	struct file_listing *listing = calloc(1, sizeof *listing);
	int saved = ENOMEM;

	if (listing != NULL) {
		listing->stream = fdopendir(directory);
		if (listing->stream != NULL)
			return listing;
		saved = errno;
	}
	free(listing);
	close(directory);
	errno = saved;
	return NULL;
}

void file_listing_end(struct file_listing *listing)
{
	bool large;

	if (listing == NULL)
		return;
	for (size_t i = 0; i < listing->count; i++)
		free(listing->entries[i]);
	free(listing->entries);
	large = listing->steps >= LARGE_STEPS;
	if (listing->steps > 0)
		tokens_give(steps, listing->steps);
	closedir(listing->stream);
	free(listing);
	if (large) /* malloc(3) must return the memory to the system */
		process_release_freed_memory();
}

/* ---- reading --------------------------------------------------------------------------- */

/* Counts @p more bytes. @return 0, or -1 with EBUSY */
static int reserve(struct file_listing *listing, size_t more)
{
	size_t step = FILE_LISTING_STEP;
	unsigned needed;

	listing->bytes += more;
	if (listing->bytes <= (listing->steps + 1) * step)
		return 0;
	needed = (unsigned)((listing->bytes - 1) / step) - listing->steps;
	if (!tokens_take(steps, needed)) {
		errno = EBUSY;
		return -1;
	}
	listing->steps += needed;
	return 0;
}

static int make_space(struct file_listing *listing)
{
	size_t capacity = listing->capacity > 0 ? 2 * listing->capacity : FIRST_CAPACITY;
	struct entry **entries;

	if (listing->count >= FILE_LISTING_MOST) {
		errno = E2BIG;
		return -1;
	}
	if (listing->count < listing->capacity)
		return 0;
	if (reserve(listing, (capacity - listing->capacity) * sizeof *entries) < 0)
		return -1;
	entries = realloc(listing->entries, capacity * sizeof *entries);
	if (entries == NULL)
		return -1;
	listing->entries = entries;
	listing->capacity = capacity;
	return 0;
}

static int add(struct file_listing *listing, const char *name)
{
	size_t size = strlen(name) + 1;
	struct entry *entry;
	struct stat status;

	if (name_flaw(name) != NULL)
		return 0;
	/* An entry that was removed meanwhile is skipped. After any other error the
	 * list would be incomplete, so it fails. */
	if (fstatat(dirfd(listing->stream), name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
		return 0;
	if (make_space(listing) < 0 ||
	    reserve(listing, ALLOCATION + sizeof *entry + size) < 0)
		return -1;
	entry = malloc(sizeof *entry + size);
	if (entry == NULL)
		return -1;
	entry->mode = status.st_mode;
	entry->size = status.st_size;
	entry->modified = disk_modified(&status);
	memcpy(entry->name, name, size);
	listing->entries[listing->count++] = entry;
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct entry *a = *(const struct entry *const *)left;
	const struct entry *b = *(const struct entry *const *)right;

	return strcmp(a->name, b->name);
}

int file_listing_read(struct file_listing *listing, size_t most)
{
	const struct dirent *next;

	for (size_t i = 0; i < most; i++) {
		errno = 0;
		next = readdir(listing->stream);
		if (next == NULL && errno != 0)
			return -1;
		if (next == NULL) {
			if (listing->count > 0)
				qsort(listing->entries, listing->count,
				      sizeof *listing->entries, compare);
			return 0;
		}
		if (add(listing, next->d_name) < 0)
			return -1;
	}
	return 1;
}

/* ---- lines ----------------------------------------------------------------------------- */

size_t file_listing_count(const struct file_listing *listing)
{
	return listing->count;
}

static size_t line_of(const char *name, mode_t mode, off_t size, struct timespec modified,
		      char out[FILE_ENTRY])
{
	char time[TEXT_TIMESTAMP];
	size_t length;

	text_timestamp(modified, time);
	if (S_ISDIR(mode))
		length = (size_t)snprintf(out, FILE_ENTRY, "D - %s ", time);
	else
		length = (size_t)snprintf(out, FILE_ENTRY, "F %" PRIu64 " %s ",
					  (uint64_t)size, time);
	length += words_quote(name, out + length);
	out[length++] = '\n';
	return length;
}

size_t file_entry_line(const char *name, const struct stat *status, char out[FILE_ENTRY])
{
	return line_of(name, status->st_mode, status->st_size, disk_modified(status),
		       out);
}

size_t file_listing_line(const struct file_listing *listing, size_t index,
			 char out[FILE_ENTRY])
{
	const struct entry *entry = listing->entries[index];

	return line_of(entry->name, entry->mode, entry->size, entry->modified, out);
}
