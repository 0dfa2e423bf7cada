#!/bin/sh
# A receive by io_uring does not know SO_RCVTIMEO.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: the timeout is an option of the socket, so it ends every receive of a blocking socket,
# by recv(2) or by io_uring.
# The behaviour: recv(2) ends after the timeout. IORING_OP_RECV of the same socket does not end:
# io_uring tries once without waiting, and then waits for the socket as poll(2) does, which has no
# such option. A server that moves from threads to io_uring loses its idle timeouts without an
# error; it needs IORING_OP_LINK_TIMEOUT or timers of its own.
#
# Output seen:
#   SO_RCVTIMEO of 0.1 s: recv(2): Resource temporarily unavailable
#   SO_RCVTIMEO of 0.1 s: IORING_OP_RECV: not complete after 1 s
#
# "skipped" where the system has no io_uring or forbids it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <errno.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static char *queue;
static struct io_uring_sqe *entry;
static struct io_uring_params p;
static int ring;

static int open_ring(void)
{
	ring = (int)syscall(SYS_io_uring_setup, 1, &p);
	if (ring < 0 || !(p.features & IORING_FEAT_SINGLE_MMAP) ||
	    !(p.features & IORING_FEAT_EXT_ARG))
		return -1;
	queue = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		     PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	entry = mmap(NULL, sizeof *entry, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		     IORING_OFF_SQES);
	return queue == MAP_FAILED || entry == MAP_FAILED ? -1 : 0;
}

/* Submits one request, and waits at most a second. @return its result; 1: not complete */
static int submit(int operation, int fd, void *bytes, unsigned size)
{
	static unsigned tail;
	struct __kernel_timespec second = { .tv_sec = 1 };
	struct io_uring_getevents_arg wait = { .ts = (unsigned long)&second };
	unsigned *head = (unsigned *)(queue + p.cq_off.head);
	unsigned *end = (unsigned *)(queue + p.cq_off.tail);
	struct io_uring_cqe *results = (struct io_uring_cqe *)(queue + p.cq_off.cqes);
	int result = 1;

	memset(entry, 0, sizeof *entry);
	entry->opcode = (unsigned char)operation;
	entry->fd = fd;
	entry->addr = (unsigned long)bytes;
	entry->len = size;
	*(unsigned *)(queue + p.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(queue + p.sq_off.tail), ++tail, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
		&wait, sizeof wait);
	if (*head != __atomic_load_n(end, __ATOMIC_ACQUIRE))
		result = results[(*head)++ & (p.cq_entries - 1)].res;
	return result;
}

int main(void)
{
	struct timeval timeout = { .tv_usec = 100000 };
	int ends[2];
	char byte;

	if (open_ring() < 0) {
		puts("skipped: needs io_uring");
		return 0;
	}
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
	printf("SO_RCVTIMEO of 0.1 s: recv(2): %s\n",
	       recv(ends[0], &byte, 1, 0) < 0 ? strerror(errno) : "received");
	printf("SO_RCVTIMEO of 0.1 s: IORING_OP_RECV: %s\n",
	       submit(IORING_OP_RECV, ends[0], &byte, 1) == 1 ? "not complete after 1 s"
							     : "completed");
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
grep -q '^skipped' seen && exit 0
diff seen - <<'EXPECTED'
SO_RCVTIMEO of 0.1 s: recv(2): Resource temporarily unavailable
SO_RCVTIMEO of 0.1 s: IORING_OP_RECV: not complete after 1 s
EXPECTED
echo "as described"
