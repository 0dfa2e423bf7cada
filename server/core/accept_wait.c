/*
 * accept_wait - poll(2) for the listeners and for a wake-up, then accept(2).
 *
 * The main thread has its signals to end a wait. Another thread needs a descriptor for that:
 * a signal that arrives just before poll(2) does not end it, a readable descriptor does.
 */
#include "server/core/accept_wait.h"

#include <errno.h>
#include <poll.h>

#include "common/clock.h"
#include "common/retry.h"
#include "server/core/server.h"
#include "server/core/trace.h"

/* Returns when to try again although no client has left, after a shortage of descriptors or
 * memory; or CLOCK_NEVER. */
static int64_t next_try(struct server *server)
{
	return atomic_load(&server->full) ? atomic_load(&server->retry_at) : CLOCK_NEVER;
}

/* Waits for a client, for the wake-up, or until it is time to try again. Returns whether a client
 * may be there. If poll(2) keeps failing (ENOMEM), the delay before the next call grows. */
static bool wait_for_client(struct server *server, const struct wakeup *wakeup,
			    struct retry *polls)
{
	struct pollfd fds[LISTENERS_MOST + 1];
	unsigned count = server_poll_listeners(server, fds);
	int64_t until = count == 0 ? next_try(server) : CLOCK_NEVER;
	int ready;

	fds[count] = (struct pollfd){ .fd = wakeup->fd, .events = POLLIN };
	ready = poll(fds, count + 1,
		     clock_poll_timeout(clock_until(until, clock_milliseconds())));
	if (ready < 0 && errno != EINTR)
		retry_sleep(retry_failed(polls));
	else
		retry_succeeded(polls);
	if (ready > 0 && fds[count].revents != 0) {
		wakeup_clear(wakeup); /* the caller looks at `stopping` again */
		return false;
	}
	return ready > 0;
}

struct connection *accept_wait(struct server *server, const struct wakeup *wakeup)
{
	struct connection *connection = NULL;
	struct retry polls = { 0 };

	while (connection == NULL && !server->stopping) {
		bool held = server->held != NULL && server_accepting(server);

		if (held || wait_for_client(server, wakeup, &polls))
			connection = server_accept(server);
	}
	if (trace_is_on()) /* this thread may wait next, for room in a queue */
		trace_flush();
	return connection;
}
