/*
 * The books of dial -n, without a network: which request a reply belongs to, and what
 * remains of the times.
 */
#include <string.h>

#include "client/dial/requests.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

static struct dial_requests *books;

START_TEST(the_mean_and_the_deviation_are_those_of_the_textbook)
{
	static const int64_t values[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
	struct round_trip times = { 0 };

	ck_assert_double_eq(round_trip_deviation(&times), 0);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		round_trip_record(&times, values[i] * 1000000000000);
	ck_assert_int_eq(times.least, 2000000000000);
	ck_assert_int_eq(times.most, 9000000000000);
	ck_assert_double_eq_tol(times.mean, 5e12, 1);
	ck_assert_double_eq_tol(round_trip_deviation(&times), 2e12, 1);
}
END_TEST

START_TEST(a_deviation_may_be_small_or_none)
{
	struct round_trip times = { 0 };

	round_trip_record(&times, 7);
	ck_assert_double_eq(round_trip_deviation(&times), 0);
	round_trip_record(&times, 7);
	ck_assert_double_eq(round_trip_deviation(&times), 0);
	round_trip_record(&times, 8);
	ck_assert_double_eq_tol(round_trip_deviation(&times), 0.4714, 0.0001);
}
END_TEST

static uint64_t answered(const char *reply, int64_t now)
{
	struct dial_answer answer;

	ck_assert(dial_requests_answered(books, reply, strlen(reply), now, &answer));
	return answer.number;
}

static void send_requests(unsigned count)
{
	memset(books, 0, sizeof *books);
	dial_requests_begin(books);
	dial_requests_stamp(books, 0xabc);
	for (unsigned i = 0; i < count; i++)
		dial_requests_sent(books, i + 1);
}

START_TEST(a_stamp_is_found_wherever_it_is_in_a_reply)
{
	send_requests(30);
	ck_assert_uint_eq(answered("dial 00000abc seq 7 abc", 100), 7);
	ck_assert_uint_eq(answered("dial dial 00000abc seq 8", 100), 8);
	ck_assert_uint_eq(answered("\"dial 00000abc seq 29\"\n", 100), 29);
	ck_assert(!books->in_turn);
	ck_assert_uint_eq(books->received, 3);
	ck_assert_uint_eq(books->under_way, 27);
}
END_TEST

static const char *const no_stamps[] = {
	"",
	"d",
	"dial 00000abc seq ",
	"dial 00000abc seq x",
	"dial 00000abd seq 2",
	"dial 00000abc seq 0",
	"dial 00000abc seq 4",
	"dial 00000abc seq 99999999999999999999999999",
};

START_TEST(what_is_no_stamp_of_ours_is_for_the_oldest)
{
	send_requests(3);
	ck_assert_uint_eq(answered("dial 00000abc seq 1 ", 100), 1);
	ck_assert_uint_eq(answered(no_stamps[_i], 100), 2);
	ck_assert(books->in_turn);
}
END_TEST

START_TEST(a_written_request_is_recognised)
{
	char request[DIAL_STAMPED];
	struct dial_answer answer;

	send_requests(11);
	dial_requests_write(books, request);
	dial_requests_sent(books, 500);
	ck_assert(dial_requests_answered(books, request, sizeof request, 750, &answer));
	ck_assert_uint_eq(answer.number, 12);
	ck_assert_int_eq(answer.took, 250);
	ck_assert(!answer.duplicate);
}
END_TEST

START_TEST(a_reply_before_any_request_is_none)
{
	struct dial_answer answer;

	send_requests(0);
	ck_assert(!dial_requests_answered(books, "x", 1, 1, &answer));
	ck_assert_uint_eq(books->received, 0);
}
END_TEST

START_TEST(requests_of_long_ago_are_forgotten)
{
	struct dial_answer answer;

	send_requests(DIAL_REMEMBERED + 2);
	ck_assert_uint_eq(books->under_way, DIAL_REMEMBERED);
	ck_assert_int_eq(dial_requests_oldest_sent_at(books), 3);
	ck_assert_uint_eq(answered("dial 00000abc seq 3 ", 100), 3);
	ck_assert(!books->in_turn);
	ck_assert(
		dial_requests_answered(books, "dial 00000abc seq 2 ", 20, 100, &answer));
	ck_assert_uint_ne(answer.number, 2);
}
END_TEST

START_TEST(a_reply_to_what_was_given_up_is_received_and_a_second_is_a_duplicate)
{
	struct dial_answer answer;

	send_requests(1);
	ck_assert_uint_eq(dial_requests_give_up(books), 1);
	ck_assert_uint_eq(books->under_way, 0);
	ck_assert_uint_eq(answered("x", 100), 1);
	ck_assert_uint_eq(books->received, 1);
	ck_assert(dial_requests_answered(books, "x", 1, 100, &answer));
	ck_assert(answer.duplicate);
	ck_assert_uint_eq(books->duplicates, 1);
}
END_TEST

Suite *suite_dial_requests(void)
{
	Suite *suite = suite_create("dial_requests");
	TCase *tcase = tcase_create("times");

	books = much_memory(sizeof *books);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, the_mean_and_the_deviation_are_those_of_the_textbook);
	tcase_add_test(tcase, a_deviation_may_be_small_or_none);
	tcase = tcase_create("requests and replies");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, a_stamp_is_found_wherever_it_is_in_a_reply);
	tcase_add_loop_test(tcase, what_is_no_stamp_of_ours_is_for_the_oldest, 0,
			    sizeof no_stamps / sizeof *no_stamps);
	tcase_add_test(tcase, a_written_request_is_recognised);
	tcase_add_test(tcase, a_reply_before_any_request_is_none);
	tcase_add_test(tcase, requests_of_long_ago_are_forgotten);
	tcase_add_test(
		tcase,
		a_reply_to_what_was_given_up_is_received_and_a_second_is_a_duplicate);
	return suite;
}
