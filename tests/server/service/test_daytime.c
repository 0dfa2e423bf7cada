/*
 * daytime without a network: RFC 867, in the time zones of its readers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/service.h"
#include "tests/fixture/memory_session.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

/* Says what time it is in a zone, as POSIX writes it: hours west of Greenwich. */
static void move_to(const char *zone)
{
	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	tzset();
}

static void configure(const char *text)
{
	struct failure failure;

	ck_assert_int_eq(memory_configure(&daytime_service,
					  (const char *const[]){ "-f", text, NULL },
					  &failure),
			 0);
}

/* What a client is told: all of it is there as soon as it has come, and then the end. */
static const char *hear(struct memory_session *client)
{
	memory_open(client, &daytime_service);
	ck_assert(memory_finished(client));
	ck_assert_uint_eq(strlen(client->output), client->length);
	return client->output;
}

/* Another way to the same: the date of a line, as seconds in UTC, its offset applied. */
static long long seconds_of(const char *line)
{
	int year, month, day, hour, minute, second, offset_hour, offset_minute;
	char sign;
	long long y, days;

	ck_assert_int_eq(sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d%c%2d:%2d\r\n", &year,
				&month, &day, &hour, &minute, &second, &sign,
				&offset_hour, &offset_minute),
			 9);
	/* days from the civil date (Hinnant) */
	y = year - (month <= 2);
	days = 365 * (y % 400) + (y % 400) / 4 - (y % 400) / 100 +
	       (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1 +
	       y / 400 * 146097 - 719468;
	return days * 86400 + hour * 3600 + minute * 60 + second -
	       (sign == '-' ? -1 : 1) * (offset_hour * 3600 + offset_minute * 60);
}

static const struct {
	const char *zone, *offset;
} zones[] = {
	{ "UTC0", "+00:00" },         { "EST5", "-05:00" },
	{ "<+0530>-5:30", "+05:30" }, { "<-0330>3:30", "-03:30" },
	{ "<+14>-14", "+14:00" },     { "<-12>12", "-12:00" },
	{ "<+0545>-5:45", "+05:45" },
};

START_TEST(tells_date_and_time_with_the_offset_from_utc)
{
	struct memory_session client;
	time_t before, after;
	const char *line;
	char pattern[100];

	move_to(zones[_i].zone);
	before = time(NULL);
	line = hear(&client);
	after = time(NULL);
	snprintf(pattern, sizeof pattern,
		 "^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
		 "\\%s\r\n$",
		 zones[_i].offset);
	expect_match(line, pattern);
	ck_assert_int_ge(seconds_of(line), before);
	ck_assert_int_le(seconds_of(line), after);
	memory_close(&client);
}
END_TEST

START_TEST(takes_any_format_of_strftime)
{
	struct memory_session client;

	configure("it is %Y, 100%% so");
	expect_match(hear(&client), "^it is 20[0-9]{2}, 100% so\r\n$");
	memory_close(&client);
	configure("always the same");
	ck_assert_str_eq(hear(&client), "always the same\r\n");
	memory_close(&client);
	move_to("XYZ-3");
	configure("%Z %z");
	ck_assert_str_eq(hear(&client), "XYZ +0300\r\n");
	memory_close(&client);
}
END_TEST

static void expect_refused(const char *text)
{
	struct failure failure;

	ck_assert_int_eq(memory_configure(&daytime_service,
					  (const char *const[]){ "-f", text, NULL },
					  &failure),
			 -1);
	expect_match(failure.text, "^-f, --format: '.*' makes an empty line");
}

START_TEST(a_format_that_gives_nothing_or_too_much_is_refused)
{
	char text[300];

	expect_refused("");
	memset(text, 'x', sizeof text);
	text[256] = '\0';
	expect_refused(text);
	text[255] = '\0';
	configure(text);
	text[0] = '\0';
	for (int i = 0; i < 60; i++)
		strcat(text, "%c");
	expect_refused(text);
}
END_TEST

START_TEST(a_refused_format_does_not_write_to_the_terminal)
{
	struct failure failure;
	char text[400] = "\x1b[2J";

	for (int i = 0; i < 100; i++)
		strcat(text, "%Y");
	ck_assert_int_eq(memory_configure(&daytime_service,
					  (const char *const[]){ "-f", text, NULL },
					  &failure),
			 -1);
	ck_assert_ptr_null(strchr(failure.text, '\x1b'));
}
END_TEST

START_TEST(each_datagram_is_answered_by_a_line)
{
	struct memory_session peer;

	configure("now");
	memory_open_peer(&peer, &daytime_service);
	ck_assert(memory_datagram(&peer, "what time is it?", 16));
	memory_expect(&peer, "now\r\n", 5);
	ck_assert(memory_datagram(&peer, "", 0));
	memory_expect(&peer, "now\r\n", 5);
	memory_close(&peer);
}
END_TEST

Suite *suite_daytime(void)
{
	Suite *suite = suite_create("daytime");
	TCase *tcase = tcase_create("daytime");

	tcase_add_loop_test(tcase, tells_date_and_time_with_the_offset_from_utc, 0,
			    sizeof zones / sizeof *zones);
	tcase_add_test(tcase, takes_any_format_of_strftime);
	tcase_add_test(tcase, a_format_that_gives_nothing_or_too_much_is_refused);
	tcase_add_test(tcase, a_refused_format_does_not_write_to_the_terminal);
	tcase_add_test(tcase, each_datagram_is_answered_by_a_line);
	suite_add_tcase(suite, tcase);
	return suite;
}
