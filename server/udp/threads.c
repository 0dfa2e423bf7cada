/*
 * threads - a thread per peer, which gets that peer's datagrams through a pair of local
 * sockets.
 *
 * The pair costs two descriptors per peer and two system calls per datagram. A queue
 * protected by a mutex would be cheaper. But with a socket one timeout limits how long
 * the loop that reads waits for a thread.
 */
#include "server/core/threads.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "server/udp/datagrams.h"
#include "server/udp/udp.h"

/* The argument of a thread, which owns it. The buffers would use half of the thread's
 * stack. */
struct assignment {
	struct server *server;
	struct udp_session *session;
	int pipe;
	struct udp_buffers buffers;
};

static void *serve_peer(void *argument)
{
	struct assignment *assignment = argument;
	struct server *server = assignment->server;
	struct thread self;

	threads_enter(&self);
	udp_session_serve(assignment->session, &assignment->buffers, assignment->pipe);
	threads_leave(&self);
	free(assignment);
	server_left(server);
	return NULL;
}

static int start_worker(struct datagrams *datagrams, struct udp_session *session,
			int pipe)
{
	struct assignment *assignment = malloc(sizeof *assignment);
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	if (assignment == NULL)
		return -1;
	assignment->server = datagrams->server;
	assignment->session = session;
	assignment->pipe = pipe;
	threads_attributes(&attributes);
	error = pthread_create(&thread, &attributes, serve_peer, assignment);
	pthread_attr_destroy(&attributes);
	if (error == 0)
		return 0;
	free(assignment);
	errno = error;
	return -1;
}

int udp_serve_with_threads(struct server *server)
{
	static struct datagrams datagrams;

	datagrams.server = server;
	datagrams.start_worker = start_worker;
	datagrams.cannot_start = "cannot create a thread";
	return datagrams_serve(&datagrams);
}
