/*
 * The idle timeout of a client that leaves no room for more output, by a clock that the test
 * holds: the client's kernel shows whether it reads. See server/core/connection.c, "a client that
 * leaves no room".
 */
#include <poll.h>
#include <sys/socket.h>

#include "common/io.h"
#include "common/sock.h"
#include "server/core/session.h"
#include "tests/fixture/connection_fixture.h"
#include "tests/suites.h"

enum { BEGIN = 1000, TIME = 8000, PIECES = 6 };

static char piece[16 * 1024];

static size_t talk_until_full(struct session *session, const char *bytes, size_t n)
{
	(void)bytes;
	while (!session_full(session))
		session_write(session, piece, sizeof piece);
	return n;
}

static size_t reply(struct session *session, const char *bytes, size_t n)
{
	(void)bytes;
	for (int i = 0; i < PIECES; i++)
		session_write(session, piece, sizeof piece);
	return n;
}

static const struct service talker = {
	.input = talk_until_full,
	.close = fixture_count_close,
};

static const struct service replier = {
	.input = reply,
	.close = fixture_count_close,
};

/* The client has asked, and reads nothing. */
static void ask(struct connection_fixture *fixture, enum socket_kind kind,
		const struct service *service)
{
	fixture_make(fixture, (struct form){ true, kind }, service, TIME);
	fixture->worker.now = BEGIN;
	connection_begin(fixture->connection, &fixture->worker);
	client_send(fixture->client, "x", 1);
	ck_assert_int_gt(io_wait(fixture->connection->fd, POLLIN, WAIT_MS), 0);
	connection_on_readable(fixture->connection, &fixture->worker);
}

static void end(struct connection_fixture *fixture)
{
	connection_close(fixture->connection);
	client_close(fixture->client);
}

/* The next moment for which the connection waits. @return it */
static int64_t next_moment(struct connection_fixture *fixture)
{
	int64_t moment = connection_expiry(fixture->connection);

	ck_assert_int_ge(moment, fixture->worker.now);
	fixture->worker.now = moment;
	connection_expire(fixture->connection, &fixture->worker, moment);
	return moment;
}

/* Nothing happens, until it is closed or is about to be. @return when that is */
static int64_t wait_for_the_end(struct connection_fixture *fixture)
{
	int64_t moment = fixture->worker.now;

	for (int i = 0; i < 100 && fixture->connection->state == CONNECTION_OPEN; i++)
		moment = next_moment(fixture);
	return moment;
}

START_TEST(a_client_that_takes_nothing_is_closed_after_the_timeout)
{
	struct connection_fixture fixture;

	ask(&fixture, fixture_forms[_i].kind, &talker);
	ck_assert_uint_eq(connection_wants(fixture.connection), WANT_WRITE);
	ck_assert_int_eq(wait_for_the_end(&fixture), BEGIN + TIME);
	ck_assert_int_eq(fixture.connection->state, CONNECTION_CLOSED);
	end(&fixture);
}
END_TEST

struct shrinking {
	int fd, client;
	int64_t length;
};

/* The client reads, until its kernel says so. */
static bool shrinks(void *context)
{
	struct shrinking *queue = context;

	(void)recv(queue->client, piece, sizeof piece, MSG_DONTWAIT);
	return sock_send_queue(queue->fd) < queue->length;
}

/* GIVEN a client that leaves no room for more
   WHEN a little is taken out of the send queue, later than half of the timeout
   THEN the timeout begins anew when that is seen, and then comes. */
START_TEST(a_send_queue_that_shrinks_puts_the_timeout_off)
{
	struct shrinking queue;
	struct connection_fixture fixture;
	int64_t seen;

	ask(&fixture, fixture_forms[_i].kind, &talker);
	queue = (struct shrinking){ fixture.connection->fd, fixture.client,
				    sock_send_queue(fixture.connection->fd) };
	if (queue.length < 0) {
		skipped("the length of a send queue cannot be had here");
		end(&fixture);
		return;
	}
	while (next_moment(&fixture) < BEGIN + TIME / 2)
		continue;
	ck_assert(eventually(shrinks, &queue, WAIT_MS));
	seen = next_moment(&fixture);
	ck_assert_int_lt(seen, BEGIN + TIME);
	ck_assert_int_eq(wait_for_the_end(&fixture), seen + TIME);
	ck_assert_int_eq(fixture.connection->state, CONNECTION_CLOSED);
	end(&fixture);
}
END_TEST

/* GIVEN a reply that the kernel has taken whole, and a client that sends nothing more
   WHEN the client reads some of it within each timeout
   THEN it is not taken for silent, until it reads no more. */
START_TEST(a_client_that_still_reads_its_reply_is_not_silent)
{
	struct shrinking queue;
	struct connection_fixture fixture;
	int64_t moment = 0;

	ask(&fixture, LOCAL, &replier);
	ck_assert_uint_eq(connection_wants(fixture.connection), WANT_READ);
	queue = (struct shrinking){ .fd = fixture.connection->fd,
				    .client = fixture.client };
	for (int i = 0; i < PIECES / 2; i++) {
		queue.length = sock_send_queue(queue.fd);
		if (queue.length < 0) {
			skipped("the length of a send queue cannot be had here");
			end(&fixture);
			return;
		}
		ck_assert(eventually(shrinks, &queue, WAIT_MS));
		moment = next_moment(&fixture);
		ck_assert_int_eq(fixture.connection->state, CONNECTION_OPEN);
	}
	ck_assert_int_eq(moment, BEGIN + PIECES / 2 * TIME);
	ck_assert_int_eq(wait_for_the_end(&fixture), moment + TIME);
	end(&fixture);
}
END_TEST

Suite *suite_send_queue(void)
{
	Suite *suite = suite_create("send_queue");
	TCase *tcase = add_case(suite, "send queue");

	tcase_add_loop_test(
		tcase, a_client_that_takes_nothing_is_closed_after_the_timeout, 1, 3);
	tcase_add_loop_test(tcase, a_send_queue_that_shrinks_puts_the_timeout_off, 1, 3);
	tcase_add_test(tcase, a_client_that_still_reads_its_reply_is_not_silent);
	return suite;
}
