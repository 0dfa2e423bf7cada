/*
 * Closing loses nothing. close(2) on a socket with unread input makes the kernel send a
 * reset, and a reset may destroy a reply that is still on its way. So when the server
 * hangs up first it only shuts down its sending side, which the client sees as the end
 * of the reply; then it reads and drops what still comes until the client closes too, or
 * SERVER_LINGER is over (Stevens, UNIX Network Programming 1, section 7.5; RFC 9112,
 * section 9.6, has the same advice for HTTP).
 */
#include "server/connection.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/message.h"
#include "common/sock.h"
#include "server/signals.h"

/* The most output that may be queued for a client. A service that returns when
 * session_full() says so stays far below it. */
enum { QUEUE_LIMIT = 1024 * 1024 };

/* How often a stopping server reads from one client before it looks at the others. */
enum { STOP_READS = 16 };

static void event(const struct connection *c, const char *what)
{
	char peer[ADDRESS_TEXT];

	if (message_wanted(MESSAGE_EVENT))
		message_about(MESSAGE_EVENT, address_text(&c->peer, peer), "%s", what);
}

/* The end for a reason that the client is told by nothing but the end. */
static void drop(struct connection *c, const char *why)
{
	event(c, why);
	c->state = CONNECTION_CLOSED;
}

/* The end because a system call failed: a reset, mostly. */
static void drop_for_errno(struct connection *c)
{
	drop(c, message_wanted(MESSAGE_EVENT) ? strerror(errno) : NULL);
}

/* Bytes have moved. A loop has read the clock for all that is ready now; a worker with one
 * client reads it only when it must, in wait_for(): the first reading takes a forked child
 * two page faults. */
static void note_activity(struct connection *c)
{
	c->active_at = c->worker->now;
	c->interrupted = false;
}

/* ---- sending ---- */

static void queue(struct connection *c, const char *bytes, size_t n)
{
	if (buffer_append(&c->queue, bytes, n, QUEUE_LIMIT))
		c->session.full = true;
	else
		drop(c, errno == ENOBUFS ? "dropped: too much output waits for it"
					 : "dropped: out of memory");
}

static void begin_stop(struct connection *c, int64_t now)
{
	if (c->stopping)
		return;
	c->stopping = true;
	c->close_at = now + SERVER_GRACE;
	c->active_at = now;
}

/* A signal has interrupted the wait for a client that does not read. */
static void attend(struct connection *c)
{
	int64_t now = clock_milliseconds();

	server_attend(c->server);
	if (signals_stop() > 0)
		begin_stop(c, now);
	if (signals_stop() > 1 || (c->close_at > 0 && now >= c->close_at))
		drop(c, "cut off: the server stops");
}

/* Whether a system call of this connection may wait: in a worker that has but this client,
 * and no hub to listen to. */
static bool may_wait(const struct connection *c)
{
	return !c->server->model->nonblocking && c->hub == NULL;
}

/* Mail is fetched when what was fetched before has gone. */
static bool hears_hub(const struct connection *c)
{
	return c->queue.length == 0 || c->hub->listens_always;
}

/* Waits until one of these is possible. Returns which; 0 for none, or if a signal came. */
static unsigned poll_for(struct connection *c, unsigned wants, int64_t timeout)
{
	struct pollfd wanted[2] = { {
		.fd = wants & (WANT_READ | WANT_WRITE) ? c->fd : -1,
		.events = (short)((wants & WANT_READ ? POLLIN : 0) |
				  (wants & WANT_WRITE ? POLLOUT : 0)),
	} };

	if (wants & WANT_HUB) {
		wanted[1].fd = c->hub->fd;
		wanted[1].events = (short)((hears_hub(c) ? POLLIN : 0) |
					   (c->hub->congested ? POLLOUT : 0));
	}
	if (poll(wanted, wants & WANT_HUB ? 2 : 1,
		 timeout > INT_MAX ? INT_MAX : (int)timeout) <= 0)
		return 0;
	return (wanted[0].revents & ~POLLOUT ? WANT_READ : 0u) |
	       (wanted[0].revents & ~POLLIN ? WANT_WRITE : 0u) |
	       (wanted[1].revents ? WANT_HUB : 0u);
}

/* On a blocking descriptor: waits until the client has made room for more, or drops it. Not
 * in send(2) itself: its timeout (SO_SNDTIMEO) begins again with each bit of room that the
 * kernel finds by growing its own buffers. */
static void wait_for_room(struct connection *c, int64_t since)
{
	int64_t idle = c->server->idle_timeout, now = clock_milliseconds();
	int64_t end = c->close_at > 0 ? c->close_at : since + idle;
	bool for_ever = c->close_at == 0 && idle == 0;

	if (signals_stop() > 0) /* it may make room all the time, a little */
		attend(c);
	if (c->state != CONNECTION_OPEN)
		return;
	if (poll_for(c, WANT_WRITE, for_ever ? -1 : end > now ? end - now : 0) != 0)
		return;
	attend(c); /* a signal came, or the time is over */
	if (c->state == CONNECTION_OPEN && c->close_at == 0 && idle > 0 &&
	    clock_milliseconds() - since >= idle)
		drop(c, "timed out: it does not read");
}

/* Sends what the kernel takes: on a blocking descriptor all, unless the client stops
 * reading for the idle timeout. Returns how much that was. */
static size_t send_some(struct connection *c, const char *bytes, size_t n)
{
	size_t sent = 0;
	int64_t full_since = 0;

	while (sent < n && c->state == CONNECTION_OPEN) {
		ssize_t taken = send(c->fd, bytes + sent, n - sent, MSG_DONTWAIT);

		if (taken >= 0) {
			sent += (size_t)taken;
			full_since = 0;
		} else if (errno == EAGAIN) {
			if (!may_wait(c))
				break;
			if (full_since == 0)
				full_since = clock_milliseconds();
			wait_for_room(c, full_since);
		} else if (errno != EINTR) {
			drop_for_errno(c);
		}
	}
	if (sent > 0) {
		c->bytes_out += sent;
		note_activity(c);
		statistics_add(&c->server->statistics->bytes_out, sent);
	}
	return sent;
}

/* Straight through when nothing is queued; only what the kernel does not take is kept. */
static void send_or_queue(struct connection *c, const char *bytes, size_t n)
{
	size_t sent = c->queue.length == 0 ? send_some(c, bytes, n) : 0;

	if (sent < n && c->state == CONNECTION_OPEN)
		queue(c, bytes + sent, n - sent);
}

static void send_gathered(struct connection *c)
{
	size_t n = c->worker->gathered;

	c->worker->gathered = 0;
	if (n > 0 && c->state == CONNECTION_OPEN)
		send_or_queue(c, c->worker->output, n);
}

/* The service writes. Small pieces are gathered, and sent in one call when it returns:
 * with TCP_NODELAY each call is a segment of its own. */
static void transport_write(struct session *session, const char *bytes, size_t n)
{
	struct connection *c = (struct connection *)session;
	struct worker *worker = c->worker;

	if (n > sizeof worker->output - worker->gathered)
		send_gathered(c);
	if (c->state != CONNECTION_OPEN || n == 0)
		return;
	if (n > sizeof worker->output) {
		send_or_queue(c, bytes, n);
	} else {
		memcpy(worker->output + worker->gathered, bytes, n);
		worker->gathered += n;
	}
}

static const char *transport_peer(const struct session *session, char out[ADDRESS_TEXT])
{
	return address_text(&((const struct connection *)session)->peer, out);
}

static int64_t transport_now(const struct session *session)
{
	const struct connection *c = (const struct connection *)session;

	return c->worker->now != 0 ? c->worker->now : clock_milliseconds();
}

static void transport_post(struct session *session, const char *bytes, size_t n)
{
	const struct connection *c = (const struct connection *)session;

	c->hub->kind->post(c->hub, bytes, n);
}

static const struct transport transport = {
	.write = transport_write,
	.post = transport_post,
	.now = transport_now,
	.peer = transport_peer,
};

/* ---- the conversation ---- */

/* All is sent and the service has finished: hang up. */
static void hang_up(struct connection *c)
{
	if (c->input_ended || shutdown(c->fd, SHUT_WR) < 0) {
		c->state = CONNECTION_CLOSED;
		return;
	}
	c->state = CONNECTION_LINGERING;
	c->close_at = clock_milliseconds() + SERVER_LINGER;
}

/* Takes what the hub has delivered. The end of that is the end of the conversation. */
static void fetch(struct connection *c)
{
	if (c->hub == NULL || c->hub_ended || c->state != CONNECTION_OPEN)
		return;
	c->mail_waits = c->queue.length > 0;
	switch (c->hub->kind->fetch(c->hub, &c->queue)) {
	case HUB_LINK_OPEN:
		break;
	case HUB_LINK_ENDED:
		c->hub_ended = true;
		session_finish(&c->session);
		break;
	case HUB_LINK_CUT:
		drop(c, "cut off from the hub");
		break;
	}
}

/* What the service has posted goes to the hub. When it has finished, the client leaves the
 * hub; what was delivered to it by then is still sent. */
static void settle_hub(struct connection *c)
{
	c->hub->kind->dispatch(c->hub);
	if (c->state != CONNECTION_OPEN || !c->session.finished || c->left)
		return;
	c->left = true;
	c->hub->kind->leave(c->hub);
	fetch(c);
}

/* After each call of the service, and whenever the queue has been sent. */
static void settle(struct connection *c)
{
	send_gathered(c);
	if (c->hub != NULL)
		settle_hub(c);
	if (c->state == CONNECTION_OPEN && c->session.finished && c->queue.length == 0 &&
	    (c->hub == NULL || c->hub_ended))
		hang_up(c);
}

/* The client has half-closed, and what it sent before has been offered. */
static void tell_end(struct connection *c)
{
	const struct service *service = c->session.service;

	c->ended = true;
	if (service->end != NULL)
		service->end(&c->session, buffer_bytes(&c->kept), c->kept.length);
	else
		session_finish(&c->session);
	buffer_consume(&c->kept, c->kept.length);
	settle(c);
}

/* Offers input to the service; what it does not consume is kept for the next time. Some
 * of the bytes may be those that were kept before. */
static void offer(struct connection *c, const char *bytes, size_t n)
{
	size_t left = n - c->session.service->input(&c->session, bytes, n);

	buffer_consume(&c->kept, c->kept.length);
	if (left == SESSION_INPUT && !session_full(&c->session))
		drop(c, "dropped: its input is not consumed");
	else if (left > 0 &&
		 !buffer_append(&c->kept, bytes + (n - left), left, SESSION_INPUT))
		drop(c, "dropped: out of memory");
	settle(c);
}

static void receive(struct connection *c)
{
	struct worker *worker = c->worker;
	size_t kept = c->state == CONNECTION_OPEN ? c->kept.length : 0;
	int flags = c->stopping || c->hub != NULL ? MSG_DONTWAIT : 0;
	ssize_t n;

	if (kept > 0)
		memcpy(worker->input, buffer_bytes(&c->kept), kept);
	n = recv(c->fd, worker->input + kept, sizeof worker->input - kept, flags);
	if (n > 0) {
		c->bytes_in += (size_t)n;
		note_activity(c);
		statistics_add(&c->server->statistics->bytes_in, (size_t)n);
		if (c->state == CONNECTION_OPEN)
			offer(c, worker->input, kept + (size_t)n);
	} else if (n == 0 && c->state == CONNECTION_OPEN) {
		event(c, "half-closed");
		c->input_ended = true;
		tell_end(c);
	} else if (n == 0) {
		c->state = CONNECTION_CLOSED;
	} else if (errno == EINTR) {
		c->interrupted = true; /* to look at the flags: connection_serve() */
	} else if (errno != EAGAIN) {
		drop_for_errno(c);
	} else if (may_wait(c) && !c->stopping) {
		connection_expire(c, worker, INT64_MAX);
	}
}

void connection_relieve(struct connection *c)
{
	buffer_consume(&c->queue, send_some(c, buffer_bytes(&c->queue), c->queue.length));
	c->session.full = c->queue.length > 0;
	if (c->hub != NULL && c->hub->stalled != NULL)
		atomic_store(c->hub->stalled, c->session.full);
}

void connection_catch_up(struct connection *c)
{
	fetch(c);
	if (c->queue.length > 0 && c->state == CONNECTION_OPEN)
		connection_relieve(c);
}

/* The descriptor takes output again: first what is queued; when that has gone, the service
 * goes on with the input that it left for lack of room. */
static void flush(struct connection *c)
{
	size_t kept = c->kept.length;

	connection_relieve(c);
	if (c->queue.length > 0 || c->state != CONNECTION_OPEN)
		return;
	if (c->mail_waits)
		fetch(c);
	c->producing = c->session.service->drained != NULL;
	if (kept > 0 && !c->session.finished) {
		memcpy(c->worker->input, buffer_bytes(&c->kept), kept);
		offer(c, c->worker->input, kept);
	}
	if (c->input_ended && !c->ended && !c->session.finished && !c->session.full &&
	    c->state == CONNECTION_OPEN)
		tell_end(c);
	settle(c);
}

/* Asks a service that produces output of its own for the next piece. */
static void drain(struct connection *c)
{
	void (*drained)(struct session *) = c->session.service->drained;
	uint64_t before = c->bytes_out + c->queue.length;

	if (drained == NULL || c->state != CONNECTION_OPEN || c->queue.length > 0 ||
	    c->session.finished || c->stopping) {
		c->producing = false;
		return;
	}
	drained(&c->session);
	settle(c);
	c->producing = c->bytes_out + c->queue.length > before;
}

void connection_begin(struct connection *c, struct worker *worker)
{
	c->worker = worker;
	worker->gathered = 0;
	note_activity(c);
	event(c, "connected");
	if (c->hub != NULL)
		c->hub->kind->arrive(c->hub);
	if (c->session.service->open != NULL)
		c->session.service->open(&c->session);
	settle(c);
	c->producing = c->session.service->drained != NULL;
}

/* The hub is listened to as long as something may come from there. With output queued that
 * is only the news that the client is cut off, and one that has left cannot be. */
static unsigned wants_of_hub(const struct connection *c)
{
	if (c->hub == NULL || c->hub->fd < 0 || c->hub_ended)
		return 0;
	return c->queue.length == 0 || !c->left || c->hub->congested ? WANT_HUB : 0;
}

static bool is_congested(const struct connection *c)
{
	return c->hub != NULL && c->hub->congested;
}

unsigned connection_wants(const struct connection *c)
{
	switch (c->state) {
	case CONNECTION_OPEN:
		if (c->session.full) /* back-pressure: nothing is read until it went */
			return WANT_WRITE | wants_of_hub(c);
		return (c->input_ended || c->session.finished || is_congested(c)
				? 0
				: WANT_READ) |
		       (c->producing || c->queue.length > 0 ? WANT_WRITE : 0) |
		       wants_of_hub(c);
	case CONNECTION_LINGERING:
		return WANT_READ;
	default:
		return 0;
	}
}

void connection_ready(struct connection *c, struct worker *worker, unsigned what)
{
	c->worker = worker;
	worker->gathered = 0;
	if (what & WANT_WRITE) {
		if (c->queue.length > 0)
			flush(c);
		if (c->producing)
			drain(c);
	}
	if (what & connection_wants(c) & WANT_READ) {
		receive(c);
		c->producing = c->session.service->drained != NULL;
	}
}

void connection_deliver(struct connection *c, struct worker *worker)
{
	if (c->state != CONNECTION_OPEN)
		return;
	c->worker = worker;
	worker->gathered = 0;
	fetch(c);
	if (c->queue.length > 0 && !c->session.full && c->state == CONNECTION_OPEN)
		flush(c);
	else
		settle(c);
}

/* What a stopping server takes to be the end of what a client asks for: nothing more comes.
 * Of a request that is under way the next piece may be, so that takes a moment to tell. */
static bool has_asked_for_all(const struct connection *c, int64_t now)
{
	return c->input_ended ||
	       ((connection_wants(c) & WANT_READ) && now >= c->active_at + SERVER_QUIET);
}

void connection_stop(struct connection *c, struct worker *worker)
{
	int64_t now = clock_milliseconds();

	if (c->state != CONNECTION_OPEN)
		return;
	c->worker = worker;
	worker->gathered = 0;
	worker->now = now;
	begin_stop(c, now);
	for (int i = 0; i < STOP_READS && c->state == CONNECTION_OPEN &&
			(connection_wants(c) & WANT_READ);
	     i++)
		receive(c);
	if (has_asked_for_all(c, now) || now >= c->close_at)
		session_finish(&c->session);
	settle(c);
	if (now >= c->close_at && c->state == CONNECTION_OPEN)
		drop(c, "cut off: the server stops");
}

/* ---- time ---- */

int64_t connection_expiry(const struct connection *c)
{
	int64_t idle = c->server->idle_timeout;

	if (c->close_at > 0 || idle == 0)
		return c->close_at > 0 ? c->close_at : -1;
	return c->active_at + idle;
}

void connection_expire(struct connection *c, struct worker *worker, int64_t now)
{
	int64_t expiry = connection_expiry(c);

	if (expiry < 0 || now < expiry)
		return;
	c->worker = worker;
	worker->gathered = 0;
	/* One that is offered more and more does not read, even if all of the last piece
	 * went into the kernel's buffer. */
	if (c->state == CONNECTION_LINGERING || c->stopping || c->queue.length > 0 ||
	    c->producing) {
		drop(c, c->state == CONNECTION_LINGERING ? "it did not hang up"
			: c->stopping                    ? "cut off: the server stops"
							 : "timed out: it does not read");
		return;
	}
	event(c, "timed out: silent");
	session_finish(&c->session);
	c->active_at = now; /* what the hub may have to say takes time */
	settle(c);
}

/* ---- one client in a worker of its own ---- */

/* Where more than one thing can happen next, poll(2) says which. */
static unsigned wait_for(struct connection *c, unsigned wants)
{
	int64_t now = clock_milliseconds(), expiry;
	unsigned ready = 0;

	if (c->active_at == 0) /* bytes have moved since we last waited here */
		c->active_at = now;
	expiry = connection_expiry(c);
	if (expiry < 0 || now < expiry)
		ready = poll_for(c, wants, expiry < 0 ? -1 : expiry - now);
	if (ready == 0) /* the time is over, or a signal came: to look at the flags */
		connection_expire(c, c->worker, clock_milliseconds());
	return ready;
}

/* The same for a client that meets others: there the hub, too, is listened to, and no
 * system call may wait but poll(2). */
static void serve_member(struct connection *c, struct worker *worker)
{
	unsigned wants, ready;

	while ((wants = connection_wants(c)) != 0 && signals_stop() < 2) {
		server_attend(c->server);
		if (signals_stop() > 0 && c->state == CONNECTION_OPEN) {
			connection_stop(c, worker);
			wants = connection_wants(c);
			ready = wants != 0 ? poll_for(c, wants, SERVER_QUIET) : 0;
		} else {
			ready = wait_for(c, wants);
		}
		if (ready & (WANT_READ | WANT_WRITE))
			connection_ready(c, worker, ready);
		if ((ready & WANT_HUB) || c->hub->fd < 0)
			connection_deliver(c, worker);
	}
}

void connection_serve(struct connection *c, struct worker *worker)
{
	unsigned wants;

	if (c->hub != NULL) {
		worker->now = 0;
		connection_begin(c, worker);
		serve_member(c, worker);
		return;
	}
	if (c->server->idle_timeout > 0)
		(void)sock_set_receive_timeout(c->fd, c->server->idle_timeout);
	worker->now = 0;
	connection_begin(c, worker);
	while ((wants = connection_wants(c)) != 0 && signals_stop() < 2) {
		server_attend(c->server);
		if (signals_stop() > 0 && c->state == CONNECTION_OPEN) {
			connection_stop(c, worker);
			if (c->state == CONNECTION_OPEN)
				poll_for(c, WANT_READ, SERVER_QUIET);
			continue;
		}
		/* With one thing to wait for, the call that does it may itself wait; its
		 * timeout is the idle timeout. That saves a call for each request. But
		 * the timeout begins anew after a signal, and the silence does not. */
		if (wants == (WANT_READ | WANT_WRITE) || c->close_at > 0 ||
		    c->interrupted)
			wants = wait_for(c, wants);
		if (wants != 0)
			connection_ready(c, worker, wants);
	}
}

/* ---- life and death ---- */

struct connection *connection_create(struct server *server)
{
	struct connection *c = malloc(sizeof *c + server->service->state_size);

	if (c != NULL)
		c->server = server;
	return c;
}

void connection_attach(struct connection *c, int fd, const struct address *peer)
{
	struct server *server = c->server;

	memset(c, 0, sizeof *c + server->service->state_size);
	c->server = server;
	c->session.service = server->service;
	c->session.transport = &transport;
	c->session.state = c->state_memory;
	c->fd = fd;
	c->peer = *peer;
	if (message_wanted(MESSAGE_CLIENT))
		c->began_at = clock_milliseconds();
}

void connection_detach(struct connection *c)
{
	close(c->fd);
	c->fd = -1;
}

void connection_free(struct connection *c)
{
	free(c);
}

void connection_end(struct connection *c)
{
	char peer[ADDRESS_TEXT];

	if (c->session.service->close != NULL)
		c->session.service->close(&c->session);
	if (c->hub != NULL)
		c->hub->kind->close(c->hub);
	if (message_wanted(MESSAGE_CLIENT))
		message_about(MESSAGE_CLIENT, address_text(&c->peer, peer),
			      "%ju bytes in, %ju out, %.3f s", (uintmax_t)c->bytes_in,
			      (uintmax_t)c->bytes_out,
			      (double)(clock_milliseconds() - c->began_at) / 1000);
}

void connection_close(struct connection *c)
{
	connection_end(c);
	buffer_consume(&c->kept, c->kept.length);
	buffer_consume(&c->queue, c->queue.length);
	connection_detach(c);
	connection_free(c);
}
