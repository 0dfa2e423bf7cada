/*
 * load_runs - the rounds of a comparison.
 *
 * The rounds are interleaved (model A, B, C, A, B, C ...), so that other work of the machine
 * disturbs all models alike.
 */
#include "client/versus/load_runs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/versus/measure.h"
#include "common/clock.h"
#include "common/message.h"

/* State of the progress line. */
struct progress {
	struct settings *settings;
	struct server_process *server;
	unsigned round, done, all;
	int64_t began;
	bool shown;
};

static bool stopped(const struct settings *settings)
{
	return *settings->stop != 0;
}

static void show_progress(struct progress *progress, const char *load)
{
	int64_t spent = clock_milliseconds() - progress->began;
	unsigned left = progress->all - progress->done;

	if (!progress->shown)
		return;
	fprintf(stderr, "\r\033[Kround %u of %u: %s, %s", progress->round + 1,
		progress->settings->comparison.rounds, load, progress->server->name);
	if (progress->done > 0)
		fprintf(stderr, "; about %jd s left",
			(intmax_t)(spent * left / progress->done + 999) / 1000);
	fflush(stderr);
}

static void end_progress(struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r\033[K");
}

/* One run: starts one model, puts one load on it, stops it. */
static int run_once(struct progress *progress, enum load_kind kind, unsigned model,
		    struct failure *failure)
{
	struct comparison *comparison = &progress->settings->comparison;
	const struct fixture *fixture = &progress->settings->fixture;
	const char *options[FIXTURE_OPTIONS];
	const struct measurement measurement = {
		.server = &comparison->servers[model],
		.plan = &comparison->plans[kind],
		.options = options,
		.quiet = fixture_is_quiet(fixture),
		.local = comparison->local,
	};

	fixture_options(fixture, kind, options);
	return measure_run(&measurement,
			   comparison_run(comparison, progress->round, kind, model),
			   failure);
}

/* Notes why a model fails in a load. If it fails in the same way in two loads, it would
 * in all others, too. */
static void note_failure(struct progress *progress, enum load_kind kind, unsigned model,
			 const struct failure *failure)
{
	struct failure(*failures)[COMPARISON_MODELS] =
		progress->settings->comparison.failures;
	bool again = false;

	for (int i = 0; i < LOAD_KINDS; i++)
		again |= strcmp(failures[i][model].text, failure->text) == 0;
	failures[kind][model] = *failure;
	for (int i = 0; again && i < LOAD_KINDS; i++)
		if (progress->settings->comparison.with[i] &&
		    failures[i][model].text[0] == '\0')
			failures[i][model] = *failure;
	if (again)
		return;
	end_progress(progress);
	message(MESSAGE_ERROR, "%s", failure->text);
}

/* Runs a model. If it fails in a load, it is left out of this load from then on; the
 * comparison of the others continues. */
static void run_model(struct progress *progress, enum load_kind kind, unsigned model)
{
	struct failure failure;

	progress->server = &progress->settings->comparison.servers[model];
	show_progress(progress, load_kind_name(kind));
	if (run_once(progress, kind, model, &failure) < 0 && !stopped(progress->settings))
		note_failure(progress, kind, model, &failure);
}

static void run_round(struct progress *progress)
{
	struct comparison *comparison = &progress->settings->comparison;

	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		for (unsigned model = 0; model < comparison->model_count; model++) {
			if (!comparison->with[kind] || stopped(progress->settings))
				continue;
			if (comparison->failures[kind][model].text[0] == '\0')
				run_model(progress, (enum load_kind)kind, model);
			progress->done++;
		}
	}
}

void load_runs_make(struct settings *settings)
{
	struct comparison *comparison = &settings->comparison;
	struct progress progress = {
		.settings = settings,
		.began = clock_milliseconds(),
		.shown = !settings->quiet && isatty(STDERR_FILENO),
	};

	for (int kind = 0; kind < LOAD_KINDS; kind++)
		progress.all += comparison->with[kind] * comparison->rounds *
				comparison->model_count;
	for (; progress.round < comparison->rounds && !stopped(settings);
	     progress.round++)
		run_round(&progress);
	end_progress(&progress);
}
