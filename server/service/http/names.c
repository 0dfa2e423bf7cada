/*
 * names - selects the names of one page while it reads the directory.
 *
 * A directory is not sorted, so all names must be read for every page. A heap keeps the
 * HTTP_NAMES_MOST smallest names after the given one. Its largest name is at the top,
 * and is replaced when a smaller one is found. So n names cost O(n log HTTP_NAMES_MOST)
 * comparisons, and constant memory.
 */
#define _DEFAULT_SOURCE /* d_type, which is in POSIX since 2024 */

#include "server/service/http/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_CAPACITY = 16 };

struct entry {
	bool is_directory;
	char name[];
};

struct http_names {
	DIR *stream;
	struct entry *after; /* NULL: the first page */
	struct entry *
		*heap; /* each entry is at or before its parent, heap[(i - 1) / 2] */
	size_t count, capacity;
	uint64_t before, behind; /* names up to the entry after, and after it */
	bool is_read;            /* the heap is sorted */
};

bool http_name_is_served(const char *name)
{
	if (*name == '.')
		return false;
	for (; *name != '\0'; name++)
		if ((unsigned char)*name < ' ' || *name == 127)
			return false;
	return true;
}

static struct entry *create_entry(const char *name, size_t length, bool is_directory)
{
	struct entry *entry = malloc(sizeof *entry + length + 1);

	if (entry == NULL)
		return NULL;
	entry->is_directory = is_directory;
	memcpy(entry->name, name, length);
	entry->name[length] = '\0';
	return entry;
}

/* Parses "name", or "name/" for a directory. */
static struct entry *create_bound(const char *after)
{
	size_t length = strlen(after);
	bool is_directory = after[length - 1] == '/';

	return create_entry(after, is_directory ? length - 1 : length, is_directory);
}

struct http_names *http_names_begin(int directory, const char *after)
{
	struct http_names *names = calloc(1, sizeof *names);
	int saved = ENOMEM;

	if (names != NULL && *after != '\0')
		names->after = create_bound(after);
	if (names != NULL && (*after == '\0' || names->after != NULL)) {
		names->stream = fdopendir(directory);
		if (names->stream != NULL)
			return names;
		saved = errno;
	}
	if (names != NULL)
		free(names->after);
	free(names);
	close(directory);
	errno = saved;
	return NULL;
}

void http_names_end(struct http_names *names)
{
	if (names == NULL)
		return;
	for (size_t i = 0; i < names->count; i++)
		free(names->heap[i]);
	free(names->heap);
	free(names->after);
	closedir(names->stream);
	free(names);
}

/* ---- the heap -------------------------------------------------------------------------- */

/* Returns less than 0 if the name sorts before the entry, more than 0 if after. */
static int order_of(const char *name, bool is_directory, const struct entry *entry)
{
	if (is_directory != entry->is_directory)
		return is_directory ? -1 : 1;
	return strcmp(name, entry->name);
}

static int order(const struct entry *a, const struct entry *b)
{
	return order_of(a->name, a->is_directory, b);
}

static int compare(const void *left, const void *right)
{
	return order(*(const struct entry *const *)left,
		     *(const struct entry *const *)right);
}

/* Puts the entry at position i or below, so that no child sorts after it. */
static void sift_down(struct http_names *names, size_t i, struct entry *entry)
{
	struct entry **heap = names->heap;
	size_t child;

	for (; (child = 2 * i + 1) < names->count; i = child) {
		if (child + 1 < names->count && order(heap[child], heap[child + 1]) < 0)
			child++;
		if (order(heap[child], entry) <= 0)
			break;
		heap[i] = heap[child];
	}
	heap[i] = entry;
}

/* Puts the entry at position i or above, so that its parent does not sort before it. */
static void sift_up(struct http_names *names, size_t i, struct entry *entry)
{
	struct entry **heap = names->heap;

	for (; i > 0 && order(heap[(i - 1) / 2], entry) < 0; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = entry;
}

static bool make_space(struct http_names *names)
{
	size_t capacity = names->capacity > 0 ? 2 * names->capacity : FIRST_CAPACITY;
	struct entry **heap;

	if (names->count < names->capacity)
		return true;
	heap = realloc(names->heap, capacity * sizeof *heap);
	if (heap == NULL)
		return false;
	names->heap = heap;
	names->capacity = capacity;
	return true;
}

/* Keeps a name that belongs on the page, as far as is known yet.
 * @return false if there is no memory */
static bool keep(struct http_names *names, const char *name, bool is_directory)
{
	struct entry *entry;

	if (names->count < HTTP_NAMES_MOST && !make_space(names))
		return false;
	entry = create_entry(name, strlen(name), is_directory);
	if (entry == NULL)
		return false;
	if (names->count < HTTP_NAMES_MOST) {
		sift_up(names, names->count++, entry);
	} else {
		free(names->heap[0]);
		sift_down(names, 0, entry);
	}
	return true;
}

/* @return false if there is no memory */
static bool add(struct http_names *names, const char *name, bool is_directory)
{
	if (names->after != NULL && order_of(name, is_directory, names->after) <= 0) {
		names->before++;
		return true;
	}
	names->behind++;
	if (names->count == HTTP_NAMES_MOST &&
	    order_of(name, is_directory, names->heap[0]) > 0)
		return true;
	return keep(names, name, is_directory);
}

/* ---- reading --------------------------------------------------------------------------- */

/* A client cannot see that a listing is incomplete. So the only error that is ignored
 * is that the name was removed. */
static int look_at(int directory, const char *name, struct stat *facts)
{
	if (fstatat(directory, name, facts, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	return S_ISREG(facts->st_mode) || S_ISDIR(facts->st_mode);
}

/* Returns 1 if the name is listed, 0 if not, -1 with errno. Most file systems report
 * the type with the name (d_type), which saves an fstatat(2) for names that are not on
 * the page. */
static int is_listed(int directory, const struct dirent *read, bool *is_directory)
{
	struct stat facts;
	int found;

	if (!http_name_is_served(read->d_name))
		return 0;
#ifdef DT_UNKNOWN
	*is_directory = read->d_type == DT_DIR;
	if (read->d_type != DT_UNKNOWN)
		return read->d_type == DT_REG || read->d_type == DT_DIR;
#endif
	found = look_at(directory, read->d_name, &facts);
	*is_directory = found > 0 && S_ISDIR(facts.st_mode);
	return found;
}

static void sort(struct http_names *names)
{
	if (names->count > 0)
		qsort(names->heap, names->count, sizeof *names->heap, compare);
	names->is_read = true;
}

int http_names_read(struct http_names *names, size_t most)
{
	for (size_t i = 0; i < most && !names->is_read; i++) {
		const struct dirent *next;
		bool is_directory = false;
		int listed;

		errno = 0;
		next = readdir(names->stream);
		if (next == NULL && errno != 0)
			return -1;
		if (next == NULL) {
			sort(names);
			break;
		}
		listed = is_listed(dirfd(names->stream), next, &is_directory);
		if (listed < 0 || (listed > 0 && !add(names, next->d_name, is_directory)))
			return -1;
	}
	return names->is_read ? 0 : 1;
}

/* ---- results
 * -------------------------------------------------------------------------- */

struct http_names_counts http_names_count(const struct http_names *names)
{
	return (struct http_names_counts){ .before = names->before,
					   .after = names->behind,
					   .kept = names->count };
}

const char *http_names_text(const struct http_names *names, size_t index)
{
	return names->heap[index]->name;
}

bool http_names_is_directory(const struct http_names *names, size_t index)
{
	return names->heap[index]->is_directory;
}

int http_names_look(const struct http_names *names, size_t index, struct stat *facts)
{
	return look_at(dirfd(names->stream), names->heap[index]->name, facts);
}
