/*
 * model - who waits for what.
 *
 * A model has the listening socket and the connections, and nothing else: it does not
 * know which service it runs. Each lives in its own file in model/, which is its lesson.
 */
#ifndef SERVER_MODEL_H
#define SERVER_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"
#include "common/syscall_filter.h"

struct hub_place;
struct option_line;
struct options;
struct server;

struct model {
	const char *name;    /* "fork": the program is named SERVICEd-fork */
	const char *summary; /* one line for -h */
	bool nonblocking;    /* its connections must never wait in a system call */
	unsigned
		most_clients; /* the default of -c; 1: one at a time, and -c is ignored */
	bool one_process; /* all clients share one process and its limit of descriptors */
	int socket_numbers; /* a socket's descriptor must be below this; 0: any will do */
	unsigned
		creates; /* processes, threads, a ring: enum syscall_need, for the sandbox */
	bool needs_no_fd_set; /* it does not wait in server_wait() or server_pselect(): the
				 descriptors of the listeners may be FD_SETSIZE or above */

	/** It serves the socket on standard input, which is a client, or with -u a datagram
	 *  socket (core/input_socket.h). It listens nowhere, so the options -a, -b, -c, -p and
	 *  -x do not apply. */
	bool serves_input;

	/** Its kernel receives for it, and it calls connection_on_received(): no connection calls
	 *  recv(2). */
	bool receives;
	size_t client_size; /* bytes of the model's own for each client, zeroed:
			       connection_of_model() */

	/** The options of the model, besides those of all servers. The table ends like the one
	 *  in common/options.h. NULL: none. */
	const struct option_line *options;

	/** Handles one of these options; options->value is its argument.
	 *  @return 0, or -1 with *failure */
	int (*option)(int letter, const struct options *options, struct failure *failure);

	/** Called after all options: checks that they fit together, and may set what follows
	 *  from them. NULL: nothing to check.
	 *  @return 0, or -1 with *failure, which is a usage error (exit status 2) */
	int (*check)(struct server *server, struct failure *failure);

	/** Called before the server listens: checks what the model needs of the system. NULL:
	 *  nothing.
	 *  @return 0, or -1 with *failure, and the server does not start (exit status 1) */
	int (*prepare)(struct server *server, struct failure *failure);

	/** Called when the listeners are open, before the server says that it is ready: opens
	 *  the descriptors that the model needs besides. NULL: none.
	 *  @return 0, or -1 with *failure, and the server does not start (exit status 1) */
	int (*begin)(struct server *server, struct failure *failure);

	/** Serves clients until server_running() says that it is over, and leaves none
	 *  behind: no child, no connection. @return 0, or -1 with errno when it could not
	 *  even begin */
	int (*serve)(struct server *);

	/** Where the clients of a service like chat share state (hub/place.h). NULL: such a
	 *  service does not start in this model. */
	const struct hub_place *hub;

	/** The same on a datagram socket, where each peer is a client (udp/udp.h). NULL: -u is
	 *  refused. */
	int (*serve_datagrams)(struct server *);
};

/** The one model that a program is linked with: server/selected.c. */
extern const struct model *const selected_model;

#endif
