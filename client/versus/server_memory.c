/*
 * server_memory - the memory of the processes of a server.
 *
 * It comes from /proc (Linux): smaps_rollup for the processes, and an estimate for the
 * kernel. The processes of a server are those of its process group.
 */
#include "client/versus/server_memory.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/lib/proc.h"
#include "common/clock.h"

enum {
	STILL_TIME = 2000, /* milliseconds within which the memory becomes stable */
	STILL_STEP = 40,
	STILL_STEPS = 5, /* equal values in a row, if sockets are missing */
};

/* Memory of the kernel beside page tables, in bytes. These are estimates: the sizes
 * of the named objects in Linux 6.18 on x86-64, added up and rounded. A 64-bit
 * kernel gives each thread a stack of 16 KiB. */
enum {
	THREAD_STACK = 16 * 1024,
	THREAD_OBJECTS = 5 * 1024,  /* task_struct, its credentials, its number (pid) */
	PROCESS_OBJECTS = 6 * 1024, /* mm_struct, signals, files */
	MAPPING_OBJECTS = 300, /* vm_area_struct, its share of anon_vma and the tree */
	SOCKET_OBJECTS = 3600, /* TCP, its inode, file and name */
	LOCAL_SOCKET_OBJECTS = 2400, /* the same of a UNIX-domain socket */
};

/* Open sockets of the processes of a server. Several processes may have the same
 * one. */
struct sockets {
	uint64_t *inodes;
	size_t count, capacity;
};

static void note_socket(struct sockets *sockets, uint64_t inode)
{
	if (sockets->count == sockets->capacity) {
		size_t capacity = sockets->capacity > 0 ? sockets->capacity * 2 : 256;
		uint64_t *more = realloc(sockets->inodes, capacity * sizeof *more);

		if (more == NULL)
			return;
		sockets->inodes = more;
		sockets->capacity = capacity;
	}
	sockets->inodes[sockets->count++] = inode;
}

/* @return 0, or -1 without permission */
static int note_sockets_of(struct sockets *sockets, pid_t pid)
{
	char path[64], text[64];
	struct dirent *entry;
	uintmax_t inode;
	DIR *descriptors;

	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	descriptors = opendir(path);
	if (descriptors == NULL)
		return -1;
	while ((entry = readdir(descriptors)) != NULL) {
		ssize_t n = readlinkat(dirfd(descriptors), entry->d_name, text,
				       sizeof text - 1);

		text[n > 0 ? n : 0] = '\0';
		if (sscanf(text, "socket:[%ju]", &inode) == 1)
			note_socket(sockets, inode);
	}
	closedir(descriptors);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t count_different(struct sockets *sockets)
{
	size_t different = 0;

	if (sockets->count > 0)
		qsort(sockets->inodes, sockets->count, sizeof *sockets->inodes,
		      by_number);
	for (size_t i = 0; i < sockets->count; i++)
		if (i == 0 || sockets->inodes[i] != sockets->inodes[i - 1])
			different++;
	return different;
}

/* Number of lines of /proc/PID/maps; 0 if the process has ended. */
static int64_t mappings_of(pid_t pid)
{
	int64_t lines = 0;
	char path[64];
	FILE *file;
	int c;

	snprintf(path, sizeof path, "/proc/%ld/maps", (long)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

/* Kernel memory of one process, without its sockets; -1 as proc_number(). */
static int64_t kernel_memory_of(pid_t pid)
{
	int64_t tables = proc_number(pid, "status", "VmPTE:");
	int64_t threads = proc_number(pid, "status", "Threads:");

	if (tables < 0 || threads < 0)
		return -1;
	return tables * 1024 + threads * (THREAD_STACK + THREAD_OBJECTS) +
	       PROCESS_OBJECTS + mappings_of(pid) * MAPPING_OBJECTS;
}

/* Adds a process. A process that has just ended is ignored. @return 0, or -1 without
 * permission */
static int add_memory(struct server_memory *memory, struct sockets *sockets, pid_t pid)
{
	int64_t own = proc_number(pid, "smaps_rollup", "Pss:");
	int64_t kernel = kernel_memory_of(pid);

	memory->own += own > 0 ? own * 1024 : 0;
	memory->kernel += kernel > 0 ? kernel : 0;
	return note_sockets_of(sockets, pid) < 0 || own < 0 || kernel < 0 ? -1 : 0;
}

struct sum {
	pid_t leader;
	struct server_memory memory;
	struct sockets sockets;
};

static void add_process(pid_t pid, void *context)
{
	struct sum *sum = context;

	if (pid != sum->leader)
		(void)add_memory(&sum->memory, &sum->sockets, pid);
}

static void add_sockets(struct sum *sum, bool local)
{
	sum->memory.sockets = (int64_t)count_different(&sum->sockets);
	sum->memory.kernel +=
		sum->memory.sockets * (local ? LOCAL_SOCKET_OBJECTS : SOCKET_OBJECTS);
}

static struct server_memory memory_now(pid_t leader, bool local)
{
	struct sum sum = { .leader = leader };

	if (add_memory(&sum.memory, &sum.sockets, leader) < 0 ||
	    proc_for_each_of_group(leader, add_process, &sum) < 0)
		sum.memory = (struct server_memory){ -1, -1, -1 };
	else
		add_sockets(&sum, local);
	free(sum.sockets.inodes);
	return sum.memory;
}

static bool are_equal(const struct server_memory *a, const struct server_memory *b)
{
	return a->own == b->own && a->kernel == b->kernel;
}

struct server_memory server_memory(pid_t leader, int64_t expected, bool local)
{
	int64_t end = clock_milliseconds() + STILL_TIME;
	const struct timespec step = clock_timespec(STILL_STEP);
	struct server_memory before, now = memory_now(leader, local);
	int equal = 0;

	do {
		before = now;
		nanosleep(&step, NULL);
		now = memory_now(leader, local);
		equal = are_equal(&before, &now) ? equal + 1 : 0;
	} while (now.own >= 0 && clock_milliseconds() < end &&
		 equal < (now.sockets < expected ? STILL_STEPS : 1));
	return now;
}

/* ---- a process that ignores SIGCHLD: the usage of its children is lost ---- */

static void look_for_ignored_children(pid_t pid, void *context)
{
	bool *ignored = context;
	char path[64], line[256];
	uintmax_t mask;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return;
	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "SigIgn: %jx", &mask) == 1)
			*ignored |= mask >> (SIGCHLD - 1) & 1;
	fclose(file);
}

bool server_ignores_children(pid_t leader)
{
	bool ignored = false;

	(void)proc_for_each_of_group(leader, look_for_ignored_children, &ignored);
	return ignored;
}
