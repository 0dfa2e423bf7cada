/*
 * retry - the delay before a failed system call is repeated: none at first, then doubling.
 *
 * See common/retry.h for the reason.
 */
#include "common/retry.h"

#include <stddef.h>
#include <time.h>

#include "common/clock.h"

enum { DOUBLINGS = 10 }; /* delays from 1 to 1024 milliseconds */

int64_t retry_failed(struct retry *retry)
{
	unsigned delayed;
	int64_t delay;

	if (retry->failures <= RETRY_AT_ONCE + DOUBLINGS)
		retry->failures++;
	if (retry->failures <= RETRY_AT_ONCE)
		return 0;
	delayed = retry->failures - RETRY_AT_ONCE - 1;
	delay = (int64_t)1 << delayed;
	return delay < RETRY_LONGEST ? delay : RETRY_LONGEST;
}

void retry_succeeded(struct retry *retry)
{
	retry->failures = 0;
}

void retry_sleep(int64_t milliseconds)
{
	struct timespec time = clock_timespec(milliseconds);

	if (milliseconds > 0)
		nanosleep(&time, NULL);
}
