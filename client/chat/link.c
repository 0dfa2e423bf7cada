/*
 * link - the connection to a chat server, read and written line by line without blocking.
 *
 * Lines to send are queued up to CHAT_UNSENT_MOST bytes; a received line is collected up to
 * SPEECH_MOST bytes. So neither a slow nor a hostile server makes the client use more
 * memory.
 */
#include "client/chat/link.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/sock.h"

enum { BLOCK = 16 * 1024 }; /* bytes of one read; during its handling no key is read */

int chat_link_open(struct chat_link *link, int fd)
{
	sock_set_nodelay(fd);
	sock_set_keepalive(fd);
	link->start = link->end = link->length = 0;
	link->skipping = false;
	link->fd = fd;
	if (io_set_nonblocking(fd, true) == 0)
		return 0;
	chat_link_close(link);
	return -1;
}

void chat_link_close(struct chat_link *link)
{
	int error = errno;

	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	errno = error;
}

/* ---- out ------------------------------------------------------------------------------- */

size_t chat_link_unsent(const struct chat_link *link)
{
	return link->end - link->start;
}

bool chat_link_send(struct chat_link *link, const char *text, size_t length)
{
	size_t left = chat_link_unsent(link);

	if (length >= sizeof link->unsent - left)
		return false;
	memmove(link->unsent, link->unsent + link->start, left);
	memcpy(link->unsent + left, text, length);
	link->unsent[left + length] = '\n';
	link->start = 0;
	link->end = left + length + 1;
	return true;
}

int chat_link_flush(struct chat_link *link)
{
	ssize_t n;

	if (chat_link_unsent(link) == 0)
		return 0;
	n = io_write(link->fd, link->unsent + link->start, chat_link_unsent(link));
	if (n < 0 && errno != EAGAIN)
		return -1;
	if (n > 0)
		link->start += (size_t)n;
	return 0;
}

/* ---- in -------------------------------------------------------------------------------- */

typedef void taker(void *context, const char *line, size_t length);

static void hand_over(struct chat_link *link, taker *take, void *context)
{
	if (!link->skipping)
		take(context, link->line, link->length);
	link->length = 0;
}

/* Appends bytes without a newline to the line. */
static void take_part(struct chat_link *link, const char *bytes, size_t n, taker *take,
		      void *context)
{
	size_t space = sizeof link->line - link->length;

	if (link->skipping)
		return;
	memcpy(link->line + link->length, bytes, n < space ? n : space);
	link->length += n < space ? n : space;
	if (n <= space)
		return;
	hand_over(link, take, context);
	link->skipping = true;
}

static void take_bytes(struct chat_link *link, const char *bytes, size_t n, taker *take,
		       void *context)
{
	const char *end = bytes + n, *newline;

	while ((newline = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
		take_part(link, bytes, (size_t)(newline - bytes), take, context);
		hand_over(link, take, context);
		link->skipping = false;
		bytes = newline + 1;
	}
	take_part(link, bytes, (size_t)(end - bytes), take, context);
}

int chat_link_receive(struct chat_link *link, taker *take, void *context)
{
	char block[BLOCK];
	ssize_t n = io_read(link->fd, block, sizeof block);
	int error = errno;

	if (n < 0 && error == EAGAIN)
		return 1;
	if (n > 0) {
		take_bytes(link, block, (size_t)n, take, context);
		return 1;
	}
	if (link->length > 0)
		hand_over(link, take, context);
	errno = error;
	return (int)n;
}
