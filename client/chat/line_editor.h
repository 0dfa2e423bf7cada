/*
 * line_editor - a line that the user edits.
 *
 * This module does no input or output. It takes the bytes of a terminal one at a time,
 * and writes the text that shows the line in one row. So tests need no terminal, and
 * the caller may print other text and then show the line again.
 *
 * A character here is what a user sees as one: a UTF-8 character with the combining
 * marks that follow it. wcwidth(3) gives its width in columns, for the LC_CTYPE of the
 * process.
 */
#ifndef CLIENT_CHAT_LINE_EDITOR_H
#define CLIENT_CHAT_LINE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "client/chat/keys.h"

enum {
	LINE_MOST = 1024,                 /* bytes of a line; more are refused */
	HISTORY_MOST = 500,               /* lines; the oldest are dropped */
	LINE_SHOWN_MOST = LINE_MOST + 64, /* bytes that line_editor_show() writes */
};

/** The effect of a byte. */
enum line_event {
	LINE_NOTHING,
	LINE_CHANGED, /* the line must be shown again */
	LINE_FULL,    /* no space for a character or for the text of Ctrl-Y: see lost */
	LINE_ENTERED, /* Enter: read text, then call line_editor_accept(), or leave it */
	LINE_NO_MORE, /* Ctrl-D on an empty line */
	LINE_REDRAW,  /* Ctrl-L: the whole screen must be drawn again */
};

/** Callers only read text, length and lost. Zeroed at first. */
struct line_editor {
	char text[LINE_MOST]; /* well-formed UTF-8 without controls; not terminated */
	size_t length;
	size_t lost;   /* bytes without space since the line was started or shortened */
	size_t cursor; /* in bytes, between two characters */
	size_t first;  /* offset of the first visible character */
	struct keys keys;
	char killed[LINE_MOST]; /* what Ctrl-Y inserts */
	size_t killed_length;
	char *history[HISTORY_MOST]; /* the oldest first */
	size_t history_count;
	size_t history_at; /* index of the shown line; history_count: the new line */
	char unfinished[LINE_MOST]; /* the new line, while another is shown */
	size_t unfinished_length;
};

/** Frees the memory it owns, not the structure itself. */
void line_editor_end(struct line_editor *editor);

/** Takes a byte from the terminal. */
enum line_event line_editor_take(struct line_editor *editor, unsigned char byte);

/** Milliseconds to wait for the rest of a key before line_editor_give_up(); -1: no
 *  key is incomplete. */
int line_editor_timeout(const struct line_editor *editor);

/** The rest of the key has not arrived in time. */
void line_editor_give_up(struct line_editor *editor);

/** Whether the input is pasted: between the marks of a bracketed paste. */
bool line_editor_is_pasting(const struct line_editor *editor);

/** Drops the line and starts an empty one. */
void line_editor_drop(struct line_editor *editor);

/** Adds the line to the history, unless it is blank or equal to the last one, and
 *  starts an empty line. Without memory the history is left unchanged. */
void line_editor_accept(struct line_editor *editor);

/**
 * Writes the text that shows the line with its prompt: from the start of the row, the
 * rest of the row erased, the cursor in place. It never fills the row, so no terminal
 * wraps. A line that is too long is shown in part, around the cursor, with < and >
 * where it continues.
 *
 * @param columns  width of the terminal; 0 counts as 80
 * @param out      receives the text, not terminated
 * @return its length
 */
size_t line_editor_show(struct line_editor *editor, size_t columns,
			char out[LINE_SHOWN_MOST]);

#endif
