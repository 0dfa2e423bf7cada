/*
 * comparison - the statistics of all runs, and their output: tables, a few sentences, TSV,
 * JSON.
 *
 * Medians and not means: a run that the machine disturbed must not change the result. A
 * sentence that one model is better than another is printed only if that holds in every
 * round.
 */
#include "client/versus/comparison.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib/wrap.h"
#include "common/json.h"

enum { CELL_TEXT = 48, NAME_WIDTH = 15 };

struct run_figures *comparison_run(const struct comparison *comparison, unsigned round,
				   enum load_kind kind, unsigned model)
{
	return &comparison->runs[(round * LOAD_KINDS + kind) * comparison->model_count +
				 model];
}

/* ---- over all rounds ---- */

struct summary comparison_summary(const struct comparison *comparison,
				  enum load_kind kind, unsigned model, enum figure figure)
{
	double values[COMPARISON_ROUNDS];
	unsigned n = 0;

	for (unsigned round = 0; round < comparison->rounds; round++) {
		const struct run_figures *run =
			comparison_run(comparison, round, kind, model);

		if (run->done && run->figure[figure] >= 0)
			values[n++] = run->figure[figure];
	}
	return summary_of(values, n);
}

double comparison_total(const struct comparison *comparison, enum load_kind kind,
			unsigned model, enum figure figure)
{
	double total = -1;

	for (unsigned round = 0; round < comparison->rounds; round++) {
		const struct run_figures *run =
			comparison_run(comparison, round, kind, model);

		if (run->done && run->figure[figure] >= 0)
			total = (total < 0 ? 0 : total) + run->figure[figure];
	}
	return total;
}

struct service_summary comparison_served(const struct comparison *comparison,
					 enum load_kind kind, unsigned model)
{
	struct service_summary sum = { .silent = UINT_MAX };
	double values[COMPARISON_ROUNDS];

	for (unsigned round = 0; round < comparison->rounds; round++) {
		const struct run_figures *run =
			comparison_run(comparison, round, kind, model);

		if (!run->done)
			continue;
		values[sum.rounds++] = run->served;
		sum.of = run->of;
		if (run->silent < sum.silent)
			sum.silent = run->silent;
		sum.errors += run->errors;
	}
	if (sum.rounds > 0) {
		(void)summary_of(values, sum.rounds); /* sorts them */
		sum.served = (unsigned)values[sum.rounds / 2];
	}
	return sum;
}

/* Whether some of the silent clients had no connection, at the end at least. */
static bool lacks_silent(const struct comparison *comparison, enum load_kind kind,
			 const struct service_summary *served)
{
	return kind == LOAD_IDLE && served->silent < comparison->plans[kind].idle;
}

/* Whether a model served the whole load: only then can it be the best. */
static bool did_all(const struct comparison *comparison, enum load_kind kind,
		    unsigned model)
{
	struct service_summary served = comparison_served(comparison, kind, model);

	return served.rounds > 0 && served.served == served.of && served.errors == 0 &&
	       !lacks_silent(comparison, kind, &served);
}

/* The memory before and after is printed, but only the difference is compared. */
static bool is_compared(enum figure figure)
{
	return figure != FIGURE_EMPTY && figure != FIGURE_CROWDED &&
	       figure != FIGURE_KERNEL_EMPTY && figure != FIGURE_KERNEL_CROWDED;
}

/* The best model for a figure; model_count if fewer than two can be compared. */
static unsigned best_model(const struct comparison *comparison, enum load_kind kind,
			   enum figure figure)
{
	unsigned best = comparison->model_count, compared = 0;
	double best_value = 0;

	for (unsigned model = 0; model < comparison->model_count; model++) {
		struct summary summary =
			comparison_summary(comparison, kind, model, figure);

		if (summary.count == 0 || !did_all(comparison, kind, model))
			continue;
		compared++;
		if (best == comparison->model_count ||
		    (figure_more_is_better(figure) ? summary.median > best_value
						   : summary.median < best_value)) {
			best = model;
			best_value = summary.median;
		}
	}
	return compared > 1 ? best : comparison->model_count;
}

static bool is_clear(const struct comparison *comparison, enum load_kind kind,
		     enum figure figure, unsigned better, unsigned worse)
{
	struct summary a = comparison_summary(comparison, kind, better, figure);
	struct summary b = comparison_summary(comparison, kind, worse, figure);

	return summary_is_clear(&a, &b, figure_more_is_better(figure));
}

/* Whether a model is clearly better than all others. */
static bool is_clearly_best(const struct comparison *comparison, enum load_kind kind,
			    unsigned model, enum figure figure)
{
	if (best_model(comparison, kind, figure) != model)
		return false;
	for (unsigned other = 0; other < comparison->model_count; other++)
		if (other != model && did_all(comparison, kind, other) &&
		    comparison_summary(comparison, kind, other, figure).count > 0 &&
		    !is_clear(comparison, kind, figure, model, other))
			return false;
	return true;
}

/* ---- the table ---- */

/* Formats "1234567.8" as "1,234,568"; small values keep decimals: three digits
 * suffice. A value above 0 never becomes "0.00". */
static void print_whole(char cell[CELL_TEXT], double value, int decimals)
{
	char digits[CELL_TEXT];
	size_t length, used = 0;

	if (value > 0 && value < 0.005 && decimals == 2) {
		snprintf(cell, CELL_TEXT, "<0.01");
		return;
	}
	if (value < 100) {
		if (decimals > 0 && value >= 10)
			decimals--;
		snprintf(cell, CELL_TEXT, "%.*f", decimals, value);
		return;
	}
	if (value > 1e15) /* not a measured value */
		value = 1e15;
	snprintf(digits, sizeof digits, "%.0f", value);
	length = strlen(digits);
	for (size_t i = 0; i < length && used + 2 < CELL_TEXT; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			cell[used++] = ',';
		cell[used++] = digits[i];
	}
	cell[used] = '\0';
}

/* As print_whole(), or in thousands (k), millions (M) ... if that is too wide. */
static void print_value(char cell[CELL_TEXT], double value, int decimals, int width)
{
	static const char units[] = "kMGT";
	char number[CELL_TEXT];

	print_whole(cell, value, decimals);
	for (size_t i = 0; strlen(cell) > (size_t)width && units[i] != '\0'; i++) {
		value /= 1000;
		print_whole(number, value, decimals);
		snprintf(cell, CELL_TEXT, "%.40s%c", number, units[i]);
	}
}

static bool is_of_memory(enum figure figure)
{
	return (figure >= FIGURE_EMPTY && figure <= FIGURE_PER_CLIENT) ||
	       (figure >= FIGURE_KERNEL_EMPTY && figure <= FIGURE_ALL_PER_CLIENT);
}

/* Whether a figure says something: a model that served no client in the median round has
 * none, but for its memory without clients. */
static bool is_known(const struct comparison *comparison, enum load_kind kind,
		     unsigned model, enum figure figure)
{
	struct service_summary served;

	if (figure == FIGURE_EMPTY || figure == FIGURE_KERNEL_EMPTY)
		return true;
	served = comparison_served(comparison, kind, model);
	return served.served > 0 &&
	       !(is_of_memory(figure) && lacks_silent(comparison, kind, &served));
}

static void print_cell(const struct comparison *comparison, enum load_kind kind,
		       unsigned model, enum figure figure, int width, bool last,
		       FILE *out)
{
	struct summary summary = comparison_summary(comparison, kind, model, figure);
	double scale = figure == FIGURE_BYTES ? 1e-6 : 1;
	char cell[CELL_TEXT] = "-";

	if (summary.count > 0 && is_known(comparison, kind, model, figure))
		print_value(cell, summary.median * scale, 2, width);
	fprintf(out, " %*s", width, cell);
	if (is_compared(figure) && is_clearly_best(comparison, kind, model, figure))
		fputc('*', out);
	else if (!last)
		fputc(' ', out);
}

/* Half of the range between the rounds, in percent of the median. */
static void print_spread(const struct comparison *comparison, enum load_kind kind,
			 unsigned model, enum figure figure, FILE *out)
{
	struct summary summary = comparison_summary(comparison, kind, model, figure);
	char cell[CELL_TEXT] = "-";

	if (summary.count > 1 && summary.median > 0 &&
	    is_known(comparison, kind, model, figure))
		snprintf(cell, sizeof cell, "%.0f%%",
			 (summary.most - summary.least) / 2 / summary.median * 100);
	if (strlen(cell) > 5)
		snprintf(cell, sizeof cell, ">999%%");
	fprintf(out, " %5s", cell);
}

/* The total of all rounds: rare events would not show in a median. */
static void print_total(const struct comparison *comparison, enum load_kind kind,
			unsigned model, enum figure figure, FILE *out)
{
	double total = comparison_total(comparison, kind, model, figure);
	char cell[CELL_TEXT] = "-";

	if (total == 0)
		snprintf(cell, sizeof cell, "0");
	else if (total > 0)
		print_value(cell, total, 0, 11);
	fprintf(out, " %11s", cell);
}

/* The name at the start of a row. A long name has a row of its own. */
static void print_name(const char *name, FILE *out)
{
	if (strlen(name) <= NAME_WIDTH)
		fprintf(out, "  %-*s", NAME_WIDTH, name);
	else
		fprintf(out, "  %s\n  %*s", name, NAME_WIDTH, "");
}

/* "224 errors, mostly early closes" */
static void print_errors(const struct comparison *comparison, enum load_kind kind,
			 unsigned model, uint64_t errors, const char *separator,
			 FILE *out)
{
	uint64_t sums[LOAD_ERRORS] = { 0 };
	int most = 0;

	for (unsigned round = 0; round < comparison->rounds; round++)
		for (int i = 0; i < LOAD_ERRORS; i++)
			sums[i] += comparison_run(comparison, round, kind, model)
					   ->errors_of_kind[i];
	for (int i = 1; i < LOAD_ERRORS; i++)
		most = sums[i] > sums[most] ? i : most;
	fprintf(out, "%s%ju errors", separator, (uintmax_t)errors);
	if (sums[most] > 0)
		fprintf(out, "%s%s", sums[most] < errors ? ", mostly " : ": ",
			load_error_text((enum load_error)most, sums[most]));
}

/* Below a row: what its figures do not show. */
static void print_remark(const struct comparison *comparison, enum load_kind kind,
			 unsigned model, const struct service_summary *served, FILE *out)
{
	const char *separator = "";
	bool silent = lacks_silent(comparison, kind, served);

	if (served->rounds == 0 ||
	    (served->errors == 0 && served->served == served->of && !silent))
		return;
	fprintf(out, "  %*s ", NAME_WIDTH, "");
	if (served->served == 0)
		fprintf(out, "none of %u clients served%s", served->of,
			served->errors == 0 ? ": all waited" : "");
	else if (served->served < served->of)
		fprintf(out, "%u of %u clients served", served->served, served->of);
	if (served->served < served->of)
		separator = "; ";
	if (silent) {
		fprintf(out, "%s%u of %u silent clients", separator, served->silent,
			comparison->plans[kind].idle);
		separator = "; ";
	}
	if (served->errors > 0)
		print_errors(comparison, kind, model, served->errors, separator, out);
	fputc('\n', out);
}

static void print_model_row(const struct comparison *comparison, enum load_kind kind,
			    unsigned model, FILE *out)
{
	struct service_summary served = comparison_served(comparison, kind, model);
	enum figure rate = kind == LOAD_BULK ? FIGURE_BYTES : FIGURE_RATE;

	print_name(comparison->models[model], out);
	print_cell(comparison, kind, model, rate, 11, false, out);
	print_spread(comparison, kind, model, rate, out);
	print_cell(comparison, kind, model, FIGURE_P50, 8, false, out);
	print_cell(comparison, kind, model, FIGURE_P99, 8, false, out);
	print_cell(comparison, kind, model, FIGURE_CPU, 8, false, out);
	print_cell(comparison, kind, model, FIGURE_SWITCHES, 8, true, out);
	fputc('\n', out);
	print_remark(comparison, kind, model, &served, out);
}

static const char *what_they_do(const struct load_plan *plan)
{
	if (plan->protocol->pattern == LOAD_SINK)
		return " that only send";
	if (plan->protocol->pattern == LOAD_BROADCAST)
		return plan->senders == plan->connections ? " (all send)"
		       : plan->senders == 1               ? " (one sends)"
							  : " (some send)";
	if (plan->datagrams)
		return "";
	if (plan->protocol->pattern == LOAD_SOURCE)
		return " that only read";
	return plan->protocol->pattern == LOAD_GREETING ? " that only read" : "";
}

static void write_load_title(const struct comparison *comparison, enum load_kind kind,
			     FILE *out)
{
	const struct load_plan *plan = &comparison->plans[kind];

	fprintf(out, "%s: %u clients%s", load_kind_name(kind), plan->connections,
		what_they_do(plan));
	if (kind == LOAD_IDLE)
		fprintf(out, " and %u silent clients", plan->idle);
	if (comparison->reply_sizes[kind] > 0)
		fprintf(out, ", replies of %zu bytes", comparison->reply_sizes[kind]);
	else if (plan->datagrams)
		fprintf(out, ", datagrams of %zu bytes", plan->size);
	else if (plan->protocol->pattern == LOAD_SOURCE)
		fprintf(out, ", blocks of %zu bytes", plan->size);
	else if (plan->protocol->pattern == LOAD_BROADCAST)
		fprintf(out, ", lines of %zu bytes", plan->size);
	else if (plan->protocol->pattern != LOAD_GREETING)
		fprintf(out, ", messages of %zu bytes", plan->size);
	if (kind == LOAD_CONNECTIONS)
		fprintf(out, ", one %s per exchange",
			plan->datagrams ? "socket" : "connection");
}

static void print_load_title(const struct comparison *comparison, enum load_kind kind,
			     FILE *out)
{
	char *text = NULL;
	size_t length = 0;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return;
	write_load_title(comparison, kind, memory);
	if (fclose(memory) == 0)
		wrap_print(text, SIZE_MAX, 2, out);
	free(text);
}

static bool is_broadcast(const struct load_plan *plan)
{
	return plan->protocol->pattern == LOAD_BROADCAST;
}

/* Two rows: the first one is the common part of two columns. */
static void print_load_heading(const struct load_plan *plan, FILE *out)
{
	enum load_kind kind = plan->kind;
	bool broadcast = is_broadcast(plan);

	fprintf(out, "%*s %19s\n", NAME_WIDTH + 40, "latency in us",
		broadcast ? "per 1000 deliveries" : "per 1000 exchanges");
	fprintf(out, "  %-*s %11s %6s %8s  %8s  %8s  %8s\n", NAME_WIDTH, "",
		kind == LOAD_BULK          ? "MB/s"
		: kind == LOAD_CONNECTIONS ? "clients/s"
		: broadcast                ? "delivered/s"
					   : "exchanges/s",
		"spread", "p50", "p99", "CPU ms", "switches");
}

/* Counts of datagrams, below the table of a load. */
static void print_datagrams(const struct comparison *comparison, enum load_kind kind,
			    FILE *out)
{
	static const enum figure fates[] = { FIGURE_SENT, FIGURE_LOST, FIGURE_LATE,
					     FIGURE_DUPLICATES, FIGURE_REORDERED };

	fprintf(out, "  %-*s %11s %11s %11s %11s %11s\n", NAME_WIDTH, "datagrams", "sent",
		"lost", "late", "duplicate", "reordered");
	for (unsigned model = 0; model < comparison->model_count; model++) {
		print_name(comparison->models[model], out);
		for (size_t i = 0; i < sizeof fates / sizeof *fates; i++)
			print_total(comparison, kind, model, fates[i], out);
		fputc('\n', out);
	}
}

/* Whether a server has told how its workers shared the clients. */
static bool has_shares(const struct comparison *comparison)
{
	for (unsigned model = 0; model < comparison->model_count; model++)
		if (comparison_summary(comparison, LOAD_CONNECTIONS, model,
				       FIGURE_WORKERS)
			    .count > 0)
			return true;
	return false;
}

/* How the workers shared the clients, below the table of the connections: only models whose
 * workers are there before the clients. */
static void print_shares(const struct comparison *comparison, FILE *out)
{
	enum load_kind kind = LOAD_CONNECTIONS;

	if (!has_shares(comparison))
		return;
	fprintf(out, "  %-*s %11s %11s %11s\n", NAME_WIDTH, "clients in %", "workers",
		"least", "most");
	for (unsigned model = 0; model < comparison->model_count; model++) {
		struct summary workers =
			comparison_summary(comparison, kind, model, FIGURE_WORKERS);

		if (workers.count == 0)
			continue;
		print_name(comparison->models[model], out);
		fprintf(out, " %11.0f %11.1f %11.1f\n", workers.median,
			comparison_summary(comparison, kind, model, FIGURE_LEAST_SHARE)
				.median,
			comparison_summary(comparison, kind, model, FIGURE_MOST_SHARE)
				.median);
	}
}

/* Seven columns of memory: of the server, and of the kernel for it. */
static void print_memory(const struct comparison *comparison, FILE *out)
{
	static const enum figure columns[] = {
		FIGURE_EMPTY,          FIGURE_KERNEL_EMPTY, FIGURE_CROWDED,
		FIGURE_KERNEL_CROWDED, FIGURE_PER_CLIENT,   FIGURE_KERNEL_PER_CLIENT,
		FIGURE_ALL_PER_CLIENT
	};
	enum { COUNT = sizeof columns / sizeof *columns };

	fprintf(out, "memory of the server and its children in KiB\n");
	fprintf(out, "  %-*s %16s  %16s  %25s\n", NAME_WIDTH, "", "no clients",
		"all clients", "per idle client");
	fprintf(out, "  %-*s %7s %8s %8s %8s %8s %8s %8s\n", NAME_WIDTH, "", "own",
		"kernel", "own", "kernel", "own", "kernel", "total");
	for (unsigned model = 0; model < comparison->model_count; model++) {
		print_name(comparison->models[model], out);
		for (int i = 0; i < COUNT; i++)
			print_cell(comparison, LOAD_IDLE, model, columns[i], 7,
				   i == COUNT - 1, out);
		fputc('\n', out);
	}
	fputc('\n', out);
}

/* ---- what it shows ---- */

static const char *times_text(double ratio, char out[CELL_TEXT])
{
	if (ratio >= 10)
		snprintf(out, CELL_TEXT, "%.0f", ratio);
	else
		snprintf(out, CELL_TEXT, "%.1f", ratio);
	return out;
}

/* One sentence about the best and the worst of the models that served all of a load. */
static void explain_extremes(const struct comparison *comparison, enum load_kind kind,
			     enum figure figure, const char *format, FILE *out)
{
	unsigned best = best_model(comparison, kind, figure), worst = best;
	double least = 0, most;
	char times[CELL_TEXT], sentence[400];

	if (!comparison->with[kind] || best == comparison->model_count)
		return;
	most = least = comparison_summary(comparison, kind, best, figure).median;
	for (unsigned model = 0; model < comparison->model_count; model++) {
		struct summary summary =
			comparison_summary(comparison, kind, model, figure);
		double value = summary.median;

		if (summary.count == 0 || !did_all(comparison, kind, model))
			continue;
		if (figure_more_is_better(figure) ? value < least : value > most)
			worst = model;
		least = value < least ? value : least;
		most = value > most ? value : most;
	}
	if (worst == best || least <= 0 ||
	    !is_clear(comparison, kind, figure, best, worst))
		return;
	snprintf(sentence, sizeof sentence, format, comparison->models[best],
		 times_text(most / least, times), comparison->models[worst]);
	wrap_print(sentence, SIZE_MAX, 2, out);
}

/* A failed model is left out: its clients do not wait for each other. */
static void explain_waiting(const struct comparison *comparison, FILE *out)
{
	char sentence[200];

	for (unsigned model = 0; model < comparison->model_count; model++) {
		bool waits = false, fails = false;

		for (int kind = 0; kind < LOAD_KINDS; kind++) {
			struct service_summary served = comparison_served(
				comparison, (enum load_kind)kind, model);

			if (served.rounds == 0 || served.served == served.of)
				continue;
			waits |= served.errors == 0;
			fails |= served.errors > 0;
		}
		if (!waits && !fails)
			continue;
		snprintf(sentence, sizeof sentence, "- %s did not serve all clients: %s.",
			 comparison->models[model],
			 fails ? "there were errors"
			       : "some had no reply in the measured time");
		wrap_print(sentence, SIZE_MAX, 2, out);
	}
}

/* The losses of a model in all loads together. */
static void explain_losses(const struct comparison *comparison, FILE *out)
{
	char sentence[200];

	for (unsigned model = 0; model < comparison->model_count; model++) {
		double sent = 0, lost = 0;

		for (int i = 0; i < LOAD_KINDS; i++) {
			enum load_kind kind = (enum load_kind)i;
			double n = comparison_total(comparison, kind, model, FIGURE_LOST);

			lost += n > 0 ? n : 0;
			n = comparison_total(comparison, kind, model, FIGURE_SENT);
			sent += n > 0 ? n : 0;
		}
		if (lost <= 0 || sent <= 0)
			continue;
		snprintf(sentence, sizeof sentence,
			 "- With %s, %.3g%% of the datagrams were lost.",
			 comparison->models[model], lost / sent * 100);
		wrap_print(sentence, SIZE_MAX, 2, out);
	}
}

static void explain(const struct comparison *comparison, FILE *out)
{
	char *text = NULL;
	size_t length = 0;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return;
	explain_extremes(comparison, LOAD_CONVERSATIONS, FIGURE_RATE,
			 "- With clients that stay connected, %s serves %s times as many "
			 "exchanges as %s.",
			 memory);
	explain_extremes(comparison, LOAD_CONNECTIONS, FIGURE_RATE,
			 "- With one connection per exchange, %s serves %s times as many "
			 "clients as %s.",
			 memory);
	explain_extremes(comparison, LOAD_ROOM, FIGURE_RATE,
			 "- With one sender, %s delivers %s times as many lines as %s.",
			 memory);
	explain_extremes(
		comparison, LOAD_TALK, FIGURE_RATE,
		"- With all clients sending, %s delivers %s times as many lines as %s.",
		memory);
	explain_extremes(
		comparison, LOAD_BULK, FIGURE_BYTES,
		"- With large messages, %s transfers %s times as many bytes as %s.",
		memory);
	explain_extremes(comparison, LOAD_IDLE, FIGURE_RATE,
			 "- With many silent clients, %s serves %s times as many "
			 "exchanges as %s.",
			 memory);
	explain_extremes(
		comparison, LOAD_IDLE, FIGURE_ALL_PER_CLIENT,
		"- For an idle client, %3$s needs %2$s times as much memory as %1$s.",
		memory);
	if (comparison->datagrams)
		explain_losses(comparison, memory);
	else
		explain_waiting(comparison, memory);
	if (fclose(memory) == 0 && length > 0)
		fprintf(out, "\nResults on this machine:\n%s", text);
	free(text);
}

/* The last runs of a model with a wrong reply, and with a missing one; NULL: none. */
static void find_faults(const struct comparison *comparison, unsigned model,
			const struct run_figures **wrong,
			const struct run_figures **silent)
{
	unsigned all = comparison->rounds * LOAD_KINDS * comparison->model_count;

	*wrong = *silent = NULL;
	for (unsigned i = model; i < all; i += comparison->model_count) {
		if (comparison->runs[i].wrong.text[0] != '\0')
			*wrong = &comparison->runs[i];
		if (comparison->runs[i].errors > 0 &&
		    comparison->runs[i].silence.text[0] != '\0')
			*silent = &comparison->runs[i];
	}
}

static void print_wrong(const struct comparison *comparison, FILE *out)
{
	const struct run_figures *wrong, *silent;
	char text[FAILURE_TEXT + 300];

	for (unsigned model = 0; model < comparison->model_count; model++) {
		const char *name = comparison->models[model];

		find_faults(comparison, model, &wrong, &silent);
		if (wrong != NULL) {
			snprintf(text, sizeof text, "Wrong reply from %s: %s.", name,
				 wrong->wrong.text);
			wrap_print(text, SIZE_MAX, 2, out);
		}
		if (silent == NULL)
			continue;
		snprintf(text, sizeof text, "Missing reply from %s: %s.", name,
			 silent->silence.text);
		wrap_print(text, SIZE_MAX, 2, out);
		if (silent->cookies == 0)
			continue;
		snprintf(
			text, sizeof text,
			"%ju SYN cookies sent: the backlog of %s was full, so it may not "
			"know of connected clients that received nothing.",
			(uintmax_t)silent->cookies, name);
		wrap_print(text, SIZE_MAX, 2, out);
	}
}

/* Whether a load before this one has the same failure. */
static bool is_repeated(const struct comparison *comparison, int kind, unsigned model)
{
	const char *text = comparison->failures[kind][model].text;

	for (int before = 0; before < kind; before++)
		if (strcmp(comparison->failures[before][model].text, text) == 0)
			return true;
	return false;
}

/* Writes the loads with this failure; nothing if all loads have it. */
static void write_failed_loads(const struct comparison *comparison, int kind,
			       unsigned model, FILE *out)
{
	const char *text = comparison->failures[kind][model].text, *before = " in ";
	bool all = true;

	for (int i = 0; i < LOAD_KINDS; i++)
		if (comparison->with[i] &&
		    strcmp(comparison->failures[i][model].text, text) != 0)
			all = false;
	for (int i = 0; i < LOAD_KINDS && !all; i++) {
		if (strcmp(comparison->failures[i][model].text, text) != 0)
			continue;
		fprintf(out, "%s%s", before, load_kind_name((enum load_kind)i));
		before = ", ";
	}
}

static void print_failure(const struct comparison *comparison, int kind, unsigned model,
			  FILE *out)
{
	char *text = NULL;
	size_t length = 0;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return;
	fprintf(memory, "Failed");
	write_failed_loads(comparison, kind, model, memory);
	fprintf(memory, ": %s.", comparison->failures[kind][model].text);
	if (fclose(memory) == 0)
		wrap_print(text, SIZE_MAX, 2, out);
	free(text);
}

/* Why models are left out: one paragraph for each reason, which names the server. */
static void print_failures(const struct comparison *comparison, FILE *out)
{
	for (unsigned model = 0; model < comparison->model_count; model++)
		for (int kind = 0; kind < LOAD_KINDS; kind++)
			if (comparison->failures[kind][model].text[0] != '\0' &&
			    !is_repeated(comparison, kind, model))
				print_failure(comparison, kind, model, out);
}

/* Explains the columns, the abbreviations and the units. */
static void print_legend(const struct comparison *comparison, FILE *out)
{
	if (is_broadcast(&comparison->plans[0]))
		fputs("delivered  lines; a line counts once for each client that "
		      "receives it\n",
		      out);
	fputs("spread     half of the range between the rounds, in percent of the "
	      "median\n"
	      "p50, p99   latency that 50 and 99 percent of the exchanges did not "
	      "exceed\n"
	      "CPU ms     processor time of the server in milliseconds\n"
	      "switches   context switches of the server\n",
	      out);
	if (comparison->with[LOAD_IDLE])
		fputs("own        memory of the processes: proportional set size (PSS)\n"
		      "kernel     memory of the kernel for them: an estimate\n",
		      out);
	if (comparison->with[LOAD_CONNECTIONS] && has_shares(comparison))
		fputs("least      clients of the worker that served the fewest, in "
		      "percent of all\n"
		      "most       clients of the worker that served the most\n",
		      out);
	if (comparison->datagrams)
		fputs("sent       requests of all rounds\n"
		      "lost       requests without a reply in time\n"
		      "late       replies to lost requests\n"
		      "duplicate  further replies to an answered request\n"
		      "reordered  replies after the reply to a later request\n",
		      out);
	fputs("*          better than all others in every round, by more than the "
	      "spread\n"
	      "k, M       thousands, millions\n"
	      "-          not measured\n",
	      out);
}

/* The rounds with a result; after an interrupt the last one may lack some. */
static unsigned rounds_begun(const struct comparison *comparison)
{
	unsigned begun = 0, runs = LOAD_KINDS * comparison->model_count;

	for (unsigned i = 0; i < comparison->rounds * runs; i++)
		if (comparison->runs[i].done)
			begun = i / runs + 1;
	return begun;
}

static const char *over(const struct comparison *comparison)
{
	if (comparison->local)
		return comparison->datagrams ? " over datagrams of UNIX-domain sockets"
					     : " over UNIX-domain sockets";
	return comparison->datagrams ? " over UDP" : "";
}

void comparison_print(const struct comparison *comparison, FILE *out)
{
	unsigned rounds = rounds_begun(comparison);

	fprintf(out, "%s%s: median of %u round%s, %g s for each load and model\n",
		comparison->service, over(comparison), rounds, rounds == 1 ? "" : "s",
		(double)comparison->plans[0].duration / 1000);
	if (rounds < comparison->rounds)
		fprintf(out, "%u of %u round%s had a complete run\n", rounds,
			comparison->rounds, comparison->rounds == 1 ? "" : "s");
	fputc('\n', out);
	for (int i = 0; i < LOAD_KINDS; i++) {
		enum load_kind kind = (enum load_kind)i;

		if (!comparison->with[kind])
			continue;
		print_load_title(comparison, kind, out);
		print_load_heading(&comparison->plans[kind], out);
		for (unsigned model = 0; model < comparison->model_count; model++)
			print_model_row(comparison, kind, model, out);
		if (comparison->datagrams)
			print_datagrams(comparison, kind, out);
		if (kind == LOAD_CONNECTIONS)
			print_shares(comparison, out);
		fputc('\n', out);
	}
	if (comparison->with[LOAD_IDLE])
		print_memory(comparison, out);
	print_legend(comparison, out);
	print_failures(comparison, out);
	print_wrong(comparison, out);
	explain(comparison, out);
}

/* ---- for programs ---- */

static const char *transport_name(const struct comparison *comparison)
{
	if (comparison->local)
		return comparison->datagrams ? "unix-datagram" : "unix";
	return comparison->datagrams ? "udp" : "tcp";
}

void comparison_write_tsv(const struct comparison *comparison, FILE *out)
{
	fprintf(out, "service\tmodel\tload\tround\tserved\tconnections\terrors");
	for (int figure = 0; figure < FIGURES; figure++)
		fprintf(out, "\t%s", figure_name((enum figure)figure));
	fprintf(out, "\ttransport\n");
	for (unsigned i = 0;
	     i < comparison->rounds * LOAD_KINDS * comparison->model_count; i++) {
		unsigned model = i % comparison->model_count;
		enum load_kind kind =
			(enum load_kind)(i / comparison->model_count % LOAD_KINDS);
		const struct run_figures *run = &comparison->runs[i];

		if (!run->done)
			continue;
		fprintf(out, "%s\t%s\t%s\t%u\t%u\t%u\t%ju", comparison->service,
			comparison->models[model], load_kind_name(kind),
			i / comparison->model_count / LOAD_KINDS + 1, run->served,
			run->of, (uintmax_t)run->errors);
		for (int figure = 0; figure < FIGURES; figure++)
			if (run->figure[figure] >= 0)
				fprintf(out, "\t%.3f", run->figure[figure]);
			else
				fprintf(out, "\t");
		fprintf(out, "\t%s\n", transport_name(comparison));
	}
}

static void write_number(double value, bool known, FILE *out)
{
	if (known)
		fprintf(out, "%.3f", value);
	else
		fprintf(out, "null");
}

static void write_json_result(const struct comparison *comparison, enum load_kind kind,
			      unsigned model, FILE *out)
{
	struct service_summary served = comparison_served(comparison, kind, model);
	const char *failure = comparison->failures[kind][model].text;

	fprintf(out, "{\"model\": ");
	json_write_string(out, comparison->models[model]);
	fprintf(out,
		", \"load\": \"%s\", \"rounds\": %u, \"connections\": %u, "
		"\"served\": %u, \"errors\": %ju, \"failure\": ",
		load_kind_name(kind), served.rounds, served.of, served.served,
		(uintmax_t)served.errors);
	if (failure[0] != '\0')
		json_write_string(out, failure);
	else
		fprintf(out, "null");
	for (int i = 0; i < FIGURES; i++) {
		enum figure figure = (enum figure)i;
		struct summary summary =
			comparison_summary(comparison, kind, model, figure);
		bool known = summary.count > 0;

		fprintf(out, ",\n     \"%s\": {\"median\": ",
			figure_name((enum figure)figure));
		write_number(summary.median, known, out);
		fprintf(out, ", \"least\": ");
		write_number(summary.least, known, out);
		fprintf(out, ", \"most\": ");
		write_number(summary.most, known, out);
		fprintf(out, ", \"rounds\": [");
		for (unsigned round = 0; round < comparison->rounds; round++) {
			const struct run_figures *run =
				comparison_run(comparison, round, kind, model);

			fprintf(out, "%s", round > 0 ? ", " : "");
			write_number(run->figure[figure],
				     run->done && run->figure[figure] >= 0, out);
		}
		fprintf(out, "]}");
	}
	fprintf(out, "}");
}

/* 0 is written as null. */
static void write_size(size_t size, FILE *out)
{
	if (size > 0)
		fprintf(out, "%zu", size);
	else
		fprintf(out, "null");
}

/* The parameters of a load. */
static void write_json_load(const struct comparison *comparison, enum load_kind kind,
			    FILE *out)
{
	const struct load_plan *plan = &comparison->plans[kind];

	fprintf(out,
		"{\"load\": \"%s\", \"clients\": %u, \"idle\": %u, \"seconds\": %g, "
		"\"size\": ",
		load_kind_name(plan->kind), plan->connections, plan->idle,
		(double)plan->duration / 1000);
	write_size(plan->protocol->takes_request ? plan->request.length
		   : load_plan_has_size(plan)    ? plan->size
						 : 0,
		   out);
	fprintf(out, ", \"reply_size\": ");
	write_size(comparison->reply_sizes[kind], out);
	fprintf(out, "}");
}

void comparison_write_json(const struct comparison *comparison,
			   const struct machine *machine, const char *command,
			   bool interrupted, FILE *out)
{
	bool first = true;

	fprintf(out,
		"{\"service\": \"%s\", \"transport\": \"%s\", \"rounds\": %u, "
		"\"interrupted\": %s,\n \"command\": ",
		comparison->service, transport_name(comparison), comparison->rounds,
		interrupted ? "true" : "false");
	json_write_string(out, command);
	fputs(",\n \"machine\": ", out);
	machine_write_json(machine, out);
	fputs(",\n \"loads\": [", out);
	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		if (!comparison->with[kind])
			continue;
		fprintf(out, "%s\n    ", first ? "" : ",");
		write_json_load(comparison, (enum load_kind)kind, out);
		first = false;
	}
	first = true;
	fprintf(out, "],\n \"results\": [");
	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		for (unsigned model = 0; model < comparison->model_count; model++) {
			if (!comparison->with[kind])
				continue;
			fprintf(out, "%s\n    ", first ? "" : ",");
			write_json_result(comparison, (enum load_kind)kind, model, out);
			first = false;
		}
	}
	fprintf(out, "\n]}\n");
}
