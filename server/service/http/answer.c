/*
 * answer - writes the status line, the fields of every answer, and the page for an
 * error.
 *
 * The text of each status is in one table, so an error is a number everywhere else. An
 * answer is a series of small session_write() calls, which the output gathers and sends
 * in one system call. So no header buffer is needed here.
 */
#include "server/service/http/answer.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/core/session.h"

enum { PAGE_TEXT = 2048 };

struct status {
	int code;
	const char *text; /* the code and the reason phrase */
	const char *why;  /* the text of the page, if there is no better one */
};

/* RFC 9110, section 15; 431 is from RFC 6585, section 5. The most frequent codes come
 * first. */
static const struct status statuses[] = {
	{ 200, "200 OK", "the request succeeded" },
	{ 206, "206 Partial Content", "a part of the file" },
	{ 304, "304 Not Modified", "the file has not changed" },
	{ 301, "301 Moved Permanently",
	  "this is a directory: its name ends with a slash" },
	{ 400, "400 Bad Request", "the request is malformed" },
	{ 403, "403 Forbidden", "this file is not served" },
	{ 404, "404 Not Found", "there is no such file or directory" },
	{ 405, "405 Method Not Allowed",
	  "this server allows only GET, HEAD and OPTIONS" },
	{ 408, "408 Request Timeout", "the request took too long to arrive" },
	{ 412, "412 Precondition Failed", "a precondition of the request is not met" },
	{ 413, "413 Content Too Large", "the body of the request is too long" },
	{ 414, "414 URI Too Long", "the request target is too long" },
	{ 416, "416 Range Not Satisfiable",
	  "the range begins beyond the end of the file" },
	{ 417, "417 Expectation Failed", "the server does not support this expectation" },
	{ 431, "431 Request Header Fields Too Large",
	  "the header of the request is too long" },
	{ 501, "501 Not Implemented", "this server does not implement this" },
	{ 503, "503 Service Unavailable", "the server is out of memory or descriptors" },
	{ 505, "505 HTTP Version Not Supported", "this server speaks HTTP/1.1 and 1.0" },
	{ 500, "500 Internal Server Error",
	  "the server cannot read the file" }, /* the last */
};

static const struct status *find_status(int code)
{
	const struct status *status = statuses;

	while (status->code != code && status->code != 500)
		status++;
	return status;
}

void http_answer_text(struct session *session, const char *text)
{
	session_write(session, text, strlen(text));
}

/* The version is that of the server, also for clients of HTTP/1.0 (RFC 9110, section
 * 2.5). A client of HTTP/1.0 that asked to keep the connection needs the field (RFC
 * 9112, appendix C.2.2). "nosniff" tells browsers not to guess another type for text
 * (Fetch Standard). */
void http_answer_begin(struct session *session, int status, const char *date,
		       bool keep_alive)
{
	http_answer_text(session, "HTTP/1.1 ");
	http_answer_text(session, find_status(status)->text);
	http_answer_text(session, "\r\nServer: sockways/" SOCKWAYS_VERSION
				  "\r\nX-Content-Type-Options: nosniff\r\nDate: ");
	http_answer_text(session, date);
	http_answer_text(session, keep_alive ? "\r\nConnection: keep-alive\r\n"
					     : "\r\nConnection: close\r\n");
}

void http_answer_field(struct session *session, const char *name, const char *value)
{
	http_answer_text(session, name);
	session_write(session, ": ", 2);
	http_answer_text(session, value);
	session_write(session, "\r\n", 2);
}

void http_answer_length(struct session *session, uint64_t length)
{
	char text[24], *digit = text + sizeof text;

	*--digit = '\0';
	do
		*--digit = (char)('0' + length % 10);
	while ((length /= 10) > 0);
	http_answer_field(session, "Content-Length", digit);
}

void http_answer_html(struct session *session, uint64_t length)
{
	http_answer_field(session, "Content-Type", "text/html; charset=utf-8");
	http_answer_field(session, "Content-Security-Policy",
			  "default-src 'none'; style-src 'unsafe-inline'");
	http_answer_length(session, length);
}

void http_answer_end(struct session *session)
{
	session_write(session, "\r\n", 2);
}

size_t http_answer_page(struct session *session, int code, const char *why,
			bool head_only)
{
	static const char format[] =
		"<!DOCTYPE html>\n"
		"<html lang=\"en\">\n"
		"<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<title>%s</title>\n"
		"<style>body { font: 1rem/1.5 sans-serif; max-width: 40rem; "
		"margin: 4rem auto; padding: 0 1rem }</style>\n"
		"<h1>%s</h1>\n"
		"<p>%c%s.</p>\n"
		"</html>\n";
	const struct status *status = find_status(code);
	char page[PAGE_TEXT];
	size_t length;
	int n;

	if (why == NULL)
		why = status->why;
	n = snprintf(page, sizeof page, format, status->text, status->text,
		     toupper((unsigned char)why[0]), why + 1);
	length = n > 0 && (size_t)n < sizeof page ? (size_t)n : 0;
	http_answer_html(session, length);
	http_answer_end(session);
	if (!head_only)
		session_write(session, page, length);
	return head_only ? 0 : length;
}
