#!/bin/sh
# UNIX-domain stream sockets have urgent data (MSG_OOB), since Linux 5.15.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: MSG_OOB is a matter of TCP: on a UNIX-domain socket send(2) fails with EOPNOTSUPP, as
# many manual pages say, so a server on such a socket need not think of it.
# The behaviour: the last byte is urgent, as on TCP: recv(2) stops before it, and it is not in the
# stream; recv(2) with MSG_OOB returns it. A second urgent byte makes the first one an ordinary
# byte again. A client of a local socket can so take bytes out of what a server reads, unless the
# server sets SO_OOBINLINE on each accepted socket.
#
# Output seen:
#   "abc" sent with MSG_OOB: Success; recv returns "ab"; recv with MSG_OOB returns "c"
#   with SO_OOBINLINE: recv returns "ab", then "c"
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int ends[2];
static char bytes[16];

static const char *receive(int flags)
{
	memset(bytes, 0, sizeof bytes);
	recv(ends[1], bytes, sizeof bytes - 1, flags | MSG_DONTWAIT);
	return bytes;
}

static long send_urgent(void)
{
	return send(ends[0], "abc", 3, MSG_OOB);
}

int main(void)
{
	int one = 1;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	if (send_urgent() < 0 && errno == EOPNOTSUPP) {
		puts("skipped: needs urgent data on UNIX-domain sockets (CONFIG_AF_UNIX_OOB)");
		return 0;
	}
	printf("\"abc\" sent with MSG_OOB: Success; recv returns \"%s\"; ", receive(0));
	printf("recv with MSG_OOB returns \"%s\"\n", receive(MSG_OOB));
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	setsockopt(ends[1], SOL_SOCKET, SO_OOBINLINE, &one, sizeof one);
	send_urgent();
	printf("with SO_OOBINLINE: recv returns \"%s\", ", receive(0));
	printf("then \"%s\"\n", receive(0));
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
grep -q '^skipped' seen && exit 0
diff seen - <<'EXPECTED'
"abc" sent with MSG_OOB: Success; recv returns "ab"; recv with MSG_OOB returns "c"
with SO_OOBINLINE: recv returns "ab", then "c"
EXPECTED
echo "as described"
