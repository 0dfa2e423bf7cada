/*
 * load - runs a load: checks the plan, finds the server, starts the threads, waits, adds up
 * the results.
 *
 * Order of events: a first connection shows that the server answers; then the silent
 * connections, then the threads with their connections; then the clock starts for all
 * threads at once. So connecting is not measured, unless it is the load (LOAD_CONNECTIONS).
 */
#include "client/load/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/load/datagram.h"
#include "client/load/faults.h"
#include "client/load/idle.h"
#include "client/load/room.h"
#include "client/load/worker.h"
#include "common/clock.h"
#include "common/datagram.h"
#include "common/io.h"
#include "common/sock.h"
#include "common/tcp_cookies.h"
#include "common/text.h"

#define MILLISECOND INT64_C(1000000)
#define SECOND      INT64_C(1000000000)

enum {
	SETTLE_LIMIT = 1000,    /* milliseconds to establish the connections */
	IDLE_LIMIT = 2000,      /* milliseconds to establish the silent connections ... */
	IDLE_EACH_MS = 2,       /* ... and one more for this many of them */
	RETRY_PAUSE = 10,       /* milliseconds between two tries of plan.retry */
	ASK_LEAST = 2000,       /* milliseconds for a UDP server to answer */
	RETRY_LEAST = 5000,     /* ... if the server may still be starting */
	PROGRESS_PAUSE = 100,   /* milliseconds between two calls of plan.progress */
	DESCRIPTORS_ASIDE = 64, /* other descriptors of the program */
	LISTENERS = 50,         /* listeners in a room, by default */
	TALKERS = 16,           /* senders in a talk, by default */
	LOAD_WINDOW = 64,       /* lines in flight per sender, by default */
};

/* A thread that needs the CPU for this part of the time has no time to wait. */
static const double BUSY_THREAD = 0.9;

/* A running load. */
struct load {
	const struct load_plan *plan;
	struct load_result *result;
	struct load_shared shared;
	struct load_idle idle;
	struct load_worker **workers;
	pthread_t *threads;
	unsigned running;           /* number of started threads */
	struct load_faults *faults; /* NULL: no faulty clients */
	pthread_t faults_thread;
	bool faults_running;
};

uint64_t load_errors(const struct load_result *result)
{
	uint64_t sum = 0;

	for (int i = 0; i < LOAD_ERRORS; i++)
		sum += result->errors[i];
	return sum;
}

enum load_bottleneck load_bottleneck(const struct load_result *result)
{
	if (result->tardy > result->requests / 100)
		return LOAD_TARDY_REQUESTS;
	return result->busy >= BUSY_THREAD ? LOAD_BUSY_THREAD : LOAD_NO_BOTTLENECK;
}

int load_bytes_take(struct load_bytes *bytes, const char *option, const char *text,
		    struct failure *failure)
{
	char *memory = malloc(strlen(text) + 1), culprit[100];

	if (memory == NULL)
		return failure_set(failure, "%s: %s", option, strerror(errno));
	bytes->bytes = memory;
	if (text_unescape(text, memory, &bytes->length))
		return 0;
	text_escape(text, strlen(text), culprit, sizeof culprit);
	return failure_set(failure,
			   "%s: '%s' has a backslash without an escape of C (use \\n, "
			   "\\r, \\t, \\0, \\xHH, or \\\\ for a backslash)",
			   option, culprit);
}

/* ---- the plan ------------------------------------------------------------------------------ */

static int refuse_kind(const struct load_plan *plan, unsigned loads,
		       struct failure *failure)
{
	char list[64] = "";
	size_t used = 0;

	for (int kind = 0; kind < LOAD_KINDS; kind++)
		if (loads & 1U << kind)
			used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
						 used > 0 ? ", " : "",
						 load_kind_name((enum load_kind)kind));
	return failure_set(failure, "%s over %s does not support the load '%s' (use %s)",
			   plan->protocol->name, plan->datagrams ? "UDP" : "TCP",
			   load_kind_name(plan->kind), list);
}

static size_t default_size(const struct load_plan *plan)
{
	const struct load_protocol *protocol = plan->protocol;

	if (protocol->pattern == LOAD_BROADCAST)
		return 32;
	if (plan->kind != LOAD_BULK)
		return protocol->usual_size > 0 ? protocol->usual_size : 64;
	if (!plan->datagrams)
		return protocol->usual_bulk_size > 0 ? protocol->usual_bulk_size
						     : 64 * 1024;
	/* RFC 864 limits a chargen reply. The others have a size of which one of
	 * each of eight sockets fits into a receive buffer of the default size. */
	return protocol->pattern == LOAD_SOURCE ? 512 : 16 * 1024;
}

/* What can be checked before the address is known. */
static size_t longest_datagram(const struct load_plan *plan)
{
	return plan->family == AF_INET ? DATAGRAM_LONGEST_IPV4 : DATAGRAM_LONGEST;
}

static int check_size(const struct load_plan *plan, struct failure *failure)
{
	size_t least = plan->datagrams && plan->protocol->mirrors ? LOAD_NUMBER_SIZE : 1;
	size_t longest = plan->protocol->longest;

	if (least < plan->protocol->shortest)
		least = plan->protocol->shortest;

	if (plan->datagrams && (longest == 0 || longest > longest_datagram(plan)))
		longest = longest_datagram(plan);
	if (plan->size >= least && (longest == 0 || plan->size <= longest))
		return 0;
	return failure_set(failure,
			   "a message of %s over %s has %zu to %zu bytes, not %zu",
			   plan->protocol->name, plan->datagrams ? "UDP" : "TCP", least,
			   longest, plan->size);
}

/* Checks only that the path has no blanks and control characters: it is allowed to
 * send a server a path that is invalid in RFC 3986. */
static bool is_path(const char *path)
{
	if (*path != '/')
		return false;
	while (*path > ' ' && *path < 127)
		path++;
	return *path == '\0';
}

/* Rejects options that do not fit the protocol or load. */
static int check_choices(const struct load_plan *plan, struct failure *failure)
{
	const struct load_protocol *protocol = plan->protocol;
	char culprit[100];

	if (plan->idle != 0 && plan->kind != LOAD_IDLE)
		return failure_set(failure, "-i, --idle needs the load idle");
	if (plan->reply != NULL && !protocol->takes_reply)
		return failure_set(failure,
				   "-e, --expect does not apply to the protocol %s",
				   protocol->name);
	if (plan->request.length > 0 && !protocol->takes_request)
		return failure_set(failure, "--request does not apply to the protocol %s",
				   protocol->name);
	if (protocol->takes_request &&
	    (plan->request.length == 0 || plan->expect.length == 0))
		return failure_set(
			failure,
			"the protocol %s needs --request TEXT and --expect TEXT, each "
			"not empty",
			protocol->name);
	if (plan->path != NULL && !protocol->takes_path)
		return failure_set(failure, "--path does not apply to the protocol %s",
				   protocol->name);
	if (plan->path != NULL && !is_path(plan->path)) {
		text_escape(plan->path, strlen(plan->path), culprit, sizeof culprit);
		return failure_set(
			failure,
			"--path: '%s' must begin with / and contain only "
			"printable ASCII without blanks (write a blank as %%20)",
			culprit);
	}
	if (plan->datagrams && load_fault_mix_total(&plan->faults) > 0)
		return failure_set(failure, "--faults does not apply to UDP: there is no "
					    "connection to reset or to keep");
	if (plan->ramp > 0 && protocol->pattern == LOAD_BROADCAST)
		return failure_set(
			failure,
			"--ramp does not apply to the protocol %s: all clients "
			"must be in the room before the first line",
			protocol->name);
	if (plan->connect_rate > 0 && plan->datagrams)
		return failure_set(failure, "--connect-rate does not apply to UDP: there "
					    "are no connections");
	if (load_fault_mix_check(&plan->faults, protocol, failure) < 0)
		return -1;
	if (plan->rate > 0 && protocol->pattern == LOAD_SOURCE && !plan->datagrams)
		return failure_set(failure,
				   "-r, --rate does not apply to %s over TCP: the server "
				   "sends without a request",
				   protocol->name);
	if (plan->size != 0 && protocol->pattern == LOAD_GREETING && !plan->datagrams)
		return failure_set(failure,
				   "-s, --size does not apply to %s over TCP: the client "
				   "sends no message",
				   protocol->name);
	if (plan->size != 0 && protocol->compose != NULL)
		return failure_set(failure,
				   "-s, --size does not apply to the protocol %s: its "
				   "requests have a fixed size",
				   protocol->name);
	return 0;
}

/* Broadcast: the number of clients and of senders. */
static int complete_broadcast(struct load_plan *plan, struct failure *failure)
{
	bool broadcast = plan->protocol->pattern == LOAD_BROADCAST;
	bool all = plan->kind == LOAD_TALK;

	if (!broadcast && plan->senders != 0)
		return failure_set(failure, "--senders does not apply to the protocol %s",
				   plan->protocol->name);
	if (!broadcast && plan->window != 0)
		return failure_set(failure, "--window does not apply to the protocol %s",
				   plan->protocol->name);
	if (!broadcast)
		return 0;
	if (plan->connections == 0)
		plan->connections = all ? TALKERS : LISTENERS + 1;
	if (plan->senders == 0)
		plan->senders = all ? plan->connections : 1;
	if (plan->window == 0)
		plan->window = LOAD_WINDOW;
	if (plan->connections < 2)
		return failure_set(failure, "-c, --connections: %s needs at least 2",
				   plan->protocol->name);
	if (plan->senders > plan->connections)
		return failure_set(
			failure,
			"--senders: %u senders need at least as many connections, not %u",
			plan->senders, plan->connections);
	if (all && plan->senders < plan->connections)
		return failure_set(failure,
				   "--senders: all %u connections send in the load talk",
				   plan->connections);
	return 0;
}

bool load_plan_is_local(const struct load_plan *plan)
{
	return plan->host != NULL && local_address_is(plan->host);
}

/* The server must be of the family of the source addresses. */
static int complete_family(struct load_plan *plan, struct failure *failure)
{
	struct address host;
	int family, wanted = plan->family;

	if (plan->sources.count == 0)
		return 0;
	family = address_family(&plan->sources.list[0]);
	if (wanted == AF_UNSPEC && plan->host != NULL &&
	    address_parse(plan->host, &host) == 0)
		wanted = address_family(&host);
	if (wanted != AF_UNSPEC && wanted != family)
		return failure_set(
			failure, "--source: the addresses are of %s, and %s is not",
			family == AF_INET ? "IPv4" : "IPv6",
			plan->family == wanted ? "the option -4 or -6" : plan->host);
	plan->family = family;
	return 0;
}

int load_plan_complete(struct load_plan *plan, struct failure *failure)
{
	unsigned loads = load_protocol_loads(plan->protocol, plan->datagrams);

	if (loads == 0)
		return failure_set(failure, "the protocol %s does not support %s",
				   plan->protocol->name, plan->datagrams ? "UDP" : "TCP");
	if (!(loads & 1U << plan->kind))
		return refuse_kind(plan, loads, failure);
	if (check_choices(plan, failure) < 0 || complete_broadcast(plan, failure) < 0)
		return -1;
	if (load_plan_is_local(plan) && plan->sources.count > 0)
		return failure_set(failure,
				   "--source does not go with a UNIX-domain socket");
	if (load_plan_is_local(plan) && plan->datagrams && !LOAD_LOCAL_DATAGRAMS)
		return failure_set(failure, "-u does not go with a UNIX-domain socket on "
					    "this system");
	if (complete_family(plan, failure) < 0)
		return -1;
	if (plan->kind != LOAD_IDLE)
		plan->idle = 0;
	else if (plan->idle == 0)
		plan->idle = 500;
	if (plan->connections == 0)
		plan->connections = plan->kind == LOAD_BULK ? 8 : 32;
	if (plan->timeout == 0)
		plan->timeout = plan->datagrams ? 1000 : 5000;
	if (plan->protocol->compose != NULL)
		return 0;
	if (plan->size == 0)
		plan->size = default_size(plan);
	return check_size(plan, failure);
}

bool load_plan_has_size(const struct load_plan *plan)
{
	return plan->datagrams || plan->protocol->pattern != LOAD_GREETING;
}

/* ---- before the clock runs ----------------------------------------------------------------- */

static bool stopped(const struct load_plan *plan)
{
	return plan->stop != NULL && *plan->stop != 0;
}

static unsigned choose_threads(const struct load_plan *plan)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned threads = plan->threads;

	/* Half of the CPUs: the server needs the other half. */
	if (threads == 0)
		threads = processors > 2 ? (unsigned)(processors / 2) : 1;
	return threads < plan->connections ? threads : plan->connections;
}

static unsigned idle_wanted(const struct load_plan *plan)
{
	return plan->kind == LOAD_IDLE ? plan->idle : 0;
}

static unsigned all_connections(const struct load_plan *plan)
{
	return plan->connections + idle_wanted(plan) +
	       load_fault_mix_total(&plan->faults);
}

static int raise_descriptor_limit(const struct load_plan *plan, unsigned threads,
				  struct failure *failure)
{
	rlim_t needed = (rlim_t)all_connections(plan) + 3 * threads +
			DESCRIPTORS_ASIDE; /* per thread: a poller, and a wake-up
					    * descriptor pair */
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return failure_set(failure, "cannot get the limit of descriptors: %s",
				   strerror(errno));
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
		return 0;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed)
		return failure_set(failure,
				   "%u connections need %ju descriptors, but the hard "
				   "limit is %ju (ulimit -H -n)",
				   all_connections(plan), (uintmax_t)needed,
				   (uintmax_t)limit.rlim_max);
	limit.rlim_cur = needed;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return failure_set(failure, "cannot raise the limit of descriptors: %s",
				   strerror(errno));
	return 0;
}

/* Milliseconds to try to reach the server. With UDP plan->timeout is the time after
 * which a datagram is lost, and may be very short. */
static int64_t time_to_reach(const struct load_plan *plan)
{
	int64_t limit = plan->timeout;
	int64_t least = !plan->datagrams ? 0 : plan->retry ? RETRY_LEAST : ASK_LEAST;

	/* With no timeout, the first probe must still end. */
	if (plan->datagrams && !plan->retry && limit == LOAD_FOR_EVER)
		return least;
	if (!plan->retry && !plan->datagrams && limit > plan->duration &&
	    limit > SETTLE_LIMIT)
		return plan->duration > SETTLE_LIMIT ? plan->duration : SETTLE_LIMIT;
	return limit > least ? limit : least;
}

static int connect_first(struct load *load, int64_t limit, struct failure *failure)
{
	const struct load_plan *plan = load->plan;
	struct sock_target target = { plan->host, plan->port, plan->family, SOCK_STREAM,
				      limit };

	return sock_connect_from(&target, load_source(&plan->sources, 0),
				 &load->shared.endpoint.address, failure);
}

/* Probes each address of the host over UDP. As connect_first(), but without a
 * descriptor. */
static int ask_first(struct load *load, int64_t limit, struct failure *failure)
{
	const struct load_plan *plan = load->plan;
	struct address_query query = { plan->family, SOCK_DGRAM, false };
	struct addrinfo *list, *where;
	char host[ADDRESS_TEXT];
	int error = ETIMEDOUT, addresses = 0;

	if (address_resolve(plan->host, plan->port, &query, &list, failure) < 0) {
		errno = 0;
		return -1;
	}
	for (where = list; where != NULL; where = where->ai_next)
		addresses++;
	for (where = list; where != NULL && error != 0; where = where->ai_next) {
		address_set(&load->shared.endpoint.address, where->ai_addr,
			    where->ai_addrlen);
		error = load_datagram_reach(&load->shared, limit / addresses);
	}
	freeaddrinfo(list);
	if (error != 0) {
		text_escape(plan->host, strlen(plan->host), host, sizeof host);
		failure_set(failure, "no reply from %s port %s (UDP): %s%s", host,
			    plan->port, strerror(error),
			    error == EMSGSIZE ? " (at most 65507 bytes over IPv4)" : "");
	}
	errno = error;
	return error == 0 ? 0 : -1;
}

static int ask_local(struct load *load, int64_t limit, struct failure *failure)
{
	int error = load_datagram_reach(&load->shared, limit);

	if (error == 0)
		return 0;
	failure_set(failure, "no reply from %s (datagrams): %s", load->plan->host,
		    local_address_why(error, SOCK_DGRAM));
	errno = error;
	return -1;
}

static int try_once(struct load *load, int64_t end, struct failure *failure)
{
	int64_t left = end - clock_milliseconds();

	left = left > 0 ? left : 0;
	if (load->plan->datagrams && load_plan_is_local(load->plan))
		return ask_local(load, left, failure);
	return load->plan->datagrams ? ask_first(load, left, failure)
				     : connect_first(load, left, failure);
}

/* No server listens yet. ENOENT: the file of a UNIX-domain socket does not exist yet. */
static bool may_come(int error)
{
	return sock_is_refused(error);
}

/* Tries until the server answers, or refuses and no retry is wanted. */
static int try_to_reach(struct load *load, struct failure *failure)
{
	const struct load_plan *plan = load->plan;
	int64_t end = clock_milliseconds() + time_to_reach(plan);
	struct timespec pause = clock_timespec(RETRY_PAUSE);

	for (;;) {
		int reached = try_once(load, end, failure);

		if (reached >= 0 || !may_come(errno) || !plan->retry || stopped(plan))
			return reached;
		nanosleep(&pause, NULL); /* a signal may end it */
		/* The last attempt needs time to be refused. */
		if (clock_milliseconds() + RETRY_PAUSE >= end) {
			errno = ECONNREFUSED;
			return -1;
		}
	}
}

/* The first connection shows which address of the host answers, if any.
 * @return 0 with its descriptor, non-blocking, in *first (UDP: -1), or -1 with
 * *failure */
static int reach(struct load *load, int *first, struct failure *failure)
{
	int fd = try_to_reach(load, failure);

	*first = load->plan->datagrams ? -1 : fd;
	if (fd >= 0 && (*first < 0 || io_set_nonblocking(fd, true) == 0))
		return 0;
	if (errno != 0) {
		enum load_error kind = load_error_of(errno);

		load->result->errors[kind]++;
		load->result->other = kind == LOAD_OTHER ? errno : 0;
	}
	if (*first >= 0) {
		failure_set(failure, "cannot use the connection: %s", strerror(errno));
		close(*first);
	}
	return -1;
}

static int prepare_material(struct load *load, struct failure *failure)
{
	const struct load_protocol *protocol = load->plan->protocol;
	const struct load_bytes *expect = &load->plan->expect;
	const char *reply = load->plan->reply ? load->plan->reply : protocol->reply;
	size_t size = protocol->compose ? protocol->compose(load->plan, NULL, 0)
					: load->plan->size;
	char *block = size < SIZE_MAX - LOAD_OFFSETS ? malloc(size + LOAD_OFFSETS) : NULL;
	void *shared = calloc(1, protocol->shared_size + 1); /* calloc(0) may return
							      * NULL */

	load->result->size = size;
	load->shared.material.block = block;
	load->shared.material.shared = shared;
	if (block == NULL || shared == NULL)
		return failure_set(failure, "not enough memory for messages of %zu bytes",
				   size);
	load->shared.material = (struct load_material){
		.block = block,
		.size = size,
		.reply = protocol->takes_request ? expect->bytes : reply,
		.reply_length = protocol->takes_request ? expect->length
				: reply                 ? strlen(reply)
							: 0,
		.datagrams = load->plan->datagrams,
		.shared = shared,
	};
	if (protocol->compose != NULL)
		protocol->compose(load->plan, block, size + LOAD_OFFSETS);
	else
		protocol->fill(&load->shared.material, block, size + LOAD_OFFSETS);
	if (protocol->pattern != LOAD_BROADCAST)
		return 0;
	load->shared.room = load_room_create(&load->shared);
	if (load->shared.room == NULL)
		return failure_set(failure,
				   "not enough memory for %u senders with a window of %u",
				   load->plan->senders, load->plan->window);
	return 0;
}

/* ---- the threads --------------------------------------------------------------------------- */

/* first becomes the first connection of the first worker. */
static int create_workers(struct load *load, int first, struct failure *failure)
{
	unsigned threads = load->shared.threads;

	load->workers = calloc(threads, sizeof *load->workers);
	load->threads = calloc(threads, sizeof *load->threads);
	if (load->workers == NULL || load->threads == NULL) {
		if (first >= 0)
			close(first);
		return failure_set(failure, "not enough memory for %u threads", threads);
	}
	for (unsigned i = 0; i < threads; i++) {
		load->workers[i] =
			load_worker_create(&load->shared, i, i == 0 ? first : -1);
		if (load->workers[i] == NULL)
			return failure_set(failure, "cannot prepare thread %u: %s", i + 1,
					   strerror(errno));
	}
	return 0;
}

/* The calling thread handles signals; it checks plan->stop. SIGPIPE is blocked with
 * the others, so a write to a reset connection fails with EPIPE. */
static int start_threads(struct load *load, struct failure *failure)
{
	sigset_t all, before;
	int error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (load->running < load->shared.threads && error == 0) {
		error = pthread_create(&load->threads[load->running], NULL,
				       load_worker_run, load->workers[load->running]);
		if (error == 0)
			load->running++;
	}
	if (load->faults != NULL && error == 0) {
		error = pthread_create(&load->faults_thread, NULL, load_faults_run,
				       load->faults);
		load->faults_running = error == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		return failure_set(failure, "cannot start thread %u: %s",
				   load->running + 1, strerror(error));
	return 0;
}

static void report_progress(struct load *load, enum load_phase phase)
{
	struct load_progress progress = { .phase = phase, .idle = load->idle.made };

	if (load->plan->progress == NULL)
		return;
	for (unsigned i = 0; i < load->running; i++)
		progress.exchanges += load_worker_exchanges(load->workers[i]);
	if (phase == LOAD_RUNNING)
		progress.seconds = (double)(clock_nanoseconds() - load->shared.start) /
				   (double)SECOND;
	if (progress.seconds < 0) {
		progress.phase = LOAD_RAMPING;
		progress.seconds = 0;
	}
	load->plan->progress(&progress, load->plan->context);
}

/* Milliseconds that the connect rate needs for this many connections. */
static int64_t time_to_connect(const struct load_plan *plan, unsigned connections)
{
	return plan->connect_rate > 0 ? (int64_t)connections * 1000 / plan->connect_rate
				      : 0;
}

/* Waits until every thread has its connections; the threads limit that time. */
static void await_settled(struct load *load)
{
	struct timespec pause = clock_timespec(1);
	unsigned settled;

	do {
		if (stopped(load->plan))
			atomic_store(&load->shared.over, true);
		pthread_mutex_lock(&load->shared.lock);
		settled = load->shared.settled;
		pthread_mutex_unlock(&load->shared.lock);
		if (settled < load->running)
			nanosleep(&pause, NULL);
	} while (settled < load->running);
}

static void start_clock(struct load *load)
{
	pthread_mutex_lock(&load->shared.lock);
	load->shared.from = clock_nanoseconds();
	load->shared.start = load->shared.from + load->plan->ramp * MILLISECOND;
	load->shared.end = load->shared.start + load->plan->duration * MILLISECOND;
	pthread_cond_broadcast(&load->shared.begin);
	pthread_mutex_unlock(&load->shared.lock);
}

/* Waits for the end of the load, or for plan->stop. @return the time at which it ended */
static int64_t await_end(struct load *load)
{
	for (;;) {
		int64_t now = clock_nanoseconds(), left = load->shared.end - now;
		struct timespec pause;

		if (left <= 0)
			return load->shared.end;
		if (stopped(load->plan) || atomic_load(&load->shared.over)) {
			atomic_store(&load->shared.over, true);
			return now;
		}
		left = (left + MILLISECOND - 1) / MILLISECOND;
		pause = clock_timespec(left < PROGRESS_PAUSE ? left : PROGRESS_PAUSE);
		nanosleep(&pause, NULL); /* a signal ends it */
		report_progress(load, LOAD_RUNNING);
	}
}

/* The threads may wait for outstanding replies, unless the load is stopped. */
static void join_threads(struct load *load)
{
	struct timespec pause = clock_timespec(1);

	while (atomic_load(&load->shared.finished) < load->running) {
		if (stopped(load->plan))
			atomic_store(&load->shared.over, true);
		nanosleep(&pause, NULL);
	}
	for (unsigned i = 0; i < load->running; i++)
		pthread_join(load->threads[i], NULL);
}

/* They end with the measured time. */
static void join_faults(struct load *load)
{
	if (!load->faults_running)
		return;
	pthread_join(load->faults_thread, NULL);
	load_faults_report(load->faults, load->result);
}

static int measure(struct load *load, struct failure *failure)
{
	int64_t limit = load->plan->timeout, end;
	int started;

	if (limit > SETTLE_LIMIT)
		limit = SETTLE_LIMIT;
	limit += load->plan->connections / IDLE_EACH_MS +
		 time_to_connect(load->plan, load->plan->connections);
	load->shared.settle_time = limit * MILLISECOND;
	atomic_store(&load->shared.settle_limit,
		     clock_nanoseconds() + load->shared.settle_time);
	started = start_threads(load, failure);
	if (started < 0)
		atomic_store(&load->shared.over, true);
	await_settled(load);
	if (started == 0)
		report_progress(load, LOAD_SETTLED);
	start_clock(load);
	end = await_end(load);
	if (end > load->shared.start) /* not stopped in the ramp */
		load->result->elapsed =
			(double)(end - load->shared.start) / (double)SECOND;
	load->result->idle_open = load_idle_count_open(&load->idle);
	load_idle_close(&load->idle); /* clients in the backlog may be served now */
	join_faults(load);
	join_threads(load);
	for (unsigned i = 0; i < load->running; i++)
		load_worker_report(load->workers[i], load->result);
	return started;
}

/* The server answers; first is an established connection, or -1: starts the silent
 * connections and the threads, then measures. */
static int set_up_and_measure(struct load *load, int first, struct failure *failure)
{
	const struct load_plan *plan = load->plan;
	int64_t limit = plan->timeout < IDLE_LIMIT ? plan->timeout : IDLE_LIMIT;

	limit += plan->idle / IDLE_EACH_MS + time_to_connect(plan, plan->idle);
	report_progress(load, LOAD_CONNECTING);
	if (idle_wanted(plan) > 0) {
		/* the silent connections come first, on purpose */
		if (load_idle_open(&load->idle, plan, &load->shared.endpoint, first,
				   limit, failure) < 0)
			return -1;
		load->result->idle_made = load->idle.made;
		if (load->shared.room != NULL)
			load_idle_settle(&load->idle, plan);
		report_progress(load, LOAD_CONNECTING);
		first = -1;
	} else if (plan->kind == LOAD_CONNECTIONS && first >= 0) {
		close(first); /* connecting is part of what is measured */
		first = -1;
	}
	if (create_workers(load, first, failure) < 0)
		return -1;
	if (load_fault_mix_total(&plan->faults) > 0 &&
	    (load->faults = load_faults_create(&load->shared)) == NULL)
		return failure_set(failure, "cannot prepare %u faulty clients: %s",
				   load_fault_mix_total(&plan->faults), strerror(errno));
	return measure(load, failure);
}

static void clean_up(struct load *load)
{
	for (unsigned i = 0; i < load->shared.threads && load->workers != NULL; i++)
		load_worker_destroy(load->workers[i]);
	load_idle_close(&load->idle);
	load_faults_destroy(load->faults);
	free(load->workers);
	free(load->threads);
	load_room_destroy(load->shared.room);
	free((char *)load->shared.material.block);
	free(load->shared.material.shared);
}

int load_run(const struct load_plan *plan, struct load_result *result,
	     struct failure *failure)
{
	struct load load = {
		.plan = plan,
		.result = result,
		.shared = { .plan = plan,
			    .threads = choose_threads(plan),
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .begin = PTHREAD_COND_INITIALIZER },
	};
	int first, reached, done = -1;
	uint64_t cookies = 0, cookies_now = 0;
	bool known = tcp_cookies_sent(&cookies);

	memset(result, 0, sizeof *result);
	result->threads = load.shared.threads;
	load.shared.endpoint.sources = plan->sources;
	if (load_plan_is_local(plan) &&
	    local_address_parse(plan->host, &load.shared.endpoint.local, failure) < 0)
		return -1;
	if (raise_descriptor_limit(plan, load.shared.threads, failure) == 0 &&
	    load_sources_check(&plan->sources, failure) == 0 &&
	    prepare_material(&load, failure) == 0) {
		reached = reach(&load, &first, failure);
		result->address = load.shared.endpoint.address;
		load_endpoint_add_sources(&load.shared.endpoint, all_connections(plan));
		result->sources = load.shared.endpoint.sources.count;
		if (reached == 0)
			done = set_up_and_measure(&load, first, failure);
	}
	if (result->never_answered > 0 && known && tcp_cookies_sent(&cookies_now))
		result->cookies = cookies_now - cookies;
	clean_up(&load);
	return done;
}
