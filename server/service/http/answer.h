/*
 * answer - the parts of every answer: the status line, the fields that are always
 * present, and a page for people where there is no other content (RFC 9110, sections 6
 * and 15).
 *
 *	http_answer_begin(session, 405, date, true);
 *	http_answer_field(session, "Allow", "GET, HEAD, OPTIONS");
 *	length = http_answer_page(session, 405, NULL, false);
 *
 * A value must not contain anything that a client sent.
 */
#ifndef SERVER_SERVICE_HTTP_ANSWER_H
#define SERVER_SERVICE_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

/** Writes a NUL-terminated text. */
void http_answer_text(struct session *session, const char *text);

/** Writes the status line and the fields of every answer: Server, Date, Connection.
 *  @param date  as http_date() writes it */
void http_answer_begin(struct session *session, int status, const char *date,
		       bool keep_alive);

/** Writes one more field. */
void http_answer_field(struct session *session, const char *name, const char *value);

/** Writes Content-Length. */
void http_answer_length(struct session *session, uint64_t length);

/** Writes the fields of an HTML page that the server makes. They forbid scripts, in
 *  case a file name gets past the escaping. */
void http_answer_html(struct session *session, uint64_t length);

/** Writes the end of the header. The body may follow. */
void http_answer_end(struct session *session);

/**
 * Writes the rest of an answer whose body is a page about its status.
 *
 * @param why        a short explanation, as HTML; NULL: the standard text of the
 *             status
 * @param head_only  for HEAD: no body
 * @return the length of the body that was written
 */
size_t http_answer_page(struct session *session, int status, const char *why,
			bool head_only);

#endif
