/*
 * accepts - how many accept requests, and what becomes of a completed one.
 *
 *	places of the server      0          1 and more
 *	requests a listener       0          places / listeners, from 1 to ACCEPTS_EACH
 *
 * Each listener has at least one, or clients of a listener without one could wait for ever beside
 * a free place. So with few places and several listeners, more clients than places can come.
 * server_admit() holds them until there is room.
 */
#include "server/core/accepts.h"

#include <errno.h>
#include <stddef.h>

#include "server/core/connection.h"

static unsigned wanted(struct server *server)
{
	unsigned places = server_places(server), each;

	if (places == 0 || server->listeners.count == 0)
		return 0;
	each = places / server->listeners.count;
	return each < 1 ? 1 : each > ACCEPTS_EACH ? ACCEPTS_EACH : each;
}

static bool start(struct accepts *accepts, struct uring *uring, struct server *server,
		  unsigned listener, struct accept_request *request)
{
	if (request->connection == NULL)
		request->connection = connection_create(server);
	if (request->connection == NULL) {
		server_accept_failed(server, ENOMEM);
		return true;
	}
	if (!uring_accept(uring, server->listeners.fds[listener], &request->peer,
			  request))
		return false;
	request->active = true;
	request->cancelled = false;
	accepts->active[listener]++;
	return true;
}

static bool start_up_to(struct accepts *accepts, struct uring *uring,
			struct server *server, unsigned listener, unsigned count)
{
	struct accept_request *requests = accepts->requests[listener];

	for (unsigned i = 0; i < ACCEPTS_EACH && accepts->active[listener] < count; i++)
		if (!requests[i].active &&
		    !start(accepts, uring, server, listener, &requests[i]))
			return false;
	return true;
}

static bool cancel_down_to(struct accepts *accepts, struct uring *uring,
			   unsigned listener, unsigned count)
{
	struct accept_request *requests = accepts->requests[listener];
	unsigned left = accepts->active[listener];

	for (unsigned i = 0; i < ACCEPTS_EACH && left > count; i++) {
		if (!requests[i].active)
			continue;
		if (!requests[i].cancelled &&
		    !uring_cancel(uring, URING_ACCEPT, &requests[i]))
			return false;
		requests[i].cancelled = true;
		left--;
	}
	return true;
}

bool accepts_adjust(struct accepts *accepts, struct uring *uring, struct server *server)
{
	unsigned count = wanted(server);
	bool all = true;

	if (accepts->listeners == 0)
		accepts->listeners = server->listeners.count;
	for (unsigned i = 0; i < accepts->listeners; i++)
		all = start_up_to(accepts, uring, server, i, count) &&
		      cancel_down_to(accepts, uring, i, count) && all;
	return all;
}

struct connection *accepts_complete(struct accepts *accepts, struct server *server,
				    const struct uring_completion *completion)
{
	struct accept_request *request = completion->owner;
	struct connection *connection = request->connection;
	size_t number = (size_t)(request - accepts->requests[0]);
	unsigned listener = (unsigned)(number / ACCEPTS_EACH);

	request->active = false;
	accepts->active[listener]--;
	if (completion->result < 0) {
		if (completion->result != -ECANCELED)
			server_accept_failed(server, -completion->result);
		return NULL;
	}
	request->connection = NULL;
	address_accepted(&request->peer, completion->result);
	return server_admit(server, connection, listener, completion->result,
			    &request->peer);
}

bool accepts_cancel(struct accepts *accepts, struct uring *uring)
{
	bool left = false;

	for (unsigned i = 0; i < accepts->listeners; i++) {
		(void)cancel_down_to(accepts, uring, i, 0);
		left = left || accepts->active[i] > 0;
	}
	return left;
}

void accepts_end(struct accepts *accepts)
{
	for (unsigned i = 0; i < accepts->listeners; i++)
		for (unsigned j = 0; j < ACCEPTS_EACH; j++)
			connection_free(accepts->requests[i][j].connection);
}
