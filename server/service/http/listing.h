/*
 * listing - a directory as pages of HTML.
 *
 * The names come from one person and are shown to another. So no name may become markup,
 * a script, or a link that leads elsewhere.
 *
 * A page shows the names that come after a given one ("?after=NAME"), the number of all
 * names, and a link to the next page. A page is not defined by a number of names to
 * skip. So a name that is added or removed meanwhile moves no other name to another
 * page.
 *
 *	listing = http_listing_begin(fd, "photos/", "");
 *	while ((more = http_listing_go_on(listing)) > 0)
 *		serve other clients
 *	if (more == 0)
 *		page = http_listing_take(listing, &length);
 *	http_listing_end(listing);
 */
#ifndef SERVER_SERVICE_HTTP_LISTING_H
#define SERVER_SERVICE_HTTP_LISTING_H

#include <limits.h>
#include <stddef.h>

enum {
	/* The largest page, in bytes: a page ends there even if it has less than
	 * HTTP_NAMES_MOST names. */
	HTTP_LISTING_PAGE = 256 * 1024,
	/* The size of a buffer for the name in "?after=", with a '/' and a NUL. */
	HTTP_LISTING_AFTER = NAME_MAX + 2,
};

struct http_listing;

/**
 * Starts a listing of what is served in a directory: its directories, then its regular
 * files, each sorted by name, byte by byte; with size, and time of last change in UTC.
 *
 * @param directory  open for reading; closed also on failure
 * @param path       the path of the directory, decoded, without its first '/': "" is
 *              the root, "a/b/" is shown as /a/b/
 * @param after      the name that the page starts after, with a '/' at its end if it
 *               was a directory; "": the first page
 * @return the listing, for http_listing_end(), or NULL with errno
 */
struct http_listing *http_listing_begin(int directory, const char *path,
					const char *after);

/** Does one step of the work, which takes less than a millisecond if the disk need not
 *  be read.
 *  @return 1 if there is more to do, 0 when the page is complete, -1 with errno: the
 *          listing would be incomplete */
int http_listing_go_on(struct http_listing *listing);

/** @return the complete page, followed by a NUL, which the caller frees
 *  @param length  receives its length in bytes */
char *http_listing_take(struct http_listing *listing, size_t *length);

void http_listing_end(struct http_listing *listing);

#endif
