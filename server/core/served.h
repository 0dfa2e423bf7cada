/*
 * served - which of the worker processes serve a client: a table in shared memory.
 *
 * Each worker has a slot, and changes its state as clients come and leave:
 *
 *                    fork(2)             a client            the last client of --requests
 *     NO_PROCESS ------------> IDLE <------------> CLIENT ----------------+
 *         ^                      |     it leaves      |                   v
 *         |                      +--------------------|--- a stop ---> ENDING
 *         |                                           |                   |
 *         +--- the parent waits for the process ------+-------------------+
 *
 * The parent counts the slots when it has to know how many clients there are. There is no
 * counter that workers increment: a worker that is killed could not decrement it, and the
 * parent could not tell whether it had.
 */
#ifndef SERVER_CORE_SERVED_H
#define SERVER_CORE_SERVED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/address.h"

enum served_state { SERVED_NO_PROCESS, SERVED_IDLE, SERVED_CLIENT, SERVED_ENDING };

struct served_slot {
	atomic_int state; /* enum served_state */
	struct address
		peer; /* the client; written before the state becomes SERVED_CLIENT */
};

struct served {
	pid_t parent;
	/* The parent sleeps until a worker is idle, or until no client is left: the worker
	 * that makes it true sends SIGNAL_INTERRUPT. */
	atomic_bool wake_when_idle, wake_when_empty;
	_Atomic int64_t empty_since; /* when the last client left; milliseconds */
	unsigned count;
	struct served_slot slots[];
};

/** Creates a table for @p count workers; never freed. The caller is the parent.
 *  @return it, or NULL with errno (ENOMEM) */
struct served *served_create(unsigned count);

/** Returns how many workers serve a client. */
unsigned served_clients(const struct served *served);

/** Returns how many workers have not ended. */
unsigned served_processes(const struct served *served);

/** Returns the first idle slot, or -1. */
int served_find_idle(const struct served *served);

/** The worker of the slot has this client. In the parent (which passes a client) or in the
 *  worker (which has accepted it).
 *  @return false if the worker is not idle, but ends */
bool served_begin(struct served *served, unsigned slot, const struct address *peer);

/** In the worker: its client has left. @p ends: the worker takes no other one. */
void served_left(struct served *served, unsigned slot, bool ends);

/** In the worker, which is to stop. @return false if it is not idle: the parent has passed
 *  it a client */
bool served_end(struct served *served, unsigned slot);

#endif
