/*
 * connection - a session, its socket and its output.
 *
 * It reads what the client sends, passes it to the service, sends what the service
 * writes, and says what it waits for: to read, to write, for a moment in time, or
 * nothing more. The same code works on a blocking descriptor, where a system call waits,
 * and on a non-blocking one, where an event loop waits.
 *
 * How a connection comes to its end:
 *
 *                           tells the   closes the   frees      who calls it
 *                           service     descriptor   its memory
 *   connection_end()        yes         no           no         a child, before _exit(2)
 *   connection_close()      yes         yes          yes        a thread, a loop, iterative
 *   connection_detach()     no          yes          no         server_release()
 *   connection_free()       no          no           yes        server_end()
 *   server_hand_over()      no          yes          no         the parent of a child
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

struct loop;

/** The buffers of a worker (a process, a thread, an event loop). The connection that
 *  the worker serves at the moment uses them, so an idle client owns no buffer. */
struct worker {
	/* in an event loop: milliseconds, read once for all ready clients; else 0 */
	int64_t now;
	struct retry polls; /* failed poll(2) calls of a blocking worker */
	struct output_shared output;
	char input[SESSION_INPUT];
};

/** What a connection waits for; 0 when it is CLOSED. WANT_TIME: only for its expiry,
 *  not for its descriptor. WANT_HUB: for deliveries of the hub, in a worker with one
 *  client. */
enum { WANT_READ = 1, WANT_WRITE = 2, WANT_TIME = 4, WANT_HUB = 8 };

/** The bytes of files that one client may get in one turn, before the other clients are
 *  served. */
enum { CONNECTION_TURN = 1024 * 1024 };

/**
 * The states. LINGERING: the server has shut down its sending side, and waits for the
 * client to close. The reason is in connection.c.
 *
 *                  service finished,             client closes,
 *   attach         all sent                      or SERVER_LINGER is over
 *  --------> OPEN -----------------> LINGERING --------------------------> CLOSED
 *              |                                                             ^
 *              +-------------------------------------------------------------+
 *                 service finished after the client's half-close; an error;
 *                 a client that does not read; a stop that takes too long
 *
 * With --proxy-protocol the session begins when the PROXY header is complete; until then the
 * connection is OPEN, and the header has a deadline.
 *
 * What connection_wants() returns while a connection is OPEN (with WANT_WRITE in addition
 * while drained() has more to write):
 *
 *                session_pause()             the kernel accepts no more
 *     WANT_TIME <--------------- WANT_READ ----------------------------> WANT_WRITE
 *               --------------->           <----------------------------
 *                pause is over               all is sent
 */
enum connection_state { CONNECTION_OPEN, CONNECTION_LINGERING, CONNECTION_CLOSED };

/** What is counted and noted of a client only for the line of -v, for the trace, and to know
 *  the health checks of a proxy. It has memory only if the server was started with -v, --trace
 *  or --proxy-protocol. */
struct connection_record {
	int64_t began_at; /* start time */
	uint64_t bytes_in;
	/* Of a connection that the proxy made for itself (LOCAL): the bytes of the header; 0: of
	 * a client. */
	size_t own_header;
	uint64_t number; /* of the client in the trace */
	const char *why; /* the first reason to close; NULL: none yet */
	bool queued;     /* its last event of the output is TRACE_QUEUED */
};

/** An idle client of an event loop costs this struct and its socket. So what a client needs
 *  only at times is not in it: kept, output and record point to memory that exists only while
 *  it is needed. A moment is in milliseconds of the monotonic clock. */
struct connection {
	struct session session; /* first: a session pointer is a connection pointer */

	/* Who serves it. */
	struct server *server;
	struct worker *worker;           /* the worker that serves it at the moment */
	struct loop *loop;               /* whose list it is; NULL: no loop serves it */
	struct connection *next, **link; /* in its model's list */
	struct hub_client *hub;          /* NULL: the service has no hub */

	/* The socket, and how far the conversation is. */
	int fd;
	enum connection_state state;
	bool input_ended; /* the client has half-closed */
	bool producing;   /* drained() wrote something in its last call */
	bool stopping;    /* the server stops: no waiting for new requests */
	/* a blocking call was interrupted since the last transfer: poll next */
	bool interrupted;
	bool file_wait_set; /* SO_SNDTIMEO is set, so that sendfile(2) returns soon */
	/* --proxy-protocol: the header is not complete yet, so the session has not begun, and
	 * peer is the proxy; kept has the first bytes of the header */
	bool awaits_header;
	struct proxy_header proxy_header; /* detects a header in the first bytes */

	/* The bytes that wait, in each direction. */
	struct buffer kept; /* input that the service has not consumed */
	struct output output;

	/* Moments. */
	/* the last transfer, or when the send queue was last seen to shrink; 0: just now. In a
	 * pause: the last check. */
	int64_t active_at;
	int64_t close_at; /* when it is closed in any case; 0: never */

	/* Who the client is, and what is counted and told of it. */
	uint64_t bytes_out;               /* of the output, as in the statistics */
	struct connection_record *record; /* NULL: not needed */
	struct address peer;

	max_align_t state_memory[]; /* of the service, of the model, of the record */
};

/** Allocates a connection without a client.
 *  @return the connection, or NULL with errno (ENOMEM) */
struct connection *connection_create(struct server *server);

/** Initialises the connection for a client. It owns @p fd from then on. */
void connection_attach(struct connection *connection, int fd, const struct address *peer);

/** Closes the descriptor in this process. Sends nothing, and does not call the service. */
void connection_detach(struct connection *connection);

/** Frees the memory; NULL is allowed. */
void connection_free(struct connection *connection);

/** @return the memory of the model for this client: see struct model */
void *connection_of_model(struct connection *connection);

/** @return the number of the client in the trace; 0: there is no trace */
uint64_t connection_number(const struct connection *connection);

/** Sets it, if there is a trace. */
void connection_set_number(struct connection *connection, uint64_t number);

/** Calls the open function of the service: the first call for a connection. */
void connection_begin(struct connection *connection, struct worker *worker);

/** @return what the connection waits for: WANT_READ, WANT_WRITE, both, or WANT_TIME; 0
 *          when it is CLOSED */
unsigned connection_wants(const struct connection *connection);

/** The descriptor is readable: receives once, passes the input to the service, and
 *  sends what the service writes, as far as the kernel accepts it. Does nothing if the
 *  connection no longer wants to read. Never blocks.
 *  @return whether bytes have arrived */
bool connection_on_readable(struct connection *connection, struct worker *worker);

/** The same for a model whose kernel has received already: @p n of the @p bytes have arrived, at most
 *  connection_room(); 0: the stream has ended; or -errno. Copies the bytes. */
void connection_on_received(struct connection *connection, struct worker *worker,
			    const char *bytes, ssize_t n);

/** @return how many bytes connection_on_received() can take */
size_t connection_room(const struct connection *connection);

/** The descriptor is writable: sends queued output. When all is sent, lets the service
 *  continue (drained()). Never blocks, except for a file on a blocking descriptor: see
 *  blocking_wait.c. */
void connection_on_writable(struct connection *connection, struct worker *worker);

/** Fetches what the hub has delivered, and sends it. Must not be called from within the
 *  hub. */
void connection_deliver(struct connection *connection, struct worker *worker);

/** The server stops: requests that are under way are still answered. Then the
 *  connection ends, when nothing has arrived for SERVER_QUIET, and at the latest after
 *  SERVER_GRACE. Must be called repeatedly until then. */
void connection_stop(struct connection *connection, struct worker *worker);

/** @return when connection_expire() must be called, if nothing happens before; or
 *          CLOCK_NEVER */
int64_t connection_expiry(const struct connection *connection);

/** Does what is due at the expiry, if it has passed: ends the pause of the service;
 *  checks a paused client; calls the expired function of the service; checks whether a
 *  client with a full send buffer reads; or ends a connection that was idle, or has
 *  been closing, for too long. */
void connection_expire(struct connection *connection, struct worker *worker, int64_t now);

/** Ends the conversation: calls the close function of the service, and prints the line
 *  of -v. */
void connection_end(struct connection *connection);

/** Calls connection_end(). Then closes the descriptor, and frees the connection and all
 *  that it owns. */
void connection_close(struct connection *connection);

/* ---- for the blocking path: serve_blocking.c and blocking_wait.c ---- */

/** The worker begins to serve this connection. Copies the input that the service has
 *  left to the front of worker->input.
 *  @return its length: recv(2) must append there */
size_t connection_prepare_input(struct connection *connection, struct worker *worker);

/** Handles the result of recv(2), @p n, with its errno: counts the bytes, and handles
 *  end of file and errors.
 *  @return whether there is input for the service: call connection_offer() next */
bool connection_received(struct connection *connection, ssize_t n);

/** Passes the first @p n bytes of worker->input to the service, sends what it writes,
 *  and keeps the input that it does not consume. */
void connection_offer(struct connection *connection, size_t n);

/** The client was silent for the idle timeout, or has not closed in time: ends the
 *  connection. */
void connection_time_out(struct connection *connection);

/** Closes without sending an error to the client. @p why is printed with -vv. */
void connection_drop(struct connection *connection, const char *why);

/** The server stops: the connection must end within SERVER_GRACE. */
void connection_begin_stop(struct connection *connection, int64_t now);

/** Accepts output of the service. */
void connection_write(struct connection *connection, const char *bytes, size_t n);

/* The other functions of a struct transport: see session.h. */
void connection_send_file(struct session *session, int fd, uint64_t offset,
			  uint64_t length);
int connection_keep_file(struct session *session, int fd);
void connection_post(struct session *session, const char *bytes, size_t n);
int64_t connection_now(const struct session *session);
const char *connection_peer(const struct session *session, char out[ADDRESS_TEXT]);

/** Sends the queue. Does not call the service, so it may be used within a call of the
 *  service. */
void connection_send_queue(struct connection *connection);

/** Holds the deadline of the service while output waits, because no input is read then. When
 *  nothing waits any more, frees the memory that only waiting output needs. Must be called
 *  before and after a wait for space. */
void connection_note_waiting(struct connection *connection);

/** @return when connection_check_space() is due, for a connection whose send buffer is
 *          full; or CLOCK_NEVER */
int64_t connection_space_expiry(const struct connection *connection);

/** Checks whether the client has read anything since the last check. Drops it if it has
 *  read nothing for the idle timeout. */
void connection_check_space(struct connection *connection, int64_t now);

#endif
