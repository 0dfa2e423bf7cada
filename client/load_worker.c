#ifdef __linux__
#define _GNU_SOURCE /* prctl, PR_SET_TIMERSLACK */
#endif

#include "client/load_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "common/clock.h"
#include "common/io.h"
#include "common/poller.h"
#include "common/sock.h"

#define MILLISECOND INT64_C(1000000)
#define SECOND      INT64_C(1000000000)
#define NEVER       INT64_MAX

enum {
	BATCH = 256,
	RECEIVE_SIZE = 128 * 1024,
	SMALLEST_SEGMENT = 536, /* that TCP must be able to send: RFC 9293, 3.7.1 */
};

/* The pause before a connection that failed is made anew doubles with each failure in a
 * row: a server in trouble is not hammered, and we do not spin. */
static const int64_t shortest_pause = MILLISECOND, longest_pause = 100 * MILLISECOND;

/* How soon shared->over is noticed. */
static const int64_t longest_wait = 50 * MILLISECOND;

enum state { CLOSED, CONNECTING, FREE, BUSY };

struct load_connection {
	struct load_exchange exchange;
	int64_t due;   /* when its request was: the latency counts from here */
	int64_t wake;  /* CONNECTING, BUSY: its time is over; CLOSED: try again */
	int64_t pause; /* before the next try; 0 if the last one went well */
	int fd;
	unsigned watched; /* what the poller watches it for; 0: does not know it */
	enum state state;
	bool queued;                  /* in the queue of those that are free */
	bool served;                  /* got a whole reply at least once */
	struct load_connection *next; /* in the queue */
};

struct load_worker {
	struct load_shared *shared;
	const struct load_plan *plan;
	const struct load_protocol *protocol;
	struct poller *poller;
	unsigned number;
	unsigned count;
	struct load_connection *connections;
	struct load_connection *queue, **queue_end; /* free ones; longest free first */
	char *received;                             /* RECEIVE_SIZE bytes */
	int64_t now;                                /* as of the last look at the clock */
	int64_t start; /* of the measured time; NEVER before it is known */
	int64_t end;
	int64_t next_wake; /* the earliest wake of all connections, or earlier */
	uint64_t requests; /* how many were taken from the schedule (open loop) */
	atomic_uint_least64_t exchanges; /* for load_worker_exchanges() */
	struct load_result result;       /* its share */
};

/* ---- when requests are due --------------------------------------------------------------- */

/* The threads take turns: of all requests, every threads-th is ours. */
static int64_t due_time(const struct load_worker *worker, uint64_t request)
{
	double place = (double)request * worker->shared->threads + worker->number;

	return worker->start + (int64_t)(place * (double)SECOND / worker->plan->rate);
}

/* Whether a request is to be sent now, and *due, when it should have been: at once in a
 * closed loop. In an open loop not when the connection is free to send it, but when the
 * schedule says so: a server that stalls has to answer for all who wait because of it,
 * and not only for those whose requests happen to be on their way ("coordinated
 * omission", as Gil Tene named it). */
static bool take_request(struct load_worker *worker, int64_t *due)
{
	if (worker->now < worker->start)
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
	double turns =
		(seconds * worker->plan->rate - worker->number) / worker->shared->threads;
	uint64_t due;

	if (worker->plan->rate <= 0 || turns <= 0)
		return 0;
	due = (uint64_t)turns;
	if (due_time(worker, due) < end) /* turns, rounded up */
		due++;
	return due > worker->requests ? due - worker->requests : 0;
}

/* ---- the queue of free connections --------------------------------------------------------- */

static void queue_put(struct load_worker *worker, struct load_connection *connection)
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

static void set_wake(struct load_worker *worker, struct load_connection *connection,
		     int64_t wake)
{
	connection->wake = wake;
	if (wake < worker->next_wake)
		worker->next_wake = wake;
}

static void shut(struct load_worker *worker, struct load_connection *connection)
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

static void fail(struct load_worker *worker, struct load_connection *connection,
		 enum load_error error)
{
	worker->result.errors[error]++;
	shut(worker, connection);
	connection->pause =
		connection->pause == 0 ? shortest_pause : connection->pause * 2;
	if (connection->pause > longest_pause)
		connection->pause = longest_pause;
	connection->state = CLOSED;
	set_wake(worker, connection, worker->now + connection->pause);
}

static void fail_errno(struct load_worker *worker, struct load_connection *connection,
		       int error)
{
	enum load_error kind = load_error_of(error);

	if (kind == LOAD_OTHER)
		worker->result.other = error;
	fail(worker, connection, kind);
}

/* Has the poller watch for this, and asks it for nothing that it knows. */
static void watch(struct load_worker *worker, struct load_connection *connection,
		  unsigned wanted)
{
	int done;

	if (connection->watched == wanted)
		return;
	if (connection->watched == 0)
		done = poller_add(worker->poller, connection->fd, wanted, connection);
	else
		done = poller_change(worker->poller, connection->fd, wanted, connection);
	if (done < 0)
		fail_errno(worker, connection, errno);
	else
		connection->watched = wanted;
}

static bool connect_start(struct load_worker *worker, struct load_connection *connection)
{
	const struct address *address = &worker->shared->address;

	connection->fd = sock_connect_start(&address->any, address->length, SOCK_STREAM);
	if (connection->fd < 0) {
		fail_errno(worker, connection, errno);
		return false;
	}
	/* The end of a message is not to wait until the part before it is acknowledged. A
	 * single one that fits into a segment has no such part. */
	if (worker->plan->kind != LOAD_CONNECTIONS ||
	    worker->plan->size > SMALLEST_SEGMENT)
		sock_set_nodelay(connection->fd);
	connection->state = CONNECTING;
	set_wake(worker, connection, worker->now + worker->plan->timeout * MILLISECOND);
	return true;
}

/* The connection stands. Not if it is with ourselves, who would give the right replies for
 * ever: then the server is gone. */
static bool established(struct load_worker *worker, struct load_connection *connection)
{
	if (sock_is_connected_to_itself(connection->fd)) {
		sock_set_abortive(connection->fd); /* TIME_WAIT would hold the port */
		fail(worker, connection, LOAD_REFUSED);
		return false;
	}
	worker->result.made++;
	return true;
}

static void set_free(struct load_connection *connection)
{
	connection->state = FREE;
	connection->wake = NEVER;
}

/* Sends as much of the request as goes. On a connection that is being made, too: on the
 * loopback it stands as soon as connect returns, and need not be waited for. */
static void send_request(struct load_worker *worker, struct load_connection *connection)
{
	struct load_exchange *exchange = &connection->exchange;
	ssize_t n = io_write(connection->fd, exchange->request + exchange->sent,
			     exchange->length - exchange->sent);

	if (n > 0) {
		if (connection->state == CONNECTING && !established(worker, connection))
			return;
		connection->state = BUSY;
		exchange->sent += (size_t)n;
	} else if (errno != EAGAIN && errno != EWOULDBLOCK &&
		   !(connection->state == CONNECTING && errno == ENOTCONN)) {
		fail_errno(worker, connection, errno);
		return;
	}
	if (connection->state == CONNECTING)
		watch(worker, connection, POLLER_WRITE);
	else if (exchange->sent < exchange->length)
		watch(worker, connection, POLLER_READ | POLLER_WRITE);
	else
		watch(worker, connection, POLLER_READ);
}

static void begin_exchange(struct load_worker *worker, struct load_connection *connection,
			   int64_t due)
{
	struct load_exchange *exchange = &connection->exchange;

	connection->due = due;
	exchange->sent = exchange->received = 0;
	exchange->sequence++;
	worker->protocol->begin(&worker->shared->material, exchange);
	if (worker->plan->kind == LOAD_CONNECTIONS) {
		if (!connect_start(worker, connection))
			return;
		sock_set_abortive(connection->fd);
	} else {
		connection->state = BUSY;
		set_wake(worker, connection,
			 worker->now + worker->plan->timeout * MILLISECOND);
	}
	send_request(worker, connection);
}

/* A connection that has nothing to do gets the next request, or waits for one. */
static void go_on(struct load_worker *worker, struct load_connection *connection)
{
	int64_t due;

	if (take_request(worker, &due))
		begin_exchange(worker, connection, due);
	else
		queue_put(worker, connection);
}

static void complete_exchange(struct load_worker *worker,
			      struct load_connection *connection)
{
	worker->now = clock_nanoseconds();
	set_free(connection);
	connection->pause = 0;
	if (worker->plan->kind == LOAD_CONNECTIONS)
		shut(worker, connection);
	if (worker->now >= worker->end)
		return; /* too late to count */
	histogram_record(&worker->result.latency, worker->now - connection->due);
	worker->result.exchanges++;
	worker->result.bytes += connection->exchange.received;
	if (!connection->served) {
		connection->served = true;
		worker->result.served++;
	}
	go_on(worker, connection);
}

/* What came, n bytes of it. Returns whether there may be more of this reply to read. */
static bool take_reply(struct load_worker *worker, struct load_connection *connection,
		       size_t n)
{
	struct load_exchange *exchange = &connection->exchange;
	enum load_verdict verdict = LOAD_WRONG; /* nothing was asked */

	if (connection->state == BUSY)
		verdict = worker->protocol->check(exchange, worker->received, n);
	if (verdict == LOAD_WRONG) {
		fail(worker, connection, LOAD_WRONG_REPLY);
		return false;
	}
	exchange->received += n;
	if (verdict == LOAD_COMPLETE) {
		complete_exchange(worker, connection);
		return false;
	}
	return n == RECEIVE_SIZE;
}

static void receive_reply(struct load_worker *worker, struct load_connection *connection)
{
	ssize_t n;

	do {
		n = io_read(connection->fd, worker->received, RECEIVE_SIZE);
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				fail_errno(worker, connection, errno);
			return;
		}
		if (n == 0) {
			fail(worker, connection, LOAD_CLOSED_EARLY);
			return;
		}
	} while (take_reply(worker, connection, (size_t)n));
}

static void finish_connect(struct load_worker *worker, struct load_connection *connection)
{
	int error = sock_error(connection->fd);

	if (error != 0) {
		fail_errno(worker, connection, error);
	} else if (worker->plan->kind == LOAD_CONNECTIONS) {
		send_request(worker, connection);
	} else if (established(worker, connection)) {
		set_free(connection);
		watch(worker, connection, POLLER_READ);
		if (connection->state == FREE)
			go_on(worker, connection);
	}
}

static void handle_event(struct load_worker *worker, const struct poller_event *event)
{
	struct load_connection *connection = event->owner;
	const struct load_exchange *exchange = &connection->exchange;

	if (connection->state == CONNECTING) {
		finish_connect(worker, connection);
		return;
	}
	if ((event->ready & POLLER_WRITE) && connection->state == BUSY &&
	    exchange->sent < exchange->length)
		send_request(worker, connection);
	if ((event->ready & POLLER_READ) && connection->fd >= 0)
		receive_reply(worker, connection);
}

/* Its time is over, or its pause. */
static void wake(struct load_worker *worker, struct load_connection *connection)
{
	if (connection->state != CLOSED) {
		fail(worker, connection, LOAD_TIMED_OUT);
	} else if (worker->plan->kind == LOAD_CONNECTIONS) {
		set_free(connection);
		queue_put(worker, connection);
	} else if (connect_start(worker, connection)) {
		watch(worker, connection, POLLER_WRITE);
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

/* Hands the requests that are due to the connections that are free. */
static void send_due(struct load_worker *worker)
{
	int64_t due;

	while (worker->queue != NULL) {
		if (worker->queue->state != FREE) { /* it failed while it waited */
			queue_take(worker);
			continue;
		}
		if (!take_request(worker, &due))
			break;
		begin_exchange(worker, queue_take(worker), due);
	}
}

/* How long there will be nothing to do but wait for events. */
static int64_t time_to_wait(const struct load_worker *worker, int64_t until)
{
	int64_t wait;

	if (worker->next_wake < until)
		until = worker->next_wake;
	if (worker->queue != NULL && worker->start != NEVER && worker->plan->rate > 0) {
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
	int64_t limit = worker->shared->settle_limit;

	worker->now = clock_nanoseconds();
	wake_all(worker);
	while (!over(worker) && !all_settled(worker) && worker->now < limit)
		turn(worker, limit);
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
	while (worker->now < worker->end && !over(worker))
		turn(worker, worker->end);
	if (worker->now > worker->end)
		worker->now = worker->end;
	worker->result.unsent = unsent(worker, worker->now);
	for (unsigned i = 0; i < worker->count; i++)
		shut(worker, &worker->connections[i]);
	return NULL;
}

/* ---- making, asking, freeing --------------------------------------------------------------- */

static void adopt(struct load_worker *worker, struct load_connection *connection, int fd)
{
	connection->fd = fd;
	sock_set_nodelay(fd);
	worker->result.made++;
	set_free(connection);
	watch(worker, connection, POLLER_READ);
	queue_put(worker, connection);
}

/* All begin as closed ones whose pause is over, or as free ones without a socket. */
static void prepare_connections(struct load_worker *worker, int first)
{
	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];

		connection->fd = -1;
		connection->exchange.connection =
			worker->number + i * worker->shared->threads;
		connection->state = CLOSED;
		if (worker->plan->kind == LOAD_CONNECTIONS) {
			set_free(connection);
			queue_put(worker, connection);
		}
	}
	if (first >= 0)
		adopt(worker, &worker->connections[0], first);
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
	worker->number = number;
	worker->count = (shared->plan->connections - number + threads - 1) / threads;
	worker->queue_end = &worker->queue;
	worker->start = worker->end = NEVER;
	worker->poller = poller_create();
	worker->connections = calloc(worker->count, sizeof *worker->connections);
	worker->received = malloc(RECEIVE_SIZE);
	if (worker->poller == NULL || worker->connections == NULL ||
	    worker->received == NULL)
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
	result->bytes += part->bytes;
	result->made += part->made;
	result->served += part->served;
	result->unsent += part->unsent;
	for (int i = 0; i < LOAD_ERRORS; i++)
		result->errors[i] += part->errors[i];
	if (part->other != 0)
		result->other = part->other;
	histogram_merge(&result->latency, &part->latency);
}

void load_worker_destroy(struct load_worker *worker)
{
	if (worker == NULL)
		return;
	for (unsigned i = 0; i < worker->count; i++)
		shut(worker, &worker->connections[i]);
	poller_destroy(worker->poller);
	free(worker->connections);
	free(worker->received);
	free(worker);
}
