/*
 * bell - lets one thread wake another that waits in poll(2): eventfd(2) on Linux, a pipe
 * elsewhere. However often it was rung, it wakes once.
 */
#ifndef COMMON_BELL_H
#define COMMON_BELL_H

struct bell {
	int fd; /* readable while it has been rung and not silenced */
	int rope;
};

/** Opens one, silent. @return 0, or -1 with errno (EMFILE, ENFILE, ENOMEM) */
int bell_open(struct bell *bell);

void bell_close(struct bell *bell);

/** Wakes who waits for bell->fd. Never waits; any thread may call it. */
void bell_ring(const struct bell *bell);

/** Is silent again until the next ring. Never waits. */
void bell_silence(const struct bell *bell);

#endif
