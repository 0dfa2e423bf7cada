/*
 * pug - an echo server (RFC 862): each client gets back what it sends.
 *
 *	./pug PORT	one process, poll(2) for all clients
 *
 * Symptom: a client gets the answer to its first line. The answer to the second line comes when
 * another client connects. Then all that wait are answered, once, and wait for the next client.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 4096, PIECE = 4096 };

struct client {
	char bytes[PIECE]; /* of which those from sent to length are not sent yet */
	size_t length, sent;
};

static struct pollfd fds[MOST]; /* the listener is the first */
static struct client clients[MOST];
static nfds_t count = 1;

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
		perror("pug: cannot listen");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

/* Reads only when all is sent. @return whether the client is still there */
static bool serve(struct pollfd *ready, struct client *client)
{
	ssize_t n;

	if (client->sent == client->length) {
		n = read(ready->fd, client->bytes, PIECE);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0)
			return false;
		client->length = (size_t)n;
		client->sent = 0;
	}
	n = send(ready->fd, client->bytes + client->sent, client->length - client->sent,
		 MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (n > 0)
		client->sent += (size_t)n;
	ready->events = client->sent < client->length ? POLLOUT : POLLIN;
	return true;
}

/* Without descriptors or memory, the listener is left alone for a moment. */
static void add_client(void)
{
	int fd = count < MOST ? accept(fds[0].fd, NULL, NULL) : -1;

	if (fd < 0) {
		fds[0].events = 0;
		return;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	clients[count].length = clients[count].sent = 0;
	fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

int main(int argc, char **argv)
{
	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: pug PORT\n");
		return 2;
	}
	fds[0].fd = listen_on(argv[1]);
	for (;;) {
		poll(fds, count, fds[0].events ? -1 : 50);
		for (nfds_t i = count; i-- > 1;)
			if (fds[i].revents && !serve(&fds[i], &clients[i])) {
				close(fds[i].fd);
				fds[i] = fds[--count];
				clients[i] = clients[count];
			}
		fds[0].events = POLLIN;
		add_client();
	}
}
