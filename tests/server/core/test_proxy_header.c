/*
 * A PROXY protocol header at the beginning of a connection, in every model and service: the
 * server closes, and tells the operator. See server/core/proxy_header.h.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "common/io.h"
#include "common/sock.h"
#include "server/core/proxy_header.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

/* ---- what a proxy sends ------------------------------------------------------------------ */

struct bytes {
	const char *bytes;
	size_t length;
};

#define BYTES(text)                                                                      \
	{                                                                                \
		text, sizeof(text) - 1                                                   \
	}

#define VERSION_2 "\r\n\r\n\0\r\nQUIT\n"

/* In version 2: version and command, family, length, addresses and ports. */
static const struct bytes headers[] = {
	BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"),
	BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n"),
	BYTES("PROXY UNKNOWN\r\n"),
	BYTES("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"),
	BYTES(VERSION_2
	      "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb"),
	BYTES(VERSION_2 "\x20\x00\x00\x00"), /* LOCAL: a health check */
};

enum { HEADERS = sizeof headers / sizeof *headers };

/* What begins like one, and is a client's own. */
static const struct bytes others[] = {
	BYTES("P"),
	BYTES("PROXY"),
	BYTES("PROXY TCP4"),
	BYTES("PROXY TCP5 is what I mean\r\n"),
	BYTES("PROXY TCP4, and TCP6\r\n"),
	BYTES("PROXY UNKNOWNS\r\n"),
	BYTES("proxy tcp4 192.0.2.1\r\n"),
	BYTES(" PROXY TCP4 192.0.2.1\r\n"),
	BYTES("\r\n\r\n"),
	BYTES("\r\n\r\n\0\r\nQUIT"),
	BYTES("\r\n\r\n\0\r\nQUIT\r\n"),
	BYTES("\r\n\r\n" VERSION_2),
	BYTES("PROXY " VERSION_2),
};

enum { OTHERS = sizeof others / sizeof *others };

/* ---- the comparison ----------------------------------------------------------------------- */

/* In two pieces, cut at every place. */
START_TEST(a_header_is_recognised_wherever_it_is_cut)
{
	const struct bytes *bytes = &headers[_i];

	for (size_t cut = 0; cut <= bytes->length; cut++) {
		struct proxy_header header;
		bool seen;

		proxy_header_begin(&header);
		seen = proxy_header_take(&header, bytes->bytes, cut);
		if (!seen) {
			ck_assert(proxy_header_possible(&header));
			seen = proxy_header_take(&header, bytes->bytes + cut,
						 bytes->length - cut);
		}
		ck_assert(seen);
		ck_assert(!proxy_header_possible(&header));
	}
}
END_TEST

START_TEST(what_only_begins_like_a_header_is_none)
{
	struct proxy_header header;

	proxy_header_begin(&header);
	for (size_t i = 0; i < others[_i].length && proxy_header_possible(&header); i++)
		ck_assert(!proxy_header_take(&header, others[_i].bytes + i, 1));
	proxy_header_begin(&header);
	ck_assert(!proxy_header_take(&header, others[_i].bytes, others[_i].length));
}
END_TEST

/* ---- every model and service ---------------------------------------------------------------- */

static const char *const services[] = { "echo",  "discard", "chargen", "daytime", "greet",
					"reply", "http",    "chat",    "file" };

enum { ALL_SERVICES = sizeof services / sizeof *services };

static const char operator_line[] = "PROXY protocol header";

/* What it asks for behind the header, too. The server may close before it has read all. */
static void send_header(int fd, const struct bytes *header)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";

	client_send(fd, header->bytes, header->length);
	(void)send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
}

/* Reads to the end. @return how much came of what is not to come */
static size_t count_until_end(int fd, const char *text)
{
	static char bytes[65536];
	size_t found = 0;
	ssize_t n;

	while ((n = io_read(fd, bytes, sizeof bytes - 1)) > 0) {
		bytes[n] = '\0';
		found += strstr(bytes, text) != NULL;
	}
	ck_assert_msg(n == 0 || errno == ECONNRESET, "%s", strerror(errno));
	return found;
}

/* GIVEN a server of each service
   WHEN connections begin with a header, of both versions
   THEN the server closes each of them, answers nothing of it, and tells the operator once. */
static void expect_closed(int model, const char *service)
{
	const char *const folder[] = { "-r", "/", NULL };
	bool needs_folder = strcmp(service, "file") == 0;
	struct server server = model_start(model, service, needs_folder ? folder : NULL);

	for (int i = 0; i < HEADERS; i++) {
		int fd = client_connect(&server);

		send_header(fd, &headers[i]);
		ck_assert_uint_eq(count_until_end(fd, "PROXY"), 0);
		client_close(fd);
	}
	server_wait_line(&server, operator_line, WAIT_MS);
	server_finish(&server);
	if (model_shares_a_server(
		    model)) /* and so the minute in which it is not repeated */
		ck_assert_uint_eq(server_count_lines(&server, operator_line), 1);
}

START_TEST(a_connection_that_begins_with_a_header_is_closed)
{
	for (int i = 0; i < ALL_SERVICES; i++)
		expect_closed(_i, services[i]);
}
END_TEST

/* Each byte by itself, which the server reads before the next is sent: it comes back. */
static void send_byte_by_byte(int fd, const struct bytes *header)
{
	for (size_t i = 0; i < header->length; i++) {
		char byte;

		client_send(fd, header->bytes + i, 1);
		if (io_read(fd, &byte, 1) <= 0)
			return;
		ck_assert_int_eq(byte, header->bytes[i]);
	}
	ck_abort_msg("all of the header has come back");
}

/* GIVEN an echo server
   WHEN a header comes byte by byte, each byte after the echo of the one before
   THEN the server closes when the signature is complete. */
START_TEST(a_header_that_comes_byte_by_byte_is_recognised)
{
	struct server server = model_start(_i, "echo", NULL);

	for (int i = 0; i < HEADERS; i++) {
		int fd = client_connect(&server);

		send_byte_by_byte(fd, &headers[i]);
		client_close(fd);
	}
	server_finish(&server);
}
END_TEST

START_TEST(what_is_no_header_is_echoed)
{
	struct server server = model_start(_i, "echo", NULL);

	for (int i = 0; i < OTHERS; i++) {
		int fd = client_connect(&server);

		client_send(fd, others[i].bytes, others[i].length);
		client_expect(fd, others[i].bytes, others[i].length);
		client_half_close(fd);
		client_expect_end(fd);
		client_close(fd);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, operator_line), 0);
}
END_TEST

/* Only the first bytes of a connection count. */
START_TEST(a_header_that_comes_later_is_echoed)
{
	struct server server = model_start(_i, "echo", NULL);
	int fd = client_connect(&server);

	client_say(fd, "hello");
	client_hear(fd, "hello");
	for (int i = 0; i < HEADERS; i++) {
		client_send(fd, headers[i].bytes, headers[i].length);
		client_expect(fd, headers[i].bytes, headers[i].length);
	}
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* ---- chat: what others hear ------------------------------------------------------------------ */

/* GIVEN someone in the lobby
   WHEN a header comes, cut in two at every place
   THEN nothing of it is said there. */
START_TEST(nothing_of_a_header_is_delivered_in_a_room)
{
	struct server server;
	static char heard[65536];
	size_t length = 0;
	int alice;

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "chat", ARGUMENTS("-H", "0"));
	alice = client_connect(&server);
	client_say(alice, "/nick alice\n");
	for (int i = 0; i < HEADERS; i++) {
		size_t last = headers[i].length < 16 ? headers[i].length : 16;

		for (size_t cut = 1; cut < last; cut++) {
			int fd = client_connect(&server);

			ck_assert_int_eq(sock_set_nodelay(fd), 0);
			client_send(fd, headers[i].bytes, cut);
			(void)send(fd, headers[i].bytes + cut, headers[i].length - cut,
				   MSG_NOSIGNAL);
			count_until_end(fd, "PROXY");
			client_close(fd);
		}
	}
	client_say(alice, "/ping\n");
	do {
		ssize_t n = io_read(alice, heard + length, sizeof heard - 1 - length);

		ck_assert_int_gt(n, 0);
		length += (size_t)n;
		heard[length] = '\0';
	} while (strstr(heard, "* pong\n") == NULL);
	for (const char *line = heard; line != NULL && *line != '\0';) {
		ck_assert_msg(line[0] == '*', "somebody says: %s", line);
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	client_close(alice);
	server_finish(&server);
}
END_TEST

Suite *suite_proxy_header(void)
{
	Suite *suite = suite_create("proxy_header");
	TCase *tcase = add_case(suite, "the comparison");
	int models = kinds_count();

	tcase_add_loop_test(tcase, a_header_is_recognised_wherever_it_is_cut, 0, HEADERS);
	tcase_add_loop_test(tcase, what_only_begins_like_a_header_is_none, 0, OTHERS);
	tcase = add_case(suite, "every model");
	tcase_add_loop_test(tcase, a_connection_that_begins_with_a_header_is_closed, 0,
			    models);
	tcase_add_loop_test(tcase, a_header_that_comes_byte_by_byte_is_recognised, 0,
			    models);
	tcase_add_loop_test(tcase, what_is_no_header_is_echoed, 0, models);
	tcase_add_loop_test(tcase, a_header_that_comes_later_is_echoed, 0, models);
	tcase_add_loop_test(tcase, nothing_of_a_header_is_delivered_in_a_room, 0, models);
	return suite;
}
