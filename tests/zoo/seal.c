/*
 * seal - an echo server (RFC 862): each client gets back what it sends.
 *
 *	./seal PORT	one process, epoll(7) for all clients, edge-triggered
 *
 * Symptom: short lines come back. Of a long text the first part comes back; the next part comes
 * when the client sends something more, and the end of it at times never.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 8192, PIECE = 512, EVENTS = 64 };

static struct client {
	char bytes[PIECE]; /* of which those from sent to length are not sent yet */
	size_t length, sent;
} clients[MOST]; /* by descriptor */

static int listen_on(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((unsigned short)atoi(port)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* for clients */
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, SOMAXCONN) < 0) {
		perror("seal: cannot listen");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

/* Reads only when all is sent. @return whether the client is still there */
static bool serve(int fd, struct client *client)
{
	ssize_t n;

	if (client->sent == client->length) {
		n = read(fd, client->bytes, PIECE);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0)
			return false;
		client->length = (size_t)n;
		client->sent = 0;
	}
	n = send(fd, client->bytes + client->sent, client->length - client->sent,
		 MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (n > 0)
		client->sent += (size_t)n;
	return true;
}

/* @return whether there was a client, and descriptors and memory for it */
static bool add_client(int poller, int listener)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return false;
	event.data.fd = fd;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (fd >= MOST || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(fd);
		return false;
	}
	clients[fd].length = clients[fd].sent = 0;
	return true;
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS], event = { .events = EPOLLIN };
	int poller = epoll_create1(0), listener;

	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: seal PORT\n");
		return 2;
	}
	event.data.fd = listener = listen_on(argv[1]);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		/* If accept(2) fails, the listener is left alone for a moment. */
		int n = epoll_wait(poller, events, EVENTS, event.events ? -1 : 50);
		bool paused = false;

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == listener)
				paused = !add_client(poller, listener);
			else if (!serve(fd, &clients[fd]))
				close(fd);
		}
		if (paused == (event.events != 0)) {
			event.events = paused ? 0 : EPOLLIN;
			epoll_ctl(poller, EPOLL_CTL_MOD, listener, &event);
		}
	}
}
