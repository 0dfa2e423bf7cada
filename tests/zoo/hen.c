/*
 * hen - a counter for all clients: each line that a client sends adds one, and the answer is
 * the new sum.
 *
 *	./hen PORT	a thread for each client
 *
 * Symptom: after eight clients have sent a hundred lines each at the same time, the sum is far
 * below 800. Two clients at times get the same sum.
 */
#define _POSIX_C_SOURCE 200809L

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static long sum;

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
		perror("hen: cannot listen");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

/* Without descriptors or memory, accept(2) fails at once: the server waits a moment. */
static int next_client(int listener)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) < 0)
		poll(NULL, 0, 50);
	return fd;
}

static long add_one(void)
{
	long next = sum + 1;

	poll(NULL, 0, 1); /* work */
	sum = next;
	return next;
}

static bool answer(int fd)
{
	char text[32];
	int length = snprintf(text, sizeof text, "%ld\n", add_one());

	return send(fd, text, (size_t)length, MSG_NOSIGNAL) > 0;
}

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char piece[4096];
	ssize_t n;
	bool open = true;

	while (open && (n = read(fd, piece, sizeof piece)) > 0)
		for (ssize_t i = 0; i < n && open; i++)
			if (piece[i] == '\n')
				open = answer(fd);
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
		fprintf(stderr, "usage: hen PORT\n");
		return 2;
	}
	listener = listen_on(argv[1]);
	for (;;)
		start_thread(next_client(listener));
}
