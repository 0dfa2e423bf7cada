/*
 * experiment - servers under the same load, at several points of one quantity: the number of
 * clients, the offered rate ... What is measured makes a curve for each server.
 */
#ifndef CLIENT_VERSUS_EXPERIMENT_H
#define CLIENT_VERSUS_EXPERIMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "client/load/load.h"
#include "client/versus/figures.h"
#include "client/versus/server_process.h"
#include "common/failure.h"

enum {
	EXPERIMENT_ROWS = 32,
	EXPERIMENT_POINTS = 16,
	EXPERIMENT_ROUNDS = 99,
	EXPERIMENT_OPTIONS = 16, /* of a server, with the NULL */
};

/** A server, which is one curve. */
struct experiment_row {
	char name[SERVER_PROCESS_NAME]; /* "fork", or "epoll reuseport" */
	struct server_process server;
};

/** A point of all curves. */
struct experiment_point {
	double x;
	struct load_plan plan;                   /* complete, but for the port */
	const char *options[EXPERIMENT_OPTIONS]; /* of the servers; not for a command */
	bool quiet; /* with these they do not print that they listen */
};

struct experiment {
	const char *name;    /* "clients" */
	const char *title;   /* "Number of clients" */
	const char *x_name;  /* what x is: "clients" */
	const char *x_one;   /* the same for 1: "client" */
	const char *service; /* of the servers: "echo" */
	struct experiment_row rows[EXPERIMENT_ROWS];
	unsigned row_count;
	struct experiment_point points[EXPERIMENT_POINTS];
	unsigned point_count;
	unsigned rounds;
	struct run_figures *runs; /* [round][point][row]; experiment_run() */
	/* Why a row failed at a point, where it is then left out; "" */
	struct failure failures[EXPERIMENT_POINTS][EXPERIMENT_ROWS];
};

/** Allocates the runs. The rows, the points and the number of rounds do not change after it.
 *  @return 0, or -1 with errno (ENOMEM); experiment_end() frees them */
int experiment_begin(struct experiment *experiment);

void experiment_end(struct experiment *experiment);

/** The figures of a run. */
struct run_figures *experiment_run(const struct experiment *experiment, unsigned round,
				   unsigned point, unsigned row);

/** The statistics of a figure over all completed rounds of a row at a point. */
struct summary experiment_summary(const struct experiment *experiment, unsigned point,
				  unsigned row, enum figure figure);

/** How many clients a row served at a point, in its worst round. */
struct experiment_service {
	unsigned rounds; /* completed; 0: nothing is known */
	unsigned served, of;
	uint64_t errors; /* of all rounds */
	bool crowd;      /* all silent clients stayed connected */
};

struct experiment_service experiment_service(const struct experiment *experiment,
					     unsigned point, unsigned row);

/** Whether a row served all clients of a point, without errors. Only then it is compared with
 *  others. */
bool experiment_is_whole(const struct experiment *experiment, unsigned point,
			 unsigned row);

/** Whether a row failed at a point. */
bool experiment_has_failed(const struct experiment *experiment, unsigned point,
			   unsigned row);

/** Whether a row failed at a point, or did not serve all of its clients. A point that was not run,
 *  because the experiment was interrupted, lacks nothing. */
bool experiment_is_lacking(const struct experiment *experiment, unsigned point,
			   unsigned row);

/** Its last completed run; NULL: there is none. */
const struct run_figures *experiment_last_run(const struct experiment *experiment,
					      unsigned point, unsigned row);

/** Whether a figure of a row at a point is known and says something. */
bool experiment_is_known(const struct experiment *experiment, unsigned point,
			 unsigned row, enum figure figure);

#endif
