/*
 * exchange - one request and its answer.
 */
#ifndef SERVER_SERVICE_HTTP_EXCHANGE_H
#define SERVER_SERVICE_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "server/service/http/document.h"
#include "server/service/http/log.h"
#include "server/service/http/request.h"

struct http_listing;
struct session;

/** What the server serves. */
struct http_site {
	const char *greeting; /* the answer to any GET, without its newline, unless ... */
	struct http_root *root;    /* ... there is a directory; else NULL */
	const char *cache_control; /* for greeting and files; NULL: no such field */
	bool lab;                  /* there are the targets of lab.h, too */
};

struct http_exchange {
	struct session *session;
	const struct http_request *request;
	/* the bytes of the request, from the first one; NULL: its header is
	 * incomplete */
	const char *bytes;
	struct http_log_text line; /* its first line, as far as it has arrived */
	time_t now;
	const char *date; /* the same time, as http_date() writes it */
	bool keep_alive;  /* what the answer says about the connection */

	/* Set by the functions below: */
	int status;
	uint64_t length; /* of its body */
	char *page; /* the body, if the caller must still write and free it; else NULL */
	bool is_made; /* the caller must write the body, with http_lab_make() */
};

/** Writes the answer to a complete request.
 *  @return NULL; or a listing that was started, and nothing is written yet: the caller
 *          owns it, continues it in steps, and then calls
 *          http_exchange_answer_listing() */
struct http_listing *http_exchange_answer(struct http_exchange *exchange,
					  const struct http_site *site);

/** Writes the header of an answer with a listing, and moves the page to exchange->page:
 *  it may be longer than the output queue of a client. If the listing has failed,
 *  writes a complete error page instead.
 *  @param error  0, or errno of http_listing_go_on() */
void http_exchange_answer_listing(struct http_exchange *exchange,
				  struct http_listing *listing, int error);

/** @return how long the answer to a complete request must wait, in milliseconds */
int64_t http_exchange_delay(const struct http_request *request, const char *bytes,
			    const struct http_site *site);

/** Writes an error page for a bad request.
 *  @param why  a short explanation; NULL: the standard text of the status */
void http_exchange_refuse(struct http_exchange *exchange, int status, const char *why);

/** Writes an answered exchange to the log. */
void http_exchange_log(const struct http_exchange *exchange);

#endif
