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
#include "common/io.h"
#include "common/message.h"
#include "common/sock.h"
#include "server/meeting.h"
#include "server/signals.h"

/* How often a stopping server reads from one client before it looks at the others. */
enum { STOP_READS = 16 };

/* So often, in milliseconds, clients are looked after whose service pauses: all at the same
 * moments, since a loop goes through all of them to find whose moment has come. */
enum { LOOK_AFTER = 1000 };

static void event(const struct connection *c, const char *what)
{
	char peer[ADDRESS_TEXT];

	if (message_wanted(MESSAGE_EVENT))
		message_about(MESSAGE_EVENT, address_text(&c->peer, peer), "%s", what);
}

void connection_drop(struct connection *c, const char *why)
{
	event(c, why);
	c->state = CONNECTION_CLOSED;
	c->session.finished = true; /* the service need not go on */
}

void connection_drop_for_errno(struct connection *c)
{
	connection_drop(c, message_wanted(MESSAGE_EVENT) ? strerror(errno) : NULL);
}

bool connection_may_wait(const struct connection *c)
{
	return !c->server->model->nonblocking && c->hub == NULL;
}

/* A worker turns to this client. */
static void take_up(struct connection *c, struct worker *worker)
{
	c->worker = worker;
	worker->gathered = 0;
	worker->turn = CONNECTION_TURN;
}

/* A loop has read the clock for all that is ready now; a worker with one client reads it
 * only when it must, in wait_for(): the first reading takes a forked child two page
 * faults. */
void connection_note_activity(struct connection *c)
{
	c->active_at = c->worker->now;
	c->interrupted = false;
}

void connection_put_off_deadline(struct connection *c, int64_t milliseconds)
{
	if (c->session.deadline_at > 0)
		c->session.deadline_at += milliseconds;
}

/* The client is not read from as long as output waits for it. That time is not its own. */
static void hold_deadline(struct connection *c)
{
	if (output_waits(c) && c->session.deadline_at > 0 && c->held_at == 0) {
		c->held_at = session_now(&c->session);
	} else if (!output_waits(c) && c->held_at > 0) {
		connection_put_off_deadline(c, session_now(&c->session) - c->held_at);
		c->held_at = 0;
	}
}

/* `b` uses 0 for "never"; `a` and the result use -1. */
static int64_t earlier(int64_t a, int64_t b)
{
	return b > 0 && (a < 0 || b < a) ? b : a;
}

/* A timeout for poll(2), until a moment that may be -1, never. */
static int64_t time_until(int64_t moment, int64_t now)
{
	return moment < 0 ? -1 : moment > now ? moment - now : 0;
}

/* ---- a client that leaves no room ---- */

/*
 * The kernel reports room (EAGAIN no more, POLLOUT) only when a third of its send buffer is
 * free. With a slow reader that can take longer than the idle timeout, so the lack of room
 * does not show that a client has stopped reading. The length of the send queue shows it: see sock_send_queue(). It costs
 * a system call, so it is looked at only while there is no room, LOOKS times in the time of
 * the idle timeout.
 *
 * A slow reader makes the queue shrink in steps. The client's kernel announces a window again
 * only when a sixteenth of its receive buffer is free, or a segment (Linux,
 * __tcp_select_window(); RFC 9293, 3.8.6.2.2, "silly window syndrome"). Measured on Linux:
 * steps of up to 400 KiB.
 */
enum { LOOKS = 8 };

static bool awaits_room(const struct connection *c)
{
	return c->state == CONNECTION_OPEN && (output_waits(c) || c->producing);
}

/* Whether bytes have left the send queue since it was last looked at. */
static bool has_taken(struct connection *c)
{
	int64_t queue = sock_send_queue(c->fd);
	uint64_t before = c->taken;

	if (queue < 0)
		return false;
	c->taken = c->bytes_out - (uint64_t)queue;
	return c->taken != before;
}

/* When to look at the queue of a client that leaves no room, or to give it up. All clients'
 * looks fall on the same moments: a loop goes through all of its connections to find those
 * whose moment has come. There is an idle timeout. */
static int64_t room_expiry(const struct connection *c)
{
	int64_t idle = c->server->idle_timeout, step = idle / LOOKS + 1;
	int64_t last = c->looked_at > c->active_at ? c->looked_at : c->active_at;

	return earlier(c->active_at + idle, (last / step + 1) * step);
}

/* The first look since bytes moved has nothing to compare with. */
static void look_at_queue(struct connection *c, int64_t now)
{
	bool comparable = c->looked_at >= c->active_at;
	bool taken = has_taken(c);

	c->looked_at = now;
	if (taken && comparable)
		c->active_at = now;
	else if (now - c->active_at >= c->server->idle_timeout)
		connection_drop(c, "timed out: it does not read");
}

/* ---- waiting ---- */

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
		connection_drop(c, "cut off: the server stops");
}

/* Whoever called poll(2) calls it again. When it fails again and again (ENOMEM) that takes
 * longer each time. */
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
			.events = wants & WANT_HUB ? meeting_events(c) : 0,
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

/* The wait is in poll(2), not in send(2) with SO_SNDTIMEO. That timeout bounds one call, and
 * no call can look at the send queue. Inside sendfile(2) it begins anew for each 64 KiB. */
void connection_wait_for_room(struct connection *c, int64_t since)
{
	int64_t idle = c->server->idle_timeout, now = clock_milliseconds(), expiry;

	if (c->active_at < since)
		c->active_at = since;
	if (signals_stop() > 0) /* there may be a little room all the time */
		attend(c);
	if (c->state != CONNECTION_OPEN)
		return;
	expiry = c->close_at > 0 ? c->close_at : idle > 0 ? room_expiry(c) : -1;
	if (poll_for(c, WANT_WRITE, time_until(expiry, now)) != 0)
		return;
	attend(c); /* a signal came, or the time is over */
	now = clock_milliseconds();
	if (c->state == CONNECTION_OPEN && c->close_at == 0 && expiry >= 0 &&
	    now >= expiry)
		look_at_queue(c, now);
}

/* ---- what the service can do ---- */

static void transport_write(struct session *session, const char *bytes, size_t n)
{
	output_write((struct connection *)session, bytes, n);
}

static void transport_send_file(struct session *session, int fd, uint64_t offset,
				uint64_t length)
{
	output_take_file((struct connection *)session, fd, offset, length);
}

static int transport_keep_file(struct session *session, int fd)
{
	const struct connection *c = (const struct connection *)session;

	return output_higher_number(fd, c->server->model->socket_numbers);
}

static void transport_post(struct session *session, const char *bytes, size_t n)
{
	meeting_post((struct connection *)session, bytes, n);
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

static const struct transport transport = {
	.write = transport_write,
	.send_file = transport_send_file,
	.keep_file = transport_keep_file,
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

/* Ends the conversation, if the service has finished and all is sent. */
static void conclude(struct connection *c)
{
	meeting_settle(c);
	if (!c->session.finished)
		return;
	c->session.resume_at = 0;
	c->session.deadline_at = 0;
	if (c->state == CONNECTION_OPEN && !output_waits(c) && !meeting_goes_on(c))
		hang_up(c);
}

/* After each call of the service: sends what it left. */
static void settle(struct connection *c)
{
	output_flush(c);
	hold_deadline(c);
	conclude(c);
	c->producing = c->session.service->drained != NULL; /* it may have more to say */
}

/* The client has half-closed, and what it sent before has been offered. */
static void tell_end(struct connection *c)
{
	const struct service *service = c->session.service;

	if (service->end != NULL)
		service->end(&c->session, buffer_bytes(&c->kept), c->kept.length);
	else
		session_finish(&c->session);
	buffer_consume(&c->kept, c->kept.length);
	settle(c);
}

static bool takes_input(const struct connection *c)
{
	return c->state == CONNECTION_OPEN && !c->session.finished && !c->session.full &&
	       c->session.resume_at == 0;
}

/* Offers input to the service; what it does not consume is kept for the next time. Some
 * of the bytes may be those that were kept before. */
static void offer(struct connection *c, const char *bytes, size_t n)
{
	size_t used = 0;
	bool sent_file;

	/* A file that goes at once leaves room for the next request. */
	do {
		used += c->session.service->input(&c->session, bytes + used, n - used);
		sent_file = c->file.fd >= 0;
		settle(c);
	} while (sent_file && used < n && takes_input(c));
	buffer_consume(&c->kept, c->kept.length);
	if (n - used == SESSION_INPUT && takes_input(c))
		connection_drop(c, "dropped: its input is not consumed");
	else if (used < n && !c->session.finished &&
		 !buffer_append(&c->kept, bytes + used, n - used, SESSION_INPUT))
		connection_drop(c, "dropped: out of memory");
}

/* The service can go on with the input that it has left. */
static void offer_kept(struct connection *c)
{
	size_t kept = c->kept.length;

	if (kept == 0 || !takes_input(c))
		return;
	memcpy(c->worker->input, buffer_bytes(&c->kept), kept);
	offer(c, c->worker->input, kept);
}

/* The client has been silent, or has not hung up, for as long as it may. A client is not silent
 * while it still takes a reply that is in the kernel. */
static void time_out(struct connection *c)
{
	if (c->state == CONNECTION_LINGERING || c->stopping) {
		connection_drop(c, c->stopping ? "cut off: the server stops"
					       : "it did not hang up");
		return;
	}
	if (has_taken(c) && c->taken != c->bytes_out) {
		connection_note_activity(c);
		return;
	}
	event(c, "timed out: silent");
	connection_note_activity(c); /* what the hub has to say last may take a moment */
	session_finish(&c->session);
	conclude(c);
}

/* The client's first bytes come from a proxy. What follows is not what the service would take
 * it for. */
static void refuse_proxy_header(struct connection *c)
{
	server_tell_proxy_header(c->server, &c->peer);
	event(c, "closed: it begins with a PROXY protocol header");
	if (c->state != CONNECTION_OPEN)
		return;
	session_finish(&c->session);
	conclude(c);
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
		connection_note_activity(c);
		statistics_add(&c->server->statistics->bytes_in, (size_t)n);
		if (proxy_header_possible(&c->proxy_header) &&
		    proxy_header_take(&c->proxy_header, worker->input + kept, (size_t)n))
			refuse_proxy_header(c);
		else if (c->state == CONNECTION_OPEN)
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
		connection_drop_for_errno(c);
	} else if (connection_may_wait(c) && !c->stopping) {
		time_out(c);
	}
}

/* The descriptor takes output again. When all has gone that waited, the service goes on. */
static void go_on_writing(struct connection *c)
{
	output_go_on(c);
	meeting_note_sent(c);
	hold_deadline(c);
	conclude(c);
	c->producing = c->session.service->drained != NULL;
	offer_kept(c);
}

/* Asks a service that produces output of its own for the next piece. */
static void drain(struct connection *c)
{
	void (*drained)(struct session *) = c->session.service->drained;
	uint64_t before = c->bytes_out + c->queue.length;

	if (drained == NULL || c->state != CONNECTION_OPEN || output_waits(c) ||
	    c->session.finished || (c->stopping && !c->session.busy)) {
		c->producing = false;
		return;
	}
	drained(&c->session);
	settle(c);
	c->producing = c->bytes_out + c->queue.length > before;
	if (c->producing)
		offer_kept(c);
}

void connection_begin(struct connection *c, struct worker *worker)
{
	take_up(c, worker);
	connection_note_activity(c);
	event(c, "connected");
	meeting_begin(c);
	if (c->session.service->open != NULL)
		c->session.service->open(&c->session);
	settle(c);
}

static bool awaits_input(const struct connection *c)
{
	return !c->input_ended && !c->session.finished && !meeting_holds_input(c);
}

unsigned connection_wants(const struct connection *c)
{
	switch (c->state) {
	case CONNECTION_OPEN:
		if (c->session.full) /* back-pressure: nothing is read until it went */
			return WANT_WRITE | meeting_wants(c);
		return (c->session.resume_at != 0 ? WANT_TIME
			: awaits_input(c)         ? WANT_READ
						  : 0u) |
		       (c->producing || output_waits(c) ? WANT_WRITE : 0u) |
		       meeting_wants(c);
	case CONNECTION_LINGERING:
		return WANT_READ;
	default:
		return 0;
	}
}

void connection_ready(struct connection *c, struct worker *worker, unsigned what)
{
	take_up(c, worker);
	if (what & WANT_WRITE) {
		if (output_waits(c))
			go_on_writing(c);
		if (c->producing)
			drain(c);
	}
	if (what & connection_wants(c) & WANT_READ)
		receive(c);
}

void connection_deliver(struct connection *c, struct worker *worker)
{
	if (c->state != CONNECTION_OPEN)
		return;
	take_up(c, worker);
	meeting_fetch(c);
	if (c->queue.length > 0 && !c->session.full && c->state == CONNECTION_OPEN)
		go_on_writing(c);
	else
		conclude(c);
}

/* What a stopping server takes to be the end of what a client asks for: nothing more comes.
 * Of a request that is under way the next piece may be, so that takes a moment to tell. */
static bool has_asked_for_all(const struct connection *c, int64_t now)
{
	if (c->session.busy || c->session.resume_at != 0)
		return false;
	return c->input_ended ||
	       ((connection_wants(c) & WANT_READ) && now >= c->active_at + SERVER_QUIET);
}

void connection_stop(struct connection *c, struct worker *worker)
{
	int64_t now = clock_milliseconds();

	if (c->state != CONNECTION_OPEN)
		return;
	take_up(c, worker);
	worker->now = now;
	begin_stop(c, now);
	for (int i = 0; i < STOP_READS && c->state == CONNECTION_OPEN &&
			(connection_wants(c) & WANT_READ);
	     i++)
		receive(c);
	if (has_asked_for_all(c, now) || now >= c->close_at)
		session_finish(&c->session);
	conclude(c);
	if (now >= c->close_at && c->state == CONNECTION_OPEN)
		connection_drop(c, "cut off: the server stops");
}

/* ---- time ---- */

/* 0: it does not pause. A server that stops does not let anybody wait for longer than that
 * leaves time to answer. */
static int64_t end_of_pause(const struct connection *c)
{
	int64_t latest = c->close_at - SERVER_GRACE / 2;

	return c->stopping && c->session.resume_at > latest ? latest
							    : c->session.resume_at;
}

/* 0: there is none, or it is held. */
static int64_t deadline(const struct connection *c)
{
	return c->held_at > 0 ? 0 : c->session.deadline_at;
}

/* 0: it does not pause. */
static int64_t next_look(const struct connection *c)
{
	return c->session.resume_at > 0 ? (c->active_at / LOOK_AFTER + 1) * LOOK_AFTER
					: 0;
}

int64_t connection_expiry(const struct connection *c)
{
	int64_t idle = c->server->idle_timeout, expiry = -1, pause = end_of_pause(c);

	if (c->close_at > 0)
		expiry = c->close_at;
	else if (idle > 0 && pause == 0)
		expiry = awaits_room(c) ? room_expiry(c) : c->active_at + idle;
	return earlier(earlier(earlier(expiry, pause), deadline(c)), next_look(c));
}

/* In a pause it is not read from; but who has reset must not keep a place until the end. One
 * that has half-closed may yet be answered, and is not told by these. */
static void look_after(struct connection *c, int64_t now)
{
	c->active_at = now;
	if (io_wait(c->fd, 0, 0) > 0) /* POLLERR, POLLHUP: they need not be asked for */
		connection_drop(c, "it has gone in a pause");
}

/* The silence was ours: the client's begins now. */
static void end_pause(struct connection *c)
{
	c->session.resume_at = 0;
	connection_note_activity(c);
	offer_kept(c);
}

static void tell_deadline(struct connection *c)
{
	const struct service *service = c->session.service;

	c->session.deadline_at = 0;
	if (service->expired == NULL)
		return;
	service->expired(&c->session);
	settle(c);
	offer_kept(c);
}

void connection_expire(struct connection *c, struct worker *worker, int64_t now)
{
	int64_t expiry = connection_expiry(c);

	if (c->state == CONNECTION_CLOSED || expiry < 0 || now < expiry)
		return;
	take_up(c, worker);
	if (expiry == end_of_pause(c))
		end_pause(c);
	else if (expiry == deadline(c))
		tell_deadline(c);
	else if (expiry == next_look(c))
		look_after(c, now);
	else if (c->close_at == 0 && awaits_room(c))
		look_at_queue(c, now);
	else
		time_out(c);
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
		ready = poll_for(c, wants, time_until(expiry, now));
	if (ready == 0) /* the time is over, or a signal came: to look at the flags */
		connection_expire(c, c->worker, clock_milliseconds());
	return ready;
}

/* With one thing to wait for, the call that does it may itself wait; its timeout is the idle
 * timeout. That saves a call for each request. But the timeout begins anew after a signal,
 * and the silence does not; and it knows of no other moment. */
static bool must_poll(const struct connection *c, unsigned wants)
{
	return c->hub != NULL || wants == (WANT_READ | WANT_WRITE) ||
	       (wants & WANT_TIME) || c->close_at > 0 || c->interrupted ||
	       c->session.deadline_at > 0 || c->session.resume_at > 0;
}

/* What was delivered goes out: when it is said to be there, or, where the hub is in this
 * very worker, at the end of each turn. */
static void serve_from_hub(struct connection *c, struct worker *worker, unsigned ready)
{
	if (c->hub != NULL && ((ready & WANT_HUB) || c->hub->fd < 0))
		connection_deliver(c, worker);
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
		connection_ready(c, worker, WANT_WRITE);
	serve_from_hub(c, worker, ready);
	connection_expire(c, worker, worker->now);
}

void connection_serve(struct connection *c, struct worker *worker)
{
	unsigned wants;

	if (c->server->idle_timeout > 0 && c->hub == NULL)
		(void)sock_set_receive_timeout(c->fd, c->server->idle_timeout);
	worker->now = 0;
	retry_succeeded(&worker->polls);
	connection_begin(c, worker);
	serve_from_hub(c, worker, 0);
	while ((wants = connection_wants(c)) != 0 && signals_stop() < 2) {
		server_attend(c->server);
		if (signals_stop() > 0 && c->state == CONNECTION_OPEN) {
			serve_while_stopping(c, worker);
			continue;
		}
		if (must_poll(c, wants))
			wants = wait_for(c, wants);
		if (wants != 0)
			connection_ready(c, worker, wants);
		serve_from_hub(c, worker, wants);
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
	c->file.fd = -1;
	c->peer = *peer;
	proxy_header_begin(&c->proxy_header);
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
	meeting_end(c);
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
	output_release(c);
	connection_detach(c);
	connection_free(c);
}
