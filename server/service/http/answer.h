/*
 * answer - what every answer has: the status line, the fields that are never left out, and
 * a page for a person where there is nothing else to show (RFC 9110, sections 6 and 15).
 *
 *	http_answer_begin(session, 405, date, true);
 *	http_answer_field(session, "Allow", "GET, HEAD, OPTIONS");
 *	length = http_answer_page(session, 405, NULL, false);
 *
 * Nothing that a client sent may be in a value.
 */
#ifndef SERVER_SERVICE_HTTP_ANSWER_H
#define SERVER_SERVICE_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

/** Writes text that a NUL ends. */
void http_answer_text(struct session *session, const char *text);

/** Writes the status line and the fields of every answer: Server, Date, Connection.
 *  @param date  as http_date() writes it */
void http_answer_begin(struct session *session, int status, const char *date,
		       bool keep_alive);

/** Writes one more field. */
void http_answer_field(struct session *session, const char *name, const char *value);

/** Writes Content-Length. */
void http_answer_length(struct session *session, uint64_t length);

/** Writes the fields of an HTML page of our own making: no script in it is ever run, should
 *  a name of a file have found a way around the escaping. */
void http_answer_html(struct session *session, uint64_t length);

/** Writes the end of the header: the body may follow. */
void http_answer_end(struct session *session);

/**
 * Writes the rest of an answer that is a page about its status.
 *
 * @param why        for a person, in a few words; NULL: what is always true of the status
 * @param head_only  to HEAD: no body follows
 * @return the length of the body that was written
 */
size_t http_answer_page(struct session *session, int status, const char *why,
			bool head_only);

#endif
