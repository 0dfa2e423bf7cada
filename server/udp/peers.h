/*
 * peers - the clients of a datagram socket: a table of addresses and ports, or of names.
 *
 * UDP has no connections, so nothing shows that a client has arrived or left. The first
 * datagram from an address and port creates a peer, and silence for the idle timeout ends
 * it. The table is limited: when it is full, the peer that has been silent the longest is
 * removed.
 */
#ifndef SERVER_UDP_PEERS_H
#define SERVER_UDP_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/datagram.h"
#include "server/udp/repetition.h"

struct udp_session;

/* A client that sends to two sockets of the server is two peers, because each reply is
 * sent on the socket that received the request. */
struct peer_key {
	struct datagram_peer from;
	int socket; /* of the server */
};

struct peer {
	struct peer_key key;         /* first: peers.c compares it */
	struct peer *older, *newer;  /* in the order of last_at */
	int64_t last_at;             /* when its last datagram arrived; milliseconds */
	struct udp_session *session; /* if one process answers all; or */
	int pipe;                    /* to the worker that answers this peer; else -1 */
	bool lagging; /* the worker did not read its last datagram in time */
	struct repetition repetition;
};

struct peers {
	void *tree; /* of tsearch(3) */
	struct peer *oldest, *newest;
	unsigned count;
};

/** @return the peer with this key, or NULL */
struct peer *peers_find(const struct peers *peers, const struct peer_key *key);

/** Adds a peer whose first datagram arrived at @p now. @return it, or NULL with errno
 *  (ENOMEM) */
struct peer *peers_add(struct peers *peers, const struct peer_key *key, int64_t now);

/** A datagram of the peer arrived at @p now: moves it to the end of the list. */
void peers_touch(struct peers *peers, struct peer *peer, int64_t now);

/** Removes a peer from the table, and frees it. */
void peers_remove(struct peers *peers, struct peer *peer);

#endif
