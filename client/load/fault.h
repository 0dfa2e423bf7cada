/*
 * fault - the kinds of faulty clients, a mix of them, and what each kind does next.
 */
#ifndef CLIENT_LOAD_FAULT_H
#define CLIENT_LOAD_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/failure.h"

struct load_protocol;

/** What is wrong with a client. */
enum load_fault {
	LOAD_FAULT_RESET,  /* sends half of a request, and resets the connection */
	LOAD_FAULT_STALL,  /* sends half of a request, and then does nothing */
	LOAD_FAULT_SLOW,   /* sends requests, a byte a second */
	LOAD_FAULT_UNREAD, /* sends requests, and never reads */
	LOAD_FAULT_HALF,   /* sends a request, half-closes, and reads to the end */
	LOAD_FAULTS,
};

enum {
	LOAD_FAULTS_MOST = 10000,  /* faulty clients of a mix */
	LOAD_FAULTS_USUAL = 4,     /* ... of each kind in the default mix */
	LOAD_FAULT_PACE_MS = 1000, /* LOAD_FAULT_SLOW: between two bytes */
	LOAD_FAULT_SENDS_MOST = 16 * 1024 * 1024, /* LOAD_FAULT_UNREAD: bytes it sends, in
						   * case that the server reads them all */
};

/** What a faulty client does next. */
enum load_fault_step {
	LOAD_FAULT_SENDS, /* load_fault_piece() bytes */
	LOAD_FAULT_HALF_CLOSES,
	LOAD_FAULT_RESETS, /* ends the connection */
	LOAD_FAULT_READS,  /* until the server closes */
	LOAD_FAULT_HOLDS,  /* nothing, and does not read either */
};

/** How many faulty clients of each kind there are at a time. */
struct load_fault_mix {
	unsigned clients[LOAD_FAULTS];
};

/** What became of the connections of the faulty clients of one kind. */
struct load_fault_ends {
	uint64_t made;   /* connections established: the sum of the next four */
	uint64_t left;   /* ended by the client, which resets them */
	uint64_t closed; /* closed by the server */
	uint64_t reset;  /* reset by the server */
	uint64_t open;   /* open at the end of the load */
	uint64_t failed; /* attempts without a connection */
	int error;       /* errno of the last one */
};

/** "reset", "stall", "slow", "unread", "half". */
const char *load_fault_name(enum load_fault fault);

/**
 * Parses a mix: "reset=10,stall=5". Kinds that are not named have no client.
 *
 * @return 0; or -1 with *failure, "'x' REASON"
 */
int load_fault_mix_parse(const char *text, struct load_fault_mix *mix,
			 struct failure *failure);

/** LOAD_FAULTS_USUAL clients of each kind that is possible with the protocol. */
void load_fault_mix_usual(const struct load_protocol *protocol,
			  struct load_fault_mix *mix);

/** Number of faulty clients of all kinds. */
unsigned load_fault_mix_total(const struct load_fault_mix *mix);

/** Checks that each kind of the mix is possible with the protocol, over TCP.
 *  @return 0, or -1 with *failure */
int load_fault_mix_check(const struct load_fault_mix *mix,
			 const struct load_protocol *protocol, struct failure *failure);

/**
 * What a client does next that has sent @p sent bytes.
 *
 * @param request  bytes of a request; 0 if the protocol has none
 */
enum load_fault_step load_fault_next(enum load_fault fault, uint64_t sent, size_t request,
				     bool half_closed);

/** How many bytes a client of which load_fault_next() says LOAD_FAULT_SENDS sends at
 *  once, from sent % request on. At least 1, and no further than the end of the request. */
size_t load_fault_piece(enum load_fault fault, uint64_t sent, size_t request);

#endif
