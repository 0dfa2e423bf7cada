/*
 * line_editor - the line that the user edits, its history, and how it is shown in one row.
 *
 * The text is one array of bytes; insertion and deletion move its rest. This is linear,
 * which does not matter for a line of at most LINE_MOST bytes. Only a window around the
 * cursor is shown, so a long line never wraps: where it would wrap depends on the terminal.
 */
#define _XOPEN_SOURCE 700 /* wcwidth */

#include "client/chat/line_editor.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/text.h"

enum {
	PROMPT = 2,     /* columns of "> " */
	MARKS_FROM = 8, /* columns from which < and > mark a hidden part */
	USUAL_COLUMNS = 80,
};

/* ---- characters ------------------------------------------------------------------------ */

static wchar_t decode(const char *text, size_t length)
{
	static const unsigned char lead_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	unsigned long code = (unsigned char)text[0] & lead_bits[length];

	for (size_t i = 1; i < length; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	return (wchar_t)code;
}

/* Columns of the UTF-8 character at text. A character unknown to the locale counts
 * as one column, as most characters have. */
static size_t code_width(const char *text, size_t length)
{
	int width = length > 1 ? wcwidth(decode(text, length)) : 1;

	return width < 0 ? 1 : (size_t)width;
}

static bool is_mark(const struct line_editor *editor, size_t at)
{
	size_t length = text_utf8_length(editor->text + at, editor->length - at);

	return length > 1 && code_width(editor->text + at, length) == 0;
}

/* Offset of the character after the one at @p at. */
static size_t next_of(const struct line_editor *editor, size_t at)
{
	if (at < editor->length)
		at += text_utf8_length(editor->text + at, editor->length - at);
	while (at < editor->length && is_mark(editor, at))
		at += text_utf8_length(editor->text + at, editor->length - at);
	return at;
}

static bool is_inside(const struct line_editor *editor, size_t at)
{
	return ((unsigned char)editor->text[at] & 0xc0) == 0x80 || is_mark(editor, at);
}

static size_t previous_of(const struct line_editor *editor, size_t at)
{
	while (at > 0) {
		at--;
		if (!is_inside(editor, at))
			break;
	}
	return at;
}

static size_t width_between(const struct line_editor *editor, size_t from, size_t to)
{
	size_t width = 0;

	while (from < to) {
		size_t length =
			text_utf8_length(editor->text + from, editor->length - from);

		width += code_width(editor->text + from, length);
		from += length;
	}
	return width;
}

/* ---- words ----------------------------------------------------------------------------- */

static bool is_blank(char byte)
{
	return byte == ' ';
}

static bool separates_words(char byte)
{
	return (unsigned char)byte < 0x80 && !isalnum((unsigned char)byte);
}

static size_t word_left(const struct line_editor *editor, bool (*separates)(char))
{
	size_t at = editor->cursor;

	while (at > 0 && separates(editor->text[previous_of(editor, at)]))
		at = previous_of(editor, at);
	while (at > 0 && !separates(editor->text[previous_of(editor, at)]))
		at = previous_of(editor, at);
	return at;
}

static size_t word_right(const struct line_editor *editor)
{
	size_t at = editor->cursor;

	while (at < editor->length && separates_words(editor->text[at]))
		at = next_of(editor, at);
	while (at < editor->length && !separates_words(editor->text[at]))
		at = next_of(editor, at);
	return at;
}

/* ---- changing the text ----------------------------------------------------------------- */

/* The window may start in the middle of a character now, so it is computed again. */
static void changed_at(struct line_editor *editor, size_t at)
{
	if (at <= editor->first)
		editor->first = 0;
}

/* Inserts all bytes, or none if there is not enough space: then they count as lost. */
static void insert(struct line_editor *editor, const char *text, size_t length)
{
	char *to = editor->text + editor->cursor;

	if (length > LINE_MOST - editor->length) {
		editor->lost += length;
		return;
	}
	memmove(to + length, to, editor->length - editor->cursor);
	memcpy(to, text, length);
	changed_at(editor, editor->cursor);
	editor->length += length;
	editor->cursor += length;
	while (editor->cursor < editor->length && is_mark(editor, editor->cursor))
		editor->cursor = next_of(editor, editor->cursor);
}

static void erase(struct line_editor *editor, size_t from, size_t to)
{
	memmove(editor->text + from, editor->text + to, editor->length - to);
	if (from < to)
		editor->lost = 0;
	editor->length -= to - from;
	editor->cursor = from;
	changed_at(editor, from);
}

static void kill_between(struct line_editor *editor, size_t from, size_t to)
{
	if (from == to)
		return;
	editor->killed_length = to - from;
	memcpy(editor->killed, editor->text + from, to - from);
	erase(editor, from, to);
}

/* As in readline: exchanges the character before the cursor with the one at it. */
static void transpose(struct line_editor *editor)
{
	size_t at = editor->cursor < editor->length ? editor->cursor
						    : previous_of(editor, editor->length);
	size_t before = previous_of(editor, at), after = next_of(editor, at);
	char moved[LINE_MOST];

	if (before == at || at == after)
		return;
	memcpy(moved, editor->text + before, at - before);
	memmove(editor->text + before, editor->text + at, after - at);
	memcpy(editor->text + before + (after - at), moved, at - before);
	editor->cursor = after;
	changed_at(editor, before);
}

/* ---- history --------------------------------------------------------------------------- */

static void set_text(struct line_editor *editor, const char *text, size_t length)
{
	memcpy(editor->text, text, length);
	editor->length = editor->cursor = length;
	editor->first = 0;
	editor->lost = 0;
}

static void show_history(struct line_editor *editor, size_t at)
{
	if (editor->history_at == editor->history_count) {
		memcpy(editor->unfinished, editor->text, editor->length);
		editor->unfinished_length = editor->length;
	}
	editor->history_at = at;
	if (at == editor->history_count)
		set_text(editor, editor->unfinished, editor->unfinished_length);
	else
		set_text(editor, editor->history[at], strlen(editor->history[at]));
}

static bool is_worth_keeping(const struct line_editor *editor)
{
	const char *last = editor->history_count > 0
				   ? editor->history[editor->history_count - 1]
				   : "";
	size_t i = 0;

	while (i < editor->length && is_blank(editor->text[i]))
		i++;
	return i < editor->length && (strlen(last) != editor->length ||
				      memcmp(last, editor->text, editor->length) != 0);
}

static void remember(struct line_editor *editor)
{
	char *line = strndup(editor->text, editor->length);

	if (line == NULL)
		return;
	if (editor->history_count == HISTORY_MOST) {
		free(editor->history[0]);
		memmove(editor->history, editor->history + 1,
			(HISTORY_MOST - 1) * sizeof *editor->history);
		editor->history_count--;
	}
	editor->history[editor->history_count++] = line;
}

void line_editor_drop(struct line_editor *editor)
{
	editor->history_at = editor->history_count;
	set_text(editor, "", 0);
}

void line_editor_accept(struct line_editor *editor)
{
	if (is_worth_keeping(editor))
		remember(editor);
	line_editor_drop(editor);
}

void line_editor_end(struct line_editor *editor)
{
	while (editor->history_count > 0)
		free(editor->history[--editor->history_count]);
	editor->history_at = 0;
}

/* ---- keys ------------------------------------------------------------------------------ */

static void press_to_move(struct line_editor *editor, enum key_name name)
{
	switch (name) {
	case KEY_LEFT:
		editor->cursor = previous_of(editor, editor->cursor);
		break;
	case KEY_RIGHT:
		editor->cursor = next_of(editor, editor->cursor);
		break;
	case KEY_WORD_LEFT:
		editor->cursor = word_left(editor, separates_words);
		break;
	case KEY_WORD_RIGHT:
		editor->cursor = word_right(editor);
		break;
	case KEY_HOME:
		editor->cursor = 0;
		break;
	case KEY_END:
		editor->cursor = editor->length;
		break;
	case KEY_UP:
		if (editor->history_at > 0)
			show_history(editor, editor->history_at - 1);
		break;
	case KEY_DOWN:
		if (editor->history_at < editor->history_count)
			show_history(editor, editor->history_at + 1);
		break;
	default:
		break;
	}
}

static void press_to_change(struct line_editor *editor, const struct key *key)
{
	size_t cursor = editor->cursor;

	switch (key->name) {
	case KEY_TEXT:
		insert(editor, key->text, key->length);
		break;
	case KEY_BACKSPACE:
		erase(editor, previous_of(editor, cursor), cursor);
		break;
	case KEY_DELETE:
	case KEY_DELETE_OR_END:
		erase(editor, cursor, next_of(editor, cursor));
		break;
	case KEY_KILL_WORD:
		kill_between(editor, word_left(editor, is_blank), cursor);
		break;
	case KEY_KILL_WORD_LEFT:
		kill_between(editor, word_left(editor, separates_words), cursor);
		break;
	case KEY_KILL_WORD_RIGHT:
		kill_between(editor, cursor, word_right(editor));
		break;
	case KEY_KILL_TO_START:
		kill_between(editor, 0, cursor);
		break;
	case KEY_KILL_TO_END:
		kill_between(editor, cursor, editor->length);
		break;
	case KEY_YANK:
		insert(editor, editor->killed, editor->killed_length);
		break;
	case KEY_TRANSPOSE:
		transpose(editor);
		break;
	default:
		press_to_move(editor, key->name);
		break;
	}
}

enum line_event line_editor_take(struct line_editor *editor, unsigned char byte)
{
	struct key key = keys_take(&editor->keys, byte);
	size_t lost = editor->lost;

	switch (key.name) {
	case KEY_NONE:
		return LINE_NOTHING;
	case KEY_ENTER:
		return LINE_ENTERED;
	case KEY_REDRAW:
		return LINE_REDRAW;
	case KEY_DELETE_OR_END:
		if (editor->length == 0)
			return LINE_NO_MORE;
		break;
	default:
		break;
	}
	press_to_change(editor, &key);
	return editor->lost > lost ? LINE_FULL : LINE_CHANGED;
}

bool line_editor_is_pasting(const struct line_editor *editor)
{
	return editor->keys.pasting;
}

int line_editor_timeout(const struct line_editor *editor)
{
	return keys_timeout(&editor->keys);
}

void line_editor_give_up(struct line_editor *editor)
{
	keys_give_up(&editor->keys);
}

/* ---- what is shown --------------------------------------------------------------------- */

/* Layout of the row: the prompt if there is space for it, the line, and one free
 * column. */
struct row {
	size_t area;   /* columns for the line */
	size_t prompt; /* columns of the prompt */
	bool marks;
};

static struct row measure(size_t columns)
{
	struct row row = { .area = columns > 1 ? columns - 1 : 1 };

	row.prompt = row.area > PROMPT + MARKS_FROM ? PROMPT : 0;
	row.area -= row.prompt;
	row.marks = row.area >= MARKS_FROM;
	return row;
}

/* Columns from the first shown character that must be visible: up to the cursor, the
 * character at it, and the marks. */
static size_t width_needed(const struct line_editor *editor, const struct row *row)
{
	size_t cursor = editor->cursor, next = next_of(editor, cursor);
	size_t width = width_between(editor, editor->first, next);

	if (row->marks && editor->first > 0)
		width++;
	if (row->marks && next < editor->length)
		width++;
	return width;
}

/* First shown character, chosen so that half a row before the cursor is visible. */
static size_t first_around_cursor(const struct line_editor *editor, const struct row *row)
{
	size_t at = editor->cursor;

	while (at > 0) {
		size_t before = previous_of(editor, at);

		if (width_between(editor, before, editor->cursor) > row->area / 2)
			break;
		at = before;
	}
	return at;
}

static void scroll(struct line_editor *editor, const struct row *row)
{
	if (width_between(editor, 0, editor->length) <= row->area)
		editor->first = 0;
	else if (editor->cursor < editor->first || width_needed(editor, row) > row->area)
		editor->first = first_around_cursor(editor, row);
}

static size_t append(char *out, size_t used, const char *text, size_t length)
{
	memcpy(out + used, text, length);
	return used + length;
}

/* Offset of the end of the visible part, with a column left for the mark. */
static size_t end_of_row(const struct line_editor *editor, const struct row *row,
			 size_t columns)
{
	size_t at = editor->first, width = 0, fits = at;

	while (at < editor->length) {
		size_t next = next_of(editor, at);

		width += width_between(editor, at, next);
		if (width > columns)
			return fits;
		at = next;
		if (width + (row->marks ? 1 : 0) <= columns)
			fits = at;
	}
	return at;
}

size_t line_editor_show(struct line_editor *editor, size_t columns,
			char out[LINE_SHOWN_MOST])
{
	struct row row = measure(columns > 0 ? columns : USUAL_COLUMNS);
	size_t used = append(out, 0, "\r> ", 1 + row.prompt);
	size_t left = 0, end, column;

	scroll(editor, &row);
	if (row.marks && editor->first > 0) {
		used = append(out, used, "<", 1);
		left = 1;
	}
	end = end_of_row(editor, &row, row.area - left);
	used = append(out, used, editor->text + editor->first, end - editor->first);
	if (row.marks && end < editor->length)
		used = append(out, used, ">", 1);
	used = append(out, used, "\x1b[K\r", 4);
	column = row.prompt + left + width_between(editor, editor->first, editor->cursor);
	if (column > 0)
		used += (size_t)snprintf(out + used, LINE_SHOWN_MOST - used, "\x1b[%zuC",
					 column);
	return used;
}
