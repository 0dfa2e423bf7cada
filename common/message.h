/*
 * message - messages to the operator: whole lines on standard error.
 *
 * Each line is one write(2), so lines of processes and threads that share a terminal or
 * a log do not mix. If standard error is not read, a program waits for at most a tenth
 * of each second; after that it drops lines until there is space again. So an unread
 * log stops no server.
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stdbool.h>

#include "common/failure.h"

/** The level of a message. -q and -v set the highest level that is printed. */
enum message_level {
	MESSAGE_ERROR,  /* always */
	MESSAGE_NOTICE, /* unless -q */
	MESSAGE_CLIENT, /* a line per client: -v */
	MESSAGE_EVENT,  /* a line per event: -v -v */
};

/** Sets the program name at the start of every line: the last part of argv[0].
 *  @p argv0 must live as long as the program. */
void message_program(const char *argv0);

/** The name that message_program() has set; "?" before. */
const char *message_program_name(void);

/** Sends the messages to syslog(3) (LOG_DAEMON) from now on, because standard error belongs
 *  to somebody else. */
void message_to_system_log(void);

/** Shares the state of standard error with children of fork(2): that it is not read,
 *  or that the disk became full within a line. */
void message_share(void);

/** Sets the highest level that is printed. The default is MESSAGE_NOTICE. */
void message_set_level(enum message_level level);

/** Whether a message of @p level would be printed: saves the work of building it. */
bool message_wanted(enum message_level level);

/** Prints "PROGRAM: " and the line. Text from clients must have passed
 *  text_escape(). Keeps errno. */
void message(enum message_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/** Prints "PROGRAM[PID]: WHO: " and the line, for one client. */
void message_about(enum message_level level, const char *who, const char *format, ...)
	PRINTF_LIKE(3, 4);

#endif
