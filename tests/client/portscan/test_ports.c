/*
 * A list of ports, as one writes it.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/portscan/ports.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

static struct ports ports;
static struct failure failure;

static void parse(const char *list)
{
	memset(&ports, 0, sizeof ports);
	ck_assert_msg(ports_parse(&ports, list, &failure) == 0, "%s", failure.text);
}

/* The set is just these; the last is 0. */
static void assert_just(const unsigned expected[])
{
	unsigned count = 0;

	for (; expected[count] != 0; count++)
		ck_assert_msg(ports.wanted[expected[count]], "%u is missing",
			      expected[count]);
	ck_assert_uint_eq(ports.count, count);
}

START_TEST(numbers_and_ranges_are_taken_together)
{
	parse("22,80,8000-8002,65535");
	assert_just((unsigned[]){ 22, 80, 8000, 8001, 8002, 65535, 0 });
	parse("1");
	assert_just((unsigned[]){ 1, 0 });
	parse("7-7");
	assert_just((unsigned[]){ 7, 0 });
}
END_TEST

START_TEST(order_and_repetition_mean_nothing)
{
	parse("9,5-7,6-8,5,9");
	assert_just((unsigned[]){ 5, 6, 7, 8, 9, 0 });
}
END_TEST

START_TEST(all_ports_are_65535)
{
	parse("1-65535");
	ck_assert_uint_eq(ports.count, 65535);
	ck_assert(!ports.wanted[0]);
}
END_TEST

START_TEST(services_go_by_their_names)
{
	if (getservbyname("http", "tcp") == NULL ||
	    getservbyname("iso-tsap", "tcp") == NULL) {
		skipped("needs /etc/services");
		return;
	}
	parse("http,22,iso-tsap"); /* a hyphen does not make it a range */
	assert_just((unsigned[]){ 22, 80, 102, 0 });
}
END_TEST

#define NO_PORT                                                                          \
	" is not a port (1 to 65535), a range such as 8000-8100, or the name of a "      \
	"service"

static const struct {
	const char *list, *complaint;
} bad_lists[] = {
	{ "0", "'0'" NO_PORT },
	{ "65536", "'65536'" NO_PORT },
	{ "4294967297", "'4294967297'" NO_PORT },
	{ "-", "'-'" NO_PORT },
	{ "1-", "'1-'" NO_PORT },
	{ "-5", "'-5'" NO_PORT },
	{ "1--2", "'1--2'" NO_PORT },
	{ "1-2-3", "'1-2-3'" NO_PORT },
	{ "0-5", "'0-5'" NO_PORT },
	{ "5-65536", "'5-65536'" NO_PORT },
	{ "80,+81", "'+81'" NO_PORT },
	{ "80, 81", "' 81'" NO_PORT },
	{ "80;81", "'80;81'" NO_PORT },
	{ "0x50", "'0x50'" NO_PORT },
	{ "no-such-service", "'no-such-service'" NO_PORT },
	{ "ht\ntp", "'ht\\ntp'" NO_PORT },
	{ "5-3", "the range '5-3' ends before its first port" },
	{ "", "empty item in the list ''" },
	{ ",", "empty item in the list ','" },
	{ "22,,80", "empty item in the list '22,,80'" },
	{ "22,", "empty item in the list '22,'" },
	{ ",22", "empty item in the list ',22'" },
	{ "22,a-name-that-goes-on-and-on-and-on",
	  "'a-name-that-goes-on-and-on-and-on' is too long for a port" },
};

enum { BAD_LISTS = sizeof bad_lists / sizeof bad_lists[0] };

START_TEST(what_is_no_list_is_reported_clearly)
{
	ck_assert_int_eq(ports_parse(&ports, bad_lists[_i].list, &failure), -1);
	ck_assert_str_eq(failure.text, bad_lists[_i].complaint);
}
END_TEST

Suite *suite_ports(void)
{
	Suite *suite = suite_create("ports");
	TCase *tcase = tcase_create("lists");

	tcase_add_test(tcase, numbers_and_ranges_are_taken_together);
	tcase_add_test(tcase, order_and_repetition_mean_nothing);
	tcase_add_test(tcase, all_ports_are_65535);
	tcase_add_test(tcase, services_go_by_their_names);
	tcase_add_loop_test(tcase, what_is_no_list_is_reported_clearly, 0, BAD_LISTS);
	suite_add_tcase(suite, tcase);
	return suite;
}
