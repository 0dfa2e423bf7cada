/*
 * fault - the kinds of faulty clients: their names, a mix of them, and what each does next.
 *
 *               half a request                     a request
 *     reset     ───────────────> resets            half   ─────────> half-closes, reads
 *     stall     ───────────────> holds
 *               requests, a byte a second          requests, as fast as they are taken
 *     slow      ──────────────────────>...         unread ─────────> holds
 *
 * Nothing in here does input or output; faults.c does what load_fault_next() says.
 */
#include "client/load/fault.h"

#include <stdio.h>
#include <string.h>

#include "client/load/protocol.h"
#include "common/text.h"

enum { NAMES_TEXT = 64, SHOWN_TEXT = 100 };

static const char *const names[LOAD_FAULTS] = {
	[LOAD_FAULT_RESET] = "reset", [LOAD_FAULT_STALL] = "stall",
	[LOAD_FAULT_SLOW] = "slow",   [LOAD_FAULT_UNREAD] = "unread",
	[LOAD_FAULT_HALF] = "half",
};

const char *load_fault_name(enum load_fault fault)
{
	return names[fault];
}

/* ---- a mix --------------------------------------------------------------------------------- */

static int bad_item(const char *item, size_t length, const char *reason,
		    struct failure *failure)
{
	char shown[SHOWN_TEXT];

	text_escape(item, length, shown, sizeof shown);
	return failure_set(failure, "'%s' %s", shown, reason);
}

static enum load_fault find_fault(const char *name, size_t length)
{
	int fault = 0;

	while (fault < LOAD_FAULTS && (strlen(names[fault]) != length ||
				       memcmp(names[fault], name, length) != 0))
		fault++;
	return (enum load_fault)fault;
}

/* One "NAME=COUNT" of a mix. */
static int take_item(const char *item, size_t length, struct load_fault_mix *mix,
		     struct failure *failure)
{
	const char *equals = memchr(item, '=', length);
	char digits[SHOWN_TEXT];
	enum load_fault fault;
	uint64_t count;
	size_t left;

	if (equals == NULL)
		return bad_item(item, length, "is not KIND=COUNT, such as reset=10",
				failure);
	fault = find_fault(item, (size_t)(equals - item));
	if (fault == LOAD_FAULTS)
		return bad_item(item, (size_t)(equals - item),
				"is not a kind of faulty client (use reset, stall, slow, "
				"unread or half)",
				failure);
	left = length - (size_t)(equals + 1 - item);
	snprintf(digits, sizeof digits, "%.*s", (int)(left < SHOWN_TEXT ? left : 0),
		 equals + 1);
	if (!text_number(digits, 1, LOAD_FAULTS_MOST, &count))
		return bad_item(item, length, "is not a count from 1 to 10000", failure);
	if (mix->clients[fault] > 0)
		return bad_item(item, length, "names a kind for the second time",
				failure);
	mix->clients[fault] = (unsigned)count;
	return 0;
}

int load_fault_mix_parse(const char *text, struct load_fault_mix *mix,
			 struct failure *failure)
{
	const char *item = text;

	memset(mix, 0, sizeof *mix);
	for (;;) {
		size_t length = strcspn(item, ",");

		if (take_item(item, length, mix, failure) < 0)
			return -1;
		if (item[length] == '\0')
			break;
		item += length + 1;
	}
	if (load_fault_mix_total(mix) > LOAD_FAULTS_MOST)
		return bad_item(text, strlen(text),
				"is more than 10000 faulty clients in all", failure);
	return 0;
}

unsigned load_fault_mix_total(const struct load_fault_mix *mix)
{
	unsigned total = 0;

	for (int fault = 0; fault < LOAD_FAULTS; fault++)
		total += mix->clients[fault];
	return total;
}

/* Why the protocol has no such client; NULL: it has. */
static const char *why_not(const struct load_protocol *protocol, enum load_fault fault)
{
	bool asks =
		protocol->pattern != LOAD_GREETING && protocol->pattern != LOAD_SOURCE;

	if (!asks && (fault == LOAD_FAULT_STALL || fault == LOAD_FAULT_SLOW))
		return "the client sends no request";
	if (protocol->pattern == LOAD_SINK && fault == LOAD_FAULT_UNREAD)
		return "the server sends nothing to read";
	return NULL;
}

void load_fault_mix_usual(const struct load_protocol *protocol,
			  struct load_fault_mix *mix)
{
	for (int fault = 0; fault < LOAD_FAULTS; fault++)
		mix->clients[fault] = why_not(protocol, (enum load_fault)fault) == NULL
					      ? LOAD_FAULTS_USUAL
					      : 0;
}

int load_fault_mix_check(const struct load_fault_mix *mix,
			 const struct load_protocol *protocol, struct failure *failure)
{
	for (int fault = 0; fault < LOAD_FAULTS; fault++) {
		const char *why = why_not(protocol, (enum load_fault)fault);

		if (mix->clients[fault] > 0 && why != NULL)
			return failure_set(failure,
					   "--faults: %s does not apply to the protocol "
					   "%s: %s",
					   names[fault], protocol->name, why);
	}
	return 0;
}

/* ---- one client ---------------------------------------------------------------------------- */

enum load_fault_step load_fault_next(enum load_fault fault, uint64_t sent, size_t request,
				     bool half_closed)
{
	switch (fault) {
	case LOAD_FAULT_RESET:
		return sent < request / 2 ? LOAD_FAULT_SENDS : LOAD_FAULT_RESETS;
	case LOAD_FAULT_STALL:
		return sent < request / 2 ? LOAD_FAULT_SENDS : LOAD_FAULT_HOLDS;
	case LOAD_FAULT_SLOW:
		return LOAD_FAULT_SENDS;
	case LOAD_FAULT_UNREAD:
		return request > 0 && sent < LOAD_FAULT_SENDS_MOST ? LOAD_FAULT_SENDS
								   : LOAD_FAULT_HOLDS;
	default:
		if (sent < request)
			return LOAD_FAULT_SENDS;
		return half_closed ? LOAD_FAULT_READS : LOAD_FAULT_HALF_CLOSES;
	}
}

size_t load_fault_piece(enum load_fault fault, uint64_t sent, size_t request)
{
	size_t at = (size_t)(sent % request);

	switch (fault) {
	case LOAD_FAULT_RESET:
	case LOAD_FAULT_STALL:
		return request / 2 - at;
	case LOAD_FAULT_SLOW:
		return 1;
	default:
		return request - at;
	}
}
