/*
 * conditions - whether a request needs the document, and which part of it: conditional
 * requests (RFC 9110, section 13), ranges (section 14), and the entity tags that both
 * use.
 */
#ifndef SERVER_SERVICE_HTTP_CONDITIONS_H
#define SERVER_SERVICE_HTTP_CONDITIONS_H

#include <stdint.h>
#include <time.h>

#include "server/service/http/date.h"
#include "server/service/http/document.h"
#include "server/service/http/request.h"

enum { HTTP_TAG_TEXT = 64 };

/** Writes the entity tag of a file, with its quotes, made of its size and its time in
 *  nanoseconds. It is weak ("W/") while the file is so young that it could change again
 *  without a new time. @return @p out */
const char *http_tag(const struct http_document *document, time_t now,
		     char out[HTTP_TAG_TEXT]);

/** @return the value for Last-Modified: the time of the file, but never in the future
 *          (RFC 9110, section 8.8.2.1) */
time_t http_last_modified(const struct http_document *document, time_t now);

/** The part of a document that must be sent. */
struct http_part {
	/* 200: the whole file; 206: a part; 304: nothing, the client has it; 412: a
	 * condition fails; 416: no such part */
	int status;
	uint64_t first, length; /* for 200 and 206: what to send */
};

/**
 * Evaluates If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range
 * and Range, in the order of RFC 9110, section 13.2.2, for a GET or HEAD of a file.
 * Several ranges, a range of a HEAD, and a malformed Range field are answered with the
 * whole file (section 14.2). For a file so young that its tag is weak, no date proves
 * that the client has it (section 8.8.2.2).
 *
 * @param bytes  the bytes of the request, from the first one
 */
struct http_part http_conditions(const struct http_request *request, const char *bytes,
				 const struct http_document *document, time_t now);

#endif
