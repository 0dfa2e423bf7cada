/*
 * channel - the parent's end of a channel: reads posts, sends deliveries, and ends.
 *
 * The parent must not block for a child, so all calls are non-blocking, and what a channel
 * does not take stays in the mailbox, whose queue the service limits. The cost is a buffer in
 * the parent for each child that is slower than its senders.
 */
#include "server/hub/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/list.h"
#include "common/sock.h"
#include "server/hub/remote.h"

/* ---- opening and closing ---------------------------------------------------------------- */

/* Returns the child's end, or -1. The poller watches the parent's end. */
static int open_pair(struct channel *channel)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return -1;
	io_set_close_on_exec(ends[0]);
	io_set_close_on_exec(ends[1]);
	channel->fd = ends[0];
	channel->wanted = POLLER_READ;
	if (poller_add(channel->remote->poller, channel->fd, POLLER_READ, channel) == 0)
		return ends[1];
	close(ends[0]);
	close(ends[1]);
	return -1;
}

int channel_open(struct channel *channel, struct remote_hub *remote,
		 struct child_status *status, const struct address *peer)
{
	int child_fd;

	channel->remote = remote;
	child_fd = open_pair(channel);
	if (child_fd < 0)
		return -1;
	channel->status = status;
	status->used = true;
	atomic_store(&status->stalled, false);
	mailbox_begin(&channel->mailbox, &remote->hub, peer, channel->state_memory,
		      &channel->queue);
	channel->mailbox.stalled = &status->stalled;
	LIST_INSERT(&remote->first, channel);
	return child_fd;
}

void channel_close(struct channel *channel)
{
	hub_leave(&channel->mailbox);
	LIST_REMOVE(channel);
	if (channel->wanted != 0)
		poller_remove(channel->remote->poller, channel->fd);
	/* A child that is just beginning may still have a copy of the descriptor, or keep it
	 * if the channel leaves the list before the child has closed it. */
	(void)shutdown(channel->fd, SHUT_RDWR);
	close(channel->fd);
	buffer_release(&channel->queue);
	buffer_release(&channel->input);
	channel->status->used = false; /* the next channel uses the memory of this one */
}

/* ---- deliveries ------------------------------------------------------------------------- */

ssize_t channel_send(int fd, const struct buffer *buffer)
{
	ssize_t n;

	do
		n = send(fd, buffer_bytes(buffer), buffer_length(buffer),
			 MSG_DONTWAIT | SOCK_NO_SIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 && errno == EAGAIN ? 0 : n;
}

/* If the child is gone, the queue is dropped. The member leaves only when everything that it
 * posted is read. After another error (ENOMEM) the client would miss bytes: it is cut off. */
static void send_queue(struct channel *channel)
{
	ssize_t sent;

	if (buffer_is_empty(&channel->queue))
		return;
	sent = channel_send(channel->fd, &channel->queue);
	if (sent < 0 && errno != EPIPE && errno != ECONNRESET)
		hub_cut_off(&channel->mailbox.member);
	buffer_consume(&channel->queue,
		       sent < 0 ? buffer_length(&channel->queue) : (size_t)sent);
	if (buffer_is_empty(&channel->queue))
		mailbox_clear_lagging(&channel->mailbox);
}

/* While the poller waits for space in the channel, a send(2) would only fail. */
void channel_flush(struct channel *channel)
{
	if (!(channel->wanted & POLLER_WRITE))
		send_queue(channel);
}

/* With no event to wait for, the descriptor is removed from the poller. Otherwise the poller
 * would report the hang-up of a dead child at each wait. */
static void watch(struct channel *channel)
{
	struct poller *poller = channel->remote->poller;
	unsigned before = channel->wanted;
	unsigned wanted = (channel->input_ended || channel->held ? 0U : POLLER_READ) |
			  (!buffer_is_empty(&channel->queue) ? POLLER_WRITE : 0U);

	if (wanted == before)
		return;
	channel->wanted = wanted;
	if (wanted == 0)
		poller_remove(poller, channel->fd);
	else if ((before != 0 ? poller_change(poller, channel->fd, wanted, channel)
			      : poller_add(poller, channel->fd, wanted, channel)) < 0)
		hub_cut_off(&channel->mailbox.member);
}

static bool has_ended(const struct channel *channel)
{
	return channel->mailbox.state == MAILBOX_CUT_OFF ||
	       (channel->mailbox.state == MAILBOX_LEFT &&
		buffer_is_empty(&channel->queue));
}

void channel_update(struct channel *channel)
{
	if (channel->mailbox.state != MAILBOX_CUT_OFF)
		send_queue(channel);
	if (has_ended(channel)) {
		channel_close(channel);
		return;
	}
	if (channel->mailbox.state == MAILBOX_DISMISSED &&
	    buffer_is_empty(&channel->queue) && !channel->output_ended) {
		channel->output_ended = true;
		if (shutdown(channel->fd, SHUT_WR) < 0) { /* the worker would wait */
			channel_close(channel);
			return;
		}
	}
	watch(channel);
}

/* ---- posts ------------------------------------------------------------------------------ */

/* Returns whether posts must wait for lagging workers: "Fairness" in mailbox.h. Begins the
 * timeout of that wait. The parent itself does not wait: it does not read from this child,
 * and serves the others. */
static bool must_hold(struct remote_hub *remote)
{
	if (remote->hub.lagging == 0)
		return false;
	if (remote->hold_until == 0)
		remote->hold_until = clock_milliseconds() + HUB_LAG_TIMEOUT_MS;
	return true;
}

/* Posts the complete messages of n bytes. Returns the bytes of these, or -1 if a length is
 * not valid. */
static ssize_t post_messages(struct channel *channel, const char *bytes, size_t n)
{
	size_t used = 0;
	channel_length length;

	while (n - used >= sizeof length) {
		memcpy(&length, bytes + used, sizeof length);
		if (length > HUB_MESSAGE || (length == 0 && channel->mailbox.arrived))
			return -1;
		if (n - used - sizeof length < length)
			break;
		if (must_hold(channel->remote)) {
			channel->held = true;
			break;
		}
		if (length == 0)
			hub_arrive(&channel->mailbox);
		else
			hub_post(&channel->mailbox, bytes + used + sizeof length, length);
		used += sizeof length + length;
	}
	return (ssize_t)used;
}

/* Posts the complete messages in the first n bytes of remote->input, and keeps the rest.
 * A child that sends invalid data (its memory was overwritten) is cut off; the others are
 * not affected. */
static void post_input(struct channel *channel, size_t n)
{
	char *input = channel->remote->input;
	ssize_t used = post_messages(channel, input, n);

	buffer_release(&channel->input);
	if (used < 0 ||
	    !buffer_append(&channel->input, input + used, n - (size_t)used, SIZE_MAX))
		hub_cut_off(&channel->mailbox.member);
}

void channel_receive(struct channel *channel)
{
	char *input = channel->remote->input;
	size_t kept = buffer_length(&channel->input);
	ssize_t n;

	if (must_hold(channel->remote)) {
		channel->held = true;
		return;
	}
	memcpy(input, buffer_bytes(&channel->input), kept);
	n = recv(channel->fd, input + kept, CHANNEL_READ, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		channel->input_ended = true;
		hub_leave(&channel->mailbox);
		return;
	}
	post_input(channel, kept + (size_t)n);
}

void channel_resume(struct channel *channel)
{
	channel->held = false;
	memcpy(channel->remote->input, buffer_bytes(&channel->input),
	       buffer_length(&channel->input));
	post_input(channel, buffer_length(&channel->input));
	channel_update(channel);
}
