#include "client/load_protocol.h"

#include <string.h>

/* Where in the block the request of a connection begins: another place for each exchange
 * and connection, so that a reply that belongs to another is noticed. The two factors are
 * odd and spread their product over all bits (Knuth's multiplicative hashing). */
static size_t echo_offset(const struct load_exchange *exchange)
{
	uint64_t mixed = exchange->connection * UINT64_C(0x9E3779B97F4A7C15) +
			 exchange->sequence * UINT64_C(0xD1B54A32D192ED03);

	return (size_t)(mixed >> 32) % LOAD_OFFSETS;
}

static void echo_begin(const struct load_material *material,
		       struct load_exchange *exchange)
{
	exchange->request = material->block + echo_offset(exchange);
	exchange->length = material->size;
}

static enum load_verdict echo_check(const struct load_exchange *exchange,
				    const char *bytes, size_t length)
{
	size_t left = exchange->length - exchange->received;

	if (length > left ||
	    memcmp(bytes, exchange->request + exchange->received, length) != 0)
		return LOAD_WRONG;
	return length == left ? LOAD_COMPLETE : LOAD_MORE;
}

static const struct load_protocol protocols[] = {
	{ "echo", echo_begin, echo_check },
};

const struct load_protocol *load_protocol_find(const char *name)
{
	for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
		if (strcmp(protocols[i].name, name) == 0)
			return &protocols[i];
	return NULL;
}

void load_material_fill(char *block, size_t size)
{
	static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz0123456789";
	uint64_t state = 1;

	/* A linear congruential generator (Knuth's MMIX constants) serves: nobody has to
	 * be surprised, and what went wrong once can be seen again. */
	for (size_t i = 0; i < size; i++) {
		state = state * UINT64_C(6364136223846793005) +
			UINT64_C(1442695040888963407);
		block[i] = characters[(state >> 33) % (sizeof characters - 1)];
	}
}
