/*
 * keys - decodes the bytes of a terminal into keys.
 *
 * A state machine with one byte of input per step. Terminals send different sequences for
 * the same key, so tables list the known ones. An unknown sequence is read to its end and
 * dropped, so that none of its bytes appear as text.
 *
 *     PLAIN ──ESC──> ESCAPE ──[──> CSI ──[──> CONSOLE
 *       ^              │ O           │           │
 *       │              └──> SS3      │           │
 *       └── final byte of the sequence ──────────┘
 */
#include "client/chat/keys.h"

#include <string.h>

#include "common/text.h"

enum {
	CONTROL = 0x1f, /* Ctrl and a letter give these bits of the letter */
	ESCAPE = 0x1b,
	DEL = 0x7f,
	NUMBER_MOST = 9999,
	PASTE_BEGINS = 200,
	PASTE_ENDS = 201,
	SEQUENCE_TIMEOUT = 500, /* milliseconds: a slow network may split a sequence */
	PASTE_TIMEOUT = 2000,
};

struct binding {
	unsigned code; /* a byte or a number */
	enum key_name name;
};

static const struct binding controls[] = {
	{ 'A' & CONTROL, KEY_HOME },
	{ 'B' & CONTROL, KEY_LEFT },
	{ 'D' & CONTROL, KEY_DELETE_OR_END },
	{ 'E' & CONTROL, KEY_END },
	{ 'F' & CONTROL, KEY_RIGHT },
	{ 'H' & CONTROL, KEY_BACKSPACE },
	{ 'J' & CONTROL, KEY_ENTER },
	{ 'K' & CONTROL, KEY_KILL_TO_END },
	{ 'L' & CONTROL, KEY_REDRAW },
	{ 'M' & CONTROL, KEY_ENTER },
	{ 'N' & CONTROL, KEY_DOWN },
	{ 'P' & CONTROL, KEY_UP },
	{ 'T' & CONTROL, KEY_TRANSPOSE },
	{ 'U' & CONTROL, KEY_KILL_TO_START },
	{ 'W' & CONTROL, KEY_KILL_WORD },
	{ 'Y' & CONTROL, KEY_YANK },
	{ DEL, KEY_BACKSPACE },
	{ 0, KEY_NONE },
};

/* Terminals send Alt and a letter as ESC and the letter. */
static const struct binding after_escape[] = {
	{ 'b', KEY_WORD_LEFT },
	{ 'B', KEY_WORD_LEFT },
	{ 'f', KEY_WORD_RIGHT },
	{ 'F', KEY_WORD_RIGHT },
	{ 'd', KEY_KILL_WORD_RIGHT },
	{ 'D', KEY_KILL_WORD_RIGHT },
	{ 'H' & CONTROL, KEY_KILL_WORD_LEFT },
	{ DEL, KEY_KILL_WORD_LEFT },
	{ 0, KEY_NONE },
};

/* By the final byte of ESC [ ... or ESC O .... Lower case: rxvt with a modifier. */
static const struct binding finals[] = {
	{ 'A', KEY_UP },         { 'B', KEY_DOWN },      { 'C', KEY_RIGHT },
	{ 'D', KEY_LEFT },       { 'F', KEY_END },       { 'H', KEY_HOME },
	{ 'M', KEY_ENTER },      { 'a', KEY_UP },        { 'b', KEY_DOWN },
	{ 'c', KEY_WORD_RIGHT }, { 'd', KEY_WORD_LEFT }, { 0, KEY_NONE },
};

/* By the number of ESC [ number ~, as the keys of the VT220. */
static const struct binding numbered[] = {
	{ 1, KEY_HOME }, { 3, KEY_DELETE }, { 4, KEY_END },
	{ 7, KEY_HOME }, { 8, KEY_END },    { 0, KEY_NONE },
};

static enum key_name find(const struct binding *bindings, unsigned code)
{
	while (bindings->name != KEY_NONE && bindings->code != code)
		bindings++;
	return bindings->name;
}

static enum key_name with_modifier(enum key_name name)
{
	switch (name) {
	case KEY_LEFT:
		return KEY_WORD_LEFT;
	case KEY_RIGHT:
		return KEY_WORD_RIGHT;
	case KEY_DELETE:
		return KEY_KILL_WORD_RIGHT;
	default:
		return name;
	}
}

/* ---- characters ------------------------------------------------------------------------ */

static struct key typed(const char *text, size_t length)
{
	struct key key = { .name = KEY_TEXT, .length = length };

	memcpy(key.text, text, length);
	return key;
}

/* U+0080 to U+009F are control characters, too. */
static bool is_control(const char *text)
{
	unsigned char lead = (unsigned char)text[0], next = (unsigned char)text[1];

	return lead == 0xc2 && next < 0xa0;
}

static size_t expected_length(unsigned char lead)
{
	return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
}

static struct key take_part(struct keys *keys, unsigned char byte)
{
	struct key nothing = { .name = KEY_NONE };
	size_t expected, length;

	if (byte >= 0xc0)
		keys->length = 0; /* the character before is incomplete: dropped */
	else if (keys->length == 0)
		return nothing;
	keys->text[keys->length++] = (char)byte;
	expected = expected_length((unsigned char)keys->text[0]);
	if (keys->length < expected)
		return nothing;
	length = keys->length;
	keys->length = 0;
	if (text_utf8_length(keys->text, length) != length || is_control(keys->text))
		return nothing;
	return typed(keys->text, length);
}

static struct key take_pasted(struct keys *keys, unsigned char byte)
{
	bool second = byte == '\n' && keys->pasted_return;

	keys->pasted_return = byte == '\r';
	if (byte == '\r' || byte == '\n')
		return (struct key){ .name = second ? KEY_NONE : KEY_ENTER };
	if (byte == '\t')
		return typed(" ", 1);
	if (byte >= ' ' && byte < DEL)
		return typed(&(char){ (char)byte }, 1);
	return (struct key){ .name = KEY_NONE };
}

static struct key take_plain(struct keys *keys, unsigned char byte)
{
	if (byte > DEL)
		return take_part(keys, byte);
	keys->length = 0;
	if (byte == ESCAPE) {
		keys->state = KEYS_ESCAPE;
		keys->meta = false;
		return (struct key){ .name = KEY_NONE };
	}
	if (keys->pasting)
		return take_pasted(keys, byte);
	if (byte >= ' ' && byte < DEL)
		return typed(&(char){ (char)byte }, 1);
	return (struct key){ .name = find(controls, byte) };
}

/* ---- sequences ------------------------------------------------------------------------- */

static void begin_sequence(struct keys *keys, enum keys_state state)
{
	keys->state = state;
	memset(keys->numbers, 0, sizeof keys->numbers);
	keys->parameter = 0;
}

static enum key_name take_after_escape(struct keys *keys, unsigned char byte)
{
	switch (byte) {
	case ESCAPE: /* rxvt: Alt and an arrow is ESC ESC [ C */
		keys->meta = true;
		return KEY_NONE;
	case '[':
		begin_sequence(keys, KEYS_CSI);
		return KEY_NONE;
	case 'O':
		begin_sequence(keys, KEYS_SS3);
		return KEY_NONE;
	}
	keys->state = KEYS_PLAIN;
	return find(after_escape, byte);
}

static void take_digit(struct keys *keys, unsigned digit)
{
	size_t most = sizeof keys->numbers / sizeof *keys->numbers - 1;
	unsigned *number =
		&keys->numbers[keys->parameter < most ? keys->parameter : most];

	*number = *number * 10 + digit;
	if (*number > NUMBER_MOST)
		*number = NUMBER_MOST;
}

/* rxvt ends a sequence with $ (Shift), ^ (Ctrl) or @ (both) instead of ~. */
static bool ends_numbered(unsigned char byte)
{
	return byte == '~' || byte == '$' || byte == '^' || byte == '@';
}

static enum key_name end_numbered(struct keys *keys, unsigned char byte)
{
	unsigned number = keys->numbers[0];
	bool modified = keys->numbers[1] > 1 || byte == '^' || byte == '@' || keys->meta;
	enum key_name name = find(numbered, number);

	if (number == PASTE_BEGINS || number == PASTE_ENDS) {
		keys->pasting = number == PASTE_BEGINS;
		keys->pasted_return = false;
		return KEY_NONE;
	}
	return modified ? with_modifier(name) : name;
}

/* The modifier, from 1 for none (xterm). In SS3 it is the only number. */
static enum key_name end_lettered(const struct keys *keys, unsigned char byte)
{
	bool csi = keys->state == KEYS_CSI;
	unsigned modifier = csi ? keys->numbers[1] : keys->numbers[0];
	enum key_name name = find(finals, byte);

	if (csi && (byte == 'c' || byte == 'd')) /* rxvt: Shift and an arrow */
		return byte == 'c' ? KEY_RIGHT : KEY_LEFT;
	if (csi && byte == 'M') /* a mouse report, or "delete line": not a key */
		return KEY_NONE;
	return modifier > 2 || keys->meta ? with_modifier(name) : name;
}

static enum key_name take_in_sequence(struct keys *keys, unsigned char byte)
{
	enum key_name name;

	if (byte >= '0' && byte <= '9') {
		take_digit(keys, byte - '0');
		return KEY_NONE;
	}
	if (byte == ';') {
		keys->parameter++;
		return KEY_NONE;
	}
	if (keys->state == KEYS_CSI && byte == '[') {
		keys->state = KEYS_CONSOLE;
		return KEY_NONE;
	}
	if (keys->state == KEYS_CSI && keys->numbers[0] > 0 && ends_numbered(byte)) {
		name = end_numbered(keys, byte);
	} else if (byte >= '@' && byte <= '~') {
		name = end_lettered(keys, byte);
	} else if (byte >= ' ' && byte < DEL) {
		return KEY_NONE; /* a private or an intermediate byte (ECMA-48, 5.4) */
	} else {                 /* a control character, which starts something else */
		keys->state = KEYS_PLAIN;
		return take_plain(keys, byte).name;
	}
	keys->state = KEYS_PLAIN;
	return name;
}

struct key keys_take(struct keys *keys, unsigned char byte)
{
	enum key_name name = KEY_NONE;

	if (keys->pasting && (byte == '\r' || byte == '\n'))
		keys->state = KEYS_PLAIN; /* a newline ends a sequence in any state */
	switch (keys->state) {
	case KEYS_PLAIN:
		return take_plain(keys, byte);
	case KEYS_ESCAPE:
		name = take_after_escape(keys, byte);
		break;
	case KEYS_CSI:
	case KEYS_SS3:
		name = take_in_sequence(keys, byte);
		break;
	case KEYS_CONSOLE:
		keys->state = KEYS_PLAIN;
		break;
	}
	return (struct key){ .name = keys->pasting ? KEY_NONE : name };
}

int keys_timeout(const struct keys *keys)
{
	if (keys->state != KEYS_PLAIN)
		return SEQUENCE_TIMEOUT;
	return keys->pasting ? PASTE_TIMEOUT : -1;
}

void keys_give_up(struct keys *keys)
{
	if (keys->state == KEYS_PLAIN)
		keys->pasting = false;
	keys->state = KEYS_PLAIN;
}
