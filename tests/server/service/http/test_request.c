/*
 * The parser of HTTP requests, byte by byte: a request for every rule, cut at every place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/server/service/http/request_examples.h"
#include "tests/fixture/http_stream.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { EXAMPLES = sizeof examples / sizeof *examples, OUTCOME_TEXT = 4096 };

/* ---- what came of it, as text ---------------------------------------------------------- */

static const char *progress_text(enum http_progress progress,
				 const struct http_request *request, char out[100])
{
	if (progress == HTTP_MORE)
		return "more";
	if (progress == HTTP_DONE)
		return "";
	snprintf(out, 100, "%d %s", request->status, request->why);
	return out;
}

static size_t describe(const struct http_seen *seen, const char *stream, char *out,
		       size_t size)
{
	static const char *const methods[] = {
		[HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",
		[HTTP_OPTIONS] = "OPTIONS", [HTTP_NOT_ALLOWED] = "405",
		[HTTP_UNKNOWN] = "501",
	};
	const struct http_request *request = &seen->request;
	const char *bytes = stream + seen->at;
	char text[100], body[200] = "";

	if (seen->header != HTTP_DONE)
		return (size_t)snprintf(out, size, "%s",
					progress_text(seen->header, request, text));
	if (request->has_body)
		snprintf(body, sizeof body, ", body %zu%s%s%s", seen->body_length,
			 request->continues ? ", continues" : "",
			 seen->body != HTTP_DONE ? "; " : "",
			 progress_text(seen->body, request, text));
	return (size_t)snprintf(
		out, size, "%s %.*s%s%.*s@%.*s 1.%u %s%s", methods[request->method],
		(int)request->path.length, bytes + request->path.at,
		request->query.at > 0 ? "?" : "", (int)request->query.length,
		bytes + request->query.at, (int)request->host.length,
		bytes + request->host.at, request->minor,
		request->keep_alive ? "keep-alive" : "close", body);
}

static const char *outcome(const struct http_stream *stream, const char *bytes)
{
	static char out[OUTCOME_TEXT];
	size_t length = 0;

	out[0] = '\0';
	for (size_t i = 0; i < stream->count; i++) {
		if (i > 0)
			length +=
				(size_t)snprintf(out + length, sizeof out - length, "\n");
		length += describe(&stream->seen[i], bytes, out + length,
				   sizeof out - length);
		ck_assert_uint_lt(length, sizeof out);
	}
	return out;
}

/* ---- examples -------------------------------------------------------------------------- */

static void expect_outcome(const struct http_stream *stream,
			   const struct example *example, const char *how, size_t place)
{
	ck_assert_msg(stream->wrong == NULL, "%s, %s %zu: %s", example->name, how, place,
		      stream->wrong);
	ck_assert_msg(strcmp(outcome(stream, example->bytes), example->outcome) == 0,
		      "%s, %s %zu: '%s' and not '%s'", example->name, how, place,
		      outcome(stream, example->bytes), example->outcome);
}

START_TEST(each_rule_holds)
{
	static struct http_stream stream;

	for (size_t i = 0; i < EXAMPLES; i++) {
		http_stream_read(&stream, examples[i].bytes, examples[i].n, EXAMPLE_MOST,
				 http_cut_nowhere, NULL);
		expect_outcome(&stream, &examples[i], "whole", 0);
	}
}
END_TEST

START_TEST(each_rule_holds_wherever_the_bytes_are_cut)
{
	static struct http_stream whole, cut;

	for (size_t i = 0; i < EXAMPLES; i++) {
		const struct example *example = &examples[i];

		http_stream_read(&whole, example->bytes, example->n, EXAMPLE_MOST,
				 http_cut_nowhere, NULL);
		for (size_t place = 1; place < example->n; place++) {
			http_stream_read(&cut, example->bytes, example->n, EXAMPLE_MOST,
					 http_cut_once, &place);
			expect_outcome(&cut, example, "cut at", place);
			ck_assert_msg(http_stream_equals(&whole, &cut),
				      "%s, cut at %zu, differs", example->name, place);
		}
		for (size_t size = 1; size < 8; size++) {
			http_stream_read(&cut, example->bytes, example->n, EXAMPLE_MOST,
					 http_cut_in_pieces, &size);
			expect_outcome(&cut, example, "in pieces of", size);
			ck_assert_msg(http_stream_equals(&whole, &cut),
				      "%s, in pieces of %zu, differs", example->name,
				      size);
		}
	}
}
END_TEST

/* Nobody gets an answer to half a request, and no error is told before its byte has come. */
START_TEST(before_its_last_byte_no_example_comes_to_its_end)
{
	static struct http_stream stream;

	for (size_t i = 0; i < EXAMPLES; i++) {
		const struct example *example = &examples[i];
		const struct http_seen *first = &stream.seen[0];
		size_t end;

		http_stream_read(&stream, example->bytes, example->n, EXAMPLE_MOST,
				 http_cut_nowhere, NULL);
		if (first->header == HTTP_MORE)
			continue;
		end = first->header == HTTP_DONE ? first->request.length
						 : first->request.next;
		for (size_t n = 0; n < end; n++) {
			http_stream_read(&stream, example->bytes, n, EXAMPLE_MOST,
					 http_cut_nowhere, NULL);
			ck_assert_msg(first->header == HTTP_MORE,
				      "%s, of %zu bytes, came to an end", example->name,
				      n);
		}
	}
}
END_TEST

/* ---- bytes ----------------------------------------------------------------------------- */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* Which bytes may stand where a letter stands, by the grammars of the RFCs, and what may
 * beside; and what becomes of the rest. */
static const struct {
	const char *before, *after;
	const char *allowed;
	bool high; /* bytes from 0x80 on, too */
} places[] = {
	{ "G", "T / HTTP/1.1\r\nHost: a\r\n\r\n", LETTERS "!#$%&'*+-.^_`|~", false },
	/* A '?' only begins the query; a space only the version, which is malformed. */
	{ "GET /a", "b HTTP/1.1\r\nHost: a\r\n\r\n", LETTERS "-._~!$&'()*+,;=:@/?[]^`{|}",
	  false },
	{ "GET /?a", "b HTTP/1.1\r\nHost: a\r\n\r\n",
	  LETTERS "-._~!$&'()*+,;=:@/?[]^`{|}\\", false },
	{ "GET /%", "1 HTTP/1.1\r\nHost: a\r\n\r\n", "0123456789abcdefABCDEF", false },
	{ "GET /?%1", " HTTP/1.1\r\nHost: a\r\n\r\n", "0123456789abcdefABCDEF", false },
	{ "GET http://a", "b/ HTTP/1.1\r\nHost: a\r\n\r\n", LETTERS "-._~!$&'()*+;=/?",
	  false },
	{ "GET / HTTP/", ".1\r\nHost: a\r\n\r\n", "1", false },
	{ "GET / HTTP/1.", "\r\nHost: a\r\n\r\n", "0123456789", false },
	{ "GET / HTTP/1.1\r\nHost: a", "b\r\n\r\n", LETTERS "-._~!$&'()*+;=", false },
	{ "GET / HTTP/1.1\r\nHost: a\r\nX", "Y: a\r\n\r\n",
	  LETTERS "!#$%&'*+-.^_`|~:", false },
	{ "GET / HTTP/1.1\r\nHost: a\r\nX: a", "b\r\n\r\n",
	  LETTERS "\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", true },
	{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1", "0\r\n\r\n", "0123456789",
	  false },
	{ "GET / HTTP/1.1\r\nHost: a\r\n", "X: a\r\n\r\n", LETTERS "!#$%&'*+-.^_`|~",
	  false },
};

START_TEST(each_byte_is_taken_where_the_grammar_has_it_and_nowhere_else)
{
	static struct http_stream stream;

	for (unsigned value = 0; value < 256; value++) {
		bool allowed = value >= 0x80 ? places[_i].high
					     : value > 0 && strchr(places[_i].allowed,
								   (int)value) != NULL;
		char bytes[200];
		size_t n = (size_t)snprintf(bytes, sizeof bytes, "%s%c%s",
					    places[_i].before, 'x', places[_i].after);

		bytes[strlen(places[_i].before)] = (char)value;
		http_stream_read(&stream, bytes, n, UINT64_MAX, http_cut_nowhere, NULL);
		ck_assert_ptr_null(stream.wrong);
		ck_assert_msg((stream.seen[0].header == HTTP_DONE) == allowed,
			      "byte %u behind '%s': %s", value, places[_i].before,
			      outcome(&stream, bytes));
	}
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------- */

enum { ROOM = 2 * HTTP_HEADER };

/* Bytes that are put together piece by piece. */
struct text {
	char bytes[ROOM];
	size_t n;
};

static void put(struct text *text, const char *what)
{
	size_t n = strlen(what);

	ck_assert_uint_le(n, sizeof text->bytes - text->n);
	memcpy(text->bytes + text->n, what, n);
	text->n += n;
}

static void put_many(struct text *text, const char *what, size_t times)
{
	for (size_t i = 0; i < times; i++)
		put(text, what);
}

/* Pieces of a size that is never the same twice in a row. */
static size_t cut_at_random(void *state, size_t from, size_t n)
{
	uint32_t *random = state;

	*random = *random * 1664525 + 1013904223; /* Numerical Recipes' generator */
	return n - from < 1 + (*random >> 20) ? n : from + 1 + (*random >> 20);
}

/* Byte by byte where a limit may be: the whole text in single bytes would take minutes, with
 * a sanitizer. */
static size_t cut_near_limits(void *context, size_t from, size_t n)
{
	enum { NEAR = 100 };
	bool near = n - from < NEAR || from < NEAR ||
		    (from > HTTP_LINE - NEAR && from < HTTP_LINE + NEAR) ||
		    (from > HTTP_HEADER - NEAR && from < HTTP_HEADER + NEAR);

	(void)context;
	return from + (near ? 1 : NEAR / 2);
}

/* The bytes come to this, in whatever pieces they come. */
static void expect_text(const struct text *text, uint64_t most, const char *wanted)
{
	static struct http_stream whole, cut;
	static const size_t sizes[] = { 100, 1024, HTTP_LINE, HTTP_LINE + 1 };

	http_stream_read(&whole, text->bytes, text->n, most, http_cut_nowhere, NULL);
	ck_assert_ptr_null(whole.wrong);
	ck_assert_str_eq(outcome(&whole, text->bytes), wanted);
	http_stream_read(&cut, text->bytes, text->n, most, cut_near_limits, NULL);
	ck_assert_ptr_null(cut.wrong);
	ck_assert_msg(http_stream_equals(&whole, &cut), "byte by byte it is '%s'",
		      outcome(&cut, text->bytes));
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t size = sizes[i];

		http_stream_read(&cut, text->bytes, text->n, most, http_cut_in_pieces,
				 &size);
		ck_assert_ptr_null(cut.wrong);
		ck_assert_msg(http_stream_equals(&whole, &cut),
			      "in pieces of %zu it is '%s'", size,
			      outcome(&cut, text->bytes));
	}
	for (uint32_t seed = 0; seed < 20; seed++) {
		uint32_t state = seed;

		http_stream_read(&cut, text->bytes, text->n, most, cut_at_random, &state);
		ck_assert_ptr_null(cut.wrong);
		ck_assert_msg(http_stream_equals(&whole, &cut), "cut by %u it is '%s'",
			      (unsigned)seed, outcome(&cut, text->bytes));
	}
}

static void expect_line(const char *before, size_t length, const char *after,
			const char *wanted)
{
	static struct text text;

	text.n = 0;
	put(&text, before);
	put_many(&text, "a", length - strlen(before) - strlen(after));
	put(&text, after);
	ck_assert_uint_eq(text.n, length);
	put(&text, "\r\nHost: a\r\n\r\n");
	expect_text(&text, 0, wanted);
}

/* The outcome without the target, which is long. */
#define TOO_LONG_LINE "414 the request line is longer than 8192 bytes"

START_TEST(a_request_line_may_have_8192_bytes)
{
	static struct http_stream stream;
	static struct text text;
	const struct http_request *request = &stream.seen[0].request;

	for (size_t length = HTTP_LINE - 1; length <= HTTP_LINE; length++) {
		text.n = 0;
		put(&text, "\r\nGET /");
		put_many(&text, "%2f", (length - 5 - 9) / 3);
		put_many(&text, "b", (length - 5 - 9) % 3);
		put(&text, " HTTP/1.1\r\nHost: a\r\n\r\n");
		for (size_t size = 1; size <= text.n; size += 613) {
			http_stream_read(&stream, text.bytes, text.n, 0,
					 http_cut_in_pieces, &size);
			ck_assert_ptr_null(stream.wrong);
			ck_assert_int_eq(stream.seen[0].header, HTTP_DONE);
			ck_assert_uint_eq(request->line.length, length);
			ck_assert_uint_eq(request->path.length, length - 13);
		}
	}
}
END_TEST

START_TEST(a_longer_request_line_is_414)
{
	expect_line("GET /", HTTP_LINE + 1, " HTTP/1.1", TOO_LONG_LINE);
	expect_line("GET /", HTTP_LINE + 2, " HTTP/1.1", TOO_LONG_LINE);
	expect_line("GET /", HTTP_LINE + 9, " HTTP/1.1", TOO_LONG_LINE);
	expect_line("GET /", HTTP_LINE + 10, " HTTP/1.1", TOO_LONG_LINE);
	expect_line("GET /?", HTTP_LINE + 1, " HTTP/1.1", TOO_LONG_LINE);
	expect_line("GET http://", HTTP_LINE + 1, "/ HTTP/1.1", TOO_LONG_LINE);
	expect_line("GET /", 3 * HTTP_LINE, "\n", TOO_LONG_LINE);
	expect_line("CONNECT ", HTTP_LINE + 1, ":1 HTTP/1.1", TOO_LONG_LINE);
}
END_TEST

START_TEST(
	what_is_wrong_before_the_limit_is_reported_first_and_not_what_is_wrong_behind_it)
{
	expect_line("GET /", HTTP_LINE, "\n", "400 a line ends without CR before its LF");
	expect_line("GET /", HTTP_LINE + 1, "\n", TOO_LONG_LINE);
	expect_line("GET /", HTTP_LINE, "\"",
		    "400 the target has a byte that must be escaped");
	expect_line("GET /", HTTP_LINE + 1, "\"", TOO_LONG_LINE);
	expect_line("GET /", HTTP_LINE + 1, " HTTP/1.1 ",
		    "400 something follows the version in the request line");
}
END_TEST

START_TEST(a_method_without_end_is_501)
{
	expect_line("", HTTP_LINE, "", "501 the method is too long");
	expect_line("G", HTTP_LINE + 1, " / HTTP/1.1", TOO_LONG_LINE);
	expect_line("G", HTTP_LINE + 50, " / HTTP/1.1", "501 the method is too long");
}
END_TEST

START_TEST(a_request_line_that_is_too_long_is_reported_when_there_is_no_hope)
{
	static struct http_stream stream;
	static struct text text;

	text.n = 0;
	put(&text, "GET /");
	put_many(&text, "a", HTTP_LINE - 6);
	http_stream_read(&stream, text.bytes, text.n, 0, http_cut_nowhere, NULL);
	ck_assert_str_eq(outcome(&stream, text.bytes), "more");
	put(&text, "a");
	http_stream_read(&stream, text.bytes, text.n, 0, http_cut_nowhere, NULL);
	ck_assert_str_eq(outcome(&stream, text.bytes), TOO_LONG_LINE);
}
END_TEST

#define START_LINE      "GET / HTTP/1.1\r\nHost: a\r\n"
#define FINE            "GET /@a 1.1 keep-alive"
#define TOO_LONG_HEADER "431 the header is longer than 32768 bytes"

/* A header of so many bytes, with all its ends. */
static void put_header(struct text *text, size_t length)
{
	size_t rest = length - strlen(START_LINE "X: \r\n\r\n");

	put(text, START_LINE "X: ");
	put_many(text, "a", rest);
	put(text, "\r\n\r\n");
}

START_TEST(a_header_may_have_32768_bytes)
{
	static struct text text;

	for (size_t length = HTTP_HEADER - 1; length <= HTTP_HEADER + 3; length++) {
		text.n = 0;
		put_header(&text, length);
		ck_assert_uint_eq(text.n, length);
		expect_text(&text, 0, length <= HTTP_HEADER ? FINE : TOO_LONG_HEADER);
	}
	text.n = 0; /* an empty line before it counts */
	put(&text, "\r\n");
	put_header(&text, HTTP_HEADER - 2);
	expect_text(&text, 0, FINE);
	text.n = 0;
	put(&text, "\r\n");
	put_header(&text, HTTP_HEADER - 1);
	expect_text(&text, 0, TOO_LONG_HEADER);
}
END_TEST

START_TEST(the_next_request_does_not_count)
{
	static struct text text;

	text.n = 0;
	put_header(&text, HTTP_HEADER);
	put(&text, START_LINE "\r\n");
	expect_text(&text, 0, FINE "\n" FINE);
}
END_TEST

START_TEST(a_header_may_have_100_fields)
{
	static struct text text;

	for (size_t fields = HTTP_FIELDS - 1; fields <= HTTP_FIELDS + 1; fields++) {
		text.n = 0;
		put(&text, START_LINE);
		put_many(&text, "X: a\r\n", fields - 1);
		put(&text, "\r\n");
		expect_text(&text, 0,
			    fields <= HTTP_FIELDS ? FINE
						  : "431 there are more than 100 fields");
	}
}
END_TEST

START_TEST(four_empty_lines_may_come_first)
{
	static struct text text;

	for (size_t lines = HTTP_EMPTY_LINES - 1; lines <= HTTP_EMPTY_LINES + 1;
	     lines++) {
		text.n = 0;
		put_many(&text, "\r\n", lines);
		put(&text, START_LINE "\r\n");
		expect_text(&text, 0,
			    lines <= HTTP_EMPTY_LINES ? FINE
						      : "400 too many empty lines come "
							"before the request line");
	}
}
END_TEST

/* ---- limits of bodies ------------------------------------------------------------------ */

static void begin_chunked(struct text *text)
{
	text->n = 0;
	put(text, START_LINE "Transfer-Encoding: chunked\r\n\r\n");
}

/* What came of a chunked body of all bytes that there are, and of one that is bad there. */
static void expect_chunked(const struct text *text, const char *wanted)
{
	char line[200];

	snprintf(line, sizeof line, FINE ", body %zu",
		 text->n - strlen(START_LINE "Transfer-Encoding: chunked\r\n\r\n"));
	expect_text(text, UINT64_MAX, wanted != NULL ? wanted : line);
}

START_TEST(a_body_may_have_as_many_bytes_as_the_service_says)
{
	static const char *const bodies[] = {
		START_LINE "Content-Length: 5\r\n\r\nhello",
		START_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		START_LINE "Transfer-Encoding: chunked\r\n\r\n"
			   "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
	};
	static const char *const counted[] = {
		FINE ", body 0; 413 the body is too large",
		FINE ", body 3; 413 the body is too large",
		FINE ", body 10; 413 the body is too large",
	};
	static const char *const fine[] = { FINE ", body 5", FINE ", body 15",
					    FINE ", body 20" };
	static struct text text;

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		text.n = 0;
		put(&text, bodies[i]);
		expect_text(&text, 4, counted[i]);
		expect_text(&text, 5, fine[i]);
		expect_text(&text, 6, fine[i]);
		expect_text(&text, UINT64_MAX, fine[i]);
	}
}
END_TEST

START_TEST(a_counted_body_that_is_too_large_is_so_before_its_first_byte)
{
	struct http_request request = { 0 };
	static const char header[] = START_LINE "Content-Length: 5\r\n\r\n";
	size_t consumed = 1;

	ck_assert_int_eq(http_request_header(&request, header, sizeof header - 1),
			 HTTP_DONE);
	ck_assert_int_eq(http_request_body(&request, NULL, 0, 4, &consumed), HTTP_BAD);
	ck_assert_int_eq(request.status, 413);
	ck_assert_uint_eq(consumed, 0);
}
END_TEST

START_TEST(who_is_done_or_bad_stays_so)
{
	struct http_request request = { 0 }, bad = { 0 };
	static const char header[] = START_LINE "\r\n", wrong[] = "GET / HTTP/1.1\n\r\n";
	size_t consumed = 1;

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(http_request_header(&request, header, sizeof header - 1),
				 HTTP_DONE);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(http_request_body(&request, header, 5, 9, &consumed),
				 HTTP_DONE);
		ck_assert_uint_eq(consumed, 0);
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(http_request_header(&bad, wrong, sizeof wrong - 1),
				 HTTP_BAD);
	ck_assert_int_eq(bad.status, 400);
}
END_TEST

START_TEST(chunk_extensions_may_have_4096_bytes_together)
{
	static struct text text;

	for (size_t length = HTTP_EXTENSIONS - 1; length <= HTTP_EXTENSIONS + 1;
	     length++) {
		begin_chunked(&text);
		put(&text, "1;a=b\r\nx\r\n1;");
		put_many(&text, "a", length - 5);
		put(&text, "\r\nx\r\n0\r\n\r\n");
		expect_chunked(&text, length <= HTTP_EXTENSIONS ? NULL
								: FINE
					      ", body 4103; 400 the chunk extensions "
					      "are longer than 4096 bytes");
	}
}
END_TEST

START_TEST(a_trailer_section_may_have_32768_bytes)
{
	static struct text text;

	for (size_t length = HTTP_HEADER - 1; length <= HTTP_HEADER + 1; length++) {
		begin_chunked(&text);
		put(&text, "0\r\nX: ");
		put_many(&text, "a", length - strlen("X: \r\n\r\n"));
		put(&text, "\r\n\r\n");
		expect_chunked(&text, length <= HTTP_HEADER ? NULL
							    : FINE
					      ", body 32771; 431 the trailer section "
					      "is longer than 32768 bytes");
	}
}
END_TEST

START_TEST(a_trailer_section_may_have_100_fields)
{
	static struct text text;

	for (size_t fields = HTTP_FIELDS - 1; fields <= HTTP_FIELDS + 1; fields++) {
		begin_chunked(&text);
		put(&text, "0\r\n");
		put_many(&text, "X: a\r\n", fields);
		put(&text, "\r\n");
		expect_chunked(&text, fields <= HTTP_FIELDS ? NULL
							    : FINE
					      ", body 603; 431 there are more than "
					      "100 fields");
	}
}
END_TEST

START_TEST(a_body_of_many_chunks_is_read_to_its_end)
{
	static struct text text;

	begin_chunked(&text);
	put_many(&text, "1\r\na\r\n", 1000);
	put(&text, "0\r\n\r\n");
	expect_chunked(&text, NULL);
}
END_TEST

/* ---- pieces, and fields by name -------------------------------------------------------- */

static const char fields_example[] = "\r\nGET /a%20b?c HTTP/1.1\r\n"
				     "Host: example.com\r\n"
				     "Accept:\r\n"
				     "X-Y:  one \t\r\n"
				     "X: two: \"three\"\r\n"
				     "x-y:four\r\n"
				     "If-None-Match: \"x\"\t\r\n"
				     "\r\nGET / HTTP/1.1\r\nX-Z: a\r\n";

static struct http_request read_fields_example(void)
{
	struct http_request request = { 0 };

	ck_assert_int_eq(
		http_request_header(&request, fields_example, sizeof fields_example - 1),
		HTTP_DONE);
	return request;
}

static void expect_piece(struct http_piece piece, const char *text)
{
	ck_assert_uint_eq(piece.length, strlen(text));
	ck_assert_mem_eq(fields_example + piece.at, text, piece.length);
}

START_TEST(a_header_is_reported_in_pieces)
{
	struct http_request request = read_fields_example();

	expect_piece(request.line, "GET /a%20b?c HTTP/1.1");
	expect_piece(request.path, "/a%20b");
	expect_piece(request.query, "c");
	expect_piece(request.host, "example.com");
	expect_piece(request.fields, "Host: example.com\r\nAccept:\r\nX-Y:  one \t\r\n"
				     "X: two: \"three\"\r\nx-y:four\r\n"
				     "If-None-Match: \"x\"\t\r\n");
	ck_assert_ptr_eq(fields_example + request.length,
			 strstr(fields_example, "GET / HTTP/1.1"));
}
END_TEST

START_TEST(fields_are_found_by_name)
{
	struct http_request request = read_fields_example();
	struct http_piece found = { 0, 0 };

	ck_assert(http_request_field(&request, fields_example, "host", &found));
	expect_piece(found, "example.com");
	ck_assert(!http_request_field(&request, fields_example, "host", &found));

	found = (struct http_piece){ 0, 0 };
	ck_assert(http_request_field(&request, fields_example, "accept", &found));
	expect_piece(found, "");
	ck_assert(!http_request_field(&request, fields_example, "accept", &found));

	found = (struct http_piece){ 0, 0 };
	ck_assert(http_request_field(&request, fields_example, "x-y", &found));
	expect_piece(found, "one");
	ck_assert(http_request_field(&request, fields_example, "x-y", &found));
	expect_piece(found, "four");
	ck_assert(!http_request_field(&request, fields_example, "x-y", &found));

	found = (struct http_piece){ 0, 0 };
	ck_assert(http_request_field(&request, fields_example, "x", &found));
	expect_piece(found, "two: \"three\"");
	found = (struct http_piece){ 0, 0 };
	ck_assert(http_request_field(&request, fields_example, "if-none-match", &found));
	expect_piece(found, "\"x\"");
}
END_TEST

START_TEST(what_is_no_field_is_not_found)
{
	struct http_request request = read_fields_example();
	static const char *const names[] = {
		"x-z", "xy",   "x-",  "accept-encoding", "get",
		"two", "four", "hos", "one \t\r\nx"
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct http_piece found = { 0, 0 };

		ck_assert_msg(
			!http_request_field(&request, fields_example, names[i], &found),
			"%s", names[i]);
	}
}
END_TEST

START_TEST(a_header_may_have_no_fields)
{
	static const char bytes[] = "GET / HTTP/1.0\r\n\r\nX: a\r\n";
	struct http_request request = { 0 };
	struct http_piece found = { 0, 0 };

	ck_assert_int_eq(http_request_header(&request, bytes, sizeof bytes - 1),
			 HTTP_DONE);
	ck_assert_uint_eq(request.fields.length, 0);
	ck_assert(!http_request_field(&request, bytes, "x", &found));
}
END_TEST

/* For the log: as much of the line as was right. */
START_TEST(of_a_bad_line_there_is_what_was_read)
{
	static const struct {
		const char *bytes, *line;
	} lines[] = {
		{ "GET /a\"b HTTP/1.1\r\n", "GET /a" },
		{ "\r\nGET /a HTTP/1.1 \r\n", "GET /a HTTP/1.1" },
		{ "\x16\x03\x01", "" },
		{ "GET / HTTP/2.0\r\n", "GET / HTTP/2.0" },
		{ "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1" },
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct http_request request = { 0 };

		ck_assert_int_eq(http_request_header(&request, lines[i].bytes,
						     strlen(lines[i].bytes)),
				 HTTP_BAD);
		ck_assert_uint_eq(request.line.length, strlen(lines[i].line));
		ck_assert_mem_eq(lines[i].bytes + request.line.at, lines[i].line,
				 request.line.length);
	}
}
END_TEST

Suite *suite_http_request(void)
{
	Suite *suite = suite_create("http_request");
	TCase *rules = add_case(suite, "rules"), *limits = add_case(suite, "limits"),
	      *pieces = add_case(suite, "pieces");

	tcase_add_test(rules, each_rule_holds);
	tcase_add_test(rules, each_rule_holds_wherever_the_bytes_are_cut);
	tcase_add_test(rules, before_its_last_byte_no_example_comes_to_its_end);
	tcase_add_loop_test(rules,
			    each_byte_is_taken_where_the_grammar_has_it_and_nowhere_else,
			    0, sizeof places / sizeof *places);
	tcase_add_test(limits, a_request_line_may_have_8192_bytes);
	tcase_add_test(limits, a_longer_request_line_is_414);
	tcase_add_test(
		limits,
		what_is_wrong_before_the_limit_is_reported_first_and_not_what_is_wrong_behind_it);
	tcase_add_test(limits, a_method_without_end_is_501);
	tcase_add_test(limits,
		       a_request_line_that_is_too_long_is_reported_when_there_is_no_hope);
	tcase_add_test(limits, a_header_may_have_32768_bytes);
	tcase_add_test(limits, the_next_request_does_not_count);
	tcase_add_test(limits, a_header_may_have_100_fields);
	tcase_add_test(limits, four_empty_lines_may_come_first);
	tcase_add_test(limits, a_body_may_have_as_many_bytes_as_the_service_says);
	tcase_add_test(limits,
		       a_counted_body_that_is_too_large_is_so_before_its_first_byte);
	tcase_add_test(limits, chunk_extensions_may_have_4096_bytes_together);
	tcase_add_test(limits, a_trailer_section_may_have_32768_bytes);
	tcase_add_test(limits, a_trailer_section_may_have_100_fields);
	tcase_add_test(limits, a_body_of_many_chunks_is_read_to_its_end);
	tcase_add_test(pieces, who_is_done_or_bad_stays_so);
	tcase_add_test(pieces, a_header_is_reported_in_pieces);
	tcase_add_test(pieces, fields_are_found_by_name);
	tcase_add_test(pieces, what_is_no_field_is_not_found);
	tcase_add_test(pieces, a_header_may_have_no_fields);
	tcase_add_test(pieces, of_a_bad_line_there_is_what_was_read);
	return suite;
}
