/*
 * checks_basic - requests and replies: how they are cut, joined, and ended.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/sockcheck/checks.h"
#include "client/sockcheck/crowd.h"
#include "client/sockcheck/talk.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "common/text.h"

enum {
	SILENT_CLIENTS = 3,
	PIECE_PAUSE =
		3, /* milliseconds between two pieces: each is a segment of its own */
	PIPELINED = 200,
	MEGABYTE = 1024 * 1024,
	MUCH = 4 * MEGABYTE,          /* of long lines */
	SHORT_REPLIES = MEGABYTE / 4, /* bytes of replies that may be short */
	STREAM_PIECE = 32 * 1024,
	LATE = 30, /* milliseconds after which a late reader reads */
	CROWD_CLIENTS = 128,
	CROWD_PART = 16,
	DELAYED = 12,   /* exchanges whose acknowledgements are delayed */
	DELAY_MS = 30,  /* a delayed acknowledgement takes 40 ms */
	PROMPT_MS = 15, /* without it a reply takes at most this long */
	TOO_MUCH = 256 * 1024
};

/* The server is asked again, in the thread of the check. */
void check_answers(struct check *check)
{
	talk_visit(check, "the client");
}

void check_two_at_once(struct check *check)
{
	struct talk a = TALK_CLOSED, b = TALK_CLOSED;

	if (talk_open(&a, check, "client A") && talk_exchange(&a) &&
	    talk_open(&b, check, "client B, while client A is connected,") &&
	    talk_exchange(&b) && talk_exchange(&a))
		talk_exchange(&b);
	talk_close(&a);
	talk_close(&b);
}

void check_silent_client(struct check *check)
{
	struct talk silent[SILENT_CLIENTS] = { TALK_CLOSED, TALK_CLOSED, TALK_CLOSED };
	bool open = true;

	for (int i = 0; i < SILENT_CLIENTS && open; i++)
		open = talk_start(&silent[i], check, "a silent client") ||
		       check_fail(check, "a silent client cannot connect");
	if (open)
		talk_visit(check, "a client, while three others are silent,");
	for (int i = 0; i < SILENT_CLIENTS; i++)
		talk_close(&silent[i]);
}

void check_own_answers(struct check *check)
{
	crowd_run(check, &(struct crowd){ .clients = CROWD_CLIENTS,
					  .at_once = CROWD_PART,
					  .exchanges = 3 });
}

/* ---- pieces of the input ----------------------------------------------------------------- */

/* Sends a request in two pieces, of which the first has @p at bytes. */
static bool exchange_split(struct talk *talk, size_t at)
{
	struct exchange exchange;
	size_t length;

	protocol_exchange(&talk->check->settings->protocol, talk_number(), &exchange);
	length = exchange.request_length;
	at = at < length ? at : length;
	if (!talk_send(talk, exchange.request, at))
		return false;
	check_pause(talk->check, PIECE_PAUSE);
	return talk_send(talk, exchange.request + at, length - at) &&
	       talk_reply(talk, &exchange);
}

/* Sends a request byte by byte. */
static bool exchange_bytes(struct talk *talk)
{
	struct exchange exchange;

	protocol_exchange(&talk->check->settings->protocol, talk_number(), &exchange);
	for (size_t i = 0; i < exchange.request_length; i++) {
		if (!talk_send(talk, exchange.request + i, 1))
			return false;
		check_pause(talk->check, 1);
	}
	return talk_reply(talk, &exchange);
}

/* A piece that was taken for a request had a reply of its own, so now there are some too many. */
static bool expect_no_more(struct talk *talk)
{
	char shown[80];

	check_pause(talk->check, PIECE_PAUSE);
	talk_receive(talk);
	if (talk->used == 0)
		return true;
	text_escape(talk->received, talk->used < 40 ? talk->used : 40, shown,
		    sizeof shown);
	return check_fail(talk->check,
			  "%s has its reply; but %zu bytes more arrived: '%s'. There are "
			  "more replies than requests",
			  talk->who, talk->used, shown);
}

void check_split_input(struct check *check)
{
	const struct protocol *protocol = &check->settings->protocol;
	struct talk talk = TALK_CLOSED;
	struct exchange exchange;
	char who[96];
	bool right = true;

	protocol_exchange(protocol, talk_number(), &exchange);
	for (size_t i = 1; i < exchange.request_length && right; i++) {
		snprintf(who, sizeof who, "a client with a request in pieces of %zu, %zu",
			 i, exchange.request_length - i);
		if (talk.fd < 0 || protocol_has(protocol, PROTOCOL_CLOSES)) {
			talk_close(&talk);
			right = talk_open(&talk, check, who);
		}
		talk.who = who;
		right = right && exchange_split(&talk, i);
	}
	if (right && protocol_has(protocol, PROTOCOL_CLOSES)) {
		talk_close(&talk);
		right = talk_open(&talk, check, who);
	}
	talk.who = "a client that sends byte by byte";
	if (right && exchange_bytes(&talk))
		expect_no_more(&talk);
	talk_close(&talk);
}

/* Appends a request. @return false if there is no room */
static bool append(char *to, size_t *length, size_t size, const struct exchange *exchange)
{
	if (*length + exchange->request_length > size)
		return false;
	memcpy(to + *length, exchange->request, exchange->request_length);
	*length += exchange->request_length;
	return true;
}

/* Waits for the replies to @p count requests, of which the first had the number @p first. A server
 * may end the connection earlier, if its last reply says so. */
static bool replies(struct talk *talk, unsigned first, unsigned count)
{
	struct exchange exchange;
	char who[96];
	const char *before = talk->who;
	bool right = true;

	for (unsigned i = 0; i < count && right && !talk->announced; i++) {
		snprintf(who, sizeof who, "%s, reply %u of %u,", before, i + 1, count);
		talk->who = who;
		protocol_exchange(&talk->check->settings->protocol, first + i, &exchange);
		right = talk_reply(talk, &exchange);
	}
	talk->who = before;
	return right;
}

/* Numbers of its own, for requests that must follow each other. */
enum { NUMBERS_FROM = 1000000 };

static bool send_many(struct talk *talk, unsigned count)
{
	size_t size = (size_t)count * 128, length = 0;
	char *all = malloc(size);
	struct exchange exchange;
	bool right = all != NULL || check_fail(talk->check, "not enough memory");

	for (unsigned i = 0; i < count && right; i++) {
		protocol_exchange(&talk->check->settings->protocol, NUMBERS_FROM + i,
				  &exchange);
		if (!append(all, &length, size, &exchange))
			break;
	}
	right = right && talk_send(talk, all, length);
	free(all);
	return right;
}

/* How many requests fit into the buffer of send_many(). */
static unsigned fitting(const struct check *check, unsigned wanted)
{
	struct exchange exchange;

	protocol_exchange(&check->settings->protocol, NUMBERS_FROM, &exchange);
	return exchange.request_length <= 120 ? wanted : 1;
}

void check_pipelined(struct check *check)
{
	struct talk talk = TALK_CLOSED;
	unsigned count = protocol_has(&check->settings->protocol, PROTOCOL_ROOM)
				 ? 10
				 : fitting(check, PIPELINED);

	if (talk_open(&talk, check, "a client with requests in one segment") &&
	    send_many(&talk, count))
		replies(&talk, NUMBERS_FROM, count);
	talk_close(&talk);
}

/* ---- all bytes ----------------------------------------------------------------------------
 *
 * An echo server may send back each piece at once, or each line when it is whole, and what is left
 * when the client has half-closed. Both are right.
 */

enum { BYTE_VALUES = 256 };

/* A line that ends as on Windows, all byte values, and a last line without a newline.
 * @return the length */
static size_t make_all_bytes(char out[PROTOCOL_REQUEST], size_t *tail)
{
	static const char first[] = "a line\r\n", last[] = "no newline ends this";
	size_t length = sizeof first - 1;

	memcpy(out, first, length);
	for (int value = 0; value < BYTE_VALUES; value++)
		out[length++] = (char)value;
	out[length++] = '\n';
	*tail = sizeof last - 1;
	memcpy(out + length, last, *tail);
	return length + *tail;
}

/* Says which byte is the first that is wrong. */
static bool fail_bytes(struct talk *talk, const struct exchange *exchange, size_t tail,
		       const char *why)
{
	const char *sent = exchange->reply, *got = talk->received;
	size_t length = exchange->reply_length, same = 0;

	while (same < talk->used && same < length && got[same] == sent[same])
		same++;
	if (same < talk->used && same < length)
		return check_fail(talk->check,
				  "%s sent %zu bytes; byte %zu was 0x%02x and came back "
				  "as 0x%02x",
				  talk->who, length, same + 1,
				  (unsigned)(unsigned char)sent[same],
				  (unsigned)(unsigned char)got[same]);
	if (talk->ended && !check_end_explains(talk->check, talk->who))
		why = talk->error != 0 ? strerror(talk->error) : "the server closed";
	if (same == length - tail)
		return check_fail(talk->check,
				  "%s sent %zu bytes; the last %zu, which no newline "
				  "ends, did not come back; %s",
				  talk->who, length, tail, why);
	return check_fail(
		talk->check,
		"%s sent %zu bytes; %zu came back, and not byte %zu, 0x%02x; %s",
		talk->who, length, same, same + 1, (unsigned)(unsigned char)sent[same],
		why);
}

/* Waits for all bytes; half-closes when no more come. */
static bool bytes_return(struct talk *talk, const struct exchange *exchange, size_t tail,
			 bool *half_closed)
{
	struct check_wait wait;
	enum reply_state state;
	const char *why = "";

	check_wait_begin(&wait);
	for (;;) {
		talk_receive(talk);
		state = talk_look(talk, exchange);
		if (state == REPLY_RIGHT)
			return true;
		if (state == REPLY_WRONG)
			return fail_bytes(talk, exchange, tail, why);
		io_wait(talk->hearer, POLLIN, PIECE_PAUSE);
		if (!check_wait_is_over(talk->check, &wait, talk->bytes, &why))
			continue;
		if (*half_closed)
			return fail_bytes(talk, exchange, tail, why);
		shutdown(talk->fd, SHUT_WR);
		*half_closed = true;
		check_wait_begin(&wait);
	}
}

void check_all_bytes(struct check *check)
{
	struct talk talk = TALK_CLOSED;
	struct exchange exchange = { 0 };
	bool half_closed = false;
	size_t tail;

	exchange.request_length = make_all_bytes(exchange.request, &tail);
	exchange.reply_length = make_all_bytes(exchange.reply, &tail);
	if (talk_open(&talk, check, "a client") &&
	    talk_send(&talk, exchange.request, exchange.request_length) &&
	    bytes_return(&talk, &exchange, tail, &half_closed)) {
		if (half_closed)
			talk_expect_end(&talk);
		else
			expect_no_more(&talk);
	}
	talk_close(&talk);
}

void check_half_close(struct check *check)
{
	const struct protocol *protocol = &check->settings->protocol;
	struct talk talk = TALK_CLOSED;
	bool one = protocol_has(protocol, PROTOCOL_CLOSES | PROTOCOL_COUNTS);
	unsigned count = one ? 1 : fitting(check, PIPELINED);

	if (!talk_open(&talk, check, "a client that has half-closed") ||
	    !send_many(&talk, count)) {
		talk_close(&talk);
		return;
	}
	shutdown(talk.fd, SHUT_WR);
	if (protocol_has(protocol, PROTOCOL_SILENT) ||
	    replies(&talk, NUMBERS_FROM, count))
		talk_expect_end(&talk);
	talk_close(&talk);
}

/* ---- much output ------------------------------------------------------------------------- */

/* Many requests, and their replies in the same order. */
struct stream {
	struct talk *talk;
	unsigned first;            /* number of the first request */
	unsigned made, got, count; /* requests */
	struct exchange exchange;
	char bytes
		[STREAM_PIECE]; /* requests, of which those from sent to length are not sent */
	size_t sent, length;
	uint64_t all; /* bytes sent */
};

static void stream_make(struct stream *stream)
{
	stream->sent = stream->length = 0;
	while (stream->made < stream->count) {
		protocol_exchange(&stream->talk->check->settings->protocol,
				  stream->first + stream->made, &stream->exchange);
		if (!append(stream->bytes, &stream->length, STREAM_PIECE,
			    &stream->exchange))
			return;
		stream->made++;
	}
}

static bool stream_is_sent(const struct stream *stream)
{
	return stream->made == stream->count && stream->sent == stream->length;
}

/* Sends until the server takes no more. What is wrong will be seen by recv(2). */
static void stream_send(struct stream *stream)
{
	while (!stream_is_sent(stream)) {
		ssize_t n;

		if (stream->sent == stream->length)
			stream_make(stream);
		n = sock_send(stream->talk->fd, stream->bytes + stream->sent,
			      stream->length - stream->sent, false);
		if (n < 0)
			return;
		stream->sent += (size_t)n;
		stream->all += (uint64_t)n;
	}
}

/* Takes the replies that have arrived. @return false: one was wrong */
static bool stream_receive(struct stream *stream)
{
	const struct protocol *protocol = &stream->talk->check->settings->protocol;
	struct talk *talk = stream->talk;
	size_t at = 0, used;

	talk_receive(talk);
	while (stream->got < stream->count) {
		enum reply_state state;

		protocol_exchange(protocol, stream->first + stream->got,
				  &stream->exchange);
		state = protocol_judge(protocol, &stream->exchange, talk->received + at,
				       talk->used - at, talk->ended, &used);
		if (state == REPLY_WRONG || (state == REPLY_INCOMPLETE && talk->ended)) {
			talk->used -= at;
			memmove(talk->received, talk->received + at, talk->used);
			return talk_fail_reply(talk, &stream->exchange, "");
		}
		if (state == REPLY_INCOMPLETE)
			break;
		talk->announced =
			protocol_announces_end(protocol, talk->received + at, used);
		at += used;
		stream->got++;
		if (talk->announced)
			break;
	}
	talk->used -= at;
	memmove(talk->received, talk->received + at, talk->used);
	return true;
}

static bool stream_run(struct stream *stream)
{
	struct talk *talk = stream->talk;
	struct check_wait wait;
	const char *why;
	char who[128];

	check_wait_begin(&wait);
	while (stream->got < stream->count) {
		stream_send(stream);
		if (!stream_receive(stream))
			return false;
		if (stream->got == stream->count || talk->announced)
			break;
		io_wait(talk->hearer,
			(short)(POLLIN | (stream_is_sent(stream) ? 0 : POLLOUT)), 20);
		if (check_wait_is_over(talk->check, &wait, talk->bytes, &why)) {
			snprintf(who, sizeof who, "%s, reply %u of %u,", talk->who,
				 stream->got + 1, stream->count);
			talk->who = who;
			return talk_fail_reply(talk, &stream->exchange, why);
		}
	}
	return true;
}

static unsigned long_requests(const struct talk *talk)
{
	return protocol_has(&talk->check->settings->protocol, PROTOCOL_ECHOES)
		       ? PROTOCOL_LONG_FROM
		       : NUMBERS_FROM;
}

void check_partial_writes(struct check *check)
{
	struct talk talk = TALK_CLOSED;
	struct stream *stream = calloc(1, sizeof *stream);
	uint64_t before = 1;

	if (stream == NULL) {
		check_fail(check, "not enough memory");
		return;
	}
	if (talk_open(&talk, check, "a late reader") && talk_exchange(&talk)) {
		stream->talk = &talk;
		stream->first = long_requests(&talk);
		stream->count =
			(unsigned)(stream->first == PROTOCOL_LONG_FROM
					   ? MUCH / PROTOCOL_LONG
					   : SHORT_REPLIES / (talk.reply_length + 1));
		/* first without reading, until the buffers are full or all is sent */
		while (stream->all != before && check_pause(check, LATE)) {
			before = stream->all;
			stream_send(stream);
		}
		if (stream_run(stream) && stream->got < stream->count)
			check_skip(
				check,
				"the server announces after %u replies that it closes: "
				"they are too few",
				stream->got);
	}
	talk_close(&talk);
	free(stream);
}

/* ---- the end ----------------------------------------------------------------------------- */

/* Sends more than the server will read, as far as it takes it. */
static void send_too_much(struct talk *talk)
{
	static const char more[1024] = { 0 };
	size_t sent = 0;

	while (sent < TOO_MUCH) {
		ssize_t n =
			send(talk->fd, more, sizeof more, SOCK_NO_SIGNAL | MSG_DONTWAIT);

		if (n <= 0)
			return;
		sent += (size_t)n;
	}
}

static bool ask_to_close(struct talk *talk)
{
	static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n"
				   "Connection: close\r\n\r\n";
	struct exchange exchange;

	if (strcmp(protocol_name(&talk->check->settings->protocol), "http") == 0)
		return talk_send(talk, http, sizeof http - 1);
	protocol_exchange(&talk->check->settings->protocol, talk_number(), &exchange);
	return talk_send(talk, exchange.request, exchange.request_length);
}

void check_last_bytes(struct check *check)
{
	struct talk talk = TALK_CLOSED;
	struct exchange exchange;
	const struct protocol *protocol = &check->settings->protocol;

	if (!protocol_has(protocol, PROTOCOL_CLOSES) &&
	    strcmp(protocol_name(protocol), "http") != 0) {
		check_skip(check, "needs a protocol in which the server closes");
		return;
	}
	if (!talk_open(&talk, check, "a client that has sent more than the request") ||
	    !ask_to_close(&talk)) {
		talk_close(&talk);
		return;
	}
	send_too_much(&talk);
	check_pause(check, PIECE_PAUSE);
	protocol_exchange(protocol, talk_number(), &exchange);
	if (talk_reply(&talk, &exchange))
		talk_expect_end(&talk);
	talk_close(&talk);
}

/* ---- a delay ----------------------------------------------------------------------------- */

static void acknowledge(int fd, int at_once)
{
#ifdef TCP_QUICKACK
	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &at_once, sizeof at_once);
#else
	(void)fd;
	(void)at_once;
#endif
}

/* The fastest of some exchanges, in milliseconds; -1: the check has failed. */
static int64_t fastest(struct talk *talk, int at_once)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < DELAYED; i++) {
		int64_t began = clock_milliseconds(), took;

		acknowledge(talk->fd, at_once);
		if (!talk_exchange(talk))
			return -1;
		took = clock_milliseconds() - began;
		least = took < least ? took : least;
	}
	return least;
}

void check_no_delay(struct check *check)
{
	struct talk talk = TALK_CLOSED;
	int64_t prompt, delayed;

	if (talk_open(&talk, check, "the client")) {
		prompt = fastest(&talk, 1);
		delayed = prompt < 0 ? -1 : fastest(&talk, 0);
		if (delayed >= DELAY_MS && prompt <= PROMPT_MS)
			check_fail(
				check,
				"each of %d replies took %jd ms or more, but %jd ms if "
				"the client acknowledges at once: the second of two "
				"writes waited",
				DELAYED, (intmax_t)delayed, (intmax_t)prompt);
	}
	talk_close(&talk);
}
