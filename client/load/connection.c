/*
 * connection - the states of a connection of the load, whatever its transport.
 *
 * Each transport (stream.c, datagram.c, room.c) calls these functions when something has
 * happened to a connection. They keep the socket, the poller, the timeout, the counts and the
 * queue of free connections consistent. They call a transport only through worker->transport.
 */
#include "client/load/connection.h"

#include <errno.h>
#include <unistd.h>

#include "client/load/schedule.h"
#include "common/clock.h"

/* The pause before a connection is replaced doubles with each failure in a row, so that a
 * server in trouble is not flooded and this program does not spin. */
static const int64_t shortest_pause = MILLISECOND, longest_pause = 100 * MILLISECOND;
static const int64_t next_try = MILLISECOND; /* for a place in the backlog */

/* The connect rate may be exceeded for this long. */
static const int64_t longest_burst = 2 * MILLISECOND;

/* ---- the queue of free connections --------------------------------------------------------- */

void load_connection_queue(struct load_worker *worker, struct load_connection *connection)
{
	if (connection->queued)
		return;
	connection->queued = true;
	connection->free_since = worker->now;
	connection->next = NULL;
	*worker->queue_end = connection;
	worker->queue_end = &connection->next;
}

struct load_connection *load_connection_dequeue(struct load_worker *worker)
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

/* ---- connecting ---------------------------------------------------------------------------- */

bool load_connection_connect(struct load_worker *worker,
			     struct load_connection *connection)
{
	int64_t limit = connection->give_up != 0
				? connection->give_up
				: worker->now + worker->plan->timeout * MILLISECOND;

	connection->give_up = 0;
	connection->fd = load_endpoint_connect(
		&worker->shared->endpoint, connection->exchange.connection, SOCK_STREAM);
	if (connection->fd < 0 &&
	    (errno != EAGAIN || worker->shared->endpoint.local.length == 0)) {
		load_connection_fail_errno(worker, connection, errno);
		return false;
	}
	connection->state = CONNECTING;
	if (connection->fd < 0)
		connection->give_up = limit;
	load_connection_set_wake(worker, connection,
				 connection->fd < 0 && worker->now + next_try < limit
					 ? worker->now + next_try
					 : limit);
	return connection->fd >= 0;
}

bool load_connection_may_try_again(const struct load_worker *worker,
				   const struct load_connection *connection)
{
	return connection->state == CONNECTING && connection->fd < 0 &&
	       worker->now < connection->give_up;
}

void load_connection_shut(struct load_worker *worker, struct load_connection *connection)
{
	if (connection->watched != 0)
		poller_remove(worker->poller, connection->fd);
	if (connection->fd >= 0)
		close(connection->fd);
	connection->watched = 0;
	connection->fd = -1;
	connection->give_up = 0;
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

/* Describes how much of the reply arrived. The expected length is known if the reply
 * is the request. */
static void describe_silence(struct load_worker *worker,
			     const struct load_connection *connection)
{
	const struct load_exchange *exchange = &connection->exchange;
	struct failure *silence = &worker->result.silence;

	if (exchange->received == 0)
		failure_set(silence, "connected, but nothing received");
	else if (worker->protocol->mirrors)
		failure_set(silence, "%zu of %zu bytes received", exchange->received,
			    exchange->length);
	else
		failure_set(silence, "%zu bytes received, but not the end of the reply",
			    exchange->received);
}

void load_connection_fail_silent(struct load_worker *worker,
				 struct load_connection *connection)
{
	enum load_pattern pattern = worker->protocol->pattern;

	describe_silence(worker, connection);
	connection->unanswered = true;
	if ((pattern == LOAD_GREETING || pattern == LOAD_SOURCE) &&
	    connection->exchange.received == 0)
		worker->result.never_answered++;
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

/* ---- the connect rate ---------------------------------------------------------------------- */

bool load_connection_may_connect(const struct load_worker *worker)
{
	return worker->connect_pause == 0 || worker->now >= worker->next_connect;
}

/* The times are fixed, so that a thread that wakes up late opens the missed connections at once.
 * But there are not many of them. */
void load_connection_note_connect(struct load_worker *worker)
{
	int64_t earliest = worker->now - longest_burst;

	if (worker->next_connect == 0)
		worker->next_connect = worker->now;
	if (worker->next_connect < earliest)
		worker->next_connect = earliest;
	worker->next_connect += worker->connect_pause;
}

void load_connection_open(struct load_worker *worker, struct load_connection *connection)
{
	connection->held = !load_connection_may_connect(worker);
	if (connection->held) {
		connection->state = CLOSED;
		load_connection_set_wake(worker, connection, worker->next_connect);
		return;
	}
	if (worker->connect_pause > 0)
		load_connection_note_connect(worker);
	worker->transport->open(worker, connection);
}

/* ---- requests ------------------------------------------------------------------------------ */

/* A sink never waits for a reply, so begin() would call itself without end. Such a
 * connection is queued like the others, and one whose next request needs a new connection that
 * may have to wait for the connect rate. */
void load_connection_go_on(struct load_worker *worker, struct load_connection *connection)
{
	int64_t due;

	if (worker->protocol->pattern != LOAD_SINK &&
	    (worker->connect_pause == 0 || worker->plan->kind != LOAD_CONNECTIONS) &&
	    load_schedule_take(worker, &due))
		worker->transport->begin(worker, connection, due);
	else
		load_connection_queue(worker, connection);
}

bool load_connection_count(struct load_worker *worker, int64_t due, int64_t begun,
			   size_t bytes)
{
	worker->now = clock_nanoseconds();
	if (worker->now >= worker->end)
		return false;
	if (due < worker->start) /* in the ramp */
		return true;
	histogram_record(&worker->result.latency, worker->now - due);
	if (worker->plan->rate > 0)
		histogram_record(&worker->result.service, worker->now - begun);
	worker->result.exchanges++;
	worker->result.bytes += bytes;
	return true;
}

void load_connection_served(struct load_worker *worker,
			    struct load_connection *connection)
{
	connection->unanswered = false;
	if (connection->served || worker->now < worker->start)
		return;
	connection->served = true;
	worker->result.served++;
}

void load_connection_served_late(struct load_worker *worker,
				 struct load_connection *connection)
{
	connection->unanswered = false;
	if (connection->served || connection->served_late)
		return;
	connection->served_late = true;
	worker->result.served_late++;
}
