#!/bin/sh
# A look at a message with MSG_PEEK opens the descriptors that it carries, each time.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: MSG_PEEK looks and takes nothing: a descriptor in SCM_RIGHTS is delivered once, with
# the message.
# The behaviour: each recvmsg(2) with MSG_PEEK installs new descriptors, and the last one, without
# it, again. A server that peeks at a message to learn its length or its kind, and reads it
# afterwards, has every passed descriptor twice. It must close those of the peek, or leave out the
# control buffer while it peeks.
#
# Output seen:
#   one descriptor was sent; two peeks and a read: 3 descriptors more are open
#   without a control buffer: a peek: 0 descriptors more, MSG_CTRUNC 1
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int ends[2];

static int open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

static int message_flags;

static void transfer(int receive, int flags, int with_control)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char byte = 'x';
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

	if (with_control) {
		memset(&control, 0, sizeof control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int)); /* descriptor 0 */
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
	}
	if (receive)
		recvmsg(ends[1], &message, flags);
	else
		sendmsg(ends[0], &message, flags);
	message_flags = message.msg_flags;
}

int main(void)
{
	int before;

	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
	before = open_descriptors();
	transfer(0, 0, 1);
	transfer(1, MSG_PEEK, 1);
	transfer(1, MSG_PEEK, 1);
	transfer(1, 0, 1);
	printf("one descriptor was sent; two peeks and a read: %d descriptors more are open\n",
	       open_descriptors() - before);
	before = open_descriptors();
	transfer(0, 0, 1);
	transfer(1, MSG_PEEK, 0);
	printf("without a control buffer: a peek: %d descriptors more, MSG_CTRUNC %d\n",
	       open_descriptors() - before, (message_flags & MSG_CTRUNC) != 0);
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
one descriptor was sent; two peeks and a read: 3 descriptors more are open
without a control buffer: a peek: 0 descriptors more, MSG_CTRUNC 1
EXPECTED
echo "as described"
