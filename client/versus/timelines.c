/*
 * timelines - runs a server with a trace, and reads it.
 *
 * The server of reply computes for each reply (--work). So a server that serves one client at a
 * time makes the others wait, and the picture shows it.
 *
 * The trace is a temporary file, which loses its name as soon as the server has opened it: so it
 * is gone however versus ends.
 */
#include "client/versus/timelines.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/trace/picture.h"
#include "client/trace/svg.h"
#include "client/trace/view.h"
#include "client/versus/visitors.h"
#include "client/lib/wrap.h"
#include "common/clock.h"
#include "common/io.h"

enum {
	THINK = 15,          /* milliseconds between the requests of a client */
	LONGEST_WAIT = 5000, /* milliseconds: iterative serves one after the other */
	PATH = 512,
	LINE = 256,
	OPTIONS = 12,
	SVG_WIDTH = 760,
};

/* Milliseconds of CPU time for each reply. */
static const char work[] = "5";

const char timelines_question[] =
	"What does each server do while ten clients visit it? They arrive together. Each "
	"makes three requests, which take 5 ms of CPU time, and thinks for 15 ms between "
	"them.";

/* The number of the client with that address in the trace; 0: it is not there. */
static unsigned long long find_client(FILE *file, const char *address)
{
	char line[LINE];

	rewind(file);
	while (fgets(line, sizeof line, file) != NULL) {
		unsigned long long number;
		int end = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%*u %*u %*u %llu accepted %n", &number, &end) == 1 &&
		    end > 0 && strcmp(line + end, address) == 0)
			return number;
	}
	return 0;
}

/* Adds when each visitor connected: only it knows. */
static void add_connected(FILE *file, const struct visitor visitors[VISITORS])
{
	for (unsigned i = 0; i < VISITORS; i++) {
		unsigned long long number = find_client(file, visitors[i].address);

		if (number == 0)
			continue;
		fseek(file, 0, SEEK_END);
		fprintf(file, "%jd %ld %ld %llu connected %s\n",
			(intmax_t)visitors[i].connected_at, (long)getpid(),
			(long)getpid(), number, visitors[i].address);
	}
}

static int read_trace(struct timeline *timeline, FILE *file,
		      const struct visitor visitors[VISITORS])
{
	add_connected(file, visitors);
	rewind(file);
	return trace_read(&timeline->trace, file, "the trace", 0, &timeline->failure);
}

static int visit(struct timeline *timeline, struct server_process *server,
		 const char *const *options, const volatile sig_atomic_t *stop,
		 const char *path, FILE *file)
{
	const char *all[OPTIONS] = { "--work", work, "--trace", path };
	const struct server_process_settings settings = {
		.clients = VISITORS + 1,
		.options = all,
		.stop = stop,
	};
	struct visitor visitors[VISITORS];
	struct server_process_usage usage;
	struct failure end;
	int result;

	for (unsigned i = 4; i < OPTIONS - 1 && *options != NULL; i++)
		all[i] = *options++;
	result = server_process_start(server, &settings, &timeline->failure);
	unlink(path); /* the server has it open now, and so have we */
	if (result < 0)
		return -1;
	result = visitors_run(server->port, THINK, LONGEST_WAIT, stop, visitors,
			      &timeline->failure);
	if (server_process_stop(server, &usage, &end) < 0) {
		timeline->failure = end;
		return -1;
	}
	return result < 0 ? -1 : read_trace(timeline, file, visitors);
}

int timeline_run(struct timeline *timeline, struct server_process *server,
		 const char *const *options, const volatile sig_atomic_t *stop)
{
	const char *folder = getenv("TMPDIR");
	char path[PATH];
	FILE *file;
	int fd, n;

	n = snprintf(path, sizeof path, "%s/versus-trace.XXXXXX",
		     folder != NULL && *folder != '\0' ? folder : "/tmp");
	if (n < 0 || (size_t)n >= sizeof path)
		return failure_set(&timeline->failure, "TMPDIR is too long");
	fd = mkstemp(path);
	file = fd >= 0 ? fdopen(fd, "r+") : NULL;
	if (file == NULL)
		return failure_set(&timeline->failure, "cannot create %s: %s", path,
				   strerror(errno));
	(void)io_set_close_on_exec(fd);
	timeline->known = visit(timeline, server, options, stop, path, file) == 0;
	fclose(file);
	return timeline->known ? 0 : -1;
}

void timelines_print(const struct timeline timelines[], unsigned count, FILE *out)
{
	fputs("timeline: Timeline of a few clients\n", out);
	wrap_print(timelines_question, SIZE_MAX, 0, out);
	fputc('\n', out);
	for (unsigned i = 0; i < count; i++) {
		struct trace_view view;

		if (!timelines[i].known)
			continue;
		if (trace_view_make(&view, &timelines[i].trace, 0, CLOCK_NEVER, false) <
		    0)
			return;
		picture_write(out, &view, WRAP_COLUMNS);
		fputc('\n', out);
		trace_view_free(&view);
	}
}

int64_t timelines_length(const struct timeline timelines[], unsigned count)
{
	int64_t longest = 0;

	for (unsigned i = 0; i < count; i++)
		if (timelines[i].known && timelines[i].trace.length > longest)
			longest = timelines[i].trace.length;
	return longest;
}

int timeline_draw_svg(const struct timeline *timeline, int64_t length, FILE *out)
{
	struct trace_view view;
	int result;

	if (trace_view_make(&view, &timeline->trace, 0, CLOCK_NEVER, false) < 0)
		return -1;
	view.to = length;
	result = trace_svg_write(out, &view, SVG_WIDTH);
	trace_view_free(&view);
	return result;
}

void timeline_end(struct timeline *timeline)
{
	if (timeline->known)
		trace_free(&timeline->trace);
	timeline->known = false;
}
