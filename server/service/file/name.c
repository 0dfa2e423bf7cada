/*
 * name - turns the name of a file into the name of its partial upload.
 *
 * All partial uploads are in one flat directory, so '/' must be replaced. A short name
 * is kept readable. A name that would exceed 255 bytes is replaced by two hashes and its
 * length: two hashes, because the name must not collide by accident. The cost is one
 * pass over the name.
 */
#include "server/service/file/name.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/checksum.h"

/* FNV-1a of 64 bits (Fowler, Noll and Vo, RFC 9923). */
static uint64_t hash(const char *name)
{
	uint64_t value = 0xcbf29ce484222325u;

	for (; *name != '\0'; name++)
		value = (value ^ (unsigned char)*name) * 0x100000001b3u;
	return value;
}

/* No escaped byte becomes "%h", so these names differ from all escaped ones. */
static void write_sums(const char *name, char *out, size_t size)
{
	struct checksum sum = { 0 };
	size_t length = strlen(name);

	checksum_add(&sum, name, length);
	snprintf(out, size, "%%h%016" PRIx64 "%08" PRIx32 "-%zu", hash(name),
		 checksum_value(&sum), length);
}

const char *file_name_of_part(const char *name, char kind, char out[FILE_PART_NAME])
{
	size_t at = 1;

	out[0] = kind;
	for (const char *from = name; *from != '\0'; from++) {
		if (at + 4 > FILE_PART_NAME) {
			write_sums(name, out + 1, FILE_PART_NAME - 1);
			return out;
		}
		if (*from == '/' || *from == '%') {
			memcpy(out + at, *from == '/' ? "%2F" : "%25", 3);
			at += 3;
		} else {
			out[at++] = *from;
		}
	}
	out[at] = '\0';
	return out;
}
