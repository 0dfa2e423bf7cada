/*
 * view - which rows of a trace are drawn, in which order, and what each column of a row shows.
 *
 * The picture in the terminal and the SVG are two drawings of the same view.
 */
#ifndef CLIENT_TRACE_VIEW_H
#define CLIENT_TRACE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/trace/trace_file.h"

struct trace_view {
	const struct trace *trace;
	int64_t from, to; /* nanoseconds since the first event; from < to */
	bool lanes;       /* the rows are sorted by worker */
	const struct trace_client **rows;
	size_t count;
};

/** What most of a column is, by time. */
enum trace_column {
	COLUMN_NONE, /* before the client or after it */
	COLUMN_BACKLOG,
	COLUMN_QUEUED,
	COLUMN_IDLE,
	COLUMN_LITTLE, /* idle, but a part of it is work */
	COLUMN_WORKING,
	COLUMN_SENDING,
	COLUMN_KINDS,
};

/**
 * Selects the clients that are there between two moments.
 *
 * @param from   in nanoseconds since the first event
 * @param to     after @p from; or CLOCK_NEVER: the end of the trace
 * @param lanes  sort the rows by worker, and within a worker by time; else by time
 * @return 0, or -1 with errno (ENOMEM); the caller calls trace_view_free(). @p trace must live as
 *         long as the view
 */
int trace_view_make(struct trace_view *view, const struct trace *trace, int64_t from,
		    int64_t to, bool lanes);

void trace_view_free(struct trace_view *view);

/** Divides the time of the view into @p count columns (1 to 100000), and stores for each of them
 *  what the client does: an enum trace_column. */
void trace_view_columns(const struct trace_view *view, const struct trace_client *client,
			size_t count, unsigned char columns[]);

enum { TRACE_TIME_TEXT = 32, TRACE_WORKER_TEXT = 48 };

/** Writes a time for people: "12.3 us", "80.8 ms", "1.234 s". @return @p out */
const char *trace_time_text(int64_t nanoseconds, char out[TRACE_TIME_TEXT]);

/** Writes the numbers of a worker: "PID", or "PID/TID" for a further thread; "-" for
 *  TRACE_NO_WORKER. @return @p out */
const char *trace_worker_text(const struct trace *trace, size_t worker,
			      char out[TRACE_WORKER_TEXT]);

#endif
