/*
 * visitors - a few clients that arrive together, make some requests, and leave.
 */
#ifndef CLIENT_VERSUS_VISITORS_H
#define CLIENT_VERSUS_VISITORS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/failure.h"

enum { VISITORS = 10, VISITOR_REQUESTS = 3 };

/** One of them, by its own clock. */
struct visitor {
	int64_t connected_at;       /* nanoseconds (CLOCK_MONOTONIC) */
	char address[ADDRESS_TEXT]; /* its own, as the server sees it */
	unsigned replies;           /* complete lines that it received */
};

/**
 * Connects VISITORS clients to the port on 127.0.0.1, one directly after the other. Each sends
 * VISITOR_REQUESTS lines, and waits for the reply to each; it thinks between them; then it
 * closes.
 *
 * @param think  milliseconds
 * @param most   milliseconds: the longest wait for a reply
 * @param stop   ends the visits when it becomes non-zero
 * @return 0, also if not all were served; or -1 with *failure: a client could not connect, or no
 *         thread could be created
 */
int visitors_run(const char *port, int64_t think, int64_t most,
		 const volatile sig_atomic_t *stop, struct visitor visitors[VISITORS],
		 struct failure *failure);

#endif
