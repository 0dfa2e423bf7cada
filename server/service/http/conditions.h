/*
 * conditions - whether a request wants a document at all, and which part of it: conditional
 * requests (RFC 9110, section 13), ranges (section 14), and the entity tags that both need.
 */
#ifndef SERVER_SERVICE_HTTP_CONDITIONS_H
#define SERVER_SERVICE_HTTP_CONDITIONS_H

#include <stdint.h>
#include <time.h>

#include "server/service/http/date.h"
#include "server/service/http/document.h"
#include "server/service/http/request.h"

enum { HTTP_TAG_TEXT = 64 };

/** Writes the entity tag of a file, with its quotes: strong, of its size and of its time to
 *  the nanosecond; weak ("W/") while the file is so young that it could change again
 *  without another time. @return @p out */
const char *http_tag(const struct http_document *document, time_t now,
		     char out[HTTP_TAG_TEXT]);

/** The Last-Modified of a file: never in the future, though its own time may be (RFC 9110,
 *  section 8.8.2.1). */
time_t http_last_modified(const struct http_document *document, time_t now);

/** Which part of a document is to be sent. */
struct http_part {
	int status; /* 200: all of it; 206: a part; 304: none, the client has it;
		       412: a condition fails; 416: no such part */
	uint64_t first, length; /* of 200 and 206: what to send */
};

/**
 * Evaluates If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range and
 * Range, in the order of RFC 9110, section 13.2.2, for a GET or HEAD of a file. More than
 * one range, and a range of HEAD, is answered with all of it, as is a Range field that
 * cannot be read (section 14.2).
 *
 * @param bytes  the request's, from its first one on
 */
struct http_part http_conditions(const struct http_request *request, const char *bytes,
				 const struct http_document *document, time_t now);

#endif
