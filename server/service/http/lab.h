/*
 * lab - the targets of --lab, which answer what a test needs: /bytes/N is a body of N
 * bytes, /delay/MS is an answer after MS milliseconds.
 */
#ifndef SERVER_SERVICE_HTTP_LAB_H
#define SERVER_SERVICE_HTTP_LAB_H

#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_LAB_BYTES_MOST = 1024 * 1024 * 1024, /* of /bytes/N */
	HTTP_LAB_DELAY_MOST = 60 * 1000,          /* of /delay/MS, in milliseconds */
};

enum http_lab_kind {
	HTTP_LAB_NONE, /* another target */
	HTTP_LAB_BYTES,
	HTTP_LAB_DELAY,
	HTTP_LAB_BAD, /* /bytes/ or /delay/ with a number that is not allowed: 400 */
};

struct http_lab {
	enum http_lab_kind kind;
	uint64_t number; /* bytes or milliseconds */
	const char *why; /* of HTTP_LAB_BAD: an explanation for the client */
};

/** Finds out what a path means. It is decoded as the path of a file.
 *  @param path  as it is in the request, without the query */
struct http_lab http_lab_find(const char *path, size_t length);

/** Makes @p n bytes of the body of /bytes/N, which begin at @p offset. The body is lines
 *  of 16 bytes: the offset of the line in 15 hexadecimal digits, and a newline. So a
 *  client that loses or repeats a part sees where. */
void http_lab_make(char *bytes, size_t n, uint64_t offset);

#endif
