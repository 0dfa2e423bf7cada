#!/bin/sh
# /proc/PID/schedstat is one thread, /proc/PID/stat is the process.
#
# Seen on Linux 6.18 (x86-64), 2026-11-29.
#
# The guess: /proc/PID/schedstat has the CPU time of the process in nanoseconds, as
# /proc/PID/stat has it in clock ticks.
# The behaviour: it has the time of the main thread only. What other threads have used, running or
# ended, is missing, so a server with a thread for each client seems to cost nothing. The sum over
# /proc/PID/task/*/schedstat lacks the threads that have ended; stat and getrusage(2) have them.
#
# Output seen:
#   a thread has used 0.3 s and ended: schedstat 0.0 s, stat 0.3 s
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *work(void *unused)
{
	struct timespec used = { 0 };

	while (used.tv_sec * 10 + used.tv_nsec / 100000000 < 3)
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return unused;
}

int main(void)
{
	unsigned long long nanoseconds = 0;
	unsigned long user = 0, system = 0;
	char stat[2048] = "";
	pthread_t thread;
	FILE *file;

	pthread_create(&thread, NULL, work, NULL);
	pthread_join(thread, NULL);
	file = fopen("/proc/self/schedstat", "r");
	if (file == NULL || fscanf(file, "%llu", &nanoseconds) != 1)
		return 1;
	file = fopen("/proc/self/stat", "r");
	if (file == NULL || fread(stat, 1, sizeof stat - 1, file) == 0)
		return 1;
	sscanf(strrchr(stat, ')') + 2,
	       "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
	printf("a thread has used 0.3 s and ended: schedstat %.1f s, stat %.1f s\n",
	       (double)nanoseconds / 1e9,
	       (double)(user + system) / (double)sysconf(_SC_CLK_TCK));
	return 0;
}
C
cc -pthread -o program program.c
./program >seen
cat seen
diff seen - <<'EXPECTED'
a thread has used 0.3 s and ended: schedstat 0.0 s, stat 0.3 s
EXPECTED
echo "as described"
