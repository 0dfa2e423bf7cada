/*
 * message - what a program says to its operator: whole lines on standard error.
 *
 * Each line is one write(2), so that lines of many processes and threads that share
 * a terminal or a log never run into each other. If standard error does not keep up, we wait
 * for it for a tenth of each second at most, and else drop lines until it takes them again:
 * a log that nobody reads stops nobody.
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stdbool.h>

#include "common/failure.h"

/** How important a line is. Set by -q and -v; a line is printed if its level is at most
 *  the one set. */
enum message_level {
	MESSAGE_ERROR,  /* always */
	MESSAGE_NOTICE, /* unless -q */
	MESSAGE_CLIENT, /* a line per client: -v */
	MESSAGE_EVENT,  /* a line per event: -v -v */
};

/** Names the program in front of every line: the last part of argv[0].
 *  @p argv0 must live as long as the program does, as argv does. */
void message_program(const char *argv0);

/** The name that message_program() took, or "?" before it was called. */
const char *message_program_name(void);

/** From now on children of fork(2) know what this process knows of standard error, and the
 *  other way round: that it is not read, or that the disk was full within a line. */
void message_share(void);

/** From now on prints lines up to @p level. At first: MESSAGE_NOTICE. */
void message_set_level(enum message_level level);

/** Whether a line of @p level would be printed: asked before work is done for one. */
bool message_wanted(enum message_level level);

/** Prints "PROGRAM: " and the line. What came from a client must have gone through
 *  text_escape(). errno is left as it was. */
void message(enum message_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/** Prints "PROGRAM[PID]: WHO: " and the line: for what concerns one client. */
void message_about(enum message_level level, const char *who, const char *format, ...)
	PRINTF_LIKE(3, 4);

#endif
