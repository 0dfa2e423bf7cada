/*
 * session - one client's conversation as the service sees it.
 *
 * This interface is all that a service can do to its client. A transport carries the
 * output: in the servers a connection (connection.c), in the tests a piece of memory.
 */
#ifndef SERVER_CORE_SESSION_H
#define SERVER_CORE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "server/service.h"

/** The most input that a service gets in one call, in bytes. */
enum { SESSION_INPUT = 65536 };

/** The functions that carry a session. */
struct transport {
	/** Accepts all @p n bytes. Sets session->full if some had to be queued. */
	void (*write)(struct session *, const char *bytes, size_t n);
	/** Takes ownership of @p fd, and sends @p length bytes of it. session->full is
	 *  true until all are sent. */
	void (*send_file)(struct session *, int fd, uint64_t offset, uint64_t length);
	/** Moves an open file to a descriptor number that the model does not need for
	 *  sockets. NULL: any number will do. */
	int (*keep_file)(struct session *, int fd);
	/** Posts a message to the hub (hub.h). Only for a service that has one. */
	void (*post)(struct session *, const char *bytes, size_t n);
	/** @return clock_milliseconds(), read no earlier than the current call of the
	 *          service */
	int64_t (*now)(const struct session *);
	/** Writes the client's address and port. @return @p out */
	const char *(*peer)(const struct session *, char out[ADDRESS_TEXT]);
};

struct session {
	const struct transport *transport;
	void *state;         /* of the service: struct service, state_size bytes */
	bool full;           /* output is queued: see session_full() */
	bool finished;       /* session_finish() was called, or the client is gone */
	bool busy;           /* see session_set_busy() */
	int64_t resume_at;   /* end of the pause; 0: no pause */
	int64_t deadline_at; /* when expired() is to be called; 0: never */
};

/** Sends @p n bytes to the client, in the order of the calls. Bytes that cannot be sent
 *  at once are copied. After session_finish() they are discarded. In a datagram session
 *  a call with 0 bytes sends an empty datagram. */
void session_write(struct session *session, const void *bytes, size_t n);

/** Ends the conversation as soon as all output is sent. The service gets no more input. */
void session_finish(struct session *session);

/** @return whether output is queued because the client does not read it. A service that
 *          has more to write should then return, and continue in input() or drained(). */
bool session_full(const struct session *session);

/**
 * Sends @p length bytes of the open file @p fd, from @p offset on, after all earlier
 * output. Uses sendfile(2) where the system has it. The session owns @p fd from now
 * on, also on failure.
 *
 * After the call session_full() is true until all bytes are sent, even if that happens
 * at once. The service must return without writing more (otherwise the client is
 * dropped). It continues in input(), which is called again at once if input is left,
 * or in drained().
 *
 * If the file becomes shorter or cannot be read before the kernel has accepted all
 * bytes, the connection is cut off, because the client was promised @p length bytes.
 * sendfile(2) does not copy: a client gets the content that the file has at the time
 * of sending, and NUL bytes in place of a part that was truncated.
 *
 * If @p length is 0, @p fd is closed and session_full() does not change.
 */
void session_send_file(struct session *session, int fd, uint64_t offset, uint64_t length);

/** Must be called for a file that stays open after the service has returned. A model
 *  may need low descriptor numbers for its sockets (select(2) accepts none from
 *  FD_SETSIZE on), so this moves the file to a higher number if one is free.
 *  @return the descriptor of the file now; @p fd must not be used again */
int session_keep_file(struct session *session, int fd);

/** Stops reading for a time. Then input() is called with the input that it has left,
 *  even if no more has arrived. May be called only from input(), which must leave at
 *  least one byte. The pause does not count as silence of the client: the idle timeout
 *  starts again after it. A stopping server shortens a pause that would use up
 *  SERVER_GRACE. A client that closes during the pause (a half-close does not count) is
 *  noticed within a second, and the session ends.
 *  @param milliseconds  0 only lets other work go first: input() is called again after
 *                       the other ready clients, signals and the stop were handled. A
 *                       service uses it when one client has sent more requests at once
 *                       than can be answered in a moment. */
void session_pause(struct session *session, int64_t milliseconds);

/** Calls the service's expired() once, after @p milliseconds. A later call replaces the
 *  deadline; 0 removes it. Traffic does not move it. Time during which output is queued
 *  does not count, because the server does not read the client's input then. */
void session_deadline(struct session *session, int64_t milliseconds);

/** @return whether a deadline is set and has not passed */
bool session_has_deadline(const struct session *session);

/** Tells the server that a request of the client is not fully answered yet, although
 *  the service may be waiting for input or writing in drained(). A stopping server
 *  gives a busy session all of SERVER_GRACE. Any other session ends when its client is
 *  silent. */
void session_set_busy(struct session *session, bool busy);

/** @return the time in milliseconds, from a monotonic clock */
int64_t session_now(const struct session *session);

/** Writes the client's address and port as text, for messages. @return @p out */
const char *session_peer(const struct session *session, char out[ADDRESS_TEXT]);

#endif
