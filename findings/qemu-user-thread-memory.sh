#!/bin/sh
# qemu-user keeps memory of each thread that has ended: a server with a thread for each client seems
# to leak.
#
# Seen with qemu-user-static 7.2 (Debian package 1:7.2+dfsg-7+deb12u18), glibc 2.36, Linux x86-64,
# 2026-11-29.
#
# The guess: qemu-user makes a thread of the host for each thread of the program. When it has been
# joined, all memory of both is free again, so a leak that a test sees in the emulator is one of the
# program.
# The behaviour: the emulated processor of each thread stays allocated. The resident memory of the
# process grows by about 25 KiB for each thread that has ended with x86-64, by 280 KiB with AArch64.
# The same program without the emulator keeps its size. Threads that end one after the other, and
# are joined, are enough.
#
# Output seen:
#   native: 1000 threads that were joined left less than 1 MiB
#   qemu-user: 1000 threads that were joined left more than 8 MiB
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *nothing(void *argument)
{
	return argument;
}

static void run_threads(int count)
{
	pthread_t thread;

	while (count-- > 0)
		if (pthread_create(&thread, NULL, nothing, NULL) != 0 ||
		    pthread_join(thread, NULL) != 0)
			exit(1);
}

static long resident_kib(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[200];
	long kib = -1;

	while (status != NULL && kib < 0 && fgets(line, sizeof line, status) != NULL)
		(void)sscanf(line, "VmRSS: %ld", &kib);
	if (status != NULL)
		fclose(status);
	return kib;
}

int main(void)
{
	long before, grown;

	run_threads(100);
	before = resident_kib();
	run_threads(1000);
	grown = resident_kib() - before;
	printf("1000 threads that were joined left %s\n",
	       grown < 1024   ? "less than 1 MiB"
	       : grown > 8192 ? "more than 8 MiB"
			      : "1 to 8 MiB");
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
native: 1000 threads that were joined left less than 1 MiB
qemu-user: 1000 threads that were joined left more than 8 MiB
EXPECTED
echo "as described"
