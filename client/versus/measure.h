/*
 * measure - one run of one server: started, loaded, stopped.
 */
#ifndef CLIENT_VERSUS_MEASURE_H
#define CLIENT_VERSUS_MEASURE_H

#include <stdbool.h>

#include "client/load/load.h"
#include "client/versus/figures.h"
#include "client/versus/server_process.h"

/** What to measure. */
struct measurement {
	struct server_process *server;
	const struct load_plan *plan; /* complete, but for the port; ->stop is set */
	const char *const *options;   /* of the server's service, terminated by NULL */
	bool local;                   /* over a UNIX-domain socket */
	bool quiet;                   /* with these it does not print that it listens */
};

/**
 * Runs it.
 *
 * @param figures  receives what was measured. After an interrupt (plan->stop) it is not done
 * @return 0, or -1 with *failure: the server or the load could not run, or the server ended
 *         badly
 */
int measure_run(const struct measurement *measurement, struct run_figures *figures,
		struct failure *failure);

#endif
