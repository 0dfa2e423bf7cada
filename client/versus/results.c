/*
 * results - the tables and files of versus: see client/versus/results.h.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "client/versus/results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/versus/experiments_json.h"
#include "client/versus/machine.h"
#include "client/versus/out_file.h"
#include "client/versus/report.h"
#include "client/versus/view.h"
#include "common/message.h"

/* ---- before the runs ----------------------------------------------------------------------- */

static int cannot_write(const char *name)
{
	message(MESSAGE_ERROR, "cannot write %s: %s", name, strerror(errno));
	return -1;
}

/* Removes a file that was created; through a symbolic link, which stays. */
static void remove_new(const char *name)
{
	char *resolved = realpath(name, NULL);

	if (resolved != NULL)
		unlink(resolved);
	free(resolved);
}

/* Checks that the file can be written, before minutes of measuring. Its contents are not changed,
 * and no empty file is left. One that is not regular is not opened: a FIFO has one reader. */
static int check_file(const char *name)
{
	struct stat status;
	bool exists = name != NULL && stat(name, &status) == 0;
	FILE *file;

	if (name == NULL ||
	    (exists && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))
		return 0;
	file = fopen(name, "ae");
	if (file == NULL)
		return cannot_write(name);
	fclose(file);
	if (!exists)
		remove_new(name);
	return 0;
}

/* Reads the file of --compare, before minutes of measuring. */
static int read_earlier(struct settings *settings)
{
	struct failure failure;
	enum compare_kind kind =
		settings->experiments_wanted ? COMPARE_EXPERIMENTS : COMPARE_LOADS;

	if (settings->earlier == NULL ||
	    compare_read(&settings->earlier_run, settings->earlier, kind, &failure) == 0)
		return 0;
	message(MESSAGE_ERROR, "%s", failure.text);
	return -1;
}

int results_prepare(struct settings *settings)
{
	if (read_earlier(settings) < 0 || check_file(settings->report) < 0 ||
	    check_file(settings->tsv) < 0)
		return -1;
	return check_file(settings->json);
}

/* Rates that cannot be sent are not taken: the file may come from anywhere. */
void results_take_rates(struct settings *settings)
{
	struct experiments *experiments = &settings->experiments;
	const struct compare_run *earlier = &settings->earlier_run;
	unsigned count;

	if (settings->earlier == NULL)
		return;
	count = compare_points(earlier, "rate", experiments->rates, EXPERIMENT_POINTS);
	if (count > 0 && experiments->rates[0] >= 1 &&
	    experiments->rates[count - 1] <= LOAD_MOST_RATE)
		experiments->rate_count = count;
	if (compare_points(earlier, "cost", &experiments->cost_rate, 1) == 0 ||
	    experiments->cost_rate < 1 || experiments->cost_rate > LOAD_MOST_RATE)
		experiments->cost_rate = 0;
}

/* ---- files --------------------------------------------------------------------------------- */

/* Writes what a file has. @return whether it is whole */
typedef bool write_function(const struct settings *settings,
			    const struct machine *machine, FILE *out);

static bool write_tsv(const struct settings *settings, const struct machine *machine,
		      FILE *out)
{
	(void)machine;
	comparison_write_tsv(&settings->comparison, out);
	return true;
}

static bool write_json(const struct settings *settings, const struct machine *machine,
		       FILE *out)
{
	if (settings->experiments_wanted)
		experiments_write_json(&settings->experiments, machine, settings->command,
				       *settings->stop != 0, out);
	else
		comparison_write_json(&settings->comparison, machine, settings->command,
				      *settings->stop != 0, out);
	return true;
}

static bool write_page(const struct settings *settings, const struct machine *machine,
		       FILE *out)
{
	return report_write(&settings->experiments, machine, settings->command,
			    *settings->stop != 0, out) == 0;
}

/* Whether a run is complete. If not, the files of an earlier run are more than nothing. */
static bool has_results(const struct settings *settings)
{
	const struct comparison *comparison = &settings->comparison;
	unsigned runs = comparison->rounds * LOAD_KINDS * comparison->model_count;

	if (settings->experiments_wanted)
		return experiments_have_runs(&settings->experiments);
	for (unsigned i = 0; i < runs; i++)
		if (comparison->runs[i].done)
			return true;
	return false;
}

static int write_file(const struct settings *settings, const struct machine *machine,
		      const char *name, write_function *write)
{
	struct out_file file;
	bool whole;

	if (name == NULL)
		return 0;
	if (*settings->stop != 0 && !has_results(settings)) {
		message(MESSAGE_ERROR, "%s is not written: no run is complete", name);
		return -1;
	}
	if (out_file_open(&file, name) < 0)
		return cannot_write(name);
	whole = write(settings, machine, file.stream);
	return out_file_close(&file, whole) == 0 ? 0 : cannot_write(name);
}

/* ---- what has changed ---------------------------------------------------------------------- */

/* Writes the figures of this run to memory, as JSON. @return a text that the caller frees;
 * NULL: out of memory */
static char *write_to_memory(const struct settings *settings,
			     const struct machine *machine, size_t *length)
{
	char *text = NULL;
	FILE *memory = open_memstream(&text, length);

	if (memory == NULL)
		return NULL;
	write_json(settings, machine, memory);
	if (fclose(memory) == 0)
		return text;
	free(text);
	return NULL;
}

/* Prints what has changed since the run of --compare. */
static int print_changes(struct settings *settings, const struct machine *machine)
{
	struct compare_run run = { 0 };
	struct failure failure;
	size_t length;
	char *text;
	int result = -1;

	if (settings->earlier == NULL)
		return 0;
	text = write_to_memory(settings, machine, &length);
	if (text == NULL)
		failure_set(&failure, "%s", strerror(ENOMEM));
	else if (compare_take(&run, "this run", text, length, &failure) == 0)
		result = compare_print(&settings->earlier_run, &run, stdout, &failure);
	if (result < 0)
		message(MESSAGE_ERROR, "%s", failure.text);
	compare_end(&run);
	compare_end(&settings->earlier_run);
	free(text);
	return result;
}

/* ---- loads --------------------------------------------------------------------------------- */

/* Whether some of the silent clients of a run were not connected at its end. */
static bool lacks_silent_clients(const struct comparison *comparison, unsigned run)
{
	unsigned kind = run / comparison->model_count % LOAD_KINDS;

	return comparison->runs[run].done &&
	       comparison->runs[run].silent < comparison->plans[kind].idle;
}

static bool any_errors(const struct comparison *comparison)
{
	for (unsigned i = 0;
	     i < comparison->rounds * LOAD_KINDS * comparison->model_count; i++)
		if (comparison->runs[i].errors > 0 || lacks_silent_clients(comparison, i))
			return true;
	return false;
}

static bool any_failed(const struct comparison *comparison)
{
	for (int kind = 0; kind < LOAD_KINDS; kind++)
		for (unsigned model = 0; model < comparison->model_count; model++)
			if (comparison->failures[kind][model].text[0] != '\0')
				return true;
	return false;
}

int results_of_loads(struct settings *settings)
{
	const struct comparison *comparison = &settings->comparison;
	struct machine machine;
	int result = any_failed(comparison) || any_errors(comparison) ? -1 : 0;

	machine_read(&machine);
	comparison_print(comparison, stdout);
	if (write_file(settings, &machine, settings->tsv, write_tsv) < 0 ||
	    write_file(settings, &machine, settings->json, write_json) < 0)
		result = -1;
	if (print_changes(settings, &machine) < 0)
		result = -1;
	return result;
}

/* ---- experiments --------------------------------------------------------------------------- */

static void print_experiment(const struct experiments *experiments,
			     enum experiment_kind kind)
{
	if (kind == EXPERIMENT_TIMELINE)
		timelines_print(experiments->timelines, EXPERIMENT_ROWS, stdout);
	else
		view_print(&experiments->all[kind], kind, stdout);
}

int results_of_experiments(struct settings *settings)
{
	const struct experiments *experiments = &settings->experiments;
	struct machine machine;
	int result = experiments_failed(experiments) ? -1 : 0;

	machine_read(&machine);
	if (settings->report == NULL)
		for (int i = 0; i < EXPERIMENT_KINDS; i++)
			if (experiments->with[i] && experiments->all[i].runs != NULL)
				print_experiment(experiments, (enum experiment_kind)i);
	if (write_file(settings, &machine, settings->report, write_page) < 0)
		result = -1;
	if (write_file(settings, &machine, settings->json, write_json) < 0)
		result = -1;
	if (print_changes(settings, &machine) < 0)
		result = -1;
	return result;
}
