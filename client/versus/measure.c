/*
 * measure - one run of one server: started, loaded, stopped.
 *
 * A server is started for each run: so no run finds it warmed up, or grown, by another one. It
 * costs the time to start it, some milliseconds.
 */
#include "client/versus/measure.h"

#include <stdlib.h>
#include <string.h>

#include "client/versus/server_memory.h"

/* For the moment at which all clients are connected. */
struct settled {
	const struct server_process *server;
	struct run_figures *figures;
};

static double more_by(double before, double after)
{
	return after > before ? after - before : 0;
}

static void note_empty_memory(struct run_figures *figures,
			      const struct server_process *server)
{
	struct server_memory memory = server_memory(server->pid, 0, server->local);

	if (memory.own < 0)
		return;
	figures->figure[FIGURE_EMPTY] = (double)memory.own / 1024;
	figures->figure[FIGURE_KERNEL_EMPTY] = (double)memory.kernel / 1024;
}

/* All clients are connected and nothing is sent yet: reads the memory of the server. */
static void note_memory(const struct load_progress *load, void *context)
{
	const struct settled *settled = context;
	struct run_figures *figures = settled->figures;
	struct server_memory memory;
	double clients = load->idle + figures->of, *figure = figures->figure;

	if (load->phase != LOAD_SETTLED || load->idle == 0 || figure[FIGURE_EMPTY] < 0)
		return;
	memory = server_memory(settled->server->pid, (int64_t)clients + 1,
			       settled->server->local);
	if (memory.own < 0)
		return;
	figure[FIGURE_CROWDED] = (double)memory.own / 1024;
	figure[FIGURE_KERNEL_CROWDED] = (double)memory.kernel / 1024;
	figure[FIGURE_PER_CLIENT] = more_by(figure[FIGURE_EMPTY], figure[FIGURE_CROWDED]);
	figure[FIGURE_KERNEL_PER_CLIENT] =
		more_by(figure[FIGURE_KERNEL_EMPTY], figure[FIGURE_KERNEL_CROWDED]);
	figure[FIGURE_PER_CLIENT] /= clients;
	figure[FIGURE_KERNEL_PER_CLIENT] /= clients;
	figure[FIGURE_MEMORY] = figure[FIGURE_CROWDED] + figure[FIGURE_KERNEL_CROWDED];
	figure[FIGURE_ALL_PER_CLIENT] =
		figure[FIGURE_PER_CLIENT] + figure[FIGURE_KERNEL_PER_CLIENT];
}

/* If the server did not serve all clients, the number of clients that its memory
 * belongs to is unknown. */
static void drop_memory(struct run_figures *figures)
{
	static const enum figure figures_with_clients[] = {
		FIGURE_CROWDED,           FIGURE_KERNEL_CROWDED, FIGURE_PER_CLIENT,
		FIGURE_KERNEL_PER_CLIENT, FIGURE_ALL_PER_CLIENT, FIGURE_MEMORY
	};

	for (size_t i = 0; i < sizeof figures_with_clients / sizeof *figures_with_clients;
	     i++)
		figures->figure[figures_with_clients[i]] = -1;
}

/* Without replies, only the server knows how much it received: its count replaces
 * the number of sent bytes. A server that does not print it has no figures. Then there
 * is no latency either. */
static void use_count_of_server(struct run_figures *figures, struct load_result *result,
				const struct load_plan *plan, int64_t received)
{
	uint64_t count = received > 0 ? (uint64_t)received / plan->size : 0;

	if (received >= 0)
		figures->figure[FIGURE_LOST] =
			result->fate.sent > count ? (double)(result->fate.sent - count)
						  : 0;
	result->exchanges = count;
	result->bytes = count * plan->size;
	memset(&result->latency, 0, sizeof result->latency);
}

static void note_datagrams(struct run_figures *figures, const struct load_plan *plan,
			   const struct load_fate *fate)
{
	figures->figure[FIGURE_SENT] = (double)fate->sent;
	if (plan->protocol->pattern == LOAD_SINK)
		return;
	figures->figure[FIGURE_LOST] = (double)fate->lost;
	figures->figure[FIGURE_DUPLICATES] = (double)fate->duplicates;
	if (!plan->protocol->mirrors) /* replies carry no numbers */
		return;
	figures->figure[FIGURE_LATE] = (double)fate->late;
	figures->figure[FIGURE_REORDERED] = (double)fate->reordered;
}

static void note_shares(struct run_figures *figures, const struct server_process *server)
{
	if (server->workers == 0)
		return;
	figures->figure[FIGURE_WORKERS] = server->workers;
	figures->figure[FIGURE_LEAST_SHARE] = server->least_share;
	figures->figure[FIGURE_MOST_SHARE] = server->most_share;
	figures->workers =
		server->workers < FIGURES_SHARES ? server->workers : FIGURES_SHARES;
	memcpy(figures->shares, server->shares,
	       figures->workers * sizeof *figures->shares);
}

static void note_figures(struct run_figures *figures, const struct load_plan *plan,
			 const struct load_result *result,
			 const struct server_process_usage *usage)
{
	const struct process_usage *sum = &usage->sum;
	double thousands = (double)result->exchanges / 1000;
	double switches = (double)(sum->voluntary_switches + sum->involuntary_switches);

	figures->silent = result->idle_open;
	if (plan->kind == LOAD_IDLE)
		figures->figure[FIGURE_SILENT] = result->idle_open;
	figures->served = result->served;
	if (result->wrong.text[0] != '\0')
		figures->wrong = result->wrong;
	figures->silence = result->silence;
	figures->cookies = result->cookies;
	figures->errors = load_errors(result);
	for (int i = 0; i < LOAD_ERRORS; i++)
		figures->errors_of_kind[i] = result->errors[i];
	/* With a broadcast protocol some models let in one client only; the others
	 * wait. A datagram without a reply is counted as lost. */
	if (plan->protocol->pattern == LOAD_BROADCAST || plan->datagrams) {
		figures->errors -= result->errors[LOAD_NO_REPLY];
		figures->errors_of_kind[LOAD_NO_REPLY] = 0;
	}
	figures->done = true;
	if (result->served < plan->connections || result->idle_open < plan->idle)
		drop_memory(figures);
	if (result->exchanges == 0 || result->elapsed <= 0)
		return;
	figures->figure[FIGURE_RATE] = (double)result->exchanges / result->elapsed;
	figures->figure[FIGURE_BYTES] = (double)result->bytes / result->elapsed;
	if (usage->known) {
		figures->figure[FIGURE_CPU] =
			(sum->user_seconds + sum->system_seconds) * 1000 / thousands;
		figures->figure[FIGURE_SWITCHES] = switches / thousands;
		if (sum->voluntary_switches > 0)
			figures->figure[FIGURE_PER_WAKEUP] =
				(double)result->exchanges /
				(double)sum->voluntary_switches;
	}
	if (histogram_count(&result->latency) == 0)
		return;
	figures->figure[FIGURE_P50] =
		(double)histogram_percentile(&result->latency, 50) / 1000;
	figures->figure[FIGURE_P99] =
		(double)histogram_percentile(&result->latency, 99) / 1000;
	if (plan->rate > 0)
		figures->figure[FIGURE_SERVICE_P99] =
			(double)histogram_percentile(&result->service, 99) / 1000;
	figures->figure[FIGURE_P999] =
		(double)histogram_percentile(&result->latency, 99.9) / 1000;
}

int measure_run(const struct measurement *measurement, struct run_figures *figures,
		struct failure *failure)
{
	static struct load_result result; /* large */
	struct server_process *server = measurement->server;
	struct load_plan plan = *measurement->plan;
	const struct server_process_settings settings = {
		.datagrams = plan.datagrams,
		.local = measurement->local,
		.clients = plan.connections + plan.idle + 1,
		.options = measurement->options,
		.quiet = measurement->quiet,
		.stop = plan.stop,
	};
	struct settled settled = { server, figures };
	struct server_process_usage usage;
	struct failure reason, end;
	int measured;

	figures_clear(figures);
	figures->of = plan.connections;
	if (server_process_start(server, &settings, failure) < 0)
		return -1;
	if (plan.kind == LOAD_IDLE)
		note_empty_memory(figures, server);
	plan.host = server->host;
	plan.port = server->port;
	plan.retry = plan.datagrams; /* a command may not have bound its port yet */
	plan.progress = note_memory;
	plan.context = &settled;
	measured = load_run(&plan, &result, &reason);
	if (measured < 0)
		failure_set(failure, "%s: %.250s", server->name, reason.text);
	/* if both failed, the end of the server is the reason */
	if (server_process_stop(server, &usage, &end) < 0) {
		*failure = end;
		return -1;
	}
	if (measured < 0 || *plan.stop)
		return measured;
	if (plan.datagrams)
		note_datagrams(figures, &plan, &result.fate);
	if (plan.datagrams && plan.protocol->pattern == LOAD_SINK)
		use_count_of_server(figures, &result, &plan, server->received);
	note_figures(figures, &plan, &result, &usage);
	note_shares(figures, server);
	return measured;
}
