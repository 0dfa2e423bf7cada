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

/** @p milliseconds (0 or more) as the timespec that pselect(2) and ppoll(2) take. */
struct timespec clock_timespec(int64_t milliseconds);

#endif
