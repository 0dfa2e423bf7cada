/*
 * log - the access log: a line for each answer, in the Combined Log Format that every tool
 * for web logs reads (Apache HTTP Server, mod_log_config):
 *
 *	192.0.2.7 - - [06/Nov/1994:08:49:37 +0000] "GET / HTTP/1.1" 200 14 "-" "curl/8.5.0"
 *
 * Each line is one write(2) of less than PIPE_BUF bytes, so that those of many processes and
 * threads never run into each other. Times are in UTC.
 */
#ifndef SERVER_SERVICE_HTTP_LOG_H
#define SERVER_SERVICE_HTTP_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/failure.h"

/** Text that came from a client: nothing in it is believed, and no NUL is behind it. */
struct http_log_text {
	const char *bytes;
	size_t length; /* 0: there is none */
};

struct http_log_entry {
	const char *peer; /* "192.0.2.7:1234", as session_peer() gives it */
	const char *date; /* of the answer, as http_date() writes it */
	struct http_log_text line, referer, agent;
	int status;
	uint64_t bytes; /* of the body */
};

/** Opens the log of that name, to append to it; "-" is standard output, NULL no log at all.
 *  @p name must live as long as the program. @return 0, or -1 with *failure */
int http_log_open(const char *name, struct failure *failure);

/** Whether there is a log: asked before work is done for a line. */
bool http_log_wanted(void);

/** Opens the file by its name once more, which a program like logrotate(8) has given to a new
 *  one by now. Other threads may write meanwhile: each line goes to the one or the other. If
 *  that fails, a message says so, and the old one serves on. */
void http_log_reopen(void);

/** Writes a line. What the client sent is escaped, and cut where it is long. */
void http_log(const struct http_log_entry *entry);

#endif
