/*
 * accept_wait - how a thread that is not the main one waits for the next client.
 */
#ifndef SERVER_CORE_ACCEPT_WAIT_H
#define SERVER_CORE_ACCEPT_WAIT_H

#include "common/wakeup.h"
#include "server/core/connection.h"

/** Waits for a client and accepts it.
 *  @param wakeup  sent by the main thread in each turn: the server stops, or there may be
 *                 room again. One thread at a time may wait for it
 *  @return the client, or NULL: the server stops */
struct connection *accept_wait(struct server *server, const struct wakeup *wakeup);

#endif
