/*
 * view - chooses what of an experiment is worth to be shown, and says it.
 *
 * A sentence is written only for a difference that holds in every round, and is larger than the
 * spread of both figures (summary_is_clear()). If there is none, that is said: a reader who sees
 * two curves apart may otherwise believe in chance.
 */
#include "client/versus/view.h"

#include <stdlib.h>
#include <string.h>

#include "client/versus/chart_text.h"
#include "client/lib/wrap.h"

enum { COLUMNS = WRAP_COLUMNS, NAME_WIDTH = 19, CELL_WIDTH = 8, SENTENCE = 1024 };

/* A server keeps up with the offered load if it serves this part of it. */
#define KEEPS_UP .97
/* A share of clients is even if no worker differs from the average by more than this; percent of
 * all clients. */
#define EVEN 3.
/* A smaller ratio would be printed as "1.0 times". */
#define WORTH_SAYING 1.05

static const struct view of_clients[] = {
	{ "rate", "Throughput", "exchanges per second", FIGURE_RATE, 1, false },
	{ "p99", "Latency, 99th percentile", "microseconds", FIGURE_P99, 1, true },
};

static const struct view of_idle[] = {
	{ "rate", "Throughput of 4 busy clients", "exchanges per second", FIGURE_RATE, 1,
	  false },
	{ "memory", "Memory of the server and the kernel", "MiB", FIGURE_MEMORY,
	  1. / 1024, true },
};

static const struct view of_rate[] = {
	{ "p99", "Latency since the request was due, 99th percentile", "microseconds",
	  FIGURE_P99, 1, true },
	{ "p50", "Latency since the request was due, median", "microseconds", FIGURE_P50,
	  1, true },
	{ "p999", "Latency since the request was due, 99.9th percentile", "microseconds",
	  FIGURE_P999, 1, true },
	{ "service", "Service time: since the request was sent, 99th percentile",
	  "microseconds", FIGURE_SERVICE_P99, 1, true },
	{ "rate", "Requests served", "exchanges per second", FIGURE_RATE, 1, false },
};

static const struct view of_cost[] = {
	{ "cpu", "CPU time of the server", "milliseconds per 1000 exchanges", FIGURE_CPU,
	  1, false },
	{ "switches", "Context switches", "per 1000 exchanges", FIGURE_SWITCHES, 1,
	  false },
	{ "wakeup", "Events for each wake-up", "exchanges each time the server slept",
	  FIGURE_PER_WAKEUP, 1, false },
	{ "p99", "Latency, 99th percentile", "microseconds", FIGURE_P99, 1, false },
};

static const struct view of_work[] = {
	{ "rate", "Throughput", "exchanges per second", FIGURE_RATE, 1, true },
};

static const struct view of_sharing[] = {
	{ "least", "Worker with the fewest clients", "percent of all", FIGURE_LEAST_SHARE,
	  1, false },
	{ "most", "Worker with the most clients", "percent of all", FIGURE_MOST_SHARE, 1,
	  false },
	{ "rate", "Throughput", "clients per second", FIGURE_RATE, 1, false },
};

static const struct {
	const struct view *views;
	unsigned count;
	const char *question;
} kinds[EXPERIMENT_KINDS] = {
	[EXPERIMENT_CLIENTS] = { of_clients, sizeof of_clients / sizeof *of_clients,
				 "How does a server behave when more clients are busy "
				 "at the same time? Each client sends a request as soon "
				 "as it has the last reply." },
	[EXPERIMENT_IDLE] = { of_idle, sizeof of_idle / sizeof *of_idle,
			      "What do clients cost that are connected and silent? Four "
			      "clients are busy beside them." },
	[EXPERIMENT_RATE] = { of_rate, sizeof of_rate / sizeof *of_rate,
			      "How long does a request take at a given load? Requests "
			      "are sent when they are due, whether the server has "
			      "answered the earlier ones or not (open loop), and the "
			      "time counts from when each was due." },
	[EXPERIMENT_COST] = { of_cost, sizeof of_cost / sizeof *of_cost,
			      "What does a server spend on a request? All servers get "
			      "the same rate of requests, which none of them finds too "
			      "high." },
	[EXPERIMENT_WORK] = { of_work, sizeof of_work / sizeof *of_work,
			      "What if each request needs CPU time? A server with one "
			      "process and one thread uses one CPU." },
	[EXPERIMENT_SHARING] = { of_sharing, sizeof of_sharing / sizeof *of_sharing,
				 "How do four workers share the clients? Each way of "
				 "--accept is compared, with clients that come one after "
				 "the other, and many at a time." },
};

unsigned view_figures(enum experiment_kind kind, const struct view **views)
{
	*views = kinds[kind].views;
	return kinds[kind].count;
}

const char *view_question(enum experiment_kind kind)
{
	return kinds[kind].question;
}

/* Whether each point has as many busy clients as the others. */
static bool has_one_crowd(const struct experiment *experiment)
{
	for (unsigned i = 1; i < experiment->point_count; i++)
		if (experiment->points[i].plan.connections !=
		    experiment->points[0].plan.connections)
			return false;
	return true;
}

void view_write_setting(const struct experiment *experiment, FILE *out)
{
	unsigned busy = experiment->points[0].plan.connections;

	if (strcmp(experiment->service, "request") == 0)
		fputs("The requests are those of --request.", out);
	else
		fprintf(out, "The service is %s.", experiment->service);
	if (has_one_crowd(experiment))
		fprintf(out, " %u client%s busy at a time.", busy,
			busy == 1 ? " is" : "s are");
}

bool view_write_lack(const struct experiment *experiment, unsigned point, unsigned row,
		     FILE *out)
{
	struct experiment_service service = experiment_service(experiment, point, row);
	const char *failure = experiment->failures[point][row].text;

	if (failure[0] != '\0') {
		fprintf(out, "failed: %s", failure);
		return true;
	}
	if (service.rounds == 0)
		return false;
	if (service.errors > 0)
		fprintf(out, "%ju errors", (uintmax_t)service.errors);
	else if (service.served < service.of)
		fprintf(out, "%u of %u clients served", service.served, service.of);
	else if (!service.crowd)
		fputs("not all silent clients stayed connected", out);
	else
		return false;
	return true;
}

/* ---- what it shows ------------------------------------------------------------------------ */

enum { PLACE = 64 };

/* "256 clients", "1 client" */
static const char *place(const struct experiment *experiment, unsigned point,
			 char out[PLACE])
{
	double x = experiment->points[point].x;
	char number[CHART_NUMBER];
	bool one = x >= 1 && x <= 1;

	snprintf(out, PLACE, "%s %s", chart_number(x, number),
		 one ? experiment->x_one : experiment->x_name);
	return out;
}

static unsigned rows_whole(const struct experiment *experiment, unsigned point)
{
	unsigned count = 0;

	for (unsigned row = 0; row < experiment->row_count; row++)
		count += experiment_is_whole(experiment, point, row);
	return count;
}

struct extremes {
	unsigned best, worst; /* rows */
	double ratio; /* of the larger figure to the smaller one; 0: no difference */
	bool known;   /* there are two of them at least, each in several rounds */
};

/* The best and the worst of the rows that served all. */
static struct extremes find_extremes(const struct experiment *experiment, unsigned point,
				     enum figure figure)
{
	bool more = figure_more_is_better(figure);
	struct extremes found = { 0 };
	struct summary best = { 0 }, worst = { 0 };

	for (unsigned row = 0; row < experiment->row_count; row++) {
		struct summary summary =
			experiment_summary(experiment, point, row, figure);

		if (summary.count == 0 || !experiment_is_whole(experiment, point, row))
			continue;
		if (best.count == 0 || (more ? summary.median > best.median
					     : summary.median < best.median)) {
			best = summary;
			found.best = row;
		}
		if (worst.count == 0 || (more ? summary.median < worst.median
					      : summary.median > worst.median)) {
			worst = summary;
			found.worst = row;
		}
	}
	found.known =
		rows_whole(experiment, point) > 1 && best.count > 1 && worst.count > 1;
	if (found.best != found.worst && summary_is_clear(&best, &worst, more) &&
	    best.median > 0 && worst.median > 0)
		found.ratio =
			more ? best.median / worst.median : worst.median / best.median;
	return found;
}

/* The last point that at least two rows served wholly: there they can be compared. */
static unsigned last_compared(const struct experiment *experiment)
{
	unsigned point = experiment->point_count - 1;

	while (point > 0 && rows_whole(experiment, point) < 2)
		point--;
	return point;
}

static const char *times(double ratio, char out[CHART_NUMBER])
{
	snprintf(out, CHART_NUMBER, ratio >= 10 ? "%.0f" : "%.1f", ratio);
	return out;
}

/* "With 256 clients, epoll has 3.1 times the throughput of fork." */
static void write_extremes(const struct experiment *experiment, unsigned point,
			   enum figure figure, const char *what, FILE *out)
{
	struct extremes found = find_extremes(experiment, point, figure);
	char x[PLACE], ratio[CHART_NUMBER];
	bool more = figure_more_is_better(figure);

	if (!found.known)
		return;
	place(experiment, point, x);
	if (found.ratio < WORTH_SAYING)
		fprintf(out, "At %s, no difference in %s is larger than the spread.\n", x,
			what);
	else
		fprintf(out, "At %s, %s has %s times the %s of %s.\n", x,
			experiment->rows[more ? found.best : found.worst].name,
			times(found.ratio, ratio), what,
			experiment->rows[more ? found.worst : found.best].name);
}

/* Writes the names of the rows for which @p is_one, separated by commas.
 *  @return their number */
static unsigned write_names(const struct experiment *experiment,
			    const bool is_one[EXPERIMENT_ROWS], FILE *out)
{
	unsigned count = 0;

	for (unsigned row = 0; row < experiment->row_count; row++)
		if (is_one[row])
			fprintf(out, "%s%s", count++ > 0 ? ", " : "",
				experiment->rows[row].name);
	return count;
}

static bool any(const struct experiment *experiment, const bool is_one[EXPERIMENT_ROWS])
{
	bool found = false;

	for (unsigned row = 0; row < experiment->row_count; row++)
		found |= is_one[row];
	return found;
}

/* The rows that did not serve all clients at some point, and from where on. */
static void write_lacks(const struct experiment *experiment, FILE *out)
{
	char x[PLACE];

	for (unsigned row = 0; row < experiment->row_count; row++)
		for (unsigned point = 0; point < experiment->point_count; point++) {
			struct experiment_service service =
				experiment_service(experiment, point, row);

			if (service.rounds == 0 || service.served == service.of)
				continue;
			fprintf(out, "At %s, %s serves %u of %u clients%s.\n",
				place(experiment, point, x), experiment->rows[row].name,
				service.served, service.of,
				service.errors > 0 ? ", with errors"
						   : "; the others had no reply");
			break;
		}
}

static void find_clients(const struct experiment *experiment, FILE *out)
{
	unsigned point = last_compared(experiment);

	write_extremes(experiment, point, FIGURE_RATE, "throughput", out);
	write_extremes(experiment, point, FIGURE_P99, "latency (99th percentile)", out);
	write_lacks(experiment, out);
}

/* Each server is compared with itself: without the crowd, and with it. */
static void find_idle(const struct experiment *experiment, FILE *out)
{
	unsigned last = experiment->point_count - 1;
	bool same[EXPERIMENT_ROWS] = { false };
	char x[PLACE];

	place(experiment, last, x);
	for (unsigned row = 0; row < experiment->row_count; row++) {
		struct summary without =
			experiment_summary(experiment, 0, row, FIGURE_RATE);
		struct summary with =
			experiment_summary(experiment, last, row, FIGURE_RATE);

		if (!experiment_is_whole(experiment, 0, row) ||
		    !experiment_is_whole(experiment, last, row) || without.count < 2 ||
		    with.count < 2)
			continue;
		same[row] = !summary_is_clear(&without, &with, true) &&
			    !summary_is_clear(&with, &without, true);
		if (!same[row])
			fprintf(out, "With %s, %s keeps %.0f %% of its throughput.\n", x,
				experiment->rows[row].name,
				100 * with.median / without.median);
	}
	if (any(experiment, same)) {
		fprintf(out,
			"With %s, the throughput is the same within the spread "
			"for: ",
			x);
		(void)write_names(experiment, same, out);
		fputs(".\n", out);
	}
	write_extremes(experiment, last_compared(experiment), FIGURE_MEMORY, "memory",
		       out);
	write_lacks(experiment, out);
}

static bool keeps_up(const struct experiment *experiment, unsigned point, unsigned row)
{
	struct summary rate = experiment_summary(experiment, point, row, FIGURE_RATE);

	return rate.count > 0 && experiment_is_whole(experiment, point, row) &&
	       rate.median >= KEEPS_UP * experiment->points[point].x;
}

/* The knee: the last point up to which a server keeps up. @return its number, or point_count if
 * there is none */
static unsigned find_knee(const struct experiment *experiment, unsigned row)
{
	unsigned point = 0;

	while (point < experiment->point_count && keeps_up(experiment, point, row))
		point++;
	return point > 0 ? point - 1 : experiment->point_count;
}

/* "Requests per second that they keep up with: fork 37k, epoll 56k." */
static void find_rate(const struct experiment *experiment, FILE *out)
{
	char x[CHART_NUMBER];
	bool begun = false;

	for (unsigned row = 0; row < experiment->row_count; row++) {
		unsigned knee = find_knee(experiment, row);

		if (knee == experiment->point_count)
			continue;
		fprintf(out, "%s%s %s",
			begun ? ", "
			      : "The most requests per second that they keep up with: ",
			experiment->rows[row].name,
			chart_number(experiment->points[knee].x, x));
		begun = true;
	}
	if (begun)
		fputs(".\n", out);
	write_lacks(experiment, out);
}

static void find_cost(const struct experiment *experiment, FILE *out)
{
	write_extremes(experiment, 0, FIGURE_CPU, "CPU time per request", out);
	write_extremes(experiment, 0, FIGURE_SWITCHES, "context switches", out);
}

static void find_work(const struct experiment *experiment, FILE *out)
{
	write_extremes(experiment, last_compared(experiment), FIGURE_RATE, "throughput",
		       out);
	write_extremes(experiment, 0, FIGURE_RATE, "throughput", out);
	write_lacks(experiment, out);
}

/* The share of the worker with the most clients, and that of the one with the fewest, if they
 * differ. @return whether they are known and even */
static bool find_shares(const struct experiment *experiment, unsigned point, unsigned row,
			FILE *out)
{
	struct summary least =
		experiment_summary(experiment, point, row, FIGURE_LEAST_SHARE);
	struct summary most =
		experiment_summary(experiment, point, row, FIGURE_MOST_SHARE);
	char x[PLACE];

	if (least.count == 0 || most.median - least.median <= 2 * EVEN)
		return least.count > 0;
	fprintf(out, "With %s, the workers of %s get from %.1f to %.1f %% of them.\n",
		place(experiment, point, x), experiment->rows[row].name, least.median,
		most.median);
	return false;
}

static void find_sharing(const struct experiment *experiment, FILE *out)
{
	for (unsigned point = 0; point < experiment->point_count; point++) {
		bool even[EXPERIMENT_ROWS] = { false };
		char x[PLACE];

		for (unsigned row = 0; row < experiment->row_count; row++)
			even[row] = find_shares(experiment, point, row, out);
		if (!any(experiment, even))
			continue;
		fprintf(out, "With %s, the shares are even for: ",
			place(experiment, point, x));
		(void)write_names(experiment, even, out);
		fputs(".\n", out);
	}
}

void view_write_findings(const struct experiment *experiment, enum experiment_kind kind,
			 FILE *out)
{
	/* not EXPERIMENT_TIMELINE: its pictures are in timelines.c */
	static void (*const find[EXPERIMENT_KINDS])(const struct experiment *, FILE *) = {
		[EXPERIMENT_CLIENTS] = find_clients, [EXPERIMENT_IDLE] = find_idle,
		[EXPERIMENT_RATE] = find_rate,       [EXPERIMENT_COST] = find_cost,
		[EXPERIMENT_WORK] = find_work,       [EXPERIMENT_SHARING] = find_sharing,
	};

	find[kind](experiment, out);
}

/* ---- the curves -------------------------------------------------------------------------- */

void view_make_chart(const struct experiment *experiment, const struct view *view,
		     struct chart *chart)
{
	*chart = (struct chart){
		.title = view->title,
		.x_label = experiment->x_name,
		.y_label = view->unit,
		.by_place = strcmp(experiment->name, "rate") != 0,
		.logarithmic = view->logarithmic,
		.x_count = experiment->point_count,
		.series_count = experiment->row_count,
	};
	for (unsigned i = 0; i < experiment->point_count; i++)
		chart->x_values[i] = experiment->points[i].x;
	for (unsigned row = 0; row < experiment->row_count; row++) {
		struct chart_series *series = &chart->series[row];
		unsigned knee = chart->by_place ? experiment->point_count
						: find_knee(experiment, row);

		series->name = experiment->rows[row].name;
		for (unsigned i = 0; i < experiment->point_count; i++) {
			struct summary summary =
				experiment_summary(experiment, i, row, view->figure);

			if (!experiment_is_known(experiment, i, row, view->figure))
				continue;
			series->points[series->count++] = (struct chart_point){
				.x = experiment->points[i].x,
				.y = summary.median * view->scale,
				.low = summary.least * view->scale,
				.high = summary.most * view->scale,
				.partial = !experiment_is_whole(experiment, i, row),
				.marked = i == knee,
			};
		}
	}
}

/* ---- in the terminal ---------------------------------------------------------------------- */

static void print_row(const struct experiment *experiment, const struct view *view,
		      unsigned row, unsigned from, unsigned to, FILE *out)
{
	fprintf(out, "  %-*.*s", NAME_WIDTH, NAME_WIDTH + 2, experiment->rows[row].name);
	for (unsigned i = from; i < to; i++) {
		struct summary summary =
			experiment_summary(experiment, i, row, view->figure);
		char cell[CHART_NUMBER] = "-";

		bool failed = experiment_has_failed(experiment, i, row);

		if (experiment_is_known(experiment, i, row, view->figure))
			chart_number(summary.median * view->scale, cell);
		else if (failed)
			snprintf(cell, sizeof cell, "failed");
		fprintf(out, " %*s%s", CELL_WIDTH - 2, cell,
			experiment_is_lacking(experiment, i, row) && !failed ? "'" : " ");
	}
	fputc('\n', out);
}

/* As many points as fit in a line, and then the others below. */
static void print_table(const struct experiment *experiment, const struct view *view,
			FILE *out)
{
	enum { FIT = (COLUMNS - NAME_WIDTH - 2) / CELL_WIDTH };
	char number[CHART_NUMBER];

	fprintf(out, "  %s, %s\n", view->title, view->unit);
	for (unsigned from = 0; from < experiment->point_count; from += FIT) {
		unsigned to = from + FIT < experiment->point_count
				      ? from + FIT
				      : experiment->point_count;

		fprintf(out, "  %-*.*s", NAME_WIDTH, NAME_WIDTH, experiment->x_name);
		for (unsigned i = from; i < to; i++)
			fprintf(out, " %*s ", CELL_WIDTH - 2,
				chart_number(experiment->points[i].x, number));
		fputc('\n', out);
		for (unsigned row = 0; row < experiment->row_count; row++)
			print_row(experiment, view, row, from, to, out);
	}
}

static void print_findings(const struct experiment *experiment, enum experiment_kind kind,
			   FILE *out)
{
	char *text = NULL, sentence[SENTENCE];
	size_t length = 0;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return;
	view_write_findings(experiment, kind, memory);
	if (fclose(memory) == 0)
		for (char *line = text; *line != '\0';) {
			size_t n = strcspn(line, "\n");

			snprintf(sentence, sizeof sentence, "- %.*s", (int)n, line);
			wrap_print(sentence, SIZE_MAX, 2, out);
			line += n + (line[n] == '\n');
		}
	free(text);
}

/* A server that failed is not meant. */
static bool is_anywhere_lacking(const struct experiment *experiment)
{
	for (unsigned point = 0; point < experiment->point_count; point++)
		for (unsigned row = 0; row < experiment->row_count; row++)
			if (experiment_is_lacking(experiment, point, row) &&
			    !experiment_has_failed(experiment, point, row))
				return true;
	return false;
}

void view_print(const struct experiment *experiment, enum experiment_kind kind, FILE *out)
{
	const struct view *views;
	unsigned count = view_figures(kind, &views);
	static struct chart chart; /* large */

	fprintf(out, "%s: %s\n", experiment->name, experiment->title);
	wrap_print(view_question(kind), SIZE_MAX, 0, out);
	view_write_setting(experiment, out);
	fputs("\n\n", out);
	for (unsigned i = 0; i < count; i++) {
		print_table(experiment, &views[i], out);
		fputc('\n', out);
		if (i > 0 || experiment->point_count < 2 || kind == EXPERIMENT_SHARING)
			continue;
		view_make_chart(experiment, &views[i], &chart);
		chart_draw_text(&chart, out);
		fputc('\n', out);
	}
	if (is_anywhere_lacking(experiment))
		fputs("' not all clients were served\n", out);
	print_findings(experiment, kind, out);
	fputc('\n', out);
}
