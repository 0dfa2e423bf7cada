/*
 * hub_remote - a hub in the parent, whose clients are its children's.
 *
 * Each child has a channel to it, a pair of local sockets. Up go the messages that its
 * session posts, each behind its length; down come the bytes to be sent to its client, as
 * they are. The end of either direction says what it does on any socket: up, that the
 * client has left (or the child has died, which is the same to the others); down, that
 * nothing more will come. A child whose client was cut off finds the channel closed.
 *
 * The parent never waits for a child: what a channel does not take stays in the mailbox,
 * within the service's bound. When a mailbox fills only because its child had no turn yet,
 * though the client reads, those who post are not read until it had one; all else goes on.
 * A child may wait for the parent: while its posts are not on their way it does not read
 * its client.
 *
 * What it costs: two system calls more and a switch of processes for each way.
 */
#ifndef SERVER_HUB_REMOTE_H
#define SERVER_HUB_REMOTE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/poller.h"
#include "server/core/connection.h"
#include "server/hub/mailbox.h"

/** What the parent reads from a channel at a time. */
enum { HUB_REMOTE_PIECE = 65536 };

struct channel;

/** What a child tells the parent behind the channel's back, where it cannot be behind other
 *  messages: whether its client keeps output waiting. */
struct stall {
	atomic_bool stalled;
	bool used; /* the parent's */
};

/** The child's side. */
struct remote_link {
	struct hub_client link; /* first: the connection's view of it */
	struct buffer posts;    /* that the channel has not taken */
	bool left;
	bool failed; /* a message was lost: out of memory */
};

/** The parent's side. */
struct remote_hub {
	struct server *server;
	struct hub hub;
	struct poller *poller;
	bool listening;          /* the poller watches the listeners */
	struct channel *first;   /* all of them */
	struct channel *opening; /* for the child that is about to be forked ... */
	int lower_end;           /* ... and this is to be its descriptor */
	struct remote_link link; /* in the child */
	struct stall *stalls;    /* shared with the children; for each its own */
	unsigned stall_count, stall_next;
	char *channels; /* as many places, which children do not see */
	size_t channel_size;
	unsigned turns;     /* calls of hub_remote_wait() */
	int64_t hold_until; /* who posts is not read until others caught up, at most until
			       then; 0: nobody is held */
	char input[HUB_REMOTE_PIECE + HUB_MESSAGE + 2];
};

/** Begins the hub of the server's service. @return 0, or -1 with errno (EMFILE, ENOMEM) */
int hub_remote_begin(struct remote_hub *remote, struct server *server);

/** Waits as server_wait() does, and deals with what children post meanwhile. */
struct connection *hub_remote_wait(struct remote_hub *remote);

/** Before fork(2): opens a channel for who is to serve the connection.
 *  @return 0, or -1 with errno (EMFILE, ENFILE, ENOMEM) */
int hub_remote_open(struct remote_hub *remote, const struct connection *connection);

/** After it, in the child: closes what belongs to the parent, and gives the connection
 *  its place in the hub. */
void hub_remote_enter(struct remote_hub *remote, struct connection *connection);

/** In the parent: the client has arrived; or, if fork(2) failed, it has not. */
void hub_remote_opened(struct remote_hub *remote, bool forked);

/** All that are still there leave; releases everything. */
void hub_remote_end(struct remote_hub *remote);

#endif
