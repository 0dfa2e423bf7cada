/*
 * line_editor - a line that is being typed.
 *
 * It does no input or output: it takes the bytes of a terminal one at a time, and writes the
 * text that shows the line in one row. So it can be tried key by key without a terminal, and
 * whoever has one may print something else in between and then show the line again.
 *
 * A character here is what one sees as one: a character of UTF-8 with the combining marks
 * behind it. How many columns it takes is asked of wcwidth(3), which goes by LC_CTYPE.
 */
#ifndef CLIENT_CHAT_LINE_EDITOR_H
#define CLIENT_CHAT_LINE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "client/chat/keys.h"

enum {
	LINE_MOST = 1024,                 /* bytes in a line; more are not taken */
	HISTORY_MOST = 500,               /* lines; the oldest are forgotten */
	LINE_SHOWN_MOST = LINE_MOST + 64, /* bytes that line_editor_show() writes */
};

/** What a byte has done. */
enum line_event {
	LINE_NOTHING,
	LINE_CHANGED, /* show it again */
	LINE_FULL,    /* a character, or what Ctrl-Y inserts, had no room: see lost */
	LINE_ENTERED, /* Enter: take text, then line_editor_accept(), or leave it there */
	LINE_NO_MORE, /* Ctrl-D on an empty line */
	LINE_REDRAW,  /* Ctrl-L: the whole screen is to be made new */
};

/** For callers: text, length and lost, to read. All zero at first. */
struct line_editor {
	char text[LINE_MOST]; /* well-formed UTF-8 without controls; not terminated */
	size_t length;
	size_t lost;   /* bytes for which there was no room, since it was begun or cut */
	size_t cursor; /* in bytes, between two characters */
	size_t first;  /* the first character that is shown */
	struct keys keys;
	char killed[LINE_MOST]; /* what Ctrl-Y inserts */
	size_t killed_length;
	char *history[HISTORY_MOST]; /* the oldest first */
	size_t history_count;
	size_t history_at; /* the one shown; history_count: the line being typed */
	char unfinished[LINE_MOST]; /* that line meanwhile */
	size_t unfinished_length;
};

/** Frees what it holds, not itself. */
void line_editor_end(struct line_editor *editor);

/** Takes a byte that the terminal has sent. */
enum line_event line_editor_take(struct line_editor *editor, unsigned char byte);

/** Milliseconds to wait for the rest of a key, before line_editor_give_up(); -1: no key is
 *  half there. */
int line_editor_timeout(const struct line_editor *editor);

/** The rest of the key has not come. */
void line_editor_give_up(struct line_editor *editor);

/** Whether what comes is pasted: between the marks of a bracketed paste. */
bool line_editor_is_pasting(const struct line_editor *editor);

/** Drops the line, and begins an empty one. */
void line_editor_drop(struct line_editor *editor);

/** Puts the line into the history, unless it is blank or the same as the last, and begins an
 *  empty one. Without memory the history does without it. */
void line_editor_accept(struct line_editor *editor);

/**
 * Writes what shows the line with its prompt: from the beginning of the row, the rest of it
 * erased, the cursor where it belongs. It takes less than the row, so that no terminal goes
 * on to the next one. A line that is too long is shown in part, around the cursor, with
 * < and > where it goes on.
 *
 * @param columns  of the terminal; 0 counts as 80
 * @param out      receives it, not terminated
 * @return its length
 */
size_t line_editor_show(struct line_editor *editor, size_t columns,
			char out[LINE_SHOWN_MOST]);

#endif
