#!/bin/sh
# shutdown(2) fails with ENOTCONN, and takes effect all the same.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: a call that fails has done nothing. A UDP socket without a peer, or a TCP socket that
# is not connected yet, is as before.
# The behaviour: the error is returned after the socket was shut down. A blocking recv(2) on the
# UDP socket returns 0 at once and for ever, where 0 also means an empty datagram; a non-blocking
# one fails with EAGAIN, although poll(2) reports POLLIN and POLLHUP. sendto(2) fails with EPIPE
# and raises SIGPIPE. A TCP socket can still connect, but can never send: the server has a client
# that stays silent. So shutdown(2) wakes a thread that waits in recvfrom(2), and the error may be
# ignored; but a socket of a failed call must not be used again.
#
# Output seen:
#   UDP: shutdown: Transport endpoint is not connected; POLLIN 1, POLLHUP 1; sendto: Broken pipe
#   UDP: recv: 0; recv with MSG_DONTWAIT: Resource temporarily unavailable
#   TCP: shutdown: Transport endpoint is not connected; connect: Success; write: Broken pipe
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address = { .sin_family = AF_INET };

static int open_socket(int type)
{
	int fd = socket(AF_INET, type, 0);
	socklen_t size = sizeof address;

	address.sin_port = 0;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(fd, (struct sockaddr *)&address, size);
	getsockname(fd, (struct sockaddr *)&address, &size);
	return fd;
}

static const char *outcome(long result)
{
	return result < 0 ? strerror(errno) : "Success";
}

int main(void)
{
	int udp = open_socket(SOCK_DGRAM), tcp = socket(AF_INET, SOCK_STREAM, 0), listener;
	struct pollfd one = { .fd = udp, .events = POLLIN };
	struct timeval limit = { .tv_sec = 5 };
	char bytes[8];

	signal(SIGPIPE, SIG_IGN);
	printf("UDP: shutdown: %s; ", outcome(shutdown(udp, SHUT_RDWR)));
	poll(&one, 1, 0);
	printf("POLLIN %d, POLLHUP %d; ", (one.revents & POLLIN) != 0,
	       (one.revents & POLLHUP) != 0);
	printf("sendto: %s\n", outcome(sendto(udp, "x", 1, 0, (struct sockaddr *)&address,
					      sizeof address)));
	setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	printf("UDP: recv: %d; ", (int)recv(udp, bytes, sizeof bytes, 0));
	printf("recv with MSG_DONTWAIT: %s\n",
	       outcome(recv(udp, bytes, sizeof bytes, MSG_DONTWAIT)));
	listener = open_socket(SOCK_STREAM);
	listen(listener, 1);
	printf("TCP: shutdown: %s; ", outcome(shutdown(tcp, SHUT_WR)));
	printf("connect: %s; ",
	       outcome(connect(tcp, (struct sockaddr *)&address, sizeof address)));
	printf("write: %s\n", outcome(write(tcp, "x", 1)));
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
UDP: shutdown: Transport endpoint is not connected; POLLIN 1, POLLHUP 1; sendto: Broken pipe
UDP: recv: 0; recv with MSG_DONTWAIT: Resource temporarily unavailable
TCP: shutdown: Transport endpoint is not connected; connect: Success; write: Broken pipe
EXPECTED
echo "as described"
