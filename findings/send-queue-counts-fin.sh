#!/bin/sh
# The send queue of a TCP socket (SIOCOUTQ) grows by one at shutdown(2): it counts the FIN.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: ioctl(SIOCOUTQ) returns the bytes that were written and are not acknowledged, so a
# half-close does not change it.
# The behaviour: after shutdown(SHUT_WR) it is one more than the bytes, until the peer has
# acknowledged the FIN; FIONREAD of the peer does not count it. A server that compares the queue
# with the bytes that it has written, to know how much of its reply has arrived, is wrong by one
# after the half-close. One that waits for the queue to get shorter, or empty, is right.
#
# Output seen:
#   not read by the peer: the queue grows by 1 at shutdown(2)
#   all read: the queue of the sender is 0
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static char bytes[65536];

static int queue_of(int fd)
{
	int length = -1;

	ioctl(fd, SIOCOUTQ, &length);
	return length;
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), sender, peer, before, same = 0, tries;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, (struct sockaddr *)&address, size);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&address, &size);
	sender = socket(AF_INET, SOCK_STREAM, 0);
	connect(sender, (struct sockaddr *)&address, size);
	peer = accept(listener, NULL, NULL);
	while (send(sender, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	before = queue_of(sender);
	for (tries = 0; same < 50 && tries < 2000; tries++) { /* until it is at rest */
		usleep(5000);
		same = queue_of(sender) == before ? same + 1 : 0;
		before = queue_of(sender);
	}
	shutdown(sender, SHUT_WR);
	printf("not read by the peer: the queue grows by %d at shutdown(2)\n",
	       queue_of(sender) - before);
	while (read(peer, bytes, sizeof bytes) > 0)
		;
	for (tries = 0; queue_of(sender) != 0 && tries < 2000; tries++)
		usleep(5000);
	printf("all read: the queue of the sender is %d\n", queue_of(sender));
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
not read by the peer: the queue grows by 1 at shutdown(2)
all read: the queue of the sender is 0
EXPECTED
echo "as described"
