#include "tests/load_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/process.h"
#include "common/sock.h"

pid_t server;
int listener;
char port[PORT_TEXT];
struct load_plan plan;
struct load_result result;
struct failure failure;
struct load_notes *notes;

void pause_milliseconds(int64_t milliseconds)
{
	struct timespec time = clock_timespec(milliseconds);

	nanosleep(&time, NULL);
}

/* ---- servers of streams ------------------------------------------------------------------------ */

struct client {
	serve_function *serve;
	int fd;
	unsigned number;
};

static void *serve_client(void *argument)
{
	struct client *client = argument;

	client->serve(client->fd, client->number);
	close(client->fd);
	free(client);
	return NULL;
}

void accept_clients(serve_function *serve)
{
	for (unsigned number = 0;; number++) {
		struct client *client = malloc(sizeof *client);
		struct address peer;
		pthread_t thread;

		if (client == NULL)
			_exit(1);
		*client = (struct client){ serve, sock_accept(listener, &peer, false),
					   number };
		if (client->fd < 0 ||
		    pthread_create(&thread, NULL, serve_client, client) != 0)
			_exit(1);
		pthread_detach(thread);
	}
}

void open_listener_of(int type, int backlog)
{
	struct sock_place place = { "127.0.0.1", "0", type, backlog };
	struct address address;

	listener = sock_listen(&place, &failure);
	ck_assert_msg(listener >= 0, "%s", failure.text);
	if (type == SOCK_STREAM)
		sock_set_nodelay(listener);
	ck_assert_int_eq(address_local(listener, &address), 0);
	snprintf(port, sizeof port, "%u", address_port(&address));
}

void open_listener(int backlog)
{
	open_listener_of(SOCK_STREAM, backlog);
}

/* The child alone has the listener then: when it dies, clients are refused. */
static void close_listener(void)
{
	close(listener);
	listener = -1;
}

void start_server(serve_function *serve)
{
	open_listener(128);
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0) {
		signal(SIGPIPE, SIG_IGN);
		accept_clients(serve);
	}
	close_listener();
}

void start_server_of_one_client(serve_function *serve, int backlog)
{
	open_listener(backlog);
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0) {
		signal(SIGPIPE, SIG_IGN);
		for (unsigned number = 0;; number++) {
			struct address peer;
			int fd = sock_accept(listener, &peer, false);

			if (fd < 0)
				_exit(1);
			serve(fd, number);
			close(fd);
		}
	}
	close_listener();
}

void find_deaf_port(void)
{
	open_listener(1);
	close_listener();
}

/* ---- servers of datagrams ---------------------------------------------------------------------- */

void answer(const struct heard *heard, const void *bytes, size_t length)
{
	ssize_t n =
		sendto(heard->fd, bytes, length, 0, &heard->from.any, heard->from.length);

	(void)n; /* a client that has left */
}

static void hear_all(hear_function *hear)
{
	static char bytes[65536];
	struct heard heard = { .fd = listener, .bytes = bytes };

	for (;;) {
		struct sockaddr_storage from;
		socklen_t from_length = sizeof from;
		ssize_t n = recvfrom(listener, bytes, sizeof bytes, 0,
				     (struct sockaddr *)&from, &from_length);

		if (n < 0)
			continue;
		address_set(&heard.from, (struct sockaddr *)&from, from_length);
		heard.length = (size_t)n;
		hear(&heard);
		heard.number++;
	}
}

void start_datagram_server(hear_function *hear)
{
	open_listener_of(SOCK_DGRAM, 0);
	server = fork();
	ck_assert_int_ge(server, 0);
	if (server == 0)
		hear_all(hear);
	close_listener();
}

/* ---- the plan ---------------------------------------------------------------------------------- */

void set_plan(const char *protocol, bool datagrams)
{
	plan = (struct load_plan){
		.kind = LOAD_CONVERSATIONS,
		.protocol = load_protocol_find(protocol),
		.datagrams = datagrams,
		.host = "127.0.0.1",
		.port = port,
		.connections = 2,
		.size = 64,
		.duration = 200,
		.timeout = 10000,
	};
	for (unsigned loads = load_protocol_loads(plan.protocol, datagrams);
	     loads != 0 && !(loads & 1U << plan.kind);)
		plan.kind++;
}

static void begin(void)
{
	server = -1;
	listener = -1;
	memset(&failure, 0, sizeof failure);
	notes = process_shared_memory(sizeof *notes);
	ck_assert_ptr_nonnull(notes);
	set_plan("echo", false);
}

static void stop_server(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	if (listener >= 0)
		close(listener);
}

TCase *load_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, begin, stop_server);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/* ---- what comes of it -------------------------------------------------------------------------- */

void measure(void)
{
	int64_t before = clock_milliseconds();
	int done = load_run(&plan, &result, &failure);

	ck_assert_msg(done == 0, "%s", failure.text);
	ck_assert_int_lt(clock_milliseconds() - before, plan.duration + ALL_IN_GOOD_TIME);
	ck_assert_uint_eq(histogram_count(&result.latency), result.exchanges);
}

static volatile sig_atomic_t stop;

static void stop_at(const struct load_progress *progress, void *context)
{
	const uint64_t *exchanges = context;

	if (progress->phase == LOAD_RUNNING && progress->exchanges >= *exchanges)
		stop = 1;
}

void measure_until(uint64_t exchanges)
{
	stop = 0;
	plan.stop = &stop;
	plan.progress = stop_at;
	plan.context = &exchanges;
	plan.duration = ALL_IN_GOOD_TIME;
	measure();
}

void assert_no_errors(void)
{
	for (int i = 0; i < LOAD_ERRORS; i++)
		ck_assert_msg(result.errors[i] == 0, "%ju times %s",
			      (uintmax_t)result.errors[i],
			      load_error_name((enum load_error)i));
}

void assert_errors_are_all(enum load_error kind)
{
	ck_assert_uint_gt(result.errors[kind], 0);
	for (int i = 0; i < LOAD_ERRORS; i++)
		ck_assert_msg(i == (int)kind || result.errors[i] == 0, "%ju times %s",
			      (uintmax_t)result.errors[i],
			      load_error_name((enum load_error)i));
}
