/*
 * poll_with_mask - ppoll(2), or on systems that lack it sigmask, poll(2), sigmask.
 *
 * ppoll(2) changes the signal mask and begins to wait in one step. With two steps a signal
 * between them is handled, but does not end the wait. POSIX.1-2008 has one call that does both,
 * pselect(2), and its sets hold only descriptors below FD_SETSIZE.
 *
 * The replacement therefore never waits longer than POLL_LATE_SIGNAL at a time. A signal between
 * the steps is noticed after that time at the latest. The costs are two more system calls for
 * each wait, and ten wake-ups a second of a process that has nothing to do.
 */
#if defined(__linux__) && !defined(__LP64__)
#undef _FORTIFY_SOURCE /* ppoll(2) of glibc misreads its time if it is fortified (findings/) */
#endif
#define _GNU_SOURCE /* ppoll */
#if !defined(__linux__) && !defined(__FreeBSD__) && !defined(__OpenBSD__) &&             \
	!defined(__NetBSD__) && !defined(__DragonFly__) && !defined(POLL_WITHOUT_PPOLL)
#define POLL_WITHOUT_PPOLL
#endif

#include "common/poll_with_mask.h"

#ifdef POLL_WITHOUT_PPOLL

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

/* In milliseconds, rounded up: a wait that ends too early would be repeated at once. */
static int wait_time(const struct timespec *timeout)
{
	if (timeout == NULL || timeout->tv_sec > 0)
		return POLL_LATE_SIGNAL;
	if (timeout->tv_nsec > POLL_LATE_SIGNAL * 1000000L)
		return POLL_LATE_SIGNAL;
	return (int)((timeout->tv_nsec + 999999) / 1000000);
}

int poll_with_mask(struct pollfd watched[], nfds_t count, const struct timespec *timeout,
		   const sigset_t *mask)
{
	sigset_t before;
	int ready, error;

	pthread_sigmask(SIG_SETMASK, mask, &before);
	ready = poll(watched, count, wait_time(timeout));
	error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return ready;
}

#else

int poll_with_mask(struct pollfd watched[], nfds_t count, const struct timespec *timeout,
		   const sigset_t *mask)
{
	return ppoll(watched, count, timeout, mask);
}

#endif
