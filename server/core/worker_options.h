/*
 * worker_options - the options of pool and prefork: the number of workers, how these share
 * the clients, and when a worker is replaced.
 */
#ifndef SERVER_CORE_WORKER_OPTIONS_H
#define SERVER_CORE_WORKER_OPTIONS_H

#include <stdint.h>

#include "common/failure.h"
#include "common/options.h"

struct server;

/** What --accept can be. The first one of each model is its default. */
enum worker_accept {
	ACCEPT_BLOCK, /* prefork */
	ACCEPT_LOCK,
	ACCEPT_PASS,
	ACCEPT_QUEUE, /* pool */
	ACCEPT_MUTEX,
};

/** The values of the options, after worker_options_prepare(). */
struct worker_options {
	enum worker_accept accept;
	uint64_t
		most_clients; /* --requests: of a worker, which is then replaced; 0: no limit */
};

/** For struct model: the tables, and the functions that handle them. */
extern const struct option_line prefork_options[], pool_options[];

int prefork_option(int letter, const struct options *options, struct failure *failure);
int pool_option(int letter, const struct options *options, struct failure *failure);

/** Checks the options, and sets server->max_clients to the number of workers if that is less,
 *  unless the server serves datagrams. */
int prefork_check(struct server *server, struct failure *failure);
int pool_check(struct server *server, struct failure *failure);

const struct worker_options *worker_options(void);

#endif
