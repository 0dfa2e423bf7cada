/*
 * output - sends directly when nothing is queued.
 *
 * Only bytes that the kernel does not accept are copied into the queue. A client that
 * reads fast enough costs no copy and no memory. Small writes are gathered and sent in
 * one call, because with TCP_NODELAY each send(2) makes a segment of its own. A file is
 * sent by sendfile(2), up to a budget at a time, so that the caller can return to its
 * other clients, to signals and to the clock. It costs one malloc(3), even if all of it is
 * sent at once.
 *
 * send(2) always gets MSG_DONTWAIT, also on a blocking descriptor. A blocking caller
 * waits in poll(2), because there it can check the send queue and the deadlines. The
 * cost is a second system call, but only when the kernel's buffer is full.
 */
#include "server/core/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sock.h"

enum {
	/* The limit of the queue of a client, in bytes. A service that returns when
	 * session_full() is true stays far below it. */
	QUEUE_LIMIT = 1024 * 1024,
	/* A small file needs as many system calls as a large one. So it uses up at
	 * least this many bytes of the budget. */
	FILE_COUNTS = 16 * 1024,
};

void output_begin(struct output *o, int fd)
{
	*o = (struct output){ .fd = fd };
}

uint64_t output_length(const struct output *o)
{
	return buffer_length(&o->queue) +
	       (output_has_file(o) ? o->waiting->file.length : 0);
}

struct output_waiting *output_keep_waiting(struct output *o)
{
	if (o->waiting != NULL)
		return o->waiting;
	o->waiting = malloc(sizeof *o->waiting);
	if (o->waiting != NULL)
		*o->waiting = (struct output_waiting){ .file.fd = -1 };
	return o->waiting;
}

void output_forget_waiting(struct output *o)
{
	if (output_waits(o))
		return;
	free(o->waiting);
	o->waiting = NULL;
}

static enum output_result fail(struct output *o)
{
	o->error = errno;
	return OUTPUT_ERROR;
}

/* Sends as many bytes as the kernel accepts now, and stores their number in *sent. */
static enum output_result push(struct output *o, const char *bytes, size_t n,
			       size_t *sent)
{
	/* the last of these bytes and the beginning of the file can share a segment */
	int flags = MSG_DONTWAIT | (output_has_file(o) ? SOCK_MORE : 0);

	*sent = 0;
	if (o->error != 0)
		return OUTPUT_ERROR;
	while (*sent < n) {
		ssize_t taken = send(o->fd, bytes + *sent, n - *sent, flags);

		if (taken >= 0) {
			*sent += (size_t)taken;
			o->sent += (uint64_t)taken;
		} else if (errno == EAGAIN) {
			return OUTPUT_WOULD_BLOCK;
		} else if (errno != EINTR) {
			return fail(o);
		}
	}
	return OUTPUT_SENT;
}

static enum output_result queue(struct output *o, const char *bytes, size_t n)
{
	if (output_keep_waiting(o) == NULL)
		return OUTPUT_NO_MEMORY;
	if (!buffer_append(&o->queue, bytes, n, QUEUE_LIMIT))
		return errno == ENOBUFS ? OUTPUT_TOO_MUCH : OUTPUT_NO_MEMORY;
	o->waiting->blocked = true;
	return OUTPUT_WOULD_BLOCK;
}

/* If the result says so, the kernel's buffer is full or other bytes are queued: queues
 * a copy of the rest. */
static enum output_result queue_rest(struct output *o, enum output_result result,
				     const char *bytes, size_t n)
{
	return result == OUTPUT_WOULD_BLOCK ? queue(o, bytes, n) : result;
}

static enum output_result send_or_queue(struct output *o, const char *bytes, size_t n)
{
	size_t sent = 0;
	enum output_result result = OUTPUT_WOULD_BLOCK;

	if (buffer_is_empty(&o->queue))
		result = push(o, bytes, n, &sent);
	return queue_rest(o, result, bytes + sent, n - sent);
}

static enum output_result state_of(const struct output *o)
{
	return output_is_blocked(o) ? OUTPUT_WOULD_BLOCK : OUTPUT_SENT;
}

static bool is_failure(enum output_result result)
{
	return result >= OUTPUT_ERROR;
}

static enum output_result send_gathered(struct output *o, struct output_shared *shared)
{
	size_t n = shared->gathered;

	shared->gathered = 0;
	return n > 0 ? send_or_queue(o, shared->bytes, n) : state_of(o);
}

enum output_result output_write(struct output *o, struct output_shared *shared,
				const char *bytes, size_t n)
{
	enum output_result result = state_of(o);

	if (output_has_file(o))
		return OUTPUT_OUT_OF_ORDER;
	if (n > sizeof shared->bytes - shared->gathered)
		result = send_gathered(o, shared);
	if (is_failure(result) || n == 0)
		return result;
	if (n > sizeof shared->bytes)
		return send_or_queue(o, bytes, n);
	memcpy(shared->bytes + shared->gathered, bytes, n);
	shared->gathered += n;
	return result;
}

/* ---- files ---- */

static void close_file(struct output *o)
{
	if (!output_has_file(o))
		return;
	close(o->waiting->file.fd);
	o->waiting->file.fd = -1;
}

enum output_result output_take_file(struct output *o, int fd, uint64_t offset,
				    uint64_t length)
{
	enum output_result result = OUTPUT_MORE;

	if (output_has_file(o))
		result = OUTPUT_OUT_OF_ORDER;
	else if (output_keep_waiting(o) == NULL)
		result = OUTPUT_NO_MEMORY;
	if (is_failure(result)) {
		close(fd);
		return result;
	}
	o->waiting->file = (struct output_file){ fd, offset, length };
	o->waiting->blocked = true;
	return result;
}

static void spend(struct output_shared *shared, size_t sent)
{
	size_t counts = sent < FILE_COUNTS ? FILE_COUNTS : sent;

	shared->file_budget -=
		counts < shared->file_budget ? counts : shared->file_budget;
}

/* Calls sendfile(2) once, for no more bytes than the budget. */
static enum output_result send_file(struct output *o, struct output_shared *shared)
{
	struct output_file *file = &o->waiting->file;
	size_t budget = shared->file_budget;
	size_t n = file->length < budget ? (size_t)file->length : budget;
	ssize_t sent;

	if (n == 0)
		return OUTPUT_MORE;
	sent = sock_send_file(o->fd, file->fd, &file->offset, n);
	if (sent == 0)
		return OUTPUT_FILE_CUT;
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? OUTPUT_WOULD_BLOCK : fail(o);
	o->sent += (uint64_t)sent;
	file->length -= (size_t)sent;
	spend(shared, (size_t)sent);
	if (file->length == 0)
		close_file(o);
	if (sent < (ssize_t)n) /* the buffer is full, or a signal arrived */
		return OUTPUT_WOULD_BLOCK;
	return file->fd >= 0 ? OUTPUT_MORE : OUTPUT_SENT;
}

/* The program has tried to send what waits. After a failure the connection ends. */
static enum output_result note_tried(struct output *o, enum output_result result)
{
	bool waits = output_waits(o);

	if (waits && !is_failure(result) && output_keep_waiting(o) == NULL)
		return OUTPUT_NO_MEMORY;
	if (o->waiting != NULL)
		o->waiting->blocked = waits;
	return result;
}

/* Sends the file if all bytes before it are sent. */
static enum output_result follow_with_file(struct output *o, struct output_shared *shared,
					   enum output_result result)
{
	if (!is_failure(result) && output_has_file(o) && buffer_is_empty(&o->queue))
		result = send_file(o, shared);
	return note_tried(o, result);
}

/* ---- both ---- */

/* A short reply takes only the first half: the bytes were gathered, nothing is queued,
 * and there is no file. */
enum output_result output_flush(struct output *o, struct output_shared *shared)
{
	size_t n = shared->gathered, sent = 0;
	enum output_result result = state_of(o);

	shared->gathered = 0;
	if (n > 0 && buffer_is_empty(&o->queue))
		result = push(o, shared->bytes, n, &sent);
	if (sent < n)
		result = queue_rest(o, result, shared->bytes + sent, n - sent);
	if (output_has_file(o))
		result = follow_with_file(o, shared, result);
	return result;
}

enum output_result output_send_queue(struct output *o)
{
	enum output_result result = OUTPUT_SENT;
	size_t sent;

	if (!buffer_is_empty(&o->queue)) {
		result =
			push(o, buffer_bytes(&o->queue), buffer_length(&o->queue), &sent);
		buffer_consume(&o->queue, sent);
	}
	return note_tried(o, result);
}

enum output_result output_resume(struct output *o, struct output_shared *shared)
{
	return follow_with_file(o, shared, output_send_queue(o));
}

int output_higher_number(int fd, int lowest)
{
	int moved;

	if (fd < 0 || fd >= lowest)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
	if (moved < 0)
		return fd;
	close(fd);
	return moved;
}

void output_move_file(struct output *o, int lowest)
{
	if (output_has_file(o))
		o->waiting->file.fd = output_higher_number(o->waiting->file.fd, lowest);
}

void output_release(struct output *o)
{
	close_file(o);
	buffer_release(&o->queue);
	output_forget_waiting(o);
}
