/*
 * Files that a service sends through its connection: behind what was written, whole, one
 * after the other; and what becomes of them when the client or the file does not last.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/client.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/connection_fixture.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum {
	KIB = 1024,
	MEGABYTE = 1024 * 1024,
	SMALL = 1000,
	LARGE = 24 * MEGABYTE, /* more than the buffers between the two ever hold */
	TITLE = 8,
	LONG_TITLE = 300 * KIB,
	MANY = 20000,
	MOST_DESCRIPTORS = 256,
};

/* ---- a service that lends files ---------------------------------------------------------- */

static char path[FOLDER_TEXT];
static char *content, long_title[LONG_TITLE];
static size_t length;   /* of the file, as the service believes */
static int access_mode; /* how the service opens it */

/* A byte is a request for the file, under its title; 'l' for a long title, 'p' for one page
 * from the middle, 'e' for an empty part, 'q' ends the conversation behind a file, and any
 * other byte is only titled. One is answered at a time, whatever came. */
static size_t lend(struct session *session, const char *bytes, size_t n)
{
	uint64_t offset = 0, part = length;

	ck_assert_uint_gt(n, 0);
	ck_assert(!session_full(session));
	if (*bytes == 'l')
		session_write(session, long_title, sizeof long_title);
	session_write(session, "title: ", TITLE - 1);
	session_write(session, bytes, 1);
	if (strchr("flpeq", *bytes) == NULL)
		return n > 1 ? 1 + lend(session, bytes + 1, n - 1) : 1;
	if (*bytes == 'p') {
		offset = 4096;
		part = 4096;
	} else if (*bytes == 'e') {
		part = 0;
	}
	session_send_file(session, open(path, access_mode | O_CLOEXEC), offset, part);
	ck_assert(session_full(session) || part == 0);
	if (*bytes == 'q')
		session_finish(session);
	return part == 0 && n > 1 ? 1 + lend(session, bytes + 1, n - 1) : 1;
}

static const struct service lender = { .input = lend, .close = fixture_count_close };

/* Makes the file; the pattern is the same for each length. */
static void make_file(size_t size)
{
	int fd = folder_create_file(path, "file");

	content = much_memory(size);
	fill_pattern(content, size, 11);
	fill_pattern(long_title, sizeof long_title, 12);
	length = size;
	access_mode = O_RDONLY;
	ck_assert_int_eq(io_write(fd, content, size), (ssize_t)size);
	close(fd);
}

static void remove_file(void)
{
	unlink(path);
}

static void expect_title(int fd, char request)
{
	char title[TITLE] = "title: ";

	title[TITLE - 1] = request;
	client_expect(fd, title, TITLE);
}

static void expect_file(int fd, char request)
{
	expect_title(fd, request);
	client_expect(fd, content, length);
}

static unsigned descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < MOST_DESCRIPTORS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* How many there were before the fixture was made. */
static unsigned descriptors_before;

static void fixture_lend(struct connection_fixture *fixture, struct form form,
			 int64_t idle_timeout)
{
	descriptors_before = descriptors();
	fixture_make(fixture, form, &lender, idle_timeout);
}

/* All is closed: the file above all. */
static void expect_nothing_open(void)
{
	ck_assert_uint_eq(descriptors(), descriptors_before);
}

/* Makes a file of that size, of which a client may have what it likes. */
static void serve_file(struct connection_fixture *fixture, struct form form, size_t size)
{
	make_file(size);
	fixture_lend(fixture, form, 0);
	fixture_serve(fixture);
}

static void end(struct connection_fixture *fixture)
{
	fixture_end(fixture);
	expect_nothing_open();
	remove_file();
}

/* ---- files that arrive ------------------------------------------------------------------- */

START_TEST(a_file_comes_behind_what_was_written)
{
	struct connection_fixture fixture;

	serve_file(&fixture, fixture_forms[_i], SMALL);
	for (int i = 0; i < 3; i++) {
		client_send(fixture.client, "f", 1);
		expect_file(fixture.client, 'f');
	}
	fixture_end(&fixture);
	ck_assert_uint_eq(fixture_bytes_out(&fixture), 3 * (TITLE + SMALL));
	expect_nothing_open();
	remove_file();
}
END_TEST

START_TEST(a_part_of_a_file_is_sent_and_an_empty_one_is_nothing)
{
	struct connection_fixture fixture;

	serve_file(&fixture, fixture_forms[_i], 3 * 4096);
	client_send(fixture.client, "pep", 3);
	expect_title(fixture.client, 'p');
	client_expect(fixture.client, content + 4096, 4096);
	expect_title(fixture.client, 'e');
	expect_title(fixture.client, 'p');
	client_expect(fixture.client, content + 4096, 4096);
	end(&fixture);
}
END_TEST

START_TEST(a_file_larger_than_all_buffers_comes_whole)
{
	struct connection_fixture fixture;

	serve_file(&fixture, fixture_forms[_i], LARGE);
	client_send(fixture.client, "fx", 2);
	expect_file(fixture.client, 'f');
	expect_title(fixture.client, 'x');
	end(&fixture);
}
END_TEST

START_TEST(the_end_comes_behind_the_file)
{
	struct connection_fixture fixture;

	serve_file(&fixture, fixture_forms[_i], LARGE);
	client_send(fixture.client, "qqq", 3);
	expect_file(fixture.client, 'q');
	client_expect_end(fixture.client);
	end(&fixture);
}
END_TEST

/* What was written does not fit, and is queued; the file comes behind it all the same. */
START_TEST(a_file_waits_for_what_is_queued_before_it)
{
	struct connection_fixture fixture;

	make_file(SMALL);
	fixture_lend(&fixture, (struct form){ true, fixture_forms[_i].kind }, 0);
	ck_assert_int_eq(setsockopt(fixture.connection->fd, SOL_SOCKET, SO_SNDBUF,
				    &(int){ 32 * KIB }, sizeof(int)),
			 0);
	ck_assert_int_eq(setsockopt(fixture.client, SOL_SOCKET, SO_RCVBUF,
				    &(int){ 32 * KIB }, sizeof(int)),
			 0);
	connection_begin(fixture.connection, &fixture.worker);
	client_send(fixture.client, "lf", 2);
	ck_assert_int_gt(io_wait(fixture.connection->fd, POLLIN, WAIT_MS), 0);
	fixture_do_what_is_possible(&fixture);
	ck_assert_uint_gt(buffer_length(&fixture.connection->output.queue), 0);
	fixture_serve(
		&fixture); /* which greets it once more; this service does not care */
	client_expect(fixture.client, long_title, LONG_TITLE);
	expect_file(fixture.client, 'l');
	expect_file(fixture.client, 'f');
	end(&fixture);
}
END_TEST

/* Those that came in one piece are all answered, though no more comes that could remind
 * the server of them. */
START_TEST(many_requests_in_one_piece_are_all_answered)
{
	static char requests[MANY];
	struct connection_fixture fixture;

	make_file(SMALL);
	fixture_lend(&fixture, fixture_forms[_i], 0);
	for (size_t i = 0; i < sizeof requests; i++)
		requests[i] = i % 7 == 6 ? 'x' : 'f';
	client_send(fixture.client, requests, sizeof requests);
	client_half_close(fixture.client);
	fixture_serve(&fixture);
	for (size_t i = 0; i < sizeof requests; i++) {
		if (requests[i] == 'f')
			expect_file(fixture.client, 'f');
		else
			expect_title(fixture.client, 'x');
	}
	client_expect_end(fixture.client);
	end(&fixture);
}
END_TEST

/* The other clients of a loop have their turn, whether one asks for much or for many. */
START_TEST(a_turn_of_a_loop_is_bounded)
{
	static char requests[MANY];
	struct connection_fixture fixture;

	make_file(_i == 0 ? LARGE : SMALL);
	fixture_lend(&fixture, (struct form){ true, LOCAL }, 0);
	ck_assert_int_eq(setsockopt(fixture.connection->fd, SOL_SOCKET, SO_SNDBUF,
				    &(int){ 8 * MEGABYTE }, sizeof(int)),
			 0);
	memset(requests, 'f', sizeof requests);
	connection_begin(fixture.connection, &fixture.worker);
	client_send(fixture.client, requests, sizeof requests);
	connection_on_readable(fixture.connection, &fixture.worker);
	ck_assert_uint_gt(fixture_bytes_out(&fixture), 0);
	ck_assert_uint_le(fixture_bytes_out(&fixture), CONNECTION_TURN + TITLE);
	if (_i == 1) /* each counts for more than it is */
		ck_assert_uint_le(fixture_bytes_out(&fixture), 100 * (TITLE + SMALL));
	ck_assert_uint_eq(connection_wants(fixture.connection), WANT_WRITE);
	client_close(fixture.client);
	connection_close(fixture.connection);
	expect_nothing_open();
	remove_file();
}
END_TEST

/* With TCP_NODELAY the title would be a segment of its own. */
START_TEST(a_small_file_comes_in_one_piece_with_what_is_before_it)
{
	struct connection_fixture fixture;
	char got[TITLE + SMALL + 1];
	bool one_piece = programs_use("MSG_MORE");
	ssize_t n;

	serve_file(&fixture, fixture_forms[_i], SMALL);
	for (int i = 0; i < 200; i++) {
		client_send(fixture.client, "f", 1);
		if (one_piece)
			n = io_read(fixture.client, got, sizeof got);
		else
			n = io_read_all(fixture.client, got, TITLE + SMALL);
		ck_assert_int_eq(n, TITLE + SMALL);
		ck_assert_mem_eq(got + TITLE, content, SMALL);
	}
	fixture_end(&fixture);
	remove_file();
}
END_TEST

/* ---- files that do not ------------------------------------------------------------------- */

static bool has_sent_much(void *context)
{
	return fixture_bytes_out(context) > 10 * KIB;
}

/* The client is in the middle of a large file. */
static void begin_large(struct connection_fixture *fixture, struct form form,
			int64_t idle_timeout)
{
	make_file(LARGE);
	fixture_lend(fixture, form, idle_timeout);
	client_send(fixture->client, "f", 1); /* so it is not idle, however late we are */
	fixture_serve(fixture);
	ck_assert(eventually(has_sent_much, fixture, WAIT_MS));
}

/* Reads what there is until the end or a reset. @return how much */
static size_t read_to_the_end(int fd)
{
	static char piece[64 * KIB];
	size_t got = 0;
	ssize_t n;

	while ((n = io_read(fd, piece, sizeof piece)) > 0)
		got += (size_t)n;
	ck_assert(n == 0 || errno == ECONNRESET);
	return got;
}

START_TEST(a_client_that_does_not_read_its_file_is_dropped)
{
	struct connection_fixture fixture;

	begin_large(&fixture, fixture_forms[_i], 80);
	fixture_join(&fixture);
	ck_assert_uint_lt(fixture_bytes_out(&fixture), LARGE);
	client_close(fixture.client);
	expect_nothing_open();
	remove_file();
}
END_TEST

START_TEST(a_client_that_reads_slowly_is_not)
{
	enum { PIECE = 3 * MEGABYTE };
	struct connection_fixture fixture;

	begin_large(&fixture, fixture_forms[_i], 1000 * SLOW_MACHINE);
	expect_title(fixture.client, 'f');
	for (size_t got = 0; got < LARGE; got += PIECE) {
		poll(NULL, 0, 200 * SLOW_MACHINE);
		client_expect(fixture.client, content + got, PIECE);
	}
	end(&fixture);
}
END_TEST

START_TEST(a_reset_in_the_middle_of_a_file_ends_the_connection)
{
	struct connection_fixture fixture;

	begin_large(&fixture, fixture_forms[_i], 0);
	expect_title(fixture.client, 'f');
	client_reset(fixture.client);
	fixture_join(&fixture);
	expect_nothing_open();
	remove_file();
}
END_TEST

START_TEST(a_file_that_shrinks_ends_the_connection_early)
{
	struct connection_fixture fixture;
	size_t got;

	begin_large(&fixture, fixture_forms[_i], 0);
	ck_assert_int_eq(truncate(path, SMALL), 0);
	got = read_to_the_end(fixture.client);
	ck_assert_uint_ge(got, SMALL);
	ck_assert_uint_lt(got, LARGE);
	end(&fixture);
}
END_TEST

START_TEST(a_file_shorter_than_announced_ends_the_connection_at_its_end)
{
	struct connection_fixture fixture;

	make_file(SMALL);
	length = 2 * SMALL;
	fixture_lend(&fixture, fixture_forms[_i], 0);
	fixture_serve(&fixture);
	client_send(fixture.client, "f", 1);
	ck_assert_uint_eq(read_to_the_end(fixture.client), TITLE + SMALL);
	end(&fixture);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_ends_the_connection)
{
	struct connection_fixture fixture;

	make_file(SMALL);
	fixture_lend(&fixture, fixture_forms[_i], 0);
	access_mode = O_WRONLY;
	fixture_serve(&fixture);
	client_send(fixture.client, "f", 1);
	ck_assert_uint_le(read_to_the_end(fixture.client), TITLE);
	end(&fixture);
}
END_TEST

/* ---- the stop ---------------------------------------------------------------------------- */

START_TEST(a_stopping_connection_sends_the_files_that_were_asked_for)
{
	struct connection_fixture fixture;

	begin_large(&fixture, fixture_forms[_i], 0);
	client_send(fixture.client, "fx", 2);
	fixture_stop(&fixture);
	expect_file(fixture.client, 'f');
	expect_file(fixture.client, 'f');
	expect_title(fixture.client, 'x');
	client_expect_end(fixture.client);
	end(&fixture);
}
END_TEST

START_TEST(a_stopping_connection_does_not_wait_for_ever_for_who_does_not_read)
{
	struct connection_fixture fixture;

	begin_large(&fixture, fixture_forms[_i], 0);
	fixture_stop(&fixture);
	fixture_join(&fixture);
	client_close(fixture.client);
	expect_nothing_open();
	remove_file();
}
END_TEST

/* ---- what a service must not do ---------------------------------------------------------- */

static size_t write_behind_a_file(struct session *session, const char *bytes, size_t n)
{
	session_send_file(session, open(path, O_RDONLY | O_CLOEXEC), 0, SMALL);
	if (*bytes == '2')
		session_send_file(session, open(path, O_RDONLY | O_CLOEXEC), 0, SMALL);
	else
		session_write(session, "behind", 6);
	return n;
}

/* The order could not be kept; so nothing of it is sent. */
START_TEST(output_behind_a_file_that_waits_drops_the_client)
{
	const struct service careless = {
		.input = write_behind_a_file,
		.close = fixture_count_close,
	};
	struct connection_fixture fixture;

	for (int i = 1; i <= 2; i++) {
		make_file(SMALL);
		descriptors_before = descriptors();
		fixture_make(&fixture, fixture_forms[_i], &careless, 0);
		fixture_serve(&fixture);
		client_send(fixture.client, i == 1 ? "1" : "2", 1);
		ck_assert_uint_eq(read_to_the_end(fixture.client), 0);
		fixture_end(&fixture);
		expect_nothing_open();
		remove_file();
	}
}
END_TEST

static void add(TCase *tcase, const TTest *test)
{
	tcase_add_loop_test(tcase, test, 0, FIXTURE_FORMS);
}

Suite *suite_connection_files(void)
{
	Suite *suite = suite_create("connection_files");
	TCase *tcase = add_case(suite, "files that arrive");

	add(tcase, a_file_comes_behind_what_was_written);
	add(tcase, a_part_of_a_file_is_sent_and_an_empty_one_is_nothing);
	add(tcase, a_file_larger_than_all_buffers_comes_whole);
	add(tcase, the_end_comes_behind_the_file);
	tcase_add_loop_test(tcase, a_file_waits_for_what_is_queued_before_it, 1, 3);
	add(tcase, many_requests_in_one_piece_are_all_answered);
	tcase_add_loop_test(tcase, a_turn_of_a_loop_is_bounded, 0, 2);
	tcase_add_loop_test(tcase, a_small_file_comes_in_one_piece_with_what_is_before_it,
			    0, FIXTURE_TCP_FORMS);
	tcase = add_case(suite, "files that do not");
	add(tcase, a_client_that_does_not_read_its_file_is_dropped);
	add(tcase, a_client_that_reads_slowly_is_not);
	tcase_add_loop_test(tcase, a_reset_in_the_middle_of_a_file_ends_the_connection, 0,
			    FIXTURE_TCP_FORMS);
	add(tcase, a_file_that_shrinks_ends_the_connection_early);
	add(tcase, a_file_shorter_than_announced_ends_the_connection_at_its_end);
	add(tcase, a_file_that_cannot_be_read_ends_the_connection);
	tcase = add_case(suite, "the stop");
	add(tcase, a_stopping_connection_sends_the_files_that_were_asked_for);
	/* five seconds each: the kind of the socket makes no difference */
	tcase_add_loop_test(
		tcase, a_stopping_connection_does_not_wait_for_ever_for_who_does_not_read,
		0, FIXTURE_TCP_FORMS);
	tcase = add_case(suite, "what a service must not do");
	add(tcase, output_behind_a_file_that_waits_drops_the_client);
	return suite;
}
