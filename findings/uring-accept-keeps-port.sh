#!/bin/sh
# A process that has ended, and was waited for, can still listen: its io_uring does.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: after waitpid(2) the descriptors of a process are closed, so its port is free, and a
# new server can bind it at once.
# The behaviour: an accept that waits in an io_uring keeps the listening socket. The kernel takes
# the ring apart after the process has ended, in a worker of its own. Until then, some
# milliseconds later, bind(2) fails with EADDRINUSE, also with SO_REUSEADDR. A restarted server
# that does not try again fails now and then. A server that ends by itself can cancel its accepts
# first (IORING_ASYNC_CANCEL_ANY) and wait for that.
#
# Output seen (twice):
#   20 of 20 ports were in use after waitpid(2), for up to 13.6 ms
#   20 of 20 ports were in use after waitpid(2), for up to 11.7 ms
#
# "skipped" where the system has no io_uring or forbids it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PORTS = 20, LIMIT = 2000 };

static struct sockaddr_in address;

static double milliseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* A listening socket at the address; -1: in use. */
static int listen_there(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Submits an accept that stays, and waits for SIGKILL. */
static void accept_in_a_ring(int listener, int tell)
{
	struct io_uring_params p = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 4, &p);
	struct io_uring_sqe *entry;
	char *queue, submitted;

	if (ring < 0)
		_exit(1);
	queue = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned),
		     PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	entry = mmap(NULL, p.sq_entries * sizeof *entry, PROT_READ | PROT_WRITE, MAP_SHARED,
		     ring, IORING_OFF_SQES);
	memset(entry, 0, sizeof *entry);
	entry->opcode = IORING_OP_ACCEPT;
	entry->fd = listener;
	*(unsigned *)(queue + p.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(queue + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	submitted = syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) == 1;
	if (write(tell, &submitted, 1) != 1)
		_exit(1);
	pause();
}

int main(void)
{
	int in_use = 0;
	double longest = 0;

	for (int i = 0; i < PORTS; i++) {
		int told[2], fd;
		char submitted = 0;
		socklen_t size = sizeof address;
		double from;
		bool waited = false;
		pid_t child;

		address = (struct sockaddr_in){ .sin_family = AF_INET };
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = listen_there();
		getsockname(fd, (struct sockaddr *)&address, &size);
		if (pipe(told) < 0 || (child = fork()) < 0)
			return 1;
		if (child == 0)
			accept_in_a_ring(fd, told[1]);
		close(fd);
		close(told[1]);
		if (read(told[0], &submitted, 1) != 1 || !submitted) {
			puts("skipped: needs io_uring");
			return 0;
		}
		close(told[0]);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		from = milliseconds();
		while ((fd = listen_there()) < 0 && milliseconds() - from < LIMIT)
			waited = true;
		if (waited && milliseconds() - from > longest)
			longest = milliseconds() - from;
		in_use += waited;
		close(fd);
	}
	printf("%d of %d ports were in use after waitpid(2), for up to %.1f ms\n", in_use,
	       PORTS, longest);
	return in_use > 0 ? 0 : 1;
}
C
cc -o program program.c
./program >seen || { cat seen; exit 1; }
cat seen
grep -q '^skipped' seen || echo "as described"
