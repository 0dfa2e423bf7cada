/*
 * accept_wait - poll(2) for the listeners and for a wake-up, then accept(2).
 *
 * The main thread has its signals to end a wait. Another thread needs a descriptor for that:
 * a signal that arrives just before poll(2) does not end it, a readable descriptor does.
 */
#include "server/core/accept_wait.h"

#include <poll.h>

#include "common/clock.h"
#include "server/core/server.h"

/* Returns when to try again although no client has left, after a shortage of descriptors or
 * memory; or CLOCK_NEVER. */
static int64_t next_try(struct server *server)
{
	return atomic_load(&server->full) ? atomic_load(&server->retry_at) : CLOCK_NEVER;
}

struct connection *accept_wait(struct server *server, const struct wakeup *wakeup)
{
	struct pollfd fds[LISTENERS_MOST + 1];
	struct connection *connection = NULL;

	while (connection == NULL && !server->stopping) {
		unsigned count = server_poll_listeners(server, fds);
		int64_t until = count == 0 ? next_try(server) : CLOCK_NEVER;

		fds[count] = (struct pollfd){ .fd = wakeup->fd, .events = POLLIN };
		if (poll(fds, count + 1,
			 clock_poll_timeout(clock_until(until, clock_milliseconds()))) <=
		    0)
			continue;
		if (fds[count].revents != 0)
			wakeup_clear(wakeup); /* and then look at `stopping` again */
		else
			connection = server_accept(server);
	}
	return connection;
}
