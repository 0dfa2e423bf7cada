/*
 * pig - an echo server (RFC 862): each client gets back what it sends.
 *
 *	./pig PORT	one process, select(2) for all clients, at most a thousand
 *
 * Symptom: a client is answered until another one connects or sends. From then on the server
 * has forgotten it: what it sends is not read, and when it leaves, its connection is not closed.
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
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 4096 };

static struct client {
	char bytes[PIECE]; /* of which those from sent to length are not sent yet */
	size_t length, sent;
} clients[FD_SETSIZE]; /* by descriptor */

static fd_set reads, writes; /* what the server waits for */

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
		perror("pig: cannot listen");
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

static void add_client(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0) {
		poll(NULL, 0, 50); /* without descriptors it fails at once */
	} else {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		clients[fd].length = clients[fd].sent = 0;
		FD_SET(fd, &reads);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { FD_SETSIZE, FD_SETSIZE };
	int listener;

	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: pig PORT\n");
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files); /* an fd_set has no room for higher ones */
	listener = listen_on(argv[1]);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	for (;;) {
		FD_SET(listener, &reads);
		select(FD_SETSIZE, &reads, &writes, NULL, NULL);
		for (int fd = listener + 1; fd < FD_SETSIZE; fd++) {
			if (!FD_ISSET(fd, &reads) && !FD_ISSET(fd, &writes))
				continue;
			FD_CLR(fd, &reads);
			FD_CLR(fd, &writes);
			if (!serve(fd, &clients[fd]))
				close(fd);
			else if (clients[fd].sent < clients[fd].length)
				FD_SET(fd, &writes);
			else
				FD_SET(fd, &reads);
		}
		if (FD_ISSET(listener, &reads))
			add_client(listener);
	}
}
