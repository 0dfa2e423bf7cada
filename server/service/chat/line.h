/*
 * line - splits a client's bytes into lines.
 *
 * A line ends with a newline; a carriage return before it is removed. Telnet commands
 * are removed, too (RFC 854). No option is agreed to, so telnet(1) stays a plain
 * terminal that sends lines. NUL bytes are removed, because they have no meaning in
 * telnet.
 */
#ifndef SERVER_SERVICE_CHAT_LINE_H
#define SERVER_SERVICE_CHAT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/service/chat/chat.h"

/**
 * The line that is being read. Zeroed is the initial state. The states of the telnet
 * parser:
 *
 *                  IAC                WILL, WONT, DO, DONT
 *           DATA ------> COMMAND ----------------------------> OPTION
 *             ^            |   |                                  |
 *             |   other    |   | SB                    any byte   |
 *             +------------+   v                                  |
 *             ^            PARAMETERS <------+                    |
 *             |                | IAC         | other              |
 *             |     SE         v             |                    |
 *             +-------- PARAMETERS_COMMAND --+                    |
 *             +---------------------------------------------------+
 */
struct chat_line {
	char bytes[CHAT_LINE + 1]; /* with space for a carriage return */
	size_t length;
	bool skipping; /* skipping the rest of a line that was too long */
	enum {
		TELNET_DATA,
		TELNET_COMMAND,           /* after IAC */
		TELNET_OPTION,            /* after IAC WILL, WONT, DO, DONT */
		TELNET_PARAMETERS,        /* after IAC SB */
		TELNET_PARAMETERS_COMMAND /* after IAC within the parameters */
	} telnet;
};

enum chat_line_state {
	LINE_GOES_ON,
	LINE_IS_WHOLE,    /* chat_line_text() has it */
	LINE_IS_TOO_LONG, /* returned once; the rest of the line is skipped */
};

/** Handles the client's next byte. */
enum chat_line_state chat_line_take(struct chat_line *line, char byte);

/** Handles the end of the input: an incomplete line counts as a line if it is not
 *  empty. */
enum chat_line_state chat_line_end(struct chat_line *line);

/** Writes the line as text_one_line() does, and begins the next line.
 *  @param out  receives the text, at most CHAT_TEXT bytes
 *  @return its length */
size_t chat_line_text(struct chat_line *line, char out[CHAT_TEXT]);

#endif
