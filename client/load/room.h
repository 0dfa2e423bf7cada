/*
 * load_room - clients in one room: the server sends each line of a client to all
 * others.
 *
 * Some clients send, all receive. A line has a number and is known to the last byte
 * before it is sent. So each receiver compares it with the next line of that sender,
 * and notices a lost, duplicated, reordered, cut or merged line at once. A sender has a
 * window: the number of its lines in flight, that is, not yet received by all others.
 * Without a window the load would only measure the size of the buffers between both
 * ends.
 */
#ifndef CLIENT_LOAD_ROOM_H
#define CLIENT_LOAD_ROOM_H

#include "client/load/worker.h"

/** Creates the senders and their rings, for all threads.
 *  @return the room, for load_room_destroy(); or NULL with errno (ENOMEM) */
struct load_room *load_room_create(const struct load_shared *shared);

/** Frees the room. NULL is allowed. */
void load_room_destroy(struct load_room *room);

/** Frees the state of a worker's clients, if there is any. */
void load_members_free(struct load_worker *worker);

#endif
