/*
 * terminal - the user's terminal, as long as a program edits lines on it by itself.
 *
 * Meanwhile the terminal gives each byte as it is typed and echoes nothing (termios(3),
 * non-canonical mode). Left so, it would be of no use to the shell. So it is given back
 * whenever the program ends: when it exits, by any signal that can be caught (also by those
 * of a crash, on a stack of its own), and as long as it is stopped by Ctrl-Z. Only of
 * SIGKILL and SIGSTOP nobody is told.
 *
 * A process has one terminal, so there is one of these.
 */
#ifndef CLIENT_CHAT_TERMINAL_H
#define CLIENT_CHAT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/** Whether lines can be edited: standard input and output are a terminal, and one that can
 *  move its cursor ($TERM is neither unset nor "dumb"). */
bool terminal_is_usable(void);

/** Takes the terminal. @return 0, or -1 with errno */
int terminal_enter(void);

/** Gives it back. Does nothing when it is not taken. */
void terminal_leave(void);

/** Its width. @return columns, or 0 if it does not know */
size_t terminal_columns(void);

/** A descriptor that is readable when what is shown is to be shown again: the terminal has
 *  another size, or the program goes on after having been stopped. */
int terminal_changes(void);

/** Takes notice of that, and takes the terminal again. A program that goes on in the
 *  background is stopped by it until it is in the foreground, as one that reads there is.
 *  @return 0, or -1 with errno: the terminal has gone */
int terminal_take_changes(void);

#endif
