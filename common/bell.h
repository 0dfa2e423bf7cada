/*
 * bell - lets a thread wake another one that waits in poll(2): eventfd(2) on Linux, a
 * pipe elsewhere. Several calls before the reader wakes up count as one.
 */
#ifndef COMMON_BELL_H
#define COMMON_BELL_H

struct bell {
	int fd; /* readable from a wake-up until it is cleared */
	int rope;
};

/** Opens it, not readable. @return 0, or -1 with errno (EMFILE, ENFILE, ENOMEM) */
int bell_open(struct bell *bell);

void bell_close(struct bell *bell);

/** Wakes the thread that waits for bell->fd. Never blocks; any thread may call it. */
void bell_ring(const struct bell *bell);

/** Clears the wake-up. Never blocks. */
void bell_silence(const struct bell *bell);

#endif
