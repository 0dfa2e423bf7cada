/*
 * comparison - what versus measures: loads, models, rounds, and the figures of each.
 */
#ifndef CLIENT_VERSUS_COMPARISON_H
#define CLIENT_VERSUS_COMPARISON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/versus/server_process.h"
#include "client/load/load.h"

enum { COMPARISON_MODELS = 32, COMPARISON_ROUNDS = 99 };

/** The figures of one run. Each has its place in an array, so that medians, spreads and
 *  files are made by one piece of code. */
enum figure {
	FIGURE_RATE,  /* exchanges (or connections) a second */
	FIGURE_BYTES, /* of replies, a second */
	FIGURE_P50,   /* latency in microseconds */
	FIGURE_P99,
	FIGURE_CPU,        /* milliseconds that the server used for 1000 exchanges */
	FIGURE_SWITCHES,   /* context switches of the server for 1000 exchanges */
	FIGURE_EMPTY,      /* own memory (PSS) without clients, in KiB */
	FIGURE_CROWDED,    /* ... and with the silent ones and the others */
	FIGURE_PER_CLIENT, /* the difference for one client */
	FIGURE_SENT,       /* datagrams; and of them, as in struct load_fate: */
	FIGURE_LOST,
	FIGURE_LATE,
	FIGURE_DUPLICATES,
	FIGURE_REORDERED,
	FIGURE_KERNEL_EMPTY, /* the kernel's memory, as the three above */
	FIGURE_KERNEL_CROWDED,
	FIGURE_KERNEL_PER_CLIENT,
	FIGURE_ALL_PER_CLIENT, /* both */
	FIGURES,
};

/** One run of one load against one model. A figure that could not be had is below 0. */
struct run_figures {
	double figure[FIGURES];
	unsigned served, of; /* connections that ever got a reply */
	uint64_t errors;
	struct failure wrong;   /* what was wrong with a reply, where it is known; "" */
	struct failure silence; /* how far a reply came that was not whole; "" */
	uint64_t cookies;       /* SYN cookies that were sent to who was not answered */
	bool done;
};

struct comparison {
	const char *service;
	bool datagrams; /* UDP, not TCP */
	const char *models[COMPARISON_MODELS];
	struct server_process servers[COMPARISON_MODELS];
	unsigned model_count;
	bool with[LOAD_KINDS]; /* which loads */
	struct load_plan plans[LOAD_KINDS];
	size_t reply_sizes
		[LOAD_KINDS]; /* bytes; 0: that of the message, or of no choice */
	unsigned rounds;
	struct run_figures *runs; /* [round][load][model]; see comparison_run() */
};

/** The figures of a run. */
struct run_figures *comparison_run(const struct comparison *comparison, unsigned round,
				   enum load_kind kind, unsigned model);

/** A figure over all rounds that were done. */
struct summary {
	double median, least, most;
	unsigned count; /* of rounds; 0: there is no such figure */
};

struct summary comparison_summary(const struct comparison *comparison,
				  enum load_kind kind, unsigned model,
				  enum figure figure);

/** The sum of a figure over all rounds that were done; below 0: there is no such figure. */
double comparison_total(const struct comparison *comparison, enum load_kind kind,
			unsigned model, enum figure figure);

/** How many of its connections a model served in the median round, and errors in all. */
struct service_summary {
	unsigned served, of, rounds;
	uint64_t errors;
};

struct service_summary comparison_served(const struct comparison *comparison,
					 enum load_kind kind, unsigned model);

/** Prints the table for people, and a few lines on what it shows. */
void comparison_print(const struct comparison *comparison, FILE *out);

/** Writes a line of tab-separated figures for each run, below a line of their names. */
void comparison_write_tsv(const struct comparison *comparison, FILE *out);

/** Writes the same, with the medians, as one JSON object (RFC 8259). */
void comparison_write_json(const struct comparison *comparison, FILE *out);

#endif
