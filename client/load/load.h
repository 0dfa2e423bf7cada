/*
 * load - the engine that puts a server under load and measures what comes of it.
 *
 * loadgen is its command line; versus runs it against one model after the other. A
 * number of threads, each with its own poller, keep a number of connections busy with
 * exchanges (a request and its reply), and every reply is checked byte by byte. What is
 * said on a connection is the load_protocol's business (client/load/protocol.h).
 *
 *     load.c ─── worker.c ─────┬─ stream.c      a connection over TCP
 *        │       one thread     ├─ datagram.c    a UDP socket, with numbered requests
 *        │                      └─ room.c        clients that hear each other
 *        └────── crowd.c                         the silent connections of "idle"
 *
 * With datagrams a "connection" is a socket of its own, and so a port of its own: to the
 * server, one peer.
 */
#ifndef CLIENT_LOAD_LOAD_H
#define CLIENT_LOAD_LOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/load/error.h"
#include "client/load/histogram.h"
#include "client/load/protocol.h"
#include "common/address.h"
#include "common/failure.h"

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

/** Milliseconds after the measured time in which a last reply may come. */
enum { LOAD_GRACE = 5000 };

/** A timeout that is none: in milliseconds, a hundred years. */
#define LOAD_FOR_EVER (INT64_C(100) * 366 * 24 * 60 * 60 * 1000)

/** What to do. Zeroed fields mean what is said of each; the rest must be set. */
struct load_plan {
	enum load_kind kind;
	const struct load_protocol *protocol; /* from load_protocol_find() */
	bool datagrams;                       /* UDP, not TCP */
	const char *host, *port;
	int family;           /* AF_UNSPEC, AF_INET or AF_INET6 */
	unsigned connections; /* at a time, beside the idle ones; 1 or more */
	unsigned idle;        /* silent connections, for LOAD_IDLE */
	unsigned speakers;    /* of a LOAD_BROADCAST: how many of the connections speak */
	unsigned window;   /* ... lines that each may have on their way to the others */
	size_t size;       /* of a message in bytes, 1 or more; 0 where the protocol does
				 not leave it for choice */
	const char *path;  /* what http asks for; NULL: "/" */
	const char *reply; /* that is expected, without its newline; "": any. NULL: what
				 the server says by default (reply, greet), or always
				 as much as at first (http) */
	int64_t duration;  /* of the measured time, in milliseconds, 1 or more */
	int64_t timeout;   /* for a connect and for an exchange, in milliseconds; a
				 datagram that is not answered by then is lost. Or
				 LOAD_FOR_EVER */
	double rate;       /* requests a second in all, sent when they are due (open
				 loop); 0: each when the last was answered (closed loop) */
	unsigned threads;  /* 0: one for two CPUs; never more than connections */
	bool retry;        /* at the start, keep trying for the timeout when refused */

	/* Called by the thread that called load_run(), about ten times a second. */
	void (*progress)(const struct load_progress *progress, void *context);
	void *context;
	/* Ends the load early when it becomes non-zero: for the handler of SIGINT. */
	const volatile sig_atomic_t *stop;
};

/** What became of datagrams. Those on their way at the end are in none of the counts but
 *  the first. None of it is an error: UDP promises nothing else. */
struct load_fate {
	uint64_t sent; /* requests */
	uint64_t lost; /* had no reply within the timeout */
	uint64_t late; /* replies to these that came after all; to numbered ones only */
	uint64_t duplicates; /* replies to what had been answered already */
	uint64_t
		reordered; /* replies that came in time, but after that to a later request
				of the same socket (RFC 4737); numbered ones only */
};

/** What came of it. */
struct load_result {
	struct address address; /* that was reached */
	unsigned threads;       /* that drove it */
	size_t size;            /* of a message in bytes */
	double elapsed;         /* measured time in seconds */
	uint64_t exchanges; /* completed, and right, in that time; with a sink: requests
				   that the kernel took */
	uint64_t uploads;   /* of these, those that are (load_exchange.upload) */
	uint64_t bytes;     /* of their replies, or of the request of an upload; with a
			       sink: that the kernel took */
	uint64_t
		lines_sent; /* where clients meet an exchange is a line that one has heard,
			       in the measured time; and these count beyond it, too:
			       lines that were sent, */
	uint64_t due;       /* how often they should have been heard, */
	uint64_t heard;     /* and how often they were: due - errors[LOAD_NOT_HEARD] */
	uint64_t made;      /* connections established in all, the idle ones aside */
	unsigned served;    /* of plan.connections, how many ever got a whole reply in the
			    measured time; */
	unsigned served_late; /* and how many got their first one only after it */
	unsigned waiting; /* how many waited for a reply when the load was stopped early:
			     whether it would have come is not known */
	unsigned unheard; /* of errors[LOAD_NO_REPLY], on connections where the server
			     speaks first, those that never got a byte */
	unsigned idle_made; /* silent connections that were established */
	unsigned
		idle_standing; /* of these, how many the server had not closed at the end */
	uint64_t unsent;       /* open loop: requests due but never sent */
	uint64_t errors[LOAD_ERRORS];
	int other;              /* errno of the last LOAD_OTHER */
	struct failure wrong;   /* what was wrong with the last LOAD_WRONG_REPLY: at which
				      byte, what came, what is expected; escaped */
	struct failure silence; /* how far the last LOAD_NO_REPLY had come */
	uint64_t cookies; /* SYN cookies that this machine has sent, if there is one who
			     is unheard: 0 where the system does not tell */
	struct load_fate fate;    /* of the datagrams */
	struct histogram latency; /* of the exchanges; from when each was due */
};

/**
 * Sets what is 0 of connections, size, idle, speakers, window and timeout to the defaults for this protocol
 * and load, and checks that the plan makes sense. load_run() takes that for granted.
 *
 * @return 0, or -1 with *failure, which says what does not
 */
int load_plan_complete(struct load_plan *plan, struct failure *failure);

/** Whether a message has a size that can be told: some services speak without being
 *  asked. */
bool load_plan_has_size(const struct load_plan *plan);

/**
 * Runs the plan. It takes at most the duration, and before it what connecting takes:
 * until the first connection stands, the timeout (without plan.retry never longer than
 * the duration or, if that is more, a second); then a second for the others and two for
 * the idle ones. What is not connected by then goes on trying within the measured time.
 *
 * A request that waits for its reply at the end of the measured time is not counted, but
 * its reply is waited for: for the timeout from when it was sent, and LOAD_GRACE at most.
 * If it comes, it is checked, and its connection is closed, so that a server that serves
 * one client at a time comes to the next. If it does not, that is a LOAD_NO_REPLY. The
 * silent connections are closed before. When the load is stopped early nothing is waited
 * for.
 *
 * With a sink the measured time ends when the server has read all that was sent, which it
 * shows by closing a half-closed connection; the timeout at most after the duration.
 *
 * Where clients meet, those that have not come in by the start are left out. Behind the
 * measured time nobody speaks any more, and all listen until each has heard all, or has heard
 * nothing for the timeout, five seconds at most, or for a minute in all; then they
 * half-close, and listen until the server closes, too.
 *
 * A server of datagrams is first sent one, again and again, until it answers (a sink: until
 * it seems not to refuse), for the timeout, but two seconds at least, with plan.retry five.
 * That goes over a socket of its own, and is not counted.
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

#endif
