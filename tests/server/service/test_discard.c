/*
 * discard without a network: RFC 863 byte by byte, and what -o prints.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "server/service.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/memory_session.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { LOT = 100 * 1000, PRINTED = 1024 * 1024 };

static const char message[] = "Hello, world!\r\n\0\x1b[2J\xff%s%n\n";

/* ---- what is printed ------------------------------------------------------------------- */

/* From now on standard output is a file without a name. */
static void capture_output(void)
{
	int fd = folder_create_nameless();

	ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	close(fd);
}

static const char *captured(void)
{
	char *text = much_memory(PRINTED);
	ssize_t n = pread(STDOUT_FILENO, text, PRINTED - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

static void open_printing(struct memory_session *client)
{
	struct failure failure;

	ck_assert_int_eq(memory_configure(&discard_service,
					  (const char *const[]){ "-o", NULL }, &failure),
			 0);
	capture_output();
	memory_open(client, &discard_service);
}

/* ---- streams --------------------------------------------------------------------------- */

START_TEST(answers_nothing_wherever_a_message_is_cut)
{
	for (size_t piece = 1; piece <= sizeof message; piece++) {
		struct memory_session client;

		memory_open(&client, &discard_service);
		memory_send_in_pieces(&client, message, sizeof message, piece);
		ck_assert_uint_eq(client.kept_length, 0);
		ck_assert(!memory_drain(&client));
		ck_assert(!memory_finished(&client));
		memory_half_close(&client);
		ck_assert(memory_finished(&client));
		memory_expect(&client, "", 0);
		memory_close(&client);
	}
}
END_TEST

START_TEST(prints_nothing_unless_asked)
{
	struct memory_session client;

	capture_output();
	memory_open(&client, &discard_service);
	memory_send(&client, message, sizeof message);
	memory_half_close(&client);
	memory_close(&client);
	ck_assert_str_eq(captured(), "");
}
END_TEST

START_TEST(prints_what_came_escaped_with_the_name_of_who_sent_it)
{
	struct memory_session client;

	open_printing(&client);
	memory_send(&client, message, sizeof message - 1);
	ck_assert_str_eq(captured(), "192.0.2.7:1234: Hello, world!\\r\\n\\x00\\x1b[2J"
				     "\\xff%s%n\\n\n");
	memory_expect(&client, "", 0);
	memory_close(&client);
}
END_TEST

START_TEST(prints_each_piece_as_it_comes)
{
	struct memory_session client;

	open_printing(&client);
	memory_send_in_pieces(&client, "a\x1b\n", 3, 1);
	ck_assert_str_eq(captured(), "192.0.2.7:1234: a\n"
				     "192.0.2.7:1234: \\x1b\n"
				     "192.0.2.7:1234: \\n\n");
	memory_half_close(&client);
	memory_close(&client);
}
END_TEST

/* Undoes one line of output. @return how many bytes it stood for */
static size_t read_back(const char *line, const char *end, char *out)
{
	size_t n = 0;
	unsigned byte;

	while (line < end) {
		if (*line != '\\') {
			out[n++] = *line++;
		} else if (line[1] == 'x') {
			if (sscanf(line + 2, "%2x", &byte) != 1)
				ck_abort_msg("no digits after \\x");
			out[n++] = (char)byte;
			line += 4;
		} else {
			out[n++] = line[1] == 'r'   ? '\r'
				   : line[1] == 'n' ? '\n'
				   : line[1] == 't' ? '\t'
						    : line[1];
			line += 2;
		}
	}
	return n;
}

START_TEST(prints_all_of_a_lot_in_lines_that_a_pipe_takes_whole)
{
	static const char name[] = "192.0.2.7:1234: ";
	static char bytes[LOT], got[LOT + 1024];
	struct memory_session client;
	const char *end;
	size_t n = 0;

	fill_pattern(bytes, sizeof bytes, 9);
	open_printing(&client);
	memory_send(&client, bytes, sizeof bytes);
	for (const char *line = captured(); *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		ck_assert_ptr_nonnull(end);
		ck_assert_int_lt(end - line, 4096); /* PIPE_BUF */
		ck_assert_int_eq(strncmp(line, name, strlen(name)), 0);
		n += read_back(line + strlen(name), end, got + n);
		ck_assert_uint_le(n, LOT);
	}
	ck_assert_uint_eq(n, LOT);
	ck_assert_mem_eq(got, bytes, LOT);
	memory_close(&client);
}
END_TEST

/* ---- datagrams ------------------------------------------------------------------------- */

START_TEST(a_datagram_is_not_answered)
{
	static char longest[65507];
	struct memory_session peer;

	memory_open_peer(&peer, &discard_service);
	ck_assert(!memory_datagram(&peer, message, sizeof message));
	ck_assert(!memory_datagram(&peer, "", 0));
	ck_assert(!memory_datagram(&peer, longest, sizeof longest));
	memory_expect(&peer, "", 0);
	memory_close(&peer);
}
END_TEST

START_TEST(each_datagram_is_printed_an_empty_one_too)
{
	struct memory_session peer;

	open_printing(&peer);
	memory_datagram(&peer, "one\n", 4);
	memory_datagram(&peer, "", 0);
	memory_datagram(&peer, "two", 3);
	ck_assert_str_eq(captured(), "192.0.2.7:1234: one\\n\n"
				     "192.0.2.7:1234: \n"
				     "192.0.2.7:1234: two\n");
	memory_close(&peer);
}
END_TEST

Suite *suite_discard(void)
{
	Suite *suite = suite_create("discard");
	TCase *tcase = tcase_create("discard");

	tcase_add_test(tcase, answers_nothing_wherever_a_message_is_cut);
	tcase_add_test(tcase, prints_nothing_unless_asked);
	tcase_add_test(tcase, prints_what_came_escaped_with_the_name_of_who_sent_it);
	tcase_add_test(tcase, prints_each_piece_as_it_comes);
	tcase_add_test(tcase, prints_all_of_a_lot_in_lines_that_a_pipe_takes_whole);
	tcase_add_test(tcase, a_datagram_is_not_answered);
	tcase_add_test(tcase, each_datagram_is_printed_an_empty_one_too);
	suite_add_tcase(suite, tcase);
	return suite;
}
