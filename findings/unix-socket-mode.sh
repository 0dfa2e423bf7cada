#!/bin/sh
# fchmod(2) of a UNIX-domain socket sets the mode of its file before bind(2), and nothing after it.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: fchmod(2) on the listening descriptor changes who may connect, as it does for the file
# of any other descriptor.
# The behaviour: the descriptor and the file are two inodes. fchmod(2) after bind(2) succeeds,
# fstat(2) shows the new mode, and the file keeps its old one: everybody who could connect still
# can. Before bind(2) the same call decides the mode that bind(2) gives to the file (less the
# umask), so there is no moment in which the socket is open to others.
#
# Output seen:
#   fchmod(0600) after bind: Success; fstat says 600, the file has 755
#   fchmod(0600) before bind: Success; the file has 600
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };

static const char *change_mode(int fd)
{
	return fchmod(fd, 0600) == 0 ? "Success" : strerror(errno);
}

static unsigned mode_of_file(void)
{
	struct stat facts;

	stat(name.sun_path, &facts);
	return facts.st_mode & 0777;
}

int main(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct stat facts;

	umask(022);
	bind(fd, (struct sockaddr *)&name, sizeof name);
	printf("fchmod(0600) after bind: %s; ", change_mode(fd));
	fstat(fd, &facts);
	printf("fstat says %o, the file has %o\n", facts.st_mode & 0777, mode_of_file());
	unlink(name.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	printf("fchmod(0600) before bind: %s; ", change_mode(fd));
	bind(fd, (struct sockaddr *)&name, sizeof name);
	printf("the file has %o\n", mode_of_file());
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
fchmod(0600) after bind: Success; fstat says 600, the file has 755
fchmod(0600) before bind: Success; the file has 600
EXPECTED
echo "as described"
