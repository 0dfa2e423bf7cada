/*
 * worker - one thread of a load: an event loop over its connections.
 *
 * Each iteration handles expired timeouts, sends the due requests on free connections, and waits
 * in the poller. A timeout is a field of a connection, and next_wake is a lower bound of all of
 * them: the loop over all connections runs at most once per millisecond.
 */
#ifdef __linux__
#define _GNU_SOURCE /* prctl, PR_SET_TIMERSLACK */
#endif

#include "client/load/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "client/load/connection.h"
#include "client/load/room.h"
#include "client/load/schedule.h"
#include "common/clock.h"

enum {
	BATCH = 256,   /* events for one call of the poller */
	AT_ONCE = 256, /* requests started per iteration */
};

/* Longest wait: after it shared->over is checked. */
static const int64_t longest_wait = 50 * MILLISECOND;

/* ---- all connections ----------------------------------------------------------------------- */

/* The timeout or the pause of a connection has expired. */
static void wake(struct load_worker *worker, struct load_connection *connection)
{
	if (connection->state != CLOSED) {
		worker->transport->expire(worker, connection);
	} else if (worker->plan->kind == LOAD_CONNECTIONS) {
		load_connection_set_free(connection);
		load_connection_queue(worker, connection);
	} else {
		load_connection_open(worker, connection);
	}
}

static void wake_all(struct load_worker *worker)
{
	if (worker->now < worker->next_wake)
		return;
	worker->next_wake = NEVER;
	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];

		if (connection->wake <= worker->now)
			wake(worker, connection);
		if (connection->wake < worker->next_wake)
			worker->next_wake = connection->wake;
	}
	/* not for every event: the loop is linear */
	if (worker->next_wake < worker->now + MILLISECOND)
		worker->next_wake = worker->now + MILLISECOND;
}

/* A request is late because no connection was free, which is the server's doing; or because
 * this thread did not send it, although one was free. */
static void note_delay(struct load_worker *worker,
		       const struct load_connection *connection, int64_t due)
{
	int64_t could = due > connection->free_since ? due : connection->free_since;
	int64_t delay = worker->now - could;

	if (delay > LOAD_TARDY)
		worker->result.tardy++;
	if (delay > worker->result.tardiest)
		worker->result.tardiest = delay;
}

/* Whether each request needs a new connection, and the rate of these is limited. */
static bool connects_at_a_rate(const struct load_worker *worker)
{
	return worker->connect_pause > 0 && worker->plan->kind == LOAD_CONNECTIONS;
}

/* Starts due requests on free connections. A limited number: those of a sink may be
 * free again at once. */
static void send_due(struct load_worker *worker)
{
	bool open = worker->plan->rate > 0, connects = connects_at_a_rate(worker);
	int64_t due;

	for (int i = 0; worker->queue != NULL && i < AT_ONCE; i++) {
		if (worker->queue->state != FREE) { /* it failed in the queue */
			load_connection_dequeue(worker);
			continue;
		}
		if ((connects && !load_connection_may_connect(worker)) ||
		    !load_schedule_take(worker, &due))
			break;
		if (connects)
			load_connection_note_connect(worker);
		else if (open && due >= worker->start)
			note_delay(worker, worker->queue, due);
		worker->transport->begin(worker, load_connection_dequeue(worker), due);
		if (open) /* for the service time of the next one */
			worker->now = clock_nanoseconds();
	}
}

/* Nanoseconds until there is work without an event. */
static int64_t time_to_wait(const struct load_worker *worker, int64_t until)
{
	int64_t wait;

	if (worker->next_wake < until)
		until = worker->next_wake;
	if (worker->queue != NULL && worker->from != NEVER) {
		int64_t due = worker->plan->rate > 0
				      ? load_schedule_due(worker, worker->requests)
				      : worker->now;

		if (connects_at_a_rate(worker) && due < worker->next_connect)
			due = worker->next_connect;
		/* not rounded to milliseconds: the schedule is exact */
		if (due < until && due < worker->now + longest_wait)
			return due > worker->now ? due - worker->now : 0;
	}
	wait = until - worker->now;
	if (wait > longest_wait)
		wait = longest_wait;
	if (wait < 0)
		wait = 0;
	return (wait + MILLISECOND - 1) / MILLISECOND * MILLISECOND;
}

/* An event of a connection that an earlier event of the batch has closed is ignored. */
static void handle_event(struct load_worker *worker, const struct poller_event *event)
{
	struct load_connection *connection = event->owner;

	if (connection->fd >= 0)
		worker->transport->ready(worker, connection, event->ready);
}

static void turn(struct load_worker *worker, int64_t until)
{
	struct poller_event events[BATCH];
	int count;

	wake_all(worker);
	send_due(worker);
	count = poller_wait(worker->poller, events, BATCH, time_to_wait(worker, until));
	worker->now = clock_nanoseconds();
	for (int i = 0; i < count; i++)
		handle_event(worker, &events[i]);
	atomic_store_explicit(&worker->exchanges, worker->result.exchanges,
			      memory_order_relaxed);
}

static bool over(const struct load_worker *worker)
{
	return atomic_load_explicit(&worker->shared->over, memory_order_relaxed);
}

static bool all_settled(const struct load_worker *worker)
{
	for (unsigned i = 0; i < worker->count; i++)
		if (worker->connections[i].state == CONNECTING ||
		    worker->connections[i].held)
			return false;
	return true;
}

/* Establishes the connections. Failed ones are tried again later. */
static void settle(struct load_worker *worker)
{
	atomic_int_least64_t *limit = &worker->shared->settle_limit; /* another thread
								      * may extend it */

	worker->now = clock_nanoseconds();
	wake_all(worker);
	while (!over(worker) && !all_settled(worker) && worker->now < atomic_load(limit))
		turn(worker, atomic_load(limit));
}

static void wait_for_start(struct load_worker *worker)
{
	struct load_shared *shared = worker->shared;

	pthread_mutex_lock(&shared->lock);
	shared->settled++;
	while (shared->start == 0)
		pthread_cond_wait(&shared->begin, &shared->lock);
	worker->from = shared->from;
	worker->start = shared->start;
	worker->end = shared->end;
	pthread_mutex_unlock(&shared->lock);
}

/* In a closed loop the ramp adds connections: each has its time by its number. */
static bool adds_connections(const struct load_worker *worker)
{
	return worker->plan->ramp > 0 && worker->plan->rate <= 0;
}

static void plan_connections(struct load_worker *worker)
{
	double ramp = (double)(worker->start - worker->from);

	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];

		if (connection->state == CLOSED && connection->wake == NEVER)
			load_connection_set_wake(
				worker, connection,
				worker->from +
					(int64_t)(ramp * connection->exchange.connection /
						  worker->plan->connections));
	}
}

/* ---- the last replies ---------------------------------------------------------------------- */

/* Whether it waits for a reply, or is connecting. */
static bool waits(const struct load_worker *worker,
		  const struct load_connection *connection)
{
	if (worker->plan->datagrams)
		return connection->waiting > 0;
	return connection->state == CONNECTING || connection->state == BUSY;
}

/* Closes the connections that wait for nothing, so that an iterative server can
 * serve the next client. @return the number that waits */
static unsigned close_the_others(struct load_worker *worker)
{
	unsigned waiting = 0;

	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];

		if (waits(worker, connection) && connection->wake <= worker->now)
			worker->transport->expire(worker, connection);
		if (waits(worker, connection))
			waiting++;
		else
			load_connection_shut(worker, connection);
	}
	return waiting;
}

/* The time for last replies is over. */
static void give_up_the_rest(struct load_worker *worker)
{
	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];

		if (!waits(worker, connection))
			continue;
		if (worker->plan->datagrams) {
			worker->result.fate.lost += connection->waiting;
			connection->lost = true;
		} else
			worker->transport->expire(worker, connection);
	}
}

/* UDP may lose datagrams, but a socket that has received none at all has no server. */
static void judge_silent_sockets(struct load_worker *worker)
{
	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];

		if (!connection->lost || connection->heard)
			continue;
		connection->unanswered = true;
		worker->result.errors[LOAD_NO_REPLY]++;
		failure_set(&worker->result.silence, "no datagram received");
	}
}

static void count_unanswered(struct load_worker *worker)
{
	for (unsigned i = 0; i < worker->count; i++)
		if (worker->connections[i].unanswered)
			worker->result.unanswered++;
}

/* A request sent just before the end gets its reply: each has its own timeout.
 * Otherwise the server would look broken. */
static void await_replies(struct load_worker *worker)
{
	struct poller_event events[BATCH];
	int64_t limit = worker->now + LOAD_GRACE * MILLISECOND;
	unsigned waiting;

	while ((waiting = close_the_others(worker)) > 0 && !over(worker) &&
	       worker->now < limit) {
		int count = poller_wait(worker->poller, events, BATCH, 10 * MILLISECOND);

		worker->now = clock_nanoseconds();
		for (int i = 0; i < count; i++)
			handle_event(worker, &events[i]);
	}
	if (over(worker))
		worker->result.waiting = waiting;
	else
		give_up_the_rest(worker);
}

/* CPU time of this thread so far, in nanoseconds; 0 if unknown. */
static int64_t cpu_time(void)
{
	struct timespec time = { 0 };

#ifdef _POSIX_THREAD_CPUTIME
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
#endif
	return time.tv_sec * SECOND + time.tv_nsec;
}

/* At the end of the measured time: whether this thread had time to spare. */
static void note_business(struct load_worker *worker)
{
	int64_t elapsed = worker->now - worker->start;
	uint64_t before = load_schedule_before(worker);

	if (elapsed > 0)
		worker->result.busy =
			(double)(cpu_time() - worker->cpu_at_start) / (double)elapsed;
	if (worker->requests > before)
		worker->result.requests = worker->requests - before;
}

/* Sinks and broadcasts have their own end. */
static bool has_replies(const struct load_worker *worker)
{
	return worker->protocol->pattern != LOAD_SINK &&
	       worker->protocol->pattern != LOAD_BROADCAST;
}

void *load_worker_run(void *argument)
{
	struct load_worker *worker = argument;

#ifdef __linux__
	/* by default the kernel may wake a thread 50 µs late */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
#endif
	settle(worker);
	wait_for_start(worker);
	worker->now = clock_nanoseconds();
	if (worker->transport->start != NULL)
		worker->transport->start(worker);
	if (adds_connections(worker))
		plan_connections(worker);
	while (worker->now < worker->start && !over(worker))
		turn(worker, worker->start);
	worker->cpu_at_start = cpu_time();
	while (worker->now < worker->end && !over(worker))
		turn(worker, worker->end);
	note_business(worker);
	if (worker->now > worker->end)
		worker->now = worker->end;
	worker->result.unsent = load_schedule_unsent(worker, worker->now);
	if (worker->transport->finish != NULL)
		worker->transport->finish(worker);
	if (has_replies(worker))
		await_replies(worker);
	if (worker->plan->datagrams)
		judge_silent_sockets(worker);
	count_unanswered(worker);
	for (unsigned i = 0; i < worker->count; i++)
		load_connection_shut(worker, &worker->connections[i]);
	atomic_fetch_add(&worker->shared->finished, 1);
	return NULL;
}

/* ---- making, asking, freeing --------------------------------------------------------------- */

/* All connections start as CLOSED with an expired pause, or as FREE without a
 * socket. The first one may have a socket already. */
static void prepare_connections(struct load_worker *worker, int first)
{
	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];

		connection->fd = -1;
		connection->exchange.connection =
			worker->number + i * worker->shared->threads;
		connection->exchange.state =
			worker->states + i * worker->protocol->state_size;
		connection->exchange.wrong = &worker->result.wrong;
		if (adds_connections(worker)) {
			connection->wake = NEVER;
		} else if (worker->plan->kind == LOAD_CONNECTIONS) {
			load_connection_set_free(connection);
			load_connection_queue(worker, connection);
		}
	}
	if (first >= 0) {
		worker->connections[0].fd = first;
		worker->transport->open(worker, &worker->connections[0]);
	}
}

static const struct load_transport *choose_transport(const struct load_plan *plan)
{
	if (plan->protocol->pattern == LOAD_BROADCAST)
		return &load_broadcast;
	return plan->datagrams ? &load_datagram : &load_stream;
}

struct load_worker *load_worker_create(struct load_shared *shared, unsigned number,
				       int first)
{
	struct load_worker *worker = calloc(1, sizeof *worker);
	unsigned threads = shared->threads;

	if (worker == NULL)
		goto failed;
	worker->shared = shared;
	worker->plan = shared->plan;
	worker->protocol = shared->plan->protocol;
	worker->transport = choose_transport(shared->plan);
	worker->turns = threads;
	worker->number = number;
	worker->count = (shared->plan->connections - number + threads - 1) / threads;
	worker->queue_end = &worker->queue;
	worker->from = worker->start = worker->end = NEVER;
	if (shared->plan->connect_rate > 0)
		worker->connect_pause = SECOND * threads / shared->plan->connect_rate;
	worker->poller = poller_create();
	worker->connections = calloc(worker->count, sizeof *worker->connections);
	/* one byte more, because calloc(0) may return NULL */
	worker->states = calloc(worker->count + 1U, worker->protocol->state_size + 1);
	worker->received = malloc(RECEIVE_SIZE);
	if (worker->poller == NULL || worker->connections == NULL ||
	    worker->states == NULL || worker->received == NULL ||
	    (worker->transport->prepare != NULL &&
	     worker->transport->prepare(worker) < 0))
		goto failed;
	prepare_connections(worker, first);
	return worker;
failed:
	if (first >= 0)
		close(first);
	if (worker != NULL)
		worker->count = 0; /* no connection is initialized */
	load_worker_destroy(worker);
	return NULL;
}

uint64_t load_worker_exchanges(struct load_worker *worker)
{
	return atomic_load_explicit(&worker->exchanges, memory_order_relaxed);
}

void load_worker_report(const struct load_worker *worker, struct load_result *result)
{
	const struct load_result *part = &worker->result;

	result->exchanges += part->exchanges;
	result->uploads += part->uploads;
	result->bytes += part->bytes;
	result->lines_sent += part->lines_sent;
	result->due += part->due;
	result->delivered += part->delivered;
	result->made += part->made;
	result->served += part->served;
	result->served_late += part->served_late;
	result->waiting += part->waiting;
	result->never_answered += part->never_answered;
	result->unanswered += part->unanswered;
	result->unsent += part->unsent;
	for (int i = 0; i < LOAD_ERRORS; i++)
		result->errors[i] += part->errors[i];
	if (part->other != 0)
		result->other = part->other;
	if (part->wrong.text[0] != '\0')
		result->wrong = part->wrong;
	if (part->silence.text[0] != '\0')
		result->silence = part->silence;
	if (part->elapsed > result->elapsed)
		result->elapsed = part->elapsed;
	result->fate.sent += part->fate.sent;
	result->fate.lost += part->fate.lost;
	result->fate.late += part->fate.late;
	result->fate.duplicates += part->fate.duplicates;
	result->fate.reordered += part->fate.reordered;
	histogram_merge(&result->latency, &part->latency);
	histogram_merge(&result->service, &part->service);
	if (part->busy > result->busy)
		result->busy = part->busy;
	result->requests += part->requests;
	result->tardy += part->tardy;
	if (part->tardiest > result->tardiest)
		result->tardiest = part->tardiest;
}

void load_worker_destroy(struct load_worker *worker)
{
	if (worker == NULL)
		return;
	for (unsigned i = 0; i < worker->count; i++)
		load_connection_shut(worker, &worker->connections[i]);
	poller_destroy(worker->poller);
	free(worker->connections);
	free(worker->states);
	free(worker->received);
	load_members_free(worker);
	free(worker->slots);
	free(worker->datagram);
	free(worker);
}
