/*
 * checks_udp - datagrams: each is a request of its own, and has a sender.
 *
 * On loopback a datagram is lost only if the server's buffer is full, so few are sent at once. A
 * UNIX-domain socket loses none.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/sockcheck/checks.h"
#include "client/sockcheck/talk.h"
#include "common/io.h"
#include "common/local_address.h"
#include "common/sock.h"
#include "common/socket_file.h"
#include "common/text.h"

enum {
	SHORT = 512, /* long enough that no server refuses to answer it with more */
	LARGEST = 65507,
	PEERS = 16,
	STEP = 20,
	SHOWN = 120,
	SHOWN_BYTES = 24
};

/* A connected socket receives from the server only. */
struct client {
	int fd;                 /* -1: there is none */
	struct socket_file own; /* to which the server replies on a UNIX-domain socket */
};

static int connect_local(const struct check *check, struct socket_file *own,
			 struct failure *failure)
{
	struct local_address address;
	int fd;

	if (local_address_parse(check->host, &address, failure) < 0)
		return -1;
	fd = sock_connect_datagrams(&address, own);
	if (fd < 0)
		failure_set(failure, "cannot connect to %s: %s", check->host,
			    local_address_why(errno, SOCK_DGRAM));
	return fd;
}

/* @return whether the client is there; otherwise the check has failed */
static bool open_client(struct check *check, struct client *client)
{
	const struct sock_target target = { check->host, check->port, AF_UNSPEC,
					    SOCK_DGRAM, 1000 };
	struct failure failure;

	client->own.owner = 0;
	client->fd = check->settings->local ? connect_local(check, &client->own, &failure)
					    : sock_connect(&target, NULL, &failure);
	if (client->fd < 0)
		return check_fail(check, "%s", failure.text);
	io_set_nonblocking(client->fd, true);
	return true;
}

static void close_client(struct client *client)
{
	socket_file_remove(&client->own);
	if (client->fd >= 0)
		close(client->fd);
}

static bool send_datagram(struct check *check, int fd, const char *bytes, size_t length)
{
	return send(fd, bytes, length, SOCK_NO_SIGNAL) == (ssize_t)length ||
	       check_fail(check, "cannot send a datagram of %zu bytes: %s", length,
			  strerror(errno));
}

/* Waits for a datagram. @return its length; -1: the check has failed */
static ssize_t receive(struct check *check, int fd, const char *who, char *reply,
		       size_t size)
{
	struct check_wait wait;
	const char *why;
	char what[SHOWN];

	snprintf(what, sizeof what, "%s got no reply", who);
	check_wait_begin(&wait);
	for (;;) {
		ssize_t n = recv(fd, reply, size, 0);

		if (n >= 0) {
			check->heard = true;
			return n;
		}
		if (errno != EAGAIN && errno != EINTR) {
			int error = errno;

			if (!check_end_explains(check, what))
				check_fail(check, "%s: %s", what, strerror(error));
			return -1;
		}
		if (check_server_is_gone(check, what))
			return -1;
		if (check_wait_is_over(check, &wait, 0, &why)) {
			check_fail(check, "%s: %s", what, why);
			return -1;
		}
		io_wait(fd, POLLIN, STEP);
	}
}

/* Receives the reply to a datagram, and compares. */
static bool expect_reply(struct check *check, int fd, const char *who,
			 const char *request, size_t length)
{
	static _Thread_local char reply[LARGEST + 1];
	char wanted[SHOWN], got[SHOWN];
	ssize_t n = receive(check, fd, who, reply, sizeof reply);

	if (n < 0)
		return false;
	if (protocol_answers(&check->settings->protocol, request, length, reply,
			     (size_t)n))
		return true;
	text_escape(request, length < SHOWN_BYTES ? length : SHOWN_BYTES, wanted,
		    sizeof wanted);
	text_escape(reply, (size_t)n < SHOWN_BYTES ? (size_t)n : SHOWN_BYTES, got,
		    sizeof got);
	return check_fail(check, "%s sent '%s' (%zu bytes), got '%s' (%zd bytes)", who,
			  wanted, length, got, n);
}

static bool exchange(struct check *check, int fd, const char *who, size_t size)
{
	static _Thread_local char request[LARGEST];
	size_t length = protocol_datagram(&check->settings->protocol, talk_number(),
					  request, size);

	return send_datagram(check, fd, request, length) &&
	       expect_reply(check, fd, who, request, length);
}

void check_udp_answers(struct check *check)
{
	struct client client;

	if (open_client(check, &client) &&
	    exchange(check, client.fd, "the client", SHORT))
		exchange(check, client.fd, "the client that asks again", SHORT);
	close_client(&client);
}

/* One datagram of each client, as many as the server's queue holds: on a UNIX-domain socket that is
 * a small number. @return how many; the check may have failed */
static int send_all(struct check *check, const struct client clients[PEERS],
		    char requests[PEERS][SHORT], size_t lengths[PEERS])
{
	int sent = 0;

	while (sent < PEERS && io_wait(clients[sent].fd, POLLOUT, 0) == POLLOUT) {
		lengths[sent] = protocol_datagram(&check->settings->protocol,
						  talk_number(), requests[sent], SHORT);
		if (!send_datagram(check, clients[sent].fd, requests[sent],
				   lengths[sent]))
			break;
		sent++;
	}
	return sent;
}

void check_udp_own_peer(struct check *check)
{
	static _Thread_local char requests[PEERS][SHORT];
	struct client clients[PEERS];
	size_t lengths[PEERS];
	char who[64];
	bool right = true;
	int opened = 0, sent = 0;

	while (opened < PEERS && right)
		right = open_client(check, &clients[opened++]);
	right = right && exchange(check, clients[0].fd, "the first client", SHORT);
	if (check->server.pid > 0)
		kill(-check->server.pid, SIGSTOP); /* so that it finds all at once */
	if (right)
		sent = send_all(check, clients, requests, lengths);
	if (check->server.pid > 0)
		kill(-check->server.pid, SIGCONT);
	right = right && check->verdict == CHECK_PASSED;
	if (right && sent < 2)
		right = check_skip(check, "the server's queue has no room for two "
					  "datagrams");
	for (int i = 0; i < sent && right; i++) {
		snprintf(who, sizeof who, "client %d of %d", i + 1, sent);
		right = expect_reply(check, clients[i].fd, who, requests[i], lengths[i]);
	}
	for (int i = 0; i < opened; i++)
		close_client(&clients[i]);
}

void check_udp_empty(struct check *check)
{
	struct client client;

	if (open_client(check, &client) && send_datagram(check, client.fd, "", 0) &&
	    (!protocol_has(&check->settings->protocol, PROTOCOL_ECHOES) ||
	     expect_reply(check, client.fd, "a client with an empty datagram", "", 0))) {
		close_client(&client); /* whatever the reply is, others must be served */
		if (open_client(check, &client))
			exchange(check, client.fd, "a client after an empty datagram",
				 SHORT);
	}
	close_client(&client);
}

void check_udp_largest(struct check *check)
{
	struct client client;

	if (open_client(check, &client) &&
	    exchange(check, client.fd, "a client with the largest datagram", LARGEST))
		exchange(check, client.fd, "a client after the largest datagram", SHORT);
	close_client(&client);
}
