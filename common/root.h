/*
 * root - the directory that a server serves, found again by its name.
 *
 * A site generator, rsync or git may remove the directory and create it again. An open
 * descriptor then refers to the removed one, in which nothing can be found or created.
 * So a server that does not find a name checks here whether the directory itself was
 * removed; if so, its name is resolved again.
 *
 * A renamed directory is not removed: it is served until root_reopen().
 */
#ifndef COMMON_ROOT_H
#define COMMON_ROOT_H

#include <stdatomic.h>

#include "common/failure.h"

struct root_shared;

/** Threads may share it; a forked child has its own copy. */
struct root {
	int fd; /* descriptor of the directory; the number never changes */

	/* Private to this module. */
	char *name;                 /* absolute, if the working directory is known */
	atomic_uint renewals;       /* number of times that fd was replaced */
	struct root_shared *shared; /* shared by all processes of the server */
};

enum root_state {
	ROOT_STAYS,   /* unchanged: the name does not exist */
	ROOT_RENEWED, /* fd refers to a new directory: try again */
	ROOT_GONE,    /* removed, and its name leads to no directory: errno says why */
};

/** Opens @p directory. Only once, before the server forks or creates threads. Never
 *  freed.
 *  @return 0, or -1 with *failure, which names the directory */
int root_open(struct root *root, const char *directory, struct failure *failure);

/** The number of replacements. Read it before looking up a name, for root_check(). */
unsigned root_renewals(const struct root *root);

/**
 * Checks whether the directory itself was removed, and opens it again if possible. Call
 * it after a name below it was not found (ENOENT, ESTALE), and after opening ".", which
 * a removed directory still has.
 *
 * The first process or thread to notice reports in one line that the directory was
 * removed, and later that it exists again.
 *
 * @param seen  result of root_renewals() before the lookup: if another thread has
 *              replaced the directory since, the result is ROOT_RENEWED, too
 */
enum root_state root_check(struct root *root, unsigned seen);

/** Resolves the name again in any case: for SIGHUP. On failure the old directory
 *  stays, and a line reports it. */
void root_reopen(struct root *root);

#endif
