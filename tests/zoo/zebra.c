/*
 * zebra - an echo server for UDP (RFC 862): each datagram is sent back to its sender.
 *
 *	./zebra PORT
 *
 * Symptom: it runs for months, and then it has ended, with exit status 0 and without a message.
 * Somebody had run a port scanner.
 */
#define _POSIX_C_SOURCE 200809L

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static int open_port(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((unsigned short)atoi(port)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		perror("zebra: cannot bind");
		exit(1);
	}
	fprintf(stderr, "listening on 127.0.0.1 port %s\n", port);
	return fd;
}

int main(int argc, char **argv)
{
	static char datagram[65536];
	struct sockaddr_in peer;
	socklen_t length;
	ssize_t n;
	int fd;

	if (argc != 2 || atoi(argv[1]) < 1 || atoi(argv[1]) > 65535) {
		fprintf(stderr, "usage: zebra PORT\n");
		return 2;
	}
	fd = open_port(argv[1]);
	do {
		length = sizeof peer;
		n = recvfrom(fd, datagram, sizeof datagram, 0, (struct sockaddr *)&peer,
			     &length);
		if (n >= 0)
			sendto(fd, datagram, (size_t)n, 0, (struct sockaddr *)&peer,
			       length);
	} while (n != 0);
	return 0;
}
