/*
 * room - the transport of the load for broadcast protocols: clients in one chat room.
 *
 * Each sender has a ring of its lines in flight, as they must arrive: heading included.
 * Receivers compare with the ring, so a correct line costs one memcmp(3) and no parsing. A
 * place of the ring is used again only after all clients have received its line. A line
 * that differs is parsed to find out whether it is late, duplicated, cut, merged or
 * altered.
 *
 * Threads: a sender's ring is written by its thread and read by all. Counters are atomic;
 * joining, leaving and sending hold a mutex. A thread whose sender may continue is woken
 * through a descriptor in its poller.
 */
#include "client/load/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/load/bytes.h"
#include "client/load/connection.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "common/text.h"
#include "common/wakeup.h"

enum {
	BATCH = 256,
	KEPT = 4096,     /* bytes kept of a line that arrives in pieces: longer than
			  * any line */
	REMEMBERED = 64, /* number of lines before the last for which a gap is
			  * remembered */
};

/* Longest wait after the measured time without receiving anything. */
static const int64_t longest_silence = 5 * SECOND;

/* ... and with receiving. */
static const int64_t longest_rest = 60 * SECOND;

/* Pause between two checks whether all threads are done. */
static const int64_t look_pause = 2 * MILLISECOND;

/* A sender, and the ring of its lines in flight, as they must arrive: with the
 * heading. A place is used again only after all have received its line. */
struct sender {
	char heading[LOAD_HEADING];
	atomic_uint_least64_t lines_sent; /* number of lines; the ring holds the last
					   * ones */
	atomic_uint_least64_t delivered;  /* ... of which all clients have received
					   * this many */
	atomic_bool reached;              /* any client has received a line */
	atomic_bool waits;    /* its window is full, and another thread must wake it */
	char *lines;          /* line_length bytes per place */
	int64_t *due, *begun; /* when each was due, and sent */
	atomic_uint *missing; /* per line: clients in the room that have not received
			       * it */
	struct load_worker *worker;
	struct load_connection *connection;
};

struct load_room {
	const struct load_plan *plan;
	const struct load_protocol *protocol;
	const struct load_material *material;
	size_t heading, line_length; /* bytes of the heading, and of the whole line */
	uint64_t places;             /* size of a ring, a power of two */
	pthread_mutex_t lock;        /* held to send, join or leave; protects: */
	unsigned present;            /* number of clients in the room */
	atomic_uint measuring;       /* number of threads in the measured time */
	struct sender *senders;
};

/* State of a client, beside its load_connection. */
struct member {
	bool connected;    /* its connection is established */
	bool present;      /* it is in the room */
	bool takes_part;   /* it was in the room at the start */
	unsigned last;     /* the sender of the last line received */
	uint64_t *next;    /* per sender: number of the next line to receive */
	uint64_t *gaps;    /* ... and which of the REMEMBERED lines before it are
			    * missing */
	const char *out;   /* to be sent: */
	size_t sent, size; /* this many bytes of that many */
	char *lines;       /* sender: buffer of its lines */
	size_t kept;       /* bytes of an incomplete line: */
	char text[KEPT];
};

struct load_members {
	struct member *members; /* one for each connection */
	uint64_t *next, *gaps;
	char *lines;
	struct wakeup wakeup; /* other threads wake this one, for senders that wait */
	struct load_connection wakeup_entry; /* the entry of wakeup in the poller */
};

/* ---- the room ------------------------------------------------------------------------------ */

static struct load_room *room_of(const struct load_worker *worker)
{
	return worker->shared->room;
}

static struct member *member_of(const struct load_worker *worker,
				const struct load_connection *connection)
{
	return &worker->members->members[connection - worker->connections];
}

/* The first connections are the senders. NULL: it is not a sender. */
static struct sender *sender_of(const struct load_worker *worker,
				const struct load_connection *connection)
{
	struct load_room *room = room_of(worker);
	unsigned number = connection->exchange.connection;

	return number < room->plan->senders ? &room->senders[number] : NULL;
}

static size_t place_of(const struct load_room *room, uint64_t number)
{
	return (size_t)(number & (room->places - 1));
}

static char *line_at(const struct load_room *room, const struct sender *sender,
		     uint64_t number)
{
	return sender->lines + place_of(room, number) * room->line_length;
}

static int prepare_sender(struct load_room *room, unsigned number)
{
	struct sender *sender = &room->senders[number];
	size_t places = (size_t)room->places;

	sender->lines = calloc(places, room->line_length);
	sender->due = calloc(places, sizeof *sender->due);
	sender->begun = calloc(places, sizeof *sender->begun);
	sender->missing = calloc(places, sizeof *sender->missing);
	if (sender->lines == NULL || sender->due == NULL || sender->begun == NULL ||
	    sender->missing == NULL)
		return -1;
	room->protocol->heading(room->material, number, sender->heading);
	return 0;
}

struct load_room *load_room_create(const struct load_shared *shared)
{
	struct load_room *room = calloc(1, sizeof *room);
	char heading[LOAD_HEADING];

	if (room == NULL)
		return NULL;
	pthread_mutex_init(&room->lock, NULL);
	room->plan = shared->plan;
	room->protocol = shared->plan->protocol;
	room->material = &shared->material;
	room->heading = room->protocol->heading(room->material, 0, heading);
	room->line_length = room->heading + room->material->size;
	for (room->places = 1; room->places < room->plan->window;)
		room->places *= 2;
	atomic_store(&room->measuring, shared->threads);
	room->senders = calloc(room->plan->senders, sizeof *room->senders);
	for (unsigned i = 0; room->senders != NULL && i < room->plan->senders; i++) {
		if (prepare_sender(room, i) == 0)
			continue;
		load_room_destroy(room);
		return NULL;
	}
	if (room->senders != NULL)
		return room;
	load_room_destroy(room);
	return NULL;
}

void load_room_destroy(struct load_room *room)
{
	if (room == NULL)
		return;
	for (unsigned i = 0; room->senders != NULL && i < room->plan->senders; i++) {
		free(room->senders[i].lines);
		free(room->senders[i].due);
		free(room->senders[i].begun);
		free(room->senders[i].missing);
	}
	free(room->senders);
	pthread_mutex_destroy(&room->lock);
	free(room);
}

/* ---- a worker's clients -------------------------------------------------------------------- */

static unsigned senders_here(const struct load_worker *worker)
{
	unsigned count = 0;

	while (count < worker->count &&
	       worker->number + count * worker->shared->threads < worker->plan->senders)
		count++;
	return count;
}

/* Runs before the connections have their numbers, so it computes them as the worker
 * does. */
static int room_prepare(struct load_worker *worker)
{
	struct load_room *room = room_of(worker);
	unsigned senders = worker->plan->senders, here = senders_here(worker);
	size_t block = worker->plan->window * room->material->size;
	struct load_members *members = calloc(1, sizeof *members);

	if (members == NULL || wakeup_open(&members->wakeup) < 0) {
		free(members);
		return -1;
	}
	worker->members = members;
	worker->now = clock_nanoseconds(); /* for a first connection that is
					    * established already */
	if (worker->turns > senders)
		worker->turns = senders;
	members->members = calloc(worker->count, sizeof *members->members);
	members->next = calloc(worker->count, senders * sizeof *members->next);
	members->gaps = calloc(worker->count, senders * sizeof *members->gaps);
	members->lines = calloc(here + 1U, block);
	if (members->members == NULL || members->next == NULL || members->gaps == NULL ||
	    members->lines == NULL)
		return -1;
	members->wakeup_entry.fd = members->wakeup.fd;
	if (poller_add(worker->poller, members->wakeup.fd, POLLER_READ,
		       &members->wakeup_entry) < 0)
		return -1;
	for (unsigned i = 0; i < worker->count; i++) {
		members->members[i].next = members->next + (size_t)i * senders;
		members->members[i].gaps = members->gaps + (size_t)i * senders;
	}
	for (unsigned i = 0; i < here; i++) {
		struct sender *sender =
			&room->senders[worker->number + i * worker->shared->threads];

		members->members[i].lines = members->lines + i * block;
		sender->worker = worker;
		sender->connection = &worker->connections[i];
	}
	return 0;
}

void load_members_free(struct load_worker *worker)
{
	struct load_members *members = worker->members;

	if (members == NULL)
		return;
	wakeup_close(&members->wakeup);
	free(members->members);
	free(members->next);
	free(members->gaps);
	free(members->lines);
	free(members);
}

/* ---- the window ---------------------------------------------------------------------------- */

static uint64_t in_transit(const struct sender *sender)
{
	return atomic_load(&sender->lines_sent) - atomic_load(&sender->delivered);
}

/* The client may send again, if nothing else prevents it. */
static void open_window(struct load_worker *worker, struct load_connection *connection)
{
	const struct member *member = member_of(worker, connection);

	if (connection->state != BUSY || member->sent < member->size ||
	    in_transit(sender_of(worker, connection)) >= worker->plan->window)
		return;
	load_connection_set_free(connection);
	load_connection_queue(worker, connection);
}

/* One more client has received the line, or will not receive it any more. */
static void count_received(struct load_worker *worker, struct sender *sender,
			   uint64_t number)
{
	atomic_uint *missing = &sender->missing[place_of(room_of(worker), number)];

	if (atomic_fetch_sub(missing, 1) > 1)
		return;
	atomic_fetch_add(&sender->delivered, 1);
	if (sender->worker == worker)
		open_window(worker, sender->connection);
	else if (atomic_exchange(&sender->waits, false))
		wakeup_send(&sender->worker->members->wakeup);
}

static void handle_wakeup(struct load_worker *worker)
{
	wakeup_clear(&worker->members->wakeup);
	for (unsigned i = 0; i < senders_here(worker); i++)
		open_window(worker, &worker->connections[i]);
}

/* ---- joining and leaving
 * ---------------------------------------------------------------------- */

static void join(struct load_worker *worker, struct load_connection *connection)
{
	struct load_room *room = room_of(worker);
	struct load_shared *shared = worker->shared;

	pthread_mutex_lock(&room->lock);
	room->present++;
	pthread_mutex_unlock(&room->lock);
	member_of(worker, connection)->present = true;
	connection->pause = 0;
	load_connection_set_free(connection);
	if (sender_of(worker, connection) != NULL)
		load_connection_queue(worker, connection);
	/* while clients join, the start is postponed for the others */
	atomic_store(&shared->settle_limit, worker->now + shared->settle_time);
}

/* The client leaves: nothing waits for the lines that it has not received. */
static void leave(struct load_worker *worker, struct load_connection *connection)
{
	struct load_room *room = room_of(worker);
	struct member *member = member_of(worker, connection);
	const struct sender *own = sender_of(worker, connection);

	member->connected = false;
	member->kept = member->sent = member->size = 0;
	if (!member->present)
		return;
	member->present = false;
	pthread_mutex_lock(&room->lock);
	room->present--;
	for (unsigned i = 0; i < worker->plan->senders; i++) {
		struct sender *sender = &room->senders[i];

		for (uint64_t n = member->next[i];
		     sender != own && n < atomic_load(&sender->lines_sent); n++)
			count_received(worker, sender, n);
	}
	pthread_mutex_unlock(&room->lock);
}

static void room_fail(struct load_worker *worker, struct load_connection *connection,
		      enum load_error error)
{
	load_connection_fail(worker, connection, error);
	leave(worker, connection);
}

static void room_fail_errno(struct load_worker *worker,
			    struct load_connection *connection, int error)
{
	load_connection_fail_errno(worker, connection, error);
	leave(worker, connection);
}

static void watch(struct load_worker *worker, struct load_connection *connection)
{
	const struct member *member = member_of(worker, connection);

	load_connection_watch(worker, connection,
			      !member->connected            ? POLLER_WRITE
			      : member->sent < member->size ? POLLER_READ | POLLER_WRITE
							    : POLLER_READ);
	if (connection->state == CLOSED) /* the poller no longer reports it */
		leave(worker, connection);
}

/* ---- sending ------------------------------------------------------------------------------- */

/* Sends as much of member->out as the kernel accepts. */
static void send_out(struct load_worker *worker, struct load_connection *connection)
{
	struct member *member = member_of(worker, connection);
	ssize_t n = io_write(connection->fd, member->out + member->sent,
			     member->size - member->sent);

	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
		room_fail_errno(worker, connection, errno);
		return;
	}
	member->sent += n > 0 ? (size_t)n : 0;
	watch(worker, connection);
}

/* Writes the text of a line: its number, letters that depend on it, and a newline. */
static void write_line(const struct load_room *room, unsigned sender, uint64_t number,
		       char *out)
{
	static const char digits[] = "0123456789abcdef";
	const struct load_material *material = room->material;
	uint64_t rest = number;

	for (int i = LOAD_STAMP; i-- > 0; rest >>= 4)
		out[i] = digits[rest & 15];
	memcpy(out + LOAD_STAMP, material->block + load_letters_offset(sender, number),
	       material->size - LOAD_STAMP - 1);
	out[material->size - 1] = '\n';
}

/* Adds the next line to the ring, and to the bytes to be sent. */
static void queue_line(struct load_worker *worker, struct load_connection *connection,
		       int64_t due)
{
	struct load_room *room = room_of(worker);
	struct member *member = member_of(worker, connection);
	struct sender *sender = &room->senders[connection->exchange.connection];
	uint64_t number = atomic_load(&sender->lines_sent);
	char *line = line_at(room, sender, number), *text = line + room->heading;

	memcpy(line, sender->heading, room->heading);
	write_line(room, connection->exchange.connection, number, text);
	memcpy(member->lines + member->size, text, room->material->size);
	member->size += room->material->size;
	sender->due[place_of(room, number)] = due;
	sender->begun[place_of(room, number)] = worker->now;
	atomic_store(&sender->missing[place_of(room, number)], room->present - 1);
	atomic_store(&sender->lines_sent, number + 1);
}

/* Closed loop: sends as many lines as the window allows. Open loop: the due one. A
 * client that is alone sends nothing. */
static void room_begin(struct load_worker *worker, struct load_connection *connection,
		       int64_t due)
{
	struct load_room *room = room_of(worker);
	struct member *member = member_of(worker, connection);
	struct sender *sender = &room->senders[connection->exchange.connection];
	uint64_t count = worker->plan->window - in_transit(sender);

	member->out = member->lines;
	member->sent = member->size = 0;
	pthread_mutex_lock(&room->lock);
	if (room->present < 2)
		count = 0;
	else if (worker->plan->rate > 0)
		count = 1;
	for (uint64_t i = 0; i < count; i++)
		queue_line(worker, connection, due);
	pthread_mutex_unlock(&room->lock);
	if (count == 0)
		return;
	connection->state = BUSY;
	send_out(worker, connection);
	if (connection->state != BUSY)
		return;
	atomic_store(&sender->waits, true); /* before checking the window */
	open_window(worker, connection);
}

/* ---- receiving
 * ------------------------------------------------------------------------------- */

/* The next line of that sender has arrived. */
static void count_delivery(struct load_worker *worker, struct member *member,
			   unsigned number)
{
	struct load_room *room = room_of(worker);
	struct sender *sender = &room->senders[number];
	uint64_t line = member->next[number]++;

	member->gaps[number] <<= 1;
	worker->result.delivered++;
	if (worker->now < worker->end) {
		histogram_record(&worker->result.latency,
				 worker->now - sender->due[place_of(room, line)]);
		if (worker->plan->rate > 0)
			histogram_record(&worker->result.service,
					 worker->now -
						 sender->begun[place_of(room, line)]);
		worker->result.exchanges++;
		worker->result.bytes += room->line_length;
	}
	if (!atomic_load_explicit(&sender->reached, memory_order_relaxed))
		atomic_store(&sender->reached, true);
	count_received(worker, sender, line);
}

/* The next line of that sender is missing. */
static void count_lost(struct load_worker *worker, struct member *member, unsigned number)
{
	member->gaps[number] = member->gaps[number] << 1 | 1;
	worker->result.errors[LOAD_LOST_LINE]++;
	count_received(worker, &room_of(worker)->senders[number], member->next[number]++);
}

/* A line that arrived before, or too late. */
static void take_late(struct load_worker *worker, struct member *member, unsigned number,
		      uint64_t line)
{
	uint64_t back = member->next[number] - 1 - line;
	uint64_t bit = back < REMEMBERED ? UINT64_C(1) << back : 0;

	if (!(member->gaps[number] & bit)) {
		worker->result.errors[LOAD_DUPLICATE_LINE]++;
		return;
	}
	member->gaps[number] &= ~bit;
	worker->result.errors[LOAD_LOST_LINE]--;
	worker->result.errors[LOAD_OUT_OF_ORDER]++;
	worker->result.delivered++;
}

/* Whether the bytes start with the next line of that sender. */
static bool is_next(const struct load_room *room, const struct member *member,
		    unsigned number, const char *bytes)
{
	const struct sender *sender = &room->senders[number];
	uint64_t line = member->next[number];

	return line < atomic_load_explicit(&sender->lines_sent, memory_order_acquire) &&
	       memcmp(bytes, line_at(room, sender, line), room->line_length) == 0;
}

/* Fast path for most lines: the next line of a sender, complete. @return whether it
 * is one */
static bool take_next(struct load_worker *worker, struct load_connection *connection,
		      const char *bytes, size_t length)
{
	const struct load_room *room = room_of(worker);
	struct member *member = member_of(worker, connection);
	unsigned own = connection->exchange.connection, sender = member->last;

	if (length < room->line_length)
		return false;
	if (sender == own || !is_next(room, member, sender, bytes)) {
		if (!room->protocol->sender(room->material, bytes, length, &sender) ||
		    sender >= room->plan->senders || sender == own ||
		    !is_next(room, member, sender, bytes))
			return false;
		member->last = sender;
	}
	count_delivery(worker, member, sender);
	load_connection_served(worker, connection);
	return true;
}

static void wrong_line(struct load_worker *worker, const char *what, const char *line,
		       size_t length)
{
	char text[100];

	text_escape(line, length, text, sizeof text);
	failure_set(&worker->result.wrong, "%s: \"%s\"", what, text);
	worker->result.errors[LOAD_WRONG_REPLY]++;
}

static bool take_stamp(const char *text, uint64_t *number)
{
	*number = 0;
	for (int i = 0; i < LOAD_STAMP; i++) {
		char digit = text[i];

		if (digit >= '0' && digit <= '9')
			*number = *number << 4 | (uint64_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			*number = *number << 4 | (uint64_t)(digit - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* Whether the line, with its newline, is complete and was sent by that client;
 * *number receives its number. */
static bool was_sent(const struct load_room *room, unsigned sender, const char *line,
		     size_t length, uint64_t *number)
{
	const char *text = line + room->heading;
	char right[LOAD_LINE];

	if (length != room->line_length || !take_stamp(text, number) ||
	    *number >= atomic_load(&room->senders[sender].lines_sent))
		return false;
	write_line(room, sender, *number, right);
	return memcmp(text, right, room->material->size) == 0;
}

/* Reports a line that its sender has not sent. If its number shows which line it
 * should be, also the first wrong byte. */
static void report_altered(struct load_worker *worker, unsigned sender, const char *line,
			   size_t length)
{
	const struct load_room *room = room_of(worker);
	struct failure where = { "" };
	struct load_exchange part = { .wrong = &where };
	const char *text = line + room->heading;
	char right[LOAD_LINE], shown[100];
	uint64_t number;

	if (length != room->line_length || !take_stamp(text, &number) ||
	    number >= atomic_load(&room->senders[sender].lines_sent)) {
		wrong_line(worker,
			   length < room->line_length ? "incomplete line"
			   : length > room->line_length
				   ? "merged lines"
				   : "line differs from the one sent",
			   line, length - 1);
		return;
	}
	write_line(room, sender, number, right);
	load_wrong_bytes(&part, room->heading, right, room->material->size, text,
			 room->material->size);
	text_escape(line, length - 1, shown, sizeof shown);
	failure_set(&worker->result.wrong,
		    "line differs from the one sent: \"%s\", %.150s", shown, where.text);
	worker->result.errors[LOAD_WRONG_REPLY]++;
}

/* A line of a client of the load that is not the next one. */
static void judge_broadcast(struct load_worker *worker,
			    struct load_connection *connection, unsigned sender,
			    const char *line, size_t length)
{
	const struct load_room *room = room_of(worker);
	struct member *member = member_of(worker, connection);
	uint64_t number;

	if (sender >= room->plan->senders) {
		wrong_line(worker, "line from a client that does not send", line,
			   length - 1);
	} else if (!was_sent(room, sender, line, length, &number)) {
		report_altered(worker, sender, line, length);
	} else if (sender == connection->exchange.connection) {
		wrong_line(worker, "line returned to its sender", line, length - 1);
	} else if (number < member->next[sender]) {
		take_late(worker, member, sender, number);
	} else {
		while (member->next[sender] < number)
			count_lost(worker, member, sender);
		count_delivery(worker, member, sender);
		load_connection_served(worker, connection);
	}
}

/* A line, with its newline, that is not the next of any sender. */
static void take_other(struct load_worker *worker, struct load_connection *connection,
		       const char *line, size_t length)
{
	const struct load_room *room = room_of(worker);
	struct load_exchange *exchange = &connection->exchange;
	bool present = member_of(worker, connection)->present;
	unsigned sender;
	enum load_verdict verdict;

	if (present && room->protocol->sender(room->material, line, length, &sender)) {
		judge_broadcast(worker, connection, sender, line, length);
		return;
	}
	verdict = room->protocol->check(room->material, exchange, line, length - 1);
	if (verdict == LOAD_COMPLETE)
		join(worker, connection);
	else if (verdict == LOAD_WRONG && present)
		worker->result.errors[LOAD_WRONG_REPLY]++;
	else if (verdict == LOAD_WRONG)
		room_fail(worker, connection, LOAD_WRONG_REPLY);
}

/* Handles all complete lines. @return their size in bytes */
static size_t take_lines(struct load_worker *worker, struct load_connection *connection,
			 const char *bytes, size_t length)
{
	const struct load_room *room = room_of(worker);
	const struct member *member = member_of(worker, connection);
	size_t done = 0;

	while (done < length && connection->fd >= 0) {
		const char *line = bytes + done, *end;

		if (member->present &&
		    take_next(worker, connection, line, length - done)) {
			done += room->line_length;
			continue;
		}
		end = memchr(line, '\n', length - done);
		if (end == NULL)
			break;
		done += (size_t)(end - line) + 1;
		take_other(worker, connection, line, (size_t)(end - line) + 1);
	}
	return done;
}

/* The server has closed. This is correct only after our half-close. */
static void take_end(struct load_worker *worker, struct load_connection *connection)
{
	struct member *member = member_of(worker, connection);

	if (connection->state != ENDING) {
		room_fail(worker, connection, LOAD_CLOSED_EARLY);
		return;
	}
	if (member->kept > 0)
		wrong_line(worker, "incomplete line", member->text, member->kept);
	load_connection_shut(worker, connection);
	connection->state = CLOSED;
	connection->wake = NEVER;
	worker->ending--;
	leave(worker, connection);
}

/* @return whether there may be more to read */
static bool receive_some(struct load_worker *worker, struct load_connection *connection)
{
	struct member *member = member_of(worker, connection);
	char *bytes = worker->received;
	size_t length, done;
	ssize_t n;

	n = io_read(connection->fd, bytes + member->kept, RECEIVE_SIZE - member->kept);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	worker->now = clock_nanoseconds();
	if (n <= 0) {
		if (n == 0)
			take_end(worker, connection);
		else
			room_fail_errno(worker, connection, errno);
		return false;
	}
	memcpy(bytes, member->text, member->kept);
	length = member->kept + (size_t)n;
	done = take_lines(worker, connection, bytes, length);
	if (connection->fd < 0)
		return false;
	if (length - done > KEPT) {
		wrong_line(worker, "line too long", bytes + done, length - done);
		worker->result.errors[LOAD_WRONG_REPLY]--; /* counted already here: */
		room_fail(worker, connection, LOAD_WRONG_REPLY);
		return false;
	}
	member->kept = length - done;
	memcpy(member->text, bytes + done, member->kept);
	return length == RECEIVE_SIZE;
}

/* ---- joining the room ---------------------------------------------------------------------- */

/* The connection is established: sends the nickname and the room. */
static void ask_in(struct load_worker *worker, struct load_connection *connection)
{
	struct member *member = member_of(worker, connection);
	struct load_exchange *exchange = &connection->exchange;
	size_t senders = worker->plan->senders;

	if (sock_is_connected_to_itself(connection->fd)) {
		sock_set_abortive(connection->fd); /* otherwise TIME_WAIT keeps the
						    * port */
		room_fail(worker, connection, LOAD_REFUSED);
		return;
	}
	sock_set_nodelay(connection->fd);
	worker->result.made++;
	memset(member->next, 0, senders * sizeof *member->next);
	memset(member->gaps, 0, senders * sizeof *member->gaps);
	worker->protocol->begin(worker->shared->room->material, exchange);
	member->connected = true;
	member->out = exchange->request;
	member->size = exchange->length;
	member->sent = member->kept = 0;
	send_out(worker, connection);
}

/* A client that joins during the measured time would not know which lines it has
 * missed. */
static void room_open(struct load_worker *worker, struct load_connection *connection)
{
	bool connected = connection->fd >= 0;

	connection->wake = NEVER;
	if (worker->start != NEVER)
		return;
	if (!connected) {
		if (load_connection_connect(worker, connection))
			watch(worker, connection);
		else if (connection->state == CLOSED)
			leave(worker, connection);
		return;
	}
	connection->state = CONNECTING;
	load_connection_set_wake(worker, connection,
				 worker->now + worker->plan->timeout * MILLISECOND);
	ask_in(worker, connection);
}

static void room_ready(struct load_worker *worker, struct load_connection *connection,
		       unsigned ready)
{
	struct member *member;
	int error;

	if (connection == &worker->members->wakeup_entry) {
		handle_wakeup(worker);
		return;
	}
	member = member_of(worker, connection);
	if (!member->connected) {
		error = sock_error(connection->fd);
		if (error != 0)
			room_fail_errno(worker, connection, error);
		else
			ask_in(worker, connection);
		return;
	}
	if ((ready & POLLER_WRITE) && member->sent < member->size) {
		send_out(worker, connection);
		if (sender_of(worker, connection) != NULL)
			open_window(worker, connection);
	}
	if (ready & POLLER_READ)
		while (connection->fd >= 0 && receive_some(worker, connection))
			;
}

/* It did not join in time: not connected, or the server did not let it in. */
static void give_up_joining(struct load_worker *worker,
			    struct load_connection *connection)
{
	if (!member_of(worker, connection)->connected) {
		room_fail(worker, connection, LOAD_TIMED_OUT);
		return;
	}
	failure_set(&worker->result.silence, "connected, but could not join the room");
	room_fail(worker, connection, LOAD_NO_REPLY);
}

static void room_expire(struct load_worker *worker, struct load_connection *connection)
{
	if (load_connection_may_try_again(worker, connection))
		room_open(worker, connection);
	else
		give_up_joining(worker, connection);
}

/* ---- the measured time, and after ---------------------------------------------------------- */

/* A client that has not joined is left out. */
static void room_start(struct load_worker *worker)
{
	bool stopped = atomic_load(&worker->shared->over);

	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];
		struct member *member = &worker->members->members[i];

		member->takes_part = member->present;
		if (member->present)
			continue;
		if (connection->state == CONNECTING && !stopped)
			give_up_joining(worker, connection);
		load_connection_shut(worker, connection);
		connection->state = CLOSED;
		connection->wake = NEVER;
		leave(worker, connection);
	}
}

static bool all_delivered(const struct load_room *room)
{
	for (unsigned i = 0; i < room->plan->senders; i++)
		if (in_transit(&room->senders[i]) > 0)
			return false;
	return true;
}

/* Handles ready descriptors. @return whether a line was received */
static bool receive_ready(struct load_worker *worker)
{
	struct poller_event events[BATCH];
	uint64_t before = worker->result.delivered;
	int count = poller_wait(worker->poller, events, BATCH, look_pause);

	worker->now = clock_nanoseconds();
	for (int i = 0; i < count; i++) {
		struct load_connection *connection = events[i].owner;

		if (connection->fd >= 0)
			room_ready(worker, connection, events[i].ready);
	}
	return worker->result.delivered > before;
}

static int64_t silence_limit(const struct load_worker *worker)
{
	int64_t limit = worker->plan->timeout * MILLISECOND;

	return worker->now + (limit < longest_silence ? limit : longest_silence);
}

/* Until every client has received all lines, or nothing for some time. */
static void receive_the_rest(struct load_worker *worker)
{
	struct load_room *room = room_of(worker);
	int64_t limit = silence_limit(worker), end = worker->now + longest_rest;

	atomic_fetch_sub(&room->measuring, 1);
	while (atomic_load(&room->measuring) > 0 ||
	       (!all_delivered(room) && worker->now < limit && worker->now < end))
		if (receive_ready(worker))
			limit = silence_limit(worker);
}

/* Half-closes, and reads until the server closes, too: then every wrong line has
 * arrived. */
static void close_all(struct load_worker *worker)
{
	int64_t limit, end;

	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];

		if (connection->fd < 0)
			continue;
		if (shutdown(connection->fd, SHUT_WR) < 0) {
			room_fail_errno(worker, connection, errno);
			continue;
		}
		connection->state = ENDING;
		worker->ending++;
	}
	limit = silence_limit(worker);
	end = worker->now + longest_rest;
	while (worker->ending > 0 && worker->now < limit && worker->now < end)
		if (receive_ready(worker))
			limit = silence_limit(worker);
	worker->result.errors[LOAD_TIMED_OUT] += worker->ending;
}

/* Adds up what each client should have received, and what is missing. */
static void account(struct load_worker *worker)
{
	struct load_room *room = room_of(worker);
	struct load_result *result = &worker->result;

	for (unsigned i = 0; i < worker->count; i++) {
		struct load_connection *connection = &worker->connections[i];
		const struct member *member = &worker->members->members[i];
		const struct sender *own = sender_of(worker, connection);

		if (own != NULL)
			result->lines_sent += atomic_load(&own->lines_sent);
		if (own != NULL && atomic_load(&own->reached))
			load_connection_served(worker, connection);
		for (unsigned j = 0; member->takes_part && j < worker->plan->senders;
		     j++) {
			uint64_t sent = atomic_load(&room->senders[j].lines_sent);

			if (&room->senders[j] == own)
				continue;
			result->due += sent;
			result->errors[LOAD_LOST_LINE] += sent - member->next[j];
		}
	}
}

static void room_finish(struct load_worker *worker)
{
	receive_the_rest(worker);
	close_all(worker);
	account(worker);
}

const struct load_transport load_broadcast = {
	.prepare = room_prepare,
	.open = room_open,
	.begin = room_begin,
	.ready = room_ready,
	.expire = room_expire,
	.start = room_start,
	.finish = room_finish,
};
