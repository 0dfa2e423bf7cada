/*
 * dial_text - output of a conversation: names of the peer, hex dumps, errors of the standard
 * streams.
 */
#ifndef CLIENT_LIB_DIAL_TEXT_H
#define CLIENT_LIB_DIAL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "client/lib/dial_stream.h"
#include "common/failure.h"

enum {
	DIAL_NAME_TEXT = 128, /* a host, path or port, escaped */
	DIAL_PEER_TEXT = 2 * DIAL_NAME_TEXT + 8,
	DIAL_ROW = 16,       /* bytes in a row of a hex dump ... */
	DIAL_ROW_TEXT = 112, /* ... and the text of one, at most */
};

/** State of a conversation. */
enum dial_outcome {
	DIAL_GOING_ON,
	DIAL_DONE,
	DIAL_FAILED,     /* with a struct failure */
	DIAL_READER_GONE /* standard output is a pipe without a reader */
};

/** The peer as printable text: "HOST port PORT", or the name of a UNIX-domain socket. */
void dial_peer_text(const struct dial_settings *settings, char peer[DIAL_PEER_TEXT]);

/** The address that was reached; the name for a UNIX-domain socket. @return @p text */
const char *dial_reached_text(const struct dial_settings *settings,
			      const struct address *reached, char text[DIAL_PEER_TEXT]);

/** Milliseconds since @p nanoseconds (clock_nanoseconds()). */
double dial_milliseconds_since(int64_t nanoseconds);

/**
 * Writes a row of a hex dump: "> 00000000  68 65 6c 6c 6f 0a          |hello.|". The
 * part after the direction has the format of hexdump -C.
 *
 * @param to         receives the row with its newline, not terminated
 * @param direction  '>' sent, '<' received
 * @param count      number of @p bytes, at most DIAL_ROW
 * @return its length
 */
size_t dial_dump_row(char to[DIAL_ROW_TEXT], char direction, uint64_t offset,
		     const char *bytes, size_t count);

/** Writes all bytes to standard output. It blocks as long as needed.
 *  @return 0, or -1 with errno of write(2) */
int dial_print(const char *bytes, size_t length);

/** Prints a datagram as a hex dump. Offsets start at 0; an empty datagram has one
 *  row. @return 0, or -1 with errno of write(2) */
int dial_print_datagram_dump(char direction, const char *bytes, size_t length);

/** Turns errno of a read(2) of standard input into an outcome.
 *  @return DIAL_FAILED, with *failure */
enum dial_outcome dial_input_failed(struct failure *failure);

/** Turns errno of a write(2) to standard output into an outcome.
 *  @return DIAL_READER_GONE, or DIAL_FAILED with *failure */
enum dial_outcome dial_output_failed(struct failure *failure);

/** Terminates the process by SIGPIPE, as the default action would. */
void dial_end_by_sigpipe(void);

#endif
