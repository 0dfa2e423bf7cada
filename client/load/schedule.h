/*
 * schedule - when the requests of a load are due.
 */
#ifndef CLIENT_LOAD_SCHEDULE_H
#define CLIENT_LOAD_SCHEDULE_H

#include "client/load/connection.h"

/** When the worker's request of that number (from 0) is due; clock_nanoseconds(). Only with a
 *  rate. */
int64_t load_schedule_due(const struct load_worker *worker, uint64_t request);

/** Takes the next request from the schedule, if one is to be sent now.
 *  @param due  receives when it should have been sent
 *  @return whether there is one */
bool load_schedule_take(struct load_worker *worker, int64_t *due);

/** The number of requests that are due before the measured time, in the ramp. */
uint64_t load_schedule_before(const struct load_worker *worker);

/** How many requests of the measured time were due before @p end and have not been sent. */
uint64_t load_schedule_unsent(const struct load_worker *worker, int64_t end);

#endif
