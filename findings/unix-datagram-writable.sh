#!/bin/sh
# A UNIX-domain datagram socket is writable although the receiver is full, unless it is connected.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: POLLOUT means that sendto(2) does not fail with EAGAIN; so after EAGAIN a program
# waits for POLLOUT.
# The behaviour: the limit is the queue of the receiver (11 messages, net.unix.max_dgram_qlen + 1),
# and poll(2) does not know the receiver of a later sendto(2). It reports POLLOUT all the time, and
# a loop that waits for it uses the whole processor until the receiver reads. After connect(2) to
# the same receiver poll(2) looks at its queue, and waits.
#
# Output seen:
#   sendto fails with Resource temporarily unavailable after 11 messages
#   not connected: POLLOUT 1, sendto: Resource temporarily unavailable
#   connected: POLLOUT 0; after the receiver has read all: POLLOUT 1
#
# 11 is the default of a kernel; where the setting differs, this differs.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };

static long send_one(int fd)
{
	return sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&name, sizeof name);
}

static int is_writable(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLOUT };

	poll(&one, 1, 0);
	return (one.revents & POLLOUT) != 0;
}

int main(void)
{
	int receiver = socket(AF_UNIX, SOCK_DGRAM, 0), sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	int sent = 0;
	char byte;

	bind(receiver, (struct sockaddr *)&name, sizeof name);
	while (send_one(sender) == 1)
		sent++;
	printf("sendto fails with %s after %d messages\n", strerror(errno), sent);
	printf("not connected: POLLOUT %d, ", is_writable(sender));
	printf("sendto: %s\n", send_one(sender) < 0 ? strerror(errno) : "sent");
	connect(sender, (struct sockaddr *)&name, sizeof name);
	printf("connected: POLLOUT %d; ", is_writable(sender));
	while (recv(receiver, &byte, 1, MSG_DONTWAIT) == 1)
		;
	printf("after the receiver has read all: POLLOUT %d\n", is_writable(sender));
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
sendto fails with Resource temporarily unavailable after 11 messages
not connected: POLLOUT 1, sendto: Resource temporarily unavailable
connected: POLLOUT 0; after the receiver has read all: POLLOUT 1
EXPECTED
echo "as described"
