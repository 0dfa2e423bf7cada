/*
 * load_worker - one thread of a load: a poller, and the connections it keeps busy.
 */
#ifndef CLIENT_LOAD_WORKER_H
#define CLIENT_LOAD_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/load/load.h"

/** What all threads of a load share. Times are clock_nanoseconds(). */
struct load_shared {
	const struct load_plan *plan;
	struct load_material material;
	struct load_room *room; /* of a LOAD_BROADCAST; room.h */
	struct address address;
	unsigned threads;
	int64_t settle_time;               /* nanoseconds to wait for connections */
	atomic_int_least64_t settle_limit; /* until when they may */
	pthread_mutex_t lock;              /* holds these: */
	pthread_cond_t begin;              /*   start has been set */
	unsigned settled;                  /*   how many threads wait for it */
	int64_t start, end;   /*   of the measured time; 0 before it is known */
	atomic_bool over;     /* leave off, whatever the time */
	atomic_uint finished; /* how many threads are at their end */
};

struct load_connection;
struct load_worker;

/**
 * Makes the worker that is the @p number-th (from 0) of shared->threads.
 *
 * @param first  a connection that is there already, for its first; or -1. The worker's in
 *               any case
 * @return the worker, for load_worker_destroy(); or NULL with errno (ENOMEM, EMFILE)
 */
struct load_worker *load_worker_create(struct load_shared *shared, unsigned number,
				       int first);

/** The thread's function: makes the connections, waits for shared->start, and drives them
 *  until shared->end, or until shared->over. Takes the worker, returns NULL. */
void *load_worker_run(void *worker);

/** How many exchanges it has completed, about: may be asked while it runs. */
uint64_t load_worker_exchanges(struct load_worker *worker);

/** Adds to *result what the worker has counted. After its thread has ended. */
void load_worker_report(const struct load_worker *worker, struct load_result *result);

/** Frees it. NULL is nothing to do. */
void load_worker_destroy(struct load_worker *worker);

#endif
