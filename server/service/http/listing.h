/*
 * listing - a directory as a page of HTML.
 *
 * The names in it are whatever somebody has put there, and are shown to somebody else: none
 * of them may become markup, script, or a link that leads elsewhere.
 */
#ifndef SERVER_SERVICE_HTTP_LISTING_H
#define SERVER_SERVICE_HTTP_LISTING_H

#include <stdbool.h>
#include <stddef.h>

/** So many entries are read and shown at most; of the rest it is told how many there are. */
enum { HTTP_LISTING_MOST = 10000 };

/** Whether a file of that name is served at all: not if it begins with a dot, or contains
 *  control characters, which no link and no log should have to carry. */
bool http_name_is_served(const char *name);

/**
 * Lists what a directory has that is served: its directories, then its regular files, both
 * by name, byte by byte; with size, and time of last change in UTC.
 *
 * @param directory  open on it for reading; it is closed, whatever happens
 * @param path       of the directory as the client knows it, decoded, without the '/' at its
 *                   beginning: "" is the one without a parent, "a/b/" is shown as /a/b/
 * @param length     receives the page's, in bytes
 * @return the page, which the caller frees, or NULL with errno (ENOMEM, or of readdir(3))
 */
char *http_listing(int directory, const char *path, size_t *length);

#endif
