/*
 * work - CPU time that a request costs.
 *
 * The cost is CPU time of the thread (CLOCK_THREAD_CPUTIME_ID), not wall time. While another
 * thread has the CPU, a loop that waits for the wall clock would be paid without working, and a
 * server with too few CPUs would look as fast as one with enough.
 *
 * Reading this clock is a system call, which can take as long as a short piece of work. A loop
 * that is calibrated once, at the start, needs no clock, but is wrong when the CPU changes its
 * frequency or shares its core. So each work measures itself: it does some steps, reads the
 * clock, and estimates from both how many steps are left. Three to six readings are enough for
 * a millisecond.
 */
#include "server/core/work.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/options.h"
#include "server/core/signals.h"

enum {
	FIRST_STEPS = 2048, /* some microseconds */
	LEAST_STEPS =
		256, /* the last estimates must not end in a reading for each step */
	GROWTH = 8,  /* the next piece is at most this many times all before it */
	MOST_STEPS = 4 * 1000 * 1000, /* some milliseconds, so an estimate is renewed */
};

/* Nanoseconds of CPU time that this thread has used; -1 if the system has no such clock. */
static int64_t thread_time(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) < 0)
		return -1;
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Each step needs the result of the one before (Knuth's generator of MMIX), so that neither
 * the compiler nor the CPU can skip or overlap them. */
static void do_steps(int64_t steps)
{
	uint64_t number = 1;
	volatile uint64_t result;

	for (int64_t i = 0; i < steps; i++)
		number = number * UINT64_C(6364136223846793005) +
			 UINT64_C(1442695040888963407);
	result = number;
	(void)result;
}

/* How many steps to do next, if @p done steps took @p used of the @p wanted nanoseconds. */
static int64_t next_steps(int64_t done, int64_t used, int64_t wanted)
{
	double left = used > 0 ? (double)done * (double)(wanted - used) / (double)used
			       : (double)MOST_STEPS;
	int64_t most = done * GROWTH < MOST_STEPS ? done * GROWTH : MOST_STEPS;

	if (left >= (double)most)
		return most;
	return left > LEAST_STEPS ? (int64_t)left : LEAST_STEPS;
}

int work_option(const struct options *options, int letter, int64_t *microseconds,
		struct failure *failure)
{
	if (options_milliseconds(options, letter, WORK_MOST_MS, microseconds, failure) <
	    0)
		return -1;
	if (*microseconds > 0 && thread_time() < 0)
		return failure_set(failure, "--work: cannot measure CPU time: %s",
				   strerror(errno));
	return 0;
}

void work_do(int64_t microseconds)
{
	int64_t wanted = microseconds * 1000, begin, used, steps = FIRST_STEPS, done = 0;

	if (microseconds == 0 || signals_stop_requested())
		return;
	begin = thread_time();
	do {
		do_steps(steps);
		done += steps;
		used = thread_time() - begin;
		steps = next_steps(done, used, wanted);
	} while (used < wanted);
}
