/*
 * stream - the transport of the load over TCP and UNIX-domain sockets.
 *
 * Requests and replies are streams of bytes: each is sent and received in any number of
 * pieces. The pattern of the protocol (client/load/protocol.h) decides who sends when.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "client/load/bytes.h"
#include "client/load/connection.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"

enum {
	BATCH = 256,
	SMALLEST_SEGMENT = 536, /* that every TCP must accept: RFC 9293, 3.7.1 */
};

static bool makes_a_connection_for_each(const struct load_worker *worker)
{
	return worker->plan->kind == LOAD_CONNECTIONS;
}

/* ---- connecting ---------------------------------------------------------------------------- */

/* @return whether it is connected, or connecting. If not, it has failed, or is tried again by
 * stream_expire(). */
static bool connect_start(struct load_worker *worker, struct load_connection *connection)
{
	connection->exchange.place = 0;
	memset(connection->exchange.state, 0, worker->protocol->state_size);
	if (!load_connection_connect(worker, connection))
		return false;
	/* The last part of a message must not wait for the acknowledgement of the
	 * part before it (Nagle). A message that fits into a segment has no such
	 * part. */
	if (!makes_a_connection_for_each(worker) ||
	    worker->shared->material.size > SMALLEST_SEGMENT)
		sock_set_nodelay(connection->fd);
	return true;
}

/* The connection is established. But if it is a connection of the socket to itself,
 * every reply would be correct: then the server is gone. */
static bool established(struct load_worker *worker, struct load_connection *connection)
{
	if (sock_is_connected_to_itself(connection->fd)) {
		sock_set_abortive(connection->fd); /* otherwise TIME_WAIT keeps the
						    * port */
		load_connection_fail(worker, connection, LOAD_REFUSED);
		return false;
	}
	worker->result.made++;
	return true;
}

/* Before the first exchange. Unexpected bytes are an error, except from a source,
 * which sends at once; they are not read before the measured time. */
static void await_request(struct load_worker *worker, struct load_connection *connection)
{
	load_connection_set_free(connection);
	load_connection_watch(worker, connection,
			      worker->protocol->pattern == LOAD_SOURCE ? 0 : POLLER_READ);
	if (connection->state == FREE)
		load_connection_go_on(worker, connection);
}

/* The first connection is already established: it showed that the server answers. */
static void stream_open(struct load_worker *worker, struct load_connection *connection)
{
	if (connection->fd >= 0) {
		sock_set_nodelay(connection->fd);
		worker->result.made++;
		await_request(worker, connection);
	} else if (connect_start(worker, connection)) {
		load_connection_watch(worker, connection, POLLER_WRITE);
	}
}

/* ---- sending ------------------------------------------------------------------------------- */

static void complete_exchange(struct load_worker *worker,
			      struct load_connection *connection, size_t bytes)
{
	load_connection_set_free(connection);
	connection->pause = 0;
	if (makes_a_connection_for_each(worker))
		load_connection_shut(worker, connection);
	if (!load_connection_count(worker, connection->due, connection->begun, bytes)) {
		if (worker->protocol->pattern != LOAD_SINK) /* a sink is not served
							     * until it closes */
			load_connection_served_late(worker, connection);
		return;
	}
	if (connection->due >= worker->start)
		worker->result.uploads += connection->exchange.upload;
	if (worker->protocol->pattern != LOAD_SINK)
		load_connection_served(worker, connection);
	if (connection->fd < 0 && !makes_a_connection_for_each(worker))
		load_connection_open(worker, connection);
	else
		load_connection_go_on(worker, connection);
}

/* The server closes after this exchange, which is allowed: the connection is
 * replaced at once. If this side closes first, TIME_WAIT would keep its port. */
static void complete_last_exchange(struct load_worker *worker,
				   struct load_connection *connection, size_t bytes)
{
	sock_set_abortive(connection->fd);
	load_connection_shut(worker, connection);
	complete_exchange(worker, connection, bytes);
}

/* Bytes to a sink are counted when the kernel accepts them: there is no reply. */
static void count_taken(struct load_worker *worker, struct load_connection *connection,
			size_t n)
{
	if (connection->due >= worker->start)
		worker->result.bytes += n;
	connection->moved_at = worker->now;
}

/* Sets the events of the next step in the poller. */
static void await_event(struct load_worker *worker, struct load_connection *connection)
{
	const struct load_exchange *exchange = &connection->exchange;

	if (exchange->length > 0 && connection->state == CONNECTING)
		load_connection_watch(worker, connection, POLLER_WRITE);
	else if (exchange->sent < exchange->length)
		load_connection_watch(worker, connection, POLLER_READ | POLLER_WRITE);
	else
		load_connection_watch(worker, connection, POLLER_READ);
}

/* Sends as much of the request as the kernel accepts. It also tries during
 * connecting: on loopback a connection is established when connect(2) returns. */
static void send_request(struct load_worker *worker, struct load_connection *connection)
{
	struct load_exchange *exchange = &connection->exchange;
	bool sink = worker->protocol->pattern == LOAD_SINK;
	ssize_t n = io_write(connection->fd, exchange->request + exchange->sent,
			     exchange->length - exchange->sent);

	if (n > 0) {
		if (connection->state == CONNECTING && !established(worker, connection))
			return;
		connection->state = BUSY;
		exchange->sent += (size_t)n;
		if (sink)
			count_taken(worker, connection, (size_t)n);
	} else if (errno != EAGAIN && errno != EWOULDBLOCK &&
		   !(connection->state == CONNECTING && errno == ENOTCONN)) {
		load_connection_fail_errno(worker, connection, errno);
		return;
	}
	await_event(worker, connection);
	if (sink && connection->state == BUSY && exchange->sent == exchange->length)
		complete_exchange(worker, connection, 0);
}

static void begin_request(struct load_worker *worker, struct load_connection *connection)
{
	struct load_exchange *exchange = &connection->exchange;

	if (makes_a_connection_for_each(worker) && !connect_start(worker, connection))
		return;
	worker->protocol->begin(&worker->shared->material, exchange);
	if (makes_a_connection_for_each(worker)) {
		sock_set_abortive(connection->fd);
	} else {
		connection->state = BUSY;
		load_connection_set_wake(worker, connection,
					 worker->now +
						 worker->plan->timeout * MILLISECOND);
	}
	if (exchange->length > 0)
		send_request(worker, connection);
	else
		await_event(worker, connection);
}

static void stream_begin(struct load_worker *worker, struct load_connection *connection,
			 int64_t due)
{
	struct load_exchange *exchange = &connection->exchange;

	connection->due = due;
	connection->begun = worker->now;
	exchange->sent = exchange->received = 0;
	exchange->sequence++;
	begin_request(worker, connection);
}

/* ---- receiving ----------------------------------------------------------------------------- */

/* Handles n received bytes. @return whether to read again at once */
static bool take_reply(struct load_worker *worker, struct load_connection *connection,
		       size_t n)
{
	const struct load_protocol *protocol = worker->protocol;
	struct load_exchange *exchange = &connection->exchange;
	enum load_verdict verdict = LOAD_WRONG; /* no request was sent */

	if (connection->state == BUSY && protocol->check != NULL)
		verdict = protocol->check(&worker->shared->material, exchange,
					  worker->received, n);
	if (verdict == LOAD_WRONG) {
		if (connection->state != BUSY || protocol->check == NULL)
			load_wrong_bytes(exchange, 0, "", 0, worker->received, n);
		load_connection_fail(worker, connection, LOAD_WRONG_REPLY);
		return false;
	}
	exchange->received += n;
	if (protocol->pattern == LOAD_GREETING)
		return true; /* the end of file has most probably arrived, too */
	if (verdict == LOAD_ASKED) {
		exchange->sent = 0;
		send_request(worker, connection);
	} else if (verdict == LOAD_COMPLETE)
		complete_exchange(worker, connection,
				  exchange->upload ? exchange->sent : exchange->received);
	else if (verdict == LOAD_LAST)
		complete_last_exchange(worker, connection, exchange->received);
	return verdict == LOAD_MORE && n == RECEIVE_SIZE;
}

/* The server has closed. That is right after a greeting, and where the protocol
 * allows it. */
static void take_end(struct load_worker *worker, struct load_connection *connection)
{
	const struct load_protocol *protocol = worker->protocol;
	enum load_verdict verdict = LOAD_MORE;

	if (connection->state == FREE && protocol->hangs_up) {
		load_connection_retire(worker, connection);
		return;
	}
	if (connection->state == BUSY && protocol->end != NULL)
		verdict = protocol->end(&worker->shared->material, &connection->exchange);
	if (verdict == LOAD_MORE)
		load_connection_fail(worker, connection, LOAD_CLOSED_EARLY);
	else if (verdict == LOAD_WRONG)
		load_connection_fail(worker, connection, LOAD_WRONG_REPLY);
	else
		complete_last_exchange(worker, connection, connection->exchange.received);
}

/* From a source, reads no more than belongs to this exchange: its stream is endless. */
static size_t most_to_read(const struct load_worker *worker,
			   const struct load_connection *connection)
{
	size_t left = worker->plan->size - connection->exchange.received;

	return worker->protocol->pattern == LOAD_SOURCE && left < RECEIVE_SIZE
		       ? left
		       : RECEIVE_SIZE;
}

static void receive_reply(struct load_worker *worker, struct load_connection *connection)
{
	ssize_t n;

	do {
		n = io_read(connection->fd, worker->received,
			    most_to_read(worker, connection));
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				load_connection_fail_errno(worker, connection, errno);
			return;
		}
		if (n == 0) {
			take_end(worker, connection);
			return;
		}
	} while (take_reply(worker, connection, (size_t)n));
}

/* The connection is established or has failed; or a server that speaks first has
 * sent bytes. */
static void finish_connect(struct load_worker *worker, struct load_connection *connection)
{
	int error = sock_error(connection->fd);

	if (error != 0) {
		load_connection_fail_errno(worker, connection, error);
	} else if (makes_a_connection_for_each(worker) &&
		   connection->exchange.length > 0) {
		send_request(worker, connection);
	} else if (!established(worker, connection)) {
		return;
	} else if (makes_a_connection_for_each(worker)) {
		connection->state = BUSY;
		receive_reply(worker, connection);
	} else {
		await_request(worker, connection);
	}
}

static void stream_ready(struct load_worker *worker, struct load_connection *connection,
			 unsigned ready)
{
	const struct load_exchange *exchange = &connection->exchange;

	if (connection->state == CONNECTING) {
		finish_connect(worker, connection);
		return;
	}
	if ((ready & POLLER_WRITE) && connection->state == BUSY &&
	    exchange->sent < exchange->length)
		send_request(worker, connection);
	if ((ready & POLLER_READ) && connection->fd >= 0)
		receive_reply(worker, connection);
}

/* If the server speaks first, the connection counts as connecting until then; the
 * kernel knows whether it is established. */
static void stream_expire(struct load_worker *worker, struct load_connection *connection)
{
	struct address peer;

	if (load_connection_may_try_again(worker, connection)) {
		if (makes_a_connection_for_each(worker))
			begin_request(worker, connection);
		else
			stream_open(worker, connection);
		return;
	}
	if (worker->protocol->pattern == LOAD_SINK ||
	    address_peer(connection->fd, &peer) < 0)
		load_connection_fail(worker, connection, LOAD_TIMED_OUT);
	else
		load_connection_fail_silent(worker, connection);
}

/* ---- the end of a sink ----------------------------------------------------------------------- */

/* Whether the server was reading until the end. The kernel buffers some bytes for a
 * server that does not read. A server that accepted nothing in the second half of
 * the measured time, with bytes to send, was stuck. */
static bool was_read(const struct load_worker *worker,
		     const struct load_connection *connection)
{
	int64_t middle = worker->start + (worker->now - worker->start) / 2;

	return connection->moved_at != 0 &&
	       (connection->state != BUSY || connection->moved_at >= middle);
}

/* Half-closes, and waits for the server to close, too. */
static void half_close(struct load_worker *worker, struct load_connection *connection)
{
	if (connection->state != FREE && connection->state != BUSY) {
		load_connection_shut(worker, connection);
		return;
	}
	if (was_read(worker, connection))
		load_connection_served(worker, connection);
	if (shutdown(connection->fd, SHUT_WR) < 0) {
		load_connection_fail_errno(worker, connection, errno);
		return;
	}
	connection->state = ENDING;
	worker->ending++;
	load_connection_watch(worker, connection, POLLER_READ);
}

static void read_end(struct load_worker *worker, struct load_connection *connection)
{
	ssize_t n = io_read(connection->fd, worker->received, RECEIVE_SIZE);

	if (n > 0) {
		load_wrong_bytes(&connection->exchange, 0, "", 0, worker->received,
				 (size_t)n);
		load_connection_fail(worker, connection, LOAD_WRONG_REPLY);
	} else if (n == 0) {
		load_connection_shut(worker, connection);
		connection->state = CLOSED;
		worker->ending--;
		worker->result.elapsed =
			(double)(worker->now - worker->start) / (double)SECOND;
	} else if (errno != EAGAIN && errno != EWOULDBLOCK) {
		load_connection_fail_errno(worker, connection, errno);
	}
}

/* The kernel accepts bytes that no process reads; only the close of the server shows
 * that it has read all. That time belongs to the measured time. */
static void stream_finish(struct load_worker *worker)
{
	struct poller_event events[BATCH];
	int64_t limit = worker->now + worker->plan->timeout * MILLISECOND;

	if (worker->protocol->pattern != LOAD_SINK)
		return;
	for (unsigned i = 0; i < worker->count; i++)
		half_close(worker, &worker->connections[i]);
	while (worker->ending > 0 && worker->now < limit) {
		int count =
			poller_wait(worker->poller, events, BATCH, limit - worker->now);

		worker->now = clock_nanoseconds();
		for (int i = 0; i < count; i++)
			read_end(worker, events[i].owner);
	}
	worker->result.errors[LOAD_TIMED_OUT] += worker->ending;
}

const struct load_transport load_stream = {
	.open = stream_open,
	.begin = stream_begin,
	.ready = stream_ready,
	.expire = stream_expire,
	.finish = stream_finish,
};
