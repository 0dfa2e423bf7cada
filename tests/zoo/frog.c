/*
 * frog - an echo server (RFC 862): each client gets back what it sends. A client
 * that is silent for a minute is disconnected.
 *
 *	./frog PORT	a process for each client
 *
 * Symptom: files go through. But people who type are disconnected after the first line.
 */
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { IDLE_TICKS = 1200, TICK_US = 50000 }; /* a minute */

static volatile sig_atomic_t idle;

static void tick(int signal_number)
{
	(void)signal_number;
	if (++idle > IDLE_TICKS)
		_exit(0);
}

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
		perror("frog: cannot listen");
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

static void serve(int fd)
{
	struct sigaction action = { .sa_handler = tick };
	struct itimerval ticks = { { 0, TICK_US }, { 0, TICK_US } };
	char piece[4096];
	ssize_t n;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &ticks, NULL);
	while ((n = read(fd, piece, sizeof piece)) > 0) {
		idle = 0;
		if (!send_all(fd, piece, (size_t)n))
			return;
	}
}

static void start_child(int listener, int fd)
{
	switch (fork()) {
	case 0:
		close(listener);
		serve(fd);
		_exit(0);
	case -1:
		perror("frog: cannot fork");
	}
	close(fd);
}

int main(int argc, char **argv)
{
	int listener;

	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: frog PORT\n");
		return 2;
	}
	signal(SIGCHLD, SIG_IGN); /* no zombies */
	listener = listen_on(argv[1]);
	for (;;)
		start_child(listener, next_client(listener));
}
