#!/bin/sh
# recv(2) of no bytes waits for some, read(2) of no bytes does not.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: recv(fd, buffer, 0, 0) and read(fd, buffer, 0) are the same: they return 0 at once.
# The behaviour: read(2) returns 0 at once, without a look at the socket. recv(2) waits until a
# byte is there, and then returns 0 and leaves it. When SO_RCVTIMEO ends the wait, a UNIX-domain
# socket reports EAGAIN, and TCP returns 0. So a program whose buffer is full, and which calls
# recv(2) with the rest of its room, blocks while its peer waits, or takes 0 for the end of the
# stream.
#
# Output seen:
#   TCP: read of 0 bytes: Success at once; recv of 0 bytes: Success after the timeout
#   TCP with a byte: recv of 0 bytes: Success at once
#   UNIX: read of 0 bytes: Success at once; recv of 0 bytes: EAGAIN after the timeout
#   UNIX with a byte: recv of 0 bytes: Success at once
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int ends[2];

static double milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void try(const char *call, int is_read)
{
	double start = milliseconds();
	char byte;
	long n = is_read ? read(ends[0], &byte, 0) : recv(ends[0], &byte, 0, 0);
	const char *result = n == 0 ? "Success" : errno == EAGAIN ? "EAGAIN" : "error";

	printf("%s of 0 bytes: %s %s", call, result,
	       milliseconds() - start > 300 ? "after the timeout" : "at once");
}

static void show(const char *kind)
{
	struct timeval timeout = { .tv_usec = 500000 };

	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
	printf("%s: ", kind);
	try("read", 1);
	printf("; ");
	try("recv", 0);
	if (write(ends[1], "x", 1) != 1)
		return;
	printf("\n%s with a byte: ", kind);
	try("recv", 0);
	puts("");
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, (struct sockaddr *)&address, size);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&address, &size);
	ends[1] = socket(AF_INET, SOCK_STREAM, 0);
	connect(ends[1], (struct sockaddr *)&address, size);
	ends[0] = accept(listener, NULL, NULL);
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
TCP: read of 0 bytes: Success at once; recv of 0 bytes: Success after the timeout
TCP with a byte: recv of 0 bytes: Success at once
UNIX: read of 0 bytes: Success at once; recv of 0 bytes: EAGAIN after the timeout
UNIX with a byte: recv of 0 bytes: Success at once
EXPECTED
echo "as described"
