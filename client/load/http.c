/*
 * http - the load's HTTP client: builds a GET request and parses the replies (RFC 9110,
 * 9112).
 *
 * All requests of a load are the same GET. The reply is parsed as it arrives, in pieces of
 * any size:
 *
 *     STATUS ──> FIELDS ──┬──> BODY                         Content-Length
 *        ^         │      ├──> CHUNK_SIZE <──> CHUNK        Transfer-Encoding: chunked
 *        └── 1xx ──┘      └──> ENDLESS                      until the server closes
 *
 * The parser is strict: what a lenient client accepts is an error here, because the server
 * is under test. Of a line that arrives in pieces the start is kept until its end; the body
 * is not kept. The status must be 200. The body must equal the text of -e; without -e it
 * must have the length of the first body of the load.
 */
#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/load/bytes.h"
#include "client/load/load.h"
#include "common/text.h"

enum {
	HEADER_MOST = 32 * 1024, /* bytes of all lines before or after a body */
	CHUNK_LINE_MOST = 1024,  /* ... of the line with the size and the extensions of
				 * a chunk */
	KEPT = 128,              /* ... kept of a line that arrives in pieces */
};

/* Longest body: 2^60 bytes, so that no sum of two lengths overflows. */
static const uint64_t body_most = UINT64_C(1) << 60;

enum part { STATUS, FIELDS, BODY, ENDLESS, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER, DONE };

/* Parser state of a reply. */
struct http_reply {
	enum part part;
	unsigned status;
	bool old;              /* HTTP/1.0 */
	bool closes, stays;    /* Connection: close, keep-alive */
	bool counted, chunked; /* Content-Length, Transfer-Encoding */
	bool return_came;      /* the last byte was a CR */
	size_t lines;          /* bytes of the lines that share a limit */
	size_t line;           /* bytes of this line so far */
	uint64_t left;         /* bytes of the body, or of the chunk, that are still to
			        * arrive */
	uint64_t body;         /* bytes of the body so far */
	char text[KEPT];       /* start of a line that arrives in pieces */
};

/* Of the whole load: length of the first body plus 1; 0: there was none. */
struct http_shared {
	atomic_uint_least64_t first;
};

/* A line without its end. */
struct line {
	const char *text;
	size_t length;
	bool cut; /* its end is missing */
};

/* ---- the request --------------------------------------------------------------------------- */

static unsigned port_number(const char *port)
{
	struct address_query any = { AF_UNSPEC, SOCK_STREAM, false };
	struct addrinfo *list;
	struct address address;

	if (address_resolve(NULL, port, &any, &list, NULL) < 0)
		return 0; /* connecting fails later with a message */
	address_set(&address, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return address_port(&address);
}

/* The Host field (RFC 9110, 7.2): an IPv6 address in brackets, without the
 * interface, which has a meaning on this machine only (RFC 6874, 1). */
static void host_text(const struct load_plan *plan, char *out, size_t size)
{
	size_t length = strcspn(plan->host, "%");
	bool brackets = strchr(plan->host, ':') != NULL;

	if (local_address_is(plan->host)) {
		snprintf(out, size, "localhost");
		return;
	}
	snprintf(out, size, "%s%.*s%s:%u", brackets ? "[" : "", (int)length, plan->host,
		 brackets ? "]" : "", port_number(plan->port));
}

static size_t http_compose(const struct load_plan *plan, char *block, size_t size)
{
	char host[HOST_TEXT + PORT_TEXT];
	int length;

	host_text(plan, host, sizeof host);
	length = snprintf(block, size,
			  "GET %s HTTP/1.1\r\n"
			  "Host: %s\r\n"
			  "User-Agent: loadgen\r\n"
			  "%s\r\n",
			  plan->path != NULL ? plan->path : "/", host,
			  plan->kind == LOAD_CONNECTIONS ? "Connection: close\r\n" : "");
	return length > 0 ? (size_t)length : 0;
}

static void http_begin(const struct load_material *material,
		       struct load_exchange *exchange)
{
	exchange->request = material->block;
	exchange->length = material->size;
	memset(exchange->state, 0, sizeof(struct http_reply));
}

/* ---- lines --------------------------------------------------------------------------------- */

/* RFC 9110, 5.6.2. */
static bool is_token(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) &&
		    (text[i] == '\0' || strchr("!#$%&'*+-.^_`|~", text[i]) == NULL))
			return false;
	return length > 0;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

static struct line trimmed(struct line value)
{
	for (; value.length > 0 && is_blank(value.text[0]); value.length--)
		value.text++;
	while (value.length > 0 && is_blank(value.text[value.length - 1]))
		value.length--;
	return value;
}

/* A number with that many digits in base 10 or 16, and nothing else. */
static bool take_number(const char *text, size_t length, unsigned base, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < length; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = memchr(digits, tolower((unsigned char)text[i]), base);

		if (digit == NULL)
			return false;
		*number = *number * base + (uint64_t)(digit - digits);
		if (*number > body_most)
			return false;
	}
	return length > 0;
}

static enum load_verdict wrong_line(struct load_exchange *exchange, const char *what,
				    struct line line)
{
	char text[100];

	text_escape(line.text, line.length, text, sizeof text);
	failure_set(exchange->wrong, "%s: \"%s\"", what, text);
	return LOAD_WRONG;
}

/* RFC 9112, 4: HTTP-version SP status-code SP [ reason-phrase ] */
static enum load_verdict take_status(struct load_exchange *exchange, struct line line)
{
	struct http_reply *reply = exchange->state;
	const char *text = line.text;
	uint64_t status;

	if (line.length < strlen("HTTP/1.1 200 ") || memcmp(text, "HTTP/1.", 7) != 0 ||
	    (text[7] != '0' && text[7] != '1') || text[8] != ' ' || text[12] != ' ' ||
	    !take_number(text + 9, 3, 10, &status))
		return wrong_line(exchange, "not a status line", line);
	/* The request does not offer another protocol (101). Other interim replies
	 * are allowed. */
	if (status != 200 && (status < 100 || status > 199 || status == 101))
		return wrong_line(exchange, "status", line);
	reply->old = text[7] == '0';
	reply->status = (unsigned)status;
	reply->part = FIELDS;
	return LOAD_MORE;
}

static enum load_verdict take_length(struct load_exchange *exchange, struct line value,
				     struct line line)
{
	struct http_reply *reply = exchange->state;

	if (reply->counted)
		return wrong_line(exchange, "second Content-Length", line);
	if (!take_number(value.text, value.length, 10, &reply->left))
		return wrong_line(exchange, "invalid length", line);
	reply->counted = true;
	return LOAD_MORE;
}

/* Without TE in the request only chunked is allowed, and not from HTTP/1.0 (RFC
 * 9112, 6.1). */
static enum load_verdict take_encoding(struct load_exchange *exchange, struct line value,
				       struct line line)
{
	struct http_reply *reply = exchange->state;

	if (reply->chunked || reply->old || !is_word(value.text, value.length, "chunked"))
		return wrong_line(exchange, "unexpected transfer encoding", line);
	reply->chunked = true;
	return LOAD_MORE;
}

/* A comma-separated list (RFC 9110, 7.6.1). */
static enum load_verdict take_connection(struct load_exchange *exchange,
					 struct line value, struct line line)
{
	struct http_reply *reply = exchange->state;
	const char *at = value.text, *end = value.text + value.length;

	(void)line;
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *after = comma != NULL ? comma : end;
		struct line word =
			trimmed((struct line){ at, (size_t)(after - at), false });

		reply->closes |= is_word(word.text, word.length, "close");
		reply->stays |= is_word(word.text, word.length, "keep-alive");
		at = comma != NULL ? comma + 1 : end;
	}
	return LOAD_MORE;
}

/* RFC 9112, 5: a name directly followed by a colon. A continuation line (obs-fold)
 * starts with a blank, which is not in a name. @return 0 if there is none */
static size_t name_length(struct line line)
{
	const char *colon = memchr(line.text, ':', line.length);
	size_t length = colon != NULL ? (size_t)(colon - line.text) : 0;

	return is_token(line.text, length) ? length : 0;
}

static enum load_verdict take_field(struct load_exchange *exchange, struct line line)
{
	static const struct {
		const char *name;
		enum load_verdict (*take)(struct load_exchange *exchange,
					  struct line value, struct line line);
	} fields[] = {
		{ "Content-Length", take_length },
		{ "Transfer-Encoding", take_encoding },
		{ "Connection", take_connection },
	};
	size_t length = name_length(line);

	if (length == 0)
		return wrong_line(exchange, "not a header field", line);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		struct line value = { line.text + length + 1, line.length - length - 1,
				      line.cut };

		if (!is_word(line.text, length, fields[i].name))
			continue;
		if (line.cut)
			return wrong_line(exchange, "header field too long", line);
		return fields[i].take(exchange, trimmed(value), line);
	}
	return LOAD_MORE;
}

/* The length of the body: RFC 9112, 6.3. */
static enum load_verdict end_fields(struct load_exchange *exchange)
{
	struct http_reply *reply = exchange->state;

	if (reply->status != 200) { /* an interim reply: the final one follows */
		*reply = (struct http_reply){ .lines = reply->lines };
		return LOAD_MORE;
	}
	if (reply->chunked && reply->counted) {
		failure_set(exchange->wrong, "both Content-Length and Transfer-Encoding");
		return LOAD_WRONG;
	}
	if (reply->chunked)
		reply->part = CHUNK_SIZE;
	else if (!reply->counted)
		reply->part = ENDLESS;
	else
		reply->part = reply->left > 0 ? BODY : DONE;
	reply->lines = 0;
	return LOAD_MORE;
}

/* RFC 9112, 7.1: the size, and extensions, which are ignored. */
static enum load_verdict take_chunk_size(struct load_exchange *exchange, struct line line)
{
	struct http_reply *reply = exchange->state;
	const char *extension = memchr(line.text, ';', line.length);
	struct line size = line;

	if (extension != NULL) { /* blanks are allowed only before the extension */
		size.length = (size_t)(extension - line.text);
		while (size.length > 0 && is_blank(size.text[size.length - 1]))
			size.length--;
	}
	if ((line.cut && extension == NULL) ||
	    !take_number(size.text, size.length, 16, &reply->left))
		return wrong_line(exchange, "invalid chunk size", line);
	reply->part = reply->left > 0 ? CHUNK : TRAILER;
	reply->lines = 0;
	return LOAD_MORE;
}

static enum load_verdict take_whole_line(struct load_exchange *exchange, struct line line)
{
	struct http_reply *reply = exchange->state;

	switch (reply->part) {
	case STATUS:
		return take_status(exchange, line);
	case FIELDS:
		return line.length > 0 ? take_field(exchange, line)
				       : end_fields(exchange);
	case CHUNK_SIZE:
		return take_chunk_size(exchange, line);
	case CHUNK_END:
		if (line.length > 0)
			return wrong_line(exchange, "chunk longer than its size", line);
		reply->part = CHUNK_SIZE;
		return LOAD_MORE;
	default: /* TRAILER */
		if (line.length == 0)
			reply->part = DONE;
		else if (name_length(line) == 0)
			return wrong_line(exchange, "not a trailer field", line);
		return LOAD_MORE;
	}
}

/* ---- the bytes that come ------------------------------------------------------------------- */

/* Finds the end of the line and checks each byte: no control characters but tab, CR
 * only before LF, LF only after CR (RFC 9112, 2.2; RFC 9110, 5.5).
 * @return number of bytes that belong to the line; 0 if one is wrong */
static size_t measure_line(struct http_reply *reply, const char *bytes, size_t length,
			   bool *ends)
{
	size_t n = 0;

	*ends = false;
	while (n < length && !*ends) {
		unsigned char byte = (unsigned char)bytes[n++];

		*ends = byte == '\n';
		if (reply->return_came != *ends || byte == 127 ||
		    (byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n'))
			return 0;
		reply->return_came = byte == '\r';
	}
	return n;
}

/* Keeps as much of a piece of a line as fits. */
static void keep(struct http_reply *reply, const char *bytes, size_t length)
{
	size_t space = reply->line < KEPT ? KEPT - reply->line : 0;

	memcpy(reply->text + (KEPT - space), bytes, length < space ? length : space);
	reply->line += length;
}

/* Takes the next bytes of a line. @return their number; 0 if they are wrong */
static size_t take_line(struct load_exchange *exchange, const char *bytes, size_t length)
{
	struct http_reply *reply = exchange->state;
	size_t most = reply->part == CHUNK_SIZE ? CHUNK_LINE_MOST : HEADER_MOST;
	struct line line;
	bool ends;
	size_t n = measure_line(reply, bytes, length, &ends);

	if (n == 0) {
		wrong_line(exchange, "control character, or line end without CR LF",
			   (struct line){ bytes, length, false });
		return 0;
	}
	reply->lines += n;
	if (reply->lines > most) {
		failure_set(exchange->wrong, "header longer than %zu bytes", most);
		return 0;
	}
	line = (struct line){ bytes, n, false };
	if (!ends || reply->line > 0) {
		keep(reply, bytes, n);
		line = (struct line){ reply->text, reply->line, reply->line > KEPT };
	}
	if (!ends)
		return n;
	reply->line = 0;
	if (line.cut)
		line.length = KEPT;
	else
		line.length -= 2; /* CR LF */
	return take_whole_line(exchange, line) == LOAD_WRONG ? 0 : n;
}

/* Whether these bytes of the body equal the expected text, with or without a newline
 * at its end. */
static bool is_expected(const struct load_material *material, uint64_t place,
			const char *bytes, size_t length)
{
	size_t left;

	if (material->reply_length == 0)
		return true;
	if (place + length == material->reply_length + 1 && bytes[length - 1] == '\n')
		length--;
	left = place < material->reply_length ? material->reply_length - (size_t)place
					      : 0;
	return length <= left && memcmp(material->reply + material->reply_length - left,
					bytes, length) == 0;
}

/* The body differs from the text of -e. */
static void describe_body(const struct load_material *material,
			  struct load_exchange *exchange, const char *bytes,
			  size_t length)
{
	const struct http_reply *reply = exchange->state;
	struct failure where = { "" };
	struct load_exchange part = { .wrong = &where };
	uint64_t at = reply->body;

	if (at > material->reply_length) /* the newline after it */
		at = material->reply_length;
	load_wrong_bytes(&part, (size_t)reply->body, material->reply + at,
			 material->reply_length - (size_t)at, bytes, length);
	failure_set(exchange->wrong, "body differs from -e: %.200s", where.text);
}

/* Takes the next bytes of the body. @return their number; 0 if they are wrong */
static size_t take_body(const struct load_material *material,
			struct load_exchange *exchange, const char *bytes, size_t length)
{
	struct http_reply *reply = exchange->state;

	if (reply->part != ENDLESS && length > reply->left)
		length = (size_t)reply->left;
	if (!is_expected(material, reply->body, bytes, length)) {
		describe_body(material, exchange, bytes, length);
		return 0;
	}
	reply->body += length;
	if (reply->part == ENDLESS)
		return length;
	reply->left -= length;
	if (reply->left == 0)
		reply->part = reply->part == CHUNK ? CHUNK_END : DONE;
	return length;
}

/* The reply is complete: checks its length. */
static enum load_verdict judge_whole(const struct load_material *material,
				     struct load_exchange *exchange)
{
	const struct http_reply *reply = exchange->state;
	struct http_shared *shared = material->shared;
	uint64_t before = 0;

	if (reply->body < material->reply_length) {
		failure_set(exchange->wrong, "body of %ju bytes instead of %zu",
			    (uintmax_t)reply->body, material->reply_length);
		return LOAD_WRONG;
	}
	if (material->reply == NULL &&
	    !atomic_compare_exchange_strong(&shared->first, &before, reply->body + 1) &&
	    before != reply->body + 1) {
		failure_set(exchange->wrong,
			    "body of %ju bytes, but the first one had %ju",
			    (uintmax_t)reply->body, (uintmax_t)before - 1);
		return LOAD_WRONG;
	}
	/* RFC 9112, 9.3: HTTP/1.0 must ask for a persistent connection. */
	return reply->closes || (reply->old && !reply->stays) || reply->part == ENDLESS
		       ? LOAD_LAST
		       : LOAD_COMPLETE;
}

static enum load_verdict http_check(const struct load_material *material,
				    struct load_exchange *exchange, const char *bytes,
				    size_t length)
{
	struct http_reply *reply = exchange->state;

	while (length > 0 && reply->part != DONE) {
		bool body = reply->part == BODY || reply->part == ENDLESS ||
			    reply->part == CHUNK;
		size_t n = body ? take_body(material, exchange, bytes, length)
				: take_line(exchange, bytes, length);

		if (n == 0)
			return LOAD_WRONG;
		bytes += n;
		length -= n;
	}
	if (reply->part != DONE)
		return LOAD_MORE;
	if (length > 0)
		return wrong_line(exchange, "data after the reply",
				  (struct line){ bytes, length, false });
	return judge_whole(material, exchange);
}

/* The server has closed. That completes a body without a length; any other reply is
 * incomplete. */
static enum load_verdict http_end(const struct load_material *material,
				  struct load_exchange *exchange)
{
	const struct http_reply *reply = exchange->state;

	return reply->part == ENDLESS ? judge_whole(material, exchange) : LOAD_MORE;
}

const struct load_protocol load_http = {
	.name = "http",
	.pattern = LOAD_REPLIES,
	.loads = 1U << LOAD_CONVERSATIONS | 1U << LOAD_CONNECTIONS | 1U << LOAD_IDLE |
		 1U << LOAD_BULK,
	.hangs_up = true,
	.takes_path = true,
	.takes_reply = true,
	.state_size = sizeof(struct http_reply),
	.shared_size = sizeof(struct http_shared),
	.compose = http_compose,
	.begin = http_begin,
	.check = http_check,
	.end = http_end,
};
