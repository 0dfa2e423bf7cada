#include "server/service/http/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/service/http/answer.h"
#include "server/service/http/conditions.h"
#include "server/session.h"

#define ALLOWED "GET, HEAD, OPTIONS"

static bool is_head(const struct http_exchange *exchange)
{
	return exchange->request->method == HTTP_HEAD;
}

static void begin_answer(struct http_exchange *exchange, int status)
{
	exchange->status = status;
	http_answer_begin(exchange->session, status, exchange->date,
			  exchange->keep_alive);
}

static void finish_page(struct http_exchange *exchange, const char *why)
{
	exchange->length = http_answer_page(exchange->session, exchange->status, why,
					    is_head(exchange));
}

static void answer_page(struct http_exchange *exchange, int status)
{
	begin_answer(exchange, status);
	finish_page(exchange, NULL);
}

static void answer_greeting(struct http_exchange *exchange, const char *greeting)
{
	struct session *session = exchange->session;
	size_t length = strlen(greeting);

	begin_answer(exchange, 200);
	http_answer_field(session, "Content-Type", "text/plain; charset=utf-8");
	http_answer_length(session, length + 1);
	http_answer_end(session);
	if (is_head(exchange))
		return;
	session_write(session, greeting, length);
	session_write(session, "\n", 1);
	exchange->length = length + 1;
}

/* What may be done is the same everywhere, and with "*" (RFC 9110, section 9.3.7). */
static void answer_options(struct http_exchange *exchange)
{
	begin_answer(exchange, 200);
	http_answer_field(exchange->session, "Allow", ALLOWED);
	http_answer_length(exchange->session, 0);
	http_answer_end(exchange->session);
}

static void answer_not_allowed(struct http_exchange *exchange)
{
	begin_answer(exchange, 405);
	http_answer_field(exchange->session, "Allow", ALLOWED);
	finish_page(exchange, NULL);
}

static void write_piece(const struct http_exchange *exchange, struct http_piece piece)
{
	session_write(exchange->session, exchange->bytes + piece.at, piece.length);
}

/* To the same path with a slash. A path that begins with two would name another host (RFC
 * 3986, section 4.2), and browsers take a backslash for a slash: one is left of them. */
static void answer_redirect(struct http_exchange *exchange)
{
	struct http_piece path = exchange->request->path;
	const struct http_piece *query = &exchange->request->query;
	const char *bytes = exchange->bytes;

	while (path.length > 1 &&
	       (bytes[path.at + 1] == '/' || bytes[path.at + 1] == '\\')) {
		path.at++;
		path.length--;
	}
	begin_answer(exchange, 301);
	http_answer_text(exchange->session, "Location: /");
	path.at++;
	path.length--;
	write_piece(exchange, path);
	http_answer_text(exchange->session, query->length > 0 ? "/?" : "/");
	write_piece(exchange, *query);
	http_answer_text(exchange->session, "\r\n");
	finish_page(exchange, NULL);
}

static void answer_listing(struct http_exchange *exchange, struct http_document *document)
{
	begin_answer(exchange, 200);
	http_answer_html(exchange->session, document->size);
	http_answer_end(exchange->session);
	if (is_head(exchange))
		return;
	exchange->page = document->listing;
	document->listing = NULL;
	exchange->length = document->size;
}

/* The fields that 200, 206 and 304 have in common. */
static void write_validators(struct http_exchange *exchange,
			     const struct http_document *document)
{
	time_t modified = http_last_modified(document, exchange->now);
	char tag[HTTP_TAG_TEXT], date[HTTP_DATE_TEXT];

	http_answer_field(exchange->session, "ETag",
			  http_tag(document, exchange->now, tag));
	http_answer_field(exchange->session, "Last-Modified", http_date(modified, date));
}

static void write_content_range(struct http_exchange *exchange,
				const struct http_part *part, uint64_t size)
{
	char text[80];

	if (part->status == 416)
		snprintf(text, sizeof text, "bytes */%" PRIu64, size);
	else
		snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
			 part->first, part->first + part->length - 1, size);
	http_answer_field(exchange->session, "Content-Range", text);
}

/* All of the file, or the part that was asked for. */
static void send_part(struct http_exchange *exchange, struct http_document *document,
		      const struct http_part *part)
{
	struct session *session = exchange->session;

	begin_answer(exchange, part->status);
	write_validators(exchange, document);
	http_answer_field(session, "Accept-Ranges", "bytes");
	http_answer_field(session, "Content-Type", document->type);
	if (part->status == 206)
		write_content_range(exchange, part, document->size);
	http_answer_length(session, part->length);
	http_answer_end(session);
	if (is_head(exchange))
		return;
	session_send_file(session, document->fd, part->first, part->length);
	document->fd = -1;
	exchange->length = part->length;
}

static void answer_file(struct http_exchange *exchange, struct http_document *document)
{
	struct http_part part = http_conditions(exchange->request, exchange->bytes,
						document, exchange->now);

	switch (part.status) {
	case 200:
	case 206:
		send_part(exchange, document, &part);
		break;
	case 304: /* Content-Length would be that of 200: RFC 9110, section 8.6 */
		begin_answer(exchange, 304);
		write_validators(exchange, document);
		http_answer_end(exchange->session);
		break;
	case 416:
		begin_answer(exchange, 416);
		write_content_range(exchange, &part, document->size);
		finish_page(exchange, NULL);
		break;
	default:
		answer_page(exchange, part.status);
	}
}

static void answer_document(struct http_exchange *exchange, const struct http_root *root)
{
	const struct http_piece *path = &exchange->request->path;
	struct http_document document;

	http_document_find(root, exchange->bytes + path->at, path->length, &document);
	if (document.status == 301)
		answer_redirect(exchange);
	else if (document.status != 200)
		answer_page(exchange, document.status);
	else if (document.listing != NULL)
		answer_listing(exchange, &document);
	else
		answer_file(exchange, &document);
	http_document_release(&document);
}

void http_exchange_answer(struct http_exchange *exchange, const struct http_site *site)
{
	switch (exchange->request->method) {
	case HTTP_OPTIONS:
		answer_options(exchange);
		break;
	case HTTP_NOT_ALLOWED:
		answer_not_allowed(exchange);
		break;
	case HTTP_UNKNOWN:
		begin_answer(exchange, 501);
		finish_page(exchange, "this server does not know the method");
		break;
	default:
		if (site->root != NULL)
			answer_document(exchange, site->root);
		else
			answer_greeting(exchange, site->greeting);
	}
}

void http_exchange_refuse(struct http_exchange *exchange, int status, const char *why)
{
	begin_answer(exchange, status);
	finish_page(exchange, why);
}

/* ---- the log ---- */

static struct http_log_text field_text(const struct http_exchange *exchange,
				       const char *name)
{
	struct http_piece found = { 0 };

	if (exchange->bytes == NULL ||
	    !http_request_field(exchange->request, exchange->bytes, name, &found))
		return (struct http_log_text){ NULL, 0 };
	return (struct http_log_text){ exchange->bytes + found.at, found.length };
}

void http_exchange_log(const struct http_exchange *exchange)
{
	char peer[ADDRESS_TEXT];
	struct http_log_entry entry = {
		.peer = session_peer(exchange->session, peer),
		.date = exchange->date,
		.line = exchange->line,
		.referer = field_text(exchange, "referer"),
		.agent = field_text(exchange, "user-agent"),
		.status = exchange->status,
		.bytes = exchange->length,
	};

	http_log(&entry);
}
