/*
 * dial_requests - the books of dial -n: which request a reply belongs to, and what is
 * missing.
 *
 * An ICMP echo carries a number and comes back as it went: easy for ping(8). A service
 * answers what it likes. So:
 *
 *   - Unless the user says what to send, each request carries a stamp. A reply that has
 *     it somewhere belongs to that request, whatever is lost, doubled or overtaken.
 *   - Replies without it (daytime's, or when the user says what to send) look all alike.
 *     They can be told apart only by never having two under way. That is the caller's
 *     part; here it is found out when the first such reply comes.
 *
 * Nothing here touches a socket or asks for the time: it can be tested by itself.
 */
#ifndef CLIENT_DIAL_REQUESTS_H
#define CLIENT_DIAL_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/dial/round_trip.h"

enum {
	/** Bytes of a stamped request: what ping(8) sends; and large enough that a service
	 *  which, not to be abused as an amplifier, never answers with more than it was
	 *  sent, can say something. */
	DIAL_STAMPED = 56,
	DIAL_STAMP_TEXT = 24,
	/** Requests: those before the last so many can be answered no more. */
	DIAL_REMEMBERED = 64 * 1024,
};

enum dial_request_state { REQUEST_WAITING, REQUEST_ANSWERED, REQUEST_GIVEN_UP };

struct dial_request {
	int64_t sent_at; /* nanoseconds */
	enum dial_request_state state;
};

/** Requests are numbered from 1, as ping(8) does. For callers: the first group. */
struct dial_requests {
	bool in_turn;        /* never have two under way: replies cannot be told apart */
	uint64_t sent;       /* so many, and the number of the last */
	uint64_t under_way;  /* neither answered nor given up */
	uint64_t received;   /* requests answered */
	uint64_t duplicates; /* replies to those that had been answered */
	struct round_trip times;

	char stamp[DIAL_STAMP_TEXT]; /* what a stamp begins with; "" if there is none */
	uint64_t oldest;             /* none before it is under way */
	struct dial_request memory[DIAL_REMEMBERED];
};

/** What a reply turned out to be. */
struct dial_answer {
	uint64_t number; /* of the request */
	int64_t took;    /* nanoseconds */
	bool duplicate;
};

/** Begins, with nothing sent. @param requests  zeroed */
void dial_requests_begin(struct dial_requests *requests);

/** From now on the requests carry stamps. @param unlike  other runs have another number,
 *  so that a late reply to one of them is not taken for ours */
void dial_requests_stamp(struct dial_requests *requests, uint32_t unlike);

/** Writes the next request, stamped: "dial 5f0c6a1e seq 1 abcdefg...", readable where a
 *  server shows what it is sent. */
void dial_requests_write(const struct dial_requests *requests, char to[DIAL_STAMPED]);

/** Notes that the next request has been sent. */
void dial_requests_sent(struct dial_requests *requests, int64_t sent_at);

/** Notes that the first, if it is the only one yet, was sent again. */
void dial_requests_sent_again(struct dial_requests *requests, int64_t sent_at);

/** Finds out which request a reply answers, and notes that. A reply without a stamp is
 *  for the oldest request under way; if there is none, for the last: late, or a second
 *  time. @return false if nothing has been sent yet */
bool dial_requests_answered(struct dial_requests *requests, const char *reply,
			    size_t length, int64_t now, struct dial_answer *answer);

/** Gives up the oldest that is under way; a late reply counts nevertheless. @return its
 *  number; that of the last one if none is under way */
uint64_t dial_requests_give_up(struct dial_requests *requests);

/** When the oldest under way was sent. Only if there is one. */
int64_t dial_requests_oldest_sent_at(const struct dial_requests *requests);

#endif
