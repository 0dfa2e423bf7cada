/*
 * Conditional requests, ranges, dates and entity tags: what the RFC says of each.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/service/http/conditions.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { TEXT = 1024, SIZE = 1000 };

/* Sun, 06 Nov 1994 08:49:37 GMT, and now, a year and more later. */
static const time_t then = 784111777, now = 820454400;

#define DATE    "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER   "Sun, 06 Nov 1994 08:49:38 GMT"
#define TAG     "\"3e8-2ebc98a1-7\""

static struct http_document a_file(void)
{
	return (struct http_document){ .status = 200,
				       .fd = -1,
				       .size = SIZE,
				       .modified = then,
				       .nanoseconds = 7,
				       .type = "text/plain; charset=utf-8" };
}

/* What is answered to a request with these fields, each of which ends with CR LF. */
static struct http_part ask_for(const struct http_document *document, const char *method,
				const char *fields, time_t when)
{
	struct http_request request = { 0 };
	struct http_part part;
	char *bytes = malloc(TEXT);
	int length;

	ck_assert_ptr_nonnull(bytes);
	length = snprintf(bytes, TEXT, "%s /file HTTP/1.1\r\nHost: a\r\n%s\r\n", method,
			  fields);
	ck_assert_int_lt(length, TEXT);
	ck_assert_msg(http_request_header(&request, bytes, (size_t)length) == HTTP_DONE,
		      "%s", bytes);
	part = http_conditions(&request, bytes, document, when);
	free(bytes);
	return part;
}

static struct http_part ask(const char *fields)
{
	const struct http_document document = a_file();

	return ask_for(&document, "GET", fields, now);
}

/* ---- preconditions ------------------------------------------------------------------------ */

static const struct {
	const char *fields;
	int status;
} conditions[] = {
	{ "", 200 },
	/* If-Match: the strong tag in any place of the list or lists */
	{ "If-Match: *\r\n", 200 },
	{ "If-Match: " TAG "\r\n", 200 },
	{ "if-match:" TAG "\r\n", 200 },
	{ "If-Match: \"a\", " TAG ", \"b\"\r\n", 200 },
	{ "If-Match: \"a\"," TAG "\r\n", 200 },
	{ "If-Match: ,, \t," TAG " ,\r\n", 200 },
	{ "If-Match: \"a,b\", \",\", " TAG "\r\n", 200 },
	{ "If-Match: \"a\"\r\nIf-Match: " TAG "\r\n", 200 },
	{ "If-Match: \"a\"\r\nAccept: x\r\nIf-Match: \"b\"\r\nIF-MATCH: " TAG "\r\n",
	  200 },
	{ "If-Match: W/\"a\", " TAG "\r\n", 200 },
	{ "If-Match: \"\xe9\", " TAG "\r\n", 200 },
	{ "If-Match: \"\", " TAG "\r\n", 200 },
	{ "If-Match: \"a\"\r\n", 412 },
	{ "If-Match: \"a\", \"b\"\r\nIf-Match: \"c\"\r\n", 412 },
	{ "If-Match: \"\"\r\n", 412 },
	{ "If-Match:\r\n", 412 },
	{ "If-Match: ,\r\n", 412 },
	{ "If-Match: W/" TAG "\r\n", 412 },
	{ "If-Match: w/" TAG "\r\n", 412 },
	{ "If-Match: 3e8-2ebc98a1-7\r\n", 412 },
	{ "If-Match: \"3E8-2EBC98A1-7\"\r\n", 412 },
	{ "If-Match: \"3e8-2ebc98a1-7\r\n", 412 },
	{ "If-Match: \"3e8-2ebc98a1-\"\r\n", 412 },
	{ "If-Match: \"3e8-2ebc98a1-77\"\r\n", 412 },
	{ "If-Match: \", " TAG "\r\n", 412 },
	{ "If-Match: \"a\" " TAG "\r\n", 412 },
	{ "If-Match: a, " TAG "\r\n", 412 },
	{ "If-Match: \"a b\", " TAG "\r\n", 412 },
	{ "If-Match: *, \"a\"\r\n", 412 },
	{ "If-Match: **\r\n", 412 },
	{ "If-Match: \"*\"\r\n", 412 },
	/* If-None-Match: weak or strong */
	{ "If-None-Match: *\r\n", 304 },
	{ "If-None-Match: " TAG "\r\n", 304 },
	{ "If-None-Match: W/" TAG "\r\n", 304 },
	{ "If-None-Match: \"a\", W/\"b\",W/" TAG "\r\n", 304 },
	{ "If-None-Match: \"a,\"\r\nIf-None-Match: " TAG ", \"c\"\r\n", 304 },
	{ "If-None-Match: \"a\"\r\n", 200 },
	{ "If-None-Match: W/\"a\"\r\n", 200 },
	{ "If-None-Match: W/ " TAG "\r\n", 200 },
	{ "If-None-Match: 3e8-2ebc98a1-7\r\n", 200 },
	{ "If-None-Match:\r\n", 200 },
	/* If-Modified-Since */
	{ "If-Modified-Since: " DATE "\r\n", 304 },
	{ "If-Modified-Since: " LATER "\r\n", 304 },
	{ "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 304 },
	{ "If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n", 304 },
	{ "If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT\r\n", 304 },
	{ "If-Modified-Since: " EARLIER "\r\n", 200 },
	{ "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 200 },
	{ "If-Modified-Since: yesterday\r\n", 200 },
	{ "If-Modified-Since:\r\n", 200 },
	{ "If-Modified-Since: " LATER "\r\nIf-Modified-Since: " LATER "\r\n", 200 },
	/* If-Unmodified-Since */
	{ "If-Unmodified-Since: " DATE "\r\n", 200 },
	{ "If-Unmodified-Since: " LATER "\r\n", 200 },
	{ "If-Unmodified-Since: " EARLIER "\r\n", 412 },
	{ "If-Unmodified-Since: 0\r\n", 200 },
	{ "If-Unmodified-Since: " EARLIER "\r\nIf-Unmodified-Since: " EARLIER "\r\n",
	  200 },
	/* which of them counts: section 13.2.2 */
	{ "If-Match: " TAG "\r\nIf-Unmodified-Since: " EARLIER "\r\n", 200 },
	{ "If-Match: \"a\"\r\nIf-Unmodified-Since: " LATER "\r\n", 412 },
	{ "If-None-Match: \"a\"\r\nIf-Modified-Since: " LATER "\r\n", 200 },
	{ "If-None-Match: " TAG "\r\nIf-Modified-Since: " EARLIER "\r\n", 304 },
	{ "If-None-Match: " TAG "\r\nIf-Match: \"a\"\r\n", 412 },
	{ "If-None-Match: " TAG "\r\nIf-Match: " TAG "\r\n", 304 },
	{ "If-Modified-Since: " DATE "\r\nIf-Unmodified-Since: " EARLIER "\r\n", 412 },
	{ "If-Modified-Since: " DATE "\r\nIf-Unmodified-Since: " DATE "\r\n", 304 },
	{ "If-Match: *\r\nIf-Modified-Since: " DATE "\r\n", 304 },
	{ "Range: bytes=0-1\r\nIf-None-Match: " TAG "\r\n", 304 },
	{ "Range: bytes=0-1\r\nIf-Match: \"a\"\r\n", 412 },
	{ "Range: bytes=9999-\r\nIf-None-Match: " TAG "\r\n", 304 },
};

START_TEST(a_condition_decides_whether_the_file_is_sent)
{
	static const char *const methods[] = { "GET", "HEAD" };
	const struct http_document document = a_file();

	for (size_t i = 0; i < 2; i++) {
		struct http_part part =
			ask_for(&document, methods[i], conditions[_i].fields, now);

		ck_assert_msg(part.status == conditions[_i].status,
			      "%s: %d, not %d, to\n%s", methods[i], part.status,
			      conditions[_i].status, conditions[_i].fields);
		ck_assert_uint_eq(part.first, 0);
		ck_assert_uint_eq(part.length, part.status == 200 ? SIZE : 0);
	}
}
END_TEST

/* ---- ranges ------------------------------------------------------------------------------- */

static const struct {
	const char *fields;
	int status;
	uint64_t first, length; /* of SIZE bytes */
} ranges[] = {
	{ "Range: bytes=0-499\r\n", 206, 0, 500 },
	{ "Range: bytes=500-999\r\n", 206, 500, 500 },
	{ "Range: bytes=0-0\r\n", 206, 0, 1 },
	{ "Range: bytes=999-999\r\n", 206, 999, 1 },
	{ "Range: bytes=0-\r\n", 206, 0, 1000 },
	{ "Range: bytes=999-\r\n", 206, 999, 1 },
	{ "Range: bytes=-1\r\n", 206, 999, 1 },
	{ "Range: bytes=-500\r\n", 206, 500, 500 },
	{ "Range: bytes=-1000\r\n", 206, 0, 1000 },
	{ "Range: bytes=-1001\r\n", 206, 0, 1000 },
	{ "Range: bytes=0-999\r\n", 206, 0, 1000 },
	{ "Range: bytes=990-1000\r\n", 206, 990, 10 },
	{ "Range: bytes=990-99999999999999999999999999\r\n", 206, 990, 10 },
	{ "Range: bytes=990-18446744073709551615\r\n", 206, 990, 10 },
	{ "Range: bytes=990-18446744073709551616\r\n", 206, 990, 10 },
	{ "Range: bytes=-99999999999999999999999999\r\n", 206, 0, 1000 },
	{ "Range: bytes=000-0009\r\n", 206, 0, 10 },
	{ "range:bytes=0-9\r\n", 206, 0, 10 },
	{ "Range: BYTES=0-9\r\n", 206, 0, 10 },
	{ "Range: bytes= 0-9\r\n", 206, 0, 10 },
	{ "Range: bytes=,, 0-9 ,\t,\r\n", 206, 0, 10 },
	/* not satisfiable */
	{ "Range: bytes=1000-\r\n", 416, 0, 0 },
	{ "Range: bytes=1000-1000\r\n", 416, 0, 0 },
	{ "Range: bytes=1001-2000\r\n", 416, 0, 0 },
	{ "Range: bytes=-0\r\n", 416, 0, 0 },
	{ "Range: bytes=18446744073709551615-\r\n", 416, 0, 0 },
	{ "Range: bytes=18446744073709551616-\r\n", 416, 0, 0 },
	{ "Range: bytes=99999999999999999999999999-\r\n", 416, 0, 0 },
	/* not a range, or more than one: all of it */
	{ "Range: bytes=9-0\r\n", 200, 0, 1000 },
	{ "Range: bytes=2000-1999\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-1,5-6\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-1, 5000-\r\n", 200, 0, 1000 },
	{ "Range: bytes=5000-,6000-\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-1,x\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-1\r\nRange: bytes=0-1\r\n", 200, 0, 1000 },
	{ "Range: bytes=-\r\n", 200, 0, 1000 },
	{ "Range: bytes=--1\r\n", 200, 0, 1000 },
	{ "Range: bytes=1--2\r\n", 200, 0, 1000 },
	{ "Range: bytes=+1-2\r\n", 200, 0, 1000 },
	{ "Range: bytes=1\r\n", 200, 0, 1000 },
	{ "Range: bytes=a-b\r\n", 200, 0, 1000 },
	{ "Range: bytes=0x1-0x2\r\n", 200, 0, 1000 },
	{ "Range: bytes=1-2-3\r\n", 200, 0, 1000 },
	{ "Range: bytes=1 -2\r\n", 200, 0, 1000 },
	{ "Range: bytes=1- 2\r\n", 200, 0, 1000 },
	{ "Range: bytes=1-2 3\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-9;q=1\r\n", 200, 0, 1000 },
	{ "Range: bytes=\r\n", 200, 0, 1000 },
	{ "Range: bytes=,\r\n", 200, 0, 1000 },
	{ "Range: bytes\r\n", 200, 0, 1000 },
	{ "Range: bytes 0-9\r\n", 200, 0, 1000 },
	{ "Range: bytes =0-9\r\n", 200, 0, 1000 },
	{ "Range: bytes:0-9\r\n", 200, 0, 1000 },
	{ "Range: 0-9\r\n", 200, 0, 1000 },
	{ "Range: lines=0-9\r\n", 200, 0, 1000 },
	{ "Range: kilobytes=0-9\r\n", 200, 0, 1000 },
	{ "Range:\r\n", 200, 0, 1000 },
	/* If-Range */
	{ "Range: bytes=0-9\r\nIf-Range: " TAG "\r\n", 206, 0, 10 },
	{ "Range: bytes=0-9\r\nIf-Range: " DATE "\r\n", 206, 0, 10 },
	{ "Range: bytes=0-9\r\nIf-Range: Sunday, 06-Nov-94 08:49:37 GMT\r\n", 206, 0,
	  10 },
	{ "Range: bytes=1000-\r\nIf-Range: " TAG "\r\n", 416, 0, 0 },
	{ "Range: bytes=0-9\r\nIf-Range: W/" TAG "\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-9\r\nIf-Range: \"a\"\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-9\r\nIf-Range: " TAG ", \"a\"\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-9\r\nIf-Range: *\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-9\r\nIf-Range:\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-9\r\nIf-Range: x\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-9\r\nIf-Range: " EARLIER "\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-9\r\nIf-Range: " LATER "\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-9\r\nIf-Range: " TAG "\r\nIf-Range: " TAG "\r\n", 200, 0,
	  1000 },
	{ "Range: bytes=1000-\r\nIf-Range: \"a\"\r\n", 200, 0, 1000 },
	{ "If-Range: \"a\"\r\n", 200, 0, 1000 },
	{ "Range: bytes=0-9\r\nIf-Match: " TAG "\r\n", 206, 0, 10 },
	{ "Range: bytes=0-9\r\nIf-None-Match: \"a\"\r\n", 206, 0, 10 },
	{ "Range: bytes=0-9\r\nIf-Modified-Since: " EARLIER "\r\n", 206, 0, 10 },
};

START_TEST(a_range_decides_which_part_is_sent)
{
	struct http_part part = ask(ranges[_i].fields);

	ck_assert_msg(part.status == ranges[_i].status &&
			      part.first == ranges[_i].first &&
			      part.length == ranges[_i].length,
		      "%d, %ju + %ju, not %d, %ju + %ju, to\n%s", part.status,
		      (uintmax_t)part.first, (uintmax_t)part.length, ranges[_i].status,
		      (uintmax_t)ranges[_i].first, (uintmax_t)ranges[_i].length,
		      ranges[_i].fields);
}
END_TEST

START_TEST(a_range_is_for_get_only)
{
	const struct http_document document = a_file();
	struct http_part part = ask_for(&document, "HEAD", "Range: bytes=0-9\r\n", now);

	ck_assert_int_eq(part.status, 200);
	ck_assert_uint_eq(part.length, SIZE);
	part = ask_for(&document, "HEAD", "Range: bytes=5000-\r\n", now);
	ck_assert_int_eq(part.status, 200);
}
END_TEST

START_TEST(an_empty_file_has_no_part_but_all_of_it)
{
	struct http_document document = a_file();
	struct http_part part;

	document.size = 0;
	ck_assert_int_eq(ask_for(&document, "GET", "", now).status, 200);
	part = ask_for(&document, "GET", "Range: bytes=-5\r\n", now);
	ck_assert_int_eq(part.status, 200);
	ck_assert_uint_eq(part.first, 0);
	ck_assert_uint_eq(part.length, 0);
	ck_assert_int_eq(ask_for(&document, "GET", "Range: bytes=-0\r\n", now).status,
			 416);
	ck_assert_int_eq(ask_for(&document, "GET", "Range: bytes=0-\r\n", now).status,
			 416);
	ck_assert_int_eq(ask_for(&document, "GET", "Range: bytes=0-0\r\n", now).status,
			 416);
}
END_TEST

START_TEST(a_range_may_lie_anywhere_in_the_largest_file)
{
	struct http_document document = a_file();
	struct http_part part;

	document.size = INT64_MAX;
	part = ask_for(&document, "GET", "Range: bytes=9223372036854775806-\r\n", now);
	ck_assert_int_eq(part.status, 206);
	ck_assert_uint_eq(part.first, INT64_MAX - 1);
	ck_assert_uint_eq(part.length, 1);
	part = ask_for(&document, "GET", "Range: bytes=9223372036854775807-\r\n", now);
	ck_assert_int_eq(part.status, 416);
	part = ask_for(&document, "GET", "Range: bytes=1-\r\n", now);
	ck_assert_uint_eq(part.length, INT64_MAX - 1);
}
END_TEST

/* ---- entity tags -------------------------------------------------------------------------- */

START_TEST(a_tag_changes_with_size_and_time)
{
	struct http_document document = a_file();
	char tag[HTTP_TAG_TEXT], other[HTTP_TAG_TEXT];

	ck_assert_str_eq(http_tag(&document, now, tag), TAG);
	document.size++;
	ck_assert_str_ne(http_tag(&document, now, other), tag);
	document = a_file();
	document.modified++;
	ck_assert_str_ne(http_tag(&document, now, other), tag);
	document = a_file();
	document.nanoseconds++;
	ck_assert_str_ne(http_tag(&document, now, other), tag);
	document = (struct http_document){ .size = UINT64_MAX,
					   .modified = (time_t)INT64_MIN,
					   .nanoseconds = 999999999 };
	ck_assert_str_eq(http_tag(&document, now, tag),
			 "\"ffffffffffffffff-8000000000000000-3b9ac9ff\"");
}
END_TEST

START_TEST(the_tag_of_a_young_file_is_weak)
{
	const struct http_document document = a_file();
	char tag[HTTP_TAG_TEXT];

	ck_assert_str_eq(http_tag(&document, then - 1, tag), "W/" TAG);
	ck_assert_str_eq(http_tag(&document, then, tag), "W/" TAG);
	ck_assert_str_eq(http_tag(&document, then + 1, tag), "W/" TAG);
	ck_assert_str_eq(http_tag(&document, then + 2, tag), TAG);
}
END_TEST

START_TEST(a_weak_validator_saves_a_whole_transfer_but_completes_no_part)
{
	const struct http_document document = a_file();

	ck_assert_int_eq(
		ask_for(&document, "GET", "If-None-Match: " TAG "\r\n", then).status,
		304);
	ck_assert_int_eq(
		ask_for(&document, "GET", "If-None-Match: W/" TAG "\r\n", then).status,
		304);
	ck_assert_int_eq(ask_for(&document, "GET", "If-Match: " TAG "\r\n", then).status,
			 412);
	ck_assert_int_eq(
		ask_for(&document, "GET", "If-Match: W/" TAG "\r\n", then).status, 412);
	ck_assert_int_eq(ask_for(&document, "GET", "If-Match: *\r\n", then).status, 200);
	ck_assert_int_eq(ask_for(&document, "GET",
				 "Range: bytes=0-1\r\nIf-Range: " TAG "\r\n", then)
				 .status,
			 200);
	ck_assert_int_eq(ask_for(&document, "GET",
				 "Range: bytes=0-1\r\nIf-Range: W/" TAG "\r\n", then)
				 .status,
			 200);
	ck_assert_int_eq(ask_for(&document, "GET",
				 "Range: bytes=0-1\r\nIf-Range: " DATE "\r\n", then)
				 .status,
			 200);
	ck_assert_int_eq(ask_for(&document, "GET", "Range: bytes=0-1\r\n", then).status,
			 206);
}
END_TEST

START_TEST(by_its_date_a_young_file_is_not_known)
{
	const struct http_document document = a_file();

	for (int age = -1; age < 4; age++)
		ck_assert_int_eq(ask_for(&document, "GET",
					 "If-Modified-Since: " DATE "\r\n", then + age)
					 .status,
				 age < 2 ? 200 : 304);
}
END_TEST

START_TEST(a_file_of_the_future_was_modified_now)
{
	const struct http_document document = a_file();

	ck_assert_int_eq(http_last_modified(&document, then - 100), then - 100);
	ck_assert_int_eq(http_last_modified(&document, then), then);
	ck_assert_int_eq(http_last_modified(&document, now), then);
}
END_TEST

/* ---- dates -------------------------------------------------------------------------------- */

START_TEST(a_date_is_written_in_english_and_in_gmt)
{
	static const struct {
		int64_t when;
		const char *text;
	} dates[] = {
		{ 784111777, DATE },
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT" },
		{ INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_C(253402300800), "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MIN, "Wed, 01 Jan 1000 00:00:00 GMT" },
	};
	char text[HTTP_DATE_TEXT];

	ck_assert_int_eq(setenv("TZ", "XXX-5", 1), 0);
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
		if ((time_t)dates[i].when != dates[i].when) {
			skipped("needs a time_t of 64 bits");
			continue;
		}
		ck_assert_str_eq(http_date((time_t)dates[i].when, text), dates[i].text);
	}
}
END_TEST

START_TEST(a_date_that_was_written_is_read_again)
{
	char text[HTTP_DATE_TEXT];
	const int64_t year_2100 = 4102444800,
		      last = sizeof(time_t) > 4 ? year_2100 : INT32_MAX;
	time_t read;

	for (int64_t when = 0; when < last; when += 8640013) {
		http_date((time_t)when, text);
		ck_assert_msg(http_date_read(text, strlen(text), now, &read), "%s", text);
		ck_assert_int_eq(read, when);
	}
}
END_TEST

START_TEST(a_date_is_read_in_any_of_its_forms)
{
	static const struct {
		const char *text;
		int64_t when;
	} dates[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Sun Nov 06 08:49:37 1994", 784111777 },
		{ "Wed Nov 16 08:49:37 1994", 784975777 },
		{ "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 }, /* it was a Sunday */
		{ "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
		{ "Thu, 31 Dec 1998 23:59:60 GMT", 915148800 }, /* a leap second */
		{ "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799) },
		{ "Wednesday, 01-Jan-70 00:00:00 GMT", 0 },
	};
	time_t when;

	ck_assert_int_eq(setenv("TZ", "XXX-5", 1), 0);
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
		ck_assert_msg(
			http_date_read(dates[i].text, strlen(dates[i].text), now, &when),
			"%s", dates[i].text);
		ck_assert_int_eq(when, dates[i].when);
	}
}
END_TEST

START_TEST(what_is_almost_a_date_is_none)
{
	static const char *const texts[] = {
		"",
		"0",
		"784111777",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 ",
		"Sun, 06 Nov 1994 08:49:37 gmt",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		" Sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT; length=1",
		"sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun,06 Nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun,  6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT",
		"Sun, 06-Nov-1994 08:49:37 GMT",
		"Sun, 06-Nov-94 08:49:37 GMT",
		"Sunday, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994 GMT",
		"Sun Nov 6 08:49:37 1994",
		"Sun Nov   6 08:49:37 1994",
		"Xxx, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 November 1994 08:49:37 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 29 Feb 1900 08:49:37 GMT",
		"Sun, 29 Feb 1995 08:49:37 GMT",
		"Sun, 32 Dec 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 -8:49:37 GMT",
		"Sun, 06 Nov +994 08:49:37 GMT",
		"Sun, 06 Nov 19945 08:49:37 GMT",
		"1994-11-06T08:49:37Z",
	};
	time_t when;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		ck_assert_msg(!http_date_read(texts[i], strlen(texts[i]), now, &when),
			      "%s", texts[i]);
	for (size_t length = 0; length < strlen(DATE); length++)
		ck_assert(!http_date_read(DATE, length, now, &when));
}
END_TEST

START_TEST(a_year_of_two_digits_is_at_most_fifty_years_ahead)
{
	static const struct {
		const char *now, *text, *date;
	} cases[] = {
		{ "Sun, 02 Aug 2026 12:00:00 GMT", "Sunday, 02-Aug-76 12:00:00 GMT",
		  "Sun, 02 Aug 2076 12:00:00 GMT" },
		{ "Sun, 02 Aug 2026 12:00:00 GMT", "Sunday, 02-Aug-76 12:00:01 GMT",
		  "Mon, 02 Aug 1976 12:00:01 GMT" },
		{ "Sun, 02 Aug 2026 12:00:00 GMT", "Sunday, 02-Aug-77 12:00:00 GMT",
		  "Tue, 02 Aug 1977 12:00:00 GMT" },
		{ "Sun, 02 Aug 2026 12:00:00 GMT", "Sunday, 02-Aug-26 12:00:01 GMT",
		  "Sun, 02 Aug 2026 12:00:01 GMT" },
		{ "Sun, 02 Aug 2026 12:00:00 GMT", "Sunday, 31-Dec-99 23:59:59 GMT",
		  "Fri, 31 Dec 1999 23:59:59 GMT" },
		{ "Sun, 02 Aug 2026 12:00:00 GMT", "Sunday, 01-Jan-00 00:00:00 GMT",
		  "Sat, 01 Jan 2000 00:00:00 GMT" },
		{ "Tue, 02 Aug 2095 12:00:00 GMT", "Sunday, 01-Jan-05 00:00:00 GMT",
		  "Thu, 01 Jan 2105 00:00:00 GMT" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[HTTP_DATE_TEXT];
		time_t present, when;

		ck_assert(
			http_date_read(cases[i].now, strlen(cases[i].now), 0, &present));
		ck_assert(http_date_read(cases[i].text, strlen(cases[i].text), present,
					 &when));
		ck_assert_str_eq(http_date(when, text), cases[i].date);
	}
}
END_TEST

Suite *suite_http_conditions(void)
{
	Suite *suite = suite_create("http_conditions");
	TCase *tcase = add_case(suite, "conditions");

	tcase_add_loop_test(tcase, a_condition_decides_whether_the_file_is_sent, 0,
			    sizeof conditions / sizeof *conditions);

	tcase = add_case(suite, "ranges");
	tcase_add_loop_test(tcase, a_range_decides_which_part_is_sent, 0,
			    sizeof ranges / sizeof *ranges);
	tcase_add_test(tcase, a_range_is_for_get_only);
	tcase_add_test(tcase, an_empty_file_has_no_part_but_all_of_it);
	tcase_add_test(tcase, a_range_may_lie_anywhere_in_the_largest_file);

	tcase = add_case(suite, "entity tags");
	tcase_add_test(tcase, a_tag_changes_with_size_and_time);
	tcase_add_test(tcase, the_tag_of_a_young_file_is_weak);
	tcase_add_test(tcase,
		       a_weak_validator_saves_a_whole_transfer_but_completes_no_part);
	tcase_add_test(tcase, by_its_date_a_young_file_is_not_known);
	tcase_add_test(tcase, a_file_of_the_future_was_modified_now);

	tcase = add_case(suite, "dates");
	tcase_add_test(tcase, a_date_is_written_in_english_and_in_gmt);
	tcase_add_test(tcase, a_date_that_was_written_is_read_again);
	tcase_add_test(tcase, a_date_is_read_in_any_of_its_forms);
	tcase_add_test(tcase, what_is_almost_a_date_is_none);
	tcase_add_test(tcase, a_year_of_two_digits_is_at_most_fifty_years_ahead);
	return suite;
}
