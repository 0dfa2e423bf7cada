/*
 * visits - two thousand clients of one server, and the processes, descriptors and threads
 * that remain after them.
 */
#ifndef CLIENT_SOCKCHECK_VISITS_H
#define CLIENT_SOCKCHECK_VISITS_H

#include "client/lib/proc.h"
#include "client/sockcheck/check.h"

struct visits {
	struct check check; /* its verdict: whether all clients were served */
	struct proc_figures before, after;
};

/** Lets them come, once in a run, and notes the figures of the server before and after. Several
 *  checks read them; the first one that asks waits for the others.
 *  @return the same figures in each call */
const struct visits *visits_of(const struct check_settings *settings);

#endif
