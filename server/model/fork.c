/*
 * fork - a process per client.
 *
 * What it shows: the classic server. The parent only accepts; for each client it forks a
 * child, which has a copy of everything, serves its one client by serve_blocking(), which
 * sleeps in recv(2), and exits.
 *
 * Why one would choose it: a child that crashes, leaks or is killed takes its own client
 * with it and nobody else's; and the code that serves a client is as simple as can be.
 * What it costs: a fork(2) for each client, tens of microseconds and the copied pages, so
 * it suits long conversations rather than many short ones.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"
#include "server/core/connection.h"
#include "server/udp/datagrams.h"
#include "server/hub/remote.h"
#include "server/model.h"
#include "server/core/serve_blocking.h"
#include "server/core/server.h"
#include "server/core/signals.h"

struct child {
	pid_t pid;
	struct address peer; /* its client */
};

/* The children, in no order. */
struct children {
	pid_t parent; /* ours */
	struct child *all;
	unsigned count, most;
	unsigned turns;         /* of the wait for clients */
	bool ending;            /* they are killed, and that is no crash */
	struct remote_hub *hub; /* where their clients meet; NULL: they do not */
};

/* While clients come without a pause the wait for them never sleeps, and so lets no signal
 * in: at each of so many turns it is asked in any case who has ended. */
enum { LOOK_EVERY = 16 };

enum { HOW_TEXT = 96 };

/* The child's whole life. It never returns to the parent's code. */
static _Noreturn void serve_client(struct server *server, struct connection *connection,
				   pid_t parent)
{
	struct worker worker; /* of its pages, only those exist that are used */

	/* The listeners are the parent's: a child that kept them open would hold the port
	 * when the parent has gone. */
	server_close_listeners(server);
	signals_admit_stop();
	process_signal_with_parent(SIGNAL_INTERRUPT, parent);
	serve_blocking(connection, &worker);
	connection_end(connection);
	/* Memory and descriptors go with the process. _exit, not exit: what the parent
	 * registered with atexit or left in its stdio buffers is the parent's to do. */
	_exit(0);
}

static void fork_for(struct server *server, struct children *children,
		     struct connection *connection)
{
	pid_t pid;
	int error;

	if (children->hub != NULL && hub_remote_open(children->hub, connection) < 0) {
		server_hold(server, connection, "out of descriptors or memory", errno);
		return;
	}
	pid = fork();
	error = errno;
	if (pid == 0) {
		if (children->hub != NULL)
			hub_remote_enter(children->hub, connection);
		serve_client(server, connection, children->parent);
	}
	if (children->hub != NULL)
		hub_remote_opened(children->hub, pid > 0);
	if (pid < 0) {
		server_hold(server, connection, "cannot fork", error);
		return;
	}
	children->all[children->count++] = (struct child){ pid, connection->peer };
	/* Parent and child share the socket, and the client sees its end only when the
	 * last descriptor for it is closed: so the parent's goes now. */
	server_release(server, connection);
}

/* A child always exits with status 0. Any other end is a crash, or somebody's kill(1). */
static void tell_crash(struct server *server, const struct child *child, int status)
{
	char how[HOW_TEXT];

	if (WIFSIGNALED(status))
		snprintf(how, sizeof how, "its process %ld was killed by signal %d (%s)",
			 (long)child->pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(how, sizeof how, "its process %ld exited with status %d",
			 (long)child->pid, WEXITSTATUS(status));
	server_lost(server, &child->peer, how);
}

static void forget(struct server *server, struct children *children, pid_t pid,
		   int status)
{
	for (unsigned i = 0; i < children->count; i++) {
		if (children->all[i].pid == pid) {
			if (status != 0 && !children->ending)
				tell_crash(server, &children->all[i], status);
			children->all[i] = children->all[--children->count];
			server_left(server);
			return;
		}
	}
}

/* A child that has exited stays in the process table, a zombie, until its parent has
 * asked for its status. One SIGCHLD may stand for many children: ask until there is none. */
static void reap(struct server *server, struct children *children, int options)
{
	while (children->count > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, options);

		if (pid > 0)
			forget(server, children, pid, status);
		else if (pid == 0 || errno != EINTR)
			return;
	}
}

static void signal_all(const struct children *children, int signal)
{
	for (unsigned i = 0; i < children->count; i++)
		kill(children->all[i].pid, signal);
}

/* Each child has the log open that it was born with. */
static void pass_on_reopen(const struct children *children)
{
	if (signals_take_reopen_of_children())
		signal_all(children, SIGHUP);
}

static int begin_children(struct children *children, unsigned most)
{
	children->hub = NULL;
	children->parent = getpid();
	children->count = children->turns = 0;
	children->ending = false;
	children->most = most;
	children->all = calloc(most, sizeof *children->all);
	if (children->all == NULL)
		return -1;
	signals_interrupt_is_stop();
	return 0;
}

static void end_children(struct server *server, struct children *children)
{
	children->ending = true;
	signal_all(children, SIGKILL);
	reap(server, children, 0);
	free(children->all);
}

/* Children share no memory. If their clients are to meet, then in the parent. */
static int begin_hub(struct server *server, struct children *children)
{
	if (server->service->hub == NULL)
		return 0;
	children->hub = calloc(1, sizeof *children->hub);
	return children->hub != NULL ? hub_remote_begin(children->hub, server) : -1;
}

static void end_hub(struct children *children)
{
	if (children->hub != NULL)
		hub_remote_end(children->hub);
	free(children->hub);
}

static int fork_serve(struct server *server)
{
	struct children children;
	struct connection *connection;

	if (begin_children(&children, server->max_clients) < 0 ||
	    begin_hub(server, &children) < 0)
		return -1;
	while (server_running(server)) {
		if (server->stopping)
			signal_all(&children, SIGNAL_INTERRUPT);
		pass_on_reopen(&children);
		/* It may be SIGCHLD that comes, among other signals. */
		connection = children.hub != NULL ? hub_remote_wait(children.hub)
						  : server_wait(server);
		if (connection != NULL)
			fork_for(server, &children, connection);
		if (signals_take_child() || ++children.turns % LOOK_EVERY == 0)
			reap(server, &children, WNOHANG);
	}
	end_children(server, &children);
	end_hub(&children);
	return 0;
}

/* ---- datagrams: a process per peer ---- */

/* Workers whose peers are forgotten, and who still answer what they have. */
enum { LEAVING = 4096 };

/* As for a connection; what the child must not keep are the feeds of the others, or their
 * ends would never be seen. */
static int start_child(struct datagrams *datagrams, struct dialogue *dialogue, int feed)
{
	struct children *children = datagrams->context;
	pid_t pid;

	if (children->count ==
	    children->most) { /* those that are just leaving count, too */
		errno = EAGAIN;
		return -1;
	}
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid > 0) {
		children->all[children->count++] =
			(struct child){ pid, *dialogue_peer(dialogue) };
		close(feed);
		dialogue_release(dialogue);
		return 0;
	}
	for (struct peer *peer = datagrams->peers.oldest; peer != NULL;
	     peer = peer->newer)
		if (peer->feed >= 0)
			close(peer->feed);
	signals_admit_stop();
	process_signal_with_parent(SIGKILL, children->parent);
	dialogue_serve(dialogue, &datagrams->desk, feed);
	_exit(0);
}

static void tend_children(struct datagrams *datagrams)
{
	pass_on_reopen(datagrams->context);
	if (signals_take_child())
		reap(datagrams->server, datagrams->context, WNOHANG);
}

static int fork_serve_datagrams(struct server *server)
{
	static struct datagrams datagrams;
	struct children children;
	int result;

	if (begin_children(&children, server->max_clients + LEAVING) < 0)
		return -1;
	datagrams.server = server;
	datagrams.start = start_child;
	datagrams.what = "cannot fork";
	datagrams.tend = tend_children;
	datagrams.context = &children;
	result = datagrams_serve(&datagrams);
	end_children(server, &children);
	return result;
}

const struct model this_model = {
	.name = "fork",
	.summary = "a process per client",
	.most_clients = 1000,
	.serve = fork_serve,
	.serve_datagrams = fork_serve_datagrams,
};
