/*
 * clock - monotonic time in nanoseconds and milliseconds.
 *
 * clock_gettime(2) is a function of the vDSO on Linux: no system call. Timeouts must not
 * use the time of day, which can be set.
 */
#include "common/clock.h"

#include <limits.h>

int64_t clock_nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_milliseconds(void)
{
	return clock_nanoseconds() / 1000000;
}

struct timespec clock_timespec(int64_t milliseconds)
{
	struct timespec time = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_nsec = (long)(milliseconds % 1000) * 1000000,
	};
	return time;
}

int64_t clock_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t clock_until(int64_t moment, int64_t now)
{
	if (moment == CLOCK_NEVER)
		return CLOCK_NEVER;
	return moment > now ? moment - now : 0;
}

int clock_poll_timeout(int64_t milliseconds)
{
	if (milliseconds == CLOCK_NEVER)
		return -1;
	return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}
