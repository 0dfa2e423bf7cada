#include "server/service/chat/line.h"

#include "common/text.h"

/* RFC 854, "Telnet command structure". */
enum {
	IAC = 255,
	DONT = 254,
	WILL = 251,
	SB = 250,
	SE = 240,
	FIRST_COMMAND = 236, /* RFC 1184 has added three below SE */
};

/* Whether the byte is a piece of negotiation. After an IAC that begins no command the byte
 * counts: it may be the end of the line. IAC IAC is the byte 255 itself. */
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
	/* of a line that is full already, only its end may come */
	size_t most = CHAT_LINE + (byte == '\r' ? 1 : 0);

	/* NUL says nothing: RFC 854, "The NVT printer and keyboard" */
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
