/*
 * datagrams - the one loop that serves a datagram socket, in every model.
 *
 * There is but one socket, whose datagrams come mixed. A model with one process for all
 * answers each where it is read. A model with a worker for each client gives each new peer
 * one, and hands its datagrams over through a feed, a pair of local sockets that keeps
 * their bounds and order (SOCK_SEQPACKET). A connected socket of its own for each worker,
 * on the same port, would look simpler; but between bind(2) and connect(2) the kernel
 * gives it other peers' datagrams.
 */
#ifndef SERVER_UDP_DATAGRAMS_H
#define SERVER_UDP_DATAGRAMS_H

#include "server/udp/session.h"
#include "server/udp/peers.h"
#include "server/core/server.h"

struct datagrams {
	struct server *server;
	struct peers peers;
	struct address local[LISTENERS_MOST]; /* where the sockets are bound */
	struct desk desk;

	/** Gives the peer of @p dialogue a worker that runs dialogue_serve(@p dialogue, ...,
	 *  @p feed), and owns both from then on. NULL: there are no workers.
	 *  @return 0, or -1 with errno, with both untouched */
	int (*start)(struct datagrams *, struct dialogue *dialogue, int feed);
	const char *what; /* that failed, when it did: "cannot fork" */
	/** Called at each turn: looks after the workers. NULL: nothing to do. */
	void (*tend)(struct datagrams *);
	void *context; /* the model's own */
};

/** Serves until server_running() says that it is over. datagrams->server, ->start, ->what,
 *  ->tend and ->context are set, the rest is zero. @return 0, or -1 with errno when it could not even
 *  begin */
int datagrams_serve(struct datagrams *datagrams);

/** Forgets a peer: closes its feed, whose worker then ends, or its dialogue. */
void datagrams_forget(struct datagrams *datagrams, struct peer *peer);

#endif
