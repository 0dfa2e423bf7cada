#!/bin/sh
# qemu-user accepts a robust mutex, and never passes it on when its owner dies.
#
# Seen with qemu-user-static 7.2 (Debian package 1:7.2+dfsg-7+deb12u18), glibc 2.36, Linux x86-64,
# 2026-11-29.
#
# The guess: an attribute that the system cannot provide is refused. So a program that has made a
# robust mutex (pthread_mutexattr_setrobust(3) and pthread_mutex_init(3) returned 0) is told
# EOWNERDEAD when the owner has been killed.
# The behaviour: qemu-user refuses set_robust_list(2), which the C library calls when a thread begins,
# and whose failure it does not report. Both functions return 0, the kernel knows no list of the
# owner, and whoever waits for the mutex waits for ever. A server whose workers take turns with such
# a mutex stands still when one is killed.
#
# Output seen:
#   native: setrobust 0, init 0, the next owner: EOWNERDEAD
#   qemu-user: setrobust 0, init 0, the next owner: ETIMEDOUT
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	pthread_mutex_t *mutex = mmap(NULL, sizeof *mutex, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;
	struct timespec end;
	int robust, init, next;
	pid_t owner;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	robust = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	init = pthread_mutex_init(mutex, &attributes);
	owner = fork();
	if (owner == 0) {
		pthread_mutex_lock(mutex);
		kill(getpid(), SIGKILL);
	}
	waitpid(owner, NULL, 0);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 2;
	next = pthread_mutex_timedlock(mutex, &end);
	printf("setrobust %d, init %d, the next owner: %s\n", robust, init,
	       next == EOWNERDEAD  ? "EOWNERDEAD"
	       : next == ETIMEDOUT ? "ETIMEDOUT"
				   : "another result");
	return 0;
}
C
# The emulator can run programs of the processor that it runs on.
machine=$(uname -m)
emulator=qemu-$machine-static
command -v "$emulator" >/dev/null || {
	apt-get -q download 'qemu-user-static=1:7.2*' >/dev/null 2>&1 ||
		{ echo "skipped: needs qemu-user-static 7.2"; exit 0; }
	dpkg-deb -x qemu-user-static_*.deb root
	emulator=root/usr/bin/$emulator
}
cc -O2 -pthread -static -o program program.c
{
	echo "native: $(./program)"
	echo "qemu-user: $("$emulator" ./program)"
} >seen
cat seen
diff seen - <<'EXPECTED'
native: setrobust 0, init 0, the next owner: EOWNERDEAD
qemu-user: setrobust 0, init 0, the next owner: ETIMEDOUT
EXPECTED
echo "as described"
