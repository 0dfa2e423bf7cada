/*
 * names - what a directory has that is served, one page of it, in order.
 *
 * A directory may have a million names, and a hundred clients may ask for them at once. So it
 * is read some names at a time, and a loop serves others between. And no more names are kept
 * than a page has: the first HTTP_NAMES_MOST of those that come after a given one, in a heap
 * that has the last of them on top. A name that comes later in the order than the top of a
 * full heap is counted and dropped; any other takes the place of the top. So the memory does
 * not grow with the directory, and all names are counted and compared, not just the first.
 *
 * The order is: directories, then regular files, each by name, byte by byte.
 */
#ifndef SERVER_SERVICE_HTTP_NAMES_H
#define SERVER_SERVICE_HTTP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/** The most names of a page. */
enum { HTTP_NAMES_MOST = 1000 };

struct http_names;

/** Whether a file of that name is served at all: not if it begins with a dot, or contains
 *  control characters, which no link and no log should have to carry. */
bool http_name_is_served(const char *name);

/**
 * Begins to read a directory.
 *
 * @param directory  open on it for reading; it is closed, whatever happens
 * @param after      the name that the page comes after, with a '/' at its end if it was a
 *                   directory's. It need not be there (any more). "": from the beginning
 * @return it, for http_names_end(), or NULL with errno
 */
struct http_names *http_names_begin(int directory, const char *after);

/** Reads the next @p most names.
 *  @return 1 if there may be more, 0 when all are read; -1 with errno: ENOMEM, or of
 *          readdir(3) or lstat(2). A name that is gone meanwhile (ENOENT) is no error */
int http_names_read(struct http_names *names, size_t most);

/** What there is, when all is read. */
struct http_names_counts {
	uint64_t before; /* names up to the one that the page comes after */
	uint64_t after;  /* the others, those on the page included */
	size_t kept;     /* names of the page */
};

struct http_names_counts http_names_count(const struct http_names *names);

/** A name of the page, from 0 to kept - 1. It lasts until http_names_end(). */
const char *http_names_text(const struct http_names *names, size_t index);

/** Whether it was a directory when it was read. */
bool http_names_is_directory(const struct http_names *names, size_t index);

/** Looks at what the name means now.
 *  @return 1 and *facts; 0 if it is gone, or is neither a file nor a directory any more; -1
 *          with errno */
int http_names_look(const struct http_names *names, size_t index, struct stat *facts);

void http_names_end(struct http_names *names);

#endif
