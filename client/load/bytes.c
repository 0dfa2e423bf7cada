/*
 * bytes - the contents of requests, and the description of a reply that differs from them.
 *
 * The letters come from a linear congruential generator (Knuth's constants of MMIX). They are
 * the same in each run, so that a fault can be reproduced. All requests of a load are pieces of
 * one block of letters. Each exchange begins at another offset of the block, so that a reply to
 * another request is noticed. The two factors of the offset are odd and spread their product
 * over all bits (Knuth's multiplicative hashing).
 */
#include "client/load/bytes.h"

#include "common/text.h"

void load_letters(char *out, size_t size)
{
	static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz0123456789";
	uint64_t state = 1;

	for (size_t i = 0; i < size; i++) {
		state = state * UINT64_C(6364136223846793005) +
			UINT64_C(1442695040888963407);
		out[i] = characters[(state >> 33) % (sizeof characters - 1)];
	}
}

size_t load_letters_offset(unsigned connection, uint64_t sequence)
{
	uint64_t mixed = connection * UINT64_C(0x9E3779B97F4A7C15) +
			 sequence * UINT64_C(0xD1B54A32D192ED03);

	return (size_t)(mixed >> 32) % LOAD_OFFSETS;
}

void load_show_bytes(const char *bytes, size_t length, char out[LOAD_SHOWN_TEXT])
{
	text_escape_quoted(bytes, length < LOAD_SHOWN ? length : LOAD_SHOWN, out,
			   LOAD_SHOWN_TEXT);
}

enum load_verdict load_wrong_bytes(struct load_exchange *exchange, size_t at,
				   const char *expected, size_t expected_length,
				   const char *bytes, size_t length)
{
	char got[LOAD_SHOWN_TEXT], wanted[LOAD_SHOWN_TEXT];
	size_t i = 0;

	while (i < length && i < expected_length && bytes[i] == expected[i])
		i++;
	load_show_bytes(bytes + i, length - i, got);
	load_show_bytes(expected + i, expected_length - i, wanted);
	if (i == length)
		failure_set(exchange->wrong,
			    "byte %zu: got the end of the reply, expected \"%s\"",
			    at + i + 1, wanted);
	else if (i == expected_length)
		failure_set(exchange->wrong, "byte %zu: got \"%s\", expected nothing",
			    at + i + 1, got);
	else
		failure_set(exchange->wrong, "byte %zu: got \"%s\", expected \"%s\"",
			    at + i + 1, got, wanted);
	return LOAD_WRONG;
}
