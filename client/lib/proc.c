/*
 * proc - the processes of a server, as the kernel shows them in /proc.
 *
 * A process may end at any time, also between two reads of its files. So whatever cannot be
 * read is left out. The cost is a few system calls for each process of the machine.
 */
#include "client/lib/proc.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/text.h"

enum { STATE_LISTEN = 10 }; /* in /proc/net/tcp, hexadecimal 0A */

enum {
	LOCAL_LISTENS = 0x10000, /* a flag in /proc/net/unix */
	LOCAL_CONNECTED = 3,     /* a state there: SS_CONNECTED of <linux/net.h> */
	LOCAL_MOST = 16          /* connections that are looked at */
};

/* The fields of /proc/PID/stat that follow the name in parentheses. The name itself may
 * contain blanks and parentheses. */
struct stat_fields {
	char state;
	long parent, group;
	unsigned long user_ticks, system_ticks;
	unsigned long long start_ticks; /* since the boot */
};

static bool read_stat(const char *path, struct stat_fields *fields)
{
	char text[1024];
	const char *after_name;
	size_t n;
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return false;
	n = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[n] = '\0';
	after_name = strrchr(text, ')');
	return after_name != NULL &&
	       sscanf(after_name + 1,
		      " %c %ld %ld %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d "
		      "%*d %*d %*d %*d %llu",
		      &fields->state, &fields->parent, &fields->group,
		      &fields->user_ticks, &fields->system_ticks,
		      &fields->start_ticks) == 6;
}

static bool read_process(pid_t pid, struct stat_fields *fields)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	return read_stat(path, fields);
}

pid_t proc_group(pid_t pid)
{
	struct stat_fields fields;

	return read_process(pid, &fields) ? (pid_t)fields.group : -1;
}

int64_t proc_start_time(pid_t pid)
{
	struct stat_fields fields;

	if (!read_process(pid, &fields) || fields.state == 'Z' || fields.state == 'X')
		return -1;
	return (int64_t)fields.start_ticks;
}

bool proc_is_stopped(pid_t pid)
{
	struct stat_fields fields;

	return read_process(pid, &fields) && fields.state == 'T';
}

int64_t proc_number(pid_t pid, const char *name, const char *field)
{
	size_t length = strlen(field);
	char path[64], line[256];
	intmax_t number = -1;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	while (number < 0 && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, field, length) != 0 ||
		    sscanf(line + length, "%jd", &number) != 1)
			number = -1;
	fclose(file);
	return number;
}

/* Calls a function for each number that is the name of an entry of the directory.
 * @return 0, or -1 if it cannot be read */
static int for_each_number(const char *path, void (*call)(uint64_t number, void *context),
			   void *context)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	uint64_t number;

	if (folder == NULL)
		return -1;
	while ((entry = readdir(folder)) != NULL)
		if (text_number(entry->d_name, 0, INT_MAX, &number))
			call(number, context);
	closedir(folder);
	return 0;
}

struct group_call {
	pid_t group;
	void (*call)(pid_t pid, void *context);
	void *context;
};

static void call_for_group(uint64_t pid, void *context)
{
	const struct group_call *call = context;

	if (proc_group((pid_t)pid) == call->group)
		call->call((pid_t)pid, call->context);
}

int proc_for_each_of_group(pid_t group, void (*call)(pid_t pid, void *context),
			   void *context)
{
	struct group_call group_call = { group, call, context };

	return for_each_number("/proc", call_for_group, &group_call);
}

struct children {
	pid_t parent, *pids;
	size_t count, most;
};

static void note_child(uint64_t pid, void *context)
{
	struct children *children = context;
	struct stat_fields fields;

	if (children->count < children->most && read_process((pid_t)pid, &fields) &&
	    fields.parent == (long)children->parent)
		children->pids[children->count++] = (pid_t)pid;
}

size_t proc_children(pid_t parent, pid_t pids[], size_t most)
{
	struct children children = { parent, pids, 0, most };

	for_each_number("/proc", note_child, &children);
	return children.count;
}

/* ---- a tree ------------------------------------------------------------------------------ */

struct process {
	pid_t pid, parent, group;
};

struct processes {
	struct process *list;
	size_t count, room;
	bool failed;
};

static void note_process(uint64_t pid, void *context)
{
	struct processes *all = context;
	struct stat_fields fields;

	if (!read_process((pid_t)pid, &fields))
		return;
	if (all->count == all->room) {
		size_t room = all->room > 0 ? 2 * all->room : 256;
		struct process *more = realloc(all->list, room * sizeof *more);

		if (more == NULL) {
			all->failed = true;
			return;
		}
		all->list = more;
		all->room = room;
	}
	all->list[all->count++] =
		(struct process){ (pid_t)pid, (pid_t)fields.parent, (pid_t)fields.group };
}

static bool contains(const struct proc_tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->pids[i] == pid)
			return true;
	return false;
}

/* Adds the processes whose parents are in the tree, until there are no more. */
static void add_descendants(struct proc_tree *tree, const struct processes *all)
{
	size_t before;

	do {
		before = tree->count;
		for (size_t i = 0; i < all->count && tree->count < PROC_TREE; i++)
			if (!contains(tree, all->list[i].pid) &&
			    contains(tree, all->list[i].parent))
				tree->pids[tree->count++] = all->list[i].pid;
	} while (tree->count > before);
}

int proc_tree_read(struct proc_tree *tree, pid_t leader)
{
	struct processes all = { 0 };
	int result = for_each_number("/proc", note_process, &all);

	tree->count = 0;
	for (size_t i = 0; i < all.count && tree->count < PROC_TREE; i++)
		if (all.list[i].pid == leader || all.list[i].group == leader)
			tree->pids[tree->count++] = all.list[i].pid;
	add_descendants(tree, &all);
	free(all.list);
	return result < 0 || all.failed || all.count == 0 ? -1 : 0;
}

/* ---- figures ----------------------------------------------------------------------------- */

struct thread_sum {
	pid_t pid;
	struct proc_figures *figures;
};

static void add_thread(uint64_t thread, void *context)
{
	const struct thread_sum *sum = context;
	struct stat_fields fields;
	int64_t voluntary, forced;
	char path[96], file[64];

	snprintf(path, sizeof path, "/proc/%ld/task/%ju/stat", (long)sum->pid,
		 (uintmax_t)thread);
	if (!read_stat(path, &fields))
		return;
	snprintf(file, sizeof file, "task/%ju/status", (uintmax_t)thread);
	voluntary = proc_number(sum->pid, file, "voluntary_ctxt_switches:");
	forced = proc_number(sum->pid, file, "nonvoluntary_ctxt_switches:");
	sum->figures->threads++;
	sum->figures->running |= fields.state == 'R' || fields.state == 'D';
	sum->figures->activities +=
		1000003 * thread + (uint64_t)voluntary + (uint64_t)forced;
}

static void count_entry(uint64_t number, void *context)
{
	(void)number;
	++*(uint64_t *)context;
}

static uint64_t count_mappings(pid_t pid)
{
	uint64_t lines = 0;
	char path[64], text[4096];
	size_t n;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%ld/maps", (long)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while ((n = fread(text, 1, sizeof text, file)) > 0)
		for (size_t i = 0; i < n; i++)
			lines += text[i] == '\n';
	fclose(file);
	return lines;
}

static void add_process(struct proc_figures *figures, pid_t pid)
{
	struct thread_sum sum = { pid, figures };
	struct stat_fields fields;
	int64_t memory;
	char path[64];

	if (!read_process(pid, &fields))
		return;
	if (fields.state == 'Z' || fields.state == 'X') {
		/* an orphan is left to us: its parent cannot wait for it */
		figures->zombies += fields.parent != (long)getpid();
		return;
	}
	figures->processes++;
	figures->cpu_ticks += fields.user_ticks + fields.system_ticks;
	memory = proc_number(pid, "status", "VmSize:");
	figures->memory_kib += memory > 0 ? (uint64_t)memory : 0;
	figures->mappings += count_mappings(pid);
	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	for_each_number(path, count_entry, &figures->descriptors);
	snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	for_each_number(path, add_thread, &sum);
}

int proc_figures_read(struct proc_figures *figures, pid_t leader)
{
	struct proc_tree *tree = malloc(sizeof *tree);
	int result = tree != NULL ? proc_tree_read(tree, leader) : -1;

	*figures = (struct proc_figures){ 0 };
	for (size_t i = 0; result == 0 && i < tree->count; i++)
		add_process(figures, tree->pids[i]);
	free(tree);
	return result;
}

/* ---- sockets ----------------------------------------------------------------------------- */

/* A line of /proc/net/tcp and the like. */
struct socket_line {
	unsigned local, remote, state;
	unsigned long inode;
};

/* Finds the first line that fits. @return 1 or 0; -1 if the file cannot be read */
static int find_socket(const char *path,
		       bool (*fits)(const struct socket_line *, const void *context),
		       const void *context, struct socket_line *found)
{
	FILE *file = fopen(path, "re");
	char line[512];
	int result = 0;

	if (file == NULL)
		return -1;
	while (result == 0 && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line,
			   " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x %*[0-9A-F]:%*s %*s %*s "
			   "%*s %*s %lu",
			   &found->local, &found->remote, &found->state,
			   &found->inode) == 4 &&
		    fits(found, context))
			result = 1;
	fclose(file);
	return result;
}

struct port {
	unsigned number;
	bool datagrams;
};

static bool is_open_port(const struct socket_line *line, const void *context)
{
	const struct port *port = context;

	return line->local == port->number &&
	       (port->datagrams || line->state == STATE_LISTEN);
}

int proc_port_is_open(unsigned port, bool datagrams)
{
	struct port wanted = { port, datagrams };
	struct socket_line line;
	int v4 = find_socket(datagrams ? "/proc/net/udp" : "/proc/net/tcp", is_open_port,
			     &wanted, &line);
	int v6 = find_socket(datagrams ? "/proc/net/udp6" : "/proc/net/tcp6",
			     is_open_port, &wanted, &line);

	return v4 < 0 && v6 < 0 ? -1 : v4 == 1 || v6 == 1;
}

static bool is_connection(const struct socket_line *line, const void *context)
{
	const unsigned *ports = context;

	return line->local == ports[0] && line->remote == ports[1];
}

/* Whether a process has a descriptor of the socket with this number. */
static bool has_socket(pid_t pid, unsigned long inode)
{
	char path[64], text[64], wanted[64];
	const struct dirent *entry;
	bool found = false;
	DIR *descriptors;

	snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	descriptors = opendir(path);
	if (descriptors == NULL)
		return false;
	while (!found && (entry = readdir(descriptors)) != NULL) {
		ssize_t n = readlinkat(dirfd(descriptors), entry->d_name, text,
				       sizeof text - 1);

		text[n > 0 ? n : 0] = '\0';
		found = strcmp(text, wanted) == 0;
	}
	closedir(descriptors);
	return found;
}

/* Finds the processes of a tree that have a descriptor of one of the sockets. */
static size_t find_holders(pid_t leader, const unsigned long inodes[], size_t inode_count,
			   pid_t holders[], size_t most)
{
	struct proc_tree *tree = malloc(sizeof *tree);
	size_t count = 0;
	bool known = tree != NULL && proc_tree_read(tree, leader) == 0;

	for (size_t i = 0; known && i < tree->count && count < most; i++)
		for (size_t j = 0; j < inode_count; j++)
			if (has_socket(tree->pids[i], inodes[j])) {
				holders[count++] = tree->pids[i];
				break;
			}
	free(tree);
	return count;
}

size_t proc_connection_holders(pid_t leader, unsigned local, unsigned remote,
			       pid_t holders[], size_t most)
{
	const unsigned ports[2] = { local, remote };
	struct socket_line line;

	if (find_socket("/proc/net/tcp", is_connection, ports, &line) != 1 &&
	    find_socket("/proc/net/tcp6", is_connection, ports, &line) != 1)
		return 0;
	return find_holders(leader, &line.inode, 1, holders, most);
}

/* ---- UNIX-domain sockets ----------------------------------------------------------------- */

/* The UNIX-domain sockets of one name. */
struct local_sockets {
	bool listens;
	unsigned long connected[LOCAL_MOST]; /* the first ones */
	size_t count;
};

/* A socket for datagrams receives as soon as it has its name. */
static void note_local(struct local_sockets *sockets, unsigned flags, unsigned type,
		       unsigned state, unsigned long inode)
{
	if (flags & LOCAL_LISTENS || type == SOCK_DGRAM)
		sockets->listens = true;
	else if (state == LOCAL_CONNECTED && sockets->count < LOCAL_MOST)
		sockets->connected[sockets->count++] = inode;
}

/* An accepted socket has the name of its listener. @return 0, or -1 if the file cannot be read */
static int find_local(const char *name, struct local_sockets *sockets)
{
	FILE *file = fopen("/proc/net/unix", "re");
	char line[512];

	*sockets = (struct local_sockets){ .listens = false };
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof line, file) != NULL) {
		unsigned flags, type, state;
		unsigned long inode;
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%*s %*s %*s %x %x %x %lu %n", &flags, &type, &state,
			   &inode, &at) == 4 &&
		    at > 0 && strcmp(line + at, name) == 0)
			note_local(sockets, flags, type, state, inode);
	}
	fclose(file);
	return 0;
}

int proc_local_is_open(const char *name)
{
	struct local_sockets sockets;

	return find_local(name, &sockets) < 0 ? -1 : sockets.listens;
}

size_t proc_local_holders(pid_t leader, const char *name, pid_t holders[], size_t most)
{
	struct local_sockets sockets;

	if (find_local(name, &sockets) < 0)
		return 0;
	return find_holders(leader, sockets.connected, sockets.count, holders, most);
}
