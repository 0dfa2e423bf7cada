/*
 * checks_udp - datagrams: each is a request of its own, and has a sender.
 *
 * On loopback a datagram is lost only if the server's buffer is full, so few are sent at once.
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
#include "common/sock.h"
#include "common/text.h"

enum {
	SHORT = 512, /* long enough that no server refuses to answer it with more */
	LARGEST = 65507,
	PEERS = 16,
	STEP = 20,
	SHOWN = 120,
	SHOWN_BYTES = 24
};

/* A client: a connected socket receives from the server only. @return -1: it has failed */
static int open_client(struct check *check)
{
	const struct sock_target target = { check->host, check->port, AF_UNSPEC,
					    SOCK_DGRAM, 1000 };
	struct failure failure;
	int fd = sock_connect(&target, NULL, &failure);

	if (fd < 0)
		check_fail(check, "%s", failure.text);
	else
		io_set_nonblocking(fd, true);
	return fd;
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

	check_wait_begin(&wait);
	for (;;) {
		ssize_t n = recv(fd, reply, size, 0);

		if (n >= 0) {
			check->heard = true;
			return n;
		}
		if (errno != EAGAIN && errno != EINTR) {
			int error = errno;

			if (!check_server_ends(check) ||
			    !check_server_is_gone(check, who))
				check_fail(check, "%s got no reply: %s", who,
					   strerror(error));
			return -1;
		}
		if (check_server_is_gone(check, who))
			return -1;
		if (check_wait_is_over(check, &wait, 0, &why)) {
			check_fail(check, "%s got no reply: %s", who, why);
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
	int fd = open_client(check);

	if (fd < 0)
		return;
	if (exchange(check, fd, "the client", SHORT))
		exchange(check, fd, "the client, the second time,", SHORT);
	close(fd);
}

void check_udp_own_peer(struct check *check)
{
	static _Thread_local char requests[PEERS][SHORT];
	size_t lengths[PEERS];
	char who[64];
	int fds[PEERS];
	bool right = true;

	for (int i = 0; i < PEERS; i++)
		fds[i] = -1;
	for (int i = 0; i < PEERS && right; i++)
		right = (fds[i] = open_client(check)) >= 0;
	right = right && exchange(check, fds[0], "the first client", SHORT);
	if (check->server.pid > 0)
		kill(-check->server.pid, SIGSTOP); /* so that it finds all at once */
	for (int i = 0; i < PEERS && right; i++) {
		lengths[i] = protocol_datagram(&check->settings->protocol, talk_number(),
					       requests[i], SHORT);
		right = send_datagram(check, fds[i], requests[i], lengths[i]);
	}
	if (check->server.pid > 0)
		kill(-check->server.pid, SIGCONT);
	for (int i = 0; i < PEERS && right; i++) {
		snprintf(who, sizeof who, "client %d of %d", i + 1, PEERS);
		right = expect_reply(check, fds[i], who, requests[i], lengths[i]);
	}
	for (int i = 0; i < PEERS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

void check_udp_empty(struct check *check)
{
	int fd = open_client(check);

	if (fd < 0)
		return;
	if (send_datagram(check, fd, "", 0) &&
	    (!protocol_has(&check->settings->protocol, PROTOCOL_ECHOES) ||
	     expect_reply(check, fd, "a client with an empty datagram", "", 0))) {
		close(fd); /* whatever the reply is, others must be served */
		fd = open_client(check);
		if (fd >= 0)
			exchange(check, fd, "a client after an empty datagram", SHORT);
	}
	if (fd >= 0)
		close(fd);
}

void check_udp_largest(struct check *check)
{
	int fd = open_client(check);

	if (fd < 0)
		return;
	if (exchange(check, fd, "a client with the largest datagram", LARGEST))
		exchange(check, fd, "a client after the largest datagram", SHORT);
	close(fd);
}
