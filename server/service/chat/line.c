/*
 * line - removes telnet commands from a client's bytes, and collects the rest in a line.
 *
 * Each byte is handled once, by two small state machines: the telnet parser (drawn in
 * line.h) decides whether the byte is data, and chat_line_take() appends data to the
 * line. So it does not matter how the network splits the bytes. The cost is one function
 * call for each byte and 1 KiB for each client.
 */
#include "server/service/chat/line.h"

#include "common/text.h"

/* RFC 854, "Telnet command structure". */
enum {
	IAC = 255,
	DONT = 254,
	WILL = 251,
	SB = 250,
	SE = 240,
	FIRST_COMMAND = 236, /* RFC 1184 added three commands below SE */
};

/* Whether the byte belongs to a telnet command. If the byte after IAC is no command,
 * it is data, because it may be the end of the line. IAC IAC stands for the byte 255. */
static bool is_negotiation(struct chat_line *line, unsigned char byte)
{
	switch (line->telnet) {
	case TELNET_DATA:
		if (byte == IAC)
			line->telnet = TELNET_COMMAND;
		return byte == IAC;
	case TELNET_COMMAND:
		line->telnet = byte == SB                     ? TELNET_PARAMETERS
			       : byte >= WILL && byte <= DONT ? TELNET_OPTION
							      : TELNET_DATA;
		return byte != IAC && byte >= FIRST_COMMAND;
	case TELNET_PARAMETERS:
		if (byte == IAC)
			line->telnet = TELNET_PARAMETERS_COMMAND;
		return true;
	case TELNET_PARAMETERS_COMMAND:
		line->telnet = byte == SE ? TELNET_DATA : TELNET_PARAMETERS;
		return true;
	default: /* TELNET_OPTION */
		line->telnet = TELNET_DATA;
		return true;
	}
}

static enum chat_line_state too_long(struct chat_line *line)
{
	line->skipping = true;
	line->length = 0;
	return LINE_IS_TOO_LONG;
}

static enum chat_line_state whole(struct chat_line *line)
{
	if (line->skipping) {
		line->skipping = false;
		return LINE_GOES_ON;
	}
	if (line->length > 0 && line->bytes[line->length - 1] == '\r')
		line->length--;
	return LINE_IS_WHOLE;
}

enum chat_line_state chat_line_take(struct chat_line *line, char byte)
{
	/* a full line may still get the CR of its end */
	size_t most = CHAT_LINE + (byte == '\r' ? 1 : 0);

	/* NUL has no meaning: RFC 854, "The NVT printer and keyboard" */
	if (is_negotiation(line, (unsigned char)byte) || byte == '\0')
		return LINE_GOES_ON;
	if (byte == '\n')
		return whole(line);
	if (line->skipping)
		return LINE_GOES_ON;
	if (line->length >= most)
		return too_long(line);
	line->bytes[line->length++] = byte;
	return LINE_GOES_ON;
}

enum chat_line_state chat_line_end(struct chat_line *line)
{
	return line->length > 0 ? whole(line) : LINE_GOES_ON;
}

size_t chat_line_text(struct chat_line *line, char out[CHAT_TEXT])
{
	size_t n = text_one_line(line->bytes, line->length, out);

	line->length = 0;
	return n;
}
