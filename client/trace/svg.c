/*
 * svg - a row for each client; in a row, a path for each kind of column.
 *
 * A path of many short lines ("m3 0h2") takes fewer bytes than a rectangle for each, so a busy
 * trace stays small. There is a background, because a browser may have a white one for a file of
 * its own although dark colours are preferred. The kinds differ in colour and in height, so they
 * can be told apart without colours as well. The colours are those of Okabe and Ito, which people with colour blindness can tell apart;
 * prefers-color-scheme replaces those that are hard to see on a dark page. All classes begin with
 * "tl-", because the styles of an SVG hold for the whole HTML document that it is a part of.
 *
 * The text of a row's title is what a browser shows when the pointer is on the row.
 */
#include "client/trace/svg.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/markup.h"

enum {
	TOP = 58,        /* above the first row: the heading and the axis */
	ROW = 16,        /* height of a row */
	LABELS = 150,    /* left of the columns: the client and its worker */
	MARGIN = 12,     /* right of the columns */
	LEGEND_ROW = 18, /* height */
	TICKS = 4,       /* parts of the axis */
};

static const struct {
	const char *class, *meaning;
} kinds[COLUMN_KINDS] = {
	[COLUMN_BACKLOG] = { "tl-k", "waits for accept(2), in the backlog" },
	[COLUMN_QUEUED] = { "tl-q", "waits for a worker" },
	[COLUMN_IDLE] = { "tl-i", "the worker waits for the client's bytes" },
	[COLUMN_LITTLE] = { "tl-l", "the worker waits, and works a little" },
	[COLUMN_WORKING] = { "tl-w", "the worker works for the client (a colour for each "
				     "worker)" },
	[COLUMN_SENDING] = { "tl-s", "output waits until the client reads" },
};

static const char style[] =
	"<style>"
	".tl-b{fill:#fff}"
	".tl-t{font:12px sans-serif;fill:#222}"
	".tl-n{font:11px monospace;fill:#222}"
	".tl-a{stroke:#bbb;stroke-width:1;fill:none}"
	".tl-k{stroke:#e69f00;stroke-width:1.5;stroke-dasharray:4 3}"
	".tl-k,.tl-q,.tl-i,.tl-l,.tl-w,.tl-s,.tl-o{fill:none}"
	".tl-q{stroke:#e69f00;stroke-width:5}"
	".tl-i{stroke:#999;stroke-width:1}"
	".tl-l{stroke:#56b4e9;stroke-width:8}"
	".tl-w{stroke:#0072b2;stroke-width:12}"
	".tl-w1{stroke:#d55e00}.tl-w2{stroke:#009e73}.tl-w3{stroke:#7b3294}"
	".tl-w4{stroke:#8c564b}"
	".tl-s{stroke:#cc79a7;stroke-width:3}"
	".tl-o{stroke:#222;stroke-width:2}"
	"@media (prefers-color-scheme:dark){"
	".tl-b{fill:#1b1b1b}.tl-t,.tl-n{fill:#eee}.tl-a{stroke:#555}.tl-w{stroke:#2f9fe0}"
	".tl-w1{stroke:#ff8c3a}.tl-w2{stroke:#2fc79b}.tl-w3{stroke:#c38be0}"
	".tl-w4{stroke:#c99a8f}.tl-l{stroke:#9fd6f5}.tl-o{stroke:#eee}}"
	"</style>\n";

static void write_heading(FILE *out, const struct trace_view *view, unsigned width,
			  size_t height)
{
	const struct trace *trace = view->trace;
	char time[TRACE_TIME_TEXT];

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%u\" "
		"height=\"%zu\" viewBox=\"0 0 %u %zu\">\n<title>",
		width, height, width, height);
	markup_write(trace->service, out);
	fputs("d-", out);
	markup_write(trace->model, out);
	fprintf(out, ": timeline of %zu client%s</title>\n<desc>", view->count,
		view->count == 1 ? "" : "s");
	fprintf(out,
		"A row for each client, over a time of %s. The colour and the height "
		"of a row tell who waits for what.</desc>\n",
		trace_time_text(view->to - view->from, time));
	fputs(style, out);
	fprintf(out, "<rect class=\"tl-b\" width=\"%u\" height=\"%zu\"/>\n", width,
		height);
	fputs("<text class=\"tl-t\" x=\"8\" y=\"18\">", out);
	markup_write(trace->service, out);
	fputs("d-", out);
	markup_write(trace->model, out);
	fprintf(out, ": %zu client%s, %zu worker%s, %s</text>\n", view->count,
		view->count == 1 ? "" : "s", trace->lane_count,
		trace->lane_count == 1 ? "" : "s",
		trace_time_text(view->to - view->from, time));
}

static void write_axis(FILE *out, const struct trace_view *view, size_t columns)
{
	size_t bottom = TOP + view->count * ROW;
	char time[TRACE_TIME_TEXT];

	fprintf(out, "<text class=\"tl-n\" x=\"8\" y=\"%d\">client worker</text>\n",
		TOP - 12);
	for (size_t i = 0; i <= TICKS; i++) {
		int64_t length = view->to - view->from;
		int64_t at = view->from + length / TICKS * (int64_t)i +
			     length % TICKS * (int64_t)i / TICKS;
		size_t x = LABELS + columns * i / TICKS;

		fprintf(out,
			"<path class=\"tl-a\" d=\"M%zu %dV%zu\"/>"
			"<text class=\"tl-n\" x=\"%zu\" y=\"%d\" text-anchor=\"%s\">%s"
			"</text>\n",
			x, TOP - 8, bottom, x, TOP - 12,
			i == 0       ? "start"
			: i == TICKS ? "end"
				     : "middle",
			trace_time_text(at, time));
	}
}

/* The work of each worker has a colour of its own, again and again. */
static const char *class_of(int kind, size_t lane)
{
	static const char *const workers[] = { "tl-w", "tl-w tl-w1", "tl-w tl-w2",
					       "tl-w tl-w3", "tl-w tl-w4" };

	if (kind != COLUMN_WORKING || lane == TRACE_NO_WORKER)
		return kinds[kind].class;
	return workers[lane % (sizeof workers / sizeof *workers)];
}

/* All columns of one kind. */
static void write_path(FILE *out, const unsigned char *columns, size_t count, int kind,
		       size_t lane, size_t y)
{
	size_t end = 0; /* of the last line */
	bool begun = false;

	for (size_t i = 0, next; i < count; i = next) {
		next = i + 1;
		if (columns[i] != kind)
			continue;
		while (next < count && columns[next] == kind)
			next++;
		if (begun)
			fprintf(out, "m%zu 0h%zu", i - end, next - i);
		else
			fprintf(out, "<path class=\"%s\" d=\"M%zu %zuh%zu",
				class_of(kind, lane), LABELS + i, y, next - i);
		begun = true;
		end = next;
	}
	if (begun)
		fputs("\"/>", out);
}

/* What is known of the client, for its title. */
static void write_facts(FILE *out, const struct trace_view *view,
			const struct trace_client *client)
{
	char time[TRACE_TIME_TEXT], worker[TRACE_WORKER_TEXT];

	fprintf(out, "client %" PRIu64 " ", client->number);
	markup_write(client->address, out);
	fprintf(out, " from %s, worker %s", trace_time_text(client->from, time),
		trace_worker_text(view->trace, client->worker, worker));
	fprintf(out, " after %s: ", trace_time_text(client->queued, time));
	fprintf(out, "%" PRIu64 " requests, %" PRIu64 " bytes in, %" PRIu64 " out; ",
		client->requests, client->bytes_in, client->bytes_out);
	markup_write(client->closed ? "closed: " : "not closed", out);
	markup_write(client->why, out);
}

/* Whether the picture marks the end of the row: the trace has no close, and its end is shown. */
static bool is_open(const struct trace_view *view, const struct trace_client *client)
{
	return !client->closed && client->to <= view->to;
}

static void write_row(FILE *out, const struct trace_view *view, size_t row,
		      unsigned char *columns, size_t count)
{
	const struct trace_client *client = view->rows[row];
	size_t y = TOP + row * ROW + ROW / 2;
	char worker[TRACE_WORKER_TEXT];

	trace_view_columns(view, client, count, columns);
	fputs("<g><title>", out);
	write_facts(out, view, client);
	fprintf(out, "</title><text class=\"tl-n\" x=\"8\" y=\"%zu\">%" PRIu64 "</text>",
		y + 4, client->number);
	if (row == 0 || !view->lanes || view->rows[row - 1]->lane != client->lane)
		fprintf(out, "<text class=\"tl-n\" x=\"56\" y=\"%zu\">%.13s</text>",
			y + 4, trace_worker_text(view->trace, client->worker, worker));
	for (int kind = COLUMN_BACKLOG; kind < COLUMN_KINDS; kind++)
		write_path(out, columns, count, kind, client->lane, y);
	if (is_open(view, client))
		fprintf(out, "<path class=\"tl-o\" d=\"M%zu %zul5 4l-5 4\"/>",
			LABELS + count, y - 4);
	fputs("</g>\n", out);
}

/* What the picture contains, and the legend explains. */
struct contents {
	bool kinds[COLUMN_KINDS], open_clients;
	unsigned count; /* how many of them */
};

static struct contents find_contents(const struct trace_view *view,
				     unsigned char *columns, size_t count)
{
	struct contents found = { .count = 0 };

	for (size_t row = 0; row < view->count; row++) {
		trace_view_columns(view, view->rows[row], count, columns);
		for (size_t i = 0; i < count; i++)
			found.kinds[columns[i]] = true;
		found.open_clients |= is_open(view, view->rows[row]);
	}
	for (int kind = COLUMN_BACKLOG; kind < COLUMN_KINDS; kind++)
		found.count += found.kinds[kind];
	found.count += found.open_clients;
	return found;
}

static void write_legend(FILE *out, const struct trace_view *view,
			 const struct contents *contents)
{
	size_t y = TOP + view->count * ROW + LEGEND_ROW;

	for (int kind = COLUMN_BACKLOG; kind < COLUMN_KINDS; kind++) {
		if (!contents->kinds[kind])
			continue;
		fprintf(out,
			"<path class=\"%s\" d=\"M8 %zuh40\"/>"
			"<text class=\"tl-t\" x=\"56\" y=\"%zu\">%s</text>\n",
			kinds[kind].class, y, y + 4, kinds[kind].meaning);
		y += LEGEND_ROW;
	}
	if (contents->open_clients)
		fprintf(out,
			"<path class=\"tl-o\" d=\"M24 %zul5 4l-5 4\"/>"
			"<text class=\"tl-t\" x=\"56\" y=\"%zu\">not closed</text>\n",
			y - 4, y + 4);
}

int trace_svg_write(FILE *out, const struct trace_view *view, unsigned width)
{
	size_t count = width - LABELS - MARGIN;
	unsigned char *columns = malloc(count);
	struct contents contents;
	size_t height;

	if (columns == NULL)
		return -1;
	contents = find_contents(view, columns, count);
	height = TOP + view->count * ROW + (contents.count + 1) * LEGEND_ROW;
	write_heading(out, view, width, height);
	write_axis(out, view, count);
	for (size_t i = 0; i < view->count; i++)
		write_row(out, view, i, columns, count);
	write_legend(out, view, &contents);
	fputs("</svg>\n", out);
	free(columns);
	return 0;
}
