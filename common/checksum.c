/*
 * checksum - the CRC of POSIX cksum(1), sixteen bytes at a time.
 *
 * The usual method takes one byte at a time with a table lookup, and each step waits for
 * the result of the one before. But a CRC is linear: the effect of a byte that is followed
 * by k others can be looked up in a table for k, and the effects of sixteen bytes are added
 * (exclusive or) in any order. So the processor does the lookups in parallel ("slicing": M.
 * E. Kounavis, F. L. Berry, A Systematic Approach to Building High Performance
 * Software-Based CRC Generators, ISCC 2005). It costs 16 KiB of tables, which are computed
 * at the first use.
 *
 * Where the processor can do it, checksum_fold.c makes 16 bytes of a long input first, which is
 * several times faster than a table.
 */
#include "common/checksum.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "common/checksum_fold.h"

enum { SLICE = 16, GENERATOR = 0x04C11DB7, FILE_PIECE = 16384 };

/* tables[k][b]: the effect of byte b followed by k more bytes. 16 KiB, computed
 * once. */
static uint32_t tables[SLICE][256];
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t remainder = byte << 24;

		for (int bit = 0; bit < 8; bit++)
			remainder = (remainder << 1) ^
				    (remainder & 0x80000000u ? (uint32_t)GENERATOR : 0);
		tables[0][byte] = remainder;
	}
	for (int k = 1; k < SLICE; k++)
		for (int byte = 0; byte < 256; byte++) {
			uint32_t before = tables[k - 1][byte];

			tables[k][byte] = (before << 8) ^ tables[0][before >> 24];
		}
}

static uint32_t add_byte(uint32_t remainder, unsigned char byte)
{
	return (remainder << 8) ^ tables[0][(remainder >> 24) ^ byte];
}

/* The effect of the four bytes at p, the first of which is followed by `following`
 * more. */
static uint32_t add_word(const unsigned char *p, uint32_t remainder, int following)
{
	return tables[following][p[0] ^ (remainder >> 24)] ^
	       tables[following - 1][p[1] ^ (remainder >> 16 & 0xff)] ^
	       tables[following - 2][p[2] ^ (remainder >> 8 & 0xff)] ^
	       tables[following - 3][p[3] ^ (remainder & 0xff)];
}

static uint32_t add_slice(const unsigned char *p, uint32_t remainder)
{
	return add_word(p, remainder, 15) ^ add_word(p + 4, 0, 11) ^
	       add_word(p + 8, 0, 7) ^ add_word(p + 12, 0, 3);
}

void checksum_add(struct checksum *sum, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	uint32_t remainder = sum->remainder;

	pthread_once(&made, make_tables);
	sum->length += n;
	if (n >= CHECKSUM_FOLD_LEAST && checksum_fold_is_possible()) {
		unsigned char block[CHECKSUM_FOLD_BLOCK];
		size_t folded = checksum_fold(remainder, p, n, block);

		remainder = add_slice(block, 0);
		p += folded;
		n -= folded;
	}
	for (; n >= SLICE; n -= SLICE, p += SLICE)
		remainder = add_slice(p, remainder);
	for (; n > 0; n--)
		remainder = add_byte(remainder, *p++);
	sum->remainder = remainder;
}

/* The length is added as bytes, the least significant first, as few as needed. */
uint32_t checksum_value(const struct checksum *sum)
{
	uint32_t remainder = sum->remainder;

	pthread_once(&made, make_tables);
	for (uint64_t length = sum->length; length > 0; length >>= 8)
		remainder = add_byte(remainder, (unsigned char)(length & 0xff));
	return ~remainder;
}

ssize_t checksum_add_file(struct checksum *sum, int fd, size_t most)
{
	char piece[FILE_PIECE];
	size_t added = 0;

	while (added < most) {
		size_t size = most - added < sizeof piece ? most - added : sizeof piece;
		ssize_t n = pread(fd, piece, size, (off_t)sum->length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		checksum_add(sum, piece, (size_t)n);
		added += (size_t)n;
	}
	return (ssize_t)added;
}
