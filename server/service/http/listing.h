/*
 * listing - a directory as pages of HTML.
 *
 * The names in it are whatever somebody has put there, and are shown to somebody else: none
 * of them may become markup, script, or a link that leads elsewhere.
 *
 * A page shows the names that come after a given one ("?after=NAME"), says how many there are,
 * and links to the next page. A page is not a number of names to skip: so a name that is made
 * or removed meanwhile moves no other name to another page.
 *
 *	listing = http_listing_begin(fd, "photos/");
 *	while ((more = http_listing_go_on(listing)) > 0)
 *		let others go first
 *	if (more == 0)
 *		page = http_listing_take(listing, &length);
 *	http_listing_end(listing);
 */
#ifndef SERVER_SERVICE_HTTP_LISTING_H
#define SERVER_SERVICE_HTTP_LISTING_H

#include <limits.h>
#include <stddef.h>

enum {
	/* Bytes of a page: one that is full before it has HTTP_NAMES_MOST names ends there. */
	HTTP_LISTING_PAGE = 256 * 1024,
	/* The room for the name that a page comes after, with a '/' and a NUL. */
	HTTP_LISTING_AFTER = NAME_MAX + 2,
};

struct http_listing;

/**
 * Begins to list what a directory has that is served: its directories, then its regular
 * files, both by name, byte by byte; with size, and time of last change in UTC.
 *
 * @param directory  open on it for reading; it is closed, whatever happens
 * @param path       of the directory as the client knows it, decoded, without the '/' at its
 *                   beginning: "" is the one without a parent, "a/b/" is shown as /a/b/
 * @param after      the name that the page comes after, with a '/' at its end if it was a
 *                   directory's; "": the first page
 * @return it, for http_listing_end(), or NULL with errno
 */
struct http_listing *http_listing_begin(int directory, const char *path,
					const char *after);

/** Does a part of the work, of well below a millisecond where the disk need not be read.
 *  @return 1 if there is more to do, 0 when the page is made, -1 with errno: what is shown
 *          would not be all there is */
int http_listing_go_on(struct http_listing *listing);

/** The page that is made, with a NUL behind it, which the caller frees.
 *  @param length  receives its length in bytes */
char *http_listing_take(struct http_listing *listing, size_t *length);

void http_listing_end(struct http_listing *listing);

#endif
