/*
 * speech - shows a line of a chat on a terminal, with the time and a colour for each
 * nickname.
 *
 * The colour is a hash of the nickname, so every client shows a user in the same colour
 * without asking the server. Different nicknames may share a colour. Control characters of
 * a line never reach the terminal.
 */
#include "client/lib/speech.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

/* Colours of the 256 of xterm that are distinguishable and have a contrast (WCAG
 * 2.1, 1.4.3) of 4 or more both on black and on white. */
static const char *const many_colours[] = {
	"38;5;27m",  "38;5;28m",  "38;5;30m",  "38;5;63m",  "38;5;64m",
	"38;5;99m",  "38;5;130m", "38;5;131m", "38;5;133m", "38;5;161m",
	"38;5;162m", "38;5;164m", "38;5;196m",
};

/* Colours of the eight that every terminal has, without yellow, white, black and
 * blue. */
static const char *const few_colours[] = {
	"31m", "32m", "35m", "36m", "1;31m", "1;32m", "1;35m", "1;36m",
};

static const char plain[] = "\x1b[0m", faint[] = "\x1b[2m", bold[] = "\x1b[1m";

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0';
}

struct speech_style speech_style_here(bool times)
{
	const char *kind = getenv("TERM");

	return (struct speech_style){
		.times = times,
		.colours = !is_set("NO_COLOR"),
		.many_colours = is_set("COLORTERM") ||
				(kind != NULL && strstr(kind, "256color") != NULL),
	};
}

static bool is_of_name(char byte)
{
	return (unsigned char)byte < 0x80 &&
	       (isalnum((unsigned char)byte) || byte == '-' || byte == '_');
}

static size_t name_length(const char *text, size_t length)
{
	size_t n = 0;

	while (n < length && n <= NICKNAME_MOST && is_of_name(text[n]))
		n++;
	return n <= NICKNAME_MOST ? n : 0;
}

bool speech_is_name(const char *text, size_t length)
{
	return length > 0 && name_length(text, length) == length;
}

static bool begins_with(const char *line, size_t length, const char *start)
{
	return length >= strlen(start) && memcmp(line, start, strlen(start)) == 0;
}

size_t speech_nickname(const char *line, size_t length, size_t *at)
{
	static const char action[] = "** ";
	bool acts = begins_with(line, length, action);
	size_t n;

	*at = acts ? strlen(action) : 0;
	line += *at;
	length -= *at;
	n = name_length(line, length);
	if (begins_with(line + n, length - n, acts ? " " : ": ") ||
	    (!acts && begins_with(line + n, length - n, " -> ")))
		return n;
	return 0;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t hash(const char *bytes, size_t length)
{
	uint32_t value = 2166136261u;

	for (size_t i = 0; i < length; i++)
		value = (value ^ (unsigned char)bytes[i]) * 16777619u;
	return value;
}

const char *speech_colour(const struct speech_style *style, const char *nick,
			  size_t length)
{
	uint32_t number = hash(nick, length);

	if (style->many_colours)
		return many_colours[number %
				    (sizeof many_colours / sizeof *many_colours)];
	return few_colours[number % (sizeof few_colours / sizeof *few_colours)];
}

/* ---- a line ---------------------------------------------------------------------------- */

static size_t append(char *out, size_t used, const char *text, size_t length)
{
	memcpy(out + used, text, length);
	return used + length;
}

size_t speech_time(time_t now, char out[SPEECH_TIME])
{
	struct tm parts;
	char text[SPEECH_TIME + 1];
	size_t length;

	if (localtime_r(&now, &parts) == NULL)
		return 0;
	length = strftime(text, sizeof text, "%H:%M:%S ", &parts);
	return append(out, 0, text, length);
}

static size_t append_coloured(char *out, size_t used, const char *colour,
			      const char *text, size_t length)
{
	used = append(out, used, colour, strlen(colour));
	used += text_for_terminal(text, length, out + used);
	return append(out, used, plain, strlen(plain));
}

static size_t append_speech(const struct speech_style *style, const char *line,
			    size_t length, char *out, size_t used)
{
	size_t at, nick = speech_nickname(line, length, &at);

	if (nick == 0 && length > 0 && line[0] == '*')
		return append_coloured(out, used, faint, line, length);
	if (nick > 0) {
		used = append(out, used, "** ", at);
		used = append(out, used, "\x1b[", 2);
		used = append_coloured(out, used, speech_colour(style, line + at, nick),
				       line + at, nick);
	}
	return used + text_for_terminal(line + at + nick, length - at - nick, out + used);
}

size_t speech_show(const struct speech_style *style, enum speaker speaker,
		   const char *line, size_t length, time_t now,
		   char out[SPEECH_SHOWN_MOST])
{
	size_t used = style->times ? speech_time(now, out) : 0;

	if (length > 0 && line[length - 1] == '\r') /* line end of telnet: CR LF */
		length--;
	if (speaker == SPEAKER_OURSELVES)
		used = append(out, used, "> ", 2);
	if (!style->colours)
		used += text_for_terminal(line, length, out + used);
	else if (speaker == SPEAKER_ROOM)
		used = append_speech(style, line, length, out, used);
	else
		used = append_coloured(out, used, bold, line, length);
	out[used++] = '\n';
	return used;
}
