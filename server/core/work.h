/*
 * work - CPU time that a request costs: the option --work of a service.
 */
#ifndef SERVER_CORE_WORK_H
#define SERVER_CORE_WORK_H

#include <stdint.h>

#include "common/failure.h"

struct options;

/** The longest work, in milliseconds: an event loop serves no other client meanwhile. */
enum { WORK_MOST_MS = 1000 };

/** Parses the value of the current option, a decimal number of milliseconds up to
 *  WORK_MOST_MS.
 *  @return 0 with *microseconds; or -1 with *failure: the value is bad, or the system
 *          cannot measure the CPU time of a thread */
int work_option(const struct options *options, int letter, int64_t *microseconds,
		struct failure *failure);

/** Uses that much CPU time of the calling thread, at least, and makes no system call
 *  that waits. Returns at once if @p microseconds is 0, or if a stop of the server is
 *  requested: what is left is then only answered. */
void work_do(int64_t microseconds);

#endif
