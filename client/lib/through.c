/*
 * through - runs a command with one end of a socket pair as its standard input and output.
 *
 * A socket pair serves better than two pipes: the client needs one descriptor, as for a TCP
 * connection, and shutdown(2), timeouts and poll(2) work as they do there. A half-close is the
 * end of the input of the command.
 *
 * The command stays in the process group of the client, as that of ProxyCommand does in ssh(1). So
 * Ctrl-C ends both, and the command may ask for a password on the terminal. A process group of its
 * own would be a background one: SIGTTIN would stop it when it reads from the terminal. If the
 * client is killed, the kernel closes the connection, and the command reads the end of its input.
 *
 * The command may be a pipeline, of which one process does not notice that the connection has
 * ended. So at the end the client looks for the descendants of the shell (Linux: /proc), and ends
 * those in its own process group. A process that has left the group wants to stay, as the
 * connection that ssh(1) shares with ControlPersist does.
 *
 * The cost is two processes, a shell and the command, and two more copies of each byte.
 */
#include "client/lib/through.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/lib/proc.h"
#include "common/clock.h"
#include "common/io.h"

enum {
	COMMAND_MOST = 4096,  /* bytes of the command after "%h" and "%p" are replaced */
	SHOWN = 80,           /* bytes of the command in a message */
	GRACE = 1000,         /* milliseconds for the command to end */
	TURN = 5,             /* milliseconds between two looks at the command */
	OTHERS = PROC_TREE,   /* processes besides the shell */
	NOT_EXECUTABLE = 126, /* exit status of the shell (POSIX, 2.8.2) */
	NOT_FOUND = 127,
};

/* ---- the command line -------------------------------------------------------------------- */

/* Whether the shell takes the text for one word without any meaning. */
static bool is_plain(const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789.:_-/@%+,";

	return *text != '\0' && *text != '-' && text[strspn(text, plain)] == '\0';
}

/* Appends text to line. @return 0, or -1 if it is too long */
static int append(char line[COMMAND_MOST], size_t *length, const char *text, size_t n)
{
	if (n >= COMMAND_MOST - *length)
		return -1;
	memcpy(line + *length, text, n);
	*length += n;
	line[*length] = '\0';
	return 0;
}

static int append_name(char line[COMMAND_MOST], size_t *length, char letter,
		       const char *name, struct failure *failure)
{
	if (!is_plain(name))
		return failure_set(failure,
				   "--through: %%%c cannot be used: the %s has a "
				   "character with a meaning for the shell",
				   letter, letter == 'h' ? "host" : "port");
	if (append(line, length, name, strlen(name)) < 0)
		return failure_set(failure, "--through: the command is too long");
	return 0;
}

/* Replaces the sequences. @return 0, or -1 with *failure */
static int expand(const char *command, const char *host, const char *port,
		  char line[COMMAND_MOST], struct failure *failure)
{
	size_t length = 0;

	line[0] = '\0';
	for (const char *at = command; *at != '\0'; at++) {
		if (*at == '%' && (at[1] == 'h' || at[1] == 'p')) {
			at++;
			if (append_name(line, &length, *at, *at == 'h' ? host : port,
					failure) < 0)
				return -1;
			continue;
		}
		if (*at == '%' && *++at != '%')
			return failure_set(failure, "--through: '%%' must be followed by "
						    "h, p or %%");
		if (append(line, &length, at, 1) < 0)
			return failure_set(failure, "--through: the command is too long");
	}
	if (line[strspn(line, " \t\n")] == '\0')
		return failure_set(failure, "--through: the command is empty");
	return 0;
}

int through_check(const char *command, const char *host, const char *port,
		  struct failure *failure)
{
	char line[COMMAND_MOST];

	return expand(command, host, port, line, failure);
}

/* ---- the beginning ----------------------------------------------------------------------- */

/* In the child. What the client ignores or blocks must not apply to the command. */
static _Noreturn void run(const char *line, int fd)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
	_exit(NOT_FOUND);
}

/* fork(2) copies unwritten output of stdio, but run() never writes it. */
static pid_t start(const char *line, const int ends[2])
{
	pid_t pid;

	io_set_close_on_exec(ends[0]);
	io_set_close_on_exec(ends[1]);
	pid = fork();
	if (pid == 0)
		run(line, ends[1]);
	return pid;
}

int through_start(struct through *through, const char *command, const char *host,
		  const char *port, struct failure *failure)
{
	char line[COMMAND_MOST];
	int ends[2];

	if (expand(command, host, port, line, failure) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return failure_set(failure, "--through: cannot create a socket pair: %s",
				   strerror(errno));
	through->command = command;
	through->pid = start(line, ends);
	close(ends[1]);
	if (through->pid > 0)
		return ends[0];
	failure_set(failure, "--through: cannot start a process: %s", strerror(errno));
	through->pid = 0;
	close(ends[0]);
	return -1;
}

/* ---- the end ----------------------------------------------------------------------------- */

/* The descendants of the shell that are in the process group of the client. */
struct others {
	pid_t pids[OTHERS];
	int64_t started[OTHERS]; /* a pid may be given to another process */
	size_t count;
};

static void find_others(pid_t shell, struct others *others)
{
	struct proc_tree *tree = malloc(sizeof *tree);
	pid_t group = getpgrp();

	others->count = 0;
	if (tree != NULL && proc_tree_read(tree, shell) == 0)
		for (size_t i = 0; i < tree->count && others->count < OTHERS; i++)
			if (tree->pids[i] != shell &&
			    proc_group(tree->pids[i]) == group) {
				others->pids[others->count] = tree->pids[i];
				others->started[others->count++] =
					proc_start_time(tree->pids[i]);
			}
	free(tree);
}

static bool is_alive(const struct others *others, size_t i)
{
	return others->started[i] >= 0 &&
	       proc_start_time(others->pids[i]) == others->started[i];
}

static bool any_is_alive(const struct others *others)
{
	for (size_t i = 0; i < others->count; i++)
		if (is_alive(others, i))
			return true;
	return false;
}

static void signal_others(const struct others *others, int number)
{
	for (size_t i = 0; i < others->count; i++)
		if (is_alive(others, i))
			kill(others->pids[i], number);
}

/* Looks at the shell until it has ended. waitpid(2) has no timeout, and SIGCHLD belongs to the
 * client. @return whether it has ended within the time */
static bool ends_within(pid_t shell, int64_t milliseconds, int *status)
{
	int64_t end = clock_milliseconds() + milliseconds;

	for (;;) {
		pid_t ended = waitpid(shell, status, WNOHANG);

		if (ended == shell || (ended < 0 && errno != EINTR))
			return true;
		if (clock_milliseconds() >= end)
			return false;
		poll(NULL, 0, TURN);
	}
}

static void end_others(const struct others *others)
{
	int64_t end = clock_milliseconds() + GRACE;

	while (any_is_alive(others) && clock_milliseconds() < end)
		poll(NULL, 0, TURN);
	signal_others(others, SIGKILL);
}

/* @return whether the command has ended by itself, with *status */
static bool collect(pid_t shell, int *status)
{
	struct others others;

	if (ends_within(shell, GRACE, status))
		return true;
	find_others(shell, &others);
	kill(shell, SIGHUP);
	signal_others(&others, SIGHUP);
	if (!ends_within(shell, GRACE, status)) {
		kill(shell, SIGKILL);
		while (waitpid(shell, status, 0) < 0 && errno == EINTR)
			;
	}
	end_others(&others);
	return false;
}

static int report(const char *command, int status, struct failure *failure)
{
	const char *dots = strlen(command) > SHOWN ? "..." : "";

	if (WIFSIGNALED(status))
		return failure_set(failure,
				   "the command of --through was ended by "
				   "signal %d (%s): %.*s%s",
				   WTERMSIG(status), strsignal(WTERMSIG(status)), SHOWN,
				   command, dots);
	if (WEXITSTATUS(status) == NOT_FOUND)
		return failure_set(
			failure, "--through: command not found (exit status %d): %.*s%s",
			NOT_FOUND, SHOWN, command, dots);
	if (WEXITSTATUS(status) == NOT_EXECUTABLE)
		return failure_set(failure,
				   "--through: the command cannot be executed (exit "
				   "status %d): %.*s%s",
				   NOT_EXECUTABLE, SHOWN, command, dots);
	return failure_set(failure,
			   "the command of --through failed with exit status %d: %.*s%s",
			   WEXITSTATUS(status), SHOWN, command, dots);
}

int through_end(struct through *through, bool ended, struct failure *failure)
{
	pid_t pid = through->pid;
	int status = 0;

	through->pid = 0;
	if (pid <= 0)
		return 0;
	if (!collect(pid, &status) || !ended || status == 0)
		return 0;
	return report(through->command, status, failure);
}
