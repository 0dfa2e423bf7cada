/*
 * toad - an echo server (RFC 862): each client gets back what it sends.
 *
 *	./toad PORT	one process, poll(2) for all clients
 *
 * Symptom: in a dialogue all is well. A client that sends all and then waits for the rest
 * (`nc -N 127.0.0.1 PORT < file`) gets less than it sent, or nothing; the connection is closed.
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
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 4096, PIECE = 16384 };

struct client {
	char bytes[PIECE]; /* that are not sent yet */
	size_t length;
};

static struct pollfd fds[MOST]; /* the listener is the first */
static struct client clients[MOST];
static nfds_t count = 1;

static int listen_on(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((unsigned short)atoi(port)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, buffer = 16384;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer,
		   sizeof buffer); /* for each client */
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, SOMAXCONN) < 0) {
		perror("toad: cannot listen");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

/* @return whether the client is still there */
static bool serve(struct pollfd *ready, struct client *client)
{
	ssize_t n;

	if (ready->revents & POLLIN) {
		n = read(ready->fd, client->bytes + client->length,
			 PIECE - client->length);
		if (n == 0)
			return false;
		poll(NULL, 0, 1); /* work */
		client->length += n > 0 ? (size_t)n : 0;
	} else {
		n = send(ready->fd, client->bytes, client->length, MSG_NOSIGNAL);
		if (n > 0) {
			client->length -= (size_t)n;
			memmove(client->bytes, client->bytes + n, client->length);
		}
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	ready->events = (short)((client->length < PIECE ? POLLIN : 0) |
				(client->length > 0 ? POLLOUT : 0));
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
	clients[count].length = 0;
	fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

int main(int argc, char **argv)
{
	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: toad PORT\n");
		return 2;
	}
	fds[0].fd = listen_on(argv[1]);
	fcntl(fds[0].fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		poll(fds, count, fds[0].events ? -1 : 50);
		for (nfds_t i = count; i-- > 1;)
			if (fds[i].revents && !serve(&fds[i], &clients[i])) {
				close(fds[i].fd);
				fds[i] = fds[--count];
				clients[i] = clients[count];
			}
		if (fds[0].revents)
			add_client();
		else
			fds[0].events = POLLIN;
	}
}
