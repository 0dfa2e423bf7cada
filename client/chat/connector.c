/*
 * connector - connects in a thread, so that the caller can wait in poll(2) meanwhile.
 *
 * The thread closes its end of a pipe when it ends; the caller sees the other end become
 * readable. An attempt costs a thread and two descriptors. A lookup cannot be interrupted:
 * connector_finish() may therefore wait for the resolver.
 */
#include "client/chat/connector.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"

struct connector {
	pthread_t thread;
	char host[HOST_TEXT], port[PORT_TEXT];
	struct sock_target target;
	int done[2]; /* a pipe; the thread closes the write end when it ends */
	int fd;
	struct failure failure;
};

static void *run(void *context)
{
	struct connector *connector = context;

	connector->fd = sock_connect(&connector->target, NULL, &connector->failure);
	close(connector->done[1]);
	return NULL;
}

/* @return 0, or an error number */
static int start_thread(struct connector *connector)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&connector->thread, NULL, run, connector);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static struct connector *fail(struct connector *connector, int error,
			      struct failure *failure)
{
	free(connector);
	failure_set(failure, "cannot connect: %s", strerror(error));
	return NULL;
}

struct connector *connector_start(const struct sock_target *target,
				  struct failure *failure)
{
	struct connector *connector = calloc(1, sizeof *connector);
	int error;

	if (connector == NULL || pipe(connector->done) < 0)
		return fail(connector, errno, failure);
	io_set_close_on_exec(connector->done[0]);
	io_set_close_on_exec(connector->done[1]);
	snprintf(connector->host, sizeof connector->host, "%s", target->host);
	snprintf(connector->port, sizeof connector->port, "%s", target->port);
	connector->target = *target;
	connector->target.host = connector->host;
	connector->target.port = connector->port;
	error = start_thread(connector);
	if (error == 0)
		return connector;
	close(connector->done[0]);
	close(connector->done[1]);
	return fail(connector, error, failure);
}

int connector_descriptor(const struct connector *connector)
{
	return connector->done[0];
}

int connector_finish(struct connector *connector, struct failure *failure)
{
	int fd;

	pthread_join(connector->thread, NULL);
	close(connector->done[0]);
	fd = connector->fd;
	*failure = connector->failure;
	free(connector);
	return fd;
}
