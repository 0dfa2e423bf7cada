/*
 * load_protocol - what load says on a connection, and what is a right answer to it.
 *
 * A protocol does no input or output and never waits: it names the bytes of a request,
 * and judges the bytes of its reply as they come. One entry in load_protocol.c for each
 * service.
 */
#ifndef CLIENT_LOAD_PROTOCOL_H
#define CLIENT_LOAD_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

enum { LOAD_OFFSETS = 4096 };

/** What requests are made of: pseudo-random letters and digits, shared by all of them, so
 *  that no request is ever copied. */
struct load_material {
	const char *block; /* size + LOAD_OFFSETS bytes: a request may begin anywhere in
			      the first LOAD_OFFSETS */
	size_t size;       /* of a message */
};

/** One request and its reply, as far as it has come. */
struct load_exchange {
	unsigned connection; /* on which, counted through all threads */
	uint64_t sequence;   /* of the exchanges on it, counted from 1 */
	const char *request; /* set by protocol->begin; stays until the reply is whole */
	size_t length;       /* of the request */
	size_t sent;         /* of these bytes, how many went out: the engine counts */
	size_t received;     /* bytes of the reply that came and were right: so, too */
};

/** What to think of the bytes that came. */
enum load_verdict { LOAD_MORE, LOAD_COMPLETE, LOAD_WRONG };

struct load_protocol {
	const char *name; /* of the service */
	/** Names the request of exchange->connection and ->sequence. */
	void (*begin)(const struct load_material *material,
		      struct load_exchange *exchange);
	/** Judges the next @p length (1 or more) bytes of the reply, of which
	 *  exchange->received came before. */
	enum load_verdict (*check)(const struct load_exchange *exchange,
				   const char *bytes, size_t length);
};

/** The protocol of the service of that name, or NULL. */
const struct load_protocol *load_protocol_find(const char *name);

/** Fills @p size bytes with pseudo-random letters and digits, always the same. */
void load_material_fill(char *block, size_t size);

#endif
