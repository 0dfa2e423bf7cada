/*
 * connection - a session and its socket.
 *
 * It reads what the client sends and hands it to the service, sends what the service
 * wrote, and knows whether it now waits to read, to write, or for nothing more. The same
 * code works on a blocking descriptor, where the system call itself waits, and on a
 * non-blocking one, where a loop does.
 *
 * Its life: OPEN; then, when the service has finished and all is sent, LINGERING if the
 * server hangs up first (see connection.c); then CLOSED.
 */
#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/retry.h"
#include "server/buffer.h"
#include "server/hub_link.h"
#include "server/output.h"
#include "server/proxy_header.h"
#include "server/server.h"
#include "server/session.h"

/** What a worker (a process, a thread, a loop) lends to the connection it serves at the
 *  moment: so an idle client owns no buffer. */
struct worker {
	int64_t now;        /* a loop's: milliseconds, read once for all that is ready */
	struct retry polls; /* of a worker with one client */
	size_t gathered;    /* bytes of output[] that wait to be sent in one call */
	size_t turn;        /* bytes of files that may yet go before the others' turn */
	char output[16384];
	char input[SESSION_INPUT];
};

/** What a connection waits for; none of them when it is CLOSED. WANT_TIME is for nothing
 *  of its descriptor, only for its expiry; WANT_HUB for what the hub delivers, in a worker
 *  with one client. */
enum { WANT_READ = 1, WANT_WRITE = 2, WANT_TIME = 4, WANT_HUB = 8 };

/** How many bytes of files may go out to one client before it is the others' turn. */
enum { CONNECTION_TURN = 1024 * 1024 };

enum connection_state { CONNECTION_OPEN, CONNECTION_LINGERING, CONNECTION_CLOSED };

struct connection {
	struct session session; /* first: the service's view of it */
	struct server *server;
	struct hub_link *hub;               /* NULL: its service's clients do not meet */
	struct worker *worker;              /* the one that serves it at the moment */
	struct connection *next, *previous; /* in its model's list */
	int fd;
	enum connection_state state;
	bool input_ended; /* the client has half-closed */
	bool producing;   /* the service wrote something when it was last drained */
	bool left;        /* the hub */
	bool hub_ended;   /* and nothing more will come from there */
	bool mail_waits;  /* there, until the queue has been sent */
	bool stopping;    /* the server stops: take what comes, wait for no more */
	bool interrupted; /* a blocking call gave up since bytes last moved: poll next */
	struct proxy_header proxy_header; /* whether its first bytes are one */
	bool file_wait_set; /* sendfile(2) on a blocking descriptor returns soon */
	struct buffer kept; /* input that the service has not consumed */
	/* output that the kernel would not take, or, of the hub, that it was not offered
	 * yet; and behind it: */
	struct buffer queue;
	struct output_file file;
	/* when bytes last moved, or its send queue was seen to shrink; 0: just now. In a
	 * pause: when it was last looked after */
	int64_t active_at;
	int64_t looked_at; /* when its send queue was last looked at */
	uint64_t taken;    /* what had left that queue by then: see has_taken() */
	int64_t held_at; /* since then output waits, and the deadline with it; 0: not so */
	int64_t close_at; /* when it is closed, come what may; 0 never */
	int64_t began_at; /* for the line of -v */
	uint64_t bytes_in, bytes_out;
	struct address peer;
	max_align_t state_memory[]; /* the service's */
};

/** Makes a connection without a client. @return it, or NULL with errno (ENOMEM) */
struct connection *connection_create(struct server *server);

/** Gives it a client. It owns @p fd from then on. */
void connection_attach(struct connection *connection, int fd, const struct address *peer);

/** Closes its descriptor in this process, without a word to client or service. */
void connection_detach(struct connection *connection);

/** Frees its memory; NULL is allowed. */
void connection_free(struct connection *connection);

/** Blocking: serves the client to its end. Returns when the connection is CLOSED, or at
 *  once at the second signal to stop. */
void connection_serve(struct connection *connection, struct worker *worker);

/** Lets the service greet its client: a loop's first call for a connection. */
void connection_begin(struct connection *connection, struct worker *worker);

/** What it waits for: WANT_READ, WANT_WRITE, both; or WANT_TIME; 0 when it is CLOSED. */
unsigned connection_wants(const struct connection *connection);

/** Does what is possible now, given that its descriptor is ready for @p what. Never waits
 *  on a non-blocking descriptor. */
void connection_ready(struct connection *connection, struct worker *worker,
		      unsigned what);

/** The hub has something for it: fetches that, and sends it. Not to be called from within
 *  the hub. */
void connection_deliver(struct connection *connection, struct worker *worker);

/** The server stops: what the client is asking for is still answered, then the connection
 *  ends: when nothing has come for SERVER_QUIET, at the latest after SERVER_GRACE. To be
 *  called again and again until then. */
void connection_stop(struct connection *connection, struct worker *worker);

/** The moment when connection_expire() has something to do, if nothing happens until then;
 *  -1 for never. */
int64_t connection_expiry(const struct connection *connection);

/** Does what its expiry is for, if that has come: ends the service's pause, or sees in it
 *  whether the client is still there; calls the service's expired(); sees whether a client
 *  that leaves no room for output takes any; or ends the connection: silent for the idle
 *  timeout, or closing for too long. */
void connection_expire(struct connection *connection, struct worker *worker, int64_t now);

/** The end of the conversation: tells the service, and says the line of -v. */
void connection_end(struct connection *connection);

/** connection_end(); then closes the descriptor and frees what the connection owns, itself
 *  too. */
void connection_close(struct connection *connection);

/* ---- for its other parts, output.c and meeting.c ---- */

/** The end for a reason that the client is told by nothing but the end. */
void connection_drop(struct connection *connection, const char *why);

/** The end because a system call failed: a reset, mostly. */
void connection_drop_for_errno(struct connection *connection);

/** Whether a system call for it may wait: in a worker that has but this client, and no hub
 *  to listen to. */
bool connection_may_wait(const struct connection *connection);

/** Bytes have moved. */
void connection_note_activity(struct connection *connection);

/** For so long the client was not read from, since it did not read: puts off its deadline. */
void connection_put_off_deadline(struct connection *connection, int64_t milliseconds);

/** On a blocking descriptor: waits until there is room for more output, a signal has come, or
 *  it is time to look at the send queue. Drops a client that has taken nothing for the idle
 *  timeout. To be called again while there is no room.
 *  @param since  when there was last room */
void connection_wait_for_room(struct connection *connection, int64_t since);

#endif
