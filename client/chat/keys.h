/*
 * keys - decodes the bytes of a terminal into keys.
 *
 * A key without a character arrives as a control byte or as an escape sequence
 * (ECMA-48, 5.4; xterm ctlseqs, rxvt, the Linux console and tmux, which differ). A
 * sequence may arrive in several reads, so this module takes one byte at a time and
 * keeps its state. Only a timeout shows that nothing follows an ESC: keys_timeout().
 *
 * Keys are named after their function in a line editor. This module does no input.
 */
#ifndef CLIENT_CHAT_KEYS_H
#define CLIENT_CHAT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_name {
	KEY_NONE, /* incomplete, or without a meaning */
	KEY_TEXT, /* a character */
	KEY_ENTER,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_WORD_LEFT,
	KEY_WORD_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_UP,
	KEY_DOWN,
	KEY_BACKSPACE,
	KEY_DELETE,
	KEY_DELETE_OR_END, /* Ctrl-D */
	KEY_KILL_WORD,     /* Ctrl-W: back to the last blank */
	KEY_KILL_WORD_LEFT,
	KEY_KILL_WORD_RIGHT,
	KEY_KILL_TO_START,
	KEY_KILL_TO_END,
	KEY_YANK,
	KEY_TRANSPOSE,
	KEY_REDRAW,
};

enum { KEY_TEXT_MOST = 4 };

struct key {
	enum key_name name;
	char text[KEY_TEXT_MOST]; /* KEY_TEXT: well-formed UTF-8, no control character */
	size_t length;
};

/** State of the decoder. Zeroed at first; private to this module. */
struct keys {
	enum keys_state {
		KEYS_PLAIN,
		KEYS_ESCAPE, /* after ESC */
		KEYS_CSI,    /* after ESC [ */
		KEYS_SS3,    /* after ESC O */
		KEYS_CONSOLE /* after ESC [ [, the Linux console's function keys */
	} state;
	bool meta;                /* another ESC came before */
	bool pasting;             /* between the marks of a bracketed paste */
	bool pasted_return;       /* a newline after it belongs to it */
	unsigned numbers[2];      /* parameters of the sequence ... */
	size_t parameter;         /* ... and which of them is being read */
	char text[KEY_TEXT_MOST]; /* bytes of an incomplete character */
	size_t length;
};

/**
 * Takes the next byte. Invalid UTF-8 (RFC 3629) and unknown sequences are dropped. In a
 * bracketed paste control characters are not commands: LF, CR and CR LF are KEY_ENTER,
 * a tab is a blank, all others are dropped.
 * @return the key that the byte completes, or KEY_NONE
 */
struct key keys_take(struct keys *keys, unsigned char byte);

/** Milliseconds to wait for the next byte before keys_give_up(); -1: no sequence is
 *  incomplete. */
int keys_timeout(const struct keys *keys);

/** After the timeout: drops an incomplete sequence, and ends a paste. */
void keys_give_up(struct keys *keys);

#endif
