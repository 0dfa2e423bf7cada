#!/bin/sh
# A datagram to a UNIX-domain socket that is connected to another one fails with EPERM.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: as with UDP: connect(2) filters what the socket receives, so the datagrams of others
# are dropped, and their senders are told nothing, or ECONNREFUSED.
# The behaviour: sendto(2) of the others fails with EPERM, and so does their connect(2), although
# the permissions of the file allow it and both sides belong to the same user. A server that
# connects its datagram socket to one client, to answer by send(2), shows all other clients a
# problem of rights that nobody has.
#
# Output seen:
#   before: a stranger sends: Success
#   the server is connected to its client: the client sends: Success
#   the server is connected to its client: a stranger sends: Operation not permitted
#   the server is connected to its client: a stranger connects: Operation not permitted
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un server_name = { .sun_family = AF_UNIX, .sun_path = "server" };
static struct sockaddr_un client_name = { .sun_family = AF_UNIX, .sun_path = "client" };

static const char *outcome(long result)
{
	return result < 0 ? strerror(errno) : "Success";
}

static const char *send_from(int fd)
{
	return outcome(sendto(fd, "x", 1, 0, (struct sockaddr *)&server_name,
			      sizeof server_name));
}

int main(void)
{
	const char *when = "the server is connected to its client";
	int server = socket(AF_UNIX, SOCK_DGRAM, 0), client = socket(AF_UNIX, SOCK_DGRAM, 0);
	int stranger = socket(AF_UNIX, SOCK_DGRAM, 0);

	bind(server, (struct sockaddr *)&server_name, sizeof server_name);
	bind(client, (struct sockaddr *)&client_name, sizeof client_name);
	printf("before: a stranger sends: %s\n", send_from(stranger));
	connect(server, (struct sockaddr *)&client_name, sizeof client_name);
	printf("%s: the client sends: %s\n", when, send_from(client));
	printf("%s: a stranger sends: %s\n", when, send_from(stranger));
	printf("%s: a stranger connects: %s\n", when,
	       outcome(connect(stranger, (struct sockaddr *)&server_name,
			       sizeof server_name)));
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
before: a stranger sends: Success
the server is connected to its client: the client sends: Success
the server is connected to its client: a stranger sends: Operation not permitted
the server is connected to its client: a stranger connects: Operation not permitted
EXPECTED
echo "as described"
