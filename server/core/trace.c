/*
 * trace - gathers lines in a buffer of the thread, and appends them to the file.
 *
 * A write(2) for each line would cost more than the exchange that it describes. So each thread
 * has a buffer, from its first event on, and writes it when it is full, when its client leaves,
 * when TRACE_INTERVAL has passed, and when it ends. The file is opened with O_APPEND, and each
 * write has whole lines only. So the lines of several processes and threads do not mix, and no
 * lock is needed. The cost is the order: the lines of one thread are in order, those of two
 * threads are not. Whoever needs an order sorts by time (sort -n).
 *
 * fork(2) copies the buffer, too. Before the fork the parent writes its lines, and the child
 * begins with an empty buffer (pthread_atfork(3)). So no line is written twice, and no model
 * needs to know the trace.
 *
 * A trace must not stop a server. If a write fails (disk full), one message is printed, and
 * tracing ends in all processes.
 */
#include "server/core/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/message.h"
#include "common/process.h"
#include "common/text.h"

enum {
	BUFFER = 16 * 1024,
	/* the longest text of an event, in bytes; a longer one is cut */
	TEXT_MOST = 200,
	/* nanoseconds, numbers, name and text of one event */
	LINE_MOST = 120 + TEXT_MOST,
	PATH_SHOWN = 200,
	NANOSECONDS = 1000000, /* in a millisecond */
};

struct buffer {
	size_t used;
	int64_t last_at;    /* of the last event; nanoseconds */
	int64_t written_at; /* nanoseconds */
	size_t id_length;   /* 0: not known yet */
	char id[48];        /* " PID TID " */
	char bytes[BUFFER];
};

/* What all processes of the server share. */
struct shared {
	atomic_ullong clients; /* accepted so far */
	atomic_bool failed;    /* a write has failed: no thread or process writes again */
};

atomic_bool trace_active;

static struct shared *shared;
static int file = -1;
static bool joined;            /* the file has several writers without a common parent */
static char shown[PATH_SHOWN]; /* the path, for messages */
static pthread_key_t key;      /* frees the buffer when its thread ends */
static _Thread_local struct buffer *own;

/* ---- writing ---- */

static void stop(int error)
{
	atomic_store(&trace_active, false);
	if (!atomic_exchange(&shared->failed, true))
		message(MESSAGE_ERROR,
			"--trace: cannot write %s: %s: the trace ends here", shown,
			strerror(error));
}

static void write_lines(const char *bytes, size_t n)
{
	while (n > 0 && !atomic_load(&shared->failed)) {
		ssize_t written = write(file, bytes, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			stop(written < 0 ? errno : ENOSPC);
			return;
		}
		bytes += written;
		n -= (size_t)written;
	}
	if (n > 0)
		atomic_store(&trace_active, false); /* another process has failed */
}

/* Callers rely on the errno of their own system call. */
static void flush(struct buffer *buffer, int64_t now)
{
	int saved = errno;

	if (buffer->used > 0)
		write_lines(buffer->bytes, buffer->used);
	buffer->used = 0;
	buffer->written_at = now;
	errno = saved;
}

static bool is_due(const struct buffer *buffer, int64_t now)
{
	return buffer->used > 0 &&
	       now - buffer->written_at >= (int64_t)TRACE_INTERVAL * NANOSECONDS;
}

void trace_flush(void)
{
	if (own != NULL)
		flush(own, own->last_at);
}

void trace_turn(void)
{
	if (own != NULL && is_due(own, own->last_at))
		flush(own, own->last_at);
}

int64_t trace_attend(int64_t now)
{
	if (own != NULL && is_due(own, now * NANOSECONDS))
		flush(own, now * NANOSECONDS);
	if (own == NULL || own->used == 0)
		return CLOCK_NEVER;
	return own->written_at / NANOSECONDS + TRACE_INTERVAL + 1;
}

/* ---- the buffer of a thread ---- */

static void end_buffer(void *buffer)
{
	flush(buffer, 0);
	free(buffer);
	own = NULL;
}

/* In the child of fork(2). The parent has written the lines, or could not. */
static void begin_child(void)
{
	if (own == NULL)
		return;
	own->used = 0;
	own->id_length = 0;
}

static void set_id(struct buffer *buffer)
{
	int length = snprintf(buffer->id, sizeof buffer->id, " %ld %ld ", (long)getpid(),
			      process_thread());

	buffer->id_length = (size_t)length;
}

static bool create_buffer(int64_t now)
{
	own = malloc(sizeof *own);
	if (own == NULL)
		return false;
	own->used = 0;
	own->id_length = 0;
	own->written_at = now;
	(void)pthread_setspecific(key, own); /* without memory it is not freed */
	return true;
}

/* ---- lines ---- */

static char *put_number(char *to, uint64_t number)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (count > 0)
		*to++ = digits[--count];
	return to;
}

static char *put(char *to, const char *text, size_t length)
{
	memcpy(to, text, length);
	return to + length;
}

/* Begins a line. @return where it goes on; NULL without memory */
static char *begin_line(uint64_t client, enum trace_event event)
{
	const char *name = trace_event_name(event);
	int64_t now = clock_nanoseconds();
	char *to;

	if (own == NULL && !create_buffer(now)) {
		stop(ENOMEM);
		return NULL;
	}
	if (own->used + LINE_MOST > BUFFER)
		flush(own, now);
	if (own->id_length == 0)
		set_id(own);
	own->last_at = now;
	to = put_number(own->bytes + own->used, (uint64_t)now);
	to = put(to, own->id, own->id_length);
	to = put_number(to, client);
	*to++ = ' ';
	return put(to, name, strlen(name));
}

static void end_line(char *to)
{
	*to++ = '\n';
	own->used = (size_t)(to - own->bytes);
}

void trace_event(uint64_t client, enum trace_event event)
{
	char *to = begin_line(client, event);

	if (to != NULL)
		end_line(to);
}

void trace_bytes(uint64_t client, enum trace_event event, uint64_t bytes)
{
	char *to = begin_line(client, event);

	if (to == NULL)
		return;
	*to++ = ' ';
	end_line(put_number(to, bytes));
}

void trace_text(uint64_t client, enum trace_event event, const char *text)
{
	char *to = begin_line(client, event);
	size_t length = strlen(text);

	if (to == NULL)
		return;
	*to++ = ' ';
	end_line(put(to, text, length < TEXT_MOST ? length : TEXT_MOST));
}

uint64_t trace_accepted(const struct address *peer)
{
	uint64_t client = joined ? (uint64_t)getpid()
				 : (uint64_t)atomic_fetch_add(&shared->clients, 1) + 1;
	char text[ADDRESS_TEXT];

	trace_text(client, TRACE_ACCEPTED, address_text(peer, text));
	return client;
}

/* ---- the file ---- */

static int fail(struct failure *failure, const char *why)
{
	if (file >= 0)
		close(file);
	file = -1;
	return failure_set(failure, "--trace: cannot write %s: %s", shown, why);
}

static int write_header(const char *service, const char *model, struct failure *failure)
{
	char line[LINE_MOST];
	int length = snprintf(line, sizeof line,
			      TRACE_HEADER "%d service=%s model=%s clock=monotonic\n",
			      TRACE_VERSION, service, model);
	ssize_t written = write(file, line, (size_t)length);

	if (written == length)
		return 0;
	return fail(failure, strerror(written < 0 ? errno : ENOSPC));
}

/* A FIFO or a socket would make the server wait for its reader. A terminal does so, too, but not
 * with O_NONBLOCK. */
static int open_file(const char *path, struct failure *failure)
{
	struct stat status;

	file = open(path,
		    O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
			    (joined ? 0 : O_TRUNC),
		    0666);
	if (file < 0 && errno == ENXIO)
		return fail(failure, "Not a file");
	if (file < 0 || fstat(file, &status) < 0)
		return fail(failure, strerror(errno));
	if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
		return fail(failure, "Not a file");
	return 0;
}

int trace_open(const char *path, const char *service, const char *model, bool joins,
	       struct failure *failure)
{
	int error;

	joined = joins;
	text_escape(path, strlen(path), shown, sizeof shown);
	if (open_file(path, failure) < 0 || write_header(service, model, failure) < 0)
		return -1;
	shared = process_shared_memory(sizeof *shared);
	if (shared == NULL)
		return fail(failure, strerror(errno));
	error = pthread_key_create(&key, end_buffer);
	if (error == 0)
		error = pthread_atfork(trace_flush, NULL, begin_child);
	if (error != 0)
		return fail(failure, strerror(error));
	atomic_store(&trace_active, true);
	return 0;
}

/* The descriptor stays open: a thread that has not ended may still write. */
void trace_close(void)
{
	trace_flush();
	atomic_store(&trace_active, false);
}
