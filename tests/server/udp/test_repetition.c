/*
 * Which datagrams of a peer are left unanswered, since they may be another server's replies.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "server/udp/repetition.h"
#include "tests/suites.h"

enum { LIMIT = 1000, A_MOMENT = 100 /* milliseconds */ };

static struct repetition repetition;
static int64_t now;

static void begin(void)
{
	memset(&repetition, 0, sizeof repetition);
	now = 1000000;
}

static bool is_dropped(const char *bytes, size_t length)
{
	return repetition_is_excessive(&repetition, bytes, length, LIMIT, now);
}

static bool text_is_dropped(const char *text)
{
	return is_dropped(text, strlen(text));
}

/* A different datagram for each number. */
static bool number_is_dropped(int number)
{
	char text[32];

	snprintf(text, sizeof text, "datagram %d", number);
	return text_is_dropped(text);
}

START_TEST(so_many_repeated_datagrams_are_answered_then_none_for_a_moment)
{
	static const char *const texts[] = { "hello", "" };

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < LIMIT + (round == 0); i++) /* the first is new */
			ck_assert(!text_is_dropped(texts[_i]));
		ck_assert(text_is_dropped(texts[_i]));
		now += A_MOMENT - 1;
		ck_assert(text_is_dropped(texts[_i]));
		ck_assert(text_is_dropped("also another one"));
		now++;
	}
}
END_TEST

/* As many forged datagrams as two receive buffers hold go round between two servers. */
START_TEST(many_datagrams_that_go_round_are_noticed)
{
	static const int rounds[] = { 2, 3, 100, 511 };
	int answered = 0;

	while (!number_is_dropped(answered % rounds[_i]))
		ck_assert_int_lt(++answered, 2 * LIMIT);
	ck_assert_int_ge(answered, LIMIT);
}
END_TEST

/* As a server of the date and time does once a second. */
START_TEST(what_changes_now_and_then_is_noticed_too)
{
	int answered = 900 * 7;

	while (!number_is_dropped(answered / 900))
		ck_assert_int_lt(++answered, 100000);
}
END_TEST

START_TEST(a_client_that_repeats_nothing_is_always_answered)
{
	for (int i = 0; i < 200 * LIMIT; i++)
		ck_assert(!number_is_dropped(i));
}
END_TEST

START_TEST(a_client_that_repeats_itself_slowly_is_always_answered)
{
	for (int i = 0; i < 20 * LIMIT; i++) {
		ck_assert(!text_is_dropped("are you there?"));
		now += 1000 / REPETITION_RATE;
	}
}
END_TEST

START_TEST(a_long_datagram_is_another_if_its_beginning_or_end_is)
{
	char bytes[1400] = "";

	for (int i = 0; i < 100 * LIMIT; i++) {
		memcpy(_i == 0 ? bytes : bytes + sizeof bytes - sizeof i, &i, sizeof i);
		ck_assert(!is_dropped(bytes, sizeof bytes));
	}
}
END_TEST

START_TEST(without_a_limit_all_are_answered)
{
	for (int i = 0; i < 10 * LIMIT; i++)
		ck_assert(!repetition_is_excessive(&repetition, "hello", 5, 0, now));
}
END_TEST

static int64_t limit_of(const char *host, unsigned port)
{
	struct address address;

	ck_assert_int_eq(address_parse(host, &address), 0);
	address_set_port(&address, port);
	return repetition_default_limit(&address);
}

START_TEST(from_a_port_of_clients_a_thousand_times_as_many_are_answered)
{
	ck_assert_int_eq(limit_of("127.0.0.1", 1024), 1000);
	ck_assert_int_eq(limit_of("::1", 32767), 1000);
	ck_assert_int_eq(limit_of("127.0.0.1", 32768), 1000000);
	ck_assert_int_eq(limit_of("::1", 65535), 1000000);
}
END_TEST

START_TEST(a_unix_domain_peer_has_the_limit_of_a_client)
{
	struct address address = { .any.sa_family = AF_UNIX };

	ck_assert_int_eq(repetition_default_limit(&address), 1000000);
}
END_TEST

Suite *suite_repetition(void)
{
	Suite *suite = suite_create("repetition");
	TCase *tcase = tcase_create("repetition");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_loop_test(
		tcase, so_many_repeated_datagrams_are_answered_then_none_for_a_moment, 0,
		2);
	tcase_add_loop_test(tcase, many_datagrams_that_go_round_are_noticed, 0, 4);
	tcase_add_test(tcase, what_changes_now_and_then_is_noticed_too);
	tcase_add_test(tcase, a_client_that_repeats_nothing_is_always_answered);
	tcase_add_test(tcase, a_client_that_repeats_itself_slowly_is_always_answered);
	tcase_add_loop_test(tcase, a_long_datagram_is_another_if_its_beginning_or_end_is,
			    0, 2);
	tcase_add_test(tcase, without_a_limit_all_are_answered);
	tcase_add_test(tcase,
		       from_a_port_of_clients_a_thousand_times_as_many_are_answered);
	tcase_add_test(tcase, a_unix_domain_peer_has_the_limit_of_a_client);
	suite_add_tcase(suite, tcase);
	return suite;
}
