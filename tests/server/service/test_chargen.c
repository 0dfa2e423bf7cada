/*
 * chargen without a network: RFC 864 byte by byte.
 */
#include <string.h>

#include "server/service.h"
#include "tests/fixture/memory_session.h"
#include "tests/suites.h"

enum { ENOUGH = 2 * 1024 * 1024 };

/* The pattern of RFC 864, written down anew: line after line of 72 characters. */
static void expect_pattern(const char *bytes, size_t length, size_t offset)
{
	for (size_t i = 0; i < length; i++) {
		size_t line = (offset + i) / 74, column = (offset + i) % 74;
		char expected = (char)(32 + (line + column) % 95);

		if (column == 72)
			expected = '\r';
		if (column == 73)
			expected = '\n';
		if (bytes[i] != expected)
			ck_abort_msg("at offset %zu there is %02x, not %02x", offset + i,
				     (unsigned char)bytes[i], (unsigned char)expected);
	}
}

static void begin(struct memory_session *client, size_t room)
{
	struct failure failure;

	ck_assert_int_eq(memory_configure(&chargen_service, (const char *const[]){ NULL },
					  &failure),
			 0);
	memory_open_full(client, &chargen_service, room);
}

START_TEST(the_first_lines_are_those_of_the_rfc)
{
	static const char first[] = " !\"#$%&'()*+,-./0123456789:;<=>?@"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n"
				    "!\"#$%&'()*+,-./0123456789:;<=>?@"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n";
	struct memory_session client;

	begin(&client, MEMORY_ROOM);
	ck_assert(memory_drain(&client));
	ck_assert_uint_gt(client.length, sizeof first);
	ck_assert_mem_eq(client.output, first, sizeof first - 1);
	/* and after '~' comes ' ': the 95th line begins with it */
	ck_assert_mem_eq(client.output + 94 * 74, "~ !\"#", 5);
	ck_assert_mem_eq(client.output + 95 * 74, " !\"#$", 5);
	memory_close(&client);
}
END_TEST

START_TEST(goes_on_where_it_was_as_long_as_its_output_is_taken)
{
	struct memory_session client;

	begin(&client, MEMORY_ROOM);
	while (client.length < ENOUGH)
		ck_assert(memory_drain(&client));
	expect_pattern(client.output, client.length, 0);
	ck_assert(!memory_finished(&client));
	memory_close(&client);
}
END_TEST

START_TEST(what_the_client_sends_is_thrown_away)
{
	struct memory_session client;

	begin(&client, MEMORY_ROOM);
	memory_send_in_pieces(&client, "quit\n\0\x04", 7, 1);
	ck_assert_uint_eq(client.kept_length, 0);
	memory_expect(&client, "", 0);
	ck_assert(memory_drain(&client));
	memory_send(&client, "quit\n", 5);
	ck_assert(memory_drain(&client));
	expect_pattern(client.output, client.length, 0);
	ck_assert(!memory_finished(&client));
	memory_close(&client);
}
END_TEST

START_TEST(goes_on_after_the_half_close)
{
	struct memory_session client;

	begin(&client, MEMORY_ROOM);
	ck_assert(memory_drain(&client));
	memory_half_close(&client);
	ck_assert(!memory_finished(&client));
	ck_assert(memory_drain(&client));
	ck_assert(memory_drain(&client));
	expect_pattern(client.output, client.length, 0);
	memory_close(&client);
}
END_TEST

/* A service that wrote on and on to who does not read would fill the memory. */
START_TEST(a_client_that_does_not_read_gets_no_more_than_one_piece)
{
	struct memory_session client;
	size_t length;

	begin(&client, 100);
	ck_assert(memory_drain(&client));
	ck_assert(session_full(&client.session));
	length = client.length;
	ck_assert_uint_le(length, SESSION_INPUT);
	memory_take(&client, 1000); /* not all of it: so nothing new */
	ck_assert_uint_eq(client.length, length);
	memory_take(&client, length);
	ck_assert_uint_gt(client.length, length);
	expect_pattern(client.output, client.length, 0);
	memory_close(&client);
}
END_TEST

/* RFC 864: between 0 and 512 characters. */
START_TEST(a_datagram_is_answered_by_one_of_whole_lines)
{
	struct memory_session peer;

	begin(&peer, MEMORY_ROOM);
	memory_close(&peer);
	memory_open_peer(&peer, &chargen_service);
	for (int i = 0; i < 3; i++) {
		size_t before = peer.length;

		ck_assert(memory_datagram(&peer, "anything", i % 2 ? 8 : 0));
		ck_assert_uint_gt(peer.length, before);
		ck_assert_uint_le(peer.length - before, 512);
		ck_assert_uint_eq((peer.length - before) % 74, 0);
		expect_pattern(peer.output + before, peer.length - before, 0);
		peer.expected = peer.length;
	}
	memory_close(&peer);
}
END_TEST

Suite *suite_chargen(void)
{
	Suite *suite = suite_create("chargen");
	TCase *tcase = tcase_create("chargen");

	tcase_add_test(tcase, the_first_lines_are_those_of_the_rfc);
	tcase_add_test(tcase, goes_on_where_it_was_as_long_as_its_output_is_taken);
	tcase_add_test(tcase, what_the_client_sends_is_thrown_away);
	tcase_add_test(tcase, goes_on_after_the_half_close);
	tcase_add_test(tcase, a_client_that_does_not_read_gets_no_more_than_one_piece);
	tcase_add_test(tcase, a_datagram_is_answered_by_one_of_whole_lines);
	suite_add_tcase(suite, tcase);
	return suite;
}
