/*
 * hare - a calendar: a client sends a line with seconds since 1970, such as "129600", and gets
 * the date in local time, such as "1970-01-02". The log has a line for each request.
 *
 *	./hare PORT	a thread for each client
 *
 * Symptom: one client gets the right dates. When many ask at the same time, some of them get
 * today's date instead of the one that they asked for.
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
#include <time.h>
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
		perror("hare: cannot listen");
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

static bool answer(int fd, const char *line)
{
	char text[64], today[64];
	time_t now = time(NULL), asked = atol(line);
	struct tm *date = localtime(&now);
	size_t length;

	strftime(today, sizeof today, "%Y-%m-%d", date);
	date = localtime(&asked);
	fprintf(stderr, "hare: %s: a client asks for %s\n", today, line);
	length = strftime(text, sizeof text, "%Y-%m-%d\n", date);
	return send(fd, text, length, MSG_NOSIGNAL) > 0;
}

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char line[32], piece[4096];
	size_t length = 0;
	ssize_t n;
	bool open = true;

	while (open && (n = read(fd, piece, sizeof piece)) > 0)
		for (ssize_t i = 0; i < n && open; i++) {
			if (piece[i] != '\n') {
				if (length < sizeof line - 1)
					line[length++] = piece[i];
				continue;
			}
			line[length] = '\0';
			length = 0;
			open = answer(fd, line);
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
		fprintf(stderr, "usage: hare PORT\n");
		return 2;
	}
	listener = listen_on(argv[1]);
	for (;;)
		start_thread(next_client(listener));
}
