/*
 * blocking_wait - the waits of a worker with one client, other than recv(2).
 *
 * When the client's next bytes are the only thing to wait for, recv(2) does the waiting
 * and no function here calls poll(2). Otherwise poll(2) waits for several things at
 * once. That costs one more system call for each turn of the loop.
 *
 * The worker also waits in poll(2) for space in the send buffer. SO_SNDTIMEO would not
 * do: it bounds one send(2), and during that call the worker cannot check the send
 * queue.
 */
#include "server/core/blocking_wait.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/sock.h"
#include "server/core/operator.h"
#include "server/core/signals.h"

enum {
	/* How long sendfile(2) may block, in milliseconds. It has no flag like
	 * MSG_DONTWAIT, and SO_SNDTIMEO starts again for each 64 KiB. So this timeout
	 * is short, and the long waits are in poll(2). */
	FILE_WAIT = 10,
	/* A service may write more at once than the queue can hold. It is sent in
	 * pieces of this size, in bytes. */
	WRITE_PIECE = 256 * 1024,
};

/* The caller calls poll(2) again. If poll(2) keeps failing (ENOMEM), the delay before
 * the next call grows. */
static void poll_failed(struct connection *c)
{
	if (errno != EINTR)
		retry_sleep(retry_failed(&c->worker->polls));
}

/* Waits until one of the wanted events occurs. Returns those that did; 0 after the
 * timeout or a signal. */
static unsigned poll_for(struct connection *c, unsigned wants, int64_t timeout)
{
	struct pollfd wanted[] = {
		{
			/* a connection that waits only for time ignores a hang-up */
			.fd = wants & (WANT_READ | WANT_WRITE) ? c->fd : -1,
			.events = (short)((wants & WANT_READ ? POLLIN : 0) |
					  (wants & WANT_WRITE ? POLLOUT : 0)),
		},
		{
			.fd = wants & WANT_HUB ? c->hub->fd : -1,
			.events = wants & WANT_HUB ? hub_client_events(c->hub) : 0,
		},
	};
	int ready;

	ready = poll(wanted, wants & WANT_HUB ? 2 : 1, clock_poll_timeout(timeout));
	if (ready < 0)
		poll_failed(c);
	else
		retry_succeeded(&c->worker->polls);
	if (ready <= 0)
		return 0;
	return (wanted[0].revents & ~POLLOUT ? WANT_READ : 0u) |
	       (wanted[0].revents & ~POLLIN ? WANT_WRITE : 0u) |
	       (wanted[1].revents ? WANT_HUB : 0u);
}

/* ---- the service writes more than the kernel accepts ---- */

/* The wait for a client that does not read has ended without space: after a signal or
 * a timeout. Starts the stop if it was requested. */
static void attend(struct connection *c)
{
	int64_t now = clock_milliseconds();

	operator_attend(c->server);
	if (signals_stop() > 0)
		connection_begin_stop(c, now);
	if (signals_stop() > 1 || (c->close_at > 0 && now >= c->close_at))
		connection_drop(c, "cut off: the server is stopping");
}

/* Waits until the send buffer has space, a signal arrives, or the send queue must be
 * checked. The caller repeats the call while output is queued. */
static void wait_for_space(struct connection *c)
{
	int64_t idle = c->server->idle_timeout, now = clock_milliseconds(), expiry;

	if (c->active_at == 0) /* bytes have moved since the last wait */
		c->active_at = now;
	if (signals_stop() > 0) /* poll(2) may report space at once, again and again */
		attend(c);
	if (c->state != CONNECTION_OPEN)
		return;
	expiry = c->close_at > 0 ? c->close_at
		 : idle > 0      ? connection_space_expiry(c)
				 : CLOCK_NEVER;
	if (poll_for(c, WANT_WRITE, clock_until(expiry, now)) != 0)
		return;
	attend(c); /* signal or timeout */
	now = clock_milliseconds();
	if (c->state == CONNECTION_OPEN && c->close_at == 0 && now >= expiry)
		connection_check_space(c, now);
}

/* Called while the service is in session_write(). */
static void wait_until_sent(struct connection *c)
{
	connection_note_waiting(c);
	while (c->state == CONNECTION_OPEN && !buffer_is_empty(&c->output.queue)) {
		wait_for_space(c);
		if (c->state == CONNECTION_OPEN)
			connection_send_queue(c);
	}
	connection_note_waiting(c);
}

/* The worker has only this client, so session_write() may block. The queue is empty
 * when it returns. */
static void write_blocking(struct session *session, const char *bytes, size_t n)
{
	struct connection *c = (struct connection *)session;

	do {
		size_t piece = n < WRITE_PIECE ? n : WRITE_PIECE;

		connection_write(c, bytes, piece);
		if (!buffer_is_empty(&c->output.queue))
			wait_until_sent(c);
		bytes += piece;
		n -= piece;
	} while (n > 0 && c->state == CONNECTION_OPEN);
}

static void send_file_blocking(struct session *session, int fd, uint64_t offset,
			       uint64_t length)
{
	struct connection *c = (struct connection *)session;

	if (!c->file_wait_set)
		c->file_wait_set = sock_set_send_timeout(c->fd, FILE_WAIT) == 0;
	connection_send_file(session, fd, offset, length);
}

static const struct transport blocking_transport = {
	.write = write_blocking,
	.send_file = send_file_blocking,
	.keep_file = connection_keep_file,
	.post = connection_post,
	.now = connection_now,
	.peer = connection_peer,
};

/* ---- between calls of the service ---- */

void blocking_begin(struct connection *c, struct worker *worker)
{
	if (c->hub == NULL) {
		c->session.transport = &blocking_transport;
		if (c->server->idle_timeout > 0)
			(void)sock_set_receive_timeout(c->fd, c->server->idle_timeout);
	}
	worker->now = 0;
	worker->output.gathered = 0;
	retry_succeeded(&worker->polls);
	connection_begin(c, worker);
	blocking_deliver(c, worker, 0);
}

static void serve_while_stopping(struct connection *c, struct worker *worker)
{
	int64_t left;
	unsigned ready;

	connection_stop(c, worker);
	if (c->state != CONNECTION_OPEN)
		return;
	left = connection_expiry(c) - worker->now;
	if (left > SERVER_QUIET)
		left = SERVER_QUIET;
	ready = poll_for(c, connection_wants(c), left > 0 ? left : 0);
	worker->now = clock_milliseconds();
	if (ready & WANT_WRITE)
		connection_on_writable(c, worker);
	blocking_deliver(c, worker, ready);
	connection_expire(c, worker, worker->now);
}

bool blocking_goes_on(struct connection *c, struct worker *worker)
{
	while (connection_wants(c) != 0 && signals_stop() < 2) {
		operator_attend(c->server);
		if (signals_stop() == 0 || c->state != CONNECTION_OPEN)
			return true;
		serve_while_stopping(c, worker);
	}
	return false;
}

/* recv(2) alone is not enough when something else can end the wait. It is also not
 * enough after a signal: calling it again would start SO_RCVTIMEO again, although the
 * client was silent before. */
static bool must_poll(const struct connection *c, unsigned wants)
{
	return c->hub != NULL || wants == (WANT_READ | WANT_WRITE) ||
	       (wants & WANT_TIME) || c->close_at > 0 || c->interrupted ||
	       c->session.deadline_at > 0 || c->session.resume_at > 0;
}

unsigned blocking_wait(struct connection *c, struct worker *worker)
{
	unsigned wants = connection_wants(c), ready = 0;
	int64_t now, expiry;

	if (!must_poll(c, wants))
		return wants;
	now = clock_milliseconds();
	if (c->active_at == 0) /* bytes have moved since the last wait */
		c->active_at = now;
	expiry = connection_expiry(c);
	if (now < expiry)
		ready = poll_for(c, wants, clock_until(expiry, now));
	if (ready == 0) /* timeout or signal */
		connection_expire(c, worker, clock_milliseconds());
	return ready;
}

void blocking_timed_out(struct connection *c)
{
	if (c->hub == NULL)
		connection_time_out(c);
}

/* If the hub runs in this worker (its fd is -1), deliveries are sent at the end of
 * each turn. */
void blocking_deliver(struct connection *c, struct worker *worker, unsigned ready)
{
	if (c->hub != NULL && ((ready & WANT_HUB) || c->hub->fd < 0))
		connection_deliver(c, worker);
}
