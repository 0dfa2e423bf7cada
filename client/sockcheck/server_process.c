/*
 * server_process - starts a server by the contract of versus(1), and ends all of it.
 *
 * A server gets either the listening socket as descriptor 3 (sd_listen_fds(3)), or a port or a
 * path in its arguments. Checks run in threads, and each has a server of its own: so between fork(2)
 * and execve(2) only functions are called that take no lock, and all texts are made before.
 *
 * The whole process tree must be gone at the end. Processes that leave the process group are
 * found through /proc while their parents are there. sockcheck is a subreaper, so what a server
 * leaves behind becomes its child, and it can wait for it.
 */
#include "client/sockcheck/server_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/lib/local_listener.h"
#include "client/lib/proc.h"
#include "client/lib/program.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/process.h"
#include "common/sock.h"
#include "common/text.h"

#define PORT_MARK "{port}"
#define PATH_MARK "{path}"

enum {
	ACTIVATED_FD = 3,
	PORT_TRIES = 3,
	STEP = 2,        /* milliseconds between two looks */
	GRACE = 1000,    /* ... from SIGTERM to SIGKILL */
	KILL_TIME = 2000 /* ... within which a process must end after SIGKILL */
};

extern char **environ;

static volatile sig_atomic_t hurried;

/* A descriptor that fork(2) copies before it is close-on-exec would stay open in the server. */
static pthread_mutex_t spawning = PTHREAD_MUTEX_INITIALIZER;

/* ---- the command --------------------------------------------------------------------- */

/* @return false with errno */
static bool find_program(const char *name, char path[CHECKED_PATH])
{
	if (strchr(name, '/') == NULL)
		return program_search(name, path, CHECKED_PATH);
	if (snprintf(path, CHECKED_PATH, "%s", name) < CHECKED_PATH)
		return program_is(path);
	errno = ENAMETOOLONG;
	return false;
}

static const char *mark_of(bool local)
{
	return local ? PATH_MARK : PORT_MARK;
}

int checked_command_take(struct checked_command *command, char *const *arguments,
			 struct failure *failure)
{
	bool other = false;

	command->arguments = arguments;
	command->opens_port = false;
	for (size_t i = 0; arguments[i] != NULL; i++) {
		command->opens_port |=
			strstr(arguments[i], mark_of(command->local)) != NULL;
		other |= strstr(arguments[i], mark_of(!command->local)) != NULL;
	}
	if (!other)
		return 0;
	return failure_set(failure, command->local ? "with --unix, use " PATH_MARK
						     " instead of " PORT_MARK
						   : PATH_MARK " needs --unix");
}

int checked_command_find(struct checked_command *command, struct failure *failure)
{
	const char *program = command->arguments[0];
	char name[128];

	if (find_program(program, command->path))
		return 0;
	text_escape(program, strlen(program), name, sizeof name);
	return failure_set(failure, "cannot run %s: %s", name, strerror(errno));
}

static size_t count_marks(const char *argument, const char *mark)
{
	size_t count = 0;

	for (; (argument = strstr(argument, mark)) != NULL; argument += strlen(mark))
		count++;
	return count;
}

/* An argument with the port or the path in it. @return it, for free(), or NULL */
static char *with_place(const char *argument, const char *mark, const char *place)
{
	size_t growth = count_marks(argument, mark) * strlen(place);
	char *text = malloc(strlen(argument) + growth + 1), *to = text;
	const char *found;

	while (text != NULL && (found = strstr(argument, mark)) != NULL) {
		memcpy(to, argument, (size_t)(found - argument));
		to += found - argument;
		memcpy(to, place, strlen(place));
		to += strlen(place);
		argument = found + strlen(mark);
	}
	if (text != NULL)
		memcpy(to, argument, strlen(argument) + 1);
	return text;
}

/* What the child needs, made before fork(2). */
struct image {
	const char *path;
	char **arguments, **environment;
	char listen_pid[40]; /* the child appends its number */
	int listener, output, null;
	rlim_t descriptors;
	pid_t parent;
};

static void image_free(struct image *image)
{
	for (size_t i = 0; image->arguments != NULL && image->arguments[i] != NULL; i++)
		free(image->arguments[i]);
	free(image->arguments);
	free(image->environment);
}

static bool is_about_listening(const char *variable)
{
	return strncmp(variable, "LISTEN_PID=", 11) == 0 ||
	       strncmp(variable, "LISTEN_FDS=", 11) == 0;
}

/* @return 0, or -1 with errno (ENOMEM) */
static int image_make(struct image *image, const struct checked_server *server)
{
	const struct checked_command *command = server->command;
	const char *place = command->local ? server->host : server->port;
	static char listen_fds[] = "LISTEN_FDS=1";
	size_t count = 0, variables = 0;

	while (command->arguments[count] != NULL)
		count++;
	while (environ[variables] != NULL)
		variables++;
	image->path = command->path;
	image->arguments = calloc(count + 1, sizeof *image->arguments);
	image->environment = calloc(variables + 3, sizeof *image->environment);
	if (image->arguments == NULL || image->environment == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		image->arguments[i] =
			with_place(command->arguments[i], mark_of(command->local), place);
		if (image->arguments[i] == NULL)
			return -1;
	}
	variables = 0;
	if (!command->opens_port) {
		strcpy(image->listen_pid, "LISTEN_PID=");
		image->environment[variables++] = image->listen_pid;
		image->environment[variables++] = listen_fds;
	}
	for (size_t i = 0; environ[i] != NULL; i++)
		if (!is_about_listening(environ[i]))
			image->environment[variables++] = environ[i];
	return 0;
}

/* ---- starting ------------------------------------------------------------------------ */

/* In the child: sprintf(3) is not async-signal-safe. */
static void append_number(char *text, unsigned long number)
{
	char digits[24];
	size_t count = 0;

	text += strlen(text);
	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0)
		*text++ = digits[--count];
	*text = '\0';
}

/* In the child: the pipe first, as its number may be the 3 that the listener needs. */
static int place_descriptors(const struct image *image)
{
	if (dup2(image->null, STDIN_FILENO) < 0 ||
	    dup2(image->output, STDOUT_FILENO) < 0 ||
	    dup2(image->output, STDERR_FILENO) < 0)
		return -1;
	if (image->listener < 0)
		return 0;
	return image->listener == ACTIVATED_FD ? fcntl(ACTIVATED_FD, F_SETFD, 0)
					       : dup2(image->listener, ACTIVATED_FD);
}

static _Noreturn void become(struct image *image)
{
	static const int defaults[] = { SIGTERM, SIGINT, SIGPIPE, SIGXFSZ };
	struct rlimit limit;
	sigset_t none;

	setpgid(0, 0);
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		signal(defaults[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	process_signal_with_parent(SIGKILL, image->parent);
	append_number(image->listen_pid, (unsigned long)getpid());
	if (place_descriptors(image) < 0)
		_exit(127);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = image->descriptors < limit.rlim_max ? image->descriptors
								     : limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	execve(image->path, image->arguments, image->environment);
	_exit(127);
}

/* Finds the port, and with socket activation the listening socket. A server that opens its port
 * itself gets only the number: the socket is closed again while no other thread forks, because a
 * child would have a copy, and the port would stay in use. */
static int find_port(struct checked_server *server, bool again, int *listener,
		     struct failure *failure)
{
	char port[PORT_TEXT] = "0";
	int fd;

	if (again)
		memcpy(port, server->port, sizeof port);
	snprintf(server->host, sizeof server->host, "127.0.0.1");
	fd = local_listener_open(port, server->command->datagrams, server->port, failure);
	if (fd >= 0 && server->command->opens_port)
		close(fd);
	*listener = server->command->opens_port ? -1 : fd;
	return fd < 0 ? -1 : 0;
}

/* The same with a UNIX-domain socket. */
static int find_path(struct checked_server *server, bool again, int *listener,
		     struct failure *failure)
{
	server->port[0] = '\0';
	server->file.owner = 0;
	if (server->command->opens_port)
		return again ? 0 : local_listener_path(server->host, failure);
	*listener = local_listener_open_unix(server->command->datagrams, server->host,
					     &server->file, failure);
	return *listener < 0 ? -1 : 0;
}

static int find_place(struct checked_server *server, bool again, int *listener,
		      struct failure *failure)
{
	int result;

	pthread_mutex_lock(&spawning);
	if (server->command->local)
		result = find_path(server, again, listener, failure);
	else
		result = find_port(server, again, listener, failure);
	pthread_mutex_unlock(&spawning);
	return result;
}

/* Starts the process. @return 0, or -1 with errno */
static int spawn(struct checked_server *server, struct image *image)
{
	int output[2] = { -1, -1 }, result = -1, error;

	pthread_mutex_lock(&spawning);
	image->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (image->null >= 0 && pipe(output) == 0) {
		io_set_close_on_exec(output[0]);
		io_set_close_on_exec(output[1]);
		image->output = output[1];
		server->pid = fork();
		if (server->pid == 0)
			become(image);
		result = server->pid > 0 ? 0 : -1;
	}
	error = errno;
	pthread_mutex_unlock(&spawning);
	if (image->null >= 0)
		close(image->null);
	if (output[1] >= 0)
		close(output[1]);
	if (result == 0) {
		setpgid(server->pid, server->pid); /* here, too: whoever comes first */
		if (server_output_start(&server->output, output[0]) == 0)
			return 0;
		error = errno;
		kill(server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
	}
	if (output[0] >= 0)
		close(output[0]);
	server->pid = 0;
	errno = error;
	return -1;
}

bool checked_server_has_ended(struct checked_server *server)
{
	if (!server->ended && server->pid > 0 &&
	    waitpid(server->pid, &server->status, WNOHANG) == server->pid)
		server->ended = true;
	return server->ended;
}

bool checked_server_ended_well(const struct checked_server *server)
{
	return WIFEXITED(server->status) && WEXITSTATUS(server->status) == 0;
}

/* Where /proc does not show it, a connection does, but not on UDP. */
bool checked_server_is_open(const struct checked_server *server)
{
	const struct checked_command *command = server->command;
	const struct sock_target target = { server->host, server->port, AF_INET,
					    SOCK_STREAM, 1000 };
	int fd, open = command->local ? proc_local_is_open(server->host)
				      : proc_port_is_open(
						(unsigned)strtoul(server->port, NULL, 10),
						command->datagrams);

	if (open >= 0)
		return open == 1;
	if (command->datagrams)
		return true; /* nothing is known: the first reply will show it */
	fd = sock_connect(&target, NULL, NULL);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Waits until the server listens. */
static bool awaits_open(struct checked_server *server, int64_t deadline)
{
	const struct timespec step = clock_timespec(STEP);

	while (!checked_server_has_ended(server) && clock_milliseconds() < deadline &&
	       !hurried) {
		if (checked_server_is_open(server))
			return true;
		nanosleep(&step, NULL);
	}
	return false;
}

static int start_once(struct checked_server *server,
		      const struct checked_command *command, bool again,
		      uint64_t descriptors, int64_t deadline, struct failure *failure)
{
	struct image image = { .listener = -1,
			       .descriptors = descriptors,
			       .parent = getpid() };
	char what[CHECKED_STATE];
	int result = -1;

	server->command = command;
	server->pid = 0;
	server->ended = false;
	if (find_place(server, again, &image.listener, failure) < 0)
		return -1;
	if (image_make(&image, server) < 0 || spawn(server, &image) < 0)
		failure_set(failure, "cannot start %s: %s", command->path,
			    strerror(errno));
	else
		result = 0;
	if (image.listener >= 0)
		close(image.listener);
	image_free(&image);
	if (result < 0)
		return -1;
	if (!command->opens_port || awaits_open(server, deadline))
		return 0;
	if (checked_server_has_ended(server))
		failure_set(failure, "the server did not start: %s%s",
			    checked_server_describe_end(server, what),
			    checked_server_ended_well(server)
				    ? "; it must stay in the foreground"
				    : "");
	else
		failure_set(failure,
			    "the server did not start: it does not listen on %s%s",
			    command->local ? "" : "port ",
			    command->local ? server->host : server->port);
	checked_server_stop(server);
	return -1;
}

/* Another process may take the free port before the server does. */
int checked_server_start(struct checked_server *server,
			 const struct checked_command *command, bool again,
			 uint64_t descriptors, int64_t deadline, struct failure *failure)
{
	bool may_be_taken = !again && command->opens_port && !command->local;

	for (int tries = may_be_taken ? PORT_TRIES : 1; tries > 1; tries--) {
		if (start_once(server, command, again, descriptors, deadline, failure) ==
		    0)
			return 0;
		if (strstr(failure->text, strerror(EADDRINUSE)) == NULL)
			return -1;
	}
	return start_once(server, command, again, descriptors, deadline, failure);
}

const char *checked_server_describe_end(struct checked_server *server,
					char out[CHECKED_STATE])
{
	char line[SERVER_OUTPUT_LINE];
	int status = server->status, n;

	server_output_await(&server->output, NULL, 200, NULL, NULL);
	server_output_last_line(&server->output, line);
	if (WIFSIGNALED(status))
		n = snprintf(out, CHECKED_STATE, "the server ended with signal %d (%s)",
			     WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		n = snprintf(out, CHECKED_STATE, "the server ended with exit status %d",
			     WEXITSTATUS(status));
	if (line[0] != '\0')
		snprintf(out + n, CHECKED_STATE - (size_t)n, "; its last line: %s", line);
	return out;
}

void checked_server_signal(const struct checked_server *server, int number)
{
	if (server->pid > 0 && !server->ended)
		kill(server->pid, number);
}

/* ---- stopping ------------------------------------------------------------------------ */

/* Whether a process is one of a server's: in its group, or left to us by its parent. Another
 * process may have got the number of one that has ended. */
static bool is_left(pid_t pid, pid_t group)
{
	return kill(pid, 0) == 0 &&
	       (proc_group(pid) == group ||
		proc_number(pid, "status", "PPid:") == (int64_t)getpid());
}

/* Waits for children that have ended. @return whether anything of the server is left */
static bool reap(struct checked_server *server, const struct proc_tree *tree)
{
	bool left = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-server->pid, &status, WNOHANG)) > 0)
		if (pid == server->pid) {
			server->ended = true;
			server->status = status;
		}
	for (size_t i = 0; tree != NULL && i < tree->count; i++) {
		if (tree->pids[i] != server->pid &&
		    proc_group(tree->pids[i]) != server->pid)
			waitpid(tree->pids[i], NULL, WNOHANG);
		left |= is_left(tree->pids[i], server->pid);
	}
	return left || !server->ended || kill(-server->pid, 0) == 0;
}

static bool reap_all(struct checked_server *server, const struct proc_tree *tree,
		     int64_t time)
{
	const struct timespec step = clock_timespec(STEP);
	int64_t end = clock_milliseconds() + time;

	while (reap(server, tree)) {
		if (clock_milliseconds() >= end)
			return false;
		nanosleep(&step, NULL);
	}
	return true;
}

static void kill_all(const struct checked_server *server, const struct proc_tree *tree)
{
	kill(-server->pid, SIGKILL);
	for (size_t i = 0; tree != NULL && i < tree->count; i++)
		if (is_left(tree->pids[i], server->pid))
			kill(tree->pids[i], SIGKILL);
}

void checked_server_stop(struct checked_server *server)
{
	struct proc_tree *tree;

	if (server->pid == 0)
		return;
	tree = malloc(sizeof *tree);
	if (tree != NULL && proc_tree_read(tree, server->pid) < 0)
		tree->count = 0;
	if (!hurried) {
		kill(-server->pid, SIGTERM);
		kill(-server->pid, SIGCONT);
	}
	if (hurried || !reap_all(server, tree, GRACE)) {
		kill_all(server, tree);
		reap_all(server, tree, KILL_TIME);
	}
	free(tree);
	server_output_stop(&server->output);
	server->pid = 0;
}

void checked_server_remove_file(struct checked_server *server)
{
	socket_file_remove(&server->file);
	if (server->command != NULL && server->command->local &&
	    server->command->opens_port)
		unlink(server->host);
}

void checked_server_hurry(void)
{
	hurried = 1;
}

bool checked_server_is_hurried(void)
{
	return hurried;
}

void checked_server_end_orphans(void)
{
	struct proc_tree *tree = malloc(sizeof *tree);
	const struct timespec step = clock_timespec(STEP);
	int64_t end = clock_milliseconds() + KILL_TIME;

	while (tree != NULL && clock_milliseconds() < end) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (proc_tree_read(tree, getpid()) < 0)
			break;
		bool any = false;
		for (size_t i = 0; i < tree->count; i++)
			if (proc_number(tree->pids[i], "status", "PPid:") ==
			    (int64_t)getpid()) {
				kill(tree->pids[i], SIGKILL);
				any = true;
			}
		if (!any)
			break;
		nanosleep(&step, NULL);
	}
	free(tree);
}
