/*
 * exchange - chooses the answer to a complete request, and writes it.
 *
 *	method  OPTIONS -> 200, no body       not allowed -> 405      unknown -> 501
 *	        GET, HEAD -> with --lab a target of lab.h; greeting, or a document:
 *	                       301 redirect | error page | listing | file -> conditions
 *
 * A file is passed to session_send_file(), so with sendfile(2) its content does not pass
 * through this program. A listing takes long, so it is returned to the caller, which
 * continues it in steps.
 */
#include "server/service/http/exchange.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/service/http/answer.h"
#include "server/service/http/conditions.h"
#include "server/service/http/lab.h"
#include "server/service/http/listing.h"
#include "server/service/http/path.h"
#include "server/core/session.h"

#define ALLOWED "GET, HEAD, OPTIONS"

/* A name has at most NAME_MAX (255) bytes, and a link needs three characters for each. */
enum { LINK_TEXT = 1024 };

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

static void answer_page(struct http_exchange *exchange, int status, const char *why)
{
	begin_answer(exchange, status);
	finish_page(exchange, why);
}

static void write_cache_control(struct http_exchange *exchange,
				const struct http_site *site)
{
	if (site->cache_control != NULL)
		http_answer_field(exchange->session, "Cache-Control",
				  site->cache_control);
}

/* Writes the header of an answer that is text and has no validators. */
static void begin_text(struct http_exchange *exchange, const struct http_site *site,
		       uint64_t length)
{
	begin_answer(exchange, 200);
	write_cache_control(exchange, site);
	http_answer_field(exchange->session, "Content-Type", "text/plain; charset=utf-8");
	http_answer_length(exchange->session, length);
	http_answer_end(exchange->session);
}

static void answer_greeting(struct http_exchange *exchange, const struct http_site *site)
{
	struct session *session = exchange->session;
	size_t length = strlen(site->greeting);

	begin_text(exchange, site, length + 1);
	if (is_head(exchange))
		return;
	session_write(session, site->greeting, length);
	session_write(session, "\n", 1);
	exchange->length = length + 1;
}

/* The body may be far larger than the output queue of a client, so the caller writes it. */
static void answer_bytes(struct http_exchange *exchange, const struct http_site *site,
			 uint64_t length)
{
	begin_text(exchange, site, length);
	if (is_head(exchange) || length == 0)
		return;
	exchange->is_made = true;
	exchange->length = length;
}

/* The delay is over. */
static void answer_delay(struct http_exchange *exchange, const struct http_site *site,
			 uint64_t milliseconds)
{
	char text[64];
	int length = snprintf(text, sizeof text, "after %" PRIu64 " ms\n", milliseconds);

	begin_text(exchange, site, (uint64_t)length);
	if (is_head(exchange))
		return;
	session_write(exchange->session, text, (size_t)length);
	exchange->length = (uint64_t)length;
}

static struct http_lab lab_target(const struct http_request *request, const char *bytes,
				  const struct http_site *site)
{
	if (!site->lab)
		return (struct http_lab){ .kind = HTTP_LAB_NONE };
	return http_lab_find(bytes + request->path.at, request->path.length);
}

int64_t http_exchange_delay(const struct http_request *request, const char *bytes,
			    const struct http_site *site)
{
	struct http_lab lab;

	if (request->method != HTTP_GET && request->method != HTTP_HEAD)
		return 0;
	lab = lab_target(request, bytes, site);
	return lab.kind == HTTP_LAB_DELAY ? (int64_t)lab.number : 0;
}

/* The allowed methods are the same for every target, and for "*" (RFC 9110, section
 * 9.3.7). */
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

/* Encodes a path except its slashes. Stops if @p size is too small. @return the length */
static size_t encode(const char *text, char *out, size_t size)
{
	size_t used = 0;

	for (; *text != '\0' && used + HTTP_ENCODED <= size; text++) {
		if (*text == '/')
			out[used++] = '/';
		else
			used += http_encode(*text, out + used);
	}
	return used;
}

/* Redirects to the same path with a slash. The path is written from the decoded name,
 * not copied from the request: a browser would read "//host/%2e%2e/with" as a link to
 * another host (RFC 3986, section 4.2), and a backslash as a slash. */
static void answer_redirect(struct http_exchange *exchange)
{
	const struct http_piece *path = &exchange->request->path;
	const struct http_piece *query = &exchange->request->query;
	char name[PATH_MAX], encoded[HTTP_ENCODED * PATH_MAX], why[LINK_TEXT];
	const char *last;
	size_t length;

	(void)http_path_name(exchange->bytes + path->at, path->length, name, &last);
	last = strrchr(name, '/');
	last = last != NULL ? last + 1 : name;
	begin_answer(exchange, 301);
	http_answer_text(exchange->session, "Location: /");
	length = encode(name, encoded, sizeof encoded);
	session_write(exchange->session, encoded, length);
	http_answer_text(exchange->session, query->length > 0 ? "/?" : "/");
	write_piece(exchange, *query);
	http_answer_text(exchange->session, "\r\n");
	length = encode(last, encoded, HTTP_ENCODED * NAME_MAX);
	snprintf(why, sizeof why,
		 "this is a directory: <a href=\"%.*s/\">its name ends with a slash</a>",
		 (int)length, encoded);
	finish_page(exchange, why);
}

void http_exchange_answer_listing(struct http_exchange *exchange,
				  struct http_listing *listing, int error)
{
	const char *why;
	size_t length;
	char *page;
	int status;

	if (error != 0) {
		status = http_document_status(error, &why);
		answer_page(exchange, status, why);
		return;
	}
	page = http_listing_take(listing, &length);
	begin_answer(exchange, 200);
	http_answer_html(exchange->session, length);
	http_answer_end(exchange->session);
	if (is_head(exchange)) {
		free(page);
		return;
	}
	exchange->page = page;
	exchange->length = length;
}

/* Writes the fields that 200, 206 and 304 have in common (RFC 9110, section 15.4.5). */
static void write_validators(struct http_exchange *exchange, const struct http_site *site,
			     const struct http_document *document)
{
	time_t modified = http_last_modified(document, exchange->now);
	char tag[HTTP_TAG_TEXT], date[HTTP_DATE_TEXT];

	http_answer_field(exchange->session, "ETag",
			  http_tag(document, exchange->now, tag));
	http_answer_field(exchange->session, "Last-Modified", http_date(modified, date));
	write_cache_control(exchange, site);
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

/* Sends the whole file, or the requested part. */
static void send_part(struct http_exchange *exchange, const struct http_site *site,
		      struct http_document *document, const struct http_part *part)
{
	struct session *session = exchange->session;

	begin_answer(exchange, part->status);
	write_validators(exchange, site, document);
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

static void answer_file(struct http_exchange *exchange, const struct http_site *site,
			struct http_document *document)
{
	struct http_part part = http_conditions(exchange->request, exchange->bytes,
						document, exchange->now);

	switch (part.status) {
	case 200:
	case 206:
		send_part(exchange, site, document, &part);
		break;
	case 304: /* no Content-Length: it would be that of 200 (RFC 9110, section 8.6) */
		begin_answer(exchange, 304);
		write_validators(exchange, site, document);
		http_answer_end(exchange->session);
		break;
	case 416:
		begin_answer(exchange, 416);
		write_content_range(exchange, &part, document->size);
		finish_page(exchange, NULL);
		break;
	default:
		answer_page(exchange, part.status, NULL);
	}
}

static struct http_listing *answer_document(struct http_exchange *exchange,
					    const struct http_site *site)
{
	const struct http_request *request = exchange->request;
	const struct http_target target = {
		.path = exchange->bytes + request->path.at,
		.path_length = request->path.length,
		.query = exchange->bytes + request->query.at,
		.query_length = request->query.length,
	};
	struct http_document document;

	http_document_find(site->root, &target, &document);
	if (document.listing != NULL)
		return document.listing;
	if (document.status == 301)
		answer_redirect(exchange);
	else if (document.status != 200)
		answer_page(exchange, document.status, document.why);
	else
		answer_file(exchange, site, &document);
	http_document_release(&document);
	return NULL;
}

/* Answers GET or HEAD. */
static struct http_listing *answer_target(struct http_exchange *exchange,
					  const struct http_site *site)
{
	struct http_lab lab = lab_target(exchange->request, exchange->bytes, site);

	if (lab.kind == HTTP_LAB_NONE && site->root != NULL)
		return answer_document(exchange, site);
	if (lab.kind == HTTP_LAB_NONE)
		answer_greeting(exchange, site);
	else if (lab.kind == HTTP_LAB_BAD)
		answer_page(exchange, 400, lab.why);
	else if (lab.kind == HTTP_LAB_BYTES)
		answer_bytes(exchange, site, lab.number);
	else
		answer_delay(exchange, site, lab.number);
	return NULL;
}

struct http_listing *http_exchange_answer(struct http_exchange *exchange,
					  const struct http_site *site)
{
	switch (exchange->request->method) {
	case HTTP_OPTIONS:
		answer_options(exchange);
		return NULL;
	case HTTP_NOT_ALLOWED:
		answer_not_allowed(exchange);
		return NULL;
	case HTTP_UNKNOWN:
		answer_page(exchange, 501, "this server does not know the method");
		return NULL;
	default:
		return answer_target(exchange, site);
	}
}

void http_exchange_refuse(struct http_exchange *exchange, int status, const char *why)
{
	answer_page(exchange, status, why);
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
