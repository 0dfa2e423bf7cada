/*
 * uring - one process for all clients, with io_uring: completion instead of readiness.
 *
 * What it shows: select and its relatives ask the kernel who is ready, and then make a system call
 * for each. Here the requests are in the kernel before anything happens: accept the next clients,
 * receive from each client. One io_uring_enter(2) passes all new requests to the kernel, and
 * brings what was accepted and received meanwhile, for many clients at once. Bytes arrive in
 * buffers that all clients share, because the kernel takes one only when there are bytes. So an
 * idle client has no buffer.
 *
 * Replies are sent by send(2) at once, as in the other models, because the bytes are at hand and
 * the kernel nearly always takes them. Only when it does not, a request waits for space.
 *
 * Why one would choose it: the fewest system calls, the more clients are busy the fewer. What it
 * costs: Linux 6.1, and a kernel that permits it, which many sandboxes do not. What was requested
 * cannot be taken back at once: bytes arrive which nobody wants now, and a connection whose request
 * is in the kernel can be freed only after the kernel has answered that it is cancelled.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/options.h"
#include "common/uring.h"
#include "server/core/accepts.h"
#include "server/core/connection.h"
#include "server/core/intake.h"
#include "server/core/loop.h"
#include "server/core/server.h"
#include "server/hub/place.h"
#include "server/model.h"
#include "server/udp/udp.h"

enum { END_TIME = 1000 }; /* milliseconds until the kernel has cancelled what it has */
enum { REQUESTS = 1024, COMPLETIONS = 4096, BUFFER_BYTES = SESSION_INPUT };

/* What the kernel has of a client: it must not be freed before. */
struct client {
	bool receiving, polling; /* requests that have not completed */
	bool receive_cancelled, poll_cancelled;
	struct intake intake; /* bytes that came when they were not wanted */
};

struct ring {
	struct loop loop;
	struct uring *uring;
	struct accepts accepts;
	bool full; /* a request had no place in the ring: try again after the wait */
};

static struct ring ring;
static unsigned buffers = 64;

static bool requested(bool has_place)
{
	ring.full |= !has_place;
	return has_place;
}

static void cancel_receive(struct connection *connection, struct client *client)
{
	if (client->receiving && !client->receive_cancelled)
		client->receive_cancelled =
			requested(uring_cancel(ring.uring, URING_RECEIVE, connection));
}

/* The connection has ended. Cancels its requests. When they have completed, removes it, closes its
 * descriptor and frees it. */
static void leave(struct connection *connection, struct client *client)
{
	cancel_receive(connection, client);
	if (client->polling && !client->poll_cancelled)
		client->poll_cancelled =
			requested(uring_cancel(ring.uring, URING_POLL, connection));
	if (client->receiving || client->polling)
		return;
	intake_release(&client->intake);
	loop_remove(&ring.loop, connection);
}

/* Requests what the connection wants. If it wants nothing it has ended. */
static void watch(void *context, struct connection *connection, unsigned wants)
{
	struct client *client = connection_of_model(connection);

	(void)context;
	if ((wants & WANT_READ) && intake_waits(&client->intake)) {
		intake_offer(&client->intake, connection, &ring.loop.worker);
		wants = loop_wants(&ring.loop, connection);
	}
	if (wants == 0) {
		leave(connection, client);
		return;
	}
	if ((wants & WANT_READ) && !client->receiving)
		client->receiving =
			requested(uring_receive(ring.uring, connection->fd, connection));
	if ((wants & WANT_WRITE) && !client->polling)
		client->polling = requested(
			uring_poll(ring.uring, connection->fd, POLLOUT, connection));
}

static void admit(struct connection *connection)
{
	if (loop_admit(&ring.loop, connection) == NULL)
		return;
	watch(&ring, connection, connection_wants(connection));
}

static void complete_receive(struct connection *connection, struct client *client,
			     const struct uring_completion *done)
{
	client->receiving = client->receive_cancelled = false;
	/* -ENOBUFS: all buffers were in use, and now they are not. It is requested again. */
	if (done->result != -ENOBUFS && done->result != -ECANCELED &&
	    done->result != -EINTR)
		intake_add(&client->intake, connection, &ring.loop.worker, done->bytes,
			   done->result);
	uring_give_back(ring.uring, done);
}

static void complete(const struct uring_completion *done)
{
	struct connection *connection = done->owner;

	if (done->operation == URING_CANCEL)
		return; /* the request had completed before */
	if (done->operation == URING_ACCEPT) {
		admit(accepts_complete(&ring.accepts, ring.loop.server, done));
		return;
	}
	if (done->operation == URING_RECEIVE) {
		complete_receive(connection, connection_of_model(connection), done);
	} else {
		((struct client *)connection_of_model(connection))->polling = false;
		connection_on_writable(connection, &ring.loop.worker);
	}
	watch(&ring, connection, loop_wants(&ring.loop, connection));
}

static void complete_all(void)
{
	struct uring_completion done;

	while (uring_next(ring.uring, &done))
		complete(&done);
}

/* Repeats the requests for which the ring had no place. */
static void request_again(void)
{
	struct connection *connection, *next;

	ring.full = false;
	for (connection = ring.loop.first; connection != NULL; connection = next) {
		next = connection->next; /* watch() may remove this one */
		watch(&ring, connection, loop_wants(&ring.loop, connection));
	}
}

/* Ends all connections that are left. Closing the ring cancels the other requests. */
static void end(const sigset_t *mask)
{
	int64_t until = clock_milliseconds() + END_TIME;
	struct connection *connection;

	while (accepts_cancel(&ring.accepts, ring.uring) &&
	       clock_milliseconds() < until) {
		if (uring_wait(ring.uring, mask, END_TIME) < 0 && errno != EINTR)
			break; /* the kernel has no memory: it will end them later */
		complete_all();
	}
	uring_close(ring.uring);
	accepts_end(&ring.accepts);
	while ((connection = ring.loop.first) != NULL) {
		intake_release(
			&((struct client *)connection_of_model(connection))->intake);
		loop_remove(&ring.loop, connection);
	}
}

static int begin(struct server *server, struct failure *failure)
{
	const struct uring_sizes sizes = { REQUESTS, COMPLETIONS, buffers, BUFFER_BYTES };

	if (server->datagrams) /* served by udp_serve(), without a ring */
		return 0;
	ring.uring = uring_open(&sizes, failure);
	return ring.uring != NULL ? 0 : -1;
}

static int serve(struct server *server)
{
	struct connection *held;

	loop_begin(&ring.loop, server);
	while (server_running(server)) {
		loop_expire(&ring.loop, watch, &ring);
		loop_deliver(&ring.loop, watch, &ring);
		while ((held = server_next_held(server)) != NULL)
			admit(held);
		if (ring.full)
			request_again();
		requested(accepts_adjust(&ring.accepts, ring.uring, server));
		server_wait_result(server,
				   uring_wait(ring.uring, &server->wait_mask,
					      server_timeout(server, ring.loop.expiry)));
		loop_tick(&ring.loop);
		complete_all();
	}
	end(&server->wait_mask);
	return 0;
}

enum { OPTION_BUFFERS = OPTIONS_LETTERS_FROM + 64, MOST_BUFFERS = 1024 };

static const struct option_line options_of_uring[] = {
	{ OPTION_BUFFERS, "buffers", "N",
	  "N receive buffers of 64 KiB, a power of 2 from 1\n"
	  "to 1024 (default 64)" },
	{ 0 },
};

static int option(int letter, const struct options *options, struct failure *failure)
{
	uint64_t number;

	if (options_number(options, letter, 1, MOST_BUFFERS, &number, failure) < 0)
		return -1;
	if (number & (number - 1))
		return options_bad_value(failure, options, letter, "is not a power of 2");
	buffers = (unsigned)number;
	return 0;
}

const struct model uring_model = {
	.name = "uring",
	.summary = "one process for all clients, with io_uring",
	.nonblocking = true,
	.most_clients = 10000,
	.one_process = true,
	.needs_no_fd_set = true,
	.receives = true,
	.client_size = sizeof(struct client),
	.options = options_of_uring,
	.option = option,
	.begin = begin,
	.creates = SYSCALLS_OF_RING,
	.serve = serve,
	.serve_datagrams = udp_serve,
	.hub = &hub_in_process,
};
