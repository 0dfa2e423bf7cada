/*
 * connection - what happens when a client's socket is ready. When it is readable: one
 * recv(2), the service, send(2). When it is writable: send(2).
 *
 * Each function does what is possible now and returns. connection_wants() says what to
 * wait for. serve_blocking.c uses the same parts for a worker with one client. Idle
 * timeouts, deadlines and pauses set no timer: connection_expiry() computes when
 * the next of them is due. The states are drawn in connection.h.
 *
 * Why LINGERING: close(2) on a socket with unread input makes the kernel send a reset,
 * and the reset may destroy a reply that is still on its way. So a server that wants to
 * close shuts down its sending side only, which the client sees as the end of the reply.
 * Then it reads and discards input until the client closes too, or SERVER_LINGER has
 * passed (Stevens, UNIX Network Programming 1, section 7.5; RFC 9112, section 9.6,
 * advises the same for HTTP). The cost is one shutdown(2) and one more recv(2) for each
 * such connection.
 */
#include "server/core/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/sock.h"
#include "server/core/operator.h"
#include "server/core/proxy_client.h"
#include "server/core/trace.h"

/* The number of reads from one client in one turn of a stopping server. */
enum { STOP_READS = 16 };

/* The interval at which paused clients are checked, in milliseconds. All are checked
 * at the same moments, because an event loop must go through all connections to find
 * those that are due. */
enum { PAUSE_CHECK = 1000 };

static void print_event(const struct connection *c, const char *what)
{
	char peer[ADDRESS_TEXT];

	if (message_wanted(MESSAGE_EVENT))
		message_about(MESSAGE_EVENT, address_text(&c->peer, peer), "%s", what);
}

/* The first reason counts: the others follow from it. */
static void note_reason(struct connection *c, const char *why)
{
	if (c->record != NULL && c->record->why == NULL)
		c->record->why = why;
}

void connection_drop(struct connection *c, const char *why)
{
	print_event(c, why);
	note_reason(c, why);
	c->state = CONNECTION_CLOSED;
	c->session.finished = true; /* the service must not continue */
}

static void drop_for_error(struct connection *c, int error)
{
	bool wanted = trace_is_on() || message_wanted(MESSAGE_EVENT);

	connection_drop(c, wanted ? strerror(error) : NULL);
}

/* The worker begins to serve this client. */
static void take_up(struct connection *c, struct worker *worker)
{
	c->worker = worker;
	worker->output.file_budget = CONNECTION_TURN;
}

/* An event loop has read the clock once for all ready clients. A worker with one
 * client has not read it (now is 0): it does so only before a wait with a timeout,
 * because the first reading costs a forked child two page faults. */
static void note_activity(struct connection *c)
{
	c->active_at = c->worker->now;
	c->interrupted = false;
}

/* While output is queued the server does not read from the client. This time must not
 * count against the deadline, so the deadline is held. */
void connection_note_waiting(struct connection *c)
{
	struct output_waiting *waiting = c->output.waiting;

	if (waiting == NULL)
		return;
	if (output_waits(&c->output)) {
		if (waiting->held_at == 0 && c->session.deadline_at > 0)
			waiting->held_at = session_now(&c->session);
		return;
	}
	if (waiting->held_at > 0 && c->session.deadline_at > 0)
		c->session.deadline_at += session_now(&c->session) - waiting->held_at;
	output_forget_waiting(&c->output);
}

/* The struct begins as zeros, so a time of 0 means "not set". */
static int64_t if_set(int64_t moment)
{
	return moment > 0 ? moment : CLOCK_NEVER;
}

/* ---- a client that does not read ---- */

/*
 * The kernel reports a socket as writable only when a third of its send buffer is
 * free. With a slow reader that can take longer than the idle timeout, so a full
 * buffer does not prove that the client has stopped reading. Only a send queue that
 * does not shrink proves it (sock_send_queue()). Reading its length costs a system call,
 * so it is read only while the buffer is full, LOOKS times in one idle timeout.
 *
 * The send queue of a slow reader shrinks in steps, because the client's kernel
 * announces a new window only when a sixteenth of its receive buffer, or one
 * segment, is free (Linux, __tcp_select_window(); RFC 9293, 3.8.6.2.2, "silly window
 * syndrome"). On Linux steps of up to 400 KiB were measured.
 */
enum { LOOKS = 8 };

static bool awaits_space(const struct connection *c)
{
	return c->state == CONNECTION_OPEN && (output_waits(&c->output) || c->producing);
}

/* Whether bytes have left the send queue since the last check. */
static bool has_taken(const struct connection *c, struct output_waiting *waiting)
{
	int64_t queue = sock_send_queue(c->fd);
	uint64_t before = waiting->taken;

	if (queue < 0)
		return false;
	waiting->taken = c->output.sent - (uint64_t)queue;
	return waiting->taken != before;
}

/* When to check the send queue of a client that does not read, or to give up the
 * client. All clients are checked at the same moments, because an event loop must go
 * through all connections to find those that are due. Requires an idle timeout. */
int64_t connection_space_expiry(const struct connection *c)
{
	int64_t idle = c->server->idle_timeout, step = idle / LOOKS + 1;
	int64_t last = c->active_at;

	if (c->output.waiting != NULL && c->output.waiting->looked_at > last)
		last = c->output.waiting->looked_at;
	return clock_earlier(c->active_at + idle, (last / step + 1) * step);
}

/* The first check after a transfer has no earlier value to compare with. */
void connection_check_space(struct connection *c, int64_t now)
{
	struct output_waiting *waiting = output_keep_waiting(&c->output);
	bool comparable, taken;

	if (waiting == NULL) {
		connection_drop(c, "dropped: out of memory");
		return;
	}
	comparable = waiting->looked_at >= c->active_at;
	taken = has_taken(c, waiting);
	waiting->looked_at = now;
	if (taken && comparable)
		c->active_at = now;
	else if (now - c->active_at >= c->server->idle_timeout)
		connection_drop(c, "timed out: the client does not read");
}

/* ---- output ---- */

void connection_begin_stop(struct connection *c, int64_t now)
{
	if (c->stopping)
		return;
	c->stopping = true;
	c->close_at = now + SERVER_GRACE;
	c->active_at = now;
}

/* Output waits, because the kernel has accepted only a part, or no longer waits. */
static void trace_queue(struct connection *c, bool waits)
{
	if (c->record == NULL || waits == c->record->queued)
		return;
	c->record->queued = waits;
	if (waits)
		trace_bytes(connection_number(c), TRACE_QUEUED,
			    output_length(&c->output));
	else
		trace_event(connection_number(c), TRACE_DRAINED);
}

/* Counts the bytes that the kernel accepted, and updates session->full. The hub may
 * have sent a part of the queue meanwhile (hub_client_flush()). */
static void note_sent(struct connection *c)
{
	size_t sent = (size_t)(c->output.sent - c->bytes_out);

	c->session.full = output_is_blocked(&c->output);
	if (sent == 0)
		return;
	c->bytes_out = c->output.sent;
	note_activity(c);
	statistics_add(&c->server->statistics->bytes_out, sent);
	if (trace_is_on())
		trace_bytes(connection_number(c), TRACE_SENT, sent);
}

static void output_failed(struct connection *c, enum output_result result)
{
	switch (result) {
	case OUTPUT_ERROR:
		drop_for_error(c, c->output.error);
		break;
	case OUTPUT_TOO_MUCH:
		connection_drop(c, "dropped: too much unsent output");
		break;
	case OUTPUT_NO_MEMORY:
		connection_drop(c, "dropped: out of memory");
		break;
	case OUTPUT_FILE_CUT:
		connection_drop(c, "cut off: the file became shorter");
		break;
	case OUTPUT_OUT_OF_ORDER:
		connection_drop(c, "dropped: output after a file that is not sent yet");
		break;
	default:
		break;
	}
}

/* To be called after each call of output.c. */
static void note_result(struct connection *c, enum output_result result)
{
	note_sent(c);
	if (trace_is_on() && (result == OUTPUT_WOULD_BLOCK || !output_waits(&c->output)))
		trace_queue(c, result == OUTPUT_WOULD_BLOCK);
	if (result == OUTPUT_WOULD_BLOCK)
		c->interrupted = true;
	else if (result >= OUTPUT_ERROR)
		output_failed(c, result);
}

void connection_write(struct connection *c, const char *bytes, size_t n)
{
	if (c->state == CONNECTION_OPEN)
		note_result(c, output_write(&c->output, &c->worker->output, bytes, n));
}

void connection_send_queue(struct connection *c)
{
	note_result(c, output_send_queue(&c->output));
}

/* ---- what the service can do ---- */

static void transport_write(struct session *session, const char *bytes, size_t n)
{
	connection_write((struct connection *)session, bytes, n);
}

void connection_send_file(struct session *session, int fd, uint64_t offset,
			  uint64_t length)
{
	struct connection *c = (struct connection *)session;

	if (c->state == CONNECTION_OPEN)
		note_result(c, output_take_file(&c->output, fd, offset, length));
	else
		close(fd);
}

int connection_keep_file(struct session *session, int fd)
{
	const struct connection *c = (const struct connection *)session;

	return output_higher_number(fd, c->server->model->socket_numbers);
}

void connection_post(struct session *session, const char *bytes, size_t n)
{
	hub_client_post(((struct connection *)session)->hub, bytes, n);
}

const char *connection_peer(const struct session *session, char out[ADDRESS_TEXT])
{
	return address_text(&((const struct connection *)session)->peer, out);
}

int64_t connection_now(const struct session *session)
{
	const struct connection *c = (const struct connection *)session;

	return c->worker->now != 0 ? c->worker->now : clock_milliseconds();
}

static const struct transport transport = {
	.write = transport_write,
	.send_file = connection_send_file,
	.keep_file = connection_keep_file,
	.post = connection_post,
	.now = connection_now,
	.peer = connection_peer,
};

/* ---- the conversation ---- */

/* The service has finished and all is sent: closes the sending side. */
static void hang_up(struct connection *c)
{
	if (c->input_ended || shutdown(c->fd, SHUT_WR) < 0) {
		c->state = CONNECTION_CLOSED;
		return;
	}
	c->state = CONNECTION_LINGERING;
	c->close_at = clock_milliseconds() + SERVER_LINGER;
	if (trace_is_on())
		trace_event(connection_number(c), TRACE_SHUTDOWN);
}

/* When the hub has ended its deliveries to this client, the conversation ends. */
static void obey_hub(struct connection *c)
{
	if (c->hub == NULL || c->state != CONNECTION_OPEN)
		return;
	if (c->hub->state == HUB_CLIENT_CUT)
		connection_drop(c, "cut off by the hub");
	else if (c->hub->state == HUB_CLIENT_ENDED)
		session_finish(&c->session);
}

static void dispatch_to_hub(struct connection *c)
{
	hub_client_dispatch(c->hub, c->session.finished && c->state == CONNECTION_OPEN);
	obey_hub(c);
}

/* Ends the conversation if the service has finished and all is sent. */
static void conclude(struct connection *c)
{
	dispatch_to_hub(c);
	if (!c->session.finished)
		return;
	c->session.resume_at = 0;
	c->session.deadline_at = 0;
	if (c->state == CONNECTION_OPEN && !output_waits(&c->output) &&
	    !hub_client_is_open(c->hub))
		hang_up(c);
}

/* To be called after each call of the service: sends what it wrote. */
static void settle(struct connection *c)
{
	if (c->state == CONNECTION_OPEN)
		note_result(c, output_flush(&c->output, &c->worker->output));
	else
		c->worker->output.gathered = 0;
	connection_note_waiting(c);
	conclude(c);
	c->producing =
		c->server->service->drained != NULL; /* it may have more to write */
	if (trace_is_on())
		trace_turn();
}

/* The client has half-closed, and the service has seen all earlier input. */
static void pass_end(struct connection *c)
{
	const struct service *service = c->server->service;

	if (service->end != NULL)
		service->end(&c->session, buffer_bytes(&c->kept),
			     buffer_length(&c->kept));
	else
		session_finish(&c->session);
	buffer_release(&c->kept);
	settle(c);
}

static bool takes_input(const struct connection *c)
{
	return c->state == CONNECTION_OPEN && !c->session.finished &&
	       !output_is_blocked(&c->output) && c->session.resume_at == 0;
}

/* The service has consumed @p n bytes. Either it waits for more input, or it has paused. */
static void trace_request(const struct connection *c, size_t n)
{
	if (n > 0)
		trace_bytes(connection_number(c), TRACE_REQUEST, n);
	if (c->session.resume_at != 0)
		trace_event(connection_number(c), TRACE_PAUSED);
	else if (n == 0)
		trace_event(connection_number(c), TRACE_INCOMPLETE);
}

/* ---- the header of a proxy (--proxy-protocol) ---- */

/* The first call of the service. */
static void begin_session(struct connection *c)
{
	print_event(c, "connected");
	hub_client_begin(c->hub);
	if (c->server->service->open != NULL)
		c->server->service->open(&c->session);
	settle(c);
}

/* Whether a header from this address counts: it is one of --proxy-from. A local peer has no
 * address; the permissions of the socket's file decide who can connect. */
static bool trusts_proxy(const struct server *server, const struct address *peer)
{
	if (peer->any.sa_family == AF_UNIX)
		return true;
	for (unsigned i = 0; i < server->proxy_from_count; i++)
		if (address_prefix_has(&server->proxy_from[i], peer))
			return true;
	return false;
}

/* The whole header must arrive within the idle timeout. A byte does not restart it. */
static void await_header(struct connection *c)
{
	print_event(c, "connected: a PROXY header must follow");
	if (!trusts_proxy(c->server, &c->peer)) {
		operator_report_bad_proxy(c->server, &c->peer,
					  "it is not one of --proxy-from");
		connection_drop(c, "closed: it is not one of --proxy-from");
		return;
	}
	if (c->server->idle_timeout > 0)
		c->session.deadline_at =
			session_now(&c->session) + c->server->idle_timeout;
}

static void refuse_header(struct connection *c, const char *why)
{
	operator_report_bad_proxy(c->server, &c->peer, why);
	connection_drop(c, why);
}

/* From now on the peer is the client. */
static void note_client(struct connection *c, const struct proxy_client *client)
{
	char text[ADDRESS_TEXT], event[ADDRESS_TEXT + 32];

	c->awaits_header = false;
	c->session.deadline_at = 0;
	if (!client->known)
		return;
	snprintf(event, sizeof event, "its client is %s",
		 address_text(&client->address, text));
	print_event(c, event);
	if (trace_is_on())
		trace_text(connection_number(c), TRACE_PROXIED, text);
	c->peer = client->address;
}

/* A health check says nothing after its header. In a service whose clients share state, the others
 * must not see it arrive and leave every few seconds. So a client arrives with its first byte. */
static bool is_silent_check(const struct connection *c, const struct proxy_client *client,
			    size_t n)
{
	return client->from_proxy && c->hub != NULL && n == client->length;
}

/* Reads the header from the first n bytes of the input, and removes it.
 * @return how many bytes of the client follow, for the service; 0 if the header is not
 *         complete: it is kept */
static size_t take_header(struct connection *c, size_t n)
{
	struct proxy_client client;
	char *bytes = c->worker->input;
	const char *why = NULL;
	enum proxy_result result = proxy_client_read(bytes, n, &client, &why);

	buffer_release(&c->kept);
	if (result == PROXY_INVALID) {
		refuse_header(c, why);
		return 0;
	}
	if (client.from_proxy && c->record != NULL)
		c->record->own_header = client.length;
	if (result == PROXY_INCOMPLETE || is_silent_check(c, &client, n)) {
		if (!buffer_append(&c->kept, bytes, n, SESSION_INPUT))
			connection_drop(c, "dropped: out of memory");
		return 0;
	}
	note_client(c, &client);
	n -= client.length;
	memmove(bytes, bytes + client.length, n);
	begin_session(c);
	if (n == 0 || c->state != CONNECTION_OPEN || takes_input(c))
		return c->state == CONNECTION_OPEN ? n : 0;
	if (!buffer_append(&c->kept, bytes, n, SESSION_INPUT))
		connection_drop(c, "dropped: out of memory");
	return 0;
}

/* ---- input ---- */

void connection_offer(struct connection *c, size_t n)
{
	const char *bytes = c->worker->input;
	size_t used = 0, before;
	bool sent_file;

	if (c->awaits_header)
		n = take_header(c, n);
	if (n == 0) { /* the client has sent nothing yet */
		if (trace_is_on() && c->state == CONNECTION_OPEN)
			trace_request(c, 0);
		return;
	}
	/* If a file was sent at once, the next request can be served. */
	do {
		before = used;
		used += c->server->service->input(&c->session, bytes + used, n - used);
		if (trace_is_on())
			trace_request(c, used - before);
		sent_file = output_has_file(&c->output);
		settle(c);
	} while (sent_file && used < n && takes_input(c));
	buffer_release(&c->kept);
	if (n - used == SESSION_INPUT && takes_input(c))
		connection_drop(c, "dropped: the service does not consume the input");
	else if (used < n && !c->session.finished &&
		 !buffer_append(&c->kept, bytes + used, n - used, SESSION_INPUT))
		connection_drop(c, "dropped: out of memory");
}

/* The service can continue with the input that it has left. */
static void offer_kept(struct connection *c)
{
	size_t kept = buffer_length(&c->kept);

	if (kept == 0 || !takes_input(c))
		return;
	memcpy(c->worker->input, buffer_bytes(&c->kept), kept);
	connection_offer(c, kept);
}

/* The client is not idle while it still takes bytes from the send queue of the kernel. */
void connection_time_out(struct connection *c)
{
	struct output_waiting *waiting;

	if (c->state == CONNECTION_LINGERING) {
		connection_drop(c, "timed out: the client did not close");
		return;
	}
	if (c->stopping) {
		connection_drop(c, "cut off: the server is stopping");
		return;
	}
	waiting = output_keep_waiting(&c->output); /* no memory: it counts as idle */
	if (waiting != NULL && has_taken(c, waiting) &&
	    waiting->taken != c->output.sent) {
		note_activity(c);
		return;
	}
	print_event(c, "timed out: idle");
	note_reason(c, "timed out: idle");
	note_activity(c); /* the last messages of the hub may still arrive */
	session_finish(&c->session);
	conclude(c);
}

/* The first bytes come from a proxy, not from the client. The service would misread
 * them. */
static void refuse_proxy_header(struct connection *c)
{
	operator_report_proxy_header(c->server, &c->peer);
	print_event(c, "closed: it begins with a PROXY protocol header");
	note_reason(c, "it begins with a PROXY protocol header");
	if (c->state != CONNECTION_OPEN)
		return;
	session_finish(&c->session);
	conclude(c);
}

size_t connection_prepare_input(struct connection *c, struct worker *worker)
{
	size_t kept = c->state == CONNECTION_OPEN ? buffer_length(&c->kept) : 0;

	take_up(c, worker);
	if (kept > 0)
		memcpy(worker->input, buffer_bytes(&c->kept), kept);
	return kept;
}

/* The proxy made this connection for itself. */
static bool is_of_proxy(const struct connection *c)
{
	return c->record != NULL && c->record->own_header > 0;
}

/* Counts the bytes, and checks whether they begin with a PROXY protocol header. */
static bool take_bytes(struct connection *c, const char *bytes, size_t n)
{
	if (c->record != NULL)
		c->record->bytes_in += n;
	note_activity(c);
	statistics_add(&c->server->statistics->bytes_in, n);
	if (trace_is_on())
		trace_bytes(connection_number(c), TRACE_RECEIVED, n);
	if (proxy_header_possible(&c->proxy_header) &&
	    proxy_header_take(&c->proxy_header, bytes, n)) {
		refuse_proxy_header(c);
		return false;
	}
	return c->state == CONNECTION_OPEN;
}

bool connection_received(struct connection *c, ssize_t n)
{
	if (n > 0)
		return take_bytes(c,
				  c->worker->input + (c->state == CONNECTION_OPEN
							      ? buffer_length(&c->kept)
							      : 0),
				  (size_t)n);
	if (n == 0 && c->awaits_header) {
		connection_drop(c, is_of_proxy(c) ? "closed: a health check of the proxy"
						  : "closed before its PROXY header was "
						    "complete");
	} else if (n == 0 && c->state == CONNECTION_OPEN) {
		print_event(c, "half-closed");
		if (trace_is_on())
			trace_event(connection_number(c), TRACE_HALF_CLOSED);
		c->input_ended = true;
		pass_end(c);
	} else if (n == 0) {
		c->state = CONNECTION_CLOSED;
	} else if (errno == EINTR) {
		c->interrupted = true; /* a blocking worker polls next */
	} else if (errno != EAGAIN) {
		drop_for_error(c, errno);
	}
	return false;
}

bool connection_on_readable(struct connection *c, struct worker *worker)
{
	size_t kept;
	ssize_t n;

	if (!(connection_wants(c) & WANT_READ))
		return false;
	kept = connection_prepare_input(c, worker);
	n = recv(c->fd, worker->input + kept, sizeof worker->input - kept, MSG_DONTWAIT);
	if (connection_received(c, n))
		connection_offer(c, kept + (size_t)n);
	return n > 0;
}

size_t connection_room(const struct connection *c)
{
	return SESSION_INPUT -
	       (c->state == CONNECTION_OPEN ? buffer_length(&c->kept) : 0);
}

void connection_on_received(struct connection *c, struct worker *worker,
			    const char *bytes, ssize_t n)
{
	size_t kept;

	if (!(connection_wants(c) & WANT_READ))
		return;
	kept = connection_prepare_input(c, worker);
	if (n > 0)
		memcpy(worker->input + kept, bytes, (size_t)n);
	else if (n < 0)
		errno = (int)-n;
	if (connection_received(c, n))
		connection_offer(c, kept + (size_t)n);
}

/* The descriptor is writable again. When all is sent, the service continues with its
 * input. */
static void continue_writing(struct connection *c)
{
	if (c->state == CONNECTION_OPEN)
		note_result(c, output_resume(&c->output, &c->worker->output));
	hub_client_note_sent(c->hub);
	obey_hub(c);
	connection_note_waiting(c);
	conclude(c);
	c->producing = c->server->service->drained != NULL;
	if (trace_is_on())
		trace_turn();
	offer_kept(c);
}

/* Asks a service that sends without being asked (chargen) for the next piece. */
static void drain(struct connection *c)
{
	void (*drained)(struct session *) = c->server->service->drained;
	uint64_t before = c->output.sent + buffer_length(&c->output.queue);

	if (drained == NULL || c->state != CONNECTION_OPEN || output_waits(&c->output) ||
	    c->session.finished || (c->stopping && !c->session.busy)) {
		c->producing = false;
		return;
	}
	drained(&c->session);
	settle(c);
	c->producing = c->output.sent + buffer_length(&c->output.queue) > before;
	if (c->producing)
		offer_kept(c);
}

void connection_begin(struct connection *c, struct worker *worker)
{
	take_up(c, worker);
	note_activity(c);
	if (trace_is_on())
		trace_event(connection_number(c), TRACE_TAKEN);
	if (c->awaits_header)
		await_header(c);
	else
		begin_session(c);
}

static bool awaits_input(const struct connection *c)
{
	return !c->input_ended && !c->session.finished &&
	       !hub_client_is_congested(c->hub);
}

static unsigned wants_of_hub(const struct connection *c)
{
	return hub_client_is_polled(c->hub) ? WANT_HUB : 0;
}

unsigned connection_wants(const struct connection *c)
{
	switch (c->state) {
	case CONNECTION_OPEN:
		/* back-pressure: no reading while output is queued */
		if (output_is_blocked(&c->output))
			return WANT_WRITE | wants_of_hub(c);
		return (c->session.resume_at != 0 ? WANT_TIME
			: awaits_input(c)         ? WANT_READ
						  : 0u) |
		       (c->producing || output_waits(&c->output) ? WANT_WRITE : 0u) |
		       wants_of_hub(c);
	case CONNECTION_LINGERING:
		return WANT_READ;
	default:
		return 0;
	}
}

void connection_on_writable(struct connection *c, struct worker *worker)
{
	take_up(c, worker);
	if (output_waits(&c->output))
		continue_writing(c);
	if (c->producing)
		drain(c);
}

void connection_deliver(struct connection *c, struct worker *worker)
{
	if (c->state != CONNECTION_OPEN)
		return;
	take_up(c, worker);
	note_sent(c);
	if (trace_is_on() &&
	    output_is_blocked(&c->output)) /* the hub has tried to send */
		trace_queue(c, true);
	hub_client_fetch(c->hub);
	obey_hub(c);
	if (!buffer_is_empty(&c->output.queue) && !output_is_blocked(&c->output) &&
	    c->state == CONNECTION_OPEN)
		continue_writing(c);
	else
		conclude(c);
	connection_note_waiting(c);
}

/* Whether the client of a stopping server has no request under way: it is half-closed,
 * or nothing has arrived for SERVER_QUIET. Before that, the next piece of a request may
 * still come. */
static bool has_asked_for_all(const struct connection *c, int64_t now)
{
	if (c->session.busy || c->session.resume_at != 0)
		return false;
	return c->input_ended ||
	       ((connection_wants(c) & WANT_READ) && now >= c->active_at + SERVER_QUIET);
}

/* What has arrived is read before the connection is asked to end. In uring the kernel has
 * received it already. */
static bool reads_itself(const struct connection *c)
{
	return c->state == CONNECTION_OPEN && !c->server->model->receives;
}

void connection_stop(struct connection *c, struct worker *worker)
{
	int64_t now = clock_milliseconds();

	if (c->state != CONNECTION_OPEN)
		return;
	take_up(c, worker);
	worker->now = now;
	connection_begin_stop(c, now);
	for (int i = 0; i < STOP_READS && reads_itself(c); i++)
		if (!connection_on_readable(c, worker))
			break;
	if (has_asked_for_all(c, now) || now >= c->close_at) {
		if (!c->input_ended && !c->session.finished)
			note_reason(c, "the server stops");
		session_finish(&c->session);
	}
	conclude(c);
	if (now >= c->close_at && c->state == CONNECTION_OPEN)
		connection_drop(c, "cut off: the server is stopping");
}

/* ---- time ---- */

/* The end of the pause; 0: no pause. A stopping server ends it early enough to leave
 * time for the answer. */
static int64_t end_of_pause(const struct connection *c)
{
	int64_t latest = c->close_at - SERVER_GRACE / 2;

	return c->stopping && c->session.resume_at > latest ? latest
							    : c->session.resume_at;
}

/* The deadline; 0: none, or it is held. */
static int64_t deadline(const struct connection *c)
{
	bool held = c->output.waiting != NULL && c->output.waiting->held_at > 0;

	return held ? 0 : c->session.deadline_at;
}

/* When to check a paused client; 0: no pause. */
static int64_t next_check(const struct connection *c)
{
	return c->session.resume_at > 0 ? (c->active_at / PAUSE_CHECK + 1) * PAUSE_CHECK
					: 0;
}

int64_t connection_expiry(const struct connection *c)
{
	int64_t idle = c->server->idle_timeout, pause = end_of_pause(c);
	int64_t expiry = CLOCK_NEVER;

	if (c->close_at > 0)
		expiry = c->close_at;
	else if (idle > 0 && pause == 0)
		expiry = awaits_space(c) ? connection_space_expiry(c)
					 : c->active_at + idle;
	expiry = clock_earlier(expiry, if_set(pause));
	expiry = clock_earlier(expiry, if_set(deadline(c)));
	return clock_earlier(expiry, if_set(next_check(c)));
}

/* A paused connection is not read, so a closed or reset connection must be detected
 * here. The wait for events reports both without being asked. It does not report a
 * half-close, and a half-closed client may still get an answer. */
static void check_paused(struct connection *c, int64_t now)
{
	c->active_at = now;
	if (io_wait(c->fd, 0, 0) > 0) /* only POLLERR or POLLHUP */
		connection_drop(c, "the client disconnected during a pause");
}

/* The server caused the silence. The idle timeout starts again. */
static void end_pause(struct connection *c)
{
	if (trace_is_on())
		trace_event(connection_number(c), TRACE_RESUMED);
	c->session.resume_at = 0;
	note_activity(c);
	offer_kept(c);
}

static void pass_deadline(struct connection *c)
{
	const struct service *service = c->server->service;

	if (c->awaits_header) {
		connection_drop(c, "timed out: its PROXY header is not complete");
		return;
	}
	c->session.deadline_at = 0;
	if (service->expired == NULL)
		return;
	service->expired(&c->session);
	settle(c);
	offer_kept(c);
}

void connection_expire(struct connection *c, struct worker *worker, int64_t now)
{
	int64_t expiry;

	take_up(c, worker);
	note_sent(c);
	expiry = connection_expiry(c);
	if (c->state == CONNECTION_CLOSED || now < expiry)
		return;
	if (expiry == end_of_pause(c))
		end_pause(c);
	else if (expiry == deadline(c))
		pass_deadline(c);
	else if (expiry == next_check(c))
		check_paused(c, now);
	else if (c->close_at == 0 && awaits_space(c))
		connection_check_space(c, now);
	else
		connection_time_out(c);
}

/* ---- creation and end ---- */

static size_t aligned(size_t size)
{
	size_t unit = sizeof(max_align_t);

	return (size + unit - 1) / unit * unit;
}

/* The offset of the model's memory, which follows the memory of the service. */
static size_t model_offset(const struct server *server)
{
	return sizeof(struct connection) + aligned(server->service->state_size);
}

/* The size of the struct with the memory of the service and of the model, without the record. */
static size_t own_size(const struct server *server)
{
	return model_offset(server) + server->model->client_size;
}

void *connection_of_model(struct connection *c)
{
	return (char *)c + model_offset(c->server);
}

uint64_t connection_number(const struct connection *c)
{
	return c->record != NULL ? c->record->number : 0;
}

void connection_set_number(struct connection *c, uint64_t number)
{
	if (c->record != NULL)
		c->record->number = number;
}

/* Memory for one connection: the parent of the fork model has one at a time. After fork(2)
 * the kernel copies each page that the parent or the child changes. Both change the page of
 * these variables in any case. With a connection from malloc(3), they would change one more. */
static _Alignas(max_align_t) char first[1024];
static atomic_flag first_is_used = ATOMIC_FLAG_INIT;

static struct connection *allocate(size_t size)
{
	if (size <= sizeof first && !atomic_flag_test_and_set(&first_is_used))
		return (void *)first;
	return malloc(size);
}

void connection_free(struct connection *c)
{
	if (c == (void *)first)
		atomic_flag_clear(&first_is_used);
	else
		free(c);
}

struct connection *connection_create(struct server *server)
{
	bool recorded =
		trace_is_on() || message_wanted(MESSAGE_CLIENT) || server->proxy_protocol;
	size_t size = own_size(server), offset = aligned(size);
	struct connection *c =
		allocate(recorded ? offset + sizeof(struct connection_record) : size);

	if (c == NULL)
		return NULL;
	c->server = server;
	c->record = recorded ? (void *)((char *)c + offset) : NULL;
	return c;
}

void connection_attach(struct connection *c, int fd, const struct address *peer)
{
	struct server *server = c->server;
	struct connection_record *record = c->record;

	memset(c, 0, own_size(server));
	c->server = server;
	c->record = record;
	if (record != NULL)
		*record = (struct connection_record){ .began_at = clock_milliseconds() };
	c->session.transport = &transport;
	c->session.state = c->state_memory;
	c->fd = fd;
	output_begin(&c->output, fd);
	c->peer = *peer;
	c->awaits_header = server->proxy_protocol;
	if (!c->awaits_header)
		proxy_header_begin(&c->proxy_header);
}

void connection_detach(struct connection *c)
{
	close(c->fd);
	c->fd = -1;
}

/* A worker with one client flushes now: next it exits, or waits for a client without a limit. */
static void trace_end(const struct connection *c)
{
	const char *why = c->record != NULL ? c->record->why : NULL;

	if (why == NULL)
		why = c->input_ended        ? "client closed"
		      : c->session.finished ? "finished"
					    : "the server ended";
	trace_text(connection_number(c), TRACE_CLOSED, why);
	if (c->loop == NULL)
		trace_flush();
}

/* A health check of a proxy is not a client: its line is printed as an event, and it does not count
 * as served. */
static bool was_health_check(const struct connection *c)
{
	return is_of_proxy(c) && c->record->bytes_in == c->record->own_header;
}

static void report_end(const struct connection *c)
{
	enum message_level level = was_health_check(c) ? MESSAGE_EVENT : MESSAGE_CLIENT;
	char peer[ADDRESS_TEXT];

	if (c->record != NULL && message_wanted(level))
		message_about(level, address_text(&c->peer, peer),
			      "%ju bytes in, %ju out, %.3f s",
			      (uintmax_t)c->record->bytes_in, (uintmax_t)c->bytes_out,
			      (double)(clock_milliseconds() - c->record->began_at) /
				      1000);
}

void connection_end(struct connection *c)
{
	note_sent(c);
	if (c->server->service->close != NULL && !c->awaits_header)
		c->server->service->close(&c->session);
	hub_client_end(c->hub);
	c->hub = NULL;
	if (trace_is_on())
		trace_end(c);
	if (was_health_check(c))
		atomic_fetch_sub(&c->server->statistics->served, 1);
	report_end(c);
}

void connection_close(struct connection *c)
{
	connection_end(c);
	buffer_release(&c->kept);
	output_release(&c->output);
	connection_detach(c);
	connection_free(c);
}
