/*
 * trace_file - reads lines into events, sorts them, and makes spans of them.
 *
 * The lines of a trace are in order only within one thread: what a parent and its child write
 * about one client can come in any order. So all events are read first, 24 bytes each, and sorted
 * by client and time. The limits of a trace (trace_file.h) bound the memory.
 *
 * Clients and workers are found by their numbers in a hash table with open addressing. The file
 * is not trusted: each number is checked, each text is cut and made printable, and a line has a
 * longest length.
 */
#include "client/trace/trace_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/trace_events.h"

enum { LINE_MOST = 1024, FIELDS = 5 /* before the detail */ };

struct event {
	int64_t at; /* nanoseconds */
	uint32_t client, worker;
	uint32_t order; /* of the line: events of the same time stay in order */
	uint8_t what;   /* enum trace_event */
};

/* Finds the place of a pair of numbers in an array. */
struct table {
	uint32_t *slots; /* 0: empty; else the place + 1 */
	size_t size;     /* a power of 2, more than twice the number of places */
};

struct reader {
	struct trace *trace;
	FILE *file;
	const char *name;
	uint64_t first;
	struct failure *failure;
	unsigned long line; /* its number */
	char text[LINE_MOST];
	size_t length;
	struct event *events;
	size_t event_count, event_room, client_room, worker_room;
	struct table clients, workers;
};

/* The parts of a line. */
struct fields {
	int64_t at;
	uint64_t process, thread, client, bytes;
	enum trace_event what;
	const char *detail; /* "" if there is none */
};

static int fail(struct reader *reader, const char *why)
{
	return failure_set(reader->failure, "%s: line %lu: %s", reader->name,
			   reader->line, why);
}

static int no_memory(struct reader *reader)
{
	return failure_set(reader->failure, "%s: %s", reader->name, strerror(ENOMEM));
}

/* ---- lines ---- */

enum line_result { LINE_READ, LINE_END, LINE_BAD };

/* Reads the next line, without its newline. A line without one is the last line of a server that
 * could not write all of it. */
static enum line_result read_line(struct reader *reader)
{
	int byte = 0;

	reader->length = 0;
	reader->line++;
	while ((byte = getc(reader->file)) != EOF && byte != '\n') {
		if (byte == '\0')
			return fail(reader, "a NUL byte: this is not a trace"), LINE_BAD;
		if (reader->length == LINE_MOST - 1)
			return fail(reader, "longer than 1023 bytes"), LINE_BAD;
		reader->text[reader->length++] = (char)byte;
	}
	reader->text[reader->length] = '\0';
	if (byte == '\n')
		return LINE_READ;
	if (ferror(reader->file)) {
		failure_set(reader->failure, "%s: cannot read: %s", reader->name,
			    strerror(errno));
		return LINE_BAD;
	}
	reader->trace->cut = reader->length > 0;
	return LINE_END;
}

/* The value of "KEY=value" among the words of the header. */
static void take_word(const char *words, const char *wanted, char out[TRACE_NAME])
{
	const char *at = strstr(words, wanted);
	size_t length;

	snprintf(out, TRACE_NAME, "?");
	if (at == NULL)
		return;
	at += strlen(wanted);
	length = strcspn(at, " \t");
	if (length > 0)
		text_escape(at, length, out, TRACE_NAME);
}

static int read_header(struct reader *reader)
{
	size_t length = strlen(TRACE_HEADER);
	char version[16];

	switch (read_line(reader)) {
	case LINE_BAD:
		return -1;
	case LINE_END:
		return failure_set(reader->failure, "%s: no trace: the file is %s",
				   reader->name, reader->trace->cut ? "cut" : "empty");
	default:
		break;
	}
	if (strncmp(reader->text, TRACE_HEADER, length) != 0)
		return fail(reader, "not the first line of a trace "
				    "(# sockways-trace 1 ...)");
	snprintf(version, sizeof version, "%d", TRACE_VERSION);
	if (strcspn(reader->text + length, " \t") != strlen(version) ||
	    strncmp(reader->text + length, version, strlen(version)) != 0)
		return fail(reader, "a trace of another version: this program reads "
				    "version 1");
	take_word(reader->text, " service=", reader->trace->service);
	take_word(reader->text, " model=", reader->trace->model);
	return 0;
}

/* Cuts the next word off. @return it; NULL if there is none */
static char *next_word(char **rest)
{
	char *word = *rest;
	size_t length = strcspn(word, " \t");

	if (length == 0)
		return NULL;
	*rest = word + length;
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return word;
}

static int parse_numbers(struct reader *reader, char **rest, struct fields *fields)
{
	static const char *const missing[] = {
		"no time in nanoseconds",
		"no number of a process in the second field",
		"no number of a thread in the third field",
		"no number of a client in the fourth field",
	};
	uint64_t numbers[FIELDS - 1];

	for (size_t i = 0; i < FIELDS - 1; i++) {
		const char *word = next_word(rest);

		if (word == NULL ||
		    !text_number(word, i == FIELDS - 2 ? 1 : 0, INT64_MAX, &numbers[i]))
			return fail(reader, missing[i]);
	}
	fields->at = (int64_t)numbers[0];
	fields->process = numbers[1];
	fields->thread = numbers[2];
	fields->client = numbers[3];
	return 0;
}

static int parse_line(struct reader *reader, struct fields *fields)
{
	char *rest = reader->text, shown[TRACE_TEXT];
	const char *name;

	if (parse_numbers(reader, &rest, fields) < 0)
		return -1;
	name = next_word(&rest);
	if (name == NULL)
		return fail(reader, "no event in the fifth field");
	if (!trace_event_find(name, &fields->what)) {
		text_escape(name, strlen(name), shown, sizeof shown);
		return failure_set(reader->failure, "%s: line %lu: unknown event '%s'",
				   reader->name, reader->line, shown);
	}
	fields->detail = rest;
	fields->bytes = 0;
	if (trace_event_has_bytes(fields->what) &&
	    !text_number(rest, 0, INT64_MAX, &fields->bytes))
		return failure_set(reader->failure,
				   "%s: line %lu: no number of bytes after '%s'",
				   reader->name, reader->line, name);
	return 0;
}

/* ---- clients and workers by their numbers ---- */

static uint64_t hash(uint64_t one, uint64_t other)
{
	return (one * 0x9e3779b97f4a7c15u ^ other) * 0xff51afd7ed558ccdu >> 20;
}

/* Returns the slot of the pair, which is empty if the pair is new. */
static uint32_t *find(const struct table *table, uint64_t one, uint64_t other,
		      bool (*same)(const struct trace *, size_t place, uint64_t one,
				   uint64_t other),
		      const struct trace *trace)
{
	size_t at = (size_t)hash(one, other) & (table->size - 1);

	while (table->slots[at] != 0 && !same(trace, table->slots[at] - 1, one, other))
		at = (at + 1) & (table->size - 1);
	return &table->slots[at];
}

static bool same_client(const struct trace *trace, size_t place, uint64_t one,
			uint64_t other)
{
	(void)other;
	return trace->clients[place].number == one;
}

static bool same_worker(const struct trace *trace, size_t place, uint64_t one,
			uint64_t other)
{
	return trace->workers[place].process == one &&
	       trace->workers[place].thread == other;
}

/* Makes room for one more item in an array. @return false without memory */
static bool grow(void *items, size_t size, size_t count, size_t *room)
{
	void **array = items;
	size_t more = *room == 0 ? 64 : *room * 2;
	void *larger;

	if (count < *room)
		return true;
	larger = realloc(*array, more * size);
	if (larger == NULL)
		return false;
	*array = larger;
	*room = more;
	return true;
}

/* Each of at most TRACE_CLIENTS_MOST clients has one worker, and was accepted by one. */
enum { WORKERS_MOST = 2 * TRACE_CLIENTS_MOST, TABLE = 512 * 1024 };

static bool create_table(struct table *table)
{
	table->size = TABLE;
	table->slots = calloc(table->size, sizeof *table->slots);
	return table->slots != NULL;
}

/* The clients whose numbers are too high are left out. The number of a client of inetd is that of
 * its process. */
static bool is_wanted(const struct reader *reader, uint64_t number)
{
	if (reader->first == 0)
		return true;
	if (strcmp(reader->trace->model, "inetd") == 0)
		return reader->trace->client_count < reader->first;
	return number <= reader->first;
}

/* Stores the place of the client, which may be new. @return 1; 0: it is left out; -1 */
static int place_client(struct reader *reader, uint64_t number, uint32_t *place)
{
	struct trace *trace = reader->trace;
	uint32_t *slot = find(&reader->clients, number, 0, same_client, trace);

	if (*slot == 0 && !is_wanted(reader, number))
		return 0;
	if (*slot == 0) {
		if (trace->client_count == TRACE_CLIENTS_MOST)
			return fail(reader, "more than 100000 clients: use -n");
		if (!grow(&trace->clients, sizeof *trace->clients, trace->client_count,
			  &reader->client_room))
			return no_memory(reader);
		trace->clients[trace->client_count] = (struct trace_client){
			.number = number,
		};
		*slot = (uint32_t)++trace->client_count;
	}
	*place = *slot - 1;
	return 1;
}

static int place_worker(struct reader *reader, const struct fields *fields,
			uint32_t *place)
{
	struct trace *trace = reader->trace;
	uint32_t *slot = find(&reader->workers, fields->process, fields->thread,
			      same_worker, trace);

	if (*slot == 0) {
		if (trace->worker_count == WORKERS_MOST)
			return fail(reader, "more than 200000 processes and threads: "
					    "use -n");
		if (!grow(&trace->workers, sizeof *trace->workers, trace->worker_count,
			  &reader->worker_room))
			return no_memory(reader);
		trace->workers[trace->worker_count] = (struct trace_worker){
			fields->process,
			fields->thread,
		};
		*slot = (uint32_t)++trace->worker_count;
	}
	*place = *slot - 1;
	return 0;
}

/* ---- events ---- */

static void note_detail(struct trace_client *client, const struct fields *fields)
{
	switch (fields->what) {
	case TRACE_ACCEPTED: /* its line may follow that of TRACE_PROXIED */
	case TRACE_PROXIED:
		if (client->proxied)
			break;
		client->proxied = fields->what == TRACE_PROXIED;
		text_escape(fields->detail, strlen(fields->detail), client->address,
			    sizeof client->address);
		break;
	case TRACE_CLOSED:
		text_escape(fields->detail, strlen(fields->detail), client->why,
			    sizeof client->why);
		break;
	case TRACE_RECEIVED:
		client->bytes_in += fields->bytes;
		break;
	case TRACE_REQUEST:
		client->requests++;
		break;
	case TRACE_SENT:
		client->bytes_out += fields->bytes;
		break;
	default:
		break;
	}
}

static int take_line(struct reader *reader)
{
	struct fields fields;
	uint32_t client = 0, worker = 0;
	int wanted;

	if (reader->text[0] == '#')
		return 0;
	if (parse_line(reader, &fields) < 0)
		return -1;
	wanted = place_client(reader, fields.client, &client);
	if (wanted <= 0)
		return wanted;
	if (place_worker(reader, &fields, &worker) < 0)
		return -1;
	if (reader->event_count == TRACE_EVENTS_MOST)
		return fail(reader, "more than 4194304 events: use -n");
	if (!grow(&reader->events, sizeof *reader->events, reader->event_count,
		  &reader->event_room))
		return no_memory(reader);
	note_detail(&reader->trace->clients[client], &fields);
	reader->events[reader->event_count] = (struct event){
		.at = fields.at,
		.client = client,
		.worker = worker,
		.order = (uint32_t)reader->event_count,
		.what = (uint8_t)fields.what,
	};
	reader->event_count++;
	return 0;
}

static int compare_events(const void *one, const void *other)
{
	const struct event *a = one, *b = other;

	if (a->client != b->client)
		return a->client < b->client ? -1 : 1;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

/* The times count from the first event. */
static void set_zero(struct reader *reader)
{
	int64_t first = INT64_MAX, last = 0;

	for (size_t i = 0; i < reader->event_count; i++) {
		int64_t at = reader->events[i].at;

		first = at < first ? at : first;
		last = at > last ? at : last;
	}
	for (size_t i = 0; i < reader->event_count; i++)
		reader->events[i].at -= first;
	reader->trace->length = reader->event_count > 0 ? last - first : 0;
}

/* ---- spans ---- */

/* What the last event of a client has led to. */
struct progress {
	bool backlog, taken, sending;
	enum span_kind base; /* whatever waits to be sent */
	int64_t since;
};

static enum span_kind kind_of(const struct progress *progress)
{
	return progress->backlog   ? SPAN_BACKLOG
	       : progress->sending ? SPAN_SENDING
	       : progress->taken   ? progress->base
				   : SPAN_QUEUED;
}

static void step(struct progress *progress, enum trace_event what)
{
	/* the lines of a process that was killed can be missing: any event of a worker tells
	 * that it has taken the client */
	progress->taken =
		progress->taken || (what != TRACE_ACCEPTED && what != TRACE_CONNECTED);
	progress->backlog = what == TRACE_CONNECTED && !progress->taken;
	switch (what) {
	case TRACE_RECEIVED:
	case TRACE_RESUMED:
		progress->base = SPAN_WORKING;
		break;
	case TRACE_PAUSED:
		progress->base = SPAN_QUEUED;
		break;
	case TRACE_REQUEST:
	case TRACE_INCOMPLETE:
	case TRACE_SHUTDOWN:
		progress->base = SPAN_IDLE;
		break;
	case TRACE_QUEUED:
		progress->sending = true;
		break;
	case TRACE_DRAINED:
		progress->sending = false;
		break;
	default:
		break;
	}
}

/* There is room: a client has fewer spans than events. */
static void add_span(struct trace *trace, struct trace_client *client, int64_t from,
		     int64_t to, enum span_kind kind)
{
	if (to <= from)
		return;
	trace->spans[trace->span_count++] = (struct trace_span){ from, to, kind };
	client->spans++;
}

static void make_spans(struct trace *trace, struct trace_client *client,
		       const struct event *events, size_t count)
{
	struct progress progress = { .base = SPAN_IDLE };
	int64_t accepted_at = events[0].at;

	client->first_span = trace->span_count;
	client->from = client->to = progress.since = events[0].at;
	client->worker = TRACE_NO_WORKER;
	for (size_t i = 0; i < count && !client->closed; i++) {
		enum trace_event what = (enum trace_event)events[i].what;
		enum span_kind before = kind_of(&progress);
		bool was_taken = progress.taken;

		client->closed = what == TRACE_CLOSED;
		client->to = events[i].at;
		if (what == TRACE_ACCEPTED)
			accepted_at = client->to;
		if (!client->closed || was_taken)
			step(&progress, what);
		if (progress.taken && !was_taken) {
			client->worker = events[i].worker;
			client->queued = client->to - accepted_at;
		}
		if (kind_of(&progress) == before && !client->closed)
			continue;
		add_span(trace, client, progress.since, client->to, before);
		progress.since = client->to;
	}
	if (client->closed)
		return;
	client->to = trace->length;
	add_span(trace, client, progress.since, client->to, kind_of(&progress));
}

static int compare_clients(const void *one, const void *other)
{
	const struct trace_client *a = one, *b = other;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* The clients are sorted. @return 0, or -1 without memory */
static int number_lanes(struct reader *reader)
{
	struct trace *trace = reader->trace;
	size_t *lanes = calloc(trace->worker_count, sizeof *lanes); /* 0: none yet */

	if (lanes == NULL)
		return no_memory(reader);
	for (size_t i = 0; i < trace->client_count; i++) {
		struct trace_client *client = &trace->clients[i];

		client->lane = TRACE_NO_WORKER;
		if (client->worker == TRACE_NO_WORKER)
			continue;
		if (lanes[client->worker] == 0)
			lanes[client->worker] = ++trace->lane_count;
		client->lane = lanes[client->worker] - 1;
	}
	free(lanes);
	return 0;
}

static int make_all_spans(struct reader *reader)
{
	struct trace *trace = reader->trace;
	struct event *events = reader->events;
	size_t count = reader->event_count;

	if (count == 0)
		return 0;
	qsort(events, count, sizeof *events, compare_events);
	set_zero(reader);
	/* each event ends a span, and an open client has one more */
	trace->spans = malloc((count + trace->client_count) * sizeof *trace->spans);
	if (trace->spans == NULL)
		return no_memory(reader);
	for (size_t i = 0, next; i < count; i = next) {
		next = i + 1;
		while (next < count && events[next].client == events[i].client)
			next++;
		make_spans(trace, &trace->clients[events[i].client], events + i,
			   next - i);
	}
	qsort(trace->clients, trace->client_count, sizeof *trace->clients,
	      compare_clients);
	return number_lanes(reader);
}

/* ---- the whole ---- */

static int read_all(struct reader *reader)
{
	enum line_result result;

	if (read_header(reader) < 0)
		return -1;
	if (!create_table(&reader->clients) || !create_table(&reader->workers))
		return no_memory(reader);
	while ((result = read_line(reader)) == LINE_READ)
		if (take_line(reader) < 0)
			return -1;
	return result == LINE_BAD ? -1 : make_all_spans(reader);
}

int trace_read(struct trace *trace, FILE *file, const char *name, uint64_t first,
	       struct failure *failure)
{
	struct reader reader = {
		.trace = trace,
		.file = file,
		.name = name,
		.first = first,
		.failure = failure,
	};
	int result;

	*trace = (struct trace){ .client_count = 0 };
	result = read_all(&reader);
	free(reader.events);
	free(reader.clients.slots);
	free(reader.workers.slots);
	if (result < 0)
		trace_free(trace);
	return result;
}

void trace_free(struct trace *trace)
{
	free(trace->clients);
	free(trace->workers);
	free(trace->spans);
	*trace = (struct trace){ .client_count = 0 };
}
