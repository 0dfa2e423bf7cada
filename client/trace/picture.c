/*
 * picture - a line for each client: its number, its worker, and a character for each column.
 *
 * Plain ASCII without colours: so the picture can be printed, mailed and compared with diff(1).
 * The legend explains only the characters that occur.
 */
#include "client/trace/picture.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum { OPEN = COLUMN_KINDS, SIGNS };

static const struct {
	char sign;
	const char *meaning;
} signs[SIGNS] = {
	[COLUMN_NONE] = { ' ', NULL },
	[COLUMN_BACKLOG] = { '~', "waits for accept(2), in the backlog" },
	[COLUMN_QUEUED] = { '-', "waits for a worker" },
	[COLUMN_IDLE] = { '.', "the worker waits for the client's bytes" },
	[COLUMN_LITTLE] = { '+', "the worker waits, and works a little" },
	[COLUMN_WORKING] = { '#', "the worker works for the client" },
	[COLUMN_SENDING] = { '=', "output waits until the client reads" },
	[OPEN] = { '>', "not closed" },
};

struct layout {
	int client, worker; /* characters of these fields */
	size_t columns;
};

static int wider(int width, int length)
{
	return length > width ? length : width;
}

static struct layout measure(const struct trace_view *view, unsigned width)
{
	struct layout layout = { (int)strlen("client"), (int)strlen("worker"), 0 };
	char text[TRACE_WORKER_TEXT];
	size_t labels;

	for (size_t i = 0; i < view->count; i++) {
		const struct trace_client *client = view->rows[i];

		layout.client =
			wider(layout.client,
			      snprintf(text, sizeof text, "%" PRIu64, client->number));
		layout.worker =
			wider(layout.worker, (int)strlen(trace_worker_text(
						     view->trace, client->worker, text)));
	}
	labels = (size_t)layout.client + (size_t)layout.worker + 4;
	/* with long numbers in a narrow terminal the lines are longer than it */
	layout.columns = width > labels + 8 ? width - labels : 8;
	return layout;
}

/* "client  worker  0          1.0 s" */
static void write_axis(FILE *out, const struct trace_view *view,
		       const struct layout *layout)
{
	char from[TRACE_TIME_TEXT], to[TRACE_TIME_TEXT];
	int columns = (int)layout->columns, left;

	trace_time_text(view->from, from);
	trace_time_text(view->to, to);
	left = columns - (int)strlen(to);
	if (left <= (int)strlen(from))
		left = (int)strlen(from) + 1;
	fprintf(out, "%*s  %-*s  %-*s%s\n", layout->client, "client", layout->worker,
		"worker", left, from, to);
}

static void write_row(FILE *out, const struct trace_view *view, size_t row,
		      const struct layout *layout, bool used[SIGNS])
{
	const struct trace_client *client = view->rows[row];
	bool same_lane =
		view->lanes && row > 0 && view->rows[row - 1]->lane == client->lane;
	unsigned char columns[PICTURE_MOST];
	char worker[TRACE_WORKER_TEXT];
	size_t end = layout->columns;

	trace_view_columns(view, client, layout->columns, columns);
	if (!client->closed && client->to <= view->to)
		columns[layout->columns - 1] = OPEN;
	while (end > 0 && columns[end - 1] == COLUMN_NONE)
		end--;
	fprintf(out, "%*" PRIu64 "  %-*s%s", layout->client, client->number,
		layout->worker,
		same_lane ? "" : trace_worker_text(view->trace, client->worker, worker),
		end > 0 ? "  " : "");
	for (size_t i = 0; i < end; i++) {
		putc(signs[columns[i]].sign, out);
		used[columns[i]] = true;
	}
	putc('\n', out);
}

void picture_write(FILE *out, const struct trace_view *view, unsigned width)
{
	const struct trace *trace = view->trace;
	struct layout layout = measure(view, width);
	bool used[SIGNS] = { false };
	char time[TRACE_TIME_TEXT];

	fprintf(out, "%sd-%s: %zu client%s, %zu worker%s, %s%s\n", trace->service,
		trace->model, view->count, view->count == 1 ? "" : "s", trace->lane_count,
		trace->lane_count == 1 ? "" : "s", trace_time_text(trace->length, time),
		trace->cut ? "; the trace is cut" : "");
	if (view->count == 0)
		return;
	write_axis(out, view, &layout);
	for (size_t i = 0; i < view->count; i++)
		write_row(out, view, i, &layout, used);
	for (int i = COLUMN_BACKLOG; i < SIGNS; i++)
		if (used[i])
			fprintf(out, "  %c  %s\n", signs[i].sign, signs[i].meaning);
}
