/*
 * dial_stream - a conversation with a server over TCP, and the settings of every conversation.
 *
 * dial(1) uses it for TCP. chat(1) uses it when its input or output is a pipe or a file.
 */
#ifndef CLIENT_LIB_DIAL_STREAM_H
#define CLIENT_LIB_DIAL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

enum { DIAL_RETRY_PAUSE = 20 }; /* milliseconds before -R tries again */

/** What the command line says. */
struct dial_settings {
	char host[HOST_TEXT], port[PORT_TEXT];
	int family;      /* AF_UNSPEC, AF_INET or AF_INET6 */
	int type;        /* SOCK_STREAM, or SOCK_DGRAM: -u */
	int64_t timeout; /* milliseconds; 0: for ever */
	bool lockstep, hex, raw, retry;
	bool keep_open;   /* by TCP: no half-close at the end of the input */
	bool no_reply;    /* by TCP: an end without a reply is no failure */
	bool crlf;        /* by TCP: each newline goes out as CR LF */
	bool whole;       /* datagrams: all of standard input is one */
	bool repeat;      /* datagrams: one again and again, as follows */
	uint64_t count;   /* how often; 0: until interrupted */
	int64_t interval; /* milliseconds between two */
	/* Of chat, which in a pipe is a conversation of this kind. */
	const char *opening; /* is sent before the input; NULL: nothing */
	bool times;          /* each line printed begins with the time of day */
	bool chat;           /* the server speaks first, in lines; nobody is there to hear
				the rest of the input when it has ended */
	const char **messages; /* those of -m, without newline */
	size_t message_count;  /* 0: standard input */
};

/** sock_connect() to where the settings say, with -R again and again while the connection is
 *  refused: for a script that has only just started the server.
 *  @param reached  receives the address that answered
 *  @return the descriptor (blocking), or -1 with *failure */
int dial_connect(const struct dial_settings *settings, struct address *reached,
		 struct failure *failure);

/** Talks to the server by TCP until both sides have ended. @return the exit status */
int dial_stream(const struct dial_settings *settings);

#endif
