/*
 * listing - makes a page of HTML from the names of a directory, in steps.
 *
 *	http_listing_go_on() --names left--> reads NAMES_TURN names (names.c)
 *	                     --rows left---> writes ROWS_TURN rows
 *	                     --else--------> writes the foot: the page is complete
 *
 * One step takes less than a millisecond if the disk need not be read. So an event loop
 * can serve other clients between the steps. A page is limited to HTTP_LISTING_PAGE
 * bytes and HTTP_NAMES_MOST names, so the memory does not depend on the directory. Every
 * name is escaped, as text and in links, because somebody else may have chosen it.
 */
#include "server/service/http/listing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/text.h"
#include "server/core/buffer.h"
#include "server/service/http/names.h"
#include "server/service/http/path.h"

#define TIME_FORM "<time datetime=\"%s\">%s</time>"

enum {
	/* The work of one step: names to read, rows to write. */
	NAMES_TURN = 128,
	ROWS_TURN = 16,
	TIME_TEXT = 48,
	CELL_TEXT = 2 * TIME_TEXT + sizeof TIME_FORM,
	COUNT_TEXT = 128,
	/* Space that is kept for the end of the page; most of it is for the link to
	 * the next page. */
	FOOT = 1024 + HTTP_ENCODED * NAME_MAX,
};

struct page {
	struct buffer text;
	size_t most; /* limit in bytes */
	bool is_full;
	int error; /* errno if the page cannot be made; else 0 */
};

struct http_listing {
	char *path;
	bool is_begun; /* the names are read */
	struct http_names *names;
	struct http_names_counts counts;
	size_t looked_at; /* names of the page */
	size_t shown;     /* of these, names that still existed */
	struct page page;
};

static const char head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<style>\n"
	"body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto;\n"
	"       padding: 1rem; }\n"
	"h1 { font-size: 1.25rem; overflow-wrap: anywhere; }\n"
	"table { border-collapse: collapse; width: 100%; }\n"
	"th, td { padding: .25rem .5rem; border-bottom: 1px solid #8884;\n"
	"         text-align: left; vertical-align: top; box-sizing: border-box; }\n"
	"th + th, td + td { text-align: right; white-space: nowrap;\n"
	"                   font-variant-numeric: tabular-nums; }\n"
	"th:first-child { width: 70%; }\n"
	"td:first-child { overflow-wrap: anywhere; }\n"
	"bdi { white-space: pre-wrap; }\n"
	"a { text-decoration: none; }\n"
	"a:hover, a:focus { text-decoration: underline; }\n"
	"tbody tr:hover { background: #8882; }\n"
	"@media (max-width: 34rem) { /* a telephone: size and time below the name */\n"
	"  thead, td:empty { display: none; }\n"
	"  tr { display: flex; flex-wrap: wrap; border-bottom: 1px solid #8884; }\n"
	"  td { border: 0; }\n"
	"  td:first-child { flex: 0 0 100%; }\n"
	"  td + td { font-size: .8rem; padding-top: 0; }\n"
	"}\n"
	"</style>\n";

struct http_listing *http_listing_begin(int directory, const char *path,
					const char *after)
{
	struct http_listing *listing = calloc(1, sizeof *listing);
	struct http_names *names = http_names_begin(directory, after);
	char *copy = strdup(path);
	int saved = names == NULL ? errno : ENOMEM;

	if (listing != NULL && names != NULL && copy != NULL) {
		listing->path = copy;
		listing->names = names;
		return listing;
	}
	free(copy);
	http_names_end(names);
	free(listing);
	errno = saved;
	return NULL;
}

void http_listing_end(struct http_listing *listing)
{
	if (listing == NULL)
		return;
	buffer_release(&listing->page.text);
	http_names_end(listing->names);
	free(listing->path);
	free(listing);
}

/* ---- writing the page --------------------------------------------------------------------- */

static void put(struct page *page, const char *bytes, size_t n)
{
	if (page->is_full || page->error != 0 ||
	    buffer_append(&page->text, bytes, n, page->most))
		return;
	page->is_full = errno == ENOBUFS;
	page->error = page->is_full ? 0 : errno;
}

static void put_text(struct page *page, const char *text)
{
	put(page, text, strlen(text));
}

/* @return the reference for a character that would be markup, or NULL */
static const char *reference_to(char character)
{
	switch (character) {
	case '<':
		return "&#60;";
	case '>':
		return "&#62;";
	case '&':
		return "&#38;";
	case '"':
		return "&#34;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Writes a name as text or in quotes. Bytes that are not UTF-8 become U+FFFD, the
 * replacement character. */
static void put_escaped(struct page *page, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t n = text_utf8_length(text, left);
		const char *reference = n == 1 ? reference_to(*text) : NULL;

		if (n == 0)
			put_text(page, "\xef\xbf\xbd");
		else if (reference != NULL)
			put_text(page, reference);
		else
			put(page, text, n);
		n = n > 0 ? n : 1;
		text += n;
		left -= n;
	}
}

/* Writes a name as a component of a link. */
static void put_link(struct page *page, const char *name)
{
	char encoded[HTTP_ENCODED];

	for (; *name != '\0'; name++)
		put(page, encoded, http_encode(*name, encoded));
}

static void put_size(struct page *page, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes / 1024;
	char text[CELL_TEXT];
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(text, sizeof text, "%" PRIu64 " B", bytes);
	} else {
		for (; value >= 1023.95; value /= 1024) /* else it would print "1024.0" */
			unit++;
		snprintf(text, sizeof text, "%.1f %ciB", value, units[unit]);
	}
	put_text(page, text);
}

static void put_time(struct page *page, time_t when)
{
	char date[TIME_TEXT], machine[TIME_TEXT], text[CELL_TEXT];
	struct tm parts;

	if (gmtime_r(&when, &parts) == NULL || /* fails from the year 2147485548 on */
	    strftime(date, sizeof date, "%Y-%m-%d %H:%M", &parts) == 0 ||
	    strftime(machine, sizeof machine, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		return;
	snprintf(text, sizeof text, TIME_FORM, machine, date);
	put_text(page, text);
}

/* <bdi> keeps a right-to-left name from changing the order of the text around it. */
static void put_row(struct page *page, const char *name, const struct stat *facts)
{
	const char *slash = S_ISDIR(facts->st_mode) ? "/" : "";

	put_text(page, "<tr><td><a href=\"");
	put_link(page, name);
	put_text(page, slash);
	put_text(page, "\"><bdi>");
	put_escaped(page, name);
	put_text(page, slash);
	put_text(page, "</bdi></a></td><td>");
	if (S_ISREG(facts->st_mode))
		put_size(page, (uint64_t)facts->st_size);
	put_text(page, "</td><td>");
	put_time(page, facts->st_mtime);
	put_text(page, "</td></tr>\n");
}

static void put_title(struct page *page, const char *element, const char *path)
{
	put_text(page, "<");
	put_text(page, element);
	put_text(page, ">Index of /");
	put_escaped(page, path);
	put_text(page, "</");
	put_text(page, element);
	put_text(page, ">\n");
}

static void put_head(struct page *page, const char *path)
{
	put_text(page, head);
	put_title(page, "title", path);
	put_text(page, "</head>\n<body>\n");
	put_title(page, "h1", path);
	put_text(page, "<table>\n"
		       "<thead><tr><th>Name</th><th>Size</th><th>Modified "
		       "(UTC)</th></tr></thead>\n"
		       "<tbody>\n");
	if (*path != '\0')
		put_text(page,
			 "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
}

/* Writes the row of the next name, or nothing if the row does not fit. */
static void put_next(struct http_listing *listing)
{
	struct page *page = &listing->page;
	size_t before = buffer_length(&page->text);
	struct stat facts;
	int found = http_names_look(listing->names, listing->looked_at, &facts);

	if (found < 0) {
		page->error = errno;
		return;
	}
	if (found > 0)
		put_row(page, http_names_text(listing->names, listing->looked_at),
			&facts);
	if (page->is_full) {
		buffer_truncate(&page->text, before);
		return;
	}
	listing->looked_at++;
	if (found > 0)
		listing->shown++;
}

/* The link contains the name of the last row, because the next name may be removed
 * before the link is followed. */
static void put_link_to_next(struct page *page, const struct http_names *names,
			     size_t last)
{
	put_text(page, "<a href=\"?after=");
	put_link(page, http_names_text(names, last));
	put_text(page, http_names_is_directory(names, last) ? "%2F" : "");
	put_text(page, "\">Next page</a>");
}

/* Whether there are names after those on this page. */
static bool has_next(const struct http_listing *listing)
{
	return listing->looked_at > 0 && listing->counts.after > listing->looked_at;
}

static void put_range(struct page *page, const struct http_listing *listing)
{
	const struct http_names_counts *counts = &listing->counts;
	uint64_t gone = listing->looked_at - listing->shown;
	char text[COUNT_TEXT];

	snprintf(text, sizeof text, "%" PRIu64 " to %" PRIu64 " of %" PRIu64 ".",
		 counts->before + 1, counts->before + listing->shown,
		 counts->before + counts->after - gone);
	put_text(page, text);
}

/* Writes the range of the names, their number, and links to other pages. */
static void put_navigation(struct page *page, const struct http_listing *listing)
{
	const char *gap = listing->shown > 0 ? " " : "";

	put_text(page, "<p>");
	if (listing->shown > 0)
		put_range(page, listing);
	if (listing->counts.before > 0) {
		put_text(page, gap);
		put_text(page, "<a href=\"./\">First page</a>");
		gap = " ";
	}
	if (has_next(listing)) {
		put_text(page, gap);
		put_link_to_next(page, listing->names, listing->looked_at - 1);
	}
	put_text(page, "</p>\n");
}

static void put_foot(struct page *page, const struct http_listing *listing)
{
	bool is_later = listing->counts.before > 0;

	put_text(page, "</tbody>\n</table>\n");
	if (listing->shown == 0 && !has_next(listing))
		put_text(page, is_later ? "<p>There are no more files here.</p>\n"
					: "<p>There are no files here.</p>\n");
	if (is_later || has_next(listing))
		put_navigation(page, listing);
	put_text(page, "</body>\n</html>\n");
	put(page, "", 1); /* a NUL, which is not part of the page */
}

/* ---- steps
 * ------------------------------------------------------------------------------ */

static int fail(int error)
{
	errno = error;
	return -1;
}

/* @return 1 if there is more to write, 0 when the page is complete, -1 with errno */
static int write_some(struct http_listing *listing)
{
	struct page *page = &listing->page;

	for (int i = 0; i < ROWS_TURN && listing->looked_at < listing->counts.kept &&
			!page->is_full && page->error == 0;
	     i++)
		put_next(listing);
	if (page->error != 0)
		return fail(page->error);
	if (listing->looked_at < listing->counts.kept && !page->is_full)
		return 1;
	page->most = HTTP_LISTING_PAGE;
	page->is_full = false;
	put_foot(page, listing);
	return page->error == 0 ? 0 : fail(page->error);
}

int http_listing_go_on(struct http_listing *listing)
{
	struct page *page = &listing->page;
	int more;

	if (!listing->is_begun) {
		more = http_names_read(listing->names, NAMES_TURN);
		if (more != 0)
			return more;
		listing->is_begun = true;
		listing->counts = http_names_count(listing->names);
		page->most = HTTP_LISTING_PAGE - FOOT;
		put_head(page, listing->path);
		/* only if the path is longer than any that can be opened */
		if (page->is_full)
			return fail(ENAMETOOLONG);
	}
	return write_some(listing);
}

char *http_listing_take(struct http_listing *listing, size_t *length)
{
	char *bytes = buffer_take(&listing->page.text, length);

	--*length; /* without the NUL */
	return bytes;
}
