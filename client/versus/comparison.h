/*
 * comparison - the loads, models, rounds and figures of versus, and their output.
 */
#ifndef CLIENT_VERSUS_COMPARISON_H
#define CLIENT_VERSUS_COMPARISON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/load/load.h"
#include "client/versus/figures.h"
#include "client/versus/machine.h"
#include "client/versus/server_process.h"

enum { COMPARISON_MODELS = 32, COMPARISON_ROUNDS = 99 };

struct comparison {
	const char *service;
	bool datagrams; /* UDP, not TCP */
	bool local;     /* UNIX-domain sockets, not TCP */
	/* The rows: models of the suite, and commands of the user. */
	const char *models[COMPARISON_MODELS];
	struct server_process servers[COMPARISON_MODELS];
	unsigned model_count;
	/* Why a model failed in a load, which it is then left out of; "" */
	struct failure failures[LOAD_KINDS][COMPARISON_MODELS];
	bool with[LOAD_KINDS]; /* the loads to run */
	struct load_plan plans[LOAD_KINDS];
	size_t reply_sizes
		[LOAD_KINDS]; /* bytes of a reply; 0: that of the message, or fixed by
			       * the protocol */
	unsigned rounds;
	struct run_figures *runs; /* [round][load][model]; see comparison_run() */
};

/** The figures of a run. */
struct run_figures *comparison_run(const struct comparison *comparison, unsigned round,
				   enum load_kind kind, unsigned model);

/** The statistics of a figure over all completed rounds. */
struct summary comparison_summary(const struct comparison *comparison,
				  enum load_kind kind, unsigned model,
				  enum figure figure);

/** The sum of a figure over all completed rounds; below 0: no such figure. */
double comparison_total(const struct comparison *comparison, enum load_kind kind,
			unsigned model, enum figure figure);

/** Connections that a model served in the median round, the smallest number of silent
 *  connections, and the sum of errors. */
struct service_summary {
	unsigned served, of, rounds, silent;
	uint64_t errors;
};

struct service_summary comparison_served(const struct comparison *comparison,
					 enum load_kind kind, unsigned model);

/** Prints the tables as text, and a few sentences about them. */
void comparison_print(const struct comparison *comparison, FILE *out);

/** Writes a header line, and a line of tab-separated figures for each run. */
void comparison_write_tsv(const struct comparison *comparison, FILE *out);

/** Writes the runs and their medians as a JSON object (RFC 8259).
 *  @param interrupted  whether the loads were ended before their time */
void comparison_write_json(const struct comparison *comparison,
			   const struct machine *machine, const char *command,
			   bool interrupted, FILE *out);

#endif
