/*
 * poller - waits for many descriptors at once: epoll(7) on Linux, poll(2) elsewhere.
 *
 * epoll keeps the set of watched descriptors in the kernel and returns the ready ones,
 * so the cost of a wait does not grow with silent descriptors. poll(2) gets and scans
 * all of them each time. Both are level-triggered: a descriptor is reported as long as
 * it is ready.
 *
 * Build with -DPOLLER_USE_POLL to use poll(2) on Linux.
 */
#ifndef COMMON_POLLER_H
#define COMMON_POLLER_H

#include <signal.h>
#include <stdint.h>

/** Events. An error or a hang-up counts as both: the next read or write returns the
 *  error. */
enum { POLLER_READ = 1, POLLER_WRITE = 2 };

/** A descriptor that is ready. */
struct poller_event {
	void *owner;    /* as given to poller_add() */
	unsigned ready; /* POLLER_READ, POLLER_WRITE or both */
};

struct poller;

/** @return a poller that watches nothing yet; or NULL with errno (EMFILE, ENOMEM) */
struct poller *poller_create(void);

/** Frees it. The descriptors stay open. NULL is allowed. */
void poller_destroy(struct poller *poller);

/** Starts to watch @p fd for @p wanted. @return 0, or -1 with errno (EEXIST, ENOMEM
 *  …) */
int poller_add(struct poller *poller, int fd, unsigned wanted, void *owner);

/** Changes the events of @p fd. @return 0, or -1 with errno (ENOENT …) */
int poller_change(struct poller *poller, int fd, unsigned wanted, void *owner);

/** Stops watching @p fd; call it before close(2). @return 0, or -1 with errno
 *  (ENOENT …) */
int poller_remove(struct poller *poller, int fd);

/**
 * Waits for ready descriptors.
 *
 * @param events       receives at most @p most of the ready descriptors; the others
 *                follow in the next calls
 * @param nanoseconds  timeout: 0 does not wait, -1 has no timeout. With poll(2) it is
 *                     rounded up to milliseconds.
 * @return number of events; 0 after the timeout or a signal; -1 with errno
 */
int poller_wait(struct poller *poller, struct poller_event *events, int most,
		int64_t nanoseconds);

/** The same with the signal mask @p signals during the wait, set and restored
 *  atomically with it, as in pselect(2); NULL keeps the mask. */
int poller_wait_with(struct poller *poller, struct poller_event *events, int most,
		     int64_t nanoseconds, const sigset_t *signals);

#endif
