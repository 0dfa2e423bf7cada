/*
 * session - one client's conversation as the service sees it.
 *
 * This is all that a service can do to its client. Where the output goes is a transport:
 * in the servers a connection (connection.c), in the tests a piece of memory.
 */
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "server/service.h"

/** The most input that a service is offered at once, in bytes. */
enum { SESSION_INPUT = 65536 };

/** What carries a session. */
struct transport {
	/** Takes all of @p n bytes, and sets session->full when they had to be queued. */
	void (*write)(struct session *, const char *bytes, size_t n);
	/** Writes the peer's name. @return @p out */
	const char *(*peer)(const struct session *, char out[ADDRESS_TEXT]);
};

struct session {
	const struct service *service;
	const struct transport *transport;
	void *state;   /* the service's own, service->state_size bytes */
	bool full;     /* output waits for the client: see session_full() */
	bool finished; /* session_finish() was called */
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

/** The client's address and port as text, for messages. @return @p out */
const char *session_peer(const struct session *session, char out[ADDRESS_TEXT]);

#endif
