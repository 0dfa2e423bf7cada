/*
 * checksum_fold - the CRC of long inputs, by carry-less multiplication: see checksum_fold.c.
 */
#ifndef COMMON_CHECKSUM_FOLD_H
#define COMMON_CHECKSUM_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CHECKSUM_FOLD_BLOCK = 16,  /* bytes */
	CHECKSUM_FOLD_LEAST = 128, /* bytes; fewer are not worth the start */
};

/** Whether this processor multiplies without carry, and this file was compiled for it. */
bool checksum_fold_is_possible(void);

/**
 * Folds the whole blocks of @p bytes into one.
 *
 * @param remainder  of the bytes before
 * @param n          at least CHECKSUM_FOLD_LEAST
 * @param block      receives the block: its remainder, begun with 0, is that of all bytes folded
 * @return number of bytes folded: n without the last n % CHECKSUM_FOLD_BLOCK
 */
size_t checksum_fold(uint32_t remainder, const unsigned char *bytes, size_t n,
		     unsigned char block[CHECKSUM_FOLD_BLOCK]);

#endif
