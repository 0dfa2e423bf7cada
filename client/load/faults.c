/*
 * faults - clients that misbehave beside the honest ones, so that one can see whether a server
 * keeps its service up.
 *
 * They have a thread and a poll(2) of their own: the threads that measure do not know of them.
 * A client whose connection has ended connects again, but no sooner than `again` after its last
 * attempt, and all together not more often than once in `pace`. So faulty clients cannot become a
 * flood of connections, which would be another load, and the ports of this host suffice.
 *
 *     PAUSED ── its time has come ──> CONNECTING ── connected ──> TALKING
 *        ^                                 │ refused, timed out      │ ended by either side
 *        └─────────────────────────────────┴─────────────────────────┘
 *
 * A client that does not read cannot see the end of the stream, which follows unread bytes. Linux
 * reports it as POLLRDHUP; elsewhere such a connection counts as open until the server resets it.
 */
#ifdef __linux__
#define _GNU_SOURCE /* POLLRDHUP */
#endif

#include "client/load/faults.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

#define MILLISECOND INT64_C(1000000)

enum { READ_SIZE = 64 * 1024, REPEATED_SIZE = 64 * 1024 };

static const int64_t again = 100 * MILLISECOND; /* between two attempts of a client */
static const int64_t pace = 4 * MILLISECOND;    /* ... of all clients together */
static const int64_t first_pace = MILLISECOND;  /* ... while they connect first */
static const int64_t slow_pause = LOAD_FAULT_PACE_MS * MILLISECOND;
static const int64_t longest_wait = 50 * MILLISECOND; /* then shared->over is checked */

enum state { PAUSED, CONNECTING, TALKING };

struct faulty {
	enum load_fault fault;
	enum state state;
	int64_t began; /* its last attempt to connect */
	int64_t wake;  /* PAUSED: when it may connect again; CONNECTING: its timeout;
			      * TALKING: when a slow one sends its next byte */
	const char *request; /* sent again and again, as far as its kind says */
	size_t length;
	uint64_t sent;
	bool half_closed;
	struct load_exchange exchange;
};

struct load_faults {
	struct load_shared *shared;
	unsigned count;
	struct faulty *clients;
	struct pollfd *polled; /* one for each client; fd is -1 while it is PAUSED */
	char *states;          /* of the protocol: state_size bytes for each client */
	char *repeated;        /* many requests, for the clients that never read */
	size_t repeated_length;
	char *received; /* READ_SIZE bytes */
	int64_t now;
	int64_t next_attempt; /* no client connects before */
	struct load_fault_ends ends[LOAD_FAULTS];
};

/* ---- one client ---------------------------------------------------------------------------- */

static struct pollfd *polled_of(struct load_faults *faults, const struct faulty *client)
{
	return &faults->polled[client - faults->clients];
}

static struct load_fault_ends *ends_of(struct load_faults *faults,
				       const struct faulty *client)
{
	return &faults->ends[client->fault];
}

/* Closes with a reset: neither side keeps the connection any longer. */
static void end(struct load_faults *faults, struct faulty *client)
{
	struct pollfd *polled = polled_of(faults, client);

	if (polled->fd >= 0) {
		sock_set_abortive(polled->fd);
		close(polled->fd);
	}
	polled->fd = -1;
	client->state = PAUSED;
	client->wake = client->began + again;
}

static void end_counted(struct load_faults *faults, struct faulty *client,
			uint64_t *count)
{
	++*count;
	end(faults, client);
}

static void fail(struct load_faults *faults, struct faulty *client, int error)
{
	struct load_fault_ends *ends = ends_of(faults, client);

	ends->error = error;
	end_counted(faults, client, &ends->failed);
}

static void start_connecting(struct load_faults *faults, struct faulty *client)
{
	struct pollfd *polled = polled_of(faults, client);

	client->began = faults->now;
	client->sent = 0;
	client->half_closed = false;
	polled->fd = load_endpoint_connect(&faults->shared->endpoint,
					   client->exchange.connection, SOCK_STREAM);
	if (polled->fd < 0 && errno == EAGAIN &&
	    faults->shared->endpoint.local.length > 0) {
		/* the backlog of a UNIX-domain socket is full */
		client->wake = faults->now + MILLISECOND;
		return;
	}
	if (polled->fd < 0) {
		fail(faults, client, errno);
		return;
	}
	client->state = CONNECTING;
	client->wake = faults->now + faults->shared->plan->timeout * MILLISECOND;
}

/* @return whether to go on at once */
static bool send_piece(struct load_faults *faults, struct faulty *client)
{
	size_t piece = load_fault_piece(client->fault, client->sent, client->length);
	ssize_t n = io_write(polled_of(faults, client)->fd,
			     client->request + client->sent % client->length, piece);

	if (client->fault == LOAD_FAULT_SLOW)
		client->wake = faults->now + slow_pause;
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
		end_counted(faults, client, &ends_of(faults, client)->reset);
	if (n <= 0)
		return false;
	client->sent += (size_t)n;
	/* the others come first: one that never reads sends without end */
	return client->fault != LOAD_FAULT_SLOW && client->fault != LOAD_FAULT_UNREAD;
}

static enum load_fault_step next_step(const struct faulty *client)
{
	return load_fault_next(client->fault, client->sent, client->length,
			       client->half_closed);
}

static void go_on(struct load_faults *faults, struct faulty *client)
{
	for (bool more = true; more;) {
		switch (next_step(client)) {
		case LOAD_FAULT_SENDS:
			more = send_piece(faults, client);
			break;
		case LOAD_FAULT_HALF_CLOSES:
			shutdown(polled_of(faults, client)->fd, SHUT_WR);
			client->half_closed = true;
			break;
		case LOAD_FAULT_RESETS:
			end_counted(faults, client, &ends_of(faults, client)->left);
			return;
		default:
			more = false;
		}
	}
}

/* ---- its events ---------------------------------------------------------------------------- */

static bool reads(const struct faulty *client)
{
	return client->fault == LOAD_FAULT_SLOW || next_step(client) == LOAD_FAULT_READS;
}

static short wanted_events(const struct faulty *client)
{
	if (client->state == CONNECTING)
		return POLLOUT;
	if (reads(client))
		return POLLIN;
	return next_step(client) == LOAD_FAULT_SENDS ? POLLOUT | POLLRDHUP : POLLRDHUP;
}

static void finish_connect(struct load_faults *faults, struct faulty *client)
{
	int fd = polled_of(faults, client)->fd, error = sock_error(fd);

	if (error == 0 && sock_is_connected_to_itself(fd))
		error = ECONNREFUSED;
	if (error != 0 && load_error_of(error) != LOAD_RESET) {
		fail(faults, client, error);
		return;
	}
	ends_of(faults, client)->made++;
	if (error != 0) { /* connected, and reset since */
		end_counted(faults, client, &ends_of(faults, client)->reset);
		return;
	}
	client->state = TALKING;
	client->wake = CLOCK_NEVER;
	go_on(faults, client);
}

/* What it reads does not matter, only the end. */
static void read_on(struct load_faults *faults, struct faulty *client)
{
	ssize_t n = io_read(polled_of(faults, client)->fd, faults->received, READ_SIZE);

	if (n == 0)
		end_counted(faults, client, &ends_of(faults, client)->closed);
	else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
		end_counted(faults, client, &ends_of(faults, client)->reset);
}

static void handle_events(struct load_faults *faults, struct faulty *client, short ready)
{
	if (client->state == CONNECTING)
		finish_connect(faults, client);
	else if (ready & POLLERR)
		end_counted(faults, client, &ends_of(faults, client)->reset);
	else if (reads(client))
		read_on(faults, client);
	else if (ready & (POLLRDHUP | POLLHUP))
		end_counted(faults, client, &ends_of(faults, client)->closed);
	else
		go_on(faults, client);
}

/* ---- all of them --------------------------------------------------------------------------- */

/* The client that has waited longest for its next attempt; NULL: none is PAUSED. */
static struct faulty *next_to_connect(struct load_faults *faults)
{
	struct faulty *next = NULL;

	for (unsigned i = 0; i < faults->count; i++) {
		struct faulty *client = &faults->clients[i];

		if (client->state == PAUSED &&
		    (next == NULL || client->wake < next->wake))
			next = client;
	}
	return next;
}

/* Starts the next attempt, if its time has come. @return when to try again */
static int64_t connect_next(struct load_faults *faults)
{
	struct faulty *client = next_to_connect(faults);

	if (client == NULL)
		return CLOCK_NEVER;
	if (client->wake > faults->now)
		return client->wake;
	if (faults->now < faults->next_attempt)
		return faults->next_attempt;
	faults->next_attempt = faults->now + (client->began == 0 ? first_pace : pace);
	start_connecting(faults, client);
	return faults->next_attempt;
}

/* Whatever is due without an event. @return when there is more */
static int64_t wake_all(struct load_faults *faults)
{
	int64_t next = connect_next(faults);

	for (unsigned i = 0; i < faults->count; i++) {
		struct faulty *client = &faults->clients[i];

		if (client->state == PAUSED)
			continue;
		if (client->wake <= faults->now && client->state == CONNECTING)
			fail(faults, client, ETIMEDOUT);
		else if (client->wake <= faults->now)
			go_on(faults, client);
		if (client->state != PAUSED)
			next = clock_earlier(next, client->wake);
	}
	return next;
}

static void await_events(struct load_faults *faults, int64_t until)
{
	int64_t wait = clock_until(until, faults->now);
	int ready;

	for (unsigned i = 0; i < faults->count; i++)
		if (faults->polled[i].fd >= 0)
			faults->polled[i].events = wanted_events(&faults->clients[i]);
	wait = clock_earlier(wait, longest_wait);
	ready = poll(faults->polled, faults->count,
		     (int)((wait + MILLISECOND - 1) / MILLISECOND));
	faults->now = clock_nanoseconds();
	for (unsigned i = 0; i < faults->count && ready > 0; i++) {
		if (faults->polled[i].fd < 0 || faults->polled[i].revents == 0)
			continue;
		handle_events(faults, &faults->clients[i], faults->polled[i].revents);
		ready--;
	}
}

/* An attempt that is still connecting is neither a connection nor a failure. */
static void end_all(struct load_faults *faults)
{
	for (unsigned i = 0; i < faults->count; i++) {
		struct faulty *client = &faults->clients[i];

		if (client->state == TALKING)
			ends_of(faults, client)->open++;
		end(faults, client);
	}
}

/* @return when the measured time is over */
static int64_t wait_for_start(struct load_shared *shared)
{
	struct timespec pause = clock_timespec(1);
	int64_t until;

	pthread_mutex_lock(&shared->lock);
	while (shared->start == 0)
		pthread_cond_wait(&shared->begin, &shared->lock);
	until = shared->end;
	pthread_mutex_unlock(&shared->lock);
	while (clock_nanoseconds() < shared->start && !atomic_load(&shared->over))
		nanosleep(&pause, NULL); /* the ramp */
	return until;
}

void *load_faults_run(void *argument)
{
	struct load_faults *faults = argument;
	int64_t until = wait_for_start(faults->shared);

	faults->now = clock_nanoseconds();
	while (faults->now < until && !atomic_load(&faults->shared->over))
		await_events(faults, clock_earlier(wake_all(faults), until));
	end_all(faults);
	return NULL;
}

/* ---- making, asking, freeing --------------------------------------------------------------- */

/* Clients that never read send as much as the server takes: many requests in one piece. */
static int repeat_request(struct load_faults *faults, struct load_exchange *exchange)
{
	const struct load_protocol *protocol = faults->shared->plan->protocol;
	const struct load_material *material = &faults->shared->material;
	size_t times;

	(protocol->begin_unread ? protocol->begin_unread : protocol->begin)(material,
									    exchange);
	if (exchange->length == 0)
		return 0;
	times = exchange->length < REPEATED_SIZE ? REPEATED_SIZE / exchange->length : 1;
	faults->repeated_length = times * exchange->length;
	faults->repeated = malloc(faults->repeated_length);
	if (faults->repeated == NULL)
		return -1;
	for (size_t i = 0; i < times; i++)
		memcpy(faults->repeated + i * exchange->length, exchange->request,
		       exchange->length);
	return 0;
}

/* Their numbers follow those of the honest ones, so that a protocol gives them names of
 * their own. */
static int prepare_client(struct load_faults *faults, unsigned number,
			  enum load_fault fault)
{
	const struct load_plan *plan = faults->shared->plan;
	struct faulty *client = &faults->clients[number];
	struct load_exchange *exchange = &client->exchange;

	faults->polled[number].fd = -1;
	client->fault = fault;
	exchange->connection = plan->connections + number;
	exchange->sequence = 1;
	exchange->state = faults->states + number * plan->protocol->state_size;
	if (fault != LOAD_FAULT_UNREAD) {
		plan->protocol->begin(&faults->shared->material, exchange);
		client->request = exchange->request;
		client->length = exchange->length;
		return 0;
	}
	if (faults->repeated == NULL && repeat_request(faults, exchange) < 0)
		return -1;
	client->request = faults->repeated;
	client->length = faults->repeated_length;
	return 0;
}

static int prepare_clients(struct load_faults *faults)
{
	const struct load_fault_mix *mix = &faults->shared->plan->faults;
	unsigned number = 0;

	for (int fault = 0; fault < LOAD_FAULTS; fault++)
		for (unsigned i = 0; i < mix->clients[fault]; i++)
			if (prepare_client(faults, number++, (enum load_fault)fault) < 0)
				return -1;
	return 0;
}

struct load_faults *load_faults_create(struct load_shared *shared)
{
	struct load_faults *faults = calloc(1, sizeof *faults);

	if (faults == NULL)
		return NULL;
	faults->shared = shared;
	faults->count = load_fault_mix_total(&shared->plan->faults);
	faults->clients = calloc(faults->count, sizeof *faults->clients);
	faults->polled = calloc(faults->count, sizeof *faults->polled);
	/* one byte more, because calloc(0) may return NULL */
	faults->states = calloc(faults->count, shared->plan->protocol->state_size + 1);
	faults->received = malloc(READ_SIZE);
	if (faults->clients != NULL && faults->polled != NULL && faults->states != NULL &&
	    faults->received != NULL && prepare_clients(faults) == 0)
		return faults;
	load_faults_destroy(faults);
	errno = ENOMEM;
	return NULL;
}

void load_faults_report(const struct load_faults *faults, struct load_result *result)
{
	memcpy(result->faults, faults->ends, sizeof result->faults);
}

void load_faults_destroy(struct load_faults *faults)
{
	if (faults == NULL)
		return;
	free(faults->clients);
	free(faults->polled);
	free(faults->states);
	free(faults->repeated);
	free(faults->received);
	free(faults);
}
