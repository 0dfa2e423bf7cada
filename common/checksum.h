/*
 * checksum - the CRC of POSIX cksum(1), so that anybody can check it with a standard tool.
 *
 * A cyclic redundancy check of 32 bits with the generator of Ethernet, 0x04C11DB7, the most
 * significant bit first, over the bytes and then over their number (POSIX.1-2008, Shell and
 * Utilities, cksum). It finds what goes wrong by chance, not what is done on purpose.
 */
#ifndef COMMON_CHECKSUM_H
#define COMMON_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The sum of the bytes so far. Zeroed is how it begins. */
struct checksum {
	uint32_t remainder;
	uint64_t length; /* of the bytes */
};

/** Adds @p n bytes at the end. */
void checksum_add(struct checksum *sum, const void *bytes, size_t n);

/**
 * Adds the next bytes of an open file: those from sum->length on, at most @p most. To be
 * called again and again; so a long file need not hold up anything else.
 * @return how many, 0 at the end of the file, or -1 with errno of pread(2)
 */
ssize_t checksum_add_file(struct checksum *sum, int fd, size_t most);

/** @return what cksum(1) prints for the bytes so far; more may be added afterwards */
uint32_t checksum_value(const struct checksum *sum);

#endif
