/*
 * visitors - a thread for each client, with blocking calls.
 *
 * The engine of the load keeps its clients busy for a time. Here each client leaves after its
 * requests, so that one sees how a server goes from one client to the next.
 */
#include "client/versus/visitors.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"

enum { CONNECT_TIME = 2000, STEP = 100 }; /* milliseconds */

struct visit {
	struct visitor *visitor;
	pthread_t thread;
	int fd;
	int64_t think, most;
	const volatile sig_atomic_t *stop;
};

static void sleep_milliseconds(int64_t milliseconds)
{
	struct timespec left = clock_timespec(milliseconds);

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Waits in steps: a signal of the terminal reaches the main thread. */
static bool await_byte(const struct visit *visit)
{
	for (int64_t waited = 0; waited < visit->most && !*visit->stop; waited += STEP)
		if (io_wait(visit->fd, POLLIN, STEP) > 0)
			return true;
	return false;
}

/* Reads up to the end of a line. @return false if it does not come */
static bool await_reply(const struct visit *visit)
{
	char byte;

	do {
		if (!await_byte(visit) || io_read(visit->fd, &byte, 1) <= 0)
			return false;
	} while (byte != '\n');
	return true;
}

static void *visit_server(void *argument)
{
	struct visit *visit = argument;

	for (int i = 0; i < VISITOR_REQUESTS; i++) {
		if (i > 0)
			sleep_milliseconds(visit->think);
		if (io_write(visit->fd, "hello\n", 6) != 6 || !await_reply(visit))
			break;
		visit->visitor->replies++;
	}
	close(visit->fd);
	return NULL;
}

static int begin_visit(struct visit *visit, const char *port, struct failure *failure)
{
	const struct sock_target target = { .host = "127.0.0.1",
					    .port = port,
					    .family = AF_INET,
					    .type = SOCK_STREAM,
					    .timeout = CONNECT_TIME };
	struct address own;
	int error;

	visit->fd = sock_connect(&target, NULL, failure);
	if (visit->fd < 0)
		return -1;
	visit->visitor->connected_at = clock_nanoseconds();
	if (address_local(visit->fd, &own) == 0)
		address_text(&own, visit->visitor->address);
	error = pthread_create(&visit->thread, NULL, visit_server, visit);
	if (error == 0)
		return 0;
	close(visit->fd);
	return failure_set(failure, "cannot create a thread: %s", strerror(error));
}

int visitors_run(const char *port, int64_t think, int64_t most,
		 const volatile sig_atomic_t *stop, struct visitor visitors[VISITORS],
		 struct failure *failure)
{
	struct visit visits[VISITORS];
	unsigned begun = 0;

	memset(visitors, 0, VISITORS * sizeof *visitors);
	while (begun < VISITORS) {
		visits[begun] = (struct visit){ .visitor = &visitors[begun],
						.think = think,
						.most = most,
						.stop = stop };
		if (begin_visit(&visits[begun], port, failure) < 0)
			break;
		begun++;
	}
	for (unsigned i = 0; i < begun; i++)
		pthread_join(visits[i].thread, NULL);
	return begun == VISITORS ? 0 : -1;
}
