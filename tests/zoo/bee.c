/*
 * bee - a reply server: each line that a client sends is answered with "Message received".
 *
 *	./bee PORT	a thread for each client
 *
 * Symptom: all answers are right. But a client that asks a hundred times, one after the other,
 * waits for more than four seconds, and neither computer has anything to do in that time.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
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
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, SOMAXCONN) < 0) {
		perror("bee: cannot listen");
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

/* Without descriptors or memory, accept(2) fails at once: the server waits a moment. */
static int next_client(int listener)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) < 0)
		poll(NULL, 0, 50);
	return fd;
}

static bool answer(int fd)
{
	static const char text[] = "Message received";

	return send_all(fd, text, sizeof text - 1) && send_all(fd, "\n", 1);
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
		fprintf(stderr, "usage: bee PORT\n");
		return 2;
	}
	listener = listen_on(argv[1]);
	for (;;)
		start_thread(next_client(listener));
}
