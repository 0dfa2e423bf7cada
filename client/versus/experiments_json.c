/*
 * experiments_json - an object for each server at each point, with the known figures only.
 *
 * A figure that is not known is not there: most experiments leave most figures unknown, and the
 * page of the report holds all of it.
 */
#include "client/versus/experiments_json.h"

#include "common/json.h"

static void write_figure(const struct experiment *experiment, unsigned point,
			 unsigned row, enum figure figure, FILE *out)
{
	struct summary summary = experiment_summary(experiment, point, row, figure);

	if (!experiment_is_known(experiment, point, row, figure))
		return;
	fprintf(out, ", \"%s\": {\"median\": %.6g, \"least\": %.6g, \"most\": %.6g, ",
		figure_name(figure), summary.median, summary.least, summary.most);
	fputs("\"rounds\": [", out);
	for (unsigned round = 0; round < experiment->rounds; round++) {
		const struct run_figures *run =
			experiment_run(experiment, round, point, row);

		fputs(round > 0 ? ", " : "", out);
		if (run->done && run->figure[figure] >= 0)
			fprintf(out, "%.6g", run->figure[figure]);
		else
			fputs("null", out);
	}
	fputs("]}", out);
}

/* The shares of the last completed round. */
static void write_shares(const struct experiment *experiment, unsigned point,
			 unsigned row, FILE *out)
{
	const struct run_figures *run = experiment_last_run(experiment, point, row);

	if (run == NULL || run->workers == 0)
		return;
	fputs(", \"shares_percent\": [", out);
	for (unsigned i = 0; i < run->workers; i++)
		fprintf(out, "%s%.6g", i > 0 ? ", " : "", run->shares[i]);
	fputc(']', out);
}

static void write_result(const struct experiment *experiment, unsigned point,
			 unsigned row, FILE *out)
{
	const struct load_plan *plan = &experiment->points[point].plan;
	struct experiment_service service = experiment_service(experiment, point, row);
	const char *failure = experiment->failures[point][row].text;

	fputs("{\"server\": ", out);
	json_write_string(out, experiment->rows[row].name);
	fprintf(out,
		", \"x\": %.6g, \"clients\": %u, \"idle\": %u, \"rate\": %.6g, "
		"\"rounds\": %u, \"served\": %u, \"errors\": %ju, \"failure\": ",
		experiment->points[point].x, plan->connections, plan->idle, plan->rate,
		service.rounds, service.served, (uintmax_t)service.errors);
	if (failure[0] != '\0')
		json_write_string(out, failure);
	else
		fputs("null", out);
	for (int figure = 0; figure < FIGURES; figure++)
		write_figure(experiment, point, row, (enum figure)figure, out);
	write_shares(experiment, point, row, out);
	fputc('}', out);
}

/* How long a client waited in the backlog, in nanoseconds. */
static int64_t time_in_backlog(const struct trace *trace,
			       const struct trace_client *client)
{
	int64_t time = 0;

	for (size_t i = 0; i < client->spans; i++) {
		const struct trace_span *span = &trace->spans[client->first_span + i];

		if (span->kind == SPAN_BACKLOG)
			time += span->to - span->from;
	}
	return time;
}

/* Times in milliseconds since the first event of a timeline. */
static void write_client(const struct trace *trace, const struct trace_client *client,
			 FILE *out)
{
	fprintf(out,
		"{\"client\": %ju, \"from\": %.3f, \"to\": %.3f, \"backlog\": %.3f, "
		"\"queued\": %.3f, \"requests\": %ju, \"worker\": ",
		(uintmax_t)client->number, (double)client->from / 1e6,
		(double)client->to / 1e6, (double)time_in_backlog(trace, client) / 1e6,
		(double)client->queued / 1e6, (uintmax_t)client->requests);
	if (client->worker == TRACE_NO_WORKER)
		fputs("null}", out);
	else
		fprintf(out, "\"%ju/%ju\"}",
			(uintmax_t)trace->workers[client->worker].process,
			(uintmax_t)trace->workers[client->worker].thread);
}

static void write_timeline(const struct timeline *timeline, FILE *out)
{
	fputs("{\"server\": ", out);
	json_write_string(out, timeline->name);
	fprintf(out, ", \"milliseconds\": %.3f, \"clients\": [",
		(double)timeline->trace.length / 1e6);
	for (size_t i = 0; i < timeline->trace.client_count; i++) {
		fputs(i > 0 ? ",\n    " : "\n    ", out);
		write_client(&timeline->trace, &timeline->trace.clients[i], out);
	}
	fputs("]}", out);
}

static void write_timelines(const struct experiments *experiments, FILE *out)
{
	bool first = true;

	fputs("\n], \"timelines\": [", out);
	for (unsigned row = 0; row < EXPERIMENT_ROWS; row++) {
		if (!experiments->timelines[row].known)
			continue;
		fputs(first ? "\n  " : ",\n  ", out);
		write_timeline(&experiments->timelines[row], out);
		first = false;
	}
}

static void write_experiment(const struct experiment *experiment, FILE *out)
{
	bool first = true;

	fprintf(out, "{\"name\": \"%s\", \"x\": \"%s\", \"service\": ", experiment->name,
		experiment->x_name);
	json_write_string(out, experiment->service);
	fputs(", \"results\": [", out);
	for (unsigned point = 0; point < experiment->point_count; point++)
		for (unsigned row = 0; row < experiment->row_count; row++) {
			fputs(first ? "\n    " : ",\n    ", out);
			write_result(experiment, point, row, out);
			first = false;
		}
	fputs("]}", out);
}

void experiments_write_json(const struct experiments *experiments,
			    const struct machine *machine, const char *command,
			    bool interrupted, FILE *out)
{
	bool first = true;

	fputs("{\"service\": ", out);
	json_write_string(out, experiments->service);
	fprintf(out,
		", \"rounds\": %u, \"seconds\": %g, \"interrupted\": %s,\n "
		"\"command\": ",
		experiments->rounds, (double)experiments->base.duration / 1000,
		interrupted ? "true" : "false");
	json_write_string(out, command);
	fputs(",\n \"machine\": ", out);
	machine_write_json(machine, out);
	fputs(",\n \"experiments\": [", out);
	for (int kind = 0; kind < EXPERIMENT_KINDS; kind++) {
		if (!experiments->with[kind] || experiments->all[kind].runs == NULL ||
		    kind == EXPERIMENT_TIMELINE)
			continue;
		fputs(first ? "\n  " : ",\n  ", out);
		write_experiment(&experiments->all[kind], out);
		first = false;
	}
	write_timelines(experiments, out);
	fputs("\n]}\n", out);
}
