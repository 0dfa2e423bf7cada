/*
 * load_worker - one thread of a load: a poller and the connections that it drives.
 */
#ifndef CLIENT_LOAD_WORKER_H
#define CLIENT_LOAD_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/load/load.h"

/** Shared by all threads of a load. Times are in clock_nanoseconds(). */
struct load_shared {
	const struct load_plan *plan;
	struct load_material material;
	struct load_room *room; /* of a LOAD_BROADCAST; room.h */
	struct load_endpoint endpoint;
	unsigned threads;
	int64_t settle_time;               /* nanoseconds to wait for connections */
	atomic_int_least64_t settle_limit; /* until when the threads wait for them */
	pthread_mutex_t lock;              /* protects: */
	pthread_cond_t begin;              /*   start has been set */
	unsigned settled;                  /* number of threads that wait for it */
	int64_t from;                      /*   when the first request may be sent */
	int64_t start, end;   /*   of the measured time; 0 before it is known. The time
			       *   between from and start is the ramp */
	atomic_bool over;     /* stop at once */
	atomic_uint finished; /* number of threads that have finished */
};

struct load_connection;
struct load_worker;

/**
 * Creates worker number @p number (from 0) of shared->threads.
 *
 * @param first  an established connection to start with, or -1. The worker owns it in
 *               any case
 * @return the worker, for load_worker_destroy(); or NULL with errno (ENOMEM, EMFILE)
 */
struct load_worker *load_worker_create(struct load_shared *shared, unsigned number,
				       int first);

/** Start routine of the thread: connects, waits for shared->start, and drives the
 *  connections until shared->end or shared->over. Takes the worker, returns NULL. */
void *load_worker_run(void *worker);

/** Approximate number of completed exchanges; may be called while it runs. */
uint64_t load_worker_exchanges(struct load_worker *worker);

/** Adds the results of the worker to *result. Only after its thread has ended. */
void load_worker_report(const struct load_worker *worker, struct load_result *result);

/** Frees the worker. NULL is allowed. */
void load_worker_destroy(struct load_worker *worker);

#endif
