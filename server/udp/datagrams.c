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

/* How many are read before the model looks at its signals again; how long, in
 * milliseconds, a worker that is behind may hold up the others before its datagram is
 * dropped, as the kernel drops those that a full socket cannot take. */
enum { AT_ONCE = 64, HANDOVER = 100 };

/* How many peers at most are forgotten for a new one that nobody can be found to answer. The
 * n-th is followed by a wait of n - 1 milliseconds. */
enum { EVICTIONS = 4 };

void datagrams_forget(struct datagrams *g, struct peer *peer)
{
	if (peer->dialogue != NULL) {
		dialogue_close(peer->dialogue);
		server_left(g->server);
	}
	/* A worker leaves by itself, when it has answered what is in its feed. */
	if (peer->feed >= 0)
		close(peer->feed);
	peers_remove(&g->peers, peer);
}

static void forget_silent(struct datagrams *g, int64_t now)
{
	int64_t idle = g->server->idle_timeout;
	struct peer *peer;

	while (idle > 0 && (peer = g->peers.oldest) != NULL &&
	       now - peer->heard_at >= idle)
		datagrams_forget(g, peer);
}

/* @return 0, or -1 with errno, and *lacking says what there is too little of */
static int start_worker(struct datagrams *g, struct peer *peer, struct dialogue *dialogue,
			const char **lacking)
{
	int feed[2], error;

	*lacking = "out of descriptors";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, feed) < 0)
		return -1;
	io_set_close_on_exec(feed[0]);
	io_set_close_on_exec(feed[1]);
	(void)sock_set_timeout(feed[0], HANDOVER);
	peer->feed = feed[0];
	if (g->start(g, dialogue, feed[1]) == 0)
		return 0;
	error = errno;
	*lacking = g->what;
	close(feed[0]);
	close(feed[1]);
	peer->feed = -1;
	errno = error;
	return -1;
}

/* As when the table is full, the peer that has been silent the longest leaves for a new one.
 * Its end of the feed is free at once; the rest, a process or a thread above all, when its
 * worker has ended, for which a moment is waited. @return whether to try again */
static bool make_room(struct datagrams *g, const struct peer *peer, int attempt)
{
	if (attempt == EVICTIONS || g->peers.oldest == peer)
		return false;
	datagrams_forget(g, g->peers.oldest);
	poll(NULL, 0, attempt);
	signals_let_in(); /* SIGCHLD */
	if (g->tend != NULL)
		g->tend(g);
	return true;
}

static int find_worker(struct datagrams *g, struct peer *peer, struct dialogue *dialogue)
{
	const char *lacking;
	int attempt = 0;

	while (start_worker(g, peer, dialogue, &lacking) < 0) {
		server_lack(g->server, lacking, errno);
		if (!make_room(g, peer, attempt++))
			return -1;
	}
	return 0;
}

/* A place in the table for who is not in it, with someone to answer. */
static struct peer *welcome(struct datagrams *g, const struct peer_key *from, int64_t now)
{
	struct dialogue *dialogue;
	struct peer *peer;

	if (g->peers.count >= g->server->max_clients)
		datagrams_forget(g, g->peers.oldest);
	peer = peers_add(&g->peers, from, now);
	dialogue = peer ? dialogue_create(g->server, from->socket, &from->address) : NULL;
	if (dialogue == NULL) {
		server_lack(g->server, "out of memory", ENOMEM);
	} else if (g->start == NULL) {
		peer->dialogue = dialogue;
		dialogue_begin(dialogue);
	} else if (find_worker(g, peer, dialogue) < 0) {
		dialogue_release(dialogue);
		dialogue = NULL;
	}
	if (dialogue != NULL) {
		server_arrived(g->server);
		return peer;
	}
	if (peer != NULL)
		peers_remove(&g->peers, peer);
	return NULL;
}

/* @return false when the worker is gone (killed): the feed has no reader any more */
static bool hand_over(struct datagrams *g, struct peer *peer, size_t n)
{
	const char *letter = (const char *)&g->desk.letter;

	/* Who was behind once is not waited for again: the others wait meanwhile. */
	if (peer->behind && io_wait(peer->feed, POLLOUT, 0) == 0) {
		statistics_add(&g->server->statistics->refused, 1);
		return true;
	}
	peer->behind = false;
	/* One message, or none of it: SOCK_SEQPACKET. */
	if (io_write(peer->feed, letter, LETTER_HEAD + n) >= 0)
		return true;
	if (errno != EAGAIN)
		return false;
	peer->behind = true;
	statistics_add(&g->server->statistics->refused, 1);
	message(MESSAGE_EVENT, "a datagram is dropped: its worker is behind");
	return true;
}

/* Whether the peer may be another server, so that the two would keep each other busy. */
static bool repeats_itself(struct datagrams *g, struct peer *peer, size_t n, int64_t now)
{
	int64_t limit = g->server->repeats;
	char text[ADDRESS_TEXT];

	if (g->server->service->never_replies)
		return false;
	if (limit < 0)
		limit = repetition_default_limit(address_port(&peer->key.address));
	if (!repetition_is_excessive(&peer->repetition, g->desk.letter.bytes, n, limit,
				     now))
		return false;
	if (message_wanted(MESSAGE_EVENT))
		message_about(
			MESSAGE_EVENT, address_text(&peer->key.address, text),
			"dropped: too many repeated datagrams, perhaps of a server");
	return true;
}

static void deliver(struct datagrams *g, const struct peer_key *from, size_t n)
{
	int64_t now = clock_milliseconds();
	struct peer *peer = peers_find(&g->peers, from);

	if (peer == NULL)
		peer = welcome(g, from, now);
	if (peer == NULL) {
		statistics_add(&g->server->statistics->refused, 1);
		return;
	}
	peers_heard(&g->peers, peer, now);
	if (repeats_itself(g, peer, n, now)) {
		statistics_add(&g->server->statistics->refused, 1);
		return;
	}
	if (peer->dialogue != NULL) {
		dialogue_answer(peer->dialogue, &g->desk, n);
		return;
	}
	if (hand_over(g, peer, n))
		return;
	datagrams_forget(g, peer);
	peer = welcome(g, from, now);
	if (peer == NULL || !hand_over(g, peer, n))
		statistics_add(&g->server->statistics->refused, 1);
}

/* With several sockets, two of our own could answer each other as well. */
static bool is_reflection(const struct datagrams *g, const struct address *from)
{
	for (unsigned i = 0; i < g->server->listeners.count; i++)
		if (from->any.sa_family == g->local[i].any.sa_family &&
		    dialogue_is_reflection(from, &g->local[i]))
			return true;
	return false;
}

/* @return whether there may be more from this socket, one of listeners */
static bool receive_from(struct datagrams *g, unsigned listener)
{
	struct letter *letter = &g->desk.letter;
	struct peer_key from = { .socket = g->server->listeners.fds[listener] };
	char text[ADDRESS_TEXT];

	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t n =
			datagram_receive(from.socket, letter->bytes, sizeof letter->bytes,
					 &from.address, &letter->to);

		if (n < 0 && errno == EAGAIN)
			return false;
		/* Not an ICMP error for a reply of ours: Linux reports those on a connected
		 * socket only, and this one is not (udp(7)). */
		if (n < 0 && server_read_failed(g->server))
			continue;
		if (n < 0)
			return false;
		retry_succeeded(&g->server->reads);
		if (!is_reflection(g, &from.address))
			deliver(g, &from, (size_t)n);
		else if (message_wanted(MESSAGE_EVENT))
			message_about(MESSAGE_EVENT, address_text(&from.address, text),
				      "dropped: it may be another server's reply");
	}
	return true;
}

/* @return whether there may be more */
static bool receive(struct datagrams *g)
{
	bool more = false;

	signals_let_in(); /* if there is always something to read, the wait does not */
	for (unsigned i = 0; i < g->server->listeners.count; i++)
		more |= receive_from(g, i);
	return more;
}

/* What has come is answered; then workers end. Half of the grace is for them, if it does
 * not stop coming. */
static void take_leave(struct datagrams *g)
{
	int64_t until = g->server->stop_at - SERVER_GRACE / 2;

	while (signals_stop() < 2 && clock_milliseconds() < until && receive(g))
		;
	while (g->peers.oldest != NULL)
		datagrams_forget(g, g->peers.oldest);
}

static void wait_for_datagrams(struct datagrams *g)
{
	struct server *server = g->server;
	int64_t until = -1, patience;
	struct timespec time;
	fd_set readable;
	int highest = -1;

	if (server->idle_timeout > 0 && g->peers.oldest != NULL)
		until = g->peers.oldest->heard_at + server->idle_timeout;
	patience = server_patience(server, until);
	time = clock_timespec(patience);
	FD_ZERO(&readable);
	if (!server->stopping)
		highest = listeners_add_to(&server->listeners, &readable);
	/* pselect, as everywhere: our signals come in while we wait, and only then. */
	server_waited(server, pselect(highest + 1, &readable, NULL, NULL,
				      patience < 0 ? NULL : &time, &server->wait_mask));
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
		if (g->tend != NULL)
			g->tend(g);
		forget_silent(g, clock_milliseconds());
	}
	take_leave(g);
	while (server_running(server)) { /* while there are workers */
		wait_for_datagrams(g);
		if (g->tend != NULL)
			g->tend(g);
	}
	return 0;
}
