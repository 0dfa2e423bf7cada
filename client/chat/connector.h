/*
 * connector - connecting without waiting.
 *
 * connect(2) can be begun and left alone; to look up a name cannot (getaddrinfo(3)). So a
 * thread does both, and tells by a pipe when it is done: one more descriptor to poll() for a
 * program that has other things to do meanwhile.
 */
#ifndef CLIENT_CHAT_CONNECTOR_H
#define CLIENT_CHAT_CONNECTOR_H

#include "common/failure.h"
#include "common/sock.h"

struct connector;

/** Begins to connect, as sock_connect() does. Signals stay with the calling thread.
 *  @param target  is copied, its host and port too
 *  @return an attempt, to be ended by connector_finish(), or NULL with *failure */
struct connector *connector_start(const struct sock_target *target,
				  struct failure *failure);

/** A descriptor that is readable once the attempt has ended, one way or the other. */
int connector_descriptor(const struct connector *connector);

/** Ends the attempt and frees it; waits for it if it must.
 *  @return the connection (blocking), or -1 with *failure */
int connector_finish(struct connector *connector, struct failure *failure);

#endif
