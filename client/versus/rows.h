/*
 * rows - what is compared: a row of the table for each model and for each command of --server.
 */
#ifndef CLIENT_VERSUS_ROWS_H
#define CLIENT_VERSUS_ROWS_H

#include "client/versus/settings.h"

/** Adds the models of the operands, then the servers of --server. Without any operand, and
 *  without --server, these are all models of the suite; the word "all" stands for them.
 *  @return 0, or -1 with *failure: a name given twice, too many, no such program */
int rows_take(struct settings *settings, char **models, int count,
	      struct failure *failure);

#endif
