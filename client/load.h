/*
 * load - the engine that puts a server under load and measures what comes of it.
 *
 * loadgen is its command line; versus runs it against one model after the other. A
 * number of threads, each with its own poller, keep a number of connections busy with
 * exchanges (a request and its reply), and every reply is checked byte by byte. What is
 * said on a connection is the load_protocol's business (client/load_protocol.h).
 */
#ifndef CLIENT_LOAD_H
#define CLIENT_LOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/histogram.h"
#include "client/load_protocol.h"
#include "common/address.h"
#include "common/failure.h"

/** What the connections do. */
enum load_kind {
	LOAD_CONVERSATIONS, /* stay, and exchange again and again */
	LOAD_CONNECTIONS, /* connect, one exchange, close, again: latency covers it all */
	LOAD_IDLE,        /* conversations beside load_plan.idle silent connections */
	LOAD_BULK,        /* conversations with large messages */
	LOAD_KINDS,
};

/** What can go wrong with a connection; each makes an end of it, and it is replaced. */
enum load_error {
	LOAD_REFUSED,      /* nobody listens */
	LOAD_RESET,        /* reset by the server */
	LOAD_TIMED_OUT,    /* no connection, or no whole reply, within the timeout */
	LOAD_WRONG_REPLY,  /* other bytes than they should be, or more of them */
	LOAD_CLOSED_EARLY, /* closed by the server before the whole reply, or before any */
	LOAD_OTHER,        /* anything else: load_result.other tells what */
	LOAD_ERRORS,
};

/** How far a load has come. */
enum load_phase {
	LOAD_CONNECTING, /* the connections are being made; nothing has been sent */
	LOAD_SETTLED,    /* reported once: all (that can be) are there, the clock is not
			    running, and will not until the callback returns */
	LOAD_RUNNING,    /* it is being measured */
};

struct load_progress {
	enum load_phase phase;
	double seconds;     /* of the measured time, so far */
	uint64_t exchanges; /* so far, about */
	unsigned idle;      /* silent connections that were made */
};

/** What to do. Zeroed fields mean what is said of each; the rest must be set. */
struct load_plan {
	enum load_kind kind;
	const struct load_protocol *protocol; /* from load_protocol_find() */
	const char *host, *port;
	int family;           /* AF_UNSPEC, AF_INET or AF_INET6 */
	unsigned connections; /* at a time, beside the idle ones; 1 or more */
	unsigned idle;        /* silent connections, for LOAD_IDLE */
	size_t size;          /* of a message in bytes, 1 or more */
	int64_t duration;     /* of the measured time, in milliseconds, 1 or more */
	int64_t timeout;      /* for a connect and for an exchange, in milliseconds */
	double rate;          /* requests a second in all, sent when they are due (open
				 loop); 0: each when the last was answered (closed loop) */
	unsigned threads;     /* 0: one for two CPUs; never more than connections */
	bool retry;           /* at the start, keep trying for the timeout when refused */

	/* Called by the thread that called load_run(), about ten times a second. */
	void (*progress)(const struct load_progress *progress, void *context);
	void *context;
	/* Ends the load early when it becomes non-zero: for the handler of SIGINT. */
	const volatile sig_atomic_t *stop;
};

/** What came of it. */
struct load_result {
	struct address address; /* that was reached */
	unsigned threads;       /* that drove it */
	double elapsed;         /* measured time in seconds */
	uint64_t exchanges;     /* completed, and right, in that time */
	uint64_t bytes;         /* of their replies */
	uint64_t made;          /* connections established in all, the idle ones aside */
	unsigned served;        /* of plan.connections, how many ever got a whole reply */
	unsigned idle_made;     /* silent connections that were established */
	unsigned
		idle_standing; /* of these, how many the server had not closed at the end */
	uint64_t unsent;       /* open loop: requests due but never sent */
	uint64_t errors[LOAD_ERRORS];
	int other;                /* errno of the last LOAD_OTHER */
	struct histogram latency; /* of the exchanges; from when each was due */
};

/**
 * Runs the plan. It takes at most the duration, and before it what connecting takes:
 * until the first connection stands, the timeout (without plan.retry never longer than
 * the duration or, if that is more, a second); then a second for the others and two for
 * the idle ones. What is not connected by then goes on trying within the measured time.
 *
 * A connection that still waits for a reply at the end is no error. A server that serves
 * nobody therefore shows as served == 0, with or without LOAD_TIMED_OUT.
 *
 * The soft limit on descriptors is raised as far as is needed.
 *
 * @param result  is filled in any case
 * @return 0 when it was measured, whatever came of it; -1 with *failure when it could not
 *         be: the host is unknown, nobody answers there (which is in result->errors,
 *         too), or descriptors, memory or threads do not suffice
 */
int load_run(const struct load_plan *plan, struct load_result *result,
	     struct failure *failure);

/** All errors together. */
uint64_t load_errors(const struct load_result *result);

/** "conversations", "connections", "idle", "bulk". */
const char *load_kind_name(enum load_kind kind);

/** The kind of that name. @return true and *kind, or false when there is none */
bool load_kind_find(const char *name, enum load_kind *kind);

/** "refused", "reset", "timed out", "wrong reply", "closed early", "other". */
const char *load_error_name(enum load_error error);

#endif
