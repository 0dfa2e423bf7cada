/*
 * sandbox - a server gives up what it does not need, before the first client.
 */
#ifndef SERVER_CORE_SANDBOX_H
#define SERVER_CORE_SANDBOX_H

#include <stdbool.h>

#include "common/failure.h"
#include "common/landlock.h"
#include "common/syscall_filter.h"

/** What stays allowed. Zeroed, it is nothing but the descriptors that are open. */
struct sandbox {
	struct landlock files;
	unsigned needs;      /* enum syscall_need */
	bool asks_for_sigio; /* of a descriptor that it opens: fcntl(2), F_SETOWN */
};

/** For a service: it reads files and directories below @p directory. The names must exist as long
 *  as @p sandbox. */
void sandbox_read(struct sandbox *sandbox, const char *directory);

/** For a service: it also creates, changes, renames and removes files and directories below
 *  @p directory. */
void sandbox_change(struct sandbox *sandbox, const char *directory);

/** For a service: it opens the existing file @p name again, or creates it again in the same directory,
 *  as a log. If the name is a symbolic link, this holds for the directory to which the link points
 *  now, too. */
void sandbox_append(struct sandbox *sandbox, const char *name);

/** For the server: it removes the file @p name at the end. */
void sandbox_remove(struct sandbox *sandbox, const char *name);

/**
 * Gives up everything else: for this process, and for those that it creates. A part that the
 * system does not have is left out; a line of -v says what is in force. A server that was compiled
 * with a sanitizer gives up nothing, because the sanitizer needs more than the server.
 *
 * @return 0, or -1 with *failure
 */
int sandbox_enter(const struct sandbox *sandbox, struct failure *failure);

#endif
