/*
 * datagrams - the loop that reads a datagram socket.
 *
 *      socket --> receive_from --> is_reflection? --> dropped
 *                                       |
 *                              peers_find / add_peer
 *                                       |
 *               +-----------------------+--------------------+
 *               | one process                                | a worker per peer
 *     udp_session_answer                          hand_over --> pipe --> udp_session_serve
 *               |                                                           |
 *               +--> the service --> sendmsg(2) by the same socket <--------+
 *
 * A datagram that its worker does not read in time is dropped and counted. The kernel
 * does the same when the buffer of a socket is full, so a UDP client must expect it.
 */
#include "server/udp/datagrams.h"

#include <errno.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/message.h"
#include "common/sock.h"
#include "server/core/signals.h"

/* AT_ONCE: datagrams that are read before signals are checked again. HANDOVER: how long,
 * in milliseconds, the loop waits for a worker whose pipe is full before it drops the
 * datagram. */
enum { AT_ONCE = 64, HANDOVER = 100 };

/* The maximum number of peers that are forgotten to get a worker for a new one. After the
 * n-th of them the loop waits n - 1 milliseconds. */
enum { EVICTIONS = 4 };

/* Closes the session of a peer, or its pipe, whose worker then ends. */
static void forget(struct datagrams *g, struct peer *peer)
{
	if (peer->session != NULL) {
		udp_session_close(peer->session);
		server_left(g->server);
	}
	/* The worker first answers what is in its pipe, and then ends. */
	if (peer->pipe >= 0)
		close(peer->pipe);
	peers_remove(&g->peers, peer);
}

static void forget_silent(struct datagrams *g, int64_t now)
{
	int64_t idle = g->server->idle_timeout;
	struct peer *peer;

	while (idle > 0 && (peer = g->peers.oldest) != NULL &&
	       now - peer->last_at >= idle)
		forget(g, peer);
}

/* @return 0, or -1 with errno; then *lacking describes what ran out */
static int start_worker(struct datagrams *g, struct peer *peer,
			struct udp_session *session, const char **lacking)
{
	int pipe[2], error;

	*lacking = "out of descriptors";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pipe) < 0)
		return -1;
	io_set_close_on_exec(pipe[0]);
	io_set_close_on_exec(pipe[1]);
	(void)sock_set_timeout(pipe[0], HANDOVER);
	peer->pipe = pipe[0];
	if (g->start_worker(g, session, pipe[1]) == 0)
		return 0;
	error = errno;
	*lacking = g->cannot_start;
	close(pipe[0]);
	close(pipe[1]);
	peer->pipe = -1;
	errno = error;
	return -1;
}

/* Forgets the peer that has been silent the longest, as when the table is full. This
 * frees a descriptor at once. It frees a process or thread only when the worker has
 * ended, so the function waits a moment. @return whether to try again */
static bool make_room(struct datagrams *g, const struct peer *peer, int attempt)
{
	if (attempt == EVICTIONS || g->peers.oldest == peer)
		return false;
	forget(g, g->peers.oldest);
	poll(NULL, 0, attempt);
	signals_let_in(); /* SIGCHLD */
	if (g->attend_workers != NULL)
		g->attend_workers(g);
	return true;
}

static int find_worker(struct datagrams *g, struct peer *peer,
		       struct udp_session *session)
{
	const char *lacking;
	int attempt = 0;

	while (start_worker(g, peer, session, &lacking) < 0) {
		server_lack(g->server, lacking, errno);
		if (!make_room(g, peer, attempt++))
			return -1;
	}
	return 0;
}

/* Adds a peer to the table, with its session or its worker. @return it, or NULL if there
 * are not enough resources */
static struct peer *add_peer(struct datagrams *g, const struct peer_key *from,
			     int64_t now)
{
	struct udp_session *session;
	struct peer *peer;

	if (g->peers.count >= g->server->max_clients)
		forget(g, g->peers.oldest);
	peer = peers_add(&g->peers, from, now);
	session = peer ? udp_session_create(g->server, from->socket, &from->from) : NULL;
	if (session == NULL) {
		server_lack(g->server, "out of memory", ENOMEM);
	} else if (g->start_worker == NULL) {
		peer->session = session;
		udp_session_begin(session);
	} else if (find_worker(g, peer, session) < 0) {
		udp_session_release(session);
		session = NULL;
	}
	if (session != NULL) {
		server_arrived(g->server);
		return peer;
	}
	if (peer != NULL)
		peers_remove(&g->peers, peer);
	return NULL;
}

/* @return false if the worker was killed: the pipe has no reader any more */
static bool hand_over(struct datagrams *g, struct peer *peer, size_t n)
{
	const char *packet = (const char *)&g->buffers.packet;

	/* The loop waits once for a worker that lags. After that it only checks, because
	 * other peers would have to wait as well. */
	if (peer->lagging && io_wait(peer->pipe, POLLOUT, 0) == 0) {
		statistics_add(&g->server->statistics->refused, 1);
		return true;
	}
	peer->lagging = false;
	/* SOCK_SEQPACKET: the whole message is written, or nothing. */
	if (io_write(peer->pipe, packet, PACKET_HEAD + n) >= 0)
		return true;
	if (errno != EAGAIN)
		return false;
	peer->lagging = true;
	statistics_add(&g->server->statistics->refused, 1);
	message(MESSAGE_EVENT, "dropped a datagram: its worker is busy");
	return true;
}

/* Returns whether the peer may be another server, so that the two would answer each other
 * forever. */
static bool repeats_itself(struct datagrams *g, struct peer *peer, size_t n, int64_t now)
{
	int64_t limit = g->server->repeats;
	char text[ADDRESS_TEXT];

	if (g->server->service->never_replies)
		return false;
	if (limit < 0)
		limit = repetition_default_limit(&peer->key.from.address);
	if (!repetition_is_excessive(&peer->repetition, g->buffers.packet.bytes, n, limit,
				     now))
		return false;
	if (message_wanted(MESSAGE_EVENT))
		message_about(
			MESSAGE_EVENT, datagram_peer_text(&peer->key.from, text),
			"dropped: too many repeated datagrams, perhaps from a server");
	return true;
}

static void deliver(struct datagrams *g, const struct peer_key *from, size_t n)
{
	int64_t now = clock_milliseconds();
	struct peer *peer = peers_find(&g->peers, from);

	if (peer == NULL)
		peer = add_peer(g, from, now);
	if (peer == NULL) {
		statistics_add(&g->server->statistics->refused, 1);
		return;
	}
	peers_touch(&g->peers, peer, now);
	if (repeats_itself(g, peer, n, now)) {
		statistics_add(&g->server->statistics->refused, 1);
		return;
	}
	if (peer->session != NULL) {
		udp_session_answer(peer->session, &g->buffers, n);
		return;
	}
	if (hand_over(g, peer, n))
		return;
	forget(g, peer);
	peer = add_peer(g, from, now);
	if (peer == NULL || !hand_over(g, peer, n))
		statistics_add(&g->server->statistics->refused, 1);
}

/* Checks all local addresses: two sockets of this server could answer each other. */
static bool is_reflection(const struct datagrams *g, const struct address *from)
{
	if (from->any.sa_family == AF_UNIX)
		return false;
	for (unsigned i = 0; i < g->server->listeners.count; i++)
		if (from->any.sa_family == g->local[i].any.sa_family &&
		    udp_session_is_reflection(from, &g->local[i]))
			return true;
	return false;
}

/* @param listener  index of the socket in listeners
 * @return whether the socket may have more datagrams */
static bool receive_from(struct datagrams *g, unsigned listener)
{
	struct packet *packet = &g->buffers.packet;
	struct peer_key from = { .socket = g->server->listeners.fds[listener] };
	char text[ADDRESS_TEXT];

	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t n = datagram_receive(
			from.socket, g->local[listener].any.sa_family, packet->bytes,
			sizeof packet->bytes, &from.from, &packet->to);

		if (n < 0 && errno == EAGAIN)
			return false;
		/* This is not an ICMP error caused by a reply: Linux reports those only
		 * on a connected socket, and this one is not connected (udp(7)). */
		if (n < 0 && server_read_failed(g->server))
			continue;
		if (n < 0)
			return false;
		retry_succeeded(&g->server->reads);
		if (!is_reflection(g, &from.from.address))
			deliver(g, &from, (size_t)n);
		else if (message_wanted(MESSAGE_EVENT))
			message_about(MESSAGE_EVENT, datagram_peer_text(&from.from, text),
				      "dropped: it may be another server's reply");
	}
	return true;
}

/* @return whether there may be more datagrams */
static bool receive(struct datagrams *g)
{
	bool more = false;

	signals_let_in(); /* pselect(2) delivers none if it never sleeps */
	for (unsigned i = 0; i < g->server->listeners.count; i++)
		more |= receive_from(g, i);
	return more;
}

/* After a stop signal: answers the datagrams that have arrived, and then ends the
 * workers. If datagrams continue to arrive, it stops reading after half of SERVER_GRACE,
 * so that the workers have the other half. */
static void drain(struct datagrams *g)
{
	int64_t until = g->server->stop_at - SERVER_GRACE / 2;

	while (signals_stop() < 2 && clock_milliseconds() < until && receive(g))
		;
	while (g->peers.oldest != NULL)
		forget(g, g->peers.oldest);
}

static void wait_for_datagrams(struct datagrams *g)
{
	int64_t idle = g->server->idle_timeout, until = CLOCK_NEVER;
	fd_set readable;

	if (idle > 0 && g->peers.oldest != NULL)
		until = g->peers.oldest->last_at + idle;
	FD_ZERO(&readable);
	server_pselect(g->server, -1, &readable, NULL, until);
}

int datagrams_serve(struct datagrams *g)
{
	struct server *server = g->server;

	for (unsigned i = 0; i < server->listeners.count; i++) {
		int fd = server->listeners.fds[i];

		if (address_local(fd, &g->local[i]) < 0 || datagram_prepare(fd) < 0)
			return -1;
	}
	while (server_running(server) && !server->stopping) {
		wait_for_datagrams(g);
		receive(g);
		if (g->attend_workers != NULL)
			g->attend_workers(g);
		forget_silent(g, clock_milliseconds());
	}
	drain(g);
	while (server_running(server)) { /* while there are workers */
		wait_for_datagrams(g);
		if (g->attend_workers != NULL)
			g->attend_workers(g);
	}
	return 0;
}
