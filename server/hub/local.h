/*
 * hub_local - hub_in_process: the hub in the process of the one worker that serves all clients.
 *
 * A post calls the service. A delivery is appended to the output queue of the receiver's
 * connection. The loop sends these queues after it has served all ready sockets,
 * so a burst of messages needs one send(2) for each receiver.
 */
#ifndef SERVER_HUB_LOCAL_H
#define SERVER_HUB_LOCAL_H

struct connection;

/** @return the next connection to which something was delivered, and for which
 *  connection_deliver() is due; or NULL */
struct connection *hub_local_next(void);

#endif
