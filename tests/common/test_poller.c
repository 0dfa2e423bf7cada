/*
 * Waiting for many descriptors: the same whether epoll or poll does it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/poller.h"
#include "tests/suites.h"

enum { PAIRS = 100 };

static const int64_t long_enough = INT64_C(10000000000);

static struct poller *poller;
static int ours[PAIRS], theirs[PAIRS];

static void open_all(void)
{
	poller = poller_create();
	ck_assert_ptr_nonnull(poller);
	for (int i = 0; i < PAIRS; i++) {
		int pair[2];

		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		ours[i] = pair[0];
		theirs[i] = pair[1];
	}
}

static void close_all(void)
{
	poller_destroy(poller);
	for (int i = 0; i < PAIRS; i++) {
		close(ours[i]);
		close(theirs[i]);
	}
}

static void say_something(int i)
{
	ck_assert_int_eq(write(theirs[i], "x", 1), 1);
}

START_TEST(nothing_ready_lets_the_time_pass)
{
	struct poller_event event;
	int64_t before = clock_nanoseconds();

	ck_assert_int_eq(poller_add(poller, ours[0], POLLER_READ, &ours[0]), 0);
	ck_assert_int_eq(poller_wait(poller, &event, 1, 0), 0);
	ck_assert_int_eq(poller_wait(poller, &event, 1, 20000000), 0);
	ck_assert_int_eq(poller_wait(poller, &event, 1, 1500001), 0);
	ck_assert_int_ge(clock_nanoseconds() - before, 21500001);
}
END_TEST

START_TEST(the_ready_one_is_named_with_its_owner_until_it_was_read)
{
	struct poller_event events[4];
	char byte;

	for (int i = 0; i < PAIRS; i++)
		ck_assert_int_eq(poller_add(poller, ours[i], POLLER_READ, &ours[i]), 0);
	say_something(42);
	for (int time = 0; time < 2; time++) {
		ck_assert_int_eq(poller_wait(poller, events, 4, long_enough), 1);
		ck_assert_ptr_eq(events[0].owner, &ours[42]);
		ck_assert_uint_eq(events[0].ready, POLLER_READ);
	}
	ck_assert_int_eq(read(ours[42], &byte, 1), 1);
	ck_assert_int_eq(poller_wait(poller, events, 4, 0), 0);
}
END_TEST

START_TEST(what_is_waited_for_can_be_changed)
{
	struct poller_event event;

	ck_assert_int_eq(poller_add(poller, ours[0], POLLER_READ, &ours[0]), 0);
	ck_assert_int_eq(poller_wait(poller, &event, 1, 0), 0);
	ck_assert_int_eq(
		poller_change(poller, ours[0], POLLER_READ | POLLER_WRITE, &ours[1]), 0);
	ck_assert_int_eq(poller_wait(poller, &event, 1, long_enough), 1);
	ck_assert_ptr_eq(event.owner, &ours[1]);
	ck_assert_uint_eq(event.ready, POLLER_WRITE);
	say_something(0);
	ck_assert_int_eq(poller_wait(poller, &event, 1, long_enough), 1);
	ck_assert_uint_eq(event.ready, POLLER_READ | POLLER_WRITE);
}
END_TEST

START_TEST(a_removed_one_is_silent_and_can_be_added_again)
{
	struct poller_event events[PAIRS];

	for (int i = 0; i < PAIRS; i++) {
		ck_assert_int_eq(poller_add(poller, ours[i], POLLER_READ, &ours[i]), 0);
		say_something(i);
	}
	for (int i = 0; i < PAIRS; i += 2)
		ck_assert_int_eq(poller_remove(poller, ours[i]), 0);
	ck_assert_int_eq(poller_wait(poller, events, PAIRS, long_enough), PAIRS / 2);
	for (int i = 0; i < PAIRS / 2; i++)
		ck_assert_int_eq(((int *)events[i].owner - ours) % 2, 1);
	ck_assert_int_eq(poller_add(poller, ours[0], POLLER_READ, &ours[0]), 0);
	ck_assert_int_eq(poller_wait(poller, events, PAIRS, long_enough), PAIRS / 2 + 1);
}
END_TEST

START_TEST(a_peer_that_leaves_makes_it_readable)
{
	struct poller_event event;

	ck_assert_int_eq(poller_add(poller, ours[0], POLLER_READ, &ours[0]), 0);
	close(theirs[0]);
	ck_assert_int_eq(poller_wait(poller, &event, 1, long_enough), 1);
	ck_assert_uint_eq(event.ready & POLLER_READ, POLLER_READ);
	theirs[0] = -1;
}
END_TEST

START_TEST(everyone_has_a_turn_when_there_is_room_for_few)
{
	int turns[PAIRS] = { 0 };

	for (int i = 0; i < PAIRS; i++) {
		ck_assert_int_eq(poller_add(poller, ours[i], POLLER_READ, &ours[i]), 0);
		say_something(i);
	}
	for (int i = 0; i < PAIRS; i++) {
		struct poller_event events[7];
		int count = poller_wait(poller, events, 7, long_enough);

		ck_assert_int_eq(count, 7);
		for (int k = 0; k < count; k++)
			turns[(int *)events[k].owner - ours]++;
	}
	for (int i = 0; i < PAIRS; i++)
		ck_assert_int_gt(turns[i], 0);
}
END_TEST

START_TEST(mistakes_are_reported)
{
	ck_assert_int_eq(poller_add(poller, -1, POLLER_READ, NULL), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(poller_change(poller, ours[0], POLLER_READ, NULL), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(poller_remove(poller, ours[0]), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(poller_add(poller, ours[0], POLLER_READ, NULL), 0);
	ck_assert_int_eq(poller_add(poller, ours[0], POLLER_READ, NULL), -1);
	ck_assert_int_eq(errno, EEXIST);
	poller_destroy(NULL);
}
END_TEST

static volatile sig_atomic_t heard;

static void hear(int signal_number)
{
	heard = signal_number;
}

/* GIVEN a signal that is blocked, and pending
   WHEN one waits without a mask, and then with one that lets it in
   THEN only the second wait is ended by it, though nothing is ready. */
START_TEST(a_mask_lets_signals_in_while_it_waits)
{
	struct sigaction action = { .sa_handler = hear };
	struct poller_event event;
	sigset_t blocked, before;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaction(SIGUSR1, &action, NULL);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	raise(SIGUSR1);

	ck_assert_int_eq(poller_wait(poller, &event, 1, 1000000), 0);
	ck_assert_int_eq(heard, 0);
	ck_assert_int_eq(poller_wait_with(poller, &event, 1, -1, &before), 0);
	ck_assert_int_eq(heard, SIGUSR1);
}
END_TEST

Suite *suite_poller(void)
{
	Suite *suite = suite_create("poller");
	TCase *tcase = tcase_create("poller");

	tcase_add_checked_fixture(tcase, open_all, close_all);
	tcase_add_test(tcase, nothing_ready_lets_the_time_pass);
	tcase_add_test(tcase, the_ready_one_is_named_with_its_owner_until_it_was_read);
	tcase_add_test(tcase, what_is_waited_for_can_be_changed);
	tcase_add_test(tcase, a_removed_one_is_silent_and_can_be_added_again);
	tcase_add_test(tcase, a_peer_that_leaves_makes_it_readable);
	tcase_add_test(tcase, everyone_has_a_turn_when_there_is_room_for_few);
	tcase_add_test(tcase, mistakes_are_reported);
	tcase_add_test(tcase, a_mask_lets_signals_in_while_it_waits);
	suite_add_tcase(suite, tcase);
	return suite;
}
