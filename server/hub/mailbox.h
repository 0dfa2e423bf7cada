/*
 * mailbox - the member in the hub: its queue of deliveries, and its state.
 *
 * This is the part of the hub that does not depend on the model. The model adds the place
 * of the hub, its lock, and the worker that takes the queue. Nothing here locks or
 * blocks: the model makes sure that one call runs at a time.
 *
 *     worker --hub_post()--> service --hub_deliver()--> queue of each receiver
 *                                                       + list of pending mailboxes
 *
 * A mailbox is pending after a delivery (or after its end), until the model has taken it
 * off the list with hub_next_pending() and has served or woken its worker. So a burst of
 * deliveries to one member causes one send(2) or one wake-up.
 *
 * The states of a mailbox:
 *
 *   mailbox_begin()
 *      |
 *      v
 *     OPEN -- hub_dismiss() --> DISMISSED
 *      |                            |
 *      +------ hub_cut_off() -------+-----> CUT_OFF
 *      |                            |          |
 *      +------- hub_leave() --------+----------+-----> LEFT
 *
 *
 * Fairness
 * --------
 * The queue of a member is limited, because a client that does not read must not use all
 * memory. The service passes the limit with each hub_deliver(), and cuts a member off whose
 * queue would be longer. Bytes that were exempted (hub_exempt()) do not count.
 *
 * This rule alone is not enough: workers are threads or processes, and the scheduler
 * decides which of them runs. The worker of a fast sender can fill the queue of a
 * receiver whose worker has not run at all. The client of that worker reads, but it is
 * cut off. Measured without the rules below, with threads, one fast sender and 50
 * receivers that read: all 50 were cut off within 0.1 seconds.
 *
 * What the hub does: it distinguishes two reasons for a long queue.
 *
 *   stalled   The client does not read. Its worker has tried to send, and the kernel did not
 *             take everything; the worker has set *stalled. Posts do not wait for this
 *             client, and it is cut off at the limit.
 *   lagging   The worker has not run. The queue is more than half full, and *stalled is not
 *             set. hub->lagging counts these mailboxes. While it is not 0, a new post waits.
 *             The mark is at half because the post that is being handled can still deliver
 *             to this queue.
 *
 *     senders                                     queues of the receivers
 *                                               0       half      limit
 *     A posts -+                              C |####     |         |   keeps up
 *              +--> lagging == 0? --> hub --> D |#########|###      |   lagging: counted
 *     B posts -+    if not: wait, but         E |#########|#########|#  stalled: not counted,
 *                   not after the timeout                               is cut off
 *                                           F |#########|##       |   stalled: not counted
 *
 * A post waits where the sender is: in shared.c the posting thread waits for a condition
 * variable, in channel.c the parent does not read from the child. Meanwhile the worker of
 * D runs, takes its queue, and mailbox_clear_lagging() counts down. At 0 the posts
 * continue.
 *
 * The wait has a timeout, HUB_LAG_TIMEOUT_MS, because a worker may be stopped and never
 * run. At the timeout hub_begin_epoch() sets the count to 0. Each mailbox stores the
 * epoch in which it began to lag. A mailbox of an earlier epoch is not counted any more,
 * and not counted again before its worker has run. So a stopped worker delays the others
 * once, and not for each post. Its queue then fills, and it is cut off at the limit.
 *
 *     event           D lags        timeout             D's worker runs
 *                       |              |                       |
 *     epoch           1 | 1            | 2                     | 2
 *     hub->lagging    0 | 1            | 0                     | 0
 *     lagging_since   0 | 1            | 1: does not count     | 0: may lag again
 *     posts             | wait         | go on                 |
 *
 * Where the hub itself can send a queue (hub->flush()), it does so before it finds the
 * queue full. In iterative and select this replaces the wait: one worker serves all
 * clients, so no mailbox can lag, and `stalled` is NULL. If the queue is still full after
 * hub->flush(), the client does not read.
 *
 * What this guarantees:
 *   - Nothing is lost. A post that waits is not dropped. The sender's input is not read
 *     meanwhile, so its own TCP connection slows it down (back-pressure).
 *   - One order for all. Posts reach the service one after another, and each queue is FIFO.
 *   - Only a client that does not read, or whose worker does not run for the timeout, is cut
 *     off.
 *   - A client that does not read does not delay the others.
 *
 * What it costs: a few comparisons for each post and each delivery. The senders are
 * slowed down to the slowest worker whose client reads. A worker that does not run at all
 * delays them once, by the timeout.
 */
#ifndef SERVER_HUB_MAILBOX_H
#define SERVER_HUB_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "server/core/buffer.h"
#include "server/hub/hub.h"

/** How long posts wait for lagging workers at most, in milliseconds. */
enum { HUB_LAG_TIMEOUT_MS = 1000 };

struct mailbox;

/** The hub, in the process where it is. */
struct hub {
	const struct hub_service *service;
	struct mailbox *pending; /* list: deliveries that their workers have not seen */
	unsigned lagging;        /* mailboxes that began to lag in this epoch */
	unsigned epoch;          /* 1 or more */

	/** Sends what can be sent of a full, pending mailbox, without blocking and without a
	 *  call of the service. NULL: the hub cannot do that. */
	void (*flush)(struct mailbox *);
};

enum mailbox_state {
	MAILBOX_OPEN,
	MAILBOX_DISMISSED, /* ends after its queue is sent */
	MAILBOX_CUT_OFF,   /* ends at once */
	MAILBOX_LEFT,      /* the service knows that the member has left */
};

struct mailbox {
	struct member member; /* first: the service's view */
	struct hub *hub;
	enum mailbox_state state;
	struct buffer *queue; /* deliveries are appended here; owned by the model */
	const atomic_bool
		*stalled;       /* set by the worker: its client does not read; or NULL */
	unsigned lagging_since; /* epoch; 0: not lagging */
	/* hub_exempt(): the last counted_bytes of the queue count, those before do not. */
	bool arrived; /* hub_arrive() was called: leave() must follow */
	bool has_exempt;
	size_t counted_bytes;
	/* in the list of pending mailboxes; link is NULL: not pending */
	struct mailbox *next, **link;
};

/** Begins the hub of a service. The caller sets hub->flush. */
void hub_begin(struct hub *hub, const struct hub_service *service);

/** Takes a mailbox off the list of pending ones. @return it, or NULL if the list is empty */
struct mailbox *hub_next_pending(struct hub *hub);

/** The timeout of a wait for lagging workers is over: those that lag now do not count until
 *  they have run. */
void hub_begin_epoch(struct hub *hub);

/** Begins the mailbox of the client at @p peer.
 *  @param state  memory of the service: hub->service->member_size bytes
 *  @param queue  empty; @p state and @p queue stay the caller's */
void mailbox_begin(struct mailbox *mailbox, struct hub *hub, const struct address *peer,
		   void *state, struct buffer *queue);

/** @return whether the mailbox is lagging, in this epoch or since an earlier one */
bool mailbox_is_lagging(const struct mailbox *mailbox);

/** The worker has run: it has taken the queue, or its client does not read. */
void mailbox_clear_lagging(struct mailbox *mailbox);

/* The member of a mailbox arrives, posts a message, leaves. Each calls the service. After each
 * of them, the caller serves the pending mailboxes. hub_leave() may be called again. */
void hub_arrive(struct mailbox *mailbox);
void hub_post(struct mailbox *mailbox, const char *bytes, size_t n);
void hub_leave(struct mailbox *mailbox);

#endif
