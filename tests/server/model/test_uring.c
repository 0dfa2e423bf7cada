/*
 * The model uring, beyond what holds in every model: a kernel without io_uring, and buffers that
 * run out.
 */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/uring.h"
#include "tests/fixture/client.h"
#include "tests/fixture/forbid.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

enum { CLIENTS = 100, BYTES = 3000 };

static bool is_here(void)
{
	const struct uring_sizes sizes = { 8, 16, 2, 64 };
	struct uring *uring = uring_open(&sizes, NULL);

	uring_close(uring);
	if (uring == NULL)
		skipped("needs io_uring");
	return uring != NULL;
}

static void refuse(void *context)
{
	const int *error = context;

	if (!forbid_uring(*error))
		_exit(77);
}

/* GIVEN a kernel that refuses io_uring, WHEN the server starts, THEN one line says so and it exits
 * with status 1. */
START_TEST(where_the_kernel_refuses_the_server_says_so)
{
	static int errors[] = { EPERM, ENOSYS };
	struct run run;

	if (!uring_is_built_in())
		return;
	run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("echod-uring", "-p", "0"),
		.prepare = refuse,
		.context = &errors[_i],
	});
	if (run_exit_status(&run) == 77) {
		skipped("needs seccomp(2)");
		return;
	}
	run_expect_status(&run, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "echod-uring: io_uring: io_uring_setup: "));
	ck_assert_ptr_nonnull(strstr(run.err, strerror(errors[_i])));
	ck_assert_ptr_eq(strchr(run.err, '\n'), run.err + strlen(run.err) - 1);
}
END_TEST

/* On UDP it needs no ring. */
START_TEST(datagrams_need_no_ring)
{
	static int error = EPERM;
	struct run run = run_program_with(&(struct run_setup){
		.argv = ARGUMENTS("echod-uring", "-u", "-p", "0", "-x", "0.01"),
		.prepare = refuse,
		.context = &error,
	});

	if (run_exit_status(&run) == 77)
		skipped("needs seccomp(2)");
	else
		run_expect_status(&run, 0);
}
END_TEST

START_TEST(without_it_in_the_build_the_server_says_so)
{
	struct run run;

	if (uring_is_built_in())
		return;
	run = run_program(ARGUMENTS("echod-uring", "-p", "0"), "", 0, WAIT_MS);
	run_expect_status(&run, 1);
	ck_assert_str_eq(run.err,
			 "echod-uring: io_uring is not available in this build\n");
}
END_TEST

START_TEST(buffers_are_a_power_of_two)
{
	struct run run =
		run_program(ARGUMENTS("echod-uring", "--buffers", "3"), "", 0, WAIT_MS);

	run_expect_status(&run, 2);
	ck_assert_ptr_nonnull(strstr(run.err, "--buffers"));
	ck_assert_ptr_nonnull(strstr(run.err, "is not a power of 2"));
}
END_TEST

/* GIVEN one buffer for all, WHEN a hundred clients speak at once, again and again, THEN each gets
 * all its bytes back. */
START_TEST(with_one_buffer_all_clients_are_served)
{
	struct server server;
	int clients[CLIENTS];
	char bytes[BYTES];

	if (!is_here())
		return;
	server = server_start("echod-uring", ARGUMENTS("--buffers", "1"));
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = client_connect_to(server.host, server.port);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < CLIENTS; i++) {
			memset(bytes, 'a' + (i + round) % 26, BYTES);
			client_send(clients[i], bytes, BYTES);
		}
		for (int i = 0; i < CLIENTS; i++) {
			memset(bytes, 'a' + (i + round) % 26, BYTES);
			client_expect(clients[i], bytes, BYTES);
		}
	}
	for (int i = 0; i < CLIENTS; i++)
		client_close(clients[i]);
	server_stop(&server);
}
END_TEST

Suite *suite_uring_model(void)
{
	Suite *suite = suite_create("uring_model");
	TCase *tcase = add_case(suite, "uring");

	tcase_add_loop_test(tcase, where_the_kernel_refuses_the_server_says_so, 0, 2);
	tcase_add_test(tcase, datagrams_need_no_ring);
	tcase_add_test(tcase, without_it_in_the_build_the_server_says_so);
	tcase_add_test(tcase, buffers_are_a_power_of_two);
	tcase_add_test(tcase, with_one_buffer_all_clients_are_served);
	return suite;
}
