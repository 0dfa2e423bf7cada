/*
 * worker - one thread of a scan: non-blocking attempts to connect, and a poller that
 * reports their results.
 *
 * All attempts have the same timeout, so the list of attempts in the order of their start
 * is also the order of their deadlines: no timer heap is needed. A closed connection is
 * reset (SO_LINGER), or each open port would keep a source port in TIME_WAIT.
 */
#include "client/portscan/worker.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/message.h"
#include "common/poller.h"
#include "common/sock.h"

enum {
	BURST = 128,     /* attempts started and answers handled before the next check */
	MOST_SELVES = 8, /* connections to itself after which the port counts as closed */
	NO_PORT = -1,
};

static const int64_t second = 1000000000, millisecond = 1000000; /* in nanoseconds */

/* Also in nanoseconds: the interval of checking plan->stop; how much delay the rate
 * may make up for; the pauses during a shortage, and how long it lasts before it is
 * reported, or ends the scan. */
static const int64_t check_interval = 100000000, rate_slack = 10000000;
static const int64_t shortest_pause = 1000000, longest_pause = 250000000;
static const int64_t report_after = 1000000000, give_up_after = INT64_C(60000000000);

/* An attempt in progress. They are linked in the order of their start, which is also
 * the order of their deadlines, because all have the same timeout. */
struct attempt {
	struct attempt *earlier, *later;
	int fd;
	unsigned port;
	int64_t deadline;
};

struct scan_worker {
	struct scan_shared *shared;
	const struct scan_plan *plan;
	struct address address; /* with the port of the current attempt */
	struct poller *poller;
	struct attempt *attempts; /* all of them */
	struct attempt *unused;   /* linked by later */
	struct attempt *oldest, *newest;
	unsigned in_flight;
	int spare;          /* a refused socket that can be used again, or -1 */
	int held;           /* a port that was taken from the queue but not started, or
			     * NO_PORT */
	int64_t next_start; /* earliest time of the next attempt: because of the rate,
			     * or of a shortage */
	int64_t interval;   /* the rate: nanoseconds between two attempts */
	int64_t pause, short_since; /* during a shortage; 0: none */
	int64_t shown_at;           /* when progress was last shown */
	bool leading;
};

/* ---- the attempts that wait ------------------------------------------------------------ */

static void link_newest(struct scan_worker *worker, struct attempt *attempt)
{
	attempt->earlier = worker->newest;
	attempt->later = NULL;
	if (worker->newest != NULL)
		worker->newest->later = attempt;
	else
		worker->oldest = attempt;
	worker->newest = attempt;
	worker->in_flight++;
}

static void unlink_attempt(struct scan_worker *worker, struct attempt *attempt)
{
	if (attempt->earlier != NULL)
		attempt->earlier->later = attempt->later;
	else
		worker->oldest = attempt->later;
	if (attempt->later != NULL)
		attempt->later->earlier = attempt->earlier;
	else
		worker->newest = attempt->earlier;
	attempt->later = worker->unused;
	worker->unused = attempt;
	worker->in_flight--;
}

static void aim(struct scan_worker *worker, unsigned port)
{
	if (worker->address.any.sa_family == AF_INET6)
		worker->address.v6.sin6_port = htons((uint16_t)port);
	else
		worker->address.v4.sin_port = htons((uint16_t)port);
}

static int outcome(struct scan_worker *worker, int fd, unsigned port)
{
	aim(worker, port);
	return sock_connect_outcome(fd, &worker->address.any, worker->address.length);
}

/* ---- what an attempt tells ------------------------------------------------------------- */

static void settle(struct scan_worker *worker, unsigned number, enum scan_state state,
		   int error)
{
	struct scan_port *port = &worker->shared->ports[number];

	port->state = state;
	port->error = state == SCAN_FILTERED ? error : 0;
	atomic_fetch_add_explicit(&worker->shared->done, 1, memory_order_relaxed);
	if (state == SCAN_OPEN)
		atomic_fetch_add_explicit(&worker->shared->open, 1, memory_order_relaxed);
}

/* A port without a result stays unknown; the next round tries it again. */
static void judge(struct scan_worker *worker, int fd, unsigned number, int error)
{
	struct scan_port *port = &worker->shared->ports[number];

	if (error == ETIMEDOUT && port->timeouts++ < worker->plan->retries)
		return;
	if (error != 0 || !sock_is_connected_to_itself(fd))
		settle(worker, number, scan_state_of(error), error);
	else if (++port->selves >= MOST_SELVES)
		settle(worker, number, SCAN_CLOSED, 0);
}

/* An attempt has ended with error, or 0: established. */
static void conclude(struct scan_worker *worker, int fd, unsigned port, int error)
{
	judge(worker, fd, port, error);
	if (error == ECONNREFUSED && worker->spare < 0) {
		worker->spare = fd;
		return;
	}
	if (error == 0) /* otherwise the source port stays in TIME_WAIT for a minute */
		sock_set_abortive(fd);
	close(fd);
}

/* ---- beginning ------------------------------------------------------------------------- */

/* Shortages that end when this or another process closes sockets; they say nothing
 * about the port. The address is known to be reachable, so EADDRNOTAVAIL means: no
 * source port is free. */
static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM || error == EADDRNOTAVAIL || error == EADDRINUSE ||
	       error == EAGAIN || error == ENOSPC;
}

/* Only another worker could free a descriptor. Other shortages end with time. */
static bool is_permanent(const struct scan_worker *worker, int error, int64_t since)
{
	if (error == EMFILE && worker->shared->workers == 1)
		return true;
	return since >= give_up_after;
}

static void wait_for_resources(struct scan_worker *worker, unsigned port, int error)
{
	int64_t now = clock_nanoseconds();

	worker->held = (int)port;
	if (worker->short_since == 0) {
		worker->short_since = now;
		worker->pause = shortest_pause;
	} else if (worker->pause < longest_pause) {
		worker->pause *= 2;
	}
	worker->next_start = now + worker->pause;
	if (worker->in_flight > 0)
		return; /* the end of an attempt may end the shortage */
	if (is_permanent(worker, error, now - worker->short_since))
		atomic_store(&worker->shared->error, error);
	else if (now - worker->short_since >= report_after &&
		 !atomic_exchange(&worker->shared->shortage_shown, true))
		message(MESSAGE_NOTICE, "waiting, no attempt can be started: %s",
			error == EADDRNOTAVAIL ? "No source port is free"
					       : strerror(error));
}

static int open_attempt(struct scan_worker *worker, unsigned port)
{
	const struct address *address = &worker->address;
	int fd = worker->spare;

	aim(worker, port);
	worker->spare = -1;
	if (fd >= 0)
		return sock_connect_restart(fd, &address->any, address->length,
					    SOCK_STREAM);
	return sock_connect_start(&address->any, address->length, SOCK_STREAM);
}

/* The local host answers at once, so the result is read without the poller, and the
 * socket is used again for the next port. This doubles the speed of a scan of
 * loopback. */
static void begin_attempt(struct scan_worker *worker, unsigned port)
{
	struct attempt *attempt = worker->unused;
	int fd = open_attempt(worker, port), error;

	if (fd < 0 && is_shortage(errno)) {
		wait_for_resources(worker, port, errno);
		return;
	}
	worker->short_since = 0;
	if (fd < 0) {
		settle(worker, port, scan_state_of(errno), errno);
		return;
	}
	error = outcome(worker, fd, port);
	if (error != EINPROGRESS) {
		conclude(worker, fd, port, error);
		return;
	}
	if (poller_add(worker->poller, fd, POLLER_WRITE, attempt) < 0) {
		wait_for_resources(worker, port, errno);
		close(fd);
		return;
	}
	attempt->fd = fd;
	attempt->port = port;
	attempt->deadline = clock_nanoseconds() + worker->plan->wait * millisecond;
	worker->unused = attempt->later;
	link_newest(worker, attempt);
}

/* The next port, or NO_PORT. */
static int take_port(struct scan_worker *worker)
{
	struct scan_shared *shared = worker->shared;
	int port = worker->held;
	unsigned place;

	worker->held = NO_PORT;
	if (port != NO_PORT)
		return port;
	if (atomic_load_explicit(&shared->taken, memory_order_relaxed) >= shared->queued)
		return NO_PORT; /* otherwise the counter would grow without limit */
	place = atomic_fetch_add_explicit(&shared->taken, 1, memory_order_relaxed);
	return place < shared->queued ? shared->queue[place] : NO_PORT;
}

static bool has_more(const struct scan_worker *worker)
{
	return worker->held != NO_PORT ||
	       atomic_load_explicit(&worker->shared->taken, memory_order_relaxed) <
		       worker->shared->queued;
}

static bool may_begin(const struct scan_worker *worker)
{
	return worker->unused != NULL && has_more(worker);
}

/* With a rate, a few late attempts may be made up for. */
static void note_start(struct scan_worker *worker, int64_t now)
{
	if (worker->interval == 0)
		return;
	if (worker->next_start < now - rate_slack)
		worker->next_start = now - rate_slack;
	worker->next_start += worker->interval;
}

static void begin_attempts(struct scan_worker *worker)
{
	for (int begun = 0; begun < BURST && may_begin(worker); begun++) {
		int64_t now = clock_nanoseconds();
		int port;

		if (now < worker->next_start)
			return;
		port = take_port(worker);
		if (port == NO_PORT)
			return;
		note_start(worker, now);
		begin_attempt(worker, (unsigned)port);
	}
}

/* ---- waiting --------------------------------------------------------------------------- */

/* Nanoseconds until the next action without an answer. */
static int64_t time_left(const struct scan_worker *worker)
{
	int64_t now = clock_nanoseconds(), until = now + check_interval;

	if (worker->oldest != NULL)
		until = clock_earlier(until, worker->oldest->deadline);
	if (may_begin(worker))
		until = clock_earlier(until, worker->next_start);
	return clock_until(until, now);
}

/* Ends the current attempt. */
static void finish(struct scan_worker *worker, struct attempt *attempt, int error)
{
	poller_remove(worker->poller, attempt->fd);
	unlink_attempt(worker, attempt);
	conclude(worker, attempt->fd, attempt->port, error);
	if (worker->short_since != 0)
		worker->next_start = 0;
}

static void take_answers(struct scan_worker *worker)
{
	struct poller_event events[BURST];
	int count = poller_wait(worker->poller, events, BURST, time_left(worker));

	for (int i = 0; i < count; i++) {
		struct attempt *attempt = events[i].owner;
		int error = outcome(worker, attempt->fd, attempt->port);

		if (error != EINPROGRESS)
			finish(worker, attempt, error);
	}
}

/* Perhaps this process was late (stopped, or busy with other answers). So an overdue
 * attempt is checked once more. */
static void give_up_overdue(struct scan_worker *worker)
{
	int64_t now = clock_nanoseconds();

	while (worker->oldest != NULL && worker->oldest->deadline <= now) {
		struct attempt *attempt = worker->oldest;
		int error = outcome(worker, attempt->fd, attempt->port);

		finish(worker, attempt, error == EINPROGRESS ? ETIMEDOUT : error);
	}
}

static void show_progress(struct scan_worker *worker)
{
	struct scan_shared *shared = worker->shared;
	struct scan_progress progress;
	int64_t now;

	if (!worker->leading || worker->plan->progress == NULL)
		return;
	now = clock_nanoseconds();
	if (now - worker->shown_at < check_interval)
		return;
	worker->shown_at = now;
	progress.done = atomic_load_explicit(&shared->done, memory_order_relaxed);
	progress.open = atomic_load_explicit(&shared->open, memory_order_relaxed);
	progress.of = shared->wanted;
	worker->plan->progress(&progress, worker->plan->context);
}

static bool is_over(const struct scan_worker *worker)
{
	if (atomic_load(worker->plan->stop) != 0 ||
	    atomic_load(&worker->shared->error) != 0)
		return true;
	return worker->in_flight == 0 && !has_more(worker);
}

static void abandon(struct scan_worker *worker)
{
	while (worker->oldest != NULL) {
		struct attempt *attempt = worker->oldest;

		poller_remove(worker->poller, attempt->fd);
		unlink_attempt(worker, attempt);
		close(attempt->fd);
	}
}

void *scan_worker_run(void *context)
{
	struct scan_worker *worker = context;

	while (!is_over(worker)) {
		begin_attempts(worker);
		if (worker->in_flight > 0 || clock_nanoseconds() < worker->next_start)
			take_answers(worker);
		give_up_overdue(worker);
		show_progress(worker);
	}
	abandon(worker);
	return NULL;
}

/* ---- its life -------------------------------------------------------------------------- */

struct scan_worker *scan_worker_create(struct scan_shared *shared, unsigned in_flight,
				       bool leading)
{
	struct scan_worker *worker = calloc(1, sizeof *worker);
	int error;

	if (worker == NULL)
		return NULL;
	worker->shared = shared;
	worker->plan = shared->plan;
	worker->address = *shared->plan->address;
	worker->leading = leading;
	worker->spare = -1;
	worker->held = NO_PORT;
	if (shared->plan->rate > 0)
		worker->interval = second / (int64_t)shared->plan->rate;
	worker->poller = poller_create();
	worker->attempts = calloc(in_flight, sizeof *worker->attempts);
	if (worker->poller == NULL || worker->attempts == NULL) {
		error = errno;
		scan_worker_destroy(worker);
		errno = error;
		return NULL;
	}
	for (unsigned i = 0; i + 1 < in_flight; i++)
		worker->attempts[i].later = &worker->attempts[i + 1];
	worker->unused = worker->attempts;
	return worker;
}

void scan_worker_destroy(struct scan_worker *worker)
{
	if (worker == NULL)
		return;
	if (worker->spare >= 0)
		close(worker->spare);
	poller_destroy(worker->poller);
	free(worker->attempts);
	free(worker);
}
