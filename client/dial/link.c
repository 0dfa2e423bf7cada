/*
 * link - finds the address of a UDP server that answers, and sends and receives there.
 *
 * The first datagram is also the probe of the address. Until the address is certain, a copy
 * of it is kept, to be sent again to the next address. The copy costs 64 KiB of memory per
 * link.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/dial/link.h"
#include "client/lib/dial_text.h"
#include "common/clock.h"
#include "common/message.h"
#include "common/sock.h"

/* ---- one address ----------------------------------------------------------------------- */

static void close_socket(struct dial_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	socket_file_remove(&link->own);
}

static void report_address(const struct dial_link *link)
{
	char there[ADDRESS_TEXT], here[ADDRESS_TEXT] = "?";
	struct address local;

	if (link->reported_address || !message_wanted(MESSAGE_CLIENT))
		return;
	address_text(&link->there, there);
	if (address_local(link->fd, &local) == 0)
		address_text(&local, here);
	message(MESSAGE_CLIENT, "sending to %s from %s", there, here);
}

/* Opens a socket to the current address. @return 0, or -1 with errno */
static int open_socket(struct dial_link *link)
{
	const struct addrinfo *where = link->where;

	close_socket(link);
	link->fd = sock_connect_start(where->ai_addr, where->ai_addrlen, SOCK_DGRAM);
	if (link->fd < 0)
		return -1;
	if (sock_is_connected_to_itself(link->fd)) {
		close_socket(link);
		errno = ECONNREFUSED;
		return -1;
	}
	address_set(&link->there, where->ai_addr, where->ai_addrlen);
	report_address(link);
	return 0;
}

/* send(2), because write(2) of an empty datagram is not portable. */
static int transmit(struct dial_link *link, const char *bytes, size_t length)
{
	ssize_t n;

	link->sent_at = clock_nanoseconds();
	do
		n = send(link->fd, bytes, length, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

/* ---- one address after the other ------------------------------------------------------- */

/* Of the errors of several addresses, ECONNREFUSED says most: the others may be
 * unreachable for this host, as IPv6 often is. */
static void note_error(struct dial_link *link, int error)
{
	if (link->error != ECONNREFUSED)
		link->error = error;
}

static bool may_come_back(const struct dial_link *link)
{
	return link->settings->retry && link->error == ECONNREFUSED &&
	       (link->settings->timeout == 0 || clock_milliseconds() < link->rounds_end);
}

/* The current address is used from now on. After the first round through all
 * addresses "sending to" is not printed for each attempt; so it is printed here. */
static void settle(struct dial_link *link)
{
	link->settled = true;
	link->round_at = 0;
	if (link->reported_address) {
		link->reported_address = false;
		report_address(link);
	}
}

/* Sends the first datagram to the current address, or to one of the next. After all
 * have failed it may start again later. The last socket stays open, because the caller
 * may still wait for a server to start.
 * @return 0, or -1 with errno: no address is left */
static int send_first(struct dial_link *link)
{
	for (; link->where != NULL; link->where = link->where->ai_next) {
		if (open_socket(link) == 0 &&
		    transmit(link, link->first, link->first_length) == 0)
			return 0;
		note_error(link, errno);
	}
	link->reported_address = true;
	if (may_come_back(link)) {
		link->round_at = clock_milliseconds() + DIAL_RETRY_PAUSE;
		return 0;
	}
	link->settled = true;
	errno = link->error;
	return -1;
}

static int try_the_next(struct dial_link *link, int error)
{
	note_error(link, error);
	link->where = link->where->ai_next;
	return send_first(link);
}

/* connect(2) finds out whether there is a server: no probe is needed. */
static int open_local(struct dial_link *link, struct failure *failure)
{
	const struct dial_settings *settings = link->settings;
	int64_t end = clock_milliseconds() + settings->timeout;
	char peer[DIAL_PEER_TEXT];

	if (local_address_parse(settings->host, &link->local, failure) < 0)
		return -1;
	while ((link->fd = sock_connect_datagrams(&link->local, &link->own)) < 0 &&
	       settings->retry && sock_is_refused(errno) &&
	       (settings->timeout == 0 || clock_milliseconds() < end))
		poll(NULL, 0, DIAL_RETRY_PAUSE);
	if (link->fd < 0)
		return dial_link_failed(link, errno, failure);
	link->there.any.sa_family = AF_UNIX;
	link->settled = true;
	dial_peer_text(settings, peer);
	message(MESSAGE_CLIENT, "sending to %s", peer);
	return 0;
}

int dial_link_open(struct dial_link *link, const struct dial_settings *settings,
		   struct failure *failure)
{
	struct address_query query = { settings->family, SOCK_DGRAM, false };

	link->settings = settings;
	link->fd = -1;
	if (local_address_is(settings->host))
		return open_local(link, failure);
	if (address_resolve(settings->host, settings->port, &query, &link->addresses,
			    failure) < 0)
		return -1;
	for (link->where = link->addresses; link->where != NULL;
	     link->where = link->where->ai_next) {
		if (open_socket(link) == 0)
			return 0;
		note_error(link, errno);
	}
	return dial_link_failed(link, link->error, failure);
}

void dial_link_close(struct dial_link *link)
{
	close_socket(link);
	if (link->addresses != NULL)
		freeaddrinfo(link->addresses);
	link->addresses = NULL;
}

/* ---- sending and receiving ------------------------------------------------------------- */

bool dial_link_may_send(const struct dial_link *link)
{
	return link->settled || !link->probing;
}

/* Sends the first datagram and keeps a copy, to be sent again. */
static int probe(struct dial_link *link, const struct datagram *datagram)
{
	memcpy(link->first, datagram->bytes, datagram->length);
	link->first_length = datagram->length;
	link->rounds_end = clock_milliseconds() + link->settings->timeout;
	link->probing = true;
	if (transmit(link, link->first, link->first_length) == 0)
		return 0;
	if (errno != EAGAIN && errno != EMSGSIZE)
		return try_the_next(link, errno);
	link->probing = false; /* not sent, for a local reason: this says nothing about
			        * the server */
	return -1;
}

int dial_link_send(struct dial_link *link, const struct datagram *datagram)
{
	if (!link->settled && link->where->ai_next == NULL && !link->settings->retry)
		link->settled = true; /* there is no other address to try */
	if (!link->settled)
		return probe(link, datagram);
	if (link->fd < 0) { /* no socket could be opened for any address of the host */
		errno = link->error;
		return -1;
	}
	return transmit(link, datagram->bytes, datagram->length);
}

ssize_t dial_link_receive(struct dial_link *link, char *buffer, size_t size)
{
	ssize_t n = -1;

	errno = EAGAIN;
	if (link->fd >= 0)
		do
			n = recv(link->fd, buffer, size, 0);
		while (n < 0 && errno == EINTR);
	if (n >= 0 && !link->settled)
		settle(link);
	if (n >= 0)
		return n;
	if (errno == EAGAIN || link->settled || !link->probing)
		return -1;
	if (link->round_at == 0 && try_the_next(link, errno) < 0)
		return -1;
	errno = EAGAIN;
	return -1;
}

/* ---- time ------------------------------------------------------------------------------ */

/* When dial_link_turn() has work, in clock_milliseconds(); or CLOCK_NEVER. */
static int64_t turn_at(const struct dial_link *link)
{
	if (link->settled || !link->probing)
		return CLOCK_NEVER;
	if (link->round_at > 0)
		return link->round_at;
	return link->sent_at / 1000000 + DIAL_LINK_SETTLE_TIME;
}

int64_t dial_link_wait(const struct dial_link *link)
{
	return clock_until(turn_at(link), clock_milliseconds());
}

int dial_link_turn(struct dial_link *link)
{
	if (dial_link_wait(link) != 0)
		return 0;
	if (link->round_at == 0) {
		settle(link); /* no error arrived: the server got the datagram, or it
			       * was lost */
		return 0;
	}
	link->round_at = 0;
	link->error = 0;
	link->where = link->addresses;
	return send_first(link);
}

int dial_link_failed(const struct dial_link *link, int error, struct failure *failure)
{
	char peer[DIAL_PEER_TEXT];

	dial_peer_text(link->settings, peer);
	return failure_set(
		failure, "%s: %s%s", peer, local_address_why(error, SOCK_DGRAM),
		error == ECONNREFUSED && link->addresses != NULL ? " (no UDP server)"
								 : "");
}
