/*
 * dog - an echo server (RFC 862): each client gets back what it sends.
 *
 *	./dog PORT	a process for each client
 *
 * Symptom: the first client is served as it should be. When it leaves, the server ends and says
 * "cannot accept: Interrupted system call". Clients that are there at that time stay served.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void reap(int signal_number)
{
	int saved = errno;

	(void)signal_number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = saved;
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
		perror("dog: cannot listen");
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

static void serve(int fd)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0)
		if (!send_all(fd, piece, (size_t)n))
			break;
	close(fd);
}

static void start_child(int listener, int fd)
{
	switch (fork()) {
	case 0:
		close(listener);
		serve(fd);
		_exit(0);
	case -1:
		perror("dog: cannot fork");
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = reap };
	int listener;

	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: dog PORT\n");
		return 2;
	}
	sigaction(SIGCHLD, &action, NULL);
	listener = listen_on(argv[1]);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0) {
			start_child(listener, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			   errno == ENOBUFS) {
			poll(NULL, 0, 50);
		} else if (errno != ECONNABORTED) {
			perror("dog: cannot accept");
			return 1;
		}
	}
}
