/*
 * speech - a line of a conversation as it is shown on a terminal: with the time, and with
 * colours that tell who speaks.
 */
#ifndef CLIENT_LIB_SPEECH_H
#define CLIENT_LIB_SPEECH_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct speech_style {
	bool times;        /* each line begins with the time of day */
	bool colours;      /* whether there are any ... */
	bool many_colours; /* ... and 256 of them */
};

enum speaker {
	SPEAKER_ROOM, /* a line from the server: speech "alice: text", or its own "* text" */
	SPEAKER_OURSELVES, /* what was typed here */
	SPEAKER_PROGRAM,   /* what this program has to say */
};

enum {
	SPEECH_MOST = 4096,                        /* bytes of a line that are shown */
	NICKNAME_MOST = 24,                        /* bytes of a nickname */
	SPEECH_TIME = 9,                           /* bytes of "23:59:59 " */
	SPEECH_SHOWN_MOST = 4 * SPEECH_MOST + 128, /* bytes that speech_show() writes */
};

/** How lines are to be shown here: colours as $NO_COLOR (https://no-color.org), $TERM and
 *  $COLORTERM say. */
struct speech_style speech_style_here(bool times);

/** Writes the time of day as it stands before a line: "23:59:59 ", not terminated.
 *  @return its length, at most SPEECH_TIME */
size_t speech_time(time_t now, char out[SPEECH_TIME]);

/** Whether it can be the name of a person or a room: one to NICKNAME_MOST letters, digits,
 *  - and _ (ASCII). */
bool speech_is_name(const char *text, size_t length);

/**
 * Finds who speaks, as chatd(8) has it: "alice: text" to all, "alice -> bob: text" to one,
 * "** alice waves".
 *
 * @param at  receives where the nickname begins
 * @return its length, or 0 if nobody speaks: it is a line of the server, or none of chatd
 */
size_t speech_nickname(const char *line, size_t length, size_t *at);

/** The colour of a nickname, the same always and everywhere: what to write after ESC [. */
const char *speech_colour(const struct speech_style *style, const char *nick,
			  size_t length);

/**
 * Writes a line with its newline. Nothing in it is obeyed by the terminal: see
 * text_for_terminal().
 *
 * @param line    without its newline
 * @param length  at most SPEECH_MOST
 * @param now     the time of day
 * @param out     receives it, not terminated
 * @return its length
 */
size_t speech_show(const struct speech_style *style, enum speaker speaker,
		   const char *line, size_t length, time_t now,
		   char out[SPEECH_SHOWN_MOST]);

#endif
