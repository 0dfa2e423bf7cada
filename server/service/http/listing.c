#define _DEFAULT_SOURCE /* d_type, which is in POSIX since 2024 */

#include "server/service/http/listing.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/text.h"
#include "server/buffer.h"

#define TIME_FORM "<time datetime=\"%s\">%s</time>"

enum {
	FIRST_ROOM = 64,
	TIME_TEXT = 48,
	CELL_TEXT = 2 * TIME_TEXT + sizeof TIME_FORM,
	/* What a row takes but for the name, which is in it twice; most take a little more. */
	ROW = 126,
	/* What is kept free for the end of the page. */
	FOOT = 256,
};

struct entry {
	bool is_directory;
	size_t length;
	char name[];
};

/* Of a large directory only the first entries by their order are kept while it is read: as
 * many as may find room on the page. */
struct entries {
	struct entry **all;
	size_t count, room;
	size_t rows; /* bytes that they will take on the page, or more */
	const struct entry
		*bound;  /* what is behind it finds no room; NULL: anything may */
	size_t left_out; /* so many found none */
	bool more;       /* past HTTP_LISTING_MOST there are others, not read */
};

struct page {
	struct buffer text;
	size_t most; /* bytes that it may have */
	bool is_full;
	int error; /* errno, if it cannot be made; else 0 */
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

bool http_name_is_served(const char *name)
{
	if (*name == '.')
		return false;
	for (; *name != '\0'; name++)
		if ((unsigned char)*name < ' ' || *name == 127)
			return false;
	return true;
}

/* ---- reading the directory --------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
	const struct entry *a = *(const struct entry *const *)left;
	const struct entry *b = *(const struct entry *const *)right;

	if (a->is_directory != b->is_directory)
		return a->is_directory ? -1 : 1;
	return strcmp(a->name, b->name);
}

static size_t row_of(const struct entry *entry)
{
	return ROW + 2 * entry->length;
}

static void release(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->all[i]);
	free(entries->all);
}

/* Sorts the entries, and leaves out those at the end that find no room on the page. */
static void sort(struct entries *entries)
{
	size_t kept = 1, rows;

	if (entries->count == 0)
		return;
	qsort(entries->all, entries->count, sizeof *entries->all, compare);
	rows = row_of(entries->all[0]);
	while (kept < entries->count &&
	       rows + row_of(entries->all[kept]) <= HTTP_LISTING_PAGE)
		rows += row_of(entries->all[kept++]);
	if (kept < entries->count)
		entries->bound = entries->all[kept - 1];
	for (size_t i = kept; i < entries->count; i++)
		free(entries->all[i]);
	entries->left_out += entries->count - kept;
	entries->count = kept;
	entries->rows = rows;
}

static bool make_room(struct entries *entries)
{
	size_t room = entries->room > 0 ? 2 * entries->room : FIRST_ROOM;
	struct entry **all;

	if (entries->rows > 2 * HTTP_LISTING_PAGE)
		sort(entries);
	if (entries->count < entries->room)
		return true;
	all = realloc(entries->all, room * sizeof *all);
	if (all == NULL)
		return false;
	entries->all = all;
	entries->room = room;
	return true;
}

/* @return false without memory */
static bool add(struct entries *entries, const char *name, bool is_directory)
{
	size_t length = strlen(name);
	struct entry *entry = malloc(sizeof *entry + length + 1);

	if (entry == NULL)
		return false;
	entry->is_directory = is_directory;
	entry->length = length;
	memcpy(entry->name, name, length + 1);
	if (entries->bound != NULL && compare(&entry, &entries->bound) > 0) {
		entries->left_out++;
		free(entry);
		return true;
	}
	if (!make_room(entries)) {
		free(entry);
		return false;
	}
	entries->all[entries->count++] = entry;
	entries->rows += row_of(entry);
	return true;
}

/* Whether it is a file or a directory that is served; *facts are the truth of now, and tell
 * which. */
static bool look_at(int directory, const char *name, struct stat *facts)
{
	return fstatat(directory, name, facts, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (S_ISREG(facts->st_mode) || S_ISDIR(facts->st_mode));
}

/* The same for a name that has been read: with it most file systems say what it is, which
 * saves the look at those for which there will be no room. */
static bool is_listed(int directory, const struct dirent *read, bool *is_directory)
{
	struct stat facts;

	if (!http_name_is_served(read->d_name))
		return false;
#ifdef DT_UNKNOWN
	*is_directory = read->d_type == DT_DIR;
	if (read->d_type != DT_UNKNOWN)
		return read->d_type == DT_REG || read->d_type == DT_DIR;
#endif
	if (!look_at(directory, read->d_name, &facts))
		return false;
	*is_directory = S_ISDIR(facts.st_mode);
	return true;
}

/* @return false with errno */
static bool read_entries(DIR *stream, struct entries *entries)
{
	const struct dirent *next;
	bool is_directory;

	while (errno = 0, (next = readdir(stream)) != NULL) {
		if (!is_listed(dirfd(stream), next, &is_directory))
			continue;
		entries->more = entries->count + entries->left_out == HTTP_LISTING_MOST;
		if (entries->more)
			break;
		if (!add(entries, next->d_name, is_directory))
			return false;
	}
	if (next == NULL && errno != 0)
		return false;
	sort(entries);
	return true;
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

/* What stands for a character that would be markup, or NULL. */
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

/* As text, or in quotes. What is no UTF-8 is shown as U+FFFD, the replacement character. */
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

/* As a component of a link: all bytes but the unreserved ones (RFC 3986, section 2.3) are
 * percent-encoded, the ':' above all, or "javascript:" in front would be a scheme. */
static void put_link(struct page *page, const char *name)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *name != '\0'; name++) {
		unsigned char byte = (unsigned char)*name;
		const char encoded[] = { '%', digits[byte >> 4], digits[byte & 15] };

		if (byte < 128 && (isalnum(byte) || strchr("-._~", byte) != NULL))
			put(page, name, 1);
		else
			put(page, encoded, sizeof encoded);
	}
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
		for (; value >= 1023.95; value /= 1024) /* which would be "1024.0" */
			unit++;
		snprintf(text, sizeof text, "%.1f %ciB", value, units[unit]);
	}
	put_text(page, text);
}

static void put_time(struct page *page, time_t when)
{
	char date[TIME_TEXT], machine[TIME_TEXT], text[CELL_TEXT];
	struct tm parts;

	if (gmtime_r(&when, &parts) == NULL || /* in the year 2147485548 and later */
	    strftime(date, sizeof date, "%Y-%m-%d %H:%M", &parts) == 0 ||
	    strftime(machine, sizeof machine, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		return;
	snprintf(text, sizeof text, TIME_FORM, machine, date);
	put_text(page, text);
}

/* <bdi>: a name that is written from right to left turns only itself round. */
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

/* All of the row, or nothing of it. @return whether it found room */
static bool put_entry(struct page *page, const struct entry *entry, int directory)
{
	size_t before = page->text.length;
	struct stat facts;

	if (!look_at(directory, entry->name, &facts))
		return true; /* it has gone meanwhile */
	put_row(page, entry->name, &facts);
	if (page->is_full)
		page->text.length = before;
	return !page->is_full;
}

static void put_entries(struct page *page, struct entries *entries, int directory)
{
	size_t shown = 0;

	page->most = HTTP_LISTING_PAGE - FOOT;
	while (shown < entries->count && put_entry(page, entries->all[shown], directory))
		shown++;
	entries->left_out += entries->count - shown;
	page->most = HTTP_LISTING_PAGE;
	page->is_full = false;
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

static void put_foot(struct page *page, const struct entries *entries)
{
	char text[FOOT / 2];

	put_text(page, "</tbody>\n</table>\n");
	if (entries->count == 0)
		put_text(page, "<p>There are no files here.</p>\n");
	snprintf(text, sizeof text, "<p>%s%zu more are not shown.</p>\n",
		 entries->more ? "At least " : "",
		 entries->left_out + (entries->more ? 1 : 0));
	if (entries->left_out > 0 || entries->more)
		put_text(page, text);
	put_text(page, "</body>\n</html>\n");
}

static void put_page(struct page *page, const char *path, struct entries *entries,
		     int directory)
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
	put_entries(page, entries, directory);
	put_foot(page, entries);
	put(page, "", 1); /* a NUL, which is not part of it */
}

/* @return the page, or NULL with errno */
static char *make_page(const char *path, struct entries *entries, int directory,
		       size_t *length)
{
	struct page page = { .most = HTTP_LISTING_PAGE };

	put_page(&page, path, entries, directory);
	if (page.is_full) /* of the path alone: longer than any that can be opened */
		page.error = ENAMETOOLONG;
	if (page.error != 0) {
		buffer_consume(&page.text, page.text.length);
		errno = page.error;
		return NULL;
	}
	*length = page.text.length - 1;
	return page.text.bytes;
}

char *http_listing(int directory, const char *path, size_t *length)
{
	struct entries entries = { 0 };
	DIR *stream = fdopendir(directory);
	char *page = NULL;
	int saved;

	if (stream == NULL) {
		saved = errno;
		close(directory);
		errno = saved;
		return NULL;
	}
	if (read_entries(stream, &entries))
		page = make_page(path, &entries, dirfd(stream), length);
	saved = errno;
	release(&entries);
	closedir(stream);
	errno = saved;
	return page;
}
