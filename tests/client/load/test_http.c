/*
 * The load of HTTP: replies that are judged in whatever pieces they come, and the load
 * against servers that do right, and that do not.
 */
#include <check.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/load/bytes.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/load_fixture.h"
#include "tests/suites.h"

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

/* ---- a reply, judged without a network ----------------------------------------------------- */

/* One client of a load: what it expects, and what it has been told. */
struct judge {
	struct load_material material;
	struct load_exchange exchange;
	struct failure wrong;
};

static void judge_begin(struct judge *judge, const char *expected)
{
	memset(judge, 0, sizeof *judge);
	judge->material.reply = expected;
	judge->material.reply_length = expected ? strlen(expected) : 0;
	judge->material.shared = calloc(1, load_http.shared_size);
	judge->exchange.state = calloc(1, load_http.state_size);
	judge->exchange.wrong = &judge->wrong;
	load_http.begin(&judge->material, &judge->exchange);
}

static void judge_end(struct judge *judge)
{
	free(judge->material.shared);
	free(judge->exchange.state);
}

/* As the engine does: nothing more is asked once the verdict is there. The bytes are a copy
 * of just their length, so that a sanitizer sees a look beyond them. */
static enum load_verdict judge_piece(struct judge *judge, const char *bytes,
				     size_t length)
{
	char *copy = malloc(length);
	enum load_verdict verdict;

	memcpy(copy, bytes, length);
	verdict = load_http.check(&judge->material, &judge->exchange, copy, length);
	judge->exchange.received += length;
	free(copy);
	return verdict;
}

/* Pieces of that size, but a first one of another. */
static enum load_verdict judge_pieces(struct judge *judge, const char *bytes,
				      size_t length, size_t first, size_t size)
{
	enum load_verdict verdict = LOAD_MORE;
	size_t done = 0;

	while (done < length && verdict == LOAD_MORE) {
		size_t piece = done == 0 ? first : size;

		if (piece > length - done)
			piece = length - done;
		verdict = judge_piece(judge, bytes + done, piece);
		done += piece;
	}
	return verdict;
}

#define OK_11 "HTTP/1.1 200 OK\r\n"
#define OK_10 "HTTP/1.0 200 OK\r\n"

enum outcome {
	WHOLE,        /* the reply is whole, and the connection stays */
	WHOLE_LAST,   /* ... and ends with it */
	WHOLE_AT_END, /* whole if the server closes then */
	TOO_SHORT,    /* closed too early if it does */
	WRONG,
};

static const struct {
	const char *reply;
	enum outcome outcome;
	const char *says; /* what is wrong with it */
} replies[] = {
	{ OK_11 "Content-Length: 5\r\n\r\nhello", WHOLE, NULL },
	{ OK_11 "content-LENGTH:5\r\n\r\nhello", WHOLE, NULL },
	{ OK_11 "Content-Length: \t5 \t\r\nX:\r\n\r\nhello", WHOLE, NULL },
	{ OK_11 "Content-Length: 0\r\n\r\n", WHOLE, NULL },
	{ "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", WHOLE, NULL },
	{ OK_11 "Connection: keep-alive\r\nContent-Length: 1\r\n\r\n!", WHOLE, NULL },
	{ OK_11 "Connection: close\r\nContent-Length: 1\r\n\r\n!", WHOLE_LAST, NULL },
	{ OK_11 "Connection: x, Close ,y\r\nContent-Length: 1\r\n\r\n!", WHOLE_LAST,
	  NULL },
	{ OK_11 "Connection: closed\r\nContent-Length: 1\r\n\r\n!", WHOLE, NULL },
	{ OK_10 "Content-Length: 1\r\n\r\n!", WHOLE_LAST, NULL },
	{ OK_10 "Connection: Keep-Alive\r\nContent-Length: 1\r\n\r\n!", WHOLE, NULL },
	{ "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
	  "HTTP/1.1 100 Continue\r\n\r\n" OK_11 "Content-Length: 1\r\n\r\n!",
	  WHOLE, NULL },
	/* chunked */
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", WHOLE,
	  NULL },
	{ OK_11
	  "Transfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n00003\r\nllo\r\n000\r\n\r\n",
	  WHOLE, NULL },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\nA ;name=\"v\"\r\n0123456789\r\n"
		"0;x\r\nTrailer: yes\r\n\r\n",
	  WHOLE, NULL },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", WHOLE, NULL },
	{ OK_11 "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	  WHOLE_LAST, NULL },
	/* until the server closes */
	{ OK_11 "\r\nhello", WHOLE_AT_END, NULL },
	{ OK_10 "\r\n", WHOLE_AT_END, NULL },
	/* not whole */
	{ "", TOO_SHORT, NULL },
	{ "HTTP/1.1 200 OK", TOO_SHORT, NULL },
	{ OK_11, TOO_SHORT, NULL },
	{ OK_11 "Content-Length: 5\r\n", TOO_SHORT, NULL },
	{ OK_11 "Content-Length: 5\r\n\r\n", TOO_SHORT, NULL },
	{ OK_11 "Content-Length: 5\r\n\r\nhell", TOO_SHORT, NULL },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", TOO_SHORT,
	  NULL },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello", TOO_SHORT, NULL },
	{ "HTTP/1.1 100 Continue\r\n\r\n", TOO_SHORT, NULL },
	/* too long */
	{ OK_11 "Content-Length: 5\r\n\r\nhello!", WRONG, NULL },
	{ OK_11 "Content-Length: 0\r\n\r\n\r\n", WRONG, NULL },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n!", WRONG, NULL },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n", WRONG,
	  NULL },
	/* the status line */
	{ "HTTP/1.1 404 Not Found\r\n", WRONG, "status: \"HTTP/1.1 404 Not Found\"" },
	{ "HTTP/1.1 201 Created\r\n", WRONG, "201" },
	{ "HTTP/1.1 304 Not Modified\r\n", WRONG, "304" },
	{ "HTTP/1.1 101 Switching Protocols\r\n", WRONG, "101" },
	{ "HTTP/1.1 200\r\n", WRONG, "not a status line" },
	{ "HTTP/1.1 2000 OK\r\n", WRONG, "not a status line" },
	{ "HTTP/1.1 +20 OK\r\n", WRONG, "not a status line" },
	{ "HTTP/1.1  200 OK\r\n", WRONG, "not a status line" },
	{ "HTTP/2.0 200 OK\r\n", WRONG, "not a status line" },
	{ "HTTP/1.2 200 OK\r\n", WRONG, "not a status line" },
	{ "http/1.1 200 OK\r\n", WRONG, "not a status line" },
	{ " HTTP/1.1 200 OK\r\n", WRONG, "not a status line" },
	{ "\r\n", WRONG, "not a status line" },
	{ "\033[2J\r\n", WRONG, "control character" },
	{ "HTTP/1.1 200 OK\n", WRONG, "line end without CR LF" },
	{ "HTTP/1.1 200 O\rK\r\n", WRONG, "line end without CR LF" },
	{ "hello\r\n", WRONG, "not a status line: \"hello\"" },
	/* header fields */
	{ OK_11 "Content-Length: 1\n", WRONG, "line end without CR LF" },
	{ OK_11 "X: a\001b\r\n", WRONG, "control character" },
	{ OK_11 "X: a\177b\r\n", WRONG, "control character" },
	{ OK_11 "X : a\r\n", WRONG, "not a header field" },
	{ OK_11 "X: a\r\n b\r\n", WRONG, "not a header field: \" b\"" },
	{ OK_11 ": a\r\n", WRONG, "not a header field" },
	{ OK_11 "no colon\r\n", WRONG, "not a header field" },
	{ OK_11 "X(: a\r\n", WRONG, "not a header field" },
	{ OK_11 "Content-Length: -1\r\n", WRONG, "invalid length" },
	{ OK_11 "Content-Length: +1\r\n", WRONG, "invalid length" },
	{ OK_11 "Content-Length: 0x1\r\n", WRONG, "invalid length" },
	{ OK_11 "Content-Length:\r\n", WRONG, "invalid length" },
	{ OK_11 "Content-Length: 5, 5\r\n", WRONG, "invalid length" },
	{ OK_11 "Content-Length: 18446744073709551617\r\n", WRONG, "invalid length" },
	{ OK_11 "Content-Length: 5\r\nContent-Length: 5\r\n", WRONG,
	  "second Content-Length" },
	{ OK_11 "Transfer-Encoding: gzip, chunked\r\n", WRONG,
	  "unexpected transfer encoding" },
	{ OK_11 "Transfer-Encoding: identity\r\n", WRONG,
	  "unexpected transfer encoding" },
	{ OK_11 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", WRONG,
	  "unexpected transfer encoding" },
	{ OK_10 "Transfer-Encoding: chunked\r\n", WRONG, "unexpected transfer encoding" },
	{ OK_11 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", WRONG,
	  "Content-Length and Transfer-Encoding" },
	/* chunks */
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n\r\n", WRONG, "invalid chunk size" },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n 5\r\n", WRONG, "invalid chunk size" },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n5 \r\n", WRONG, "invalid chunk size" },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n0x5\r\n", WRONG,
	  "invalid chunk size" },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n-5\r\n", WRONG, "invalid chunk size" },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n5\n", WRONG,
	  "line end without CR LF" },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", WRONG,
	  "invalid chunk size" },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n0\r\nno trailer\r\n", WRONG,
	  "not a trailer field" },
};

/* What comes of it in pieces of that kind; and what is said then. */
static void expect_outcome(int number, size_t first, size_t size)
{
	const char *text = replies[number].reply;
	struct judge judge;
	enum load_verdict verdict, end = LOAD_MORE;
	enum outcome outcome;

	judge_begin(&judge, NULL);
	verdict = judge_pieces(&judge, text, strlen(text), first, size);
	if (verdict == LOAD_MORE)
		end = load_http.end(&judge.material, &judge.exchange);
	outcome = verdict == LOAD_WRONG || end == LOAD_WRONG ? WRONG
		  : verdict == LOAD_COMPLETE                 ? WHOLE
		  : verdict == LOAD_LAST                     ? WHOLE_LAST
		  : end == LOAD_MORE                         ? TOO_SHORT
							     : WHOLE_AT_END;
	ck_assert_msg(outcome == replies[number].outcome,
		      "reply %d, %zu bytes and then %zu: outcome %d and not %d (%s)",
		      number, first, size, outcome, replies[number].outcome,
		      judge.wrong.text);
	if (replies[number].says != NULL && first >= strlen(text))
		ck_assert_msg(strstr(judge.wrong.text, replies[number].says) != NULL,
			      "reply %d: '%s' and not '%s'", number, judge.wrong.text,
			      replies[number].says);
	judge_end(&judge);
}

/* Bytes beyond the reply are seen only with the last of it; alone, they are the next one's. */
static bool is_too_long(int number)
{
	return replies[number].outcome == WRONG && replies[number].says == NULL;
}

START_TEST(a_reply_is_judged_alike_wherever_it_is_split)
{
	size_t length = strlen(replies[_i].reply);

	expect_outcome(_i, length + 1, 1);
	if (is_too_long(_i))
		return;
	expect_outcome(_i, 1, 1);
	for (size_t first = 1; first < length; first++)
		for (size_t size = 1; size < length; size = size * 2 + 1)
			expect_outcome(_i, first, size);
}
END_TEST

/* ---- what is expected of the body ------------------------------------------------------------- */

static const struct {
	const char *expected, *body;
	bool right;
} bodies[] = {
	{ "hello", "hello", true },     { "hello", "hello\n", true },
	{ "hello\n", "hello\n", true }, { "hello", "hello\n\n", false },
	{ "hello", "hello!", false },   { "hello", "hell", false },
	{ "hello", "hellp", false },    { "hello", "hell\n", false },
	{ "hello", "\nhello", false },  { "hello", "", false },
	{ "", "anything", true },       { "", "", true },
};

START_TEST(the_body_must_be_what_is_expected)
{
	char reply[200];
	const char *body = bodies[_i].body;

	for (int chunked = 0; chunked < 2; chunked++) {
		size_t length = strlen(body);

		if (!chunked)
			snprintf(reply, sizeof reply,
				 OK_11 "Content-Length: %zu\r\n\r\n%s", length, body);
		else
			snprintf(reply, sizeof reply,
				 OK_11 "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%.100s%s"
				       "0\r\n\r\n",
				 length, body, length > 0 ? "\r\n" : "");
		if (chunked && length == 0)
			continue;
		for (size_t first = 1; first <= strlen(reply); first++) {
			struct judge judge;
			enum load_verdict verdict;

			judge_begin(&judge, bodies[_i].expected);
			verdict = judge_pieces(&judge, reply, strlen(reply), first, 3);
			ck_assert_int_eq(verdict,
					 bodies[_i].right ? LOAD_COMPLETE : LOAD_WRONG);
			judge_end(&judge);
		}
	}
}
END_TEST

/* One reply after the other to the same client. */
static enum load_verdict judge_body_of(struct judge *judge, size_t length)
{
	char reply[200];

	snprintf(reply, sizeof reply, OK_11 "Content-Length: %zu\r\n\r\n%.*s", length,
		 (int)length, "0123456789");
	load_http.begin(&judge->material, &judge->exchange);
	return judge_piece(judge, reply, strlen(reply));
}

START_TEST(bodies_must_be_as_long_as_the_first)
{
	struct judge judge;

	judge_begin(&judge, NULL);
	ck_assert_int_eq(judge_body_of(&judge, 5), LOAD_COMPLETE);
	ck_assert_int_eq(judge_body_of(&judge, 5), LOAD_COMPLETE);
	ck_assert_int_eq(judge_body_of(&judge, 4), LOAD_WRONG);
	ck_assert_str_eq(judge.wrong.text, "body of 4 bytes, but the first one had 5");
	ck_assert_int_eq(judge_body_of(&judge, 6), LOAD_WRONG);
	judge_end(&judge);
}
END_TEST

START_TEST(bodies_of_any_length_can_be_expected)
{
	struct judge judge;

	judge_begin(&judge, "");
	ck_assert_int_eq(judge_body_of(&judge, 5), LOAD_COMPLETE);
	ck_assert_int_eq(judge_body_of(&judge, 0), LOAD_COMPLETE);
	judge_end(&judge);
}
END_TEST

/* ---- headers without end ------------------------------------------------------------------------ */

static enum load_verdict judge_again_and_again(const char *begin, const char *piece,
					       size_t least, size_t most)
{
	struct judge judge;
	enum load_verdict verdict;
	size_t sent = 0;

	judge_begin(&judge, NULL);
	verdict = judge_piece(&judge, begin, strlen(begin));
	while (verdict == LOAD_MORE && sent < most) {
		verdict = judge_piece(&judge, piece, strlen(piece));
		sent += strlen(piece);
		ck_assert_msg(verdict == LOAD_MORE || sent > least, "after %zu bytes: %s",
			      sent, judge.wrong.text);
	}
	judge_end(&judge);
	return verdict;
}

static const struct {
	const char *begin, *piece;
	size_t least; /* bytes that are fine */
} floods[] = {
	{ OK_11, "X-Field: a value of no use\r\n", 30000 },
	{ OK_11 "X-Field: ", "a value without end", 30000 },
	{ "HTTP/1.1 200 ", "OK ", 30000 },
	{ "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", 30000 },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n", "0", 900 },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n5;x=", "an extension", 900 },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n0\r\n", "Trailer: yes\r\n", 30000 },
};

START_TEST(a_header_without_end_is_wrong_before_64_kib_of_it)
{
	ck_assert_int_eq(judge_again_and_again(floods[_i].begin, floods[_i].piece,
					       floods[_i].least, 64 * 1024),
			 LOAD_WRONG);
}
END_TEST

START_TEST(a_body_of_many_chunks_is_no_header_without_end)
{
	ck_assert_int_eq(judge_again_and_again(OK_11 "Transfer-Encoding: chunked\r\n\r\n",
					       "1\r\n!\r\n", SIZE_MAX, 1024 * 1024),
			 LOAD_MORE);
}
END_TEST

START_TEST(fields_that_matter_are_found_behind_a_long_one_in_pieces)
{
	static char reply[20000];
	struct judge judge;

	snprintf(reply, sizeof reply, OK_11 "X: %0*d\r\nContent-Length: 3\r\n\r\nend",
		 15000, 0);
	judge_begin(&judge, NULL);
	ck_assert_int_eq(judge_pieces(&judge, reply, strlen(reply), 7, 7), LOAD_COMPLETE);
	judge_end(&judge);
}
END_TEST

/* ---- the request ---------------------------------------------------------------------------------- */

static const struct {
	const char *host, *port, *path, *host_field, *line;
} requests[] = {
	{ "localhost", "8080", NULL, "localhost:8080", "GET / HTTP/1.1" },
	{ "127.0.0.1", "80", "/a%20b?c", "127.0.0.1:80", "GET /a%20b?c HTTP/1.1" },
	{ "::1", "8080", NULL, "[::1]:8080", "GET / HTTP/1.1" },
	{ "fe80::1%eth0", "8080", NULL, "[fe80::1]:8080", "GET / HTTP/1.1" },
	{ "localhost", "08080", NULL, "localhost:8080", "GET / HTTP/1.1" },
};

START_TEST(a_request_names_path_and_host)
{
	char request[500], wanted[500];
	size_t length;

	plan.host = requests[_i].host;
	plan.port = requests[_i].port;
	plan.path = requests[_i].path;
	for (int kind = 0; kind < LOAD_KINDS; kind++) {
		plan.kind = (enum load_kind)kind;
		length = load_http.compose(&plan, request, sizeof request);
		snprintf(wanted, sizeof wanted,
			 "%s\r\nHost: %s\r\nUser-Agent: loadgen\r\n%s\r\n",
			 requests[_i].line, requests[_i].host_field,
			 kind == LOAD_CONNECTIONS ? "Connection: close\r\n" : "");
		ck_assert_str_eq(request, wanted);
		ck_assert_uint_eq(length, strlen(wanted));
	}
}
END_TEST

/* ---- servers that do right ----------------------------------------------------------------------- */

static const char *
	answer_text; /* Reads to the empty line. The request must be right to the last byte, but for what is
 * behind its User-Agent. @return whether there was one */
static bool read_request(int fd, char request[500])
{
	char wanted[200];
	size_t length = 0;

	while (length < 499 && io_read(fd, request + length, 1) == 1) {
		request[++length] = '\0';
		if (length >= 4 && memcmp(request + length - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	snprintf(wanted, sizeof wanted,
		 "GET / HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUser-Agent: loadgen\r\n", port);
	if (length > 0 && strncmp(request, wanted, strlen(wanted)) != 0)
		write_text(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
	return length > 0;
}

static void serve_answers(int fd, unsigned number)
{
	char request[500];

	(void)number;
	while (read_request(fd, request))
		write_text(fd, answer_text);
}

/* As an HTTP server does it: what it sends last, it sends before it closes. */
static void serve_one_answer(int fd, unsigned number)
{
	char request[500];

	(void)number;
	if (!read_request(fd, request))
		return;
	write_text(fd, answer_text);
	shutdown(fd, SHUT_WR);
	while (io_read(fd, request, sizeof request) > 0)
		;
}

static void serve_answers_byte_by_byte(int fd, unsigned number)
{
	char request[500];

	(void)number;
	while (read_request(fd, request))
		for (const char *at = answer_text; *at != '\0'; at++)
			io_write(fd, at, 1);
}

/* Every request must say that it is the only one. */
static void serve_who_says_close(int fd, unsigned number)
{
	char request[500];

	(void)number;
	if (!read_request(fd, request))
		return;
	write_text(fd, strstr(request, "\r\nConnection: close\r\n") != NULL
			       ? answer_text
			       : "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
	while (io_read(fd, request, sizeof request) > 0)
		;
}

static void serve_three_answers(int fd, unsigned number)
{
	char request[500];

	(void)number;
	for (int i = 0; i < 2; i++)
		if (read_request(fd, request))
			write_text(fd, OK_11 "Content-Length: 5\r\n\r\nhello");
	if (read_request(fd, request))
		write_text(fd,
			   OK_11 "Content-Length: 5\r\nConnection: close\r\n\r\nhello");
}

START_TEST(right_replies_are_counted)
{
	static serve_function *const ways[] = { serve_answers,
						serve_answers_byte_by_byte };

	set_plan("http", false);
	answer_text = OK_11 "Content-Length: 5\r\n\r\nhello";
	start_server(ways[_i]);
	measure_until(50);
	assert_no_errors();
	ck_assert_uint_ge(result.exchanges, 50);
	ck_assert_uint_eq(result.bytes, result.exchanges * strlen(answer_text));
	ck_assert_uint_eq(result.made, 2);
	ck_assert_uint_eq(result.served, 2);
}
END_TEST

START_TEST(a_connection_for_each_request_says_so)
{
	set_plan("http", false);
	plan.kind = LOAD_CONNECTIONS;
	answer_text = _i == 0   ? OK_11 "Content-Length: 5\r\n\r\nhello"
		      : _i == 1 ? OK_11 "Connection: close\r\nContent-Length: 0\r\n\r\n"
				: OK_10 "Content-Length: 5\r\n\r\nhello";
	start_server(serve_who_says_close);
	measure_until(50);
	assert_no_errors();
	ck_assert_uint_ge(result.exchanges, 50);
	ck_assert_uint_ge(result.made, result.exchanges);
	ck_assert_uint_le(result.made, result.exchanges + 2);
}
END_TEST

START_TEST(a_server_may_say_that_it_closes)
{
	set_plan("http", false);
	start_server(serve_three_answers);
	measure_until(60);
	assert_no_errors();
	ck_assert_uint_ge(result.made, 20);
	ck_assert_uint_le(result.made, result.exchanges / 3 + 2);
	ck_assert_uint_eq(result.served, 2);
}
END_TEST

START_TEST(a_reply_may_end_where_the_server_closes)
{
	set_plan("http", false);
	plan.kind = _i % 2 == 0 ? LOAD_CONVERSATIONS : LOAD_CONNECTIONS;
	answer_text = _i < 2 ? OK_10 "\r\nhello" : OK_11 "\r\n";
	start_server(serve_one_answer);
	measure_until(50);
	assert_no_errors();
	ck_assert_uint_ge(result.made, result.exchanges);
	ck_assert_uint_eq(result.bytes, result.exchanges * strlen(answer_text));
}
END_TEST

/* The first client is answered; from then on whoever is there is closed, without a word. */
static void serve_one_and_close_all(int fd, unsigned number)
{
	char request[500];

	(void)number;
	while (atomic_load(&notes->count) == 0) {
		struct pollfd event = { .fd = fd, .events = POLLIN };

		if (poll(&event, 1, 1) <= 0)
			continue;
		if (!read_request(fd, request))
			return;
		write_text(fd, OK_11 "Content-Length: 5\r\n\r\nhello");
		atomic_fetch_add(&notes->count, 1);
	}
}

START_TEST(a_server_may_close_between_two_requests)
{
	set_plan("http", false);
	plan.rate = 1; /* the second would be due after the end */
	plan.duration = 600;
	start_server(serve_one_and_close_all);
	measure();
	assert_no_errors();
	ck_assert_uint_eq(result.exchanges, 1);
	ck_assert_uint_gt(result.made, 2);
}
END_TEST

START_TEST(silent_clients_stand_beside_the_others)
{
	set_plan("http", false);
	plan.kind = LOAD_IDLE;
	plan.idle = 20;
	answer_text = OK_11 "Content-Length: 5\r\n\r\nhello";
	start_server(serve_answers);
	measure_until(20);
	assert_no_errors();
	ck_assert_uint_eq(result.idle_open, 20);
}
END_TEST

/* ---- servers that do not --------------------------------------------------------------------------- */

static const struct {
	const char *answer;
	enum load_error error;
	const char *says;
} mistakes[] = {
	{ "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", LOAD_WRONG_REPLY,
	  "404" },
	{ OK_11 "Content-Length: 5\r\n\r\nhello\n", LOAD_WRONG_REPLY,
	  "data after the reply" },
	{ OK_11 "Content-Length: 9\r\n\r\nhello", LOAD_CLOSED_EARLY, NULL },
	{ OK_11 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", LOAD_CLOSED_EARLY,
	  NULL },
	{ "", LOAD_CLOSED_EARLY, NULL },
	{ "hello\r\n", LOAD_WRONG_REPLY, "not a status line" },
};

START_TEST(wrong_replies_are_distinguished_from_others)
{
	set_plan("http", false);
	plan.kind = LOAD_CONNECTIONS;
	answer_text = mistakes[_i].answer;
	start_server(serve_one_answer);
	measure();
	assert_errors_are_all(mistakes[_i].error);
	ck_assert_uint_eq(result.exchanges, 0);
	if (mistakes[_i].says != NULL)
		ck_assert_msg(strstr(result.wrong.text, mistakes[_i].says) != NULL, "%s",
			      result.wrong.text);
	else
		ck_assert_str_eq(result.wrong.text, "");
}
END_TEST

/* It should have said so: a client who has sent the next request knows nothing of it. */
START_TEST(a_server_that_closes_instead_of_answering_is_noticed)
{
	set_plan("http", false);
	answer_text = OK_11 "Content-Length: 5\r\n\r\nhello";
	start_server(serve_one_answer);
	measure();
	ck_assert_uint_gt(result.exchanges, 0);
	ck_assert_uint_gt(result.errors[LOAD_CLOSED_EARLY] + result.errors[LOAD_RESET],
			  0);
	ck_assert_uint_eq(result.errors[LOAD_WRONG_REPLY], 0);
}
END_TEST

/* Another length for each client. */
static void serve_growing_answers(int fd, unsigned number)
{
	char request[500], text[100];

	while (read_request(fd, request)) {
		snprintf(text, sizeof text, OK_11 "Content-Length: %u\r\n\r\n%.*s",
			 number % 10, (int)(number % 10), "0123456789");
		write_text(fd, text);
	}
}

START_TEST(replies_of_another_length_than_the_first_are_wrong)
{
	set_plan("http", false);
	plan.connections = 4;
	start_server(serve_growing_answers);
	measure();
	assert_errors_are_all(LOAD_WRONG_REPLY);
	ck_assert_ptr_nonnull(strstr(result.wrong.text, "but the first one had"));
}
END_TEST

enum { LARGE = 1 << 20 };
static char *large;

/* The second answer has another byte in its middle. */
static void serve_a_large_file(int fd, unsigned number)
{
	char request[500];

	for (int i = 0; read_request(fd, request); i++) {
		char middle = large[LARGE / 2];

		if (number == 0 && i == 1)
			middle ^= 1;
		write_text(fd, OK_11 "Content-Length: 1048576\r\n\r\n");
		io_write(fd, large, LARGE / 2);
		io_write(fd, &middle, 1);
		io_write(fd, large + LARGE / 2 + 1, LARGE - LARGE / 2 - 1);
	}
}

START_TEST(one_wrong_byte_in_a_large_file_is_found)
{
	set_plan("http", false);
	plan.kind = LOAD_BULK;
	plan.connections = 1;
	load_letters(large, LARGE);
	plan.reply = large;
	start_server(serve_a_large_file);
	measure_until(3);
	ck_assert_uint_ge(result.exchanges, 1);
	ck_assert_uint_ge(result.errors[LOAD_WRONG_REPLY], 1);
	expect_match(result.wrong.text,
		     "^body differs from -e: byte [0-9]+: got \"[0-9A-Za-z]+\", expected "
		     "\"[0-9A-Za-z]+\"$");
}
END_TEST

START_TEST(loadgen_takes_a_protocol_for_its_first_operand)
{
	struct run run;
	char place[64];

	answer_text = OK_11 "Content-Length: 5\r\n\r\nhello";
	start_server(serve_answers);
	snprintf(place, sizeof place, "127.0.0.1:%s", port);
	run = run_loadgen(
		ARGUMENTS("loadgen", "-d", slow_seconds(0.2), "-j", "http", place));
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_ptr_nonnull(strstr(run.out, "\"load\":\"conversations\""));
	ck_assert_ptr_nonnull(strstr(run.out, "\"protocol\":\"http\""));
	ck_assert_ptr_nonnull(strstr(run.out, "\"wrong\":null}\n"));
	run = run_loadgen(ARGUMENTS("loadgen", "-d", slow_seconds(0.2), "-e", "hello",
				    "http", "bulk", "127.0.0.1", port));
	ck_assert_msg(run_exit_status(&run) == 0, "%s%s", run.err, run.out);
	ck_assert_ptr_nonnull(
		strstr(run.out, "load           bulk\nserver         http over TCP at "));
	run = run_loadgen(ARGUMENTS("loadgen", "-d", slow_seconds(0.2), "-P", "http",
				    "127.0.0.1", port));
	run_expect_status(&run, 0);
}
END_TEST

START_TEST(loadgen_tells_what_was_wrong_and_how_often_it_connected)
{
	struct run run;

	answer_text = "HTTP/1.1 503 \"No\" tea\r\nContent-Length: 0\r\n\r\n";
	start_server(serve_answers);
	run = run_loadgen(
		ARGUMENTS("loadgen", "-d", slow_seconds(0.2), "http", "127.0.0.1", port));
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(
		run.out, " wrong replies (status: \"HTTP/1.1 503 \"No\" tea\")\n"));
	expect_match(run.out,
		     "connections +32 at a time, 0 served, [0-9]+ opened in all\n");
	run = run_loadgen(ARGUMENTS("loadgen", "-d", slow_seconds(0.2), "-j", "http",
				    "127.0.0.1", port));
	ck_assert_ptr_nonnull(strstr(run.out, "\"wrong\":\"status: \\\"HTTP/1.1 503 "
					      "\\\"No\\\" tea\\\"\"}\n"));
}
END_TEST

Suite *suite_load_http(void)
{
	Suite *suite = suite_create("load_http");
	TCase *tcase = load_case(suite, "replies");

	large = much_memory(LARGE + 1);
	tcase_add_loop_test(tcase, a_reply_is_judged_alike_wherever_it_is_split, 0,
			    COUNT(replies));
	tcase_add_loop_test(tcase, the_body_must_be_what_is_expected, 0, COUNT(bodies));
	tcase_add_test(tcase, bodies_must_be_as_long_as_the_first);
	tcase_add_test(tcase, bodies_of_any_length_can_be_expected);
	tcase_add_loop_test(tcase, a_header_without_end_is_wrong_before_64_kib_of_it, 0,
			    COUNT(floods));
	tcase_add_test(tcase, a_body_of_many_chunks_is_no_header_without_end);
	tcase_add_test(tcase, fields_that_matter_are_found_behind_a_long_one_in_pieces);
	tcase_add_loop_test(tcase, a_request_names_path_and_host, 0, COUNT(requests));

	tcase = load_case(suite, "servers that do right");
	tcase_add_loop_test(tcase, right_replies_are_counted, 0, 2);
	tcase_add_loop_test(tcase, a_connection_for_each_request_says_so, 0, 3);
	tcase_add_test(tcase, a_server_may_say_that_it_closes);
	tcase_add_loop_test(tcase, a_reply_may_end_where_the_server_closes, 0, 4);
	tcase_add_test(tcase, a_server_may_close_between_two_requests);
	tcase_add_test(tcase, silent_clients_stand_beside_the_others);

	tcase = load_case(suite, "servers that do not");
	tcase_add_loop_test(tcase, wrong_replies_are_distinguished_from_others, 0,
			    COUNT(mistakes));
	tcase_add_test(tcase, a_server_that_closes_instead_of_answering_is_noticed);
	tcase_add_test(tcase, replies_of_another_length_than_the_first_are_wrong);
	tcase_add_test(tcase, one_wrong_byte_in_a_large_file_is_found);

	tcase = load_case(suite, "loadgen");
	tcase_add_test(tcase, loadgen_takes_a_protocol_for_its_first_operand);
	tcase_add_test(tcase, loadgen_tells_what_was_wrong_and_how_often_it_connected);
	return suite;
}
