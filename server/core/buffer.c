/*
 * buffer - a queue of bytes in one piece of memory.
 *
 *	bytes   |  consumed  |  waiting bytes  |   free   |
 *	        0          start         start + length   capacity
 *
 * Consuming moves start and copies nothing. Appending uses the free space at the end. If
 * that is too small, the waiting bytes are moved to the front, or the memory is doubled.
 * So appending n bytes costs O(n) on average. The three numbers are in the same memory as
 * the bytes, so an empty buffer is only a null pointer; the cost is one malloc(3) for the
 * first byte that waits.
 */
#include "server/core/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 512 };

/* Allocates the block, or changes its capacity. */
static bool resize(struct buffer *buffer, size_t capacity)
{
	struct buffer_block *block = realloc(buffer->block, sizeof *block + capacity);

	if (block == NULL)
		return false;
	if (buffer->block == NULL)
		block->start = block->length = 0;
	block->capacity = capacity;
	buffer->block = block;
	return true;
}

static size_t doubled(size_t capacity, size_t wanted, size_t most)
{
	while (capacity < wanted)
		capacity = capacity > most / 2 ? most : capacity * 2;
	return capacity;
}

static void move_to_front(struct buffer_block *block)
{
	if (block->start > 0)
		memmove(block->bytes, block->bytes + block->start, block->length);
	block->start = 0;
}

/* Makes space for n more bytes at the end: moves the waiting bytes to the front, or
 * doubles the memory. Moving pays only if at least as many bytes were consumed as
 * wait. Otherwise a long queue that is consumed in small pieces would be moved for
 * each piece. */
static bool make_space(struct buffer *buffer, size_t n, size_t most)
{
	struct buffer_block *block = buffer->block;
	size_t before, wanted;
	bool pays;

	if (block == NULL)
		return resize(buffer, doubled(SMALLEST, n, most));
	before = block->capacity;
	wanted = block->length + n;
	pays = block->start >= block->length || before >= most;
	if (!pays && wanted <= before)
		wanted = before + 1;
	move_to_front(block);
	return wanted <= before || resize(buffer, doubled(before, wanted, most));
}

static size_t free_space(const struct buffer_block *block)
{
	return block != NULL ? block->capacity - block->start - block->length : 0;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t n, size_t most)
{
	struct buffer_block *block;

	if (n > most || buffer_length(buffer) > most - n) {
		errno = ENOBUFS;
		return false;
	}
	if (n == 0) /* memcpy(3) must not get a null pointer, even if n is 0 */
		return true;
	if (n > free_space(buffer->block) && !make_space(buffer, n, most))
		return false;
	block = buffer->block;
	memcpy(block->bytes + block->start + block->length, bytes, n);
	block->length += n;
	return true;
}

const char *buffer_bytes(const struct buffer *buffer)
{
	return buffer->block != NULL ? buffer->block->bytes + buffer->block->start : "";
}

void buffer_consume(struct buffer *buffer, size_t n)
{
	if (buffer->block == NULL)
		return;
	buffer->block->start += n;
	buffer->block->length -= n;
	if (buffer->block->length == 0)
		buffer_release(buffer);
}

void buffer_truncate(struct buffer *buffer, size_t length)
{
	buffer->block->length = length;
}

/* The bytes are moved to the beginning of the memory, over the numbers. */
char *buffer_take(struct buffer *buffer, size_t *length)
{
	const char *bytes = buffer_bytes(buffer);
	char *memory = (char *)buffer->block;

	*length = buffer_length(buffer);
	buffer->block = NULL;
	return memmove(memory, bytes, *length);
}

/* free(3) of nothing costs a child of fork(2) a page fault for its code. */
void buffer_release(struct buffer *buffer)
{
	if (buffer->block == NULL)
		return;
	free(buffer->block);
	buffer->block = NULL;
}
