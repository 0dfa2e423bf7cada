/*
 * keys - what was pressed, from the bytes that a terminal sends.
 *
 * A key that is no character comes as a control byte or as an escape sequence (ECMA-48, 5.4;
 * ctlseqs of xterm, rxvt, the Linux console and tmux, which differ): several bytes, which
 * may arrive in several reads. So this takes one byte at a time and keeps what it has of a
 * sequence. That nothing follows an ESC can be known only by waiting: keys_timeout().
 *
 * A key is named for what it does in a line editor. It does no input itself.
 */
#ifndef CLIENT_CHAT_KEYS_H
#define CLIENT_CHAT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_name {
	KEY_NONE, /* nothing yet, or nothing that means anything */
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
	KEY_KILL_WORD,     /* Ctrl-W: back to a blank */
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
	char text[KEY_TEXT_MOST]; /* KEY_TEXT: well-formed UTF-8, no control */
	size_t length;
};

/** Where the reading of a sequence stands. All zero at first; this module's own. */
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
	bool pasted_return;       /* whose newline, if one follows, is not another */
	unsigned numbers[2];      /* parameters of the sequence ... */
	size_t parameter;         /* ... and which of them is being read */
	char text[KEY_TEXT_MOST]; /* of a character that is not whole */
	size_t length;
};

/**
 * Takes the next byte. What is no UTF-8 (RFC 3629) and what is no known sequence is dropped.
 * In a bracketed paste every character stands for itself: a newline, a carriage return and
 * both together are KEY_ENTER, a tab is a blank, and other controls are dropped.
 * @return the key that it completes, if any
 */
struct key keys_take(struct keys *keys, unsigned char byte);

/** Milliseconds to wait for what is to follow, before keys_give_up(); -1: nothing is. */
int keys_timeout(const struct keys *keys);

/** Nothing has followed: what there is of a sequence is dropped, and a paste has ended. */
void keys_give_up(struct keys *keys);

#endif
