/*
 * handover - a new instance of the server takes over the listening sockets of the old one, so
 * that a restart refuses no client.
 *
 *	new                              old
 *	 |--- connect to PATH ----------->|  SIGIO: something has arrived
 *	 |<-- the listening sockets ------|  both can accept now
 *	 |  starts                        |  serves
 *	 |  PATH is the new one's         |
 *	 |--- a byte: ready ------------->|  stops as after SIGTERM: its clients may finish
 *
 * The old one serves until the new one is ready. If the new one cannot start, its connection
 * ends without the byte, and the old one goes on.
 */
#ifndef SERVER_CORE_HANDOVER_H
#define SERVER_CORE_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/failure.h"
#include "common/listeners.h"
#include "common/local_address.h"
#include "common/socket_file.h"

struct server;

/** The state of --hand-over. */
struct handover {
	struct local_address path;
	struct local_address draft; /* PATH.new: of `control`, until handover_publish() */
	struct local_address spare; /* PATH.old: of the old instance from then on */
	bool has_spare; /* the old instance has this name, until we are ready */
	int lock;       /* of the directory, until the server is ready; -1: none */
	int old;        /* the old instance, which waits for the byte; -1: none */
	int control;    /* listens at `path`; -1: nothing is handed over */
	int taker; /* the new instance, which has not said that it is ready; -1: none */
	int64_t taker_since;     /* when it came (clock_milliseconds()) */
	struct socket_file file; /* of `control`; no owner: it is not ours any more */
};

/** Nothing is open yet. */
void handover_none(struct handover *handover);

/** Sets the path. @return what is wrong with it, or NULL */
const char *handover_set_path(struct handover *handover, const char *path);

/**
 * Takes the listeners of the instance that answers at the path, and opens a socket for the next
 * instance. If another new instance does the same, waits until it is ready or has ended, at most
 * for 31 seconds.
 *
 * @param service  the name of the service; that of the other instance must be the same
 * @param type     SOCK_STREAM or SOCK_DGRAM, of the listeners
 * @return 0, with listeners->count 0 if there is no other instance, or it is about to stop; or
 *         -1 with *failure
 */
int handover_begin(struct handover *handover, const char *service, int type,
		   struct listeners *listeners, struct failure *failure);

/** Gives the new socket its path, instead of that of the old instance: the last step of the start
 *  that can fail, and the last that the sandbox of the server would not allow. NULL: does nothing;
 *  this holds for all functions below.
 *  @return 0, or -1 with *failure */
int handover_publish(struct handover *handover, struct failure *failure);

/** The server is ready: from now on it answers at the path, and the old instance stops.
 *  @return 0, or -1 with errno, and the old instance serves on */
int handover_ready(struct handover *handover);

/** Handles what the next instance wants, after SIGIO. Costs a load from memory if no signal
 *  arrived. When the next instance is ready, sends SIGTERM to this process. */
void handover_attend(struct server *server);

/** In a child: closes the sockets, which the parent uses. */
void handover_leave_to_parent(struct handover *handover);

/** The server no longer listens. Removes the path, unless the next instance has it. */
void handover_end(struct handover *handover);

#endif
