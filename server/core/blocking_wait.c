/*
 * blocking_wait - waits of a worker with one client, other than recv(2).
 *
 * While the client's next bytes are the only thing to wait for, recv(2) waits, and no call
 * here is made. Otherwise poll(2) waits, and returns for whatever happens first; that costs
 * one more system call for each turn. The wait for room is in poll(2), not in send(2) with
 * SO_SNDTIMEO: that timeout bounds one call, and no call can look at the send queue.
 */
#include "server/core/blocking_wait.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/sock.h"
#include "server/core/operator.h"
#include "server/core/signals.h"

enum {
	/* How long sendfile(2) may itself wait on a blocking descriptor, in milliseconds. It
	 * has no flag like MSG_DONTWAIT; and its timeout begins anew for each 64 KiB, so
	 * poll(2) does the long waits. */
	FILE_WAIT = 10,
	/* A service may write more at once than may be queued: it goes in such pieces. */
	WRITE_PIECE = 256 * 1024,
};

/* A timeout for poll(2), until a moment that may be -1, never. */
static int64_t time_until(int64_t moment, int64_t now)
{
	return moment < 0 ? -1 : moment > now ? moment - now : 0;
}

/* The caller polls again. When poll(2) fails again and again (ENOMEM), that takes longer each
 * time. */
static void poll_failed(struct connection *c)
{
	if (errno != EINTR)
		retry_sleep(retry_failed(&c->worker->polls));
}

/* Waits until one of these is possible. Returns which; 0 for none, or if a signal came. */
static unsigned poll_for(struct connection *c, unsigned wants, int64_t timeout)
{
	struct pollfd wanted[] = {
		{
			/* one that waits for time only must not be woken by a hang-up */
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

	ready = poll(wanted, wants & WANT_HUB ? 2 : 1,
		     timeout > INT_MAX ? INT_MAX : (int)timeout);
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

/* ---- the service writes more than the kernel takes ---- */

/* A signal has interrupted the wait for a client that does not read. */
static void attend(struct connection *c)
{
	int64_t now = clock_milliseconds();

	operator_attend(c->server);
	if (signals_stop() > 0)
		connection_begin_stop(c, now);
	if (signals_stop() > 1 || (c->close_at > 0 && now >= c->close_at))
		connection_drop(c, "cut off: the server stops");
}

/* Waits until there is room for more output, a signal has come, or it is time to look at the
 * send queue. To be called again while there is no room. */
static void wait_for_room(struct connection *c)
{
	int64_t idle = c->server->idle_timeout, now = clock_milliseconds(), expiry;

	if (c->active_at == 0) /* bytes have moved since the last wait */
		c->active_at = now;
	if (signals_stop() > 0) /* there may be a little room all the time */
		attend(c);
	if (c->state != CONNECTION_OPEN)
		return;
	expiry = c->close_at > 0 ? c->close_at
		 : idle > 0      ? connection_room_expiry(c)
				 : -1;
	if (poll_for(c, WANT_WRITE, time_until(expiry, now)) != 0)
		return;
	attend(c); /* a signal came, or the time is over */
	now = clock_milliseconds();
	if (c->state == CONNECTION_OPEN && c->close_at == 0 && expiry >= 0 &&
	    now >= expiry)
		connection_check_room(c, now);
}

/* Within a call of the service. */
static void wait_until_sent(struct connection *c)
{
	connection_hold_deadline(c);
	while (c->state == CONNECTION_OPEN && c->output.queue.length > 0) {
		wait_for_room(c);
		if (c->state == CONNECTION_OPEN)
			connection_send_queue(c);
	}
	connection_hold_deadline(c);
}

/* The service has but this client, so it may wait: nothing is queued for longer than its
 * call. */
static void write_blocking(struct session *session, const char *bytes, size_t n)
{
	struct connection *c = (struct connection *)session;

	do {
		size_t piece = n < WRITE_PIECE ? n : WRITE_PIECE;

		connection_write(c, bytes, piece);
		if (c->output.queue.length > 0)
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

/* The timeout of recv(2) begins anew after a signal, and the client's silence does not; and it
 * knows of no other moment. */
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
	if (expiry < 0 || now < expiry)
		ready = poll_for(c, wants, time_until(expiry, now));
	if (ready == 0) /* the time is over, or a signal came */
		connection_expire(c, worker, clock_milliseconds());
	return ready;
}

void blocking_timed_out(struct connection *c)
{
	if (c->hub == NULL)
		connection_time_out(c);
}

/* Where the hub is in this very worker, deliveries are sent at the end of each turn. */
void blocking_deliver(struct connection *c, struct worker *worker, unsigned ready)
{
	if (c->hub != NULL && ((ready & WANT_HUB) || c->hub->fd < 0))
		connection_deliver(c, worker);
}
