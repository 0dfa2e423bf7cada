/*
 * hub - the part of a server that holds the state which its clients share.
 *
 * Most services serve each client alone. In some, such as chat, clients share state:
 * which clients are connected, and which message goes to whom. That state is in the hub.
 * A client has two sides:
 *
 *   session  in the worker that serves the client. It receives the client's bytes, converts
 *            them to messages, and posts these to the hub with session_post().
 *   member   in the hub. The hub calls the service once for each message that the member
 *            posted. The service delivers bytes to one or more members with hub_deliver().
 *
 * The hub makes one call at a time in every model. The code of the service is therefore
 * the same in every model, and needs no lock. The models differ in where the hub is
 * (place.h). Client A posts, and client B receives:
 *
 *   iterative, select (local.c): in the process that serves all clients
 *
 *     +- process --------------+
 *     |  session of A          |
 *     |    | post              |
 *     |    +----------> hub    |
 *     |                  |     |
 *     |          deliver |     |
 *     |                  v     |
 *     |          output of B   |
 *     +------------------|-----+
 *                        v send(2), after all ready sockets were served
 *
 *   thread (shared.c): in the process of all threads, protected by a mutex
 *
 *     +- process -------------------------------------------------------+
 *     |  thread of A     +- mutex -------------+          thread of B   |
 *     |  session         |                     |                        |
 *     |    | post        |                     |                        |
 *     |    +-------------|--> hub              |                        |
 *     |                  |     | deliver       |                        |
 *     |                  |     v               |  wakeup                |
 *     |                  |  queue of B --------|--------> output of B   |
 *     |                  +---------------------+            |           |
 *     +-----------------------------------------------------|-----------+
 *                                                           v send(2)
 *
 *   fork (remote.c): in the parent; a channel is a pair of local sockets
 *
 *     +- child of A -+             +- parent --------+             +- child of B --+
 *     |  session     |             |                 |             |               |
 *     |    | post    |   channel   |                 |             |               |
 *     |    +---------|-------------|--> hub          |             |               |
 *     +--------------+             |     | deliver   |             |               |
 *                                  |     v           |   channel   |               |
 *                                  |  queue of B ----|-------------|-> output of B |
 *                                  +-----------------+             +------|--------+
 *                                                                         v send(2)
 *
 * The hub guarantees in every model:
 *
 *   - A message that was posted reaches the service whole. The messages of one session
 *     arrive in the order in which the session posted them.
 *   - Deliveries to a member are sent in the order of the calls of hub_deliver(), with
 *     nothing between them. So two members that get the same deliveries get them in the same
 *     order.
 *   - A client that does not read does not delay the others, and its queue is limited. A
 *     client that reads is not cut off because of the scheduler: see "Fairness" in mailbox.h.
 *
 * A service with a hub writes to its clients only with hub_deliver(), never with
 * session_write(). Otherwise the order of its output would depend on the model.
 */
#ifndef SERVER_HUB_HUB_H
#define SERVER_HUB_HUB_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "server/core/session.h"

/** A client as the hub sees it, from its arrival until it has left. */
struct member {
	void *state; /* of the service: member_size bytes, zero before arrive() */
	char peer[ADDRESS_TEXT];
	const struct hub_transport *transport;
};

/** How the hub delivers: the functions below call these. */
struct hub_transport {
	bool (*deliver)(struct member *, const char *bytes, size_t n, size_t limit);
	void (*exempt)(struct member *);
	void (*dismiss)(struct member *);
	void (*cut_off)(struct member *);
};

/** The part of a service that runs in the hub. */
struct hub_service {
	size_t member_size; /* bytes of member->state */
	/** The hub begins, before the first member arrives. May be NULL. */
	void (*begin)(void);
	/** A client has arrived. */
	void (*arrive)(struct member *);
	/** The session of this member has posted a message of @p n bytes, 1 to HUB_MESSAGE.
	 *  Not called before arrive(), after leave(), or after the member was dismissed or
	 *  cut off. */
	void (*post)(struct member *, const char *bytes, size_t n);
	/** The member has left, for any reason: end of input, reset, timeout, its worker
	 *  was killed. Called once for each member that arrived. Nothing can be delivered to
	 *  it any more. */
	void (*leave)(struct member *);
};

/** The longest message that can be posted, in bytes. */
enum { HUB_MESSAGE = 4096 };

/** Posts a message to the hub, from the worker of the session. Copies @p n bytes, 1 to
 *  HUB_MESSAGE. */
void session_post(struct session *session, const void *bytes, size_t n);

/**
 * Delivers a copy of @p n bytes to a member. The service may call it from each of its
 * functions above, for any member. Never blocks.
 *
 * @param limit  bytes that may be queued for this member before the call; exempt bytes do
 *               not count, see hub_exempt()
 * @return false if more bytes than that are queued, or memory is short. Then nothing was
 *         delivered, and the service should cut the member off.
 *         true for a member that was dismissed or cut off; nothing was delivered to it.
 */
bool hub_deliver(struct member *member, const void *bytes, size_t n, size_t limit);

/**
 * Exempts the bytes that are queued for a member now from the limit of hub_deliver(), until
 * they are sent. For an answer: the client requested it, and has not had time to read it.
 *
 * Does nothing while exempt bytes are still queued. Otherwise a client that asks again and
 * again, and never reads, could use all memory.
 */
void hub_exempt(struct member *member);

/** Ends the conversation with a member after all that was delivered to it is sent. leave()
 *  follows, but not within this call. */
void hub_dismiss(struct member *member);

/** Ends the conversation with a member at once, and drops its queue. leave() follows, but
 *  not within this call. */
void hub_cut_off(struct member *member);

#endif
