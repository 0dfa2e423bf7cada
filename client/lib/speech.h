/*
 * speech - shows a line of a chat on a terminal, with the time and a colour for each
 * nickname.
 */
#ifndef CLIENT_LIB_SPEECH_H
#define CLIENT_LIB_SPEECH_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct speech_style {
	bool times;        /* each line begins with the time of day */
	bool colours;      /* use colours ... */
	bool many_colours; /* ... and 256 of them */
};

enum speaker {
	SPEAKER_ROOM,      /* a line from the server: "alice: text", or "* text" of the
		       * server itself */
	SPEAKER_OURSELVES, /* a line that the user typed */
	SPEAKER_PROGRAM,   /* a message of this program */
};

enum {
	SPEECH_MOST = 4096,                        /* bytes of a line that are shown */
	NICKNAME_MOST = 24,                        /* bytes of a nickname */
	SPEECH_TIME = 9,                           /* bytes of "23:59:59 " */
	SPEECH_SHOWN_MOST = 4 * SPEECH_MOST + 128, /* bytes that speech_show() writes */
};

/** The style for this terminal. $NO_COLOR (https://no-color.org), $TERM and
 *  $COLORTERM decide on colours. */
struct speech_style speech_style_here(bool times);

/** Writes the time of day for the start of a line: "23:59:59 ", not terminated.
 *  @return its length, at most SPEECH_TIME */
size_t speech_time(time_t now, char out[SPEECH_TIME]);

/** Whether it is a valid name of a user or a room: 1 to NICKNAME_MOST letters,
 *  digits, - and _ (ASCII). */
bool speech_is_name(const char *text, size_t length);

/**
 * Finds the speaker in a line of chatd(8): "alice: text" to all, "alice -> bob: text"
 * to one, "** alice waves".
 *
 * @param at  receives the offset of the nickname
 * @return its length, or 0: the line is from the server itself, or not from chatd
 */
size_t speech_nickname(const char *line, size_t length, size_t *at);

/** The colour of a nickname, as the parameters of ESC [. It depends on the nickname
 *  only. */
const char *speech_colour(const struct speech_style *style, const char *nick,
			  size_t length);

/**
 * Writes a line with its newline. The terminal obeys no control character of the line:
 * see text_for_terminal().
 *
 * @param line    without its newline
 * @param length  at most SPEECH_MOST
 * @param now     the time of day
 * @param out     receives the text, not terminated
 * @return its length
 */
size_t speech_show(const struct speech_style *style, enum speaker speaker,
		   const char *line, size_t length, time_t now,
		   char out[SPEECH_SHOWN_MOST]);

#endif
