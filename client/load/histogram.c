/*
 * histogram - latencies in buckets: see client/load/histogram.h.
 *
 * Recording a value takes a few shifts and one addition, whatever the number of values; so
 * the load is not slowed by its own statistics. A histogram is large for a stack.
 */
#include "client/load/histogram.h"

static const uint64_t largest = ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1;

/* Index of the highest bit that is set; 0 for a value of 0. */
static unsigned highest_bit(uint64_t value)
{
#ifdef __GNUC__
	return 63U - (unsigned)__builtin_clzll(value | 1);
#else
	unsigned bit = 0;

	while (value >>= 1)
		bit++;
	return bit;
#endif
}

/* Values below 2^8 have a bucket each. Above, the highest 8 bits of the value, the
 * first of which is 1, select one of the 128 buckets of its power of two. */
static size_t bucket_of(uint64_t value)
{
	unsigned highest = highest_bit(value);
	unsigned shift =
		highest > HISTOGRAM_STEP_BITS ? highest - HISTOGRAM_STEP_BITS : 0;

	return ((size_t)shift << HISTOGRAM_STEP_BITS) + (size_t)(value >> shift);
}

/* The width of a bucket is 2 to the power of this. */
static size_t shift_of(size_t bucket)
{
	size_t shift = bucket >> HISTOGRAM_STEP_BITS;

	return shift < 2 ? 0 : shift - 1;
}

int64_t histogram_lower(size_t bucket)
{
	size_t shift = shift_of(bucket);

	return (int64_t)((uint64_t)(bucket - (shift << HISTOGRAM_STEP_BITS)) << shift);
}

/* The middle of a bucket. */
static int64_t middle_of(size_t bucket)
{
	return histogram_lower(bucket) + ((int64_t)1 << shift_of(bucket)) / 2;
}

void histogram_record(struct histogram *histogram, int64_t nanoseconds)
{
	uint64_t value = nanoseconds > 0 ? (uint64_t)nanoseconds : 0;

	histogram->count++;
	if ((int64_t)value > histogram->most)
		histogram->most = (int64_t)value;
	histogram->buckets[bucket_of(value < largest ? value : largest)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->count += from->count;
	if (from->most > into->most)
		into->most = from->most;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

int64_t histogram_percentile(const struct histogram *histogram, double percent)
{
	double rank = (double)histogram->count * percent / 100;
	uint64_t passed = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS && histogram->count > 0; i++) {
		passed += histogram->buckets[i];
		/* percent 0 gives the first value, too */
		if (passed > 0 && (double)passed >= rank) {
			int64_t value = middle_of(i);

			return value < histogram->most ? value : histogram->most;
		}
	}
	return histogram->most;
}

uint64_t histogram_passed(const struct histogram *histogram, int64_t nanoseconds)
{
	uint64_t value = nanoseconds > 0 ? (uint64_t)nanoseconds : 0, passed = 0;
	size_t last = bucket_of(value < largest ? value : largest);

	for (size_t i = 0; i <= last; i++)
		passed += histogram->buckets[i];
	return passed;
}

int64_t histogram_max(const struct histogram *histogram)
{
	return histogram->most;
}

uint64_t histogram_count(const struct histogram *histogram)
{
	return histogram->count;
}
