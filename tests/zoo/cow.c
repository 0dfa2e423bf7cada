/*
 * cow - a reply server: each line that a client sends is answered with "Message received".
 *
 *	./cow PORT	a thread for each client
 *
 * Symptom: sometimes the server has ended, without a message and without a core file. It had no
 * more clients than usual. One of them had stopped in the middle of a request.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
		perror("cow: cannot listen");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

static void send_text(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* the next read says that the client is gone */
		text += n;
		length -= (size_t)n;
	}
}

/* Without descriptors or memory, accept(2) fails at once: the server waits a moment. */
static int next_client(int listener)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) < 0)
		poll(NULL, 0, 50);
	return fd;
}

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0) {
		poll(NULL, 0, 2); /* work */
		for (ssize_t i = 0; i < n; i++)
			if (piece[i] == '\n') {
				send_text(fd, "Message received");
				send_text(fd, "\n");
			}
	}
	close(fd);
	return NULL;
}

static void start_thread(int fd)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
		close(fd);
	else
		pthread_detach(thread);
}

int main(int argc, char **argv)
{
	int listener;

	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: cow PORT\n");
		return 2;
	}
	listener = listen_on(argv[1]);
	for (;;)
		start_thread(next_client(listener));
}
