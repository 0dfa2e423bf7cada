/*
 * server - what all models share: when to stop, accepting the next client, and the
 * limits.
 *
 * A model is written around these calls:
 *
 *     while (server_running(server)) {
 *             connection = server_wait(server);
 *             if (connection != NULL)
 *                     serve it in a worker, which calls server_left(server) at the end
 *     }
 *
 * A model that also waits for its clients' sockets calls server_pselect() or server_ppoll()
 * instead of server_wait(), and server_accept() when a listener is ready.
 *
 * Only the process and thread that runs the model may call these, except server_left() and,
 * for models in which several threads accept, server_accepting(), server_accept(),
 * server_timeout(), server_goes_on() and server_lack().
 */
#ifndef SERVER_CORE_SERVER_H
#define SERVER_CORE_SERVER_H

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/select.h>

#include "common/address.h"
#include "common/address_prefix.h"
#include "common/failure.h"
#include "common/listeners.h"
#include "common/message.h"
#include "common/retry.h"
#include "common/socket_file.h"
#include "server/model.h"
#include "server/service.h"
#include "server/core/statistics.h"

struct connection;
struct handover;
struct served;

/** Times in milliseconds. */
enum {
	/** How long clients may take to finish after a stop signal. */
	SERVER_GRACE = 5000,
	/** A client that is silent for this long after the signal has no request under way. A lost
	 *  segment is sent again after 200 ms or more, on the loopback device too, where the receiver's
	 *  kernel drops what its buffer cannot hold. */
	SERVER_QUIET = 300,
	/** How long a server that closes first waits for the client to close. */
	SERVER_LINGER = 1000
};

/** The most ranges of --proxy-from. */
enum { PROXY_FROM_MOST = 32 };

struct server {
	const struct service *service;
	const struct model *model;
	const struct hub_place
		*hub; /* where the clients share state; NULL: they do not */

	/* The values of the options; times in milliseconds, 0 means never. */
	unsigned max_clients;
	/* What a model with a number of workers adds: clients that are accepted but wait for
	 * a worker, besides max_clients; and the option that limits the clients, for
	 * messages. NULL: --max-clients. */
	unsigned queued_most;
	const char *limited_by;
	int64_t idle_timeout;
	int64_t exit_idle;
	int backlog; /* of listen(2) */
	/* Called once, by the first server_running(): the model has everything that it needs to
	 * serve. NULL: nothing to do. */
	void (*ready)(const struct server *);
	/* Called when the server begins to stop, not in its workers. NULL: nothing to do. */
	void (*leaving)(const struct server *);
	struct handover *handover; /* --hand-over; NULL: nothing is handed over */
	bool local;                /* -a names a UNIX-domain socket */
	struct socket_file file;   /* of that socket, to be removed at the end */
	bool datagrams; /* the listeners are datagram sockets, which all peers share */
	bool amplify;   /* a reply may be longer than the datagram it answers */
	/* --proxy-protocol: each connection begins with a header, and comes from one of these
	 * addresses, or from a local socket. */
	bool proxy_protocol;
	struct address_prefix proxy_from[PROXY_FROM_MOST];
	unsigned proxy_from_count;
	int64_t repeats; /* --repeats, the limit of repeated datagrams (repetition.h);
			    0: no limit; -1: the default for the peer's port */

	struct listeners listeners; /* non-blocking; none once they are closed */
	unsigned opened;            /* listeners at the start, for server_ppoll() */
	sigset_t wait_mask;         /* for pselect(2): our signals are unblocked */
	atomic_bool stopping; /* accepts no more clients; the present ones may finish */
	_Atomic int64_t stop_at; /* when they must have finished */
	struct statistics *statistics;
	/* The model must be in its loop again at this time; CLOCK_NEVER: no such time. */
	int64_t wake_at;
	/* In the parent of worker processes, which accept by themselves or are passed their
	 * clients: which of them serve one (core/served.h). NULL: this process counts. */
	struct served *served;

	/* Set by the model. */
	unsigned
		descriptors; /* that check() has found to be needed, besides the clients' */
	void (*wake_all)(void); /* wakes all threads that may accept again; NULL: only the
				   one that runs the model */

	/* Private to server.c. */
	pthread_t thread; /* that runs the model */
	/* Held while a client is accepted, and while the listeners are closed. It guards what
	 * server_accept() writes: turn, early, held, spare, and the times of its messages. */
	pthread_mutex_t accept_mutex;
	atomic_uint clients;  /* present now */
	unsigned room;        /* clients that -c and the descriptors allow */
	unsigned low_numbers; /* up to this many clients, no descriptor is too high */
	unsigned turn;        /* the listener to ask first for the next client */
	unsigned early[LISTENERS_MOST]; /* clients queued before each was set up */
	unsigned in_a_row;              /* clients accepted without a wait between them */
	_Atomic int64_t empty_since;    /* when the last one left */
	atomic_bool full;               /* out of descriptors, processes, memory */
	_Atomic int64_t retry_at; /* when to accept again although no client has left */
	_Atomic int64_t retry_after; /* how long to wait the next time; milliseconds */
	struct retry accepts;        /* accept(2) failed because of one client */
	struct retry waits;          /* the wait of the model failed */
	struct retry reads;          /* a read from a datagram socket failed */
	unsigned lost;               /* clients lost since the last report of one */
	/* accepted, but there was no room for it, or no worker could be created. Several (a
	 * list by ->next) if the model itself accepts */
	_Atomic(struct connection *) held;
	struct connection *spare; /* ready for the next client */
};

/** Checks that the model supports what this service and these options need.
 *  @return 0, or -1 with the reason in @p failure */
int server_check_model(const struct server *server, struct failure *failure);

/** Says in @p failure that the server cannot start, with the reason in errno. @return -1 */
int server_cannot_start(struct failure *failure);

/** Prepares @p server, whose options are set, to serve on @p listeners, which it owns
 *  from then on: installs the signal handlers, and creates the statistics. @return 0, or
 *  -1 with the reason in @p failure */
int server_begin(struct server *server, const struct listeners *listeners,
		 struct failure *failure);

/** Returns how many descriptors are reserved for a session in addition to its socket. */
unsigned server_files_of_session(const struct server *server);

/** Handles pending signals. The first call says that the server is ready (server->ready).
 *  @return false when the model must end: after a stop signal all clients have left or
 *  SERVER_GRACE is over, or a second signal has arrived */
bool server_running(struct server *server);

/** What server_running() returns, without its effects. Any thread of the process may call
 *  this. */
bool server_goes_on(struct server *server);

/** Returns whether a client would be accepted now. If not, the model must not wait for
 *  one, because each wait would end at once. Any thread of the process may call this. */
bool server_accepting(struct server *server);

/** Returns how long the model may wait, in milliseconds, before it must call
 *  server_running() again; or CLOCK_NEVER.
 *  @param until  the time at which the model itself must wake up, or CLOCK_NEVER */
int64_t server_timeout(struct server *server, int64_t until);

/**
 * Handles the result of the call in which the model waited, @p ready, with its errno.
 * When such a call fails repeatedly (mostly with ENOMEM), prints one message and sleeps,
 * longer each time, so that the model does not spin. Signals are let in during the sleep.
 *
 * @return how many descriptors are ready; 0 after a signal or an error
 */
int server_wait_result(struct server *server, int ready);

/** The same for a read from the datagram socket that failed with errno.
 *  @return whether it may be called again at once */
bool server_read_failed(struct server *server);

/** Waits for a client, a signal, or the end of server_timeout(). For a model whose workers
 *  wait for the clients' sockets.
 *  @return the client's connection, as server_accept() returns it; or NULL if the wait ended
 *          for another reason */
struct connection *server_wait(struct server *server);

/**
 * Waits in pselect(2) for the descriptors in the sets, for the listeners if a client
 * would be accepted now, and for a signal, but no longer than server_timeout() allows.
 * For every model that has no wait of its own.
 *
 * @param highest   the highest descriptor in the sets, or -1
 * @param readable  the listeners are added to it
 * @param writable  or NULL
 * @param until     the time at which the model itself must wake up, or CLOCK_NEVER
 * @return how many are ready; 0 after a signal, the timeout or an error
 */
int server_pselect(struct server *server, int highest, fd_set *readable, fd_set *writable,
		   int64_t until);

/** Waits for a signal or the end of server_timeout(), and accepts nobody: for the main thread
 *  or the parent of workers that accept by themselves. */
void server_pause(struct server *server);

/** For a thread that waits in poll(2): writes the listeners to @p fds, which has room for
 *  LISTENERS_MOST. @return how many; 0 if no client would be accepted now */
unsigned server_poll_listeners(struct server *server, struct pollfd fds[]);

/** In a worker process that accepts, or is passed, one client after another: from now on
 *  the process counts only its own clients, and only a stop ends it. */
void server_become_worker(struct server *server);

/** After server_pselect(): removes the listeners from the set, and subtracts their number from
 *  @p ready. @return whether to call server_accept() until it returns NULL */
bool server_has_client(struct server *server, fd_set *readable, int *ready);

/**
 * As server_pselect(), with poll(2).
 *
 * @param watched  the first server->opened entries are set here, for the listeners
 * @param count    of all entries
 */
int server_ppoll(struct server *server, struct pollfd watched[], nfds_t count,
		 int64_t until);

/** After server_ppoll(): subtracts the listeners that are ready from @p ready. @return as
 *  server_has_client() */
bool server_has_polled_client(struct server *server, const struct pollfd watched[],
			      int *ready);

/** In the child that will serve this client: closes the descriptors that only the parent
 *  needs, which are the listeners and the hub's ends of the other clients' channels. */
void server_enter_child(struct server *server, struct connection *connection);

/**
 * Accepts the next client, if one waits and there is room. Several listeners take turns.
 * When there is no room (-c, or out of descriptors or memory), prints one message, and
 * accepts no client until one leaves. Any thread of the process may call this.
 *
 * @return the client's connection, which the caller owns; or NULL
 */
struct connection *server_accept(struct server *server);

/** The same, from other listeners than server->listeners: copies of them, or sockets that were
 *  opened beside them (listeners_open_beside()). */
struct connection *server_accept_from(struct server *server,
				      const struct listeners *listeners);

/** Adopts the client on the connected socket @p fd, which another program has accepted.
 *  @return the connection, which owns @p fd and belongs to the caller; or NULL with errno
 *          (ENOMEM) */
struct connection *server_adopt(struct server *server, int fd,
				const struct address *peer);

/** From now on the server stops when the last peer has left, or when none has come within
 *  the idle timeout. Does nothing if the idle timeout is 0. */
void server_exit_when_idle(struct server *server);

/** For a model that accepts by itself: how many clients it may accept now, more than those that it
 *  has been given; 0 when there is no room. */
unsigned server_places(struct server *server);

/**
 * For such a model: checks, counts and prepares a client as server_accept() does.
 *
 * @param connection  for this client, from connection_create(); no longer the caller's
 * @param listener    the number of the listener
 * @param fd          the client's descriptor
 * @return the client's connection; or NULL if it is refused or must wait: server_next_held()
 */
struct connection *server_admit(struct server *server, struct connection *connection,
				unsigned listener, int fd, const struct address *peer);

/** For such a model: it could not accept, with @p error. Does what server_accept() does then. */
void server_accept_failed(struct server *server, int error);

/** For such a model: the next client that server_admit() could not admit, if there is room for it
 *  now; or NULL. */
struct connection *server_next_held(struct server *server);

/** Gives back a client for which no worker could be created, because fork(2) or
 *  pthread_create(3) failed with @p error; @p what is the text for the message. The
 *  client is not lost: server_accept() returns it first when there is room again. */
void server_hold(struct server *server, struct connection *connection, const char *what,
		 int error);

/** A client was accepted, but no worker will serve it, because the server stops: closes the
 *  connection and counts the client as dropped. Any thread of the process may call this. */
void server_refuse(struct server *server, struct connection *connection);

/** Prints that the server has as many clients as it serves at a time; at most once a minute
 *  in this process. */
void server_report_full(struct server *server, unsigned clients);

/** Counts a new peer of a datagram socket as a client. */
void server_arrived(struct server *server);

/** Reports, at most once a minute, that @p what ran out, with the reason @p error. */
void server_lack(struct server *server, const char *what, int error);

/** Reports, at most once a minute, that a client was lost because the process that served
 *  it crashed or was killed; @p how is the text. The next such line, or the last one,
 *  counts the clients that were not reported. */
void server_lost(struct server *server, const struct address *peer, const char *how);

/** Releases the connection of a client that this process does not serve, or no longer
 *  serves: closes its descriptor in this process, and keeps the memory for the next
 *  client. */
void server_release(struct server *server, struct connection *connection);

/** In the parent: a child serves this client now. Closes the descriptor here. */
void server_hand_over(struct server *server, struct connection *connection);

/** A client has left, and its connection is released. Wakes the model if it waits for
 *  that. Any thread of the process may call this. */
void server_left(struct server *server);

/** Releases what the server holds when the model has ended. */
void server_end(struct server *server);

#endif
