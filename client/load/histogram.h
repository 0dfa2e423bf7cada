/*
 * histogram - distribution of latencies, in fixed memory.
 *
 * Log-linear buckets: each power of two is divided into 128 equal buckets. A value and
 * the middle of its bucket differ by less than 0.4 %, from nanoseconds to hours.
 * Histograms are merged by addition, so each thread has its own and needs no lock.
 */
#ifndef CLIENT_LOAD_HISTOGRAM_H
#define CLIENT_LOAD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
	HISTOGRAM_STEP_BITS = 7,   /* 128 buckets to a power of two */
	HISTOGRAM_VALUE_BITS = 48, /* up to 2^48 nanoseconds: 78 hours */
	HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1)
			    << HISTOGRAM_STEP_BITS,
};

/** Zeroed, it is empty. */
struct histogram {
	uint64_t count; /* number of recorded values */
	int64_t most;   /* the largest value, exactly; nanoseconds */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/** Adds a value in nanoseconds. A negative value counts as 0; a value beyond the
 *  last bucket counts in that bucket. */
void histogram_record(struct histogram *histogram, int64_t nanoseconds);

/** Adds all values of @p from to @p into. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/** The value that @p percent (0 to 100) of all values do not exceed, in nanoseconds,
 *  within 1 % and at most histogram_max(); 0 if it is empty. */
int64_t histogram_percentile(const struct histogram *histogram, double percent);

/** The smallest value of bucket number @p bucket (from 0), in nanoseconds. It is the same in
 *  every histogram, so counts of equal buckets can be added. */
int64_t histogram_lower(size_t bucket);

/** The number of values that are at most @p nanoseconds, or in the same bucket. */
uint64_t histogram_passed(const struct histogram *histogram, int64_t nanoseconds);

/** The largest value, exactly; 0 if it is empty. */
int64_t histogram_max(const struct histogram *histogram);

/** The number of values. */
uint64_t histogram_count(const struct histogram *histogram);

#endif
