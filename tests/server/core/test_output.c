/*
 * Output that waits for a client: what is kept for it, and only then.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io.h"
#include "server/core/output.h"
#include "tests/fixture/client.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/shortage.h"
#include "tests/fixture/waiting.h"
#include "tests/suites.h"

enum { MORE_THAN_FITS = 900 * 1024, CONTENT = 1000 };

static char bytes[MORE_THAN_FITS];
static struct output_shared shared;
static struct output output;
static int client;

static void begin(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(io_set_nonblocking(ends[0], true), 0);
	fill_pattern(bytes, sizeof bytes, 3);
	shared = (struct output_shared){ .file_budget = SIZE_MAX };
	output_begin(&output, ends[0]);
	client = ends[1];
}

static void end(void)
{
	output_release(&output);
	ck_assert_ptr_null(output.queue.block);
	ck_assert_ptr_null(output.waiting);
	close(output.fd);
	close(client);
}

static int open_content(void)
{
	int fd = folder_create_nameless();

	ck_assert_int_eq(io_write(fd, bytes, CONTENT), CONTENT);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(a_client_that_reads_costs_no_memory)
{
	begin();
	ck_assert_int_eq(output_write(&output, &shared, "hello", 5), OUTPUT_SENT);
	ck_assert_int_eq(output_flush(&output, &shared), OUTPUT_SENT);
	client_expect(client, "hello", 5);
	ck_assert(!output_waits(&output));
	ck_assert_ptr_null(output.queue.block);
	ck_assert_ptr_null(output.waiting);
	end();
}
END_TEST

START_TEST(what_waits_has_memory_until_it_is_sent)
{
	static char got[MORE_THAN_FITS];
	size_t length = 0;

	begin();
	ck_assert_int_eq(output_write(&output, &shared, bytes, sizeof bytes),
			 OUTPUT_WOULD_BLOCK);
	ck_assert(output_is_blocked(&output));
	ck_assert_uint_eq(output_length(&output), sizeof bytes - output.sent);
	output_forget_waiting(&output); /* not yet */
	ck_assert(output_is_blocked(&output));
	while (length < sizeof got) {
		ssize_t n = recv(client, got + length, sizeof got - length, MSG_DONTWAIT);

		ck_assert_int_gt(n, 0);
		length += (size_t)n;
		output_resume(&output, &shared);
	}
	ck_assert_mem_eq(got, bytes, sizeof bytes);
	ck_assert(!output_is_blocked(&output));
	ck_assert_ptr_null(output.queue.block);
	output_forget_waiting(&output);
	ck_assert_ptr_null(output.waiting);
	end();
}
END_TEST

START_TEST(a_file_has_memory_until_it_is_sent)
{
	int fd;

	begin();
	fd = open_content();
	ck_assert_int_eq(output_take_file(&output, fd, 0, CONTENT), OUTPUT_MORE);
	ck_assert(output_is_blocked(&output));
	ck_assert_uint_eq(output_length(&output), CONTENT);
	ck_assert_int_eq(output_flush(&output, &shared), OUTPUT_SENT);
	client_expect(client, bytes, CONTENT);
	ck_assert(!is_open(fd));
	output_forget_waiting(&output);
	ck_assert_ptr_null(output.waiting);
	end();
}
END_TEST

/* What the kernel has taken before arrives. */
START_TEST(without_memory_the_rest_of_the_output_is_refused)
{
	enum output_result result;

	begin();
	if (shortage_begin()) {
		result = output_write(&output, &shared, bytes, sizeof bytes);
		shortage_end();
		ck_assert_int_eq(result, OUTPUT_NO_MEMORY);
		ck_assert_uint_gt(output.sent, 0);
		client_expect(client, bytes, (size_t)output.sent);
		ck_assert(!output_waits(&output));
	}
	end();
}
END_TEST

START_TEST(without_memory_a_file_is_refused_and_closed)
{
	enum output_result result;
	int fd;

	begin();
	fd = open_content();
	if (shortage_begin()) {
		result = output_take_file(&output, fd, 0, CONTENT);
		shortage_end();
		ck_assert_int_eq(result, OUTPUT_NO_MEMORY);
		ck_assert(!is_open(fd));
		ck_assert(!output_waits(&output));
	} else {
		close(fd);
	}
	end();
}
END_TEST

/* The hub appends to the queue, and the socket takes a part of it. Nothing is lost: it can be
 * tried again. */
START_TEST(without_memory_a_queue_that_the_hub_has_filled_stays)
{
	enum output_result result;

	begin();
	ck_assert(buffer_append(&output.queue, bytes, sizeof bytes, SIZE_MAX));
	if (shortage_begin()) {
		result = output_send_queue(&output);
		shortage_end();
		ck_assert_int_eq(result, OUTPUT_NO_MEMORY);
		ck_assert_uint_eq(output_length(&output), sizeof bytes - output.sent);
		client_expect(client, bytes, (size_t)output.sent);
		ck_assert_int_ne(output_send_queue(&output), OUTPUT_NO_MEMORY);
	}
	end();
}
END_TEST

Suite *suite_output(void)
{
	Suite *suite = suite_create("output");
	TCase *tcase = tcase_create("output");

	tcase_set_timeout(tcase, TEST_SECONDS);
	tcase_add_test(tcase, a_client_that_reads_costs_no_memory);
	tcase_add_test(tcase, what_waits_has_memory_until_it_is_sent);
	tcase_add_test(tcase, a_file_has_memory_until_it_is_sent);
	tcase_add_test(tcase, without_memory_the_rest_of_the_output_is_refused);
	tcase_add_test(tcase, without_memory_a_file_is_refused_and_closed);
	tcase_add_test(tcase, without_memory_a_queue_that_the_hub_has_filled_stays);
	suite_add_tcase(suite, tcase);
	return suite;
}
