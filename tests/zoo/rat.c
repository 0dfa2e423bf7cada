/*
 * rat - an echo server (RFC 862): each client gets back what it sends.
 *
 *	./rat PORT	one process, poll(2) for all clients
 *
 * Symptom: mostly all is well. At times all clients wait, because one of them has sent a large
 * file and does not read what comes back. New clients connect and wait, too.
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
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* for clients */
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, SOMAXCONN) < 0) {
		perror("rat: cannot listen");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

static bool send_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

/* @return whether the client is still there */
static bool serve(int fd)
{
	char piece[PIECE];
	ssize_t n = read(fd, piece, sizeof piece);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n > 0 && send_all(fd, piece, (size_t)n);
}

/* Without descriptors or memory, the listener is left alone for a moment. */
static void add_client(void)
{
	int fd = count < MOST ? accept(fds[0].fd, NULL, NULL) : -1;

	if (fd < 0) {
		fds[0].events = 0;
		return;
	}
	fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

int main(int argc, char **argv)
{
	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: rat PORT\n");
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
