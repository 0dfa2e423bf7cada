/*
 * children - a child process per peer, which gets that peer's datagrams through a pair of
 * local sockets.
 *
 * If a child crashes, only its own peer is affected. The cost is a fork(2) for each new
 * peer, and two system calls and a process switch for each datagram.
 */
#include "server/core/children.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "server/core/signals.h"
#include "server/udp/datagrams.h"
#include "server/udp/udp.h"

/* Room for children whose peers are forgotten, and which still answer what is in their
 * pipes. */
enum { LEAVING = 4096 };

static struct children children;

/* A child must close the pipes of other peers: otherwise their children would not see the
 * end of the pipe. */
static _Noreturn void serve_peer(struct datagrams *datagrams, struct udp_session *session,
				 int pipe)
{
	struct peer *peer;

	for (peer = datagrams->peers.oldest; peer != NULL; peer = peer->newer)
		if (peer->pipe >= 0)
			close(peer->pipe);
	children_enter(&children, SIGKILL);
	udp_session_serve(session, &datagrams->buffers, pipe);
	_exit(0);
}

static int start_worker(struct datagrams *datagrams, struct udp_session *session,
			int pipe)
{
	pid_t pid;

	if (children.count == children.most) { /* with those that are about to end */
		errno = EAGAIN;
		return -1;
	}
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0)
		serve_peer(datagrams, session, pipe);
	children_add(&children, pid, udp_session_peer(session));
	close(pipe);
	udp_session_release(session);
	return 0;
}

static void attend_workers(struct datagrams *datagrams)
{
	if (signals_take_reopen_of_children())
		children_signal(&children, SIGHUP);
	if (signals_take_child())
		children_reap(&children, datagrams->server);
}

int udp_serve_with_children(struct server *server)
{
	static struct datagrams datagrams;
	int result;

	if (children_begin(&children, server->max_clients + LEAVING) < 0)
		return -1;
	datagrams.server = server;
	datagrams.start_worker = start_worker;
	datagrams.cannot_start = "cannot fork";
	datagrams.attend_workers = attend_workers;
	result = datagrams_serve(&datagrams);
	children_end(&children, server);
	return result;
}
