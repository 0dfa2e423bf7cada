#include "server/service/file/name.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/checksum.h"
#include "common/text.h"

/* C0, DEL, and C1: U+0080 to U+009F, which are 0xC2 0x80 to 0xC2 0x9F. */
static bool is_control(const char *character, size_t length)
{
	unsigned char first = (unsigned char)character[0];

	if (length == 2 && first == 0xc2)
		return (unsigned char)character[1] < 0xa0;
	return first < ' ' || first == 127;
}

static const char *flaw_of_characters(const char *name, size_t length)
{
	while (length > 0) {
		size_t n = text_utf8_length(name, length);

		if (n == 0)
			return "it is not UTF-8";
		if (is_control(name, n))
			return "there is a control character in it";
		name += n;
		length -= n;
	}
	return NULL;
}

static const char *flaw_of_parts(const char *name)
{
	for (;;) {
		size_t length = strcspn(name, "/");

		if (length == 0)
			return "a part of it is empty";
		if (*name == '.')
			return "a part of it begins with a dot";
		if (length > FILE_NAME_PART)
			return "a part of it is too long";
		name += length;
		if (*name == '\0')
			return NULL;
		name++;
	}
}

const char *file_name_flaw(const char *name)
{
	size_t length = strlen(name);
	const char *flaw;

	if (length == 0)
		return "it is empty";
	if (*name == '/')
		return "it begins with a /";
	if (length > FILE_NAME)
		return "it is too long";
	flaw = flaw_of_characters(name, length);
	return flaw != NULL ? flaw : flaw_of_parts(name);
}

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
