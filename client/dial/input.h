/*
 * dial_input - divides the input of dial -u into datagrams.
 *
 * A stream has no message boundaries, so a rule is needed: each -m option is a
 * datagram, or each line of standard input, or with --whole all of standard input.
 * Input that is too long for a datagram is skipped as a whole, never sent in part.
 */
#ifndef CLIENT_DIAL_INPUT_H
#define CLIENT_DIAL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/lib/dial_stream.h"

enum { DIAL_INPUT_BUFFER = 128 * 1024 }; /* more than DATAGRAM_LONGEST */

struct datagram {
	const char *bytes;
	size_t length;
};

/** State of the input. Callers read only the members marked so. */
struct dial_input {
	const struct dial_settings *settings;
	bool ended;     /* for callers: end of standard input */
	bool passed_by; /* for callers: something was too long and was skipped */
	size_t messages_taken;
	uint64_t lines;
	size_t start, end;  /* the unread part of the buffer */
	size_t line_before; /* bytes already dropped of a line longer than the buffer */
	char buffer[DIAL_INPUT_BUFFER];
};

/** Initializes @p input. It reads nothing yet. */
void dial_input_begin(struct dial_input *input, const struct dial_settings *settings);

/** Reads available bytes of standard input. Call it only after dial_input_next() has
 *  returned false and if input->ended is false. It invalidates the last datagram.
 *  @return 0, or -1 with errno of read(2); EAGAIN counts as success */
int dial_input_read(struct dial_input *input);

/**
 * Takes the next datagram, if it is complete. A datagram that is too long is reported
 * to the user in one line and skipped.
 *
 * @param longest  maximum size of a datagram to the server, in bytes
 *                 (datagram_longest())
 * @return whether there was one; false with input->ended means: no more
 */
bool dial_input_next(struct dial_input *input, size_t longest, struct datagram *datagram);

#endif
