/*
 * report - the experiments as one page of HTML, which needs nothing else.
 */
#ifndef CLIENT_VERSUS_REPORT_H
#define CLIENT_VERSUS_REPORT_H

#include <stdio.h>

#include "client/versus/experiments.h"
#include "client/versus/machine.h"

/**
 * Writes the page: a summary, and for each experiment its question, findings, pictures (inline
 * SVG) and tables; how it was measured; and a link that saves the figures as JSON.
 *
 * @param command      the command line
 * @param interrupted  whether the experiments were ended before their time
 * @return 0, or -1 with errno (ENOMEM, or what writing failed with)
 */
int report_write(const struct experiments *experiments, const struct machine *machine,
		 const char *command, bool interrupted, FILE *out);

#endif
