/*
 * settings - the options of versus: see client/versus/settings.h.
 *
 * The operands are used when all options are known: rows.c makes a row of each model and each
 * command, and plan.c makes the loads and experiments.
 */
#include "client/versus/settings.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "client/load/endpoint.h"
#include "client/versus/plan.h"
#include "client/versus/rows.h"
#include "client/versus/server_command.h"
#include "common/options.h"

enum { MOST_SECONDS = 3600, MOST_CLIENTS = 100000, MOST_THREADS = 1024 };

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
	OPTION_QUICK,
	OPTION_UNIX
};

static const struct option_line lines[] = {
	{ 'u', "udp", NULL,
	  "use UDP; count lost, duplicate and reordered\n"
	  "datagrams" },
	{ OPTION_UNIX, "unix", NULL, "use UNIX-domain sockets instead of TCP" },
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
	  "also compare the server that COMMAND starts;\n"
	  "{port} in COMMAND is a free port, with --unix\n"
	  "{path} a free path; NAME=COMMAND names the row of\n"
	  "the server" },
	{ OPTION_REQUEST, "request", "TEXT",
	  "send TEXT as each request; it can contain escapes\n"
	  "of C such as \\n; needs --expect" },
	{ OPTION_EXPECT, "expect", "TEXT", "the exact reply to --request" },
	{ OPTION_TSV, "tsv", "FILE",
	  "write the results of each run to FILE, separated\n"
	  "by tabs" },
	{ OPTION_JSON, "json", "FILE",
	  "write the results of each run, and the medians, to\n"
	  "FILE as JSON" },
	{ OPTION_COMPARE, "compare", "FILE",
	  "also print what has changed since an earlier run,\n"
	  "whose --json has written FILE" },
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
	case OPTION_UNIX:
		settings->comparison.local = true;
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
		return take_count(options, letter, MOST_THREADS, &settings->threads,
				  failure);
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

static int check_transport(const struct settings *settings, struct failure *failure)
{
	bool local = settings->comparison.local;

	if (local && settings->comparison.datagrams && !LOAD_LOCAL_DATAGRAMS)
		return failure_set(failure, "--unix does not go with -u on this system");
	if (local && settings->experiments_wanted)
		return failure_set(failure, "the experiments are over TCP, not with "
					    "--unix");
	for (unsigned i = 0; i < settings->command_count; i++)
		if (server_process_check(&settings->commands[i], local, failure) < 0)
			return -1;
	return 0;
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
	if (check_transport(settings, failure) < 0)
		return -1;
	if (count == 0 && !own)
		return failure_set(failure, "SERVICE or --server is missing");
	if (settings->experiments.quick && !settings->experiments_wanted)
		return failure_set(failure, "--quick needs -e or --report");
	plan_choose_time(settings);
	if (plan_service(settings, count > 0 ? operands[0] : "request", failure) < 0)
		return -1;
	if (rows_take(settings, operands + 1, count > 1 ? count - 1 : 0, failure) < 0)
		return -1;
	return settings->experiments_wanted ? plan_experiments(settings, failure) : 0;
}

static const struct options_program program = {
	.synopsis = "[options] SERVICE [MODEL ...]",
	.purpose = "Compares the models of a service side by side, under the same load.\n"
		   "The servers of --server are compared as well.",
	.lines = lines,
	.take = take_option,
	.finish = take_operands,
};

int settings_read(struct settings *settings, int argc, char **argv)
{
	return options_read(&program, settings, argc, argv);
}
