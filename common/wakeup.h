/*
 * wakeup - lets a thread wake another one that waits in poll(2): eventfd(2) on Linux, a
 * pipe elsewhere. Several calls before the reader wakes up count as one.
 */
#ifndef COMMON_WAKEUP_H
#define COMMON_WAKEUP_H

struct wakeup {
	int fd;       /* readable from a wake-up until it is cleared */
	int write_fd; /* the same descriptor for an eventfd */
};

/** Opens it, not readable. @return 0, or -1 with errno (EMFILE, ENFILE, ENOMEM) */
int wakeup_open(struct wakeup *wakeup);

void wakeup_close(struct wakeup *wakeup);

/** Wakes the thread that waits for wakeup->fd. Never blocks; any thread may call it. */
void wakeup_send(const struct wakeup *wakeup);

/** Clears the wake-up. Never blocks. */
void wakeup_clear(const struct wakeup *wakeup);

#endif
