/*
 * round_trip - statistics of reply times, in constant memory.
 *
 * Welford's method: see client/dial/round_trip.h. The square root is computed here so that
 * the program needs no libm.
 */
#include "client/dial/round_trip.h"

void round_trip_record(struct round_trip *times, int64_t nanoseconds)
{
	double value = (double)nanoseconds, before = times->mean;

	if (times->count == 0 || nanoseconds < times->least)
		times->least = nanoseconds;
	if (times->count == 0 || nanoseconds > times->most)
		times->most = nanoseconds;
	times->count++;
	times->mean += (value - before) / (double)times->count;
	times->squares += (value - before) * (value - times->mean);
}

/* Newton's method, starting above the root, until the value no longer decreases. */
static double square_root(double value)
{
	double root = value > 1 ? value : 1;

	if (!(value > 0))
		return 0;
	for (;;) {
		double better = (root + value / root) / 2;

		if (!(better < root))
			return root;
		root = better;
	}
}

double round_trip_deviation(const struct round_trip *times)
{
	return times->count > 0 ? square_root(times->squares / (double)times->count) : 0;
}
