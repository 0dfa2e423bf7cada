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
#ifndef SERVER_CORE_CONNECTION_H
#define SERVER_CORE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/address.h"
#include "common/retry.h"
#include "server/core/buffer.h"
#include "server/hub/client.h"
#include "server/core/output.h"
#include "server/core/proxy_header.h"
#include "server/core/server.h"
#include "server/core/session.h"

/** What a worker (a process, a thread, a loop) lends to the connection that it serves at the
 *  moment: so an idle client owns no buffer. */
struct worker {
	int64_t now; /* an event loop's: milliseconds, read once for all that is ready; else 0 */
	struct retry polls; /* of a blocking worker */
	struct output_shared output;
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
	struct hub_client *hub;             /* NULL: the service has no hub */
	struct worker *worker;              /* the one that serves it at the moment */
	struct connection *next, *previous; /* in its model's list */
	int fd;
	enum connection_state state;
	bool input_ended; /* the client has half-closed */
	bool producing;   /* the service wrote something when it was last drained */
	bool stopping;    /* the server stops: take what comes, wait for no more */
	bool interrupted; /* a blocking call gave up since bytes last moved: poll next */
	struct proxy_header proxy_header; /* whether its first bytes are one */
	bool file_wait_set; /* sendfile(2) on a blocking descriptor returns soon */
	struct buffer kept; /* input that the service has not consumed */
	struct output output;
	/* when bytes last moved, or its send queue was seen to shrink; 0: just now. In a
	 * pause: when it was last looked after */
	int64_t active_at;
	int64_t looked_at; /* when its send queue was last looked at */
	uint64_t taken;    /* what had left that queue by then: see has_taken() */
	int64_t held_at; /* since then output waits, and the deadline with it; 0: not so */
	int64_t close_at;             /* when it is closed, come what may; 0 never */
	int64_t began_at;             /* for the line of -v */
	uint64_t bytes_in, bytes_out; /* as counted in the statistics */
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

/** Lets the service greet its client: a loop's first call for a connection. */
void connection_begin(struct connection *connection, struct worker *worker);

/** What it waits for: WANT_READ, WANT_WRITE, both; or WANT_TIME; 0 when it is CLOSED. */
unsigned connection_wants(const struct connection *connection);

/** The descriptor is readable: receives once, passes the input to the service, and sends what
 *  the service wrote, as far as the kernel takes it. Does nothing if the connection does not
 *  want to read any more. Never blocks. */
void connection_on_readable(struct connection *connection, struct worker *worker);

/** The descriptor is writable: sends what waits; when all is sent, lets the service continue
 *  (drained()). Never blocks, but for a file on a blocking descriptor: see serve_blocking.h. */
void connection_on_writable(struct connection *connection, struct worker *worker);

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

/* ---- for the blocking path: serve_blocking.c and blocking_wait.c ---- */

/** A worker turns to this connection. Copies the input that the service has left to the front
 *  of worker->input. @return its length: recv(2) goes on there */
size_t connection_prepare_input(struct connection *connection, struct worker *worker);

/** Takes the result of recv(2), @p n, with its errno: counts the bytes, and deals with the
 *  end of the input and with errors.
 *  @return whether there is input for the service: connection_offer() is due */
bool connection_received(struct connection *connection, ssize_t n);

/** Passes the first @p n bytes of worker->input to the service, sends what it writes, and
 *  keeps what it does not consume. */
void connection_offer(struct connection *connection, size_t n);

/** The client has been silent for the idle timeout, or has not hung up in time. */
void connection_time_out(struct connection *connection);

/** Drops the connection without telling the client why. */
void connection_drop(struct connection *connection, const char *why);

/** The server stops: from now on the connection has SERVER_GRACE. */
void connection_begin_stop(struct connection *connection, int64_t now);

/** Takes what the service writes. */
void connection_write(struct connection *connection, const char *bytes, size_t n);

/* The rest of a struct transport: see session.h. */
void connection_send_file(struct session *session, int fd, uint64_t offset,
			  uint64_t length);
int connection_keep_file(struct session *session, int fd);
void connection_post(struct session *session, const char *bytes, size_t n);
int64_t connection_now(const struct session *session);
const char *connection_peer(const struct session *session, char out[ADDRESS_TEXT]);

/** Sends the queue, within a call of the service: calls no service. */
void connection_send_queue(struct connection *connection);

/** While output waits, input is not read: stops the service's deadline meanwhile. To be
 *  called before and after the wait. */
void connection_hold_deadline(struct connection *connection);

/** When connection_check_room() is due, for a connection whose kernel buffer is full; -1 for
 *  never. */
int64_t connection_room_expiry(const struct connection *connection);

/** Looks whether the client has taken anything since the last look; drops it if it has not
 *  for the idle timeout. */
void connection_check_room(struct connection *connection, int64_t now);

#endif
