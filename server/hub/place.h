/*
 * place - the place of the hub, which a model chooses for services whose clients share state.
 * hub.h draws the three places.
 *
 *   hub_in_process     in the process that serves all clients (hub/local.c)
 *   hub_behind_mutex   in the process, shared by its threads (hub/shared.c)
 *   hub_in_parent      in the parent of the processes that serve them (hub/remote.c)
 *
 * A model names one in struct model. server.c calls its functions at the right moments, and
 * only if the service has a hub. So a model does not mention the hub again.
 */
#ifndef SERVER_HUB_PLACE_H
#define SERVER_HUB_PLACE_H

struct connection;
struct server;

struct hub_place {
	/** Before the first client. @return 0, or -1 with errno */
	int (*begin)(struct server *);
	/** A client was accepted: prepares connection->hub. @return 0, or -1 with errno */
	int (*join)(struct connection *);
	/** Undoes join(): no worker could be started for the client. */
	void (*cancel)(struct connection *);
	/** As server_wait(), and serves the hub meanwhile. NULL: the hub needs no wait. */
	struct connection *(*wait)(struct server *);
	/** In a child that is to serve the client: releases what is the parent's. NULL: the
	 *  place is not for children. */
	void (*enter_child)(struct connection *);
	/** In the parent: a child has the client. NULL as for enter_child. */
	void (*hand_over)(void);
	/** In a child that serves one client after another: releases what is the parent's. */
	void (*enter_worker)(void);
	/** In the parent, for the client that has joined last: the descriptor that its worker
	 *  needs, and a number that goes with it. hand_over() follows when they are passed. */
	int (*pass)(unsigned *slot);
	/** In the worker that was passed these. It owns @p fd from then on. */
	void (*receive)(struct connection *, int fd, unsigned slot);
	/** After the last client. NULL: nothing to do. */
	void (*end)(void);
};

extern const struct hub_place hub_in_process, hub_behind_mutex, hub_in_parent;

#endif
