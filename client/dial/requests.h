/*
 * dial_requests - the requests of dial -n: which one a reply answers, and which are
 * lost.
 *
 * An ICMP echo reply carries the number of its request. A reply of a UDP service
 * carries what the service likes. So:
 *
 * - Unless the user gives the payload, each request carries a stamp. A reply that
 *   contains the stamp belongs to that request, despite losses, duplicates and
 *   reordering.
 * - Replies without a stamp (daytime, or with a payload of the user) look all the same.
 *   Then there must be only one outstanding request at a time. The caller does that;
 *   this module sets in_turn when the first such reply arrives.
 *
 * This module neither uses sockets nor reads the clock, so that tests can call it
 * directly.
 */
#ifndef CLIENT_DIAL_REQUESTS_H
#define CLIENT_DIAL_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/dial/round_trip.h"

enum {
	/** Bytes of a stamped request, as in ping(8). Many services never send more than
	 *  they received, to be useless as an amplifier: a shorter request would get a
	 *  useless reply. */
	DIAL_STAMPED = 56,
	DIAL_STAMP_TEXT = 24,
	/** number of requests that are kept; older ones cannot be answered any more */
	DIAL_REMEMBERED = 64 * 1024,
};

enum dial_request_state { REQUEST_WAITING, REQUEST_ANSWERED, REQUEST_GIVEN_UP };

struct dial_request {
	int64_t sent_at; /* nanoseconds */
	enum dial_request_state state;
};

/** Requests are numbered from 1, as in ping(8). Callers read the first group of
 *  members. */
struct dial_requests {
	bool in_turn;        /* at most one outstanding request: replies carry no stamp */
	uint64_t sent;       /* number of requests, and the number of the last one */
	uint64_t under_way;  /* outstanding: neither answered nor given up */
	uint64_t received;   /* requests answered */
	uint64_t duplicates; /* further replies to an answered request */
	struct round_trip times;

	char stamp[DIAL_STAMP_TEXT]; /* start of a stamp; "": requests carry none */
	uint64_t oldest;             /* all requests before it are settled */
	struct dial_request memory[DIAL_REMEMBERED];
};

/** The result for one reply. */
struct dial_answer {
	uint64_t number; /* of the request */
	int64_t took;    /* nanoseconds */
	bool duplicate;
};

/** Initializes. @param requests  zeroed */
void dial_requests_begin(struct dial_requests *requests);

/** Requests carry stamps from now on. @param unlike  a number that differs from
 *  other runs, so that a late reply to another run is not taken for one of this run */
void dial_requests_stamp(struct dial_requests *requests, uint32_t unlike);

/** Writes the next request with its stamp: "dial 5f0c6a1e seq 1 abcdefg...". It is
 *  text, so that it is readable where a server shows its input. */
void dial_requests_write(const struct dial_requests *requests, char to[DIAL_STAMPED]);

/** Records that the next request has been sent. */
void dial_requests_sent(struct dial_requests *requests, int64_t sent_at);

/** Records that the first request, if it is the only one, was sent again. */
void dial_requests_sent_again(struct dial_requests *requests, int64_t sent_at);

/** Finds the request that a reply answers, and records the reply. A reply without a
 *  stamp answers the oldest outstanding request; if there is none, it is late or a
 *  duplicate for the last one. @return false if nothing has been sent yet */
bool dial_requests_answered(struct dial_requests *requests, const char *reply,
			    size_t length, int64_t now, struct dial_answer *answer);

/** Gives up the oldest outstanding request; a late reply still counts. @return its
 *  number, or the number of the last request if none is outstanding */
uint64_t dial_requests_give_up(struct dial_requests *requests);

/** When the oldest outstanding request was sent. There must be one. */
int64_t dial_requests_oldest_sent_at(const struct dial_requests *requests);

#endif
