/*
 * scan - scans the ports of an address in rounds, with one or more worker threads.
 *
 * Rounds: the first one tries every port, each further one the ports without a result. A
 * lost packet or a full backlog looks like a filter, so a single attempt would report wrong
 * results. The workers take ports from one shared queue by an atomic counter. A thread that
 * cannot be created only makes the scan slower.
 */
#include "client/portscan/scan.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/portscan/worker.h"
#include "common/clock.h"

enum {
	MOST_WORKERS = 4,
	PORTS_PER_WORKER = 4096, /* with fewer ports, the scan ends before a thread has
				  * started */
	FIRST_PAUSE = 250,       /* milliseconds before the first retry; doubled for each
			    * further one */
	LONGEST_PAUSE = 4000,
	NAP = 50, /* milliseconds between two checks of plan->stop */
};

struct scan {
	const struct scan_plan *plan;
	struct scan_result *result;
	struct scan_shared shared;
	uint16_t queue[PORTS_NUMBERS];
	struct scan_worker *workers[MOST_WORKERS];
	pthread_t threads[MOST_WORKERS];
};

/* ---- the rounds ------------------------------------------------------------------------ */

static bool stopped(const struct scan *scan)
{
	return atomic_load(scan->plan->stop) != 0 ||
	       atomic_load(&scan->shared.error) != 0;
}

/* Queues every port that has no result yet. @return whether there are any */
static bool queue_unknown(struct scan *scan)
{
	unsigned count = 0;

	for (unsigned port = 1; port < PORTS_NUMBERS; port++)
		if (scan->plan->ports->wanted[port] &&
		    scan->result->ports[port].state == SCAN_UNKNOWN)
			scan->queue[count++] = (uint16_t)port;
	scan->shared.queue = scan->queue;
	scan->shared.queued = count;
	atomic_store(&scan->shared.taken, 0);
	return count > 0;
}

/* An attempt that reached itself may be repeated at once. Silence may mean that too
 * many packets were sent; a pause helps. */
static bool wants_pause(const struct scan *scan)
{
	for (unsigned i = 0; i < scan->shared.queued; i++)
		if (scan->result->ports[scan->queue[i]].timeouts > 0)
			return true;
	return false;
}

static void pause_before(const struct scan *scan, unsigned retry)
{
	int64_t pause = retry < 5 ? (int64_t)FIRST_PAUSE << (retry - 1) : LONGEST_PAUSE;
	int64_t end = clock_milliseconds() + pause;

	while (!stopped(scan) && clock_milliseconds() < end) {
		struct timespec nap = clock_timespec(NAP);

		nanosleep(&nap, NULL);
	}
}

/* The calling thread is the first worker and the only one that handles signals. If a
 * thread cannot be created, the other workers take its share of the queue. */
static void run_round(struct scan *scan)
{
	unsigned running = 1;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (running < scan->shared.workers &&
	       pthread_create(&scan->threads[running], NULL, scan_worker_run,
			      scan->workers[running]) == 0)
		running++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	scan_worker_run(scan->workers[0]);
	while (running > 1)
		pthread_join(scan->threads[--running], NULL);
}

static void run_rounds(struct scan *scan)
{
	unsigned retries = 0;

	queue_unknown(scan);
	do {
		if (wants_pause(scan))
			pause_before(scan, ++retries);
		run_round(scan);
	} while (!stopped(scan) && queue_unknown(scan));
}

/* ---- before and after ------------------------------------------------------------------ */

/* Each processor handles refusals in parallel. But one worker keeps the rate, and
 * few ports need no second one. */
static unsigned workers_for(const struct scan_plan *plan)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned most = plan->ports->count / PORTS_PER_WORKER + 1;

	if (plan->rate > 0 || processors < 2)
		return 1;
	if (most > (unsigned long)processors)
		most = (unsigned)processors;
	if (most > MOST_WORKERS)
		most = MOST_WORKERS;
	return most < plan->in_flight ? most : plan->in_flight;
}

/* Divides the attempts in progress among the workers. @return 0, or -1 with errno */
static int create_workers(struct scan *scan)
{
	unsigned count = workers_for(scan->plan), left = scan->plan->in_flight;

	for (unsigned i = 0; i < count; i++) {
		unsigned part = left / (count - i);

		scan->workers[i] = scan_worker_create(&scan->shared, part, i == 0);
		if (scan->workers[i] == NULL)
			return -1;
		left -= part;
		scan->shared.workers++;
	}
	return 0;
}

static void count_states(struct scan *scan)
{
	for (unsigned port = 1; port < PORTS_NUMBERS; port++)
		if (scan->plan->ports->wanted[port])
			scan->result->count[scan->result->ports[port].state]++;
}

/* @return 0, or the errno that ended the scan */
static int scan_all(struct scan *scan)
{
	int error = 0;

	if (create_workers(scan) < 0)
		error = errno;
	else
		run_rounds(scan);
	for (unsigned i = 0; i < MOST_WORKERS; i++)
		scan_worker_destroy(scan->workers[i]);
	return error != 0 ? error : atomic_load(&scan->shared.error);
}

int scan_run(const struct scan_plan *plan, struct scan_result *result,
	     struct failure *failure)
{
	int64_t began = clock_nanoseconds();
	struct scan *scan = calloc(1, sizeof *scan);
	int error = ENOMEM;

	memset(result, 0, sizeof *result);
	if (scan != NULL) {
		scan->plan = plan;
		scan->result = result;
		scan->shared.plan = plan;
		scan->shared.ports = result->ports;
		scan->shared.wanted = plan->ports->count;
		error = scan_all(scan);
		count_states(scan);
		free(scan);
	}
	result->seconds = (double)(clock_nanoseconds() - began) / 1e9;
	if (error != 0)
		return failure_set(failure, "scan stopped: %s",
				   error == EADDRNOTAVAIL ? "No source port is free"
							  : strerror(error));
	return 0;
}
