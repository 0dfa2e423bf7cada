/*
 * hub_remote_client - a client whose hub is in another process.
 *
 * Messages are written to the channel, a socket to the parent. Deliveries are read from it.
 * No call blocks: posts that the channel does not take are queued, and while they are, the
 * child does not read from its client. So a fast sender is slowed down by its own TCP
 * connection. The cost is two system calls and one process switch for each direction.
 */
#include "server/hub/remote_client.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/hub/channel.h"

/* A post is lost, so the client must go. The next poll(2) reports a hang-up of the channel, and
 * fetch() then finds `failed`. */
static void fail(struct remote_client *self)
{
	self->failed = true;
	shutdown(self->client.fd, SHUT_RDWR);
	buffer_release(&self->posts);
}

static void post(struct hub_client *client, const char *bytes, size_t n)
{
	struct remote_client *self = (struct remote_client *)client;
	channel_length length = (channel_length)n;

	if (!buffer_append(&self->posts, &length, sizeof length, SIZE_MAX) ||
	    !buffer_append(&self->posts, bytes, n, SIZE_MAX))
		fail(self);
}

/* Usually the parent has called hub_arrive(). Only the child knows when the header of a proxy
 * is complete. */
static void arrive(struct hub_client *client)
{
	if (((struct remote_client *)client)->announces)
		post(client, "", 0);
}

static void send_posts(struct remote_client *self)
{
	ssize_t sent = channel_send(self->client.fd, &self->posts);

	if (sent < 0)
		fail(self);
	else
		buffer_consume(&self->posts, (size_t)sent);
}

static void dispatch(struct hub_client *client)
{
	struct remote_client *self = (struct remote_client *)client;

	if (!buffer_is_empty(&self->posts))
		send_posts(self);
	client->congested = !buffer_is_empty(&self->posts);
	/* an error: the parent is gone, or will not hear that the client has left */
	if (self->left && !client->congested && shutdown(client->fd, SHUT_WR) < 0)
		fail(self);
}

static void leave(struct hub_client *client)
{
	((struct remote_client *)client)->left = true;
	dispatch(client);
}

/* Without POLLIN, poll(2) reports only that both directions have ended: the parent has closed
 * its end. */
static bool is_closed(int fd)
{
	struct pollfd channel = { .fd = fd };

	return poll(&channel, 1, 0) > 0 && (channel.revents & (POLLHUP | POLLERR));
}

/* After leave() this direction has ended too, and a close by the parent is no cut. */
static bool is_cut_off(const struct remote_client *self)
{
	return !self->left && is_closed(self->client.fd);
}

static enum hub_client_state fetch(struct hub_client *client, struct buffer *queue)
{
	struct remote_client *self = (struct remote_client *)client;
	char bytes[CHANNEL_READ];
	ssize_t n;

	if (self->failed)
		return HUB_CLIENT_CUT;
	if (!buffer_is_empty(queue))
		return is_cut_off(self) ? HUB_CLIENT_CUT : HUB_CLIENT_OPEN;
	n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (n > 0)
		return buffer_append(queue, bytes, (size_t)n, SIZE_MAX) ? HUB_CLIENT_OPEN
									: HUB_CLIENT_CUT;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return HUB_CLIENT_OPEN;
	return is_cut_off(self) ? HUB_CLIENT_CUT : HUB_CLIENT_ENDED;
}

/* The struct is not freed: it is a part of struct remote_hub, and the next client of this
 * process uses it. */
static void close_client(struct hub_client *client)
{
	struct remote_client *self = (struct remote_client *)client;

	buffer_release(&self->posts);
	close(client->fd);
}

static const struct hub_client_kind remote_kind = {
	.arrive = arrive,
	.post = post,
	.dispatch = dispatch,
	.leave = leave,
	.fetch = fetch,
	.close = close_client,
};

void hub_remote_client_begin(struct remote_client *self, struct output *output, int fd,
			     atomic_bool *stalled, bool announces)
{
	*self = (struct remote_client){
		.client = {
			.kind = &remote_kind,
			.output = output,
			.fd = fd,
			.stalled = stalled,
		},
		.announces = announces,
	};
}
