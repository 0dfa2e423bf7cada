/*
 * dial_input - what dial -u has to say, datagram by datagram.
 *
 * A stream has no messages and a datagram is one, so what is a datagram must be decided:
 * each -m, each line of standard input, or with --whole all of it. What is too long for
 * one is never sent in part.
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

/** Where the reading stands; its members are this module's own but for those named. */
struct dial_input {
	const struct dial_settings *settings;
	bool ended;     /* for callers: nothing more comes from standard input */
	bool passed_by; /* for callers: something was too long, and was not sent */
	size_t messages_taken;
	uint64_t lines;
	size_t start, end;  /* of what is in the buffer */
	size_t line_before; /* bytes of the line there that did not even fit into it */
	char buffer[DIAL_INPUT_BUFFER];
};

/** Begins to read: nothing is read yet. @p input is zeroed or was never used. */
void dial_input_begin(struct dial_input *input, const struct dial_settings *settings);

/** Reads what is there of standard input. Only when dial_input_next() has said false and
 *  it has not ended; it invalidates the datagram that was had last.
 *  @return 0, or -1 with errno of read(2); nothing there (EAGAIN) is no error */
int dial_input_read(struct dial_input *input);

/**
 * Takes the next datagram, if a whole one is there. What is too long for one is reported
 * to the user, in one line, and passed by.
 *
 * @param longest  bytes that a datagram to the server may have (datagram_longest())
 * @return whether there was one; if not, and input->ended, there never will be
 */
bool dial_input_next(struct dial_input *input, size_t longest, struct datagram *datagram);

#endif
