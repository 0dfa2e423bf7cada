/*
 * load_protocol - what the load sends to a server, and which replies are correct.
 *
 * A protocol does no input or output and never blocks: it provides the bytes of a
 * request, and checks the bytes of its reply as they arrive. The small services and the
 * list of all are in protocol.c; larger protocols have files of their own (http.c,
 * chat.c, file.c).
 */
#ifndef CLIENT_LOAD_PROTOCOL_H
#define CLIENT_LOAD_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/failure.h"

struct load_plan; /* client/load/load.h */

/** The kinds of load. */
enum load_kind {
	LOAD_CONVERSATIONS, /* connections stay open, with one exchange after the other */
	LOAD_CONNECTIONS,   /* connect, one exchange, close, repeat: the latency includes
			   * all of it */
	LOAD_ROOM,          /* LOAD_BROADCAST: some clients send, all receive */
	LOAD_TALK,          /* ... all clients send */
	LOAD_IDLE, /* as conversations, or room, with load_plan.idle silent connections */
	LOAD_BULK, /* conversations with large messages */
	LOAD_KINDS,
};

/** Who sends when. With UDP the client always sends first, and each datagram has one
 *  reply; with a LOAD_SINK none. */
enum load_pattern {
	LOAD_REPLIES,   /* a reply for each request */
	LOAD_SINK,      /* the client sends, the server never does */
	LOAD_SOURCE,    /* the server sends unasked, without end */
	LOAD_GREETING,  /* the server sends once at the start, and closes */
	LOAD_BROADCAST, /* the server sends each line of a client to all other clients */
};

/** A request starts at one of this many offsets of the block. */
enum { LOAD_OFFSETS = 8192 };

/** LOAD_BROADCAST, in bytes: the number at the start of each line; the longest
 *  heading that the server adds, with a terminator; the longest line that is sent. */
enum { LOAD_STAMP = 10, LOAD_HEADING = 32, LOAD_LINE = 4096 };

/** The contents of requests and replies, shared by all connections, so that requests
 *  are never copied. */
struct load_material {
	const char *block; /* size + LOAD_OFFSETS bytes, from protocol->fill or
			    * ->compose */
	size_t size;       /* of a message */
	const char *reply; /* expected reply, without its newline; "": any; NULL: none */
	size_t reply_length;
	bool datagrams;
	void *shared; /* private to the protocol (shared_size), shared by all threads;
		       * zeroed at first */
};

/** An exchange: a request and its reply. */
struct load_exchange {
	unsigned connection; /* number of the connection, over all threads */
	uint64_t sequence;   /* number of the exchange on the connection, from 1 */
	const char *request; /* set by protocol->begin; valid until the reply is
			      * complete */
	size_t length;       /* of the request; 0: the server sends unasked */
	size_t sent;         /* bytes of the request already sent; the engine counts */
	size_t received;     /* correct bytes of the reply so far; the engine counts */
	size_t place;        /* private to the protocol; 0 for a new connection */
	void *state;         /* private to the protocol (state_size); zeroed for a new
		        * connection */
	uint64_t kept;       /* private to the protocol; kept when the connection is
		        * replaced, 0 at first */
	bool upload;         /* set by protocol->begin: the throughput counts the request,
		        * not the reply */
	struct failure *wrong; /* receives what is wrong with a reply; may be NULL */
};

/** The verdict on received bytes. */
enum load_verdict {
	LOAD_MORE,     /* correct so far */
	LOAD_ASKED,    /* correct so far, and the server expects more: exchange->request
		     * and ->length are what to send next in this exchange (streams
		     * only) */
	LOAD_COMPLETE, /* the reply is complete */
	LOAD_LAST,     /* ... and the server closes now: replace the connection */
	LOAD_WRONG,
};

struct load_protocol {
	const char *name; /* of the service */
	enum load_pattern pattern;
	unsigned loads;          /* allowed kinds, as bits 1 << kind */
	unsigned datagram_loads; /* ... over UDP; 0: no UDP */
	bool mirrors;            /* the reply equals the request, so it brings back its
				  * number */
	bool hangs_up;      /* the server may close between exchanges without an error */
	bool takes_path;    /* plan->path applies */
	bool takes_reply;   /* plan->reply applies */
	bool takes_request; /* plan->request and ->expect apply, and are needed */
	bool uploads;       /* some exchanges are uploads, which are counted
			   * (exchange->upload) */
	size_t shortest, longest;           /* message size on a stream; 0: any */
	size_t usual_size, usual_bulk_size; /* default sizes on a stream; 0: 64, 64K */
	const char *reply;                  /* default reply of the server; NULL: none */
	size_t state_size;  /* of exchange->state, per connection; 0: none */
	size_t shared_size; /* of material->shared; 0: none */
	/** Fills @p size bytes of the block, for messages of material->size. */
	void (*fill)(const struct load_material *material, char *block, size_t size);
	/** Used instead of fill if all requests are equal and the size is fixed:
	 *  writes the request as snprintf(3) would, cut to @p size. @return its full
	 *  length */
	size_t (*compose)(const struct load_plan *plan, char *block, size_t size);
	/** Sets the request of exchange->connection and ->sequence. */
	void (*begin)(const struct load_material *material,
		      struct load_exchange *exchange);
	/** The same for a faulty client that sends the request again and again and never
	 *  reads: a request that is valid whatever the replies are. NULL: begin. */
	void (*begin_unread)(const struct load_material *material,
			     struct load_exchange *exchange);
	/** Checks the next @p length (1 or more) bytes of the reply;
	 *  exchange->received bytes came before. A datagram comes as a whole. NULL:
	 *  no replies. */
	enum load_verdict (*check)(const struct load_material *material,
				   struct load_exchange *exchange, const char *bytes,
				   size_t length);
	/** The server has closed during an exchange. @return LOAD_COMPLETE if that ends
	 *  the reply, LOAD_MORE if it is too early, or LOAD_WRONG.
	 *  NULL: it is always too early. */
	enum load_verdict (*end)(const struct load_material *material,
				 struct load_exchange *exchange);

	/* Only for a LOAD_BROADCAST. Its begin() sets what a client sends after
	 * connecting. Its check() gets each complete line, without its newline, that
	 * no client of the load has sent; it returns LOAD_COMPLETE when the client
	 * is in the room. */

	/** Writes the heading that the server puts before a line of the client @p
	 *  connection. The length is the same for all. @return the length */
	size_t (*heading)(const struct load_material *material, unsigned connection,
			  char out[LOAD_HEADING]);
	/** Whether a line starts with a heading; *connection receives the sender. */
	bool (*sender)(const struct load_material *material, const char *line,
		       size_t length, unsigned *connection);
};

/** The protocols with files of their own. */
extern const struct load_protocol load_http, load_chat, load_file;

/** The protocol with that name, or NULL. */
const struct load_protocol *load_protocol_find(const char *name);

/** Writes the names of all protocols, separated by commas. @return @p out */
const char *load_protocol_names(char *out, size_t size);

/** The kinds of load that a protocol allows, as bits 1 << kind. */
unsigned load_protocol_loads(const struct load_protocol *protocol, bool datagrams);

/** "conversations", "connections", "room", "talk", "idle", "bulk". */
const char *load_kind_name(enum load_kind kind);

/** The kind with that name. @return true with *kind, or false */
bool load_kind_find(const char *name, enum load_kind *kind);

#endif
