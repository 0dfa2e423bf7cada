/*
 * buffer - a queue of bytes: appended at the end, consumed from the front.
 *
 * An empty buffer owns no memory, so a thousand idle clients need no buffer memory.
 */
#ifndef SERVER_CORE_BUFFER_H
#define SERVER_CORE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
	/* allocated; the waiting bytes are bytes[start] to bytes[start + length - 1] */
	char *bytes;
	size_t start, length, capacity;
};

/** Appends @p n bytes.
 *  @return false, and the buffer is unchanged, if more than @p most bytes would wait
 *          (ENOBUFS) or there is no memory (ENOMEM) */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t n, size_t most);

/** @return the waiting bytes, buffer->length of them; never NULL */
const char *buffer_bytes(const struct buffer *buffer);

/** Removes the first @p n bytes (at most the length). Frees the memory when the buffer
 *  is empty. */
void buffer_consume(struct buffer *buffer, size_t n);

#endif
