/*
 * channel - a pair of local stream sockets between the parent and one child.
 *
 *     child                                           parent
 *       | ----- length, message, length, message ... --> |   posts
 *       | <---- bytes for the client ------------------- |   deliveries
 *
 * The length is a channel_length in the byte order of the machine: both processes run the
 * same program. A channel ends in one of these ways:
 *
 *   the client leaves   The child shuts its direction down. The parent reads the end, calls
 *                       hub_leave(), sends the rest of the queue, and closes.
 *   the child dies      The parent reads the end, as above. The queue is dropped.
 *   hub_dismiss()       The parent sends the queue and shuts its direction down. The child
 *                       sends everything to its client, and leaves.
 *   hub_cut_off()       The parent closes at once. The child finds the channel closed, and
 *                       closes the connection.
 *
 * This is the parent's end, and the format that both ends use.
 */
#ifndef SERVER_HUB_CHANNEL_H
#define SERVER_HUB_CHANNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/hub/mailbox.h"

struct remote_hub;

/** Precedes each message: its length in bytes, 1 to HUB_MESSAGE. With --proxy-protocol the first
 *  one is 0, without a message: the client arrives. */
typedef uint16_t channel_length;

/** Bytes that are read from a channel with one call. */
enum { CHANNEL_READ = 65536 };

/** What a child reports in shared memory. A message in the channel would be read only after
 *  all messages before it. */
struct child_status {
	atomic_bool stalled; /* its client does not read */
	bool used;           /* by a channel; the parent's */
};

struct channel {
	struct mailbox mailbox; /* first; its queue is the next field */
	struct buffer queue;
	struct buffer input; /* posts that the hub has not taken: a part of a message, or
				more while the channel is held */
	struct child_status *status;
	struct remote_hub *remote;
	struct channel *next, **link; /* in the list of the hub */
	int fd;
	unsigned wanted; /* events that the poller watches; 0: it does not watch fd */
	bool held;       /* not read, because other workers lag */
	bool input_ended;
	bool output_ended;
	max_align_t state_memory[]; /* of the service */
};

/** Sends what the socket takes of a buffer, without blocking. The caller consumes it. Also
 *  used by the child.
 *  @return the number of bytes, or -1 with errno (EPIPE, ECONNRESET: the other end is gone) */
ssize_t channel_send(int fd, const struct buffer *buffer);

/** Opens a channel for the client at @p peer, and adds it to the list of the hub.
 *  @param channel  zeroed, with memory for the state of the service after it
 *  @return the child's end, or -1 with errno (EMFILE, ENFILE, ENOMEM) */
int channel_open(struct channel *channel, struct remote_hub *remote,
		 struct child_status *status, const struct address *peer);

/** fd is readable: receives messages, and posts those that are complete. Holds the channel
 *  instead if workers lag. To be followed by channel_update(). */
void channel_receive(struct channel *channel);

/** Workers do not lag any more: posts the messages that were held. Ends with
 *  channel_update(). */
void channel_resume(struct channel *channel);

/** Sends the queue without blocking. For hub->flush(). */
void channel_flush(struct channel *channel);

/** After deliveries and events: sends the queue, closes the channel if it has ended, and
 *  watches for the next events. The channel may be gone after the call. */
void channel_update(struct channel *channel);

/** The member leaves, if it has not. Closes the channel, and gives its memory back. */
void channel_close(struct channel *channel);

#endif
