/*
 * poller - waiting for many descriptors at once: epoll(7) on Linux, poll(2) elsewhere.
 *
 * epoll is told once which descriptors it is to watch and then names those that are
 * ready: the cost of a wait does not grow with those that are silent. poll is given, and
 * looks through, all of them each time. Both are level-triggered: a descriptor is named
 * again and again for as long as it is ready.
 *
 * Build with -DPOLLER_USE_POLL to have poll on Linux too.
 */
#ifndef COMMON_POLLER_H
#define COMMON_POLLER_H

#include <signal.h>
#include <stdint.h>

/** What to wait for, and what there is. An error or a hang-up counts as both: the next
 *  read or write tells which it is. */
enum { POLLER_READ = 1, POLLER_WRITE = 2 };

/** A descriptor that is ready. */
struct poller_event {
	void *owner;    /* as given to poller_add() */
	unsigned ready; /* POLLER_READ, POLLER_WRITE or both */
};

struct poller;

/** @return a poller that watches nothing yet; or NULL with errno (EMFILE, ENOMEM) */
struct poller *poller_create(void);

/** Frees it; the descriptors stay as they are. NULL is nothing to do. */
void poller_destroy(struct poller *poller);

/** Begins to watch @p fd for @p wanted. @return 0, or -1 with errno (EEXIST, ENOMEM …) */
int poller_add(struct poller *poller, int fd, unsigned wanted, void *owner);

/** Watches @p fd for something else from now on. @return 0, or -1 with errno (ENOENT …) */
int poller_change(struct poller *poller, int fd, unsigned wanted, void *owner);

/** Watches @p fd no longer: to be called before it is closed. @return 0, or -1 with errno
 *  (ENOENT …) */
int poller_remove(struct poller *poller, int fd);

/**
 * Waits until something is ready.
 *
 * @param events       receives at most @p most of those that are ready; who had to be
 *                     left out has its turn in one of the next calls
 * @param nanoseconds  how long to wait: 0 not at all, -1 for ever. With poll a wait is
 *                     rounded up to milliseconds.
 * @return how many events there are; 0 when the time is over or a signal came; -1 with
 *         errno
 */
int poller_wait(struct poller *poller, struct poller_event *events, int most,
		int64_t nanoseconds);

/** The same with the signal mask @p signals while it waits, set and taken back in one step
 *  with the waiting, as pselect(2) does; NULL leaves the mask as it is. */
int poller_wait_with(struct poller *poller, struct poller_event *events, int most,
		     int64_t nanoseconds, const sigset_t *signals);

#endif
