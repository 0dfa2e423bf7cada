/*
 * protocol - the protocols that can be loaded: the small services, and the list of all.
 *
 * A small service is an entry of function pointers here. Larger protocols have files of
 * their own (http.c, chat.c, file.c). Lower files (bytes.c) hold what several protocols
 * need.
 */
#include "client/load/protocol.h"

#include <stdio.h>
#include <string.h>

#include "client/load/bytes.h"
#include "client/load/load.h"

static const char *const kind_names[LOAD_KINDS] = {
	[LOAD_CONVERSATIONS] = "conversations",
	[LOAD_CONNECTIONS] = "connections",
	[LOAD_ROOM] = "room",
	[LOAD_TALK] = "talk",
	[LOAD_IDLE] = "idle",
	[LOAD_BULK] = "bulk",
};

const char *load_kind_name(enum load_kind kind)
{
	return kind_names[kind];
}

bool load_kind_find(const char *name, enum load_kind *kind)
{
	for (int i = 0; i < LOAD_KINDS; i++) {
		if (strcmp(kind_names[i], name) == 0) {
			*kind = (enum load_kind)i;
			return true;
		}
	}
	return false;
}

/* ---- requests ------------------------------------------------------------------------------ */

static void letters_fill(const struct load_material *material, char *block, size_t size)
{
	(void)material;
	load_letters(block, size);
}

static void letters_begin(const struct load_material *material,
			  struct load_exchange *exchange)
{
	exchange->request = material->block +
			    load_letters_offset(exchange->connection, exchange->sequence);
	exchange->length = material->size;
}

/* The first message of the block is a line. All requests are equal, because the
 * reply does not identify its request. */
static void line_fill(const struct load_material *material, char *block, size_t size)
{
	load_letters(block, size);
	block[material->size - 1] = '\n';
}

static void line_begin(const struct load_material *material,
		       struct load_exchange *exchange)
{
	exchange->request = material->block;
	exchange->length = material->size;
	exchange->place = 0;
}

/* On a stream the server sends without a request. */
static void unasked_begin(const struct load_material *material,
			  struct load_exchange *exchange)
{
	exchange->request = material->block;
	exchange->length = material->datagrams ? material->size : 0;
	if (material->datagrams)
		exchange->place = 0;
}

/* The request of the user, for a service that has no protocol here. */
static size_t request_compose(const struct load_plan *plan, char *block, size_t size)
{
	size_t length = plan->request.length;

	if (size > 0)
		memcpy(block, plan->request.bytes, length < size ? length : size);
	return length;
}

static void request_begin(const struct load_material *material,
			  struct load_exchange *exchange)
{
	exchange->request = material->block;
	exchange->length = material->size;
}

/* ---- replies ------------------------------------------------------------------------------- */

static enum load_verdict echo_check(const struct load_material *material,
				    struct load_exchange *exchange, const char *bytes,
				    size_t length)
{
	size_t left = exchange->length - exchange->received;

	(void)material;
	if (length > left ||
	    memcmp(bytes, exchange->request + exchange->received, length) != 0)
		return load_wrong_bytes(exchange, exchange->received,
					exchange->request + exchange->received, left,
					bytes, length);
	return length == left ? LOAD_COMPLETE : LOAD_MORE;
}

/* Exactly the expected bytes. */
static enum load_verdict request_check(const struct load_material *material,
				       struct load_exchange *exchange, const char *bytes,
				       size_t length)
{
	size_t at = exchange->received, left = material->reply_length - at;

	if (length > left || memcmp(bytes, material->reply + at, length) != 0)
		return load_wrong_bytes(exchange, at, material->reply + at, left, bytes,
					length);
	return length == left ? LOAD_COMPLETE : LOAD_MORE;
}

/* Any non-empty line: no control characters but tab, and a newline, with or without
 * a carriage return, at its end. exchange->place is 1 after it. */
static enum load_verdict line_check(const struct load_material *material,
				    struct load_exchange *exchange, const char *bytes,
				    size_t length)
{
	(void)material;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (exchange->place != 0 || byte == 127 ||
		    (byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n') ||
		    (byte == '\n' && exchange->received + i == 0)) {
			char got[LOAD_SHOWN_TEXT];

			load_show_bytes(bytes + i, length - i, got);
			failure_set(exchange->wrong, "byte %zu: got \"%s\", expected %s",
				    exchange->received + i + 1, got,
				    exchange->place != 0 ? "nothing after one line"
							 : "the text of a line");
			return LOAD_WRONG;
		}
		exchange->place = byte == '\n';
	}
	return exchange->place != 0 ? LOAD_COMPLETE : LOAD_MORE;
}

/* Wrong text, or no newline after it. */
static enum load_verdict wrong_text(const struct load_material *material,
				    struct load_exchange *exchange, const char *bytes,
				    size_t length)
{
	size_t at = exchange->received, left = material->reply_length + 1 - at;
	size_t text = left > 0 ? left - 1 : 0, piece = length < text ? length : text;

	if (memcmp(bytes, material->reply + at, piece) != 0)
		return load_wrong_bytes(exchange, at, material->reply + at, text, bytes,
					length);
	return load_wrong_bytes(exchange, at + piece, "\n", left > 0, bytes + piece,
				length - piece);
}

/* The expected text and a newline. */
static enum load_verdict text_check(const struct load_material *material,
				    struct load_exchange *exchange, const char *bytes,
				    size_t length)
{
	size_t whole = material->reply_length + 1, left = whole - exchange->received;
	bool ends = length == left;

	if (material->reply_length == 0)
		return line_check(material, exchange, bytes, length);
	if (length > left || (ends && bytes[length - 1] != '\n') ||
	    memcmp(bytes, material->reply + exchange->received, length - ends) != 0)
		return wrong_text(material, exchange, bytes, length);
	return ends ? LOAD_COMPLETE : LOAD_MORE;
}

/* The server closes after a greeting, which is complete if its line is. */
static enum load_verdict greeting_end(const struct load_material *material,
				      struct load_exchange *exchange)
{
	bool whole = material->reply_length == 0
			     ? exchange->place != 0
			     : exchange->received == material->reply_length + 1;

	return whole ? LOAD_COMPLETE : LOAD_MORE;
}

/* ---- the characters of RFC 864 --------------------------------------------------------------- */

enum {
	CHARACTERS = 95, /* printable ones: from ' ' to '~' */
	WIDTH = 72,
	LINE = WIDTH + 2, /* with CR and LF */
	PERIOD = CHARACTERS * LINE,
	CHARGEN_DATAGRAM = 512, /* bytes of the longest datagram */
};

/* A piece of the stream may start anywhere in its period. */
_Static_assert(PERIOD + CHARGEN_DATAGRAM <= LOAD_OFFSETS, "a piece may leave the block");

static void chargen_fill(const struct load_material *material, char *block, size_t size)
{
	(void)material;
	for (size_t i = 0; i < size; i++) {
		size_t line = i / LINE, column = i % LINE;

		if (column < WIDTH)
			block[i] = (char)(' ' + (line + column) % CHARACTERS);
		else
			block[i] = column == WIDTH ? '\r' : '\n';
	}
}

/* RFC 864 does not define the first line, so the first character selects it. From
 * there on every byte is known: exchange->place is 1 plus the offset of the next
 * byte in the period. On a stream an exchange is the next piece with the size of a
 * message; a datagram may have any length. */
static enum load_verdict chargen_check(const struct load_material *material,
				       struct load_exchange *exchange, const char *bytes,
				       size_t length)
{
	size_t left = material->datagrams ? CHARGEN_DATAGRAM
					  : material->size - exchange->received;

	if (exchange->place == 0 && (bytes[0] < ' ' || bytes[0] > '~'))
		return load_wrong_bytes(exchange, 0, " ", 1, bytes, length);
	if (exchange->place == 0)
		exchange->place = (size_t)(bytes[0] - ' ') * LINE + 1;
	if (length > left ||
	    memcmp(bytes, material->block + exchange->place - 1, length) != 0)
		return load_wrong_bytes(exchange, exchange->received,
					material->block + exchange->place - 1, left,
					bytes, length);
	exchange->place = (exchange->place - 1 + length) % PERIOD + 1;
	return length == left || material->datagrams ? LOAD_COMPLETE : LOAD_MORE;
}

/* ---- all of them --------------------------------------------------------------------------- */

#define KIND(name) (1U << LOAD_##name)

enum { LONGEST_LINE = 64 * 1024 }; /* longest line of replyd, with its newline */

static const struct load_protocol echo = {
	.name = "echo",
	.pattern = LOAD_REPLIES,
	.loads = KIND(CONVERSATIONS) | KIND(CONNECTIONS) | KIND(IDLE) | KIND(BULK),
	.datagram_loads = KIND(CONVERSATIONS) | KIND(CONNECTIONS) | KIND(BULK),
	.mirrors = true,
	.fill = letters_fill,
	.begin = letters_begin,
	.check = echo_check,
};

static const struct load_protocol reply = {
	.name = "reply",
	.pattern = LOAD_REPLIES,
	.loads = KIND(CONVERSATIONS) | KIND(CONNECTIONS) | KIND(IDLE),
	.datagram_loads = KIND(CONVERSATIONS) | KIND(CONNECTIONS),
	.longest = LONGEST_LINE,
	.takes_reply = true,
	.reply = "Message received",
	.fill = line_fill,
	.begin = line_begin,
	.check = text_check,
};

static const struct load_protocol discard = {
	.name = "discard",
	.pattern = LOAD_SINK,
	.loads = KIND(BULK),
	.datagram_loads = KIND(BULK),
	.fill = letters_fill,
	.begin = letters_begin,
};

static const struct load_protocol chargen = {
	.name = "chargen",
	.pattern = LOAD_SOURCE,
	.loads = KIND(BULK),
	.datagram_loads = KIND(BULK),
	.fill = chargen_fill,
	.begin = unasked_begin,
	.check = chargen_check,
};

static const struct load_protocol daytime = {
	.name = "daytime",
	.pattern = LOAD_GREETING,
	.loads = KIND(CONNECTIONS),
	.datagram_loads = KIND(CONVERSATIONS) | KIND(CONNECTIONS),
	.fill = letters_fill,
	.begin = unasked_begin,
	.check = line_check,
	.end = greeting_end,
};

static const struct load_protocol greet = {
	.name = "greet",
	.pattern = LOAD_GREETING,
	.loads = KIND(CONNECTIONS),
	.datagram_loads = KIND(CONVERSATIONS) | KIND(CONNECTIONS),
	.takes_reply = true,
	.reply = "Welcome to the server",
	.fill = letters_fill,
	.begin = unasked_begin,
	.check = text_check,
	.end = greeting_end,
};

static const struct load_protocol request = {
	.name = "request",
	.pattern = LOAD_REPLIES,
	.loads = KIND(CONVERSATIONS) | KIND(CONNECTIONS) | KIND(IDLE),
	.takes_request = true,
	.compose = request_compose,
	.begin = request_begin,
	.check = request_check,
};

static const struct load_protocol *const protocols[] = {
	&echo,  &reply,     &discard,   &chargen,   &daytime,
	&greet, &load_http, &load_chat, &load_file, &request,
};

enum { PROTOCOLS = sizeof protocols / sizeof protocols[0] };

const struct load_protocol *load_protocol_find(const char *name)
{
	for (size_t i = 0; i < PROTOCOLS; i++)
		if (strcmp(protocols[i]->name, name) == 0)
			return protocols[i];
	return NULL;
}

const char *load_protocol_names(char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < PROTOCOLS && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s",
					 i > 0 ? ", " : "", protocols[i]->name);
	return out;
}

unsigned load_protocol_loads(const struct load_protocol *protocol, bool datagrams)
{
	return datagrams ? protocol->datagram_loads : protocol->loads;
}
