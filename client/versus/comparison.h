/*
 * comparison - the loads, models, rounds and figures of versus, and their output.
 */
#ifndef CLIENT_VERSUS_COMPARISON_H
#define CLIENT_VERSUS_COMPARISON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/versus/server_process.h"
#include "client/load/load.h"

enum { COMPARISON_MODELS = 32, COMPARISON_ROUNDS = 99 };

/** The figures of one run, in an array, so that the same code handles medians,
 *  spreads and files of all of them. */
enum figure {
	FIGURE_RATE,  /* exchanges (or connections) per second */
	FIGURE_BYTES, /* bytes of replies per second */
	FIGURE_P50,   /* latency in microseconds */
	FIGURE_P99,
	FIGURE_CPU,        /* CPU milliseconds of the server per 1000 exchanges */
	FIGURE_SWITCHES,   /* context switches of the server per 1000 exchanges */
	FIGURE_EMPTY,      /* memory of the server (PSS) without clients, in KiB */
	FIGURE_CROWDED,    /* ... with the silent clients and the others */
	FIGURE_PER_CLIENT, /* the difference per client */
	FIGURE_SENT,       /* datagrams sent; then, as in struct load_fate: */
	FIGURE_LOST,
	FIGURE_LATE,
	FIGURE_DUPLICATES,
	FIGURE_REORDERED,
	FIGURE_KERNEL_EMPTY, /* memory of the kernel, as the three above */
	FIGURE_KERNEL_CROWDED,
	FIGURE_KERNEL_PER_CLIENT,
	FIGURE_ALL_PER_CLIENT, /* of the server and the kernel */
	FIGURE_WORKERS,        /* that share the clients */
	FIGURE_LEAST_SHARE, /* clients of the worker with the fewest, in percent of all */
	FIGURE_MOST_SHARE,  /* ... with the most */
	FIGURES,
};

/** One run of one load against one model. An unknown figure is below 0. */
struct run_figures {
	double figure[FIGURES];
	unsigned served, of; /* connections that got a reply, of all */
	uint64_t errors;
	uint64_t errors_of_kind[LOAD_ERRORS];
	struct failure wrong;   /* a wrong reply, if any; "" */
	struct failure silence; /* an incomplete reply, if any; "" */
	uint64_t cookies;       /* SYN cookies sent to clients without a reply */
	unsigned silent;        /* silent connections, open at the end of a LOAD_IDLE */
	bool done;
};

struct comparison {
	const char *service;
	bool datagrams; /* UDP, not TCP */
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
struct summary {
	double median, least, most;
	unsigned count; /* number of rounds; 0: no such figure */
};

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

/** Writes the runs and their medians as a JSON object (RFC 8259). */
void comparison_write_json(const struct comparison *comparison, FILE *out);

#endif
