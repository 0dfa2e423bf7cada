/*
 * root - the directory that a server serves, found again by its name.
 *
 * A site generator, rsync or git may remove the directory and make it anew. An open
 * descriptor then still refers to the removed one, in which nothing can ever be found or
 * made. So a server that does not find a name asks here whether the directory itself has
 * gone; if so, its name is resolved again. A name that is found costs nothing more.
 *
 * A directory that was renamed has not gone: it is served until root_reopen().
 */
#ifndef COMMON_ROOT_H
#define COMMON_ROOT_H

#include <stdatomic.h>

#include "common/failure.h"

struct root_shared;

/** Threads may use it at the same time; a forked child has a copy of its own. */
struct root {
	int fd; /* open on the directory; the number stays the same when it is renewed */

	/* This module's own. */
	char *name;           /* absolute, if the working directory was known */
	atomic_uint renewals; /* how often fd was made to refer to another directory */
	struct root_shared *shared; /* with all processes of the server */
};

enum root_state {
	ROOT_STAYS,   /* it is where it was: what was not found is not there */
	ROOT_RENEWED, /* fd refers to a new directory: try again */
	ROOT_GONE, /* it has gone, and its name leads to no directory: errno says why */
};

/** Opens @p directory; only once, before the server forks or makes threads. The descriptor
 *  and the memory live as long as the process.
 *  @return 0, or -1 with *failure, which names the directory */
int root_open(struct root *root, const char *directory, struct failure *failure);

/** How often the directory was renewed: to be read before a name is looked for, as an argument
 *  of root_check() later. */
unsigned root_renewals(const struct root *root);

/**
 * Whether the directory itself has gone, and finds it again if it can. To be called when a
 * name beneath it was not found (ENOENT, ESTALE), and when "." was opened, which a removed
 * directory still has.
 *
 * When the directory has gone, one line tells the operator, whichever process or thread is the
 * first to notice; and one line that it is there again.
 *
 * @param seen  what root_renewals() was before the name was looked for: if another thread has
 *              renewed the directory since, that is ROOT_RENEWED, too
 */
enum root_state root_check(struct root *root, unsigned seen);

/** Resolves the name again, whether the directory has gone or not: for SIGHUP. If that fails
 *  the old one stays, and a line tells the operator. */
void root_reopen(struct root *root);

#endif
