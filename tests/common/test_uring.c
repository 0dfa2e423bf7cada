/*
 * The rings of io_uring: what is requested completes, whatever runs out.
 */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/sock.h"
#include "common/uring.h"
#include "tests/fixture/client.h"
#include "tests/fixture/forbid.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

enum { CLIENTS = 20, BYTES = 64, ROUNDS = 500 };

/* Ours and the other end of a connection; aligned, as an owner must be. */
struct pair {
	_Alignas(8) int ours;
	int other;
	char received[BYTES];
	size_t length;
	bool ended;
};

static struct pair pairs[CLIENTS];
static struct uring *uring;
static sigset_t mask;

/* @return whether there is io_uring here */
static bool open_with(unsigned requests, unsigned completions, unsigned buffers)
{
	struct failure failure;

	uring = uring_open(&(struct uring_sizes){ requests, completions, buffers, BYTES },
			   &failure);
	if (uring == NULL)
		skipped("needs io_uring");
	for (int i = 0; i < CLIENTS; i++) {
		int ends[2];

		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		pairs[i] = (struct pair){ .ours = ends[0], .other = ends[1] };
	}
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	return uring != NULL;
}

static void wait_for_completions(void)
{
	ck_assert_int_gt(uring_wait(uring, &mask, WAIT_MS), 0);
}

/* Receives until each other end has been heard to its end. @return how often all buffers were in
 * use */
static unsigned receive_all(void)
{
	struct uring_completion done;
	unsigned left = CLIENTS, without = 0;

	for (int i = 0; i < CLIENTS; i++)
		ck_assert(uring_receive(uring, pairs[i].ours, &pairs[i]));
	while (left > 0) {
		wait_for_completions();
		while (uring_next(uring, &done)) {
			struct pair *pair = done.owner;

			ck_assert_int_eq(done.operation, URING_RECEIVE);
			if (done.result > 0) {
				memcpy(pair->received + pair->length, done.bytes,
				       (size_t)done.result);
				pair->length += (size_t)done.result;
			} else if (done.result == 0) {
				pair->ended = true;
				left--;
			} else {
				ck_assert_int_eq(done.result, -ENOBUFS);
				without++;
			}
			uring_give_back(uring, &done);
			if (!pair->ended)
				ck_assert(uring_receive(uring, pair->ours, pair));
		}
	}
	return without;
}

static void speak(void)
{
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(write(pairs[i].other, "hello", 5), 5);
		ck_assert_int_eq(shutdown(pairs[i].other, SHUT_WR), 0);
	}
}

static void expect_all(void)
{
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_uint_eq(pairs[i].length, 5);
		ck_assert_int_eq(memcmp(pairs[i].received, "hello", 5), 0);
	}
}

/* GIVEN a buffer for each, WHEN all speak, THEN all are heard. */
START_TEST(bytes_arrive_without_a_buffer_for_each_request)
{
	if (!open_with(64, 128, 32))
		return;
	speak();
	receive_all();
	expect_all();
	uring_close(uring);
}
END_TEST

/* GIVEN two buffers, WHEN twenty speak at once, THEN some find none, and all are heard. */
START_TEST(with_too_few_buffers_nothing_is_lost)
{
	if (!open_with(64, 128, 2))
		return;
	speak();
	ck_assert_uint_gt(receive_all(), 0);
	expect_all();
	uring_close(uring);
}
END_TEST

/* GIVEN rings of two entries, WHEN twenty speak at once, THEN all are heard. */
START_TEST(with_rings_that_overflow_nothing_is_lost)
{
	if (!open_with(2, 2, 32))
		return;
	speak();
	receive_all();
	expect_all();
	uring_close(uring);
}
END_TEST

/* GIVEN a receive of a silent client, WHEN it is cancelled, THEN that is its last completion. */
START_TEST(what_is_cancelled_completes)
{
	struct uring_completion done;

	if (!open_with(8, 16, 2))
		return;
	ck_assert(uring_receive(uring, pairs[0].ours, &pairs[0]));
	ck_assert_int_eq(uring_wait(uring, &mask, 0), 0);
	ck_assert(uring_cancel(uring, URING_RECEIVE, &pairs[0]));
	wait_for_completions();
	ck_assert(uring_next(uring, &done));
	ck_assert_ptr_eq(done.owner, &pairs[0]);
	ck_assert_int_eq(done.result, -ECANCELED);
	ck_assert(!uring_next(uring, &done));
	uring_close(uring);
}
END_TEST

START_TEST(a_poll_reports_the_events)
{
	struct uring_completion done;

	if (!open_with(8, 16, 2))
		return;
	ck_assert(uring_poll(uring, pairs[0].ours, POLLOUT, &pairs[0]));
	wait_for_completions();
	ck_assert(uring_next(uring, &done));
	ck_assert_int_eq(done.operation, URING_POLL);
	ck_assert_int_eq(done.result & POLLOUT, POLLOUT);
	uring_close(uring);
}
END_TEST

static volatile sig_atomic_t handled;

static void note_signal(int number)
{
	(void)number;
	handled++;
}

/* Blocks SIGUSR1 but in the wait. */
static void let_signal_in_while_waiting(void)
{
	struct sigaction action = { .sa_handler = note_signal };
	sigset_t blocked;

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	sigdelset(&mask, SIGUSR1);
}

/* GIVEN a blocked signal that is pending, WHEN the wait lets it in, THEN the wait ends and the
 * handler has run, each time. */
START_TEST(a_signal_ends_the_wait_if_the_mask_lets_it_in)
{
	struct uring_completion done;

	if (!open_with(8, 16, 2))
		return;
	let_signal_in_while_waiting();
	for (int i = 1; i <= 3; i++) {
		raise(SIGUSR1);
		ck_assert_int_eq(handled, i - 1);
		ck_assert_int_eq(uring_wait(uring, &mask, CLOCK_NEVER), -1);
		ck_assert_int_eq(errno, EINTR);
		ck_assert(!uring_next(uring, &done));
		ck_assert_int_eq(handled, i);
	}
	uring_close(uring);
}
END_TEST

/* A TCP connection: ours leaves urgent data in the stream. */
static void connect_pair(int *ours, int *other)
{
	struct sockaddr_in place = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof place;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&place, length), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&place, &length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	*other = client_connect_to("127.0.0.1", ntohs(place.sin_port));
	*ours = accept(listener, NULL, NULL);
	ck_assert_int_ge(*ours, 0);
	ck_assert_int_eq(sock_set_urgent_inline(*ours), 0);
	close(listener);
}

/* In a child: sends a signal and an urgent byte, waits for the answer, again and again. */
static pid_t start_urgent_client(int other)
{
	pid_t child = fork();
	char answer;

	if (child != 0)
		return child;
	for (int i = 0; i < ROUNDS; i++)
		if (kill(getppid(), SIGUSR1) < 0 || send(other, "c", 1, MSG_OOB) != 1 ||
		    recv(other, &answer, 1, 0) != 1)
			_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

static struct uring_completion next_completion(void)
{
	struct uring_completion done;
	int64_t until = clock_milliseconds() + WAIT_MS;

	while (!uring_next(uring, &done)) {
		ck_assert_msg(clock_milliseconds() < until, "nothing completes");
		(void)uring_wait(uring, &mask, WAIT_MS); /* or a signal */
	}
	return done;
}

/* GIVEN a receive that the kernel performs while a signal arrives, WHEN it begins at a byte of
 * urgent data, THEN that byte is received at once. (Linux 6.18 leaves it until the next arrival in a
 * multishot receive.) */
START_TEST(a_signal_does_not_delay_urgent_data)
{
	struct uring_completion done;
	int ours, other;
	pid_t child;

	if (!open_with(8, 16, 2))
		return;
	let_signal_in_while_waiting();
	connect_pair(&ours, &other);
	ck_assert(uring_receive(uring, ours, &pairs[0]));
	child = start_urgent_client(other);
	for (int i = 0; i < ROUNDS; i++) {
		done = next_completion();
		ck_assert_int_eq(done.result, 1);
		ck_assert_int_eq(done.bytes[0], 'c');
		uring_give_back(uring, &done);
		ck_assert(uring_receive(uring, ours, &pairs[0]));
		ck_assert_int_eq(send(ours, "!", 1, 0), 1);
	}
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	close(ours);
	close(other);
	uring_close(uring);
}
END_TEST

static const struct {
	int error;
	const char *text;
} refusals[] = {
	{ EPERM,
	  "io_uring: io_uring_setup: Operation not permitted (a sandbox, or sysctl "
	  "kernel.io_uring_disabled)" },
	{ ENOSYS,
	  "io_uring: io_uring_setup: Function not implemented (an old kernel, or a "
	  "sandbox)" },
	{ EINVAL, "io_uring: this kernel lacks IORING_SETUP_DEFER_TASKRUN (Linux 6.1)" },
};

/* GIVEN a kernel that refuses, THEN the failure says what and why. */
START_TEST(a_refusal_is_named)
{
	const struct uring_sizes sizes = { 8, 16, 2, BYTES };
	struct failure failure;

	if (!uring_is_built_in() || !forbid_uring(refusals[_i].error)) {
		skipped("needs seccomp(2)");
		return;
	}
	ck_assert_ptr_null(uring_open(&sizes, &failure));
	ck_assert_str_eq(failure.text, refusals[_i].text);
}
END_TEST

Suite *suite_uring(void)
{
	Suite *suite = suite_create("uring");
	TCase *tcase = add_case(suite, "rings");

	tcase_add_test(tcase, bytes_arrive_without_a_buffer_for_each_request);
	tcase_add_test(tcase, with_too_few_buffers_nothing_is_lost);
	tcase_add_test(tcase, with_rings_that_overflow_nothing_is_lost);
	tcase_add_test(tcase, what_is_cancelled_completes);
	tcase_add_test(tcase, a_poll_reports_the_events);
	tcase_add_test(tcase, a_signal_ends_the_wait_if_the_mask_lets_it_in);
	tcase_add_test(tcase, a_signal_does_not_delay_urgent_data);
	tcase = add_case(suite, "refusals");
	tcase_add_loop_test(tcase, a_refusal_is_named, 0,
			    sizeof refusals / sizeof *refusals);
	return suite;
}
