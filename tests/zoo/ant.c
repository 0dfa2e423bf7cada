/*
 * ant - an echo server (RFC 862): each client gets back what it sends.
 *
 *	./ant PORT	one process, poll(2) for all clients
 *
 * Symptom: what one types comes back. A large file that goes through the server comes back
 * shorter than it was: pieces of it are missing, more of them if the client reads slowly.
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

static struct pollfd fds[MOST]; /* the listener is the first */
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
		perror("ant: cannot listen");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

/* @return whether the client is still there */
static bool serve(int fd)
{
	char piece[PIECE];
	ssize_t n = read(fd, piece, sizeof piece);

	if (n > 0)
		n = send(fd, piece, (size_t)n, MSG_NOSIGNAL);
	else if (n == 0)
		return false;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
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
	fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

int main(int argc, char **argv)
{
	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: ant PORT\n");
		return 2;
	}
	fds[0].fd = listen_on(argv[1]);
	fcntl(fds[0].fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		poll(fds, count, fds[0].events ? -1 : 50);
		for (nfds_t i = count; i-- > 1;)
			if (fds[i].revents && !serve(fds[i].fd)) {
				close(fds[i].fd);
				fds[i] = fds[--count];
			}
		if (fds[0].revents)
			add_client();
		else
			fds[0].events = POLLIN;
	}
}
