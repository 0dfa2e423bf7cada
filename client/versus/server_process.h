/*
 * server_process - a server under comparison: found, started, measured, stopped.
 *
 * versus opens the listening socket, on a port that the kernel chooses, and passes it
 * on by socket activation. So no port is guessed, and no client connects too early. The
 * server ends when versus ends, in whatever way.
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
	pid_t pid;                          /* 0: it is not running */
	int errors;                         /* read end of the pipe of its standard
					     * error */
	char port[PORT_TEXT];               /* its port on 127.0.0.1 */
	char output[SERVER_PROCESS_OUTPUT]; /* the start of its output, escaped */
	int64_t received; /* bytes received, from its final statistics; -1: unknown */
	bool failed;      /* it did not start or stop as it should: it is left out */
};

/** Memory in bytes. */
struct server_process_memory {
	int64_t own;    /* proportional set size (PSS): shared pages are divided among
			 * the processes */
	int64_t kernel; /* estimate of the memory of the kernel: page tables, and a
			 * fixed size for each thread, process and socket. Buffers are
			 * not included */
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
	unsigned clients;           /* maximum number of clients at a time */
	const char *const *options; /* options of its service, terminated by NULL, at
				     * most SERVER_PROCESS_OPTIONS */
	bool quiet; /* with these options it does not print that it listens (TCP only) */
};

/** Starts it, and waits until it is ready: until it prints so, or, if it is quiet,
 *  until it has served a client that sends nothing.
 *  @return 0, or -1 with *failure: it cannot be started, or its output */
int server_process_start(struct server_process *server,
			 const struct server_process_settings *settings,
			 struct failure *failure);

/** Stops it by SIGTERM, waits, and kills it after a timeout.
 *  @param usage  receives the resource usage of it and its children
 *  @return 0, or -1 with *failure if it did not end with exit status 0 or by SIGTERM
 *  within the grace period of servers */
int server_process_stop(struct server_process *server, struct process_usage *usage,
			struct failure *failure);

/** Memory of the server and its children. Waits, at most two seconds, until it is
 *  stable, because connected clients may not have been accepted yet.
 *  @return both sizes, each -1 if unknown (known only on Linux) */
struct server_process_memory server_process_memory(const struct server_process *server);

#endif
