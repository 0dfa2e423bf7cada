/*
 * identity - the user and the group that a server becomes after its start.
 */
#ifndef COMMON_IDENTITY_H
#define COMMON_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/failure.h"

enum { IDENTITY_TEXT = 64 };

/** Zeroed, it is none. */
struct identity {
	bool known;
	bool group_named;         /* the only group; otherwise all groups of the user */
	char name[IDENTITY_TEXT]; /* of the user; "" if it has only a number */
	uid_t user;
	gid_t group;
};

/** Reads NAME, NAME:GROUP, or numbers in their place. A user that has only a number needs a group.
 *  @return 0, or -1 with *failure, which names what is unknown */
int identity_parse(struct identity *identity, const char *text, struct failure *failure);

/**
 * Becomes this user and group for ever: groups first, then the user (setuid(2)), and checks that
 * there is no way back. Does nothing if the process is this user already. The process has one
 * thread.
 *
 * @return 0, or -1 with *failure
 */
int identity_assume(const struct identity *identity, struct failure *failure);

#endif
