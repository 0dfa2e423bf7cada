/*
 * echo without a network: RFC 862 byte by byte.
 */
#include <string.h>

#include "server/service.h"
#include "tests/fixture/memory_session.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

enum { LOT = 300 * 1000 };

static const char message[] = "Hello, world!\r\n\0and behind the NUL\n";

START_TEST(echoes_a_message)
{
	struct memory_session client;

	memory_open(&client, &echo_service);
	memory_expect(&client, "", 0);
	memory_send(&client, message, sizeof message);
	memory_expect(&client, message, sizeof message);
	ck_assert(!memory_finished(&client));
	memory_close(&client);
}
END_TEST

START_TEST(it_does_not_matter_where_a_message_is_cut)
{
	for (size_t cut = 1; cut < sizeof message; cut++) {
		struct memory_session client;

		memory_open(&client, &echo_service);
		memory_send(&client, message, cut);
		memory_expect(&client, message, cut);
		memory_send(&client, message + cut, sizeof message - cut);
		memory_expect(&client, message + cut, sizeof message - cut);
		memory_half_close(&client);
		memory_expect(&client, "", 0);
		memory_close(&client);
	}
}
END_TEST

START_TEST(it_does_not_matter_how_many_pieces_come)
{
	for (size_t piece = 1; piece <= sizeof message; piece++) {
		struct memory_session client;

		memory_open(&client, &echo_service);
		memory_send_in_pieces(&client, message, sizeof message, piece);
		memory_expect(&client, message, sizeof message);
		memory_close(&client);
	}
}
END_TEST

START_TEST(every_byte_comes_back_as_it_is)
{
	struct memory_session client;
	unsigned char bytes[256];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)i;
	memory_open(&client, &echo_service);
	memory_send_in_pieces(&client, bytes, sizeof bytes, 1);
	memory_expect(&client, bytes, sizeof bytes);
	memory_close(&client);
}
END_TEST

START_TEST(echoes_more_than_fits_into_one_read)
{
	static char bytes[LOT];
	struct memory_session client;

	fill_pattern(bytes, sizeof bytes, 3);
	memory_open(&client, &echo_service);
	memory_send(&client, bytes, sizeof bytes);
	memory_expect(&client, bytes, sizeof bytes);
	memory_close(&client);
}
END_TEST

START_TEST(who_sends_nothing_gets_nothing)
{
	struct memory_session client;

	memory_open(&client, &echo_service);
	memory_half_close(&client);
	memory_expect(&client, "", 0);
	ck_assert(memory_finished(&client));
	memory_close(&client);
}
END_TEST

START_TEST(the_half_close_ends_the_conversation_and_nothing_else_does)
{
	struct memory_session client;

	memory_open(&client, &echo_service);
	memory_send(&client, "\x04\x1a\0quit\n", 8);
	ck_assert(!memory_finished(&client));
	ck_assert(!memory_drain(&client));
	memory_half_close(&client);
	ck_assert(memory_finished(&client));
	memory_expect(&client, "\x04\x1a\0quit\n", 8);
	memory_close(&client);
}
END_TEST

START_TEST(goes_on_when_a_client_that_did_not_read_reads_again)
{
	struct memory_session client;

	memory_open_full(&client, &echo_service, 3);
	memory_send(&client, "hello", 5);
	memory_send(&client, ", world", 7); /* waits: the session is full */
	memory_expect(&client, "hello", 5);
	memory_take(&client, 1);
	memory_expect(&client, "", 0);
	memory_take(&client, 1);
	memory_expect(&client, ", world", 7);
	memory_take(&client, MEMORY_ROOM);
	memory_half_close(&client);
	ck_assert(memory_finished(&client));
	memory_close(&client);
}
END_TEST

START_TEST(says_what_it_is)
{
	ck_assert_str_eq(echo_service.name, "echo");
	ck_assert_str_eq(echo_service.port, "7007");
	ck_assert_uint_eq(echo_service.state_size, 0);
}
END_TEST

Suite *suite_echo(void)
{
	Suite *suite = suite_create("echo");
	TCase *tcase = tcase_create("echo");

	tcase_add_test(tcase, echoes_a_message);
	tcase_add_test(tcase, it_does_not_matter_where_a_message_is_cut);
	tcase_add_test(tcase, it_does_not_matter_how_many_pieces_come);
	tcase_add_test(tcase, every_byte_comes_back_as_it_is);
	tcase_add_test(tcase, echoes_more_than_fits_into_one_read);
	tcase_add_test(tcase, who_sends_nothing_gets_nothing);
	tcase_add_test(tcase, the_half_close_ends_the_conversation_and_nothing_else_does);
	tcase_add_test(tcase, goes_on_when_a_client_that_did_not_read_reads_again);
	tcase_add_test(tcase, says_what_it_is);
	suite_add_tcase(suite, tcase);
	return suite;
}
