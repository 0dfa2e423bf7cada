/*
 * repetition - whether a peer may be another server, which answers our replies.
 *
 * Two servers that answer every datagram keep each other busy for ever after one datagram with
 * a forged sender (RFC 3552, section 4.6.3; CERT advisory CA-1996-01). Neither can know from
 * one datagram that the other is no client. But nothing new enters such a loop: what comes
 * are the same few datagrams, round after round, as they are made of nothing but our own
 * replies and a fixed text, or the time of day.
 *
 * So repeated datagrams are counted for each peer. A datagram is kept as a mark; when it
 * comes again, all since then were one round, and count. A limited number is answered, and
 * then for a moment nothing is. That ends every loop whose datagrams take less than this
 * moment to come back, however many there are in it. A client that numbers its requests
 * repeats none, and one that repeats them slowly (REPETITION_RATE) never comes to the limit.
 */
#ifndef SERVER_UDP_REPETITION_H
#define SERVER_UDP_REPETITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/** So many repeated datagrams a second do not count. */
	REPETITION_RATE = 100,
	/** Bytes that are compared, of the beginning and of the end. */
	REPETITION_COMPARED = 64,
};

/** Of one peer; zeroed at first. Its members are this module's own. */
struct repetition {
	char first[REPETITION_COMPARED], last[REPETITION_COMPARED]; /* of the mark */
	size_t length;
	unsigned since;       /* the mark; how many have come */
	bool marked;          /* there is a mark */
	int64_t count;        /* of repeated datagrams */
	int64_t counted_at;   /* up to when REPETITION_RATE was taken off; milliseconds */
	int64_t silent_until; /* milliseconds */
};

/** The limit for a peer with that port, where the operator has set none. A port from 32768 on
 *  is most probably a client's: there the limit lets one through that repeats the same request
 *  as fast as it can. */
int64_t repetition_default_limit(unsigned port);

/**
 * Takes note of a datagram that has come at @p now, in milliseconds.
 *
 * @param limit  so many repeated ones are answered; 0: all
 * @return whether to drop it without a reply
 */
bool repetition_is_excessive(struct repetition *repetition, const char *bytes,
			     size_t length, int64_t limit, int64_t now);

#endif
