/*
 * names - the names of one page of a directory listing, in order.
 *
 * A directory may have a million names, and a hundred clients may list it at once. So it
 * is read in steps, and an event loop serves other clients between the steps. Only the
 * names of one page are kept: the first HTTP_NAMES_MOST names after a given one. The
 * memory does not grow with the directory. All names are counted and compared, not only
 * the first ones.
 *
 * The order is: directories, then regular files, each by name, byte by byte.
 */
#ifndef SERVER_SERVICE_HTTP_NAMES_H
#define SERVER_SERVICE_HTTP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/** The most names on a page. */
enum { HTTP_NAMES_MOST = 1000 };

struct http_names;

/** @return whether a file of that name is served: not if it begins with a dot, or
 *          contains control characters, which should not be in links and logs */
bool http_name_is_served(const char *name);

/**
 * Starts to read a directory.
 *
 * @param directory  open for reading; closed also on failure
 * @param after      the name that the page starts after, with a '/' at its end if it
 *               was a directory. It need not exist. "": from the beginning
 * @return the names, for http_names_end(), or NULL with errno
 */
struct http_names *http_names_begin(int directory, const char *after);

/** Reads the next @p most names.
 *  @return 1 if there may be more, 0 when all are read, -1 with errno: ENOMEM, or of
 *          readdir(3) or fstatat(2). A name that was removed meanwhile (ENOENT) is no
 *          error */
int http_names_read(struct http_names *names, size_t most);

/** The numbers of names, when all are read. */
struct http_names_counts {
	uint64_t before; /* names up to the one that the page starts after */
	uint64_t after;  /* all other names, including those on the page */
	size_t kept;     /* names of the page */
};

struct http_names_counts http_names_count(const struct http_names *names);

/** @return a name of the page, 0 to kept - 1; valid until http_names_end() */
const char *http_names_text(const struct http_names *names, size_t index);

/** @return whether it was a directory when it was read */
bool http_names_is_directory(const struct http_names *names, size_t index);

/** Gets the current status of the name.
 *  @return 1 with *facts; 0 if it was removed, or is no longer a file or directory; -1
 *          with errno */
int http_names_look(const struct http_names *names, size_t index, struct stat *facts);

void http_names_end(struct http_names *names);

#endif
