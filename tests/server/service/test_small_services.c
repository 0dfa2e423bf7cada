/*
 * discard, chargen, daytime, greet and reply over TCP, in every model: what differs from
 * echo, whose tests are in test_servers.c and test_faults.c, and what might go wrong there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/address.h"
#include "common/io.h"
#include "common/sock.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum {
	MEGABYTE = 1024 * 1024,
	LOT = 50 * MEGABYTE,
	PERIOD = 95 * 74, /* of chargen's pattern */
	TEXT = 512,
};

static char *block;

/* ---- chargen --------------------------------------------------------------------------- */

/* The next @p length bytes of the pattern. @return the offset behind them */
static size_t expect_pattern(int fd, size_t length, size_t offset)
{
	static char pattern[2 * PERIOD];

	for (size_t i = 0; i < sizeof pattern; i++) {
		size_t column = i % 74;

		pattern[i] = column == 72   ? '\r'
			     : column == 73 ? '\n'
					    : (char)(32 + (i / 74 + column) % 95);
	}
	while (length > 0) {
		size_t piece = length < PERIOD ? length : PERIOD;

		client_expect(fd, pattern + offset % PERIOD, piece);
		offset += piece;
		length -= piece;
	}
	return offset;
}

static bool nobody_is_left(void *context)
{
	struct process_tree tree = process_tree(((struct server *)context)->pid);

	return tree.descendants == model_idle_children(context);
}

START_TEST(characters_come_without_end_whatever_the_client_does)
{
	struct server server = model_start(_i, "chargen", NULL);
	int fd = client_connect(&server);
	size_t offset = expect_pattern(fd, 3 * MEGABYTE, 0);

	client_send(fd, "what it says is thrown away\n", 28);
	offset = expect_pattern(fd, MEGABYTE, offset);
	offset = expect_pattern(fd, 1, offset);
	client_half_close(fd);
	expect_pattern(fd, 20 * MEGABYTE, offset);
	client_close(fd);
	server_finish(&server);
}
END_TEST

START_TEST(clients_that_leave_in_the_middle_harm_nobody)
{
	struct server server = model_start(_i, "chargen", NULL);
	int other = -1, fd;

	if (model_serves_many(_i))
		expect_pattern(other = client_connect(&server), 1000, 0);
	for (int i = 0; i < 20; i++) {
		fd = client_connect(&server);
		if (i % 4 > 0)
			expect_pattern(fd, (size_t)i * 10000, 0);
		if (i % 2 == 0)
			client_close(fd);
		else
			client_reset(fd);
	}
	if (other >= 0) {
		expect_pattern(other, MEGABYTE, 1000);
		client_close(other);
	}
	if (process_facts_available())
		ck_assert(eventually(nobody_is_left, &server, WAIT_MS));
	fd = client_connect(&server);
	expect_pattern(fd, 1000, 0);
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* Reads until the stream ends. @return how much came */
static size_t read_to_the_end(int fd)
{
	size_t total = 0;
	ssize_t n;

	while ((n = io_read(fd, block, MEGABYTE)) > 0)
		total += (size_t)n;
	ck_assert_msg(n == 0, "after %zu bytes: %s", total, strerror(errno));
	return total;
}

START_TEST(a_request_to_stop_ends_the_stream_in_order)
{
	struct server server = model_start(_i, "chargen", NULL);
	struct server_end end;
	int fd = client_connect(&server);

	expect_pattern(fd, MEGABYTE, 0);
	server_signal(&server, SIGTERM);
	read_to_the_end(fd);
	client_close(fd);
	end = server_await(&server, WAIT_MS);
	ck_assert_int_eq(end.status, 0);
	ck_assert_uint_eq(end.orphans, 0);
	if (model_shares_a_server(_i))
		expect_match(server_errors(&server),
			     "served 1 clients, dropped 0; 0 bytes in, ");
}
END_TEST

START_TEST(a_client_that_does_not_read_is_ended)
{
	struct server server = model_start(_i, "chargen", ARGUMENTS("-t", "0.3", "-vv"));
	int fd = client_connect(&server);

	client_half_close(fd);
	server_wait_line(&server, "timed out: the client does not read", WAIT_MS);
	client_close(fd);
	server_finish(&server);
}
END_TEST

/* ---- those that hang up first ---------------------------------------------------------- */

/* The client has sent a lot when it is accepted, which nobody is going to read. */
static void expect_reply(int model, const char *service, const char *const options[],
			 const char *text)
{
	struct server server = model_start(model, service, options);
	int fds[5], count = 5;

	server_wait_line(&server, "listening on", WAIT_MS);
	server_signal(&server, SIGSTOP);
	for (int i = 0; i < count; i++) {
		fds[i] = client_connect(&server);
		client_send(fds[i], block, 100 * 1000);
	}
	server_signal(&server, SIGCONT);
	for (int i = 0; i < count; i++) {
		client_expect(fds[i], text, strlen(text));
		client_expect_end(fds[i]);
		client_close(fds[i]);
	}
	server_finish(&server);
}

START_TEST(who_speaks_first_loses_no_byte_of_what_it_is_reported)
{
	expect_reply(_i, "greet", ARGUMENTS("-m", "hello"), "hello\n");
	expect_reply(_i, "daytime", ARGUMENTS("-f", "the time"), "the time\r\n");
}
END_TEST

START_TEST(a_long_greeting_comes_whole_to_who_does_not_listen)
{
	static char message[60001], expected[60002];

	memset(message, 'x', sizeof message - 1);
	memcpy(expected, message, sizeof message - 1);
	expected[sizeof message - 1] = '\n';
	expect_reply(_i, "greet", ARGUMENTS("-m", message), expected);
}
END_TEST

static void expect_time_of_zone(int model, const char *zone)
{
	struct server server;
	char line[64];
	int fd;
	ssize_t n;

	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	server = model_start(model, "daytime", NULL);
	fd = client_connect(&server);
	n = io_read(fd, line, sizeof line - 1);
	ck_assert_int_gt(n, 0);
	line[n] = '\0';
	expect_match(line, "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9:]{8}\\+05:30\r\n$");
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}

START_TEST(daytime_tells_the_time_of_its_zone)
{
	expect_time_of_zone(_i, "<+0530>-5:30");
}
END_TEST

/* GIVEN a zone that is a file, as /etc/localtime is
   THEN the server knows it, although the sandbox lets it open no file later. */
START_TEST(daytime_tells_the_time_of_a_zone_in_a_file)
{
	/* tzfile(5), version 2: 1 type of local time, 4 letters of names; the type is 19800 s
	 * (0x4d58) east of UTC. All this twice, then the rule for all times. */
	static const char half[54] = { 'T',         'Z',        'i',      'f',
				       '2',         [39] = 1,   [43] = 4, [46] = 0x4d,
				       [47] = 0x58, [50] = 'I', 'S',      'T' };
	static const char rule[] = "\nIST-5:30\n";
	char rules[2 * sizeof half + sizeof rule - 1], zone[TEXT];
	struct folder folder;

	memcpy(rules, half, sizeof half);
	memcpy(rules + sizeof half, half, sizeof half);
	memcpy(rules + 2 * sizeof half, rule, sizeof rule - 1);
	folder_create(&folder);
	folder_file(&folder, "zone", rules, sizeof rules);
	snprintf(zone, sizeof zone, ":%s", folder_path(&folder, "zone"));
	expect_time_of_zone(_i, zone);
	folder_remove(&folder);
}
END_TEST

static const struct {
	const char *service, *option, *value, *says;
} bad_options[] = {
	{ "daytime", "-f", "",
	  "-f, --format: '' makes an empty line or one longer than 255 bytes" },
	{ "greet", "-m", NULL, "-m, --message needs an argument (TEXT)" },
	{ "reply", "-m", NULL, "-m, --message needs an argument (TEXT)" },
	{ "discard", "-m", "x", "unknown option -m" },
};

START_TEST(bad_options_of_a_service_are_one_clear_line)
{
	for (size_t i = 0; i < sizeof bad_options / sizeof *bad_options; i++) {
		const char *program = model_program(_i, bad_options[i].service);
		struct run run = run_program(
			ARGUMENTS(program, bad_options[i].option, bad_options[i].value),
			"", 0, WAIT_MS);
		char line[TEXT];

		snprintf(line, sizeof line, "%s: %s; try '%s -h'\n", program,
			 bad_options[i].says, program);
		ck_assert_str_eq(run.err, line);
		run_expect_status(&run, 2);
	}
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_one_clear_line)
{
	const char *program = model_program(_i, "greet");
	struct run run =
		run_program(ARGUMENTS(program, "-f", "/nowhere\x1b[2J"), "", 0, WAIT_MS);
	char line[TEXT];

	snprintf(line, sizeof line,
		 "%s: cannot read a message from /nowhere\\x1b[2J: "
		 "No such file or directory\n",
		 program);
	ck_assert_str_eq(run.err, line);
	run_expect_status(&run, 1);
}
END_TEST

/* Forked children that drew from a generator they inherit would all draw the same. */
START_TEST(clients_one_after_the_other_hear_different_lines)
{
	char path[FOLDER_TEXT], digit;
	bool heard[2] = { false };
	int file = folder_create_file(path, "lines");
	struct server server;

	ck_assert_int_eq(io_write(file, "0\r\n\n1", 5), 5);
	close(file);
	server = model_start(_i, "greet", ARGUMENTS("-f", path));
	for (int i = 0; i < 500 && !(heard[0] && heard[1]); i++) {
		int fd = client_connect(&server);

		ck_assert_int_eq(io_read(fd, &digit, 1), 1);
		client_expect(fd, "\n", 1);
		client_expect_end(fd);
		client_close(fd);
		ck_assert(digit == '0' || digit == '1');
		heard[digit - '0'] = true;
	}
	unlink(path);
	ck_assert(heard[0] && heard[1]);
	server_finish(&server);
}
END_TEST

/* ---- discard --------------------------------------------------------------------------- */

START_TEST(discards_fifty_megabytes)
{
	struct server server = model_start(_i, "discard", ARGUMENTS("-v"));
	int fd = client_connect(&server);
	char figures[TEXT];

	for (int sent = 0; sent < LOT; sent += MEGABYTE)
		client_send(fd, block, MEGABYTE);
	client_half_close(fd);
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
	snprintf(figures, sizeof figures,
		 ": served 1 clients, dropped 0; %d bytes in, 0 out; ", LOT);
	ck_assert_uint_eq(server_count_lines(&server, figures), 1);
}
END_TEST

static void to_descriptor(void *context)
{
	dup2(*(int *)context, STDOUT_FILENO);
}

static void to_full_disk(void *context)
{
	(void)context;
	dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
}

static void to_nowhere(void *context)
{
	(void)context;
	close(STDOUT_FILENO);
}

static void to_nobody(void *context)
{
	int ends[2];

	(void)context;
	if (pipe(ends) == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
	}
}

/* Somebody has the other end, and never reads: the server itself. */
static void to_who_does_not_read(void *context)
{
	int ends[2];

	(void)context;
	if (pipe(ends) == 0)
		dup2(ends[1], STDOUT_FILENO);
}

static struct server start_printing(int model, void (*prepare)(void *), void *context)
{
	return server_start_with(&(struct server_setup){
		.program = model_program(model, "discard"),
		.options = ARGUMENTS("-o"),
		.prepare = prepare,
		.context = context,
	});
}

static char *read_file(int file)
{
	struct stat status;
	char *text;

	ck_assert_int_eq(fstat(file, &status), 0);
	text = calloc((size_t)status.st_size + 1, 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(pread(file, text, (size_t)status.st_size, 0), status.st_size);
	return text;
}

START_TEST(prints_whole_lines_of_many_clients)
{
	enum { CLIENTS = 8, PIECE = 2000 };
	char names[CLIENTS][ADDRESS_TEXT];
	size_t bytes[CLIENTS] = { 0 };
	int file = folder_create_nameless(), fds[CLIENTS];
	struct server server;
	struct address here;
	char *text, *line;

	server = start_printing(_i, to_descriptor, &file);
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_connect(&server);
		ck_assert_int_eq(address_local(fds[i], &here), 0);
		address_text(&here, names[i]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		memset(block, 'a' + i, PIECE);
		client_send(fds[i], block, PIECE);
	}
	for (int i = 0; i < CLIENTS; i++) {
		client_half_close(fds[i]);
		client_expect_end(fds[i]);
		client_close(fds[i]);
	}
	server_finish(&server);
	text = read_file(file);
	for (line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char *input = strstr(line, ": ");
		int i = 0;

		ck_assert_ptr_nonnull(input);
		*input = '\0';
		input += 2;
		while (i < CLIENTS && strcmp(names[i], line) != 0)
			i++;
		ck_assert_msg(i < CLIENTS, "'%s' is nobody", line);
		ck_assert_uint_eq(strspn(input, (char[]){ (char)('a' + i), '\0' }),
				  strlen(input));
		bytes[i] += strlen(input);
	}
	for (int i = 0; i < CLIENTS; i++)
		ck_assert_uint_eq(bytes[i], PIECE);
	free(text);
	close(file);
}
END_TEST

START_TEST(goes_on_when_its_output_cannot_be_written)
{
	void (*const outputs[])(void *) = { to_full_disk, to_nowhere, to_nobody,
					    to_who_does_not_read };

	for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
		struct server server = start_printing(_i, outputs[i], NULL);

		for (int j = 0; j < 3; j++) {
			int fd = client_connect(&server);

			client_send(fd, block, MEGABYTE);
			client_half_close(fd);
			client_expect_end(fd);
			client_close(fd);
		}
		server_finish(&server);
		ck_assert_uint_eq(server_count_lines(&server,
						     ": served 3 clients, dropped 0; "
						     "3145728 bytes in, 0 out; "),
				  1);
	}
}
END_TEST

/* ---- reply ----------------------------------------------------------------------------- */

START_TEST(many_lines_are_answered_in_order_though_nobody_listens_at_first)
{
	enum { LINES = 100 * 1000, ROOM = 16 };
	char *lines = much_memory(LINES * ROOM);
	struct server server = model_start(_i, "reply", ARGUMENTS("-m", "{}"));
	int fd = client_connect(&server);
	size_t n = 0;

	for (int i = 0; i < LINES; i++)
		n += (size_t)snprintf(lines + n, ROOM, "line %d\n", i);
	client_exchange(fd, lines, n, lines, n);
	client_send(fd, "last", 4);
	client_half_close(fd);
	client_expect(fd, "last\n", 5);
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

START_TEST(answers_with_the_name_of_who_asks)
{
	struct server server = model_start(_i, "reply", ARGUMENTS("-m", "{peer}: {}"));
	int fd = client_connect(&server);
	char name[ADDRESS_TEXT], expected[TEXT];
	struct address here;

	ck_assert_int_eq(address_local(fd, &here), 0);
	snprintf(expected, sizeof expected, "%s: {peer} %%s {}\n",
		 address_text(&here, name));
	client_send(fd, "{peer} %s {}\r\n", 14);
	client_expect(fd, expected, strlen(expected));
	client_half_close(fd);
	client_expect_end(fd);
	client_close(fd);
	server_finish(&server);
}
END_TEST

Suite *suite_small_services(void)
{
	Suite *suite = suite_create("small_services");
	TCase *tcase = tcase_create("small_services");
	int models = kinds_count();

	block = much_memory(MEGABYTE);
	tcase_add_loop_test(tcase, characters_come_without_end_whatever_the_client_does,
			    0, models);
	tcase_add_loop_test(tcase, clients_that_leave_in_the_middle_harm_nobody, 0,
			    models);
	tcase_add_loop_test(tcase, a_request_to_stop_ends_the_stream_in_order, 0, models);
	tcase_add_loop_test(tcase, a_client_that_does_not_read_is_ended, 0, models);
	tcase_add_loop_test(tcase, who_speaks_first_loses_no_byte_of_what_it_is_reported,
			    0, models);
	tcase_add_loop_test(tcase, a_long_greeting_comes_whole_to_who_does_not_listen, 0,
			    models);
	tcase_add_loop_test(tcase, daytime_tells_the_time_of_its_zone, 0, models);
	tcase_add_loop_test(tcase, daytime_tells_the_time_of_a_zone_in_a_file, 0, models);
	tcase_add_loop_test(tcase, bad_options_of_a_service_are_one_clear_line, 0,
			    models);
	tcase_add_loop_test(tcase, a_file_that_cannot_be_read_is_one_clear_line, 0,
			    models);
	tcase_add_loop_test(tcase, clients_one_after_the_other_hear_different_lines, 0,
			    models);
	tcase_add_loop_test(tcase, discards_fifty_megabytes, 0, models);
	add_sharing_test(tcase, prints_whole_lines_of_many_clients);
	add_sharing_test(tcase, goes_on_when_its_output_cannot_be_written);
	tcase_add_loop_test(
		tcase, many_lines_are_answered_in_order_though_nobody_listens_at_first, 0,
		models);
	tcase_add_loop_test(tcase, answers_with_the_name_of_who_asks, 0, models);
	suite_add_tcase(suite, tcase);
	return suite;
}
