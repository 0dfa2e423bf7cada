/*
 * peers - the table: a tree to find a peer by its address, and a list to find the oldest.
 *
 * The tree is that of tsearch(3), which is balanced in glibc. So a search takes time
 * log(n) even under a flood of forged addresses. The list has the order of the last
 * datagrams: a peer that sends moves to the end. So the peer that has been silent the
 * longest is always at the head.
 */
#ifdef __linux__
#define _GNU_SOURCE
#else
#define _XOPEN_SOURCE 700 /* tsearch */
#endif

#include "server/udp/peers.h"

#include <search.h>
#include <stdlib.h>

/* The tree needs some total order; any one is right. */
static int by_key(const void *a, const void *b)
{
	const struct peer_key *x = a, *y = b;

	if (x->socket != y->socket)
		return x->socket < y->socket ? -1 : 1;
	return datagram_peer_compare(&x->from, &y->from);
}

struct peer *peers_find(const struct peers *peers, const struct peer_key *key)
{
	struct peer **found = tfind(key, &peers->tree, by_key);

	return found ? *found : NULL;
}

static void link_newest(struct peers *peers, struct peer *peer)
{
	peer->older = peers->newest;
	peer->newer = NULL;
	if (peers->newest != NULL)
		peers->newest->newer = peer;
	else
		peers->oldest = peer;
	peers->newest = peer;
}

static void unlink_peer(struct peers *peers, struct peer *peer)
{
	if (peer->older != NULL)
		peer->older->newer = peer->newer;
	else
		peers->oldest = peer->newer;
	if (peer->newer != NULL)
		peer->newer->older = peer->older;
	else
		peers->newest = peer->older;
}

struct peer *peers_add(struct peers *peers, const struct peer_key *key, int64_t now)
{
	struct peer *peer = calloc(1, sizeof *peer);

	if (peer == NULL)
		return NULL;
	peer->key = *key;
	peer->last_at = now;
	peer->pipe = -1;
	if (tsearch(peer, &peers->tree, by_key) == NULL) {
		free(peer);
		return NULL;
	}
	link_newest(peers, peer);
	peers->count++;
	return peer;
}

void peers_touch(struct peers *peers, struct peer *peer, int64_t now)
{
	peer->last_at = now;
	if (peers->newest == peer)
		return;
	unlink_peer(peers, peer);
	link_newest(peers, peer);
}

void peers_remove(struct peers *peers, struct peer *peer)
{
	tdelete(peer, &peers->tree, by_key);
	unlink_peer(peers, peer);
	peers->count--;
	free(peer);
}
