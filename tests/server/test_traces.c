/*
 * The traces of servers (--trace), in every model: the events of each client are in order, and a
 * model serves as many clients at a time as it can, and no more.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/trace/trace_file.h"
#include "common/io.h"
#include "common/sock.h"
#include "common/trace_events.h"
#include "tests/fixture/folder.h"
#include "tests/fixture/harness.h"
#include "tests/fixture/models.h"
#include "tests/suites.h"

enum {
	TEXT = 512,
	CLIENTS = 6,
	WORKERS = 2,
	MOST_LINES = 1000,
	WORK = 5, /* milliseconds of each answer */
	MILLISECOND = 1000000,
	LIMIT = 4096,
};

#define RECEIVED "Message received\n"

static struct folder folder;

static void make(void)
{
	folder_create(&folder);
}

static void clear(void)
{
	folder_remove(&folder);
}

static const char *path(void)
{
	static char text[FOLDER_TEXT + 16];

	snprintf(text, sizeof text, "%s", folder_path(&folder, "trace"));
	return text;
}

/* ---- reading --------------------------------------------------------------------------- */

struct line {
	long long at;
	long process, thread;
	unsigned long client;
	enum trace_event event;
	char detail[TEXT];
};

static struct line lines[MOST_LINES];
static size_t line_count;

static void read_line(const char *text)
{
	struct line *line = &lines[line_count++];
	char name[32];
	int end = 0;

	ck_assert_uint_le(line_count, MOST_LINES);
	ck_assert_msg(sscanf(text, "%lld %ld %ld %lu %31s%n", &line->at, &line->process,
			     &line->thread, &line->client, name, &end) == 5,
		      "%s", text);
	ck_assert_msg(trace_event_find(name, &line->event), "%s", text);
	snprintf(line->detail, sizeof line->detail, "%s",
		 text[end] == ' ' ? text + end + 1 : text + end);
	line->detail[strcspn(line->detail, "\n")] = '\0';
}

static void read_lines(void)
{
	FILE *file = fopen(path(), "r");
	char text[TEXT];

	ck_assert_ptr_nonnull(file);
	line_count = 0;
	while (fgets(text, sizeof text, file) != NULL)
		if (text[0] != '#')
			read_line(text);
	fclose(file);
}

/* Returns the first such event of a client; NULL: there is none. */
static const struct line *find(unsigned long client, enum trace_event event)
{
	for (size_t i = 0; i < line_count; i++)
		if (lines[i].client == client && lines[i].event == event)
			return &lines[i];
	return NULL;
}

/* The numbers of the clients, in the order of their lines. */
static size_t find_clients(unsigned long clients[MOST_LINES])
{
	size_t count = 0;

	for (size_t i = 0; i < line_count; i++) {
		size_t j = 0;

		while (j < count && clients[j] != lines[i].client)
			j++;
		if (j == count)
			clients[count++] = lines[i].client;
	}
	return count;
}

/* How many clients had been taken, and were not closed, at the moment when one was taken. */
static size_t most_at_once(void)
{
	size_t most = 0;

	for (size_t i = 0; i < line_count; i++) {
		size_t present = 0;

		for (size_t j = 0; lines[i].event == TRACE_TAKEN && j < line_count; j++) {
			const struct line *closed = find(lines[j].client, TRACE_CLOSED);

			present += lines[j].event == TRACE_TAKEN &&
				   lines[j].at <= lines[i].at && closed != NULL &&
				   closed->at > lines[i].at;
		}
		most = present > most ? present : most;
	}
	return most;
}

/* How many processes and threads have taken a client. */
static size_t count_workers(void)
{
	size_t count = 0;

	for (size_t i = 0; i < line_count; i++) {
		bool is_new = lines[i].event == TRACE_TAKEN;

		for (size_t j = 0; is_new && j < i; j++)
			is_new = lines[j].event != TRACE_TAKEN ||
				 lines[j].process != lines[i].process ||
				 lines[j].thread != lines[i].thread;
		count += is_new;
	}
	return count;
}

/* The trace as timeline(1) reads it. */
static void read_spans(struct trace *trace)
{
	struct failure failure = { .text = "" };
	FILE *file = fopen(path(), "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_msg(trace_read(trace, file, "trace", 0, &failure) == 0, "%s",
		      failure.text);
	fclose(file);
}

static bool trace_has(const char *text)
{
	FILE *file = fopen(path(), "r");
	char line[TEXT];
	bool found = false;

	while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
		found = strstr(line, text) != NULL;
	if (file != NULL)
		fclose(file);
	return found;
}

/* ---- every model ----------------------------------------------------------------------- */

/* A client that has asked once, was answered, and has left. */
static void expect_conversation(unsigned long client)
{
	static const enum trace_event order[] = {
		TRACE_ACCEPTED, TRACE_TAKEN,       TRACE_RECEIVED, TRACE_REQUEST,
		TRACE_SENT,     TRACE_HALF_CLOSED, TRACE_CLOSED,
	};
	const struct line *before = NULL;

	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		const struct line *line = find(client, order[i]);

		ck_assert_msg(line != NULL, "client %lu: no event %s", client,
			      trace_event_name(order[i]));
		ck_assert_msg(before == NULL || before->at <= line->at,
			      "client %lu: %s comes too early", client,
			      trace_event_name(order[i]));
		before = line;
	}
	expect_match(find(client, TRACE_ACCEPTED)->detail, "^127\\.0\\.0\\.1:[0-9]+$");
	ck_assert_str_eq(find(client, TRACE_RECEIVED)->detail, "2");
	ck_assert_str_eq(find(client, TRACE_REQUEST)->detail, "2");
	ck_assert_str_eq(find(client, TRACE_SENT)->detail, "17");
	ck_assert_str_eq(find(client, TRACE_CLOSED)->detail, "client closed");
	ck_assert_int_ge(find(client, TRACE_REQUEST)->at -
				 find(client, TRACE_RECEIVED)->at,
			 WORK * MILLISECOND);
	ck_assert_int_eq(find(client, TRACE_TAKEN)->thread,
			 find(client, TRACE_CLOSED)->thread);
}

static void expect_numbers(int model, const unsigned long clients[], size_t count)
{
	ck_assert_uint_eq(count, CLIENTS);
	for (size_t i = 0; i < count; i++) {
		expect_conversation(clients[i]);
		if (model_is(model, "inetd"))
			ck_assert_int_eq((long)clients[i],
					 find(clients[i], TRACE_TAKEN)->process);
		else
			ck_assert_uint_le(clients[i], CLIENTS);
	}
}

static bool has_worker_for_each(int model)
{
	return model_has_processes(model) || model_has_threads(model) ||
	       model_is(model, "inetd");
}

/* The arithmetic of the model: who serves how many, and when. */
static void expect_picture(int model)
{
	size_t most = most_at_once(), workers = count_workers();
	struct trace trace;

	read_spans(&trace);
	ck_assert_uint_eq(trace.client_count, CLIENTS);
	ck_assert_uint_eq(trace.lane_count, workers);
	if (!model_serves_many(model)) {
		ck_assert_uint_eq(most, 1);
	} else if (model_has_standing_workers(model)) {
		ck_assert_uint_ge(workers, 1);
		ck_assert_uint_le(workers, WORKERS);
		ck_assert_uint_le(most, WORKERS);
	} else {
		ck_assert_uint_eq(most, CLIENTS);
		ck_assert_uint_eq(workers, has_worker_for_each(model) ? CLIENTS : 1);
	}
	/* each answer costs WORK, and one thread gives one at a time */
	ck_assert_int_ge(trace.length,
			 (int64_t)CLIENTS / (int64_t)workers * WORK * MILLISECOND);
	trace_free(&trace);
}

/* GIVEN a server whose answers take a known time, and two workers if it has standing workers
   WHEN six clients come at once, and ask
   THEN each has its events, in order; and the model serves as many at a time as it says. */
START_TEST(each_model_has_the_timeline_of_its_workers)
{
	const char *const options[] = { "--work", "5", "--trace", path(), NULL };
	struct server server = server_start(model_program(_i, "reply"),
					    model_options_for(_i, options, WORKERS));
	bool all_stay = model_serves_many(_i) && !model_has_standing_workers(_i);
	unsigned long clients[MOST_LINES];
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_connect(&server);
		client_say(fds[i], "a\n");
	}
	for (int i = 0; i < CLIENTS; i++) {
		client_hear(fds[i], RECEIVED);
		if (!all_stay)
			client_leave(fds[i]);
	}
	for (int i = 0; all_stay && i < CLIENTS; i++)
		client_leave(fds[i]);
	server_finish(&server);
	read_lines();
	expect_numbers(_i, clients, find_clients(clients));
	expect_picture(_i);
}
END_TEST

/* GIVEN a client that reads nothing, WHEN the kernel takes no more, THEN that is an event; and
   when the client has read all, that is another one. */
START_TEST(output_that_waits_is_queued_and_then_drained)
{
	struct server server = model_start(_i, "echo", ARGUMENTS("--trace", path()));
	int fd = client_connect_and_echo(&server);

	client_send_until_full(fd);
	ck_assert_int_eq(io_set_nonblocking(fd, false), 0);
	client_half_close(fd);
	for (char bytes[TEXT]; io_read(fd, bytes, sizeof bytes) > 0;)
		continue;
	client_close(fd);
	server_finish(&server);
	ck_assert(trace_has(" queued "));
	ck_assert(trace_has(" drained\n"));
}
END_TEST

/* ---- a proxy --------------------------------------------------------------------------- */

/* The number of the only client with such an event. */
static unsigned long client_with(enum trace_event event)
{
	unsigned long client = 0;

	for (size_t i = 0; i < line_count; i++)
		if (lines[i].event == event) {
			ck_assert_uint_eq(client, 0);
			client = lines[i].client;
		}
	ck_assert_uint_ne(client, 0);
	return client;
}

static void expect_proxied(unsigned long client)
{
	const struct line *proxied = find(client, TRACE_PROXIED);

	ck_assert_str_eq(proxied->detail, "192.0.2.1:56324");
	expect_match(find(client, TRACE_ACCEPTED)->detail, "^127\\.0\\.0\\.1:[0-9]+$");
	ck_assert_int_le(find(client, TRACE_RECEIVED)->at, proxied->at);
	ck_assert_int_le(proxied->at, find(client, TRACE_REQUEST)->at);
	ck_assert_str_eq(find(client, TRACE_REQUEST)->detail, "3");
}

/* GIVEN a server with --proxy-protocol
   WHEN a client comes through the proxy, its header in two pieces, and then the proxy itself
   THEN the trace has the address of the client, beside that of the proxy, and timeline(1) uses
   it; of the proxy itself the trace has one address. */
START_TEST(a_trace_has_the_client_of_the_proxy)
{
	struct server server =
		model_start(_i, "echo", ARGUMENTS("--proxy-protocol", "--trace", path()));
	int fd = client_connect(&server);
	size_t named = 0;
	struct trace trace;

	ck_assert_int_eq(sock_set_nodelay(fd), 0);
	client_say(fd, "PROXY TCP4 192.0.2.1 ");
	client_say(fd, "192.0.2.2 56324 443\r\nhi\n");
	client_hear(fd, "hi\n");
	client_leave(fd);
	fd = client_connect(&server);
	client_say(fd, "PROXY UNKNOWN\r\nhi\n");
	client_hear(fd, "hi\n");
	client_leave(fd);
	server_finish(&server);
	read_lines();
	expect_proxied(client_with(TRACE_PROXIED));
	read_spans(&trace);
	ck_assert_uint_eq(trace.client_count, 2);
	for (size_t i = 0; i < trace.client_count; i++)
		named += strcmp(trace.clients[i].address, "192.0.2.1:56324") == 0;
	ck_assert_uint_eq(named, 1);
	trace_free(&trace);
}
END_TEST

/* ---- chat ------------------------------------------------------------------------------ */

static void hear_until(int fd, const char *end)
{
	char heard[TEXT] = "";
	size_t length = 0;

	while (strstr(heard, end) == NULL) {
		ck_assert_uint_lt(length, sizeof heard - 1);
		ck_assert_int_eq(io_read_all(fd, heard + length, 1), 1);
		heard[++length] = '\0';
	}
}

/* GIVEN two who chat, WHEN one says something, THEN it is sent to the other, who has requested
   nothing since. */
START_TEST(a_delivery_is_sent_without_a_request)
{
	struct server server;
	int bob, alice;
	const struct line *said = NULL, *sent = NULL;

	if (!model_serves_many(_i)) /* who is there is alone */
		return;
	server = model_start(_i, "chat", ARGUMENTS("--trace", path()));
	bob = client_connect(&server);
	client_say(bob, "/nick bob\n");
	hear_until(bob, "* you are now bob\n");
	alice = client_connect(&server);
	client_say(alice, "/nick alice\n");
	hear_until(alice, "* you are now alice\n");
	client_say(alice, "hello\n");
	hear_until(bob, "alice: hello\n");
	client_half_close(bob);
	client_close(bob);
	hear_until(alice, "bob has left");
	client_close(alice);
	server_finish(&server);
	read_lines();
	for (size_t i = 0; i < line_count; i++) {
		if (lines[i].client == 2 && lines[i].event == TRACE_REQUEST)
			said = &lines[i];
		if (lines[i].client == 1 && lines[i].event == TRACE_SENT)
			sent = &lines[i];
	}
	ck_assert_ptr_nonnull(said);
	ck_assert_ptr_nonnull(sent);
	ck_assert_str_eq(said->detail, "6");
	ck_assert_int_gt(sent->at, find(2, TRACE_ACCEPTED)->at);
	for (size_t i = 0; i < line_count; i++)
		if (lines[i].client == 1 && lines[i].event == TRACE_REQUEST)
			ck_assert_int_lt(lines[i].at, sent->at);
}
END_TEST

/* ---- trouble --------------------------------------------------------------------------- */

struct echoing {
	const struct server *server;
	int fd;
	const char *awaited;
};

static bool echoes_until_it_is_traced(void *context)
{
	const struct echoing *echoing = context;

	client_echo(echoing->fd);
	return trace_has(echoing->awaited);
}

/* GIVEN a client whose process has written lines
   WHEN the process is killed
   THEN the trace has no end of this client, and all of the next one. */
START_TEST(a_killed_worker_leaves_an_open_client)
{
	struct server server = server_start(_i == 0 ? "echod-fork" : "echod-prefork",
					    ARGUMENTS("--trace", path()));
	struct echoing echoing = { &server, client_connect(&server), " 1 sent " };
	struct trace trace;
	char byte;

	ck_assert(eventually(echoes_until_it_is_traced, &echoing, WAIT_MS));
	read_lines();
	ck_assert_int_eq(kill((pid_t)find(1, TRACE_TAKEN)->process, SIGKILL), 0);
	ck_assert_int_le(io_read(echoing.fd, &byte, 1), 0);
	client_close(echoing.fd);
	server_wait_line(&server, "was killed by signal 9", WAIT_MS);
	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
	read_lines();
	ck_assert_ptr_null(find(1, TRACE_CLOSED));
	ck_assert_ptr_nonnull(find(2, TRACE_CLOSED));
	read_spans(&trace);
	ck_assert(!trace.clients[0].closed);
	ck_assert_int_eq(trace.clients[0].to, trace.length);
	ck_assert(trace.clients[1].closed);
	trace_free(&trace);
}
END_TEST

static void limit_files(void *context)
{
	struct rlimit limit = { LIMIT, LIMIT };

	(void)context;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		_exit(126);
}

static bool echoes_until_it_is_full(void *context)
{
	const struct echoing *echoing = context;

	client_echo(echoing->fd);
	return server_count_lines(echoing->server, echoing->awaited) > 0;
}

/* GIVEN a disk on which the trace has no more room, WHEN clients go on, THEN the server says so
   once, and serves them. */
START_TEST(a_full_disk_ends_the_trace_and_not_the_server)
{
	const char *const options[] = { "--trace", path(), NULL };
	struct server server = server_start_with(&(struct server_setup){
		.program = model_program(_i, "echo"),
		.options = model_options(_i, options),
		.prepare = limit_files,
	});
	int other = model_serves_many(_i) ? client_connect_and_echo(&server) : -1;
	struct echoing echoing = {
		&server,
		client_connect_and_echo(&server),
		": File too large: the trace ends here",
	};

	ck_assert(eventually(echoes_until_it_is_full, &echoing, LONG_WAIT_MS));
	client_leave(echoing.fd);
	for (int i = 0; other >= 0 && i < TEXT; i++)
		client_echo(other);
	if (other >= 0)
		client_leave(other);
	client_leave(client_connect_and_echo(&server));
	server_finish(&server);
	ck_assert_uint_eq(server_count_lines(&server, echoing.awaited), 1);
}
END_TEST

static void expect_refusal(const char *const argv[], int status, const char *error)
{
	struct run run = run_program(argv, "", 0, WAIT_MS);

	ck_assert_str_eq(run.err, error);
	run_expect_status(&run, status);
}

START_TEST(a_trace_that_cannot_begin_is_said_at_the_start)
{
	expect_refusal(ARGUMENTS("echod-poll", "-p", "0", "--trace", "/no/trace"), 1,
		       "echod-poll: --trace: cannot write /no/trace: No such file or "
		       "directory\n");
	if (access("/dev/full", W_OK) == 0)
		expect_refusal(ARGUMENTS("echod-fork", "-p", "0", "--trace", "/dev/full"),
			       1,
			       "echod-fork: --trace: cannot write /dev/full: No space "
			       "left on device\n");
	expect_refusal(ARGUMENTS("echod-fork", "-u", "--trace", "trace"), 2,
		       "echod-fork: --trace: datagrams (-u) are not traced; try "
		       "'echod-fork -h'\n");
}
END_TEST

Suite *suite_traces(void)
{
	Suite *suite = suite_create("traces");
	TCase *tcase = add_case(suite, "traces");

	tcase_add_checked_fixture(tcase, make, clear);
	tcase_add_loop_test(tcase, each_model_has_the_timeline_of_its_workers, 0,
			    models_count());
	tcase_add_loop_test(tcase, output_that_waits_is_queued_and_then_drained, 0,
			    models_count());
	tcase_add_loop_test(tcase, a_trace_has_the_client_of_the_proxy, 0,
			    models_count());
	add_sharing_test(tcase, a_delivery_is_sent_without_a_request);
	tcase_add_loop_test(tcase, a_killed_worker_leaves_an_open_client, 0, 2);
	add_sharing_test(tcase, a_full_disk_ends_the_trace_and_not_the_server);
	tcase_add_test(tcase, a_trace_that_cannot_begin_is_said_at_the_start);
	return suite;
}
