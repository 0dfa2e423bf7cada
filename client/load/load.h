/*
 * load - the engine that loads a server and measures the results.
 *
 * loadgen is its command line; versus runs it against one model after the other.
 * Several threads, each with its own poller, keep a number of connections busy with
 * exchanges (a request and its reply). Every reply is checked byte by byte. The
 * protocol (client/load/protocol.h) defines the bytes.
 *
 *     load.c ─── worker.c ──────┬─ stream.c      a connection over TCP
 *        │       one thread     ├─ datagram.c    a UDP socket, with numbered requests
 *        │                      └─ room.c        clients that receive each other's lines
 *        ├────── idle.c                          the silent connections of "idle"
 *        └────── faults.c                        the faulty clients, in one more thread
 *
 * The transports call connection.c (states, counts), which calls schedule.c (when
 * requests are due). With UDP a "connection" is a socket with its own port: one peer
 * for the server.
 */
#ifndef CLIENT_LOAD_LOAD_H
#define CLIENT_LOAD_LOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/load/endpoint.h"
#include "client/load/error.h"
#include "client/load/fault.h"
#include "client/load/histogram.h"
#include "client/load/protocol.h"
#include "common/address.h"
#include "common/failure.h"

/** The phase of a load. */
enum load_phase {
	LOAD_CONNECTING, /* connecting; nothing has been sent */
	LOAD_SETTLED,    /* reported once: all connections are established, or have
			  * failed; the clock starts after the callback returns */
	LOAD_RAMPING,    /* requests are sent, but not measured: load_plan.ramp */
	LOAD_RUNNING,    /* the measured time */
};

struct load_progress {
	enum load_phase phase;
	double seconds;     /* of the measured time */
	uint64_t exchanges; /* approximate */
	unsigned idle;      /* number of silent connections */
};

/** Milliseconds after the measured time in which last replies may arrive. */
enum { LOAD_GRACE = 5000 };

/** Requests per second that a plan can ask for. */
enum { LOAD_MOST_RATE = 10000000 };

/** Open loop: a request that this program sends later than this many nanoseconds, although a
 *  connection is free, is tardy. */
#define LOAD_TARDY INT64_C(1000000)

/** No timeout: a hundred years, in milliseconds. */
#define LOAD_FOR_EVER (INT64_C(100) * 366 * 24 * 60 * 60 * 1000)

/** Bytes that may contain NUL. */
struct load_bytes {
	const char *bytes;
	size_t length;
};

/**
 * Takes the argument of an option, with the escapes of C (text_unescape()). The memory
 * is never freed: it is needed as long as the program runs.
 *
 * @param option  its name, for *failure
 * @return 0, or -1 with *failure: an escape that C does not have, or no memory
 */
int load_bytes_take(struct load_bytes *bytes, const char *option, const char *text,
		    struct failure *failure);

/** The plan of a load. A zeroed member means what its comment says; the others must
 *  be set. */
struct load_plan {
	enum load_kind kind;
	const struct load_protocol *protocol; /* from load_protocol_find() */
	bool datagrams;                       /* UDP, not TCP */
	const char *host, *port;
	int family;                   /* AF_UNSPEC, AF_INET or AF_INET6 */
	struct load_sources sources;  /* addresses from which to connect, in turn */
	unsigned connections;         /* at a time, without the silent ones; 1 or more */
	unsigned idle;                /* silent connections, for LOAD_IDLE */
	struct load_fault_mix faults; /* faulty clients beside the honest ones; zeroed:
				       * none. Only over TCP */
	unsigned senders;  /* LOAD_BROADCAST: how many connections send lines */
	unsigned window;   /* ... lines in flight per sender */
	size_t size;       /* of a message in bytes, 1 or more; 0 if the protocol fixes
			    * it */
	const char *path;  /* the path of an HTTP request; NULL: "/" */
	const char *reply; /* expected reply, without its newline; "": any. NULL: the
			    * default of the server (reply, greet), or always the
			    * length of the first one (http) */
	struct load_bytes request; /* protocol request: the bytes of each request ... */
	struct load_bytes expect;  /* ... and of each reply; each 1 byte or more */
	int64_t duration;          /* the measured time in milliseconds, 1 or more */
	int64_t timeout; /* for connecting and for an exchange, in milliseconds; a
			    * datagram without a reply by then is lost. Or
			    * LOAD_FOR_EVER */
	double rate;     /* requests per second of all threads, sent when they are
			    * due (open loop); 0: each after the last reply (closed
			    * loop) */
	int64_t ramp;    /* milliseconds before the measured time in which the rate grows
		       * from 0 to plan.rate, or in a closed loop the number of
		       * connections; 0: none. Not for LOAD_BROADCAST */
	unsigned connect_rate; /* at most this many new connections a second; 0: any
				* number. Only over TCP */
	unsigned threads;      /* 0: one per two CPUs; never more than connections */
	bool retry; /* at the start, try again while refused, until the timeout */

	/* Called by the thread of load_run(), about ten times per second. */
	void (*progress)(const struct load_progress *progress, void *context);
	void *context;
	/* Ends the load when it becomes non-zero: for a signal handler. */
	const volatile sig_atomic_t *stop;
};

/** Counts of datagrams. Datagrams in flight at the end are only in the first count.
 *  None of these is an error: UDP does not guarantee delivery. But a socket that has lost
 *  requests and never received a datagram is a LOAD_NO_REPLY. */
struct load_fate {
	uint64_t sent;       /* requests */
	uint64_t lost;       /* had no reply within the timeout */
	uint64_t late;       /* replies to lost requests; numbered requests only */
	uint64_t duplicates; /* further replies to answered requests */
	uint64_t reordered;  /* replies in time, but after the reply to a later request
			    * of the same socket (RFC 4737); numbered requests only */
};

/** The result of a load. */
struct load_result {
	struct address address; /* the address of the server */
	unsigned sources;       /* number of source addresses that were set; 0: the kernel
				 * has chosen */
	unsigned threads;       /* number of threads */
	size_t size;            /* of a message in bytes */
	double elapsed;         /* measured time in seconds */
	uint64_t exchanges;     /* correct exchanges in the measured time; sink: requests
			     * that the kernel accepted */
	uint64_t uploads;       /* the uploads among them (load_exchange.upload) */
	uint64_t bytes;         /* of the replies, or of the requests of uploads; sink:
			     * accepted by the kernel */
	uint64_t lines_sent;  /* broadcast: lines that were sent, also after the measured
			     * time. There an exchange is a line received by one client
			     * in the measured time */
	uint64_t due;         /* broadcast: deliveries that these lines need */
	uint64_t delivered;   /* broadcast: deliveries that arrived: due -
			     * errors[LOAD_LOST_LINE] */
	uint64_t made;        /* connections established, without the silent ones */
	unsigned served;      /* of plan.connections: those with a complete reply in the
			     * measured time */
	unsigned served_late; /* ... and those with the first one only after it */
	unsigned waiting;     /* connections that waited for a reply when the load was
			   * stopped early */
	unsigned
		never_answered; /* of errors[LOAD_NO_REPLY]: connections that never received
			   * a byte, where the server speaks first */
	unsigned unanswered;    /* connections whose last request has no reply: each is
				 * also in errors[LOAD_NO_REPLY] */
	unsigned idle_made;     /* established silent connections */
	unsigned idle_open;     /* of these: not closed by the server at the end */
	struct load_fault_ends faults[LOAD_FAULTS]; /* connections of the faulty clients;
						     * everything else in here is of
						     * the honest ones */
	uint64_t unsent; /* open loop: requests that were due but not sent */
	uint64_t errors[LOAD_ERRORS];
	int other;              /* errno of the last LOAD_OTHER */
	struct failure wrong;   /* the last LOAD_WRONG_REPLY: first wrong byte,
				 * received and expected bytes; escaped */
	struct failure silence; /* the last LOAD_NO_REPLY: how much arrived */
	uint64_t cookies; /* SYN cookies sent by this machine, if never_answered > 0; 0 if
			   * unknown */
	struct load_fate fate;    /* of the datagrams */
	struct histogram latency; /* of the exchanges, since each was due */
	struct histogram service; /* open loop: of the same, since each was sent; closed
				   * loop: empty, because a request is sent when due */
	double busy;       /* CPU time of the busiest thread in the measured time, as a
			    * part of that time: 0 to 1 */
	uint64_t requests; /* open loop: requests that were begun */
	uint64_t tardy;    /* ... of these, more than LOAD_TARDY after they were due and
			    * a connection was free */
	int64_t tardiest;  /* ... nanoseconds: the longest such delay */
};

/**
 * Replaces zeros of connections, size, idle, senders, window and timeout by the
 * defaults of the protocol and load, and checks the plan. load_run() requires a plan
 * that has passed this.
 *
 * @return 0, or -1 with *failure, which names the wrong part
 */
int load_plan_complete(struct load_plan *plan, struct failure *failure);

/** Whether the host of the plan is the name of a UNIX-domain socket. */
bool load_plan_is_local(const struct load_plan *plan);

/** Whether messages have a size that the plan can set: some services send without a
 *  request. */
bool load_plan_has_size(const struct load_plan *plan);

/**
 * Runs the plan. It takes the duration and the ramp, and the time to connect before them: the timeout
 * for the first connection (without plan.retry at most the duration or, if longer, a
 * second), then a second for the other connections, and for the silent ones two seconds
 * and half a millisecond for each. A connect rate adds the time that it needs.
 * Connections that are not established by then continue to try within the measured
 * time.
 *
 * A request without a reply at the end of the measured time is not counted. Its reply
 * is waited for: until its timeout, and at most LOAD_GRACE. A reply is checked, and its
 * connection closed, so that an iterative server can serve the next client. No reply is
 * a LOAD_NO_REPLY. The silent connections are closed first. A load that is stopped
 * early does not wait.
 *
 * With a sink the measured time ends when the server has read everything; it shows this
 * by closing a half-closed connection. The limit is the timeout after the duration.
 *
 * With a broadcast protocol, clients that are not in the room at the start are left
 * out. After the measured time no client sends. All listen until each has received all
 * lines, or nothing for the timeout (at most five seconds), or for a minute in all.
 * Then they half-close and read until the server closes.
 *
 * A UDP server first gets a probe, repeatedly, until it answers (sink: until it does
 * not refuse), for the timeout, but at least two seconds; with plan.retry five. The
 * probe has its own socket and is not counted.
 *
 * The faulty clients of plan.faults misbehave in the measured time, and are closed at its
 * end. They change neither the other results nor the errors.
 *
 * If the server is on loopback and plan.sources is empty, source addresses are added as far as
 * the ports of one do not suffice (load_endpoint_add_sources()).
 *
 * The soft limit of descriptors is raised as far as needed.
 *
 * @param result  is filled in any case
 * @return 0 after a measurement, whatever the result; -1 with *failure if it was not
 * possible: the host is unknown, no process listens there (also counted in
 * result->errors), or descriptors, memory or threads do not suffice
 */
int load_run(const struct load_plan *plan, struct load_result *result,
	     struct failure *failure);

/** Why the load generator itself limited the results. */
enum load_bottleneck {
	LOAD_NO_BOTTLENECK,
	LOAD_BUSY_THREAD, /* a thread needed the CPU at least 90 % of the measured time */
	LOAD_TARDY_REQUESTS, /* more than 1 % of the requests were tardy */
};

/** Whether the figures are those of the load generator rather than of the server. */
enum load_bottleneck load_bottleneck(const struct load_result *result);

/** The sum of all errors. */
uint64_t load_errors(const struct load_result *result);

#endif
