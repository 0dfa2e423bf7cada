/*
 * dial - what the parts of the client have in common.
 *
 * client/dial.c reads the command line; what then happens is one of three files:
 * client/dial_stream.c (TCP), client/dial_datagram.c (UDP) and client/dial_repeat.c (UDP
 * again and again, as ping(8) does).
 */
#ifndef CLIENT_DIAL_H
#define CLIENT_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

enum {
	DIAL_RETRY_PAUSE = 20, /* milliseconds before -R tries again */
	DIAL_NAME_TEXT = 80,   /* a host or port, escaped */
	DIAL_WHO_TEXT = 2 * DIAL_NAME_TEXT + 8,
	DIAL_ROW = 16,       /* bytes in a row of a hex dump ... */
	DIAL_ROW_TEXT = 112, /* ... and the text of one, at most */
};

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

/** Talks to it by UDP: each line, message, or the whole input is a datagram.
 *  @return the exit status */
int dial_datagram(const struct dial_settings *settings);

/** Sends it the same datagram again and again, and reports loss and round-trip times.
 *  @return the exit status */
int dial_repeat(const struct dial_settings *settings);

/** How a conversation goes, and went. */
enum dial_outcome {
	DIAL_GOING_ON,
	DIAL_DONE,
	DIAL_FAILED,     /* a struct failure says why */
	DIAL_READER_GONE /* nobody reads our standard output any more */
};

/** Who is talked to: "HOST port PORT", fit to print. */
void dial_who(const struct dial_settings *settings, char who[DIAL_WHO_TEXT]);

/** For the times that are printed. @param nanoseconds  by clock_nanoseconds() */
double dial_milliseconds_since(int64_t nanoseconds);

/**
 * Writes a row of a dump: "> 00000000  68 65 6c 6c 6f 0a          |hello.|", the part
 * behind the direction as hexdump -C has it.
 *
 * @param to         receives it with its newline, but without a NUL
 * @param direction  '>' sent, '<' received
 * @param count      of @p bytes, at most DIAL_ROW
 * @return its length
 */
size_t dial_dump_row(char to[DIAL_ROW_TEXT], char direction, uint64_t offset,
		     const char *bytes, size_t count);

/** Writes all of it to standard output, waiting as long as that takes.
 *  @return 0, or -1 with errno of write(2) */
int dial_print(const char *bytes, size_t length);

/** Prints a datagram as a dump of its own: the offsets begin at 0, and an empty one is a
 *  row too. @return 0, or -1 with errno of write(2) */
int dial_print_datagram_dump(char direction, const char *bytes, size_t length);

/** What to make of a failed read(2) of standard input, by errno.
 *  @return DIAL_FAILED, with *failure */
enum dial_outcome dial_input_failed(struct failure *failure);

/** What to make of a failed write(2) to standard output, by errno.
 *  @return DIAL_READER_GONE, or DIAL_FAILED with *failure */
enum dial_outcome dial_output_failed(struct failure *failure);

/** Ends as any program does that writes to nobody: by SIGPIPE. */
void dial_end_by_sigpipe(void);

#endif
