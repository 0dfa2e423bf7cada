/*
 * landlock - gives up the file system, except for some directories (Linux 5.13 and later).
 */
#ifndef COMMON_LANDLOCK_H
#define COMMON_LANDLOCK_H

#include <stdbool.h>

/** What a directory and all below it may still be used for; bits. */
enum landlock_access {
	LANDLOCK_READ = 1, /* read files and directories */
	LANDLOCK_APPEND =
		2, /* create files, write to them, and read them; rename nothing */
	LANDLOCK_CHANGE = 4, /* all that changes a tree, besides reading it */
	LANDLOCK_REMOVE = 8, /* remove files, and nothing else */
};

enum { LANDLOCK_RULES = 8 };

/** What stays allowed. Zeroed, it is nothing. */
struct landlock {
	struct {
		const char *directory;
		unsigned access;
	} rules[LANDLOCK_RULES];
	unsigned count;
};

/** Allows @p access to @p directory, which must exist as long as @p landlock. One rule too many is
 *  left out, so that less is allowed. */
void landlock_allow(struct landlock *landlock, const char *directory, unsigned access);

/**
 * Takes from this process, and from those that it creates, the use of all files that are not
 * allowed; of TCP, bind(2) and connect(2) (Linux 6.7); and signals to processes outside (Linux
 * 6.12). What is open stays usable. Nothing can undo it. prctl(PR_SET_NO_NEW_PRIVS) comes first.
 *
 * @return the version of Landlock (its ABI, 1 or more); 0 if the kernel has none, or cannot do what
 *         @p landlock allows; -1 with errno
 */
int landlock_confine(const struct landlock *landlock);

#endif
