/*
 * server - what every model needs besides its way of waiting: whether to go on, the next client,
 * the limits.
 *
 * A model is written around these calls:
 *
 *     while (server_running(server)) {
 *             connection = server_wait(server);
 *             if (connection != NULL)
 *                     serve it in a worker; at its end server_left(server)
 *     }
 *
 * A model that waits for its clients' sockets as well calls server_pselect() in the place of
 * server_wait(), and server_accept() when a listener is ready.
 *
 * Only the process and thread that runs the model may call these, except server_left().
 */
#ifndef SERVER_CORE_SERVER_H
#define SERVER_CORE_SERVER_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/select.h>

#include "common/address.h"
#include "common/failure.h"
#include "common/listeners.h"
#include "common/message.h"
#include "common/retry.h"
#include "server/model.h"
#include "server/service.h"
#include "server/core/statistics.h"

struct connection;

/** How long clients may take to finish once the server was told to stop; for how long one
 *  must then be silent to have asked for all that it wants; and how long a server that
 *  hangs up waits for the client to do the same. Milliseconds. */
enum { SERVER_GRACE = 5000, SERVER_QUIET = 100, SERVER_LINGER = 1000 };

struct server {
	const struct service *service;
	const struct model *model;
	const struct hub_place
		*hub; /* where the clients share state; NULL: they do not */

	/* What the options say; times in milliseconds, 0 is never. */
	unsigned max_clients;
	int64_t idle_timeout;
	int64_t exit_idle;
	bool datagrams;  /* the listeners are datagram sockets, and all talk on them */
	bool amplify;    /* a reply may be longer than the datagram it answers */
	int64_t repeats; /* of a peer's datagrams that are answered (repetition.h); 0: all;
			    -1: the default for its port */

	struct listeners listeners; /* non-blocking; none once they are closed */
	sigset_t wait_mask;         /* for pselect(2): our signals come through */
	bool stopping;              /* no more clients; those there may finish */
	int64_t stop_at;            /* when they must have */
	struct statistics *statistics;

	/* From here on: this module's own. */
	pthread_t thread;     /* the model's */
	atomic_uint clients;  /* there now */
	unsigned room;        /* of -c, for so many there are descriptors enough */
	unsigned low_numbers; /* up to so many, the sockets' numbers will do */
	unsigned turn;        /* the listener to ask first for the next client */
	unsigned early[LISTENERS_MOST]; /* so many may have come before each was ours */
	unsigned in_a_row;           /* clients that came without a wait between them */
	_Atomic int64_t empty_since; /* when the last one left */
	atomic_bool full;            /* out of descriptors, processes, memory */
	int64_t retry_at;            /* when to try again all the same */
	_Atomic int64_t retry_after; /* how long to wait the next time; milliseconds */
	struct retry accepts;        /* those that failed for a reason of one client */
	struct retry waits;          /* of the model */
	struct retry reads;          /* from a datagram socket */
	/* when to report again that there is no room: as an error, or as a notice */
	int64_t repeat_at[MESSAGE_NOTICE + 1];
	int64_t failure_repeat_at; /* when to report again that a call keeps failing */
	int64_t lost_repeat_at;    /* when to report again that a client was lost */
	unsigned lost;             /* since the last such report */
	struct connection *held;   /* accepted, but nobody could be found to serve it */
	struct connection *spare;  /* ready for the next client */
};

/** Whether the model has all that this service and these options need.
 *  @return 0, or -1 with the reason in @p failure */
int server_check_model(const struct server *server, struct failure *failure);

/** Prepares @p server, whose options are set, to serve on @p listeners, which it owns from
 *  then on: installs the signals, makes the statistics. @return 0, or -1 with errno */
int server_begin(struct server *server, const struct listeners *listeners);

/** How many descriptors are reserved for what a session may open beside its socket. */
unsigned server_files_of_session(const struct server *server);

/** Attends to signals. @return false when the model must end: everybody has left, the
 *  grace is over, or a second signal came */
bool server_running(struct server *server);

/** Whether a client would be accepted now: if not, do not wait for one, or the wait ends
 *  at once, again and again. */
bool server_accepting(struct server *server);

/** How long the model may wait, in milliseconds, until it must ask server_running() again
 *  though nothing happened; or CLOCK_NEVER.
 *  @param until  a moment of its own that it must not miss, or CLOCK_NEVER */
int64_t server_timeout(struct server *server, int64_t until);

/**
 * Takes the result of the call in which the model waited, @p ready, with its errno. When such
 * a call fails again and again (ENOMEM, above all), says so once and waits, longer each time,
 * so that the model does not spin. Signals come in meanwhile.
 *
 * @return how many descriptors are ready; 0 after a signal or an error
 */
int server_wait_result(struct server *server, int ready);

/** The same for a read from the datagram socket that failed with errno.
 *  @return whether it may be called again at once */
bool server_read_failed(struct server *server);

/** Waits for a client, a signal, or until server_timeout() is over: the only
 *  wait of a model whose clients are served by other processes or threads.
 *  @return the client's connection, as from server_accept(); NULL when it was something
 *          else, or nothing */
struct connection *server_wait(struct server *server);

/**
 * Waits by pselect(2), as every model without a wait of its own does: for the descriptors in the
 * sets, for the listeners if a client would be accepted now, for a signal, and no longer than
 * server_timeout() allows.
 *
 * @param highest   the highest descriptor in the sets, or -1
 * @param readable  the listeners are added to it
 * @param writable  or NULL
 * @param until     a moment of the model's own that it must not miss, or CLOCK_NEVER
 * @return how many are ready; 0 after a signal, the time or an error
 */
int server_pselect(struct server *server, int highest, fd_set *readable, fd_set *writable,
		   int64_t until);

/** After server_pselect(): takes the listeners out of the set, and their number off @p ready.
 *  @return whether server_accept() is to be called until it returns NULL */
bool server_has_client(struct server *server, fd_set *readable, int *ready);

/** In a child that is to serve this client: closes what is the parent's alone, the listeners
 *  and the hub's ends of other clients. */
void server_enter_child(struct server *server, struct connection *connection);

/**
 * Takes the next client, if one waits and there is room; of several listeners each has its
 * turn. When there is no room (-c, or out of descriptors or memory) that is said once, and
 * no client is taken until one leaves.
 *
 * @return its connection, which the caller owns; or NULL
 */
struct connection *server_accept(struct server *server);

/** Gives back a client that nobody can serve now: @p what ran out (fork(2) or
 *  pthread_create(3) failed with @p error). It is not lost: server_accept() returns it
 *  first when there is room again. */
void server_hold(struct server *server, struct connection *connection, const char *what,
		 int error);

/** A new peer on a datagram socket is a client, too: counts it. */
void server_arrived(struct server *server);

/** Says, once in a while, that something is lacking, and with @p error why. */
void server_lack(struct server *server, const char *what, int error);

/** Says, once in a while, that a client was lost because the process that served it did not
 *  end by itself: @p how it ended. Those that are not mentioned are counted in the next such
 *  line, or at the end. */
void server_lost(struct server *server, const struct address *peer, const char *how);

/** Releases a connection whose client this process does not serve, or no longer: closes
 *  its descriptor here, and keeps the memory for the next client. */
void server_release(struct server *server, struct connection *connection);

/** In the parent: a child serves this client now. Closes the descriptor here. */
void server_hand_over(struct server *server, struct connection *connection);

/** A client has left, and its connection is released. Any thread of the process may call
 *  it: wakes the model if it waits for that. */
void server_left(struct server *server);

/** Releases what the server holds when the model has ended. */
void server_end(struct server *server);

#endif
