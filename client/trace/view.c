/*
 * view - sorts the rows, and adds up what fills each column.
 *
 * A column shows what takes most of its time. A request often takes much less than a column. So
 * that it can be seen, an idle column with some work in it has a kind of its own.
 */
#include "client/trace/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"

/* The boundary before a column, without overflow: @p at is at most @p count. */
static int64_t boundary(const struct trace_view *view, size_t count, size_t at)
{
	int64_t length = view->to - view->from, columns = (int64_t)count, i = (int64_t)at;

	return view->from + length / columns * i + length % columns * i / columns;
}

static int64_t overlap(const struct trace_span *span, int64_t from, int64_t to)
{
	int64_t first = span->from > from ? span->from : from;
	int64_t last = span->to < to ? span->to : to;

	return last > first ? last - first : 0;
}

/* Of equal shares the more important one counts. */
static enum trace_column kind_of(const int64_t shares[SPAN_KINDS])
{
	static const struct {
		enum span_kind span;
		enum trace_column column;
	} order[] = {
		{ SPAN_WORKING, COLUMN_WORKING }, { SPAN_SENDING, COLUMN_SENDING },
		{ SPAN_QUEUED, COLUMN_QUEUED },   { SPAN_BACKLOG, COLUMN_BACKLOG },
		{ SPAN_IDLE, COLUMN_IDLE },
	};
	enum trace_column best = COLUMN_NONE;
	int64_t most = 0;

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (shares[order[i].span] > most) {
			most = shares[order[i].span];
			best = order[i].column;
		}
	return best == COLUMN_IDLE && shares[SPAN_WORKING] > 0 ? COLUMN_LITTLE : best;
}

void trace_view_columns(const struct trace_view *view, const struct trace_client *client,
			size_t count, unsigned char columns[])
{
	const struct trace_span *spans = view->trace->spans + client->first_span;
	size_t next = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t from = boundary(view, count, i),
			to = boundary(view, count, i + 1);
		int64_t shares[SPAN_KINDS] = { 0 };

		while (next < client->spans && spans[next].to <= from)
			next++;
		for (size_t j = next; j < client->spans && spans[j].from < to; j++)
			shares[spans[j].kind] += overlap(&spans[j], from, to);
		columns[i] = (unsigned char)kind_of(shares);
	}
}

/* The clients of the trace are sorted by time, and are in one array. */
static int compare_lanes(const void *one, const void *other)
{
	const struct trace_client *a = *(const struct trace_client *const *)one;
	const struct trace_client *b = *(const struct trace_client *const *)other;

	if (a->lane != b->lane)
		return a->lane < b->lane ? -1 : 1;
	return a < b ? -1 : a > b;
}

static bool is_in_view(const struct trace_view *view, const struct trace_client *client)
{
	/* a client that has one event only has no length */
	return client->from < view->to &&
	       (client->to > view->from || client->from >= view->from);
}

int trace_view_make(struct trace_view *view, const struct trace *trace, int64_t from,
		    int64_t to, bool lanes)
{
	int64_t end = trace->length > from ? trace->length : from + 1;

	*view = (struct trace_view){
		.trace = trace,
		.from = from,
		.to = clock_earlier(to, end),
		.lanes = lanes,
		.rows = malloc((trace->client_count + 1) * sizeof *view->rows),
	};
	if (view->rows == NULL)
		return -1;
	for (size_t i = 0; i < trace->client_count; i++)
		if (is_in_view(view, &trace->clients[i]))
			view->rows[view->count++] = &trace->clients[i];
	if (lanes)
		qsort(view->rows, view->count, sizeof *view->rows, compare_lanes);
	return 0;
}

void trace_view_free(struct trace_view *view)
{
	free(view->rows);
	*view = (struct trace_view){ .count = 0 };
}

const char *trace_time_text(int64_t nanoseconds, char out[TRACE_TIME_TEXT])
{
	if (nanoseconds == 0)
		snprintf(out, TRACE_TIME_TEXT, "0");
	else if (nanoseconds < 1000000)
		snprintf(out, TRACE_TIME_TEXT, "%.1f us", (double)nanoseconds / 1e3);
	else if (nanoseconds < 1000000000)
		snprintf(out, TRACE_TIME_TEXT, "%.1f ms", (double)nanoseconds / 1e6);
	else
		snprintf(out, TRACE_TIME_TEXT, "%.3f s", (double)nanoseconds / 1e9);
	return out;
}

const char *trace_worker_text(const struct trace *trace, size_t worker,
			      char out[TRACE_WORKER_TEXT])
{
	const struct trace_worker *is;

	snprintf(out, TRACE_WORKER_TEXT, "-");
	if (worker == TRACE_NO_WORKER)
		return out;
	is = &trace->workers[worker];
	if (is->process == is->thread)
		snprintf(out, TRACE_WORKER_TEXT, "%" PRIu64, is->process);
	else
		snprintf(out, TRACE_WORKER_TEXT, "%" PRIu64 "/%" PRIu64, is->process,
			 is->thread);
	return out;
}
