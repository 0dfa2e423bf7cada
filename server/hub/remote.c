#include "server/hub/remote.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/process.h"
#include "server/core/signals.h"
#include "server/hub/place.h"

/* Channels whose clients have left, and whose children take what was delivered last. */
enum { LEAVING = 4096 };

/* Before a message, its length; both processes are of one program on one machine. */
typedef uint16_t message_head;

/* Milliseconds. LOOK_AGAIN: whether a client has stopped reading. ACCEPT_AGAIN: whether a
 * client waits at a listener that the poller cannot watch. */
enum {
	EVENTS = 256,
	LOOK_AGAIN = 2,
	ACCEPT_AGAIN = 100,
	NANOSECONDS_PER_MILLISECOND = 1000000,
};

/* ---- in the child ---------------------------------------------------------------------- */

/* Sends what the channel takes now. Returns how much that was, or -1 if nobody is there. */
static ssize_t send_some(int fd, const struct buffer *buffer)
{
	ssize_t n;

	do
		n = send(fd, buffer_bytes(buffer), buffer->length,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 && errno == EAGAIN ? 0 : n;
}

static void arrive(struct hub_client *link)
{
	(void)link; /* the parent knows */
}

static void post(struct hub_client *link, const char *bytes, size_t n)
{
	struct remote_link *r = (struct remote_link *)link;
	message_head head = (message_head)n;

	if (!buffer_append(&r->posts, &head, sizeof head, SIZE_MAX) ||
	    !buffer_append(&r->posts, bytes, n, SIZE_MAX))
		r->failed = true;
}

/* A message is lost, so its client must not go on as if it were not. The end of the channel
 * makes fetch() see it. */
static void fail(struct remote_link *r)
{
	r->failed = true;
	shutdown(r->link.fd, SHUT_RDWR);
}

static void dispatch(struct hub_client *link)
{
	struct remote_link *r = (struct remote_link *)link;
	ssize_t sent;

	if (r->posts.length > 0) {
		sent = send_some(link->fd, &r->posts);
		if (sent < 0)
			fail(r);
		buffer_consume(&r->posts, sent < 0 ? r->posts.length : (size_t)sent);
	}
	link->congested = r->posts.length > 0;
	if (r->left && !link->congested)
		shutdown(link->fd, SHUT_WR);
}

static void leave(struct hub_client *link)
{
	((struct remote_link *)link)->left = true;
	dispatch(link);
}

/* The parent has closed its end, not only one direction. */
static bool is_closed(int fd)
{
	struct pollfd channel = { .fd = fd };

	return poll(&channel, 1, 0) > 0 && (channel.revents & (POLLHUP | POLLERR));
}

static enum hub_client_state fetch(struct hub_client *link, struct buffer *queue)
{
	struct remote_link *r = (struct remote_link *)link;
	char piece[HUB_REMOTE_PIECE];
	ssize_t n = -1;

	if (r->failed)
		return HUB_CLIENT_CUT;
	if (queue->length > 0)
		return !r->left && is_closed(link->fd) ? HUB_CLIENT_CUT : HUB_CLIENT_OPEN;
	n = recv(link->fd, piece, sizeof piece, MSG_DONTWAIT);
	if (n > 0)
		return buffer_append(queue, piece, (size_t)n, SIZE_MAX) ? HUB_CLIENT_OPEN
									: HUB_CLIENT_CUT;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return HUB_CLIENT_OPEN;
	return !r->left && is_closed(link->fd) ? HUB_CLIENT_CUT : HUB_CLIENT_ENDED;
}

static void close_link(struct hub_client *link)
{
	close(link->fd);
}

static const struct hub_client_kind remote_kind = {
	.arrive = arrive,
	.post = post,
	.dispatch = dispatch,
	.leave = leave,
	.fetch = fetch,
	.close = close_link,
};

/* ---- in the parent --------------------------------------------------------------------- */

struct channel {
	struct mailbox mailbox; /* first; its mail is the buffer here */
	struct buffer mail;
	struct buffer kept; /* the beginning of a message whose rest has not come */
	struct stall *stall;
	struct remote_hub *remote;
	struct channel *next, **link;
	int fd;
	unsigned wanted; /* of the poller */
	bool held;       /* not read: what it posted waits until others have caught up */
	bool input_ended;
	bool ended;                 /* and our direction */
	max_align_t state_memory[]; /* the service's */
};

static void close_channel(struct channel *channel)
{
	mailbox_leave(&channel->mailbox);
	if (channel->next != NULL)
		channel->next->link = channel->link;
	*channel->link = channel->next;
	if (channel->wanted != 0)
		poller_remove(channel->remote->poller, channel->fd);
	close(channel->fd);
	buffer_consume(&channel->mail, channel->mail.length);
	buffer_consume(&channel->kept, channel->kept.length);
	channel->stall->used = false; /* and with it the channel's own place */
}

/* A child that has gone takes nothing more; that its client has left is told when all that
 * it posted has been read. */
static void send_mail(struct channel *channel)
{
	ssize_t sent;

	if (channel->mail.length == 0)
		return;
	sent = send_some(channel->fd, &channel->mail);
	if (sent < 0 && errno != EPIPE && errno != ECONNRESET) /* it would miss this */
		hub_cut_off(&channel->mailbox.member);
	buffer_consume(&channel->mail, sent < 0 ? channel->mail.length : (size_t)sent);
	if (channel->mail.length == 0)
		mailbox_caught_up(&channel->mailbox);
}

/* Waits from now on for what the channel can go on with. While that is nothing, it is taken
 * out: the poller would name it at each wait if its child died, for a hang-up need not be
 * asked for. */
static void watch(struct channel *channel)
{
	struct poller *poller = channel->remote->poller;
	unsigned before = channel->wanted;
	unsigned wanted = (channel->input_ended || channel->held ? 0U : POLLER_READ) |
			  (channel->mail.length > 0 ? POLLER_WRITE : 0U);

	if (wanted == before)
		return;
	channel->wanted = wanted;
	if (wanted == 0)
		poller_remove(poller, channel->fd);
	else if ((before != 0 ? poller_change(poller, channel->fd, wanted, channel)
			      : poller_add(poller, channel->fd, wanted, channel)) < 0)
		hub_cut_off(&channel->mailbox.member);
}

static bool is_behind(const struct channel *channel)
{
	return channel->mailbox.behind == channel->mailbox.hub->round;
}

/* Whether the hub is to have no further message for now: some children have not seen to
 * their mail, though their clients do read. Nobody is waited for meanwhile: who posts is
 * not read, and all else goes on. */
static bool must_hold(struct remote_hub *remote)
{
	if (remote->hub.behind == 0)
		return false;
	if (remote->hold_until == 0)
		remote->hold_until = clock_milliseconds() + HUB_PATIENCE;
	return true;
}

static void relieve(struct mailbox *mailbox)
{
	struct channel *channel = (struct channel *)mailbox;

	if (!(channel->wanted & POLLER_WRITE))
		send_mail(channel);
}

/* Sends what waits; when the last of it has gone, so may the channel. */
static void attend(struct channel *channel)
{
	if (channel->mailbox.state != MAILBOX_CUT_OFF)
		send_mail(channel);
	if (channel->mailbox.state == MAILBOX_CUT_OFF) {
		close_channel(channel);
		return;
	}
	if (channel->mail.length == 0 && channel->mailbox.state == MAILBOX_LEFT) {
		close_channel(channel);
		return;
	}
	if (channel->mail.length == 0 && channel->mailbox.state == MAILBOX_DISMISSED &&
	    !channel->ended) {
		channel->ended = true;
		shutdown(channel->fd, SHUT_WR);
	}
	watch(channel);
}

/* Hands the whole messages among n bytes to the hub. Returns how many bytes those were, or
 * -1 when that is not what a child of ours sends. */
static ssize_t take_messages(struct channel *channel, const char *bytes, size_t n)
{
	size_t used = 0;
	message_head length;

	while (n - used >= sizeof length) {
		memcpy(&length, bytes + used, sizeof length);
		if (length == 0 || length > HUB_MESSAGE)
			return -1;
		if (n - used - sizeof length < length)
			break;
		if (must_hold(channel->remote)) {
			channel->held = true;
			break;
		}
		mailbox_post(&channel->mailbox, bytes + used + sizeof length, length);
		used += sizeof length + length;
	}
	return (ssize_t)used;
}

/* Hands on what is in the remote's input, behind what was kept before. A child whose memory
 * was overwritten, say, is as good as dead; the others are not. */
static void hand_on(struct channel *channel, size_t n)
{
	char *input = channel->remote->input;
	ssize_t used = take_messages(channel, input, n);

	buffer_consume(&channel->kept, channel->kept.length);
	if (used < 0 ||
	    !buffer_append(&channel->kept, input + used, n - (size_t)used, SIZE_MAX))
		hub_cut_off(&channel->mailbox.member);
}

static void receive(struct channel *channel)
{
	char *input = channel->remote->input;
	size_t kept = channel->kept.length;
	ssize_t n;

	if (must_hold(channel->remote)) {
		channel->held = true;
		return;
	}
	memcpy(input, buffer_bytes(&channel->kept), kept);
	n = recv(channel->fd, input + kept, HUB_REMOTE_PIECE, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		channel->input_ended = true;
		mailbox_leave(&channel->mailbox);
		return;
	}
	hand_on(channel, kept + (size_t)n);
}

/* What was delivered on the way is sent here, once for each channel. */
static void spread_news(struct remote_hub *remote)
{
	struct mailbox *mailbox;

	while ((mailbox = hub_next_news(&remote->hub)) != NULL)
		attend((struct channel *)mailbox);
}

/* Whether all have seen to their mail who can, or have had their time. */
static bool have_caught_up(struct remote_hub *remote)
{
	struct channel *channel;

	for (channel = remote->first; channel != NULL; channel = channel->next)
		if (is_behind(channel) && atomic_load(&channel->stall->stalled))
			mailbox_caught_up(&channel->mailbox);
	return remote->hub.behind == 0 || clock_milliseconds() >= remote->hold_until;
}

/* Goes on with those that are held. */
static void release_held(struct remote_hub *remote)
{
	struct channel *channel, *next;

	mailbox_wait_no_more(&remote->hub);
	remote->hold_until = 0;
	for (channel = remote->first; channel != NULL; channel = next) {
		next = channel->next; /* attend() may close this one */
		if (!channel->held)
			continue;
		channel->held = false;
		memcpy(remote->input, buffer_bytes(&channel->kept), channel->kept.length);
		hand_on(channel, channel->kept.length);
		attend(channel);
	}
}

/* The channels are the parent's, and it writes to them all the time. In its heap each of them
 * would soon be copied for each child, which inherits that: with a thousand clients most of
 * the memory there is. Here a child gives them up at once, and so cannot harm them either. */
static int make_places(struct remote_hub *remote)
{
	const size_t unit = alignof(max_align_t);
	size_t size = sizeof(struct channel) + remote->server->service->hub->member_size;

	remote->channel_size = (size + unit - 1) / unit * unit;
	remote->channels =
		process_shared_memory(remote->stall_count * remote->channel_size);
	return remote->channels != NULL ? 0 : -1;
}

/* The place that goes with a stall, zeroed. */
static struct channel *place_of(struct remote_hub *remote, const struct stall *stall)
{
	size_t index = (size_t)(stall - remote->stalls);
	void *place = remote->channels + index * remote->channel_size;

	return memset(place, 0, remote->channel_size);
}

int hub_remote_begin(struct remote_hub *remote, struct server *server)
{
	remote->server = server;
	remote->stall_count = server->max_clients + LEAVING;
	remote->stalls =
		process_shared_memory(remote->stall_count * sizeof *remote->stalls);
	remote->poller = poller_create();
	if (remote->stalls == NULL || make_places(remote) < 0 || remote->poller == NULL)
		return -1;
	remote->hub.relieve = relieve;
	hub_begin(&remote->hub, server->service->hub);
	return 0;
}

static void ignore_listeners(struct remote_hub *remote, unsigned count)
{
	while (count > 0)
		poller_remove(remote->poller, remote->server->listeners.fds[--count]);
}

/* @return whether all of them are watched; if not, none is */
static bool add_listeners(struct remote_hub *remote)
{
	const struct listeners *listeners = &remote->server->listeners;

	for (unsigned i = 0; i < listeners->count; i++) {
		if (poller_add(remote->poller, listeners->fds[i], POLLER_READ, remote) <
		    0) {
			ignore_listeners(remote, i);
			return false;
		}
	}
	return true;
}

/* The listeners are watched only while a client would be accepted. When the server stops
 * they are closed, and that ends the watching. */
static void watch_listeners(struct remote_hub *remote, bool accepting)
{
	if (accepting && !remote->listening) {
		remote->listening = add_listeners(remote);
	} else if (!accepting && remote->listening) {
		remote->listening = false;
		ignore_listeners(remote, remote->server->listeners.count);
	}
}

static int64_t at_most(int64_t patience, int64_t most)
{
	return patience < 0 || patience > most ? most : patience;
}

struct connection *hub_remote_wait(struct remote_hub *remote)
{
	struct server *server = remote->server;
	struct poller_event events[EVENTS];
	bool accepting = server_accepting(server);
	bool knocked = accepting && server->held != NULL;
	int64_t patience = knocked ? 0 : server_timeout(server, -1);
	int count;

	if (remote->hold_until > 0)
		patience = at_most(patience, LOOK_AGAIN);
	spread_news(remote); /* of who has arrived */
	watch_listeners(remote, accepting);
	if (accepting && !remote->listening) { /* out of memory: accept(2) says it */
		patience = at_most(patience, ACCEPT_AGAIN);
		knocked = true;
	}
	count = poller_wait_with(remote->poller, events, EVENTS,
				 patience < 0 ? -1
					      : patience * NANOSECONDS_PER_MILLISECOND,
				 &server->wait_mask);
	count = server_waited(server, count);
	signals_let_in_at_times(&remote->turns);
	for (int i = 0; i < count; i++) {
		struct channel *channel = events[i].owner;

		if (events[i].owner == remote) {
			knocked = true;
			continue;
		}
		if (!channel->input_ended && !channel->held &&
		    (events[i].ready & POLLER_READ))
			receive(channel);
		attend(channel);
	}
	spread_news(remote);
	while (remote->hold_until > 0 && have_caught_up(remote)) {
		release_held(remote);
		spread_news(remote);
	}
	return knocked ? server_accept(server) : NULL;
}

/* The next one that nobody uses; NULL when there is none. */
static struct stall *find_stall(struct remote_hub *remote)
{
	for (unsigned i = 0; i < remote->stall_count; i++) {
		struct stall *stall = &remote->stalls[remote->stall_next];

		remote->stall_next = (remote->stall_next + 1) % remote->stall_count;
		if (!stall->used)
			return stall;
	}
	errno = EAGAIN;
	return NULL;
}

/* A pair of sockets, of which the poller watches the upper. */
static int open_pair(struct remote_hub *remote, struct channel *channel)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return -1;
	io_set_close_on_exec(ends[0]);
	io_set_close_on_exec(ends[1]);
	channel->fd = ends[0];
	remote->lower_end = ends[1];
	if (poller_add(remote->poller, ends[0], POLLER_READ, channel) == 0)
		return 0;
	close(ends[0]);
	close(ends[1]);
	return -1;
}

int hub_remote_open(struct remote_hub *remote, const struct connection *connection)
{
	struct stall *stall = find_stall(remote);
	struct channel *channel;

	if (stall == NULL)
		return -1;
	process_release_freed_memory(); /* a moment ago much waited, and was sent */
	channel = place_of(remote, stall);
	if (open_pair(remote, channel) < 0)
		return -1;
	channel->stall = stall;
	stall->used = true;
	atomic_store(&stall->stalled, false);
	channel->remote = remote;
	channel->wanted = POLLER_READ;
	mailbox_begin(&channel->mailbox, &remote->hub, &connection->peer,
		      channel->state_memory, &channel->mail);
	channel->next = remote->first;
	channel->link = &remote->first;
	if (remote->first != NULL)
		remote->first->link = &channel->next;
	remote->first = channel;
	remote->opening = channel;
	channel->mailbox.stalled = &stall->stalled;
	return 0;
}

void hub_remote_enter(struct remote_hub *remote, struct connection *connection)
{
	/* As long as anybody has a copy of the parent's end, its own closing would not be
	 * seen by the other child. */
	for (struct channel *channel = remote->first; channel != NULL;
	     channel = channel->next)
		close(channel->fd);
	poller_destroy(remote->poller);
	remote->link.link = (struct hub_client){
		.kind = &remote_kind,
		.output = &connection->output,
		.fd = remote->lower_end,
		.stalled = &remote->opening->stall->stalled,
	};
	munmap(remote->channels, remote->stall_count * remote->channel_size);
	connection->hub = &remote->link.link;
}

void hub_remote_opened(struct remote_hub *remote, bool forked)
{
	close(remote->lower_end);
	if (forked) {
		mailbox_arrive(&remote->opening->mailbox);
	} else {
		remote->opening->mailbox.state = MAILBOX_LEFT; /* it never was there */
		close_channel(remote->opening);
	}
}

void hub_remote_end(struct remote_hub *remote)
{
	while (remote->first != NULL)
		close_channel(remote->first);
	poller_destroy(remote->poller);
}

/* The one hub of the parent; a child has a copy, of which it uses the link. */
static struct remote_hub the_hub;

static int begin(struct server *server)
{
	return hub_remote_begin(&the_hub, server);
}

static struct connection *wait_for_client(struct server *server)
{
	(void)server;
	return hub_remote_wait(&the_hub);
}

static int join(struct connection *connection)
{
	return hub_remote_open(&the_hub, connection);
}

static void cancel(struct connection *connection)
{
	(void)connection;
	hub_remote_opened(&the_hub, false);
}

static void enter_child(struct connection *connection)
{
	hub_remote_enter(&the_hub, connection);
}

static void hand_over(void)
{
	hub_remote_opened(&the_hub, true);
}

static void end(void)
{
	hub_remote_end(&the_hub);
}

const struct hub_place hub_in_parent = {
	.begin = begin,
	.join = join,
	.cancel = cancel,
	.wait = wait_for_client,
	.enter_child = enter_child,
	.hand_over = hand_over,
	.end = end,
};
