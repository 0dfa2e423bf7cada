/*
 * intake - what the kernel has received for a connection, in the order of arrival, until the
 * connection takes it.
 *
 * A model with readiness calls recv(2) only if the connection wants input. A model with
 * completion has requested the bytes before, and they can arrive when the connection does not
 * want them: its output is queued because the client does not read, or the service pauses. Then
 * they are copied and kept here. The model requests no more until the connection has taken them.
 */
#ifndef SERVER_CORE_INTAKE_H
#define SERVER_CORE_INTAKE_H

#include <stdbool.h>

#include "server/core/buffer.h"
#include "server/core/connection.h"

/** The most bytes that are kept for one connection: what one receive brings. */
enum { INTAKE_MOST = SESSION_INPUT };

/** Empty when it is zeroed. */
struct intake {
	struct buffer early; /* bytes that the connection has not taken */
	bool ended;          /* no more bytes follow them; end was not passed on yet */
	int end;             /* 0: end of the stream; or -errno */
};

/** Passes a result of a receive to the connection, or keeps it.
 *  @param n  how many @p bytes; 0: end of the stream; or -errno */
void intake_add(struct intake *intake, struct connection *connection,
		struct worker *worker, const char *bytes, int n);

/** Passes on what is kept, as far as the connection wants it. */
void intake_offer(struct intake *intake, struct connection *connection,
		  struct worker *worker);

/** @return whether something is kept */
bool intake_waits(const struct intake *intake);

/** Discards what is kept. */
void intake_release(struct intake *intake);

#endif
