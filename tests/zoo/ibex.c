/*
 * ibex - a counter for all clients: each line that a client sends adds one, and the answer is
 * the new sum. The line of a client that is gone does not count.
 *
 *	./ibex PORT	a thread for each client
 *
 * Symptom: from some moment on nobody gets an answer. Clients still connect. Before that one
 * client had crashed.
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

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
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
		perror("ibex: cannot listen");
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

/* @return the new sum, or -1 if the client is gone */
static long add_one(int fd)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof peer;
	long next;

	pthread_mutex_lock(&lock);
	if (getpeername(fd, (struct sockaddr *)&peer, &length) < 0)
		return -1;
	next = ++sum;
	pthread_mutex_unlock(&lock);
	return next;
}

static bool answer(int fd)
{
	long next = add_one(fd);
	char text[32];
	int length = snprintf(text, sizeof text, "%ld\n", next);

	return next >= 0 && send(fd, text, (size_t)length, MSG_NOSIGNAL) > 0;
}

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char piece[4096];
	ssize_t n;
	bool open = true;

	while (open && (n = read(fd, piece, sizeof piece)) > 0) {
		poll(NULL, 0, 2); /* work */
		for (ssize_t i = 0; i < n && open; i++)
			if (piece[i] == '\n')
				open = answer(fd);
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
		fprintf(stderr, "usage: ibex PORT\n");
		return 2;
	}
	listener = listen_on(argv[1]);
	for (;;)
		start_thread(next_client(listener));
}
