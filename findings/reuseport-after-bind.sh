#!/bin/sh
# SO_REUSEPORT may be set on a listening socket, long after bind(2).
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: all sockets of a port need SO_REUSEPORT before bind(2) (socket(7) says so of the first
# one). So a server must decide before it binds, and then cannot see that the port was in use by
# another server of the same user.
# The behaviour: the option can be set on a socket that is bound and listens already. A second
# socket with the option may then be bound, and the kernel distributes new clients over both. So a
# server can bind without it, which fails if the port is in use, and share the port afterwards.
#
# Output seen:
#   second socket, before: Address already in use
#   second socket, after setsockopt(2) on the first: bound, listens
#   100 clients: both sockets got some
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address = { .sin_family = AF_INET };

static int share(int fd)
{
	int one = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
}

static const char *try_to_bind(int fd)
{
	return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 ? "bound"
									  : strerror(errno);
}

int main(void)
{
	int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd ready[2] = { { first, POLLIN, 0 }, { second, POLLIN, 0 } };
	socklen_t size = sizeof address;
	int clients[2] = { 0, 0 };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	try_to_bind(first);
	listen(first, 8);
	getsockname(first, (struct sockaddr *)&address, &size);
	share(second);
	printf("second socket, before: %s\n", try_to_bind(second));
	share(first);
	printf("second socket, after setsockopt(2) on the first: %s, ", try_to_bind(second));
	puts(listen(second, 8) == 0 ? "listens" : strerror(errno));
	for (int i = 0; i < 100; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0), which;

		connect(client, (struct sockaddr *)&address, sizeof address);
		poll(ready, 2, 1000);
		which = ready[1].revents != 0;
		close(accept(ready[which].fd, NULL, NULL));
		close(client);
		clients[which]++;
	}
	puts(clients[0] > 0 && clients[1] > 0 ? "100 clients: both sockets got some"
					      : "100 clients: one socket got all");
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
second socket, before: Address already in use
second socket, after setsockopt(2) on the first: bound, listens
100 clients: both sockets got some
EXPECTED
echo "as described"
