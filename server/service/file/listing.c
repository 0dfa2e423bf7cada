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

#include "common/process.h"
#include "common/tokens.h"

enum {
	FIRST_ROOM = 64,
	LARGE_STEPS = 64,
	ALLOCATION = 16, /* bytes that malloc(3) needs for itself, about */
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
	size_t count, room;
	size_t bytes;   /* that it takes, about */
	unsigned steps; /* of those that all have together */
};

static struct tokens *steps; /* that all have together, each of FILE_LISTING_STEP bytes */

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
	if (large) /* others may have it now: malloc(3) must not keep it */
		process_release_freed_memory();
}

/* ---- reading --------------------------------------------------------------------------- */

/* Accounts for @p more bytes. @return 0, or -1 with EBUSY */
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

static int make_room(struct file_listing *listing)
{
	size_t room = listing->room > 0 ? 2 * listing->room : FIRST_ROOM;
	struct entry **entries;

	if (listing->count >= FILE_LISTING_MOST) {
		errno = E2BIG;
		return -1;
	}
	if (listing->count < listing->room)
		return 0;
	if (reserve(listing, (room - listing->room) * sizeof *entries) < 0)
		return -1;
	entries = realloc(listing->entries, room * sizeof *entries);
	if (entries == NULL)
		return -1;
	listing->entries = entries;
	listing->room = room;
	return 0;
}

static int add(struct file_listing *listing, const char *name)
{
	size_t size = strlen(name) + 1;
	struct entry *entry;
	struct stat status;

	if (name_flaw(name) != NULL)
		return 0;
	/* One that was removed since it was read is not there. Whatever else is wrong with
	 * one, a list without it would be wrong. */
	if (fstatat(dirfd(listing->stream), name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
		return 0;
	if (make_room(listing) < 0 ||
	    reserve(listing, ALLOCATION + sizeof *entry + size) < 0)
		return -1;
	entry = malloc(sizeof *entry + size);
	if (entry == NULL)
		return -1;
	entry->mode = status.st_mode;
	entry->size = status.st_size;
	entry->modified = status.st_mtim;
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

size_t file_entry_line(const char *name, const struct stat *status, char out[FILE_ENTRY])
{
	char time[TEXT_TIMESTAMP];
	size_t length;

	text_timestamp(status->st_mtim, time);
	if (S_ISDIR(status->st_mode))
		length = (size_t)snprintf(out, FILE_ENTRY, "D - %s ", time);
	else
		length = (size_t)snprintf(out, FILE_ENTRY, "F %" PRIu64 " %s ",
					  (uint64_t)status->st_size, time);
	length += words_quote(name, out + length);
	out[length++] = '\n';
	return length;
}

size_t file_listing_line(const struct file_listing *listing, size_t index,
			 char out[FILE_ENTRY])
{
	const struct entry *entry = listing->entries[index];
	struct stat status = { .st_mode = entry->mode, .st_size = entry->size };

	status.st_mtim = entry->modified;
	return file_entry_line(entry->name, &status, out);
}
