/*
 * worker_options - the options of the models that make a number of workers at the start.
 *
 * They are not in the models' files: a student of a model need not read them.
 */
#include "server/core/worker_options.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "server/core/server.h"
#include "server/service.h"

enum {
	DEFAULT_WORKERS = 8,
	MOST_WORKERS = 10000,
	MOST_CLIENTS = 1000000000,
	/* Not those of main.c or of a service. */
	OPTION_ACCEPT = OPTIONS_LETTERS_FROM + 100,
	OPTION_REQUESTS,
};

static const char help_of_workers[] =
	"make N workers (default 8): at most N clients are\n"
	"served at a time";

const struct option_line prefork_options[] = {
	{ 'j', "workers", "N", help_of_workers },
	{ OPTION_ACCEPT, "accept", "HOW",
	  "block: each idle worker waits in accept(2)\n"
	  "(default); lock: only the owner of a lock waits;\n"
	  "pass: the parent accepts, and passes the client\n"
	  "(default if the clients share state)" },
	{ OPTION_REQUESTS, "requests", "N",
	  "replace a worker after it has served N clients\n"
	  "(default 0: never)" },
	{ 0 },
};

const struct option_line pool_options[] = {
	{ 'j', "workers", "N", help_of_workers },
	{ OPTION_ACCEPT, "accept", "HOW",
	  "queue: one thread accepts, and queues the clients\n"
	  "(default); mutex: the workers accept in turn" },
	{ 0 },
};

static const struct {
	const char *name;
	enum worker_accept accept;
} prefork_ways[] = { { "block", ACCEPT_BLOCK },
		     { "lock", ACCEPT_LOCK },
		     { "pass", ACCEPT_PASS } },
  pool_ways[] = { { "queue", ACCEPT_QUEUE }, { "mutex", ACCEPT_MUTEX } };

static struct worker_options chosen;
static unsigned workers = DEFAULT_WORKERS;
static bool accept_is_chosen;

const struct worker_options *worker_options(void)
{
	return &chosen;
}

static void choose(enum worker_accept accept)
{
	chosen.accept = accept;
	accept_is_chosen = true;
}

static int take_workers(const struct options *options, struct failure *failure)
{
	uint64_t number;

	if (options_number(options, 'j', 1, MOST_WORKERS, &number, failure) < 0)
		return -1;
	workers = (unsigned)number;
	return 0;
}

int prefork_option(int letter, const struct options *options, struct failure *failure)
{
	if (letter == 'j')
		return take_workers(options, failure);
	if (letter == OPTION_REQUESTS)
		return options_number(options, letter, 0, MOST_CLIENTS,
				      &chosen.most_clients, failure);
	for (size_t i = 0; i < sizeof prefork_ways / sizeof *prefork_ways; i++)
		if (strcmp(options->value, prefork_ways[i].name) == 0) {
			choose(prefork_ways[i].accept);
			return 0;
		}
	return options_bad_value(failure, options, letter, "is not block, lock or pass");
}

int pool_option(int letter, const struct options *options, struct failure *failure)
{
	if (letter == 'j')
		return take_workers(options, failure);
	for (size_t i = 0; i < sizeof pool_ways / sizeof *pool_ways; i++)
		if (strcmp(options->value, pool_ways[i].name) == 0) {
			choose(pool_ways[i].accept);
			return 0;
		}
	return options_bad_value(failure, options, letter, "is not queue or mutex");
}

/* A worker serves one client at a time. Of the two limits the smaller one holds, and the
 * message of a full server names it. */
static void limit_clients(struct server *server)
{
	if (server->datagrams || server->max_clients <= workers)
		return;
	server->max_clients = workers;
	server->limited_by = "--workers";
}

/* The hub is in the parent, which must know each client before its worker does. */
int prefork_check(struct server *server, struct failure *failure)
{
	limit_clients(server);
	if (server->service->hub == NULL)
		return 0;
	if (accept_is_chosen && chosen.accept != ACCEPT_PASS)
		return failure_set(failure,
				   "--accept %s: the clients of %s share state in the "
				   "parent, which must accept them (--accept pass)",
				   prefork_ways[chosen.accept].name,
				   server->service->name);
	chosen.accept = ACCEPT_PASS;
	return 0;
}

/* The queue has a place for each worker: so each has a next client at once. More clients in the
 * queue would not be served sooner, would each take a descriptor, and would be lost at a stop.
 * They wait in the backlog of the kernel. */
int pool_check(struct server *server, struct failure *failure)
{
	(void)failure;
	limit_clients(server);
	if (!accept_is_chosen)
		chosen.accept = ACCEPT_QUEUE;
	if (chosen.accept == ACCEPT_QUEUE && !server->datagrams)
		server->queued_most = server->max_clients;
	return 0;
}
