/*
 * hub_remote_client - the child's side of a hub in the parent.
 */
#ifndef SERVER_HUB_REMOTE_CLIENT_H
#define SERVER_HUB_REMOTE_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "server/hub/client.h"

struct remote_client {
	struct hub_client client; /* first: the connection's view */
	struct buffer posts;      /* that the channel has not taken */
	bool announces; /* the parent does not know when the client arrives: channel.h */
	bool left;      /* the client has left: nothing more is posted */
	bool failed;    /* the parent is gone, or a message was lost: no memory */
};

/** Begins it in the child, after fork(2).
 *  @param fd       the child's end of the channel; owned from now on
 *  @param stalled    in memory that is shared with the parent
 *  @param announces  the child posts a message of length 0 when the client arrives */
void hub_remote_client_begin(struct remote_client *self, struct output *output, int fd,
			     atomic_bool *stalled, bool announces);

#endif
