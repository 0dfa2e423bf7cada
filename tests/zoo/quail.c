/*
 * quail - a reply server: each line that a client sends is answered with "Message received".
 *
 *	./quail PORT	one process, poll(2) for all clients
 *
 * Symptom: mostly all is well. At times all clients wait for seconds, until one of them, whose
 * network is slow, has sent its line or leaves.
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

enum { MOST = 4096 };

static const char text[] = "Message received\n";
static struct pollfd fds[MOST]; /* the listener is the first */
static struct client {
	size_t owed; /* so many bytes of the text are not sent yet */
} clients[MOST];
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
		perror("quail: cannot listen");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

/* Reads a line of any length. @return false at the end of the input */
static bool read_line(int fd)
{
	char byte = 0;
	ssize_t n;

	while ((n = read(fd, &byte, 1)) > 0 && byte != '\n')
		;
	return n > 0;
}

/* Reads only when all is sent. @return whether the client is still there */
static bool serve(struct pollfd *ready, struct client *client)
{
	ssize_t n;

	if (client->owed == 0) {
		if (!read_line(ready->fd))
			return false;
		client->owed = sizeof text - 1;
	}
	n = send(ready->fd, text + sizeof text - 1 - client->owed, client->owed,
		 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (n > 0)
		client->owed -= (size_t)n;
	ready->events = client->owed > 0 ? POLLOUT : POLLIN;
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
	clients[count].owed = 0;
	fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

int main(int argc, char **argv)
{
	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: quail PORT\n");
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
