/*
 * hub_client - the link of one client to the hub, in the client's worker: what the session
 * posts, what the hub delivers, and that the client leaves.
 *
 * The connection does not know where the hub is. The model gives the connection a
 * hub_client of local.c, shared.c or remote_client.c, each with its own struct
 * hub_client_kind. The functions here do not call the connection. The connection reads
 * client->state after each call:
 *
 *                  the member was dismissed or has left,
 *                  and all deliveries are fetched
 *          OPEN -------------------------------------------> ENDED
 *           |
 *           |      the member was cut off, or the hub has gone
 *           +----------------------------------------------> CUT
 *
 * In ENDED the connection sends its queue and closes. In CUT it closes at once. Neither state
 * is left again.
 */
#ifndef SERVER_HUB_CLIENT_H
#define SERVER_HUB_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/core/output.h"

enum hub_client_state {
	HUB_CLIENT_OPEN,
	HUB_CLIENT_ENDED, /* no deliveries will follow */
	HUB_CLIENT_CUT,   /* the member was cut off, or the hub has gone */
};

struct hub_client {
	const struct hub_client_kind *kind;
	struct output *output; /* of the connection: deliveries are sent through it */
	int fd; /* readable when deliveries can be fetched; -1: the hub is in
				  this worker */
	/* true: while output is queued, fd becomes readable when the member is cut off.
	 * false: then fd reports a hang-up (POLLHUP). */
	bool wakes_while_queued;
	/* Set to output_is_blocked(): the client does not read. NULL: the hub needs no such flag. */
	atomic_bool *stalled;
	bool congested; /* posts are queued: the client's input must not be read */

	/* Set in client.c only. */
	enum hub_client_state state; /* as of the last fetch */
	bool left;              /* the session has finished, and the member has left */
	bool fetch_after_queue; /* to be fetched when the queue is sent */
};

/** The functions that differ with the place of the hub. None of them blocks, except for the
 *  limited wait of post() in shared.c. */
struct hub_client_kind {
	/** The client arrives. */
	void (*arrive)(struct hub_client *);
	/** Posts a message. */
	void (*post)(struct hub_client *, const char *bytes, size_t n);
	/** The service has returned: sends what it posted, and sets client->congested. While
	 *  that is set, to be called again when client->fd is writable. */
	void (*dispatch)(struct hub_client *);
	/** The session has finished, and posts nothing more. What was delivered before can
	 *  still be fetched. May be called again. */
	void (*leave)(struct hub_client *);
	/** Moves the deliveries to @p queue if that is empty. If not, only finds the state. */
	enum hub_client_state (*fetch)(struct hub_client *, struct buffer *queue);
	/** The conversation is over: leaves, if the client has not left, and frees the
	 *  struct. */
	void (*close)(struct hub_client *);
};

/* If the service has no hub, @p client is NULL; only post, flush, fetch_and_send and events
 * need a client. */

/** The client arrives. */
void hub_client_begin(struct hub_client *client);

/** The session posts a message. */
void hub_client_post(struct hub_client *client, const char *bytes, size_t n);

/** Sends what was posted. To be called after each call of the service, and when client->fd is
 *  writable.
 *  @param finished  the session has finished: the member leaves, and what was delivered to
 *                   it before is fetched */
void hub_client_dispatch(struct hub_client *client, bool finished);

/** Fetches the deliveries, if no output is queued. Updates client->state. */
void hub_client_fetch(struct hub_client *client);

/** An attempt was made to send the queue: updates *client->stalled, and fetches deliveries
 *  that had to wait for the end of the queue. */
void hub_client_note_sent(struct hub_client *client);

/** Sends what the kernel takes of a queue that its worker has not tried to send yet. Calls no
 *  service. */
void hub_client_flush(struct hub_client *client);

/** Sends, fetches and sends again. For a worker whose service is posting, and which waits
 *  for other workers. */
void hub_client_fetch_and_send(struct hub_client *client);

/** The conversation is over. Frees @p client. */
void hub_client_end(struct hub_client *client);

/** @return whether deliveries may still come */
bool hub_client_is_open(const struct hub_client *client);

/** @return whether the client's input must not be read now, because posts are queued */
bool hub_client_is_congested(const struct hub_client *client);

/** @return whether client->fd is to be polled for hub_client_events() */
bool hub_client_is_polled(const struct hub_client *client);

/** @return the events for poll(2) on client->fd; 0: only its hang-up */
short hub_client_events(const struct hub_client *client);

#endif
