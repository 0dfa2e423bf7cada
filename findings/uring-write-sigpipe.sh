#!/bin/sh
# In io_uring, a write to a closed connection raises SIGPIPE, a send does not.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: io_uring reports errors in its completions only; or it raises SIGPIPE as send(2) and
# write(2) do.
# The behaviour: IORING_OP_SEND behaves as if MSG_NOSIGNAL were always given, although send(2)
# without it raises the signal. IORING_OP_WRITE to the same socket completes with EPIPE as well,
# and raises SIGPIPE in the process that submitted it. A server that sends by IORING_OP_SEND
# survives without ignoring SIGPIPE, until one reply is sent by IORING_OP_WRITE.
#
# Output seen:
#   IORING_OP_SEND: Broken pipe, SIGPIPE raised: 0
#   IORING_OP_WRITE: Broken pipe, SIGPIPE raised: 1
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

static volatile sig_atomic_t raised;

static void count(int number)
{
	(void)number;
	raised++;
}

static void show(const char *name, int operation, int fd)
{
	char byte = 'x';
	int result = submit(operation, fd, &byte, 1);

	printf("%s: %s, SIGPIPE raised: %d\n", name, result < 0 ? strerror(-result) : "sent",
	       (int)raised);
}

int main(void)
{
	int ends[2];

	if (open_ring() < 0) {
		puts("skipped: needs io_uring");
		return 0;
	}
	signal(SIGPIPE, count);
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	close(ends[1]);
	show("IORING_OP_SEND", IORING_OP_SEND, ends[0]);
	show("IORING_OP_WRITE", IORING_OP_WRITE, ends[0]);
	return 0;
}
C
cc -o program program.c
./program >seen
cat seen
grep -q '^skipped' seen && exit 0
diff seen - <<'EXPECTED'
IORING_OP_SEND: Broken pipe, SIGPIPE raised: 0
IORING_OP_WRITE: Broken pipe, SIGPIPE raised: 1
EXPECTED
echo "as described"
