/*
 * dialogue - a session and its peer on a datagram socket: to datagrams what a connection
 * is to a stream.
 *
 * Safe by default: a reply is no longer than the datagram it answers, or anybody could
 * have us send more than they do to a victim whose address they forge. What comes from a
 * port on which servers answer is not answered, or two servers could keep each other busy for
 * ever; repetition.h has the rule for other ports.
 */
#ifndef SERVER_UDP_SESSION_H
#define SERVER_UDP_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/datagram.h"
#include "server/core/server.h"
#include "server/core/session.h"

/** What is handed to a worker: a datagram, and to which of our addresses it was sent. */
struct letter {
	struct address to;
	char bytes[DATAGRAM_LONGEST];
};

/** The part of a letter before its bytes. */
enum { LETTER_HEAD = offsetof(struct letter, bytes) };

/** A worker's buffers, of which an idle peer owns none. */
struct desk {
	struct letter letter;
	char reply[DATAGRAM_LONGEST];
};

struct dialogue;

/** Makes one with @p peer, whose replies leave by @p socket, a descriptor.
 *  @return it, or NULL with errno (ENOMEM) */
struct dialogue *dialogue_create(struct server *server, int socket,
				 const struct address *peer);

/** Whose it is. */
const struct address *dialogue_peer(const struct dialogue *dialogue);

/** Begins it, in the process that leads it. */
void dialogue_begin(struct dialogue *dialogue);

/** Lets the service answer the letter on @p desk, of @p n bytes. */
void dialogue_answer(struct dialogue *dialogue, struct desk *desk, size_t n);

/** Ends it, and frees it. */
void dialogue_close(struct dialogue *dialogue);

/** Frees it in a process that does not lead it, without a word. */
void dialogue_release(struct dialogue *dialogue);

/** Begins, and answers what comes through @p feed until that is closed: the whole life of a worker
 *  that has one peer. Then closes both. */
void dialogue_serve(struct dialogue *dialogue, struct desk *desk, int feed);

/** Whether a datagram from @p from is to be dropped: it comes from a port on which
 *  well-known services, and ours, answer whatever they get, or from @p local, ourselves. */
bool dialogue_is_reflection(const struct address *from, const struct address *local);

#endif
