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
#include "server/buffer.h"
#include "server/hub_link.h"
#include "server/server.h"
#include "server/session.h"

/** What a worker (a process, a thread, a loop) lends to the connection it serves at the
 *  moment: so an idle client owns no buffer. */
struct worker {
	int64_t now;     /* a loop's: milliseconds, read once for all that is ready */
	size_t gathered; /* bytes of output[] that wait to be sent in one call */
	char output[16384];
	char input[SESSION_INPUT];
};

/** What a connection waits for; none of them when it is CLOSED. WANT_HUB: what the hub
 *  delivers. */
enum { WANT_READ = 1, WANT_WRITE = 2, WANT_HUB = 4 };

enum connection_state { CONNECTION_OPEN, CONNECTION_LINGERING, CONNECTION_CLOSED };

struct connection {
	struct session session; /* first: the service's view of it */
	struct server *server;
	struct hub_link *hub;               /* NULL: its service has none */
	struct worker *worker;              /* the one that serves it at the moment */
	struct connection *next, *previous; /* in its model's list */
	int fd;
	enum connection_state state;
	bool input_ended;    /* the client has half-closed */
	bool ended;          /* and the service knows */
	bool left;           /* and so does the hub, if there is one */
	bool hub_ended;      /* nothing more will come from there */
	bool mail_waits;     /* there, until the queue has been sent */
	bool producing;      /* the service wrote something when it was last drained */
	bool stopping;       /* the server stops: take what comes, wait for no more */
	struct buffer kept;  /* input that the service has not consumed */
	struct buffer queue; /* output that the kernel would not take, or the hub's */
	bool interrupted;    /* in a blocking read, by a signal, since bytes last moved */
	int64_t active_at;   /* when bytes last moved; 0: just now */
	int64_t close_at;    /* when it is closed, come what may; 0 never */
	int64_t began_at;    /* for the line of -v */
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

/** What it waits for: WANT_READ, WANT_WRITE, both; 0 when it is CLOSED. */
unsigned connection_wants(const struct connection *connection);

/** Does what is possible now, given that its descriptor is ready for @p what. Never waits
 *  on a non-blocking descriptor. */
void connection_ready(struct connection *connection, struct worker *worker,
		      unsigned what);

/** The hub has something for it: fetches that, and sends it. Not to be called from within
 *  the hub. */
void connection_deliver(struct connection *connection, struct worker *worker);

/** The same from within the hub, for a connection whose queue seems too long only because
 *  nobody has tried to send it yet: tries, and tells no service anything. */
void connection_relieve(struct connection *connection);

/** Fetches what the hub has for it, and tries to send it, while the service is posting and
 *  has to wait for others. */
void connection_catch_up(struct connection *connection);

/** The server stops: what the client is asking for is still answered, then the connection
 *  ends: when nothing has come for SERVER_QUIET, at the latest after SERVER_GRACE. To be
 *  called again and again until then. */
void connection_stop(struct connection *connection, struct worker *worker);

/** The moment when connection_expire() has something to do, if no bytes move until then;
 *  -1 for never. */
int64_t connection_expiry(const struct connection *connection);

/** Ends the connection if it is past its expiry: silent for the idle timeout, or closing
 *  for too long. */
void connection_expire(struct connection *connection, struct worker *worker, int64_t now);

/** The end of the conversation: tells the service, and says the line of -v. */
void connection_end(struct connection *connection);

/** connection_end(); then closes the descriptor and frees what the connection owns, itself
 *  too. */
void connection_close(struct connection *connection);

#endif
