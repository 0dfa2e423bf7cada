/*
 * session - one client's conversation as the service sees it.
 *
 * This is all that a service can do to its client. Where the output goes is a transport:
 * in the servers a connection (connection.c), in the tests a piece of memory.
 */
#ifndef SERVER_CORE_SESSION_H
#define SERVER_CORE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "server/service.h"

/** The most input that a service is offered at once, in bytes. */
enum { SESSION_INPUT = 65536 };

/** What carries a session. */
struct transport {
	/** Takes all of @p n bytes, and sets session->full when they had to be queued. */
	void (*write)(struct session *, const char *bytes, size_t n);
	/** Takes @p fd, and sends @p length bytes of it; sets session->full until it has. */
	void (*send_file)(struct session *, int fd, uint64_t offset, uint64_t length);
	/** Gives an open file a number that the model does not need for sockets; NULL: any
	 *  will do. */
	int (*keep_file)(struct session *, int fd);
	/** Posts a message to the hub (hub.h); of a service that has one. */
	void (*post)(struct session *, const char *bytes, size_t n);
	/** Milliseconds of clock_milliseconds(), not older than the call of the service. */
	int64_t (*now)(const struct session *);
	/** Writes the peer's name. @return @p out */
	const char *(*peer)(const struct session *, char out[ADDRESS_TEXT]);
};

struct session {
	const struct service *service;
	const struct transport *transport;
	void *state;         /* the service's own, service->state_size bytes */
	bool full;           /* output waits for the client: see session_full() */
	bool finished;       /* session_finish() was called, or the client has gone */
	bool busy;           /* see session_set_busy() */
	int64_t resume_at;   /* paused until then; 0: it is not */
	int64_t deadline_at; /* when expired() is due; 0: never */
};

/** Sends @p n bytes to the client, in the order of the calls; they are copied where they
 *  cannot go at once. After session_finish() they are dropped. To a datagram's session
 *  even no bytes are a reply: an empty one. */
void session_write(struct session *session, const void *bytes, size_t n);

/** Ends the conversation when all that was written is sent. No more input is taken. */
void session_finish(struct session *session);

/** True while output is queued because the client does not take it: a service with more
 *  to say should now return, and go on in input() or drained(). */
bool session_full(const struct session *session);

/**
 * Sends @p length bytes of the open file @p fd, from @p offset on, behind what was written
 * before, without passing them through our memory where the system can do that. The
 * session owns @p fd from now on, whatever happens. From here until all is sent, even if
 * that is at once, session_full() is true and nothing more may be written, on pain of the
 * client's being dropped: the service returns, and goes on in input(), which is called
 * again at once if there is input left, or drained(). If the file has become shorter, or
 * cannot be read, before the kernel has taken all bytes, the connection is cut off: the client
 * was promised that many. What the kernel has taken is not copied (sendfile(2)): the client
 * gets what is in the file when it is sent, and NUL bytes in the place of what was cut off.
 * With a @p length of 0 only @p fd is closed, and session_full() is as it was.
 */
void session_send_file(struct session *session, int fd, uint64_t offset, uint64_t length);

/** To be called for a file that stays open after the service has returned. A model may need
 *  low descriptors for its sockets (select(2) takes none from FD_SETSIZE on); this moves the
 *  file to a higher one, if there is one. @return the file's descriptor now; @p fd is not to
 *  be used again */
int session_keep_file(struct session *session, int fd);

/** Takes no input for so long; then input() is called with what it has left, even if no
 *  more has come. To be called from input(), which must leave at least one byte. Silence
 *  in that time is ours: the idle timeout begins anew behind it. A server that stops ends
 *  a pause that would take too much of SERVER_GRACE; and a client that has gone for good,
 *  not just half-closed, is noticed within a second, and the session is over.
 *  @param milliseconds  0 lets the others go first: input() is called again as soon as the
 *                       other clients that are ready, signals and the stop have had their
 *                       turn. So a service does not keep them waiting that has got more
 *                       requests in one piece than it can answer in a moment. */
void session_pause(struct session *session, int64_t milliseconds);

/** Calls the service's expired() in so many milliseconds, once, unless this is called again
 *  before; with 0, never. Bytes that move do not put it off. Time in which output waits for
 *  the client does not count: what it sends is not read then, by our own choice. */
void session_deadline(struct session *session, int64_t milliseconds);

/** Whether a deadline is set that has not passed. */
bool session_has_deadline(const struct session *session);

/** Says that the client has asked for something and is not yet answered, though the service
 *  may be waiting for more input, or writing in drained(): a server that stops gives a
 *  session that is busy all of SERVER_GRACE, and any other ends when it falls silent. */
void session_set_busy(struct session *session, bool busy);

/** The time, in milliseconds of a clock that only goes forward. */
int64_t session_now(const struct session *session);

/** The client's address and port as text, for messages. @return @p out */
const char *session_peer(const struct session *session, char out[ADDRESS_TEXT]);

#endif
