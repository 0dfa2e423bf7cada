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

enum { FIRST_ROOM = 64, TIME_TEXT = 48 };

struct entry {
	bool is_directory;
	uint64_t size; /* bytes */
	time_t modified;
	char name[];
};

struct entries {
	struct entry **all;
	size_t count, room;
	size_t left_out; /* past HTTP_LISTING_MOST */
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

static void release(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->all[i]);
	free(entries->all);
}

static bool make_room(struct entries *entries)
{
	size_t room = entries->room > 0 ? 2 * entries->room : FIRST_ROOM;
	struct entry **all;

	if (entries->count < entries->room)
		return true;
	all = realloc(entries->all, room * sizeof *all);
	if (all == NULL)
		return false;
	entries->all = all;
	entries->room = room;
	return true;
}

/* Adds what is served. @return false without memory */
static bool add(struct entries *entries, int directory, const char *name)
{
	size_t size = strlen(name) + 1;
	struct entry *entry;
	struct stat status;

	if (!http_name_is_served(name))
		return true;
	if (entries->count == HTTP_LISTING_MOST) {
		entries->left_out++;
		return true;
	}
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
		return true;
	if (!make_room(entries))
		return false;
	entry = malloc(sizeof *entry + size);
	if (entry == NULL)
		return false;
	entry->is_directory = S_ISDIR(status.st_mode);
	entry->size = (uint64_t)status.st_size;
	entry->modified = status.st_mtime;
	memcpy(entry->name, name, size);
	entries->all[entries->count++] = entry;
	return true;
}

static int compare(const void *left, const void *right)
{
	const struct entry *a = *(const struct entry *const *)left;
	const struct entry *b = *(const struct entry *const *)right;

	if (a->is_directory != b->is_directory)
		return a->is_directory ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* @return false with errno */
static bool read_entries(DIR *stream, struct entries *entries)
{
	const struct dirent *next;

	while (errno = 0, (next = readdir(stream)) != NULL)
		if (!add(entries, dirfd(stream), next->d_name))
			return false;
	if (errno != 0)
		return false;
	if (entries->count > 0)
		qsort(entries->all, entries->count, sizeof *entries->all, compare);
	return true;
}

/* ---- writing the page --------------------------------------------------------------------- */

/* As text, or in quotes. What is no UTF-8 is shown as U+FFFD, the replacement character. */
static void write_text(FILE *page, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t n = text_utf8_length(text, left);

		if (n == 0)
			fputs("\xef\xbf\xbd", page);
		else if (n == 1 && strchr("<>&\"'", *text) != NULL)
			fprintf(page, "&#%d;", *text);
		else
			fwrite(text, 1, n, page);
		n = n > 0 ? n : 1;
		text += n;
		left -= n;
	}
}

/* As a component of a link: all bytes but the unreserved ones (RFC 3986, section 2.3) are
 * percent-encoded, the ':' above all, or "javascript:" in front would be a scheme. */
static void write_link(FILE *page, const char *name)
{
	for (; *name != '\0'; name++) {
		unsigned char byte = (unsigned char)*name;

		if (byte < 128 && (isalnum(byte) || strchr("-._~", byte) != NULL))
			fputc(byte, page);
		else
			fprintf(page, "%%%02X", (unsigned)byte);
	}
}

static void write_size(FILE *page, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		fprintf(page, "%" PRIu64 " B", bytes);
		return;
	}
	for (; value >= 1023.95; value /= 1024) /* which would be "1024.0" */
		unit++;
	fprintf(page, "%.1f %ciB", value, units[unit]);
}

static void write_time(FILE *page, time_t when)
{
	char date[TIME_TEXT], machine[TIME_TEXT];
	struct tm parts;

	if (gmtime_r(&when, &parts) == NULL || /* in the year 2147485548 and later */
	    strftime(date, sizeof date, "%Y-%m-%d %H:%M", &parts) == 0 ||
	    strftime(machine, sizeof machine, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		return;
	fprintf(page, "<time datetime=\"%s\">%s</time>", machine, date);
}

/* <bdi>: a name that is written from right to left turns only itself round. */
static void write_entry(FILE *page, const struct entry *entry)
{
	const char *slash = entry->is_directory ? "/" : "";

	fputs("<tr><td><a href=\"", page);
	write_link(page, entry->name);
	fprintf(page, "%s\"><bdi>", slash);
	write_text(page, entry->name);
	fprintf(page, "%s</bdi></a></td><td>", slash);
	if (!entry->is_directory)
		write_size(page, entry->size);
	fputs("</td><td>", page);
	write_time(page, entry->modified);
	fputs("</td></tr>\n", page);
}

static void write_title(FILE *page, const char *element, const char *path)
{
	fprintf(page, "<%s>Index of /", element);
	write_text(page, path);
	fprintf(page, "</%s>\n", element);
}

static void write_page(FILE *page, const char *path, const struct entries *entries)
{
	fputs(head, page);
	write_title(page, "title", path);
	fputs("</head>\n<body>\n", page);
	write_title(page, "h1", path);
	fputs("<table>\n"
	      "<thead><tr><th>Name</th><th>Size</th><th>Modified "
	      "(UTC)</th></tr></thead>\n"
	      "<tbody>\n",
	      page);
	if (*path != '\0')
		fputs("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n",
		      page);
	for (size_t i = 0; i < entries->count; i++)
		write_entry(page, entries->all[i]);
	fputs("</tbody>\n</table>\n", page);
	if (entries->count == 0)
		fputs("<p>There are no files here.</p>\n", page);
	if (entries->left_out > 0)
		fprintf(page, "<p>%zu more are not shown.</p>\n", entries->left_out);
	fputs("</body>\n</html>\n", page);
}

/* @return the page, or NULL with errno */
static char *make_page(const char *path, const struct entries *entries, size_t *length)
{
	char *text = NULL;
	FILE *page = open_memstream(&text, length);
	bool failed;

	if (page == NULL)
		return NULL;
	write_page(page, path, entries);
	failed = ferror(page) != 0;
	if (fclose(page) == 0 && !failed)
		return text;
	free(text);
	errno = ENOMEM;
	return NULL;
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
		page = make_page(path, &entries, length);
	saved = errno;
	release(&entries);
	closedir(stream);
	errno = saved;
	return page;
}
