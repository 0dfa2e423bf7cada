/*
 * figures - their names, medians and spreads.
 *
 * Medians and not means: a run that the machine disturbed must not change the result.
 */
#include "client/versus/figures.h"

#include <stdlib.h>

static const char *const figure_names[FIGURES] = {
	[FIGURE_RATE] = "exchanges_per_second",
	[FIGURE_BYTES] = "bytes_per_second",
	[FIGURE_P50] = "p50_microseconds",
	[FIGURE_P99] = "p99_microseconds",
	[FIGURE_CPU] = "cpu_milliseconds_per_1000",
	[FIGURE_SWITCHES] = "context_switches_per_1000",
	[FIGURE_EMPTY] = "memory_without_clients_kib",
	[FIGURE_CROWDED] = "memory_with_clients_kib",
	[FIGURE_PER_CLIENT] = "memory_per_client_kib",
	[FIGURE_SENT] = "datagrams_sent",
	[FIGURE_LOST] = "datagrams_lost",
	[FIGURE_LATE] = "datagrams_late",
	[FIGURE_DUPLICATES] = "datagrams_duplicate",
	[FIGURE_REORDERED] = "datagrams_reordered",
	[FIGURE_KERNEL_EMPTY] = "kernel_without_clients_kib",
	[FIGURE_KERNEL_CROWDED] = "kernel_with_clients_kib",
	[FIGURE_KERNEL_PER_CLIENT] = "kernel_per_client_kib",
	[FIGURE_ALL_PER_CLIENT] = "memory_in_all_per_client_kib",
	[FIGURE_WORKERS] = "workers",
	[FIGURE_LEAST_SHARE] = "least_share_percent",
	[FIGURE_MOST_SHARE] = "most_share_percent",
	[FIGURE_P999] = "p999_microseconds",
	[FIGURE_PER_WAKEUP] = "exchanges_per_sleep",
	[FIGURE_SILENT] = "silent_clients",
	[FIGURE_SERVICE_P99] = "service_p99_microseconds",
	[FIGURE_MEMORY] = "memory_in_all_with_clients_kib",
};

const char *figure_name(enum figure figure)
{
	return figure_names[figure];
}

bool figure_more_is_better(enum figure figure)
{
	return figure == FIGURE_RATE || figure == FIGURE_BYTES ||
	       figure == FIGURE_PER_WAKEUP;
}

void figures_clear(struct run_figures *figures)
{
	*figures = (struct run_figures){ 0 };
	for (int figure = 0; figure < FIGURES; figure++)
		figures->figure[figure] = -1;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct summary summary_of(double values[], unsigned count)
{
	if (count == 0)
		return (struct summary){ 0 };
	qsort(values, count, sizeof *values, by_size);
	return (struct summary){
		.median = (values[(count - 1) / 2] + values[count / 2]) / 2,
		.least = values[0],
		.most = values[count - 1],
		.count = count,
	};
}

double summary_half_range(const struct summary *summary)
{
	return (summary->most - summary->least) / 2;
}

bool summary_is_clear(const struct summary *better, const struct summary *worse,
		      bool more_is_better)
{
	double difference = better->median - worse->median;
	double larger = better->median > worse->median ? better->median : worse->median;

	if (!more_is_better)
		difference = -difference;
	if (better->count < 2 || worse->count < 2 ||
	    difference <= summary_half_range(better) ||
	    difference <= summary_half_range(worse) || difference * 100 < larger)
		return false;
	return more_is_better ? better->least > worse->most : better->most < worse->least;
}
