/*
 * server_process - a server under comparison: found, started, measured, stopped.
 *
 * A server of the suite inherits its listening socket (socket activation,
 * sd_listen_fds(3)), so it is reachable before it runs. So does the command of a user,
 * unless it contains "{port}": then it opens the port itself.
 *
 * Each server is a process group. All of it gets the SIGTERM, and versus waits for all of
 * it: a process whose parent has ended becomes a child of versus, so that its CPU time is
 * not lost. A process that has left the group (setsid(2)) becomes a child of versus as well, when
 * its parent has ended. versus kills it at the end, because it would run on after the comparison.
 */
#include "client/versus/server_process.h"

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

#include "client/lib/local_listener.h"
#include "client/lib/proc.h"
#include "client/lib/program.h"
#include "client/versus/server_memory.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "common/text.h"

#define PORT_MARK "{port}"
#define PATH_MARK "{path}"

enum {
	ACTIVATED_FD = 3,
	START_TIME = 10000,  /* milliseconds within which a server must be ready */
	MESSAGE_TIME = 1000, /* ... and within which it may print why it is not */
	STOP_TIME = 8000,    /* ... and within which it must end after SIGTERM: its grace
			    * period, and more */
	STOPPED_TIME = 500,  /* ... but a process that is stopped cannot end */
	KILL_TIME = 2000,    /* ... and within which it must end after SIGKILL */
	LOOK_STEP = 1,       /* ... between two looks whether it has ended */
	CONNECT_STEP = 10,   /* ... between two tries to connect */
	CONNECT_TIME = 1000, /* ... for each of them */
	DESCRIPTORS_ASIDE = 64,
};

/* What the server is to get. */
struct start {
	const struct server_process *server;
	const struct server_process_settings *settings;
	int listener; /* -1: it opens the port itself */
	int errors;   /* write end of the pipe of its output */
	char *line;   /* the command with the port in it; NULL: a program of the suite */
	pid_t parent;
};

/* ---- finding it ---- */

static bool is_there(struct server_process *server, const char *folder, size_t length,
		     const char *below)
{
	int n = snprintf(server->path, sizeof server->path, "%.*s%s/%s", (int)length,
			 folder, below, server->name);

	return n > 0 && (size_t)n < sizeof server->path && program_is(server->path);
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
	server->command = NULL;
	if (n > 0 && (size_t)n < sizeof server->name &&
	    strchr(server->name, '/') == NULL &&
	    ((length > 0 && (is_there(server, folder, length, "") ||
			     is_there(server, folder, length, "/../sbin"))) ||
	     program_search(server->name, server->path, sizeof server->path)))
		return 0;
	text_escape(server->name, strlen(server->name), culprit, sizeof culprit);
	return failure_set(
		failure,
		"cannot find %s in the directory of versus, in ../sbin or in PATH",
		culprit);
}

/* ---- the command of a user ---- */

static const char *mark_of(bool local)
{
	return local ? PATH_MARK : PORT_MARK;
}

int server_process_check(const struct server_process *server, bool local,
			 struct failure *failure)
{
	if (server->command == NULL || strstr(server->command, mark_of(!local)) == NULL)
		return 0;
	return failure_set(failure, local ? "--server: with --unix, use " PATH_MARK
					    " instead of " PORT_MARK
					  : "--server: " PATH_MARK " needs --unix");
}

/* The command opens its port, or its path. */
static bool opens_port(const struct server_process *server)
{
	return server->command != NULL &&
	       strstr(server->command, mark_of(server->local)) != NULL;
}

/* What makes the shell become the server instead of waiting for it: LISTEN_PID must be
 * the process of the server. That is possible for a simple command only. With variables
 * before it, env(1) does the same. */
static const char *become_prefix(const char *command)
{
	size_t word = strcspn(command, " \t"), variable = strcspn(command, "=");

	if (command[strcspn(command, ";&|()\n")] != '\0' ||
	    (word == 4 && strncmp(command, "exec", 4) == 0))
		return "";
	return variable < word ? "exec env " : "exec ";
}

/* The most that the command can grow by when each mark becomes @p value. */
static size_t growth(const char *command, const char *mark, const char *value)
{
	size_t marks = 0;

	for (; (command = strstr(command, mark)) != NULL; command++)
		marks++;
	return marks * strlen(value);
}

/* The command with the port or path instead of each mark. @return it, for free(), or NULL */
static char *line_with_port(const char *command, const char *word, const char *port)
{
	enum { MARK = sizeof PORT_MARK - 1 }; /* PATH_MARK is as long */
	const char *prefix = become_prefix(command), *mark;
	char *line = malloc(strlen(prefix) + strlen(command) +
			    growth(command, word, port) + 1),
	     *to = line;

	if (line == NULL)
		return NULL;
	memcpy(to, prefix, strlen(prefix));
	to += strlen(prefix);
	for (; (mark = strstr(command, word)) != NULL; command = mark + MARK) {
		memcpy(to, command, (size_t)(mark - command));
		to += mark - command;
		memcpy(to, port, strlen(port));
		to += strlen(port);
	}
	memcpy(to, command, strlen(command) + 1);
	return line;
}

/* ---- starting it ---- */

/* Writes the arguments of a server of the suite. */
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

/* In the child: announces the listener by the protocol of sd_listen_fds(3), or nothing. */
static void announce_listener(const struct start *start)
{
	char pid[24];

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	if (start->listener < 0)
		return;
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
}

/* In the child: makes the pipe descriptor 2 (for a command also 1: the table of versus
 * must not be mixed with its output) and the listener descriptor 3. The pipe first: its
 * number may be the 3 that the listener needs. dup2(2) clears FD_CLOEXEC, but not if both
 * numbers are equal. @return 0, or -1 with errno */
static int place_descriptors(const struct start *start)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(start->errors, STDERR_FILENO) < 0 ||
	    (start->line != NULL && dup2(start->errors, STDOUT_FILENO) < 0))
		return -1;
	if (start->listener < 0)
		return 0;
	return start->listener == ACTIVATED_FD ? fcntl(start->listener, F_SETFD, 0)
					       : dup2(start->listener, ACTIVATED_FD);
}

/* In the child: executes the server. */
static _Noreturn void become(const struct start *start)
{
	const char *arguments[SERVER_PROCESS_OPTIONS + 5];
	const struct server_process *server = start->server;
	char limit[24];

	setpgid(0, 0);
	signal(SIGTERM, SIG_DFL); /* the handler of versus would only set a flag */
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL); /* ignored signals stay ignored across exec(2) */
	signal(SIGXFSZ, SIG_DFL);
	process_signal_with_parent(SIGTERM, start->parent);
	announce_listener(start);
	if (place_descriptors(start) < 0)
		_exit(127);
	if (start->line != NULL) {
		process_raise_descriptors(start->settings->clients + DESCRIPTORS_ASIDE);
		execl("/bin/sh", "sh", "-c", start->line, (char *)NULL);
	} else {
		snprintf(limit, sizeof limit, "%u", start->settings->clients);
		put_arguments(server, start->settings, limit, arguments);
		execv(server->path, (char *const *)arguments);
	}
	dprintf(STDERR_FILENO, "cannot run %s: %s\n",
		start->line != NULL ? "/bin/sh" : server->path, strerror(errno));
	_exit(127);
}

/* Whether the server has ended without a request. WNOWAIT leaves its status to a
 * later wait. */
static bool has_ended(pid_t pid)
{
	siginfo_t facts = { 0 };

	return waitid(P_PID, (id_t)pid, &facts, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       facts.si_pid == pid;
}

/* Why waiting for the start of a server ends early. */
struct waiting {
	pid_t pid;
	const volatile sig_atomic_t *stop;
};

static bool is_in_vain(void *context)
{
	const struct waiting *waiting = context;

	return has_ended(waiting->pid) || (waiting->stop != NULL && *waiting->stop);
}

/* Connects, half-closes, and waits until the server closes. If the server ends, or
 * never starts, its listening socket is closed, and the connection with it. */
static bool serves_empty_client(const struct server_process *server,
				struct waiting *waiting)
{
	struct sock_target target = { server->host, server->port, AF_INET, SOCK_STREAM,
				      START_TIME };
	int64_t end = clock_milliseconds() + START_TIME, left;
	int fd = sock_connect(&target, NULL, NULL);
	char dropped[512];
	ssize_t n = 1;

	if (fd < 0)
		return false;
	shutdown(fd, SHUT_WR);
	while (n > 0 && (left = end - clock_milliseconds()) > 0 && !is_in_vain(waiting))
		if (io_wait(fd, POLLIN, left < CONNECT_TIME ? left : CONNECT_TIME) > 0)
			n = io_read(fd, dropped, sizeof dropped);
	close(fd);
	return n == 0;
}

/* Connects until the port accepts. */
static bool accepts_client(const struct server_process *server, struct waiting *waiting)
{
	struct sock_target target = { server->host, server->port, AF_INET, SOCK_STREAM,
				      CONNECT_TIME };
	const struct timespec step = clock_timespec(CONNECT_STEP);
	int64_t end = clock_milliseconds() + START_TIME;

	while (!is_in_vain(waiting) && clock_milliseconds() < end) {
		int fd = sock_connect(&target, NULL, NULL);

		if (fd >= 0) {
			close(fd);
			return true;
		}
		nanosleep(&step, NULL);
	}
	return false;
}

/* Whether the server becomes ready. With datagrams and a port of its own it shows this
 * only by an answer, for which the load waits. */
static bool becomes_ready(struct server_process *server,
			  const struct server_process_settings *settings)
{
	struct waiting waiting = { server->pid, settings->stop };

	if (opens_port(server))
		return settings->datagrams || accepts_client(server, &waiting);
	if (settings->quiet && server->command == NULL)
		return serves_empty_client(server, &waiting);
	return server_output_await(&server->output, "listening on", START_TIME,
				   is_in_vain, &waiting);
}

/* Describes a wait status: "exit status 1", "signal 11". */
static void status_text(int status, char out[32])
{
	if (WIFSIGNALED(status))
		snprintf(out, 32, "signal %d", WTERMSIG(status));
	else
		snprintf(out, 32, "exit status %d", WEXITSTATUS(status));
}

/* Whether the server has ended, or is about to: its sockets are closed before. */
static bool ends(const struct server_process *server)
{
	const struct timespec step = clock_timespec(LOOK_STEP);
	int64_t end = clock_milliseconds() + MESSAGE_TIME;

	while (!has_ended(server->pid) && clock_milliseconds() < end)
		nanosleep(&step, NULL);
	return has_ended(server->pid);
}

/* Why the server did not start. It is asked before the server is stopped. */
static void describe_start(struct server_process *server, bool ended, char what[80])
{
	if (ended)
		what[0] = '\0'; /* its status is known when it was waited for */
	else if (opens_port(server))
		snprintf(what, 80, "its %s accepts no client after %d s",
			 server->local ? "path" : "port", START_TIME / 1000);
	else if (server->command != NULL)
		snprintf(what, 80, "it did not print 'listening on' within %d s",
			 START_TIME / 1000);
	else
		snprintf(what, 80, "it served no client within %d s", START_TIME / 1000);
}

/* Stops a server that did not become ready. @return -1 with *failure */
static int give_up(struct server_process *server, struct failure *failure)
{
	char what[80], status[32], line[SERVER_OUTPUT_LINE];
	struct server_process_usage ignored;
	bool ended = ends(server);

	describe_start(server, ended, what);
	if (ended)
		server_output_await(&server->output, NULL, MESSAGE_TIME, NULL, NULL);
	server_output_last_line(&server->output, line);
	(void)server_process_stop(server, &ignored, NULL);
	status_text(server->status, status);
	if (!ended)
		return failure_set(failure, "%s did not start: %s%s%s", server->name,
				   what, line[0] != '\0' ? "; its last line: " : "",
				   line);
	if (line[0] == '\0')
		return failure_set(failure,
				   "%s did not start: %s, and it printed no message",
				   server->name, status);
	return failure_set(failure, "%s did not start: %s (%s)", server->name, line,
			   status);
}

/* Starts the process with the listener and the pipe. @return 0, or -1 with *failure */
static int spawn(struct server_process *server, struct start *start,
		 struct failure *failure)
{
	int errors[2];

	if (pipe(errors) < 0)
		return failure_set(failure, "cannot create a pipe: %s", strerror(errno));
	io_set_close_on_exec(errors[0]);
	io_set_close_on_exec(errors[1]);
	start->errors = errors[1];
	server->pid = fork();
	if (server->pid == 0)
		become(start);
	close(errors[1]);
	if (server->pid < 0) {
		server->pid = 0;
		close(errors[0]);
		return failure_set(failure, "cannot fork: %s", strerror(errno));
	}
	setpgid(server->pid, server->pid); /* here, too: whoever comes first */
	if (server_output_start(&server->output, errors[0]) == 0)
		return 0;
	failure_set(failure, "cannot start a thread: %s", strerror(errno));
	close(errors[0]);
	kill(-server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
	return -1;
}

/* @return 0, or -1 with *failure */
static int open_port(struct start *start, struct server_process *server,
		     struct failure *failure)
{
	snprintf(server->host, sizeof server->host, "127.0.0.1");
	server->file.owner = 0;
	start->listener = local_listener_open("0", start->settings->datagrams,
					      server->port, failure);
	if (start->listener < 0)
		return -1;
	if (opens_port(server)) {
		close(start->listener);
		start->listener = -1;
	}
	return 0;
}

/* The same with a UNIX-domain socket. */
static int open_local(struct start *start, struct server_process *server,
		      struct failure *failure)
{
	server->port[0] = '\0';
	server->file.owner = 0;
	start->listener = -1;
	if (opens_port(server))
		return local_listener_path(server->host, failure);
	start->listener = local_listener_open_unix(start->settings->datagrams,
						   server->host, &server->file, failure);
	return start->listener < 0 ? -1 : 0;
}

int server_process_start(struct server_process *server,
			 const struct server_process_settings *settings,
			 struct failure *failure)
{
	struct start start = { .server = server,
			       .settings = settings,
			       .parent = getpid() };
	int started;

	server->local = settings->local;
	if ((settings->local ? open_local(&start, server, failure)
			     : open_port(&start, server, failure)) < 0)
		return -1;
	if (server->command != NULL) {
		start.line = line_with_port(server->command, mark_of(server->local),
					    server->local ? server->host : server->port);
		if (start.line == NULL) {
			close(start.listener);
			return failure_set(failure, "%s: %s", server->name,
					   strerror(errno));
		}
	}
	server->other_count = 0;
	if (server->command != NULL)
		server->other_count =
			proc_children(getpid(), server->others, SERVER_PROCESS_OTHERS);
	started = spawn(server, &start, failure);
	if (start.listener >= 0)
		close(start.listener);
	free(start.line);
	if (started < 0)
		return -1;
	return becomes_ready(server, settings) ? 0 : give_up(server, failure);
}

/* ---- stopping it ---- */

/* Waits for all processes of the group that are children of versus, and adds up their
 * usage. @return whether all have ended within the time */
static bool await_group(struct server_process *server, struct process_usage *usage,
			int64_t time)
{
	const struct timespec step = clock_timespec(LOOK_STEP);
	int64_t end = clock_milliseconds() + time;

	for (;;) {
		int status;
		pid_t pid = process_reap(server->pid, &status, usage);

		if (pid < 0)
			return true;
		if (pid == server->pid)
			server->status = status;
		if (pid > 0)
			continue;
		if (clock_milliseconds() >= end)
			return false;
		nanosleep(&step, NULL);
	}
}

static void note_stopped(pid_t pid, void *context)
{
	*(bool *)context |= proc_is_stopped(pid);
}

/* SIGCONT would let a stopped process end. But if it was stopped while it held a lock, it may not
 * end for another reason; SIGKILL always works. @return whether all have ended */
static bool await_end(struct server_process *server, struct process_usage *usage,
		      bool *stopped)
{
	*stopped = false;
	if (await_group(server, usage, STOPPED_TIME))
		return true;
	proc_for_each_of_group(server->pid, note_stopped, stopped);
	return !*stopped && await_group(server, usage, STOP_TIME - STOPPED_TIME);
}

static bool was_there_before(const struct server_process *server, pid_t pid)
{
	for (size_t i = 0; i < server->other_count; i++)
		if (server->others[i] == pid)
			return true;
	return false;
}

/* Kills the children of versus that are neither the server nor older than it. When they have ended,
 * their own children become children of versus. @return whether there was one */
static bool kill_orphans(const struct server_process *server)
{
	pid_t pids[2 * SERVER_PROCESS_OTHERS];
	size_t count = proc_children(getpid(), pids, 2 * SERVER_PROCESS_OTHERS);
	bool any = false;

	for (size_t i = 0; i < count; i++)
		if (pids[i] != server->pid && !was_there_before(server, pids[i])) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, WNOHANG);
			any = true;
		}
	return any;
}

/* @return whether there were any */
static bool end_orphans(const struct server_process *server)
{
	const struct timespec step = clock_timespec(LOOK_STEP);
	int64_t end = clock_milliseconds() + KILL_TIME;
	bool any = false;

	while (kill_orphans(server) && clock_milliseconds() < end) {
		any = true;
		nanosleep(&step, NULL);
	}
	return any;
}

/* What was wrong with the end of the server. A command may end by SIGTERM in any way: a
 * shell turns it into an exit status. */
static int judge_end(struct server_process *server, bool ended, bool gone, bool stopped,
		     struct failure *failure)
{
	int status = server->status;
	char line[SERVER_OUTPUT_LINE], text[32];
	const char *colon;

	server_output_last_line(&server->output, line);
	colon = line[0] != '\0' ? ": " : "";
	status_text(status, text);
	if (stopped)
		return failure_set(failure,
				   "%s was stopped by a signal, such as SIGSTOP, and did "
				   "not end after SIGTERM",
				   server->name);
	if (!gone)
		return failure_set(failure, "%s did not stop within %d s after SIGTERM",
				   server->name, STOP_TIME / 1000);
	if (ended)
		return failure_set(failure, "%s ended by itself with %s%s%s",
				   server->name, text, colon, line);
	/* the default action of SIGTERM is a normal end */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)
		return 0;
	if (WIFSIGNALED(status))
		return failure_set(failure, "%s was killed by %s%s%s", server->name, text,
				   colon, line);
	if (status != 0 && server->command == NULL)
		return failure_set(failure, "%s ended with %s%s%s", server->name, text,
				   colon, line);
	return 0;
}

/* Reads the shares of its workers from the final statistics. */
static void note_shares(struct server_process *server)
{
	uint64_t numbers[SERVER_PROCESS_WORKERS], least = UINT64_MAX, most = 0, sum = 0;
	unsigned count = server_output_numbers_after(&server->output, "clients by worker",
						     numbers, SERVER_PROCESS_WORKERS);

	for (unsigned i = 0; i < count; i++) {
		least = numbers[i] < least ? numbers[i] : least;
		most = numbers[i] > most ? numbers[i] : most;
		sum += numbers[i];
	}
	server->workers = sum > 0 ? count : 0;
	if (sum == 0)
		return;
	server->least_share = 100 * (double)least / (double)sum;
	server->most_share = 100 * (double)most / (double)sum;
	for (unsigned i = 0; i < count; i++)
		server->shares[i] = 100 * (double)numbers[i] / (double)sum;
}

/* The command of a user may have left its file. */
static void remove_file(struct server_process *server)
{
	socket_file_remove(&server->file);
	if (server->local && opens_port(server))
		unlink(server->host);
}

int server_process_stop(struct server_process *server, struct server_process_usage *usage,
			struct failure *failure)
{
	bool ended, gone, stopped;
	int result;

	*usage = (struct server_process_usage){ .known = true };
	server->received = -1;
	server->workers = 0;
	if (server->pid == 0)
		return 0;
	ended = has_ended(server->pid);
	if (server->command != NULL)
		usage->known = !server_ignores_children(server->pid);
	/* a server of the suite tells its own workers to stop */
	kill(server->command != NULL ? -server->pid : server->pid, SIGTERM);
	gone = await_end(server, &usage->sum, &stopped);
	/* Without a child subreaper, or if the leader was the last child of versus, others
	 * may be left. */
	kill(-server->pid, SIGKILL);
	if (!gone)
		await_group(server, &usage->sum, KILL_TIME);
	if (server->command != NULL && end_orphans(server))
		usage->known = false;
	server_output_await(&server->output, NULL, MESSAGE_TIME, NULL, NULL);
	server->received = server_output_number_before(&server->output, " bytes in,");
	note_shares(server);
	result = judge_end(server, ended, gone, stopped, failure);
	server_output_stop(&server->output);
	remove_file(server);
	server->pid = 0;
	return result;
}
