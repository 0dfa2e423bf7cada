/*
 * crowd - many clients, some of them at the same time.
 */
#ifndef CLIENT_SOCKCHECK_CROWD_H
#define CLIENT_SOCKCHECK_CROWD_H

#include <stdbool.h>

#include "client/sockcheck/check.h"
#include "client/sockcheck/talk.h"

enum { CROWD_AT_ONCE = 64 };

struct crowd {
	unsigned clients;   /* in all */
	unsigned at_once;   /* at most CROWD_AT_ONCE */
	unsigned exchanges; /* of each; with a protocol that closes, one */
	bool reset;         /* each client ends by a reset */
	/* Called for each reply (talk->reply). NULL: nothing to do. @return false, and the check
	 * has failed */
	bool (*on_reply)(struct talk *talk, void *context);
	void *context;
};

/** Lets all clients come, make their exchanges, and leave. @return whether all replies were right
 */
bool crowd_run(struct check *check, const struct crowd *crowd);

#endif
