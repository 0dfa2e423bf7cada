/*
 * peers - the clients of a datagram socket: a table of addresses and ports.
 *
 * UDP has no connections: nobody says that a client has arrived or left. So the first
 * datagram of an address makes a peer, and silence for the idle timeout ends it. The table
 * is bounded: when it is full, the one that has been silent the longest leaves first.
 */
#ifndef SERVER_UDP_PEERS_H
#define SERVER_UDP_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "server/udp/repetition.h"

struct udp_session;

/* One client that writes to two of our sockets is two peers: each reply leaves by the socket
 * to which the client has written. */
struct peer_key {
	struct address address;
	int socket; /* ours */
};

struct peer {
	struct peer_key key;         /* first: peers.c compares it */
	struct peer *older, *newer;  /* in the order of last_at */
	int64_t last_at;             /* when its last datagram came; milliseconds */
	struct udp_session *session; /* if one process answers all; or */
	int pipe;                    /* to the worker that answers this peer; else -1 */
	bool lagging; /* that worker did not take its last datagram in time */
	struct repetition repetition;
};

struct peers {
	void *tree; /* tsearch(3)'s */
	struct peer *oldest, *newest;
	unsigned count;
};

/** The peer of that key, or NULL. */
struct peer *peers_find(const struct peers *peers, const struct peer_key *key);

/** Adds one whose first datagram came at @p now. @return it, or NULL with errno (ENOMEM) */
struct peer *peers_add(struct peers *peers, const struct peer_key *key, int64_t now);

/** A datagram of it came at @p now: it is the newest. */
void peers_touch(struct peers *peers, struct peer *peer, int64_t now);

/** Forgets it, and frees it. */
void peers_remove(struct peers *peers, struct peer *peer);

#endif
