/*
 * versus - compares the models of a service side by side, under the same load.
 *
 * For each model it starts SERVICEd-MODEL, runs the loads, and stops it, and does the same
 * with the commands of --server. It does this several times, interleaved (model A, B, C, A, B,
 * C ...), so that other work of the machine disturbs all models alike. The report shows the
 * medians.
 *
 * Where to read on: settings.c (options), load_runs.c and measure.c (one load on one server),
 * experiments.c (curves), results.c (tables and files).
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/versus/load_runs.h"
#include "client/versus/results.h"
#include "client/versus/server_command.h"
#include "client/versus/settings.h"
#include "common/io.h"
#include "common/message.h"
#include "common/options.h"
#include "common/process.h"

enum { FILE_SIZE = 1024 * 1024 }; /* bytes of the file that is served by default */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void catch_signals(void)
{
	struct sigaction interrupt = { .sa_handler = on_interrupt }, before;

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
	/* When a terminal is closed, its foreground processes get SIGHUP. The servers do not:
	 * versus must stop them. If nohup(1) has made versus ignore the signal, it stays
	 * ignored. */
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &interrupt, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Prepares the files for the servers, and sets them in the plans. */
static int prepare_fixture(struct settings *settings, struct failure *failure)
{
	struct comparison *comparison = &settings->comparison;
	size_t size = settings->bulk_size > 0 ? settings->bulk_size : FILE_SIZE;
	bool needed = false;

	for (int kind = 0; kind < LOAD_KINDS; kind++)
		needed |= comparison->with[kind] &&
			  fixture_has_file(comparison->service, (enum load_kind)kind);
	if (fixture_prepare(&settings->fixture, comparison->service, needed ? size : 0,
			    failure) < 0)
		return -1;
	for (int i = 0; i < LOAD_KINDS; i++) {
		enum load_kind kind = (enum load_kind)i;

		comparison->plans[i].path = fixture_path(&settings->fixture, kind);
		comparison->plans[i].reply = fixture_reply(&settings->fixture, kind);
		comparison->reply_sizes[i] =
			settings->expect.length > 0
				? settings->expect.length
				: fixture_reply_size(&settings->fixture, kind);
	}
	return 0;
}

/* Measures, and prints what comes of it. @return 0, or -1: the reason is printed */
static int compare_loads(struct settings *settings)
{
	struct comparison *comparison = &settings->comparison;
	int result;

	comparison->runs =
		calloc((size_t)comparison->rounds * LOAD_KINDS * comparison->model_count,
		       sizeof *comparison->runs);
	if (comparison->runs == NULL) {
		message(MESSAGE_ERROR, "%s", strerror(errno));
		return -1;
	}
	load_runs_make(settings);
	if (interrupted)
		message(MESSAGE_ERROR, "interrupted: the table shows the runs so far");
	result = results_of_loads(settings);
	free(comparison->runs);
	return result;
}

/* The same for the experiments. */
static int compare_curves(struct settings *settings)
{
	struct experiments *experiments = &settings->experiments;
	struct failure failure;
	int result = 0;

	results_take_rates(settings);
	if (experiments_plan(experiments, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return -1;
	}
	experiments->shows_progress = !settings->quiet && isatty(STDERR_FILENO);
	if (!settings->quiet)
		fprintf(stderr, "versus: this takes about %u seconds\n",
			experiments_seconds(experiments));
	if (experiments_run(experiments, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		result = -1;
	}
	if (interrupted)
		message(MESSAGE_ERROR, "interrupted: only the runs so far are shown");
	if (results_of_experiments(settings) < 0)
		result = -1;
	experiments_end(experiments);
	return result;
}

static int compare(struct settings *settings)
{
	struct failure failure;
	int result;

	if (results_prepare(settings) < 0)
		return EXIT_FAILURE;
	catch_signals();
	process_adopt_orphans();
	if (prepare_fixture(settings, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	result = settings->experiments_wanted ? compare_curves(settings)
					      : compare_loads(settings);
	fixture_remove(&settings->fixture);
	return options_finish_output(result < 0 || interrupted ? EXIT_FAILURE
							       : EXIT_SUCCESS);
}

/* The command line, as one would type it: without the path of the program. @return it; NULL: out
 * of memory */
static char *join(int argc, char **argv)
{
	char *text = NULL;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return NULL;
	fputs("versus", memory);
	for (int i = 1; i < argc; i++) {
		fputc(' ', memory);
		server_command_write_word(argv[i], memory);
	}
	return fclose(memory) == 0 ? text : NULL;
}

int main(int argc, char **argv)
{
	static struct settings settings = {
		.comparison = { .rounds = 5 },
		.stop = &interrupted,
	};
	char *command;
	int status;

	io_begin();
	settings.program = argv[0];
	status = settings_read(&settings, argc, argv);
	if (status != OPTIONS_GO_ON)
		return status;
	command = join(argc, argv);
	settings.command = command != NULL ? command : "versus";
	status = compare(&settings);
	free(command);
	return status;
}
