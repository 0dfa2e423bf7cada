/*
 * load_connection - a connection of the load: what its transports share. These are
 * stream.c (streams), datagram.c (UDP) and room.c (broadcasts). Only they and worker.c use
 * it.
 *
 * A connection is in one of five states:
 *
 *     CLOSED ──────> CONNECTING ──────> FREE ──────> BUSY ──────> ENDING
 *       ^  pause over      │  connected  ^  a request  │  the time    the server must
 *       │                  │             │  is due     │  is over     close (sink only)
 *       └──────────────────┴─────────────┴─────────────┘
 *         refused, reset, timed out, wrong, closed; or FREE again: the reply is complete
 *
 * After the measured time, worker.c waits for the connections that are CONNECTING or
 * BUSY, and each is CLOSED when it has its reply.
 *
 * With LOAD_CONNECTIONS a free connection has no socket: a due request goes through
 * CONNECTING, and the socket is closed after the reply. A UDP socket is never
 * CONNECTING, and BUSY only if no further request may be outstanding. With a broadcast
 * protocol, CONNECTING lasts until the client is in the room; a client that only
 * listens is FREE, and a sender is BUSY if its window is full.
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
struct load_members;

struct load_connection {
	struct load_exchange exchange;
	int64_t due;        /* when its request was due: its latency starts here */
	int64_t begun;      /* ... and when it was sent: its service time starts here */
	int64_t free_since; /* when it was queued */
	int64_t wake;       /* when its timeout expires; CLOSED: when to try again */
	int64_t pause;      /* before the next try; 0 after a success */
	int64_t give_up;    /* CONNECTING without a socket, because the backlog of a
			     * UNIX-domain socket is full: until when; else 0 */
	int fd;
	unsigned watched; /* events that the poller watches; 0: not in the poller */
	enum load_state state;
	bool queued;                  /* in the queue of free connections */
	bool held;                    /* CLOSED until the connect rate allows it */
	bool served;                  /* got a complete reply at least once */
	bool served_late;             /* ... but only after the measured time */
	bool unanswered;              /* its last request got no complete reply in time */
	struct load_connection *next; /* in the queue */
	int64_t moved_at;             /* sink: when the kernel last accepted bytes */
	/* UDP: */
	bool heard;              /* a datagram has arrived, right or wrong */
	bool lost;               /* a request had no reply in time */
	struct load_slot *slots; /* the outstanding requests, and the last ones before
				  * them */
	unsigned waiting;        /* number of outstanding requests */
	uint64_t newest;         /* highest number of an answered request */
};

/** A transport: how a connection is driven. */
struct load_transport {
	/** Allocates what the transport needs. The connections are zeroed. @return
	 *  0, or -1 with errno */
	int (*prepare)(struct load_worker *worker);
	/** A CLOSED connection needs a socket. */
	void (*open)(struct load_worker *worker, struct load_connection *connection);
	/** A FREE connection sends a request that was due at @p due. */
	void (*begin)(struct load_worker *worker, struct load_connection *connection,
		      int64_t due);
	/** Its socket is ready. */
	void (*ready)(struct load_worker *worker, struct load_connection *connection,
		      unsigned ready);
	/** Its timeout has expired. */
	void (*expire)(struct load_worker *worker, struct load_connection *connection);
	/** The measured time starts. NULL: nothing to do. */
	void (*start)(struct load_worker *worker);
	/** The measured time is over. NULL: sockets are just closed. */
	void (*finish)(struct load_worker *worker);
};

extern const struct load_transport load_stream, load_datagram, load_broadcast;

struct load_worker {
	struct load_shared *shared;
	const struct load_plan *plan;
	const struct load_protocol *protocol;
	const struct load_transport *transport;
	struct poller *poller;
	unsigned number;
	unsigned count;
	struct load_connection *connections;
	char *states; /* of the protocol: state_size bytes per connection */
	struct load_connection *queue, **queue_end; /* free connections; the longest
						     * free first */
	char *received;                             /* RECEIVE_SIZE bytes */
	int64_t now;                                /* time of the last clock reading */
	int64_t from;  /* when the first request may be sent; NEVER before it is known */
	int64_t start; /* of the measured time; NEVER before it is known */
	int64_t end;
	int64_t connect_pause;   /* between two new connections of this thread; 0: none */
	int64_t next_connect;    /* not before */
	int64_t cpu_at_start;    /* CPU time of the thread when the measured time began */
	int64_t next_wake;       /* the earliest wake of all connections, or earlier */
	uint64_t requests;       /* number of requests taken from the schedule (open
				   * loop) */
	unsigned turns;          /* number of threads that share the schedule */
	unsigned ending;         /* number of connections that are ENDING */
	struct load_slot *slots; /* UDP: the slots of all connections */
	char *datagram;          /* ... buffer for one datagram */
	unsigned slots_each;     /* ... slots per connection */
	struct load_members *members;    /* broadcast: what each client has received */
	atomic_uint_least64_t exchanges; /* for load_worker_exchanges() */
	struct load_result result;       /* the result of this thread */
};

/** A connection has no work: it sends the next request, if one is due, or waits in
 *  the queue. */
void load_connection_go_on(struct load_worker *worker,
			   struct load_connection *connection);

/** Appends it to the queue of connections that wait for a request. */
void load_connection_queue(struct load_worker *worker,
			   struct load_connection *connection);

/** Takes the connection that waits longest out of the queue, which is not empty. */
struct load_connection *load_connection_dequeue(struct load_worker *worker);

/** Makes it FREE, without a timeout. */
void load_connection_set_free(struct load_connection *connection);

/** Sets the time at which transport->expire() is called, unless it is changed before. */
void load_connection_set_wake(struct load_worker *worker,
			      struct load_connection *connection, int64_t wake);

/** Sets the events to watch (0: none). No system call if nothing changes. */
void load_connection_watch(struct load_worker *worker, struct load_connection *connection,
			   unsigned wanted);

/** Whether the connect rate allows a new connection now. */
bool load_connection_may_connect(const struct load_worker *worker);

/** A new connection is opened: counts it for the connect rate. */
void load_connection_note_connect(struct load_worker *worker);

/** A CLOSED connection is opened at once, or when the connect rate allows it. */
void load_connection_open(struct load_worker *worker, struct load_connection *connection);

/**
 * Starts to connect; it is CONNECTING then, with the timeout of the plan. The backlog of a
 * UNIX-domain socket may be full: then it has no socket yet, and transport->expire() tries again
 * if load_connection_may_try_again().
 *
 * @return whether it has a socket; if not, it may also have failed
 */
bool load_connection_connect(struct load_worker *worker,
			     struct load_connection *connection);

/** Whether its timeout is only the next try for a place in the backlog. */
bool load_connection_may_try_again(const struct load_worker *worker,
				   const struct load_connection *connection);

/** Closes its socket. */
void load_connection_shut(struct load_worker *worker, struct load_connection *connection);

/** It failed: counts the error, closes the socket, and opens a new one after a
 *  pause. */
void load_connection_fail(struct load_worker *worker, struct load_connection *connection,
			  enum load_error error);

/** It ended without an error: as load_connection_fail(), but not counted. */
void load_connection_retire(struct load_worker *worker,
			    struct load_connection *connection);

/** As load_connection_fail(), for an errno. */
void load_connection_fail_errno(struct load_worker *worker,
				struct load_connection *connection, int error);

/** Counts an exchange whose request was @p due, and sent at @p begun, if the measured time
 *  is not over. @return whether it was counted */
bool load_connection_count(struct load_worker *worker, int64_t due, int64_t begun,
			   size_t bytes);

/** No complete reply in time: as load_connection_fail(), and records how much
 *  arrived. */
void load_connection_fail_silent(struct load_worker *worker,
				 struct load_connection *connection);

/** It got a complete reply after the measured time. */
void load_connection_served_late(struct load_worker *worker,
				 struct load_connection *connection);

/** It got a complete reply (or what the protocol calls so). */
void load_connection_served(struct load_worker *worker,
			    struct load_connection *connection);

#endif
