/*
 * Bytes that wait: what is appended comes out in order, and an empty buffer owns nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/core/buffer.h"
#include "tests/suites.h"
#include "tests/fixture/shortage.h"
#include "tests/fixture/waiting.h"

enum { LOT = 100 * 1000, MOST = 1024 * 1024 };

START_TEST(empty_buffer_owns_no_memory)
{
	struct buffer buffer = { NULL };

	ck_assert_ptr_nonnull(buffer_bytes(&buffer)); /* of which there are none */
	buffer_consume(&buffer, 0);
	ck_assert_ptr_null(buffer.block);
	ck_assert(buffer_append(&buffer, "abc", 3, MOST));
	buffer_consume(&buffer, 3);
	ck_assert_uint_eq(buffer_length(&buffer), 0);
	ck_assert_ptr_null(buffer.block);
}
END_TEST

START_TEST(bytes_come_out_in_the_order_they_went_in)
{
	struct buffer buffer = { NULL };

	ck_assert(buffer_append(&buffer, "abc", 3, MOST));
	ck_assert(buffer_append(&buffer, "", 0, MOST));
	ck_assert(buffer_append(&buffer, "defg", 4, MOST));
	ck_assert_uint_eq(buffer_length(&buffer), 7);
	ck_assert_mem_eq(buffer_bytes(&buffer), "abcdefg", 7);
	buffer_consume(&buffer, 2);
	ck_assert_uint_eq(buffer_length(&buffer), 5);
	ck_assert_mem_eq(buffer_bytes(&buffer), "cdefg", 5);
	buffer_consume(&buffer, 5);
}
END_TEST

/* Pieces of many lengths go in and out, so that it grows, and moves its bytes to the
 * front, at many places. */
START_TEST(nothing_is_lost_whatever_the_pieces)
{
	struct buffer buffer = { NULL };
	size_t in = 0, out = 0, piece = 1;
	static char bytes[LOT];

	fill_pattern(bytes, sizeof bytes, 1);
	while (out < sizeof bytes) {
		size_t n = piece < sizeof bytes - in ? piece : sizeof bytes - in;

		ck_assert(buffer_append(&buffer, bytes + in, n, MOST));
		in += n;
		ck_assert_uint_eq(buffer_length(&buffer), in - out);
		ck_assert_mem_eq(buffer_bytes(&buffer), bytes + out,
				 buffer_length(&buffer));
		n = buffer_length(&buffer) < piece * 2 / 3 + 1 ? buffer_length(&buffer)
							       : piece * 2 / 3 + 1;
		buffer_consume(&buffer, n);
		out += n;
		piece = piece * 7 % 1999 + 1;
	}
	ck_assert_ptr_null(buffer.block);
}
END_TEST

START_TEST(room_before_the_bytes_is_used_before_more_is_asked_for)
{
	struct buffer buffer = { NULL };
	char block[512] = { 0 };

	ck_assert(buffer_append(&buffer, block, sizeof block, MOST));
	for (int i = 0; i < 1000; i++) {
		buffer_consume(&buffer, sizeof block - 1);
		ck_assert(buffer_append(&buffer, block, sizeof block - 1, MOST));
	}
	ck_assert_uint_le(buffer.block->capacity, 2 * sizeof block);
	buffer_release(&buffer);
}
END_TEST

START_TEST(holds_exactly_as_much_as_is_allowed)
{
	struct buffer buffer = { NULL };
	char bytes[1000];

	fill_pattern(bytes, sizeof bytes, 2);
	ck_assert(buffer_append(&buffer, bytes, 999, 1000));
	ck_assert(buffer_append(&buffer, bytes + 999, 1, 1000));
	errno = 0;
	ck_assert(!buffer_append(&buffer, "x", 1, 1000));
	ck_assert_int_eq(errno, ENOBUFS);
	ck_assert_uint_eq(buffer_length(&buffer), 1000);
	ck_assert_mem_eq(buffer_bytes(&buffer), bytes, 1000);
	ck_assert_uint_le(buffer.block->capacity, 1000);
	buffer_consume(&buffer, 1);
	ck_assert(buffer_append(&buffer, "x", 1, 1000));
	ck_assert_mem_eq(buffer_bytes(&buffer), bytes + 1, 999);
	buffer_release(&buffer);
}
END_TEST

START_TEST(more_than_is_allowed_is_refused_at_once)
{
	struct buffer buffer = { NULL };

	errno = 0;
	ck_assert(!buffer_append(&buffer, "abc", 3, 2));
	ck_assert_int_eq(errno, ENOBUFS);
	ck_assert(!buffer_append(&buffer, "abc", SIZE_MAX, MOST));
	ck_assert_ptr_null(buffer.block);
}
END_TEST

/* Also if the first bytes have left it. */
START_TEST(bytes_can_be_taken_out_with_their_memory)
{
	struct buffer buffer = { NULL };
	size_t length;
	char *bytes;

	ck_assert(buffer_append(&buffer, "abcdefg", 7, MOST));
	buffer_consume(&buffer, 2);
	buffer_truncate(&buffer, 4);
	bytes = buffer_take(&buffer, &length);
	ck_assert_uint_eq(length, 4);
	ck_assert_mem_eq(bytes, "cdef", 4);
	ck_assert(buffer_is_empty(&buffer));
	free(bytes);
}
END_TEST

START_TEST(without_memory_a_buffer_keeps_what_it_has)
{
	struct buffer buffer = { NULL };
	bool appended;
	int error;
	static char bytes[LOT];

	ck_assert(buffer_append(&buffer, "abc", 3, MOST));
	if (shortage_begin()) {
		appended = buffer_append(&buffer, bytes, sizeof bytes, MOST);
		error = errno;
		shortage_end();
		ck_assert(!appended);
		ck_assert_int_eq(error, ENOMEM);
		ck_assert_uint_eq(buffer_length(&buffer), 3);
		ck_assert_mem_eq(buffer_bytes(&buffer), "abc", 3);
	}
	buffer_release(&buffer);
}
END_TEST

Suite *suite_buffer(void)
{
	Suite *suite = suite_create("buffer");
	TCase *tcase = tcase_create("buffer");

	tcase_add_test(tcase, empty_buffer_owns_no_memory);
	tcase_add_test(tcase, bytes_come_out_in_the_order_they_went_in);
	tcase_add_test(tcase, nothing_is_lost_whatever_the_pieces);
	tcase_add_test(tcase, room_before_the_bytes_is_used_before_more_is_asked_for);
	tcase_add_test(tcase, holds_exactly_as_much_as_is_allowed);
	tcase_add_test(tcase, more_than_is_allowed_is_refused_at_once);
	tcase_add_test(tcase, bytes_can_be_taken_out_with_their_memory);
	tcase_add_test(tcase, without_memory_a_buffer_keeps_what_it_has);
	suite_add_tcase(suite, tcase);
	return suite;
}
