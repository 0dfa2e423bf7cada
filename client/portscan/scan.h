/*
 * scan - finds the open TCP ports of an address by connecting to each of them.
 *
 * The result of connect(2) tells the state of a port: established (open), refused
 * (closed), or neither (filtered: a host on the path, or the host itself, drops the
 * packets or rejects them). Many attempts are in progress at the same time, so a silent
 * port does not delay others.
 *
 * The scan runs in rounds. The first tries every port. Each further round tries the
 * ports without a result, because a lost packet or a listener with a full backlog looks
 * like a filter. One or more workers (worker.h) take the ports of a round from one
 * queue.
 */
#ifndef CLIENT_PORTSCAN_SCAN_H
#define CLIENT_PORTSCAN_SCAN_H

#include <stdatomic.h>
#include <stdint.h>

#include "client/portscan/ports.h"
#include "client/portscan/state.h"
#include "common/address.h"
#include "common/failure.h"

/** The result for one port. */
struct scan_port {
	enum scan_state state;
	int error;              /* filtered: why, as scan_reason() tells; else 0 */
	unsigned char timeouts; /* attempts without an answer */
	unsigned char selves;   /* attempts that connected to their own socket */
};

struct scan_progress {
	unsigned done, of, open; /* ports */
};

/** The task. */
struct scan_plan {
	const struct address *address; /* its port is ignored */
	const struct ports *ports;
	unsigned in_flight; /* attempts in progress at a time, 1 or more */
	unsigned retries;   /* further attempts after one that timed out, at most 100 */
	uint64_t rate;      /* attempts per second; 0: no limit */
	int64_t wait;       /* milliseconds for each attempt */
	atomic_int *stop;   /* stop the scan when it is not 0 */
	void (*progress)(const struct scan_progress *now, void *context); /* or NULL */
	void *context;
};

struct scan_result {
	struct scan_port ports[PORTS_NUMBERS];
	unsigned count[SCAN_STATES]; /* number of wanted ports in each state */
	double seconds;
};

/**
 * Scans. A shortage of descriptors, source ports or memory is waited out. A connection
 * of a socket to itself does not count and is repeated.
 *
 * @param result  receives the results, also on failure; SCAN_UNKNOWN: not tried because
 *                of *plan->stop or a failure
 * @return 0, or -1 with *failure if the scan could not continue
 */
int scan_run(const struct scan_plan *plan, struct scan_result *result,
	     struct failure *failure);

#endif
