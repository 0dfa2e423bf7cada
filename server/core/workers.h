/*
 * workers - the worker processes of a server that are made before the clients come: which
 * there are, when one must be replaced, and how a client is passed to one.
 *
 * The model decides how a worker gets its clients, and forks (model/prefork.c). The parent:
 *
 *     while (server_running(server)) {
 *             workers_attend(workers);
 *             while (workers_must_start(workers))
 *                     workers_add(workers, fork());         the child: workers_enter()
 *             wait, and perhaps workers_pass()
 *     }
 *     workers_end(workers);
 *
 * A worker:
 *
 *     workers_enter(workers);
 *     while (workers_go_on(workers)) {
 *             accept, and workers_take(); or workers_receive()
 *             serve the client
 *             workers_client_left(workers);
 *     }
 */
#ifndef SERVER_CORE_WORKERS_H
#define SERVER_CORE_WORKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/core/served.h"
#include "server/core/server.h"

struct workers {
	struct server *server;
	struct served *served; /* whose slots are the workers */
	bool passes;           /* the parent accepts, and passes the clients */
	uint64_t most_clients; /* of a worker, which then ends; 0: no limit */

	/* In the parent. */
	struct worker_process {
		pid_t pid; /* 0: none */
		int pipe;  /* the parent's end; -1: none */
	} * processes;     /* by slot */
	unsigned starting; /* the slot of the next fork(2) */
	int starting_pipe; /* the worker's end of its pipe; -1: none */
	unsigned owed;     /* workers that crashed or were killed, and are not replaced */
	unsigned credit;   /* how many of these may be replaced now */
	int64_t credit_at; /* when the credit was last increased; milliseconds */
	int64_t retry_at;  /* when to try fork(2) again */
	unsigned turns;
	atomic_llong death_report_at; /* for operator_is_due() */

	/* In a worker. */
	unsigned slot;
	uint64_t clients; /* that it has served */
	int pipe;         /* from the parent; -1: none */
	bool parent_gone;
	bool failed; /* it could not receive a client */
};

/** Begins without workers. There will be server->max_clients of them, or as many as the
 *  descriptors allow if the parent passes the clients.
 *  @param most_clients  that a worker serves before another one takes its place; 0: no limit
 *  @return 0, or -1 with errno (ENOMEM) */
int workers_begin(struct workers *workers, struct server *server, bool passes,
		  uint64_t most_clients);

/** In the parent, in each turn: passes signals on to the workers, and waits for those that
 *  have ended. */
void workers_attend(struct workers *workers);

/** Returns whether fork(2) is due now: a worker is missing. If workers keep crashing, their
 *  replacement is put off, and server->wake_at is set. */
bool workers_must_start(struct workers *workers);

/** In the parent, after fork(2): the worker is @p pid. -1: it failed with errno, which is
 *  reported, and tried again after a second. */
void workers_add(struct workers *workers, pid_t pid);

/** In the child, after fork(2). */
void workers_enter(struct workers *workers);

/** In a worker: handles pending signals. @return false when it must end */
bool workers_go_on(struct workers *workers);

/** In a worker: it has accepted this client. */
void workers_take(struct workers *workers, const struct connection *connection);

/** In a worker: waits for a client that the parent passes. @return it, or NULL after a
 *  signal, or when the parent has gone, or after an error, which is reported: then the worker
 *  must end, because the next call would fail as well */
struct connection *workers_receive(struct workers *workers);

/** In a worker that must end: its exit status. Another one than 0 counts as a crash, so the worker
 *  is not replaced faster than the limit. */
int workers_exit_status(const struct workers *workers);

/** In a worker: the client has left. */
void workers_client_left(struct workers *workers);

/** In the parent: passes the client to an idle worker. */
void workers_pass(struct workers *workers, struct connection *connection);

/** Kills the workers that are left, and waits for them. */
void workers_end(struct workers *workers);

#endif
