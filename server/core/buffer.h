/*
 * buffer - bytes that wait, in order: appended at the end, consumed from the front.
 *
 * Empty, it owns no memory: a thousand idle clients cost nothing.
 */
#ifndef SERVER_CORE_BUFFER_H
#define SERVER_CORE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *bytes; /* allocated; what waits is bytes[start] to bytes[start + length - 1] */
	size_t start, length, capacity;
};

/** Appends @p n bytes. @return false, with the buffer as it was, if more than @p most
 *  bytes would wait or there is no memory (errno: ENOBUFS, ENOMEM) */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t n, size_t most);

/** The bytes that wait; buffer->length of them. Never NULL. */
const char *buffer_bytes(const struct buffer *buffer);

/** Drops the first @p n bytes (at most the length); frees the memory with the last. */
void buffer_consume(struct buffer *buffer, size_t n);

#endif
