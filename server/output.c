/*
 * Straight through when nothing waits: only what the kernel does not take is kept. On a
 * blocking descriptor bytes wait for the kernel here, since nothing else is to be done; a
 * file, which may be long, is sent piece by piece, and whoever has the descriptor looks at
 * the clock, the signals and, in a loop, at the other clients between two of them.
 */
#include "server/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/sock.h"
#include "server/connection.h"

enum {
	/* The most output that may be queued for a client. A service that returns when
	 * session_full() says so stays far below it. */
	QUEUE_LIMIT = 1024 * 1024,
	/* A small file takes as many calls as a large one: it counts at least so much of a
	 * client's turn. */
	FILE_COUNTS = 16 * 1024,
	/* How long sendfile(2) may itself wait on a blocking descriptor, in milliseconds. It
	 * has no flag like MSG_DONTWAIT; and its timeout begins anew for each 64 KiB, so
	 * poll(2) does the long waits. */
	FILE_WAIT = 10,
};

bool output_waits(const struct connection *c)
{
	return c->queue.length > 0 || c->file.fd >= 0;
}

static void queue(struct connection *c, const char *bytes, size_t n)
{
	if (buffer_append(&c->queue, bytes, n, QUEUE_LIMIT))
		c->session.full = true;
	else
		connection_drop(c, errno == ENOBUFS
					   ? "dropped: too much output waits for it"
					   : "dropped: out of memory");
}

static void count(struct connection *c, size_t sent)
{
	c->bytes_out += sent;
	connection_note_activity(c);
	statistics_add(&c->server->statistics->bytes_out, sent);
}

/* Sends what the kernel takes: on a blocking descriptor all, unless the client stops
 * reading for the idle timeout. Returns how much that was. */
static size_t send_some(struct connection *c, const char *bytes, size_t n)
{
	bool more = c->file.fd >= 0; /* its beginning may share the last segment */
	size_t sent = 0;
	int64_t full_since = 0;

	while (sent < n && c->state == CONNECTION_OPEN) {
		ssize_t taken = sock_send(c->fd, bytes + sent, n - sent, more);

		if (taken >= 0) {
			sent += (size_t)taken;
			if (full_since != 0)
				connection_put_off_deadline(c, clock_milliseconds() -
								       full_since);
			full_since = 0;
		} else if (errno == EAGAIN) {
			if (!connection_may_wait(c))
				break;
			if (full_since == 0)
				full_since = clock_milliseconds();
			connection_wait_for_room(c, full_since);
		} else if (errno != EINTR) {
			connection_drop_for_errno(c);
		}
	}
	if (sent > 0)
		count(c, sent);
	return sent;
}

static void send_or_queue(struct connection *c, const char *bytes, size_t n)
{
	size_t sent = c->queue.length == 0 ? send_some(c, bytes, n) : 0;

	if (sent < n && c->state == CONNECTION_OPEN)
		queue(c, bytes + sent, n - sent);
}

static void send_gathered(struct connection *c)
{
	size_t n = c->worker->gathered;

	c->worker->gathered = 0;
	if (n > 0 && c->state == CONNECTION_OPEN)
		send_or_queue(c, c->worker->output, n);
}

/* Small pieces are gathered, and sent in one call: with TCP_NODELAY each call is a segment
 * of its own. */
void output_write(struct connection *c, const char *bytes, size_t n)
{
	struct worker *worker = c->worker;

	if (c->file.fd >= 0)
		connection_drop(c, "dropped: output before the file that it follows");
	if (n > sizeof worker->output - worker->gathered)
		send_gathered(c);
	if (c->state != CONNECTION_OPEN || n == 0)
		return;
	if (n > sizeof worker->output) {
		send_or_queue(c, bytes, n);
	} else {
		memcpy(worker->output + worker->gathered, bytes, n);
		worker->gathered += n;
	}
}

/* ---- files ---- */

static void close_file(struct connection *c)
{
	if (c->file.fd >= 0)
		close(c->file.fd);
	c->file.fd = -1;
}

void output_take_file(struct connection *c, int fd, uint64_t offset, uint64_t length)
{
	if (c->file.fd >= 0)
		connection_drop(c, "dropped: a file before the one that it follows");
	if (c->state != CONNECTION_OPEN) {
		close(fd);
		return;
	}
	if (connection_may_wait(c) && !c->file_wait_set)
		c->file_wait_set = sock_set_send_timeout(c->fd, FILE_WAIT) == 0;
	c->file = (struct output_file){ fd, offset, length };
	c->session.full = true;
}

/* One call, of no more than is left of the client's turn. */
static void send_file(struct connection *c)
{
	struct output_file *file = &c->file;
	size_t turn = c->worker->turn;
	size_t n = file->length < turn ? (size_t)file->length : turn;
	ssize_t sent;

	if (n == 0)
		return;
	sent = sock_send_file(c->fd, file->fd, &file->offset, n);
	if (sent > 0) {
		size_t counts = sent < FILE_COUNTS ? FILE_COUNTS : (size_t)sent;

		count(c, (size_t)sent);
		file->length -= (size_t)sent;
		c->worker->turn -= counts < turn ? counts : turn;
	} else if (sent == 0) {
		connection_drop(c, "cut off: its file has become shorter");
	} else if (errno != EAGAIN && errno != EINTR) {
		connection_drop_for_errno(c);
	}
	if (sent < (ssize_t)n) /* no room, or a signal: to be looked into */
		c->interrupted = true;
	if (file->length == 0)
		close_file(c);
}

/* ---- both ---- */

/* The file's turn comes when all before it has gone. */
static void finish_sending(struct connection *c)
{
	if (c->file.fd >= 0 && c->queue.length == 0 && c->state == CONNECTION_OPEN)
		send_file(c);
	c->session.full = output_waits(c);
}

void output_flush(struct connection *c)
{
	send_gathered(c);
	if (c->file.fd >= 0)
		finish_sending(c);
}

void output_go_on(struct connection *c)
{
	buffer_consume(&c->queue, send_some(c, buffer_bytes(&c->queue), c->queue.length));
	finish_sending(c);
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

void output_move_file(struct connection *c, int lowest)
{
	c->file.fd = output_higher_number(c->file.fd, lowest);
}

void output_release(struct connection *c)
{
	close_file(c);
	buffer_consume(&c->queue, c->queue.length);
}
