/*
 * plan - the plans of the loads and experiments: see client/versus/plan.h.
 */
#include "client/versus/plan.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "client/load/load.h"
#include "common/process.h"
#include "common/text.h"

enum {
	DURATION = 500,   /* milliseconds of a run */
	LOST_AFTER = 200, /* milliseconds: much longer than any reply takes on loopback */
};

/* With --quick: the length of a run in milliseconds, and the rounds. */
enum { QUICK_DURATION = 250, QUICK_ROUNDS = 3 };

enum {
	IDLE_CLIENTS = 950, /* silent clients: with the others below FD_SETSIZE, 1024 */
	IDLE_BUSY = 4,      /* clients beside them */
	IDLE_ASIDE = 128,   /* descriptors for other purposes */
};

/* 0: the default. If --bulk-size is the size of a file, it is not that of a message. */
static size_t message_size(const struct settings *settings, enum load_kind kind)
{
	if (fixture_has_file(settings->comparison.service, kind))
		return 0;
	return kind == LOAD_BULK ? settings->bulk_size : settings->size;
}

/* The clients of a load; 0: as many as the load has by default. */
static unsigned client_count(const struct settings *settings, enum load_kind kind,
			     const struct load_protocol *protocol)
{
	if (kind == LOAD_BULK)
		return settings->bulk_clients;
	if (kind == LOAD_IDLE && settings->clients == 0 &&
	    protocol->pattern != LOAD_BROADCAST)
		return IDLE_BUSY;
	return settings->clients;
}

/* The silent clients, if their number is not given: fewer if the descriptors of this
 * program do not suffice. */
static unsigned idle_count(unsigned busy)
{
	uint64_t others = IDLE_ASIDE + busy;
	uint64_t limit = process_raise_descriptors(IDLE_CLIENTS + others);

	if (limit >= IDLE_CLIENTS + others)
		return IDLE_CLIENTS;
	return limit > others ? (unsigned)(limit - others) : 1;
}

/* The loads of -l, which the service must allow; or all that it allows. */
static int plan_loads(struct settings *settings, const struct load_protocol *protocol,
		      struct failure *failure)
{
	struct comparison *comparison = &settings->comparison;
	unsigned sensible = load_protocol_loads(protocol, comparison->datagrams);

	if (sensible == 0)
		return failure_set(failure, "the service %s does not support UDP",
				   protocol->name);
	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		struct load_plan *plan = &comparison->plans[kind];
		unsigned clients = client_count(settings, (enum load_kind)kind, protocol);

		*plan = (struct load_plan){
			.kind = (enum load_kind)kind,
			.protocol = protocol,
			.datagrams = comparison->datagrams,
			.host = "127.0.0.1",
			.family = AF_INET,
			.connections = clients,
			.idle = kind != LOAD_IDLE    ? 0
				: settings->idle > 0 ? settings->idle
						     : idle_count(clients),
			.request = settings->request,
			.expect = settings->expect,
			.size = message_size(settings, (enum load_kind)kind),
			.duration = settings->duration,
			/* A waiting client is no error within a run. But for a lost
			 * datagram it would wait in vain. */
			.timeout = comparison->datagrams ? LOST_AFTER
							 : settings->duration + 5000,
			.threads = settings->threads,
			.stop = settings->stop,
		};
		if (!settings->loads_named)
			comparison->with[kind] = sensible & 1U << kind;
		if (comparison->with[kind] && load_plan_complete(plan, failure) < 0)
			return -1;
	}
	return 0;
}

/* The protocol of the load: that of the service, or the request of the user. */
static const struct load_protocol *choose_protocol(const struct settings *settings,
						   const char *service)
{
	return load_protocol_find(settings->request.bytes != NULL ? "request" : service);
}

int plan_service(struct settings *settings, const char *service, struct failure *failure)
{
	const struct load_protocol *protocol = choose_protocol(settings, service);
	bool is_request =
		settings->request.bytes == NULL && strcmp(service, "request") == 0;
	char name[SERVER_PROCESS_NAME];

	settings->comparison.service = service;
	if (protocol != NULL && !is_request)
		return plan_loads(settings, protocol, failure);
	text_escape(service, strlen(service), name, sizeof name);
	return failure_set(
		failure,
		"'%s' is not a service with a load (use --request and --expect, "
		"or one of: " SOCKWAYS_SERVICES ")",
		name);
}

void plan_choose_time(struct settings *settings)
{
	bool quick = settings->experiments.quick;

	if (settings->duration == 0)
		settings->duration = quick ? QUICK_DURATION : DURATION;
	if (quick && !settings->rounds_named)
		settings->comparison.rounds = QUICK_ROUNDS;
}

/* Options that none of the chosen experiments uses are an error: the user expects an effect. */
static int check_experiment_options(const struct settings *settings,
				    struct failure *failure)
{
	const struct experiments *experiments = &settings->experiments;

	if (settings->loads_named || settings->tsv != NULL)
		return failure_set(failure, "-l, --loads and --tsv do not go together "
					    "with experiments");
	if (settings->clients > 0 && !experiments->with[EXPERIMENT_CLIENTS])
		return failure_set(failure, "-c, --clients is used by the experiment "
					    "clients only, which is not chosen");
	if (settings->idle > 0 && !experiments->with[EXPERIMENT_IDLE])
		return failure_set(failure, "-i, --idle is used by the experiment idle "
					    "only, which is not chosen");
	return 0;
}

/* The experiments have no loads of -l: they are loads of their own. */
int plan_experiments(struct settings *settings, struct failure *failure)
{
	static struct experiment_row rows[COMPARISON_MODELS]; /* large */
	struct experiments *experiments = &settings->experiments;
	struct comparison *comparison = &settings->comparison;
	bool any = false;

	for (int i = 0; i < EXPERIMENT_KINDS; i++)
		any |= experiments->with[i];
	for (int i = 0; i < EXPERIMENT_KINDS && !any; i++)
		experiments->with[i] = true;
	if (check_experiment_options(settings, failure) < 0)
		return -1;
	memset(comparison->with, 0, sizeof comparison->with);
	for (unsigned i = 0; i < comparison->model_count; i++) {
		rows[i].server = comparison->servers[i];
		snprintf(rows[i].name, sizeof rows[i].name, "%s", comparison->models[i]);
	}
	experiments->program = settings->program;
	experiments->service = comparison->service;
	experiments->rows = rows;
	experiments->row_count = comparison->model_count;
	experiments->model_count = comparison->model_count - settings->command_count;
	experiments->fixture = &settings->fixture;
	experiments->base = comparison->plans[LOAD_CONVERSATIONS];
	experiments->most_clients = settings->clients;
	experiments->most_idle = settings->idle;
	experiments->rounds = comparison->rounds;
	return experiments_check(experiments, failure);
}
