/*
 * What the engine does for a service, in every model: the models themselves, with a service
 * made for the purpose, in a process of the test's own.
 *
 * tests/fixture/models.h drives the programs; but none of them has a service with all of this.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/io.h"
#include "common/process.h"
#include "common/sock.h"
#include "server/core/connection.h"
#include "server/core/loop.h"
#include "server/core/server.h"
#include "server/core/session.h"
#include "tests/fixture/can_run.h"
#include "tests/fixture/client.h"
#include "tests/fixture/folder.h"
#include "tests/suites.h"
#include "tests/fixture/waiting.h"

#define MODEL(name) extern const struct model name##_model;
MODEL_SYMBOLS
#undef MODEL

static const struct model *const all_models[] = {
#define MODEL(name) &name##_model,
	MODEL_SYMBOLS
#undef MODEL
};

enum {
	ALL_MODELS = sizeof all_models / sizeof *all_models,
	CLIENTS = 3,
	PAUSE = 100,
	CONTENT = 3 * 1024 * 1024,
	IDLE_CLIENT = 240,     /* bytes of an idle client, with those of malloc(3) */
	MALLOC_HEADER = 8,     /* of glibc on 64 bits ... */
	MALLOC_ALIGNMENT = 16, /* ... which makes each block a multiple of this */
};

/* ---- a service that needs all of it ------------------------------------------------------ */

static char path[FOLDER_TEXT];
static char *content;
static int reports[2]; /* a pipe: who reopens writes its pid */

static void report_reopen(void)
{
	pid_t self = getpid();

	io_write(reports[1], &self, sizeof self);
}

static void send_file(struct session *session)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		session_send_file(session, fd, 0, CONTENT);
	else
		session_write(session, "no file", 7);
}

/* Answers each byte: 'f' by a file, 'p' after a pause, 'd' by nothing, but with a deadline,
 * and any other by itself; only at 'y' it lets others go first, for ever. */
static size_t serve_byte(struct session *session, const char *bytes, size_t n)
{
	bool *waited = session->state;
	size_t used = 0;

	for (; used < n && !session_full(session); used++) {
		if (bytes[used] == 'p' && !*waited) {
			*waited = true;
			session_pause(session, PAUSE);
			return used;
		}
		*waited = false;
		if (bytes[used] == 'y') {
			session_pause(session, 0);
			return used;
		}
		if (bytes[used] == 'f')
			send_file(session);
		else if (bytes[used] == 'd')
			session_deadline(session, PAUSE);
		else
			session_write(session, bytes + used, 1);
	}
	return used;
}

static void say_expired(struct session *session)
{
	session_write(session, "expired", 7);
}

static void answer_datagram(struct session *session, const char *bytes, size_t n)
{
	session_write(session, bytes, n);
}

static const struct service service = {
	.name = "engine",
	.descriptors = 1,
	.state_size = sizeof(bool),
	.input = serve_byte,
	.expired = say_expired,
	.reopen = report_reopen,
	.datagram = answer_datagram,
};

static bool reopens = true; /* or the same service, but for that */
static rlim_t descriptors;  /* that the server may have open; 0: as many as it can get */

/* ---- the server, a process --------------------------------------------------------------- */

struct process {
	pid_t pid;
	unsigned port;
	int type;
};

static _Noreturn void be_server(const struct model *model, int listener, int type)
{
	static struct server server;
	static struct service served;

	struct rlimit limit = { descriptors, descriptors };
	struct failure failure;

	message_set_level(MESSAGE_ERROR);
	close(reports[0]);
	if (descriptors > 0 && setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(1);
	process_signal_with_parent(SIGKILL, getppid());
	signal(SIGHUP, SIG_DFL);
	served = service;
	if (!reopens)
		served.reopen = NULL;
	server.service = &served;
	server.model = model;
	server.max_clients = model->most_clients;
	server.idle_timeout = WAIT_MS;
	server.datagrams = type == SOCK_DGRAM;
	if (server.datagrams)
		server.max_clients = 10;
	if (model->check != NULL && model->check(&server, &failure) < 0)
		_exit(1);
	if (model->prepare != NULL && model->prepare(&server, &failure) < 0)
		_exit(1);
	if (server_begin(&server, &(struct listeners){ { listener }, 1 }, NULL) < 0)
		_exit(1);
	io_write(reports[1], &(pid_t){ 0 }, sizeof(pid_t)); /* signals may come */
	if ((server.datagrams ? model->serve_datagrams(&server) : model->serve(&server)) <
	    0)
		_exit(1);
	server_end(&server);
	_exit(0);
}

static pid_t next_report(void)
{
	pid_t who = -1;

	ck_assert_int_gt(io_wait(reports[0], POLLIN, WAIT_MS), 0);
	ck_assert_int_eq(io_read(reports[0], &who, sizeof who), sizeof who);
	return who;
}

static struct process start(int model, int type)
{
	struct sock_place place = { "127.0.0.1", "0", type, 10 };
	struct process process = { .type = type };
	struct failure failure;
	struct address address;
	int listener = sock_listen(&place, &failure),
	    file = folder_create_file(path, "engine");

	ck_assert_msg(listener >= 0, "%s", failure.text);
	ck_assert_int_eq(address_local(listener, &address), 0);
	process.port = address_port(&address);
	fill_pattern(content, CONTENT, 13);
	ck_assert_int_eq(io_write(file, content, CONTENT), CONTENT);
	close(file);
	ck_assert_int_eq(pipe(reports), 0);
	process.pid = fork();
	ck_assert_int_ge(process.pid, 0);
	if (process.pid == 0)
		be_server(all_models[model], listener, type);
	close(listener);
	close(reports[1]);
	ck_assert_int_eq(next_report(), 0);
	return process;
}

static void finish(const struct process *process)
{
	int status;

	ck_assert_int_eq(kill(process->pid, SIGTERM), 0);
	ck_assert_int_eq(waitpid(process->pid, &status, 0), process->pid);
	ck_assert_int_eq(status, 0);
	unlink(path);
}

static int arrive(const struct process *process)
{
	int fd = client_connect_by(process->type, "127.0.0.1", process->port);

	client_send(fd, "!", 1); /* it is served: somebody is there who answers */
	client_expect(fd, "!", 1);
	return fd;
}

/* How many clients can be there at a time. */
static int at_a_time(int model, int type)
{
	return type == SOCK_DGRAM || all_models[model]->most_clients > 1 ? CLIENTS : 1;
}

/* ---- SIGHUP ------------------------------------------------------------------------------ */

/* The workers of prefork exist before the clients: as many as its default of -j. */
enum { PREFORK_WORKERS = 8 };

static int count_processes(int model, int type, int clients)
{
	if (all_models[model] == &prefork_model && type == SOCK_STREAM)
		return 1 + PREFORK_WORKERS;
	if (all_models[model] == &prefork_model || all_models[model] == &fork_model)
		return 1 + clients;
	return 1;
}

static void expect_everybody_reopens(int model, int type)
{
	struct process process = start(model, type);
	int clients = at_a_time(model, type), fds[CLIENTS], processes;
	pid_t seen[1 + PREFORK_WORKERS], more;

	for (int i = 0; i < clients; i++)
		fds[i] = arrive(&process);
	processes = count_processes(model, type, clients);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(kill(process.pid, SIGHUP), 0);
		for (int i = 0; i < processes; i++) {
			seen[i] = next_report();
			for (int j = 0; j < i; j++)
				ck_assert_int_ne(seen[i], seen[j]);
			ck_assert_int_gt(seen[i], 0);
		}
		if (processes == 1)
			ck_assert_int_eq(seen[0], process.pid);
		for (int i = 0; i < clients; i++) { /* they have noticed nothing */
			client_send(fds[i], "x", 1);
			client_expect(fds[i], "x", 1);
		}
	}
	for (int i = 0; i < clients; i++)
		client_close(fds[i]);
	finish(&process);
	ck_assert_int_eq(io_read(reports[0], &more, sizeof more), 0); /* no more often */
}

START_TEST(sighup_lets_every_process_reopen)
{
	expect_everybody_reopens(_i, SOCK_STREAM);
}
END_TEST

START_TEST(sighup_lets_every_process_reopen_on_udp)
{
	expect_everybody_reopens(_i, SOCK_DGRAM);
}
END_TEST

/* Where clients keep a loop so busy that it never waits. */
START_TEST(sighup_is_heard_though_there_is_no_time_to_wait)
{
	static struct loop loop;
	struct sock_place place = { "127.0.0.1", "0", SOCK_STREAM, 10 };
	struct server server = { .service = &service, .model = &select_model };
	struct failure failure;
	int listener = sock_listen(&place, &failure);

	ck_assert_msg(listener >= 0, "%s", failure.text);
	ck_assert_int_eq(pipe(reports), 0);
	ck_assert_int_eq(
		server_begin(&server, &(struct listeners){ { listener }, 1 }, NULL), 0);
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
	for (int i = 0; i < 100; i++) {
		ck_assert(server_running(&server));
		loop_tick(&loop);
	}
	ck_assert_int_gt(io_wait(reports[0], POLLIN, 0), 0);
	server_end(&server);
}
END_TEST

/* What it needs only at times must not be in its struct: see connection.h. A service without a
 * state adds nothing. */
START_TEST(an_idle_client_of_a_loop_costs_at_most_240_bytes)
{
	for (int i = 0; sizeof(void *) == 8 && i < ALL_MODELS; i++) {
		const struct model *model = all_models[i];
		size_t size = sizeof(struct connection) + model->client_size;
		size_t units =
			(size + MALLOC_HEADER + MALLOC_ALIGNMENT - 1) / MALLOC_ALIGNMENT;

		if (model->one_process && model->nonblocking)
			ck_assert_msg(units * MALLOC_ALIGNMENT <= IDLE_CLIENT,
				      "%s: %zu bytes", model->name,
				      units * MALLOC_ALIGNMENT);
	}
}
END_TEST

/* With socket activation the first client is there before the server, and what its socket has
 * of the listener is what that had then. */
START_TEST(who_came_before_the_server_has_the_same_options_as_who_came_later)
{
	struct sock_place place = { "127.0.0.1", "0", SOCK_STREAM, 10 };
	struct server server = {
		.service = &service,
		.model = &select_model,
		.max_clients = 10,
	};
	struct failure failure;
	struct address address;
	int listener = sock_listen(&place, &failure), off = 0;

	ck_assert_msg(listener >= 0, "%s", failure.text);
	/* as a service manager makes it */
	ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_OOBINLINE, &off, sizeof off),
			 0);
	ck_assert_int_eq(address_local(listener, &address), 0);
	for (int i = 0; i < 2; i++) {
		int client = client_connect_to("127.0.0.1", address_port(&address));
		struct connection *connection;
		int nodelay = 0, keepalive = 0, urgent_inline = 0;
		socklen_t length = sizeof(int);

		if (i == 0)
			ck_assert_int_eq(
				server_begin(&server,
					     &(struct listeners){ { listener }, 1 },
					     NULL),
				0);
		connection = server_accept(&server);
		ck_assert_ptr_nonnull(connection);
		ck_assert_int_eq(getsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY,
					    &nodelay, &length),
				 0);
		ck_assert_int_eq(getsockopt(connection->fd, SOL_SOCKET, SO_KEEPALIVE,
					    &keepalive, &length),
				 0);
		ck_assert_int_eq(getsockopt(connection->fd, SOL_SOCKET, SO_OOBINLINE,
					    &urgent_inline, &length),
				 0);
		ck_assert(nodelay != 0 && keepalive != 0 && urgent_inline != 0);
		server_release(&server, connection);
		client_close(client);
	}
	server_end(&server);
}
END_TEST

/* GIVEN a listening local socket, whose accepted sockets inherit no option
   WHEN clients connect, before the server begins and after
   THEN each accepted socket takes urgent data inline. */
START_TEST(clients_of_a_local_socket_send_urgent_data_inline)
{
	struct server server = {
		.service = &service,
		.model = &select_model,
		.max_clients = 10,
	};
	struct sockaddr_un path_of_it = { .sun_family = AF_UNIX };
	const struct sockaddr *where = (const struct sockaddr *)&path_of_it;
	struct folder folder;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	folder_create(&folder);
	ck_assert_int_lt(snprintf(path_of_it.sun_path, sizeof path_of_it.sun_path, "%s",
				  folder_path(&folder, "server")),
			 (int)sizeof path_of_it.sun_path);
	ck_assert_int_eq(bind(listener, where, sizeof path_of_it), 0);
	ck_assert_int_eq(listen(listener, 2), 0);
	for (int i = 0; i < 2; i++) {
		int client = socket(AF_UNIX, SOCK_STREAM, 0), urgent_inline = 0;
		socklen_t length = sizeof urgent_inline;
		struct connection *connection;

		ck_assert_int_eq(connect(client, where, sizeof path_of_it), 0);
		if (i == 0)
			ck_assert_int_eq(
				server_begin(&server,
					     &(struct listeners){ { listener }, 1 },
					     NULL),
				0);
		connection = server_accept(&server);
		ck_assert_ptr_nonnull(connection);
		ck_assert_int_eq(getsockopt(connection->fd, SOL_SOCKET, SO_OOBINLINE,
					    &urgent_inline, &length),
				 0);
		ck_assert_int_ne(urgent_inline, 0);
		server_release(&server, connection);
		close(client);
	}
	server_end(&server);
	folder_remove(&folder);
}
END_TEST

START_TEST(sighup_is_heard_where_nobody_is_served)
{
	struct process process = start(_i, SOCK_STREAM);

	ck_assert_int_eq(kill(process.pid, SIGHUP), 0);
	ck_assert_int_eq(next_report(), process.pid);
	client_close(arrive(&process));
	finish(&process);
}
END_TEST

START_TEST(sighup_ends_a_server_that_has_nothing_to_reopen)
{
	struct process process;
	int status;

	reopens = false;
	process = start(_i, SOCK_STREAM);
	ck_assert_int_eq(kill(process.pid, SIGHUP), 0);
	ck_assert_int_eq(waitpid(process.pid, &status, 0), process.pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
	unlink(path);
}
END_TEST

/* ---- files and time ---------------------------------------------------------------------- */

START_TEST(each_client_gets_its_files)
{
	struct process process = start(_i, SOCK_STREAM);
	int clients = at_a_time(_i, SOCK_STREAM), fds[CLIENTS];

	for (int i = 0; i < clients; i++) {
		fds[i] = arrive(&process);
		client_send(fds[i], "fxf", 3);
	}
	for (int i = clients - 1; i >= 0; i--) { /* the first has not been read yet */
		client_expect(fds[i], content, CONTENT);
		client_expect(fds[i], "x", 1);
		client_expect(fds[i], content, CONTENT);
		client_close(fds[i]);
	}
	finish(&process);
}
END_TEST

START_TEST(pauses_and_deadlines_come_in_time)
{
	struct process process = start(_i, SOCK_STREAM);
	int fd = arrive(&process);
	int64_t begin = clock_milliseconds();

	client_send(fd, "1p2p3", 5);
	client_expect(fd, "1p2p3", 5);
	ck_assert_int_ge(clock_milliseconds() - begin, 2 * PAUSE);
	begin = clock_milliseconds();
	client_send(fd, "d4", 2);
	client_expect(fd, "4expired", 8);
	ck_assert_int_ge(clock_milliseconds() - begin, PAUSE - 1);
	ck_assert_int_eq(io_wait(fd, POLLIN, 2 * PAUSE), 0);
	client_close(fd);
	finish(&process);
}
END_TEST

START_TEST(a_client_in_a_pause_is_answered_before_the_server_ends)
{
	struct process process = start(_i, SOCK_STREAM);
	int fd = arrive(&process), status;

	client_send(fd, "xp", 2);
	client_expect(fd, "x", 1);
	ck_assert_int_eq(kill(process.pid, SIGTERM), 0);
	client_expect(fd, "p", 1);
	client_expect_end(fd);
	client_close(fd);
	ck_assert_int_eq(waitpid(process.pid, &status, 0), process.pid);
	ck_assert_int_eq(status, 0);
	unlink(path);
}
END_TEST

/* ---- descriptors ------------------------------------------------------------------------- */

enum { FEW = 20, IDLE = 12, STALLED = 700 };

/* More come than there are descriptors for; the others wait, as for any other room. */
START_TEST(whoever_is_let_in_finds_a_descriptor_for_a_file)
{
	struct process process;
	int fds[IDLE];

	descriptors = FEW;
	process = start(_i, SOCK_STREAM);
	for (int i = 0; i < IDLE; i++)
		fds[i] = client_connect_by(SOCK_STREAM, "127.0.0.1", process.port);
	for (int i = 0; i < IDLE; i++) {
		client_send(fds[i], "f", 1);
		client_expect(fds[i], content, CONTENT);
		client_close(fds[i]);
	}
	finish(&process);
}
END_TEST

/* Their sockets have low numbers, and their files need none: select could not wait for more
 * than a thousand of both. */
START_TEST(files_that_wait_for_their_clients_keep_nobody_out)
{
	struct process process;
	static int fds[STALLED];

	if (process_raise_descriptors(FD_SETSIZE + STALLED + 100) <
	    FD_SETSIZE + STALLED + 100) {
		skipped("needs more descriptors (ulimit -n)");
		return;
	}
	process = start(_i, SOCK_STREAM);
	for (int i = 0; i < STALLED; i++) {
		fds[i] = client_connect_by(SOCK_STREAM, "127.0.0.1", process.port);
		client_send(fds[i], "f", 1);
		client_expect(fds[i], content, 1);
	}
	for (int i = 0; i < STALLED; i++)
		client_reset(fds[i]);
	finish(&process);
}
END_TEST

/* ---- turns ------------------------------------------------------------------------------- */

static bool ends_when_asked(void *context)
{
	pid_t pid = *(pid_t *)context;

	return kill(pid, SIGTERM) == 0 && waitpid(pid, NULL, WNOHANG) == pid;
}

START_TEST(whoever_lets_others_go_first_holds_up_nobody)
{
	struct process process = start(_i, SOCK_STREAM);
	int clients = at_a_time(_i, SOCK_STREAM), fds[CLIENTS], processes, status;

	for (int i = 0; i < clients; i++)
		fds[i] = arrive(&process);
	for (int i = 0; i + 1 < clients || i == 0; i++) { /* all but the last */
		client_send(fds[i], "xy", 2);
		client_expect(fds[i], "x", 1);
	}
	if (clients > 1) {
		client_send(fds[clients - 1], "1p2f", 4);
		client_expect(fds[clients - 1], "1p2", 3);
		client_expect(fds[clients - 1], content, CONTENT);
	}
	processes = count_processes(_i, SOCK_STREAM, clients);
	ck_assert_int_eq(kill(process.pid, SIGHUP), 0);
	for (int i = 0; i < processes; i++)
		ck_assert_int_gt(next_report(), 0);
	ck_assert_int_eq(kill(process.pid, SIGTERM), 0);
	if (all_models[_i] ==
	    &select_model) { /* it computes for all of SERVER_GRACE: once */
		ck_assert_int_eq(waitpid(process.pid, &status, 0), process.pid);
		ck_assert_int_eq(status, 0);
	} else { /* asked again, it ends at once */
		ck_assert(eventually(ends_when_asked, &process.pid, WAIT_MS));
	}
	for (int i = 0; i < clients; i++)
		client_close(fds[i]);
	unlink(path);
}
END_TEST

/* For each model that accepts its clients itself. */
static void add(TCase *tcase, const TTest *test)
{
	for (int i = 0; i < ALL_MODELS; i++)
		if (!all_models[i]->serves_input && can_run(all_models[i]->name))
			tcase_add_loop_test(tcase, test, i, i + 1);
}

Suite *suite_engine(void)
{
	Suite *suite = suite_create("engine");
	TCase *tcase = add_case(suite, "SIGHUP");

	content = much_memory(CONTENT);
	add(tcase, sighup_lets_every_process_reopen);
	tcase_add_loop_test(tcase, sighup_lets_every_process_reopen_on_udp, 0,
			    ALL_MODELS);
	add(tcase, sighup_is_heard_where_nobody_is_served);
	tcase_add_test(tcase,
		       who_came_before_the_server_has_the_same_options_as_who_came_later);
	tcase_add_test(tcase, clients_of_a_local_socket_send_urgent_data_inline);
	tcase_add_test(tcase, an_idle_client_of_a_loop_costs_at_most_240_bytes);
	tcase_add_test(tcase, sighup_is_heard_though_there_is_no_time_to_wait);
	add(tcase, sighup_ends_a_server_that_has_nothing_to_reopen);
	tcase = add_case(suite, "files and time");
	add(tcase, each_client_gets_its_files);
	add(tcase, pauses_and_deadlines_come_in_time);
	add(tcase, a_client_in_a_pause_is_answered_before_the_server_ends);
	add(tcase, whoever_is_let_in_finds_a_descriptor_for_a_file);
	for (int i = 0; i < ALL_MODELS;
	     i++) /* a pool serves no more clients than workers */
		if (all_models[i]->one_process && all_models[i] != &pool_model &&
		    can_run(all_models[i]->name))
			tcase_add_loop_test(
				tcase, files_that_wait_for_their_clients_keep_nobody_out,
				i, i + 1);
	add(tcase, whoever_lets_others_go_first_holds_up_nobody);
	return suite;
}
