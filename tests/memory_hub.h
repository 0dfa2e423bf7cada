/*
 * memory_hub - a hub in memory, without a network: the test plays all clients.
 *
 *	#include "server/service/chat/chat.c"
 *
 *	struct memory_member alice, bob;
 *
 *	memory_hub_begin(&chat_service);
 *	memory_arrive(&alice);
 *	memory_arrive(&bob);
 *	memory_say(&bob, "hello\n");
 *	memory_hears(&alice, "...");
 *	memory_hub_end();
 *
 * To post is to call the service. This hub checks that the service obeys hub.h: each message
 * is in memory of its own that is freed after the call; a member that was dismissed or cut
 * off leaves after the call, and posts nothing more; nothing is delivered to a member that
 * has left.
 */
#ifndef TESTS_MEMORY_HUB_H
#define TESTS_MEMORY_HUB_H

#include <stdbool.h>
#include <stddef.h>

#include "server/hub/hub.h"
#include "tests/memory_session.h"

struct memory_member {
	struct memory_session client; /* first */
	struct member member;
	bool stalled;   /* it does not read: what is delivered waits */
	size_t waiting; /* bytes, at the end of what it was sent */
	size_t exempt;  /* of them, the first; 0 when they have been read */
	bool refuses;   /* there is no memory to deliver to it */
	bool dismissed; /* by the service */
	bool cut_off;   /* by the service */
	bool left;      /* the service knows that it is gone */
	struct memory_member *next;
};

/** The hub is there, and nobody in it. */
void memory_hub_begin(const struct service *service);

/** All leave who are still there; releases everything. */
void memory_hub_end(void);

/** A client arrives. */
void memory_arrive(struct memory_member *member);

/** The same for one that does not read, or to which nothing can be delivered for lack of
 *  memory, from its beginning. */
void memory_arrive_stalled(struct memory_member *member);
void memory_arrive_refusing(struct memory_member *member);

/** The client sends a text, which arrives at once, as memory_send() does. */
void memory_say(struct memory_member *member, const char *text);

/** What came since the last memory_hears() must be exactly this text. */
void memory_hears(struct memory_member *member, const char *text);

/** The same as text that is nowhere kept: see memory_heard(). */
const char *memory_listen(struct memory_member *member);

/** The client stops reading, or reads all that waits and goes on. */
void memory_stall(struct memory_member *member);
void memory_read_on(struct memory_member *member);

/** The client is gone from one moment to the next: a reset, or its worker was killed. */
void memory_vanish(struct memory_member *member);

#endif
