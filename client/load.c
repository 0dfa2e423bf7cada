#include "client/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/load_crowd.h"
#include "client/load_worker.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"

#define MILLISECOND INT64_C(1000000)
#define SECOND      INT64_C(1000000000)

enum {
	SETTLE_LIMIT = 1000,    /* milliseconds for the connections to be made */
	CROWD_LIMIT = 2000,     /* milliseconds for the idle ones */
	RETRY_PAUSE = 10,       /* milliseconds between two tries of plan.retry */
	PROGRESS_PAUSE = 100,   /* milliseconds between two calls of plan.progress */
	DESCRIPTORS_ASIDE = 64, /* that the program may have open beside ours */
};

/* A load while it runs. */
struct load {
	const struct load_plan *plan;
	struct load_result *result;
	struct load_shared shared;
	struct load_crowd crowd;
	struct load_worker **workers;
	pthread_t *threads;
	unsigned running; /* how many threads have been started */
};

/* ---- names --------------------------------------------------------------------------------- */

static const char *const kind_names[LOAD_KINDS] = {
	[LOAD_CONVERSATIONS] = "conversations",
	[LOAD_CONNECTIONS] = "connections",
	[LOAD_IDLE] = "idle",
	[LOAD_BULK] = "bulk",
};

static const char *const error_names[LOAD_ERRORS] = {
	[LOAD_REFUSED] = "refused",           [LOAD_RESET] = "reset",
	[LOAD_TIMED_OUT] = "timed out",       [LOAD_WRONG_REPLY] = "wrong reply",
	[LOAD_CLOSED_EARLY] = "closed early", [LOAD_OTHER] = "other",
};

const char *load_kind_name(enum load_kind kind)
{
	return kind_names[kind];
}

bool load_kind_find(const char *name, enum load_kind *kind)
{
	for (int i = 0; i < LOAD_KINDS; i++) {
		if (strcmp(kind_names[i], name) == 0) {
			*kind = (enum load_kind)i;
			return true;
		}
	}
	return false;
}

const char *load_error_name(enum load_error error)
{
	return error_names[error];
}

uint64_t load_errors(const struct load_result *result)
{
	uint64_t sum = 0;

	for (int i = 0; i < LOAD_ERRORS; i++)
		sum += result->errors[i];
	return sum;
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

	/* Half of them: the server is to have the other half. */
	if (threads == 0)
		threads = processors > 2 ? (unsigned)(processors / 2) : 1;
	return threads < plan->connections ? threads : plan->connections;
}

static unsigned idle_wanted(const struct load_plan *plan)
{
	return plan->kind == LOAD_IDLE ? plan->idle : 0;
}

static int raise_descriptor_limit(const struct load_plan *plan, unsigned threads,
				  struct failure *failure)
{
	rlim_t needed = (rlim_t)plan->connections + idle_wanted(plan) + threads +
			DESCRIPTORS_ASIDE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return failure_set(failure, "cannot learn the limit on descriptors: %s",
				   strerror(errno));
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
		return 0;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed)
		return failure_set(failure,
				   "%ju descriptors are needed, but the hard limit is "
				   "%ju (ulimit -H -n)",
				   (uintmax_t)needed, (uintmax_t)limit.rlim_max);
	limit.rlim_cur = needed;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return failure_set(failure, "cannot raise the limit on descriptors: %s",
				   strerror(errno));
	return 0;
}

/* The first connection tells which of the host's addresses answers, and whether any does.
 * Returns its descriptor, non-blocking, or -1 with *failure. */
static int reach(struct load *load, struct failure *failure)
{
	const struct load_plan *plan = load->plan;
	int64_t begun = clock_milliseconds(), limit = plan->timeout;
	struct sock_target target = { plan->host, plan->port, plan->family, SOCK_STREAM,
				      0 };
	struct timespec pause = clock_timespec(RETRY_PAUSE);
	int fd;

	if (!plan->retry && limit > plan->duration && limit > SETTLE_LIMIT)
		limit = plan->duration > SETTLE_LIMIT ? plan->duration : SETTLE_LIMIT;
	for (;;) {
		int64_t left = begun + limit - clock_milliseconds();

		target.timeout = left > 0 ? left : 0;
		fd = sock_connect(&target, &load->shared.address, failure);
		if (fd >= 0 || errno != ECONNREFUSED || !plan->retry || stopped(plan) ||
		    clock_milliseconds() + RETRY_PAUSE >= begun + limit)
			break;
		nanosleep(&pause, NULL); /* a signal may end it early */
	}
	if (fd >= 0 && io_set_nonblocking(fd, true) == 0)
		return fd;
	if (errno != 0) {
		enum load_error kind = load_error_of(errno);

		load->result->errors[kind]++;
		load->result->other = kind == LOAD_OTHER ? errno : 0;
	}
	if (fd >= 0) {
		failure_set(failure, "cannot use the connection: %s", strerror(errno));
		close(fd);
	}
	return -1;
}

static int prepare_material(struct load *load, struct failure *failure)
{
	size_t size = load->plan->size;
	char *block = size < SIZE_MAX - LOAD_OFFSETS ? malloc(size + LOAD_OFFSETS) : NULL;

	if (block == NULL)
		return failure_set(failure, "no memory for messages of %zu bytes", size);
	load_material_fill(block, size + LOAD_OFFSETS);
	load->shared.material = (struct load_material){ block, size };
	return 0;
}

/* ---- the threads --------------------------------------------------------------------------- */

/* first becomes the first worker's first connection. */
static int create_workers(struct load *load, int first, struct failure *failure)
{
	unsigned threads = load->shared.threads;

	load->workers = calloc(threads, sizeof *load->workers);
	load->threads = calloc(threads, sizeof *load->threads);
	if (load->workers == NULL || load->threads == NULL) {
		if (first >= 0)
			close(first);
		return failure_set(failure, "no memory for %u threads", threads);
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

/* Signals are for the thread that called us: it looks at plan->stop. SIGPIPE is blocked
 * with the others, so that writing to a reset connection is an error and not the end. */
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
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		return failure_set(failure, "cannot start thread %u: %s",
				   load->running + 1, strerror(error));
	return 0;
}

static void tell_progress(struct load *load, enum load_phase phase)
{
	struct load_progress progress = { .phase = phase, .idle = load->crowd.made };

	if (load->plan->progress == NULL)
		return;
	for (unsigned i = 0; i < load->running; i++)
		progress.exchanges += load_worker_exchanges(load->workers[i]);
	if (phase == LOAD_RUNNING)
		progress.seconds = (double)(clock_nanoseconds() - load->shared.start) /
				   (double)SECOND;
	load->plan->progress(&progress, load->plan->context);
}

/* Until every thread has its connections: they see to it that this comes to an end. */
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
	load->shared.start = clock_nanoseconds();
	load->shared.end = load->shared.start + load->plan->duration * MILLISECOND;
	pthread_cond_broadcast(&load->shared.begin);
	pthread_mutex_unlock(&load->shared.lock);
}

/* Waits for the end, or for who stops it. Returns when that was. */
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
		nanosleep(&pause, NULL); /* a signal ends it early */
		tell_progress(load, LOAD_RUNNING);
	}
}

static void join_threads(struct load *load)
{
	for (unsigned i = 0; i < load->running; i++)
		pthread_join(load->threads[i], NULL);
}

static int measure(struct load *load, struct failure *failure)
{
	int64_t limit = load->plan->timeout;
	int started;

	if (limit > SETTLE_LIMIT)
		limit = SETTLE_LIMIT;
	load->shared.settle_limit = clock_nanoseconds() + limit * MILLISECOND;
	started = start_threads(load, failure);
	if (started < 0)
		atomic_store(&load->shared.over, true);
	await_settled(load);
	if (started == 0)
		tell_progress(load, LOAD_SETTLED);
	start_clock(load);
	load->result->elapsed =
		(double)(await_end(load) - load->shared.start) / (double)SECOND;
	join_threads(load);
	for (unsigned i = 0; i < load->running; i++)
		load_worker_report(load->workers[i], load->result);
	load->result->idle_standing = load_crowd_standing(&load->crowd);
	return started;
}

/* With a connection that stands: the crowd, the threads, and then the measuring. */
static int set_up_and_measure(struct load *load, int first, struct failure *failure)
{
	const struct load_plan *plan = load->plan;
	int64_t limit = plan->timeout < CROWD_LIMIT ? plan->timeout : CROWD_LIMIT;

	tell_progress(load, LOAD_CONNECTING);
	if (idle_wanted(plan) > 0) {
		/* The first client to come is a silent one: that is the point. */
		if (load_crowd_open(&load->crowd, plan, &load->shared.address, first,
				    limit, failure) < 0)
			return -1;
		load->result->idle_made = load->crowd.made;
		tell_progress(load, LOAD_CONNECTING);
		first = -1;
	} else if (plan->kind == LOAD_CONNECTIONS) {
		close(first); /* their connecting is to be measured */
		first = -1;
	}
	if (create_workers(load, first, failure) < 0)
		return -1;
	return measure(load, failure);
}

static void clean_up(struct load *load)
{
	for (unsigned i = 0; i < load->shared.threads && load->workers != NULL; i++)
		load_worker_destroy(load->workers[i]);
	load_crowd_close(&load->crowd);
	free(load->workers);
	free(load->threads);
	free((char *)load->shared.material.block);
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
	int first, done = -1;

	memset(result, 0, sizeof *result);
	result->threads = load.shared.threads;
	if (raise_descriptor_limit(plan, load.shared.threads, failure) == 0 &&
	    prepare_material(&load, failure) == 0) {
		first = reach(&load, failure);
		result->address = load.shared.address;
		if (first >= 0)
			done = set_up_and_measure(&load, first, failure);
	}
	clean_up(&load);
	return done;
}
