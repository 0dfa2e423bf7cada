/*
 * session - answers the datagrams of one peer.
 *
 *      packet --> service->datagram() --> transport_write() into the reply --> sendmsg(2)
 *
 * Everything that the service writes for one datagram is one reply, cut to the permitted
 * length. A reply that cannot be sent within SEND_TIMEOUT is dropped. A longer wait would
 * delay other peers, and a UDP client must expect the loss of any datagram.
 */
#include "server/udp/session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/sock.h"
#include "server/core/operator.h"
#include "server/core/signals.h"

enum { SEND_TIMEOUT = 50 }; /* milliseconds */

/* See may_reply(). */
enum { UNREAD_MOST = 8 };

struct udp_session {
	struct session session; /* first: the service's view */
	struct server *server;
	int socket;                  /* for the replies */
	struct udp_buffers *buffers; /* only while a packet is answered */
	struct datagram_peer peer;
	size_t longest; /* maximum length of a datagram to the peer */
	size_t length;  /* of the reply so far, at most `most` */
	size_t most;    /* maximum length of the reply */
	bool replied;
	unsigned unread; /* replies after which the send queue has not become shorter */
	int64_t queue_after; /* the send queue after the last reply */
	uint64_t bytes_in, bytes_out;
	int64_t began_at;
	max_align_t state_memory[]; /* of the service */
};

static void transport_write(struct session *session, const char *bytes, size_t n)
{
	struct udp_session *d = (struct udp_session *)session;
	size_t room = d->most - d->length;

	d->replied = true;
	if (n > room)
		n = room;
	if (n > 0)
		memcpy(d->buffers->reply + d->length, bytes, n);
	d->length += n;
}

static const char *transport_peer(const struct session *session, char out[ADDRESS_TEXT])
{
	return datagram_peer_text(&((const struct udp_session *)session)->peer, out);
}

static int64_t transport_now(const struct session *session)
{
	(void)session;
	return clock_milliseconds();
}

static const struct transport transport = {
	.write = transport_write,
	.now = transport_now,
	.peer = transport_peer,
};

struct udp_session *udp_session_create(struct server *server, int socket,
				       const struct datagram_peer *peer)
{
	struct udp_session *d = calloc(1, sizeof *d + server->service->state_size);

	if (d == NULL)
		return NULL;
	d->session.transport = &transport;
	d->session.state = d->state_memory;
	d->server = server;
	d->socket = socket;
	d->peer = *peer;
	d->longest = datagram_longest(&peer->address);
	if (message_wanted(MESSAGE_CLIENT))
		d->began_at = clock_milliseconds();
	return d;
}

const struct address *udp_session_peer(const struct udp_session *d)
{
	return &d->peer.address;
}

void udp_session_begin(struct udp_session *d)
{
	char text[ADDRESS_TEXT];

	if (message_wanted(MESSAGE_EVENT))
		message_about(MESSAGE_EVENT, datagram_peer_text(&d->peer, text),
			      "first datagram");
}

/*
 * A reply that a UNIX-domain peer has not read stays in the send buffer of this socket, which
 * all peers share: about 280 small replies fill it, and then no peer gets one. The kernel does
 * not tell whose replies they are. So while the buffer is more than a quarter full (poll(2)),
 * a peer gets at most UNREAD_MOST replies without the queue becoming shorter meanwhile.
 */
static bool may_reply(struct udp_session *d)
{
	int64_t queue = sock_send_queue(d->socket);

	if (queue < d->queue_after)
		d->unread = 0;
	return d->unread < UNREAD_MOST || io_wait(d->socket, POLLOUT, 0) > 0;
}

static int send_local_reply(struct udp_session *d)
{
	int sent;

	if (!may_reply(d)) {
		errno = EAGAIN;
		return -1;
	}
	sent = datagram_send(d->socket, d->buffers->reply, d->length, &d->peer,
			     &d->buffers->packet.to);
	if (sent == 0) {
		d->unread++;
		d->queue_after = sock_send_queue(d->socket);
	}
	return sent;
}

/* EAGAIN: the send buffer of the socket is full, because the interface is slower than the
 * server. The function waits up to SEND_TIMEOUT for space, and then drops the reply. On
 * Linux a peer on this host never causes EAGAIN: datagrams that it does not read are in
 * its own receive buffer, and are dropped there when that is full. On a UNIX-domain socket
 * EAGAIN means that the peer does not read. A wait would let it delay all others. */
static int send_reply(struct udp_session *d)
{
	int fd = d->socket;
	const struct address *from = &d->buffers->packet.to;
	int sent;

	if (d->peer.address.any.sa_family == AF_UNIX)
		return send_local_reply(d);
	sent = datagram_send(fd, d->buffers->reply, d->length, &d->peer, from);
	if (sent < 0 && errno == EAGAIN && io_wait(fd, POLLOUT, SEND_TIMEOUT) > 0)
		sent = datagram_send(fd, d->buffers->reply, d->length, &d->peer, from);
	return sent;
}

static const char *reason_of_loss(const struct udp_session *d, int error)
{
	if (datagram_peer_is_unnamed(&d->peer))
		return "no reply: the socket of the client has no name";
	if (error == EAGAIN && d->peer.address.any.sa_family == AF_UNIX)
		return "dropped a reply: the client does not read";
	return strerror(error);
}

void udp_session_answer(struct udp_session *d, struct udp_buffers *buffers, size_t n)
{
	struct statistics *statistics = d->server->statistics;
	char text[ADDRESS_TEXT];

	d->buffers = buffers;
	d->replied = false;
	d->length = 0;
	d->most = d->server->amplify || n > d->longest ? d->longest : n;
	d->bytes_in += n;
	statistics_add(&statistics->bytes_in, n);
	d->server->service->datagram(&d->session, buffers->packet.bytes, n);
	if (!d->replied)
		return;
	if (send_reply(d) < 0) {
		if (message_wanted(MESSAGE_EVENT))
			message_about(MESSAGE_EVENT, datagram_peer_text(&d->peer, text),
				      "%s", reason_of_loss(d, errno));
		return;
	}
	d->bytes_out += d->length;
	statistics_add(&statistics->bytes_out, d->length);
}

void udp_session_close(struct udp_session *d)
{
	char text[ADDRESS_TEXT];

	if (d->server->service->close != NULL)
		d->server->service->close(&d->session);
	if (message_wanted(MESSAGE_CLIENT))
		message_about(MESSAGE_CLIENT, datagram_peer_text(&d->peer, text),
			      "%ju bytes in, %ju out, %.3f s", (uintmax_t)d->bytes_in,
			      (uintmax_t)d->bytes_out,
			      (double)(clock_milliseconds() - d->began_at) / 1000);
	udp_session_release(d);
}

void udp_session_release(struct udp_session *d)
{
	free(d);
}

void udp_session_serve(struct udp_session *d, struct udp_buffers *buffers, int pipe)
{
	udp_session_begin(d);
	while (signals_stop() < 2) {
		operator_attend(d->server);
		/* The worker ends only at the end of the pipe. The loop closes the pipe
		 * when it forgets the peer or when the server stops. So the worker
		 * answers everything that was written to the pipe. */
		ssize_t n = read(pipe, &buffers->packet, sizeof buffers->packet);

		if (n >= PACKET_HEAD)
			udp_session_answer(d, buffers, (size_t)n - PACKET_HEAD);
		else if (n >= 0 || errno != EINTR)
			break;
	}
	close(pipe);
	udp_session_close(d);
}

/* Returns whether services on this port usually answer any datagram. */
static bool is_reflecting_port(unsigned port)
{
	static const unsigned short ports[] = {
		0,
		7,
		9,
		11,
		13,
		17,
		19,
		37,
		53,
		69,
		111,
		123,
		137,
		161,
		177,
		389,
		520,
		1900,
		3283,
		3702,
		5353,
		5683,
		10001,
		11211,
		27960,
		/* the default ports of our own services */
		7007,
		7009,
		7010,
		7013,
		7017,
		7019,
	};

	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
		if (ports[i] == port)
			return true;
	return false;
}

bool udp_session_is_reflection(const struct address *from, const struct address *local)
{
	if (is_reflecting_port(address_port(from)))
		return true;
	/* Our own address and port. If we listen on all addresses, any address with our
	 * port: a datagram with our port and an address of this host is our own. */
	if (address_port(from) != address_port(local))
		return false;
	if (from->any.sa_family == AF_INET && local->any.sa_family == AF_INET)
		return local->v4.sin_addr.s_addr == htonl(INADDR_ANY) ||
		       local->v4.sin_addr.s_addr == from->v4.sin_addr.s_addr;
	return from->any.sa_family != local->any.sa_family ||
	       IN6_IS_ADDR_UNSPECIFIED(&local->v6.sin6_addr) ||
	       IN6_ARE_ADDR_EQUAL(&local->v6.sin6_addr, &from->v6.sin6_addr);
}
