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

/** What the server has to show. */
struct http_site {
	const char *greeting;      /* the answer to any GET, and a newline, unless … */
	struct http_root *root;    /* … there is a directory; else NULL */
	const char *cache_control; /* of greeting and files; NULL: none */
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

/** Writes the answer to a request that is whole.
 *  @return NULL; or a listing that is begun, and nothing is written: the caller owns it, goes on
 *          with it in turns, and then calls http_exchange_answer_listing() */
struct http_listing *http_exchange_answer(struct http_exchange *exchange,
					  const struct http_site *site);

/** Writes the header of the answer that is a listing, and takes its page: that may be longer
 *  than what may be queued for a client at once. If the listing has failed, writes all of an
 *  answer that says so. @param error  0, or errno of http_listing_go_on() */
void http_exchange_answer_listing(struct http_exchange *exchange,
				  struct http_listing *listing, int error);

/** Writes a page that says what is wrong with the request.
 *  @param why  in a few words; NULL: what is always true of the status */
void http_exchange_refuse(struct http_exchange *exchange, int status, const char *why);

/** Puts an exchange that has its answer into the log. */
void http_exchange_log(const struct http_exchange *exchange);

#endif
