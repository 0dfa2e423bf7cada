/*
 * server - a server under comparison: found, started, watched and stopped.
 *
 * It is started by socket activation: we open the listening socket on a port that the
 * kernel chooses, and hand it over, so that no port is guessed and no client comes too
 * early. It dies with us, however we die.
 */
#ifndef CLIENT_VERSUS_SERVER_PROCESS_H
#define CLIENT_VERSUS_SERVER_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/address.h"
#include "common/failure.h"
#include "common/process.h"

enum {
	SERVER_PROCESS_NAME = 64,
	SERVER_PROCESS_PATH = 4096,
	SERVER_PROCESS_OUTPUT = 512,
	SERVER_PROCESS_OPTIONS = 16
};

struct server_process {
	char name[SERVER_PROCESS_NAME]; /* "echod-fork" */
	char path[SERVER_PROCESS_PATH];
	pid_t pid;                          /* 0: it does not run */
	int errors;                         /* our end of its standard error */
	char port[PORT_TEXT];               /* where it listens on 127.0.0.1 */
	char output[SERVER_PROCESS_OUTPUT]; /* the beginning of what it said, escaped */
	int64_t received; /* bytes, as it told when it stopped; -1: it did not */
	bool failed; /* it did not start, or did not stop as it should: it is left out */
};

/** Memory in bytes. */
struct server_process_memory {
	int64_t own;    /* its proportional set size (PSS): shared pages are divided among
			   those that share them */
	int64_t kernel; /* what the kernel needs for it: page tables as the kernel counts
			   them, and what its threads, processes and sockets cost, by
			   their number. Buffers are not in it */
};

/**
 * Looks for SERVICEd-MODEL beside the program @p argv0, in ../sbin from there, and in PATH.
 * @return 0 with server->name and ->path, or -1 with *failure
 */
int server_process_find(struct server_process *server, const char *argv0,
			const char *service, const char *model, struct failure *failure);

/** How it is to run. */
struct server_process_settings {
	bool datagrams;             /* UDP, not TCP */
	unsigned clients;           /* for how many at a time, at most */
	const char *const *options; /* of its service; NULL behind the last, at most
				       SERVER_PROCESS_OPTIONS */
	bool quiet; /* the options make it so: it does not say that it listens (TCP only) */
};

/** Starts it, and waits until it is ready: until it says so, or, where it is quiet, has
 *  served one client who wants nothing.
 *  @return 0, or -1 with *failure: it cannot be started, or what it said instead */
int server_process_start(struct server_process *server,
			 const struct server_process_settings *settings,
			 struct failure *failure);

/** Asks it to stop (SIGTERM), waits, and kills it if it does not.
 *  @param usage  receives what it and its children have used in their whole lives
 *  @return 0, or -1 with *failure if it did not end as it should: with exit status 0 or
 *          by our SIGTERM, and within the grace that servers give their clients */
int server_process_stop(struct server_process *server, struct process_usage *usage,
			struct failure *failure);

/** The memory of it and its children. Waits until it stands still, since a crowd that has
 *  connected may not have been accepted yet; two seconds at most.
 *  @return both sizes, each -1 where the system does not tell (it is Linux that does) */
struct server_process_memory server_process_memory(const struct server_process *server);

#endif
