/*
 * http without a network: the conversation, byte by byte; the answers; the access log.
 *
 * What the parser, the documents and the conditions know is tested where they are; here,
 * that it reaches the client, wherever the request is cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/seccomp.h>) && __has_include(<linux/filter.h>)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#endif

#include "common/io.h"
#include "common/message.h"
#include "common/text.h"
#include "server/service/http/cache_control.h"
#include "server/service/http/date.h"
#include "server/service/http/http.h"
#include "server/service/http/lab.h"
#include "server/service/http/log.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/memory_session.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { TEXT = 16 * 1024 };

#define HOST     "Host: localhost\r\n"
#define GET      "GET / HTTP/1.1\r\n" HOST "\r\n"
#define CLOSES   "Connection: close\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int try_to_configure(const char *const arguments[], struct failure *failure)
{
	message_set_level(MESSAGE_ERROR); /* no log on standard output */
	return memory_configure(&http_service, arguments, failure);
}

static void configure_with(const char *const arguments[])
{
	struct failure failure = { .text = "" };

	free(http_root.directory.name); /* a server opens its directory only once */
	http_root.directory.name = NULL;
	ck_assert_msg(try_to_configure(arguments, &failure) == 0, "%s", failure.text);
}

#define configure(...) configure_with((const char *const[]){ __VA_ARGS__, NULL })

/* ---- what a client sees ---------------------------------------------------------------- */

struct answer {
	char bytes[TEXT];
	size_t length, header; /* of all; of the header with its empty line */
	bool finished;         /* the service has ended the conversation */
};

/* What came since the last time. */
static void hear(struct memory_session *client, struct answer *answer)
{
	const char *heard = memory_heard(client, &answer->length), *end;

	ck_assert_uint_lt(answer->length, sizeof answer->bytes);
	memcpy(answer->bytes, heard, answer->length + 1);
	mask_http_dates(answer->bytes, answer->length);
	end = strstr(answer->bytes, "\r\n\r\n");
	answer->header = end != NULL ? (size_t)(end - answer->bytes) + 4 : 0;
	answer->finished = memory_finished(client);
}

/* A conversation of one request, sent as two pieces. */
static void ask_in_two(const char *request, size_t n, size_t cut, struct answer *answer)
{
	struct memory_session client;

	memory_open(&client, &http_service);
	if (cut > 0)
		memory_send(&client, request, cut);
	if (cut < n)
		memory_send(&client, request + cut, n - cut);
	hear(&client, answer);
	memory_close(&client);
}

static void ask(const char *request, struct answer *answer)
{
	ask_in_two(request, strlen(request), 0, answer);
}

static int status_of(const struct answer *answer)
{
	int status = 0;

	ck_assert_msg(sscanf(answer->bytes, "HTTP/1.1 %3d ", &status) == 1,
		      "not a status line: '%s'", answer->bytes);
	return status;
}

/* The value of a field of the answer, or "". */
static const char *field_of(const struct answer *answer, const char *name)
{
	static char value[TEXT];
	char line[100];
	const char *at, *end;

	snprintf(line, sizeof line, "\r\n%s: ", name);
	at = strstr(answer->bytes, line);
	if (at == NULL || at >= answer->bytes + answer->header)
		return "";
	at += strlen(line);
	end = strstr(at, "\r\n");
	memcpy(value, at, (size_t)(end - at));
	value[end - at] = '\0';
	return value;
}

static const char *body_of(const struct answer *answer)
{
	return answer->bytes + answer->header;
}

static void expect_content(const struct answer *answer, const char *body)
{
	char length[24];

	snprintf(length, sizeof length, "%zu", strlen(body));
	ck_assert_str_eq(field_of(answer, "Content-Length"), length);
	ck_assert_str_eq(body_of(answer), body);
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		count++;
	return count;
}

/* ---- rules ------------------------------------------------------------------------------ */

#define RULE(status, stays, text)                                                        \
	{                                                                                \
		text, sizeof text - 1, status, stays                                     \
	}
#define STAYS true
#define ENDS  false

static const struct rule {
	const char *request;
	size_t length;
	int status;
	bool stays;
} rules[] = {
	RULE(200, STAYS, GET),
	RULE(200, STAYS, "HEAD / HTTP/1.1\r\n" HOST "\r\n"),
	RULE(200, STAYS, "OPTIONS / HTTP/1.1\r\n" HOST "\r\n"),
	RULE(200, STAYS, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"),
	RULE(200, STAYS, "GET /any/path?and=query HTTP/1.1\r\n" HOST "\r\n"),
	RULE(200, STAYS, "GET http://localhost/ HTTP/1.1\r\n" HOST "\r\n"),
	RULE(200, STAYS, "GET http://localhost HTTP/1.1\r\n" HOST "\r\n"),
	RULE(200, STAYS, "\r\n" GET),
	/* who may stay: RFC 9112, section 9.3 */
	RULE(200, ENDS, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"),
	RULE(200, ENDS, "GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n"),
	RULE(200, STAYS, "GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n\r\n"),
	RULE(200, ENDS, "GET / HTTP/1.0\r\n\r\n"),
	RULE(200, ENDS, "GET / HTTP/1.0\r\nConnection: close\r\n\r\n"),
	RULE(200, STAYS, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
	/* bodies, on any method */
	RULE(200, STAYS, "GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"),
	RULE(200, STAYS, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"),
	RULE(200, STAYS,
	     "GET / HTTP/1.1\r\n" HOST
	     "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n"
	     "0\r\nTrailer: of no use\r\n\r\n"),
	RULE(405, STAYS, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"),
	RULE(405, STAYS,
	     "PUT / HTTP/1.1\r\n" HOST
	     "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
	RULE(200, ENDS,
	     "GET / HTTP/1.1\r\n" HOST CLOSES "Content-Length: 5\r\n\r\nhello"),
	/* methods */
	RULE(405, STAYS, "POST / HTTP/1.1\r\n" HOST "\r\n"),
	RULE(405, STAYS, "DELETE / HTTP/1.1\r\n" HOST "\r\n"),
	RULE(405, STAYS, "PATCH / HTTP/1.1\r\n" HOST "\r\n"),
	RULE(501, STAYS, "BREW / HTTP/1.1\r\n" HOST "\r\n"),
	RULE(501, STAYS, "get / HTTP/1.1\r\n" HOST "\r\n"),
	/* versions */
	RULE(505, ENDS, "GET / HTTP/2.0\r\n" HOST "\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.1x\r\n" HOST "\r\n"),
	RULE(400, ENDS, "GET / http/1.1\r\n" HOST "\r\n"),
	RULE(400, ENDS, "GET /\r\n"),
	/* the request line and the fields, where laxity helps to smuggle */
	RULE(400, ENDS, "GET  / HTTP/1.1\r\n" HOST "\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.1 \r\n" HOST "\r\n"),
	RULE(400, ENDS, "GET /\0 HTTP/1.1\r\n" HOST "\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.1\r\n\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.1\r\n" HOST "A\r\n\r\n"),
	/* the length of a body, about which two must never differ */
	RULE(400, ENDS, "GET / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello"),
	RULE(400, ENDS, "GET / HTTP/1.1\r\n" HOST "Content-Length: 5x\r\n\r\nhello"),
	RULE(400, ENDS, "GET / HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\n"),
	RULE(400, ENDS,
	     "GET / HTTP/1.1\r\n" HOST
	     "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
	RULE(400, ENDS,
	     "GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
	     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	RULE(501, ENDS,
	     "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	RULE(400, ENDS, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	RULE(400, ENDS,
	     "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n"),
	RULE(400, ENDS,
	     "GET / HTTP/1.1\r\n" HOST
	     "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n"),
	RULE(400, ENDS,
	     "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	     "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
	RULE(413, ENDS, "GET / HTTP/1.1\r\n" HOST "Content-Length: 1048577\r\n\r\n"),
	RULE(413, ENDS,
	     "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n100001\r\n"),
};

static void expect_rule(const struct rule *rule, const struct answer *answer)
{
	char request[1000];

	text_escape(rule->request, rule->length, request, sizeof request);
	ck_assert_msg(status_of(answer) == rule->status, "'%s' is answered with '%s'",
		      request, answer->bytes);
	ck_assert_str_eq(field_of(answer, "Connection"),
			 rule->stays ? "keep-alive" : "close");
	ck_assert_msg(answer->finished == !rule->stays, "'%s': the connection %s",
		      request, answer->finished ? "ends" : "stays");
}

START_TEST(every_rule_has_its_answer_wherever_the_request_is_cut)
{
	const struct rule *rule = &rules[_i];
	static struct answer whole, cut;

	configure(NULL);
	ask_in_two(rule->request, rule->length, 0, &whole);
	expect_rule(rule, &whole);
	for (size_t at = 1; at < rule->length; at++) {
		ask_in_two(rule->request, rule->length, at, &cut);
		ck_assert_msg(strcmp(cut.bytes, whole.bytes) == 0 &&
				      cut.finished == whole.finished,
			      "cut at %zu, the answer is '%s' and not '%s'", at,
			      cut.bytes, whole.bytes);
	}
}
END_TEST

/* Of what is refused, everything behind it is, too; what is answered leaves the next. */
START_TEST(the_next_request_is_answered_or_never_looked_at)
{
	static char requests[TEXT];
	static struct answer answer;
	const struct rule *rule = &rules[_i];

	configure(NULL);
	memcpy(requests, rule->request, rule->length);
	memcpy(requests + rule->length, "BREW / HTTP/1.1\r\n" HOST CLOSES "\r\n",
	       sizeof "BREW / HTTP/1.1\r\n" HOST CLOSES "\r\n");
	ask_in_two(requests, rule->length + strlen(requests + rule->length), 0, &answer);
	ck_assert_uint_eq(count_of(answer.bytes, "HTTP/1.1 "), rule->stays ? 2 : 1);
	ck_assert(answer.finished);
}
END_TEST

/* ---- answers ---------------------------------------------------------------------------- */

START_TEST(the_greeting_is_this)
{
	static struct answer answer;

	configure(NULL);
	ask(GET, &answer);
	ck_assert_str_eq(answer.bytes, "HTTP/1.1 200 OK\r\n"
				       "Server: sockways/" SOCKWAYS_VERSION "\r\n"
				       "X-Content-Type-Options: nosniff\r\n"
				       "Date: #############################\r\n"
				       "Connection: keep-alive\r\n"
				       "Content-Type: text/plain; charset=utf-8\r\n"
				       "Content-Length: 14\r\n"
				       "\r\n"
				       "Hello, World!\n");
}
END_TEST

START_TEST(the_greeting_may_be_another)
{
	static struct answer answer;
	static char text[HTTP_GREETING_MOST + 2];
	struct failure failure;

	configure("-m", "Gr\xc3\xbc\xc3\x9f dich\r\n%s\n");
	ask(GET, &answer);
	expect_content(&answer, "Gr\xc3\xbc\xc3\x9f dich\r\n%s\n\n");
	configure("-m", "");
	ask(GET, &answer);
	expect_content(&answer, "\n");
	memset(text, 'x', HTTP_GREETING_MOST + 1);
	ck_assert_int_eq(
		try_to_configure((const char *const[]){ "-m", text, NULL }, &failure),
		-1);
	expect_match(failure.text, "-m, --message: .*is longer than 64 KiB$");
}
END_TEST

START_TEST(the_date_is_now)
{
	struct memory_session client;
	time_t before = time(NULL), date;
	const char *heard;

	configure(NULL);
	memory_open(&client, &http_service);
	memory_send(&client, GET, strlen(GET));
	heard = strstr(memory_heard(&client, NULL), "\r\nDate: ");
	ck_assert_ptr_nonnull(heard);
	ck_assert(http_date_read(heard + 8, 29, before, &date));
	ck_assert(date >= before && date <= time(NULL));
	memory_close(&client);
}
END_TEST

START_TEST(head_has_the_header_of_get_and_nothing_behind_it)
{
	static const char *const targets[] = { "GET / HTTP/1.1\r\n" HOST "\r\n",
					       "GET / HTTP/1.1\r\n" HOST CLOSES "\r\n" };
	static struct answer get, head;
	char request[TEXT];

	configure(NULL);
	for (size_t i = 0; i < COUNT(targets); i++) {
		ask(targets[i], &get);
		snprintf(request, sizeof request, "HEAD%s", targets[i] + 3);
		ask(request, &head);
		ck_assert_uint_eq(head.length, head.header);
		get.bytes[get.header] = '\0';
		ck_assert_str_eq(head.bytes, get.bytes);
	}
}
END_TEST

START_TEST(options_and_405_tell_which_methods_there_are)
{
	static struct answer answer;

	configure(NULL);
	ask("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_str_eq(field_of(&answer, "Allow"), "GET, HEAD, OPTIONS");
	expect_content(&answer, "");
	ask("POST / HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_str_eq(field_of(&answer, "Allow"), "GET, HEAD, OPTIONS");
}
END_TEST

START_TEST(an_error_is_a_page_that_says_why_and_runs_nothing)
{
	static struct answer answer;
	char length[24];

	configure(NULL);
	ask("GET / HTTP/1.1\r\n\r\n", &answer);
	ck_assert_str_eq(field_of(&answer, "Content-Type"), "text/html; charset=utf-8");
	ck_assert_str_eq(field_of(&answer, "Content-Security-Policy"),
			 "default-src 'none'; style-src 'unsafe-inline'");
	ck_assert_str_eq(field_of(&answer, "X-Content-Type-Options"), "nosniff");
	snprintf(length, sizeof length, "%zu", answer.length - answer.header);
	ck_assert_str_eq(field_of(&answer, "Content-Length"), length);
	expect_match(body_of(&answer), "<title>400 Bad Request</title>");
	expect_match(body_of(&answer), "<h1>400 Bad Request</h1>");
	expect_match(body_of(&answer), "<p>[A-Z].*Host.*\\.</p>");
}
END_TEST

START_TEST(an_error_page_repeats_nothing_of_the_request)
{
	static struct answer answer;

	configure(NULL);
	ask("<script>x</script> /<script> HTTP/1.1\r\nHost: <script>\r\n\r\n", &answer);
	ck_assert_int_eq(status_of(&answer), 400);
	ck_assert_ptr_null(strstr(answer.bytes, "<script"));
	ask("X-SCRIPT /script HTTP/1.1\r\n" HOST "\r\n", &answer);
	ck_assert_int_eq(status_of(&answer), 501);
	ck_assert_ptr_null(strstr(answer.bytes, "SCRIPT"));
}
END_TEST

/* ---- one after the other ---------------------------------------------------------------- */

START_TEST(a_hundred_requests_at_once_are_answered_in_order)
{
	enum { REQUESTS = 100 };
	static char requests[REQUESTS * 100];
	struct memory_session client;
	size_t n = 0, length;
	const char *heard;

	configure(NULL);
	for (int i = 0; i < REQUESTS; i++)
		n += (size_t)snprintf(requests + n, 100,
				      i % 3 == 0   ? "HEAD /%d HTTP/1.1\r\n" HOST "\r\n"
				      : i % 3 == 1 ? "GET /%d HTTP/1.1\r\n" HOST
						     "Content-Length: 3\r\n\r\nabc"
						   : "BREW /%d HTTP/1.1\r\n" HOST "\r\n",
				      i);
	for (size_t piece = n; piece > 0; piece /= 7) {
		memory_open(&client, &http_service);
		memory_send_in_pieces(&client, requests, n, piece);
		heard = memory_heard(&client, &length);
		ck_assert_uint_eq(count_of(heard, "HTTP/1.1 200 OK\r\n"), 67);
		ck_assert_uint_eq(count_of(heard, "HTTP/1.1 501 "), 33);
		ck_assert_uint_eq(count_of(heard, "Hello, World!"), 33);
		for (int i = 0; i < REQUESTS; i++) {
			heard = strstr(heard, "HTTP/1.1 ");
			ck_assert_ptr_nonnull(heard);
			ck_assert_int_eq(atoi(heard + 9), i % 3 == 2 ? 501 : 200);
			heard++;
		}
		ck_assert(!memory_finished(&client));
		memory_close(&client);
	}
}
END_TEST

/* How often the others had their turn while so many requests, sent at once, were answered. */
static unsigned yields_for(const char *request, unsigned many)
{
	struct memory_session client;
	char *requests = malloc(many * strlen(request) + 1);
	unsigned yielded;

	ck_assert_ptr_nonnull(requests);
	requests[0] = '\0';
	for (size_t i = 0; i < many; i++)
		strcpy(requests + i * strlen(request), request);
	memory_open(&client, &http_service);
	memory_send(&client, requests, strlen(requests));
	yielded = client.yielded;
	ck_assert_uint_eq(count_of(client.output, "HTTP/1.1 "), many);
	memory_close(&client);
	free(requests);
	return yielded;
}

START_TEST(who_sends_many_requests_at_once_lets_others_go_first)
{
	static const char *const requests[] = {
		"HEAD / HTTP/1.1\r\n" HOST "\r\n",
		"GET /none HTTP/1.1\r\n" HOST "\r\n",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	};

	configure(NULL);
	for (size_t i = 0; i < COUNT(requests); i++) {
		ck_assert_uint_eq(yields_for(requests[i], 16), 0);
		ck_assert_uint_ge(yields_for(requests[i], 1000), 1000 / 32 - 1);
	}
}
END_TEST

START_TEST(requests_wait_while_their_answers_are_not_taken)
{
	enum { REQUESTS = 50 };
	struct memory_session client;
	static char requests[REQUESTS * sizeof GET];
	size_t one, before;

	configure(NULL);
	for (int i = 0; i < REQUESTS; i++)
		strcat(requests, GET);
	memory_open_full(&client, &http_service, 1);
	memory_send(&client, requests, strlen(requests));
	one = client.length;
	ck_assert_uint_eq(count_of(client.output, "Hello"), 1);
	while (client.length < REQUESTS * one) {
		before = client.length;
		memory_take(&client, one);
		ck_assert_uint_eq(client.length, before + one);
	}
	memory_half_close(&client);
	memory_take(&client, MEMORY_ROOM);
	ck_assert(memory_finished(&client));
	ck_assert_uint_eq(client.length, REQUESTS * one);
	memory_close(&client);
}
END_TEST

/* ---- bodies ----------------------------------------------------------------------------- */

START_TEST(a_body_as_long_as_allowed_is_read_and_one_byte_more_is_not)
{
	static struct answer answer;

	configure("-M", "5");
	ask("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n12345", &answer);
	ck_assert_int_eq(status_of(&answer), 405);
	ask("POST / HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\n", &answer);
	ck_assert_int_eq(status_of(&answer), 413);
	ck_assert(answer.finished);
	ask("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	    "2\r\n12\r\n3\r\n345\r\n0\r\n\r\n",
	    &answer);
	ck_assert_int_eq(status_of(&answer), 405);
	ask("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	    "2\r\n12\r\n4\r\n",
	    &answer);
	ck_assert_int_eq(status_of(&answer), 413);
	ck_assert(answer.finished);
	configure("-M", "0");
	ask("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", &answer);
	ck_assert_int_eq(status_of(&answer), 405);
	ask("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", &answer);
	ck_assert_int_eq(status_of(&answer), 413);
}
END_TEST

START_TEST(who_waits_for_100_continue_is_reported_and_answered_behind_the_body)
{
	struct memory_session client;
	static struct answer answer;
	const char *header = "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
			     "Expect: 100-continue\r\n\r\n";

	configure(NULL);
	memory_open(&client, &http_service);
	memory_send(&client, header, strlen(header));
	memory_expect(&client, CONTINUE, strlen(CONTINUE));
	memory_send(&client, "hel", 3);
	memory_expect(&client, "", 0);
	memory_send(&client, "lo", 2);
	hear(&client, &answer);
	ck_assert_int_eq(status_of(&answer), 405);
	/* and so again */
	memory_send(&client, header, strlen(header));
	memory_expect(&client, CONTINUE, strlen(CONTINUE));
	memory_close(&client);
	/* who has not waited is not told */
	memory_open(&client, &http_service);
	memory_send(&client, header, strlen(header) - 1);
	memory_send(&client, "\nhello", 6);
	hear(&client, &answer);
	ck_assert_int_eq(status_of(&answer), 405);
	memory_close(&client);
}
END_TEST

START_TEST(who_waits_with_a_body_that_is_too_long_is_refused_at_once)
{
	static struct answer answer;

	configure(NULL);
	ask("POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n"
	    "Expect: 100-continue\r\n\r\n",
	    &answer);
	ck_assert_int_eq(status_of(&answer), 413);
	ck_assert(answer.finished);
}
END_TEST

/* ---- time ------------------------------------------------------------------------------- */

START_TEST(a_header_that_does_not_become_whole_in_time_is_answered_408)
{
	struct memory_session client;
	static struct answer answer;
	const char *request = "GET / HTTP/1.1\r\n" HOST "Cookie: ";

	configure("--header-timeout", "3");
	memory_open(&client, &http_service);
	memory_advance(&client, 100000); /* silence is not a header */
	ck_assert(!memory_finished(&client));
	memory_send(&client, request, strlen(request));
	for (int i = 0; i < 2; i++) {
		memory_advance(&client, 1000);
		memory_send(&client, "x", 1);
	}
	memory_advance(&client, 999);
	memory_expect(&client, "", 0);
	memory_advance(&client, 1);
	hear(&client, &answer);
	ck_assert_int_eq(status_of(&answer), 408);
	ck_assert_str_eq(field_of(&answer, "Connection"), "close");
	ck_assert(answer.finished);
	memory_close(&client);
}
END_TEST

START_TEST(an_empty_line_behind_a_body_is_no_request_that_could_be_late)
{
	static const char *const endings[] = { "\r\n", "\r\n\r\n" };
	const char *request = "POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab";
	struct memory_session client;
	static struct answer answer;

	configure(NULL);
	for (size_t i = 0; i < COUNT(endings); i++) {
		memory_open(&client, &http_service);
		memory_send(&client, request, strlen(request));
		memory_send(&client, endings[i], strlen(endings[i]));
		hear(&client, &answer);
		memory_advance(&client, 100000);
		memory_expect(&client, "", 0);
		ck_assert(!memory_finished(&client));
		memory_send(&client, "GET", 3); /* the time of this one begins now */
		memory_advance(&client, 9999);
		memory_expect(&client, "", 0);
		memory_send(&client, &GET[3], strlen(GET) - 3);
		hear(&client, &answer);
		ck_assert_int_eq(status_of(&answer), 200);
		memory_close(&client);
	}
}
END_TEST

START_TEST(each_header_has_its_own_time_and_ten_seconds_of_it)
{
	struct memory_session client;
	static struct answer answer;

	configure(NULL);
	memory_open(&client, &http_service);
	for (int i = 0; i < 3; i++) {
		memory_send(&client, GET, 10);
		memory_advance(&client, 9999);
		memory_send(&client, &GET[10], strlen(GET) - 10);
		hear(&client, &answer);
		ck_assert_int_eq(status_of(&answer), 200);
		memory_advance(&client, 50000); /* of that, the idle timeout takes care */
		ck_assert(!memory_finished(&client));
	}
	memory_send(&client, GET GET, strlen(GET) + 1); /* the next one has begun */
	hear(&client, &answer);
	memory_advance(&client, 9999);
	ck_assert(!memory_finished(&client));
	memory_advance(&client, 1);
	hear(&client, &answer);
	ck_assert_int_eq(status_of(&answer), 408);
	memory_close(&client);
}
END_TEST

START_TEST(a_body_has_its_time_by_its_length)
{
	struct memory_session client;
	static struct answer answer;
	const char *header = "POST / HTTP/1.1\r\n" HOST "Content-Length: 163840\r\n\r\n";

	configure(NULL);
	memory_open(&client, &http_service);
	memory_send(&client, header, strlen(header));
	for (int i = 0; i < 19; i++) {
		memory_advance(&client, 1000);
		memory_send(&client, "drip", 4);
	}
	ck_assert(!memory_finished(&client));
	memory_advance(&client, 1000);
	hear(&client, &answer);
	ck_assert_int_eq(status_of(&answer), 408);
	ck_assert(answer.finished);
	memory_close(&client);
}
END_TEST

START_TEST(without_a_header_timeout_all_may_take_their_time)
{
	struct memory_session client;
	static struct answer answer;

	configure("--header-timeout", "0");
	memory_open(&client, &http_service);
	memory_send(&client, GET, 5);
	memory_advance(&client, 1000000);
	memory_send(&client, &GET[5], strlen(GET) - 5);
	hear(&client, &answer);
	ck_assert_int_eq(status_of(&answer), 200);
	memory_close(&client);
}
END_TEST

START_TEST(a_delay_comes_before_each_answer)
{
	struct memory_session client;
	static struct answer answer;
	const char *two = GET "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello";

	configure("--delay", "250");
	for (size_t cut = 1; cut <= strlen(two); cut++) {
		memory_open(&client, &http_service);
		memory_send(&client, two, cut);
		memory_send(&client, two + cut, strlen(two) - cut);
		memory_half_close(&client);
		memory_advance(&client, 249);
		memory_expect(&client, "", 0);
		ck_assert(client.session.busy);
		memory_advance(&client, 1);
		hear(&client, &answer);
		ck_assert_int_eq(status_of(&answer), 200);
		ck_assert_uint_eq(count_of(answer.bytes, "HTTP/1.1 "), 1);
		memory_advance(&client, 249);
		memory_expect(&client, "", 0);
		memory_advance(&client, 1);
		hear(&client, &answer);
		ck_assert_int_eq(status_of(&answer), 405);
		ck_assert(answer.finished);
		memory_close(&client);
	}
}
END_TEST

START_TEST(a_delay_is_not_the_clients_slowness)
{
	struct memory_session client;
	static struct answer answer;

	configure("--delay", "60000");
	memory_open(&client, &http_service);
	memory_send(&client, GET, 5);
	memory_send(&client, &GET[5], strlen(GET) - 5);
	memory_advance(&client, 60000);
	hear(&client, &answer);
	ck_assert_int_eq(status_of(&answer), 200);
	ck_assert(!client.session.busy);
	memory_send(&client, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n",
		    strlen("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n"));
	ck_assert(client.session.busy);
	memory_send(&client, "x", 1);
	memory_advance(&client, 60000);
	hear(&client, &answer);
	ck_assert_int_eq(status_of(&answer), 405);
	memory_close(&client);
}
END_TEST

/* ---- the targets of --lab ---------------------------------------------------------------- */

#define ASK(method, target) method " " target " HTTP/1.1\r\n" HOST "\r\n"

START_TEST(without_the_option_there_is_no_target_of_the_lab)
{
	static struct answer answer;

	configure("-m", "hi");
	ask(ASK("GET", "/bytes/5"), &answer);
	ck_assert_str_eq(answer.bytes + answer.header, "hi\n");
	ask(ASK("GET", "/delay/5000"), &answer);
	ck_assert_str_eq(answer.bytes + answer.header, "hi\n");
}
END_TEST

START_TEST(bytes_are_as_many_as_requested_and_tell_their_place)
{
	static const char text[] = "000000000000000\n000000000000010\n0000";
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 36 };
	static struct answer answer;
	char request[100], length[20];

	configure("--lab");
	for (size_t i = 0; i < COUNT(lengths); i++) {
		snprintf(request, sizeof request, ASK("GET", "/bytes/%zu"), lengths[i]);
		snprintf(length, sizeof length, "%zu", lengths[i]);
		for (size_t cut = 0; cut < strlen(request); cut++) {
			ask_in_two(request, strlen(request), cut, &answer);
			ck_assert_int_eq(status_of(&answer), 200);
			ck_assert_str_eq(field_of(&answer, "Content-Length"), length);
			ck_assert_uint_eq(answer.length - answer.header, lengths[i]);
			ck_assert_int_eq(
				memcmp(answer.bytes + answer.header, text, lengths[i]),
				0);
			ck_assert(!answer.finished);
		}
	}
}
END_TEST

/* The place of each byte is also right where two pieces meet. */
START_TEST(bytes_go_out_as_the_client_takes_them_and_the_next_request_is_answered)
{
	enum { MANY = 3 * 1024 * 1024 + 7 };
	struct memory_session client;
	static struct answer answer;
	const char *requests = ASK("GET", "/bytes/3145735") ASK("GET", "/bytes/3");
	const char *bytes, *body;
	char *expected = malloc(MANY);
	size_t length;

	ck_assert_ptr_nonnull(expected);
	for (size_t i = 0; i < MANY; i++) {
		char line[20];

		snprintf(line, sizeof line, "%015zx\n", i / 16 * 16);
		expected[i] = line[i % 16];
	}
	configure("--lab");
	memory_open_full(&client, &http_service, 100000);
	memory_send(&client, requests, strlen(requests));
	ck_assert(session_full(&client.session));
	ck_assert(client.session.busy);
	ck_assert_uint_lt(client.length, 200000);
	for (int i = 0; i < 100; i++)
		memory_take(&client, 50000);
	bytes = memory_heard(&client, &length);
	body = strstr(bytes, "\r\n\r\n");
	ck_assert_ptr_nonnull(body);
	body += 4;
	ck_assert_uint_gt(length - (size_t)(body - bytes), MANY);
	ck_assert_int_eq(memcmp(body, expected, MANY), 0);
	ck_assert_msg(strncmp(body + MANY, "HTTP/1.1 200", 12) == 0, "'%.40s'",
		      body + MANY);
	ck_assert_str_eq(strstr(body + MANY, "\r\n\r\n") + 4, "000");
	ck_assert(!client.session.busy);
	memory_close(&client);
	free(expected);
	ask(GET, &answer);
	ck_assert_int_eq(status_of(&answer), 200);
}
END_TEST

START_TEST(a_fast_reader_of_many_bytes_lets_others_go_first)
{
	struct memory_session client;

	configure("--lab");
	memory_open(&client, &http_service);
	memory_send(&client, ASK("GET", "/bytes/8388608"),
		    strlen(ASK("GET", "/bytes/8388608")));
	ck_assert_uint_ge(client.yielded, 7);
	ck_assert_uint_gt(client.length, 8388608);
	memory_close(&client);
}
END_TEST

START_TEST(head_of_bytes_announces_them_and_sends_none)
{
	static struct answer answer;

	configure("--lab");
	ask(ASK("HEAD", "/bytes/1073741824"), &answer);
	ck_assert_int_eq(status_of(&answer), 200);
	ck_assert_str_eq(field_of(&answer, "Content-Length"), "1073741824");
	ck_assert_uint_eq(answer.length, answer.header);
	ask(ASK("HEAD", "/delay/0"), &answer);
	ck_assert_str_eq(field_of(&answer, "Content-Length"), "11");
	ck_assert_uint_eq(answer.length, answer.header);
}
END_TEST

/* As for the greeting: there is no ETag and no time that they could be compared with. */
START_TEST(conditions_and_ranges_do_not_change_the_targets_of_the_lab)
{
	static const char *const fields[] = {
		"If-Modified-Since: Sun, 06 Nov 2044 08:49:37 GMT\r\n",
		"If-None-Match: \"a\"\r\n",
		"Range: bytes=0-1\r\n",
	};
	static struct answer answer;
	char request[200];

	configure("--lab");
	for (size_t i = 0; i < COUNT(fields); i++) {
		snprintf(request, sizeof request,
			 "GET /bytes/5 HTTP/1.1\r\n" HOST "%s\r\n", fields[i]);
		ask(request, &answer);
		ck_assert_int_eq(status_of(&answer), 200);
		ck_assert_str_eq(answer.bytes + answer.header, "00000");
	}
}
END_TEST

START_TEST(a_number_that_is_none_or_too_large_is_answered_400_with_the_reason)
{
	static const char *const bad[] = {
		"/bytes/",     "/bytes/x",          "/bytes/-1",
		"/bytes/+1",   "/bytes/1/",         "/bytes/1/2",
		"/bytes/1.5",  "/bytes/1073741825", "/bytes/99999999999999999999",
		"/delay/",     "/delay/1s",         "/delay/60001",
		"/delay/0x10",
	};
	static const char *const good[] = { "/bytes/0",      "/bytes/007",   "/bytes/%31",
					    "/x/../bytes/1", "/bytes/1?a=b", "/delay/0" };
	static struct answer answer;
	char request[100];

	configure("--lab");
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(request, sizeof request, ASK("GET", "%s"), bad[i]);
		ask(request, &answer);
		ck_assert_msg(status_of(&answer) == 400, "%s: %s", bad[i], answer.bytes);
		ck_assert_ptr_nonnull(strstr(answer.bytes, "needs a number of"));
		ck_assert(!answer.finished); /* the request itself is understood */
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		snprintf(request, sizeof request, ASK("GET", "%s"), good[i]);
		ask(request, &answer);
		ck_assert_msg(status_of(&answer) == 200, "%s: %s", good[i], answer.bytes);
	}
	ask(ASK("GET", "/bytes"), &answer);
	ck_assert_str_eq(answer.bytes + answer.header, "Hello, World!\n");
	ask(ASK("DELETE", "/bytes/5"), &answer);
	ck_assert_int_eq(status_of(&answer), 405);
}
END_TEST

START_TEST(a_delay_of_the_target_comes_before_its_answer_and_after_that_of_the_option)
{
	struct memory_session client;
	static struct answer answer;
	const char *two = ASK("GET", "/delay/250") ASK("POST", "/delay/250");

	for (int more = 0; more < 2; more++) {
		configure("--lab", "--delay", more ? "100" : "0");
		memory_open(&client, &http_service);
		memory_send(&client, two, strlen(two));
		memory_advance(&client, more ? 349 : 249);
		memory_expect(&client, "", 0);
		ck_assert(client.session.busy);
		memory_advance(&client, 1);
		hear(&client, &answer);
		ck_assert_str_eq(field_of(&answer, "Content-Length"), "13");
		ck_assert_msg(
			strncmp(answer.bytes + answer.header, "after 250 ms\n", 13) == 0,
			"'%s'", answer.bytes);
		if (more) {
			memory_advance(&client, 100);
			hear(&client, &answer);
			ck_assert_int_eq(status_of(&answer), 405);
		} else { /* only GET and HEAD wait */
			ck_assert_uint_eq(count_of(answer.bytes, "HTTP/1.1 405"), 1);
		}
		memory_close(&client);
	}
}
END_TEST

/* ---- the end ----------------------------------------------------------------------------- */

START_TEST(half_a_request_at_the_half_close_is_answered_400_and_none_is_not)
{
	static const struct {
		const char *request;
		int status;
	} ends[] = {
		{ "", 0 },
		{ "\r\n", 0 },
		{ "\r", 0 },
		{ "G", 400 },
		{ "GET / HTTP/1.1\r\n" HOST, 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhell", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n",
		  400 },
	};
	struct memory_session client;
	static struct answer answer;

	configure(NULL);
	for (size_t i = 0; i < COUNT(ends); i++) {
		memory_open(&client, &http_service);
		if (ends[i].request[0] != '\0')
			memory_send(&client, ends[i].request, strlen(ends[i].request));
		memory_expect(&client, "", 0);
		memory_half_close(&client);
		hear(&client, &answer);
		ck_assert(answer.finished);
		if (ends[i].status == 0)
			ck_assert_uint_eq(answer.length, 0);
		else
			ck_assert_int_eq(status_of(&answer), ends[i].status);
		memory_close(&client);
	}
}
END_TEST

START_TEST(a_client_may_vanish_at_any_moment)
{
	const char *request =
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" GET;
	struct memory_session client;

	for (int delayed = 0; delayed < 2; delayed++) {
		configure("--delay", delayed ? "10" : "0");
		for (size_t n = 1; n <= strlen(request); n++) {
			memory_open(&client, &http_service);
			memory_send(&client, request, n);
			memory_close(&client); /* what it held is released: a sanitizer
						  would see a leak */
		}
	}
}
END_TEST

/* ---- files ------------------------------------------------------------------------------- */

enum { FILE_SIZE = 1000 };

static char content[FILE_SIZE + 1];

/* A site: an index, a file of FILE_SIZE bytes, a directory without an index, a hidden one. */
static void make_site(struct folder *folder)
{
	for (int i = 0; i < FILE_SIZE; i++)
		content[i] = (char)('a' + i % 26);
	folder_create(folder);
	folder_text(folder, "index.html", "<p>welcome\n");
	folder_file(folder, "data.bin", content, FILE_SIZE);
	folder_text(folder, "empty.txt", "");
	folder_directory(folder, "sub");
	folder_text(folder, "sub/<b>&.txt", "odd\n");
	folder_text(folder, ".hidden", "secret\n");
}

/* A GET of that target, with these further fields. */
static void get(const char *target, const char *fields, struct answer *answer)
{
	char request[TEXT];

	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "%s\r\n", target,
		 fields);
	ask(request, answer);
}

START_TEST(a_file_is_sent_with_all_that_is_known_of_it)
{
	static struct answer answer;
	struct folder folder;

	make_site(&folder);
	configure("-r", folder.path);
	get("/data.bin", "", &answer);
	ck_assert_int_eq(status_of(&answer), 200);
	expect_content(&answer, content);
	ck_assert_str_eq(field_of(&answer, "Accept-Ranges"), "bytes");
	ck_assert_str_eq(field_of(&answer, "Content-Type"), "application/octet-stream");
	expect_match(field_of(&answer, "ETag"), "^(W/)?\"[^\"]+\"$");
	expect_match(field_of(&answer, "Last-Modified"),
		     "^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} "
		     "[0-9]{2}:[0-9]{2}:[0-9]{2} GMT$");
	get("/", "", &answer);
	expect_content(&answer, "<p>welcome\n");
	ck_assert_str_eq(field_of(&answer, "Content-Type"), "text/html; charset=utf-8");
	get("/empty.txt", "", &answer);
	expect_content(&answer, "");
	ck_assert_str_eq(field_of(&answer, "Content-Type"), "text/plain; charset=utf-8");
	folder_remove(&folder);
}
END_TEST

START_TEST(what_cannot_be_shown_has_its_status)
{
	static const struct {
		const char *target;
		int status;
	} cases[] = {
		{ "/nothing", 404 },       { "/.hidden", 404 },
		{ "/../etc/passwd", 400 }, { "/%2e%2e/etc/passwd", 400 },
		{ "/sub/", 403 },          { "/sub/..%2fdata.bin", 404 },
		{ "/data.bin/", 404 },     { "/%zz", 400 },
		{ "//data.bin", 200 },     { "/sub/../data.bin", 200 },
		{ "/../data.bin", 400 },
	};
	static struct answer answer;
	struct folder folder;

	make_site(&folder);
	configure("-r", folder.path);
	for (size_t i = 0; i < COUNT(cases); i++) {
		get(cases[i].target, "", &answer);
		ck_assert_msg(status_of(&answer) == cases[i].status, "%s: %s",
			      cases[i].target, answer.bytes);
	}
	folder_remove(&folder);
}
END_TEST

START_TEST(a_page_says_why_it_is_not_shown)
{
	static const struct {
		const char *target, *why;
	} cases[] = {
		{ "/sub/", "<p>This directory has no index.html.</p>" },
		{ "/link", "<p>The path contains a symbolic link, which this "
			   "server does not follow.</p>" },
		{ "/fifo", "<p>Not a regular file or directory.</p>" },
		{ "/socket", "<p>Not a regular file or directory.</p>" },
		{ "/odd/", "<p>Its index.html is a directory.</p>" },
	};
	static struct answer answer;
	struct folder folder;

	make_site(&folder);
	folder_link(&folder, "link", "data.bin");
	folder_fifo(&folder, "fifo");
	folder_socket(&folder, "socket");
	folder_directory(&folder, "odd");
	folder_directory(&folder, "odd/index.html");
	configure("-r", folder.path);
	for (size_t i = 0; i < COUNT(cases); i++) {
		get(cases[i].target, "", &answer);
		ck_assert_int_eq(status_of(&answer), 403);
		ck_assert_msg(strstr(answer.bytes, cases[i].why) != NULL, "%s: %s",
			      cases[i].target, answer.bytes);
	}
	folder_remove(&folder);
}
END_TEST

START_TEST(a_missing_slash_is_added_by_a_redirect_on_this_host)
{
	static struct answer answer;
	struct folder folder;

	make_site(&folder);
	folder_directory(&folder, "a b");
	configure("-r", folder.path);
	get("/sub", "", &answer);
	ck_assert_int_eq(status_of(&answer), 301);
	ck_assert_str_eq(field_of(&answer, "Location"), "/sub/");
	get("/a%20b?x=1&y=%2F", "", &answer);
	ck_assert_str_eq(field_of(&answer, "Location"), "/a%20b/?x=1&y=%2F");
	get("http://localhost/sub?", "", &answer);
	ck_assert_str_eq(field_of(&answer, "Location"), "/sub/");
	get("/./data.bin/..//sub", "", &answer);
	ck_assert_str_eq(field_of(&answer, "Location"), "/sub/");
	folder_remove(&folder);
}
END_TEST

/* To a browser a backslash is a slash, and what follows two of them a host. */
START_TEST(a_redirect_leads_nowhere_else_whatever_the_directory_is_called)
{
	static const struct {
		const char *directory, *target, *location;
	} cases[] = {
		{ "\\evil.com", "/%5Cevil.com", "/%5Cevil.com/" },
		{ "\\\\evil.com", "/%5c%5Cevil.com?\\", "/%5C%5Cevil.com/?\\" },
		{ "sub/\\", "/sub/%5c", "/sub/%5C/" },
		{ "evil.com", "//evil.com", "/evil.com/" },
		{ "evil.com", "///evil.com", "/evil.com/" },
		{ "evil.com", "/.//evil.com", "/evil.com/" },
		{ "sub", "//evil.com/%2e%2e/sub", "/sub/" },
		{ "sub", "//evil.com/../sub?x", "/sub/?x" },
	};
	static struct answer answer;
	struct folder folder;

	make_site(&folder);
	configure("-r", folder.path);
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (!folder_has(&folder, cases[i].directory))
			folder_directory(&folder, cases[i].directory);
		get(cases[i].target, "", &answer);
		ck_assert_int_eq(status_of(&answer), 301);
		ck_assert_str_eq(field_of(&answer, "Location"), cases[i].location);
	}
	get("/\\evil.com", "", &answer);
	ck_assert_int_eq(status_of(&answer), 400);
	ck_assert_str_eq(field_of(&answer, "Location"), "");
	folder_remove(&folder);
}
END_TEST

START_TEST(a_redirect_has_a_link_for_who_does_not_follow_it)
{
	static const struct {
		const char *directory, *target, *link;
	} cases[] = {
		{ "a b", "/a%20b?x=1", "\"a%20b/\"" },
		{ "sub/deep", "/sub/deep", "\"deep/\"" },
		{ "<b>&\"'", "/%3Cb%3E&%22'", "\"%3Cb%3E%26%22%27/\"" },
		{ "javascript:x", "/javascript:x", "\"javascript%3Ax/\"" },
	};
	static char longest[256], target[800], link[800];
	static struct answer answer;
	struct folder folder;
	char expected[900];

	make_site(&folder);
	configure("-r", folder.path);
	for (size_t i = 0; i < COUNT(cases); i++) {
		folder_directory(&folder, cases[i].directory);
		get(cases[i].target, "", &answer);
		snprintf(expected, sizeof expected,
			 "<p>This is a directory: <a href=%s>its name ends with a "
			 "slash</a>.</p>",
			 cases[i].link);
		ck_assert_msg(strstr(answer.bytes, expected) != NULL, "no %s in %s",
			      expected, answer.bytes);
	}
	memset(longest, '<', 255);
	folder_directory(&folder, longest);
	target[0] = '/';
	for (size_t i = 0; i < 255; i++) {
		memcpy(target + 1 + 3 * i, "%3c", 4);
		memcpy(link + 3 * i, "%3C", 4);
	}
	get(target, "", &answer);
	ck_assert_int_eq(status_of(&answer), 301);
	snprintf(expected, sizeof expected, "=\"%s/\">its name ends", link);
	ck_assert_ptr_nonnull(strstr(answer.bytes, expected));
	ck_assert_str_eq(answer.bytes + answer.length - 8, "</html>\n");
	folder_remove(&folder);
}
END_TEST

START_TEST(who_has_the_file_already_gets_no_body_and_no_length)
{
	const struct timespec times[2] = { { 784111777, 0 }, { 784111777, 0 } };
	static struct answer whole, answer;
	struct folder folder;
	char fields[200], since[100];

	make_site(&folder);
	ck_assert_int_eq(utimensat(folder.fd, "data.bin", times, 0), 0);
	configure("-r", folder.path);
	get("/data.bin", "", &whole);
	snprintf(since, sizeof since, "If-Modified-Since: %s\r\n",
		 field_of(&whole, "Last-Modified"));
	snprintf(fields, sizeof fields, "If-None-Match: %s\r\n",
		 field_of(&whole, "ETag"));
	for (int i = 0; i < 2; i++) {
		get("/data.bin", i == 0 ? fields : since, &answer);
		ck_assert_int_eq(status_of(&answer), 304);
		ck_assert_uint_eq(answer.length, answer.header);
		ck_assert_str_eq(field_of(&answer, "Content-Length"), "");
		ck_assert_str_ne(field_of(&answer, "ETag"), "");
		ck_assert(!answer.finished);
	}
	get("/data.bin", "If-Match: \"another\"\r\n", &answer);
	ck_assert_int_eq(status_of(&answer), 412);
	folder_remove(&folder);
}
END_TEST

START_TEST(a_part_of_a_file_is_that_part)
{
	static struct answer answer;
	struct folder folder;

	make_site(&folder);
	configure("-r", folder.path);
	get("/data.bin", "Range: bytes=26-51\r\n", &answer);
	ck_assert_int_eq(status_of(&answer), 206);
	ck_assert_str_eq(field_of(&answer, "Content-Range"), "bytes 26-51/1000");
	expect_content(&answer, "abcdefghijklmnopqrstuvwxyz");
	get("/data.bin", "Range: bytes=998-\r\n", &answer);
	ck_assert_str_eq(field_of(&answer, "Content-Range"), "bytes 998-999/1000");
	expect_content(&answer, content + 998);
	get("/data.bin", "Range: bytes=-1\r\n", &answer);
	ck_assert_str_eq(field_of(&answer, "Content-Range"), "bytes 999-999/1000");
	expect_content(&answer, content + 999);
	get("/data.bin", "Range: bytes=1000-\r\n", &answer);
	ck_assert_int_eq(status_of(&answer), 416);
	ck_assert_str_eq(field_of(&answer, "Content-Range"), "bytes */1000");
	folder_remove(&folder);
}
END_TEST

START_TEST(a_directory_is_listed_with_l_and_its_names_are_text)
{
	static struct answer answer;
	struct folder folder;
	char length[24];

	make_site(&folder);
	configure("-r", folder.path, "-l");
	get("/sub/", "", &answer);
	ck_assert_int_eq(status_of(&answer), 200);
	snprintf(length, sizeof length, "%zu", answer.length - answer.header);
	ck_assert_str_eq(field_of(&answer, "Content-Length"), length);
	ck_assert_str_eq(field_of(&answer, "Content-Security-Policy"),
			 "default-src 'none'; style-src 'unsafe-inline'");
	ck_assert_ptr_null(strstr(answer.bytes, "<b>"));
	expect_match(answer.bytes, "&(lt|#60);b&(gt|#62);&(amp|#38);\\.txt");
	get("/", "", &answer); /* it has an index */
	expect_content(&answer, "<p>welcome\n");
	folder_remove(&folder);
}
END_TEST

START_TEST(head_of_a_file_or_page_has_the_header_of_get)
{
	static const char *const targets[] = { "/data.bin", "/",     "/sub/",
					       "/sub",      "/none", "/empty.txt" };
	static struct answer whole, head;
	struct folder folder;
	char request[TEXT];

	make_site(&folder);
	configure("-r", folder.path, "-l");
	for (size_t i = 0; i < COUNT(targets); i++) {
		get(targets[i], "", &whole);
		snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\n" HOST "\r\n",
			 targets[i]);
		ask(request, &head);
		ck_assert_uint_eq(head.length, head.header);
		whole.bytes[whole.header] = '\0';
		ck_assert_str_eq(head.bytes, whole.bytes);
	}
	folder_remove(&folder);
}
END_TEST

/* What a test of descriptors compares: 0 where the kernel does not tell. */
static unsigned open_descriptors(void)
{
	return process_facts_available() ? process_descriptors(getpid()) : 0;
}

START_TEST(requests_behind_a_file_are_answered_behind_it)
{
	static const char requests[] =
		"GET /data.bin HTTP/1.1\r\n" HOST "\r\n"
		"HEAD /data.bin HTTP/1.1\r\n" HOST "\r\n"
		"GET /empty.txt HTTP/1.1\r\n" HOST "\r\n"
		"GET /data.bin HTTP/1.1\r\n" HOST "Range: bytes=0-9\r\n\r\n"
		"GET /none HTTP/1.1\r\n" HOST CLOSES "\r\n";
	struct memory_session client;
	static struct answer answer;
	struct folder folder;
	unsigned descriptors;

	make_site(&folder);
	configure("-r", folder.path);
	descriptors = open_descriptors();
	for (size_t piece = sizeof requests - 1; piece > 0; piece /= 3) {
		memory_open(&client, &http_service);
		memory_send_in_pieces(&client, requests, sizeof requests - 1, piece);
		hear(&client, &answer);
		ck_assert_uint_eq(count_of(answer.bytes, "HTTP/1.1 200 OK"), 3);
		ck_assert_uint_eq(count_of(answer.bytes, "HTTP/1.1 206 "), 1);
		ck_assert_uint_eq(count_of(answer.bytes, "HTTP/1.1 404 "), 1);
		ck_assert_uint_eq(count_of(answer.bytes, content), 1);
		ck_assert(answer.finished);
		memory_close(&client);
	}
	ck_assert_uint_eq(open_descriptors(), descriptors);
	folder_remove(&folder);
}
END_TEST

START_TEST(behind_a_listing_it_is_the_turn_of_others)
{
	struct folder folder;

	make_site(&folder);
	configure("-r", folder.path, "-l");
	ck_assert_uint_eq(yields_for("GET /sub/ HTTP/1.1\r\n" HOST "\r\n", 5), 4);
	ck_assert_uint_eq(yields_for("HEAD /sub/ HTTP/1.1\r\n" HOST "\r\n", 5), 4);
	ck_assert_uint_eq(yields_for("HEAD / HTTP/1.1\r\n" HOST "\r\n", 5), 0);
	folder_remove(&folder);
}
END_TEST

/* A directory of so many names. */
static void make_many(const struct folder *folder, int many)
{
	char name[100];

	folder_directory(folder, "many");
	for (int i = 0; i < many; i++) {
		snprintf(name, sizeof name, "many/%06d", i);
		ck_assert_int_eq(linkat(folder->fd, "empty.txt", folder->fd, name, 0), 0);
	}
}

START_TEST(while_a_large_directory_is_listed_others_have_their_turns)
{
	enum { NAMES = 5000, A_TURN = 500 };
	struct folder folder;

	make_site(&folder);
	make_many(&folder, NAMES);
	configure("-r", folder.path, "-l");
	ck_assert_uint_ge(yields_for("GET /many/ HTTP/1.1\r\n" HOST "\r\n", 1),
			  NAMES / A_TURN);
	ck_assert_uint_ge(yields_for("HEAD /many/ HTTP/1.1\r\n" HOST "\r\n", 2),
			  2 * NAMES / A_TURN);
	/* with a body, too, whose time is then over */
	ck_assert_uint_ge(yields_for("GET /many/ HTTP/1.1\r\n" HOST
				     "Content-Length: 3\r\n\r\nabc",
				     2),
			  2 * NAMES / A_TURN);
	folder_remove(&folder);
}
END_TEST

START_TEST(who_leaves_while_a_directory_is_listed_leaves_nothing_behind)
{
	static const char request[] = "GET /many/ HTTP/1.1\r\n" HOST "\r\n";
	struct memory_session client;
	struct folder folder;
	unsigned descriptors;

	make_site(&folder);
	make_many(&folder, 5000);
	configure("-r", folder.path, "-l");
	descriptors = open_descriptors();
	memory_open(&client, &http_service);
	ck_assert_uint_eq(
		http_service.input(&client.session, request, sizeof request - 1), 0);
	ck_assert(client.session.resume_at != 0);
	memory_expect(&client, "", 0);
	memory_close(&client);
	ck_assert_uint_eq(open_descriptors(), descriptors);
	folder_remove(&folder);
}
END_TEST

/* From here on the kernel cannot look at names in any directory but the one that is served. */
static bool fail_to_look(unsigned error)
{
#if defined(SECCOMP_RET_ERRNO) && defined(SYS_newfstatat)
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[3])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AT_SYMLINK_NOFOLLOW, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)http_root.directory.fd, 1,
			 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof steps / sizeof *steps, steps };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
#else
	(void)error;
	return false;
#endif
}

/* The folder is not removed: that is what the kernel cannot do any more. */
START_TEST(a_listing_is_whole_or_an_error)
{
	static const struct {
		unsigned error;
		int status;
	} cases[] = {
		{ ENOENT, 200 }, /* all have gone meanwhile */
		{ EIO, 500 },
		{ ENOMEM, 503 },
		{ EACCES, 403 },
	};
	static struct answer answer;
	struct folder folder;

	make_site(&folder);
	configure("-r", folder.path, "-l");
	if (!fail_to_look(cases[_i].error)) {
		skipped("needs seccomp(2)");
		return;
	}
	get("/sub/", "", &answer);
	ck_assert_msg(status_of(&answer) == cases[_i].status, "%s", answer.bytes);
	ck_assert(!answer.finished);
	ck_assert_ptr_null(strstr(answer.bytes, "&#60;b&#62;"));
	get("/data.bin", "", &answer);
	ck_assert_int_eq(status_of(&answer), 200);
}
END_TEST

START_TEST(a_long_listing_goes_out_as_the_client_takes_it)
{
	enum { FILES = 900 };
	static const char requests[] =
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
		"GET /sub/ HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
		"GET /sub/ HTTP/1.1\r\n" HOST "\r\n"
		"GET /data.bin HTTP/1.1\r\n" HOST CLOSES "\r\n";
	struct memory_session client;
	struct folder folder;
	char name[100];

	make_site(&folder);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "sub/%060d", i);
		folder_text(&folder, name, "");
	}
	configure("-r", folder.path, "-l");
	memory_open_full(&client, &http_service, 1000);
	memory_send_in_pieces(&client, requests, sizeof requests - 1, 10);
	memory_half_close(&client);
	while (!memory_finished(&client)) {
		ck_assert(session_full(&client.session));
		ck_assert_uint_le(client.length, client.room + HTTP_PAGE_PIECE + TEXT);
		memory_take(&client, 10000);
	}
	ck_assert_uint_eq(count_of(client.output, "HTTP/1.1 405 "), 1);
	ck_assert_uint_eq(count_of(client.output, "HTTP/1.1 200 OK"), 3);
	ck_assert_uint_eq(count_of(client.output, "</html>"), 3);
	snprintf(name, sizeof name, ">%060d<", FILES - 1);
	ck_assert_uint_eq(count_of(client.output, name), 2);
	ck_assert_uint_eq(count_of(client.output, content), 1);
	memory_close(&client);
	/* who leaves in the middle leaves nothing behind */
	memory_open_full(&client, &http_service, 1000);
	memory_send(&client, requests, sizeof requests - 1);
	memory_take(&client, 10000);
	memory_close(&client);
	folder_remove(&folder);
}
END_TEST

START_TEST(cache_control_is_sent_with_files_and_nothing_else)
{
	static const char *const without[] = { "/none", "/sub", "/sub/", "/%zz" };
	static struct answer answer;
	struct folder folder;
	char fields[200];

	make_site(&folder);
	configure("-r", folder.path, "-l", "--cache-control", "public, max-age=3600");
	get("/data.bin", "", &answer);
	ck_assert_str_eq(field_of(&answer, "Cache-Control"), "public, max-age=3600");
	snprintf(fields, sizeof fields, "If-None-Match: %s\r\n",
		 field_of(&answer, "ETag"));
	get("/data.bin", fields, &answer);
	ck_assert_int_eq(status_of(&answer), 304);
	ck_assert_str_eq(field_of(&answer, "Cache-Control"), "public, max-age=3600");
	get("/data.bin", "Range: bytes=0-9\r\n", &answer);
	ck_assert_int_eq(status_of(&answer), 206);
	ck_assert_str_eq(field_of(&answer, "Cache-Control"), "public, max-age=3600");
	get("/data.bin", "Range: bytes=5000-\r\n", &answer);
	ck_assert_int_eq(status_of(&answer), 416);
	ck_assert_str_eq(field_of(&answer, "Cache-Control"), "");
	for (size_t i = 0; i < COUNT(without); i++) {
		get(without[i], "", &answer);
		ck_assert_str_eq(field_of(&answer, "Cache-Control"), "");
	}
	folder_remove(&folder);
}
END_TEST

START_TEST(cache_control_is_sent_with_the_greeting_if_it_is_asked_for)
{
	static struct answer answer;

	configure(NULL);
	get("/", "", &answer);
	ck_assert_str_eq(field_of(&answer, "Cache-Control"), "");
	configure("--cache-control", "no-store");
	get("/", "", &answer);
	ck_assert_str_eq(field_of(&answer, "Cache-Control"), "no-store");
}
END_TEST

START_TEST(cache_control_is_what_caches_understand)
{
	static const char *const good[] = {
		"no-cache",
		"max-age=0",
		"MAX-AGE=2147483648",
		"public,max-age=3600 , immutable",
		"private=\"x-field, x-other\", stale-while-revalidate=60",
		"community=\"UCI\"",
		"x=\"\\\"\"",
	};
	static const char *const bad[] = {
		"",
		" ",
		",",
		"no-cache,",
		",no-cache",
		"no-cache no-store",
		"no-cache; no-store",
		"max-age",
		"max-age=",
		"max-age=1h",
		"max-age=-1",
		"max-age=2147483649",
		"max-age=99999999999999999999",
		"max-age=\"60\"",
		"s-maxage=x",
		"max-age = 60",
		"x=\"",
		"x=\"\\\"",
		"x=\"\\",
		"x=\"a\"b",
		"no-cache\r\nX: y",
		"no-cache\n",
		"x=\"\r\n\"",
		"\xc3\xbc",
		"Cache-Control: no-cache",
	};
	static char longest[HTTP_CACHE_CONTROL_MOST + 2];

	for (size_t i = 0; i < COUNT(good); i++)
		ck_assert_msg(http_cache_control_is_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(!http_cache_control_is_valid(bad[i]), "%s", bad[i]);
	memset(longest, 'x', HTTP_CACHE_CONTROL_MOST);
	ck_assert(http_cache_control_is_valid(longest));
	longest[HTTP_CACHE_CONTROL_MOST] = 'x';
	ck_assert(!http_cache_control_is_valid(longest));
}
END_TEST

START_TEST(options_that_make_no_sense_are_refused)
{
	static const struct {
		const char *arguments[4], *pattern;
	} cases[] = {
		{ { "-r", "/nowhere/at\tall" }, "/nowhere/at\\\\tall" },
		{ { "-r", "/dev/null" }, "/dev/null" },
		{ { "-l" }, "^-l, --list needs -r DIR$" },
		{ { "-L", "/nowhere/log" },
		  "^cannot open the log '/nowhere/log': No such file" },
		{ { "-M", "1X" }, "^-M, --max-body: '1X'" },
		{ { "--delay", "-1" }, "^--delay: '-1'" },
		{ { "--delay", "9999999" }, "^--delay: '9999999'" },
		{ { "--header-timeout", "ten" }, "^--header-timeout: 'ten'" },
		{ { "--cache-control", "max-age=1h" },
		  "^--cache-control: 'max-age=1h' is not a list of cache directives" },
	};
	struct failure failure = { .text = "" };

	ck_assert_int_eq(try_to_configure(cases[_i].arguments, &failure), -1);
	expect_match(failure.text, cases[_i].pattern);
}
END_TEST

/* ---- the access log ---------------------------------------------------------------------- */

/* All that is in a file. */
static char *read_text(const struct folder *folder, const char *name)
{
	static char text[4 * TEXT];
	int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = io_read_all(fd, text, sizeof text - 1);

	ck_assert_msg(n >= 0, "%s cannot be read", name);
	text[n] = '\0';
	close(fd);
	return text;
}

/* The same of a log, whose times are taken away. */
static const char *read_log(const struct folder *folder, const char *name)
{
	char *text = read_text(folder, name);

	for (char *at = text; (at = strchr(at, '[')) != NULL; at++) {
		size_t length = strcspn(at, "]\n");

		ck_assert_msg(at[length] == ']', "no time: %s", at);
		expect_match(at, "^\\[[0-3][0-9]/[A-Z][a-z]{2}/[0-9]{4}:[0-2][0-9]:"
				 "[0-5][0-9]:[0-6][0-9] \\+0000\\]");
		memmove(at + 1, at + length, strlen(at + length) + 1);
	}
	return text;
}

static void log_to(const struct folder *folder, const char *name)
{
	static char path[FOLDER_TEXT + 40];

	snprintf(path, sizeof path, "%s/%s", folder->path, name);
	configure("-L", path, "-r", folder->path);
}

/* From now on what is said to the operator is in the file "messages". */
static void keep_messages(const struct folder *folder)
{
	int fd;

	folder_text(folder, "messages", "");
	fd = openat(folder->fd, "messages", O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	close(fd);
}

START_TEST(there_is_a_log_unless_q_says_no_and_l_no_other)
{
	struct failure failure;
	const char *const none[] = { NULL }, *const output[] = { "-L", "-", NULL };

	message_set_level(MESSAGE_NOTICE);
	ck_assert_int_eq(memory_configure(&http_service, none, &failure), 0);
	ck_assert(http_log_wanted());
	message_set_level(MESSAGE_ERROR); /* -q */
	ck_assert_int_eq(memory_configure(&http_service, none, &failure), 0);
	ck_assert(!http_log_wanted());
	ck_assert_int_eq(memory_configure(&http_service, output, &failure), 0);
	ck_assert(http_log_wanted());
}
END_TEST

START_TEST(each_answer_is_a_line_of_the_log)
{
	static struct answer answer;
	struct folder folder;
	char expected[TEXT];

	make_site(&folder);
	log_to(&folder, "log");
	get("/data.bin?a=b", "Referer: http://localhost/\r\nUser-Agent: test/1.0 (x)\r\n",
	    &answer);
	ask("HEAD /data.bin HTTP/1.0\r\n\r\n", &answer);
	get("/data.bin", "Range: bytes=-5\r\n", &answer);
	get("/none", "User-Agent:\r\n", &answer);
	snprintf(expected, sizeof expected,
		 "192.0.2.7 - - [] \"GET /data.bin?a=b HTTP/1.1\" 200 1000 "
		 "\"http://localhost/\" \"test/1.0 (x)\"\n"
		 "192.0.2.7 - - [] \"HEAD /data.bin HTTP/1.0\" 200 - \"-\" \"-\"\n"
		 "192.0.2.7 - - [] \"GET /data.bin HTTP/1.1\" 206 5 \"-\" \"-\"\n"
		 "192.0.2.7 - - [] \"GET /none HTTP/1.1\" 404 %zu \"-\" \"-\"\n",
		 answer.length - answer.header);
	ck_assert_str_eq(read_log(&folder, "log"), expected);
	folder_remove(&folder);
}
END_TEST

START_TEST(what_is_refused_is_in_the_log_as_far_as_it_is_known)
{
	static const struct {
		const char *request, *pattern;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n",
		  "^192.0.2.7 - - \\[\\] \"GET / HTTP/1.1\" 400 [0-9]+ \"-\" \"-\"\n$" },
		{ "\r\n\x16\x03\x01 what is this\r\n",
		  "\"\\\\x16\\\\x03\\\\x01 what is this\" 400 " },
		{ "GET / HTTP/1.1\r\n" HOST "User-Agent: me\r\n"
		  "Transfer-Encoding: chunked\r\n\r\nx",
		  "\"GET / HTTP/1.1\" 400 [0-9]+ \"-\" \"me\"\n$" },
		{ "GET / HTTP/1.1\r\n" HOST "User-Agent: me\r\n"
		  "Content-Length: 99999999\r\n\r\n",
		  "\"GET / HTTP/1.1\" 413 [0-9]+ \"-\" \"me\"\n$" },
	};
	struct memory_session client;
	static struct answer answer;
	struct folder folder;

	for (size_t i = 0; i < COUNT(cases); i++) {
		make_site(&folder);
		log_to(&folder, "log");
		ask(cases[i].request, &answer);
		expect_match(read_log(&folder, "log"), cases[i].pattern);
		folder_remove(&folder);
	}
	make_site(&folder);
	log_to(&folder, "log");
	memory_open(&client, &http_service);
	memory_send(&client, "GET", 3);
	memory_advance(&client, 10000);
	memory_close(&client);
	expect_match(read_log(&folder, "log"),
		     "^192.0.2.7 - - \\[\\] \"-\" 408 [0-9]+ \"-\" \"-\"\n$");
	folder_remove(&folder);
}
END_TEST

START_TEST(what_a_client_sends_cannot_forge_the_log)
{
	static struct answer answer;
	struct folder folder;

	make_site(&folder);
	log_to(&folder, "log");
	get("/?a\"b\\c",
	    "User-Agent: \x1b[2J\" 200 1 \"\\\xff\xc2\x9b\t\r\nReferer: \"\r\n", &answer);
	/* a control is refused, and then is no field */
	expect_match(read_log(&folder, "log"),
		     "^192.0.2.7 - - \\[\\] \"GET /\\?a\\\\\"b\\\\\\\\c HTTP/1.1\" 400 "
		     "[0-9]+ \"-\" \"-\"\n$");
	log_to(&folder, "next");
	get("/none", "User-Agent: x\" 200 1 \"\\\xff\xc2\x9b\tz\r\nReferer: \"\r\n",
	    &answer);
	expect_match(read_log(&folder, "next"),
		     "^192.0.2.7 - - \\[\\] \"GET /none HTTP/1.1\" 404 [0-9]+ \"\\\\\"\" "
		     "\"x\\\\\" 200 1 \\\\\"\\\\\\\\\\\\xff\\\\xc2\\\\x9b\\\\tz\"\n$");
	folder_remove(&folder);
}
END_TEST

START_TEST(a_line_of_the_log_has_a_limit)
{
	static char target[8000], fields[9000];
	static struct answer answer;
	struct folder folder;
	const char *line;

	make_site(&folder);
	log_to(&folder, "log");
	memset(target, 'x', sizeof target - 1);
	target[0] = '/';
	snprintf(fields, sizeof fields, "User-Agent: %s\r\n", target);
	memset(fields + 12, 0xff, 7000);
	get(target, fields, &answer);
	line = read_log(&folder, "log");
	ck_assert_uint_lt(strlen(line), 4096);
	expect_match(line, "\"GET /x+\\.\\.\\.\" 40[04] [0-9]+ \"-\" "
			   "\"(\\\\xff)+\\.\\.\\.\"\n$");
	folder_remove(&folder);
}
END_TEST

START_TEST(the_log_has_the_host_without_its_port)
{
	static const char *const peers[][2] = {
		{ "[2001:db8::1]:80", "2001:db8::1 - - " },
		{ "[fe80::1%eth0]:65535", "fe80::1%eth0 - - " },
		{ "192.0.2.7:1234", "192.0.2.7 - - " },
		{ "local", "local - - " },
	};
	struct memory_session client;
	struct folder folder;
	const char *text;

	make_site(&folder);
	log_to(&folder, "log");
	for (size_t i = 0; i < COUNT(peers); i++) {
		memory_open(&client, &http_service);
		client.peer = peers[i][0];
		memory_send(&client, GET, strlen(GET));
		memory_close(&client);
	}
	text = read_log(&folder, "log");
	for (size_t i = 0; i < COUNT(peers); i++) {
		ck_assert_msg(strncmp(text, peers[i][1], strlen(peers[i][1])) == 0,
			      "%s: %s", peers[i][0], text);
		text = strchr(text, '\n') + 1;
	}
	folder_remove(&folder);
}
END_TEST

START_TEST(at_sighup_the_log_is_a_new_file_of_its_name)
{
	static struct answer answer;
	struct folder folder;

	make_site(&folder);
	log_to(&folder, "log");
	get("/1", "", &answer);
	ck_assert_int_eq(renameat(folder.fd, "log", folder.fd, "log.1"), 0);
	get("/2", "", &answer);
	http_service.reopen();
	get("/3", "", &answer);
	ck_assert_uint_eq(count_of(read_log(&folder, "log.1"), "GET "), 2);
	expect_match(read_log(&folder, "log"), "^[^\n]*GET /3 [^\n]*\n$");
	folder_remove(&folder);
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_anew_goes_on_as_the_old_one)
{
	static struct answer answer;
	struct folder folder;
	unsigned before;

	make_site(&folder);
	folder_directory(&folder, "logs");
	log_to(&folder, "logs/log");
	before = open_descriptors();
	ck_assert_int_eq(renameat(folder.fd, "logs", folder.fd, "old"), 0);
	keep_messages(&folder);
	http_service.reopen();
	expect_match(read_text(&folder, "messages"),
		     "^[^\n]*: cannot reopen the log '[^\n]*/logs/log': "
		     "No such file or directory; still writing to the old one\n$");
	get("/1", "", &answer);
	expect_match(read_log(&folder, "old/log"), "^[^\n]*GET /1 [^\n]*\n$");
	ck_assert_uint_eq(open_descriptors(), before);
	folder_remove(&folder);
}
END_TEST

/* The other end of a FIFO that is the log. */
static int read_from(const struct folder *folder, const char *name)
{
	int fd = openat(folder->fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(a_log_that_nobody_reads_is_an_error_at_first_and_stops_nobody_later)
{
	static struct answer answer;
	struct failure failure = { .text = "" };
	char path[FOLDER_TEXT + 40], line[TEXT];
	struct folder folder;
	int reader;

	signal(SIGPIPE, SIG_IGN); /* as every server does */
	make_site(&folder);
	folder_fifo(&folder, "fifo");
	snprintf(path, sizeof path, "%s/fifo", folder.path);
	ck_assert_int_eq(
		try_to_configure((const char *const[]){ "-L", path, NULL }, &failure),
		-1);
	expect_match(failure.text,
		     "^cannot open the log '.*/fifo': no process reads from it$");
	reader = read_from(&folder, "fifo");
	log_to(&folder, "fifo");
	keep_messages(&folder);
	get("/1", "", &answer);
	ck_assert_int_gt(io_read(reader, line, sizeof line), 0);
	close(reader);
	http_service.reopen();
	for (int i = 0; i < 3; i++) {
		get("/2", "", &answer);
		ck_assert_int_eq(status_of(&answer), 404);
	}
	reader = read_from(&folder, "fifo");
	get("/3", "", &answer);
	ck_assert_int_gt(io_read(reader, line, sizeof line), 0);
	ck_assert_ptr_nonnull(strstr(line, "\"GET /3 HTTP/1.1\" 404 "));
	expect_match(
		read_text(&folder, "messages"),
		"^[^\n]*: cannot reopen the log '.*/fifo': no process reads from it; "
		"still writing to the old one\n"
		"[^\n]*: cannot write to the log '.*/fifo': no process reads from it; "
		"lines are lost\n"
		"[^\n]*: writing to the log '.*/fifo' again; 3 lines were lost\n$");
	close(reader);
	folder_remove(&folder);
}
END_TEST

START_TEST(a_log_that_is_full_is_reported_once)
{
	static struct answer answer;
	struct folder folder;

	if (access("/dev/full", W_OK) != 0) {
		skipped("needs /dev/full");
		return;
	}
	make_site(&folder);
	keep_messages(&folder);
	configure("-L", "/dev/full");
	for (int i = 0; i < 5; i++)
		get("/", "", &answer);
	ck_assert_int_eq(status_of(&answer), 200);
	expect_match(read_text(&folder, "messages"),
		     "^[^\n]*: cannot write to the log '/dev/full': "
		     "No space left on device; lines are lost\n$");
	folder_remove(&folder);
}
END_TEST

START_TEST(a_pipe_that_is_slow_is_reported_once_a_minute_however_often_it_stops)
{
	static struct answer answer;
	static char lines[256 * 1024];
	struct folder folder;
	int reader;

	make_site(&folder);
	folder_fifo(&folder, "fifo");
	reader = read_from(&folder, "fifo");
	log_to(&folder, "fifo");
	keep_messages(&folder);
	for (int turn = 0; turn < 3; turn++) { /* a pipe holds 64 KiB or so */
		for (int i = 0; i < 3000; i++)
			get("/", "", &answer);
		ck_assert_int_gt(io_read(reader, lines, sizeof lines), 0);
	}
	get("/", "", &answer);
	expect_match(
		read_text(&folder, "messages"),
		"^[^\n]*: cannot write to the log '.*/fifo': its reader is too slow; "
		"lines are lost\n"
		"[^\n]*: writing to the log '.*/fifo' again; [0-9]+ lines were lost\n$");
	close(reader);
	folder_remove(&folder);
}
END_TEST

/* ---- suite --------------------------------------------------------------------------------- */

Suite *suite_http(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = add_case(suite, "http");

	tcase_add_loop_test(tcase, every_rule_has_its_answer_wherever_the_request_is_cut,
			    0, COUNT(rules));
	tcase_add_loop_test(tcase, the_next_request_is_answered_or_never_looked_at, 0,
			    COUNT(rules));
	tcase_add_test(tcase, the_greeting_is_this);
	tcase_add_test(tcase, the_greeting_may_be_another);
	tcase_add_test(tcase, the_date_is_now);
	tcase_add_test(tcase, head_has_the_header_of_get_and_nothing_behind_it);
	tcase_add_test(tcase, options_and_405_tell_which_methods_there_are);
	tcase_add_test(tcase, an_error_is_a_page_that_says_why_and_runs_nothing);
	tcase_add_test(tcase, an_error_page_repeats_nothing_of_the_request);
	tcase_add_test(tcase, a_hundred_requests_at_once_are_answered_in_order);
	tcase_add_test(tcase, who_sends_many_requests_at_once_lets_others_go_first);
	tcase_add_test(tcase, requests_wait_while_their_answers_are_not_taken);
	tcase_add_test(tcase, a_body_as_long_as_allowed_is_read_and_one_byte_more_is_not);
	tcase_add_test(
		tcase,
		who_waits_for_100_continue_is_reported_and_answered_behind_the_body);
	tcase_add_test(tcase, who_waits_with_a_body_that_is_too_long_is_refused_at_once);
	tcase_add_test(tcase,
		       a_header_that_does_not_become_whole_in_time_is_answered_408);
	tcase_add_test(tcase,
		       an_empty_line_behind_a_body_is_no_request_that_could_be_late);
	tcase_add_test(tcase, each_header_has_its_own_time_and_ten_seconds_of_it);
	tcase_add_test(tcase, a_body_has_its_time_by_its_length);
	tcase_add_test(tcase, without_a_header_timeout_all_may_take_their_time);
	tcase_add_test(tcase, a_delay_comes_before_each_answer);
	tcase_add_test(tcase, a_delay_is_not_the_clients_slowness);
	tcase_add_test(tcase, without_the_option_there_is_no_target_of_the_lab);
	tcase_add_test(tcase, bytes_are_as_many_as_requested_and_tell_their_place);
	tcase_add_test(
		tcase,
		bytes_go_out_as_the_client_takes_them_and_the_next_request_is_answered);
	tcase_add_test(tcase, a_fast_reader_of_many_bytes_lets_others_go_first);
	tcase_add_test(tcase, head_of_bytes_announces_them_and_sends_none);
	tcase_add_test(tcase, conditions_and_ranges_do_not_change_the_targets_of_the_lab);
	tcase_add_test(
		tcase,
		a_number_that_is_none_or_too_large_is_answered_400_with_the_reason);
	tcase_add_test(
		tcase,
		a_delay_of_the_target_comes_before_its_answer_and_after_that_of_the_option);
	tcase_add_test(tcase,
		       half_a_request_at_the_half_close_is_answered_400_and_none_is_not);
	tcase_add_test(tcase, a_client_may_vanish_at_any_moment);

	tcase = add_case(suite, "files");
	tcase_add_test(tcase, a_file_is_sent_with_all_that_is_known_of_it);
	tcase_add_test(tcase, what_cannot_be_shown_has_its_status);
	tcase_add_test(tcase, a_missing_slash_is_added_by_a_redirect_on_this_host);
	tcase_add_test(tcase,
		       a_redirect_leads_nowhere_else_whatever_the_directory_is_called);
	tcase_add_test(tcase, a_redirect_has_a_link_for_who_does_not_follow_it);
	tcase_add_test(tcase, a_page_says_why_it_is_not_shown);
	tcase_add_test(tcase, who_has_the_file_already_gets_no_body_and_no_length);
	tcase_add_test(tcase, a_part_of_a_file_is_that_part);
	tcase_add_test(tcase, a_directory_is_listed_with_l_and_its_names_are_text);
	tcase_add_test(tcase, head_of_a_file_or_page_has_the_header_of_get);
	tcase_add_test(tcase, requests_behind_a_file_are_answered_behind_it);
	tcase_add_test(tcase, behind_a_listing_it_is_the_turn_of_others);
	tcase_add_test(tcase, while_a_large_directory_is_listed_others_have_their_turns);
	tcase_add_test(tcase,
		       who_leaves_while_a_directory_is_listed_leaves_nothing_behind);
	tcase_add_loop_test(tcase, a_listing_is_whole_or_an_error, 0, 4);
	tcase_add_test(tcase, a_long_listing_goes_out_as_the_client_takes_it);
	tcase_add_test(tcase, cache_control_is_sent_with_files_and_nothing_else);
	tcase_add_test(tcase, cache_control_is_sent_with_the_greeting_if_it_is_asked_for);
	tcase_add_test(tcase, cache_control_is_what_caches_understand);
	tcase_add_loop_test(tcase, options_that_make_no_sense_are_refused, 0, 9);

	tcase = add_case(suite, "log");
	tcase_add_test(tcase, there_is_a_log_unless_q_says_no_and_l_no_other);
	tcase_add_test(tcase, each_answer_is_a_line_of_the_log);
	tcase_add_test(tcase, what_is_refused_is_in_the_log_as_far_as_it_is_known);
	tcase_add_test(tcase, what_a_client_sends_cannot_forge_the_log);
	tcase_add_test(tcase, a_line_of_the_log_has_a_limit);
	tcase_add_test(tcase, the_log_has_the_host_without_its_port);
	tcase_add_test(tcase, at_sighup_the_log_is_a_new_file_of_its_name);
	tcase_add_test(tcase, a_log_that_cannot_be_opened_anew_goes_on_as_the_old_one);
	tcase_add_test(
		tcase,
		a_log_that_nobody_reads_is_an_error_at_first_and_stops_nobody_later);
	tcase_add_test(tcase, a_log_that_is_full_is_reported_once);
	tcase_add_test(
		tcase,
		a_pipe_that_is_slow_is_reported_once_a_minute_however_often_it_stops);
	return suite;
}
