/*
 * peers - the clients of a datagram socket, each an address and port, remembered for as
 * long as they are heard of.
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

struct dialogue;

/* One client that writes to two of our sockets is two peers: each reply leaves by the socket
 * to which the client has written. */
struct peer_key {
	struct address address;
	int socket; /* ours */
};

struct peer {
	struct peer_key key;        /* first: peers.c compares it */
	struct peer *older, *newer; /* by when they were heard last */
	int64_t heard_at;           /* milliseconds */
	struct dialogue *dialogue;  /* with the one process that answers all; or */
	int feed;                   /* to the worker that answers this one; else -1 */
	bool behind; /* that worker did not take its last datagram in time */
	struct repetition repetition;
};

struct peers {
	void *tree; /* tsearch(3)'s */
	struct peer *oldest, *newest;
	unsigned count;
};

/** The peer of that key, or NULL. */
struct peer *peers_find(const struct peers *peers, const struct peer_key *key);

/** Adds one, heard of at @p now. @return it, or NULL with errno (ENOMEM) */
struct peer *peers_add(struct peers *peers, const struct peer_key *key, int64_t now);

/** It was heard of again: it is the newest now. */
void peers_heard(struct peers *peers, struct peer *peer, int64_t now);

/** Forgets it, and frees it. */
void peers_remove(struct peers *peers, struct peer *peer);

#endif
