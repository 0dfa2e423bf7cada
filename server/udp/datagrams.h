/*
 * datagrams - the one loop that serves a datagram socket, in every model.
 *
 * There is only one socket, which receives the datagrams of all peers. A model with one
 * process answers each datagram where it reads it. A model with a worker for each client
 * starts a worker for each new peer, and passes the datagrams of this peer to it through
 * a pipe: a pair of local sockets that keeps their boundaries and order (SOCK_SEQPACKET).
 * A connected socket for each worker, on the same port, would look simpler. But between
 * bind(2) and connect(2) the kernel would give it datagrams of other peers.
 */
#ifndef SERVER_UDP_DATAGRAMS_H
#define SERVER_UDP_DATAGRAMS_H

#include "server/udp/session.h"
#include "server/udp/peers.h"
#include "server/core/server.h"

struct datagrams {
	struct server *server;
	struct peers peers;
	struct address local[LISTENERS_MOST]; /* the addresses of the sockets */
	struct udp_buffers buffers;

	/* The caller of datagrams_serve() sets the rest. */

	/** Gives the peer of @p session a worker that runs udp_session_serve(@p session, ...,
	 *  @p pipe), and owns both from then on. NULL: there are no workers.
	 *  @return 0, or -1 with errno, with both untouched */
	int (*start_worker)(struct datagrams *, struct udp_session *session, int pipe);
	const char *cannot_start; /* the message if that fails: "cannot fork" */
	/** Called in each turn. NULL: nothing to do. */
	void (*attend_workers)(struct datagrams *);
};

/** Serves until server_running() is false. The caller has set datagrams->server and the
 *  functions for workers; the rest is zero. @return 0, or -1 with errno if it could not
 *  begin */
int datagrams_serve(struct datagrams *datagrams);

#endif
