/*
 * trace_file - reads the trace of a server (--trace, see sockways-trace(5)) into clients, and what
 * each of them waited for.
 *
 *	struct trace trace;
 *
 *	if (trace_read(&trace, file, "trace.txt", 0, &failure) < 0)
 *		...
 *	trace_free(&trace);
 */
#ifndef CLIENT_TRACE_TRACE_FILE_H
#define CLIENT_TRACE_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/failure.h"

/** What a client and its worker do. The figure shows how the events lead from one to the other:
 *
 *	connected: BACKLOG, up to accepted
 *
 *	accepted          taken        received           paused
 *	--------> QUEUED ------> IDLE ---------> WORKING --------> QUEUED
 *	                          ^               |    <---------
 *	                          +---------------+      resumed
 *	                      request, incomplete
 *
 *	from queued to drained: SENDING, whatever it is otherwise
 */
enum span_kind {
	SPAN_BACKLOG, /* it has connected, and waits for accept(2); see `connected` */
	SPAN_QUEUED, /* waits for a worker: no worker has taken it, or the service paused */
	SPAN_IDLE,   /* the worker waits for the client's next bytes */
	SPAN_WORKING, /* the service works on what has arrived */
	SPAN_SENDING, /* output waits until the client reads */
	SPAN_KINDS,
};

/** From one moment to another, in nanoseconds since the first event of the trace. */
struct trace_span {
	int64_t from, to;
	enum span_kind kind;
};

/** A process, or one of its threads. */
struct trace_worker {
	uint64_t process, thread;
};

enum { TRACE_TEXT = 80, TRACE_NAME = 32 };

#define TRACE_NO_WORKER SIZE_MAX

struct trace_client {
	uint64_t number;
	/* Of `proxied` or else `accepted`, and of `closed`: printable ASCII, perhaps cut; "" if
	 * the event is missing. */
	char address[TRACE_TEXT], why[TRACE_TEXT];
	bool proxied; /* the address is that of `proxied` */
	/* The worker that has taken it, in trace.workers; and its lane: 0 for that of the
	 * first client, and so on. TRACE_NO_WORKER: it was not taken. */
	size_t worker, lane;
	int64_t from,
		to; /* its first and its last event; an open one: the end of the trace */
	int64_t queued; /* nanoseconds between accepted and taken; 0 if one is missing */
	bool closed;    /* the trace has its end */
	uint64_t requests; /* how many times the service has consumed input */
	uint64_t bytes_in, bytes_out;
	size_t first_span, spans; /* in trace.spans, in order */
};

struct trace {
	char service[TRACE_NAME], model[TRACE_NAME]; /* printable ASCII */
	struct trace_client *clients;                /* by their first event */
	size_t client_count;
	struct trace_worker *workers; /* all processes and threads that wrote lines */
	size_t worker_count;
	size_t lane_count; /* how many of them have taken clients */
	struct trace_span *spans;
	size_t span_count;
	int64_t length; /* from the first event to the last one, in nanoseconds */
	bool cut;       /* the last line had no end, and was left out */
};

/** The limits of a trace that can be read. */
enum { TRACE_CLIENTS_MOST = 100000, TRACE_EVENTS_MOST = 4 * 1024 * 1024 };

/**
 * Reads a trace up to the end of the file. The lines need not be in order.
 *
 * @param name   of the file, for messages
 * @param first  read the clients with the numbers 1 to @p first only; 0: all. The clients of
 *               the model inetd are counted in the order of their first lines.
 * @return 0, or -1 with *failure, which names the line; nothing to free then
 */
int trace_read(struct trace *trace, FILE *file, const char *name, uint64_t first,
	       struct failure *failure);

/** Frees what trace_read() has allocated. */
void trace_free(struct trace *trace);

#endif
