/*
 * plan - what is measured: a plan of each load, or of the experiments.
 */
#ifndef CLIENT_VERSUS_PLAN_H
#define CLIENT_VERSUS_PLAN_H

#include "client/versus/settings.h"

/** Sets the length of a run and the rounds, if no option has. Must be called first. */
void plan_choose_time(struct settings *settings);

/** Plans the loads of -l, which the service must allow, or all that it allows.
 *  @return 0, or -1 with *failure: no such service, or no such load of it */
int plan_service(struct settings *settings, const char *service, struct failure *failure);

/** Plans the experiments, for the rows. They have no loads of -l: they are loads of their own.
 *  @return 0, or -1 with *failure: options that do not go together */
int plan_experiments(struct settings *settings, struct failure *failure);

#endif
