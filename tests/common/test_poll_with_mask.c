/*
 * Waiting with a signal mask: the same with ppoll(2) and with its replacement, which is built
 * here beside it.
 */
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

#ifndef POLL_WITHOUT_PPOLL
#define POLL_WITHOUT_PPOLL
#endif
#define poll_with_mask replacement
#include "common/poll_with_mask.c"
#undef poll_with_mask

int poll_with_mask(struct pollfd watched[], nfds_t count, const struct timespec *timeout,
		   const sigset_t *mask);

static int (*const waits[])(struct pollfd[], nfds_t, const struct timespec *,
			    const sigset_t *) = { poll_with_mask, replacement };

static atomic_int handled;
static sigset_t let_in;

static void on_signal(int signal)
{
	(void)signal;
	atomic_fetch_add(&handled, 1);
}

/* SIGUSR1 is blocked, except while the wait lasts. */
static void block(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigaction(SIGUSR1, &action, NULL);
	sigprocmask(SIG_BLOCK, &usr1, &let_in);
}

static bool is_blocked(void)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGUSR1) == 1;
}

START_TEST(a_ready_descriptor_ends_the_wait)
{
	int ends[2];
	struct pollfd watched[2] = { { .fd = -1, .events = POLLIN } };

	block();
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	watched[1] = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	ck_assert_int_eq(waits[_i](watched, 2, NULL, &let_in), 1);
	ck_assert_int_eq(watched[0].revents, 0);
	ck_assert_int_eq(watched[1].revents, POLLIN);
	ck_assert(is_blocked());
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* The replacement may return 0 before, but not too late, and it never uses a processor. */
START_TEST(the_wait_ends_after_its_time)
{
	struct pollfd none = { .fd = -1 };
	int64_t begin = clock_milliseconds();
	int turns = 0;

	block();
	while (clock_milliseconds() - begin < 250) {
		struct timespec time = clock_timespec(begin + 250 - clock_milliseconds());

		ck_assert_int_eq(waits[_i](&none, 1, &time, &let_in), 0);
		turns++;
	}
	ck_assert_int_le(turns, 250 / POLL_LATE_SIGNAL + 3);
}
END_TEST

/* GIVEN a signal that came while it was blocked
   WHEN the wait begins, without a timeout
   THEN the signal is handled, and the wait ends. */
START_TEST(a_signal_before_the_wait_ends_it)
{
	struct pollfd none = { .fd = -1 };

	block();
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(atomic_load(&handled), 0);
	ck_assert_int_le(waits[_i](&none, 1, NULL, &let_in), 0);
	ck_assert_int_eq(atomic_load(&handled), 1);
	ck_assert(is_blocked());
}
END_TEST

START_TEST(a_signal_during_the_wait_ends_it)
{
	struct pollfd none = { .fd = -1 };
	int64_t begin = clock_milliseconds();
	pid_t self = getpid(), child;

	block();
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		poll(NULL, 0, 50);
		kill(self, SIGUSR1);
		_exit(0);
	}
	while (atomic_load(&handled) == 0) {
		int ready = waits[_i](&none, 1, NULL, &let_in);

		ck_assert(ready == 0 || (ready < 0 && errno == EINTR));
		ck_assert_int_lt(clock_milliseconds() - begin, WAIT_MS);
	}
}
END_TEST

Suite *suite_poll_with_mask(void)
{
	Suite *suite = suite_create("poll_with_mask");
	TCase *tcase = add_case(suite, "ppoll and its replacement");

	tcase_add_loop_test(tcase, a_ready_descriptor_ends_the_wait, 0, 2);
	tcase_add_loop_test(tcase, the_wait_ends_after_its_time, 0, 2);
	tcase_add_loop_test(tcase, a_signal_before_the_wait_ends_it, 0, 2);
	tcase_add_loop_test(tcase, a_signal_during_the_wait_ends_it, 0, 2);
	return suite;
}
