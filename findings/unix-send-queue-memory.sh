#!/bin/sh
# The send queue of a UNIX-domain socket (TIOCOUTQ) counts memory, not bytes.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: ioctl(TIOCOUTQ) returns the bytes that the peer has not read, as on a TCP socket and
# as FIONREAD does at the other end.
# The behaviour: it returns the memory of the kernel's buffers: one byte counts 768. A buffer counts
# in full until its last byte is read, so the number does not fall while a peer reads a large
# message slowly: a check "has the peer read anything?" that waits for it to fall is wrong.
#
# Output seen:
#   1 byte written: TIOCOUTQ 768, FIONREAD of the peer 1
#   101 bytes written in two calls: TIOCOUTQ 1536, FIONREAD of the peer 101
#   52 of them read: TIOCOUTQ 768, FIONREAD of the peer 49
#   90 of them read: TIOCOUTQ 768, FIONREAD of the peer 11
#   all read: TIOCOUTQ 0, FIONREAD of the peer 0
#
# The script checks the relations, not the numbers of this kernel.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2], queued[5];

static void show(const char *what, int place)
{
	int waiting;

	ioctl(ends[0], TIOCOUTQ, &queued[place]);
	ioctl(ends[1], FIONREAD, &waiting);
	printf("%s: TIOCOUTQ %d, FIONREAD of the peer %d\n", what, queued[place], waiting);
}

int main(void)
{
	char bytes[128] = { 0 };

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || write(ends[0], bytes, 1) != 1)
		return 1;
	show("1 byte written", 0);
	if (write(ends[0], bytes, 100) != 100)
		return 1;
	show("101 bytes written in two calls", 1);
	if (read(ends[1], bytes, 52) != 52)
		return 1;
	show("52 of them read", 2);
	if (read(ends[1], bytes, 38) != 38)
		return 1;
	show("90 of them read", 3);
	if (read(ends[1], bytes, 11) != 11)
		return 1;
	show("all read", 4);
	return queued[0] > 1 && queued[1] == 2 * queued[0] && queued[2] == queued[0] &&
			       queued[3] == queued[0] && queued[4] == 0
		       ? 0
		       : 1;
}
C
cc -o program program.c
./program
echo "as described"
