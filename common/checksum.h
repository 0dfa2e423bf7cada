/*
 * checksum - the CRC of POSIX cksum(1), so that results can be checked with a standard
 * tool.
 *
 * A 32-bit CRC with the generator polynomial of Ethernet, 0x04C11DB7, most significant
 * bit first, over the bytes and then over their number (POSIX.1-2008, Shell and
 * Utilities, cksum). It detects accidental errors, not deliberate changes.
 */
#ifndef COMMON_CHECKSUM_H
#define COMMON_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** State of a checksum. Zeroed, it is the start. */
struct checksum {
	uint32_t remainder;
	uint64_t length; /* number of bytes */
};

/** Adds @p n bytes. */
void checksum_add(struct checksum *sum, const void *bytes, size_t n);

/**
 * Adds the next bytes of an open file: from offset sum->length, at most @p most. Called
 * repeatedly, it does not block the caller for a whole long file.
 * @return number of bytes, 0 at the end of the file, or -1 with errno of pread(2)
 */
ssize_t checksum_add_file(struct checksum *sum, int fd, size_t most);

/** @return what cksum(1) prints for the bytes so far; more may be added afterwards */
uint32_t checksum_value(const struct checksum *sum);

#endif
