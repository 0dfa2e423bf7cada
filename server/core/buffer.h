/*
 * buffer - a queue of bytes: appended at the end, consumed from the front.
 *
 * An empty buffer is a null pointer, so a thousand idle clients need no buffer memory.
 */
#ifndef SERVER_CORE_BUFFER_H
#define SERVER_CORE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/** Memory for bytes; the waiting ones are bytes[start] to bytes[start + length - 1]. */
struct buffer_block {
	size_t start, length, capacity;
	char bytes[];
};

struct buffer {
	struct buffer_block *block; /* NULL: no byte waits */
};

static inline bool buffer_is_empty(const struct buffer *buffer)
{
	return buffer->block == NULL;
}

/** @return how many bytes wait */
static inline size_t buffer_length(const struct buffer *buffer)
{
	return buffer->block != NULL ? buffer->block->length : 0;
}

/** Appends @p n bytes.
 *  @return false, and the buffer is unchanged, if more than @p most bytes would wait
 *          (ENOBUFS) or there is no memory (ENOMEM) */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t n, size_t most);

/** @return the waiting bytes, buffer_length() of them; never NULL */
const char *buffer_bytes(const struct buffer *buffer);

/** Removes the first @p n bytes (at most the length). Frees the memory when the buffer
 *  is empty. */
void buffer_consume(struct buffer *buffer, size_t n);

/** Removes the last bytes, so that @p length are left: at least one, and not more than
 *  there are. */
void buffer_truncate(struct buffer *buffer, size_t length);

/** Takes the bytes out of a buffer that is not empty.
 *  @return them, @p length of them: to be freed with free(3) */
char *buffer_take(struct buffer *buffer, size_t *length);

/** Removes all bytes, and frees the memory. */
void buffer_release(struct buffer *buffer);

#endif
