/*
 * server_process - a server under comparison: found, started, measured, stopped.
 *
 * The server inherits its listening socket (socket activation, sd_listen_fds(3)), so it is
 * reachable before it runs. Its standard error is a pipe that is read for "listening on"
 * and for the final statistics. Memory comes from /proc (Linux): smaps_rollup for the
 * process, and an estimate for the kernel.
 */
#include "client/versus/server_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "common/text.h"

enum {
	ACTIVATED_FD = 3,
	START_TIME = 5000,   /* milliseconds within which a server must be ready */
	MESSAGE_TIME = 1000, /* ... and within which it may print why it is not */
	STOP_TIME = 8000,    /* ... and within which it must end after SIGTERM: its grace
			    * period, and more */
	STILL_TIME = 2000,   /* ... and within which its memory becomes stable */
	STILL_STEP = 40,
};

/* ---- finding it ---- */

static bool is_there(struct server_process *server, const char *folder, size_t length,
		     const char *below)
{
	int n = snprintf(server->path, sizeof server->path, "%.*s%s/%s", (int)length,
			 folder, below, server->name);

	return n > 0 && (size_t)n < sizeof server->path &&
	       access(server->path, X_OK) == 0;
}

static bool is_in_path(struct server_process *server)
{
	const char *folder = getenv("PATH");

	while (folder != NULL && *folder != '\0') {
		size_t length = strcspn(folder, ":");

		if (length > 0 && is_there(server, folder, length, ""))
			return true;
		folder += length + (folder[length] == ':');
	}
	return false;
}

/* The folder of this program: from the kernel, or from argv[0]. */
static size_t own_folder(const char *argv0, char out[SERVER_PROCESS_PATH])
{
	ssize_t n = readlink("/proc/self/exe", out, SERVER_PROCESS_PATH - 1);
	char *slash;

	if (n < 0) {
		n = snprintf(out, SERVER_PROCESS_PATH, "%s", argv0);
		if (n < 0 || n >= SERVER_PROCESS_PATH)
			n = 0;
	}
	out[n] = '\0';
	slash = strrchr(out, '/');
	return slash ? (size_t)(slash - out) : 0;
}

int server_process_find(struct server_process *server, const char *argv0,
			const char *service, const char *model, struct failure *failure)
{
	char folder[SERVER_PROCESS_PATH], culprit[2 * SERVER_PROCESS_NAME];
	size_t length = own_folder(argv0, folder);
	int n = snprintf(server->name, sizeof server->name, "%sd-%s", service, model);

	server->pid = 0;
	if (n > 0 && (size_t)n < sizeof server->name &&
	    strchr(server->name, '/') == NULL &&
	    ((length > 0 && (is_there(server, folder, length, "") ||
			     is_there(server, folder, length, "/../sbin"))) ||
	     is_in_path(server)))
		return 0;
	text_escape(server->name, strlen(server->name), culprit, sizeof culprit);
	return failure_set(
		failure,
		"cannot find %s in the directory of versus, in ../sbin or in PATH",
		culprit);
}

/* ---- starting and stopping it ---- */

/* Writes the arguments of the server. */
static void put_arguments(const struct server_process *server,
			  const struct server_process_settings *settings,
			  const char *limit,
			  const char *arguments[SERVER_PROCESS_OPTIONS + 5])
{
	size_t count = 0;

	arguments[count++] = server->name;
	arguments[count++] = "--max-clients";
	arguments[count++] = limit;
	if (settings->datagrams)
		arguments[count++] = "--udp";
	for (size_t i = 0; i < SERVER_PROCESS_OPTIONS && settings->options[i] != NULL;
	     i++)
		arguments[count++] = settings->options[i];
	arguments[count] = NULL;
}

/* In the child: makes the listener descriptor 3 and the pipe descriptor 2, and
 * executes the server. */
static _Noreturn void become(const struct server_process *server,
			     const struct server_process_settings *settings, int listener,
			     int errors, pid_t parent)
{
	const char *arguments[SERVER_PROCESS_OPTIONS + 5];
	char pid[24], limit[24];

	signal(SIGTERM, SIG_DFL); /* the handler of versus would only set a flag */
	signal(SIGPIPE, SIG_DFL); /* ignored signals stay ignored across exec(2) */
	signal(SIGXFSZ, SIG_DFL);
	process_signal_with_parent(SIGTERM, parent);
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	snprintf(limit, sizeof limit, "%u", settings->clients);
	put_arguments(server, settings, limit, arguments);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	/* The pipe first: its number may be the 3 that the listener needs. dup2(2)
	 * clears FD_CLOEXEC, but not if both numbers are equal. */
	if (dup2(errors, STDERR_FILENO) < 0 ||
	    (listener == ACTIVATED_FD ? fcntl(listener, F_SETFD, 0)
				      : dup2(listener, ACTIVATED_FD)) < 0)
		_exit(127);
	execv(server->path, (char *const *)arguments);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", server->path, strerror(errno));
	_exit(127);
}

static int open_listener(struct server_process *server, bool datagrams,
			 struct failure *failure)
{
	const struct sock_place place = { "127.0.0.1", "0",
					  datagrams ? SOCK_DGRAM : SOCK_STREAM,
					  SOMAXCONN };
	struct address address;
	int fd = sock_listen(&place, failure);

	if (fd < 0)
		return -1;
	if (address_local(fd, &address) < 0) {
		close(fd);
		return failure_set(failure, "%s", strerror(errno));
	}
	snprintf(server->port, sizeof server->port, "%u", address_port(&address));
	return fd;
}

/* Reads the output of the server until a line contains the text (NULL: until end of
 * file, after its last process has ended). */
static bool read_until(struct server_process *server, const char *text, int64_t time)
{
	int64_t end = clock_milliseconds() + time, left;
	char bytes[SERVER_PROCESS_OUTPUT];
	size_t used = 0;

	server->output[0] = '\0';
	while ((left = end - clock_milliseconds()) > 0) {
		ssize_t n;

		if (io_wait(server->errors, POLLIN, left) <= 0)
			continue;
		if (used == sizeof bytes) /* only the start of the output is kept */
			used--;
		n = io_read(server->errors, bytes + used, sizeof bytes - used);
		if (n <= 0)
			return text == NULL;
		used += (size_t)n;
		text_escape(bytes, used - (bytes[used - 1] == '\n'), server->output,
			    sizeof server->output);
		if (text != NULL && bytes[used - 1] == '\n' &&
		    strstr(server->output, text) != NULL)
			return true;
	}
	return false;
}

/* Connects, half-closes, and waits until the server closes. If the server ends, or
 * never starts, its listening socket is closed, and the connection with it. */
static bool serves_empty_client(const struct server_process *server)
{
	struct sock_target target = { "127.0.0.1", server->port, AF_INET, SOCK_STREAM,
				      START_TIME };
	int64_t end = clock_milliseconds() + START_TIME, left;
	int fd = sock_connect(&target, NULL, NULL);
	char dropped[512];
	ssize_t n = 1;

	if (fd < 0)
		return false;
	shutdown(fd, SHUT_WR);
	while (n > 0 && (left = end - clock_milliseconds()) > 0)
		if (io_wait(fd, POLLIN, left) > 0)
			n = io_read(fd, dropped, sizeof dropped);
	close(fd);
	return n == 0;
}

/* Whether the server becomes ready; otherwise server->output is what it printed. */
static bool becomes_ready(struct server_process *server, bool quiet)
{
	if (!quiet)
		return read_until(server, "listening on", START_TIME);
	server->output[0] = '\0';
	if (serves_empty_client(server))
		return true;
	read_until(server, NULL, MESSAGE_TIME);
	return false;
}

int server_process_start(struct server_process *server,
			 const struct server_process_settings *settings,
			 struct failure *failure)
{
	int errors[2], listener;
	pid_t parent = getpid();
	struct process_usage usage;
	struct failure ignored;

	listener = open_listener(server, settings->datagrams, failure);
	if (listener < 0)
		return -1;
	if (pipe(errors) < 0) {
		close(listener);
		return failure_set(failure, "%s", strerror(errno));
	}
	io_set_close_on_exec(errors[0]);
	io_set_close_on_exec(errors[1]);
	server->pid = fork();
	if (server->pid == 0)
		become(server, settings, listener, errors[1], parent);
	close(listener);
	close(errors[1]);
	server->errors = errors[0];
	if (server->pid < 0) {
		server->pid = 0;
		close(errors[0]);
		return failure_set(failure, "cannot fork: %s", strerror(errno));
	}
	if (becomes_ready(server, settings->quiet))
		return 0;
	failure_set(failure, "%s did not start: %s", server->name,
		    server->output[0] ? server->output : "it printed no message");
	(void)server_process_stop(server, &usage, &ignored);
	return -1;
}

/* The number before these words in the output; -1 if there is none. */
static int64_t number_before(const char *output, const char *words)
{
	const char *end = strstr(output, words), *digit = end;
	int64_t number = 0;

	if (end == NULL)
		return -1;
	while (digit > output && digit[-1] >= '0' && digit[-1] <= '9')
		digit--;
	if (digit == end || end - digit > 18)
		return -1;
	for (; digit < end; digit++)
		number = number * 10 + (*digit - '0');
	return number;
}

/* Whether the server has ended without a request. WNOWAIT leaves its status to a
 * later wait. */
static bool has_ended(pid_t pid)
{
	siginfo_t facts = { 0 };

	return waitid(P_PID, (id_t)pid, &facts, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       facts.si_pid == pid;
}

int server_process_stop(struct server_process *server, struct process_usage *usage,
			struct failure *failure)
{
	const char *output = server->output, *colon;
	bool ended, gone;
	int status;

	*usage = (struct process_usage){ 0 };
	server->received = -1;
	if (server->pid == 0)
		return 0;
	ended = has_ended(server->pid);
	kill(server->pid, SIGTERM);
	gone = read_until(server, NULL, STOP_TIME);
	if (!gone)
		kill(server->pid, SIGKILL);
	server->received = number_before(output, " bytes in,");
	status = process_wait(server->pid, usage);
	close(server->errors);
	server->pid = 0;
	if (!gone)
		return failure_set(failure, "%s did not stop within %d s", server->name,
				   STOP_TIME / 1000);
	/* the default action of SIGTERM is a normal end */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)
		return 0;
	colon = output[0] != '\0' ? ": " : "";
	if (WIFSIGNALED(status))
		return failure_set(failure, "%s was killed by signal %d%s%s",
				   server->name, WTERMSIG(status), colon, output);
	if (status != 0 || ended)
		return failure_set(failure, "%s ended %swith exit status %d%s%s",
				   server->name, ended ? "by itself " : "",
				   WEXITSTATUS(status), colon, output);
	return 0;
}

/* ---- its memory ---- */

/* The parent of a process: the second field after the name in parentheses. The name
 * itself may contain blanks and parentheses. */
static pid_t parent_of(pid_t pid)
{
	char path[64], text[512];
	const char *after_name;
	size_t n;
	long parent;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	n = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[n] = '\0';
	after_name = strrchr(text, ')');
	if (after_name == NULL || sscanf(after_name + 1, " %*c %ld", &parent) != 1)
		return -1;
	return (pid_t)parent;
}

/* The number after a name at the start of a line of /proc/PID/FILE, as printed
 * there; -1 if the process has ended, or it is unknown. */
static int64_t number_of(pid_t pid, const char *name, const char *field)
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

/* Memory of the kernel beside page tables, in bytes. These are estimates: the sizes
 * of the named objects in Linux 6.18 on x86-64, added up and rounded. A 64-bit
 * kernel gives each thread a stack of 16 KiB. */
enum {
	THREAD_STACK = 16 * 1024,
	THREAD_OBJECTS = 5 * 1024,  /* task_struct, its credentials, its number (pid) */
	PROCESS_OBJECTS = 6 * 1024, /* mm_struct, signals, files */
	MAPPING_OBJECTS = 300, /* vm_area_struct, its share of anon_vma and the tree */
	SOCKET_OBJECTS = 3600, /* TCP, its inode, file and name */
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

/* Kernel memory of one process, without its sockets; -1 as number_of(). */
static int64_t kernel_memory_of(pid_t pid)
{
	int64_t tables = number_of(pid, "status", "VmPTE:");
	int64_t threads = number_of(pid, "status", "Threads:");

	if (tables < 0 || threads < 0)
		return -1;
	return tables * 1024 + threads * (THREAD_STACK + THREAD_OBJECTS) +
	       PROCESS_OBJECTS + mappings_of(pid) * MAPPING_OBJECTS;
}

/* Adds a process. A process that has just ended is ignored. @return 0, or -1 without
 * permission */
static int add_memory(struct server_process_memory *memory, struct sockets *sockets,
		      pid_t pid)
{
	int64_t own = number_of(pid, "smaps_rollup", "Pss:");
	int64_t kernel = kernel_memory_of(pid);

	memory->own += own > 0 ? own * 1024 : 0;
	memory->kernel += kernel > 0 ? kernel : 0;
	return note_sockets_of(sockets, pid) < 0 || own < 0 || kernel < 0 ? -1 : 0;
}

/* Memory of the server and its children. Models have no grandchildren. */
static struct server_process_memory memory_now(pid_t root)
{
	struct server_process_memory memory = { 0, 0 };
	struct sockets sockets = { NULL, 0, 0 };
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	uint64_t pid;

	if (processes == NULL || add_memory(&memory, &sockets, root) < 0)
		memory = (struct server_process_memory){ -1, -1 };
	while (memory.own >= 0 && (entry = readdir(processes)) != NULL)
		if (text_number(entry->d_name, 1, INT_MAX, &pid) &&
		    parent_of((pid_t)pid) == root)
			(void)add_memory(&memory, &sockets, (pid_t)pid);
	if (memory.own >= 0)
		memory.kernel += (int64_t)count_different(&sockets) * SOCKET_OBJECTS;
	if (processes != NULL)
		closedir(processes);
	free(sockets.inodes);
	return memory;
}

struct server_process_memory server_process_memory(const struct server_process *server)
{
	int64_t end = clock_milliseconds() + STILL_TIME;
	const struct timespec step = clock_timespec(STILL_STEP);
	struct server_process_memory before, now = memory_now(server->pid);

	do {
		before = now;
		nanosleep(&step, NULL);
		now = memory_now(server->pid);
	} while (now.own >= 0 && (now.own != before.own || now.kernel != before.kernel) &&
		 clock_milliseconds() < end);
	return now;
}
