/*
 * retry - how long to wait before a system call that failed is made again.
 *
 * Some errors pass by themselves: the kernel is out of memory for a moment, an interface is
 * down. A program that calls again at once uses all of a processor until the error passes. One
 * that waits after the first failure delays everybody for an error that was over already. So
 * the first few calls in a row are made at once, and then the delay doubles, up to a second.
 */
#ifndef COMMON_RETRY_H
#define COMMON_RETRY_H

#include <stdint.h>

/** RETRY_AT_ONCE: how many failures in a row cause no delay. RETRY_LONGEST: the longest delay,
 *  in milliseconds. */
enum { RETRY_AT_ONCE = 16, RETRY_LONGEST = 1000 };

/** All zero: the last call succeeded. */
struct retry {
	unsigned failures; /* in a row */
};

/** Counts a failure. @return how long to wait before the next call, in milliseconds */
int64_t retry_failed(struct retry *retry);

/** The call succeeded. */
void retry_succeeded(struct retry *retry);

/** Waits. A signal that the calling thread does not block ends the wait. */
void retry_sleep(int64_t milliseconds);

#endif
