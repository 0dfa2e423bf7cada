/*
 * buffer - a queue of bytes in one piece of memory.
 *
 *	bytes   |  consumed  |  waiting bytes  |   free   |
 *	        0          start         start + length   capacity
 *
 * Consuming moves start and copies nothing. Appending uses the free space at the end. If
 * that is too small, the waiting bytes are moved to the front, or the memory is doubled.
 * So appending n bytes costs O(n) on average. An empty buffer owns no memory; the cost
 * is one malloc(3) for the first byte that waits.
 */
#include "server/core/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 512 };

/* Makes space for n more bytes at the end: moves the waiting bytes to the front, or
 * doubles the memory. Moving pays only if at least as many bytes were consumed as
 * wait. Otherwise a long queue that is consumed in small pieces would be moved for
 * each piece. */
static bool make_space(struct buffer *buffer, size_t n, size_t most)
{
	bool pays = buffer->start >= buffer->length || buffer->capacity >= most;
	size_t capacity = buffer->capacity ? buffer->capacity : SMALLEST;
	size_t wanted = buffer->length + n;
	char *bytes;

	if (!pays && wanted <= buffer->capacity)
		wanted = buffer->capacity + 1;
	if (buffer->start > 0) {
		memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->length);
		buffer->start = 0;
	}
	while (capacity < wanted)
		capacity = capacity > most / 2 ? most : capacity * 2;
	if (capacity == buffer->capacity)
		return true;
	bytes = realloc(buffer->bytes, capacity);
	if (bytes == NULL)
		return false;
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	return true;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t n, size_t most)
{
	if (n > most || buffer->length > most - n) {
		errno = ENOBUFS;
		return false;
	}
	if (n == 0) /* memcpy(3) must not get a null pointer, even if n is 0 */
		return true;
	if (n > buffer->capacity - buffer->start - buffer->length &&
	    !make_space(buffer, n, most))
		return false;
	memcpy(buffer->bytes + buffer->start + buffer->length, bytes, n);
	buffer->length += n;
	return true;
}

const char *buffer_bytes(const struct buffer *buffer)
{
	return buffer->length > 0 ? buffer->bytes + buffer->start : "";
}

void buffer_consume(struct buffer *buffer, size_t n)
{
	buffer->start += n;
	buffer->length -= n;
	if (buffer->length == 0) {
		free(buffer->bytes);
		*buffer = (struct buffer){ 0 };
	}
}
