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

/* "%h" is not what any byte becomes. */
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
