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

/* Newton's method: no mathematical library is needed for the few requests of a ramp. */
static double square_root(double value)
{
	double root = value > 1 ? value : 1;

	for (int i = 0; i < 64; i++) {
		double next = (root + value / root) / 2;

		if (next >= root)
			break;
		root = next;
	}
	return root;
}

static double ramp_seconds(const struct load_worker *worker)
{
	return (double)(worker->start - worker->from) / (double)SECOND;
}

/* The rate grows in a straight line, so half of the full rate is sent in the ramp, by all
 * threads. */
static double ramp_requests(const struct load_worker *worker)
{
	return ramp_seconds(worker) * worker->plan->rate / 2;
}

/* After t seconds of a ramp of T seconds, rate * t^2 / (2 T) requests were due. */
int64_t load_schedule_due(const struct load_worker *worker, uint64_t request)
{
	double place = (double)request * worker->turns + worker->number;
	double rate = worker->plan->rate, in_ramp = ramp_requests(worker);

	if (place < in_ramp)
		return worker->from +
		       (int64_t)(square_root(2 * ramp_seconds(worker) * place / rate) *
				 (double)SECOND);
	return worker->start + (int64_t)((place - in_ramp) * (double)SECOND / rate);
}

bool load_schedule_take(struct load_worker *worker, int64_t *due)
{
	if (worker->now < worker->from || worker->now >= worker->end)
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

/* The number of requests of this thread that are due before @p time, of @p places of all
 * threads. */
static uint64_t due_before(const struct load_worker *worker, double places, int64_t time)
{
	double turns = (places - worker->number) / worker->turns;
	uint64_t due;

	if (worker->number >= worker->turns || turns <= 0)
		return 0;
	due = (uint64_t)turns;
	if (load_schedule_due(worker, due) < time) /* turns, rounded up */
		due++;
	return due;
}

uint64_t load_schedule_before(const struct load_worker *worker)
{
	return worker->plan->rate > 0 && worker->start > worker->from
		       ? due_before(worker, ramp_requests(worker), worker->start)
		       : 0;
}

uint64_t load_schedule_unsent(const struct load_worker *worker, int64_t end)
{
	double seconds = (double)(end - worker->start) / (double)SECOND;
	uint64_t due, taken = load_schedule_before(worker);

	if (worker->plan->rate <= 0 || seconds <= 0)
		return 0;
	if (taken < worker->requests)
		taken = worker->requests;
	due = due_before(worker, ramp_requests(worker) + seconds * worker->plan->rate,
			 end);
	return due > taken ? due - taken : 0;
}
