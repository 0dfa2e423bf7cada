/*
 * visits - many clients of one server, and the processes, descriptors and threads that remain after
 * them.
 */
#ifndef CLIENT_SOCKCHECK_VISITS_H
#define CLIENT_SOCKCHECK_VISITS_H

#include "client/lib/proc.h"
#include "client/sockcheck/check.h"

struct visits {
	struct check check; /* its verdict: whether all clients were served */
	unsigned clients;   /* how many were to come */
	struct proc_figures before, after;
};

/** Lets the clients come, and notes the figures of the server before and after. This is done once in a
 *  run, by the first caller; other callers wait for it.
 *  @return the same figures in each call */
const struct visits *visits_of(const struct check_settings *settings);

#endif
