/*
 * hub_link - a connection's way to the hub, whose clients meet: from its worker's side.
 *
 * The connection does not know where the hub lives. The model joins the two, with one of
 * hub_local.h, hub_shared.h and hub_remote.h.
 */
#ifndef SERVER_HUB_LINK_H
#define SERVER_HUB_LINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/buffer.h"

enum hub_link_state {
	HUB_LINK_OPEN,
	HUB_LINK_ENDED, /* behind what has been fetched nothing will come */
	HUB_LINK_CUT,   /* the client was cut off, or the hub has gone */
};

struct hub_link {
	const struct hub_link_kind *kind;
	/* Readable when there is something to fetch; -1: the hub is in this very worker. */
	int fd;
	/* It may be waited for though the output is queued: that the client is cut off. If
	 * not, the descriptor hangs up (POLLHUP) for that. */
	bool listens_always;
	atomic_bool *stalled; /* told whether the client keeps output waiting; or NULL */
	bool congested; /* what was posted is not all on its way: no more is to be read */
};

/** None of them waits. */
struct hub_link_kind {
	/** The client arrives. */
	void (*arrive)(struct hub_link *);
	/** Posts a message. */
	void (*post)(struct hub_link *, const char *bytes, size_t n);
	/** The service has returned: what it posted goes on its way; sets link->congested.
	 *  To be called again when link->fd can be written to, while that is set. */
	void (*dispatch)(struct hub_link *);
	/** The session has finished, and nothing more will be posted. What was delivered
	 *  by then can still be fetched. May be called again. */
	void (*leave)(struct hub_link *);
	/** Moves what was delivered to @p queue if that is empty; if not, only looks. */
	enum hub_link_state (*fetch)(struct hub_link *, struct buffer *queue);
	/** The end: leaves, if it has not, and frees the link. */
	void (*close)(struct hub_link *);
};

#endif
