/*
 * condition - condition variables whose timeouts use the monotonic clock.
 */
#ifndef COMMON_CONDITION_H
#define COMMON_CONDITION_H

#include <pthread.h>
#include <stdint.h>

/** Initializes @p condition: a change of the time of day does not change its timeouts.
 *  pthread_cond_destroy(3) frees it. @return 0, or an error number */
int condition_begin(pthread_cond_t *condition);

/**
 * Waits until another thread signals @p condition, but not after @p until.
 *
 * @param mutex  locked; free during the wait
 * @param until  in the time of clock_milliseconds()
 * @return 0, perhaps without a signal (as pthread_cond_timedwait(3)); or ETIMEDOUT
 */
int condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until);

#endif
