/*
 * --proxy-protocol: both versions of the header, byte by byte and in every model; and what
 * haproxy really sends. See server/core/proxy_client.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/io.h"
#include "common/sock.h"
#include "server/core/proxy_client.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

struct header {
	const char *bytes;
	size_t length;
	const char *client; /* as the server prints it; NULL: that of the connection */
};

#define BYTES(text) text, sizeof(text) - 1
#define VERSION_2   "\r\n\r\n\0\r\nQUIT\n"
#define IPV4        "\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x01\xbb"
#define SIXTEEN     "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define PATH_36     "/a/path\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define PATHS       PATH_36 PATH_36 PATH_36 PATH_36 PATH_36 PATH_36

/* Places in the table. */
enum { LINE = 0, BINARY = 5, HEALTH_CHECK = 9 };

static const struct header valid[] = {
	[LINE] = { BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"),
		   "192.0.2.1:56324" },
	{ BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	  "255.255.255.255:65535" },
	{ BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n"),
	  "[2001:db8::1]:56324" },
	{ BYTES("PROXY UNKNOWN\r\n"), NULL },
	{ BYTES("PROXY UNKNOWN ffff::1 ffff::2 65535 anything\r\n"), NULL },
	[BINARY] = { BYTES(VERSION_2 "\x21\x11\x00\x0c" IPV4), "192.0.2.1:56324" },
	{ BYTES(VERSION_2 "\x21\x21\x00\x24" SIXTEEN SIXTEEN "\xdc\x04\x01\xbb"),
	  "[2001:db8::1]:56324" },
	{ BYTES(VERSION_2 "\x21\x31\x00\xd8" PATHS), "local" },
	{ BYTES(VERSION_2 "\x21\x00\x00\x00"), NULL },
	[HEALTH_CHECK] = { BYTES(VERSION_2 "\x20\x00\x00\x00"), NULL },
	{ BYTES(VERSION_2 "\x20\xff\x00\x03xyz"), NULL },
	/* an extension of no bytes, and one with the name of the host */
	{ BYTES(VERSION_2 "\x21\x11\x00\x16" IPV4 "\x04\x00\x00\x02\x00\x04name"),
	  "192.0.2.1:56324" },
	/* a checksum */
	{ BYTES(VERSION_2 "\x21\x11\x00\x13" IPV4 "\x03\x00\x04\xd6\xc8\xc7\x5f"),
	  "192.0.2.1:56324" },
	{ BYTES(VERSION_2 "\x21\x00\x00\x0c" IPV4), NULL },
	/* clients of a proxy that receives datagrams */
	{ BYTES(VERSION_2 "\x21\x12\x00\x0c" IPV4), NULL },
	{ BYTES(VERSION_2 "\x21\x22\x00\x24" SIXTEEN SIXTEEN "\xdc\x04\x01\xbb"), NULL },
	{ BYTES(VERSION_2 "\x21\x32\x00\xd8" PATHS), NULL },
};

enum { VALID = sizeof valid / sizeof *valid };

static const struct header bad[] = {
	{ BYTES("GET / HTTP/1.0\r\n\r\n"), NULL },
	{ BYTES("proxy TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), NULL },
	{ BYTES("PROXY  TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), NULL },
	{ BYTES("PROXY TCP4 192.0.2.1  192.0.2.2 56324 443\r\n"), NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 \r\n"), NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n"), NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n"), NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 056324 443\r\n"), NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n"), NULL },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 -1 443\r\n"), NULL },
	{ BYTES("PROXY TCP4 192.0.2.256 192.0.2.2 1 443\r\n"), NULL },
	{ BYTES("PROXY TCP4 192.0.2.01 192.0.2.2 1 443\r\n"), NULL },
	{ BYTES("PROXY TCP4 ::1 ::1 1 443\r\n"), NULL },
	{ BYTES("PROXY TCP6 192.0.2.1 192.0.2.2 1 443\r\n"), NULL },
	{ BYTES("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 443\r\n"), NULL },
	{ BYTES("PROXY UDP4 192.0.2.1 192.0.2.2 1 443\r\n"), NULL },
	{ BYTES("PROXY \r\n"), NULL },
	/* 107 bytes without an end */
	{ BYTES("PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567"
		"89012345678901234567890123456789012"),
	  NULL },
	{ BYTES(VERSION_2 "\x11"), NULL },
	{ BYTES(VERSION_2 "\x22"), NULL },
	{ BYTES(VERSION_2 "\x21\x13\x00\x0c" IPV4), NULL },
	{ BYTES(VERSION_2 "\x21\x12\x00\x0b" IPV4), NULL },
	{ BYTES(VERSION_2 "\x21\x22\x00\x0c" IPV4), NULL },
	{ BYTES(VERSION_2 "\x21\x32\x00\x0c" IPV4), NULL },
	{ BYTES(VERSION_2 "\x21\x01\x00\x00"), NULL },
	{ BYTES(VERSION_2 "\x21\x11\x00\x0b" IPV4), NULL },
	{ BYTES(VERSION_2 "\x21\x21\x00\x0c" IPV4), NULL },
	{ BYTES(VERSION_2 "\x21\x31\x00\x0c" IPV4), NULL },
	{ BYTES(VERSION_2 "\x21\x11\xff\xff"), NULL },
	{ BYTES(VERSION_2 "\x21\x11\x00\x0e" IPV4 "\x04\x00"), NULL },
	{ BYTES(VERSION_2 "\x21\x11\x00\x10" IPV4 "\x04\x00\x02x"), NULL },
	{ BYTES(VERSION_2 "\x21\x11\x00\x13" IPV4 "\x03\x00\x04\xd6\xc8\xc7\x5e"), NULL },
	{ BYTES(VERSION_2 "\x21\x11\x00\x10" IPV4 "\x03\x00\x01\x47"), NULL },
};

enum { BAD = sizeof bad / sizeof *bad };

/* ---- the format ------------------------------------------------------------------------- */

/* In a buffer of its own size, so that a sanitizer finds a read behind it. */
static enum proxy_result read_prefix(const struct header *header, size_t n,
				     struct proxy_client *client)
{
	char *copy = malloc(n + 1);
	const char *why = NULL;
	enum proxy_result result;

	ck_assert_ptr_nonnull(copy);
	copy = realloc(copy, n > 0 ? n : 1);
	memcpy(copy, header->bytes, n);
	result = proxy_client_read(copy, n, client, &why);
	ck_assert_int_eq(result == PROXY_INVALID, why != NULL);
	free(copy);
	return result;
}

START_TEST(a_valid_header_is_complete_at_its_last_byte)
{
	const struct header *header = &valid[_i];
	struct proxy_client client;
	char text[ADDRESS_TEXT];

	for (size_t n = 0; n < header->length; n++)
		ck_assert_msg(read_prefix(header, n, &client) == PROXY_INCOMPLETE,
			      "header %d, byte %zu", _i, n);
	ck_assert_int_eq(read_prefix(header, header->length, &client), PROXY_COMPLETE);
	ck_assert_uint_eq(client.length, header->length);
	ck_assert_int_eq(client.known, header->client != NULL);
	if (client.known)
		ck_assert_str_eq(address_text(&client.address, text), header->client);
}
END_TEST

START_TEST(an_invalid_header_is_refused)
{
	struct proxy_client client;

	ck_assert_int_eq(read_prefix(&bad[_i], bad[_i].length, &client), PROXY_INVALID);
	for (size_t n = 0; n < bad[_i].length; n++)
		ck_assert_int_ne(read_prefix(&bad[_i], n, &client), PROXY_COMPLETE);
}
END_TEST

/* ---- every model ------------------------------------------------------------------------ */

static const char *const replies[] = { "--proxy-protocol", "-m", "{peer} {}", NULL };

/* The reply to "hello" names the client. */
static void hear_peer(int fd, const struct header *header)
{
	char own[ADDRESS_TEXT], reply[ADDRESS_TEXT + 16];

	snprintf(reply, sizeof reply, "%s hello\n",
		 header->client != NULL ? header->client : client_address(fd, own));
	client_hear(fd, reply);
}

/* GIVEN a server with --proxy-protocol
   WHEN a header and the first request come in one piece, and in two pieces, cut at every byte
   of one header of each version
   THEN the service gets the request only, and the peer is the client of the header. */
START_TEST(the_peer_is_the_client_of_the_header)
{
	struct server server = model_start(_i, "reply", replies);
	char bytes[512];

	for (int i = 0; i < VALID; i++) {
		bool cuts = i == LINE || i == BINARY;
		size_t length = valid[i].length + 6;

		memcpy(bytes, valid[i].bytes, valid[i].length);
		memcpy(bytes + valid[i].length, "hello\n", 6);
		for (size_t cut = cuts ? 1 : length; cut <= length; cut++) {
			int fd = client_connect(&server);

			ck_assert_int_eq(sock_set_nodelay(fd), 0);
			client_send(fd, bytes, cut);
			if (cut < length)
				client_send(fd, bytes + cut, length - cut);
			hear_peer(fd, &valid[i]);
			client_leave(fd);
		}
	}
	server_finish(&server);
}
END_TEST

/* Reads until the server closes. @return how many bytes came */
static size_t read_to_end(int fd)
{
	char bytes[4096];
	size_t length = 0;
	ssize_t n;

	while ((n = io_read(fd, bytes, sizeof bytes)) > 0)
		length += (size_t)n;
	ck_assert_msg(n == 0 || errno == ECONNRESET, "%s", strerror(errno));
	client_close(fd);
	return length;
}

/* GIVEN a server that speaks first
   WHEN a connection does not begin with a valid header
   THEN the server closes, says nothing, and tells the operator. */
START_TEST(a_connection_without_a_valid_header_is_closed)
{
	struct server server =
		model_start(_i, "greet", ARGUMENTS("--proxy-protocol", "-m", "good day"));

	for (int i = 0; i < BAD; i++) {
		int fd = client_connect(&server);

		client_send(fd, bad[i].bytes, bad[i].length);
		ck_assert_uint_eq(read_to_end(fd), 0);
	}
	server_wait_line(&server, "it does not begin with a PROXY header", WAIT_MS);
	server_finish(&server);
}
END_TEST

/* GIVEN a server that speaks first
   WHEN the header has not come yet
   THEN the server says nothing; and it greets after the header. */
START_TEST(the_greeting_comes_after_the_header)
{
	struct server server =
		model_start(_i, "greet", ARGUMENTS("--proxy-protocol", "-m", "good day"));
	int fd = client_connect(&server);

	client_send(fd, valid[LINE].bytes, valid[LINE].length - 1);
	ck_assert(!client_is_readable(fd, 30));
	client_send(fd, "\n", 1);
	client_hear(fd, "good day\n");
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* GIVEN an idle timeout
   WHEN nothing comes, or the header stops in its middle, or its bytes come one by one
   THEN the server closes. */
START_TEST(a_header_that_does_not_come_is_bounded_by_the_idle_timeout)
{
	struct server server =
		model_start(_i, "echo", ARGUMENTS("--proxy-protocol", "-t", "0.2"));
	int fd = client_connect(&server);

	ck_assert_uint_eq(read_to_end(fd), 0);
	fd = client_connect(&server);
	for (size_t i = 0; i < valid[LINE].length - 1; i++) {
		if (client_is_readable(fd, 20))
			break;
		(void)send(fd, valid[LINE].bytes + i, 1, MSG_NOSIGNAL);
		ck_assert_uint_lt(i, valid[LINE].length - 2);
	}
	ck_assert_uint_eq(read_to_end(fd), 0);
	server_finish(&server);
}
END_TEST

START_TEST(a_peer_that_is_no_proxy_is_closed)
{
	struct server server =
		model_start(_i, "echo",
			    ARGUMENTS("--proxy-protocol", "--proxy-from",
				      "10.0.0.0/8,127.0.0.2,2001:db8::/32"));
	int fd = client_connect(&server);

	(void)send(fd, valid[LINE].bytes, valid[LINE].length, MSG_NOSIGNAL);
	ck_assert_uint_eq(read_to_end(fd), 0);
	server_wait_line(&server, "it is not one of --proxy-from", WAIT_MS);
	server_finish(&server);
}
END_TEST

/* GIVEN a proxy that is named as an IPv4-mapped address
   WHEN it connects to an IPv4 socket, or to a socket for IPv6 and IPv4
   THEN its header counts. */
START_TEST(a_mapped_address_names_a_proxy_of_ipv4)
{
	static const char *const hosts[] = { "127.0.0.1", "::" };
	struct server server = server_start_with(&(struct server_setup){
		.program = "greetd-select",
		.options = ARGUMENTS("--proxy-protocol", "--proxy-from",
				     "10.0.0.1,::ffff:127.0.0.0/104", "-m", "good day"),
		.host = hosts[_i] });
	int fd;

	server.host = "127.0.0.1";
	fd = client_connect(&server);
	client_send(fd, valid[LINE].bytes, valid[LINE].length);
	client_hear(fd, "good day\n");
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* GIVEN a chat with alice
   WHEN health checks come and go, and bob comes through the proxy
   THEN alice is told of bob only. */
START_TEST(a_health_check_does_not_enter_the_chat)
{
	struct server server;
	int alice, bob;
	char line[512];
	size_t length = 0;

	if (!model_serves_many(_i) || !model_shares_a_server(_i))
		return;
	server = model_start(_i, "chat", ARGUMENTS("--proxy-protocol"));
	alice = client_connect(&server);
	client_send(alice, valid[LINE].bytes, valid[LINE].length);
	client_say(alice, "/nick alice\n");
	for (int i = 0; i < 3; i++) {
		int check = client_connect(&server);

		client_send(check, valid[HEALTH_CHECK].bytes, valid[HEALTH_CHECK].length);
		client_leave(check);
	}
	bob = client_connect(&server);
	client_send(bob, valid[BINARY].bytes, valid[BINARY].length);
	client_say(bob, "/nick bob\nhello\n");
	do {
		ssize_t n = io_read(alice, line + length, sizeof line - 1 - length);

		ck_assert_int_gt(n, 0);
		length += (size_t)n;
		line[length] = '\0';
	} while (strstr(line, "bob: hello") == NULL &&
		 strstr(line, "<bob> hello") == NULL);
	ck_assert_msg(strstr(line, "left") == NULL, "%s", line);
	ck_assert_msg(strstr(line, "lost") == NULL, "%s", line);
	client_close(alice);
	client_close(bob);
	server_finish(&server);
}
END_TEST

/* GIVEN a proxy whose health checks have a header
   WHEN they come and go, and one client comes
   THEN the server prints and counts the client only. */
START_TEST(a_health_check_is_not_counted)
{
	static const char *const options[] = { "--proxy-protocol", "-v", NULL };
	struct server server;

	if (!model_shares_a_server(_i))
		return;
	server = model_start(_i, "echo", options);
	for (int i = 0; i < 3; i++) {
		int check = client_connect(&server);

		client_send(check, valid[HEALTH_CHECK].bytes, valid[HEALTH_CHECK].length);
		client_leave(check);
	}
	for (int i = 0; i < 2; i++) {
		/* with a request, the connection of the proxy is a client */
		const struct header *header = &valid[i == 0 ? LINE : HEALTH_CHECK];
		int client = client_connect(&server);

		client_send(client, header->bytes, header->length);
		client_echo(client);
		client_leave(client);
	}
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, " bytes in, 5 out"), 2);
	ck_assert_uint_eq(server_count_lines(&server, " bytes in, 0 out"), 0);
	ck_assert_uint_eq(server_count_lines(&server, "served 2 clients"), 1);
}
END_TEST

/* ---- options ---------------------------------------------------------------------------- */

static void expect_refusal(const char *const options[], const char *message)
{
	char path[512];
	const char *argv[8] = { path };
	struct run run;

	snprintf(path, sizeof path, "%s/echod-select", getenv("SOCKWAYS_BIN"));
	for (int i = 0; options[i] != NULL; i++)
		argv[i + 1] = options[i];
	run = run_program(argv, "", 0, WAIT_MS);
	run_expect_status(&run, 2);
	ck_assert_msg(strstr(run.err, message) != NULL, "%s", run.err);
}

START_TEST(wrong_options_are_refused)
{
	expect_refusal(ARGUMENTS("--proxy-protocol", "-u"), "datagrams (-u)");
	expect_refusal(ARGUMENTS("--proxy-from", "::1"), "needs --proxy-protocol");
	expect_refusal(ARGUMENTS("--proxy-protocol", "--proxy-from", "10.0.0.1/8"),
		       "'10.0.0.1/8' is not an address or a range");
	expect_refusal(ARGUMENTS("--proxy-protocol", "--proxy-from", "::1,"),
		       "'' is not an address or a range");
	expect_refusal(ARGUMENTS("--proxy-protocol", "--proxy-from", "::1,10.0.0.0/33"),
		       "'10.0.0.0/33' is not an address or a range");
}
END_TEST

Suite *suite_proxy_client(void)
{
	Suite *suite = suite_create("proxy_client");
	TCase *tcase = add_case(suite, "the format");
	int kinds = kinds_count(), models = models_count();

	tcase_add_loop_test(tcase, a_valid_header_is_complete_at_its_last_byte, 0, VALID);
	tcase_add_loop_test(tcase, an_invalid_header_is_refused, 0, BAD);
	tcase_add_test(tcase, wrong_options_are_refused);
	tcase = add_case(suite, "every model");
	tcase_add_loop_test(tcase, the_peer_is_the_client_of_the_header, 0, models);
	tcase_add_loop_test(tcase, a_connection_without_a_valid_header_is_closed, 0,
			    kinds);
	tcase_add_loop_test(tcase, the_greeting_comes_after_the_header, 0, models);
	tcase_add_loop_test(tcase,
			    a_header_that_does_not_come_is_bounded_by_the_idle_timeout, 0,
			    models);
	tcase_add_loop_test(tcase, a_peer_that_is_no_proxy_is_closed, 0, models);
	tcase_add_loop_test(tcase, a_mapped_address_names_a_proxy_of_ipv4, 0, 2);
	tcase_add_loop_test(tcase, a_health_check_does_not_enter_the_chat, 0, models);
	tcase_add_loop_test(tcase, a_health_check_is_not_counted, 0, models);
	return suite;
}
