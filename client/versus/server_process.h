/*
 * server_process - a server under comparison: found, started, measured, stopped.
 *
 * versus opens the listening socket, on a port that the kernel chooses, and passes it
 * on by socket activation. So no port is guessed, and no client connects too early. The
 * server ends when versus ends, in whatever way. The command of a user may open its port
 * itself; see server_process_start().
 */
#ifndef CLIENT_VERSUS_SERVER_PROCESS_H
#define CLIENT_VERSUS_SERVER_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/lib/server_output.h"
#include "common/address.h"
#include "common/failure.h"
#include "common/process.h"
#include "common/socket_file.h"

enum {
	SERVER_PROCESS_NAME = 64,
	SERVER_PROCESS_PATH = 4096,
	SERVER_PROCESS_OPTIONS = 16,
	SERVER_PROCESS_WORKERS = 64, /* whose shares are read */
	SERVER_PROCESS_OTHERS = 16
};

struct server_process {
	char name[SERVER_PROCESS_NAME]; /* "echod-fork" */
	char path[SERVER_PROCESS_PATH];
	const char *command; /* of a user, for sh(1); NULL: a program of the suite */
	pid_t pid;           /* and its process group; 0: it is not running */
	/* Children of versus that were there before a command started. */
	pid_t others[SERVER_PROCESS_OTHERS];
	size_t other_count;
	struct server_output output; /* what it prints */
	/* Where it listens: 127.0.0.1 and its port, or a UNIX-domain socket and "". */
	char host[HOST_TEXT], port[PORT_TEXT];
	bool local;              /* the latter */
	struct socket_file file; /* of that socket, made by versus */
	int status;              /* its wait status, after it was stopped */
	int64_t received; /* bytes received, from its final statistics; -1: unknown */
	/* from there, too: how many workers share the clients; 0: unknown, or none; and in
	 * percent of the clients, the share of the worker that served the fewest, and the
	 * most */
	unsigned workers;
	double least_share, most_share;
	double shares[SERVER_PROCESS_WORKERS]; /* of each, in percent */
};

/**
 * Searches SERVICEd-MODEL in the folder of the program @p argv0, in ../sbin from there,
 * and in PATH.
 * @return 0 with server->name and ->path, or -1 with *failure
 */
int server_process_find(struct server_process *server, const char *argv0,
			const char *service, const char *model, struct failure *failure);

/** How to run it. */
struct server_process_settings {
	bool datagrams;             /* UDP, not TCP */
	bool local;                 /* a UNIX-domain socket, not TCP */
	unsigned clients;           /* maximum number of clients at a time */
	const char *const *options; /* options of its service, terminated by NULL, at
				     * most SERVER_PROCESS_OPTIONS; not for a command */
	bool quiet; /* with these options it does not print that it listens (TCP only) */
	const volatile sig_atomic_t *stop; /* non-zero: do not wait until it is ready */
};

/**
 * Starts it, and waits until it is ready. A server of the suite is ready when it prints
 * "listening on", or, if it is quiet, has served a client that sends nothing. A command
 * with "{port}" gets a free port there, and is ready when the port accepts a client; with
 * settings->local the same for "{path}", the path of a UNIX-domain socket. Any
 * other command gets the listening socket as descriptor 3, and prints "listening on".
 *
 * @return 0, or -1 with *failure: it cannot be started; or how it ended, and its last
 * line
 */
int server_process_start(struct server_process *server,
			 const struct server_process_settings *settings,
			 struct failure *failure);

/** Whether the command of a user fits the kind of socket: it has no "{port}" for a UNIX-domain
 *  socket, and no "{path}" for another. @return 0, or -1 with *failure */
int server_process_check(const struct server_process *server, bool local,
			 struct failure *failure);

/** Resource usage of a server. */
struct server_process_usage {
	struct process_usage sum; /* of all its processes */
	bool known; /* false: it has children that it does not wait for (SIGCHLD is
		     * ignored), or that have left its group, whose usage is not in the sum */
};

/** Stops its process group by SIGTERM, waits, and kills what is left after a timeout. A process that
 *  is stopped (SIGSTOP) has half a second. On Linux it also kills what has left the group of a
 *  command.
 *  @return 0, or -1 with *failure: it had ended before, was killed by another signal, or
 *  did not end in time; or a server of the suite had not the exit status 0 */
int server_process_stop(struct server_process *server, struct server_process_usage *usage,
			struct failure *failure);

#endif
