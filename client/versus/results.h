/*
 * results - what comes of the runs: tables on standard output, and files.
 */
#ifndef CLIENT_VERSUS_RESULTS_H
#define CLIENT_VERSUS_RESULTS_H

#include "client/versus/settings.h"

/** Checks, before minutes of measuring, that the files can be written, and reads the one of
 *  --compare. The files are not changed. @return 0, or -1 and the reason is printed */
int results_prepare(struct settings *settings);

/** Experiments with a rate take those of the file of --compare, so that the points of both runs
 *  are the same. Must be called between results_prepare() and experiments_plan(). */
void results_take_rates(struct settings *settings);

/** Prints the comparison of the loads, and writes its files.
 *  @return 0, or -1: a row failed or had errors, or a file could not be written */
int results_of_loads(struct settings *settings);

/** Prints the experiments or writes the report, and the file of --json. @return as above */
int results_of_experiments(struct settings *settings);

#endif
