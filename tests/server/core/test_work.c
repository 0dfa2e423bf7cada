/*
 * --work: each answer costs at least so much CPU time, and nothing else does.
 *
 * CPU time is compared, never the time of a clock on the wall: a busy machine changes nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "common/io.h"
#include "common/message.h"
#include "server/core/work.h"
#include "server/service.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/memory_session.h"
#include "tests/fixture/models.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

#define GET      "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define RECEIVED "Message received\n"

/* Microseconds of CPU time of this thread. */
static int64_t used(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* ---- the work itself --------------------------------------------------------------------------- */

static const int64_t works[] = { 1, 10, 50, 1000, 20000, 100000 };

START_TEST(work_uses_at_least_its_cpu_time)
{
	int64_t before = used();

	work_do(works[_i]);
	ck_assert_int_ge(used() - before,
			 works[_i] - 1); /* both are cut to microseconds */
}
END_TEST

/* ---- services, without a network --------------------------------------------------------------- */

static void configure(const struct service *service, const char *work)
{
	struct failure why = { "" };

	message_set_level(MESSAGE_ERROR);
	ck_assert_msg(memory_configure(service, ARGUMENTS("--work", work), &why) == 0,
		      "%s", why.text);
}

static const char *const bad_works[] = { "1000.001", "-1", "x", "", "0.0001", "1e3" };

START_TEST(work_has_a_limit)
{
	const struct service *service = _i % 2 == 0 ? &reply_service : &http_service;
	struct failure why = { "" };

	ck_assert_int_eq(
		memory_configure(service, ARGUMENTS("--work", bad_works[_i / 2]), &why),
		-1);
	ck_assert_ptr_nonnull(strstr(why.text, "--work: '"));
	ck_assert_ptr_nonnull(
		strstr(why.text,
		       "' is not a time of 0 to 1000 milliseconds, such as 1 or 0.05"));
}
END_TEST

START_TEST(each_line_of_reply_costs_its_work)
{
	struct memory_session client;
	int64_t before;

	configure(&reply_service, "2");
	memory_open(&client, &reply_service);
	before = used();
	memory_send(&client, "one\ntwo\nthree\nfo", 16);
	ck_assert_int_ge(used() - before, 3 * 2000);
	memory_half_close(&client);
	memory_expect(&client, RECEIVED RECEIVED RECEIVED RECEIVED, 4 * strlen(RECEIVED));
	ck_assert_int_ge(used() - before, 4 * 2000);
	memory_close(&client);
}
END_TEST

START_TEST(each_datagram_of_reply_costs_its_work)
{
	struct memory_session peer;
	int64_t before;

	configure(&reply_service, "2");
	memory_open_peer(&peer, &reply_service);
	before = used();
	for (int i = 0; i < 2; i++) {
		ck_assert(memory_datagram(&peer, "hello", 5));
		memory_expect(&peer, RECEIVED, strlen(RECEIVED));
	}
	ck_assert_int_ge(used() - before, 2 * 2000);
	memory_close(&peer);
}
END_TEST

START_TEST(each_answer_of_http_costs_its_work)
{
	static const char requests[] = GET GET "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n"
					       "POST / HTTP/1.1\r\nHost: a\r\n"
					       "Content-Length: 3\r\n\r\nabc";
	struct memory_session client;
	int64_t before;

	configure(&http_service, "2");
	memory_open(&client, &http_service);
	before = used();
	memory_send(&client, requests, sizeof requests - 1);
	ck_assert_int_ge(used() - before, 4 * 2000);
	memory_close(&client);
}
END_TEST

/* What it would cost is far more than this can take on any machine. */
START_TEST(a_refused_or_incomplete_request_costs_no_work)
{
	static const char *const requests[] = { "GET /\r\n\r\n", "bad\r\n\r\n",
						"GET / HTTP/1.1\r\nHost: a\r\n" };
	int64_t before;

	configure(&http_service, "1000");
	before = used();
	for (int i = 0; i < 30; i++) {
		struct memory_session client;
		const char *request = requests[i % 3];

		memory_open(&client, &http_service);
		memory_send(&client, request, strlen(request));
		memory_half_close(&client);
		ck_assert(memory_finished(&client));
		ck_assert_ptr_nonnull(strstr(memory_heard(&client, NULL), "HTTP/1.1 "));
		memory_close(&client);
	}
	ck_assert_int_lt(used() - before, 10 * 1000 * 1000);
}
END_TEST

/* ---- servers, in every model ------------------------------------------------------------------- */

static int64_t cpu_microseconds(const struct server_end *end)
{
	const struct timeval *user = &end->usage.ru_utime, *system = &end->usage.ru_stime;

	return (user->tv_sec + system->tv_sec) * INT64_C(1000000) + user->tv_usec +
	       system->tv_usec;
}

START_TEST(a_server_uses_cpu_time_for_each_answer)
{
	enum { CLIENTS = 3, LINES = 10, WORK = 5000 };
	struct server server = model_start(_i, "reply", ARGUMENTS("--work", "5"));
	struct server_end end;

	for (int i = 0; i < CLIENTS; i++) {
		int fd = client_connect(&server);

		for (int j = 0; j < LINES; j++)
			client_say(fd, "hello\n");
		for (int j = 0; j < LINES; j++)
			client_hear(fd, RECEIVED);
		client_leave(fd);
	}
	end = server_finish(&server);
	/* usage is the sum of two figures that may each be cut by a tick */
	ck_assert_int_ge(cpu_microseconds(&end), CLIENTS * LINES * WORK * 9 / 10);
}
END_TEST

START_TEST(a_web_server_uses_cpu_time_for_each_answer)
{
	enum { REQUESTS = 20, WORK = 5000 };
	struct server server = model_start(_i, "http", ARGUMENTS("-q", "--work", "5"));
	int fd = client_connect(&server);
	struct server_end end;

	for (int i = 0; i < REQUESTS; i++) {
		char answer[4096];
		size_t length = 0;

		client_say(fd, GET);
		while (length < sizeof answer - 1) {
			ssize_t n =
				io_read(fd, answer + length, sizeof answer - 1 - length);

			ck_assert_int_gt(n, 0);
			length += (size_t)n;
			answer[length] = '\0';
			if (strstr(answer, "Hello, World!\n") != NULL)
				break;
		}
	}
	client_leave(fd);
	end = server_finish(&server);
	ck_assert_int_ge(cpu_microseconds(&end), REQUESTS * WORK * 9 / 10);
}
END_TEST

/* One client has sent more lines at once than the server can answer soon. */
START_TEST(other_clients_are_served_between_the_answers_of_one)
{
	enum { LINES = 100 };
	struct server server;
	static char lines[LINES];
	int many, one, answered;

	if (!model_serves_many(_i))
		return;
	server = model_start(_i, "reply", ARGUMENTS("--work", "10"));
	many = client_connect(&server);
	one = client_connect(&server);
	client_say(one, "first\n"); /* its connection is accepted */
	client_hear(one, RECEIVED);
	memset(lines, '\n', sizeof lines);
	client_send(many, lines, LINES);
	client_hear(many, RECEIVED);
	client_say(one, "second\n");
	client_hear(one, RECEIVED);
	ck_assert_int_eq(ioctl(many, FIONREAD, &answered), 0);
	ck_assert_int_lt(answered, (LINES - 1) * (int)strlen(RECEIVED));
	for (int i = 1; i < LINES; i++)
		client_hear(many, RECEIVED);
	client_leave(many);
	client_leave(one);
	server_finish(&server);
}
END_TEST

/* All the work would take longer than the test waits. What has arrived is still answered. */
START_TEST(a_stop_ends_the_work_and_not_the_answers)
{
	enum { LINES = 1000 };
	struct server server = model_start(_i, "reply", ARGUMENTS("--work", "200"));
	int fd = client_connect(&server);
	static char lines[LINES];

	memset(lines, '\n', sizeof lines);
	client_send(fd, lines, LINES);
	client_hear(fd, RECEIVED);
	server_signal(&server, SIGTERM);
	for (int i = 1; i < LINES; i++)
		client_hear(fd, RECEIVED);
	client_leave(fd);
	server_await(&server, WAIT_MS);
}
END_TEST

Suite *suite_work(void)
{
	Suite *suite = suite_create("work");
	TCase *tcase = add_case(suite, "the work itself");

	tcase_add_loop_test(tcase, work_uses_at_least_its_cpu_time, 0,
			    (int)(sizeof works / sizeof *works));

	tcase = add_case(suite, "services");
	tcase_add_loop_test(tcase, work_has_a_limit, 0,
			    2 * (int)(sizeof bad_works / sizeof *bad_works));
	tcase_add_test(tcase, each_line_of_reply_costs_its_work);
	tcase_add_test(tcase, each_datagram_of_reply_costs_its_work);
	tcase_add_test(tcase, each_answer_of_http_costs_its_work);
	tcase_add_test(tcase, a_refused_or_incomplete_request_costs_no_work);

	tcase = add_case(suite, "servers");
	tcase_add_loop_test(tcase, a_server_uses_cpu_time_for_each_answer, 0,
			    models_count());
	tcase_add_loop_test(tcase, a_web_server_uses_cpu_time_for_each_answer, 0,
			    models_count());
	tcase_add_loop_test(tcase, other_clients_are_served_between_the_answers_of_one, 0,
			    models_count());
	tcase_add_loop_test(tcase, a_stop_ends_the_work_and_not_the_answers, 0,
			    models_count());
	return suite;
}
