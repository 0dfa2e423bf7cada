/*
 * hub_remote - the loop of the parent: waits for clients and for posts of its children.
 *
 * Processes share no variables, so one process must have the state of the hub: the
 * parent, which all children know. The cost is that each message crosses the kernel two
 * times more, up and down, with a process switch in each direction. In return a child can
 * crash or be killed: the other clients see only that its client has left.
 *
 * One turn of the loop:
 *
 *     poll the listeners and the channels
 *       for each channel that is ready: receive its posts --> the service delivers
 *     send the queues of all pending mailboxes, one send(2) for each
 *     if workers lagged and lag no more: resume the channels that are held
 */
#include "server/hub/remote.h"

#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/process.h"
#include "server/core/connection.h"
#include "server/core/server.h"
#include "server/core/signals.h"
#include "server/hub/place.h"

enum {
	/* Slots for channels whose clients have left, while their children take the last
	 * deliveries. */
	LEAVING = 4096,
	EVENTS = 256,
	/* Interval at which child_status.stalled is read: its change causes no event. */
	STALLED_CHECK_MS = 2,
	/* Time until the next accept(2) on listeners that the poller cannot watch. */
	ACCEPT_RETRY_MS = 100,
	NANOSECONDS_PER_MILLISECOND = 1000000,
};

/* The hub of the parent. A child has a copy, and uses only its client. */
static struct remote_hub remote;

/* ---- begin and end ---------------------------------------------------------------------- */

/* For hub->flush(). */
static void flush(struct mailbox *mailbox)
{
	channel_flush((struct channel *)mailbox);
}

/* The channels are not in the heap. The parent writes to them all the time, and each write to
 * a page that children have inherited copies the page (copy-on-write): with a thousand clients
 * that was most of the memory. Shared memory is not copied; a child unmaps it at once, and so
 * cannot damage it. */
static int map_slots(void)
{
	const size_t unit = alignof(max_align_t);
	size_t size = sizeof(struct channel) + remote.server->service->hub->member_size;

	remote.slot_count = remote.server->max_clients + LEAVING;
	remote.channel_size = (size + unit - 1) / unit * unit;
	remote.statuses =
		process_shared_memory(remote.slot_count * sizeof *remote.statuses);
	remote.channels = process_shared_memory(remote.slot_count * remote.channel_size);
	return remote.statuses != NULL && remote.channels != NULL ? 0 : -1;
}

static int begin(struct server *server)
{
	remote.server = server;
	remote.poller = poller_create();
	if (remote.poller == NULL || map_slots() < 0)
		return -1;
	remote.hub.flush = flush;
	hub_begin(&remote.hub, server->service->hub);
	return 0;
}

static void end(void)
{
	while (remote.first != NULL)
		channel_close(remote.first);
	poller_destroy(remote.poller);
}

/* ---- waiting ---------------------------------------------------------------------------- */

static void ignore_listeners(unsigned count)
{
	while (count > 0)
		poller_remove(remote.poller, remote.server->listeners.fds[--count]);
}

/* Returns whether all listeners are watched; if not, none is. */
static bool add_listeners(void)
{
	const struct listeners *listeners = &remote.server->listeners;

	for (unsigned i = 0; i < listeners->count; i++) {
		if (poller_add(remote.poller, listeners->fds[i], POLLER_READ, &remote) <
		    0) {
			ignore_listeners(i);
			return false;
		}
	}
	return true;
}

/* The listeners are watched only while the server accepts clients. When it stops, they are
 * closed, which also removes them from the poller. */
static void watch_listeners(bool accepting)
{
	if (accepting && !remote.listening) {
		remote.listening = add_listeners();
	} else if (!accepting && remote.listening) {
		remote.listening = false;
		ignore_listeners(remote.server->listeners.count);
	}
}

/* A timeout of -1 never ends. */
static int wait_for_events(struct poller_event events[EVENTS], int64_t timeout_ms)
{
	int64_t timeout_ns =
		timeout_ms == CLOCK_NEVER ? -1 : timeout_ms * NANOSECONDS_PER_MILLISECOND;
	int count = poller_wait_with(remote.poller, events, EVENTS, timeout_ns,
				     &remote.server->wait_mask);

	return server_wait_result(remote.server, count);
}

/* Returns whether a listener is ready. */
static bool serve_events(const struct poller_event events[], int count)
{
	bool client_waits = false;

	for (int i = 0; i < count; i++) {
		struct channel *channel = events[i].owner;

		if (events[i].owner == &remote) {
			client_waits = true;
			continue;
		}
		if (!channel->input_ended && !channel->held &&
		    (events[i].ready & POLLER_READ))
			channel_receive(channel);
		channel_update(channel);
	}
	return client_waits;
}

/* Sends the deliveries, once for each channel. */
static void serve_pending(void)
{
	struct mailbox *mailbox;

	while ((mailbox = hub_next_pending(&remote.hub)) != NULL)
		channel_update((struct channel *)mailbox);
}

/* Returns whether no worker lags any more, or the timeout is over. A worker that has set
 * `stalled` has run. */
static bool hold_is_over(void)
{
	struct channel *channel;

	for (channel = remote.first; channel != NULL; channel = channel->next)
		if (mailbox_is_lagging(&channel->mailbox) &&
		    atomic_load(&channel->status->stalled))
			mailbox_clear_lagging(&channel->mailbox);
	return remote.hub.lagging == 0 || clock_milliseconds() >= remote.hold_until;
}

static void resume_held(void)
{
	struct channel *channel, *next;

	hub_begin_epoch(&remote.hub);
	remote.hold_until = 0;
	for (channel = remote.first; channel != NULL; channel = next) {
		next = channel->next; /* channel_resume() may close this channel */
		if (channel->held)
			channel_resume(channel);
	}
}

static struct connection *wait_for_client(struct server *server)
{
	struct poller_event events[EVENTS];
	bool accepting = server_accepting(server);
	bool client_waits = accepting && server->held != NULL;
	int64_t timeout_ms = client_waits ? 0 : server_timeout(server, CLOCK_NEVER);
	int count;

	serve_pending(); /* a client has arrived since the last turn */
	watch_listeners(accepting);
	if (remote.hold_until > 0)
		timeout_ms = clock_earlier(timeout_ms, STALLED_CHECK_MS);
	if (accepting && !remote.listening) { /* out of memory: accept(2) reports it */
		timeout_ms = clock_earlier(timeout_ms, ACCEPT_RETRY_MS);
		client_waits = true;
	}
	count = wait_for_events(events, timeout_ms);
	signals_let_in_at_times(&remote.turns);
	client_waits |= serve_events(events, count);
	serve_pending();
	while (remote.hold_until > 0 && hold_is_over()) {
		resume_held(); /* which may deliver, and begin another hold */
		serve_pending();
	}
	return client_waits ? server_accept(server) : NULL;
}

/* ---- around fork(2) --------------------------------------------------------------------- */

/* Returns the status of the next free slot; NULL with errno if there is none. */
static struct child_status *find_free_slot(void)
{
	for (unsigned i = 0; i < remote.slot_count; i++) {
		struct child_status *status = &remote.statuses[remote.next_slot];

		remote.next_slot = (remote.next_slot + 1) % remote.slot_count;
		if (!status->used)
			return status;
	}
	errno = EAGAIN;
	return NULL;
}

/* Returns the channel of the same slot, zeroed. */
static struct channel *clear_channel(const struct child_status *status)
{
	size_t slot = (size_t)(status - remote.statuses);
	void *channel = remote.channels + slot * remote.channel_size;

	return memset(channel, 0, remote.channel_size);
}

/* Before fork(2): opens the channel of the child that will serve the connection. */
static int join(struct connection *connection)
{
	struct child_status *status = find_free_slot();

	if (status == NULL)
		return -1;
	process_release_freed_memory(); /* of queues that were sent: the child inherits it */
	remote.opening = clear_channel(status);
	remote.child_fd =
		channel_open(remote.opening, &remote, status, &connection->peer);
	return remote.child_fd < 0 ? -1 : 0;
}

/* fork(2) has failed: the member has not arrived. */
static void cancel(struct connection *connection)
{
	(void)connection;
	close(remote.child_fd);
	remote.opening->mailbox.state = MAILBOX_LEFT;
	channel_close(remote.opening);
}

/* After fork(2), in the parent. */
static void hand_over(void)
{
	close(remote.child_fd);
	if (!remote.server->proxy_protocol) /* else the child announces it: channel.h */
		hub_arrive(&remote.opening->mailbox);
}

/* After fork(2), in the child. It has inherited the parent's ends of all channels. While it has
 * a copy of such a descriptor, another child does not see that the parent closed it. */
static void release_channels(void)
{
	for (struct channel *channel = remote.first; channel != NULL;
	     channel = channel->next)
		close(channel->fd);
	poller_destroy(remote.poller);
	munmap(remote.channels, remote.slot_count * remote.channel_size);
}

/* The number of a slot, not its address, goes to another process. */
static void receive(struct connection *connection, int fd, unsigned slot)
{
	hub_remote_client_begin(&remote.client, &connection->output, fd,
				&remote.statuses[slot].stalled,
				remote.server->proxy_protocol);
	connection->hub = &remote.client.client;
}

static int pass(unsigned *slot)
{
	*slot = (unsigned)(remote.opening->status - remote.statuses);
	return remote.child_fd;
}

static void enter_child(struct connection *connection)
{
	unsigned slot;
	int fd = pass(&slot);

	release_channels();
	receive(connection, fd, slot);
}

const struct hub_place hub_in_parent = {
	.begin = begin,
	.join = join,
	.cancel = cancel,
	.wait = wait_for_client,
	.enter_child = enter_child,
	.hand_over = hand_over,
	.enter_worker = release_channels,
	.pass = pass,
	.receive = receive,
	.end = end,
};
