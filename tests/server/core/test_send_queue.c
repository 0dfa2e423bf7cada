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
	.close = rig_count_close,
};

static const struct service replier = {
	.input = reply,
	.close = rig_count_close,
};

/* The client has asked, and reads nothing. */
static void ask(struct rig *rig, enum socket_kind kind, const struct service *service)
{
	rig_make(rig, (struct form){ true, kind }, service, TIME);
	rig->worker.now = BEGIN;
	connection_begin(rig->connection, &rig->worker);
	client_send(rig->client, "x", 1);
	ck_assert_int_gt(io_wait(rig->connection->fd, POLLIN, WAIT_MS), 0);
	connection_on_readable(rig->connection, &rig->worker);
}

static void end(struct rig *rig)
{
	connection_close(rig->connection);
	client_close(rig->client);
}

/* The next moment for which the connection waits. @return it */
static int64_t next_moment(struct rig *rig)
{
	int64_t moment = connection_expiry(rig->connection);

	ck_assert_int_ge(moment, rig->worker.now);
	rig->worker.now = moment;
	connection_expire(rig->connection, &rig->worker, moment);
	return moment;
}

/* Nothing happens, until it is closed or is about to be. @return when that is */
static int64_t wait_for_the_end(struct rig *rig)
{
	int64_t moment = rig->worker.now;

	for (int i = 0; i < 100 && rig->connection->state == CONNECTION_OPEN; i++)
		moment = next_moment(rig);
	return moment;
}

START_TEST(a_client_that_takes_nothing_is_closed_after_the_timeout)
{
	struct rig rig;

	ask(&rig, rig_forms[_i].kind, &talker);
	ck_assert_uint_eq(connection_wants(rig.connection), WANT_WRITE);
	ck_assert_int_eq(wait_for_the_end(&rig), BEGIN + TIME);
	ck_assert_int_eq(rig.connection->state, CONNECTION_CLOSED);
	end(&rig);
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
	struct rig rig;
	int64_t seen;

	ask(&rig, rig_forms[_i].kind, &talker);
	queue = (struct shrinking){ rig.connection->fd, rig.client,
				    sock_send_queue(rig.connection->fd) };
	if (queue.length < 0) {
		skipped("the length of a send queue cannot be had here");
		end(&rig);
		return;
	}
	while (next_moment(&rig) < BEGIN + TIME / 2)
		continue;
	ck_assert(eventually(shrinks, &queue, WAIT_MS));
	seen = next_moment(&rig);
	ck_assert_int_lt(seen, BEGIN + TIME);
	ck_assert_int_eq(wait_for_the_end(&rig), seen + TIME);
	ck_assert_int_eq(rig.connection->state, CONNECTION_CLOSED);
	end(&rig);
}
END_TEST

/* GIVEN a reply that the kernel has taken whole, and a client that sends nothing more
   WHEN the client reads some of it within each timeout
   THEN it is not taken for silent, until it reads no more. */
START_TEST(a_client_that_still_reads_its_reply_is_not_silent)
{
	struct shrinking queue;
	struct rig rig;
	int64_t moment = 0;

	ask(&rig, LOCAL, &replier);
	ck_assert_uint_eq(connection_wants(rig.connection), WANT_READ);
	queue = (struct shrinking){ .fd = rig.connection->fd, .client = rig.client };
	for (int i = 0; i < PIECES / 2; i++) {
		queue.length = sock_send_queue(queue.fd);
		if (queue.length < 0) {
			skipped("the length of a send queue cannot be had here");
			end(&rig);
			return;
		}
		ck_assert(eventually(shrinks, &queue, WAIT_MS));
		moment = next_moment(&rig);
		ck_assert_int_eq(rig.connection->state, CONNECTION_OPEN);
	}
	ck_assert_int_eq(moment, BEGIN + PIECES / 2 * TIME);
	ck_assert_int_eq(wait_for_the_end(&rig), moment + TIME);
	end(&rig);
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
