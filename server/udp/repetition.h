/*
 * repetition - detects a peer that may be another server, which answers our replies.
 *
 * One datagram with a forged sender can make two servers answer each other forever (RFC
 * 3552, section 4.6.3; CERT advisory CA-1996-01). A server cannot tell from one datagram
 * that its peer is not a client. But nothing new enters such a loop. The same few
 * datagrams arrive round after round, because they contain only our own replies and a
 * fixed text or the time of day.
 *
 * So repeated datagrams are counted for each peer. One datagram is stored as a mark. When
 * it arrives again, all datagrams since then were one round, and are counted. At the
 * limit the server answers nothing for a short time (SILENCE). This ends every loop whose
 * datagrams come back in less than this time, no matter how many there are in it. A
 * client that numbers its requests repeats none. A client that repeats them slowly
 * (REPETITION_RATE) never reaches the limit.
 */
#ifndef SERVER_UDP_REPETITION_H
#define SERVER_UDP_REPETITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

enum {
	/** Up to this many repeated datagrams a second do not count. */
	REPETITION_RATE = 100,
	/** The number of bytes that are compared at the beginning and at the end. */
	REPETITION_COMPARED = 64,
};

/** The state for one peer; zeroed at first. The members are private to repetition.c. */
struct repetition {
	char first[REPETITION_COMPARED], last[REPETITION_COMPARED]; /* of the mark */
	size_t length;                                              /* of the mark */
	unsigned since;     /* datagrams since the mark */
	bool marked;        /* there is a mark */
	int64_t count;      /* repeated datagrams */
	int64_t counted_at; /* until when REPETITION_RATE was subtracted; milliseconds */
	int64_t silent_until; /* end of the pause; milliseconds */
};

/** Returns the default limit for this peer. A port of 32768 or higher most probably belongs
 *  to a client. The limit for it is high enough for a client that repeats the same request
 *  as fast as it can. A UNIX-domain peer has the same limit. It has no port, and its name
 *  can be forged, too: a relative path means another file in another directory, and a
 *  symbolic link can replace the socket of a client. */
int64_t repetition_default_limit(const struct address *peer);

/**
 * Counts a datagram that arrived at @p now, in milliseconds.
 *
 * @param limit  how many repeated datagrams are answered; 0: no limit
 * @return whether to drop it without a reply
 */
bool repetition_is_excessive(struct repetition *repetition, const char *bytes,
			     size_t length, int64_t limit, int64_t now);

#endif
