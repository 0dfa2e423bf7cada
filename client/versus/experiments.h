/*
 * experiments - which experiments there are: their servers, their points, and how they are run.
 */
#ifndef CLIENT_VERSUS_EXPERIMENTS_H
#define CLIENT_VERSUS_EXPERIMENTS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/versus/experiment.h"
#include "client/versus/fixture.h"
#include "client/versus/timelines.h"
#include "common/failure.h"

enum experiment_kind {
	EXPERIMENT_TIMELINE, /* what each server does for some clients; it has no points */
	EXPERIMENT_CLIENTS,  /* the number of clients */
	EXPERIMENT_IDLE,     /* the number of silent clients */
	EXPERIMENT_RATE,     /* requests that are sent when they are due (open loop) */
	EXPERIMENT_COST,     /* what the server spends at one equal rate */
	EXPERIMENT_WORK,     /* CPU time for each request */
	EXPERIMENT_SHARING,  /* how workers share the clients */
	EXPERIMENT_KINDS,
};

/** What all of them have in common. */
struct experiments {
	bool with[EXPERIMENT_KINDS];
	struct experiment all[EXPERIMENT_KINDS];
	struct timeline timelines[EXPERIMENT_ROWS]; /* of EXPERIMENT_TIMELINE, by row */

	/* Set by the caller. */
	const char *program; /* argv[0]: the servers are beside it */
	const char *service;
	const struct experiment_row *rows; /* the models and commands to compare */
	unsigned row_count, model_count; /* ... the first ones are models of the suite */
	const struct fixture *fixture;
	struct load_plan base; /* the load: service, size, duration, threads, stop */
	unsigned most_clients, most_idle; /* 0: the default */
	unsigned rounds;
	bool quick, shows_progress;
	/* The rates of EXPERIMENT_RATE, ascending, and of EXPERIMENT_COST, as in an earlier run.
	 * 0: chosen by what the servers can do. */
	double rates[EXPERIMENT_POINTS], cost_rate;
	unsigned rate_count;

	/* Private. */
	unsigned done, runs; /* for the progress */
	int64_t began;
	double saturation[EXPERIMENT_ROWS]; /* exchanges per second; 0: unknown */
	bool calibrated;
};

/** The kind with that name. @return true with *kind, or false */
bool experiments_find(const char *name, enum experiment_kind *kind);

/** "timeline, clients, idle, rate, cost, work, sharing" */
const char *experiments_names(char *out, size_t size);

/** Whether the service and the servers suit the experiments that are wanted. Of several, those
 *  that no server suits are left out. @return 0, or -1 with *failure */
int experiments_check(struct experiments *experiments, struct failure *failure);

/** Chooses the servers and points of the experiments that are wanted, which
 *  experiments_check() has found to be possible.
 *  @return 0, or -1 with *failure: a server is not there, or out of memory */
int experiments_plan(struct experiments *experiments, struct failure *failure);

/** How long they will take, in seconds, about. */
unsigned experiments_seconds(const struct experiments *experiments);

/** Runs them, until they are done or base.stop is set. A server that fails is reported, and left
 *  out at that point. @return 0, or -1 with *failure: out of memory */
int experiments_run(struct experiments *experiments, struct failure *failure);

/** Whether a run of any experiment is complete. */
bool experiments_have_runs(const struct experiments *experiments);

/** Whether a server failed, or an exchange was wrong. */
bool experiments_failed(const struct experiments *experiments);

void experiments_end(struct experiments *experiments);

#endif
