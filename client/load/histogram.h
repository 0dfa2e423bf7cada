/*
 * histogram - how often each latency occurred, in fixed memory, however many there were.
 *
 * Log-linear buckets: each power of two is cut into 128 equal ones, so that a value and
 * the middle of its bucket differ by less than 0.4 %, from nanoseconds to hours. Two
 * histograms merge by adding them up: each thread keeps its own and no lock is needed.
 */
#ifndef CLIENT_LOAD_HISTOGRAM_H
#define CLIENT_LOAD_HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_STEP_BITS = 7,   /* 128 buckets to a power of two */
	HISTOGRAM_VALUE_BITS = 48, /* up to 2^48 nanoseconds: 78 hours */
	HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1)
			    << HISTOGRAM_STEP_BITS,
};

/** Zeroed, it is empty. */
struct histogram {
	uint64_t count; /* values recorded */
	int64_t most;   /* the largest of them, exactly; nanoseconds */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/** Adds one value in nanoseconds. A negative one counts as 0, one past the last bucket
 *  in that bucket. */
void histogram_record(struct histogram *histogram, int64_t nanoseconds);

/** Adds all values of @p from to @p into. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/** The value that @p percent (0 to 100) of all values do not exceed, in nanoseconds,
 *  within 1 % and never more than histogram_max(); 0 when it is empty. */
int64_t histogram_percentile(const struct histogram *histogram, double percent);

/** The largest value, exactly; 0 when it is empty. */
int64_t histogram_max(const struct histogram *histogram);

/** How many values there are. */
uint64_t histogram_count(const struct histogram *histogram);

#endif
