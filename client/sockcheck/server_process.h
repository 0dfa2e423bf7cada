/*
 * server_process - a server that sockcheck starts, watches and stops.
 *
 * It is a process group of its own. Its port is free, and chosen by the kernel; or it has a
 * UNIX-domain socket with a name that no other one has.
 */
#ifndef CLIENT_SOCKCHECK_SERVER_PROCESS_H
#define CLIENT_SOCKCHECK_SERVER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/lib/server_output.h"
#include "common/address.h"
#include "common/failure.h"
#include "common/socket_file.h"

enum { CHECKED_PATH = 4096, CHECKED_STATE = 400 };

/** How a server is started. */
struct checked_command {
	char *const *arguments; /* argv; {port} or {path} in it is the place */
	bool opens_port;        /* that is in it; otherwise the socket is descriptor 3 */
	bool datagrams;
	bool local;              /* a UNIX-domain socket, not TCP or UDP: {path} */
	char path[CHECKED_PATH]; /* of the program */
};

struct checked_server {
	const struct checked_command *command;
	pid_t pid; /* also its process group; 0: not running */
	/* Where it listens: 127.0.0.1 and its port, or a UNIX-domain socket and "". */
	char host[HOST_TEXT], port[PORT_TEXT];
	struct socket_file file; /* of that socket, if sockcheck has made it */
	int status;              /* of waitpid(2), after it has ended */
	bool ended; /* the process that was started; its children may be there */
	struct server_output output;
};

/** Takes the command, whose ->datagrams and ->local are set.
 *  @return 0, or -1 with *failure: it has {path} without a UNIX-domain socket, or {port} with one
 */
int checked_command_take(struct checked_command *command, char *const *arguments,
			 struct failure *failure);

/** Looks for the program of the command. @return 0, or -1 with *failure */
int checked_command_find(struct checked_command *command, struct failure *failure);

/**
 * Starts the server, and waits until it listens.
 *
 * @param again        at the port or path of its last start; otherwise at a free one
 * @param descriptors  its limit of descriptors
 * @param deadline     milliseconds (clock_milliseconds()): until then it must listen
 * @return 0, or -1 with *failure; then nothing of it is running any more
 */
int checked_server_start(struct checked_server *server,
			 const struct checked_command *command, bool again,
			 uint64_t descriptors, int64_t deadline, struct failure *failure);

/** Whether a process listens at the place of the server. */
bool checked_server_is_open(const struct checked_server *server);

/** Whether the process that was started has ended. */
bool checked_server_has_ended(struct checked_server *server);

/** Whether a server that has ended did so with exit status 0. */
bool checked_server_ended_well(const struct checked_server *server);

/** Describes how the server has ended: "the server ended with signal 11 (Segmentation fault); its
 *  last line: ...". @return @p out */
const char *checked_server_describe_end(struct checked_server *server,
					char out[CHECKED_STATE]);

/** Sends a signal to the process that was started. */
void checked_server_signal(const struct checked_server *server, int number);

/** Ends all processes of the server, by SIGTERM and then by SIGKILL, and waits for them. */
void checked_server_stop(struct checked_server *server);

/** Removes the file of its UNIX-domain socket, if the server that is stopped has left it. */
void checked_server_remove_file(struct checked_server *server);

/** From now on servers are stopped by SIGKILL at once. For signal handlers. */
void checked_server_hurry(void);

/** Whether checked_server_hurry() was called: no wait goes on. */
bool checked_server_is_hurried(void);

/** Ends what servers have left: all children of this process. */
void checked_server_end_orphans(void);

#endif
