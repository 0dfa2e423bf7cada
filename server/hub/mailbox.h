/*
 * mailbox - what the hub has for one member, until the member's worker takes it.
 *
 * Here is all of the hub that does not depend on the model: what is delivered, in which
 * order, to whom no more. A model adds where the hub lives, what guards it, and who takes
 * the mail. The hub keeps a list of the mailboxes with news, so that many deliveries to one
 * member are one errand: whoever has let the service post looks through that list when the
 * service has returned, and sees to it that the mail is taken.
 *
 * Nothing in here locks or waits: the model lets one call in at a time.
 */
#ifndef SERVER_HUB_MAILBOX_H
#define SERVER_HUB_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "server/core/buffer.h"
#include "server/hub/hub.h"

struct mailbox;

/** A hub, in the process where it lives. */
struct hub {
	const struct hub_service *service;
	struct mailbox *news; /* those with something that their worker has not seen */

	/* How many mailboxes are half full, though their clients may well be reading: their
	 * workers had no turn yet. Where workers are threads or processes of their own, a
	 * message is not handed in before these have caught up, or until
	 * mailbox_wait_no_more(): or who happens to run would have the others cut off. */
	unsigned behind;
	unsigned round; /* in which that is counted; 1 or more */

	/** Sends what can be sent of a mailbox with news that is too full, now, without
	 *  waiting, and without telling the service anything. NULL: cannot be done. */
	void (*relieve)(struct mailbox *);
};

enum mailbox_state {
	MAILBOX_OPEN,
	MAILBOX_DISMISSED, /* ends behind what is in it */
	MAILBOX_CUT_OFF,   /* ends at once */
	MAILBOX_LEFT,      /* the service knows that its member has gone */
};

struct mailbox {
	struct member member; /* first: the service's view of it */
	struct hub *hub;
	enum mailbox_state state;
	struct buffer *mail; /* where deliveries are appended; the model's */
	const atomic_bool
		*stalled; /* the worker says: its client does not read; or NULL */
	unsigned behind;  /* since that round; 0: it is not */
	bool excuses;     /* what waits before the last ... */
	size_t unexcused; /* ... of so many bytes, see hub_excuse() */
	/* in the list of those with news; link is NULL: it is not */
	struct mailbox *next, **link;
};

/** The hub begins, of that service. hub->relieve is set. */
void hub_begin(struct hub *hub, const struct hub_service *service);

/** Takes a mailbox with news off the list. @return it, or NULL when there is none */
struct mailbox *hub_next_news(struct hub *hub);

/** Makes the mailbox of the client at @p peer.
 *  @param state  the service's: hub->service->member_size bytes
 *  @param mail   empty; both are the caller's */
void mailbox_begin(struct mailbox *mailbox, struct hub *hub, const struct address *peer,
		   void *state, struct buffer *mail);

/** Its worker has had its turn: has taken the mail, or has none of its client's attention. */
void mailbox_caught_up(struct mailbox *mailbox);

/** Those that are behind now are not waited for again until they have caught up. */
void mailbox_wait_no_more(struct hub *hub);

/** How long they are waited for at most, in milliseconds: for a worker, not for a client. */
enum { HUB_PATIENCE = 1000 };

/** Its member arrives, posts a message, leaves (which may be said again). After what was
 *  posted or is told to leave, hub->news is to be seen to. */
void mailbox_arrive(struct mailbox *mailbox);
void mailbox_post(struct mailbox *mailbox, const char *bytes, size_t n);
void mailbox_leave(struct mailbox *mailbox);

#endif
