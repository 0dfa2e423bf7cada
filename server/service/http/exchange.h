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

struct session;

/** What the server has to show. */
struct http_site {
	const char *greeting; /* the answer to any GET, and a newline, unless … */
	const struct http_root *root; /* … there is a directory; else NULL */
};

struct http_exchange {
	struct session *session;
	const struct http_request *request;
	const char *bytes; /* of the request, from its first one on; NULL: its header has
			      not become whole */
	struct http_log_text line; /* its first line, or what has come of it */
	time_t now;
	const char *date; /* the same, as http_date() writes it */
	bool keep_alive;  /* what the answer is to say of the connection */

	/* Of the answer, when it is given: */
	int status;
	uint64_t length; /* of its body */
	char *page;      /* the body, if it is still to be written, by the caller, who
			    frees it; else NULL */
};

/** Writes the answer to a request that is whole, but for its page if there is one: that may
 *  be longer than what may be queued for a client at once. */
void http_exchange_answer(struct http_exchange *exchange, const struct http_site *site);

/** Writes a page that says what is wrong with the request.
 *  @param why  in a few words; NULL: what is always true of the status */
void http_exchange_refuse(struct http_exchange *exchange, int status, const char *why);

/** Puts an exchange that has its answer into the log. */
void http_exchange_log(const struct http_exchange *exchange);

#endif
