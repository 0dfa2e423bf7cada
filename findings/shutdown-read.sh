#!/bin/sh
# After shutdown(SHUT_RD), TCP still receives: what arrives later is returned, not discarded.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess (and textbooks): after SHUT_RD the kernel acknowledges further data and discards it, so
# recv(2) returns 0 for ever. And a UNIX-domain socket does the same.
# The behaviour: on TCP recv(2) returns 0 only while nothing is there. Data that arrives later is
# returned by the next recv(2), and the peer is told nothing: its writes succeed until the receive
# buffer is full. So a server that takes 0 for "the client has ended" and goes on reading may get
# more. On a UNIX-domain socket the peer's next write fails with EPIPE.
#
# Output seen:
#   TCP: recv returns 0; the peer writes 4 bytes: accepted; recv returns 4, then 0
#   UNIX: recv returns 0; the peer writes 4 bytes: Broken pipe; recv returns 0, then 0
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int ends[2];

static void connect_by_tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, (struct sockaddr *)&address, size);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&address, &size);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	connect(ends[0], (struct sockaddr *)&address, size);
	ends[1] = accept(listener, NULL, NULL);
	close(listener);
}

static int receive(void)
{
	char bytes[16];

	return (int)recv(ends[1], bytes, sizeof bytes, 0);
}

static void show(const char *kind)
{
	struct timespec moment = { 0, 50000000 };

	shutdown(ends[1], SHUT_RD);
	printf("%s: recv returns %d; ", kind, receive());
	printf("the peer writes 4 bytes: %s; ",
	       write(ends[0], "late", 4) == 4 ? "accepted" : strerror(errno));
	nanosleep(&moment, NULL);
	printf("recv returns %d, ", receive());
	printf("then %d\n", receive());
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	connect_by_tcp();
	show("TCP");
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	show("UNIX");
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
TCP: recv returns 0; the peer writes 4 bytes: accepted; recv returns 4, then 0
UNIX: recv returns 0; the peer writes 4 bytes: Broken pipe; recv returns 0, then 0
EXPECTED
echo "as described"
