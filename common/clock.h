/*
 * clock - monotonic time: setting the date does not change it.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Nanoseconds since some fixed moment, by CLOCK_MONOTONIC (POSIX clock_gettime). */
int64_t clock_nanoseconds(void);

/** The same in milliseconds. */
int64_t clock_milliseconds(void);

/** The moment that never comes, and a time without end: greater than all others, so that of two
 *  moments the earlier one is the smaller one. */
#define CLOCK_NEVER INT64_MAX

/** The earlier of two moments. */
int64_t clock_earlier(int64_t a, int64_t b);

/** How long it is from @p now to @p moment; 0 if that has come, CLOCK_NEVER for CLOCK_NEVER. */
int64_t clock_until(int64_t moment, int64_t now);

/** @p milliseconds (0 or more, or CLOCK_NEVER) as the timeout of poll(2): at most INT_MAX, and -1,
 *  no timeout, for CLOCK_NEVER. */
int clock_poll_timeout(int64_t milliseconds);

/** @p milliseconds (0 or more) as the timespec that pselect(2) and ppoll(2) take. */
struct timespec clock_timespec(int64_t milliseconds);

#endif
