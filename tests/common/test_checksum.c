/*
 * The checksum is that of cksum(1): here it is held against the tool itself, and against
 * values that the tool once gave.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/checksum.h"
#include "common/checksum_fold.h"
#include "common/io.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/suites.h"

static uint32_t sum_of(const void *bytes, size_t n)
{
	struct checksum sum = { 0 };

	checksum_add(&sum, bytes, n);
	return checksum_value(&sum);
}

/* What cksum(1) says of a file of these bytes. */
static uint32_t sum_by_cksum(const void *bytes, size_t n)
{
	char path[FOLDER_TEXT], command[FOLDER_TEXT + 10];
	int fd = folder_create_file(path, "checksum");
	unsigned long value = 0;
	FILE *tool;

	ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
	close(fd);
	snprintf(command, sizeof command, "cksum '%s'", path);
	tool = popen(command, "r");
	ck_assert_ptr_nonnull(tool);
	ck_assert_int_eq(fscanf(tool, "%lu", &value), 1);
	pclose(tool);
	unlink(path);
	return (uint32_t)value;
}

START_TEST(known_values)
{
	ck_assert_uint_eq(sum_of("", 0), 4294967295u);
	ck_assert_uint_eq(sum_of("123456789", 9), 930766865u);
	ck_assert_uint_eq(sum_of("hello\n", 6), 3015617425u);
}
END_TEST

START_TEST(is_what_cksum_prints)
{
	static char bytes[100003];

	fill_pattern(bytes, sizeof bytes, 7);
	for (size_t n = 1; n < sizeof bytes; n = n * 3 + 1)
		ck_assert_msg(sum_of(bytes, n) == sum_by_cksum(bytes, n),
			      "of %zu bytes it is another one", n);
}
END_TEST

START_TEST(pieces_of_any_length_give_the_same)
{
	char bytes[200];

	fill_pattern(bytes, sizeof bytes, 11);
	for (size_t first = 0; first <= sizeof bytes; first++)
		for (size_t second = first; second <= sizeof bytes; second += 7) {
			struct checksum sum = { 0 };

			checksum_add(&sum, bytes, first);
			checksum_add(&sum, bytes + first, second - first);
			checksum_add(&sum, bytes + second, sizeof bytes - second);
			ck_assert_uint_eq(checksum_value(&sum),
					  sum_of(bytes, sizeof bytes));
		}
}
END_TEST

/* The division of the polynomials, bit by bit, as POSIX describes it. */
static uint32_t divide(uint32_t remainder, const unsigned char *bytes, size_t n)
{
	for (size_t bit = 0; bit < 8 * n; bit++) {
		uint32_t next = bytes[bit / 8] >> (7 - bit % 8) & 1;

		remainder = remainder << 1 ^ (remainder >> 31 != next ? 0x04C11DB7u : 0);
	}
	return remainder;
}

/* GIVEN bytes of each length up to some blocks, at each alignment, WHEN they are added at once or in
 * two pieces, THEN the remainder is that of a division bit by bit. */
START_TEST(each_length_and_alignment_has_the_remainder_of_the_division)
{
	enum { LONGEST = 5 * 128 + 17, ALIGNMENTS = 16 };
	static unsigned char bytes[LONGEST + ALIGNMENTS];

	fill_pattern((char *)bytes, sizeof bytes, 13);
	for (size_t from = 0; from < ALIGNMENTS; from++)
		for (size_t n = 0; n <= LONGEST; n++) {
			struct checksum whole = { 0 }, pieces = { 0 };
			uint32_t expected = divide(0, bytes + from, n);

			checksum_add(&whole, bytes + from, n);
			ck_assert_uint_eq(whole.remainder, expected);
			checksum_add(&pieces, bytes + from, n / 3);
			checksum_add(&pieces, bytes + from + n / 3, n - n / 3);
			ck_assert_uint_eq(pieces.remainder, expected);
		}
}
END_TEST

/* Of checksum_fold() itself: the block that it makes has the remainder of all. */
START_TEST(a_folded_block_has_the_remainder_of_all_bytes)
{
	static unsigned char bytes[4096 + 15];
	unsigned char block[CHECKSUM_FOLD_BLOCK];

	if (!checksum_fold_is_possible()) {
		skipped("needs a processor with carry-less multiplication");
		return;
	}
	fill_pattern((char *)bytes, sizeof bytes, 17);
	for (size_t n = CHECKSUM_FOLD_LEAST; n <= sizeof bytes; n += 61) {
		size_t folded = checksum_fold(0x12345678, bytes, n, block);

		ck_assert_uint_eq(folded, n - n % CHECKSUM_FOLD_BLOCK);
		ck_assert_uint_eq(divide(0, block, sizeof block),
				  divide(0x12345678, bytes, folded));
	}
}
END_TEST

START_TEST(a_changed_bit_changes_it)
{
	char bytes[64] = "The quick brown fox jumps over the lazy dog";
	uint32_t before = sum_of(bytes, sizeof bytes);

	for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
		ck_assert_uint_ne(sum_of(bytes, sizeof bytes), before);
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
	}
}
END_TEST

/* Piece by piece, as somebody reads it who has others to serve. */
START_TEST(a_file_has_the_sum_of_its_bytes)
{
	static char bytes[200000];
	struct checksum sum = { 0 };
	int fd = folder_create_nameless();

	fill_pattern(bytes, sizeof bytes, 5);
	ck_assert_int_eq(io_write(fd, bytes, sizeof bytes), sizeof bytes);
	ck_assert_int_eq(checksum_add_file(&sum, fd, 1), 1);
	ck_assert_int_eq(checksum_add_file(&sum, fd, 65537), 65537);
	ck_assert_uint_eq(checksum_value(&sum), sum_of(bytes, 65538));
	ck_assert_int_eq(checksum_add_file(&sum, fd, 1000000), sizeof bytes - 65538);
	ck_assert_int_eq(checksum_add_file(&sum, fd, 1), 0);
	ck_assert_uint_eq(checksum_value(&sum), sum_of(bytes, sizeof bytes));
	close(fd);
	ck_assert_int_eq(checksum_add_file(&sum, fd, 1), -1);
}
END_TEST

Suite *suite_checksum(void)
{
	Suite *suite = suite_create("checksum");
	TCase *tests = tcase_create("checksum");

	tcase_add_test(tests, known_values);
	tcase_add_test(tests, is_what_cksum_prints);
	tcase_add_test(tests, pieces_of_any_length_give_the_same);
	tcase_add_test(tests,
		       each_length_and_alignment_has_the_remainder_of_the_division);
	tcase_add_test(tests, a_folded_block_has_the_remainder_of_all_bytes);
	tcase_add_test(tests, a_changed_bit_changes_it);
	tcase_add_test(tests, a_file_has_the_sum_of_its_bytes);
	suite_add_tcase(suite, tests);
	return suite;
}
