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

#include "client/lib/through.h"
#include "common/address.h"

enum { DIAL_RETRY_PAUSE = 20 }; /* milliseconds before -R tries again */

/** The options of a conversation. */
struct dial_settings {
	char host[HOST_TEXT], port[PORT_TEXT];
	int family;          /* AF_UNSPEC, AF_INET or AF_INET6 */
	int type;            /* SOCK_STREAM, or SOCK_DGRAM: -u */
	int64_t timeout;     /* milliseconds; 0: no timeout */
	const char *through; /* a command that is the connection; NULL: connect */
	bool lockstep, hex, raw, retry;
	bool keep_open;   /* TCP: no half-close at the end of the input */
	bool no_reply;    /* TCP: a server that closes without a reply is no error */
	bool crlf;        /* TCP: newlines are sent as CR LF */
	bool whole;       /* UDP: all of standard input is one datagram */
	bool repeat;      /* UDP: send one datagram repeatedly */
	uint64_t count;   /* with repeat: number of datagrams; 0: until interrupted */
	int64_t interval; /* with repeat: milliseconds between two */
	/* Set by chat, which without a terminal uses dial_stream(). */
	const char *opening;   /* sent before the input; NULL: nothing */
	bool times;            /* each printed line begins with the time of day */
	bool chat;             /* a chat server: it speaks first, in lines, and need not
			      * read the rest of the input after it has closed */
	const char **messages; /* values of -m, without newline */
	size_t message_count;  /* 0: standard input */
};

/** Connects as the settings say, without a command. With -R it tries again while the connection is
 *  refused, for scripts that have just started the server.
 *  @param reached  receives the address of the server
 *  @return the descriptor (blocking), or -1 with *failure */
int dial_connect(const struct dial_settings *settings, struct address *reached,
		 struct failure *failure);

/** Rejects settings that cannot be used with a command, and a command that cannot be run.
 *  @return 0, or -1 with *failure */
int dial_check_through(const struct dial_settings *settings, struct failure *failure);

/** Runs the conversation until both sides have ended. @return the exit status */
int dial_stream(const struct dial_settings *settings);

#endif
