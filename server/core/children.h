/*
 * children - the child processes of a server: which there are, and how they end.
 *
 * The model decides when a child is made and what it does (fork(2) is in model/fork.c and
 * udp/children.c). Here is the bookkeeping of both.
 */
#ifndef SERVER_CORE_CHILDREN_H
#define SERVER_CORE_CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/address.h"
#include "server/core/server.h"

/** A child, and the client that it serves. */
struct child {
	pid_t pid;
	struct address peer;
};

struct children {
	pid_t parent;
	struct child *all; /* in no order */
	unsigned count, most;
};

enum { CHILD_END_TEXT = 96 };

/** How a child ended that did not exit with status 0: "its process 7 was killed by signal 9
 *  (Killed)". @return @p text */
const char *child_end_text(pid_t pid, int status, char text[CHILD_END_TEXT]);

/** Begins without children. SIGNAL_INTERRUPT is a request to stop from now on.
 *  @param most  how many there can be at a time
 *  @return 0, or -1 with errno (ENOMEM) */
int children_begin(struct children *children, unsigned most);

/** In the parent, after fork(2): the child @p pid serves the client at @p peer. */
void children_add(struct children *children, pid_t pid, const struct address *peer);

/** In the child, after fork(2): lets the signals in that a child attends to.
 *  @param at_end  the signal that it gets if the parent dies */
void children_enter(const struct children *children, int at_end);

/** Sends @p signal to each. */
void children_signal(const struct children *children, int signal);

/** Waits for the children that have ended, without blocking. For each: its client has left, and if
 *  it crashed or was killed that is reported, at most once a minute. */
void children_reap(struct children *children, struct server *server);

/** Kills those that are left, and waits for them. */
void children_end(struct children *children, struct server *server);

#endif
