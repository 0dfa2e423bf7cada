/*
 * datagram - the transport of the load over UDP: one socket per connection.
 *
 * UDP loses, duplicates and reorders datagrams. So each request carries its number, if the
 * reply brings it back (echo), and the connection keeps a slot for each of the last
 * requests:
 *
 *     UNUSED ──sent──> WAITING ──reply──> ANSWERED ──reply──> a duplicate
 *                         │
 *                         └─no reply in time──> LOST ──reply──> late
 *
 * If the reply does not identify its request (daytime, reply ...), a socket has only one
 * outstanding request. After a loss the socket is replaced by one with another port, so
 * that a late reply is not taken for the reply to the next request.
 *
 * A closed loop sends the next request when the last one is answered or lost. An open loop
 * sends at the scheduled times, whatever happens to the other requests.
 */
#include "client/load/datagram.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/load/bytes.h"
#include "client/load/connection.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"

enum {
	FEWEST_SLOTS = 64, /* for each socket */
	MOST_SLOTS = 65536,
	ASK_AGAIN = 100,     /* milliseconds between probes, while the server does not
			      * answer */
	REFUSED_WITHIN = 20, /* milliseconds within which loopback reports a refusal */
	NUMBER_LETTERS = 10, /* of 6 bits: enough for any run */
};

struct load_slot {
	uint64_t number; /* of the request, on its connection, from 1 */
	int64_t due, begun;
	int64_t lost_at; /* without a reply by then */
	enum { UNUSED, WAITING, ANSWERED, LOST } state;
};

static bool makes_a_socket_for_each(const struct load_worker *worker)
{
	return worker->plan->kind == LOAD_CONNECTIONS;
}

static bool is_never_answered(const struct load_worker *worker)
{
	return worker->protocol->pattern == LOAD_SINK;
}

static struct load_slot *slot_of(const struct load_worker *worker,
				 const struct load_connection *connection,
				 uint64_t number)
{
	return &connection->slots[number % worker->slots_each];
}

/* Whether a socket may have several outstanding requests. */
static bool overlaps(const struct load_plan *plan)
{
	return plan->rate > 0 && plan->protocol->mirrors &&
	       plan->kind != LOAD_CONNECTIONS;
}

/* Number of slots: enough for twice the requests that a socket sends before one
 * counts as lost, so that an unanswered request does not delay the next ones. A
 * power of two. */
static unsigned slots_for(const struct load_plan *plan)
{
	double meanwhile = plan->rate / plan->connections * (double)plan->timeout / 1000;
	unsigned slots = FEWEST_SLOTS;

	while (overlaps(plan) && slots < 2 * meanwhile && slots < MOST_SLOTS)
		slots *= 2;
	return slots;
}

static int prepare_slots(struct load_worker *worker)
{
	worker->slots_each = slots_for(worker->plan);
	worker->slots =
		calloc((size_t)worker->count * worker->slots_each, sizeof *worker->slots);
	worker->datagram = malloc(worker->plan->size);
	if (worker->slots == NULL || worker->datagram == NULL)
		return -1;
	for (unsigned i = 0; i < worker->count; i++)
		worker->connections[i].slots =
			worker->slots + (size_t)i * worker->slots_each;
	return 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

/* The format is 4 bytes for the connection and 8 bytes for the number, big-endian. */
static void put_number(char *bytes, const struct load_exchange *exchange)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (char)(exchange->connection >> (24 - 8 * i) & 255);
	for (int i = 0; i < 8; i++)
		bytes[4 + i] = (char)(exchange->sequence >> (56 - 8 * i) & 255);
}

static void get_number(const char *bytes, struct load_exchange *exchange)
{
	exchange->connection = 0;
	exchange->sequence = 0;
	for (int i = 0; i < 4; i++)
		exchange->connection =
			exchange->connection << 8 | (unsigned char)bytes[i];
	for (int i = 4; i < LOAD_NUMBER_SIZE; i++)
		exchange->sequence = exchange->sequence << 8 | (unsigned char)bytes[i];
}

/* As letters, as many as fit before the last byte, which may be a newline. */
static void put_letters(char *bytes, const struct load_exchange *exchange)
{
	uint64_t number = exchange->sequence;

	for (size_t i = 0; i + 1 < exchange->length && i < NUMBER_LETTERS; i++) {
		bytes[i] = (char)('0' + number % 64);
		number /= 64;
	}
}

/* Builds the request in @p buffer. All requests of a socket differ, also if the
 * reply does not contain the number: a server may take repeated equal datagrams for
 * the replies of another server, and not answer. */
static const char *request_bytes(const struct load_protocol *protocol,
				 const struct load_exchange *exchange, char *buffer)
{
	if (protocol->pattern == LOAD_SINK)
		return exchange->request;
	memcpy(buffer, exchange->request, exchange->length);
	if (protocol->mirrors)
		put_number(buffer, exchange);
	else
		put_letters(buffer, exchange);
	return buffer;
}

/* ---- the socket ---------------------------------------------------------------------------- */

static bool open_socket(struct load_worker *worker, struct load_connection *connection)
{
	connection->fd = load_endpoint_connect(
		&worker->shared->endpoint, connection->exchange.connection, SOCK_DGRAM);
	if (connection->fd < 0) {
		load_connection_fail_errno(worker, connection, errno);
		return false;
	}
	/* the kernel may have given this socket the port of the stopped server */
	if (sock_is_connected_to_itself(connection->fd)) {
		load_connection_fail(worker, connection, LOAD_REFUSED);
		return false;
	}
	memset(connection->slots, 0, worker->slots_each * sizeof *connection->slots);
	connection->waiting = 0;
	connection->newest = 0;
	worker->result.made++;
	load_connection_set_free(connection);
	load_connection_watch(worker, connection, POLLER_READ);
	return connection->state == FREE;
}

static void datagram_open(struct load_worker *worker, struct load_connection *connection)
{
	if (open_socket(worker, connection))
		load_connection_go_on(worker, connection);
}

static bool has_free_slot(const struct load_worker *worker,
			  const struct load_connection *connection)
{
	uint64_t next = connection->exchange.sequence + 1;

	if (!overlaps(worker->plan))
		return connection->waiting == 0;
	return slot_of(worker, connection, next)->state != WAITING;
}

/* The send buffer was full. */
static bool is_sending(const struct load_connection *connection)
{
	return connection->state == BUSY &&
	       connection->exchange.sent < connection->exchange.length;
}

/* A request was answered or lost. The next one can be sent, unless a much older
 * request still occupies its slot. */
static void go_on(struct load_worker *worker, struct load_connection *connection)
{
	if (makes_a_socket_for_each(worker))
		load_connection_shut(worker, connection);
	if (worker->now >= worker->end || is_sending(connection) ||
	    !has_free_slot(worker, connection))
		return;
	connection->state = FREE;
	if (!connection->queued)
		load_connection_go_on(worker, connection);
}

/* ---- sending ------------------------------------------------------------------------------- */

/* The request was sent. For a sink that completes it. */
static void note_sent(struct load_worker *worker, struct load_connection *connection)
{
	struct load_exchange *exchange = &connection->exchange;
	struct load_slot *slot = slot_of(worker, connection, exchange->sequence);
	int64_t lost_at = worker->now + worker->plan->timeout * MILLISECOND;

	exchange->sent = exchange->length;
	if (connection->due >= worker->start)
		worker->result.fate.sent++;
	load_connection_watch(worker, connection, POLLER_READ);
	if (connection->state != BUSY)
		return;
	if (is_never_answered(worker)) {
		load_connection_set_free(connection);
		load_connection_served(worker, connection);
		if (load_connection_count(worker, connection->due, connection->begun,
					  exchange->length))
			go_on(worker, connection);
		return;
	}
	*slot = (struct load_slot){ exchange->sequence, connection->due,
				    connection->begun, lost_at, WAITING };
	if (connection->waiting++ == 0)
		load_connection_set_wake(worker, connection, lost_at);
	if (has_free_slot(worker, connection)) {
		connection->state = FREE;
		load_connection_queue(worker, connection);
	}
}

static void send_request(struct load_worker *worker, struct load_connection *connection)
{
	const struct load_exchange *exchange = &connection->exchange;
	const char *bytes = request_bytes(worker->protocol, exchange, worker->datagram);
	ssize_t n;

	do
		n = send(connection->fd, bytes, exchange->length, SOCK_NO_SIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		note_sent(worker, connection);
	else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
		load_connection_watch(worker, connection, POLLER_READ | POLLER_WRITE);
	else
		load_connection_fail_errno(worker, connection, errno);
}

static void datagram_begin(struct load_worker *worker, struct load_connection *connection,
			   int64_t due)
{
	struct load_exchange *exchange = &connection->exchange;

	if (makes_a_socket_for_each(worker) && !open_socket(worker, connection))
		return;
	connection->due = due;
	connection->begun = worker->now;
	connection->state = BUSY;
	exchange->sent = exchange->received = 0;
	exchange->sequence++;
	worker->protocol->begin(&worker->shared->material, exchange);
	send_request(worker, connection);
}

/* ---- receiving ----------------------------------------------------------------------------- */

static void take_answer(struct load_worker *worker, struct load_connection *connection,
			struct load_slot *slot, size_t n)
{
	slot->state = ANSWERED;
	connection->pause = 0;
	if (--connection->waiting == 0)
		connection->wake = NEVER;
	if (!load_connection_count(worker, slot->due, slot->begun, n)) {
		load_connection_served_late(worker, connection);
		return;
	}
	load_connection_served(worker, connection);
	if (slot->number < connection->newest)
		worker->result.fate.reordered++;
	else
		connection->newest = slot->number;
	go_on(worker, connection);
}

/* A correct reply to the request with this number. A number without a slot is older
 * than all slots, so the reply is most probably late. */
static void take_numbered(struct load_worker *worker, struct load_connection *connection,
			  uint64_t number, size_t n)
{
	struct load_slot *slot = slot_of(worker, connection, number);

	if (slot->number != number || slot->state == LOST)
		worker->result.fate.late++;
	else if (slot->state == ANSWERED)
		worker->result.fate.duplicates++;
	else
		take_answer(worker, connection, slot, n);
}

/* A mirrored reply of another length, or with a wrong number. If the last request of the
 * socket is meant, the first wrong byte is known. */
static void describe_mirrored(struct load_worker *worker,
			      const struct load_connection *connection, size_t n)
{
	struct failure where = { "" };
	struct load_exchange asked = connection->exchange;
	size_t size = worker->plan->size;

	asked.wrong = &where;
	if (n != size) {
		request_bytes(worker->protocol, &asked, worker->datagram);
		load_wrong_bytes(&asked, 0, worker->datagram, size, worker->received, n);
		failure_set(connection->exchange.wrong,
			    "datagram of %zu bytes instead of %zu: %.150s", n, size,
			    where.text);
	} else
		failure_set(connection->exchange.wrong,
			    "the number in bytes 1 to %d is not that of a request",
			    LOAD_NUMBER_SIZE);
}

/* The number in the reply identifies the request, and the rest must equal it. A
 * number of another connection is an error only if each connection keeps its socket;
 * otherwise the port may have belonged to another one. */
static void judge_mirrored(struct load_worker *worker, struct load_connection *connection,
			   size_t n)
{
	const struct load_exchange *last = &connection->exchange;
	struct load_exchange asked = { .wrong = last->wrong };
	bool ours, known = false;

	if (n == worker->plan->size) {
		get_number(worker->received, &asked);
		ours = asked.connection == last->connection;
		worker->protocol->begin(&worker->shared->material, &asked);
		asked.received = LOAD_NUMBER_SIZE;
		known = ours ? asked.sequence >= 1 && asked.sequence <= last->sequence
			     : makes_a_socket_for_each(worker);
	}
	if (!known)
		describe_mirrored(worker, connection, n);
	else if (n > LOAD_NUMBER_SIZE)
		known = worker->protocol->check(&worker->shared->material, &asked,
						worker->received + LOAD_NUMBER_SIZE,
						n - LOAD_NUMBER_SIZE) == LOAD_COMPLETE;
	if (!known)
		load_connection_fail(worker, connection, LOAD_WRONG_REPLY);
	else if (!ours)
		worker->result.fate.late++;
	else
		take_numbered(worker, connection, asked.sequence, n);
}

/* An unexpected reply counts as a duplicate of the last. A reply may be cut to the
 * length of the request: many servers limit replies so, against amplification
 * attacks. */
static void judge_unnumbered(struct load_worker *worker,
			     struct load_connection *connection, size_t n)
{
	struct load_exchange *exchange = &connection->exchange;
	enum load_verdict verdict = LOAD_WRONG;

	if (n > 0 && worker->protocol->check != NULL) {
		exchange->place = 0;
		verdict = worker->protocol->check(&worker->shared->material, exchange,
						  worker->received, n);
	}
	if (verdict == LOAD_MORE && n != worker->plan->size)
		failure_set(
			exchange->wrong,
			"datagram of %zu bytes: neither a complete reply, nor one cut "
			"to the %zu bytes of the request",
			n, worker->plan->size);
	else if (verdict == LOAD_WRONG && (n == 0 || worker->protocol->check == NULL))
		load_wrong_bytes(exchange, 0, "", 0, worker->received, n);
	if (verdict == LOAD_WRONG || (verdict == LOAD_MORE && n != worker->plan->size) ||
	    exchange->sequence == 0)
		load_connection_fail(worker, connection, LOAD_WRONG_REPLY);
	else if (connection->waiting == 0)
		worker->result.fate.duplicates++;
	else
		take_answer(worker, connection,
			    slot_of(worker, connection, exchange->sequence), n);
}

/* One datagram per event; the poller reports further ones. */
static void receive_one(struct load_worker *worker, struct load_connection *connection)
{
	ssize_t n = io_read(connection->fd, worker->received, RECEIVE_SIZE);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	connection->heard = true;
	if (n < 0)
		load_connection_fail_errno(worker, connection, errno);
	else if (worker->protocol->mirrors)
		judge_mirrored(worker, connection, (size_t)n);
	else
		judge_unnumbered(worker, connection, (size_t)n);
}

static void datagram_ready(struct load_worker *worker, struct load_connection *connection,
			   unsigned ready)
{
	if ((ready & POLLER_WRITE) && is_sending(connection))
		send_request(worker, connection);
	if ((ready & POLLER_READ) && connection->fd >= 0)
		receive_one(worker, connection);
}

/* ---- losing -------------------------------------------------------------------------------- */

/* Gives up the requests whose timeout has expired. @return when the next one expires */
static int64_t lose(struct load_worker *worker, struct load_connection *connection)
{
	int64_t next = NEVER;

	for (struct load_slot *slot = connection->slots;
	     slot < connection->slots + worker->slots_each && connection->waiting > 0;
	     slot++) {
		if (slot->state != WAITING)
			continue;
		if (slot->lost_at <= worker->now) {
			slot->state = LOST;
			connection->waiting--;
			connection->lost = true;
			if (slot->due >= worker->start)
				worker->result.fate.lost++;
		} else if (slot->lost_at < next) {
			next = slot->lost_at;
		}
	}
	return next;
}

static void datagram_expire(struct load_worker *worker,
			    struct load_connection *connection)
{
	unsigned waiting = connection->waiting;

	connection->wake = NEVER;
	load_connection_set_wake(worker, connection, lose(worker, connection));
	if (connection->waiting == waiting)
		return;
	if (!worker->protocol->mirrors && !makes_a_socket_for_each(worker) &&
	    worker->now < worker->end) {
		load_connection_shut(worker, connection);
		if (!open_socket(worker, connection))
			return;
	}
	go_on(worker, connection);
}

const struct load_transport load_datagram = {
	.prepare = prepare_slots,
	.open = datagram_open,
	.begin = datagram_begin,
	.ready = datagram_ready,
	.expire = datagram_expire,
};

/* ---- the probe of the server
 * ----------------------------------------------------------------------- */

/* Waits for a reply. @return 0 or an errno */
static int await_reply(int fd, int64_t milliseconds)
{
	char bytes[1];
	int ready = io_wait(fd, POLLIN, milliseconds);

	if (ready == 0)
		return ETIMEDOUT;
	return ready < 0 || io_read(fd, bytes, sizeof bytes) < 0 ? errno : 0;
}

/* Sends a probe, with the number of a connection that does not exist. */
static int ask(int fd, const struct load_shared *shared, char *buffer)
{
	const struct load_protocol *protocol = shared->plan->protocol;
	struct load_exchange exchange = { .connection = UINT32_MAX, .sequence = 1 };

	protocol->begin(&shared->material, &exchange);
	if (send(fd, request_bytes(protocol, &exchange, buffer), exchange.length,
		 SOCK_NO_SIGNAL) < 0 &&
	    errno != EAGAIN) /* of a UNIX-domain socket: the server has much to read */
		return errno;
	if (protocol->pattern != LOAD_SINK)
		return await_reply(fd, ASK_AGAIN);
	return await_reply(fd, REFUSED_WITHIN) == ECONNREFUSED ? ECONNREFUSED : 0;
}

int load_datagram_reach(const struct load_shared *shared, int64_t limit)
{
	const struct load_plan *plan = shared->plan;
	int64_t end = clock_milliseconds() + limit;
	int fd = load_endpoint_connect(&shared->endpoint, 0, SOCK_DGRAM);
	char *buffer = malloc(plan->size);
	int error = fd < 0 || buffer == NULL ? errno : ETIMEDOUT;

	if (fd >= 0 && sock_is_connected_to_itself(fd))
		error = ECONNREFUSED;
	while (error == ETIMEDOUT && clock_milliseconds() < end &&
	       !(plan->stop != NULL && *plan->stop != 0))
		error = ask(fd, shared, buffer);
	free(buffer);
	if (fd >= 0)
		close(fd);
	return error;
}
