/*
 * experiments_json - the figures of the experiments, for programs.
 */
#ifndef CLIENT_VERSUS_EXPERIMENTS_JSON_H
#define CLIENT_VERSUS_EXPERIMENTS_JSON_H

#include <stdio.h>

#include "client/versus/experiments.h"
#include "client/versus/machine.h"

/** Writes all runs and their statistics as a JSON object (RFC 8259); versus(1) describes it.
 *  @param command      the command line that made them
 *  @param interrupted  whether the experiments were ended before their time */
void experiments_write_json(const struct experiments *experiments,
			    const struct machine *machine, const char *command,
			    bool interrupted, FILE *out);

#endif
