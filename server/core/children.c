/*
 * children - the list of child processes.
 *
 * It is an array without order: a child that ends is replaced by the last one. To find the one
 * that ended is a walk of at most --max-clients entries, which costs less than the fork(2) and
 * waitpid(2) of that child.
 *
 * The list is in shared memory, although the children do not use it. The parent writes to it
 * after each fork(2). In private memory the kernel would first copy the page for the parent, and
 * each child would keep a page of its own: 4 KiB more for each client.
 */
#include "server/core/children.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"
#include "server/core/signals.h"

int children_begin(struct children *children, unsigned most)
{
	children->parent = getpid();
	children->count = 0;
	children->most = most;
	children->all = process_shared_memory(most * sizeof *children->all);
	if (children->all == NULL)
		return -1;
	signals_interrupt_is_stop();
	return 0;
}

void children_add(struct children *children, pid_t pid, const struct address *peer)
{
	children->all[children->count++] = (struct child){ pid, *peer };
}

void children_enter(const struct children *children, int at_end)
{
	signals_admit_stop();
	process_signal_with_parent(at_end, children->parent);
}

void children_signal(const struct children *children, int signal)
{
	for (unsigned i = 0; i < children->count; i++)
		kill(children->all[i].pid, signal);
}

/* A child always exits with status 0. Any other end is a crash, or somebody's kill(1). */
const char *child_end_text(pid_t pid, int status, char text[CHILD_END_TEXT])
{
	if (WIFSIGNALED(status))
		snprintf(text, CHILD_END_TEXT,
			 "its process %ld was killed by signal %d (%s)", (long)pid,
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(text, CHILD_END_TEXT, "its process %ld exited with status %d",
			 (long)pid, WEXITSTATUS(status));
	return text;
}

/* @return its index, or count if @p pid is no child of ours */
static unsigned find(const struct children *children, pid_t pid)
{
	unsigned i = 0;

	while (i < children->count && children->all[i].pid != pid)
		i++;
	return i;
}

static void remove_child(struct children *children, struct server *server, pid_t pid,
			 int status)
{
	unsigned i = find(children, pid);
	char how[CHILD_END_TEXT];

	if (i == children->count)
		return;
	if (status != 0)
		server_lost(server, &children->all[i].peer,
			    child_end_text(pid, status, how));
	children->all[i] = children->all[--children->count];
	server_left(server);
}

/* A child that has exited stays in the process table as a zombie until its parent waits for it. One
 * SIGCHLD can stand for several children, so the parent waits until no more have ended. */
void children_reap(struct children *children, struct server *server)
{
	int status;
	pid_t pid;

	while (children->count > 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0)
		remove_child(children, server, pid, status);
}

void children_end(struct children *children, struct server *server)
{
	children_signal(children, SIGKILL);
	while (children->count > 0) {
		pid_t pid = waitpid(-1, NULL, 0);

		if (pid > 0)
			remove_child(children, server, pid, 0);
		else if (errno != EINTR)
			break;
	}
}
