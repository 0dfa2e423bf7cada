/*
 * datagrams - the one loop that serves a datagram socket, in every model.
 *
 * There is but one socket, and it holds the datagrams of all peers. A model with one process for
 * all answers each where it is read. A model with a worker for each client gives each new peer
 * one, and hands its datagrams over through a pipe: a pair of local sockets that keeps their
 * boundaries and order (SOCK_SEQPACKET). A connected socket for each worker, on the same port,
 * would look simpler. But between bind(2) and connect(2) the kernel gives it datagrams of other
 * peers.
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
	struct udp_buffers buffers;

	/* The rest is set by who calls datagrams_serve(). */

	/** Gives the peer of @p session a worker that runs udp_session_serve(@p session, ...,
	 *  @p pipe), and owns both from then on. NULL: there are no workers.
	 *  @return 0, or -1 with errno, with both untouched */
	int (*start_worker)(struct datagrams *, struct udp_session *session, int pipe);
	const char *cannot_start; /* what to report when that fails: "cannot fork" */
	/** Called at each turn. NULL: nothing to do. */
	void (*attend_workers)(struct datagrams *);
};

/** Serves until server_running() is false. datagrams->server and the workers' functions are set,
 *  the rest is zero. @return 0, or -1 with errno when it could not even begin */
int datagrams_serve(struct datagrams *datagrams);

/** Forgets a peer: closes its pipe, whose worker then ends, or its session. */
void datagrams_forget(struct datagrams *datagrams, struct peer *peer);

#endif
