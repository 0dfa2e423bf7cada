/*
 * load_protocol - what load says to a server, and what is a right answer to it.
 *
 * A protocol does no input or output and never waits: it names the bytes of a request,
 * and judges the bytes of its reply as they come. One entry in load_protocol.c for each
 * service.
 */
#ifndef CLIENT_LOAD_PROTOCOL_H
#define CLIENT_LOAD_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What the connections do. */
enum load_kind {
	LOAD_CONVERSATIONS, /* stay, and exchange again and again */
	LOAD_CONNECTIONS, /* connect, one exchange, close, again: latency covers it all */
	LOAD_IDLE,        /* conversations beside load_plan.idle silent connections */
	LOAD_BULK,        /* conversations with large messages */
	LOAD_KINDS,
};

/** How the two take turns on a connection. With datagrams it is always the client who
 *  begins, and each is answered by one; but those to a LOAD_SINK, by none. */
enum load_pattern {
	LOAD_REPLIES,  /* a reply for each request */
	LOAD_SINK,     /* the client sends, the server never does */
	LOAD_SOURCE,   /* the server sends without being asked, and without end */
	LOAD_GREETING, /* the server speaks first, once, and closes */
};

/** A request may begin anywhere in so many bytes of the block. */
enum { LOAD_OFFSETS = 8192 };

/** What requests and replies are made of, shared by all of them, so that no request of a
 *  stream is ever copied. */
struct load_material {
	const char *block; /* size + LOAD_OFFSETS bytes, by protocol->fill */
	size_t size;       /* of a message */
	const char *reply; /* without its newline; "": any one line. Of those protocols
			       that have one by default */
	size_t reply_length;
	bool datagrams;
};

/** One request and its reply, as far as it has come. */
struct load_exchange {
	unsigned connection; /* on which, counted through all threads */
	uint64_t sequence;   /* of the exchanges on it, counted from 1 */
	const char *request; /* set by protocol->begin; stays until the reply is whole */
	size_t length;       /* of the request; 0: the server speaks unasked */
	size_t sent;         /* of these bytes, how many went out: the engine counts */
	size_t received;     /* bytes of the reply that came and were right: so, too */
	bool whole;          /* of a greeting: so it is, if the server closes now */
	size_t place;        /* the protocol's own; 0 when the connection is new */
};

/** What to think of the bytes that came. */
enum load_verdict { LOAD_MORE, LOAD_COMPLETE, LOAD_WRONG };

struct load_protocol {
	const char *name; /* of the service */
	enum load_pattern pattern;
	unsigned loads; /* that make sense for it: of each kind the bit 1 << kind */
	unsigned datagram_loads; /* ... on UDP */
	bool mirrors;            /* the reply is the request: it brings back its number */
	size_t longest;          /* message, on a stream; 0: any */
	const char *reply; /* that its server gives by default; NULL: there is no such */
	/** Fills @p size bytes of the block, for messages of material->size. */
	void (*fill)(const struct load_material *material, char *block, size_t size);
	/** Names the request of exchange->connection and ->sequence. */
	void (*begin)(const struct load_material *material,
		      struct load_exchange *exchange);
	/** Judges the next @p length (1 or more) bytes of the reply, of which
	 *  exchange->received came before. A datagram comes whole. NULL: there is none. */
	enum load_verdict (*check)(const struct load_material *material,
				   struct load_exchange *exchange, const char *bytes,
				   size_t length);
};

/** The protocol of the service of that name, or NULL. */
const struct load_protocol *load_protocol_find(const char *name);

/** Writes the names of all protocols, with commas between them. @return @p out */
const char *load_protocol_names(char *out, size_t size);

/** The loads that make sense for a protocol, as bits 1 << kind. */
unsigned load_protocol_loads(const struct load_protocol *protocol, bool datagrams);

/** "conversations", "connections", "idle", "bulk". */
const char *load_kind_name(enum load_kind kind);

/** The kind of that name. @return true and *kind, or false when there is none */
bool load_kind_find(const char *name, enum load_kind *kind);

#endif
