/*
 * compare - the figures of this run beside those of an earlier one, from the JSON of both.
 *
 * Both are read from JSON, also those of this run, which results.c writes to memory: so there is
 * one way from a file to a table, and a figure that is not in the file cannot be compared. The
 * file may come from anywhere: nothing in it is trusted, and its names are escaped.
 *
 * Two runs never measure exactly the same. A change is called clear only if it holds between
 * all rounds of one run and all rounds of the other, and is larger than the spread of both:
 * what versus asks of two models in one run.
 */
#include "client/versus/compare.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/versus/figures.h"
#include "client/lib/wrap.h"
#include "common/text.h"

enum {
	CELL_TEXT = 32,
	NAME_TEXT = 64 * 4, /* a name, escaped */
	NAME_WIDTH = 15,
	NAMES_MOST = 10, /* in a sentence */
	DRIFT_LEAST = 3, /* fewer clear changes do not suggest a change of the machine */
	FACT_TEXT = 128,
	BLOCK = 64 * 1024, /* bytes that are read at a time */
};

/* The figures that are compared: the first one always, the others where they changed. */
static const struct {
	enum figure figure;
	const char *title; /* above its table */
	const char *name;  /* at the start of a sentence */
} compared[] = {
	{ FIGURE_RATE, "exchanges per second", "Throughput" },
	{ FIGURE_P99, "p99 latency in microseconds", "p99 latency" },
	{ FIGURE_CPU, "CPU time in milliseconds per 1000 exchanges", "CPU time" },
	{ FIGURE_ALL_PER_CLIENT, "memory per client in KiB", "Memory per client" },
};

enum { COMPARED = sizeof compared / sizeof *compared };

/* What two runs must have in common, at these places in the JSON. */
static const struct {
	const char *object; /* NULL: the root */
	const char *member;
} facts[] = {
	{ NULL, "service" },     { NULL, "transport" },      { NULL, "seconds" },
	{ "machine", "kernel" }, { "machine", "processor" }, { "machine", "processors" },
};

/* ... and two loads of the same name. */
static const char *const parameters[] = { "seconds", "clients", "idle", "size",
					  "reply_size" };

/* A result of the new run, and that of the old one. */
struct pair {
	const struct compare_result *old, *new;
};

/* All of a comparison. */
struct pairs {
	const struct compare_run *old, *new;
	struct pair *list;
	size_t count;
};

struct tally {
	size_t known, higher, lower;
};

/* ---- a run --------------------------------------------------------------------------- */

static int fail_format(const struct compare_run *run, struct failure *failure)
{
	return failure_set(failure, "%.200s is not a file of versus --json", run->name);
}

/* Makes room for one result more. The room doubles. */
static struct compare_result *add_result(struct compare_run *run, struct failure *failure)
{
	size_t room = run->count > 0 ? 2 * run->count : 1;
	struct compare_result *results = run->results;

	if (run->count == COMPARE_RESULTS) {
		failure_set(failure, "%.200s has more than %d results", run->name,
			    COMPARE_RESULTS);
		return NULL;
	}
	if ((run->count & (run->count - 1)) == 0) /* a power of two: it is full */
		results = realloc(run->results, room * sizeof *results);
	if (results == NULL) {
		failure_set(failure, "%.200s: %s", run->name, strerror(errno));
		return NULL;
	}
	run->results = results;
	return &results[run->count++];
}

static int take_load(struct compare_run *run, const struct json_value *object,
		     struct failure *failure)
{
	struct compare_result result = {
		.group = json_text(json_member(object, "load")),
		.server = json_text(json_member(object, "model")),
		.figures = object,
	};
	struct compare_result *place;

	if (result.group == NULL || result.server == NULL)
		return fail_format(run, failure);
	place = add_result(run, failure);
	if (place == NULL)
		return -1;
	*place = result;
	return 0;
}

static int take_point(struct compare_run *run, const struct json_value *experiment,
		      const struct json_value *object, struct failure *failure)
{
	struct compare_result result = {
		.group = json_text(json_member(experiment, "name")),
		.x_name = json_text(json_member(experiment, "x")),
		.server = json_text(json_member(object, "server")),
		.figures = object,
	};
	struct compare_result *place;

	if (result.group == NULL || result.x_name == NULL || result.server == NULL ||
	    !json_number(json_member(object, "x"), &result.x))
		return fail_format(run, failure);
	place = add_result(run, failure);
	if (place == NULL)
		return -1;
	*place = result;
	return 0;
}

static bool is_array(const struct json_value *value)
{
	return value != NULL && value->kind == JSON_ARRAY;
}

static int take_experiments(struct compare_run *run, const struct json_value *experiments,
			    struct failure *failure)
{
	const struct json_value *experiment = json_first(experiments), *object;

	for (; experiment != NULL; experiment = experiment->next) {
		const struct json_value *results = json_member(experiment, "results");

		if (!is_array(results))
			return fail_format(run, failure);
		for (object = json_first(results); object != NULL; object = object->next)
			if (take_point(run, experiment, object, failure) < 0)
				return -1;
	}
	return 0;
}

static int take_loads(struct compare_run *run, const struct json_value *results,
		      struct failure *failure)
{
	const struct json_value *object = json_first(results);

	for (; object != NULL; object = object->next)
		if (take_load(run, object, failure) < 0)
			return -1;
	return 0;
}

static int take_results(struct compare_run *run, struct failure *failure)
{
	const struct json_value *root = run->tree.root;
	const struct json_value *loads = json_member(root, "results");
	const struct json_value *experiments = json_member(root, "experiments");

	if (json_text(json_member(root, "service")) == NULL ||
	    is_array(loads) == is_array(experiments))
		return fail_format(run, failure);
	run->kind = is_array(loads) ? COMPARE_LOADS : COMPARE_EXPERIMENTS;
	return is_array(loads) ? take_loads(run, loads, failure)
			       : take_experiments(run, experiments, failure);
}

int compare_take(struct compare_run *run, const char *name, const char *text,
		 size_t length, struct failure *failure)
{
	struct failure reason;

	*run = (struct compare_run){ .name = name };
	if (json_read(&run->tree, text, length, &reason) < 0)
		return failure_set(failure, "%.200s is not JSON: %s", name, reason.text);
	if (take_results(run, failure) < 0) {
		compare_end(run);
		return -1;
	}
	return 0;
}

static bool is_among(double x, const double *points, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (points[i] >= x && points[i] <= x)
			return true;
	return false;
}

unsigned compare_points(const struct compare_run *run, const char *experiment,
			double *points, unsigned most)
{
	unsigned count = 0;

	for (size_t i = 0; i < run->count && count < most; i++) {
		const struct compare_result *result = &run->results[i];
		unsigned place = count;

		if (strcmp(result->group, experiment) != 0 ||
		    is_among(result->x, points, count))
			continue;
		for (; place > 0 && points[place - 1] > result->x; place--)
			points[place] = points[place - 1];
		points[place] = result->x;
		count++;
	}
	return count;
}

void compare_end(struct compare_run *run)
{
	json_free(&run->tree);
	free(run->results);
	run->results = NULL;
	run->count = 0;
}

/* ---- a file -------------------------------------------------------------------------- */

/* Reads all of a file, but not more than a byte beyond the limit. @return the bytes, which the
 * caller frees, or NULL with errno (EFBIG: it is longer) */
static char *read_bytes(FILE *file, size_t *length)
{
	char *bytes = NULL, *more;
	size_t room = 0, n;
	int reason;

	*length = 0;
	do {
		if (room - *length < BLOCK) {
			room = 2 * room + BLOCK;
			more = realloc(bytes, room);
			if (more == NULL)
				break;
			bytes = more;
		}
		n = fread(bytes + *length, 1, BLOCK, file);
		*length += n;
	} while (n == BLOCK && *length <= JSON_BYTES);
	if (*length > JSON_BYTES)
		errno = EFBIG;
	else if (feof(file))
		return bytes;
	reason = errno;
	free(bytes);
	errno = reason;
	return NULL;
}

int compare_read(struct compare_run *run, const char *name, enum compare_kind kind,
		 struct failure *failure)
{
	FILE *file = fopen(name, "re");
	char *bytes = NULL;
	size_t length;
	int result, reason;

	*run = (struct compare_run){ .name = name };
	if (file != NULL)
		bytes = read_bytes(file, &length);
	reason = errno;
	if (file != NULL)
		fclose(file);
	if (bytes == NULL)
		return failure_set(failure, "cannot read %.200s: %s", name,
				   strerror(reason));
	result = compare_take(run, name, bytes, length, failure);
	free(bytes);
	if (result == 0 && run->kind != kind) {
		compare_end(run);
		return failure_set(failure, "%.200s has the figures of %s, not of %s",
				   name, kind == COMPARE_LOADS ? "experiments" : "loads",
				   kind == COMPARE_LOADS ? "loads" : "experiments");
	}
	return result;
}

/* ---- pairs --------------------------------------------------------------------------- */

static const struct compare_result *find_result(const struct compare_run *run,
						const struct compare_result *wanted)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct compare_result *result = &run->results[i];

		if (strcmp(result->group, wanted->group) == 0 &&
		    strcmp(result->server, wanted->server) == 0 && result->x == wanted->x)
			return result;
	}
	return NULL;
}

/* In the order of the new run. @return 0, or -1 with *failure */
static int match(struct pairs *pairs, struct failure *failure)
{
	size_t count = pairs->new->count;

	pairs->list = calloc(count > 0 ? count : 1, sizeof *pairs->list);
	if (pairs->list == NULL)
		return failure_set(failure, "%s", strerror(errno));
	for (size_t i = 0; i < count; i++) {
		const struct compare_result *new = &pairs->new->results[i];
		const struct compare_result *old = find_result(pairs->old, new);

		if (old != NULL)
			pairs->list[pairs->count++] = (struct pair){ old, new };
	}
	if (pairs->count > 0)
		return 0;
	free(pairs->list);
	return failure_set(failure, "%.200s has no result of the same server and %s",
			   pairs->old->name,
			   pairs->new->kind == COMPARE_LOADS ? "load" : "point");
}

/* The statistics of a figure; count is 0 if it is not known. */
static struct summary read_summary(const struct compare_result *result,
				   enum figure figure)
{
	const struct json_value *object =
		json_member(result->figures, figure_name(figure));
	const struct json_value *round = json_first(json_member(object, "rounds"));
	struct summary summary = { 0 };

	if (!json_number(json_member(object, "median"), &summary.median) ||
	    !json_number(json_member(object, "least"), &summary.least) ||
	    !json_number(json_member(object, "most"), &summary.most) ||
	    summary.least < 0 || summary.median < summary.least ||
	    summary.most < summary.median)
		return (struct summary){ 0 };
	for (; round != NULL; round = round->next)
		summary.count += round->kind == JSON_NUMBER;
	return summary;
}

static double member_number(const struct compare_result *result, const char *name)
{
	double number = 0;

	(void)json_number(json_member(result->figures, name), &number);
	return number;
}

/* Whether both runs served as many clients, and without errors: otherwise the figures are of
 * different work. */
static bool is_alike(const struct pair *pair)
{
	return member_number(pair->old, "served") == member_number(pair->new, "served") &&
	       member_number(pair->old, "errors") == 0 &&
	       member_number(pair->new, "errors") == 0;
}

/* @return 1: clearly higher in the new run; -1: clearly lower; 0: neither */
static int direction(const struct pair *pair, enum figure figure)
{
	struct summary old = read_summary(pair->old, figure);
	struct summary new = read_summary(pair->new, figure);

	if (!is_alike(pair))
		return 0;
	return summary_is_clear(&new, &old, true)   ? 1
	       : summary_is_clear(&old, &new, true) ? -1
						    : 0;
}

/* ---- cells --------------------------------------------------------------------------- */

/* At most 10 columns: three digits or more, with commas; in millions if it is large. */
static void print_number(char cell[CELL_TEXT], const struct summary *summary)
{
	double value = summary->median;
	char digits[CELL_TEXT];
	size_t length, used = 0;

	if (summary->count == 0) {
		snprintf(cell, CELL_TEXT, "-");
	} else if (value < 99.95) {
		snprintf(cell, CELL_TEXT, value < 9.995 ? "%.2f" : "%.1f", value);
	} else if (value >= 99999999.5) {
		snprintf(cell, CELL_TEXT, "%.3gM", value / 1e6);
	} else {
		length = (size_t)snprintf(digits, sizeof digits, "%.0f", value);
		for (size_t i = 0; i < length; i++) {
			if (i > 0 && (length - i) % 3 == 0)
				cell[used++] = ',';
			cell[used++] = digits[i];
		}
		cell[used] = '\0';
	}
}

/* At most 6 columns: the change from one value to another. */
static void print_change(char cell[CELL_TEXT], double from, double to)
{
	double percent;

	if (from <= 0) {
		snprintf(cell, CELL_TEXT, to > 0 ? ">9999%%" : "0%%");
		return;
	}
	percent = (to / from - 1) * 100;
	if (percent > -0.05 && percent < 0) /* not "-0.0%" */
		percent = 0;
	if (percent > 9999)
		snprintf(cell, CELL_TEXT, ">9999%%");
	else if (percent < 99.95 && percent > -99.95)
		snprintf(cell, CELL_TEXT, "%+.1f%%", percent);
	else
		snprintf(cell, CELL_TEXT, "%+.0f%%", percent);
}

/* ---- tables -------------------------------------------------------------------------- */

static void print_name(const char *name, FILE *out)
{
	char text[NAME_TEXT];
	size_t length = text_escape(name, strlen(name), text, 78);

	if (length > NAME_WIDTH)
		fprintf(out, "  %s\n  %*s", text, NAME_WIDTH, "");
	else
		fprintf(out, "  %-*s", NAME_WIDTH, text);
}

static void print_row(const struct pair *pair, enum figure figure, FILE *out)
{
	struct summary old = read_summary(pair->old, figure);
	struct summary new = read_summary(pair->new, figure);
	char before[CELL_TEXT], after[CELL_TEXT], change[CELL_TEXT] = "-";
	char least[CELL_TEXT], most[CELL_TEXT], interval[3 * CELL_TEXT] = "-";

	print_name(pair->new->server, out);
	if (pair->new->x_name != NULL)
		fprintf(out, " %8.6g", pair->new->x);
	print_number(before, &old);
	print_number(after, &new);
	if (old.count > 0 && new.count > 0) {
		print_change(change, old.median, new.median);
		print_change(least, old.most, new.least);
		print_change(most, old.least, new.most);
		snprintf(interval, sizeof interval, "%s to %6s", least, most);
	}
	fprintf(out, " %10s %10s %7s %17s%s\n", before, after, change, interval,
		direction(pair, figure) != 0 ? " *" : "");
}

/* What the figures of a row do not show. */
static void print_remark(const struct pair *pair, FILE *out)
{
	const struct compare_result *results[] = { pair->old, pair->new };
	static const char *const names[] = { "old", "new" };

	if (is_alike(pair))
		return;
	fprintf(out, "  %*s", NAME_WIDTH, "");
	for (int i = 0; i < 2; i++)
		fprintf(out, "%s %s: %.6g served, %.6g errors", i > 0 ? ";" : "",
			names[i], member_number(results[i], "served"),
			member_number(results[i], "errors"));
	fputc('\n', out);
}

static void print_heading(const struct compare_result *result, const char *title,
			  FILE *out)
{
	char group[NAME_TEXT], x_name[NAME_TEXT], text[3 * NAME_TEXT];
	bool point = result->x_name != NULL;

	text_escape(result->group, strlen(result->group), group, sizeof group);
	if (point)
		text_escape(result->x_name, strlen(result->x_name), x_name,
			    sizeof x_name);
	snprintf(text, sizeof text, "%s: %s%s%s", group, title, point ? ", x: " : "",
		 point ? x_name : "");
	wrap_print(text, SIZE_MAX, 2, out);
	fprintf(out, "  %*s", NAME_WIDTH, "");
	if (point)
		fprintf(out, " %8s", "x");
	fprintf(out, " %10s %10s %7s %17s\n", "old", "new", "change", "interval");
}

/* The rows of a figure, with a heading above each load or experiment.
 * clear: only those that have changed clearly */
static void print_figure(const struct pairs *pairs, int index, bool clear, FILE *out)
{
	enum figure figure = compared[index].figure;
	const char *group = NULL;

	for (size_t i = 0; i < pairs->count; i++) {
		const struct pair *pair = &pairs->list[i];

		if (clear && direction(pair, figure) == 0)
			continue;
		if (group == NULL || strcmp(group, pair->new->group) != 0) {
			fputs(group != NULL ? "\n" : "", out);
			print_heading(pair->new, compared[index].title, out);
		}
		group = pair->new->group;
		print_row(pair, figure, out);
		if (!clear)
			print_remark(pair, out);
	}
	fputs(group != NULL ? "\n" : "", out);
}

/* ---- sentences ----------------------------------------------------------------------- */

/* Prints what was written to memory as one paragraph, and frees it. */
static void print_paragraph(FILE *memory, char **text, FILE *out)
{
	if (fclose(memory) == 0)
		wrap_print(*text, SIZE_MAX, 2, out);
	free(*text);
}

static struct tally count_changes(const struct pairs *pairs, enum figure figure)
{
	struct tally tally = { 0 };

	for (size_t i = 0; i < pairs->count; i++) {
		const struct pair *pair = &pairs->list[i];
		int changed = direction(pair, figure);

		tally.known += read_summary(pair->old, figure).count > 0 &&
			       read_summary(pair->new, figure).count > 0;
		tally.higher += changed > 0;
		tally.lower += changed < 0;
	}
	return tally;
}

static void print_changes(const struct pairs *pairs, int index, FILE *out)
{
	struct tally tally = count_changes(pairs, compared[index].figure);
	size_t changed = tally.higher + tally.lower;
	char count[32] = "none";

	if (tally.known == 0)
		return;
	if (changed > 0)
		snprintf(count, sizeof count, "%zu", changed);
	fprintf(out, "- %s changed clearly in %s of %zu result%s", compared[index].name,
		count, tally.known, tally.known == 1 ? "" : "s");
	if (changed > 0)
		fprintf(out, ": %zu higher, %zu lower", tally.higher, tally.lower);
	fputs(".\n", out);
}

/* Whether the throughput of more than one server changed clearly. */
static bool several_changed(const struct pairs *pairs)
{
	const char *first = NULL;

	for (size_t i = 0; i < pairs->count; i++) {
		const struct pair *pair = &pairs->list[i];

		if (direction(pair, FIGURE_RATE) == 0)
			continue;
		if (first != NULL && strcmp(first, pair->new->server) != 0)
			return true;
		first = pair->new->server;
	}
	return false;
}

/* If all servers became faster, or all slower, the machine may have changed and not they. */
static void print_drift(const struct pairs *pairs, FILE *out)
{
	struct tally tally = count_changes(pairs, FIGURE_RATE);
	size_t changed = tally.higher + tally.lower;

	if (changed < DRIFT_LEAST || changed * 2 < tally.known ||
	    (tally.higher > 0 && tally.lower > 0) || !several_changed(pairs))
		return;
	wrap_print("- All clear changes of the throughput have the same direction. The "
		   "machine may have become faster or slower as a whole: run the earlier "
		   "command again, and compare with that.",
		   SIZE_MAX, 2, out);
}

/* A single round has no spread. */
static void print_single_rounds(const struct pairs *pairs, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < pairs->count; i++)
		any |= read_summary(pairs->list[i].old, FIGURE_RATE).count == 1 ||
		       read_summary(pairs->list[i].new, FIGURE_RATE).count == 1;
	if (any)
		fputs("- A result with one round cannot change clearly.\n", out);
}

static void write_escaped(const char *name, FILE *out)
{
	char text[NAME_TEXT];

	text_escape(name, strlen(name), text, sizeof text);
	fputs(text, out);
}

/* "fork (conversations)", "fork (clients 32)" */
static void write_result_name(const struct compare_result *result, FILE *out)
{
	write_escaped(result->server, out);
	fputs(" (", out);
	write_escaped(result->group, out);
	if (result->x_name != NULL)
		fprintf(out, " %.6g", result->x);
	fputc(')', out);
}

/* Whether the run has results of the load or experiment. */
static bool has_group(const struct compare_run *run, const char *group)
{
	for (size_t i = 0; i < run->count; i++)
		if (strcmp(run->results[i].group, group) == 0)
			return true;
	return false;
}

/* The results that only one run has; of a load or experiment that the other run does not have, the
 * name of the load or experiment. */
static void print_missing(const struct compare_run *run, const struct compare_run *other,
			  const char *where, FILE *out)
{
	char *text = NULL;
	size_t length, missing = 0;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return;
	fprintf(memory, "- Only in %s: ", where);
	for (size_t i = 0; i < run->count; i++) {
		const struct compare_result *result = &run->results[i];
		bool whole_group = !has_group(other, result->group);

		if (find_result(other, result) != NULL ||
		    (whole_group && i > 0 &&
		     strcmp(result->group, run->results[i - 1].group) == 0))
			continue;
		if (missing++ >= NAMES_MOST)
			continue;
		fputs(missing > 1 ? ", " : "", memory);
		if (whole_group)
			write_escaped(result->group, memory);
		else
			write_result_name(result, memory);
	}
	if (missing > NAMES_MOST)
		fprintf(memory, " and %zu more", missing - NAMES_MOST);
	fputc('.', memory);
	if (missing > 0) {
		print_paragraph(memory, &text, out);
		return;
	}
	fclose(memory);
	free(text);
}

/* ---- whether the runs are comparable ------------------------------------------------- */

/* @return false if it is no text and no number */
static bool read_fact(const struct json_value *value, char fact[FACT_TEXT])
{
	const char *text = json_text(value);
	double number;

	if (text != NULL)
		text_escape(text, strlen(text), fact, FACT_TEXT);
	else if (json_number(value, &number))
		snprintf(fact, FACT_TEXT, "%.6g", number);
	else
		return false;
	return true;
}

/* Writes a fact that both have, and that differs. */
static void write_difference(const char *before, const char *name,
			     const struct json_value *old, const struct json_value *new,
			     FILE *out)
{
	char was[FACT_TEXT], is[FACT_TEXT];

	if (!read_fact(old, was) || !read_fact(new, is) || strcmp(was, is) == 0)
		return;
	fprintf(out, "%s %s%s was %s and is %s", ftell(out) > 0 ? ";" : "", before, name,
		was, is);
}

static const struct json_value *find_load(const struct json_value *root, const char *name)
{
	const struct json_value *load = json_first(json_member(root, "loads"));

	for (; load != NULL; load = load->next) {
		const char *text = json_text(json_member(load, "load"));

		if (text != NULL && strcmp(text, name) == 0)
			return load;
	}
	return NULL;
}

static void write_load_differences(const struct json_value *old,
				   const struct json_value *new, FILE *out)
{
	const struct json_value *load = json_first(json_member(new, "loads"));

	for (; load != NULL; load = load->next) {
		const char *name = json_text(json_member(load, "load"));
		const struct json_value *other =
			name != NULL ? find_load(old, name) : NULL;
		char before[FACT_TEXT + 8];

		if (other == NULL)
			continue;
		snprintf(before, sizeof before, "%.60s: ", name);
		for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
			write_difference(before, parameters[i],
					 json_member(other, parameters[i]),
					 json_member(load, parameters[i]), out);
	}
}

static bool has_datagrams(const char *transport)
{
	return strcmp(transport, "udp") == 0 || strcmp(transport, "unix-datagram") == 0;
}

/* One run over IP and one over UNIX-domain sockets (--unix), both with datagrams or both without: the
 * difference is what one wants to know. */
static bool compares_transports(const struct json_value *old,
				const struct json_value *new)
{
	const char *before = json_text(json_member(old, "transport"));
	const char *now = json_text(json_member(new, "transport"));

	return before != NULL && now != NULL && strcmp(before, now) != 0 &&
	       has_datagrams(before) == has_datagrams(now);
}

static void print_transports(const struct pairs *pairs, FILE *out)
{
	const struct json_value *old = pairs->old->tree.root,
				*new = pairs->new->tree.root;

	if (compares_transports(old, new))
		fprintf(out,
			"The transport was %s and is %s: the change includes what it "
			"costs.\n\n",
			json_text(json_member(old, "transport")),
			json_text(json_member(new, "transport")));
}

static void write_differences(const struct json_value *old, const struct json_value *new,
			      FILE *out)
{
	bool transports = compares_transports(old, new);

	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
		const char *object = facts[i].object, *member = facts[i].member;

		if (transports && strcmp(member, "transport") == 0)
			continue;
		write_difference(
			"", member,
			json_member(object != NULL ? json_member(old, object) : old,
				    member),
			json_member(object != NULL ? json_member(new, object) : new,
				    member),
			out);
	}
	write_load_differences(old, new, out);
}

static void print_warning(const struct pairs *pairs, FILE *out)
{
	char *differences = NULL, *text = NULL;
	size_t length;
	FILE *memory = open_memstream(&differences, &length);

	if (memory == NULL)
		return;
	write_differences(pairs->old->tree.root, pairs->new->tree.root, memory);
	if (fclose(memory) != 0 || length == 0) {
		free(differences);
		return;
	}
	memory = open_memstream(&text, &length);
	if (memory != NULL) {
		fprintf(memory, "Warning: the figures are not comparable:%s.",
			differences);
		print_paragraph(memory, &text, out);
		fputc('\n', out);
	}
	free(differences);
}

/* ---- all of it ----------------------------------------------------------------------- */

static void print_title(const struct pairs *pairs, FILE *out)
{
	char name[NAME_TEXT], text[NAME_TEXT + 64];

	text_escape(pairs->old->name, strlen(pairs->old->name), name, sizeof name);
	snprintf(text, sizeof text, "Compared with %s:", name);
	fputc('\n', out);
	wrap_print(text, SIZE_MAX, 2, out);
	fputc('\n', out);
}

static void print_legend(FILE *out)
{
	fputs("old, new   median of the rounds in the file, and in this run\n"
	      "change     from old to new\n"
	      "interval   from the highest old round to the lowest new one, and from "
	      "the\n"
	      "           lowest old round to the highest new one\n"
	      "*          clear: in every round, and larger than the spread of both "
	      "runs\n"
	      "-          not measured\n",
	      out);
}

int compare_print(const struct compare_run *old, const struct compare_run *new, FILE *out,
		  struct failure *failure)
{
	struct pairs pairs = { .old = old, .new = new };

	if (match(&pairs, failure) < 0)
		return -1;
	print_title(&pairs, out);
	print_transports(&pairs, out);
	print_warning(&pairs, out);
	for (int i = 0; i < COMPARED; i++)
		print_figure(&pairs, i, i > 0, out);
	print_legend(out);
	fputc('\n', out);
	for (int i = 0; i < COMPARED; i++)
		print_changes(&pairs, i, out);
	print_drift(&pairs, out);
	print_single_rounds(&pairs, out);
	print_missing(old, new, "the file", out);
	print_missing(new, old, "this run", out);
	free(pairs.list);
	return 0;
}
