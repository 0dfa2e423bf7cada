/*
 * hub_shared - hub_behind_mutex: a mutex for the data, a wake-up for each receiver, and a
 * condition variable for senders that wait for lagging threads.
 *
 * A thread holds the mutex from the first post in a call of its service until that call has
 * returned. Before it unlocks the mutex, it wakes the threads of the receivers. Each of them
 * takes its whole queue under the mutex, by exchanging a few pointers, and sends the queue
 * without the mutex. So no thread waits for a client of another thread. There is only this
 * mutex: no other lock is taken while it is held.
 *
 * A thread waits in poll(2) for its client and for the hub. poll(2) cannot wait for a
 * condition variable, so a wake-up is a descriptor (common/wakeup.h). The costs are one
 * descriptor for each client, one write(2) and one read(2) for each wake-up, and that the
 * service runs on one processor at a time.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/condition.h"
#include "common/wakeup.h"
#include "server/core/connection.h"
#include "server/core/server.h"
#include "server/hub/client.h"
#include "server/hub/mailbox.h"
#include "server/hub/place.h"

struct shared_hub {
	pthread_mutex_t mutex;
	/* hub.lagging is 0, or a thread that waits for this is lagging itself */
	pthread_cond_t lagging_changed;
	unsigned waiters; /* threads that wait for lagging_changed */
	struct hub hub;   /* the hub and all mailboxes: only under the mutex */
};

/* The hub of this process. */
static struct shared_hub shared;

struct shared_client {
	struct hub_client client; /* first: the connection's view */
	struct mailbox mailbox;   /* its queue is the next field */
	struct buffer queue;
	struct wakeup wakeup;
	atomic_bool stalled;
	bool locked;                /* this thread holds the mutex */
	bool woken;                 /* and has not taken its queue since */
	bool waits;                 /* in wait_for_lagging() */
	max_align_t state_memory[]; /* of the service */
};

static struct shared_client *of_mailbox(struct mailbox *mailbox)
{
	return (struct shared_client *)((char *)mailbox -
					offsetof(struct shared_client, mailbox));
}

/* ---- the mutex -------------------------------------------------------------------------- */

static void lock(struct shared_client *self)
{
	if (!self->locked)
		pthread_mutex_lock(&shared.mutex);
	self->locked = true;
}

/* One wake-up is enough until the thread takes its queue. But a thread that cannot take it
 * yet must learn at once that its client is cut off. */
static void wake(struct shared_client *receiver)
{
	if (!receiver->woken || receiver->mailbox.state == MAILBOX_CUT_OFF)
		wakeup_send(&receiver->wakeup);
	receiver->woken = true;
}

/* Returns whether one of the receivers waits for lagging threads, and lags itself. */
static bool wake_receivers(void)
{
	struct mailbox *mailbox;
	bool waiter_lags = false;

	while ((mailbox = hub_next_pending(&shared.hub)) != NULL) {
		struct shared_client *receiver = of_mailbox(mailbox);

		wake(receiver);
		waiter_lags |= receiver->waits && mailbox_is_lagging(mailbox);
	}
	return waiter_lags;
}

/* The receivers are woken under the mutex: without it a thread could leave and close its
 * wake-up at this moment. Every change of hub.lagging is followed by an unlock(), so the
 * threads that wait for it are woken here, too. */
static void unlock(struct shared_client *self)
{
	bool waiter_lags;

	if (!self->locked)
		return;
	waiter_lags = wake_receivers();
	if (waiter_lags || (shared.waiters > 0 && shared.hub.lagging == 0))
		pthread_cond_broadcast(&shared.lagging_changed);
	self->locked = false;
	pthread_mutex_unlock(&shared.mutex);
}

/* ---- waiting for lagging threads: "Fairness" in mailbox.h ------------------------------- */

/* Returns 0, or ETIMEDOUT. */
static int wait_for_change(struct shared_client *self, int64_t until)
{
	int error;

	self->waits = true;
	shared.waiters++;
	error = condition_wait(&shared.lagging_changed, &shared.mutex, until);
	shared.waiters--;
	self->waits = false;
	return error;
}

static void send_own_queue(struct shared_client *self)
{
	unlock(self);
	hub_client_fetch_and_send(&self->client);
	lock(self);
	mailbox_clear_lagging(
		&self->mailbox); /* fetch does not, if it was cut off before */
}

/* The thread sends its own queue while it waits: two threads that wait for each other would
 * otherwise both wait until the timeout. */
static void wait_for_lagging(struct shared_client *self)
{
	int64_t until = clock_milliseconds() + HUB_LAG_TIMEOUT_MS;
	struct hub *hub = &shared.hub;
	int error = 0;

	unlock(self); /* wakes the threads that lag */
	lock(self);
	while (hub->lagging > 0 && error == 0) {
		if (mailbox_is_lagging(&self->mailbox))
			send_own_queue(self);
		else
			error = wait_for_change(self, until);
	}
	if (hub->lagging > 0)
		hub_begin_epoch(hub);
}

/* ---- the client's side ------------------------------------------------------------------ */

static void arrive(struct hub_client *client)
{
	struct shared_client *self = (struct shared_client *)client;

	lock(self);
	hub_arrive(&self->mailbox);
	unlock(self);
}

/* dispatch() unlocks the mutex: a service may post several messages in one call. */
static void post(struct hub_client *client, const char *bytes, size_t n)
{
	struct shared_client *self = (struct shared_client *)client;

	lock(self);
	if (shared.hub.lagging > 0)
		wait_for_lagging(self);
	hub_post(&self->mailbox, bytes, n);
}

static void dispatch(struct hub_client *client)
{
	unlock((struct shared_client *)client);
}

static void leave(struct hub_client *client)
{
	struct shared_client *self = (struct shared_client *)client;

	lock(self);
	hub_leave(&self->mailbox);
	unlock(self);
}

static enum hub_client_state fetch(struct hub_client *client, struct buffer *queue)
{
	struct shared_client *self = (struct shared_client *)client;
	enum hub_client_state state = HUB_CLIENT_OPEN;

	wakeup_clear(&self->wakeup);
	lock(self);
	mailbox_clear_lagging(&self->mailbox);
	if (self->mailbox.state == MAILBOX_CUT_OFF) {
		state = HUB_CLIENT_CUT;
	} else if (buffer_is_empty(queue)) {
		*queue = self->queue; /* the memory moves, no byte is copied */
		self->queue = (struct buffer){ NULL };
		self->woken = false;
		if (self->mailbox.state != MAILBOX_OPEN)
			state = HUB_CLIENT_ENDED;
	}
	unlock(self);
	return state;
}

static void close_client(struct hub_client *client)
{
	struct shared_client *self = (struct shared_client *)client;

	leave(client);
	wakeup_close(&self->wakeup);
	buffer_release(&self->queue);
	free(self);
}

static const struct hub_client_kind shared_kind = {
	.arrive = arrive,
	.post = post,
	.dispatch = dispatch,
	.leave = leave,
	.fetch = fetch,
	.close = close_client,
};

/* ---- called by the model ---------------------------------------------------------------- */

static int begin(struct server *server)
{
	pthread_mutex_init(&shared.mutex, NULL);
	condition_begin(&shared.lagging_changed);
	hub_begin(&shared.hub, server->service->hub);
	return 0;
}

static int join(struct connection *connection)
{
	struct shared_client *self =
		calloc(1, sizeof *self + shared.hub.service->member_size);

	if (self == NULL)
		return -1;
	if (wakeup_open(&self->wakeup) < 0) {
		free(self);
		return -1;
	}
	self->client.output = &connection->output;
	self->client.kind = &shared_kind;
	self->client.fd = self->wakeup.fd;
	self->client.wakes_while_queued = true;
	self->client.stalled = &self->stalled;
	mailbox_begin(&self->mailbox, &shared.hub, &connection->peer, self->state_memory,
		      &self->queue);
	self->mailbox.stalled = &self->stalled;
	connection->hub = &self->client;
	return 0;
}

static void cancel(struct connection *connection)
{
	struct shared_client *self = (struct shared_client *)connection->hub;

	wakeup_close(&self->wakeup);
	free(self);
	connection->hub = NULL;
}

const struct hub_place hub_behind_mutex = {
	.begin = begin,
	.join = join,
	.cancel = cancel,
};
