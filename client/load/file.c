/*
 * file - the protocol of filed(8), as spoken by the load: each connection puts a file, then
 * gets it back, repeatedly.
 *
 * The client sends PUT, and the bytes only after the server has replied SEND. The protocol
 * leaves no choice to the server, so every reply is known in advance to the last byte.
 *
 * Each put must have other contents; otherwise a file that was not replaced would go
 * unnoticed. But no bytes are copied, and the checksum must follow them directly. So the
 * contents overlap in the block, each a little later than the one before. The checksum of
 * each follows it, and belongs to the bytes of the next.
 *
 *     block:  xxxxxxxxxxxxxxxxxxxxxxxxxxx SUM 1 xxx SUM 2 xxx SUM 3
 *             `------- content 1 -------´
 *                          `------- content 2 -----´
 *                                      `------ content 3 ---------´
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/load/bytes.h"
#include "client/load/protocol.h"
#include "common/checksum.h"
#include "common/text.h"

enum {
	CONTENTS = 16,
	STEP = 32, /* bytes between two contents: a line with a sum fits in */
	LINE = 120,
	TIME = 1000000000, /* of the first file; each next one is a second younger */
};

_Static_assert((CONTENTS + 1) * STEP <= LOAD_OFFSETS, "the contents leave the block");

/* State of an exchange. */
struct file_state {
	char request[LINE];
	char reply[LINE]; /* expected reply, without the bytes of a file */
	size_t length;    /* length of reply */
	size_t content;   /* number of the content */
	size_t start;     /* exchange->received at the start of this reply */
	bool asked;       /* put: the server has replied SEND */
};

/* Shared by all connections. */
struct file_shared {
	size_t sum_length[CONTENTS]; /* length of the line with the sum */
	uint32_t sum[CONTENTS];
};

static void file_fill(const struct load_material *material, char *block, size_t size)
{
	struct file_shared *shared = material->shared;

	load_letters(block, size);
	for (size_t i = 0; i < CONTENTS; i++) {
		char *content = block + i * STEP, line[STEP];
		struct checksum sum = { 0 };

		checksum_add(&sum, content, material->size);
		shared->sum[i] = checksum_value(&sum);
		shared->sum_length[i] = (size_t)snprintf(
			line, sizeof line, "SUM %" PRIu32 "\n", shared->sum[i]);
		memcpy(content + material->size, line, shared->sum_length[i]);
	}
}

static void expect_line(struct file_state *state, int length)
{
	state->length = (size_t)length;
}

static void begin_put(const struct load_material *material,
		      struct load_exchange *exchange)
{
	struct file_state *state = exchange->state;

	state->content = (exchange->connection + (size_t)exchange->sequence) % CONTENTS;
	exchange->length = (size_t)snprintf(state->request, sizeof state->request,
					    "PUT loadgen/%jd-%u %zu %" PRIu64 "\n",
					    (intmax_t)getpid(), exchange->connection,
					    material->size, TIME + exchange->sequence);
	expect_line(state, snprintf(state->reply, sizeof state->reply, "SEND 0\n"));
}

/* exchange->kept is the sequence number of the last put whose file was not fetched
 * yet. */
static void begin_get(const struct load_material *material,
		      struct load_exchange *exchange)
{
	struct file_state *state = exchange->state;

	state->content = (exchange->connection + (size_t)exchange->kept) % CONTENTS;
	exchange->length = (size_t)snprintf(state->request, sizeof state->request,
					    "GET loadgen/%jd-%u\n", (intmax_t)getpid(),
					    exchange->connection);
	expect_line(state,
		    snprintf(state->reply, sizeof state->reply, "FILE %zu %" PRIu64 "\n",
			     material->size, TIME + exchange->kept));
	exchange->kept = 0;
}

static void file_begin(const struct load_material *material,
		       struct load_exchange *exchange)
{
	struct file_state *state = exchange->state;

	state->start = 0;
	state->asked = false;
	exchange->upload = exchange->kept == 0;
	if (exchange->upload)
		begin_put(material, exchange);
	else
		begin_get(material, exchange);
	exchange->request = state->request;
}

/* Requests the file of the first honest connection, because an upload must wait for SEND. */
static void file_begin_unread(const struct load_material *material,
			      struct load_exchange *exchange)
{
	exchange->connection = 0;
	exchange->kept = 1;
	file_begin(material, exchange);
}

/* The server has replied SEND: sends the bytes and their sum. */
static enum load_verdict send_content(const struct load_material *material,
				      struct load_exchange *exchange)
{
	const struct file_shared *shared = material->shared;
	struct file_state *state = exchange->state;

	state->asked = true;
	state->start += state->length;
	exchange->request = material->block + state->content * STEP;
	exchange->length = material->size + shared->sum_length[state->content];
	expect_line(state,
		    snprintf(state->reply, sizeof state->reply, "DONE %zu %" PRIu32 "\n",
			     material->size, shared->sum[state->content]));
	return LOAD_ASKED;
}

static enum load_verdict wrong_line(struct load_exchange *exchange, const char *bytes,
				    size_t length)
{
	const struct file_state *state = exchange->state;
	const char *end = memchr(bytes, '\n', length);
	char text[100];

	text_escape(bytes, end != NULL ? (size_t)(end - bytes) : length, text,
		    sizeof text);
	failure_set(exchange->wrong, "got \"%s\", expected \"%.*s\"", text,
		    (int)state->length - 1, state->reply);
	return LOAD_WRONG;
}

/* Wrong bytes of the file, or a wrong line with its sum. */
static enum load_verdict wrong_content(const struct load_material *material,
				       struct load_exchange *exchange, size_t at,
				       const char *bytes, size_t length)
{
	const struct file_shared *shared = material->shared;
	const struct file_state *state = exchange->state;
	size_t whole = material->size + shared->sum_length[state->content];
	struct failure where = { "" };
	struct load_exchange part = { .wrong = &where };

	load_wrong_bytes(&part, at, material->block + state->content * STEP + at,
			 whole - at, bytes, length);
	failure_set(exchange->wrong, "file differs from the upload: %.200s", where.text);
	return LOAD_WRONG;
}

/* The bytes of a fetched file, and the line with their sum. */
static enum load_verdict check_content(const struct load_material *material,
				       struct load_exchange *exchange, size_t at,
				       const char *bytes, size_t length)
{
	const struct file_shared *shared = material->shared;
	const struct file_state *state = exchange->state;
	size_t whole = material->size + shared->sum_length[state->content];

	if (length > whole - at ||
	    memcmp(bytes, material->block + state->content * STEP + at, length) != 0)
		return wrong_content(material, exchange, at, bytes, length);
	return length == whole - at ? LOAD_COMPLETE : LOAD_MORE;
}

static enum load_verdict file_check(const struct load_material *material,
				    struct load_exchange *exchange, const char *bytes,
				    size_t length)
{
	struct file_state *state = exchange->state;
	size_t at = exchange->received - state->start, line = 0;

	if (at < state->length) {
		line = length < state->length - at ? length : state->length - at;
		if (memcmp(bytes, state->reply + at, line) != 0)
			return wrong_line(exchange, bytes, length);
		at += line;
		if (at < state->length)
			return LOAD_MORE;
	}
	if (!exchange->upload)
		return length == line
			       ? LOAD_MORE
			       : check_content(material, exchange, at - state->length,
					       bytes + line, length - line);
	if (length > line)
		return wrong_line(exchange, bytes + line, length - line);
	if (!state->asked)
		return send_content(material, exchange);
	exchange->kept = exchange->sequence;
	return LOAD_COMPLETE;
}

const struct load_protocol load_file = {
	.name = "file",
	.pattern = LOAD_REPLIES,
	.loads = 1U << LOAD_CONVERSATIONS | 1U << LOAD_CONNECTIONS | 1U << LOAD_IDLE |
		 1U << LOAD_BULK,
	.uploads = true,
	.usual_size = 1024,
	.usual_bulk_size = 1024 * 1024,
	.state_size = sizeof(struct file_state),
	.shared_size = sizeof(struct file_shared),
	.fill = file_fill,
	.begin = file_begin,
	.begin_unread = file_begin_unread,
	.check = file_check,
};
