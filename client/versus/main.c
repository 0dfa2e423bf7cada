/*
 * versus - compares the models of a service side by side, under the same load.
 *
 * For each model it starts SERVICEd-MODEL, runs the loads, and stops it. It does the same
 * with the commands of --server. It does this
 * several times, interleaved (model A, B, C, A, B, C ...), so that other work of the
 * machine disturbs all models alike. The report shows the medians.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/versus/compare.h"
#include "client/versus/comparison.h"
#include "client/versus/experiments.h"
#include "client/versus/experiments_json.h"
#include "client/versus/fixture.h"
#include "client/versus/machine.h"
#include "client/versus/measure.h"
#include "client/versus/out_file.h"
#include "client/versus/report.h"
#include "client/versus/server_command.h"
#include "client/versus/view.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/options.h"
#include "common/text.h"

enum { MOST_SECONDS = 3600, MOST_CLIENTS = 100000, DURATION = 500 };

enum { FILE_SIZE = 1024 * 1024 }; /* bytes of the file that is served by default */

enum {
	LOST_AFTER = 200
}; /* milliseconds: much longer than any reply takes on
			    * loopback */

enum {
	OPTION_BULK_SIZE = OPTIONS_LETTERS_FROM,
	OPTION_BULK_CLIENTS,
	OPTION_TSV,
	OPTION_JSON,
	OPTION_COMPARE,
	OPTION_SERVER,
	OPTION_REQUEST,
	OPTION_EXPECT,
	OPTION_REPORT,
	OPTION_QUICK
};

/* With --quick: the length of a run in milliseconds, and the rounds. */
enum { QUICK_DURATION = 250, QUICK_ROUNDS = 3 };

enum {
	IDLE_CLIENTS = 950, /* silent clients: with the others below FD_SETSIZE, 1024 */
	IDLE_BUSY = 4,      /* clients beside them */
	IDLE_ASIDE = 128,   /* descriptors for other purposes */
};

static const struct option_line lines[] = {
	{ 'u', "udp", NULL,
	  "use UDP; count lost, duplicate and reordered\n"
	  "datagrams" },
	{ 'l', "loads", "LIST",
	  "run only these loads: conversations, connections,\n"
	  "room, talk, idle, bulk, separated by commas\n"
	  "(default: all that SERVICE supports)" },
	{ 'c', "clients", "N",
	  "use N clients at a time (default 32; idle: 4;\n"
	  "chat: 51, also with idle; talk: 16)" },
	{ 's', "size", "SIZE",
	  "bytes of a message (default 64; chat: 32;\n"
	  "file: 1K)" },
	{ OPTION_BULK_CLIENTS, "bulk-clients", "N",
	  "use N clients in the load bulk (default 8)" },
	{ OPTION_BULK_SIZE, "bulk-size", "SIZE",
	  "bytes of a message in the load bulk (default 64K;\n"
	  "file: 1M; with -u 16K, chargen with -u 512), or of\n"
	  "the file that http serves (default 1M)" },
	{ 'i', "idle", "N",
	  "use N silent clients in the load idle\n"
	  "(default 950, or as the descriptors allow)" },
	{ 'd', "duration", "SEC", "measure for SEC seconds in each run (default 0.5)" },
	{ 'r', "rounds", "N", "run each load N times on each model (default 5)" },
	{ 'T', "threads", "N",
	  "use N threads for the load (default: half the\n"
	  "number of CPUs)" },
	{ OPTION_SERVER, "server", "COMMAND",
	  "compare also the server COMMAND; {port} in it is a\n"
	  "free port; NAME=COMMAND names its row" },
	{ OPTION_REQUEST, "request", "TEXT",
	  "load the service by this request, with escapes of\n"
	  "C such as \\n; needs --expect" },
	{ OPTION_EXPECT, "expect", "TEXT", "the exact reply to the request" },
	{ OPTION_TSV, "tsv", "FILE",
	  "write the results of each run to FILE, separated\n"
	  "by tabs" },
	{ OPTION_JSON, "json", "FILE",
	  "write the results of each run, and the medians, to\n"
	  "FILE as JSON" },
	{ OPTION_COMPARE, "compare", "FILE",
	  "print also what has changed since the run whose\n"
	  "results are in FILE, which --json has written" },
	{ 'e', "experiment", "LIST",
	  "run these experiments, not loads: timeline,\n"
	  "clients, idle, rate, cost, work, sharing,\n"
	  "separated by commas, or all" },
	{ OPTION_REPORT, "report", "FILE",
	  "run experiments (all, unless -e names some), and\n"
	  "write FILE, a page of HTML" },
	{ OPTION_QUICK, "quick", NULL, "experiments: fewer points, shorter runs" },
	{ 'q', "quiet", NULL, "print no progress" },
	{ 'h', "help", NULL, "print this help" },
	{ 'V', "version", NULL, "print the version" },
	{ 0 },
};

struct settings {
	struct comparison comparison;
	unsigned clients, bulk_clients, idle, threads;
	size_t size, bulk_size;
	int64_t duration;
	const char *tsv, *json;
	const char *earlier; /* of --compare */
	struct compare_run earlier_run;
	struct fixture fixture;
	const char *program; /* argv[0]: the servers are beside it */
	bool quiet, loads_named, rounds_named;
	bool experiments_wanted;
	struct experiments experiments;
	const char *report;
	char *command; /* the command line, for the report */
	struct server_process commands[COMPARISON_MODELS]; /* of --server */
	bool named[COMPARISON_MODELS];                     /* NAME=COMMAND */
	unsigned command_count;
	struct load_bytes request, expect;
};

/* State of the progress line. */
struct progress {
	struct settings *settings;
	struct server_process *server;
	unsigned round, done, all;
	int64_t began;
	bool shown;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* ---- options ---- */

static int take_loads(struct settings *settings, const struct options *options,
		      struct failure *failure)
{
	const char *word = options->value;

	settings->loads_named = true;
	memset(settings->comparison.with, 0, sizeof settings->comparison.with);
	while (*word != '\0') {
		size_t length = strcspn(word, ",");
		char name[SERVER_PROCESS_NAME];
		enum load_kind kind;

		snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60),
			 word);
		if (!load_kind_find(name, &kind))
			return options_bad_value(
				failure, options, 'l',
				"is not a list of loads (use conversations, "
				"connections, room, talk, idle, bulk)");
		settings->comparison.with[kind] = true;
		word += length + (word[length] == ',');
	}
	return 0;
}

/* -e: names, separated by commas; "all" stands for all. */
static int take_experiments(struct settings *settings, const struct options *options,
			    struct failure *failure)
{
	const char *word = options->value;

	settings->experiments_wanted = true;
	do {
		size_t length = strcspn(word, ",");
		char name[32];
		enum experiment_kind kind;

		snprintf(name, sizeof name, "%.*s", (int)(length < 30 ? length : 30),
			 word);
		if (strcmp(name, "all") == 0)
			for (int i = 0; i < EXPERIMENT_KINDS; i++)
				settings->experiments.with[i] = true;
		else if (experiments_find(name, &kind))
			settings->experiments.with[kind] = true;
		else
			return options_bad_value(
				failure, options, 'e',
				"is not a list of experiments (use timeline, clients, "
				"idle, rate, cost, work, sharing, or all)");
		word += length + (word[length] == ',');
	} while (*word != '\0');
	return 0;
}

static int take_count(const struct options *options, int letter, unsigned most,
		      unsigned *count, struct failure *failure)
{
	uint64_t number;

	if (options_number(options, letter, 1, most, &number, failure) < 0)
		return -1;
	*count = (unsigned)number;
	return 0;
}

static int take_message_size(const struct options *options, int letter, size_t *size,
			     struct failure *failure)
{
	uint64_t number;

	if (options_size(options, letter, 1, 16 * 1024 * 1024, &number, failure) < 0)
		return -1;
	*size = (size_t)number;
	return 0;
}

/* --server: a name that is not given is made unique. */
static int take_server(struct settings *settings, const char *argument,
		       struct failure *failure)
{
	struct server_process *server;
	bool named;

	if (settings->command_count == COMPARISON_MODELS)
		return failure_set(failure, "--server: too many servers (at most %d)",
				   COMPARISON_MODELS);
	server = &settings->commands[settings->command_count];
	if (server_command_take(server, argument, &named, failure) < 0)
		return -1;
	settings->named[settings->command_count++] = named;
	return 0;
}

static int take_option(void *context, const struct options *options, int letter,
		       struct failure *failure)
{
	struct settings *settings = context;

	switch (letter) {
	case 'u':
		settings->comparison.datagrams = true;
		return 0;
	case 'l':
		return take_loads(settings, options, failure);
	case 'c':
		return take_count(options, letter, MOST_CLIENTS, &settings->clients,
				  failure);
	case 's':
		return take_message_size(options, letter, &settings->size, failure);
	case OPTION_BULK_CLIENTS:
		return take_count(options, letter, MOST_CLIENTS, &settings->bulk_clients,
				  failure);
	case OPTION_BULK_SIZE:
		return take_message_size(options, letter, &settings->bulk_size, failure);
	case 'i':
		return take_count(options, letter, MOST_CLIENTS, &settings->idle,
				  failure);
	case 'd':
		if (options_seconds(options, letter, MOST_SECONDS, &settings->duration,
				    failure) < 0)
			return -1;
		return settings->duration > 0
			       ? 0
			       : options_bad_value(failure, options, letter,
						   "must be more than 0 seconds");
	case 'e':
		return take_experiments(settings, options, failure);
	case OPTION_REPORT:
		settings->report = options->value;
		settings->experiments_wanted = true;
		return 0;
	case OPTION_QUICK:
		settings->experiments.quick = true;
		return 0;
	case 'r':
		settings->rounds_named = true;
		return take_count(options, letter, COMPARISON_ROUNDS,
				  &settings->comparison.rounds, failure);
	case 'T':
		return take_count(options, letter, 1024, &settings->threads, failure);
	case OPTION_SERVER:
		return take_server(settings, options->value, failure);
	case OPTION_REQUEST:
		return load_bytes_take(&settings->request, "--request", options->value,
				       failure);
	case OPTION_EXPECT:
		return load_bytes_take(&settings->expect, "--expect", options->value,
				       failure);
	case OPTION_TSV:
		settings->tsv = options->value;
		return 0;
	case OPTION_JSON:
		settings->json = options->value;
		return 0;
	case OPTION_COMPARE:
		settings->earlier = options->value;
		return 0;
	case 'q':
		settings->quiet = true;
		return 0;
	}
	return 0;
}

static bool is_taken(const struct comparison *comparison, const char *name)
{
	for (unsigned i = 0; i < comparison->model_count; i++)
		if (strcmp(comparison->models[i], name) == 0)
			return true;
	return false;
}

/* A server of inetd has no listening socket: it gets one client from its starter. */
static bool listens(const char *model)
{
	return strcmp(model, "inetd") != 0;
}

/* A row for a model of the suite. @return 0, or -1 with *failure */
static int add_model(struct settings *settings, const char *model,
		     struct failure *failure)
{
	struct comparison *comparison = &settings->comparison;

	if (!listens(model))
		return failure_set(failure,
				   "a server of %s does not listen: versus cannot "
				   "load it",
				   model);
	if (comparison->model_count == COMPARISON_MODELS)
		return failure_set(failure, "too many models (at most %d)",
				   COMPARISON_MODELS);
	if (server_process_find(&comparison->servers[comparison->model_count],
				settings->program, comparison->service, model,
				failure) < 0)
		return -1;
	comparison->models[comparison->model_count++] = model;
	return 0;
}

/* All models of the suite that are installed.
 * @return 0, or -1 with *failure: there is none; it names the last one */
static int add_all_models(struct settings *settings, struct failure *failure)
{
	static char known[] = SOCKWAYS_MODELS; /* strtok_r writes to it */
	char *rest = known, *model;

	while ((model = strtok_r(rest, " ", &rest)) != NULL)
		if (listens(model) && !is_taken(&settings->comparison, model))
			(void)add_model(settings, model, failure);
	return settings->comparison.model_count > 0 ? 0 : -1;
}

/* The rows of --server, after those of the models. */
static int add_commands(struct settings *settings, struct failure *failure)
{
	struct comparison *comparison = &settings->comparison;

	for (unsigned i = 0; i < settings->command_count; i++) {
		struct server_process *server =
			&comparison->servers[comparison->model_count];
		char name[SERVER_PROCESS_NAME];

		if (comparison->model_count == COMPARISON_MODELS)
			return failure_set(failure, "too many servers (at most %d)",
					   COMPARISON_MODELS);
		*server = settings->commands[i];
		memcpy(name, server->name, sizeof name);
		if (settings->named[i] && is_taken(comparison, name))
			return failure_set(failure, "the name %s is given twice", name);
		for (unsigned n = 2; is_taken(comparison, server->name); n++) {
			memcpy(server->name, name, sizeof name);
			server_command_number(server, n);
		}
		comparison->models[comparison->model_count++] = server->name;
	}
	return 0;
}

/* The models of the operands. Without any, and without --server, all of the suite. The
 * word "all" stands for these. */
static int take_models(struct settings *settings, char **models, int count,
		       struct failure *failure)
{
	const struct comparison *comparison = &settings->comparison;

	if (count == 0 && settings->command_count == 0)
		return add_all_models(settings, failure);
	for (int i = 0; i < count; i++) {
		if (strcmp(models[i], "all") == 0) {
			if (add_all_models(settings, failure) < 0)
				return -1;
			continue;
		}
		if (is_taken(comparison, models[i]))
			return failure_set(failure, "the model %s is given twice",
					   models[i]);
		if (add_model(settings, models[i], failure) < 0)
			return -1;
	}
	return add_commands(settings, failure);
}

/* 0: the default. If --bulk-size is the size of a file, it is not that of a message. */
static size_t message_size(const struct settings *settings, enum load_kind kind)
{
	if (fixture_has_file(settings->comparison.service, kind))
		return 0;
	return kind == LOAD_BULK ? settings->bulk_size : settings->size;
}

/* The clients of a load; 0: as many as the load has by default. */
static unsigned client_count(const struct settings *settings, enum load_kind kind,
			     const struct load_protocol *protocol)
{
	if (kind == LOAD_BULK)
		return settings->bulk_clients;
	if (kind == LOAD_IDLE && settings->clients == 0 &&
	    protocol->pattern != LOAD_BROADCAST)
		return IDLE_BUSY;
	return settings->clients;
}

/* The silent clients, if their number is not given: fewer if the descriptors of this
 * program do not suffice. */
static unsigned idle_count(unsigned busy)
{
	uint64_t others = IDLE_ASIDE + busy;
	uint64_t limit = process_raise_descriptors(IDLE_CLIENTS + others);

	if (limit >= IDLE_CLIENTS + others)
		return IDLE_CLIENTS;
	return limit > others ? (unsigned)(limit - others) : 1;
}

/* The loads of -l, which the service must allow; or all that it allows. */
static int plan_loads(struct settings *settings, const struct load_protocol *protocol,
		      struct failure *failure)
{
	struct comparison *comparison = &settings->comparison;
	unsigned sensible = load_protocol_loads(protocol, comparison->datagrams);

	if (sensible == 0)
		return failure_set(failure, "the service %s does not support UDP",
				   protocol->name);
	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		struct load_plan *plan = &comparison->plans[kind];
		unsigned clients = client_count(settings, (enum load_kind)kind, protocol);

		*plan = (struct load_plan){
			.kind = (enum load_kind)kind,
			.protocol = protocol,
			.datagrams = comparison->datagrams,
			.host = "127.0.0.1",
			.family = AF_INET,
			.connections = clients,
			.idle = kind != LOAD_IDLE    ? 0
				: settings->idle > 0 ? settings->idle
						     : idle_count(clients),
			.request = settings->request,
			.expect = settings->expect,
			.size = message_size(settings, (enum load_kind)kind),
			.duration = settings->duration,
			/* A waiting client is no error within a run. But for a lost
			 * datagram it would wait in vain. */
			.timeout = comparison->datagrams ? LOST_AFTER
							 : settings->duration + 5000,
			.threads = settings->threads,
			.stop = &interrupted,
		};
		if (!settings->loads_named)
			comparison->with[kind] = sensible & 1U << kind;
		if (comparison->with[kind] && load_plan_complete(plan, failure) < 0)
			return -1;
		if (kind != LOAD_IDLE)
			plan->idle = 0;
	}
	return 0;
}

/* The protocol of the load: that of the service, or the request of the user. */
static const struct load_protocol *choose_protocol(const struct settings *settings,
						   const char *service)
{
	return load_protocol_find(settings->request.bytes != NULL ? "request" : service);
}

static int take_service(struct settings *settings, const char *service,
			struct failure *failure)
{
	const struct load_protocol *protocol = choose_protocol(settings, service);
	char name[SERVER_PROCESS_NAME], names[160];

	settings->comparison.service = service;
	if (protocol != NULL)
		return plan_loads(settings, protocol, failure);
	text_escape(service, strlen(service), name, sizeof name);
	return failure_set(failure,
			   "'%s' is not a service with a load (use %s, or --request and "
			   "--expect)",
			   name, load_protocol_names(names, sizeof names));
}

static void choose_time(struct settings *settings)
{
	bool quick = settings->experiments.quick;

	if (settings->duration == 0)
		settings->duration = quick ? QUICK_DURATION : DURATION;
	if (quick && !settings->rounds_named)
		settings->comparison.rounds = QUICK_ROUNDS;
}

/* The experiments have no loads of -l: they are loads of their own. */
static int plan_experiments(struct settings *settings, struct failure *failure)
{
	static struct experiment_row rows[COMPARISON_MODELS]; /* large */
	struct experiments *experiments = &settings->experiments;
	struct comparison *comparison = &settings->comparison;
	bool any = false;

	if (settings->loads_named || settings->tsv != NULL)
		return failure_set(failure, "-l, --loads and --tsv do not go together "
					    "with experiments");
	for (int i = 0; i < EXPERIMENT_KINDS; i++)
		any |= experiments->with[i];
	for (int i = 0; i < EXPERIMENT_KINDS && !any; i++)
		experiments->with[i] = true;
	memset(comparison->with, 0, sizeof comparison->with);
	for (unsigned i = 0; i < comparison->model_count; i++) {
		rows[i].server = comparison->servers[i];
		snprintf(rows[i].name, sizeof rows[i].name, "%s", comparison->models[i]);
	}
	experiments->program = settings->program;
	experiments->service = comparison->service;
	experiments->rows = rows;
	experiments->row_count = comparison->model_count;
	experiments->model_count = comparison->model_count - settings->command_count;
	experiments->fixture = &settings->fixture;
	experiments->base = comparison->plans[LOAD_CONVERSATIONS];
	experiments->most_clients = settings->clients;
	experiments->most_idle = settings->idle;
	experiments->rounds = comparison->rounds;
	return experiments_check(experiments, failure);
}

/* Without a service, only the servers of --server are loaded by --request. */
static int take_operands(void *context, int count, char **operands,
			 struct failure *failure)
{
	struct settings *settings = context;
	bool own = settings->request.bytes != NULL && settings->command_count > 0;

	if ((settings->request.length > 0) != (settings->expect.length > 0))
		return failure_set(failure, "--request and --expect need each other, and "
					    "must not be empty");
	if (count == 0 && !own)
		return failure_set(failure, "SERVICE or --server is missing");
	choose_time(settings);
	if (take_service(settings, count > 0 ? operands[0] : "request", failure) < 0)
		return -1;
	if (take_models(settings, operands + 1, count > 1 ? count - 1 : 0, failure) < 0)
		return -1;
	return settings->experiments_wanted ? plan_experiments(settings, failure) : 0;
}

static const struct options_program program = {
	.synopsis = "[options] SERVICE [MODEL ...]",
	.purpose = "Compares the models of a service side by side, under the same load, "
		   "and\n"
		   "with them any servers that --server names.",
	.lines = lines,
	.take = take_option,
	.finish = take_operands,
};

/* ---- measuring ---- */

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
	if (run_once(progress, kind, model, &failure) < 0 && !interrupted)
		note_failure(progress, kind, model, &failure);
}

static void run_round(struct progress *progress)
{
	struct comparison *comparison = &progress->settings->comparison;

	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		for (unsigned model = 0; model < comparison->model_count; model++) {
			if (!comparison->with[kind] || interrupted)
				continue;
			if (comparison->failures[kind][model].text[0] == '\0')
				run_model(progress, (enum load_kind)kind, model);
			progress->done++;
		}
	}
}

static void run_comparison(struct settings *settings)
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
	for (; progress.round < comparison->rounds && !interrupted; progress.round++)
		run_round(&progress);
	end_progress(&progress);
}

/* ---- what comes of it ---- */

static int cannot_write(const char *name)
{
	message(MESSAGE_ERROR, "cannot write %s: %s", name, strerror(errno));
	return -1;
}

static int write_file(const struct comparison *comparison, const char *name,
		      void (*write)(const struct comparison *, FILE *))
{
	struct out_file file;

	if (name == NULL)
		return 0;
	if (out_file_open(&file, name) < 0)
		return cannot_write(name);
	write(comparison, file.stream);
	return out_file_close(&file, true) == 0 ? 0 : cannot_write(name);
}

/* Checks that the file can be written, before minutes of measuring. Its contents are
 * not changed. */
static int check_file(const char *name)
{
	FILE *file = name ? fopen(name, "ae") : NULL;

	if (name != NULL && file == NULL)
		return cannot_write(name);
	if (file != NULL)
		fclose(file);
	return 0;
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

/* Writes the page, or the figures. A page that cannot be written whole is reported. */
static int write_report(const struct settings *settings, const struct machine *machine,
			const char *name, bool page)
{
	const char *command = settings->command != NULL ? settings->command : "versus";
	struct out_file file;
	bool whole = true;

	if (out_file_open(&file, name) < 0)
		return cannot_write(name);
	if (page)
		whole = report_write(&settings->experiments, machine, command,
				     interrupted, file.stream) == 0;
	else
		experiments_write_json(&settings->experiments, machine, command,
				       file.stream);
	return out_file_close(&file, whole) == 0 ? 0 : cannot_write(name);
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

/* Writes the figures of this run to memory, as JSON. @return a text that the caller frees;
 * NULL: out of memory */
static char *write_to_memory(const struct settings *settings, size_t *length)
{
	char *text = NULL;
	FILE *memory = open_memstream(&text, length);
	struct machine machine;

	if (memory == NULL)
		return NULL;
	machine_read(&machine);
	if (settings->experiments_wanted)
		experiments_write_json(&settings->experiments, &machine, "", memory);
	else
		comparison_write_json(&settings->comparison, memory);
	if (fclose(memory) == 0)
		return text;
	free(text);
	return NULL;
}

/* Prints what has changed since the run of --compare. */
static int print_changes(struct settings *settings)
{
	struct compare_run run = { 0 };
	struct failure failure;
	size_t length;
	char *text;
	int result = -1;

	if (settings->earlier == NULL)
		return 0;
	text = write_to_memory(settings, &length);
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

static void catch_signals(void)
{
	struct sigaction interrupt = { .sa_handler = on_interrupt };

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void print_experiment(const struct experiments *experiments,
			     enum experiment_kind kind)
{
	if (kind == EXPERIMENT_TIMELINE)
		timelines_print(experiments->timelines, EXPERIMENT_ROWS, stdout);
	else
		view_print(&experiments->all[kind], kind, stdout);
}

/* Prints or writes what has been measured. @return the exit status */
static int report_experiments(struct settings *settings)
{
	struct experiments *experiments = &settings->experiments;
	struct machine machine;
	int status = EXIT_SUCCESS;

	machine_read(&machine);
	if (settings->report == NULL)
		for (int i = 0; i < EXPERIMENT_KINDS; i++)
			if (experiments->with[i] && experiments->all[i].runs != NULL)
				print_experiment(experiments, (enum experiment_kind)i);
	if (settings->report != NULL &&
	    write_report(settings, &machine, settings->report, true) < 0)
		status = EXIT_FAILURE;
	if (settings->json != NULL &&
	    write_report(settings, &machine, settings->json, false) < 0)
		status = EXIT_FAILURE;
	if (print_changes(settings) < 0)
		status = EXIT_FAILURE;
	return status;
}

static int run_experiments(struct settings *settings)
{
	struct experiments *experiments = &settings->experiments;
	struct failure failure;
	int status;

	if (read_earlier(settings) < 0 || check_file(settings->report) < 0 ||
	    check_file(settings->json) < 0)
		return EXIT_FAILURE;
	catch_signals();
	process_adopt_orphans();
	if (prepare_fixture(settings, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		return EXIT_FAILURE;
	}
	if (experiments_plan(experiments, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		fixture_remove(&settings->fixture);
		return EXIT_FAILURE;
	}
	experiments->shows_progress = !settings->quiet && isatty(STDERR_FILENO);
	if (!settings->quiet)
		fprintf(stderr, "versus: this takes about %u seconds\n",
			experiments_seconds(experiments));
	status = EXIT_SUCCESS;
	if (experiments_run(experiments, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		status = EXIT_FAILURE;
	}
	if (interrupted)
		message(MESSAGE_ERROR, "interrupted: only the runs so far are shown");
	if (interrupted || experiments_failed(experiments))
		status = EXIT_FAILURE;
	if (report_experiments(settings) != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	fixture_remove(&settings->fixture);
	experiments_end(experiments);
	return options_finish_output(status);
}

static int compare(struct settings *settings)
{
	struct comparison *comparison = &settings->comparison;
	struct failure failure;
	int status = EXIT_SUCCESS;

	if (read_earlier(settings) < 0 || check_file(settings->tsv) < 0 ||
	    check_file(settings->json) < 0)
		return EXIT_FAILURE;
	comparison->runs =
		calloc((size_t)comparison->rounds * LOAD_KINDS * comparison->model_count,
		       sizeof *comparison->runs);
	if (comparison->runs == NULL) {
		message(MESSAGE_ERROR, "%s", strerror(errno));
		return EXIT_FAILURE;
	}
	catch_signals();
	process_adopt_orphans();
	if (prepare_fixture(settings, &failure) < 0) {
		message(MESSAGE_ERROR, "%s", failure.text);
		free(comparison->runs);
		return EXIT_FAILURE;
	}
	run_comparison(settings);
	if (any_failed(comparison))
		status = EXIT_FAILURE;
	if (interrupted) {
		message(MESSAGE_ERROR, "interrupted: the table shows the runs so far");
		status = EXIT_FAILURE;
	}
	comparison_print(comparison, stdout);
	if (write_file(comparison, settings->tsv, comparison_write_tsv) < 0 ||
	    write_file(comparison, settings->json, comparison_write_json) < 0 ||
	    any_errors(comparison))
		status = EXIT_FAILURE;
	if (print_changes(settings) < 0)
		status = EXIT_FAILURE;
	fixture_remove(&settings->fixture);
	free(comparison->runs);
	return options_finish_output(status);
}

/* The command line, as one would type it: without the path of the program. @return it, which
 * main() never frees; NULL: out of memory */
static char *join(int argc, char **argv)
{
	char *text = NULL;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return NULL;
	fputs("versus", memory);
	for (int i = 1; i < argc; i++) {
		bool plain = argv[i][0] != '\0' &&
			     argv[i][strspn(argv[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						     "abcdefghijklmnopqrstuvwxyz"
						     "0123456789-_./,=:+@%")] == '\0';

		fprintf(memory, plain ? " %s" : " '%s'", argv[i]);
	}
	return fclose(memory) == 0 ? text : NULL;
}

int main(int argc, char **argv)
{
	static struct settings settings = {
		.comparison = { .rounds = 5 },
	};
	int status;

	io_begin();
	settings.program = argv[0];
	status = options_read(&program, &settings, argc, argv);
	if (status != OPTIONS_GO_ON)
		return status;
	if (!settings.experiments_wanted)
		return compare(&settings);
	settings.command = join(argc, argv);
	return run_experiments(&settings);
}
