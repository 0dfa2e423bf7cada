/*
 * memory_session - a session without a network: the test is the client, and the transport.
 *
 *	struct memory_session client;
 *
 *	memory_open(&client, &echo_service);
 *	memory_send(&client, "hello\n", 6);
 *	memory_expect(&client, "hello\n", 6);
 *	memory_half_close(&client);
 *	ck_assert(memory_finished(&client));
 *	memory_close(&client);
 *
 * It holds the service to what service.h says: input comes in a block of its own that has
 * exactly its length and is gone after the call, so that a sanitizer sees who reads beyond
 * it or keeps a pointer to it; what was not consumed comes again, with what comes next.
 * And it does itself what service.h promises: no input while the session is full, none
 * after its end, no more than SESSION_INPUT at once. Others there are none: a service that
 * lets them go first (session_pause() of 0) goes on at once.
 */
#ifndef TESTS_MEMORY_SESSION_H
#define TESTS_MEMORY_SESSION_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/failure.h"
#include "server/core/session.h"

/** How much output the client takes when nothing else is said. */
#define MEMORY_ROOM ((size_t)-1)

struct memory_session {
	struct session session; /* first: the service's view of it */
	char *output;           /* all that the service wrote, a NUL behind it */
	size_t length;
	size_t expected; /* of it memory_expect() has seen */
	size_t room;     /* the client takes output up to this length */
	char *kept;      /* input that waits: not consumed, or the session was full */
	size_t kept_length;
	bool half_closed, told; /* the client has half-closed; the service knows */
	unsigned drained;       /* how often the service was asked for more */
	unsigned yielded;       /* how often it has let others go first */
	unsigned idle_turns;    /* of those, the last in a row that consumed nothing */
	bool replied;           /* to the last datagram */
	bool sending_file;      /* the session is full for that reason */
	const char *peer;       /* "192.0.2.7:1234" */
	int64_t now;            /* its clock, which only memory_advance() moves */
	/* to the hub, of a service that has one (memory_hub.h) */
	void (*post)(struct memory_session *client, const char *bytes, size_t n);
};

/** Gives the service its options, as a command line ("-m", "text"), and lets it prepare.
 *  @return 0, or -1 with *failure */
int memory_configure(const struct service *service, const char *const arguments[],
		     struct failure *failure);

/** A client arrives. */
void memory_open(struct memory_session *client, const struct service *service);

/** The same for one that takes only @p room bytes of output, until memory_take(). */
void memory_open_full(struct memory_session *client, const struct service *service,
		      size_t room);

/** The same for one whose service posts what it has to say to a hub, and writes nothing. */
void memory_open_posting(struct memory_session *client, const struct service *service,
			 void (*post)(struct memory_session *, const char *, size_t));

/** The client receives @p n bytes that its session has not written, but the hub delivers. */
void memory_receive(struct memory_session *client, const void *bytes, size_t n);

/** The client sends @p n bytes, which arrive at once. */
void memory_send(struct memory_session *client, const void *bytes, size_t n);

/** The client sends @p n bytes, which arrive in pieces: @p bytes is cut behind the first
 *  @p piece bytes, and then again and again. */
void memory_send_in_pieces(struct memory_session *client, const void *bytes, size_t n,
			   size_t piece);

/** The client half-closes. */
void memory_half_close(struct memory_session *client);

/** The client takes @p n more bytes of output: what waits for that goes on. */
void memory_take(struct memory_session *client, size_t n);

/** All output is sent, and the service is asked for more. @return whether it wrote some */
bool memory_drain(struct memory_session *client);

/** Time goes by: deadlines come, pauses end, each at its moment. */
void memory_advance(struct memory_session *client, int64_t milliseconds);

/** What came since the last memory_expect() must be exactly this. */
void memory_expect(struct memory_session *client, const void *bytes, size_t n);

/** The same as text that is nowhere kept: what came since the last memory_expect(), NUL
 *  behind it; @p n, if not NULL, receives its length. It counts as expected then. */
const char *memory_heard(struct memory_session *client, size_t *n);

/** Whether the service has ended the conversation. */
bool memory_finished(const struct memory_session *client);

/** A peer is heard of: a session that only memory_datagram() and memory_close() are for. */
void memory_open_peer(struct memory_session *peer, const struct service *service);

/** It sends one datagram; what the service answers, as one, memory_expect() sees.
 *  @return whether it answered at all, be it with an empty one */
bool memory_datagram(struct memory_session *peer, const void *bytes, size_t n);

/** The session is over; releases everything. */
void memory_close(struct memory_session *client);

#endif
