/*
 * terminal - non-canonical mode of the terminal while a program edits lines itself.
 *
 * In this mode (termios(3)) the terminal delivers each byte at once and does not echo.
 * The shell could not work with it. So the old mode is restored when the process exits,
 * on any signal that can be caught (for crashes on a separate stack), and while it is
 * stopped by Ctrl-Z. It is not restored after SIGKILL and SIGSTOP.
 *
 * A process has one controlling terminal, so the state is global.
 */
#ifndef CLIENT_CHAT_TERMINAL_H
#define CLIENT_CHAT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/** Whether line editing works: standard input and output are a terminal, and $TERM
 *  is neither unset nor "dumb". */
bool terminal_is_usable(void);

/** Sets non-canonical mode. @return 0, or -1 with errno */
int terminal_enter(void);

/** Restores the old mode, if terminal_enter() has changed it. */
void terminal_leave(void);

/** The width of the terminal. @return columns, or 0 if unknown */
size_t terminal_columns(void);

/** A descriptor that becomes readable when the screen must be drawn again: the size
 *  has changed, or the process was continued after a stop. */
int terminal_changes(void);

/** Clears that notification and sets non-canonical mode again. In the background this
 *  call stops the process until it is in the foreground.
 *  @return 0, or -1 with errno: the terminal is gone */
int terminal_take_changes(void);

#endif
