/*
 * protocols - the requests and replies of each protocol.
 *
 * Requests have numbers, so that a reply to another client's request is noticed. A reply is
 * known in advance (echo, request), known in its form (http, daytime), or learned.
 */
#include "client/sockcheck/protocols.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/text.h"

struct protocol_kind {
	const char *name;
	unsigned traits;
	void (*ask)(const struct protocol *, struct exchange *);
	/* NULL: the reply is known before, or there is none */
	enum reply_state (*judge)(const struct exchange *, const char *bytes,
				  size_t length, bool ended, size_t *used);
	const char *form; /* of a reply that is not known */
};

const char protocol_names[] =
	"echo, reply, greet, daytime, discard, http, chat, file, counter, request";

/* ---- requests ---------------------------------------------------------------------------- */

static void set_request(struct exchange *exchange, const char *text)
{
	size_t length = strlen(text);

	memcpy(exchange->request, text, length);
	exchange->request_length = length;
	exchange->line_length = length - (length > 0 && text[length - 1] == '\n' ? 1 : 0);
}

static void ask_line(const struct protocol *protocol, struct exchange *exchange)
{
	char line[64];

	(void)protocol;
	snprintf(line, sizeof line, "line %u of sockcheck\n", exchange->number);
	set_request(exchange, line);
}

/* The same as a long line. */
static void lengthen(struct exchange *exchange)
{
	memset(exchange->request + exchange->line_length, '.',
	       PROTOCOL_LONG - exchange->line_length);
	exchange->request[PROTOCOL_LONG - 1] = '\n';
	exchange->request_length = PROTOCOL_LONG;
	exchange->line_length = PROTOCOL_LONG - 1;
}

static void ask_echo(const struct protocol *protocol, struct exchange *exchange)
{
	ask_line(protocol, exchange);
	if (exchange->number >= PROTOCOL_LONG_FROM)
		lengthen(exchange);
	memcpy(exchange->reply, exchange->request, exchange->request_length);
	exchange->reply_length = exchange->request_length;
}

static void ask_nothing(const struct protocol *protocol, struct exchange *exchange)
{
	(void)protocol;
	set_request(exchange, "");
}

static void ask_http(const struct protocol *protocol, struct exchange *exchange)
{
	set_request(exchange, protocol_has(protocol, PROTOCOL_CLOSES)
				      ? "GET / HTTP/1.1\r\nHost: localhost\r\n"
					"Connection: close\r\n\r\n"
				      : "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

/* A file that is not there: the request changes nothing on the server. */
static void ask_file(const struct protocol *protocol, struct exchange *exchange)
{
	char line[96];

	(void)protocol;
	snprintf(line, sizeof line, "GET sockcheck-%ld-%u nosum\n", (long)getpid(),
		 exchange->number);
	set_request(exchange, line);
}

static void ask_count(const struct protocol *protocol, struct exchange *exchange)
{
	(void)protocol;
	set_request(exchange, "+\n");
}

static void ask_request(const struct protocol *protocol, struct exchange *exchange)
{
	memcpy(exchange->request, protocol->request, protocol->request_length);
	exchange->request_length = protocol->request_length;
	exchange->line_length = protocol->request_length;
	memcpy(exchange->reply, protocol->expect, protocol->expect_length);
	exchange->reply_length = protocol->expect_length;
}

/* ---- replies ----------------------------------------------------------------------------- */

static enum reply_state judge_line(const struct exchange *exchange, const char *bytes,
				   size_t length, bool ended, size_t *used)
{
	const char *newline = memchr(bytes, '\n', length);

	(void)exchange;
	(void)ended;
	*used = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
	return newline != NULL ? REPLY_RIGHT : REPLY_INCOMPLETE;
}

/* The text until the server closes. */
static enum reply_state judge_text(const struct exchange *exchange, const char *bytes,
				   size_t length, bool ended, size_t *used)
{
	(void)exchange;
	(void)bytes;
	*used = length;
	return ended && length > 0 ? REPLY_RIGHT : REPLY_INCOMPLETE;
}

static enum reply_state judge_number(const struct exchange *exchange, const char *bytes,
				     size_t length, bool ended, size_t *used)
{
	enum reply_state state = judge_line(exchange, bytes, length, ended, used);
	size_t digits = 0;

	while (digits < length && isdigit((unsigned char)bytes[digits]))
		digits++;
	if (digits == length || (digits > 0 && bytes[digits] == '\n'))
		return state;
	return REPLY_WRONG;
}

static enum reply_state judge_error(const struct exchange *exchange, const char *bytes,
				    size_t length, bool ended, size_t *used)
{
	if (strncmp(bytes, "ERR ", length < 4 ? length : 4) != 0)
		return REPLY_WRONG;
	return judge_line(exchange, bytes, length, ended, used);
}

/* A line of the room that contains the one that was sent. Lines about other things go before. */
static enum reply_state judge_room(const struct exchange *exchange, const char *bytes,
				   size_t length, bool ended, size_t *used)
{
	size_t at = 0;

	(void)ended;
	while (at < length) {
		const char *newline = memchr(bytes + at, '\n', length - at);
		size_t end = newline != NULL ? (size_t)(newline - bytes) + 1 : length;

		for (size_t i = at; newline != NULL && i + exchange->line_length <= end;
		     i++)
			if (memcmp(bytes + i, exchange->request, exchange->line_length) ==
			    0) {
				*used = end;
				return REPLY_RIGHT;
			}
		at = end;
	}
	return REPLY_INCOMPLETE;
}

/* The value of a field of the head, without the blanks before it, or NULL. */
static const char *find_field(const char *head, size_t length, const char *name)
{
	size_t name_length = strlen(name);

	for (size_t i = 0; i + name_length < length; i++)
		if (head[i] == '\n' &&
		    strncasecmp(head + i + 1, name, name_length) == 0) {
			const char *value = head + i + 1 + name_length;

			return value +
			       strspn(value, " \t"); /* the head ends with a newline */
		}
	return NULL;
}

static size_t head_length(const char *bytes, size_t length)
{
	for (size_t i = 0; i + 1 < length; i++) {
		if (bytes[i] != '\n')
			continue;
		if (bytes[i + 1] == '\n')
			return i + 2;
		if (i + 2 < length && bytes[i + 1] == '\r' && bytes[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

/* Where the line at @p at ends. @return the start of the next one, or 0 if it has no end yet */
static size_t next_line(const char *bytes, size_t at, size_t length)
{
	const char *newline = memchr(bytes + at, '\n', length - at);

	return newline == NULL ? 0 : (size_t)(newline - bytes) + 1;
}

/* A body of chunks, each with its length in hexadecimal in a line before it. The last one has length
 * 0. Lines of fields may follow it, then an empty line (RFC 9112, 7.1). */
static enum reply_state judge_chunks(const char *bytes, size_t length, size_t at,
				     size_t *used)
{
	size_t chunk, next;

	do {
		next = next_line(bytes, at, length);
		if (next == 0)
			return REPLY_INCOMPLETE;
		if (!isxdigit((unsigned char)bytes[at]))
			return REPLY_WRONG;
		chunk = strtoul(bytes + at, NULL, 16);
		if (chunk > length - next)
			return REPLY_INCOMPLETE;
		at = next + chunk;
		if (chunk > 0) {
			at = next_line(bytes, at, length);
			if (at == 0)
				return REPLY_INCOMPLETE;
			if (at > next + chunk + 2)
				return REPLY_WRONG;
		}
	} while (chunk > 0);
	while ((next = next_line(bytes, at, length)) > 0) {
		bool empty = next == at + 1 || (next == at + 2 && bytes[at] == '\r');

		at = next;
		*used = at;
		if (empty)
			return REPLY_RIGHT;
	}
	return REPLY_INCOMPLETE;
}

static bool is_chunked(const char *bytes, size_t head)
{
	const char *coding = find_field(bytes, head, "Transfer-Encoding:");

	return coding != NULL && strncasecmp(coding, "chunked", 7) == 0;
}

static enum reply_state judge_http(const struct exchange *exchange, const char *bytes,
				   size_t length, bool ended, size_t *used)
{
	static const char start[] = "HTTP/1.";
	size_t head = head_length(bytes, length);
	const char *field;
	size_t body;

	(void)exchange;
	if (strncmp(bytes, start, length < 7 ? length : 7) != 0)
		return REPLY_WRONG;
	if (head == 0)
		return REPLY_INCOMPLETE;
	if (is_chunked(bytes, head))
		return judge_chunks(bytes, length, head, used);
	field = find_field(bytes, head, "Content-Length:");
	if (field == NULL) {
		*used = length;
		return ended ? REPLY_RIGHT : REPLY_INCOMPLETE;
	}
	body = strtoul(field, NULL, 10);
	if (length - head < body)
		return REPLY_INCOMPLETE;
	*used = head + body;
	return REPLY_RIGHT;
}

bool protocol_announces_end(const struct protocol *protocol, const char *reply,
			    size_t length)
{
	const char *value = NULL;

	if (protocol->kind->judge == judge_http)
		value = find_field(reply, head_length(reply, length), "Connection:");
	return value != NULL && strncasecmp(value, "close", 5) == 0;
}

/* ---- the protocols ----------------------------------------------------------------------- */

enum {
	LINES = PROTOCOL_LINES | PROTOCOL_DATAGRAMS,
	FIRST = PROTOCOL_SPEAKS_FIRST | PROTOCOL_CLOSES | PROTOCOL_DATAGRAMS
};

static const struct protocol_kind kinds[] = {
	{ "echo", LINES | PROTOCOL_ECHOES, ask_echo, NULL, NULL },
	{ "reply", LINES, ask_line, judge_line, "a line" },
	{ "greet", FIRST, ask_nothing, judge_text, "a message, and the end" },
	{ "daytime", FIRST, ask_nothing, judge_text, "the time, and the end" },
	{ "discard", PROTOCOL_SILENT, ask_line, NULL, NULL },
	{ "http", PROTOCOL_MAY_CLOSE, ask_http, judge_http, "an HTTP response" },
	{ "chat", PROTOCOL_ROOM, ask_line, judge_room, "the line of the other client" },
	{ "file", PROTOCOL_LINES, ask_file, judge_error, "'ERR ...' for a missing file" },
	{ "counter", PROTOCOL_LINES | PROTOCOL_COUNTS, ask_count, judge_number,
	  "a number" },
	{ "request", PROTOCOL_DATAGRAMS | PROTOCOL_MAY_CLOSE, ask_request, NULL, NULL },
};

bool protocol_find(struct protocol *protocol, const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0) {
			protocol->kind = &kinds[i];
			protocol->traits = kinds[i].traits;
			return true;
		}
	return false;
}

const char *protocol_name(const struct protocol *protocol)
{
	return protocol->kind->name;
}

bool protocol_has(const struct protocol *protocol, unsigned traits)
{
	return protocol->traits & traits;
}

void protocol_exchange(const struct protocol *protocol, unsigned number,
		       struct exchange *exchange)
{
	exchange->number = number;
	exchange->reply_length = 0;
	protocol->kind->ask(protocol, exchange);
}

/* ---- what is learned --------------------------------------------------------------------- */

/* The part of a reply that stays the same: of http the body, as the head has a date. */
static size_t skip_head(const struct protocol *protocol, const char *bytes, size_t length)
{
	return protocol->kind->judge == judge_http ? head_length(bytes, length) : 0;
}

static const char *find_bytes(const char *bytes, size_t length, const char *part,
			      size_t part_length)
{
	for (size_t i = 0; part_length > 0 && i + part_length <= length; i++)
		if (memcmp(bytes + i, part, part_length) == 0)
			return bytes + i;
	return NULL;
}

static bool fits_learned(const struct protocol *protocol, const char *request,
			 size_t line_length, const char *bytes, size_t length)
{
	size_t about = protocol->about ? line_length : 0;

	return length == protocol->before_length + about + protocol->after_length &&
	       memcmp(bytes, protocol->before, protocol->before_length) == 0 &&
	       memcmp(bytes + protocol->before_length, request, about) == 0 &&
	       memcmp(bytes + protocol->before_length + about, protocol->after,
		      protocol->after_length) == 0;
}

void protocol_learn(struct protocol *protocol, const struct exchange *first,
		    const char *reply, size_t length, const struct exchange *second,
		    const char *other_reply, size_t other_length)
{
	size_t skipped = skip_head(protocol, reply, length);
	const char *about;

	if (protocol->kind->judge == NULL || protocol_has(protocol, PROTOCOL_COUNTS) ||
	    protocol_has(protocol, PROTOCOL_ROOM) ||
	    protocol->kind->judge == judge_error ||
	    strcmp(protocol->kind->name, "daytime") == 0)
		return;
	reply += skipped;
	length -= skipped;
	skipped = skip_head(protocol, other_reply, other_length);
	if (length > PROTOCOL_TEXT)
		return;
	about = find_bytes(reply, length, first->request, first->line_length);
	protocol->about = about != NULL;
	protocol->before_length = about != NULL ? (size_t)(about - reply) : length;
	memcpy(protocol->before, reply, protocol->before_length);
	if (about != NULL) {
		protocol->after_length =
			length - protocol->before_length - first->line_length;
		memcpy(protocol->after, about + first->line_length,
		       protocol->after_length);
	}
	protocol->learned = fits_learned(protocol, second->request, second->line_length,
					 other_reply + skipped, other_length - skipped);
}

/* ---- judging ----------------------------------------------------------------------------- */

static enum reply_state judge_known(const struct exchange *exchange, const char *bytes,
				    size_t length, size_t *used)
{
	size_t most = exchange->reply_length;

	if (memcmp(bytes, exchange->reply, length < most ? length : most) != 0)
		return REPLY_WRONG;
	*used = most;
	return length < most ? REPLY_INCOMPLETE : REPLY_RIGHT;
}

enum reply_state protocol_judge(const struct protocol *protocol,
				const struct exchange *exchange, const char *bytes,
				size_t length, bool ended, size_t *used)
{
	enum reply_state state;
	size_t head;

	if (protocol->kind->judge == NULL || exchange->reply_length > 0)
		return judge_known(exchange, bytes, length, used);
	state = protocol->kind->judge(exchange, bytes, length, ended, used);
	if (state != REPLY_RIGHT || !protocol->learned)
		return state;
	head = skip_head(protocol, bytes, *used);
	return fits_learned(protocol, exchange->request, exchange->line_length,
			    bytes + head, *used - head)
		       ? REPLY_RIGHT
		       : REPLY_WRONG;
}

const char *protocol_expected(const struct protocol *protocol,
			      const struct exchange *exchange, char out[PROTOCOL_SHOWN])
{
	char whole[PROTOCOL_REPLY], text[96];
	size_t length = 0;

	if (exchange->reply_length > 0) {
		memcpy(whole, exchange->reply, exchange->reply_length);
		length = exchange->reply_length;
	} else if (protocol->learned) {
		memcpy(whole, protocol->before, protocol->before_length);
		length = protocol->before_length;
		if (protocol->about) {
			memcpy(whole + length, exchange->request, exchange->line_length);
			length += exchange->line_length;
			memcpy(whole + length, protocol->after, protocol->after_length);
			length += protocol->after_length;
		}
	} else {
		snprintf(out, PROTOCOL_SHOWN, "%s", protocol->kind->form);
		return out;
	}
	text_escape(whole, length, text, sizeof text);
	snprintf(out, PROTOCOL_SHOWN, "'%s'", text);
	return out;
}

/* ---- datagrams --------------------------------------------------------------------------- */

size_t protocol_datagram(const struct protocol *protocol, unsigned number, char *out,
			 size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	char head[32];
	size_t length;

	if (protocol->kind->ask == ask_request) {
		length =
			protocol->request_length < size ? protocol->request_length : size;
		memcpy(out, protocol->request, length);
		return length;
	}
	length = (size_t)snprintf(head, sizeof head, "datagram %u ", number);
	for (size_t i = 0; i < size; i++)
		out[i] = i < length ? head[i] : letters[(i + number) % 26];
	return size;
}

bool protocol_answers(const struct protocol *protocol, const char *request,
		      size_t request_length, const char *reply, size_t reply_length)
{
	if (protocol_has(protocol, PROTOCOL_ECHOES))
		return reply_length == request_length &&
		       memcmp(reply, request, request_length) == 0;
	if (protocol->kind->ask == ask_request)
		return reply_length == protocol->expect_length &&
		       memcmp(reply, protocol->expect, reply_length) == 0;
	return reply_length > 0;
}
