/*
 * load_room - clients that meet: what one of them says, the server tells all others.
 *
 * Some speak, and all listen. A line has its number and is known to the last byte before it
 * is sent, so each who hears it compares it with what is to come next from that speaker: a
 * line that is lost, doubled, out of order, cut, or merged with another is noticed where
 * it is. A speaker has a window: so many of its lines may be on their way, which is to
 * say not heard by all others. Without that a load would measure nothing but how much
 * fits into all buffers between the two.
 */
#ifndef CLIENT_LOAD_ROOM_H
#define CLIENT_LOAD_ROOM_H

#include "client/load/worker.h"

/** Who speaks, and what is on its way; for all threads.
 *  @return it, for load_room_destroy(); or NULL with errno (ENOMEM) */
struct load_room *load_room_create(const struct load_shared *shared);

/** Frees it. NULL is nothing to do. */
void load_room_destroy(struct load_room *room);

/** Frees what a worker's clients have, if there is any such thing. */
void load_seats_free(struct load_worker *worker);

#endif
