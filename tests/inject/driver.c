/*
 * Injects faults: starts a server, lets one of its system calls fail, and checks what the
 * server promises its clients all the same.
 *
 *	inject BIN PRELOAD [runs of each program]
 *	inject BIN PRELOAD --run 'SERVICE MODEL PROTOCOL CALL AT ERRNO TIMES'
 *
 * A program here is a service in a model, on TCP or UDP. Each is first run without a fault,
 * which must go well, and counts its calls. Then it is run again and again. In each run
 * another call fails: at its first, second ... time, with one of the errors that it may have,
 * once or until further notice (TIMES 0). Which runs those are depends on nothing but their
 * number, so each run can be repeated.
 *
 * A run is: the server starts; an honest client talks to it until the fault has been, and then
 * once more; then the server is told to stop. It is right if
 *   - each answer is right, or says that there is an error, or the connection is closed;
 *   - of a file that is DONE no sync has failed, and nothing has its name before it is whole;
 *   - the client that comes after the fault is served;
 *   - the server does not spin: its calls are counted, not its time; what lasts it says once;
 *   - it has no more descriptors, threads and children than after a run without a fault;
 *   - it stops with status 0, and leaves no process behind;
 *   - or it has not begun to listen: then its status is 1, and it has said why.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/checksum.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/retry.h"
#include "tests/inject/inject.h"

enum {
	JOBS = 8,
	MOST_PROGRAMS = 400,
	MOST_ERRORS = 12,
	TEXT = 512,
	WAIT_MS = 20000,    /* milliseconds for what should happen at once */
	QUIET_MS = 300,     /* for what need not happen at all */
	RUN_SECONDS = 150,  /* after which a run is killed */
	CONVERSATIONS = 2,  /* in a run without a fault */
	CALLS_MORE = 1000,  /* than four times those of a run without a fault: it spins */
	UDP_TRIES = 30,     /* of a datagram that gets no reply ... */
	UDP_WAIT = 300,     /* ... in so many milliseconds */
	ECHO_BYTES = 50000, /* fits into the buffers of a connection */
	CHARGEN_BYTES = 20000,
	FILE_BYTES = 20000,
	BIG_BYTES = 300000,
};

/* ---- what can fail, and how -------------------------------------------------------------- */

struct fault_kind {
	const char *name;
	int errors[MOST_ERRORS];   /* up to the first 0 */
	int for_long[MOST_ERRORS]; /* those that may stay for a while */
};

static const struct fault_kind kinds[INJECT_COUNT] = {
	[INJECT_accept4] = { "accept4",
			     { EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EPERM,
			       ENETDOWN, EPROTO, EINTR, EHOSTUNREACH },
			     { EMFILE, ENFILE, ENOMEM, EPERM, ENETDOWN, EPROTO,
			       ECONNABORTED } },
	[INJECT_recv] = { "recv",
			  { ECONNRESET, ENOMEM, EINTR, ETIMEDOUT, INJECT_SHORT },
			  { ENOMEM, INJECT_SHORT } },
	[INJECT_send] = { "send",
			  { EPIPE, ECONNRESET, EAGAIN, ENOBUFS, ENOMEM, EINTR,
			    INJECT_SHORT },
			  { ENOBUFS, ENOMEM, INJECT_SHORT } },
	[INJECT_sendfile] = { "sendfile",
			      { EAGAIN, EIO, ENOMEM, EINVAL, EPIPE, EINTR, INJECT_SHORT },
			      { EINVAL, EIO, INJECT_SHORT } },
	[INJECT_recvmsg] = { "recvmsg",
			     { ENOMEM, ENOBUFS, EINTR, ECONNREFUSED },
			     { ENOMEM, ENOBUFS } },
	[INJECT_sendmsg] = { "sendmsg",
			     { ENOBUFS, ENOMEM, EAGAIN, EPERM, ENETUNREACH, EINTR },
			     { ENOBUFS, EAGAIN, EPERM } },
	[INJECT_shutdown] = { "shutdown", { ENOTCONN, ENOBUFS }, { ENOTCONN } },
	[INJECT_socket] = { "socket", { EMFILE, ENFILE, ENOBUFS, EACCES }, { 0 } },
	[INJECT_bind] = { "bind", { EADDRINUSE, EACCES, EADDRNOTAVAIL }, { 0 } },
	[INJECT_listen] = { "listen", { EADDRINUSE, ENOBUFS }, { 0 } },
	[INJECT_setsockopt] = { "setsockopt", { ENOBUFS, ENOPROTOOPT }, { ENOBUFS } },
	[INJECT_getsockopt] = { "getsockopt", { ENOBUFS }, { ENOBUFS } },
	[INJECT_getsockname] = { "getsockname", { ENOBUFS }, { 0 } },
	[INJECT_socketpair] = { "socketpair",
				{ EMFILE, ENFILE, ENOMEM },
				{ EMFILE, ENOMEM } },
	[INJECT_pselect] = { "pselect", { ENOMEM, EINTR }, { ENOMEM } },
	[INJECT_ppoll] = { "ppoll", { ENOMEM, EINTR }, { ENOMEM } },
	[INJECT_poll] = { "poll", { ENOMEM, EINTR }, { ENOMEM } },
	[INJECT_epoll_create1] = { "epoll_create1", { EMFILE, ENFILE, ENOMEM }, { 0 } },
	[INJECT_epoll_ctl] = { "epoll_ctl", { ENOMEM, ENOSPC }, { ENOMEM, ENOSPC } },
	[INJECT_epoll_pwait] = { "epoll_pwait", { ENOMEM, EINTR }, { ENOMEM } },
	[INJECT_eventfd] = { "eventfd", { EMFILE, ENFILE, ENOMEM }, { EMFILE, ENOMEM } },
	[INJECT_uring_setup] = { "io_uring_setup",
				 { EMFILE, ENFILE, ENOMEM, EPERM, ENOSYS, EINVAL },
				 { 0 } },
	[INJECT_uring_register] = { "io_uring_register", { ENOMEM, EINVAL }, { 0 } },
	[INJECT_uring_enter] = { "io_uring_enter",
				 { EAGAIN, EBUSY, ENOMEM, EINTR },
				 { EAGAIN, EBUSY, ENOMEM } },
	[INJECT_fork] = { "fork", { EAGAIN, ENOMEM }, { EAGAIN, ENOMEM } },
	[INJECT_pthread_create] = { "pthread_create", { EAGAIN, EPERM }, { EAGAIN } },
	[INJECT_mmap] = { "mmap", { ENOMEM, EAGAIN }, { 0 } },
	[INJECT_malloc] = { "malloc", { ENOMEM }, { ENOMEM } },
	[INJECT_calloc] = { "calloc", { ENOMEM }, { ENOMEM } },
	[INJECT_realloc] = { "realloc", { ENOMEM }, { ENOMEM } },
	[INJECT_open] = { "open",
			  { EMFILE, ENFILE, ENOMEM, EACCES, ENOENT },
			  { EMFILE } },
	[INJECT_openat] = { "openat",
			    { EMFILE, ENFILE, ENOMEM, EACCES, EIO, ENOSPC, EDQUOT },
			    { EMFILE, ENOSPC, EIO } },
	[INJECT_openat2] = { "openat2",
			     { EMFILE, ENFILE, ENOMEM, EACCES, EIO, ENOSYS, EPERM,
			       EINTR },
			     { EMFILE, ENOMEM, ENOSYS, EIO } },
	[INJECT_close] = { "close", { EIO, EINTR, ENOSPC }, { EIO } },
	[INJECT_read] = { "read", { EIO, EINTR, ENOMEM, INJECT_SHORT }, { 0 } },
	[INJECT_pread] = { "pread", { EIO, EINTR, INJECT_SHORT }, { EIO, INJECT_SHORT } },
	[INJECT_write] = { "write",
			   { ENOSPC, EIO, EDQUOT, EFBIG, EINTR, INJECT_SHORT },
			   { ENOSPC, EIO, INJECT_SHORT } },
	[INJECT_read_socket] = { "read_socket",
				 { ENOMEM, EINTR, ECONNRESET },
				 { ENOMEM } },
	[INJECT_write_socket] = { "write_socket",
				  { EAGAIN, ENOBUFS, ENOMEM, EPIPE, EINTR },
				  { EAGAIN, ENOBUFS } },
	[INJECT_pwritev2] = { "pwritev2", { EAGAIN, EIO, EOPNOTSUPP }, { EAGAIN } },
	[INJECT_fsync] = { "fsync", { EIO, ENOSPC, EDQUOT }, { EIO } },
	[INJECT_fdatasync] = { "fdatasync", { EIO, ENOSPC, EDQUOT }, { EIO } },
	[INJECT_fcntl] = { "fcntl", { EMFILE, EINVAL }, { EMFILE } },
	[INJECT_fstat] = { "fstat", { EIO, ENOMEM, EOVERFLOW }, { EIO } },
	[INJECT_fstatat] = { "fstatat", { EIO, ENOMEM, EACCES }, { EIO } },
	[INJECT_fstatvfs] = { "fstatvfs", { EIO }, { EIO } },
	[INJECT_fdopendir] = { "fdopendir", { ENOMEM }, { ENOMEM } },
	[INJECT_readdir] = { "readdir", { EIO }, { EIO } },
	[INJECT_mkdirat] = { "mkdirat", { ENOSPC, EACCES, EDQUOT, EIO }, { ENOSPC } },
	[INJECT_renameat] = { "renameat", { ENOSPC, EIO, EROFS, EXDEV }, { EIO } },
	[INJECT_renameat2] = { "renameat2",
			       { ENOSPC, EIO, EROFS, EXDEV, EINVAL, ENOSYS },
			       { EIO, EINVAL } },
	[INJECT_linkat] = { "linkat", { EPERM, EIO, EMLINK }, { EPERM } },
	[INJECT_symlinkat] = { "symlinkat", { ENOSPC, EIO, EPERM }, { EPERM } },
	[INJECT_readlinkat] = { "readlinkat", { EIO, EACCES }, { EIO } },
	[INJECT_unlinkat] = { "unlinkat", { EIO, EROFS, EACCES }, { EIO } },
	[INJECT_ftruncate] = { "ftruncate", { EIO, EINTR }, { EIO } },
	[INJECT_futimens] = { "futimens", { EPERM, EIO, EROFS }, { EPERM } },
	[INJECT_flock] = { "flock", { ENOLCK, EINTR, EWOULDBLOCK }, { ENOLCK } },
};

static int count_errors(const int errors[MOST_ERRORS])
{
	int count = 0;

	while (count < MOST_ERRORS && errors[count] != 0)
		count++;
	return count;
}

/* ---- what is run ------------------------------------------------------------------------- */

enum outcome { RIGHT, REFUSED, CLOSED, SILENT, WRONG };

static const char *const outcome_names[] = { "right", "refused", "closed", "no answer",
					     "wrong" };

/* What a run without a fault came to. */
struct baseline {
	unsigned counts[INJECT_COUNT], total;
	int descriptors, threads;
	int children; /* workers that are there without a client */
};

struct program {
	const char *service, *model;
	bool udp;
	struct baseline baseline;
};

struct fault {
	int call, error;
	unsigned at, times;
};

static const char *bin, *preload_object, *self;
static char folder[TEXT]; /* of all runs */
static bool verbose;

/* One run; it has a process of its own. */
struct run {
	const struct program *program;
	const struct fault *fault; /* NULL: none */
	struct inject *inject;
	char folder[TEXT];
	pid_t pid;
	int status; /* of the server, when it has ended */
	int number; /* of conversations */
	int64_t timeout_ms;
	char why[TEXT]; /* it is not right */
};

static struct run run;
static char pattern[BIG_BYTES];

static enum outcome report(enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static enum outcome report(enum outcome outcome, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(run.why, sizeof run.why, format, arguments);
	va_end(arguments);
	return outcome;
}

/* ---- the honest client ------------------------------------------------------------------- */

static enum outcome outcome_of_errno(const char *what)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINPROGRESS)
		return report(SILENT, "%s: no answer", what);
	return report(CLOSED, "%s: %s", what, strerror(errno));
}

static int client_socket(int type)
{
	struct sockaddr_in server = { .sin_family = AF_INET };
	struct timeval time = { run.timeout_ms / 1000, run.timeout_ms % 1000 * 1000 };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	server.sin_port = htons((uint16_t)atomic_load(&run.inject->port));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
	if (connect(fd, (struct sockaddr *)&server, sizeof server) == 0)
		return fd;
	close(fd);
	return -1;
}

static enum outcome client_send(int fd, const void *bytes, size_t n)
{
	const char *from = bytes;

	while (n > 0) {
		ssize_t sent = send(fd, from, n, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return outcome_of_errno("send");
		if (sent > 0) {
			from += sent;
			n -= (size_t)sent;
		}
	}
	return RIGHT;
}

static enum outcome say(int fd, const char *text)
{
	return client_send(fd, text, strlen(text));
}

static enum outcome hear(int fd, void *bytes, size_t n)
{
	char *to = bytes;

	while (n > 0) {
		ssize_t got = recv(fd, to, n, 0);

		if (got == 0)
			return report(CLOSED, "the connection ended");
		if (got < 0 && errno != EINTR)
			return outcome_of_errno("recv");
		if (got > 0) {
			to += got;
			n -= (size_t)got;
		}
	}
	return RIGHT;
}

/* The bytes may stop early, but none may be another. */
static enum outcome expect(int fd, const char *bytes, size_t n)
{
	static char piece[65536];

	while (n > 0) {
		ssize_t got = recv(fd, piece, n < sizeof piece ? n : sizeof piece, 0);

		if (got == 0)
			return report(CLOSED, "the connection ended, %zu bytes short", n);
		if (got < 0 && errno != EINTR)
			return outcome_of_errno("recv");
		if (got > 0 && memcmp(piece, bytes, (size_t)got) != 0)
			return report(WRONG, "other bytes than expected: '%.40s'", piece);
		if (got > 0) {
			bytes += got;
			n -= (size_t)got;
		}
	}
	return RIGHT;
}

static enum outcome expect_end(int fd)
{
	char byte;
	ssize_t n;

	do
		n = recv(fd, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return report(WRONG, "a byte more than expected: '%c'", byte);
	return n == 0 ? RIGHT : outcome_of_errno("at the end");
}

/* A line without its end. */
static enum outcome hear_line(int fd, char line[TEXT])
{
	enum outcome outcome = RIGHT;
	size_t n = 0;

	do
		outcome = hear(fd, line + n, 1);
	while (outcome == RIGHT && line[n++] != '\n' && n < TEXT - 1);
	line[n > 0 ? n - 1 : 0] = '\0';
	return outcome;
}

/* Lines until one has @p text in it. */
static enum outcome hear_of(int fd, const char *text, char line[TEXT])
{
	enum outcome outcome;

	do
		outcome = hear_line(fd, line);
	while (outcome == RIGHT && strstr(line, text) == NULL);
	return outcome;
}

#define TRY(step)                                                                        \
	do {                                                                             \
		enum outcome tried = (step);                                             \
		if (tried != RIGHT)                                                      \
			return tried;                                                    \
	} while (0)

/* ---- a conversation for each service ------------------------------------------------------ */

static enum outcome talk_echo(int fd)
{
	TRY(client_send(fd, pattern, 5));
	TRY(expect(fd, pattern, 5));
	TRY(client_send(fd, pattern, ECHO_BYTES));
	TRY(expect(fd, pattern, ECHO_BYTES));
	shutdown(fd, SHUT_WR);
	return expect_end(fd);
}

static enum outcome talk_discard(int fd)
{
	TRY(client_send(fd, pattern, ECHO_BYTES));
	shutdown(fd, SHUT_WR);
	return expect_end(fd);
}

static enum outcome talk_chargen(int fd)
{
	static char lines[CHARGEN_BYTES];
	enum { PRINTABLE = 95, WIDTH = 72, LINE = WIDTH + 2 };

	for (int i = 0; i < CHARGEN_BYTES; i++) {
		int line = i / LINE, column = i % LINE;

		lines[i] = column < WIDTH ? (char)(' ' + (line + column) % PRINTABLE)
					  : "\r\n"[column - WIDTH];
	}
	return expect(fd, lines, sizeof lines);
}

static enum outcome is_date(const char *line)
{
	int year, month, day, hour;

	if (sscanf(line, "%d-%d-%dT%d:", &year, &month, &day, &hour) == 4)
		return RIGHT;
	return report(WRONG, "no date: '%s'", line);
}

static enum outcome talk_daytime(int fd)
{
	char line[TEXT];

	TRY(hear_line(fd, line));
	TRY(is_date(line));
	return expect_end(fd);
}

static enum outcome talk_greet(int fd)
{
	char line[TEXT];

	TRY(hear_line(fd, line));
	if (strncmp(line, "good day", 8) != 0)
		return report(WRONG, "'%s' is no greeting", line);
	return expect_end(fd);
}

static enum outcome talk_reply(int fd)
{
	char line[TEXT];

	for (int i = 0; i < 3; i++) {
		TRY(say(fd, "hello\n"));
		TRY(hear_line(fd, line));
		if (strncmp(line, "got hello", 9) != 0)
			return report(WRONG, "'%s' is no reply", line);
	}
	shutdown(fd, SHUT_WR);
	return expect_end(fd);
}

/* @param body  NULL: any */
static enum outcome fetch(int fd, const char *target, const char *body, size_t length)
{
	char line[TEXT], request[TEXT];
	int status = 0;
	size_t announced = 0;

	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
	TRY(say(fd, request));
	TRY(hear_line(fd, line));
	if (sscanf(line, "HTTP/1.1 %d ", &status) != 1)
		return report(WRONG, "no status line: '%s'", line);
	for (;;) {
		TRY(hear_line(fd, line));
		if (strcmp(line, "\r") == 0)
			break;
		sscanf(line, "Content-Length: %zu", &announced);
	}
	if (status == 200 && body != NULL && announced != length)
		return report(WRONG, "%s: %zu bytes of %zu", target, announced, length);
	if (status == 200 && body != NULL)
		return expect(fd, body, length);
	for (size_t i = 0; i < announced; i++)
		TRY(hear(fd, line, 1));
	return status == 200 ? RIGHT : report(REFUSED, "%s: %d", target, status);
}

/* The answer that is an error leaves the connection usable, or closes it. */
static enum outcome talk_http(int fd)
{
	TRY(fetch(fd, "/index.html", pattern, 100));
	TRY(fetch(fd, "/big.bin", pattern, BIG_BYTES));
	TRY(fetch(fd, "/list/", NULL, 0));
	TRY(fetch(fd, "/", pattern, 100));
	shutdown(fd, SHUT_WR);
	return expect_end(fd);
}

static enum outcome leave_chat(int fd)
{
	char line[TEXT];

	TRY(say(fd, "/quit\n"));
	TRY(hear_of(fd, "goodbye", line));
	return expect_end(fd);
}

/* In the model iterative nobody else is there. */
static enum outcome talk_chat_alone(int fd)
{
	char line[TEXT];

	TRY(hear_of(fd, "you are in lobby", line));
	TRY(say(fd, "/ping\n"));
	TRY(hear_of(fd, "pong", line));
	return leave_chat(fd);
}

/* Drops what has come. @return whether the connection has ended */
static bool is_over(int fd)
{
	char piece[TEXT];
	ssize_t n;

	do
		n = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
	while (n > 0);
	return n == 0 || errno != EAGAIN;
}

/* Waits for a line, as long as the one who is to cause it is there. */
static enum outcome await_line(int fd, int cause)
{
	int64_t end = clock_milliseconds() + run.timeout_ms;

	while (io_wait(fd, POLLIN, 50) == 0) {
		if (is_over(cause))
			return report(CLOSED, "the other client's connection ended");
		if (clock_milliseconds() > end)
			return report(SILENT, "nothing is heard");
	}
	return RIGHT;
}

static enum outcome talk_chat_with(int fd, int other)
{
	char line[TEXT], text[32];

	snprintf(text, sizeof text, "good day %d\n", run.number);
	TRY(hear_of(other, "you are in lobby", line));
	TRY(say(fd, text));
	text[strlen(text) - 1] = '\0';
	do {
		TRY(await_line(other, fd));
		TRY(hear_line(other, line));
	} while (strstr(line, text) == NULL);
	return leave_chat(other);
}

static enum outcome talk_chat(int fd)
{
	char line[TEXT];
	enum outcome outcome;
	int other;

	if (strcmp(run.program->model, "iterative") == 0)
		return talk_chat_alone(fd);
	TRY(hear_of(fd, "you are in lobby", line));
	other = client_socket(SOCK_STREAM);
	if (other < 0)
		return outcome_of_errno("connect");
	outcome = talk_chat_with(fd, other);
	close(other);
	return outcome == RIGHT ? leave_chat(fd) : outcome;
}

/* ---- of filed ---- */

static void put_path(char path[2 * TEXT])
{
	snprintf(path, 2 * TEXT, "%s/files/in/f%d", run.folder, run.number);
}

/* @return 1: it is there and whole; 0: it is not there; -1: it is something else */
static int put_state(void)
{
	static char found[FILE_BYTES + 1];
	char path[2 * TEXT];
	ssize_t n;
	int fd;

	put_path(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	n = io_read_all(fd, found, sizeof found);
	close(fd);
	return n == FILE_BYTES && memcmp(found, pattern, FILE_BYTES) == 0 ? 1 : -1;
}

static enum outcome refused_line(const char *line)
{
	if (strncmp(line, "ERR ", 4) == 0)
		return report(REFUSED, "%s", line);
	return report(WRONG, "'%s'", line);
}

/* Whatever was said or not: what has the name is whole, and was not there too early. */
static enum outcome put(int fd)
{
	struct checksum sum = { 0 };
	char line[TEXT], text[TEXT];
	unsigned failed_syncs = atomic_load(&run.inject->failed_syncs);

	checksum_add(&sum, pattern, FILE_BYTES);
	snprintf(text, sizeof text, "PUT in/f%d %d 1700000000\n", run.number, FILE_BYTES);
	TRY(say(fd, text));
	TRY(hear_line(fd, line));
	if (strcmp(line, "SEND 0") != 0)
		return refused_line(line);
	TRY(client_send(fd, pattern, FILE_BYTES / 2));
	if (put_state() != 0)
		return report(WRONG, "half a file has its name already");
	TRY(client_send(fd, pattern + FILE_BYTES / 2, FILE_BYTES - FILE_BYTES / 2));
	if (put_state() != 0)
		return report(WRONG, "the file has its name before its sum has come");
	snprintf(text, sizeof text, "SUM %u\n", checksum_value(&sum));
	TRY(say(fd, text));
	TRY(hear_line(fd, line));
	snprintf(text, sizeof text, "DONE %d %u", FILE_BYTES, checksum_value(&sum));
	if (strcmp(line, text) != 0)
		return refused_line(line);
	if (atomic_load(&run.inject->failed_syncs) != failed_syncs)
		return report(WRONG, "DONE, though it could not be brought to disk");
	return put_state() == 1 ? RIGHT : report(WRONG, "DONE, and it is not there");
}

static enum outcome get(int fd)
{
	struct checksum sum = { 0 };
	char line[TEXT], text[TEXT];

	checksum_add(&sum, pattern, BIG_BYTES);
	TRY(say(fd, "GET big.bin\n"));
	TRY(hear_line(fd, line));
	if (strncmp(line, "FILE 300000 ", 12) != 0)
		return refused_line(line);
	TRY(expect(fd, pattern, BIG_BYTES));
	TRY(hear_line(fd, line));
	snprintf(text, sizeof text, "SUM %u", checksum_value(&sum));
	if (strcmp(line, text) != 0)
		return report(WRONG, "'%s', not '%s'", line, text);
	TRY(say(fd, "GET big.bin 100 nosum\n"));
	TRY(hear_line(fd, line));
	if (strncmp(line, "FILE 300000 ", 12) != 0)
		return refused_line(line);
	TRY(expect(fd, pattern + 100, BIG_BYTES - 100));
	TRY(hear_line(fd, line));
	return strcmp(line, "SUM -") == 0 ? RIGHT : report(WRONG, "'%s'", line);
}

/* Three are there from the beginning. */
static enum outcome list(int fd)
{
	char line[TEXT];
	unsigned count;

	TRY(say(fd, "LIST list\n"));
	TRY(hear_line(fd, line));
	if (sscanf(line, "ENTRIES %u", &count) != 1)
		return refused_line(line);
	for (unsigned i = 0; i < count; i++) {
		char entry[TEXT];

		TRY(hear_line(fd, entry));
	}
	return count == 3 ? RIGHT : report(WRONG, "%u entries, not 3", count);
}

static enum outcome talk_file(int fd)
{
	char line[TEXT];

	TRY(put(fd));
	TRY(get(fd));
	TRY(list(fd));
	TRY(say(fd, "STAT big.bin\n"));
	TRY(hear_line(fd, line));
	if (strncmp(line, "STAT F 300000 ", 14) != 0)
		return refused_line(line);
	TRY(say(fd, "QUIT\n"));
	TRY(hear_line(fd, line));
	return expect_end(fd);
}

/* ---- datagrams ---- */

/* A datagram may be lost, so it is sent again. @return the length of the reply, or -1 */
static ssize_t ask(int fd, const char *bytes, size_t n, char *reply, size_t size)
{
	int64_t end = clock_milliseconds() + run.timeout_ms;

	for (int i = 0; i < UDP_TRIES; i++) {
		ssize_t got = -1;

		send(fd, bytes, n, MSG_NOSIGNAL);
		if (io_wait(fd, POLLIN, UDP_WAIT) > 0)
			got = recv(fd, reply, size, 0);
		if (got >= 0)
			return got;
		if (clock_milliseconds() > end)
			break;
	}
	return -1;
}

static enum outcome check_reply(const char *reply, ssize_t n)
{
	static char text[TEXT];
	const char *service = run.program->service;

	snprintf(text, sizeof text, "%.*s", (int)(n < TEXT ? n : TEXT - 1), reply);
	if (strcmp(service, "echo") == 0)
		return n == 40 && memcmp(reply, pattern, 40) == 0
			       ? RIGHT
			       : report(WRONG, "an echo of %zd bytes", n);
	if (strcmp(service, "daytime") == 0)
		return is_date(text);
	if (strcmp(service, "greet") == 0 && strncmp(text, "good day", 8) != 0)
		return report(WRONG, "'%s'", text);
	if (strcmp(service, "reply") == 0 && strncmp(text, "got ", 4) != 0)
		return report(WRONG, "'%s'", text);
	return RIGHT;
}

static enum outcome talk_datagrams(int fd)
{
	static char reply[65536];
	ssize_t n;

	for (int i = 0; i < 3; i++) {
		if (strcmp(run.program->service, "discard") == 0) {
			send(fd, pattern, 40, MSG_NOSIGNAL);
			continue;
		}
		n = ask(fd, pattern, 40, reply, sizeof reply);
		if (n < 0)
			return report(SILENT, "no reply");
		TRY(check_reply(reply, n));
	}
	return RIGHT;
}

static const struct {
	const char *service;
	enum outcome (*talk)(int fd);
	bool udp;
	const char *options[8]; /* "@" stands for the run's folder */
} conversations[] = {
	{ "echo", talk_echo, true, { NULL } },
	{ "discard", talk_discard, true, { "-o" } },
	{ "chargen", talk_chargen, true, { NULL } },
	{ "daytime", talk_daytime, true, { NULL } },
	{ "greet", talk_greet, true, { "-m", "good day" } },
	{ "reply", talk_reply, true, { "-m", "got {}" } },
	{ "http", talk_http, false, { "-l", "-L", "@/log", "-r", "@/files" } },
	{ "chat", talk_chat, false, { NULL } },
	{ "file", talk_file, false, { "-r", "@/files" } },
};

enum { SERVICES = sizeof conversations / sizeof *conversations };

static int service_index(const char *service)
{
	int i = 0;

	while (i < SERVICES && strcmp(conversations[i].service, service) != 0)
		i++;
	return i;
}

/* One conversation, to its end. */
static enum outcome talk(int64_t timeout_ms)
{
	bool udp = run.program->udp;
	enum outcome outcome;
	int fd;

	run.timeout_ms = timeout_ms;
	run.number++;
	run.why[0] = '\0';
	fd = client_socket(udp ? SOCK_DGRAM : SOCK_STREAM);
	if (fd < 0)
		return outcome_of_errno("connect");
	outcome = udp ? talk_datagrams(fd)
		      : conversations[service_index(run.program->service)].talk(fd);
	close(fd);
	if (strcmp(run.program->service, "file") == 0 && put_state() < 0)
		outcome = report(WRONG, "a file that is not whole has its name");
	return outcome;
}

/* ---- the server --------------------------------------------------------------------------- */

static void make_file(const char *name, size_t n)
{
	char path[2 * TEXT];
	int fd;

	snprintf(path, sizeof path, "%s/files/%s", run.folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || io_write(fd, pattern, n) != (ssize_t)n)
		_exit(2);
	close(fd);
}

static void make_folder(const char *name)
{
	char path[2 * TEXT];

	snprintf(path, sizeof path, "%s%s", run.folder, name);
	if (mkdir(path, 0755) < 0)
		_exit(2);
}

static void make_folders(void)
{
	if (snprintf(run.folder, sizeof run.folder, "%s/%ld", folder, (long)getpid()) >=
	    TEXT)
		_exit(2);
	make_folder("");
	make_folder("/files");
	make_folder("/files/list");
	make_file("index.html", 100);
	make_file("big.bin", BIG_BYTES);
	make_file("list/a", 1);
	make_file("list/b", 2);
	make_file("list/c", 3);
}

static void share(void)
{
	char path[2 * TEXT];
	int fd;

	snprintf(path, sizeof path, "%s/inject", run.folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof *run.inject) < 0)
		_exit(2);
	run.inject =
		mmap(NULL, sizeof *run.inject, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run.inject == MAP_FAILED)
		_exit(2);
	close(fd);
	run.inject->call = run.fault != NULL ? run.fault->call : -1;
	if (run.fault != NULL) {
		run.inject->error = run.fault->error;
		run.inject->at = run.fault->at;
		run.inject->times = run.fault->times;
	}
}

static void redirect(int fd, const char *name)
{
	char path[2 * TEXT];
	int file;

	snprintf(path, sizeof path, "%s/%s", run.folder, name);
	file = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
	if (file < 0 || dup2(file, fd) < 0)
		_exit(2);
	close(file);
}

static void become_server(void)
{
	char path[2 * TEXT], file[2 * TEXT];
	static char texts[8][2 * TEXT];
	const char *arguments[16] = { path, "-p", "0", run.program->udp ? "-u" : NULL };
	int count = run.program->udp ? 4 : 3;
	const char *const *options =
		conversations[service_index(run.program->service)].options;

	for (int i = 0; options[i] != NULL; i++) {
		snprintf(texts[i], sizeof texts[i], "%s%s",
			 *options[i] == '@' ? run.folder : "",
			 options[i] + (*options[i] == '@'));
		arguments[count++] = texts[i];
	}
	if (run.program->udp)
		arguments[count++] = "--amplify";
	snprintf(path, sizeof path, "%s/%sd-%s", bin, run.program->service,
		 run.program->model);
	snprintf(file, sizeof file, "%s/inject", run.folder);
	setenv("INJECT", file, 1);
	setenv("LD_PRELOAD", preload_object, 1);
	redirect(STDOUT_FILENO, "output");
	redirect(STDERR_FILENO, "errors");
	execv(path, (char *const *)(uintptr_t)arguments);
	_exit(127);
}

static void start_server(void)
{
	make_folders();
	share();
	run.pid = fork();
	if (run.pid == 0)
		become_server();
}

/* What it has said, in memory that lasts until the next call. */
static const char *errors(void)
{
	static char text[8192];
	char path[2 * TEXT];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/errors", run.folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? io_read_all(fd, text, sizeof text - 1) : 0;
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

static bool has_ended(void)
{
	if (run.pid > 0 && waitpid(run.pid, &run.status, WNOHANG) == run.pid)
		run.pid = 0;
	return run.pid == 0;
}

/* It listens, and has begun to wait for clients: before that it may still find that it cannot
 * begin. */
static bool serves(void)
{
	const atomic_uint *counts = run.inject->counts;

	return atomic_load(&run.inject->port) != 0 &&
	       atomic_load(&counts[INJECT_pselect]) + atomic_load(&counts[INJECT_ppoll]) +
			       atomic_load(&counts[INJECT_epoll_pwait]) +
			       atomic_load(&counts[INJECT_uring_enter]) >
		       0;
}

static bool is_ready(void)
{
	return has_ended() || serves();
}

static int count_entries(const char *what)
{
	char path[TEXT];
	DIR *stream;
	int count = 0;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)run.pid, what);
	stream = opendir(path);
	while (stream != NULL && readdir(stream) != NULL)
		count++;
	if (stream != NULL)
		closedir(stream);
	return count - 2; /* . and .. */
}

/* Dead ones that nobody has waited for included. */
static int count_children(void)
{
	char path[TEXT], text[4096];
	int fd, count = 0;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)run.pid,
		 (long)run.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? io_read_all(fd, text, sizeof text) : 0;
	close(fd);
	for (ssize_t i = 0; i < n; i++)
		count += text[i] == ' ';
	return count;
}

static int descriptors_left, threads_left, children_left;

/* Its processes are there before the clients. Over UDP each peer has one of its own. */
static bool has_standing_workers(void)
{
	return strcmp(run.program->model, "prefork") == 0 && !run.program->udp;
}

/* What a peer on UDP has stays until it has been silent for long. */
static bool nothing_is_left(void)
{
	const struct baseline *baseline = &run.program->baseline;
	int peers = run.program->udp ? run.number : 0;

	descriptors_left = count_entries("fd");
	threads_left = count_entries("task");
	children_left = count_children();
	if (run.fault == NULL)
		return has_standing_workers() || children_left <= peers;
	return descriptors_left <= baseline->descriptors + 2 * peers &&
	       threads_left <= baseline->threads + peers &&
	       children_left <= baseline->children + peers;
}

/* Without a fault: two looks that see the same. */
static bool is_settled(void)
{
	int before = descriptors_left + threads_left + children_left;

	return nothing_is_left() &&
	       descriptors_left + threads_left + children_left == before;
}

static bool eventually(bool (*condition)(void), int64_t milliseconds)
{
	int64_t end = clock_milliseconds() + milliseconds;
	int pause = 1;

	while (!condition()) {
		if (clock_milliseconds() >= end)
			return false;
		poll(NULL, 0, pause);
		pause = pause < 20 ? pause * 2 : 20;
	}
	return true;
}

static bool no_orphan(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

/* ---- a run -------------------------------------------------------------------------------- */

static bool fault_is_over(void)
{
	return run.fault == NULL ||
	       atomic_load(&run.inject->injected) >= run.fault->times;
}

/* It has ended though nobody has told it to. Only at the start it may. */
static enum outcome check_failed_start(void)
{
	const char *log = errors();
	bool may_be_silent = run.fault != NULL && run.fault->call == INJECT_write;
	/* Without memory libc does not know "0" for a port: bad usage, it seems. */
	bool may_be_usage = run.fault != NULL && (run.fault->call == INJECT_malloc ||
						  run.fault->call == INJECT_calloc);

	if (WIFSIGNALED(run.status))
		return report(WRONG, "signal %d ended it", WTERMSIG(run.status));
	if (run.fault == NULL || atomic_load(&run.inject->injected) == 0)
		return report(WRONG, "it ended with status %d", WEXITSTATUS(run.status));
	if (serves())
		return report(WRONG, "it ended in the middle, with status %d",
			      WEXITSTATUS(run.status));
	if (WEXITSTATUS(run.status) != 1 &&
	    !(may_be_usage && WEXITSTATUS(run.status) == 2))
		return report(WRONG, "it could not start: status %d, not 1",
			      WEXITSTATUS(run.status));
	if (*log == '\0' && !may_be_silent)
		return report(WRONG, "it could not start, and did not say why");
	return RIGHT;
}

/* Whatever the fault does, until it is over, and then a client like any other. */
static enum outcome talk_until_right(void)
{
	enum { MOST = 6 };
	enum outcome outcome = RIGHT;
	bool was_over;

	for (int i = 0; i < MOST; i++) {
		was_over = fault_is_over();
		outcome = talk(WAIT_MS);
		if (outcome == WRONG || has_ended())
			return outcome;
		if (outcome == SILENT)
			return report(WRONG, "no answer");
		if (outcome == RIGHT && i + 1 >= CONVERSATIONS)
			return RIGHT;
		if (outcome != RIGHT && was_over)
			return report(WRONG, "%s, though the fault is over: %s",
				      outcome_names[outcome], strdup(run.why));
	}
	return outcome == RIGHT ? RIGHT : report(WRONG, "not served in %d times", MOST);
}

/* It may do nothing for its clients while the fault lasts, but it must do no harm. */
static enum outcome talk_in_a_fault_that_lasts(void)
{
	enum outcome outcome;
	bool stops_in_it = run.fault->at % 2 == 0;

	for (int i = 0; i < CONVERSATIONS && !has_ended(); i++) {
		outcome = talk(QUIET_MS);
		if (outcome == WRONG)
			return outcome;
	}
	if (stops_in_it || has_ended())
		return RIGHT;
	atomic_store(&run.inject->lifted, true);
	outcome = talk(WAIT_MS);
	if (outcome == RIGHT || has_ended())
		return RIGHT;
	/* What it had begun with in the fault may end so. The next is served. */
	outcome = talk(WAIT_MS);
	return outcome == RIGHT ? RIGHT
				: report(WRONG, "%s, though the fault is over: %s",
					 outcome_names[outcome], strdup(run.why));
}

static unsigned count_in_errors(const char *text)
{
	unsigned count = 0;

	for (const char *at = errors(); (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

/* A call by which the server waits for clients, and that fails again and again, is told of
 * once. */
static enum outcome check_message(void)
{
	int call = run.fault->call;
	unsigned count = count_in_errors(": further clients wait\n") +
			 count_in_errors(": trying again\n");

	if (run.fault->times == 1 ||
	    (call != INJECT_accept4 && call != INJECT_pselect && call != INJECT_ppoll &&
	     call != INJECT_epoll_pwait && call != INJECT_uring_enter &&
	     (call != INJECT_recvmsg || !run.program->udp)))
		return RIGHT;
	if (count > 1)
		return report(WRONG, "it says %u times what lasts", count);
	if (count == 0 && atomic_load(&run.inject->injected) > RETRY_AT_ONCE + 2)
		return report(WRONG, "it does not say what lasts");
	return RIGHT;
}

static enum outcome check_calls(void)
{
	unsigned total = atomic_load(&run.inject->total);

	if (run.fault == NULL)
		return RIGHT;
	if (total > 4 * run.program->baseline.total + CALLS_MORE)
		return report(WRONG, "it spins: %u calls, where %u do", total,
			      run.program->baseline.total);
	if (run.fault->times == 1 && atomic_load(&run.inject->sleeps) > 0)
		return report(WRONG, "one error delays the clients");
	return check_message();
}

static enum outcome stop_server(void)
{
	kill(run.pid, SIGTERM);
	if (!eventually(has_ended, WAIT_MS))
		return report(WRONG, "it does not stop");
	if (!WIFEXITED(run.status) || WEXITSTATUS(run.status) != 0)
		return report(WRONG, "it stopped with wait status %#x",
			      (unsigned)run.status);
	if (!eventually(no_orphan, WAIT_MS))
		return report(WRONG, "it left a process behind");
	if (atomic_load(&run.inject->crashes) > 0)
		return report(WRONG, "a child crashed");
	return RIGHT;
}

static void note_baseline(struct baseline *baseline)
{
	baseline->descriptors = descriptors_left;
	baseline->threads = threads_left;
	baseline->children = has_standing_workers() ? children_left : 0;
}

static void note_counts(struct baseline *baseline)
{
	baseline->total = atomic_load(&run.inject->total);
	for (int i = 0; i < INJECT_COUNT; i++)
		baseline->counts[i] = atomic_load(&run.inject->counts[i]);
}

static enum outcome carry_out(struct baseline *baseline)
{
	start_server();
	if (!eventually(is_ready, WAIT_MS))
		return report(WRONG, "it neither listens nor ends");
	if (!has_ended())
		TRY(run.fault != NULL && run.fault->times == 0
			    ? talk_in_a_fault_that_lasts()
			    : talk_until_right());
	if (has_ended())
		return check_failed_start();
	if (run.fault == NULL && !eventually(is_settled, WAIT_MS))
		return report(WRONG, "it does not settle");
	if (run.fault == NULL)
		note_baseline(baseline);
	else if (run.fault->times != 0 && !eventually(nothing_is_left, WAIT_MS))
		return report(WRONG,
			      "left over: %d descriptors of %d, %d threads of %d, "
			      "%d children",
			      descriptors_left, run.program->baseline.descriptors,
			      threads_left, run.program->baseline.threads, children_left);
	TRY(stop_server());
	if (run.fault == NULL)
		note_counts(baseline);
	return check_calls();
}

static const char *error_name(int error)
{
	return error == INJECT_SHORT ? "SHORT" : strerrorname_np(error);
}

static void say_failure(void)
{
	char line[4 * TEXT];
	int n;

	n = snprintf(line, sizeof line, "inject: %s: %s %s %s --run '%s %s %s", run.why,
		     self, bin, preload_object, run.program->service, run.program->model,
		     run.program->udp ? "udp" : "tcp");
	if (run.fault != NULL)
		n += snprintf(line + n, sizeof line - (size_t)n, " %s %u %s %u",
			      kinds[run.fault->call].name, run.fault->at,
			      error_name(run.fault->error), run.fault->times);
	n += snprintf(line + n, sizeof line - (size_t)n, "'\n");
	io_write(STDOUT_FILENO, line, (size_t)n);
}

static void end_all_processes(void)
{
	if (run.pid > 0)
		kill(run.pid, SIGKILL);
	for (;;) { /* what it has left behind is our child now */
		char path[TEXT], text[4096];
		char *rest = text;
		int fd;
		ssize_t n;

		snprintf(path, sizeof path, "/proc/self/task/%ld/children",
			 (long)getpid());
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd >= 0 ? io_read_all(fd, text, sizeof text - 1) : 0;
		close(fd);
		text[n > 0 ? n : 0] = '\0';
		for (long pid; (pid = strtol(rest, &rest, 10)) > 0;)
			kill((pid_t)pid, SIGKILL);
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			return;
	}
}

/* Removes the folder of the run: three levels of plain files. */
static void remove_tree(const char *path)
{
	char below[3 * TEXT];
	const struct dirent *entry;
	DIR *stream = opendir(path);

	while (stream != NULL && (entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
		if (unlink(below) < 0)
			remove_tree(below);
	}
	if (stream != NULL)
		closedir(stream);
	rmdir(path);
}

static void time_is_over(int number)
{
	(void)number; /* the call that waits returns with EINTR, or is the last */
	if (run.pid > 0)
		kill(run.pid, SIGKILL);
}

/* In a process of its own. @return its exit status */
static int perform(const struct program *program, const struct fault *fault,
		   struct baseline *baseline)
{
	enum outcome outcome;

	run.program = program;
	run.fault = fault;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	signal(SIGALRM, time_is_over);
	alarm(RUN_SECONDS);
	outcome = carry_out(baseline);
	if (outcome != RIGHT)
		say_failure();
	if (verbose)
		printf("%s\n%s", outcome == RIGHT ? "right" : run.why, errors());
	fflush(stdout);
	end_all_processes();
	remove_tree(run.folder);
	return outcome == RIGHT ? 0 : 1;
}

/* ---- all runs ------------------------------------------------------------------------------ */

static struct program *programs; /* shared with the runs: baselines come back */
static int program_count;
static int running, run_count, failure_count;

static void wait_for_one(void)
{
	int status;

	if (waitpid(-1, &status, 0) < 0)
		return;
	running--;
	if (status != 0)
		failure_count++;
}

static void begin_run(struct program *program, const struct fault *fault)
{
	pid_t pid;

	while (running >= JOBS)
		wait_for_one();
	run_count++;
	running++;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(perform(program, fault, &program->baseline));
	if (pid < 0) {
		perror("inject: fork");
		exit(2);
	}
}

/* SplitMix64: the same number always gives the same one. */
static unsigned scatter(uint64_t number)
{
	number += 0x9e3779b97f4a7c15u;
	number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
	number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
	return (unsigned)(number >> 33);
}

/* The number-th fault for a program: each call that it makes has its turn, and every third
 * fault is one that lasts. */
static bool choose(const struct program *program, unsigned index, unsigned number,
		   struct fault *fault)
{
	int calls[INJECT_COUNT], count = 0;
	unsigned random = scatter(index * 100003u + number);
	const int *errors;
	bool lasts;

	for (int i = 0; i < INJECT_COUNT; i++)
		if (program->baseline.counts[i] > 0)
			calls[count++] = i;
	if (count == 0)
		return false;
	fault->call = calls[(number + index * 7u) % (unsigned)count];
	lasts = number % 3 == 2 && kinds[fault->call].for_long[0] != 0;
	errors = lasts ? kinds[fault->call].for_long : kinds[fault->call].errors;
	fault->times = lasts ? 0 : 1;
	fault->error = errors[random % (unsigned)count_errors(errors)];
	fault->at = 1 + scatter(random) % program->baseline.counts[fault->call];
	return true;
}

static void add_program(const char *service, const char *model, bool udp)
{
	if (program_count == MOST_PROGRAMS)
		return;
	programs[program_count].service = service;
	programs[program_count].model = model;
	programs[program_count++].udp = udp;
}

static void collect_programs(void)
{
	static char models[] = SOCKWAYS_INJECTED_MODELS;

	for (char *model = strtok(models, " "); model != NULL; model = strtok(NULL, " "))
		for (int i = 0; i < SERVICES; i++) {
			add_program(conversations[i].service, model, false);
			if (conversations[i].udp)
				add_program(conversations[i].service, model, true);
		}
}

static void wait_for_all(void)
{
	while (running > 0)
		wait_for_one();
}

static int run_all(unsigned each)
{
	struct fault fault;

	for (int i = 0; i < program_count; i++)
		begin_run(&programs[i], NULL);
	wait_for_all();
	for (unsigned number = 0; number < each; number++)
		for (int i = 0; i < program_count; i++)
			if (choose(&programs[i], (unsigned)i, number, &fault))
				begin_run(&programs[i], &fault);
	wait_for_all();
	printf("faults injected:\n%d%%: Checks: %d, Failures: %d, Errors: 0\n",
	       (run_count - failure_count) * 100 / run_count, run_count, failure_count);
	return failure_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int find_error(const char *name)
{
	if (strcmp(name, "SHORT") == 0)
		return INJECT_SHORT;
	for (int i = 1; i < 200; i++)
		if (strerrorname_np(i) != NULL && strcmp(strerrorname_np(i), name) == 0)
			return i;
	return 0;
}

static int find_call(const char *name)
{
	for (int i = 0; i < INJECT_COUNT; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return i;
	return -1;
}

static int run_one(const char *text)
{
	char service[32], model[32], protocol[8], call[32], error[32];
	struct fault fault;
	int fields = sscanf(text, "%31s %31s %7s %31s %u %31s %u", service, model,
			    protocol, call, &fault.at, error, &fault.times);

	if (fields != 3 && fields != 7) {
		fprintf(stderr, "inject: not a run: '%s'\n", text);
		return 2;
	}
	add_program(strdup(service), strdup(model), strcmp(protocol, "udp") == 0);
	begin_run(&programs[0], NULL);
	wait_for_all();
	if (fields == 7) {
		fault.call = find_call(call);
		fault.error = find_error(error);
		verbose = true;
		begin_run(&programs[0], &fault);
		wait_for_all();
	}
	return failure_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const char *temporary = getenv("TMPDIR");
	int status;

	if (argc < 4) {
		fprintf(stderr, "usage: inject BIN PRELOAD COUNT | --run RUN\n");
		return 2;
	}
	self = argv[0];
	bin = argv[1];
	preload_object = argv[2];
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (char)('a' + scatter(i) % 26);
	programs = mmap(NULL, MOST_PROGRAMS * sizeof *programs, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(folder, sizeof folder, "%s/inject-XXXXXX",
		 temporary != NULL ? temporary : "/tmp");
	if (programs == MAP_FAILED || mkdtemp(folder) == NULL) {
		perror("inject");
		return 2;
	}
	if (strcmp(argv[3], "--run") == 0 && argc == 5) {
		status = run_one(argv[4]);
	} else {
		collect_programs();
		status = run_all((unsigned)strtoul(argv[3], NULL, 10));
	}
	remove_tree(folder);
	return status;
}
