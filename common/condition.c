/*
 * condition - pthread_condattr_setclock(3), or on macOS a wait of a given length.
 *
 * By default a condition variable uses the time of day, which can be set: a wait could end at once,
 * or never. macOS lacks pthread_condattr_setclock(3). Its extension
 * pthread_cond_timedwait_relative_np(3) takes the length of the wait instead. The cost there is a
 * reading of the clock for each wait.
 */
#include "common/condition.h"

#include <time.h>

#include "common/clock.h"

#ifdef __APPLE__

int condition_begin(pthread_cond_t *condition)
{
	return pthread_cond_init(condition, NULL);
}

int condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until)
{
	struct timespec length = clock_timespec(clock_until(until, clock_milliseconds()));

	return pthread_cond_timedwait_relative_np(condition, mutex, &length);
}

#else

int condition_begin(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	int error = pthread_condattr_init(&attributes);

	if (error != 0)
		return error;
	error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (error == 0)
		error = pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
	return error;
}

int condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until)
{
	struct timespec end = clock_timespec(until);

	return pthread_cond_timedwait(condition, mutex, &end);
}

#endif
