/*
 * log - the access log: a line for each answer, in the Combined Log Format, which all
 * tools for web logs read (Apache HTTP Server, mod_log_config):
 *
 *	192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] "GET / HTTP/1.1" 200 14 "-" "curl/8.5.0"
 *
 * Each line is one write(2) of less than PIPE_BUF bytes, so lines of different processes
 * and threads do not mix. Times are in UTC.
 *
 * A log that cannot be written does not stop the server. If a pipe or terminal accepts
 * nothing for a tenth of a second, lines are dropped until it does. A message reports
 * that lines are lost, and another one how many, when writing works again; each at most
 * once a minute.
 */
#ifndef SERVER_SERVICE_HTTP_LOG_H
#define SERVER_SERVICE_HTTP_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/failure.h"

/** Text that a client sent: it may contain anything, and is not terminated. */
struct http_log_text {
	const char *bytes;
	size_t length; /* 0: no text */
};

struct http_log_entry {
	const char *peer; /* "192.0.2.7:1234", as session_peer() gives it */
	const char *date; /* date of the answer, as http_date() writes it */
	struct http_log_text line, referer, agent;
	int status;
	uint64_t bytes; /* of the body */
};

/** Opens the log for appending; "-" is standard output, NULL is no log. A FIFO must
 *  have a reader. @p name must stay valid until the program ends.
 *  @return 0, or -1 with *failure */
int http_log_open(const char *name, struct failure *failure);

/** @return whether there is a log; checked before a line is prepared */
bool http_log_wanted(void);

/** Opens the file again by its name, after a program like logrotate(8) has renamed the
 *  old one. Other threads may write meanwhile; each line goes to one of the two files.
 *  If this fails, a message says so, and the old file stays in use. */
void http_log_reopen(void);

/** Writes a line. Text of the client is escaped, and cut if it is too long. */
void http_log(const struct http_log_entry *entry);

#endif
