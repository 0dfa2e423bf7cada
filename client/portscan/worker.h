/*
 * scan_worker - one thread of a scan: takes ports from the queue, and waits for the answers
 * to many attempts at once.
 */
#ifndef CLIENT_PORTSCAN_WORKER_H
#define CLIENT_PORTSCAN_WORKER_H

#include <stdatomic.h>

#include "client/portscan/scan.h"

/** What all workers of a scan share. */
struct scan_shared {
	const struct scan_plan *plan;
	struct scan_port *ports; /* by number; whoever took a port writes to its own */
	const uint16_t *queue;   /* the ports of this round */
	unsigned queued;
	unsigned wanted; /* ports in all, for the progress */
	unsigned workers;
	atomic_uint taken;          /* so many of the queue have a worker */
	atomic_uint done, open;     /* ports, in all rounds */
	atomic_int error;           /* errno that keeps all from going on; 0 */
	atomic_bool shortage_shown; /* that we wait, and for what */
};

struct scan_worker;

/**
 * @param in_flight  how many attempts it may have at a time, 1 or more
 * @param leading    it calls plan->progress
 * @return the worker, for scan_worker_destroy(); or NULL with errno (EMFILE, ENOMEM)
 */
struct scan_worker *scan_worker_create(struct scan_shared *shared, unsigned in_flight,
				       bool leading);

/** The thread's function: works until the queue is empty and every attempt has ended, or
 *  until *plan->stop or shared->error. Ports that time out for the last time, or are
 *  answered, have their state then; all others stay SCAN_UNKNOWN. Takes the worker,
 *  returns NULL. */
void *scan_worker_run(void *worker);

/** Frees it. NULL is nothing to do. */
void scan_worker_destroy(struct scan_worker *worker);

#endif
