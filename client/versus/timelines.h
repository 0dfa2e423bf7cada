/*
 * timelines - what each server does while a few clients visit it, from its trace.
 */
#ifndef CLIENT_VERSUS_TIMELINES_H
#define CLIENT_VERSUS_TIMELINES_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/trace/trace_file.h"
#include "client/versus/server_process.h"
#include "common/failure.h"

/** A server, and its clients. */
struct timeline {
	char name[SERVER_PROCESS_NAME];
	struct trace trace;
	bool known;             /* there is a trace */
	struct failure failure; /* why there is none; "" */
};

/**
 * Starts the server with --trace, which needs 5 ms of CPU time for each reply, and lets
 * the visitors come (visitors.h). The time at which each of them connected is added to the
 * trace: the server does not know it.
 *
 * @param server   of the service reply
 * @param options  of the model, terminated by NULL; at most four
 * @return 0 with timeline->trace, for timeline_end(); or -1 with timeline->failure
 */
int timeline_run(struct timeline *timeline, struct server_process *server,
		 const char *const *options, const volatile sig_atomic_t *stop);

/** What the pictures show, in three sentences. */
extern const char timelines_question[];

/** Draws those that are known with characters, in 80 columns. */
void timelines_print(const struct timeline timelines[], unsigned count, FILE *out);

/** The length of the longest one that is known, in nanoseconds; 0 if none is. */
int64_t timelines_length(const struct timeline timelines[], unsigned count);

/** Writes one as an svg element, of which the axis shows @p length nanoseconds.
 *  @return 0, or -1 with errno (ENOMEM) */
int timeline_draw_svg(const struct timeline *timeline, int64_t length, FILE *out);

void timeline_end(struct timeline *timeline);

#endif
