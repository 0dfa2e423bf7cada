/*
 * load_connection - what the ways to drive a connection share: stream.c over TCP,
 * datagram.c over UDP, room.c where clients meet. Only these and worker.c need
 * to know.
 *
 * A connection is in one of five states:
 *
 *     CLOSED ──────> CONNECTING ──────> FREE ──────> BUSY ──────> ENDING
 *       ^  pause over      │  connected  ^  a request  │  the time    the server is to
 *       │                  │             │  is due     │  is over     close (a sink only)
 *       └──────────────────┴─────────────┴─────────────┘
 *         refused, reset, timed out, wrong, closed; or FREE again: the reply is whole
 *
 * At the end of the measured time those that are CONNECTING or BUSY are waited for
 * (worker.c), and each is CLOSED when it has its reply.
 *
 * With LOAD_CONNECTIONS a free one has no socket: a request that is due goes through
 * CONNECTING, and the socket is closed when the reply is whole. A socket of UDP is never
 * CONNECTING, and BUSY only when it can have no further request on its way. Where clients
 * meet, CONNECTING lasts until one has come in; who only listens is FREE, and who speaks is
 * BUSY when it can have no further line on its way.
 */
#ifndef CLIENT_LOAD_CONNECTION_H
#define CLIENT_LOAD_CONNECTION_H

#include "client/load/worker.h"
#include "common/poller.h"

#define MILLISECOND INT64_C(1000000)
#define SECOND      INT64_C(1000000000)
#define NEVER       INT64_MAX

enum { RECEIVE_SIZE = 128 * 1024 };

enum load_state { CLOSED, CONNECTING, FREE, BUSY, ENDING };

struct load_slot;
struct load_seats;

struct load_connection {
	struct load_exchange exchange;
	int64_t due;   /* when its request was: the latency counts from here */
	int64_t wake;  /* its time is over; CLOSED: try again */
	int64_t pause; /* before the next try; 0 if the last one went well */
	int fd;
	unsigned watched; /* what the poller watches it for; 0: does not know it */
	enum load_state state;
	bool queued;                  /* in the queue of those that are free */
	bool served;                  /* got a whole reply at least once */
	bool served_late;             /* ... but only after the measured time */
	struct load_connection *next; /* in the queue */
	int64_t moved_at;             /* of a sink: when the kernel last took bytes */
	/* Of datagrams: */
	struct load_slot *slots; /* the requests on their way, and the last ones before */
	unsigned waiting;        /* how many are on their way */
	uint64_t newest;         /* the highest number that was answered */
};

/** How a connection is driven. */
struct load_way {
	/** What it needs, beside zeroed connections. @return 0, or -1 with errno */
	int (*prepare)(struct load_worker *worker);
	/** A CLOSED connection is to get a socket. */
	void (*open)(struct load_worker *worker, struct load_connection *connection);
	/** A FREE one has a request to send that was due then. */
	void (*begin)(struct load_worker *worker, struct load_connection *connection,
		      int64_t due);
	/** Its socket is ready. */
	void (*ready)(struct load_worker *worker, struct load_connection *connection,
		      unsigned ready);
	/** Its time is over. */
	void (*expire)(struct load_worker *worker, struct load_connection *connection);
	/** The measured time begins. NULL: nothing is to be done. */
	void (*start)(struct load_worker *worker);
	/** The measured time is over. NULL: the sockets just close. */
	void (*finish)(struct load_worker *worker);
};

extern const struct load_way load_stream, load_datagram, load_broadcast;

struct load_worker {
	struct load_shared *shared;
	const struct load_plan *plan;
	const struct load_protocol *protocol;
	const struct load_way *way;
	struct poller *poller;
	unsigned number;
	unsigned count;
	struct load_connection *connections;
	char *states; /* of the protocol: state_size bytes for each of them */
	struct load_connection *queue, **queue_end; /* free ones; longest free first */
	char *received;                             /* RECEIVE_SIZE bytes */
	int64_t now;                                /* as of the last look at the clock */
	int64_t start; /* of the measured time; NEVER before it is known */
	int64_t end;
	int64_t next_wake;        /* the earliest wake of all connections, or earlier */
	uint64_t requests;        /* how many were taken from the schedule (open loop) */
	unsigned turns;           /* threads that take turns at that */
	unsigned ending;          /* connections that are ENDING */
	struct load_slot *slots;  /* of datagrams: those of all connections */
	char *datagram;           /* ... room to put one together */
	unsigned slots_each;      /* ... how many of them a connection has */
	struct load_seats *seats; /* where clients meet: what each has heard */
	atomic_uint_least64_t exchanges; /* for load_worker_exchanges() */
	struct load_result result;       /* its share */
};

/** It has nothing to do: it gets the next request, if one is due, or waits for one. */
void load_connection_go_on(struct load_worker *worker,
			   struct load_connection *connection);

/** Appends it to the queue of connections that wait for a request. */
void load_connection_queue(struct load_worker *worker,
			   struct load_connection *connection);

/** Takes the connection that waits longest out of the queue, which is not empty. */
struct load_connection *load_connection_dequeue(struct load_worker *worker);

/** It is FREE, and no time runs for it. */
void load_connection_set_free(struct load_connection *connection);

/** Has the way's expire() called at that time, unless it is changed before. */
void load_connection_set_wake(struct load_worker *worker,
			      struct load_connection *connection, int64_t wake);

/** Has the poller watch for this (0: for nothing); asks it for nothing that it knows. */
void load_connection_watch(struct load_worker *worker, struct load_connection *connection,
			   unsigned wanted);

/** Closes its socket. */
void load_connection_shut(struct load_worker *worker, struct load_connection *connection);

/** It came to a bad end: counts that, closes it, and has it opened anew after a pause. */
void load_connection_fail(struct load_worker *worker, struct load_connection *connection,
			  enum load_error error);

/** It has come to an end that is no error: as load_connection_fail(), but not counted. */
void load_connection_retire(struct load_worker *worker,
			    struct load_connection *connection);

/** As load_connection_fail(), for an errno. */
void load_connection_fail_errno(struct load_worker *worker,
				struct load_connection *connection, int error);

/** Counts an exchange whose request was @p due, if it is not too late for that.
 *  @return whether it was counted */
bool load_connection_count(struct load_worker *worker, int64_t due, size_t bytes);

/** It got no whole reply in time: as load_connection_fail(), and notes how far it came. */
void load_connection_fail_silent(struct load_worker *worker,
				 struct load_connection *connection);

/** It got a whole reply, but after the measured time. */
void load_connection_served_late(struct load_worker *worker,
				 struct load_connection *connection);

/** It got what it was there for at least once. */
void load_connection_served(struct load_worker *worker,
			    struct load_connection *connection);

#endif
