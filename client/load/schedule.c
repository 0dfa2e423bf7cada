/*
 * schedule - when the requests of a load are due.
 *
 * In a closed loop (no -r) a request is due as soon as a connection is free. In an open loop
 * (-r RATE) the schedule decides, not the connection: a server that stalls delays all requests
 * that are due meanwhile, and their latency counts from the time they were due. Otherwise only
 * the few requests in progress would show the stall ("coordinated omission", Gil Tene).
 *
 * The threads share the schedule without a lock: of all requests every worker->turns-th belongs
 * to a thread, so a request has its time by its number alone.
 */
#include "client/load/schedule.h"

int64_t load_schedule_due(const struct load_worker *worker, uint64_t request)
{
	double place = (double)request * worker->turns + worker->number;

	return worker->start + (int64_t)(place * (double)SECOND / worker->plan->rate);
}

bool load_schedule_take(struct load_worker *worker, int64_t *due)
{
	if (worker->now < worker->start || worker->now >= worker->end)
		return false;
	*due = worker->now;
	if (worker->plan->rate <= 0)
		return true;
	*due = load_schedule_due(worker, worker->requests);
	if (*due > worker->now || *due >= worker->end)
		return false;
	worker->requests++;
	return true;
}

uint64_t load_schedule_unsent(const struct load_worker *worker, int64_t end)
{
	double seconds = (double)(end - worker->start) / (double)SECOND;
	double turns = (seconds * worker->plan->rate - worker->number) / worker->turns;
	uint64_t due;

	if (worker->plan->rate <= 0 || worker->number >= worker->turns || turns <= 0)
		return 0;
	due = (uint64_t)turns;
	if (load_schedule_due(worker, due) < end) /* turns, rounded up */
		due++;
	return due > worker->requests ? due - worker->requests : 0;
}
