#include "tests/client.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io.h"
#include "common/sock.h"
#include "common/text.h"
#include "tests/waiting.h"

enum { SHOWN_TEXT = 400, BLOCK = 64 * 1024 };

int client_connect_by(int type, const char *host, unsigned port)
{
	char digits[16];
	struct sock_target target = {
		.host = host,
		.port = digits,
		.type = type,
		.timeout = PATIENCE,
	};
	struct failure failure;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	snprintf(digits, sizeof digits, "%u", port);
	fd = sock_connect(&target, NULL, &failure);
	ck_assert_msg(fd >= 0, "%s", failure.text);
	ck_assert_int_eq(sock_set_timeout(fd, PATIENCE), 0);
	return fd;
}

int client_connect_to(const char *host, unsigned port)
{
	return client_connect_by(SOCK_STREAM, host, port);
}

void client_send(int fd, const void *bytes, size_t length)
{
	ssize_t n = io_write(fd, bytes, length);

	ck_assert_msg(n == (ssize_t)length, "client: sent %zd of %zu bytes: %s", n,
		      length, strerror(errno));
}

void client_send_urgent(int fd, const void *bytes, size_t length)
{
	ck_assert_int_eq(send(fd, bytes, length, MSG_OOB), (ssize_t)length);
}

void client_say(int fd, const char *text)
{
	client_send(fd, text, strlen(text));
}

/* Where a reply differs from what was expected is said with a few bytes of both. */
static void assert_same(const char *got, const char *expected, size_t length,
			size_t offset)
{
	char got_text[SHOWN_TEXT], expected_text[SHOWN_TEXT];
	size_t i = 0, shown;

	if (memcmp(got, expected, length) == 0)
		return;
	while (got[i] == expected[i])
		i++;
	shown = length - i < 40 ? length - i : 40;
	text_escape(got + i, shown, got_text, sizeof got_text);
	text_escape(expected + i, shown, expected_text, sizeof expected_text);
	ck_abort_msg("client: at offset %zu received '%s' where '%s' was expected",
		     offset + i, got_text, expected_text);
}

/* Reads at most length bytes, which must be the next of expected. @return how many */
static size_t expect_some(int fd, const char *expected, size_t length, size_t offset)
{
	char got[BLOCK];
	ssize_t n = io_read(fd, got, length < sizeof got ? length : sizeof got);

	ck_assert_msg(n != 0, "client: the stream ended after %zu bytes, %zu too early",
		      offset, length);
	ck_assert_msg(n > 0, "client: after %zu bytes, with %zu to come: %s", offset,
		      length, errno == EAGAIN ? "nothing more comes" : strerror(errno));
	assert_same(got, expected, (size_t)n, offset);
	return (size_t)n;
}

void client_expect(int fd, const void *bytes, size_t length)
{
	size_t got = 0;

	while (got < length)
		got += expect_some(fd, (const char *)bytes + got, length - got, got);
}

void client_hear(int fd, const char *text)
{
	client_expect(fd, text, strlen(text));
}

void client_expect_end(int fd)
{
	char more[100], text[SHOWN_TEXT] = "";
	ssize_t n = io_read(fd, more, sizeof more);

	if (n > 0)
		text_escape(more, (size_t)n, text, sizeof text);
	ck_assert_msg(n <= 0, "client: '%s' came where the stream should end", text);
	ck_assert_msg(n == 0, "client: the stream does not end: %s",
		      errno == EAGAIN ? "nothing comes" : strerror(errno));
}

/* Sends what the socket takes now. @return how much */
static size_t send_some(int fd, const char *bytes, size_t length)
{
	ssize_t n = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	ck_assert_msg(n >= 0 || errno == EAGAIN || errno == EINTR,
		      "client: cannot send: %s", strerror(errno));
	return n > 0 ? (size_t)n : 0;
}

void client_exchange(int fd, const void *request, size_t request_length,
		     const void *reply, size_t reply_length)
{
	size_t sent = 0, got = 0;

	while (sent < request_length || got < reply_length) {
		short wanted = (short)((sent < request_length ? POLLOUT : 0) |
				       (got < reply_length ? POLLIN : 0));
		int ready = io_wait(fd, wanted, PATIENCE);

		ck_assert_msg(ready > 0,
			      "client: nothing moves after %zu of %zu bytes sent, %zu of "
			      "%zu received",
			      sent, request_length, got, reply_length);
		if (got < reply_length && (ready & ~POLLOUT) != 0)
			got += expect_some(fd, (const char *)reply + got,
					   reply_length - got, got);
		if (sent < request_length && (ready & ~POLLIN) != 0)
			sent += send_some(fd, (const char *)request + sent,
					  request_length - sent);
	}
}

void client_half_close(int fd)
{
	ck_assert_msg(shutdown(fd, SHUT_WR) == 0, "client: cannot half-close: %s",
		      strerror(errno));
}

void client_close(int fd)
{
	ck_assert_int_eq(close(fd), 0);
}

void client_reset(int fd)
{
	ck_assert_int_eq(sock_set_abortive(fd), 0);
	ck_assert_int_eq(close(fd), 0);
}
