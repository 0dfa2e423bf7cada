/*
 * line - a client's bytes made into lines, wherever they are cut.
 *
 * A line ends with a newline; a carriage return before it is dropped. What telnet(1) sends
 * to negotiate is dropped as well (RFC 854): nothing is agreed to, which makes it a plain
 * terminal that sends lines. NUL bytes are dropped, too: there they mean nothing.
 */
#ifndef SERVER_SERVICE_CHAT_LINE_H
#define SERVER_SERVICE_CHAT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/service/chat/chat.h"

/** A line under way. All zero is the beginning. */
struct chat_line {
	char bytes[CHAT_LINE + 1]; /* and a carriage return */
	size_t length;
	bool skipping; /* the rest of a line that was too long */
	enum {
		TELNET_DATA,
		TELNET_COMMAND,           /* after IAC */
		TELNET_OPTION,            /* after IAC WILL, WONT, DO, DONT */
		TELNET_PARAMETERS,        /* after IAC SB */
		TELNET_PARAMETERS_COMMAND /* after an IAC in there */
	} telnet;
};

enum chat_line_state {
	LINE_GOES_ON,
	LINE_IS_WHOLE,    /* chat_line_text() has it */
	LINE_IS_TOO_LONG, /* said once; the rest of it is skipped */
};

/** Takes the client's next byte. */
enum chat_line_state chat_line_take(struct chat_line *line, char byte);

/** Takes the end of the input: what has come of a line is a line, if it is anything. */
enum chat_line_state chat_line_end(struct chat_line *line);

/** Writes the line as text_one_line() does, and begins the next one.
 *  @param out  receives the text, at most CHAT_TEXT bytes. @return how many */
size_t chat_line_text(struct chat_line *line, char out[CHAT_TEXT]);

#endif
