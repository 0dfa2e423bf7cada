/*
 * chat - the protocol of chatd(8), as spoken by the load: nicknames, the room, lines of the
 * server.
 *
 * Each client takes a nickname that contains its number, and all join one room that no
 * other client knows. client/load/room.c checks the messages; this file does the way into
 * the room and the lines of the server itself:
 *
 *     LOBBY ── "* welcome, …" ──> ARRIVED ── "* you are in ROOM (…" ──> INSIDE
 *
 * Before INSIDE, messages of other users may arrive: those in the lobby, and older ones.
 * Inside, the server only reports who joins and leaves.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/load/bytes.h"
#include "client/load/protocol.h"
#include "common/clock.h"
#include "common/text.h"

/* exchange->place */
enum place { LOBBY, ARRIVED, INSIDE };

enum {
	TAG = 5,    /* characters at the start of all names: an l and a number */
	DIGITS = 5, /* ... and the digits of the client number, hexadecimal */
	NAME = TAG + DIGITS,
	LONGEST = 1024 + 1, /* longest line of chatd, with its newline */
};

/* State of the whole load. */
struct chat_shared {
	char tag[TAG + 1]; /* also the name of the room */
};

/* State of each client. */
struct chat_state {
	char arrival[sizeof "/nick \n/join \n" + NAME + TAG];
};

/* ---- requests ------------------------------------------------------------------------------ */

/* Two loads on one server need different names: they depend on the time and the
 * process id. */
static void choose_tag(char tag[TAG + 1])
{
	static const char characters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t mixed = ((uint64_t)clock_nanoseconds() ^ (uint64_t)getpid()) *
			 UINT64_C(0x9E3779B97F4A7C15);

	tag[0] = 'l';
	for (int i = 1; i < TAG; i++) {
		mixed ^= mixed >> 32;
		tag[i] = characters[mixed % (sizeof characters - 1)];
		mixed /= sizeof characters - 1;
	}
	tag[TAG] = '\0';
}

static void chat_fill(const struct load_material *material, char *block, size_t size)
{
	struct chat_shared *shared = material->shared;

	load_letters(block, size);
	choose_tag(shared->tag);
}

static void chat_begin(const struct load_material *material,
		       struct load_exchange *exchange)
{
	const struct chat_shared *shared = material->shared;
	struct chat_state *state = exchange->state;

	exchange->place = LOBBY;
	exchange->request = state->arrival;
	exchange->length = (size_t)snprintf(state->arrival, sizeof state->arrival,
					    "/nick %s%0*x\n/join %s\n", shared->tag,
					    DIGITS, exchange->connection, shared->tag);
}

static size_t chat_heading(const struct load_material *material, unsigned connection,
			   char out[LOAD_HEADING])
{
	const struct chat_shared *shared = material->shared;

	return (size_t)snprintf(out, LOAD_HEADING, "%s%0*x: ", shared->tag, DIGITS,
				connection);
}

/* ---- what is heard ------------------------------------------------------------------------- */

static bool chat_sender(const struct load_material *material, const char *line,
			size_t length, unsigned *connection)
{
	const struct chat_shared *shared = material->shared;
	unsigned number = 0;

	if (length < NAME + 2 || memcmp(line, shared->tag, TAG) != 0 ||
	    line[NAME] != ':' || line[NAME + 1] != ' ')
		return false;
	for (size_t i = TAG; i < NAME; i++) {
		unsigned digit = (unsigned char)line[i];

		if (digit >= '0' && digit <= '9')
			number = number * 16 + (digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			number = number * 16 + (digit - 'a' + 10);
		else
			return false;
	}
	*connection = number;
	return true;
}

static bool begins(const char *line, size_t length, const char *text)
{
	size_t n = strlen(text);

	return length >= n && memcmp(line, text, n) == 0;
}

static bool ends(const char *line, size_t length, const char *text)
{
	size_t n = strlen(text);

	return length >= n && memcmp(line + length - n, text, n) == 0;
}

/* Lines of the server for the members of a room, and "goodbye" at the end. */
static bool is_event(const char *line, size_t length)
{
	const char *name = line + 2, *end = line + length, *blank;
	size_t rest;

	if (!begins(line, length, "* "))
		return false;
	blank = memchr(name, ' ', (size_t)(end - name));
	if (blank == NULL)
		return begins(line, length, "* goodbye") && length == 9;
	rest = (size_t)(end - blank);
	return (rest == strlen(" has joined") && begins(blank, rest, " has joined")) ||
	       (begins(blank, rest, " has left (") && ends(blank, rest, ")")) ||
	       begins(blank, rest, " is now ");
}

static enum load_verdict wrong(struct load_exchange *exchange, const char *what,
			       const char *line, size_t length)
{
	char text[100];

	text_escape(line, length, text, sizeof text);
	failure_set(exchange->wrong, "%s: \"%s\"", what, text);
	return LOAD_WRONG;
}

/* A line, without its newline, that no client of this load has sent. */
static enum load_verdict chat_check(const struct load_material *material,
				    struct load_exchange *exchange, const char *line,
				    size_t length)
{
	const struct chat_shared *shared = material->shared;
	char inside[sizeof "* you are in  (" + TAG];

	snprintf(inside, sizeof inside, "* you are in %s (", shared->tag);
	if (exchange->place == LOBBY) {
		if (!begins(line, length, "* welcome, you are "))
			return wrong(exchange, "not a welcome", line, length);
		exchange->place = ARRIVED;
		return LOAD_MORE;
	}
	if (begins(line, length, "* error: "))
		return wrong(exchange, "error of the server", line, length);
	if (exchange->place == INSIDE)
		return is_event(line, length)
			       ? LOAD_MORE
			       : wrong(exchange, "line that no client has sent", line,
				       length);
	if (!begins(line, length, inside))
		return LOAD_MORE;
	exchange->place = INSIDE;
	return LOAD_COMPLETE;
}

const struct load_protocol load_chat = {
	.name = "chat",
	.pattern = LOAD_BROADCAST,
	.loads = 1U << LOAD_ROOM | 1U << LOAD_TALK | 1U << LOAD_IDLE,
	.shortest = LOAD_STAMP + 1,
	.longest = LONGEST,
	.state_size = sizeof(struct chat_state),
	.shared_size = sizeof(struct chat_shared),
	.fill = chat_fill,
	.begin = chat_begin,
	.check = chat_check,
	.heading = chat_heading,
	.sender = chat_sender,
};
