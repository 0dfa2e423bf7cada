/*
 * hub - where the clients of a service meet.
 *
 * Most services talk with each client alone. In some, chat above all, clients share a
 * state: who is there, and what goes to whom. That state lives in the hub, and a client has
 * two sides. On one, its session takes the bytes from the socket, in whatever worker serves
 * it, makes messages of them and posts these to the hub. On the other, the client is a
 * member: the hub is given its messages, one at a time whatever the model is, so the
 * service's code for it needs no lock; and it delivers bytes to any member. Where the hub
 * lives is what each model teaches:
 *
 *   iterative, select: in the process itself; to post is to call;
 *   thread: in the process, behind one mutex; to deliver is to append to the member's
 *       mailbox and to wake its thread;
 *   fork: in the parent; each child has a socket pair to it.
 *
 * A message that was posted reaches the hub whole, in the order in which the session posted
 * it. What is delivered to a member is sent to it in that order, nothing between; when two
 * members get the same deliveries, they get them in the same order.
 *
 * A service of this kind writes to its clients through the hub alone, never with
 * session_write(): so that what it says comes in the same order in every model.
 */
#ifndef SERVER_HUB_HUB_H
#define SERVER_HUB_HUB_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "server/core/session.h"

/** A client as the hub sees it, from its arrival until it has left. The service's state for
 *  it is at state: member_size bytes, zeroed before arrive(). */
struct member {
	void *state;
	char peer[ADDRESS_TEXT];
	const struct hub_transport *transport;
};

/** How a model delivers. */
struct hub_transport {
	bool (*deliver)(struct member *, const char *bytes, size_t n, size_t most);
	void (*excuse)(struct member *);
	void (*dismiss)(struct member *);
	void (*cut_off)(struct member *);
};

/** What a service does in the hub. */
struct hub_service {
	size_t member_size; /* of member->state */
	/** The hub is there, before the first member. */
	void (*begin)(void);
	/** A client has arrived. */
	void (*arrive)(struct member *);
	/** Its session has posted a message of @p n bytes, 1 to HUB_MESSAGE. None comes
	 *  before arrive(), after leave(), or after it was dismissed or cut off. */
	void (*post)(struct member *, const char *bytes, size_t n);
	/** It is gone, for whatever reason: hung up, reset, timed out, its worker killed.
	 *  Called once for each that arrived; nothing can be delivered to it any more. */
	void (*leave)(struct member *);
};

/** The longest message that can be posted, in bytes. */
enum { HUB_MESSAGE = 4096 };

/** Posts a message from the worker's side: a copy of @p n bytes, 1 to HUB_MESSAGE. */
void session_post(struct session *session, const void *bytes, size_t n);

/**
 * Delivers a copy of @p n bytes to a member; may be called for any member, from any of the
 * functions above. Never waits.
 *
 * @param most  how many bytes may wait for a member that does not read, before these, beside
 *              those that are excused
 * @return false, and nothing was delivered, if more than that wait, or there is no memory:
 *         the service decides, and should cut it off
 *         To one that was dismissed or cut off nothing is delivered, and that is true.
 */
bool hub_deliver(struct member *member, const void *bytes, size_t n, size_t most);

/** What waits for a member now does not count any more in hub_deliver(), as long as some of it
 *  waits: it is an answer, which the member has asked for and may not have had the time to
 *  read. But until it has gone nothing further is excused: or who asks for ever, and never
 *  reads, would have the memory. */
void hub_excuse(struct member *member);

/** Ends the conversation with a member when all that was delivered to it is sent. It leaves
 *  soon, but not within this call. */
void hub_dismiss(struct member *member);

/** Ends it at once: what waits for it is dropped. It leaves soon, but not within this call. */
void hub_cut_off(struct member *member);

#endif
