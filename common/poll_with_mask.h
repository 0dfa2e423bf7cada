/*
 * poll_with_mask - poll(2) with a signal mask: ppoll(2), or a replacement on systems that lack it.
 *
 * ppoll(2) is in POSIX.1-2024, on Linux and on the BSDs. Build with -DPOLL_WITHOUT_PPOLL to
 * use the replacement everywhere; common/poll_with_mask.c describes what it costs.
 */
#ifndef COMMON_POLL_WITH_MASK_H
#define COMMON_POLL_WITH_MASK_H

#include <poll.h>
#include <signal.h>
#include <time.h>

/** The longest time, in milliseconds, that the replacement waits after a signal that came just
 *  before the wait. */
enum { POLL_LATE_SIGNAL = 100 };

/**
 * Waits in poll(2) with the signal mask @p mask, and then restores the mask of the thread.
 * A signal that is pending and that @p mask lets in ends the wait.
 *
 * @param timeout  NULL: none
 * @return how many descriptors are ready; 0 after the timeout, and with the replacement also
 *         before it; -1 with errno (EINTR after a signal; ENOMEM). As ppoll(2) of
 *         POSIX.1-2024
 */
int poll_with_mask(struct pollfd watched[], nfds_t count, const struct timespec *timeout,
		   const sigset_t *mask);

#endif
