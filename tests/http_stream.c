#include "tests/http_stream.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what must be true of a request that passed ---------------------------------------- */

static bool lies_in(const struct http_piece *piece, size_t n)
{
	return piece->at <= n && piece->length <= n - piece->at;
}

static bool is_control(char byte)
{
	return (unsigned char)byte < ' ' || byte == '\177';
}

/* Only whole line ends, and no control but HTAB; no line but the first begins with a blank. */
static bool has_clean_lines(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool ends = i + 1 < n && bytes[i] == '\r' && bytes[i + 1] == '\n';

		if (ends)
			i++;
		else if (is_control(bytes[i]) && bytes[i] != '\t')
			return false;
		if (ends && i + 1 < n && (bytes[i + 1] == ' ' || bytes[i + 1] == '\t'))
			return false;
	}
	return true;
}

static bool has_clean_line(const char *line, size_t n)
{
	const char *first = memchr(line, ' ', n), *last;

	if (first == NULL || n < 8)
		return false;
	last = line + n - 9;
	for (size_t i = 0; i < n; i++)
		if (is_control(line[i]) || (unsigned char)line[i] > '~')
			return false;
	return last > first && memcmp(last, " HTTP/1.", 8) == 0 &&
	       memchr(first + 1, ' ', (size_t)(last - first - 1)) == NULL;
}

static unsigned count_fields(const struct http_seen *seen, const char *bytes,
			     const char *name, const char **wrong)
{
	const struct http_request *request = &seen->request;
	struct http_piece found = { 0, 0 };
	unsigned count = 0;

	while (http_request_field(request, bytes, name, &found)) {
		if (found.at <= request->fields.at || !lies_in(&found, request->length))
			*wrong = "a field's value lies outside of the header";
		count++;
	}
	return count;
}

static const char *check_fields(const struct http_seen *seen, const char *bytes)
{
	const struct http_request *request = &seen->request;
	const char *wrong = NULL;
	unsigned hosts = count_fields(seen, bytes, "host", &wrong);
	unsigned lengths = count_fields(seen, bytes, "content-length", &wrong);
	unsigned codings = count_fields(seen, bytes, "transfer-encoding", &wrong);

	if (hosts > 1 || (request->minor > 0 && hosts == 0))
		wrong = "not one Host field passed";
	if (lengths > 1 || (lengths > 0 && codings > 0))
		wrong = "two lengths passed";
	if (request->chunked != (codings > 0) || (codings > 0 && request->minor == 0))
		wrong = "a transfer coding was not taken for what it is";
	if (!request->chunked && request->has_body && lengths == 0)
		wrong = "there is a body without a length";
	return wrong;
}

static const char *check_header(const struct http_seen *seen, const char *bytes, size_t n)
{
	const struct http_request *request = &seen->request;
	const struct http_piece *pieces[] = { &request->line, &request->path,
					      &request->query, &request->host,
					      &request->fields };
	const char *line = bytes + request->line.at;

	if (request->length > n || request->length > HTTP_HEADER)
		return "the header is longer than what there is, or may be";
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
		if (!lies_in(pieces[i], request->length))
			return "a piece lies outside of the header";
	if (request->line.length > HTTP_LINE ||
	    !has_clean_line(line, request->line.length))
		return "a malformed request line passed";
	if (!has_clean_lines(bytes, request->length) ||
	    memcmp(bytes + request->length - 4, "\r\n\r\n", 4) != 0)
		return "a malformed line passed";
	if (request->method != HTTP_NOT_ALLOWED && request->path.length == 0)
		return "there is no path";
	return check_fields(seen, bytes);
}

/* ---- reading --------------------------------------------------------------------------- */

static char *copy_of(const char *bytes, size_t n)
{
	char *block = malloc(n > 0 ? n : 1);

	if (block == NULL)
		abort();
	memcpy(block, bytes, n);
	return block;
}

/* Both return how many bytes were taken for good. */
static size_t give_header(struct http_stream *stream, struct http_seen *seen,
			  const char *bytes, size_t n)
{
	char *block = copy_of(bytes, n);

	seen->header = http_request_header(&seen->request, block, n);
	if (seen->request.next > n)
		stream->wrong = "it looked at more bytes than there are";
	else if (seen->header == HTTP_DONE)
		stream->wrong = check_header(seen, block, n);
	free(block);
	return seen->header == HTTP_DONE ? seen->request.length : 0;
}

static size_t give_body(struct http_stream *stream, struct http_seen *seen,
			const char *bytes, size_t n, uint64_t most)
{
	char *block = copy_of(bytes, n);
	size_t consumed;

	seen->body = http_request_body(&seen->request, block, n, most, &consumed);
	free(block);
	if (consumed > n)
		stream->wrong = "it consumed more bytes than there are";
	else if (seen->body == HTTP_MORE && consumed < n)
		stream->wrong = "it wants more bytes and leaves some";
	else if (!seen->request.has_body && consumed > 0)
		stream->wrong = "a body that is none had bytes";
	else if (seen->request.body_seen > most)
		stream->wrong = "a body is larger than it may be";
	seen->body_length += consumed;
	return consumed;
}

/* All bytes up to the end have come; those before at have been taken. Returns what is taken
 * now: all of them, but for those of a header that is not whole, or after an error. */
static size_t go_on(struct http_stream *stream, const char *bytes, size_t at, size_t end,
		    uint64_t most)
{
	while (stream->wrong == NULL && stream->count <= HTTP_STREAM_MOST) {
		struct http_seen *seen = &stream->seen[stream->count - 1];

		if (seen->header == HTTP_MORE)
			at += give_header(stream, seen, bytes + at, end - at);
		if (seen->header != HTTP_DONE)
			break;
		if (stream->wrong == NULL && seen->body == HTTP_MORE)
			at += give_body(stream, seen, bytes + at, end - at, most);
		if (seen->body != HTTP_DONE || at == end)
			break;
		if (stream->count++ < HTTP_STREAM_MOST)
			stream->seen[stream->count - 1].at = at;
	}
	return at;
}

void http_stream_read(struct http_stream *stream, const char *bytes, size_t n,
		      uint64_t most, http_cut *cut, void *context)
{
	size_t at = 0, end = 0;

	memset(stream, 0, sizeof *stream);
	stream->count = 1;
	do {
		end = end < n ? cut(context, end, n) : end;
		at = go_on(stream, bytes, at, end, most);
	} while (end < n);
	if (stream->count > HTTP_STREAM_MOST)
		stream->count = HTTP_STREAM_MOST;
}

size_t http_cut_nowhere(void *context, size_t from, size_t n)
{
	(void)context;
	(void)from;
	return n;
}

size_t http_cut_in_pieces(void *context, size_t from, size_t n)
{
	size_t size = *(const size_t *)context;

	return n - from < size ? n : from + size;
}

size_t http_cut_once(void *context, size_t from, size_t n)
{
	size_t place = *(const size_t *)context;

	return from < place ? place : n;
}

/* ---- comparing ------------------------------------------------------------------------- */

static bool same_piece(struct http_piece one, struct http_piece other)
{
	return one.at == other.at && one.length == other.length;
}

static bool same_text(const char *one, const char *other)
{
	return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static bool same_request(const struct http_request *one, const struct http_request *other)
{
	return one->method == other->method && same_piece(one->line, other->line) &&
	       same_piece(one->path, other->path) &&
	       same_piece(one->query, other->query) &&
	       same_piece(one->host, other->host) &&
	       same_piece(one->fields, other->fields) && one->length == other->length &&
	       one->minor == other->minor && one->keep_alive == other->keep_alive &&
	       one->continues == other->continues && one->has_body == other->has_body &&
	       one->chunked == other->chunked && one->body_left == other->body_left &&
	       one->status == other->status && same_text(one->why, other->why) &&
	       one->body_seen == other->body_seen && one->next == other->next;
}

bool http_stream_equals(const struct http_stream *one, const struct http_stream *other)
{
	if (one->count != other->count || !same_text(one->wrong, other->wrong))
		return false;
	for (size_t i = 0; i < one->count; i++) {
		const struct http_seen *a = &one->seen[i], *b = &other->seen[i];

		if (a->at != b->at || a->header != b->header || a->body != b->body ||
		    a->body_length != b->body_length ||
		    !same_request(&a->request, &b->request))
			return false;
	}
	return true;
}
