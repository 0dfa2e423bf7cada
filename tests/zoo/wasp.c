/*
 * wasp - an echo server for UDP (RFC 862): each datagram is sent back to its sender.
 *
 *	./wasp PORT	takes what has arrived, at most 16 datagrams, and then answers
 *
 * Symptom: one client has all its answers. Of two that send at the same time, one gets answers
 * to what the other one sent, and the other one waits.
 */
#define _POSIX_C_SOURCE 200809L

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { MOST = 16, LARGEST = 65536 };

static char datagrams[MOST][LARGEST];
static size_t lengths[MOST];

static int open_port(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((unsigned short)atoi(port)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		perror("wasp: cannot bind");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

static void serve(int fd)
{
	struct sockaddr_in peer;
	socklen_t length = sizeof peer;
	int count;

	for (count = 0; count < MOST; count++) {
		ssize_t n = recvfrom(fd, datagrams[count], LARGEST, MSG_DONTWAIT,
				     (struct sockaddr *)&peer, &length);

		if (n < 0)
			break;
		lengths[count] = (size_t)n;
	}
	for (int i = 0; i < count; i++)
		sendto(fd, datagrams[i], lengths[i], 0, (struct sockaddr *)&peer, length);
}

int main(int argc, char **argv)
{
	struct pollfd ready = { .events = POLLIN };

	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: wasp PORT\n");
		return 2;
	}
	ready.fd = open_port(argv[1]);
	for (;;) {
		poll(&ready, 1, -1);
		poll(NULL, 0, 2); /* work */
		serve(ready.fd);
	}
}
