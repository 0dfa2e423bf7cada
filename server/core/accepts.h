/*
 * accepts - the accept requests that a model with io_uring keeps in the kernel.
 *
 * There are several for each listener, so that one wait can bring several clients; but no more
 * than the server has places for. The others wait in the backlog, as with accept(2).
 *
 * Why not one multishot request (IORING_ACCEPT_MULTISHOT), which completes for each client? It
 * takes all clients that wait, whether there are places for them or not: with -c 100 and a
 * thousand clients in the backlog the process would have a thousand descriptors. And it reports no
 * address, since all completions would write it to the same memory; a getpeername(2) for each
 * client would cost what it saves.
 */
#ifndef SERVER_CORE_ACCEPTS_H
#define SERVER_CORE_ACCEPTS_H

#include <stdbool.h>

#include "common/address.h"
#include "common/listeners.h"
#include "common/uring.h"
#include "server/core/server.h"

/** The requests for one listener. */
enum { ACCEPTS_EACH = 16 };

/** One request; its address is the owner of the completion. A processor of 32 bits would align it to
 *  4 bytes only. */
struct accept_request {
	_Alignas(URING_OWNER_ALIGNMENT) struct connection
		*connection; /* for the next client: allocated before */
	struct address peer;
	bool active, cancelled;
};

/** Empty when it is zeroed. */
struct accepts {
	struct accept_request requests[LISTENERS_MOST][ACCEPTS_EACH];
	unsigned active[LISTENERS_MOST]; /* requests that the kernel has */
	unsigned listeners;
};

/** Requests or cancels as many as suits the places that the server has. To be called before each
 *  wait. @return false if the ring was full: call it again after the wait */
bool accepts_adjust(struct accepts *accepts, struct uring *uring, struct server *server);

/** A request has completed. @return the client's connection, or NULL */
struct connection *accepts_complete(struct accepts *accepts, struct server *server,
				    const struct uring_completion *completion);

/** Cancels all requests, before the end. The kernel holds a listener as long as it has a request for
 *  it, after the end of the process as well, and another server could not have the port yet.
 *  @return whether the kernel still has one: call it again after the wait */
bool accepts_cancel(struct accepts *accepts, struct uring *uring);

/** Frees the memory, after the ring was closed. */
void accepts_end(struct accepts *accepts);

#endif
