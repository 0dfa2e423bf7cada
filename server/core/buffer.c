#include "server/core/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 512 };

/* Makes room for n more bytes behind what waits: by moving it to the front, or by doubling.
 * Moving pays when at least as much has been consumed; else a long queue, of which little
 * goes at a time, would be moved for each piece. */
static bool make_room(struct buffer *buffer, size_t n, size_t most)
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
	if (n == 0) /* memcpy(3) takes no null pointer, not even for nothing */
		return true;
	if (n > buffer->capacity - buffer->start - buffer->length &&
	    !make_room(buffer, n, most))
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
