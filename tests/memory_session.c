#include "tests/memory_session.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/options.h"
#include "common/text.h"

enum { SHOWN_TEXT = 400, MOST_ARGUMENTS = 8, MOST_IDLE_TURNS = 100000 };

/* A power of two above the length: what is appended to seldom moves. */
static size_t capacity(size_t length)
{
	size_t size = 16;

	while (size <= length)
		size *= 2;
	return size;
}

static void append(char **to, size_t *length, const void *bytes, size_t n)
{
	if (*to == NULL || capacity(*length + n) != capacity(*length))
		*to = realloc(*to, capacity(*length + n));
	ck_assert_ptr_nonnull(*to);
	if (n > 0)
		memcpy(*to + *length, bytes, n);
	*length += n;
	(*to)[*length] = '\0';
}

void memory_receive(struct memory_session *client, const void *bytes, size_t n)
{
	append(&client->output, &client->length, bytes, n);
}

static void memory_write(struct session *session, const char *bytes, size_t n)
{
	struct memory_session *client = (struct memory_session *)session;

	ck_assert_msg(client->post == NULL, "it writes past the hub");
	memory_receive(client, bytes, n);
	client->replied = true;
	if (client->length > client->room)
		session->full = true;
}

static void memory_post(struct session *session, const char *bytes, size_t n)
{
	struct memory_session *client = (struct memory_session *)session;

	ck_assert_msg(client->post != NULL, "it posts, and there is no hub");
	client->post(client, bytes, n);
}

static const char *memory_peer(const struct session *session, char out[ADDRESS_TEXT])
{
	snprintf(out, ADDRESS_TEXT, "%s", ((const struct memory_session *)session)->peer);
	return out;
}

/* A file is read at once; the session is full all the same, until memory_take() or
 * memory_drain() says that the client has taken it. */
static void memory_send_file(struct session *session, int fd, uint64_t offset,
			     uint64_t length)
{
	struct memory_session *client = (struct memory_session *)session;
	char piece[4096];

	while (length > 0) {
		size_t size = length < sizeof piece ? (size_t)length : sizeof piece;
		ssize_t n = pread(fd, piece, size, (off_t)offset);

		ck_assert_msg(n > 0, "the file ends before its end was sent");
		append(&client->output, &client->length, piece, (size_t)n);
		offset += (uint64_t)n;
		length -= (uint64_t)n;
	}
	close(fd);
	client->replied = true;
	session->full = true;
	client->sending_file = true;
}

static int64_t memory_now(const struct session *session)
{
	return ((const struct memory_session *)session)->now;
}

static const struct transport memory_transport = {
	.write = memory_write,
	.send_file = memory_send_file,
	.post = memory_post,
	.now = memory_now,
	.peer = memory_peer,
};

/* The client takes a file that was sent, as far as it has room. */
static void take_file(struct memory_session *client)
{
	if (!client->sending_file || client->length > client->room)
		return;
	client->sending_file = false;
	client->session.full = false;
}

/* Calls the service with the first n bytes of what waits, in a block of their own. */
static size_t call_input(struct memory_session *client, size_t n)
{
	char *block = malloc(n);
	size_t consumed;

	ck_assert_ptr_nonnull(block);
	memcpy(block, client->kept, n);
	consumed = client->session.service->input(&client->session, block, n);
	memset(block, '!', n);
	free(block);
	ck_assert_msg(consumed <= n, "of %zu bytes the service consumed %zu", n,
		      consumed);
	ck_assert_msg(consumed > 0 || n < SESSION_INPUT ||
			      session_full(&client->session) ||
			      client->session.resume_at != 0,
		      "of SESSION_INPUT bytes the service consumed none");
	memmove(client->kept, client->kept + consumed, client->kept_length - consumed);
	client->kept_length -= consumed;
	return consumed;
}

static void call_end(struct memory_session *client)
{
	const struct service *service = client->session.service;
	size_t n = client->kept_length;
	char *block = malloc(n > 0 ? n : 1);

	ck_assert_ptr_nonnull(block);
	memcpy(block, client->kept, n);
	client->told = true;
	client->kept_length = 0;
	if (service->end != NULL)
		service->end(&client->session, block, n);
	else
		session_finish(&client->session);
	free(block);
}

/* There is nobody whose turn it could be. Whether it does: the service goes on. */
static bool end_yield(struct memory_session *client, size_t consumed)
{
	if (client->session.resume_at == 0 || client->session.resume_at > client->now)
		return false;
	client->session.resume_at = 0;
	client->yielded++;
	client->idle_turns = consumed > 0 ? 0 : client->idle_turns + 1;
	ck_assert_msg(client->idle_turns < MOST_IDLE_TURNS,
		      "the service lets others go first for ever");
	return true;
}

/* Lets the service have what waits for it, in pieces of at most SESSION_INPUT bytes. */
static void offer(struct memory_session *client)
{
	struct session *session = &client->session;
	size_t n, consumed = 1;
	bool sent_a_file, yielded = false;

	take_file(client);
	while (client->kept_length > 0 && (consumed > 0 || yielded) && !session->full &&
	       !session->finished && session->resume_at == 0) {
		n = client->kept_length < SESSION_INPUT ? client->kept_length
							: SESSION_INPUT;
		consumed = call_input(client, n);
		sent_a_file = client->sending_file;
		take_file(client);
		yielded = end_yield(client, consumed);
		/* All there is was offered; but a file that was sent makes it go on. */
		if (n == client->kept_length + consumed && !sent_a_file && !yielded)
			break;
	}
	if (client->half_closed && !client->told && !session->full &&
	    !session->finished && session->resume_at == 0)
		call_end(client);
}

int memory_configure(const struct service *service, const char *const arguments[],
		     struct failure *failure)
{
	static const struct option_line none[] = { { 0 } };
	const struct option_line *lines = service->options ? service->options : none;
	struct options options;
	char *argv[MOST_ARGUMENTS + 2] = { (char *)(uintptr_t) "test" };
	int count = 1, letter;

	for (; count <= MOST_ARGUMENTS && arguments[count - 1] != NULL; count++)
		argv[count] = (char *)(uintptr_t)arguments[count - 1];
	ck_assert_int_eq(options_begin(&options, lines, count, argv), 0);
	while ((letter = options_next(&options, failure)) != OPTIONS_END) {
		ck_assert_msg(letter != OPTIONS_BAD, "%s", failure->text);
		if (service->option(letter, &options, failure) < 0)
			return -1;
	}
	if (service->check != NULL && service->check(failure) < 0)
		return -1;
	return service->prepare != NULL ? service->prepare(failure) : 0;
}

static void begin(struct memory_session *client, const struct service *service,
		  size_t room)
{
	memset(client, 0, sizeof *client);
	client->session.service = service;
	client->session.transport = &memory_transport;
	client->session.state = calloc(1, service->state_size + 1);
	ck_assert_ptr_nonnull(client->session.state);
	client->room = room;
	client->now = 1000;
	client->peer = "192.0.2.7:1234";
	append(&client->output, &client->length, "", 0);
	append(&client->kept, &client->kept_length, "", 0);
}

void memory_open_full(struct memory_session *client, const struct service *service,
		      size_t room)
{
	begin(client, service, room);
	if (service->open != NULL)
		service->open(&client->session);
}

void memory_open_posting(struct memory_session *client, const struct service *service,
			 void (*post)(struct memory_session *, const char *, size_t))
{
	begin(client, service, MEMORY_ROOM);
	client->post = post;
	if (service->open != NULL)
		service->open(&client->session);
}

void memory_open(struct memory_session *client, const struct service *service)
{
	memory_open_full(client, service, MEMORY_ROOM);
}

void memory_send(struct memory_session *client, const void *bytes, size_t n)
{
	ck_assert_msg(!client->half_closed, "the client has half-closed");
	append(&client->kept, &client->kept_length, bytes, n);
	offer(client);
}

void memory_send_in_pieces(struct memory_session *client, const void *bytes, size_t n,
			   size_t piece)
{
	for (size_t sent = 0; sent < n; sent += piece)
		memory_send(client, (const char *)bytes + sent,
			    piece < n - sent ? piece : n - sent);
}

void memory_half_close(struct memory_session *client)
{
	client->half_closed = true;
	offer(client);
}

void memory_take(struct memory_session *client, size_t n)
{
	client->room += n < MEMORY_ROOM - client->room ? n : MEMORY_ROOM - client->room;
	if (client->length > client->room)
		return;
	client->session.full = false;
	offer(client);
	if (!client->session.full)
		memory_drain(client);
}

bool memory_drain(struct memory_session *client)
{
	size_t before = client->length;

	if (client->session.service->drained == NULL || client->session.finished)
		return false;
	client->drained++;
	client->session.service->drained(&client->session);
	if (client->length == before)
		return false;
	offer(client);
	return true;
}

void memory_open_peer(struct memory_session *peer, const struct service *service)
{
	begin(peer, service, MEMORY_ROOM);
}

bool memory_datagram(struct memory_session *peer, const void *bytes, size_t n)
{
	char *block = malloc(n > 0 ? n : 1);

	ck_assert_ptr_nonnull(block);
	ck_assert_uint_eq(peer->expected, peer->length);
	if (n > 0)
		memcpy(block, bytes, n);
	peer->replied = false;
	peer->session.service->datagram(&peer->session, block, n);
	ck_assert_msg(!peer->session.finished, "a datagram has ended its session");
	free(block);
	return peer->replied;
}

void memory_expect(struct memory_session *client, const void *bytes, size_t n)
{
	const char *got = client->output + client->expected;
	size_t length = client->length - client->expected;
	char got_text[SHOWN_TEXT], expected_text[SHOWN_TEXT];

	text_escape(got, length, got_text, sizeof got_text);
	text_escape(bytes, n, expected_text, sizeof expected_text);
	ck_assert_msg(length == n && memcmp(got, bytes, n) == 0,
		      "the service wrote %zu bytes, '%s', where these %zu were expected: "
		      "'%s'",
		      length, got_text, n, expected_text);
	client->expected = client->length;
}

void memory_advance(struct memory_session *client, int64_t milliseconds)
{
	struct session *session = &client->session;
	int64_t end = client->now + milliseconds;

	while (!session->finished) {
		bool resumes = session->resume_at != 0 && session->resume_at <= end;
		bool expires = session->deadline_at != 0 && session->deadline_at <= end;

		if (expires && (!resumes || session->deadline_at < session->resume_at)) {
			client->now = session->deadline_at;
			session->deadline_at = 0;
			ck_assert_msg(session->service->expired != NULL,
				      "a deadline, and no expired()");
			session->service->expired(session);
			offer(client);
		} else if (resumes) {
			client->now = session->resume_at;
			session->resume_at = 0;
			offer(client);
		} else {
			break;
		}
	}
	client->now = end;
}

const char *memory_heard(struct memory_session *client, size_t *n)
{
	const char *heard = client->output + client->expected;

	if (n != NULL)
		*n = client->length - client->expected;
	client->expected = client->length;
	return heard;
}

bool memory_finished(const struct memory_session *client)
{
	return client->session.finished;
}

void memory_close(struct memory_session *client)
{
	if (client->session.service->close != NULL)
		client->session.service->close(&client->session);
	free(client->session.state);
	free(client->output);
	free(client->kept);
}
