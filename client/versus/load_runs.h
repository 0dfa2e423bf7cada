/*
 * load_runs - runs each load on each row, in rounds.
 */
#ifndef CLIENT_VERSUS_LOAD_RUNS_H
#define CLIENT_VERSUS_LOAD_RUNS_H

#include "client/versus/settings.h"

/** Runs all rounds, or as many as there are before *settings->stop becomes 1. A failure of a row
 *  is printed at once, and kept in settings->comparison. */
void load_runs_make(struct settings *settings);

#endif
