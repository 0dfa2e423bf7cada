/*
 * hub_local - a hub in the process of the one worker that serves all its clients.
 *
 * To post is to call, and what is delivered is appended to the connection's own queue.
 * It is sent when the loop has dealt with all that was ready: so a burst of messages is one
 * send(2) for each receiver.
 */
#ifndef SERVER_HUB_LOCAL_H
#define SERVER_HUB_LOCAL_H

struct connection;

/** Whose turn it is next to have connection_deliver() called, since something was delivered
 *  to it. @return NULL for none */
struct connection *hub_local_next(void);

#endif
