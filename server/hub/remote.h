/*
 * hub_remote - hub_in_parent: the hub in the parent of processes that serve one client each.
 *
 * Each child has a channel to the parent (channel.h). Its session's messages go up, the
 * deliveries for its client come down. The parent serves all channels and the listening
 * sockets in one loop, and never blocks for a child: what a channel does not take stays in the
 * queue of the mailbox.
 *
 * A child can wait for the parent: while its posts are not sent, it does not read from its
 * client.
 */
#ifndef SERVER_HUB_REMOTE_H
#define SERVER_HUB_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/poller.h"
#include "server/hub/channel.h"
#include "server/hub/mailbox.h"
#include "server/hub/remote_client.h"

struct server;

/** Used in remote.c and channel.c only. */
struct remote_hub {
	struct server *server;
	struct hub hub;
	struct poller *poller;
	bool listening;        /* the poller watches the listeners */
	struct channel *first; /* list of all channels */
	int64_t hold_until;    /* channels that post are held, at most until this time
				  (milliseconds); 0: none is held */
	unsigned turns;        /* of the loop */

	/* Around fork(2), for one child: between join() and hand_over(). */
	struct channel *opening;
	int child_fd; /* the child's end of it */

	/* Slot i is statuses[i], which the child shares, and the i-th struct channel in
	 * channels, which it does not. */
	unsigned slot_count, next_slot;
	struct child_status *statuses;
	char *channels;
	size_t channel_size; /* bytes of each, with the state of the service */

	struct remote_client client; /* used in the child only */

	/* The rest of the previous input of a channel, and new input after it. */
	char input[CHANNEL_READ + HUB_MESSAGE + sizeof(channel_length)];
};

#endif
