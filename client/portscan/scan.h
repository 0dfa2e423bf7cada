/*
 * scan - which ports of an address have somebody listening: by connecting to all of them.
 *
 * What comes of an attempt to connect tells the state of the port: the connection stands
 * (open), it is refused (closed), or neither (filtered: on the way, or at the end of it,
 * somebody drops the packets or answers for the host). As many attempts as wanted wait at
 * the same time, so that the silence of one port holds up no other.
 *
 * The scan goes in rounds. The first tries every port; each further one those that came to
 * no result, for a lost packet or a listener with a full backlog looks like a filter. All
 * ports of a round are taken from one queue by one or more workers (worker.h).
 */
#ifndef CLIENT_PORTSCAN_SCAN_H
#define CLIENT_PORTSCAN_SCAN_H

#include <stdatomic.h>
#include <stdint.h>

#include "client/portscan/ports.h"
#include "client/portscan/state.h"
#include "common/address.h"
#include "common/failure.h"

/** What is known of one port. */
struct scan_port {
	enum scan_state state;
	int error;              /* filtered: why, as scan_reason() tells; else 0 */
	unsigned char timeouts; /* attempts that nobody answered */
	unsigned char selves;   /* attempts that reached ourselves */
};

struct scan_progress {
	unsigned done, of, open; /* ports */
};

/** What to do. */
struct scan_plan {
	const struct address *address; /* whatever its port */
	const struct ports *ports;
	unsigned in_flight; /* attempts at a time, 1 or more */
	unsigned retries;   /* further attempts after one that timed out, at most 100 */
	uint64_t rate;      /* attempts a second; 0: as many as one can */
	int64_t wait;       /* milliseconds for each attempt */
	atomic_int *stop;   /* leave off when it is no longer 0 */
	void (*progress)(const struct scan_progress *now, void *context); /* or NULL */
	void *context;
};

struct scan_result {
	struct scan_port ports[PORTS_NUMBERS];
	unsigned count[SCAN_STATES]; /* of those wanted: how many of each */
	double seconds;
};

/**
 * Scans. A shortage of descriptors, source ports or memory is waited out; a connection
 * that has ourselves at its other end does not count and is tried again.
 *
 * @param result  receives what was found, in any case; SCAN_UNKNOWN is what could not be
 *                asked because of *plan->stop or a failure
 * @return 0, or -1 with *failure when it could not go on
 */
int scan_run(const struct scan_plan *plan, struct scan_result *result,
	     struct failure *failure);

#endif
