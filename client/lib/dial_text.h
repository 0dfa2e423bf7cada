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
	DIAL_NAME_TEXT = 80, /* a host or port, escaped */
	DIAL_WHO_TEXT = 2 * DIAL_NAME_TEXT + 8,
	DIAL_ROW = 16,       /* bytes in a row of a hex dump ... */
	DIAL_ROW_TEXT = 112, /* ... and the text of one, at most */
};

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
