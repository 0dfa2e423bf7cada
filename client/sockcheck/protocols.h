/*
 * protocols - what is said between a client and a server: requests, and which replies are right.
 *
 * A checker must not depend on one implementation. So where a protocol leaves a text free (the
 * reply of reply, the message of greet, the body of http), it is learned from the first replies,
 * and all others must agree with it.
 */
#ifndef CLIENT_SOCKCHECK_PROTOCOLS_H
#define CLIENT_SOCKCHECK_PROTOCOLS_H

#include <stdbool.h>
#include <stddef.h>

enum {
	PROTOCOL_REQUEST = 2048,      /* bytes of a request */
	PROTOCOL_REPLY = 8192,        /* bytes of a reply that is known in advance */
	PROTOCOL_TEXT = 1024,         /* bytes of a learned text */
	PROTOCOL_SHOWN = 160,         /* size of the description of a reply */
	PROTOCOL_LONG = 1000,         /* bytes of a long line of echo, ... */
	PROTOCOL_LONG_FROM = 2000000, /* ... which requests from this number on are */
};

/** What a protocol is like; bits. */
enum protocol_trait {
	PROTOCOL_SPEAKS_FIRST = 1, /* the server sends its reply without a request */
	PROTOCOL_SILENT = 2,       /* the server never replies */
	PROTOCOL_ROOM = 4,         /* what a client sends goes to the other clients */
	PROTOCOL_LINES = 8,      /* a request is a line, and cannot be split by itself */
	PROTOCOL_DATAGRAMS = 16, /* also on UDP */
	PROTOCOL_COUNTS = 32, /* each request changes a number that all clients share */
	PROTOCOL_ECHOES =
		64, /* bytes are sent back as they come, also without a newline */
	PROTOCOL_CLOSES = 128,    /* the server closes after its first reply */
	PROTOCOL_MAY_CLOSE = 256, /* it may: that is learned */
};

struct exchange;

enum reply_state { REPLY_INCOMPLETE, REPLY_RIGHT, REPLY_WRONG };

struct protocol_kind;

/** A protocol, and what is known of the server that speaks it. */
struct protocol {
	const struct protocol_kind *kind;
	unsigned traits;
	const char *request, *expect; /* of the protocol "request" */
	size_t request_length, expect_length;
	bool learned; /* the reply is before, the request (if about), after */
	bool about;
	char before[PROTOCOL_TEXT], after[PROTOCOL_TEXT];
	size_t before_length, after_length;
};

/** A request, and its reply. */
struct exchange {
	unsigned number;
	char request[PROTOCOL_REQUEST]; /* without a NUL at its end */
	size_t request_length;
	size_t line_length;         /* of the request without its newline */
	char reply[PROTOCOL_REPLY]; /* if it is known */
	size_t reply_length;        /* 0: it is not known */
};

/** Finds a protocol. @return false if there is none of that name */
bool protocol_find(struct protocol *protocol, const char *name);

/** The name of a protocol: "echo". */
const char *protocol_name(const struct protocol *protocol);

/** The names of all protocols, for a message. */
extern const char protocol_names[];

bool protocol_has(const struct protocol *protocol, unsigned traits);

/** Makes request number @p number, which differs from all others, and its reply, if it is
 *  known. */
void protocol_exchange(const struct protocol *protocol, unsigned number,
		       struct exchange *exchange);

/** The same on UDP: the datagram has at most @p size bytes, and as many if the protocol allows
 *  it. */
size_t protocol_datagram(const struct protocol *protocol, unsigned number, char *out,
			 size_t size);

/** Whether a datagram is the reply to another. */
bool protocol_answers(const struct protocol *protocol, const char *request,
		      size_t request_length, const char *reply, size_t reply_length);

/**
 * Judges what has arrived of the reply to an exchange.
 *
 * @param ended  the server sends no more
 * @param used   receives the length of the reply, if it is right
 */
enum reply_state protocol_judge(const struct protocol *protocol,
				const struct exchange *exchange, const char *bytes,
				size_t length, bool ended, size_t *used);

/** Whether a right reply says that the server closes after it: the field "Connection: close" of
 *  HTTP (RFC 9112, section 9.6). Later requests need no reply. */
bool protocol_announces_end(const struct protocol *protocol, const char *reply,
			    size_t length);

/** Describes the reply that is expected: "'abc\n'", "a line". @return @p out */
const char *protocol_expected(const struct protocol *protocol,
			      const struct exchange *exchange, char out[PROTOCOL_SHOWN]);

/** Learns from two replies to different requests; nothing, if the protocol says what they are. */
void protocol_learn(struct protocol *protocol, const struct exchange *first,
		    const char *reply, size_t length, const struct exchange *second,
		    const char *other_reply, size_t other_length);

#endif
