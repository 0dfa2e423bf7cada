/*
 * hub_client - one client's way to the hub, from its worker's side: what the session posts,
 * what the hub delivered, and that the client leaves.
 *
 * The connection does not know where the hub lives. The model joins the two, with one of
 * hub/local.h, hub/shared.h and hub/remote.h, each of which is a struct hub_client_kind.
 * Nothing here calls the connection: it looks at client->state after each call.
 */
#ifndef SERVER_HUB_CLIENT_H
#define SERVER_HUB_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/core/output.h"

enum hub_client_state {
	HUB_CLIENT_OPEN,
	HUB_CLIENT_ENDED, /* after what has been fetched nothing will come */
	HUB_CLIENT_CUT,   /* the client was cut off, or the hub has gone */
};

struct hub_client {
	const struct hub_client_kind *kind;
	struct output *output; /* the client's: deliveries are sent through it */
	/* Readable when there is something to fetch; -1: the hub is in this very worker. */
	int fd;
	/* fd may be polled while output is queued, to learn that the client is cut off. If
	 * not, the descriptor hangs up (POLLHUP) for that. */
	bool listens_always;
	atomic_bool
		*stalled; /* set to whether the client keeps output waiting; or NULL */
	bool congested;   /* posts are not all sent: the client's input is not read */

	/* hub_client.c's own */
	enum hub_client_state state; /* as of the last fetch */
	bool left;                   /* the session has finished, and the hub knows */
	bool fetch_after_queue;      /* deliveries wait until the queue is sent */
};

/** What each place of the hub implements. None of these blocks. */
struct hub_client_kind {
	/** The client arrives. */
	void (*arrive)(struct hub_client *);
	/** Posts a message. */
	void (*post)(struct hub_client *, const char *bytes, size_t n);
	/** The service has returned: sends what it posted; sets client->congested. To be
	 *  called again when client->fd is writable, while that is set. */
	void (*dispatch)(struct hub_client *);
	/** The session has finished, and posts nothing more. What was delivered by then can
	 *  still be fetched. May be called again. */
	void (*leave)(struct hub_client *);
	/** Moves deliveries to @p queue if that is empty; if not, only looks. */
	enum hub_client_state (*fetch)(struct hub_client *, struct buffer *queue);
	/** The end: leaves, if the client has not left, and frees the struct. */
	void (*close)(struct hub_client *);
};

/* In all of these @p client may be NULL: the service has no hub. */

/** The client arrives. */
void hub_client_begin(struct hub_client *client);

/** The session posts. @p client is not NULL. */
void hub_client_post(struct hub_client *client, const char *bytes, size_t n);

/** After each call of the service, and after output was sent: passes on what was posted.
 *  @param finished  the session has finished: the client leaves, and what was delivered to
 *                   it by then is fetched */
void hub_client_dispatch(struct hub_client *client, bool finished);

/** Fetches deliveries, if no output is queued. Updates client->state. */
void hub_client_fetch(struct hub_client *client);

/** Some of the queue was sent, or could not be. */
void hub_client_note_sent(struct hub_client *client);

/** Called by the hub for a client whose queue is long only because its worker has not tried
 *  to send it yet: sends what the kernel takes. Calls no service. */
void hub_client_flush(struct hub_client *client);

/** Sends, fetches and sends again: for a worker whose own service is posting, and which
 *  waits for other workers. */
void hub_client_fetch_and_send(struct hub_client *client);

/** The conversation is over: frees @p client. */
void hub_client_end(struct hub_client *client);

/** @return whether deliveries may still come */
bool hub_client_is_open(const struct hub_client *client);

/** @return whether the client's input must not be read now: posts are not all sent */
bool hub_client_is_congested(const struct hub_client *client);

/** @return whether client->fd is to be polled for hub_client_events() */
bool hub_client_is_polled(const struct hub_client *client);

/** @return the poll(2) events to wait for on client->fd; with 0, for its hang-up */
short hub_client_events(const struct hub_client *client);

#endif
