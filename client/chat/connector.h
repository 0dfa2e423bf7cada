/*
 * connector - connects without blocking the caller.
 *
 * A non-blocking connect(2) can run in the background, but getaddrinfo(3) always
 * blocks. So a thread does both, and reports its end through a pipe: one more
 * descriptor for poll(2).
 */
#ifndef CLIENT_CHAT_CONNECTOR_H
#define CLIENT_CHAT_CONNECTOR_H

#include "common/failure.h"
#include "common/sock.h"

struct connector;

/** Starts to connect, as sock_connect() does. Signals stay with the calling thread.
 *  @param target  copied, with its host and port
 *  @return an attempt for connector_finish(), or NULL with *failure */
struct connector *connector_start(const struct sock_target *target,
				  struct failure *failure);

/** A descriptor that becomes readable when the attempt has ended. */
int connector_descriptor(const struct connector *connector);

/** Waits for the end of the attempt and frees it.
 *  @return the connection (blocking), or -1 with *failure */
int connector_finish(struct connector *connector, struct failure *failure);

#endif
