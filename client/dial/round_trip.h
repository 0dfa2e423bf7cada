/*
 * round_trip - statistics of reply times: minimum, mean, maximum, standard deviation.
 *
 * Only a few sums are kept, whatever the number of replies (B. P. Welford, "Note on a
 * method for calculating corrected sums of squares and products", 1962). Unlike the
 * difference of two large sums of squares, the method does not lose precision.
 */
#ifndef CLIENT_DIAL_ROUND_TRIP_H
#define CLIENT_DIAL_ROUND_TRIP_H

#include <stdint.h>

/** Zeroed, it is empty. All times are in nanoseconds. */
struct round_trip {
	uint64_t count;
	int64_t least, most;
	double mean;
	double squares; /* sum of the squared distances from the mean */
};

/** Adds a reply time. */
void round_trip_record(struct round_trip *times, int64_t nanoseconds);

/** The standard deviation: what ping(8) calls mdev. 0 when it is empty. */
double round_trip_deviation(const struct round_trip *times);

#endif
