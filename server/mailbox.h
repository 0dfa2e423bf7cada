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
#ifndef SERVER_MAILBOX_H
#define SERVER_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "server/buffer.h"
#include "server/hub.h"

struct mailbox;

/** A hub, in the process where it lives. */
struct hub {
	const struct hub_service *service;
	struct mailbox *news; /* those with something that their worker has not seen */

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
	struct mailbox *next,
		**link; /* in the list of those with news; NULL: it is not */
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

/** Its member arrives, posts a message, leaves (which may be said again). After what was
 *  posted or is told to leave, hub->news is to be seen to. */
void mailbox_arrive(struct mailbox *mailbox);
void mailbox_post(struct mailbox *mailbox, const char *bytes, size_t n);
void mailbox_leave(struct mailbox *mailbox);

#endif
