/*
 * crab - an echo server (RFC 862): each client gets back what it sends.
 *
 *	./crab PORT	a thread for each client
 *
 * Symptom: at times top(1) shows the server with 100 % of a processor, though its clients do
 * nothing. This lasts until some clients leave. (Try it after `ulimit -n 32`.)
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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
		perror("crab: cannot listen");
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

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0)
		if (!send_all(fd, piece, (size_t)n))
			break;
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
		fprintf(stderr, "usage: crab PORT\n");
		return 2;
	}
	listener = listen_on(argv[1]);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		start_thread(fd);
	}
}
