#ifdef __linux__
#define _GNU_SOURCE /* prctl, PR_SET_TIMERSLACK */
#endif

#include "client/load/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "client/load/connection.h"
#include "client/load/room.h"
#include "common/clock.h"

enum {
	BATCH = 256,   /* events for one call of the poller */
	AT_ONCE = 256, /* requests handed out before the next one */
};

/* The pause before a connection that failed is made anew doubles with each failure in a
 * row: a server in trouble is not hammered, and we do not spin. */
static const int64_t shortest_pause = MILLISECOND, longest_pause = 100 * MILLISECOND;

/* How soon shared->over is noticed. */
static const int64_t longest_wait = 50 * MILLISECOND;

/* ---- when requests are due --------------------------------------------------------------- */

/* The threads take turns: of all requests, every turns-th is ours. */
static int64_t due_time(const struct load_worker *worker, uint64_t request)
{
	double place = (double)request * worker->turns + worker->number;

	return worker->start + (int64_t)(place * (double)SECOND / worker->plan->rate);
}

/* Whether a request is to be sent now, and *due, when it should have been: at once in a
 * closed loop. In an open loop not when the connection is free to send it, but when the
 * schedule says so: a server that stalls has to answer for all who wait because of it,
 * and not only for those whose requests happen to be on their way ("coordinated
 * omission", as Gil Tene named it). */
static bool take_request(struct load_worker *worker, int64_t *due)
{
	if (worker->now < worker->start || worker->now >= worker->end)
		return false;
	*due = worker->now;
	if (worker->plan->rate <= 0)
		return true;
	*due = due_time(worker, worker->requests);
	if (*due > worker->now || *due >= worker->end)
		return false;
	worker->requests++;
	return true;
}

/* How many requests were due before the end, and never sent. */
static uint64_t unsent(const struct load_worker *worker, int64_t end)
{
	double seconds = (double)(end - worker->start) / (double)SECOND;
	double turns = (seconds * worker->plan->rate - worker->number) / worker->turns;
	uint64_t due;

	if (worker->plan->rate <= 0 || worker->number >= worker->turns || turns <= 0)
		return 0;
	due = (uint64_t)turns;
	if (due_time(worker, due) < end) /* turns, rounded up */
		due++;
	return due > worker->requests ? due - worker->requests : 0;
}

/* ---- the queue of free connections --------------------------------------------------------- */

void load_connection_queue(struct load_worker *worker, struct load_connection *connection)
{
	if (connection->queued)
		return;
	connection->queued = true;
	connection->next = NULL;
	*worker->queue_end = connection;
	worker->queue_end = &connection->next;
}

static struct load_connection *queue_take(struct load_worker *worker)
{
	struct load_connection *connection = worker->queue;

	worker->queue = connection->next;
	if (worker->queue == NULL)
		worker->queue_end = &worker->queue;
	connection->queued = false;
	return connection;
}

/* ---- one connection -------------------------------------------------------------------- */

void load_connection_set_wake(struct load_worker *worker,
			      struct load_connection *connection, int64_t wake)
{
	connection->wake = wake;
	if (wake < worker->next_wake)
		worker->next_wake = wake;
}

void load_connection_set_free(struct load_connection *connection)
{
	connection->state = FREE;
	connection->wake = NEVER;
}

void load_connection_shut(struct load_worker *worker, struct load_connection *connection)
{
	if (connection->watched != 0)
		poller_remove(worker->poller, connection->fd);
	if (connection->fd >= 0)
		close(connection->fd);
	connection->watched = 0;
	connection->fd = -1;
}

enum load_error load_error_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return LOAD_REFUSED;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return LOAD_RESET;
	case ETIMEDOUT:
		return LOAD_TIMED_OUT;
	default:
		return LOAD_OTHER;
	}
}

void load_connection_retire(struct load_worker *worker,
			    struct load_connection *connection)
{
	load_connection_shut(worker, connection);
	if (connection->state == ENDING)
		worker->ending--;
	connection->pause =
		connection->pause == 0 ? shortest_pause : connection->pause * 2;
	if (connection->pause > longest_pause)
		connection->pause = longest_pause;
	connection->state = CLOSED;
	load_connection_set_wake(worker, connection, worker->now + connection->pause);
}

void load_connection_fail(struct load_worker *worker, struct load_connection *connection,
			  enum load_error error)
{
	worker->result.errors[error]++;
	load_connection_retire(worker, connection);
}

void load_connection_fail_errno(struct load_worker *worker,
				struct load_connection *connection, int error)
{
	enum load_error kind = load_error_of(error);

	if (kind == LOAD_OTHER)
		worker->result.other = error;
	load_connection_fail(worker, connection, kind);
}

/* How much of the reply came. Of those that mirror it is known how much there is of it. */
static void describe_silence(struct load_worker *worker,
			     const struct load_connection *connection)
{
	const struct load_exchange *exchange = &connection->exchange;
	struct failure *silence = &worker->result.silence;

	if (exchange->received == 0)
		failure_set(silence, "connected, but not answered");
	else if (worker->protocol->mirrors)
		failure_set(silence, "%zu of %zu bytes came", exchange->received,
			    exchange->length);
	else
		failure_set(silence, "%zu bytes of one came, and not its end",
			    exchange->received);
}

void load_connection_fail_silent(struct load_worker *worker,
				 struct load_connection *connection)
{
	enum load_pattern pattern = worker->protocol->pattern;

	describe_silence(worker, connection);
	if ((pattern == LOAD_GREETING || pattern == LOAD_SOURCE) &&
	    connection->exchange.received == 0)
		worker->result.unheard++;
	load_connection_fail(worker, connection, LOAD_NO_REPLY);
}

void load_connection_watch(struct load_worker *worker, struct load_connection *connection,
			   unsigned wanted)
{
	int done;

	if (connection->watched == wanted)
		return;
	if (connection->watched == 0)
		done = poller_add(worker->poller, connection->fd, wanted, connection);
	else if (wanted == 0)
		done = poller_remove(worker->poller, connection->fd);
	else
		done = poller_change(worker->poller, connection->fd, wanted, connection);
	if (done < 0)
		load_connection_fail_errno(worker, connection, errno);
	else
		connection->watched = wanted;
}

/* What never has to wait for a reply would begin again from within, without end: it takes
 * its turn with the others. */
void load_connection_go_on(struct load_worker *worker, struct load_connection *connection)
{
	int64_t due;

	if (worker->protocol->pattern != LOAD_SINK && take_request(worker, &due))
		worker->way->begin(worker, connection, due);
	else
		load_connection_queue(worker, connection);
}

bool load_connection_count(struct load_worker *worker, int64_t due, size_t bytes)
{
	worker->now = clock_nanoseconds();
	if (worker->now >= worker->end)
		return false;
	histogram_record(&worker->result.latency, worker->now - due);
	worker->result.exchanges++;
	worker->result.bytes += bytes;
	return true;
}

void load_connection_served(struct load_worker *worker,
			    struct load_connection *connection)
{
	if (connection->served)
		return;
	connection->served = true;
	worker->result.served++;
}

void load_connection_served_late(struct load_worker *worker,
				 struct load_connection *connection)
{
	if (connection->served || connection->served_late)
		return;
	connection->served_late = true;
	worker->result.served_late++;
}

/* Its time is over, or its pause. */
static void wake(struct load_worker *worker, struct load_connection *connection)
{
	if (connection->state != CLOSED) {
		worker->way->expire(worker, connection);
	} else if (worker->plan->kind == LOAD_CONNECTIONS) {
		load_connection_set_free(connection);
		load_connection_queue(worker, connection);
	} else {
		worker->way->open(worker, connection);
	}
}

/* ---- all of them ------------------------------------------------------------------------- */

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
	/* Looking through all of them is not for every event. */
	if (worker->next_wake < worker->now + MILLISECOND)
		worker->next_wake = worker->now + MILLISECOND;
}

/* Hands the requests that are due to the connections that are free. Not without end: those
 * of a sink may be free again at once. */
static void send_due(struct load_worker *worker)
{
	int64_t due;

	for (int i = 0; worker->queue != NULL && i < AT_ONCE; i++) {
		if (worker->queue->state != FREE) { /* it failed while it waited */
			queue_take(worker);
			continue;
		}
		if (!take_request(worker, &due))
			break;
		worker->way->begin(worker, queue_take(worker), due);
	}
}

/* How long there will be nothing to do but wait for events. */
static int64_t time_to_wait(const struct load_worker *worker, int64_t until)
{
	int64_t wait;

	if (worker->next_wake < until)
		until = worker->next_wake;
	if (worker->queue != NULL && worker->start != NEVER && worker->plan->rate <= 0)
		return 0;
	if (worker->queue != NULL && worker->start != NEVER) {
		int64_t due = due_time(worker, worker->requests);

		/* To the nanosecond: the schedule must not wait for a whole millisecond. */
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

/* An event for a connection that an earlier one of the same batch has closed is void. */
static void handle_event(struct load_worker *worker, const struct poller_event *event)
{
	struct load_connection *connection = event->owner;

	if (connection->fd >= 0)
		worker->way->ready(worker, connection, event->ready);
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
		if (worker->connections[i].state == CONNECTING)
			return false;
	return true;
}

/* Makes the connections. Those that cannot be made now will be tried for further. */
static void settle(struct load_worker *worker)
{
	atomic_int_least64_t *limit = &worker->shared->settle_limit; /* it may move */

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
	worker->start = shared->start;
	worker->end = shared->end;
	pthread_mutex_unlock(&shared->lock);
}

/* ---- the last replies ---------------------------------------------------------------------- */

/* Whether it has a request whose reply is to come. One that is connecting waits, too. */
static bool waits(const struct load_worker *worker,
		  const struct load_connection *connection)
{
	if (worker->plan->datagrams)
		return connection->waiting > 0;
	return connection->state == CONNECTING || connection->state == BUSY;
}

/* Closes those that have no more to wait for, so that a server that serves one client at a
 * time comes to the next. @return how many wait */
static unsigned close_the_others(struct load_worker *worker)
{
	unsigned waiting = 0;

	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];

		if (waits(worker, connection) && connection->wake <= worker->now)
			worker->way->expire(worker, connection);
		if (waits(worker, connection))
			waiting++;
		else
			load_connection_shut(worker, connection);
	}
	return waiting;
}

/* There is no more time to wait. */
static void give_up_the_rest(struct load_worker *worker)
{
	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];

		if (!waits(worker, connection))
			continue;
		if (worker->plan->datagrams)
			worker->result.fate.lost += connection->waiting;
		else
			worker->way->expire(worker, connection);
	}
}

/* A request that was sent just before the end is to have its reply: each has its own time,
 * and the server must not look broken for one that it was not given. */
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

/* What is never answered, and what is heard by others, has an end of its own. */
static bool has_replies(const struct load_worker *worker)
{
	return worker->protocol->pattern != LOAD_SINK &&
	       worker->protocol->pattern != LOAD_MEETING;
}

void *load_worker_run(void *argument)
{
	struct load_worker *worker = argument;

#ifdef __linux__
	/* The kernel may wake us 50 microseconds late, to save a wake-up or two. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
#endif
	settle(worker);
	wait_for_start(worker);
	worker->now = clock_nanoseconds();
	if (worker->way->start != NULL)
		worker->way->start(worker);
	while (worker->now < worker->end && !over(worker))
		turn(worker, worker->end);
	if (worker->now > worker->end)
		worker->now = worker->end;
	worker->result.unsent = unsent(worker, worker->now);
	if (worker->way->finish != NULL)
		worker->way->finish(worker);
	if (has_replies(worker))
		await_replies(worker);
	for (unsigned i = 0; i < worker->count; i++)
		load_connection_shut(worker, &worker->connections[i]);
	atomic_fetch_add(&worker->shared->finished, 1);
	return NULL;
}

/* ---- making, asking, freeing --------------------------------------------------------------- */

/* All begin as closed ones whose pause is over, or as free ones without a socket. The first
 * may have one already. */
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
		if (worker->plan->kind == LOAD_CONNECTIONS) {
			load_connection_set_free(connection);
			load_connection_queue(worker, connection);
		}
	}
	if (first >= 0) {
		worker->connections[0].fd = first;
		worker->way->open(worker, &worker->connections[0]);
	}
}

static const struct load_way *choose_way(const struct load_plan *plan)
{
	if (plan->protocol->pattern == LOAD_MEETING)
		return &load_meeting;
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
	worker->way = choose_way(shared->plan);
	worker->turns = threads;
	worker->number = number;
	worker->count = (shared->plan->connections - number + threads - 1) / threads;
	worker->queue_end = &worker->queue;
	worker->start = worker->end = NEVER;
	worker->poller = poller_create();
	worker->connections = calloc(worker->count, sizeof *worker->connections);
	/* A byte more, since calloc(3) may return NULL for none. */
	worker->states = calloc(worker->count + 1U, worker->protocol->state_size + 1);
	worker->received = malloc(RECEIVE_SIZE);
	if (worker->poller == NULL || worker->connections == NULL ||
	    worker->states == NULL || worker->received == NULL ||
	    (worker->way->prepare != NULL && worker->way->prepare(worker) < 0))
		goto failed;
	prepare_connections(worker, first);
	return worker;
failed:
	if (first >= 0)
		close(first);
	if (worker != NULL)
		worker->count = 0; /* no connection has been prepared */
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
	result->said += part->said;
	result->due += part->due;
	result->heard += part->heard;
	result->made += part->made;
	result->served += part->served;
	result->served_late += part->served_late;
	result->waiting += part->waiting;
	result->unheard += part->unheard;
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
	load_seats_free(worker);
	free(worker->slots);
	free(worker->datagram);
	free(worker);
}
