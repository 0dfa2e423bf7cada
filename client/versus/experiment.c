/*
 * experiment - the runs of an experiment, and their statistics.
 *
 * It knows nothing of how the runs are made (experiments.c) or shown (view.c).
 */
#include "client/versus/experiment.h"

#include <stdlib.h>

int experiment_begin(struct experiment *experiment)
{
	size_t runs = (size_t)experiment->rounds * experiment->point_count *
		      experiment->row_count;

	experiment->runs = calloc(runs > 0 ? runs : 1, sizeof *experiment->runs);
	return experiment->runs != NULL ? 0 : -1;
}

void experiment_end(struct experiment *experiment)
{
	free(experiment->runs);
	experiment->runs = NULL;
}

struct run_figures *experiment_run(const struct experiment *experiment, unsigned round,
				   unsigned point, unsigned row)
{
	return &experiment->runs[(round * experiment->point_count + point) *
					 experiment->row_count +
				 row];
}

struct summary experiment_summary(const struct experiment *experiment, unsigned point,
				  unsigned row, enum figure figure)
{
	double values[EXPERIMENT_ROUNDS];
	unsigned n = 0;

	for (unsigned round = 0; round < experiment->rounds; round++) {
		const struct run_figures *run =
			experiment_run(experiment, round, point, row);

		if (run->done && run->figure[figure] >= 0)
			values[n++] = run->figure[figure];
	}
	return summary_of(values, n);
}

struct experiment_service experiment_service(const struct experiment *experiment,
					     unsigned point, unsigned row)
{
	const struct load_plan *plan = &experiment->points[point].plan;
	struct experiment_service sum = { .crowd = true };

	for (unsigned round = 0; round < experiment->rounds; round++) {
		const struct run_figures *run =
			experiment_run(experiment, round, point, row);

		if (!run->done)
			continue;
		if (sum.rounds == 0 || run->served < sum.served)
			sum.served = run->served;
		sum.rounds++;
		sum.of = run->of;
		sum.errors += run->errors;
		sum.crowd = sum.crowd && run->silent >= plan->idle;
	}
	return sum;
}

bool experiment_is_whole(const struct experiment *experiment, unsigned point,
			 unsigned row)
{
	struct experiment_service service = experiment_service(experiment, point, row);

	return service.rounds > 0 && service.served == service.of &&
	       service.errors == 0 && service.crowd;
}

bool experiment_has_failed(const struct experiment *experiment, unsigned point,
			   unsigned row)
{
	return experiment->failures[point][row].text[0] != '\0';
}

bool experiment_is_lacking(const struct experiment *experiment, unsigned point,
			   unsigned row)
{
	return experiment_has_failed(experiment, point, row) ||
	       (experiment_service(experiment, point, row).rounds > 0 &&
		!experiment_is_whole(experiment, point, row));
}

const struct run_figures *experiment_last_run(const struct experiment *experiment,
					      unsigned point, unsigned row)
{
	for (unsigned round = experiment->rounds; round > 0; round--) {
		const struct run_figures *run =
			experiment_run(experiment, round - 1, point, row);

		if (run->done)
			return run;
	}
	return NULL;
}

bool experiment_is_known(const struct experiment *experiment, unsigned point,
			 unsigned row, enum figure figure)
{
	return experiment_service(experiment, point, row).served > 0 &&
	       experiment_summary(experiment, point, row, figure).count > 0;
}
