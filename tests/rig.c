#include "tests/rig.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/sock.h"
#include "server/core/serve_blocking.h"
#include "server/core/signals.h"

const struct form rig_forms[RIG_FORMS] = {
	{ false, TCP },
	{ true, TCP },
	{ false, LOCAL },
	{ true, LOCAL },
};

static atomic_uint closed; /* how often a service was told that its session is over */

void rig_count_close(struct session *session)
{
	(void)session;
	atomic_fetch_add(&closed, 1);
}

static void make_tcp_pair(int ends[2])
{
	struct sock_place place = { "127.0.0.1", "0", SOCK_STREAM, 1 };
	struct failure failure;
	struct address address;
	int listener = sock_listen(&place, &failure);

	ck_assert_msg(listener >= 0, "%s", failure.text);
	ck_assert_int_eq(address_local(listener, &address), 0);
	ends[1] = client_connect_to("127.0.0.1", address_port(&address));
	ends[0] = sock_accept(listener, &address, false);
	ck_assert_int_ge(ends[0], 0);
	ck_assert_int_eq(sock_set_nodelay(ends[0]), 0);
	close(listener);
}

void rig_make(struct rig *rig, struct form form, const struct service *service,
	      int64_t idle_timeout)
{
	struct address peer = { .length = 0 };
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	memset(rig, 0, sizeof *rig);
	atomic_store(&closed, 0);
	rig->model.nonblocking = form.nonblocking;
	rig->server.model = &rig->model;
	rig->server.service = service;
	rig->server.idle_timeout = idle_timeout;
	rig->server.statistics = statistics_create();
	ck_assert_ptr_nonnull(rig->server.statistics);
	if (form.kind == TCP)
		make_tcp_pair(ends);
	else
		ck_assert_int_eq(
			socketpair(AF_UNIX,
				   form.kind == LOCAL ? SOCK_STREAM : SOCK_SEQPACKET, 0,
				   ends),
			0);
	ck_assert_int_eq(sock_set_timeout(ends[1], PATIENCE), 0);
	ck_assert_int_eq(io_set_nonblocking(ends[0], form.nonblocking), 0);
	ck_assert_int_eq(address_peer(ends[0], &peer), 0);
	rig->client = ends[1];
	rig->connection = connection_create(&rig->server);
	ck_assert_ptr_nonnull(rig->connection);
	connection_attach(rig->connection, ends[0], &peer);
}

static void *serve_in_thread(void *context)
{
	struct rig *rig = context;

	serve_blocking(rig->connection, &rig->worker);
	connection_close(rig->connection);
	atomic_store(&rig->over, true);
	return NULL;
}

static void do_nothing(int signal)
{
	(void)signal;
}

void rig_stop(struct rig *rig)
{
	struct sigaction action = { .sa_handler = do_nothing };

	ck_assert_int_eq(sigaction(SIGNAL_INTERRUPT, &action, NULL), 0);
	signals_request_stop();
	atomic_store(&rig->stop, true);
}

/* Waits as a loop does, at most so long. Returns what is possible. */
static unsigned wait_for(const struct connection *c, int timeout)
{
	unsigned wants = connection_wants(c);
	struct pollfd wanted = {
		.fd = wants & (WANT_READ | WANT_WRITE) ? c->fd : -1,
		.events = (short)((wants & WANT_READ ? POLLIN : 0) |
				  (wants & WANT_WRITE ? POLLOUT : 0)),
	};

	if (wants == 0 || poll(&wanted, 1, timeout) <= 0)
		return 0;
	return (wanted.revents & ~POLLOUT ? WANT_READ : 0u) |
	       (wanted.revents & ~POLLIN ? WANT_WRITE : 0u);
}

static void do_ready(struct connection *c, struct worker *worker, unsigned ready)
{
	if (ready & WANT_WRITE)
		connection_on_writable(c, worker);
	if (ready & WANT_READ)
		connection_on_readable(c, worker);
}

/* The least loop that there can be. */
static void *serve_in_loop(void *context)
{
	struct rig *rig = context;
	struct connection *c = rig->connection;
	struct worker *worker = &rig->worker;

	worker->now = clock_milliseconds();
	connection_begin(c, worker);
	while (connection_wants(c) != 0) {
		unsigned ready = wait_for(c, 5);

		worker->now = clock_milliseconds();
		do_ready(c, worker, ready);
		if (atomic_load(&rig->stop))
			connection_stop(c, worker);
		connection_expire(c, worker, worker->now);
	}
	connection_close(c);
	atomic_store(&rig->over, true);
	return NULL;
}

void rig_serve(struct rig *rig)
{
	ck_assert_int_eq(
		pthread_create(&rig->thread, NULL,
			       rig->model.nonblocking ? serve_in_loop : serve_in_thread,
			       rig),
		0);
}

void rig_start(struct rig *rig, int form, const struct service *service)
{
	rig_make(rig, rig_forms[form], service, 0);
	rig_serve(rig);
}

/* A stopping model interrupts its threads again and again: see there. */
bool rig_is_over(void *context)
{
	struct rig *rig = context;

	if (atomic_load(&rig->over))
		return true;
	if (atomic_load(&rig->stop))
		pthread_kill(rig->thread, SIGNAL_INTERRUPT);
	return false;
}

/* The connection must end by itself. */
void rig_join(struct rig *rig)
{
	ck_assert_msg(eventually(rig_is_over, rig, PATIENCE),
		      "the connection does not end");
	ck_assert_int_eq(pthread_join(rig->thread, NULL), 0);
	ck_assert_uint_eq(atomic_load(&closed), 1);
}

void rig_end(struct rig *rig)
{
	client_close(rig->client);
	rig_join(rig);
}

uint64_t rig_bytes_in(const struct rig *rig)
{
	return atomic_load(&rig->server.statistics->bytes_in);
}

uint64_t rig_bytes_out(const struct rig *rig)
{
	return atomic_load(&rig->server.statistics->bytes_out);
}

struct arrival {
	struct rig *rig;
	uint64_t count;
};

static bool has_arrived(void *context)
{
	struct arrival *arrival = context;

	return rig_bytes_in(arrival->rig) >= arrival->count;
}

void rig_wait_for_arrival(struct rig *rig, uint64_t count)
{
	struct arrival arrival = { rig, count };

	ck_assert_msg(eventually(has_arrived, &arrival, PATIENCE),
		      "only %ju bytes have arrived", (uintmax_t)rig_bytes_in(rig));
}

unsigned rig_ready(const struct rig *rig)
{
	return wait_for(rig->connection, 0);
}

void rig_do_what_is_possible(struct rig *rig)
{
	unsigned ready;

	while ((ready = rig_ready(rig)) != 0)
		do_ready(rig->connection, &rig->worker, ready);
}
