/*
 * scan_worker - one thread of a scan: takes ports from the queue, with many attempts in
 * progress at once.
 */
#ifndef CLIENT_PORTSCAN_WORKER_H
#define CLIENT_PORTSCAN_WORKER_H

#include <stdatomic.h>

#include "client/portscan/scan.h"

/** What all workers of a scan share. */
struct scan_shared {
	const struct scan_plan *plan;
	struct scan_port *ports; /* by number; a worker writes only to ports that it
				  * has taken */
	const uint16_t *queue;   /* the ports of this round */
	unsigned queued;
	unsigned wanted; /* ports in all, for the progress */
	unsigned workers;
	atomic_uint taken;          /* number of ports that were taken from the queue */
	atomic_uint done, open;     /* ports, in all rounds */
	atomic_int error;           /* errno that ends the scan; 0: none */
	atomic_bool shortage_shown; /* the shortage was reported */
};

struct scan_worker;

/**
 * @param in_flight  how many attempts it may have at a time, 1 or more
 * @param leading    it calls plan->progress
 * @return the worker, for scan_worker_destroy(); or NULL with errno (EMFILE, ENOMEM)
 */
struct scan_worker *scan_worker_create(struct scan_shared *shared, unsigned in_flight,
				       bool leading);

/** Runs until the queue is empty and every attempt has ended, or until *plan->stop
 *  or shared->error is set. Ports with an answer, or with their last timeout, then
 *  have a state; all others stay SCAN_UNKNOWN. It is a start routine for
 *  pthread_create(3): it takes the worker, and returns NULL. */
void *scan_worker_run(void *worker);

/** Frees the worker. NULL is allowed. */
void scan_worker_destroy(struct scan_worker *worker);

#endif
