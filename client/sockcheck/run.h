/*
 * run - runs the checks.
 */
#ifndef CLIENT_SOCKCHECK_RUN_H
#define CLIENT_SOCKCHECK_RUN_H

#include <stdbool.h>

#include "client/sockcheck/results.h"

/** Makes the checks in the list of results, and stores their verdicts. A check that the protocol
 *  or the command line does not allow is skipped.
 *
 *  @param settings  what is learned of the server is stored in it */
void run_checks(struct check_settings *settings, struct results *results);

#endif
