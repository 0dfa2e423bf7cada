/*
 * retry - the delay before a failed system call is repeated.
 *
 * Some errors pass by themselves: memory is short for a moment, an interface is down.
 * Repeating the call at once uses a whole processor until the error has passed. Waiting
 * after the first failure delays everything for an error that may be over. So the first
 * few failures in a row cause no delay; then the delay doubles, up to a second.
 */
#ifndef COMMON_RETRY_H
#define COMMON_RETRY_H

#include <stdint.h>

/** RETRY_AT_ONCE: number of failures in a row without a delay. RETRY_LONGEST:
 *  longest delay in milliseconds. */
enum { RETRY_AT_ONCE = 16, RETRY_LONGEST = 1000 };

/** Zeroed: the last call succeeded. */
struct retry {
	unsigned failures; /* in a row */
};

/** Counts a failure. @return the delay before the next call, in milliseconds */
int64_t retry_failed(struct retry *retry);

/** Counts a success. */
void retry_succeeded(struct retry *retry);

/** Waits. A signal that the calling thread does not block ends the wait. */
void retry_sleep(int64_t milliseconds);

#endif
