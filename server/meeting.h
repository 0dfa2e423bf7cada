/*
 * meeting - a connection's part in the hub, of a service whose clients meet: what it posts,
 * what it is to fetch and send, and its leave. Of any other service there is none of it.
 *
 * A part of the connection: it looks inside, and but for meeting_relieve() and
 * meeting_catch_up(), which the hub calls, only connection.c calls it.
 */
#ifndef SERVER_MEETING_H
#define SERVER_MEETING_H

#include <stdbool.h>
#include <stddef.h>

struct connection;

/** The client arrives; the session posts; the conversation is over. */
void meeting_begin(struct connection *connection);
void meeting_post(struct connection *connection, const char *bytes, size_t n);
void meeting_end(struct connection *connection);

/** After each call of the service, and whenever output has been sent: what was posted goes
 *  to the hub. When the session has finished the client leaves, and what was delivered to it
 *  by then is still to be sent. */
void meeting_settle(struct connection *connection);

/** Whether something may still come from the hub: who hangs up waits for that. */
bool meeting_goes_on(const struct connection *connection);

/** Whether the client is not to be read: what was posted is not on its way yet. */
bool meeting_holds_input(const struct connection *connection);

/** WANT_HUB, while the hub is to be listened to; or 0. */
unsigned meeting_wants(const struct connection *connection);

/** What to poll hub->fd for, then. */
short meeting_events(const struct connection *connection);

/** Fetches what there is, if nothing waits to be sent before. */
void meeting_fetch(struct connection *connection);

/** Some of the queue was sent, or could not be. */
void meeting_note_sent(struct connection *connection);

/** From within the hub, for a connection whose queue seems too long only because nobody has
 *  tried to send it yet: tries. Tells no service anything. */
void meeting_relieve(struct connection *connection);

/** Fetches and sends while its own service is posting, and has to wait for others. */
void meeting_catch_up(struct connection *connection);

#endif
