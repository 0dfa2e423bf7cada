/*
 * load_protocol - what load says to a server, and what is a right answer to it.
 *
 * A protocol does no input or output and never waits: it names the bytes of a request,
 * and judges the bytes of its reply as they come. The small services are in
 * protocol.c, each an entry of the list there; a protocol that is a lesson of its own
 * has a file of its own (http.c, chat.c, file.c), and its name in that list.
 */
#ifndef CLIENT_LOAD_PROTOCOL_H
#define CLIENT_LOAD_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/failure.h"

struct load_plan; /* client/load/load.h */

/** What the connections do. */
enum load_kind {
	LOAD_CONVERSATIONS, /* stay, and exchange again and again */
	LOAD_CONNECTIONS, /* connect, one exchange, close, again: latency covers it all */
	LOAD_ROOM, /* clients that meet: some speak, all listen (of a LOAD_BROADCAST) */
	LOAD_TALK, /* ... all of them speak */
	LOAD_IDLE, /* conversations, or a room, beside load_plan.idle silent connections */
	LOAD_BULK, /* conversations with large messages */
	LOAD_KINDS,
};

/** How the two take turns on a connection. With datagrams it is always the client who
 *  begins, and each is answered by one; but those to a LOAD_SINK, by none. */
enum load_pattern {
	LOAD_REPLIES,   /* a reply for each request */
	LOAD_SINK,      /* the client sends, the server never does */
	LOAD_SOURCE,    /* the server sends without being asked, and without end */
	LOAD_GREETING,  /* the server speaks first, once, and closes */
	LOAD_BROADCAST, /* what a client says is told to all others */
};

/** A request may begin anywhere in so many bytes of the block. */
enum { LOAD_OFFSETS = 8192 };

/** Of a LOAD_BROADCAST: bytes that begin each line and number it; most bytes of what the server
 *  puts in front, with a terminator; and most of a line as it is sent. */
enum { LOAD_STAMP = 10, LOAD_HEADING = 32, LOAD_LINE = 4096 };

/** What requests and replies are made of, shared by all of them, so that no request of a
 *  stream is ever copied. */
struct load_material {
	const char *block; /* size + LOAD_OFFSETS bytes, by protocol->fill or ->compose */
	size_t size;       /* of a message */
	const char
		*reply; /* that is expected, without its newline; "": any. NULL: nothing
			       in particular */
	size_t reply_length;
	bool datagrams;
	void *shared; /* the protocol's own (shared_size): zeroed at first, for all threads
			 at once */
};

/** One request and its reply, as far as it has come. */
struct load_exchange {
	unsigned connection; /* on which, counted through all threads */
	uint64_t sequence;   /* of the exchanges on it, counted from 1 */
	const char *request; /* set by protocol->begin; stays until the reply is whole */
	size_t length;       /* of the request; 0: the server speaks unasked */
	size_t sent;         /* of these bytes, how many went out: the engine counts */
	size_t received;     /* bytes of the reply that came and were right: so, too */
	size_t place;        /* the protocol's own; 0 when the connection is new */
	void *state;   /* the same (state_size): zeroed when the connection is new */
	uint64_t kept; /* the same; stays when the connection is replaced, 0 at first */
	bool upload;   /* set by protocol->begin: it is the request that counts in the
			  throughput, not its reply */
	struct failure *wrong; /* may be told what is wrong with a reply; NULL: nobody
				  listens */
};

/** What to think of the bytes that came. */
enum load_verdict {
	LOAD_MORE,  /* right as far as they go */
	LOAD_ASKED, /* so, too, and it asks for more: exchange->request and ->length are
			  now what to send next, for the same exchange (streams only) */
	LOAD_COMPLETE, /* the reply is whole */
	LOAD_LAST,     /* ... and the server closes now: the connection is replaced */
	LOAD_WRONG,
};

struct load_protocol {
	const char *name; /* of the service */
	enum load_pattern pattern;
	unsigned loads; /* that make sense for it: of each kind the bit 1 << kind */
	unsigned datagram_loads; /* ... on UDP; 0: it is not spoken there */
	bool mirrors;            /* the reply is the request: it brings back its number */
	bool hangs_up; /* the server may close between two exchanges: that is no error */
	bool takes_path;  /* plan->path says what is asked for */
	bool takes_reply; /* plan->reply says what is expected */
	bool uploads;     /* some exchanges are, and are counted (exchange->upload) */
	size_t shortest, longest;           /* message, on a stream; 0: any */
	size_t usual_size, usual_bulk_size; /* by default, on a stream; 0: 64, 64K */
	const char *reply; /* that its server gives by default; NULL: there is no such */
	size_t state_size; /* of exchange->state, for each connection; 0: there is none */
	size_t shared_size; /* of material->shared; 0: there is none */
	/** Fills @p size bytes of the block, for messages of material->size. */
	void (*fill)(const struct load_material *material, char *block, size_t size);
	/** In place of fill, where all requests are one and its size is not for choice:
	 *  writes it as snprintf(3) would, cut to @p size. @return its whole length */
	size_t (*compose)(const struct load_plan *plan, char *block, size_t size);
	/** Names the request of exchange->connection and ->sequence. */
	void (*begin)(const struct load_material *material,
		      struct load_exchange *exchange);
	/** Judges the next @p length (1 or more) bytes of the reply, of which
	 *  exchange->received came before. A datagram comes whole. NULL: there is none. */
	enum load_verdict (*check)(const struct load_material *material,
				   struct load_exchange *exchange, const char *bytes,
				   size_t length);
	/** Judges that the server has closed, with a request on its way: LOAD_COMPLETE if
	 *  that is how the reply ends, LOAD_MORE if it came too early, or LOAD_WRONG.
	 *  NULL: it is too early whenever it comes. */
	enum load_verdict (*end)(const struct load_material *material,
				 struct load_exchange *exchange);

	/* A LOAD_BROADCAST has these, too. Its begin() names what a client sends on arrival.
	 * Its check() is given each whole line, without its newline, that none of our
	 * clients has said: LOAD_COMPLETE when it tells that this client has come in. */

	/** Writes what stands in front of a line that the client @p connection has said:
	 *  as long for each of them. @return its length */
	size_t (*heading)(const struct load_material *material, unsigned connection,
			  char out[LOAD_HEADING]);
	/** Whether a line begins with a heading, and *connection, whose. */
	bool (*speaker)(const struct load_material *material, const char *line,
			size_t length, unsigned *connection);
};

/** Those with a file of their own. */
extern const struct load_protocol load_http, load_chat, load_file;

/** The protocol of the service of that name, or NULL. */
const struct load_protocol *load_protocol_find(const char *name);

/** Writes the names of all protocols, with commas between them. @return @p out */
const char *load_protocol_names(char *out, size_t size);

/** The loads that make sense for a protocol, as bits 1 << kind. */
unsigned load_protocol_loads(const struct load_protocol *protocol, bool datagrams);

/** "conversations", "connections", "room", "talk", "idle", "bulk". */
const char *load_kind_name(enum load_kind kind);

/** The kind of that name. @return true and *kind, or false when there is none */
bool load_kind_find(const char *name, enum load_kind *kind);

#endif
