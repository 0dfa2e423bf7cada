#!/bin/sh
# The largest resident set (ru_maxrss) of a small program is that of its parent.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: execve(2) replaces the memory of a process, so ru_maxrss of getrusage(2) and wait4(2)
# is the largest memory of the new program.
# The behaviour: the maximum belongs to the process and survives execve(2); a child of fork(2) that
# then calls execve(2) has had the pages of its parent. A program of 1 MiB that a parent of 100 MiB
# starts reports 100 MiB, by fork(2) as by posix_spawn(3). VmHWM in /proc/PID/status belongs to the
# memory, and is right. A tool that measures servers must start them from a small process.
#
# Output seen:
#   started by a parent of 100 MiB: ru_maxrss 100 MiB or more, VmHWM less than 20 MiB
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEBIBYTE = 1 << 20, KIBIBYTES = 1024 };

static long high_water_mark(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long kibibytes = -1;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		sscanf(line, "VmHWM: %ld", &kibibytes);
	return kibibytes;
}

static int report(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("started by a parent of 100 MiB: ru_maxrss %s, VmHWM %s\n",
	       usage.ru_maxrss >= 100 * KIBIBYTES ? "100 MiB or more" : "less than 100 MiB",
	       high_water_mark() < 20 * KIBIBYTES ? "less than 20 MiB" : "20 MiB or more");
	return 0;
}

int main(int count, char *arguments[])
{
	char *memory;

	if (count > 1)
		return report();
	memory = malloc(100 * MEBIBYTE);
	if (memory == NULL)
		return 1;
	memset(memory, 1, 100 * MEBIBYTE);
	if (fork() == 0) {
		execl(arguments[0], arguments[0], "report", (char *)NULL);
		_exit(1);
	}
	wait(NULL);
	return memory[99] != 1;
}
C
cc -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
started by a parent of 100 MiB: ru_maxrss 100 MiB or more, VmHWM less than 20 MiB
EXPECTED
echo "as described"
