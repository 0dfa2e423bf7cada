/*
 * figures - what is measured in one run, and the statistics over several runs.
 */
#ifndef CLIENT_VERSUS_FIGURES_H
#define CLIENT_VERSUS_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "client/load/load.h"
#include "common/failure.h"

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
	FIGURE_P999,        /* latency in microseconds */
	FIGURE_PER_WAKEUP,  /* exchanges for each time that the server slept (voluntary
			     * context switches) */
	FIGURE_SILENT,      /* silent clients that were connected at the end */
	FIGURE_SERVICE_P99, /* open loop: latency since the request was sent, in
			     * microseconds */
	FIGURE_MEMORY, /* memory of the server and the kernel with all clients, in KiB */
	FIGURES,
};

/** The workers whose shares are kept. */
enum { FIGURES_SHARES = 16 };

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
	unsigned workers;       /* whose shares are known: at most FIGURES_SHARES */
	double shares[FIGURES_SHARES]; /* of the clients, in percent; in their order */
	bool done;
};

/** Its name in files, with the unit: "p50_microseconds". */
const char *figure_name(enum figure figure);

/** Whether a larger value is the better one. */
bool figure_more_is_better(enum figure figure);

/** Sets all figures to "unknown". */
void figures_clear(struct run_figures *figures);

/** The statistics of a figure over several rounds. */
struct summary {
	double median, least, most;
	unsigned count; /* number of rounds; 0: no such figure */
};

/** The statistics of @p count values, which it sorts. */
struct summary summary_of(double values[], unsigned count);

/** Half of the range between the rounds. */
double summary_half_range(const struct summary *summary);

/** Whether @p better is better than @p worse in every round, and by more than the spread of
 *  either; otherwise it may be chance. One round shows nothing. Two values that differ by less
 *  than one percent are equal. */
bool summary_is_clear(const struct summary *better, const struct summary *worse,
		      bool more_is_better);

#endif
