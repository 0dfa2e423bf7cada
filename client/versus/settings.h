/*
 * settings - what versus is told to do: the options, the rows of the table, and the plans of the
 * loads and experiments that come of them.
 */
#ifndef CLIENT_VERSUS_SETTINGS_H
#define CLIENT_VERSUS_SETTINGS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/versus/compare.h"
#include "client/versus/comparison.h"
#include "client/versus/experiments.h"
#include "client/versus/fixture.h"
#include "client/versus/server_process.h"

struct settings {
	struct comparison comparison;
	unsigned clients, bulk_clients, idle, threads;
	size_t size, bulk_size;
	int64_t duration;
	const char *tsv, *json;
	const char *earlier; /* of --compare */
	struct compare_run earlier_run;
	struct fixture fixture;
	const char *program;               /* argv[0]: the servers are beside it */
	const volatile sig_atomic_t *stop; /* becomes 1: end early */
	bool quiet, loads_named, rounds_named;
	bool experiments_wanted;
	struct experiments experiments;
	const char *report;
	const char *command; /* the command line, for the report and the files */
	struct server_process commands[COMPARISON_MODELS]; /* of --server */
	bool named[COMPARISON_MODELS];                     /* NAME=COMMAND */
	unsigned command_count;
	struct load_bytes request, expect;
};

/**
 * Reads the command line. Sets the rows, and plans the loads or the experiments. Before the call,
 * program, stop and the default of rounds are set.
 *
 * @return as options_read(): OPTIONS_GO_ON, or the exit status
 */
int settings_read(struct settings *settings, int argc, char **argv);

#endif
