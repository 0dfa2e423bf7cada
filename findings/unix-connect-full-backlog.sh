#!/bin/sh
# A non-blocking connect(2) to a UNIX-domain socket has no "in progress".
#
# Seen on Linux 6.18 (x86-64), glibc 2.36, 2026-11-29.
#
# The guess: as with TCP, connect(2) fails with EINPROGRESS while the backlog is full, and poll(2)
# or epoll(7) tells when the connection is established.
# The behaviour: it fails with EAGAIN and leaves the socket unconnected. poll(2) at once reports
# POLLOUT and POLLHUP, SO_ERROR is 0, and when the server accepts and has room again, a waiting
# epoll_wait(2) is not woken. The only way is to call connect(2) again, at some time.
#
# Output seen:
#   first client: connected
#   second client: Resource temporarily unavailable; POLLOUT 1, POLLHUP 1, SO_ERROR 0
#   after the server has accepted: epoll reports 0 events, connect(2) again: connected
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };

static int open_socket(int flags)
{
	return socket(AF_UNIX, SOCK_STREAM | flags, 0);
}

static const char *try(int fd)
{
	return connect(fd, (struct sockaddr *)&name, sizeof name) == 0 ? "connected"
								       : strerror(errno);
}

int main(void)
{
	int listener = open_socket(0), first = open_socket(SOCK_NONBLOCK);
	int second = open_socket(SOCK_NONBLOCK), loop = epoll_create1(0), error = -1;
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	struct pollfd ready = { .fd = second, .events = POLLOUT };
	socklen_t size = sizeof error;

	bind(listener, (struct sockaddr *)&name, sizeof name);
	listen(listener, 0);
	printf("first client: %s\n", try(first));
	printf("second client: %s; ", try(second));
	poll(&ready, 1, 0);
	getsockopt(second, SOL_SOCKET, SO_ERROR, &error, &size);
	printf("POLLOUT %d, POLLHUP %d, SO_ERROR %d\n", (ready.revents & POLLOUT) != 0,
	       (ready.revents & POLLHUP) != 0, error);
	epoll_ctl(loop, EPOLL_CTL_ADD, second, &event);
	epoll_wait(loop, &event, 1, 0); /* what it is ready for already */
	accept(listener, NULL, NULL);
	printf("after the server has accepted: epoll reports %d events, ",
	       epoll_wait(loop, &event, 1, 500));
	printf("connect(2) again: %s\n", try(second));
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
first client: connected
second client: Resource temporarily unavailable; POLLOUT 1, POLLHUP 1, SO_ERROR 0
after the server has accepted: epoll reports 0 events, connect(2) again: connected
EXPECTED
echo "as described"
