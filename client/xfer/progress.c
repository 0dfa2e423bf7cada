/*
 * progress - the progress line of a transfer on the terminal.
 *
 * The line is drawn at most ten times per second and one column narrower than the terminal,
 * so that it never wraps. Before any other message it must be erased:
 * xfer_progress_clear(). The width of characters comes from a short table, not from
 * wcwidth(3), whose result depends on the locale.
 */
#include "client/xfer/progress.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/text.h"

enum {
	INTERVAL = 100,     /* milliseconds between two drawings */
	DEFAULT_WIDTH = 80, /* columns */
	MOST_WIDTH = 500,   /* columns */
	LEAST_NAME = 8,     /* minimum columns of the name */
	LEAST_BAR = 8,
	MOST_BAR = 32,
	LINE_TEXT = 5 * MOST_WIDTH,
};

static const char clear[] = "\r\033[K";

static bool allowed;
static volatile sig_atomic_t shown; /* read by the signal handler, too */
static int64_t drawn;               /* milliseconds: time of the last drawing */

void xfer_progress_allow(void)
{
	allowed = isatty(STDERR_FILENO) == 1;
	drawn = clock_milliseconds(); /* a short transfer needs no line */
}

bool xfer_progress_is_allowed(void)
{
	return allowed;
}

void xfer_progress_clear(void)
{
	if (!shown)
		return;
	shown = 0;
	(void)!write(STDERR_FILENO, clear, strlen(clear));
}

/* ---- numbers, as people read them -------------------------------------------------------- */

const char *xfer_bytes_text(double bytes, char out[XFER_NUMBER_TEXT])
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;

	for (; bytes >= 999.5 && unit + 2 < sizeof units; unit++)
		bytes /= 1000;
	if (unit == 0)
		snprintf(out, XFER_NUMBER_TEXT, "%.0f B", bytes);
	else
		snprintf(out, XFER_NUMBER_TEXT, "%.*f %cB", bytes < 9.95 ? 1 : 0, bytes,
			 units[unit]);
	return out;
}

static const char *time_text(double seconds, char out[XFER_NUMBER_TEXT])
{
	unsigned long whole;

	if (!(seconds < 360000)) /* a hundred hours */
		return "--:--";
	whole = (unsigned long)(seconds + 0.5);
	if (whole >= 3600)
		snprintf(out, XFER_NUMBER_TEXT, "%lu:%02lu:%02lu", whole / 3600,
			 whole / 60 % 60, whole % 60);
	else
		snprintf(out, XFER_NUMBER_TEXT, "%lu:%02lu", whole / 60, whole % 60);
	return out;
}

/* ---- the line ---------------------------------------------------------------------------- */

/* The width of a character in columns. wcwidth(3) is exact only in a UTF-8 locale,
 * and the tables of musl and glibc differ. The blocks of wide characters
 * (EastAsianWidth.txt of Unicode) and the common combining marks suffice here. */
static unsigned columns_of(const unsigned char *at, size_t n)
{
	unsigned long point = at[0];

	if (n == 2)
		point = (at[0] & 0x1fUL) << 6 | (at[1] & 0x3fUL);
	else if (n == 3)
		point = (at[0] & 0x0fUL) << 12 | (at[1] & 0x3fUL) << 6 | (at[2] & 0x3fUL);
	else if (n == 4)
		point = (at[0] & 0x07UL) << 18 | (at[1] & 0x3fUL) << 12 |
			(at[2] & 0x3fUL) << 6 | (at[3] & 0x3fUL);
	if ((point >= 0x300 && point <= 0x36f) || (point >= 0x200b && point <= 0x200f) ||
	    (point >= 0xfe00 && point <= 0xfe0f))
		return 0;
	if ((point >= 0x1100 && point <= 0x115f) ||
	    (point >= 0x2e80 && point <= 0xa4cf) ||
	    (point >= 0xac00 && point <= 0xd7a3) ||
	    (point >= 0xf900 && point <= 0xfaff) ||
	    (point >= 0xfe30 && point <= 0xfe6f) ||
	    (point >= 0xff00 && point <= 0xff60) ||
	    (point >= 0xffe0 && point <= 0xffe6) ||
	    (point >= 0x1f300 && point <= 0x1faff) ||
	    (point >= 0x20000 && point <= 0x3fffd))
		return 2;
	return 1;
}

/* Number of bytes of the text that fit into that many columns, at four bytes per
 * column: some characters have no width. @return it, and *used columns */
static size_t fitting(const char *text, unsigned columns, unsigned *used)
{
	size_t length = strlen(text), at = 0;

	*used = 0;
	while (at < length) {
		const unsigned char *from = (const unsigned char *)text + at;
		size_t n = text_utf8_length(from, length - at);
		unsigned wide = n > 0 ? columns_of(from, n) : 1;

		if (*used + wide > columns || at + n > 4 * (size_t)columns)
			break;
		*used += wide;
		at += n > 0 ? n : 1;
	}
	return at;
}

/* "45%  13.4 of 30 MB  4.5 MB/s  0:03" */
static int figures(const struct xfer_progress *progress, char *out, size_t size)
{
	double seconds = (double)progress->nanoseconds / 1e9;
	uint64_t moved = progress->at - progress->resumed;
	double rate = seconds > 0 ? (double)moved / seconds : 0;
	double left = (double)(progress->size - progress->at);
	double percent = progress->size > 0
				 ? 100 * (double)progress->at / (double)progress->size
				 : 100;
	char there[XFER_NUMBER_TEXT], all[XFER_NUMBER_TEXT], speed[XFER_NUMBER_TEXT],
		time[XFER_NUMBER_TEXT], before[XFER_NUMBER_TEXT];
	int length = snprintf(out, size, "%3.0f%%  %s of %s  %s/s  %s", percent,
			      xfer_bytes_text((double)progress->at, there),
			      xfer_bytes_text((double)progress->size, all),
			      xfer_bytes_text(rate, speed), time_text(left / rate, time));

	if (progress->resumed > 0 && length > 0 && (size_t)length < size)
		length += snprintf(out + length, size - (size_t)length, "  (from %s)",
				   xfer_bytes_text((double)progress->resumed, before));
	return length;
}

/* "[#####-----] "; "=" is the part that existed before. */
static size_t bar(const struct xfer_progress *progress, unsigned columns, char *out)
{
	unsigned cells = columns - (unsigned)strlen("[] ");
	double size = progress->size > 0 ? (double)progress->size : 1;
	size_t used = 0;

	out[used++] = '[';
	for (unsigned i = 0; i < cells; i++) {
		double place = size * (i + 1) / cells;

		if (place <= (double)progress->resumed)
			out[used++] = '=';
		else
			out[used++] = place <= (double)progress->at ? '#' : '-';
	}
	out[used++] = ']';
	out[used++] = ' ';
	return used;
}

char *xfer_progress_text(const struct xfer_progress *progress, unsigned width, char *out,
			 size_t size)
{
	char text[160], line[LINE_TEXT];
	unsigned columns, free_columns, name_columns = 0, bar_columns = 0, ignored;
	size_t used, name;

	width = width < 2 ? 1 : width > MOST_WIDTH ? MOST_WIDTH - 1 : width - 1;
	columns = (unsigned)figures(progress, text, sizeof text);
	free_columns = width > columns + 1 ? width - columns - 1 : 0;
	if (free_columns > 3 * LEAST_NAME)
		bar_columns = free_columns / 2 > MOST_BAR ? MOST_BAR : free_columns / 2;
	if (bar_columns < LEAST_BAR)
		bar_columns = 0;
	if (free_columns - bar_columns > 0)
		name_columns = free_columns - bar_columns;
	if (name_columns < LEAST_NAME)
		name_columns = LEAST_NAME;
	name = fitting(progress->name, name_columns, &columns);
	used = text_one_line(progress->name, name, line); /* name in bytes and columns */
	line[used++] = ' ';
	for (; bar_columns > 0 && columns < name_columns; columns++)
		line[used++] = ' '; /* the bar is at a fixed column, whatever the name */
	if (bar_columns > 0)
		used += bar(progress, bar_columns, line + used);
	snprintf(line + used, sizeof line - used, "%s", text);
	used = fitting(line, width, &ignored);
	snprintf(out, size, "%.*s", (int)used, line);
	return out;
}

static unsigned terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return DEFAULT_WIDTH;
}

void xfer_progress_show(const struct xfer_progress *progress)
{
	char line[LINE_TEXT + sizeof clear];
	int64_t now;

	if (!allowed)
		return;
	now = clock_milliseconds();
	if (now - drawn < INTERVAL)
		return;
	drawn = now;
	memcpy(line, clear, strlen(clear));
	xfer_progress_text(progress, terminal_width(), line + strlen(clear), LINE_TEXT);
	shown = 1;
	io_write(STDERR_FILENO, line, strlen(line));
}
